"""`SimulatedLimits`: how much of the simulated plan is used, as a test sees and sets it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal, TypeAlias

from ..errors import ConfigurationError
from ._issuer_options import Duration

WindowName: TypeAlias = Literal['primary', 'secondary']


@dataclass(frozen=True, slots=True)
class LimitWindow:
    """One window of a limit.

    Attributes:
        used_percent: How much of it is used.
        window_minutes: How long it is.
        resets_in: How long after each answer it begins anew, whenever that is; a number is seconds.
        resets_at: When it begins anew, in place of `resets_in`.

    Raises:
        ConfigurationError: A number is not finite. For an answer with one that is not, use the `headers` of a turn.
    """

    used_percent: float
    window_minutes: int | None = None
    resets_in: Duration | None = None
    resets_at: datetime | None = None

    def __post_init__(self) -> None:
        for number in (self.used_percent, self.resets_in):
            if isinstance(number, float) and not math.isfinite(number):
                raise ConfigurationError(f'{number} cannot be told; script it with the `headers` of a turn.')


@dataclass(frozen=True, slots=True)
class LimitCredits:
    """What is left to spend once a window is used up."""

    has_credits: bool = True
    unlimited: bool = False
    balance: str | None = '12.5'


@dataclass(frozen=True, slots=True)
class OtherLimit:
    """A limit beside the one of the plan, such as that of a single model.

    Attributes:
        limit_id: Its id, which names its headers: those of `codex_spark` begin with `x-codex-spark-`.
        limit_name: What people read.
        primary: Its shorter window.
        secondary: Its longer window.
    """

    limit_id: str
    limit_name: str | None = None
    primary: LimitWindow | None = None
    secondary: LimitWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """The limits at one moment; see `SimulatedLimits`, whose attributes they are."""

    plan_type: str | None
    primary: LimitWindow | None
    secondary: LimitWindow | None
    credits: LimitCredits | None
    others: tuple[OtherLimit, ...]
    active: str
    in_headers: bool


class SimulatedLimits:
    """The limits of the simulated plan: `CodexSimulator().limits`.

    Every answer to a ChatGPT login tells them in its headers, `GET wham/usage` in its body, and a turn with
    `limits_event=True` in its stream. They refuse nothing by themselves: the answer of a plan that is used up is
    `usage_limit(...)`. It can be used from several threads and event loops; each attribute is set as a whole.

    Attributes:
        primary: The shorter window, five hours; `None` for an answer that does not tell of it.
        secondary: The longer window, a week.
        credits: What may be spent beyond them.
        others: Further limits.
        plan_type: The plan; `None` for that of the login.
        active: Which limit a request counts against.
        in_headers: Whether answers have the headers.
    """

    def __init__(self) -> None:
        self.primary: LimitWindow | None = LimitWindow(42.5, 300, 1234)
        self.secondary: LimitWindow | None = LimitWindow(7, 10_080, 500_000)
        self.credits: LimitCredits | None = LimitCredits()
        self.others: tuple[OtherLimit, ...] = ()
        self.plan_type: str | None = None
        self.active = 'codex'
        self.in_headers = True
        self._lock = Lock()

    def __repr__(self) -> str:
        return f'<SimulatedLimits: {self.primary}, {self.secondary}>'

    def use(self, primary: float | None = None, secondary: float | None = None) -> None:
        """Set how much of the windows is used, in percent; the one that is not given stays as it is.

        Raises:
            ConfigurationError: There is no such window, or it is no number.
        """
        with self._lock:
            if primary is not None:
                self.primary = replace(_there(self.primary, 'primary'), used_percent=primary)
            if secondary is not None:
                self.secondary = replace(_there(self.secondary, 'secondary'), used_percent=secondary)

    def spend(self, primary: float = 0, secondary: float = 0) -> None:
        """Use so many percent more of the windows, up to all of them.

        Raises:
            ConfigurationError: There is no such window, or it is no number.
        """
        with self._lock:
            if primary:
                self.primary = _spent(_there(self.primary, 'primary'), primary)
            if secondary:
                self.secondary = _spent(_there(self.secondary, 'secondary'), secondary)

    def now(self) -> PlanLimits:
        """The limits at this moment."""
        with self._lock:
            return PlanLimits(
                plan_type=self.plan_type,
                primary=self.primary,
                secondary=self.secondary,
                credits=self.credits,
                others=tuple(self.others),
                active=self.active,
                in_headers=self.in_headers,
            )


def used_up(limits: PlanLimits, window: WindowName, resets_in: int) -> PlanLimits:
    """The same limits, but with nothing left of a window."""
    known = limits.primary if window == 'primary' else limits.secondary
    minutes = known.window_minutes if known else {'primary': 300, 'secondary': 10_080}[window]
    used = LimitWindow(100, minutes, resets_in)
    return replace(limits, primary=used) if window == 'primary' else replace(limits, secondary=used)


def seconds_until(window: LimitWindow, now: datetime) -> int | None:
    """After how many seconds a window begins anew."""
    if window.resets_at is not None:
        return int(window.resets_at.timestamp()) - int(now.timestamp())
    if isinstance(window.resets_in, timedelta):
        return int(window.resets_in.total_seconds())
    return None if window.resets_in is None else int(window.resets_in)


def _there(window: LimitWindow | None, name: WindowName) -> LimitWindow:
    if window is None:
        raise ConfigurationError(f'There is no {name} window; set `limits.{name} = LimitWindow(...)` first.')
    return window


def _spent(window: LimitWindow, percent: float) -> LimitWindow:
    used = window.used_percent
    return replace(window, used_percent=max(used, min(100, used + percent)))
