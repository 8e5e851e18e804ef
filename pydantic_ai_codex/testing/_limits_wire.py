"""The limits of a plan as the backend tells them: headers, an event, and the page `wham/usage` (captured).

Spelled out as literals on purpose, as the frames of a turn are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeAlias

from ._limits import LimitCredits, LimitWindow, OtherLimit, PlanLimits, WindowName, seconds_until

Json: TypeAlias = dict[str, Any]


def limit_headers(limits: PlanLimits, plan_type: str, now: datetime) -> dict[str, str]:
    """What every answer to a ChatGPT login carries."""
    if not limits.in_headers:
        return {}
    headers = {
        'x-codex-active-limit': limits.active,
        'x-codex-plan-type': plan_type,
        **_window_headers('codex', limits.primary, limits.secondary, now),
    }
    if limits.credits is not None:
        headers |= _credits_headers(limits.credits)
    headers['x-codex-limit-name'] = 'codex'
    for other in limits.others:
        headers |= _other_headers(other, now)
    return headers


def limits_event(limits: PlanLimits, plan_type: str, now: datetime) -> Json:
    """The event of a stream; it was seen as the first one, and over WebSocket only."""
    return {
        'type': 'codex.rate_limits',
        'plan_type': plan_type,
        'rate_limits': {
            'allowed': not _is_used_up(limits),
            'limit_reached': _is_used_up(limits),
            'primary': _event_window(limits.primary, now),
            'secondary': _event_window(limits.secondary, now),
        },
        'code_review_rate_limits': None,
        'credits': _credits(limits.credits),
        'metered_limit_name': None,
        'promo': None,
    }


def usage_body(limits: PlanLimits, plan_type: str, account_id: str, now: datetime) -> Json:
    """The page `wham/usage`; its percentages are whole ones, while those of the headers need not be."""
    return {
        'user_id': 'user-simulated',
        'account_id': account_id,
        'email': 'user@example.com',
        'plan_type': plan_type,
        'rate_limit': _usage_limit(limits, now),
        'code_review_rate_limit': None,
        'additional_rate_limits': [
            # From the CLI's source.
            {'limit_name': other.limit_name, 'metered_feature': other.limit_id, 'rate_limit': _usage_limit(other, now)}
            for other in limits.others
        ]
        or None,
        'credits': _credits(limits.credits),
    }


def _window_headers(
    limit_id: str, primary: LimitWindow | None, secondary: LimitWindow | None, now: datetime
) -> dict[str, str]:
    windows: tuple[tuple[WindowName, LimitWindow | None], ...] = (('primary', primary), ('secondary', secondary))
    # From the CLI's source: the id in a header has dashes.
    prefix = f'x-{limit_id.replace("_", "-")}'
    return {
        f'{prefix}-{name}-{field}': value
        for name, window in windows
        if window is not None
        for field, value in _window_fields(name, window, now)
    }


def _window_fields(name: WindowName, window: LimitWindow, now: datetime) -> Iterator[tuple[str, str]]:
    yield 'used-percent', f'{window.used_percent:.15g}'
    if window.window_minutes is not None:
        yield 'window-minutes', str(window.window_minutes)
    seconds = seconds_until(window, now)
    if seconds is not None:
        yield 'reset-at', str(int(now.timestamp()) + seconds)
        if name == 'primary':
            yield 'reset-after-seconds', str(seconds)


def _credits_headers(credits: LimitCredits) -> dict[str, str]:
    headers = {
        'x-codex-credits-has-credits': str(credits.has_credits).lower(),
        'x-codex-credits-unlimited': str(credits.unlimited).lower(),
    }
    return headers if credits.balance is None else {**headers, 'x-codex-credits-balance': credits.balance}


def _other_headers(other: OtherLimit, now: datetime) -> dict[str, str]:
    headers = _window_headers(other.limit_id, other.primary, other.secondary, now)
    name = {} if other.limit_name is None else {f'x-{other.limit_id.replace("_", "-")}-limit-name': other.limit_name}
    return {**headers, **name}


def _is_used_up(limit: PlanLimits | OtherLimit) -> bool:
    return any(window is not None and window.used_percent >= 100 for window in (limit.primary, limit.secondary))


def _event_window(window: LimitWindow | None, now: datetime) -> Json | None:
    if window is None:
        return None
    return {
        'used_percent': window.used_percent,
        'window_minutes': window.window_minutes,
        **_resets(window, now),
    }


def _usage_limit(limit: PlanLimits | OtherLimit, now: datetime) -> Json:
    return {
        'allowed': not _is_used_up(limit),
        'limit_reached': _is_used_up(limit),
        'primary_window': _usage_window(limit.primary, now),
        'secondary_window': _usage_window(limit.secondary, now),
    }


def _usage_window(window: LimitWindow | None, now: datetime) -> Json | None:
    if window is None:
        return None
    return {
        'used_percent': int(window.used_percent),
        'limit_window_seconds': None if window.window_minutes is None else window.window_minutes * 60,
        **_resets(window, now),
    }


def _resets(window: LimitWindow, now: datetime) -> Json:
    seconds = seconds_until(window, now)
    return {
        'reset_after_seconds': seconds,
        'reset_at': None if seconds is None else int(now.timestamp()) + seconds,
    }


def _credits(credits: LimitCredits | None) -> Json | None:
    if credits is None:
        return None
    return {'has_credits': credits.has_credits, 'unlimited': credits.unlimited, 'balance': credits.balance}
