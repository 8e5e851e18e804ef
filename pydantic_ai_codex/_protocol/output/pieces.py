"""Texts that arrive in pieces, and what the finished text still adds to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias, cast

from ..values import Wire

HALVES: Final = '\ud800'
"""Marks a wire event that holds half a character; no field of the backend's can be called so."""

MAX_DEPTH: Final = 200
"""How deep values may be nested: as deep as the fast parser reads, and less deep than can be written again."""

_HIGH: Final = ('\ud800', '\udbff')


class Rest(NamedTuple):
    """What a finished text adds to its pieces.

    Attributes:
        text: What was missing, or the whole text.
        replaces: Whether it is the whole text, which contradicts the pieces.
    """

    text: str
    replaces: bool


class Pieces(dict[int, list[str]]):
    """Texts by content or summary index; the arguments of a call stand under 0.

    They are handed out one after the other: what is said of a text after the next one began waits, and stands in the
    whole of that text, which then replaces what was handed out of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._current: int | None = None
        self._behind: set[int] = set()
        """Those that have grown after the next one began."""

    def add(self, index: int, piece: str) -> str:
        """Note a piece; return what of it is to be handed out now."""
        pieces = self.get(index)
        if pieces is None:
            self[index] = [piece]
            self._current = index
            return piece
        pieces.append(piece)
        if index == self._current:
            return piece
        self._behind.add(index)
        return ''

    def settle(self, index: int, whole: object) -> Rest | None:
        """Take the finished text, which is the text of record.

        A relay may have left pieces out, or sent them twice; the CLI does not read them at all (captured). An empty
        text is no record: some final frames leave the text out.

        Returns:
            What is to be handed out, or `None` where the pieces were all of it.
        """
        if not isinstance(whole, str) or not whole:
            return None
        seen = self.joined(index)
        if whole == seen and index not in self._behind:
            return None
        grows = whole.startswith(seen) and (index == self._current or not seen)
        self[index] = [whole]
        self._current = index
        self._behind.discard(index)
        return Rest(whole[len(seen) :], replaces=False) if grows else Rest(whole, replaces=True)

    def catch_up(self) -> Iterator[tuple[int, Rest]]:
        """Take the end of the pieces: the texts that have grown after the next one began."""
        for index in sorted(self._behind):
            yield index, Rest(self.joined(index), replaces=True)
        self._behind.clear()

    def joined(self, index: int) -> str:
        """The text so far."""
        pieces = self.get(index)
        if pieces is None:
            return ''
        if len(pieces) > 1:
            pieces[:] = [''.join(pieces)]
        return pieces[0]


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
