"""A turn as the backend writes it: server-sent events and headers.

The frames are reconstructed from streams that Codex CLI 0.169.0 accepted (captured). They are spelled out as literals
on purpose: made from the decoder's classes, a wrong field name would agree with itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias, assert_never

from ._script import Call, Item, Say, Think, TokenUsage, Turn, UsageLimit
from ._tokens import seal_reasoning

Json: TypeAlias = dict[str, Any]

EVENT_STREAM: Final = 'text/event-stream; charset=utf-8'
_ARGUMENT_PIECE: Final = 16
"""Characters in one delta of a call's arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFacts:
    """What a response repeats of its request.

    Attributes:
        seed: What every id is derived from; another for each response.
        model: The requested slug.
        account_id: Whose encrypted reasoning it is.
        now: When it was created.
        service_tier: The requested tier.
        encrypts: Whether the request includes `reasoning.encrypted_content`.
        request_bytes: The size of the request, from which the input tokens are derived.
    """

    seed: str
    model: str
    account_id: str
    now: datetime
    service_tier: str = 'default'
    encrypts: bool = True
    request_bytes: int = 0


def sse_frame(event: Mapping[str, Any]) -> bytes:
    """Write one event as a frame, for a `raw_stream` of your own.

    Args:
        event: The event; its `type` names it.
    """
    data = json.dumps(event, ensure_ascii=False, separators=(',', ':'))
    return f'event: {event["type"]}\ndata: {data}\n\n'.encode()


def frames(turn: Turn, facts: ResponseFacts) -> Iterator[bytes]:
    """Every frame of a turn, up to its terminal event."""
    for number, event in enumerate(_events(turn, facts)):
        yield sse_frame({'type': event.pop('type'), 'sequence_number': number, **_padded(event, number)})


