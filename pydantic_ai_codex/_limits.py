"""The limits of the plan as they were seen last, and who is told when they run low."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from ._callbacks import checked_callback, tell
from .errors import ConfigurationError

if TYPE_CHECKING:
    from ._protocol.rate_limit_types import RateLimitAlert, RateLimits, RateLimitWindow, WindowKey

OnRateLimits: TypeAlias = 'Callable[[RateLimitAlert], object]'

THRESHOLDS: Final = (80, 95, 100)
"""The percentages that are told by default."""

_DRIFT: Final = timedelta(minutes=2)
"""How much the reset of one and the same period may seem to move, since it is told in rounded and relative numbers."""

_DROP: Final = 5.0
"""By how many points the usage drops where a period begins whose reset is not known."""


class _Period(NamedTuple):
    """What was seen of a window since it began.

    Attributes:
        used_percent: The most that was seen.
        resets_at: When it ends.
        told: The highest threshold that was told, or 0.
    """

    used_percent: float
    resets_at: datetime | None
    told: float = 0.0


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
        self._periods: dict[tuple[str, WindowKey], _Period] = {}
        self._lock = threading.Lock()

    @property
    def latest(self) -> RateLimits | None:
        """The limits that were seen last, with what only earlier ones told."""
        return self._latest

    def take(self, limits: RateLimits | None) -> None:
        """Hear of limits; of those that were told at an earlier time, only what is not known yet counts.

        Args:
            limits: The limits, or `None` where an answer told of none.
        """
        if limits is None:
            return
        from ._protocol.rate_limit_types import merged  # Not on the import path of a model.

        alerts: list[RateLimitAlert] = []
        with self._lock:
            latest = self._latest
            if latest is not None and limits.observed_at < latest.observed_at:
                self._latest = merged(latest, limits)
            else:
                self._latest = merged(limits, latest)
                alerts += self._alerts(limits, self._latest)
        # Not under the lock: the function may ask for the limits, or take its time.
        for alert in alerts:
            tell('on_rate_limits', self._on_rate_limits, alert)

    def _alerts(self, limits: RateLimits, latest: RateLimits) -> Iterator[RateLimitAlert]:
        """The thresholds that are passed for the first time in their period."""
        from ._protocol.rate_limit_types import RateLimitAlert

        for limit in (limits, *limits.others):
            for key, window in limit.windows.items():
                before = self._periods.get((limit.limit_id, key))
                period = _going_on(before, window)
                passed = max((each for each in self._thresholds if each <= window.used_percent), default=0.0)
                if passed > period.told:
                    period = period._replace(told=passed)
                    yield RateLimitAlert(latest, limit.limit_id, key, passed)
                self._periods[limit.limit_id, key] = period
        # A backend may make up any number of limits; those that are not kept are forgotten here, too.
        kept = {latest.limit_id, *(each.limit_id for each in latest.others)}
        self._periods = {place: period for place, period in self._periods.items() if place[0] in kept}


def _going_on(before: _Period | None, window: RateLimitWindow) -> _Period:
    """The period that a window is in, as far as it was seen."""
    if before is None or _begins_anew(before, window):
        return _Period(window.used_percent, window.resets_at)
    ends = [each for each in (before.resets_at, window.resets_at) if each is not None]
    return _Period(max(before.used_percent, window.used_percent), max(ends, default=None), before.told)


def _begins_anew(before: _Period, window: RateLimitWindow) -> bool:
    dropped = before.used_percent - window.used_percent > _DROP
    if before.resets_at is None or window.resets_at is None:
        return dropped
    shift = window.resets_at - before.resets_at
    # An end that moves back without a drop is two sources that disagree; each of them would be told again and again.
    return shift > _DRIFT or (shift < -_DRIFT and dropped)


def _checked_thresholds(thresholds: object) -> tuple[float, ...]:
    values = tuple(cast('Iterable[object]', thresholds)) if isinstance(thresholds, Iterable) else ()
    if not values or not all(map(_is_percentage, values)):
        raise ConfigurationError(
            f'`rate_limit_thresholds` takes percentages from 1 to 100, such as {THRESHOLDS}, not {thresholds!r}.'
        )
    return cast('tuple[float, ...]', values)


def _is_percentage(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 1 <= value <= 100
