"""When it makes sense to ask again: out of an error's body, its headers and its words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

_MOST: Final = 1e11
"""A number of seconds beyond this (as a point in time: the year 5138) is nonsense."""

DRIFT: Final = timedelta(minutes=2)
"""How far two statements about one reset may be apart, since they are rounded, or count from different clocks."""

_LONGEST: Final = 64
"""Characters of a number; one that is longer is no number of seconds, and not worth the work."""

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
        wait = None if self.seconds is None else f'in {span(self.seconds)}'
        return ', '.join(filter(None, (moment, wait)))


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


def find_wait(
    said: Said, headers: Mapping[str, str], *, window_resets_at: datetime | None = None, in_stream: bool = False
) -> Wait:
    """The wait that an error asks for.

    Args:
        said: What it says itself.
        headers: The headers of the answer, with lower-case names.
        window_resets_at: When the window that is used up begins anew, if the error is about the limits of the plan.
        in_stream: Whether the answer had begun well, so that its `retry-after` does not count.
    """
    now = said.now or http_date(headers.get('date'))
    seconds = number_in(said.details.get('resets_in_seconds'))
    until = moment_in(said.details.get('resets_at'))
    if seconds is None and until is None:
        until = window_resets_at
    if until is None and seconds is not None and now is not None:
        until = moment_after(now, seconds)
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


def moment_in(value: object) -> datetime | None:
    """A point in time from epoch seconds, or `None` where there is none."""
    seconds = number_in(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def moment_after(now: datetime, seconds: float) -> datetime | None:
    """The point in time that many seconds later, in UTC, or `None` where no calendar has it."""
    try:
        return now.astimezone(UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None


def number_in(value: object, *, most: float = _MOST) -> float | None:
    """A number that can be one of seconds, also written as text; `None` for anything else.

    Args:
        value: Whatever the backend sent.
        most: Beyond this it is nonsense.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and (len(value) > _LONGEST or not value.isascii() or '_' in value):
        return None  # Python reads these as numbers, and nobody writes them.
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= most else None


def _retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    milliseconds = number_in(headers.get('retry-after-ms'))
    if milliseconds is not None:
        return milliseconds / 1000
    seconds = number_in(headers.get('retry-after'))
    if seconds is None and now is not None and (moment := http_date(headers.get('retry-after'))):
        return _until(moment, now)
    return seconds


def _from_words(message: str) -> float | None:
    found = _WORDS.search(message)
    if found is None:
        return None
    return sum(float(number) * _scale(unit) for number, unit in _AMOUNT.findall(found[1].lower()))


def _scale(unit: str) -> float:
    return 0.001 if unit.startswith(('ms', 'milli')) else _UNITS[unit[0]]


def _until(moment: datetime, now: datetime) -> float:
    return max(0.0, (moment - now).total_seconds())


def span(seconds: float) -> str:
    """How long it is, to the minute: `2 h 5 min`, `3 d 4 h`."""
    minutes = math.ceil(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f'{hours} h {minutes} min' if hours else f'{minutes} min'
    return f'{hours // 24} d {hours % 24} h'
