"""Which output item an event is about."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from ..values import Wire, text_or_none
from .base import OutputItem
from .kinds import make_item


class _Names(NamedTuple):
    """What an event says of the item that it is about.

    Attributes:
        kind: The type of the item, or nothing where it has none.
        id: Its id.
        call_id: Its `call_id`.
        position: Its number in the answer, as far as the event says.
    """

    kind: str
    id: str | None
    call_id: str | None
    position: int | None


_Left: TypeAlias = defaultdict[tuple[str, bool], deque[OutputItem]]
"""Items in their order, by kind, and whether they have a `call_id`."""


class Items:
    """The output items of one answer, and which of them an event is about.

    Relays are known to change the id of an item from one event to the next, to leave out ids or positions, to give every
    item the position 0, and to send events twice. The first of these rules that applies decides:

    1. A known `call_id`: that call.
    2. A known id: the item of that kind and id.
    3. Otherwise it may be the newest item of its kind at the same position; for an event with neither id nor position,
       the newest of its kind that is not done, or the newest of its kind. It is *the same*, or *late*, because that item
       is done; or it is *new*, as it always is where the `call_id`s differ:

       ===================  ========================================  ==================================================
       the event is         that item is not done                     that item is done
       ===================  ========================================  ==================================================
       `output_item.added`  the same, if it has not begun, or if the  new
                            event has a position and no id; else new
       a piece of an item   the same                                  late without an id, else new
       `output_item.done`   the same                                  late if the records differ at most in id, else new
       ===================  ========================================  ==================================================

    4. Otherwise it is new.
    """

    def __init__(self) -> None:
        self._all: list[OutputItem] = []
        self._taken: set[str] = set()
        self._by_id: dict[tuple[str, str | None], OutputItem] = {}
        self._by_call: dict[tuple[str, str | None], OutputItem] = {}
        self._by_index: dict[tuple[str, int], OutputItem] = {}
        self._newest: dict[str, OutputItem] = {}
        self._not_done: defaultdict[str, list[OutputItem]] = defaultdict(list)

    def __iter__(self) -> Iterator[OutputItem]:
        return iter(self._all)

    def begin(self, item: Wire, index: object) -> OutputItem:
        """The item that `output_item.added` is about; a new one where it is none of those there are."""
        names = _names_of(item, index)
        known = self._known(names)
        if known is None and (other := self._there(names)) is not None and not other.done:
            again = names.id is None and names.position is not None
            known = other if again or not other.begun else None
        return self._noted(known or self._open(names), names)

    def piece(self, kind: str, item_id: object, index: object) -> OutputItem:
        """The item of that kind that a piece is about; a new one where it is none of those there are."""
        # Every piece of every text comes through here.
        known = self._by_id.get((kind, item_id)) if isinstance(item_id, str) else None
        if known is not None:
            return known
        names = _Names(kind, text_or_none(item_id), None, index if isinstance(index, int) else None)
        other = self._there(names)
        if other is not None and other.done and names.id is not None:
            other = None
        return self._noted(other or self._open(names), names)

    def record(self, item: Wire, index: object) -> OutputItem:
        """The item that `output_item.done` is about; a new one where it is none of those there are."""
        names = _names_of(item, index)
        known = self._known(names)
        if known is None and (other := self._there(names)) is not None:
            known = other if not other.done or _is_same(other.record, item) else None
        return self._noted(known or self._open(names), names)

    def snapshot(self, output: Sequence[Wire]) -> Iterator[tuple[OutputItem, Wire]]:
        """The items of the final snapshot, each with what is known of it; new ones where nothing was seen before.

        Positions there say nothing: snapshots are known to leave items out. An item is known by its id, a call by its
        `call_id`; of those that are left, the first of a kind is the first of that kind here.
        """
        known = {self._known(_names_of(wire)) for wire in output}
        left: _Left = defaultdict(deque)
        for item in self._all:
            if item not in known:
                left[item.kind, item.call_id is not None].append(item)
        for wire in output:
            names = _names_of(wire)
            yield self._noted(self._known(names) or _next_of(left, names) or self._open(names), names), wire

    def _known(self, names: _Names) -> OutputItem | None:
        by_call = self._by_call.get((names.kind, names.call_id))
        return by_call or self._by_id.get((names.kind, names.id))

    def _there(self, names: _Names) -> OutputItem | None:
        """The item that an event may be about that is not known by its names."""
        item = None
        if names.position is not None:
            item = self._by_index.get((names.kind, names.position))
        elif names.id is None:
            item = self._newest_not_done(names.kind) or self._newest.get(names.kind)
        return None if item is None or _is_other_call(item, names) else item

    def _newest_not_done(self, kind: str) -> OutputItem | None:
        items = self._not_done[kind]
        while items and items[-1].done:
            items.pop()
        return items[-1] if items else None

    def _open(self, names: _Names) -> OutputItem:
        # A made-up id has a character that no id of the backend's has.
        item_id = f'item/{len(self._all)}' if names.id is None or names.id in self._taken else names.id
        item = make_item(item_id, names.kind)
        self._taken.add(item_id)
        self._all.append(item)
        self._newest[names.kind] = item
        self._not_done[names.kind].append(item)
        if names.position is not None:
            self._by_index[names.kind, names.position] = item
            item.position = names.position
        return item

    def _noted(self, item: OutputItem, names: _Names) -> OutputItem:
        """The item, known by those names from now on."""
        if names.id is not None:
            self._by_id[names.kind, names.id] = item
        if names.call_id is not None and not _is_other_call(item, names):
            self._by_call[names.kind, names.call_id] = item
        return item


def kind_of(item: Wire) -> str:
    """The type of an item, or nothing where it has none."""
    return text_or_none(item.get('type')) or ''


def _names_of(item: Wire, index: object = None) -> _Names:
    return _Names(
        kind_of(item),
        text_or_none(item.get('id')),
        text_or_none(item.get('call_id')),
        index if isinstance(index, int) else None,
    )


def _is_other_call(item: OutputItem, names: _Names) -> bool:
    """Whether it is another call: ids of items change on the way, those of calls do not."""
    return item.call_id is not None and names.call_id is not None and item.call_id != names.call_id


def _is_same(record: Wire | None, item: Wire) -> bool:
    """Whether they differ in nothing but the id."""
    return record is not None and {**record, 'id': None} == {**item, 'id': None}


def _next_of(left: _Left, names: _Names) -> OutputItem | None:
    queue = left[names.kind, False]
    if not queue and names.call_id is None:
        queue = left[names.kind, True]
    return queue.popleft() if queue else None
