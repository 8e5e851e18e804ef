"""Reasoning: summaries, and the reasoning itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from ..events import Event, ReasoningDelta, ReasoningDone
from ..values import Wire, count_of, numbered_objects, text_or_none
from .base import Events, OutputItem
from .pieces import Pieces


class Reasoning(OutputItem):
    """Reasoning: summaries by summary index, and, from few models, the reasoning itself by content index."""

    def __init__(self, item_id: str, kind: str) -> None:
        super().__init__(item_id, kind)
        self._summaries = Pieces()
        self._raw = Pieces()

    def added(self, item: Wire) -> Sequence[Event]:
        return ()

    def summary_delta(self, wire: Wire) -> Events:
        """Take `reasoning_summary_text.delta`."""
        delta = self.piece(wire)
        if delta is None:
            return None
        index = count_of(wire, 'summary_index')
        piece = self._summaries.add(index, delta)
        return (ReasoningDelta(self.id, index, piece),) if piece else ()

    def summary_done(self, wire: Wire) -> Events:
        """Take `reasoning_summary_text.done`."""
        return self._settle(count_of(wire, 'summary_index'), wire.get('text'))

    def summary_part_done(self, wire: Wire) -> Events:
        """Take `reasoning_summary_part.done`, which has the summary in a `part`."""
        part = wire.get('part')
        if not isinstance(part, dict):
            return None
        return self._settle(count_of(wire, 'summary_index'), cast('Wire', part).get('text'))

    def raw_delta(self, wire: Wire) -> Events:
        """Take `reasoning_text.delta`."""
        delta = self.piece(wire)
        if delta is None:
            return None
        self._raw.add(count_of(wire, 'content_index'), delta)
        return ()

    def raw_done(self, wire: Wire) -> Events:
        """Take `reasoning_text.done`."""
        self._raw.settle(count_of(wire, 'content_index'), wire.get('text'))
        return ()

    def conclude(self, *, cut: bool) -> Iterator[Event]:
        yield from self._catch_up()
        if self._raw:
            yield self._end(None)

    def missing(self, record: Wire) -> Iterator[Event]:
        for index, part in numbered_objects(record.get('summary')):
            yield from self._settle(index, part.get('text'))
        for index, part in numbered_objects(record.get('content')):
            self._raw.settle(index, part.get('text'))
        yield from self._catch_up()
        yield self._end(text_or_none(record.get('encrypted_content')))

    def is_empty(self, record: Wire) -> bool:
        parts = (*numbered_objects(record.get('summary')), *numbered_objects(record.get('content')))
        return not text_or_none(record.get('encrypted_content')) and not any(part.get('text') for _, part in parts)

    def amended(self, record: Wire) -> Iterator[Event]:
        self._summaries.close()
        return self.missing(record)

    def _settle(self, index: int, whole: object) -> Sequence[Event]:
        rest = self._summaries.settle(index, whole)
        return (ReasoningDelta(self.id, index, rest.text, rest.replaces),) if rest else ()

    def _catch_up(self) -> Iterator[Event]:
        for index, rest in self._summaries.catch_up():
            yield ReasoningDelta(self.id, index, rest.text, rest.replaces)

    def _end(self, encrypted_content: str | None) -> ReasoningDone:
        return ReasoningDone(self.id, encrypted_content, self._raw.all())
