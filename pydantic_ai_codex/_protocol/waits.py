"""When it makes sense to ask again: out of an error's body, its headers and its words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from .constants import ACTIVE_LIMIT_HEADER, LIMIT_WINDOWS

_T = TypeVar('_T')

_MOST: Final = 1e11
"""A number of seconds beyond this (as a point in time: the year 5138) is nonsense."""

_WORDS: Final = re.compile(
    r'try again in((?:\s*\d{1,9}(?:\.\d{1,9})?\s*'
    r'(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)(?![a-z]))+)',
    re.ASCII | re.IGNORECASE,
)
"""`1.5s`, `20 ms` and `3 seconds` (captured), and `6m0s`, as the API says it. ASCII alone, as `s` has a relative elsewhere."""

_AMOUNT: Final = re.compile(r'([\d.]+)\s*([a-z]+)', re.ASCII)
_UNITS: Final = {'s': 1.0, 'm': 60.0, 'h': 3600.0, 'd': 86400.0}


class Wait(NamedTuple):
    """When to ask again.

    Attributes:
        seconds: For how long to wait.
        until: When a limit begins anew, in UTC.
    """

    seconds: float | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        """`at 2026-11-21 14:30 UTC, in 2 h 0 min`, as far as it is known."""
        moment = None if self.until is None else f'at {self.until:%Y-%m-%d %H:%M} UTC'
        span = None if self.seconds is None else f'in {_span(self.seconds)}'
        return ', '.join(filter(None, (moment, span)))


class Said(NamedTuple):
    """What an error says itself.

    Attributes:
        details: The object that describes it. `resets_at` and `resets_in_seconds` of a plan limit: captured.
        message: Its words.
        now: The wall clock when it was said; without it the `date` of the answer tells.
    """

    details: Mapping[str, Any]
    message: str = ''
    now: datetime | None = None


def find_wait(said: Said, headers: Mapping[str, str], *, is_quota: bool = False, in_stream: bool = False) -> Wait:
    """The wait that an error asks for.

    Args:
        said: What it says itself.
        headers: The headers of the answer, with lower-case names.
        is_quota: Whether it is about the limits of the plan, so that the headers about these count.
        in_stream: Whether the answer had begun well, so that its `retry-after` does not count.
    """
    now = said.now or http_date(headers.get('date'))
    seconds = _number(said.details.get('resets_in_seconds'))
    until = _moment(said.details.get('resets_at'))
    if is_quota and seconds is None and until is None:
        seconds, until = _used_up(headers)
    if until is None and seconds is not None and now is not None:
        until = now.astimezone(UTC) + timedelta(seconds=seconds)
    if seconds is None and until is not None and now is not None:
        seconds = _until(until, now)
    if seconds is None and not in_stream:
        seconds = _retry_after(headers, now)
    return Wait(_from_words(said.message) if seconds is None else seconds, until)


def http_date(value: str | None) -> datetime | None:
    """The point in time of a header, or `None` for anything else."""
    # Here, as it loads `socket`, and nothing in this folder needs that otherwise.
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value or '')
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    milliseconds = _number(headers.get('retry-after-ms'))
    if milliseconds is not None:
        return milliseconds / 1000
    seconds = _number(headers.get('retry-after'))
    if seconds is None and now is not None and (moment := http_date(headers.get('retry-after'))):
        return _until(moment, now)
    return seconds


def _used_up(headers: Mapping[str, str]) -> tuple[float | None, datetime | None]:
    """The reset of the windows that are used up; of the later one, where both are."""
    limit = f'x-{headers.get(ACTIVE_LIMIT_HEADER, "codex").lower()}'
    windows = [
        f'{limit}-{window}'
        for window in LIMIT_WINDOWS
        if (_number(headers.get(f'{limit}-{window}-used-percent')) or 0) >= 100
    ]
    seconds = _known(_number(headers.get(f'{window}-reset-after-seconds')) for window in windows)
    moments = _known(_moment(headers.get(f'{window}-reset-at')) for window in windows)
    return max(seconds, default=None), max(moments, default=None)


def _from_words(message: str) -> float | None:
    found = _WORDS.search(message)
    if found is None:
        return None
    return sum(float(number) * _scale(unit) for number, unit in _AMOUNT.findall(found[1].lower()))


def _scale(unit: str) -> float:
    return 0.001 if unit.startswith(('ms', 'milli')) else _UNITS[unit[0]]


def _until(moment: datetime, now: datetime) -> float:
    return max(0.0, (moment - now).total_seconds())


def _moment(value: object) -> datetime | None:
    """A point in time from epoch seconds."""
    seconds = _number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _number(value: object) -> float | None:
    """A number that can be one of seconds, also written as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and (not value.isascii() or '_' in value):
        return None  # Python reads these as numbers, and nobody writes them.
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MOST else None


def _known(values: Iterable[_T | None]) -> list[_T]:
    return [value for value in values if value is not None]


def _span(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f'{hours} h {minutes} min' if hours else f'{minutes} min'
    return f'{hours // 24} d {hours % 24} h'
