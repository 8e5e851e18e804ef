"""Texts for streams and histories: varied, always the same, and cut as a model's tokens are."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Final

_VOCABULARY: Final = """
    the of and to in is that for it as with on be by at this are from or an which you can will has we not but all when
    there one if they more what so up out about into than only other then its time these two may like do my each how
    first any new over such our even most after also did many off before must through back years where much your way
    well down should because long state function request response parser buffer bytes connection deadline temperature
    measurement approximately configuration
"""
_WORDS: Final = tuple(_VOCABULARY.split())
_MARKS: Final = (',', ',', '.', '.', '.', ':', ';', '?', '\n', '\n\n', '\n- ', '\n\n## ')
_RARE: Final = (' "quoted"', ' `code`', ' C:\\temp', '\t', ' naïve', ' café', ' –', ' “so”', ' 東京', ' Straße', ' 🚀')
"""What JSON escapes, and what UTF-8 takes more than a byte for."""


def prose(seed: str, count: int) -> list[str]:
    """So many pieces of a text, each about a token."""
    chance = random.Random(seed)
    pieces = ['Here']
    while len(pieces) < count:
        kind = chance.random()
        if kind < 0.04:
            pieces.append(chance.choice(_RARE))
        elif kind < 0.15:
            pieces.append(chance.choice(_MARKS))
        else:
            pieces.append(' ' + chance.choice(_WORDS))
    return pieces


def text(seed: str, count: int) -> str:
    """A text of so many tokens."""
    return ''.join(prose(seed, count))


def cut(whole: str, count: int, seed: str) -> list[str]:
    """A text in so many pieces, none of them empty."""
    cuts = sorted(random.Random(seed).sample(range(1, len(whole)), count - 1))
    return [whole[start:end] for start, end in pairwise((0, *cuts, len(whole)))]
