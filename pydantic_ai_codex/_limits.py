"""The limits of the plan as they were seen last, and who is told when they run low."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from ._callbacks import checked_callback, tell
from ._protocol.waits import DRIFT
from .errors import ConfigurationError

if TYPE_CHECKING:
    from ._protocol.rate_limit_types import RateLimitAlert, RateLimits, RateLimitWindow, WindowKey

OnRateLimits: TypeAlias = 'Callable[[RateLimitAlert], object]'

THRESHOLDS: Final = (80, 95, 100)
"""The percentages that are told by default."""

_MOST_ACCOUNTS: Final = 8
"""Of how many accounts it is kept what was seen, those that were told last."""

_OUT_OF_ORDER: Final = timedelta(minutes=5)
"""How much older than the last limits others may be that come after them; beyond it, the clock was put back."""

_DROP: Final = 5.0
"""By how many points the usage drops at least where a period begins whose reset does not show it."""


class _Period(NamedTuple):
    """What was seen of a window since it began.

    Attributes:
        used_percent: The most that was seen.
        resets_at: When it ends; of several statements the latest.
        told: The highest threshold that was told, or 0.
    """

    used_percent: float
    resets_at: datetime | None
    told: float = 0.0


class _Account:
    """What was seen of one account."""

    def __init__(self) -> None:
        self.latest: RateLimits | None = None
        self.periods: dict[tuple[str, WindowKey], _Period] = {}


class LimitTracker:
    """Keeps the limits that were seen last, and tells of thresholds that they pass. Threads may share it.

    Args:
        on_rate_limits: A plain function that is told, in whichever thread sees it. What it raises goes to the log.
        thresholds: The percentages to tell of: once each, in a window, until the window begins anew.

    Raises:
        ConfigurationError: If the function would have to be awaited, or a threshold is no percentage.
    """

    def __init__(self, on_rate_limits: OnRateLimits | None, thresholds: Sequence[float] = THRESHOLDS) -> None:
        self._on_rate_limits = checked_callback('on_rate_limits', on_rate_limits)
        self._thresholds = _checked_thresholds(thresholds)
        self._latest: RateLimits | None = None
        self._accounts: dict[str | None, _Account] = {}
        self._lock = threading.Lock()

    @property
    def latest(self) -> RateLimits | None:
        """The limits of the account that was seen last, with what only earlier ones of it told."""
        return self._latest

    def take(self, limits: RateLimits | None, *, account: str | None = None) -> None:
        """Hear of limits; of those that were told at an earlier time, only what is not known yet counts.

        Args:
            limits: The limits, or `None` where an answer told of none.
            account: The tag of the account that they are of, as a login may change between two turns.
        """
        if limits is None:
            return
        from ._protocol.rate_limit_types import merged  # Not on the import path of a model.

        alerts: list[RateLimitAlert] = []
        with self._lock:
            seen = self._account(account)
            if seen.latest is not None and _is_older(limits, seen.latest):
                seen.latest = merged(seen.latest, limits)
            else:
                seen.latest = merged(limits, seen.latest)
                alerts += self._alerts(limits, seen.latest, seen)
            self._latest = seen.latest
        # Not under the lock: the function may ask for the limits, or take its time.
        for alert in alerts:
            tell('on_rate_limits', self._on_rate_limits, alert)

    def _account(self, tag: str | None) -> _Account:
        """What was seen of an account, which becomes the last one that was told."""
        seen = self._accounts.pop(tag, None) or _Account()
        self._accounts[tag] = seen
        if len(self._accounts) > _MOST_ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]
        return seen

    def _alerts(self, limits: RateLimits, latest: RateLimits, seen: _Account) -> Iterator[RateLimitAlert]:
        """The thresholds that are passed for the first time in their period."""
        from ._protocol.rate_limit_types import RateLimitAlert

        for limit in (limits, *limits.others):
            for key, window in limit.windows.items():
                before = seen.periods.get((limit.limit_id, key))
                period = _going_on(before, window, limit.observed_at, lowest=min(self._thresholds))
                passed = max((each for each in self._thresholds if each <= window.used_percent), default=0.0)
                if passed > period.told:
                    period = period._replace(told=passed)
                    yield RateLimitAlert(latest, limit.limit_id, key, passed)
                seen.periods[limit.limit_id, key] = period
        # A backend may make up any number of limits; those that are not kept are forgotten here, too.
        kept = {latest.limit_id, *(each.limit_id for each in latest.others)}
        seen.periods = {place: period for place, period in seen.periods.items() if place[0] in kept}


def _is_older(limits: RateLimits, latest: RateLimits) -> bool:
    """Whether limits were told before others that came first, as those of concurrent requests may be."""
    return timedelta() < latest.observed_at - limits.observed_at <= _OUT_OF_ORDER


def _going_on(before: _Period | None, window: RateLimitWindow, now: datetime, *, lowest: float) -> _Period:
    """The period that a window is in, as far as it was seen."""
    used, end = window.used_percent, window.resets_at
    if before is None or _begins_anew(before, window, now, lowest=lowest):
        return _Period(used, end if end and now - end < DRIFT else None)
    ends = [before.resets_at] if before.resets_at else []
    if end and end > now:
        ends.append(end)  # One that has passed may be that of the period before.
    return _Period(max(before.used_percent, used), max(ends, default=None), before.told)


def _begins_anew(before: _Period, window: RateLimitWindow, now: datetime, *, lowest: float) -> bool:
    """Whether a window is in another period than before: its end has come, or the usage has dropped.

    Where the reset moves and nothing else, it is one that rolls, or two sources disagree: each answer would be told.
    """
    old, new = before.resets_at, window.resets_at
    if old and new and abs(new - old) <= DRIFT:
        return False
    return (old is not None and _has_come(old, new, now)) or _has_dropped(
        before.used_percent, window.used_percent, lowest
    )


def _has_come(end: datetime, following: datetime | None, now: datetime) -> bool:
    """Whether the end of a period has come, by what is said of the end now."""
    if following is None:
        return end <= now
    # A following one that has passed as well shows that it is our clock that is wrong.
    return end - now <= DRIFT and following > now


def _has_dropped(before: float, now: float, lowest: float) -> bool:
    """Whether a usage has dropped so far that it is not the same one which goes up and down at a threshold."""
    return before - now > _DROP and (now < lowest or now <= before / 2)


def _checked_thresholds(thresholds: object) -> tuple[float, ...]:
    values = tuple(cast('Iterable[object]', thresholds)) if isinstance(thresholds, Iterable) else ()
    if not values or not all(map(_is_percentage, values)):
        raise ConfigurationError(
            f'`rate_limit_thresholds` takes percentages from 1 to 100, such as {THRESHOLDS}, not {thresholds!r}.'
        )
    return cast('tuple[float, ...]', values)


def _is_percentage(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 1 <= value <= 100
