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

from ..._protocol.requests import JsonObject
from ...errors import ConfigurationError
from .calls import map_call
from .contents import assistant_message, input_text, user_message
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
    searches = find_searches(response)
    return [item for parts in _groups(response.parts) for item in _map_parts(response, parts, reader, searches)]


def _groups(parts: Iterable[ModelResponsePart]) -> list[list[ModelResponsePart]]:
    """The parts that make one item: the texts of one message, the summaries of one reasoning item."""
    groups: list[list[ModelResponsePart]] = []
    last = None
    for part in parts:
        if last is not None and _together(last, part):
            groups[-1].append(part)
        else:
            groups.append([part])
        last = part
    return groups


def _together(first: ModelResponsePart, second: ModelResponsePart) -> bool:
    return (
        isinstance(first, _SAID)
        and isinstance(second, _SAID)
        and bool(first.id)
        and first.id == second.id
        and first.provider_name == second.provider_name
        and _is_text(first) == _is_text(second)
    )


def _map_parts(
    response: ModelResponse, parts: Sequence[ModelResponsePart], reader: Reader, searches: Searches
) -> _Items:
    match parts[0]:
        case TextPart():
            return _map_texts(cast('Sequence[TextPart]', parts))
        case ThinkingPart() as part if _is_text(part):
            return _map_texts(cast('Sequence[ThinkingPart]', parts))
        case ThinkingPart():
            return _map_thinking(response, cast('Sequence[ThinkingPart]', parts), reader)
        case ToolCallPart() as part:
            return [map_call(part)]
        case NativeToolCallPart() as part:
            return map_native_call(part, searches, reader)
        case NativeToolReturnPart() as part:
            return map_native_return(cast('NativeToolReturnPart[Any]', part), searches)
        case FilePart() as part:
            return [map_made_file(part.content)]
        case CompactionPart() as part:
            return _map_compaction(response, part, reader)
        case part:
            raise unprepared(part)


def _is_text(part: TextPart | ThinkingPart) -> bool:
    """Whether a part was a message: commentary beside an output that has to be JSON is kept as thinking."""
    return isinstance(part, TextPart) or (not part.signature and phase_of(part) is not None)


def _map_texts(parts: Sequence[TextPart | ThinkingPart]) -> _Items:
    texts = [part.content for part in parts if part.content]
    if not texts:
        return ()
    message = assistant_message(*texts)
    for part in parts:
        if phase := phase_of(part):
            return [{**message, 'phase': phase}]
    return [message]


def _map_thinking(response: ModelResponse, parts: Sequence[ThinkingPart], reader: Reader) -> _Items:
    """A reasoning item, where the backend can read it; plain text, where the thinking is another service's.

    What another account thought here is left out: the model does without it.
    """
    sealed: ThinkingPart | None = None
    texts: list[str] = []
    is_accepted = True
    for part in parts:
        sealed = sealed or (part if part.signature else None)
        if part.content:
            texts.append(part.content)
        is_accepted = is_accepted and reader.accepts(response, part)
    if sealed is None or not is_accepted:
        return [assistant_message(quote_thinking('\n'.join(texts)))] if texts else ()
    if not reader.is_account_of(sealed):
        return ()
    # No `content`: raw reasoning cannot go back, it is in what is encrypted ("array too long", public reports).
    item: JsonObject = {
        'type': 'reasoning',
        'summary': [{'type': 'summary_text', 'text': text} for text in texts],
        'encrypted_content': sealed.signature,
    }
    if item_id := wire_item_id(sealed.id, 'rs'):
        item['id'] = item_id
    return [item]


def _map_compaction(response: ModelResponse, part: CompactionPart, reader: Reader) -> Iterator[JsonObject]:
    """A compaction; nothing, where it cannot be read: the history that it stands for is there then."""
    if reader.opens(response, part):
        item: JsonObject = {'type': 'compaction', 'encrypted_content': encrypted_content(part)}
        if item_id := wire_item_id(part.id, 'cmp'):
            item['id'] = item_id
        yield item
    elif part.content:
        yield user_message([input_text(quote_summary(part.content))])
