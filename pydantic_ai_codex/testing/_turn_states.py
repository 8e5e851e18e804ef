"""Sticky turns: the state that the first answer of a turn gives, and that its later requests have to send back.

A turn is told by its input alone: it begins with a request whose last items answer no call, and goes on while the last
ones do. (Codex CLI 0.169.0 sends the first value of a turn with every later request of that turn, and none with the
first one of the next: captured.) On the wire, a run that asks again without a call, such as after an output of a wrong
shape, is a new turn.
"""

from __future__ import annotations

import json
from threading import Lock
from typing import Any, Final, TypeAlias

from .._protocol.constants import TURN_STATE_HEADER
from ._records import RecordedRequest, SimulatorError
from ._wire_facts import make_id

Json: TypeAlias = dict[str, Any]

_OF_THE_CLIENT: Final = frozenset({'additional_tools', 'compaction_trigger', 'configuration_update'})


class TurnStates:
    """The turns that have begun here; `take` may be called from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._begun: set[str] = set()

    def take(self, record: RecordedRequest, account_id: str) -> str:
        """The state that the answer gives: another for each request, of which the first of a turn is the one to keep.

        Raises:
            SimulatorError: The request sends back another state than it has to, or none, or one where it must not.
        """
        items = record.input_items
        start = turn_start(items)
        state = _state(account_id, items[:start])
        is_first = start == len(items)
        with self._lock:
            is_known = state in self._begun
            if is_first:
                self._begun.add(state)
        sent = record.headers.get(TURN_STATE_HEADER)
        if is_first:
            # Sent again after it was cut off, the first request may have the state of its own turn.
            if sent not in (None, state):
                raise _wrong(record, f'begins a turn, but sends back the state {sent!r} of another')
        elif is_known and sent != state:
            raise _wrong(record, f'goes on with a turn whose state is {state!r}, but sends back {sent!r}')
        return _state(account_id, items)


def turn_start(items: list[Json]) -> int:
    """How many items the request had that began the turn."""
    end = len(items)
    while end:
        begin = _back(items, end, of_client=True)
        if not any(_is_output(item) for item in items[begin:end]):
            break
        end = _back(items, begin, of_client=False)
    return end


def _back(items: list[Json], end: int, *, of_client: bool) -> int:
    """Where the items of one side begin that stand before `end`."""
    while end and _is_of_client(items[end - 1]) is of_client:
        end -= 1
    return end


def _is_of_client(item: Json) -> bool:
    kind = item.get('type', 'message')
    return (kind == 'message' and item.get('role') != 'assistant') or _is_output(item) or kind in _OF_THE_CLIENT


def _is_output(item: Json) -> bool:
    return str(item.get('type')).endswith('_output')


def _state(account_id: str, items: list[Json]) -> str:
    return make_id('turn', json.dumps([account_id, items], sort_keys=True))


def _wrong(record: RecordedRequest, problem: str) -> SimulatorError:
    return SimulatorError(f'Request {record.number} {problem}. The header is {TURN_STATE_HEADER}.')
