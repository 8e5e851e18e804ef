"""Texts that arrive in pieces, and what the finished text still adds to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from ..values import Wire

HALVES: Final = '\ud800'
"""Marks a wire event that holds half a character; no field of the backend's can be called so."""

MAX_DEPTH: Final = 200
"""How deep values may be nested: as deep as the fast parser reads, and less deep than can be written again."""

_HIGH: Final = ('\ud800', '\udbff')


_State: TypeAlias = Literal['begun', 'behind', 'elsewhere']
"""Handed out so far; grown since another one began; no text of this kind."""


class Rest(NamedTuple):
    """What a finished text adds to its pieces.

    Attributes:
        text: What was missing, or the whole text.
        replaces: Whether it is the whole text, which contradicts the pieces.
    """

    text: str
    replaces: bool


class Pieces:
    """Texts by content or summary index; the arguments of a call stand under 0.

    They are handed out one after the other, in the order of their indices: a text waits for the beginning of the one
    before it. What is said of a text after another one began waits, too, and stands in the whole of that text, which
    then replaces what was handed out of it. `catch_up` hands out what still waits.
    """

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}
        self._states: dict[int, _State] = {}
        """How the texts stand that do not wait to begin."""
        self._current: int | None = None
        """The one that began last: what is added to it need not wait."""

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, index: int, piece: str) -> str:
        """Note a piece; return what is to be handed out of the text now."""
        if not piece:
            return ''
        if index == self._current:
            self._texts[index].append(piece)
            return piece
        self._texts.setdefault(index, []).append(piece)
        if self._waits_to_begin(index):
            return self._begin(index)
        self._states[index] = 'behind'
        return ''

    def settle(self, index: int, whole: object) -> Rest | None:
        """Take the finished text, which is the text of record.

        A relay may have left pieces out, or sent them twice; the CLI does not read them at all (captured). An empty
        text is no record: some final frames leave the text out.

        Returns:
            What is to be handed out now, or `None` where that is nothing.
        """
        if not isinstance(whole, str) or not whole:
            return None
        seen = self.joined(index)
        self._texts[index] = [whole]
        if self._waits_to_begin(index):
            text = self._begin(index)
            return Rest(text, replaces=False) if text else None
        if whole == seen and self._states[index] == 'begun':
            return None
        grows = index == self._current and whole.startswith(seen)
        self._current = index
        self._states[index] = 'begun'
        return Rest(whole[len(seen) :], replaces=False) if grows else Rest(whole, replaces=True)

    def pass_over(self, index: int) -> None:
        """Let the text after that index begin: what stands there is none of these texts."""
        self._states.setdefault(index, 'elsewhere')

    def close(self) -> None:
        """Take the end of the item: what changes a text from now on replaces it, as others have begun since."""
        self._current = None

    def catch_up(self) -> Iterator[tuple[int, Rest]]:
        """Take the end of the pieces: hand out the texts that waited to begin, or that have grown since."""
        for index in sorted(self._texts):
            if self._states.get(index) != 'begun':
                yield index, Rest(self.joined(index), replaces=not self._waits_to_begin(index))
                self._states[index] = 'begun'

    def joined(self, index: int) -> str:
        """The text so far."""
        pieces = self._texts.get(index)
        if pieces is None:
            return ''
        if len(pieces) > 1:
            pieces[:] = [''.join(pieces)]
        return pieces[0]

    def all(self) -> tuple[str, ...]:
        """The texts so far, in order."""
        return tuple(self.joined(index) for index in sorted(self._texts))

    def _waits_to_begin(self, index: int) -> bool:
        return self._states.get(index) in (None, 'elsewhere')

    def _begin(self, index: int) -> str:
        if index and index - 1 not in self._states:
            return ''
        self._states[index] = 'begun'
        self._current = index
        return self.joined(index)


Joined: TypeAlias = tuple[str, str]


def join_halves(half: str, delta: str) -> Joined:
    """A piece made whole with the half character of the piece before it.

    Args:
        half: The half that the piece before ended in, or nothing.
        delta: The piece.

    Returns:
        The piece without the half that it ends in itself, and that half.
    """
    delta = half + delta
    half = delta[-1:] if _HIGH[0] <= delta[-1:] <= _HIGH[1] else ''
    return mended(delta[: len(delta) - len(half)]), half


def mended(value: Any, depth: int = MAX_DEPTH) -> Any:
    """The value with a replacement character in place of each half of a character.

    Raises:
        RecursionError: If it is nested deeper than that.
    """
    if not depth:
        raise RecursionError
    if isinstance(value, str):
        return value.encode('utf-16-le', 'surrogatepass').decode('utf-16-le', 'replace')
    if isinstance(value, dict):
        wire = cast('Wire', value)
        return {mended(key): mended(inner, depth - 1) for key, inner in wire.items()}
    if isinstance(value, list):
        return [mended(inner, depth - 1) for inner in cast('list[Any]', value)]
    return value
