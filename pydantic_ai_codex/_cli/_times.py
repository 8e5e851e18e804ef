"""Points in time as a person reads them; pure but for the time zone of the machine."""

from __future__ import annotations

from datetime import datetime
from typing import Final

_UNITS: Final = (('day', 86400, 3600), ('hour', 3600, 60), ('minute', 60, 1))
"""Each with its seconds, and those of the next smaller one: what rounds to 24 hours is a day."""


def relative(moment: datetime, now: datetime) -> str:
    """How far away it is, to the nearest of the largest unit that fits: `in 10 days`, `2 hours ago`."""
    seconds = (moment - now).total_seconds()
    for unit, length, smaller in _UNITS:
        if _rounded(seconds, smaller) * smaller >= length:
            count = _rounded(seconds, length)
            amount = f'{count} {unit}' + ('s' if count > 1 else '')
            return f'in {amount}' if seconds > 0 else f'{amount} ago'
    return 'in less than a minute' if seconds > 0 else 'just now'


def _rounded(seconds: float, length: int) -> int:
    return int(abs(seconds) / length + 0.5)


def local(moment: datetime) -> str:
    """The moment by the clock on the wall, to the minute."""
    try:
        return f'{moment.astimezone():%Y-%m-%d %H:%M}'
    except (OverflowError, OSError, ValueError):
        return moment.isoformat()


def countdown(seconds: float) -> str:
    """Minutes and seconds: `14:05`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f'{minutes}:{rest:02}'
