"""The order in which items are handed out: one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from ..events import Event
from .base import OutputItem


class OneByOne:
    """Hands out the events of one item after those of another.

    Where the backend sends pieces of two items by turns, those of the item that began later wait until the earlier one
    is done: readers show one part after the other, and histories replay them in this order.
    """

    def __init__(self) -> None:
        self._current: OutputItem | None = None
        """The item whose events are handed out; never one that is done."""
        self._held: dict[OutputItem, list[Event]] = {}
        self._queue: list[tuple[float, int, OutputItem]] = []
        """A heap of the items that wait: as the backend numbers them; those without a number last, as they began."""
        self._queued = 0

    def take(self, item: OutputItem, events: Sequence[Event]) -> Sequence[Event]:
        """Take the events of an item; return those that are to be handed out now.

        Once every item is done, nothing waits.
        """
        if item is not self._current:
            if self._current is not None:
                self._hold(item, events)
                return ()
            self._current = item
        return [*events, *self._advance()] if item.done else events

    def _hold(self, item: OutputItem, events: Sequence[Event]) -> None:
        held = self._held.get(item)
        if held is None:
            held = self._held[item] = []
            heappush(self._queue, (item.position, self._queued, item))
            self._queued += 1
        held += events

    def _advance(self) -> Iterator[Event]:
        """Go on to the next item, and past those that are done already."""
        self._current = None
        while self._queue and self._current is None:
            *_, item = heappop(self._queue)
            yield from self._held.pop(item)
            self._current = None if item.done else item
