"""The models of a catalog as a table; pure."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from .._protocol.model_facts import EFFORTS, ModelInfo
from ._output import BOLD, DIM, Paint, printable

if TYPE_CHECKING:
    from .._protocol.catalog import ModelCatalog

_GAP: Final = '  '
_MARK: Final = '* '
"""What stands before the default model."""

_FEWEST: Final = 24
"""Columns in which a name, or a description, still says something."""

_SPARE: Final = ('tiers', 'successor', 'context', 'default', 'efforts')
"""What one can do without where there is no room, the first one first."""


class Table(NamedTuple):
    """Models as a person reads them.

    Attributes:
        lines: What to print.
        omitted: The titles of the columns that there was no room for.
    """

    lines: list[str]
    omitted: list[str]


class _Column(NamedTuple):
    """One column, whose cells are as wide as the widest, or cut off."""

    title: str
    cells: list[str]
    width: int

    def cell(self, row: int | None) -> str:
        """A cell, or the title."""
        return f'{_cut(self.title if row is None else self.cells[row], self.width):{self.width}}'


def model_table(catalog: ModelCatalog, *, width: int | None, paint: Paint = lambda text, style: text) -> Table:
    """The models that are listed, below them the hidden ones, and those that are retired.

    Args:
        catalog: The models.
        width: How many columns there are, or `None` for as many as it takes.
        paint: Gives a text a style.
    """
    columns, omitted = _fitting(_columns(catalog.models), width)
    default = catalog.default

    def line(row: int | None) -> str:
        is_default = row is not None and default is not None and catalog.models[row].slug == default.slug
        mark = _MARK if is_default else ' ' * len(_MARK)
        return (mark + _GAP.join(column.cell(row) for column in columns)).rstrip()

    listed = [line(row) for row, model in enumerate(catalog.models) if model.listed]
    hidden = [paint(line(row), DIM) for row, model in enumerate(catalog.models) if not model.listed]
    lines = [paint(line(None), BOLD), *listed]
    if hidden:
        lines += [paint('hidden', BOLD), *hidden]
    if retired := list(_retired(catalog, width)):
        lines += [paint('retired', BOLD), *(paint(each, DIM) for each in retired)]
    return Table(lines, omitted)


def _columns(models: Sequence[ModelInfo]) -> list[_Column]:
    """The columns that hold anything."""
    columns: list[_Column] = []
    for title, text in _TEXTS.items():
        cells = [_words(text(model)) for model in models]
        if any(cells):
            columns.append(_Column(title, cells, max(map(len, (title, *cells)))))
    return columns


def _fitting(columns: list[_Column], width: int | None) -> tuple[list[_Column], list[str]]:
    """The columns that fit beside each other, and the titles of those that do not; the description takes what is left."""
    description = next((column for column in columns if column.title == 'description'), None)
    fitting = [column for column in columns if column is not description]
    if width is None:
        return fitting, []  # In a pipe, a description would only make the lines long.
    omitted: list[str] = []
    for title in _SPARE:
        if _room(fitting, width) >= 0:
            break
        omitted += [title for column in fitting if column.title == title]
        fitting = [column for column in fitting if column.title != title]
    room = _room(fitting, width)
    if room < 0 and fitting:
        # A name that fits in no terminal.
        fitting[0] = fitting[0]._replace(width=max(_FEWEST, fitting[0].width + room))
    elif description is not None and room - len(_GAP) >= _FEWEST:
        fitting.append(description._replace(width=min(description.width, room - len(_GAP))))
    return fitting, omitted


def _room(columns: Sequence[_Column], width: int) -> int:
    """How many columns of the terminal are left, or, below zero, missing."""
    return width - len(_MARK) - sum(column.width for column in columns) - len(_GAP) * (len(columns) - 1)


def _retired(catalog: ModelCatalog, width: int | None) -> Iterator[str]:
    """The retired names, behind the one to use instead."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for model in catalog.retired:
        names[model.successor].append(model.slug)
    lead = max(map(len, names), default=0)
    for successor, slugs in names.items():
        first = f'{" " * len(_MARK)}{successor:{lead}}{_GAP}instead of '
        text = ', '.join(slugs)
        room = None if width is None else max(_FEWEST, width - len(first))
        rows = [text] if room is None else textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
        for number, row in enumerate(rows):
            yield f'{first if number == 0 else " " * len(first)}{row}'


def effort_ranges(efforts: Sequence[str]) -> str:
    """The efforts, with neighbours as a range: `none low-xhigh`."""
    neighbours = set(pairwise(EFFORTS))
    runs: list[list[str]] = []
    for effort in efforts:
        if runs and (runs[-1][-1], effort) in neighbours:
            runs[-1].append(effort)
        else:
            runs.append([effort])
    return ' '.join(run[0] if len(run) == 1 else f'{run[0]}-{run[-1]}' for run in runs)


def token_count(count: int) -> str:
    """A number of tokens, in thousands or millions: `272k`, `1.05M`."""
    if count < 1000:
        return str(count)
    return f'{count / 1000:.0f}k' if count < 1_000_000 else f'{count / 1_000_000:.3g}M'


def _context(model: ModelInfo) -> str:
    """The tokens of context by default and at most."""
    sizes = (model.context_window, model.max_context_window)
    return '/'.join(dict.fromkeys(token_count(size) for size in sizes if size is not None))


_TEXTS: Final[dict[str, Callable[[ModelInfo], str]]] = {
    'model': lambda model: model.slug,
    'default': lambda model: model.default_effort or '',
    'efforts': lambda model: effort_ranges(model.efforts),
    'context': _context,
    'tiers': lambda model: ' '.join(model.service_tiers or ()),
    'successor': lambda model: model.successor or '',
    'description': lambda model: model.description or '',
}
"""The columns by their titles, and what of a model each of them shows."""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f'{text[: most - 1]}~'


def _words(text: str) -> str:
    """Words of the backend in one line, without what could steer a terminal."""
    return ' '.join(printable(text).split())
