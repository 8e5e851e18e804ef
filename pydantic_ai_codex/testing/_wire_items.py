"""The output items of a turn as the backend writes them; see `_wire.py`.

Frames that the CLI was never seen to get (refusals, raw reasoning, annotations, images, local shell calls) follow the
published event types of the Responses API.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias, assert_never

from ._items import Call, Compaction, CustomCall, Image, Item, OutputItem, Refuse, Say, ShellCall, Think, WebSearch
from ._tokens import seal
from ._wire_facts import ResponseFacts, make_id

Json: TypeAlias = dict[str, Any]

_PIECE: Final = 16
"""Characters in one delta of a call's arguments or input."""


def item_events(item: Item, index: int, facts: ResponseFacts) -> Iterator[Json]:
    """Every event of one item, from the one that adds it to the one that is its record."""
    match item:
        case Think():
            return _think_events(item, index, facts)
        case Say():
            return _say_events(item, index, facts)
        case Refuse():
            return _refuse_events(item, index, facts)
        case Call() | CustomCall() | ShellCall():
            return _any_call_events(item, index, facts)
        case WebSearch():
            return _search_events(item, index, facts)
        case Image():
            return _image_events(item, index, facts)
        case Compaction():
            return _compaction_events(item, index, facts)
        case OutputItem():
            return iter((_added(index, dict(item.fields)), _done(index, dict(item.fields))))
        case _:
            assert_never(item)


def item_size(item: Item) -> int:
    """How many characters or bytes the model wrote."""
    match item:
        case Think():
            return sum(len(text) for text in (*item.summaries, *item.raw))
        case Say() | Refuse():
            return len(item.text)
        case Call():
            return len(item.name) + len(item.arguments)
        case CustomCall():
            return len(item.name) + len(item.input)
        case ShellCall():
            return sum(len(word) for word in item.command)
        case WebSearch():
            return len(item.query)
        case Image():
            return len(item.data)
        case Compaction():
            return 0
        case OutputItem():
            return len(json.dumps(dict(item.fields)))
        case _:
            assert_never(item)


def _added(index: int, item: Json) -> Json:
    return {'type': 'response.output_item.added', 'output_index': index, 'item': item}


def _done(index: int, item: Json) -> Json:
    return {'type': 'response.output_item.done', 'output_index': index, 'item': item}


