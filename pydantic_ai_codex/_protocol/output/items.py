"""Which output item an event is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..values import Wire, text_or_none
from .base import OutputItem
from .kinds import make_item


class Items:
    """The output items of one answer.

    An item is known by its kind and id. Relays are known to change the id from one event to the next, and to leave out
    one of id and position; then its `call_id` decides, the position, and without one the newest unfinished item of the
    kind.
    """

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, str], OutputItem] = {}
        self._by_index: dict[int, OutputItem] = {}
        self._names: set[str] = set()

    def __iter__(self) -> Iterator[OutputItem]:
        return iter(self._by_id.values())

    def find(
        self, item_id: object, index: object, kind: str, *, call_id: object = None, begins: bool = False
    ) -> OutputItem:
        """The item of that kind that an event is about; a new one where there is none yet.

        Args:
            item_id: What the event says of its id.
            index: What the event says of its position.
            kind: Its type.
            call_id: What the event says of its `call_id`.
            begins: Whether the event says that the item begins, so that it is none that began before.
        """
        name = text_or_none(item_id)
        if name is not None and (known := self._by_id.get((kind, name))) is not None:
            return known
        for item in self._unnamed(name, index, call_id):
            if item.kind == kind and not item.done and not (begins and item.begun) and not _is_other(item, call_id):
                return item
        return self._open(name, index, kind)

    def find_all_again(self, output: Sequence[Wire]) -> Iterator[tuple[OutputItem, Wire]]:
        """The items of the final snapshot, each with what is known of it; new ones where nothing was seen before.

        Positions there say nothing: snapshots are known to leave items out. An item is known by its id, a call by its
        `call_id`; of those that are left, the first of a kind is the first of that kind here.
        """
        known = [self._known(item) for item in output]
        left = [item for item in self if item not in known]
        for wire, item in zip(output, known, strict=True):
            # Known by now is what stands in the snapshot twice.
            yield item or self._known(wire) or self._next_of(left, wire), wire

    def _next_of(self, left: list[OutputItem], wire: Wire) -> OutputItem:
        kind, call_id = kind_of(wire), wire.get('call_id')
        for number, item in enumerate(left):
            if item.kind == kind and not _is_other(item, call_id):
                return left.pop(number)
        return self._open(text_or_none(wire.get('id')), None, kind)

    def _known(self, wire: Wire) -> OutputItem | None:
        kind, name, call_id = kind_of(wire), text_or_none(wire.get('id')), text_or_none(wire.get('call_id'))
        if name is not None and (item := self._by_id.get((kind, name))) is not None:
            return item
        return next((item for item in self if call_id and item.kind == kind and item.call_id == call_id), None)

    def _unnamed(self, name: str | None, index: object, call_id: object) -> Iterator[OutputItem]:
        """What an event may be about whose id is not known, the likeliest first."""
        if call_id:
            yield from (item for item in self if item.call_id == call_id)
        if isinstance(index, int):
            if (item := self._by_index.get(index)) is not None:
                yield item
        elif name is None:
            yield from reversed(self._by_id.values())

    def _open(self, name: str | None, index: object, kind: str) -> OutputItem:
        # A made-up id has a character that no id of the backend's has.
        item = make_item(f'item/{len(self._by_id)}' if name is None or name in self._names else name, kind)
        self._names.add(item.id)
        self._by_id[kind, name or item.id] = item
        if isinstance(index, int):
            self._by_index[index] = item
            item.position = index
        return item


def kind_of(item: Wire) -> str:
    """The type of an item, or nothing where it has none."""
    return text_or_none(item.get('type')) or ''


def _is_other(item: OutputItem, call_id: object) -> bool:
    """Whether it is another call: ids of items change on the way, those of calls do not."""
    return bool(item.call_id and text_or_none(call_id)) and item.call_id != call_id
