"""The limits of the plan, as values, and what newer ones say over older ones.

Not loaded before the backend has answered, as imports are to be fast.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, TypeAlias

WindowKey: TypeAlias = Literal['primary', 'secondary']
"""The windows of a limit, usually five hours and a week."""

LimitSource: TypeAlias = Literal['headers', 'event', 'usage']
"""Where limits were told: with an answer, in the middle of one, or on the usage page."""

MAIN_LIMIT: Final = 'codex'
"""The limit that counts where nothing else is said (captured)."""

_MOST_LIMITS: Final = 32
"""How many other limits are kept; ours, as a backend may make up any number of names."""


class RateLimitWindow(NamedTuple):
    """What is used of a limit in a span of time.

    Attributes:
        used_percent: How much of it, as the backend says it; it may be more than 100.
        window_minutes: How long the span is, where the backend says so: usually 300 or 10080.
        resets_at: When it begins anew, in UTC, where the backend says so.
    """

    used_percent: float
    window_minutes: int | None = None
    resets_at: datetime | None = None

    @property
    def name(self) -> str:
        """`5 h`, `week`, `90 min`, as a table has it; nothing where its length is not known."""
        return _length(self.window_minutes, ('{} min', '{} h', '{} d'), day='day', week='week')

    @property
    def adjective(self) -> str:
        """`5-hour`, `weekly`, `90-minute`, as a sentence has it; nothing where its length is not known."""
        return _length(self.window_minutes, ('{}-minute', '{}-hour', '{}-day'), day='daily', week='weekly')

    @property
    def percent(self) -> str:
        """`42.5 %`; `100 %` only where it is no less."""
        rounded = round(self.used_percent, 1)
        return f'{99.9 if rounded >= 100 > self.used_percent else rounded:g} %'


class Credits(NamedTuple):
    """What can be spent beyond the plan.

    Attributes:
        has_credits: Whether there are any.
        unlimited: Whether they never end.
        balance: How many there are, in the backend's words.
    """

    has_credits: bool | None = None
    unlimited: bool | None = None
    balance: str | None = None

    def __str__(self) -> str:
        """`unlimited`, `none` or `12.5`; nothing where it is not known."""
        if self.unlimited:
            return 'unlimited'
        return 'none' if self.has_credits is False else self.balance or ''


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """The limits of the plan, as far as the backend tells.

    Attributes:
        limit_id: The limit that requests count against: `codex`, or one for certain models, such as `codex_bengalfox`.
        limit_name: What the backend calls it.
        plan_type: The plan, for example `plus`.
        primary: Its first window, usually of five hours.
        secondary: Its second window, usually of a week.
        credits: What can be spent beyond the plan.
        limit_reached: Whether the backend says that nothing is left of it.
        others: The other limits of the plan, by id.
        observed_at: When the backend told, in UTC.
        source: Where it told.
    """

    limit_id: str = MAIN_LIMIT
    limit_name: str | None = None
    plan_type: str | None = None
    primary: RateLimitWindow | None = None
    secondary: RateLimitWindow | None = None
    credits: Credits | None = None
    limit_reached: bool | None = None
    others: tuple[RateLimits, ...] = ()
    observed_at: datetime
    source: LimitSource

    @property
    def windows(self) -> dict[WindowKey, RateLimitWindow]:
        """The windows that are known."""
        pairs: tuple[tuple[WindowKey, RateLimitWindow | None], ...] = (
            ('primary', self.primary),
            ('secondary', self.secondary),
        )
        return {key: window for key, window in pairs if window is not None}

    @property
    def blocking(self) -> WindowKey | None:
        """The window that is used up; of two, the one that resets later."""
        used_up: dict[WindowKey, RateLimitWindow] = {
            key: window for key, window in self.windows.items() if window.used_percent >= 100
        }
        return max(used_up, key=lambda key: _end_of(used_up[key]), default=None)

    @property
    def owner(self) -> str:
        """Whose windows they are: `the plan`, or another limit by its name."""
        name = self.limit_name or self.limit_id
        return 'the plan' if self.limit_id == MAIN_LIMIT else f'the limit {name!r}'

    def at(self, now: datetime) -> RateLimits:
        """The limits without the windows that have begun anew by then, of which nothing is known any more.

        Args:
            now: The wall clock, with a time zone.
        """
        windows = {key: _lasting(window, now) for key, window in self.windows.items()}
        others = tuple(left for each in self.others if (left := each.at(now)).windows)
        # Whether it is reached may have been about a window that has begun anew.
        reached = None if None in windows.values() else self.limit_reached
        return replace(self, **windows, limit_reached=reached, others=others)

    def find(self, limit_id: str) -> RateLimits | None:
        """This limit, or one of the others, by its id."""
        return next((each for each in (self, *self.others) if each.limit_id == limit_id), None)

    def __str__(self) -> str:
        """`plus plan: 5-hour window at 42 %, resets at 2026-11-21 14:30 UTC; weekly window at 7 %; credits 12.5`."""
        told = [
            f'{window.adjective or key} window at {window.percent}'
            + (f', resets at {window.resets_at:%Y-%m-%d %H:%M} UTC' if window.resets_at else '')
            for key, window in self.windows.items()
        ]
        if self.credits and (credits := str(self.credits)):
            told.append(f'credits {credits}')
        whose = f'{self.plan_type} plan' if self.plan_type else 'plan'
        return f'{whose}: {"; ".join(told) or "nothing known"}'

    def as_dict(self) -> dict[str, Any]:
        """What is known, as JSON has it, with times in ISO 8601."""
        found: dict[str, Any] = {
            'limit_id': self.limit_id,
            'limit_name': self.limit_name,
            'plan_type': self.plan_type,
            **{key: _known(window._asdict()) for key, window in self.windows.items()},
            'blocking': self.blocking,
            'credits': _known(self.credits._asdict()) if self.credits else None,
            'limit_reached': self.limit_reached,
            'others': [each.as_dict() for each in self.others] or None,
            'observed_at': self.observed_at,
            'source': self.source,
        }
        return _known(found)


class RateLimitAlert(NamedTuple):
    """A window of a limit has passed a threshold.

    Attributes:
        limits: The limits of the plan as they are now.
        limit_id: Which of them it is.
        window: Which of its windows.
        threshold: The threshold, in percent.
    """

    limits: RateLimits
    limit_id: str
    window: WindowKey
    threshold: float

    def __str__(self) -> str:
        """`The 5-hour window of the plan stands at 96 %; it resets at 2026-11-21 14:30 UTC.`."""
        limit = self.limits.find(self.limit_id)
        window = limit and limit.windows.get(self.window)
        if limit is None or window is None:
            return f'The {self.window} window of the limit {self.limit_id!r} has passed {self.threshold:g} %.'
        reset = f'; it resets at {window.resets_at:%Y-%m-%d %H:%M} UTC' if window.resets_at else ''
        return f'{standing(limit, self.window)}{reset}.'


def standing(limits: RateLimits, key: WindowKey) -> str:
    """`The weekly window of the plan stands at 42 %`, or `is used up (100 %)`, as the beginning of a sentence.

    Args:
        limits: The limits.
        key: One of their windows that are known.
    """
    window = limits.windows[key]
    how = f'is used up ({window.percent})' if window.used_percent >= 100 else f'stands at {window.percent}'
    return f'The {window.adjective or key} window of {limits.owner} {how}'


def _length(minutes: int | None, units: tuple[str, str, str], *, day: str, week: str) -> str:
    """A span of time, in the largest unit that divides it; nothing where it is not known."""
    if minutes is None:
        return ''
    in_minutes, in_hours, in_days = units
    if minutes % 1440 == 0:
        days = minutes // 1440
        return {1: day, 7: week}.get(days, in_days.format(days))
    return in_hours.format(minutes // 60) if minutes % 60 == 0 else in_minutes.format(minutes)


def _end_of(window: RateLimitWindow) -> tuple[float, int]:
    """What orders windows by their reset; where no reset is known, by their length."""
    return (window.resets_at.timestamp() if window.resets_at else -math.inf, window.window_minutes or 0)


def merged(newer: RateLimits, older: RateLimits | None) -> RateLimits:
    """The newer limits, with what only the older ones tell.

    Windows that have begun anew since, and whether a limit was reached, are not taken over.
    """
    if older is None or _tells_everything(newer, older):
        return newer
    before = {each.limit_id: each for each in (older, *older.others)}
    now = newer.observed_at
    main = _merged_one(newer, before.pop(newer.limit_id, None), now)
    others = [_merged_one(each, before.pop(each.limit_id, None), now) for each in newer.others]
    left = (_alone(each, now) for each in before.values())
    return replace(
        main,
        plan_type=newer.plan_type or older.plan_type,
        credits=newer.credits or older.credits,
        others=in_order((*others, *(each for each in left if each.windows))),
    )


def _tells_everything(newer: RateLimits, older: RateLimits) -> bool:
    """Whether the older ones can add nothing, as most answers tell it all."""
    return bool(
        newer.limit_id == older.limit_id
        and newer.primary
        and newer.secondary
        and newer.credits
        and newer.plan_type
        and (newer.limit_name or not older.limit_name)
        and not older.others
    )


def _merged_one(newer: RateLimits, older: RateLimits | None, now: datetime) -> RateLimits:
    if older is None:
        return newer
    return replace(
        newer,
        limit_name=newer.limit_name or older.limit_name,
        primary=newer.primary or _lasting(older.primary, now),
        secondary=newer.secondary or _lasting(older.secondary, now),
    )


def _alone(older: RateLimits, now: datetime) -> RateLimits:
    """A limit that only the older ones tell of, as one of the others."""
    primary, secondary = _lasting(older.primary, now), _lasting(older.secondary, now)
    return replace(
        older, primary=primary, secondary=secondary, plan_type=None, credits=None, limit_reached=None, others=()
    )


def _lasting(window: RateLimitWindow | None, now: datetime) -> RateLimitWindow | None:
    """A window, unless it has begun anew."""
    return None if window and window.resets_at and window.resets_at <= now else window


def in_order(others: Iterable[RateLimits]) -> tuple[RateLimits, ...]:
    """The first of them, by id; no more than there can be."""
    return tuple(sorted(islice(others, _MOST_LIMITS), key=lambda each: each.limit_id))


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of some values, as JSON has it."""
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
        if value is not None
    }
