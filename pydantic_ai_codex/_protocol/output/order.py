"""The order in which items are handed out: one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..events import Event
from .base import OutputItem


class OneByOne:
    """Hands out the events of one item after those of another.

    Where the backend sends pieces of two items by turns, those of the item that began later wait until the earlier one
    is done: readers show one part after the other, and histories replay them in this order.
    """

    def __init__(self) -> None:
        self._current: OutputItem | None = None
        self._waiting: list[tuple[OutputItem, list[Event]]] = []

    def take(self, item: OutputItem, events: Sequence[Event]) -> Sequence[Event]:
        """Take the events of an item; return those that are to be handed out now."""
        if self._current is None:
            self._current = item
        elif self._current is not item:
            self._hold(item, events)
            return ()
        return [*events, *self._advance()] if item.done else events

    def take_rest(self) -> list[Event]:
        """Take the end of the answer; return what still waits."""
        events = [event for _, held in self._waiting for event in held]
        self._current = None
        self._waiting.clear()
        return events

    def _hold(self, item: OutputItem, events: Sequence[Event]) -> None:
        for waiting, held in self._waiting:
            if waiting is item:
                held += events
                return
        self._waiting.append((item, list(events)))

    def _advance(self) -> Iterator[Event]:
        """Go on to the next item, and past those that are done already."""
        self._current = None
        while self._waiting and self._current is None:
            # As the backend numbers them; those without a number last, as they began.
            first = min(range(len(self._waiting)), key=lambda each: self._waiting[each][0].position)
            item, held = self._waiting.pop(first)
            yield from held
            self._current = None if item.done else item
