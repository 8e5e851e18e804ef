"""The data of wire events to `Event`s: the state machine of one answer.

A part's pieces, joined, are the whole part, even where the backend sent no pieces and only the finished item, or only the
final snapshot. Items come one after the other. An answer without a terminal event is an error. What is sent twice is
handed out once, as far as ids, `call_id`s, positions or its contents tell that it is the same: `output.items` has the
rules, and where all of these lack or mislead, they guess. What no final frame mends, such as a lost piece of a text that
never ends, stays lost.

Event types, and that `output_item.done` is the item of record: captured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, cast

from pydantic_core import from_json

from ..errors import IncompleteStreamError
from .events import Event, RateLimitsSeen, ResponseEnded, ResponseStarted, UnknownEvent, Usage
from .failures import error_from_event
from .output.base import Events
from .output.calls import Call
from .output.items import Items, kind_of
from .output.kinds import Image
from .output.message import Message
from .output.order import OneByOne
from .output.pieces import HALVES, mended
from .output.reasoning import Reasoning
from .values import Wire, count_of, numbered_objects, object_or_empty, text_or_none
from .waits import http_date

if TYPE_CHECKING:
    from .rate_limit_types import RateLimits

_DONE: Final = b'[DONE]'

_PARTS_OF_ITEMS: Final[dict[str, tuple[str, Callable[[Any, Wire], Events]]]] = {
    'response.output_text.delta': ('message', Message.text_delta),
    'response.output_text.done': ('message', Message.text_done),
    'response.output_text.annotation.added': ('message', Message.annotation_added),
    'response.refusal.delta': ('message', Message.refusal_delta),
    'response.refusal.done': ('message', Message.refusal_done),
    'response.reasoning_summary_text.delta': ('reasoning', Reasoning.summary_delta),
    'response.reasoning_summary_text.done': ('reasoning', Reasoning.summary_done),
    'response.reasoning_summary_part.done': ('reasoning', Reasoning.summary_part_done),
    'response.reasoning_text.delta': ('reasoning', Reasoning.raw_delta),
    'response.reasoning_text.done': ('reasoning', Reasoning.raw_done),
    'response.function_call_arguments.delta': ('function_call', Call.delta),
    'response.function_call_arguments.done': ('function_call', Call.whole),
    'response.custom_tool_call_input.delta': ('custom_tool_call', Call.delta),
    'response.custom_tool_call_input.done': ('custom_tool_call', Call.whole),
    'response.image_generation_call.partial_image': ('image_generation_call', Image.partial),
}
"""Which kind of item an event is about, and which method of the item takes it."""


class ResponseDecoder:
    """Turns the data of wire events into `Event`s.

    Feed it the data of one event after another with `receive`, then call `close`.

    Args:
        headers: The headers of the answer with lower-case names, for the errors raised from its events.
        now: The wall clock, for what tells when to come back; by default the `date` of the headers.
    """

    def __init__(self, headers: Mapping[str, str] | None = None, now: Callable[[], datetime] | None = None) -> None:
        self.ended = False
        """Whether the terminal event was received; what comes after it is ignored."""
        self.rate_limits: RateLimits | None = None
        """The limits of the plan, as far as events told of them."""
        self._headers = headers or {}
        self._now = now
        self._started = False
        self._items = Items()
        self._one_by_one = OneByOne()
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
        # Whatever it is; asked of its type, as a `cast` costs more than the question.
        wire: Wire
        try:
            wire = from_json(data)
        except ValueError:
            wire = _from_json(data)
        if type(wire) is not dict:
            if data == _DONE:
                return ()
            self._undecodable += 1
            return (UnknownEvent('', data),)
        kind = wire.get('type')
        if not isinstance(kind, str):
            return (UnknownEvent('', data),)
        self._last_type = kind
        if (part := _PARTS_OF_ITEMS.get(kind)) is not None:
            events = self._on_part(part[0], part[1], wire)
        else:
            handler = self._HANDLERS.get(kind)
            events = None if handler is None else handler(self, wire)
        # Not read, or it lacks what it needs.
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

    def _on_part(self, kind: str, method: Callable[[Any, Wire], Events], wire: Wire) -> Events:
        """The events of a piece of an item."""
        item = self._items.piece(kind, wire.get('item_id'), wire.get('output_index'))
        if item.done:
            # What comes after the item of record is late, or stands in it already.
            return ()
        events = method(item, wire)
        return None if events is None else self._one_by_one.take(item, events)

    def _on_started(self, wire: Wire) -> Sequence[Event] | None:
        response = wire.get('response')
        if not isinstance(response, dict):
            return None
        if self._started:
            return ()
        self._started = True
        response = cast('Wire', response)
        return (ResponseStarted(text_or_none(response.get('id')), text_or_none(response.get('model'))),)

    def _on_item_added(self, wire: Wire) -> Sequence[Event] | None:
        item = object_or_empty(wire.get('item'))
        if not kind_of(item):
            return None
        state = self._items.begin(item, wire.get('output_index'))
        if state.done:
            return ()
        events = state.added(item)
        state.begun = True
        return self._one_by_one.take(state, events)

    def _on_item_done(self, wire: Wire) -> Sequence[Event] | None:
        item = wire.get('item')
        if not isinstance(item, dict):
            return None
        item = cast('Wire', item)
        state = self._items.record(item, wire.get('output_index'))
        events = state.finish(item)
        return self._one_by_one.take(state, events) if events else ()

    def _on_ended(self, wire: Wire) -> Sequence[Event] | None:
        response = object_or_empty(wire.get('response'))
        status: Literal['completed', 'incomplete'] = (
            'completed' if wire['type'] == 'response.completed' else 'incomplete'
        )
        events = self._last_of_items(response.get('output'), cut=status == 'incomplete')
        self.ended = True
        events.append(
            ResponseEnded(
                status,
                text_or_none(object_or_empty(response.get('incomplete_details')).get('reason')),
                text_or_none(response.get('id')),
                text_or_none(response.get('model')),
                _usage(response.get('usage')),
                ''.join(item.refusal for item in self._items if isinstance(item, Message)) or None,
                text_or_none(response.get('service_tier')),
            )
        )
        return events

    def _last_of_items(self, output: object, *, cut: bool) -> list[Event]:
        """The events of the items that never came as `output_item.done`, or came empty.

        Usually there are none, and `output`, the final snapshot, is empty or null (captured).
        """
        events: list[Event] = []
        for state, item in self._items.snapshot([item for _, item in numbered_objects(output)]):
            events += self._one_by_one.take(state, state.finish(item))
        for state in self._items:
            if not state.done:
                state.done = True
                events += self._one_by_one.take(state, list(state.conclude(cut=cut)))
        return events

    def _on_failed(self, wire: Wire) -> Sequence[Event] | None:
        self.ended = True
        raise error_from_event(wire, self._headers, now=self._now and self._now(), limits=self.rate_limits)

    def _on_limits(self, wire: Wire) -> Sequence[Event] | None:
        # Here, as not every stream tells of limits, and none does before there is an answer.
        from .rate_limit_types import merged
        from .rate_limits import limits_from_event

        now = self._now() if self._now else http_date(self._headers.get('date'))
        limits = limits_from_event(wire, now) if now else None
        if limits is None:
            return None
        self.rate_limits = merged(limits, self.rate_limits)
        return (RateLimitsSeen(limits),)

    _HANDLERS: ClassVar[dict[str, Callable[[Self, Wire], Sequence[Event] | None]]] = {
        'response.created': _on_started,
        'response.in_progress': _on_started,
        'response.output_item.added': _on_item_added,
        'response.output_item.done': _on_item_done,
        'response.completed': _on_ended,
        'response.incomplete': _on_ended,
        'response.failed': _on_failed,
        'error': _on_failed,
        'codex.rate_limits': _on_limits,
    }


def _from_json(data: bytes) -> Any:
    """What the fast parser refuses: half a character (a lone surrogate), cut from its other half by the events.

    Bytes that are no text cost a character and no event, as event streams are defined.
    """
    try:
        event: Any = json.loads(data.decode('utf-8', 'replace'))
        if not isinstance(event, dict):
            return None
        wire = cast('Wire', event)
        # A piece keeps its half for the piece after it; everywhere else a half is all that there will be.
        pieces = {'delta': wire['delta']} if isinstance(wire.get('delta'), str) else {}
        return {**mended(wire), HALVES: True, **pieces}
    except (ValueError, RecursionError):
        return None


def _usage(value: object) -> Usage | None:
    if not isinstance(value, dict):
        return None
    usage = cast('Wire', value)
    return Usage(
        count_of(usage, 'input_tokens'),
        count_of(usage, 'output_tokens'),
        count_of(object_or_empty(usage.get('input_tokens_details')), 'cached_tokens'),
        count_of(object_or_empty(usage.get('output_tokens_details')), 'reasoning_tokens'),
    )
