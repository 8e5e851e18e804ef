"""The data of wire events to `Event`s: the state machine of one answer.

What it promises, whatever the backend sends: a part's pieces, joined, are the whole part, even where the backend sent
no pieces and only the finished item, or only the final snapshot; nothing is handed out twice; an answer without a
terminal event is an error. Event types, and that `output_item.done` is the item of record: captured.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias, cast

from pydantic_core import from_json

from ..errors import IncompleteStreamError
from .events import (
    Event,
    ItemDone,
    ReasoningDelta,
    ReasoningDone,
    ResponseEnded,
    ResponseStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UnknownEvent,
    Usage,
)
from .failures import error_from_event
from .items import Item, Items
from .values import text_or_none

_Wire: TypeAlias = dict[str, Any]
_DONE: Final = b'[DONE]'


class ResponseDecoder:
    """Turns the data of wire events into `Event`s.

    Feed it the data of one event after another with `receive`, then call `close`.

    Args:
        headers: The headers of the answer with lower-case names, for the errors raised from its events.
    """

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.ended = False
        """Whether the terminal event was received; what comes after it is ignored."""
        self._headers = headers or {}
        self._started = False
        self._items = Items()
        self._halves = False
        """Whether characters were seen that are cut in two between events."""
        self._received = 0
        self._undecodable = 0
        self._last_type = ''

    def receive(self, data: bytes) -> Sequence[Event]:
        """Take the data of one event.

        Returns:
            The events that it stands for, often one.

        Raises:
            BackendError: If it says that the answer failed.
        """
        if self.ended:
            return ()
        self._received += 1
        try:
            event: Any = from_json(data)
        except ValueError:
            event = self._from_json(data)
        if not isinstance(event, dict):
            if data == _DONE:
                return ()
            self._undecodable += 1
            return (UnknownEvent('', data),)
        wire = cast('_Wire', event)
        kind = wire.get('type')
        if not isinstance(kind, str):
            return (UnknownEvent('', data),)
        self._last_type = kind
        handler = self._HANDLERS.get(kind)
        events = None if handler is None else handler(self, wire)
        return (UnknownEvent(kind, data),) if events is None else events

    def close(self) -> None:
        """Take the end of the stream.

        Raises:
            IncompleteStreamError: If no terminal event was received.
        """
        if self.ended:
            return
        seen = f'{self._received} events were received' + (f', the last {self._last_type!r}' if self._last_type else '')
        if self._undecodable:
            seen += f', {self._undecodable} of them no JSON objects'
        raise IncompleteStreamError(
            f'The stream ended before the answer was complete ({seen}). Send the request again; if this repeats, '
            'a proxy on the way may be cutting streams, or what answers is not the backend.'
        )

    # The handlers return `None` for an event that lacks what it needs: it is then kept as unknown, and the finished
    # item, which comes later, still has all of it.

    def _on_started(self, wire: _Wire) -> Sequence[Event] | None:
        response = wire.get('response')
        if not isinstance(response, dict):
            return None
        if self._started:
            return ()
        self._started = True
        response = cast('_Wire', response)
        return (ResponseStarted(text_or_none(response.get('id')), text_or_none(response.get('model'))),)

    def _on_text_delta(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'message')
        delta = self._piece(item, wire)
        if delta is None:
            return None
        index = _index(wire, 'content_index')
        item.texts.add(index, delta)
        return (TextDelta(item.id, index, delta),) if delta else ()

    def _on_text_done(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'message')
        index = _index(wire, 'content_index')
        rest = item.texts.rest(index, wire.get('text'))
        return (TextDelta(item.id, index, rest),) if rest else ()

    def _on_summary_delta(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'reasoning')
        delta = self._piece(item, wire)
        if delta is None:
            return None
        index = _index(wire, 'summary_index')
        item.texts.add(index, delta)
        return (ReasoningDelta(item.id, index, delta),) if delta else ()

    def _on_summary_done(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'reasoning')
        index = _index(wire, 'summary_index')
        rest = item.texts.rest(index, wire.get('text'))
        return (ReasoningDelta(item.id, index, rest),) if rest else ()

    def _on_arguments_delta(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'function_call')
        delta = self._piece(item, wire)
        if delta is None:
            return None
        item.texts.add(0, delta)
        # Before its name is known there is no call to hand out; the pieces follow its start.
        return (ToolCallDelta(item.id, delta),) if delta and item.started else ()

    def _on_arguments_done(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'function_call')
        rest = item.texts.rest(0, wire.get('arguments'))
        return (ToolCallDelta(item.id, rest),) if rest and item.started else ()

    def _on_refusal_delta(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'message')
        delta = self._piece(item, wire)
        if delta is None:
            return None
        item.refusals.add(_index(wire, 'content_index'), delta)
        return ()

    def _on_refusal_done(self, wire: _Wire) -> Sequence[Event] | None:
        item = self._items.find(wire.get('item_id'), wire.get('output_index'), 'message')
        item.refusals.rest(_index(wire, 'content_index'), wire.get('refusal'))
        return ()

    def _on_item_added(self, wire: _Wire) -> Sequence[Event] | None:
        item = wire.get('item')
        if not isinstance(item, dict):
            return None
        item = cast('_Wire', item)
        state = self._items.open(item.get('id'), wire.get('output_index'), text_or_none(item.get('type')))
        return tuple(self._start_call(state, item)) if item.get('type') == 'function_call' else ()

    def _on_item_done(self, wire: _Wire) -> Sequence[Event] | None:
        item = wire.get('item')
        if not isinstance(item, dict):
            return None
        item = cast('_Wire', item)
        state = self._items.find(item.get('id'), wire.get('output_index'), text_or_none(item.get('type')))
        return tuple(self._finish(state, item))

    def _on_ended(self, wire: _Wire) -> Sequence[Event] | None:
        response: _Wire = wire['response'] if isinstance(wire.get('response'), dict) else {}
        output = response.get('output')
        events: list[Event] = []
        # Items that never came as `output_item.done`; usually there are none, and `output` is empty or null.
        seen: Counter[str | None] = Counter()
        for item in _objects(output):
            kind = text_or_none(item.get('type'))
            events += self._finish(self._items.find_again(item.get('id'), item.get('call_id'), seen[kind], kind), item)
            seen[kind] += 1
        self.ended = True
        details: object = response.get('incomplete_details')
        status: Literal['completed', 'incomplete'] = (
            'completed' if wire['type'] == 'response.completed' else 'incomplete'
        )
        events.append(
            ResponseEnded(
                status,
                text_or_none(cast('_Wire', details).get('reason')) if isinstance(details, dict) else None,
                text_or_none(response.get('id')),
                text_or_none(response.get('model')),
                _usage(response.get('usage')),
                ''.join(text for item in self._items for pieces in item.refusals.values() for text in pieces) or None,
            )
        )
        return events

    def _on_failed(self, wire: _Wire) -> Sequence[Event] | None:
        self.ended = True
        raise error_from_event(wire, self._headers)

    _HANDLERS: ClassVar[dict[str, Callable[[Self, _Wire], Sequence[Event] | None]]] = {
        'response.created': _on_started,
        'response.in_progress': _on_started,
        'response.output_text.delta': _on_text_delta,
        'response.output_text.done': _on_text_done,
        'response.reasoning_summary_text.delta': _on_summary_delta,
        'response.reasoning_summary_text.done': _on_summary_done,
        'response.function_call_arguments.delta': _on_arguments_delta,
        'response.function_call_arguments.done': _on_arguments_done,
        'response.refusal.delta': _on_refusal_delta,
        'response.refusal.done': _on_refusal_done,
        'response.output_item.added': _on_item_added,
        'response.output_item.done': _on_item_done,
        'response.completed': _on_ended,
        'response.incomplete': _on_ended,
        'response.failed': _on_failed,
        'error': _on_failed,
    }

    def _piece(self, item: Item, wire: _Wire) -> str | None:
        """The piece that an event brings, made whole with the half character of the piece before it."""
        delta = wire.get('delta')
        if not isinstance(delta, str):
            return None
        return _joined(item, delta) if self._halves else delta

    def _start_call(self, state: Item, item: _Wire) -> Iterator[Event]:
        name = item.get('name')
        if state.started or not isinstance(name, str) or not name:
            return
        state.started = True
        state.call_id = text_or_none(item.get('call_id')) or state.id
        yield ToolCallStarted(state.id, state.call_id, name)
        if state.done or item.get('arguments') != '{}':
            # At the start of a call `{}` is a placeholder; anything else is what there is of its arguments so far.
            state.texts.rest(0, item.get('arguments'))
        if arguments := ''.join(state.texts.get(0, ())):
            yield ToolCallDelta(state.id, arguments)

    def _finish(self, state: Item, item: _Wire) -> Iterator[Event]:
        """Hand out what is still missing of a finished item, then the item."""
        if state.done:
            return
        state.done = True
        match item.get('type'):
            case 'message':
                yield from self._finish_message(state, item)
            case 'reasoning':
                for position, part in enumerate(_objects(item.get('summary'))):
                    if rest := state.texts.rest(position, part.get('text')):
                        yield ReasoningDelta(state.id, position, rest)
                yield ReasoningDone(state.id, text_or_none(item.get('encrypted_content')))
            case 'function_call':
                yield from self._start_call(state, item)
                if state.started and (rest := state.texts.rest(0, item.get('arguments'))):
                    yield ToolCallDelta(state.id, rest)
            case _:
                pass
        yield ItemDone(item)

    def _finish_message(self, state: Item, item: _Wire) -> Iterator[Event]:
        for position, part in enumerate(_objects(item.get('content'))):
            if part.get('type') == 'refusal':
                state.refusals.rest(position, part.get('refusal'))
            elif rest := state.texts.rest(position, part.get('text')):
                yield TextDelta(state.id, position, rest)

    def _from_json(self, data: bytes) -> Any:
        """What the fast parser refuses: half a character (a lone surrogate), cut from its other half by the events."""
        try:
            event: Any = json.loads(data)
        except (ValueError, RecursionError):
            return None
        self._halves = True
        if not isinstance(event, dict):
            return None
        # A piece keeps its half for the piece after it; everywhere else a half is all that there will be.
        wire = cast('_Wire', event)
        return {key: value if key == 'delta' else _mended(value) for key, value in wire.items()}


def _mended(value: Any) -> Any:
    """The value with a replacement character in place of each half of a character."""
    if isinstance(value, str):
        return value.encode('utf-16-le', 'surrogatepass').decode('utf-16-le', 'replace')
    if isinstance(value, dict):
        items: dict[Any, Any] = dict(map(_mended, cast('dict[Any, Any]', value).items()))
        return items
    if isinstance(value, list | tuple):
        return type(cast('list[Any]', value))(map(_mended, cast('list[Any]', value)))
    return value


def _joined(item: Item, delta: str) -> str:
    """The piece with the half character of the piece before it, and without its own half at the end."""
    delta = item.half + delta
    item.half = delta[-1:] if '\ud800' <= delta[-1:] <= '\udbff' else ''
    return _mended(delta[: len(delta) - len(item.half)])


def _index(wire: _Wire, key: str) -> int:
    value = wire.get(key)
    return value if isinstance(value, int) else 0


def _objects(value: object) -> Iterator[_Wire]:
    for each in cast('list[Any]', value) if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield cast('_Wire', each)


def _usage(value: object) -> Usage | None:
    if not isinstance(value, dict):
        return None
    usage = cast('_Wire', value)
    return Usage(
        _count(usage, 'input_tokens'),
        _count(usage, 'output_tokens'),
        _count(usage.get('input_tokens_details'), 'cached_tokens'),
        _count(usage.get('output_tokens_details'), 'reasoning_tokens'),
    )


def _count(wire: object, key: str) -> int:
    value = cast('_Wire', wire).get(key) if isinstance(wire, dict) else None
    return value if isinstance(value, int) else 0
