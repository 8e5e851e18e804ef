"""What every output item has in common.

Each class of these modules is the state of one item. Its methods take an event of the wire and return what is to be
handed out; `None` where the event lacks what it needs: it is then kept as unknown, and the finished item, which comes
later, still has all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import TypeAlias

from ..events import Event, ItemDone, ItemStarted
from ..values import Wire
from .pieces import HALVES, join_halves

Events: TypeAlias = Sequence[Event] | None


class OutputItem:
    """An item of any kind.

    Args:
        item_id: What its events are called by.
        kind: Its type.
    """

    def __init__(self, item_id: str, kind: str) -> None:
        self.id = item_id
        self.kind = kind
        self.position: float = inf
        """The backend's number of the item in the answer."""
        self.call_id: str | None = None
        self.begun = False
        """Whether `output_item.added` was received."""
        self.done = False
        """Whether nothing more is expected of it: its record was received, or the answer is over."""
        self.record: Wire | None = None
        """The item of record, once it was received."""
        self._half = ''
        """The first half of a character that was cut in two between pieces."""

    def added(self, item: Wire) -> Sequence[Event]:
        """Take `output_item.added`."""
        return () if self.begun else (ItemStarted(self.id, self.kind),)

    def finish(self, record: Wire) -> Sequence[Event]:
        """Take an item of record: hand out what is still missing of it, then the item.

        The first one counts, and those after it mean nothing, unless it held nothing.
        """
        if not self.done:
            self.done, self.record = True, record
            return [*self.missing(record), ItemDone(self.id, record)]
        if self.record is None or not self.is_empty(self.record):
            return ()
        self.record = record
        return list(self.amended(record))

    def conclude(self, *, cut: bool) -> Iterator[Event]:
        """Take the end of an answer that held no record of the item.

        Args:
            cut: Whether the backend stopped before its end.
        """
        return iter(())

    def missing(self, record: Wire) -> Iterator[Event]:
        """What is still to be handed out of the item."""
        return iter(())

    def is_empty(self, record: Wire) -> bool:
        """Whether a record holds nothing of what items of its kind are there for, so that a later one may."""
        return False

    def amended(self, record: Wire) -> Iterator[Event]:
        """What is still to be handed out of an item whose first record was empty, and that is behind others by now."""
        return iter(())

    def piece(self, wire: Wire) -> str | None:
        """The piece that an event brings, made whole with the half character of the piece before it."""
        delta = wire.get('delta')
        if not isinstance(delta, str):
            return None
        if self._half or HALVES in wire:
            delta, self._half = join_halves(self._half, delta)
        return delta
