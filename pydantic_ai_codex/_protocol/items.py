"""Which output item an event is about, and what has been handed out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


class Pieces(dict[int, list[str]]):
    """Texts that arrive in pieces, by content or summary index; the arguments of a call stand under 0."""

    def add(self, index: int, piece: str) -> None:
        """Note a piece."""
        self.setdefault(index, []).append(piece)

    def rest(self, index: int, whole: object) -> str:
        """What of the whole text has not come in pieces; it is noted, so that it is handed out once.

        Where the whole contradicts the pieces there is nothing sensible to add: pieces cannot be taken back.
        """
        if not isinstance(whole, str):
            return ''
        pieces = self.setdefault(index, [])
        seen = ''.join(pieces)
        if len(whole) <= len(seen) or not whole.startswith(seen):
            return ''
        pieces.append(whole[len(seen) :])
        return pieces[-1]


@dataclass(slots=True)
class Item:
    """The state of one output item."""

    id: str
    kind: str | None
    call_id: str | None = None
    texts: Pieces = field(default_factory=Pieces)
    refusals: Pieces = field(default_factory=Pieces)
    started: bool = False
    """For a call: whether its start was handed out."""
    done: bool = False
    half: str = ''
    """The first half of a character that was cut in two between pieces."""


class Items:
    """The output items of one answer.

    An item is known by its id. Relays are known to change the id from one event to the next, and to leave out one of
    id and position; then the position decides, and without one the newest unfinished item of the kind.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Item] = {}
        self._by_index: dict[int, Item] = {}

    def __iter__(self) -> Iterator[Item]:
        return iter(self._by_id.values())

    def find(self, item_id: object, index: object, kind: str | None) -> Item:
        """The item that an event is about; a new one where there is none yet."""
        if isinstance(item_id, str) and (item := self._by_id.get(item_id)) is not None:
            return item
        if isinstance(index, int):
            item = self._by_index.get(index)
            is_same = item is not None and not item.done and item.kind in (kind, None)
            return item if item is not None and is_same else self.open(item_id, index, kind)
        if not item_id:
            for item in reversed(self._by_id.values()):
                if not item.done and item.kind == kind:
                    return item
        return self.open(item_id, index, kind)

    def find_again(self, item_id: object, call_id: object, ordinal: int, kind: str | None) -> Item:
        """The item that stands in the final snapshot; a new one where nothing was seen of it before.

        Its position there says nothing: snapshots are known to leave items out. A call is known by its `call_id`, and
        anything else, where its id is not known, by being the first, second ... of its kind.
        """
        if isinstance(item_id, str) and (item := self._by_id.get(item_id)) is not None:
            return item
        of_the_kind = [item for item in self if item.kind == kind]
        for item in of_the_kind:
            if call_id is not None and item.call_id == call_id:
                return item
        if ordinal < len(of_the_kind):
            return of_the_kind[ordinal]
        return self.open(item_id, None, kind)

    def open(self, item_id: object, index: object, kind: str | None) -> Item:
        """The item of that id, else a new one."""
        if isinstance(item_id, str) and item_id in self._by_id:
            return self._by_id[item_id]
        # A made-up id has a character that no id of the backend's has.
        item = Item(item_id if isinstance(item_id, str) and item_id else f'item/{len(self._by_id)}', kind)
        self._by_id[item.id] = item
        if isinstance(index, int):
            self._by_index[index] = item
        return item
