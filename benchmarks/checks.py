"""Whether a subject yielded what was sent: nothing merged, nothing lost, nothing made up; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .streams import Expected

KINDS: Final[Mapping[str, str]] = {'text': 'text', 'thinking': 'reasoning', 'args': 'argument'}
"""The kinds of deltas, and what they are called in a report."""


@dataclass(frozen=True)
class Outcome:
    """What a subject made of a stream; the fields are those of `Expected`."""

    deltas: Sequence[tuple[str, str]]
    parts: Sequence[Mapping[str, Any]]
    usage: Mapping[str, int]


class SameEvents:
    """Sees that every run of a stream yields as many events as its first one, which is the check's."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def see(self, stream: str, through: str, count: int) -> None:
        """Take the number of events of a run.

        Raises:
            RuntimeError: It is another one than before.
        """
        first = self._counts.setdefault((stream, through), count)
        if count != first:
            raise RuntimeError(f'Stream {stream} had {count} events through the {through}, and {first} when checked.')


def problems(expected: Expected, outcome: Outcome) -> list[str]:
    """How the outcome differs from what was sent, in a sentence each; empty where it does not."""
    return [
        *_of_deltas(expected.deltas, outcome.deltas),
        *_of_parts(expected.parts, outcome.parts),
        *_of_usage(expected.usage, outcome.usage),
    ]


def _of_deltas(expected: Sequence[tuple[str, str]], actual: Sequence[tuple[str, str]]) -> list[str]:
    if tuple(expected) == tuple(actual):
        return []
    found = [each for kind in KINDS if (each := _of_kind(kind, _pieces(expected, kind), _pieces(actual, kind)))]
    if unknown := sorted({kind for kind, _ in actual} - set(KINDS)):
        found.append(f'There are deltas of an unknown kind: {", ".join(unknown)}.')
    return found or ['The deltas are all there, and not in the order of the wire.']


def _of_kind(kind: str, expected: list[str], actual: list[str]) -> str | None:
    """How the deltas of one kind differ, or `None`."""
    if expected == actual:
        return None
    name = KINDS[kind]
    if not actual:
        return f'All {len(expected)} {name} deltas are missing.'
    if not expected:
        return f'There are {len(actual)} {name} deltas, and none was sent.'
    if ''.join(expected) == ''.join(actual):
        verb = 'merged into' if len(actual) < len(expected) else 'cut into'
        if len(actual) == len(expected):
            return f'The {len(expected)} {name} deltas are cut in other places.'
        return f'{len(expected)} {name} deltas are {verb} {len(actual)}.'
    return f'Of {len(expected)} {name} deltas {len(actual)} came, and their text differs {_where(expected, actual)}.'


def _of_parts(expected: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]]) -> list[str]:
    kinds = [[part['kind'] for part in parts] for parts in (expected, actual)]
    if kinds[0] != kinds[1]:
        return [f'The parts are {_listed(kinds[1])} instead of {_listed(kinds[0])}.']
    return [
        f'Part {number} ({wanted["kind"]}) has {_differing(wanted, part)}.'
        for number, (wanted, part) in enumerate(zip(expected, actual, strict=True))
        if wanted != part
    ]


def _differing(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> str:
    names = sorted(name for name in expected.keys() | actual.keys() if expected.get(name) != actual.get(name))
    return ', '.join(f'{"no" if actual.get(name) is None else "another"} {name}' for name in names)


def _of_usage(expected: Mapping[str, int], actual: Mapping[str, int]) -> list[str]:
    return [
        f'The usage says {name} = {actual.get(name)} instead of {expected[name]}.'
        for name in expected
        if actual.get(name) != expected[name]
    ]


def _pieces(deltas: Sequence[tuple[str, str]], kind: str) -> list[str]:
    return [piece for each, piece in deltas if each == kind]


def _where(expected: list[str], actual: list[str]) -> str:
    """Where two lists begin to differ."""
    for number, (wanted, piece) in enumerate(zip(expected, actual, strict=False)):
        if wanted != piece:
            return f'from number {number} on ({piece[:40]!r} instead of {wanted[:40]!r})'
    return 'at the end'


def _listed(kinds: Sequence[str]) -> str:
    """Kinds with their number, in order: `8 x tool-call, 1 x text`."""
    runs: list[tuple[str, int]] = []
    for kind in kinds:
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1] + 1)
        else:
            runs.append((kind, 1))
    return ', '.join(f'{count} x {kind}' for kind, count in runs) or 'none'
