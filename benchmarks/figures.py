"""Numbers out of samples: medians, their spread, and ratios of what was measured by turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

Samples = Sequence[float | None]
"""One value for each round; `None` where there is none."""


@dataclass(frozen=True)
class Figure:
    """The middle of some samples.

    Attributes:
        median: Their median.
        low: The lower quartile; of fewer than four samples the smallest.
        high: The upper quartile; of fewer than four samples the largest.
        count: How many there are.
    """

    median: float
    low: float
    high: float
    count: int


def figure(samples: Samples) -> Figure | None:
    """The middle of the samples, or `None` where there are none."""
    values = sorted(value for value in samples if value is not None)
    if not values:
        return None
    if len(values) < 4:
        return Figure(median(values), values[0], values[-1], len(values))
    low, middle, high = quantiles(values, n=4, method='inclusive')
    return Figure(middle, low, high, len(values))


def paired(function: Callable[[float, float], float], left: Samples, right: Samples) -> list[float | None]:
    """A function of what both have in the same round: whatever else the machine did then, both met it."""
    return [
        None if one is None or other is None else function(one, other) for one, other in zip(left, right, strict=False)
    ]


def divided(left: float, right: float) -> float:
    """The quotient, where a clock too coarse for the right one makes it endless."""
    return left / right if right > 0 else float('inf')


def ratio(left: Samples, right: Samples) -> Figure | None:
    """How many times the right one goes into the left one: the median of the ratios of the rounds."""
    return figure(paired(divided, left, right))


def number(value: float) -> str:
    """Three digits, or all of a larger number, as a person writes them: 0.35, 8.2, 57, 2,832."""
    size = abs(value)
    if size >= 99.95:
        return f'{value:,.0f}'
    if value == round(value) and (size >= 9.95 or size == 0):
        return f'{value:.0f}'
    return f'{value:.{1 if size >= 9.95 else 2}f}'


def shown(found: Figure | None) -> str:
    """A figure with its spread, for a cell of a table."""
    if found is None:
        return ''
    if found.count == 1 or number(found.low) == number(found.high):
        return number(found.median)
    return f'{number(found.median)} ({number(found.low)} to {number(found.high)})'
