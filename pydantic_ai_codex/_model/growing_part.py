"""The part of an answer that grows: its events, made without pydantic-ai's parts manager.

An answer is thousands of pieces of a few parts. The manager tells of a piece what it told of the piece before it, at two
to five times the price of the event alone (`benchmarks`), and only for the text that it puts together meanwhile. So it
makes the first events of a part, and the events of the plain pieces that follow are made after their likeness here. The
manager hears of those pieces, all at once, before anybody asks it for anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from pydantic_ai.messages import (
    ModelResponsePartDelta,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    TextPartDelta,
    ThinkingPartDelta,
    ToolCallPartDelta,
)


class GrowingPart:
    """A part, and the pieces of it that the manager has not heard of.

    Args:
        item_id: The item that the pieces are of.
        number: Which of its texts.
        index: Which part it is.
        make: The delta for a piece.
        tell: Tells the manager of a piece.
    """

    __slots__ = ('_index', '_item_id', '_make', '_number', '_pieces', '_tell')

    def __init__(
        self,
        item_id: str,
        number: int,
        index: int,
        make: Callable[[str], ModelResponsePartDelta],
        tell: Callable[[str], Iterable[ModelResponseStreamEvent]],
    ) -> None:
        self._item_id = item_id
        self._number = number
        self._index = index
        self._make = make
        self._tell = tell
        self._pieces: list[str] = []

    def is_of(self, item_id: str, number: int = 0) -> bool:
        """Whether it is the part of that text."""
        return self._item_id == item_id and self._number == number

    def more(self, piece: str) -> PartDeltaEvent:
        """The event for another piece."""
        self._pieces.append(piece)
        return PartDeltaEvent(index=self._index, delta=self._make(piece))

    def catch_up(self) -> None:
        """Tell the manager of the pieces that it has not heard of."""
        pieces, self._pieces = self._pieces, []
        if pieces:
            for _ in self._tell(''.join(pieces)):
                pass


def growing_part(
    item_id: str,
    number: int,
    events: Sequence[ModelResponseStreamEvent],
    tell: Callable[[str], Iterable[ModelResponseStreamEvent]],
) -> GrowingPart | None:
    """The part that the manager's events say to be growing.

    Args:
        item_id: The item that the piece was of.
        number: Which of its texts.
        events: What the manager made of the piece.
        tell: Tells the manager of another piece in the same way.

    Returns:
        The part, or `None` where they say more than the piece, or that the part begins.
    """
    if len(events) != 1 or not isinstance(event := events[0], PartDeltaEvent):
        return None
    make: Callable[[str], ModelResponsePartDelta]
    match event.delta:
        case TextPartDelta(content_delta=piece, provider_name=name):
            make = partial(TextPartDelta, provider_name=name)
        case ThinkingPartDelta(content_delta=piece, provider_name=name):
            make = partial(_thinking, name)
        case ToolCallPartDelta(args_delta=piece, tool_call_id=call_id, provider_name=name):
            make = partial(_arguments, call_id, name)
        case _:
            return None
    # What else the manager says, and any field that a version of pydantic-ai adds, is the manager's to say.
    if not isinstance(piece, str) or PartDeltaEvent(index=event.index, delta=make(piece)) != event:
        return None
    return GrowingPart(item_id, number, event.index, make, tell)


def _thinking(provider_name: str | None, piece: str) -> ThinkingPartDelta:
    return ThinkingPartDelta(content_delta=piece, provider_name=provider_name)


def _arguments(tool_call_id: str | None, provider_name: str | None, piece: str) -> ToolCallPartDelta:
    return ToolCallPartDelta(args_delta=piece, tool_call_id=tool_call_id, provider_name=provider_name)
