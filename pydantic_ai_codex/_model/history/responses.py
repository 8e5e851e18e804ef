"""The parts of a response back to input items; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias, cast

from pydantic_ai.messages import (
    CompactionPart,
    FilePart,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)

from ..._protocol.events import Phase
from ..._protocol.requests import JsonObject
from ...errors import ConfigurationError
from .calls import map_call
from .contents import assistant_text, user_text
from .ids import wire_item_id
from .natives import Searches, find_searches, map_made_file, map_native_call, map_native_return
from .origins import Reader, encrypted_content, phase_of
from .quotes import quote_summary, quote_thinking

_Items: TypeAlias = Iterable[JsonObject]

_SAID: Final = (TextPart, ThinkingPart)


def unprepared(part: object) -> ConfigurationError:
    """The error for a part that has no form on the wire."""
    return ConfigurationError(
        f'A {type(part).__name__} cannot be sent as it is. An agent translates it; when you call the model directly, '
        'pass the messages through `model.prepare_messages(messages)` first.'
    )


def map_response(response: ModelResponse, reader: Reader) -> list[JsonObject]:
    """The input items of a response.

    Args:
        response: The response.
        reader: The one who gets them.

    Raises:
        ConfigurationError: If a part cannot be sent.
    """
    items: list[JsonObject] = []
    searches: Searches | None = None
    for parts in _groups(response.parts):
        part: ModelResponsePart = parts[0]
        if isinstance(part, ToolCallPart):
            items.append(map_call(part))
        elif _is_message(part):
            items += _map_texts(parts)
        elif isinstance(part, ThinkingPart):
            items += _map_thinking(response, parts, reader)
        else:
            searches = searches or find_searches(response)
            items += _map_rare(response, part, reader, searches)
    return items


def _groups(parts: Sequence[ModelResponsePart]) -> Iterable[Sequence[Any]]:
    """The parts that make one item: the texts of one message, the summaries of one reasoning item."""
    if len(parts) == 1:
        return (parts,)
    groups: list[list[ModelResponsePart]] = []
    for part in parts:
        if groups and _together(groups[-1][0], part):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _together(first: ModelResponsePart, second: ModelResponsePart) -> bool:
    return (
        isinstance(first, _SAID)
        and isinstance(second, _SAID)
        and bool(first.id)
        and first.id == second.id
        and first.provider_name == second.provider_name
        and _is_message(first) == _is_message(second)
    )


def _map_rare(response: ModelResponse, part: ModelResponsePart, reader: Reader, searches: Searches) -> _Items:
    match part:
        case NativeToolCallPart():
            return map_native_call(part, searches, reader)
        case NativeToolReturnPart():
            return map_native_return(cast('NativeToolReturnPart[Any]', part), searches)
        case FilePart():
            return [map_made_file(part.content)]
        case CompactionPart():
            return _map_compaction(response, part, reader)
        case _:
            raise unprepared(part)


def _is_message(part: ModelResponsePart) -> bool:
    """Whether a part was a message: commentary beside an output that has to be JSON is kept as thinking."""
    if isinstance(part, ThinkingPart):
        return not part.signature and phase_of(part) is not None
    return isinstance(part, TextPart)


def _map_texts(parts: Sequence[TextPart | ThinkingPart]) -> _Items:
    """A message of the assistant's, without an id: the backend stores nothing, and would not know it."""
    content: list[JsonObject] = []
    phase: Phase | None = None
    for part in parts:
        if part.content:
            content.append({'type': 'output_text', 'text': part.content})
        phase = phase or phase_of(part)
    if not content:
        return ()
    message: JsonObject = {'type': 'message', 'role': 'assistant', 'content': content}
    if phase is not None:
        message['phase'] = phase
    return (message,)


def _map_thinking(response: ModelResponse, parts: Sequence[ThinkingPart], reader: Reader) -> _Items:
    """A reasoning item, where the backend can read it; plain text, where the thinking is another service's.

    What another account thought here, or what was refused before, is left out: the model does without it.
    """
    sealed: ThinkingPart | None = None
    summary: list[JsonObject] = []
    is_accepted = True
    for part in parts:
        sealed = sealed or (part if part.signature else None)
        if part.content:
            summary.append({'type': 'summary_text', 'text': part.content})
        is_accepted = is_accepted and reader.accepts(response, part)
    if sealed is None or not is_accepted:
        return (assistant_text(quote_thinking('\n'.join(text['text'] for text in summary))),) if summary else ()
    if not reader.is_account_of(sealed) or id(response) in reader.unreadable:
        return ()
    # No `content`: raw reasoning cannot go back, it is in what is encrypted ("array too long", public reports).
    item: JsonObject = {'type': 'reasoning', 'summary': summary, 'encrypted_content': sealed.signature}
    if item_id := wire_item_id(sealed.id, 'rs'):
        item['id'] = item_id
    return (item,)


def _map_compaction(response: ModelResponse, part: CompactionPart, reader: Reader) -> Iterator[JsonObject]:
    """A compaction; nothing, where it cannot be read: the history that it stands for is there then."""
    if reader.opens(response, part):
        item: JsonObject = {'type': 'compaction', 'encrypted_content': encrypted_content(part)}
        if item_id := wire_item_id(part.id, 'cmp'):
            item['id'] = item_id
        yield item
    elif part.content:
        yield user_text(quote_summary(part.content))