def derived_usage(turn: Turn, request_bytes: int) -> TokenUsage:
    """Token counts from sizes: a token is four bytes or characters, and every item costs one more."""
    spent = [(item, 1 + _size(item) // 4) for item in turn.items]
    return TokenUsage(
        input_tokens=1 + request_bytes // 4,
        output_tokens=sum(tokens for _, tokens in spent),
        reasoning_tokens=sum(tokens for item, tokens in spent if isinstance(item, Think)),
    )


def make_id(prefix: str, seed: str, index: int = 0) -> str:
    """An id that looks like the backend's."""
    return f'{prefix}_{hashlib.sha256(f"{prefix}/{seed}/{index}".encode()).hexdigest()[:40]}'


def limit_headers(
    now: datetime, plan_type: str, *, used_percent: str = '42.5', resets_in: int = 1234
) -> dict[str, str]:
    """The usage limits that every answer to a ChatGPT login carries (captured)."""
    epoch = int(now.timestamp())
    return {
        'x-codex-active-limit': 'codex',
        'x-codex-plan-type': plan_type,
        'x-codex-primary-used-percent': used_percent,
        'x-codex-primary-window-minutes': '300',
        'x-codex-primary-reset-at': str(epoch + resets_in),
        'x-codex-primary-reset-after-seconds': str(resets_in),
        'x-codex-secondary-used-percent': '7',
        'x-codex-secondary-window-minutes': '10080',
        'x-codex-secondary-reset-at': str(epoch + 500_000),
        'x-codex-credits-has-credits': 'true',
        'x-codex-credits-unlimited': 'false',
        'x-codex-credits-balance': '12.5',
        'x-codex-limit-name': 'codex',
    }


def usage_limit_body(limit: UsageLimit, now: datetime) -> Json:
    """The body of a 429 for a used-up plan (captured)."""
    return {
        'error': {
            'type': 'usage_limit_reached',
            'message': 'The usage limit has been reached',
            'plan_type': limit.plan_type,
            'resets_at': int(now.timestamp()) + limit.resets_in_seconds,
            'resets_in_seconds': limit.resets_in_seconds,
        }
    }


def _events(turn: Turn, facts: ResponseFacts) -> Iterator[Json]:
    yield {'type': 'response.created', 'response': _response(facts, 'in_progress')}
    yield {'type': 'response.in_progress', 'response': _response(facts, 'in_progress')}
    for index, item in enumerate(turn.items):
        yield from _item_events(item, index, facts)
    response = _response(facts, turn.ending)
    if turn.ending == 'failed':
        response['error'] = {'code': turn.error_code, 'message': turn.error_message}
    else:
        if turn.ending == 'incomplete':
            response['incomplete_details'] = {'reason': turn.incomplete_reason}
        if turn.usage is not False:
            response['usage'] = _usage(turn.usage or derived_usage(turn, facts.request_bytes))
    yield {'type': f'response.{turn.ending}', 'response': response}


def _response(facts: ResponseFacts, status: str) -> Json:
    return {
        'id': make_id('resp', facts.seed),
        'object': 'response',
        'created_at': int(facts.now.timestamp()),
        'status': status,
        'model': facts.model,
        'output': [],  # Empty at the end, too (captured): the items of record are those of `output_item.done`.
        'service_tier': facts.service_tier,
    }


def _usage(usage: TokenUsage) -> Json:
    return {
        'input_tokens': usage.input_tokens,
        'input_tokens_details': {'cached_tokens': usage.cached_tokens},
        'output_tokens': usage.output_tokens,
        'output_tokens_details': {'reasoning_tokens': usage.reasoning_tokens},
        'total_tokens': usage.input_tokens + usage.output_tokens,
    }


def _item_events(item: Item, index: int, facts: ResponseFacts) -> Iterator[Json]:
    match item:
        case Think():
            return _think_events(item, index, facts)
        case Say():
            return _say_events(item, index, facts)
        case Call():
            return _call_events(item, index, facts)
        case _:
            assert_never(item)


def _think_events(item: Think, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('rs', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'reasoning'}
    sealed: Json = {}
    if item.encrypted and facts.encrypts:
        sealed = {'encrypted_content': seal_reasoning(facts.account_id, item_id)}
    yield {'type': 'response.output_item.added', 'output_index': index, 'item': {**base, 'summary': [], **sealed}}
    for number, text in enumerate(item.summaries):
        at: Json = {'item_id': item_id, 'output_index': index, 'summary_index': number}
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
    summary = [{'type': 'summary_text', 'text': text} for text in item.summaries]
    yield {'type': 'response.output_item.done', 'output_index': index, 'item': {**base, 'summary': summary, **sealed}}


def _say_events(item: Say, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('msg', facts.seed, index)
    base: Json = {'id': item_id, 'type': 'message', 'role': 'assistant'}
    if item.phase is not None:
        base['phase'] = item.phase
    at: Json = {'item_id': item_id, 'output_index': index, 'content_index': 0}
    part: Json = {'type': 'output_text', 'text': item.text, 'annotations': [], 'logprobs': []}
    yield {
        'type': 'response.output_item.added',
        'output_index': index,
        'item': {**base, 'status': 'in_progress', 'content': []},
    }
    yield {
        'type': 'response.content_part.added',
        **at,
        'part': {'type': 'output_text', 'text': '', 'annotations': []},
    }
    for piece in _words(item.text):
        yield {'type': 'response.output_text.delta', **at, 'delta': piece}
    yield {'type': 'response.output_text.done', **at, 'text': item.text}
    yield {'type': 'response.content_part.done', **at, 'part': part}
    yield {
        'type': 'response.output_item.done',
        'output_index': index,
        'item': {**base, 'status': 'completed', 'content': [part]},
    }


def _call_events(item: Call, index: int, facts: ResponseFacts) -> Iterator[Json]:
    item_id = make_id('fc', facts.seed, index)
    call_id = item.call_id or make_id('call', facts.seed, index)[:29]
    base: Json = {'id': item_id, 'type': 'function_call', 'name': item.name, 'call_id': call_id}
    at: Json = {'item_id': item_id, 'output_index': index}
    yield {
        'type': 'response.output_item.added',
        'output_index': index,
        'item': {**base, 'status': 'in_progress', 'arguments': ''},
    }
    for start in range(0, len(item.arguments), _ARGUMENT_PIECE):
        piece = item.arguments[start : start + _ARGUMENT_PIECE]
        yield {'type': 'response.function_call_arguments.delta', **at, 'delta': piece}
    yield {'type': 'response.function_call_arguments.done', **at, 'arguments': item.arguments}
    yield {
        'type': 'response.output_item.done',
        'output_index': index,
        'item': {**base, 'status': 'completed', 'arguments': item.arguments},
    }


def _padded(event: Json, number: int) -> Json:
    """Deltas carry random padding, against guessing words from sizes (public reports); here it is not random."""
    if 'delta' not in event:
        return event
    padding = hashlib.sha256(str(number).encode()).hexdigest()[: 16 - len(event['delta']) % 16]
    return {**event, 'obfuscation': padding}


def _words(text: str) -> list[str]:
    return re.findall(r'\S+\s*|\s+', text)


def _size(item: Item) -> int:
    match item:
        case Think():
            return sum(len(text) for text in item.summaries)
        case Say():
            return len(item.text)
        case Call():
            return len(item.name) + len(item.arguments)
        case _:
            assert_never(item)
