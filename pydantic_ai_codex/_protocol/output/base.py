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
        """Whether the item of record was received."""
        self._half = ''
        """The first half of a character that was cut in two between pieces."""

    def added(self, item: Wire) -> Sequence[Event]:
        """Take `output_item.added`."""
        return () if self.begun else (ItemStarted(self.id, self.kind),)

    def finish(self, item: Wire) -> Iterator[Event]:
        """Take the item of record, once: hand out what is still missing of it, then the item."""
        if not self.done:
            self.done = True
            yield from self.missing(item)
            yield ItemDone(self.id, item)

    def conclude(self) -> Iterator[Event]:
        """Take the end of an answer that held no record of the item."""
        return iter(())

    def missing(self, item: Wire) -> Iterator[Event]:
        return iter(())

    def piece(self, wire: Wire) -> str | None:
        """The piece that an event brings, made whole with the half character of the piece before it."""
        delta = wire.get('delta')
        if not isinstance(delta, str):
            return None
        if self._half or HALVES in wire:
            delta, self._half = join_halves(self._half, delta)
        return delta