def _think_events(item: Think, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('rs', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'reasoning'}
    sealed: Json = {}
    if item.encrypted and facts.encrypts:
        sealed = {'encrypted_content': seal(facts.account_id, item_id)}
    yield _added(index, {**base, 'summary': [], **sealed})
    for number, text in enumerate(item.raw):
        at: Json = {'item_id': item_id, 'output_index': index, 'content_index': number}
        for piece in _words(text):
            yield {'type': 'response.reasoning_text.delta', **at, 'delta': piece}
        yield {'type': 'response.reasoning_text.done', **at, 'text': text}
    for number, text in enumerate(item.summaries):
        at = {'item_id': item_id, 'output_index': index, 'summary_index': number}
        yield {
            'type': 'response.reasoning_summary_part.added',
            **at,
            'part': {'type': 'summary_text', 'text': ''},
        }
        for piece in _words(text):
            yield {'type': 'response.reasoning_summary_text.delta', **at, 'delta': piece}
        yield {'type': 'response.reasoning_summary_text.done', **at, 'text': text}
        yield {
            'type': 'response.reasoning_summary_part.done',
            **at,
            'part': {'type': 'summary_text', 'text': text},
        }
    whole: Json = {**base, 'summary': [{'type': 'summary_text', 'text': text} for text in item.summaries]}
    if item.raw:
        whole['content'] = [{'type': 'reasoning_text', 'text': text} for text in item.raw]
    yield _done(index, {**whole, **sealed})


def _say_events(item: Say, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('msg', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'message', 'role': 'assistant'}
    if item.phase is not None:
        base['phase'] = item.phase
    at: Json = {'item_id': item_id, 'output_index': index, 'content_index': 0}
    annotations = [dict(annotation) for annotation in item.annotations]
    part: Json = {'type': 'output_text', 'text': item.text, 'annotations': annotations, 'logprobs': []}
    yield _added(index, {**base, 'status': 'in_progress', 'content': []})
    yield {
        'type': 'response.content_part.added',
        **at,
        'part': {'type': 'output_text', 'text': '', 'annotations': []},
    }
    for piece in _words(item.text):
        yield {'type': 'response.output_text.delta', **at, 'delta': piece}
    for number, annotation in enumerate(annotations):
        yield {
            'type': 'response.output_text.annotation.added',
            **at,
            'annotation_index': number,
            'annotation': annotation,
        }
    yield {'type': 'response.output_text.done', **at, 'text': item.text}
    yield {'type': 'response.content_part.done', **at, 'part': part}
    yield _done(index, {**base, 'status': 'completed', 'content': [part]})


def _refuse_events(item: Refuse, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('msg', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'message', 'role': 'assistant'}
    at: Json = {'item_id': item_id, 'output_index': index, 'content_index': 0}
    part: Json = {'type': 'refusal', 'refusal': item.text}
    yield _added(index, {**base, 'status': 'in_progress', 'content': []})
    yield {'type': 'response.content_part.added', **at, 'part': {'type': 'refusal', 'refusal': ''}}
    for piece in _words(item.text):
        yield {'type': 'response.refusal.delta', **at, 'delta': piece}
    yield {'type': 'response.refusal.done', **at, 'refusal': item.text}
    yield {'type': 'response.content_part.done', **at, 'part': part}
    yield _done(index, {**base, 'status': 'completed', 'content': [part]})


def _any_call_events(item: Call | CustomCall | ShellCall, index: int, facts: ResponseFacts) -> Iterator[Json]:
    call_id = item.call_id or make_id('call', facts.seed, index)[:29]
    match item:
        case Call():
            return _call_events(item, call_id, index, facts)
        case CustomCall():
            return _custom_call_events(item, call_id, index, facts)
        case ShellCall():
            return _shell_call_events(item, call_id, index, facts)
        case _:
            assert_never(item)


def _call_events(item: Call, call_id: str, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('fc', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'function_call', 'name': item.name, 'call_id': call_id}
    if item.namespace is not None:
        base['namespace'] = item.namespace
    at: Json = {'item_id': item_id, 'output_index': index}
    yield _added(index, {**base, 'status': 'in_progress', 'arguments': ''})
    for piece in _pieces(item.arguments):
        yield {'type': 'response.function_call_arguments.delta', **at, 'delta': piece}
    yield {'type': 'response.function_call_arguments.done', **at, 'arguments': item.arguments}
    yield _done(index, {**base, 'status': 'completed', 'arguments': item.arguments})


def _custom_call_events(item: CustomCall, call_id: str, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('ctc', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'custom_tool_call', 'name': item.name, 'call_id': call_id}
    at: Json = {'item_id': item_id, 'output_index': index}
    yield _added(index, {**base, 'status': 'in_progress', 'input': ''})
    for piece in _pieces(item.input):
        yield {'type': 'response.custom_tool_call_input.delta', **at, 'delta': piece}
    yield {'type': 'response.custom_tool_call_input.done', **at, 'input': item.input}
    yield _done(index, {**base, 'status': 'completed', 'input': item.input})


def _shell_call_events(item: ShellCall, call_id: str, index: int, facts: ResponseFacts) -> Iterator[Json]:
    base: Json = {
        'id': make_id('lsh', facts.seed, index),
        'type': 'local_shell_call',
        'call_id': call_id,
        'action': {'type': 'exec', 'command': list(item.command), 'env': {}, **item.options},
    }
    yield _added(index, {**base, 'status': 'in_progress'})
    yield _done(index, {**base, 'status': 'completed'})


def _search_events(item: WebSearch, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('ws', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'web_search_call'}
    at: Json = {'item_id': item_id, 'output_index': index}
    action: Json = {'type': 'search', 'query': item.query, 'queries': [item.query]}
    if item.sources:
        action['sources'] = [{'type': 'url', 'url': url} for url in item.sources]
    yield _added(index, {**base, 'status': 'in_progress'})
    yield {'type': 'response.web_search_call.in_progress', **at}
    yield {'type': 'response.web_search_call.searching', **at}
    yield {'type': 'response.web_search_call.completed', **at}
    yield _done(index, {**base, 'status': 'completed', 'action': action})


def _image_events(item: Image, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('ig', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'image_generation_call'}
    at: Json = {'item_id': item_id, 'output_index': index}
    look: Json = {
        'output_format': item.output_format,
        'size': '1024x1024',
        'quality': 'high',
        'background': 'opaque',
    }
    yield _added(index, {**base, 'status': 'in_progress'})
    yield {'type': 'response.image_generation_call.in_progress', **at}
    yield {'type': 'response.image_generation_call.generating', **at}
    for number, data in enumerate(item.partial):
        yield {
            'type': 'response.image_generation_call.partial_image',
            **at,
            'partial_image_index': number,
            'partial_image_b64': base64.b64encode(data).decode(),
            **look,
        }
    yield {'type': 'response.image_generation_call.completed', **at}
    result: Json = {'result': base64.b64encode(item.data).decode(), 'revised_prompt': item.revised_prompt}
    yield _done(index, {**base, 'status': 'completed', **result, **look})


def _compaction_events(item: Compaction, index: int, facts: ResponseFacts) -> Iterator[Json]:
    base: Json = {'id': make_id('cmp', facts.seed, index), 'type': 'compaction'}
    yield _added(index, base)
    yield _done(index, {**base, 'encrypted_content': seal(facts.account_id, base['id'])} if item.encrypted else base)


def _words(text: str) -> Sequence[str]:
    return re.findall(r'\S+\s*|\s+', text)


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
