"""What a refusal says of the limits of the plan, and what to tell the user of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .waits import DRIFT, Said, Wait, http_date, moment_in

if TYPE_CHECKING:
    from .rate_limit_types import RateLimits, RateLimitWindow


def limits_of_error(
    said: Said, headers: Mapping[str, str], told: RateLimits | None, *, is_reached: bool
) -> RateLimits | None:
    """The limits of the plan, as far as an error tells of them.

    Args:
        said: What it says itself. `plan_type` and `resets_at` of a plan limit: captured.
        headers: The headers of its answer, with lower-case names.
        told: What an earlier event of the same stream told, which is newer than the headers.
        is_reached: Whether it says that a limit is reached.
    """
    # Here, as these are not on the import path of a model.
    from .rate_limit_types import RateLimits, merged
    from .rate_limits import limits_from_headers, short_text

    now = said.now or http_date(headers.get('date'))
    if now is None:
        return told
    limits = limits_from_headers(headers, now)
    limits = merged(told, limits) if told else limits
    if not is_reached:
        return limits
    limits = limits or RateLimits(observed_at=now.astimezone(UTC), source='headers')
    return replace(
        _with_reset(limits, moment_in(said.details.get('resets_at'))),
        plan_type=short_text(said.details.get('plan_type')) or limits.plan_type,
        limit_reached=True,
    )


def reset_of(limits: RateLimits | None) -> datetime | None:
    """When the window that is used up begins anew."""
    window = _used_up(limits)
    return window.resets_at if window else None


def quota_hint(code: str | None, wait: Wait, limits: RateLimits | None) -> str:
    """What to tell the user of a refusal because of the plan.

    Args:
        code: Its code, where that is known.
        wait: When to ask again.
        limits: The limits of the plan.
    """
    if code == 'usage_not_included':
        return 'The plan does not cover it.'
    window = _used_up(limits)
    if window is not None and not _agree(window.resets_at, wait.until):
        window = None  # Another one is meant.
    return ' '.join((_refusal(code, wait, limits, window), *_standings(limits, window)))


def _refusal(code: str | None, wait: Wait, limits: RateLimits | None, window: RateLimitWindow | None) -> str:
    """Which limit it is, and when it resets."""
    reset = 'the backend does not say when it resets' if wait == Wait() else f'it resets {wait}'
    if limits is not None and limits.blocking is not None and window is not None:
        from .rate_limit_types import standing  # Not on the import path of a model.

        return f'{standing(limits, limits.blocking)}; {reset}.'
    if code == 'usage_limit_reached' or wait != Wait():
        return f'The limit of the plan is reached; {reset}.'
    if code == 'insufficient_quota':
        return 'The quota is used up; look at the plan and at the billing of the account.'
    return 'The plan does not cover it, or its limit is reached.'


def _standings(limits: RateLimits | None, named: RateLimitWindow | None) -> Iterator[str]:
    """What is used of the windows that were not named, and what can be spent beyond them."""
    if limits is None:
        return
    from .rate_limit_types import standing

    for key, window in limits.windows.items():
        if window is not named:
            yield f'{standing(limits, key)}.'
    if limits.credits and (credits := str(limits.credits)):
        yield f'Credits: {credits}.'


def _used_up(limits: RateLimits | None) -> RateLimitWindow | None:
    return limits.windows[limits.blocking] if limits and limits.blocking else None


def _agree(one: datetime | None, other: datetime | None) -> bool:
    """Whether two statements about one reset can be true at once."""
    return one is None or other is None or abs(one - other) <= DRIFT


def _with_reset(limits: RateLimits, moment: datetime | None) -> RateLimits:
    """The limits, with the reset of the window that is used up, where only the error itself tells it."""
    window = _used_up(limits)
    if limits.blocking is None or window is None or window.resets_at or moment is None:
        return limits
    told = window._replace(resets_at=moment)
    return replace(limits, primary=told) if limits.blocking == 'primary' else replace(limits, secondary=told)
