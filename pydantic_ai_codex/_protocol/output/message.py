"""Messages: texts and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast, get_args

from ..events import Event, MessageDone, Phase, TextDelta
from ..values import Wire, count_of, list_or_empty, numbered_objects
from .base import Events, OutputItem
from .pieces import Pieces, Rest

_PHASES: Final = frozenset(get_args(Phase))


class Message(OutputItem):
    """A message: texts and refusals by content index."""

    def __init__(self, item_id: str, kind: str) -> None:
        super().__init__(item_id, kind)
        self._texts = Pieces()
        self._refusals = Pieces()
        self._phase: Phase | None = None
        self._phase_is_late = False
        """Whether there was text before the phase was known."""
        self._annotations: dict[int, list[Any]] = {}
        self._logprobs: dict[int, list[Any]] = {}

    @property
    def refusal(self) -> str:
        """The refusals, joined."""
        return ''.join(self._refusals.all())

    def added(self, item: Wire) -> Sequence[Event]:
        self._read_phase(item)
        return ()

    def text_delta(self, wire: Wire) -> Events:
        """Take `output_text.delta`."""
        delta = self.piece(wire)
        if delta is None:
            return None
        index = count_of(wire, 'content_index')
        piece = self._texts.add(index, delta)
        return (TextDelta(self.id, index, piece, self._phase),) if piece else ()

    def text_done(self, wire: Wire) -> Events:
        """Take `output_text.done`."""
        index = count_of(wire, 'content_index')
        self._note(self._logprobs, index, wire.get('logprobs'))
        rest = self._texts.settle(index, wire.get('text'))
        return (self._text(index, rest),) if rest else ()

    def refusal_delta(self, wire: Wire) -> Events:
        """Take `refusal.delta`."""
        delta = self.piece(wire)
        if delta is None:
            return None
        index = count_of(wire, 'content_index')
        self._texts.pass_over(index)
        self._refusals.add(index, delta)
        return ()

    def refusal_done(self, wire: Wire) -> Events:
        """Take `refusal.done`."""
        index = count_of(wire, 'content_index')
        self._texts.pass_over(index)
        self._refusals.settle(index, wire.get('refusal'))
        return ()

    def annotation_added(self, wire: Wire) -> Events:
        """Take `output_text.annotation.added`."""
        if 'annotation' not in wire:
            return None
        self._annotations.setdefault(count_of(wire, 'content_index'), []).append(wire['annotation'])
        return ()

    def conclude(self, *, cut: bool) -> Iterator[Event]:
        for index, rest in self._texts.catch_up():
            yield self._text(index, rest)
        if self._annotations or self._logprobs or self._phase_is_late:
            yield MessageDone(self.id, self._phase, self._annotations, self._logprobs)

    def missing(self, record: Wire) -> Iterator[Event]:
        self._read_phase(record)
        for index, part in numbered_objects(record.get('content')):
            if part.get('type') == 'refusal':
                self._refusals.settle(index, part.get('refusal'))
                continue
            if rest := self._texts.settle(index, part.get('text')):
                yield self._text(index, rest)
            self._note(self._annotations, index, part.get('annotations'))
            self._note(self._logprobs, index, part.get('logprobs'))
        yield from self.conclude(cut=False)

    def is_empty(self, record: Wire) -> bool:
        return not any(part.get('text') or part.get('refusal') for _, part in numbered_objects(record.get('content')))

    def amended(self, record: Wire) -> Iterator[Event]:
        self._texts.close()
        return self.missing(record)

    def _text(self, index: int, rest: Rest) -> TextDelta:
        return TextDelta(self.id, index, rest.text, self._phase, rest.replaces)

    def _read_phase(self, item: Wire) -> None:
        phase = item.get('phase')
        if isinstance(phase, str) and phase in _PHASES and phase != self._phase:
            self._phase = cast(Phase, phase)
            self._phase_is_late = bool(self._texts)

    @staticmethod
    def _note(where: dict[int, list[Any]], index: int, values: object) -> None:
        if found := list_or_empty(values):
            where[index] = found
