"""The limits of the plan, out of headers, events and the usage page; what cannot be is unknown, and no error.

Not loaded before the backend has answered, as imports are to be fast.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final

from .constants import ACTIVE_LIMIT_HEADER
from .rate_limit_types import MAIN_LIMIT, Credits, LimitSource, RateLimits, RateLimitWindow, in_order
from .rate_limit_types import RateLimitAlert as RateLimitAlert
from .values import Wire, list_or_empty, object_or_empty
from .waits import moment_after, moment_in, number_in

REVIEW_LIMIT: Final = 'code_review'
"""Our id for the limit that has a field of its own, `code_review_rate_limit` (captured)."""

_USED_HEADER: Final = '-primary-used-percent'
"""What a header that tells of a limit ends with (captured)."""

_CREDITS_HEADER: Final = 'x-codex-credits-'

_MOST_PERCENT: Final = 1e5
_MOST_MINUTES: Final = 1e7
"""Beyond these, a plan that was used a thousand times over and a window of 19 years, it is nonsense."""

_LONGEST_TEXT: Final = 80
"""Characters of a name, a plan or a balance."""

_MOST_OTHERS: Final = 100
"""How many other limits are looked at; ours, as an answer may hold any number."""

_FLAGS: Final = {'true': True, '1': True, 'false': False, '0': False}
"""How headers write what JSON has words for (from the CLI's source)."""


def limits_from_headers(headers: Mapping[str, str], now: datetime) -> RateLimits | None:
    """The limits in the headers of an answer (captured).

    Args:
        headers: The headers, with lower-case names.
        now: The wall clock, which older servers count from.

    Returns:
        The limit that the request counted against, with the others; `None` where they tell of none.
    """
    if not any(name.endswith('-used-percent') or name.startswith(_CREDITS_HEADER) for name in headers):
        return None  # As in every answer to an API key.
    active = _limit_id(headers.get(ACTIVE_LIMIT_HEADER)) or MAIN_LIMIT
    names = sorted(name for name in headers if name.startswith('x-') and name.endswith(_USED_HEADER))
    ids = [each for name in names if (each := _limit_id(name[2 : -len(_USED_HEADER)])) not in (None, active)]
    main = replace(
        _limit_in_headers(headers, active, now),
        plan_type=short_text(headers.get('x-codex-plan-type')),
        credits=_credits({name: headers.get(f'{_CREDITS_HEADER}{name.replace("_", "-")}') for name in Credits._fields}),
    )
    return _with_others(main, (_limit_in_headers(headers, each, now) for each in ids))


def limits_from_event(event: Mapping[str, Any], now: datetime) -> RateLimits | None:
    """The limits in an event `codex.rate_limits` (captured), or `None` where it tells of none.

    Args:
        event: The event.
        now: The wall clock.
    """
    named = _limit_id(event.get('metered_limit_name')) or _limit_id(event.get('limit_name'))
    main = _limit_in_object(object_or_empty(event.get('rate_limits')), now, 'event', limit_id=named or MAIN_LIMIT)
    return _with_account(main, event)


def limits_from_usage(body: object, now: datetime) -> RateLimits | None:
    """The limits on the usage page (captured), or `None` where the answer is no such page.

    Args:
        body: The decoded answer.
        now: The wall clock.
    """
    page = object_or_empty(body)
    main = _limit_in_object(object_or_empty(page.get('rate_limit')), now, 'usage')
    limits = _with_account(main, page)
    if limits is None and (plan := short_text(page.get('plan_type'))):
        # A plan without limits has `null` in their place (public reports).
        return replace(main, plan_type=plan)
    return limits


def _with_account(main: RateLimits, wire: Mapping[str, Any]) -> RateLimits | None:
    """A limit with what stands beside it: the plan, the credits and other limits."""
    main = replace(
        main, plan_type=short_text(wire.get('plan_type')), credits=_credits(object_or_empty(wire.get('credits')))
    )
    return _with_others(main, _other_limits(wire, main.observed_at, main.source))


def _with_others(main: RateLimits, others: Iterable[RateLimits]) -> RateLimits | None:
    """A limit with the others that tell something; `None` where nothing does."""
    found = {
        each.limit_id: each for each in islice(others, _MOST_OTHERS) if each.windows and each.limit_id != main.limit_id
    }
    if not (main.windows or main.credits or main.limit_reached is not None or found):
        return None
    return replace(main, others=in_order(found.values())) if found else main


def _other_limits(wire: Mapping[str, Any], now: datetime, source: LimitSource) -> Iterator[RateLimits]:
    """The limits beside the first one.

    `additional_rate_limits` is a list in the usage page (from the CLI's source), and an object by name in events (public
    reports); the windows stand in `rate_limit`, or at once.
    """
    review = wire.get('code_review_rate_limit') or wire.get('code_review_rate_limits')
    yield _limit_in_object(object_or_empty(review), now, source, limit_id=REVIEW_LIMIT)
    additional = wire.get('additional_rate_limits')
    for key, each in chain(object_or_empty(additional).items(), ((None, each) for each in list_or_empty(additional))):
        entry = object_or_empty(each)
        name = short_text(entry.get('limit_name')) or short_text(key)
        limit_id = next(filter(None, map(_limit_id, (entry.get('metered_feature'), entry.get('limit_id'), name))), None)
        if limit_id is not None:
            details = object_or_empty(entry.get('rate_limit')) or entry
            yield _limit_in_object(details, now, source, limit_id=limit_id, limit_name=name)


def _limit_in_object(
    details: Wire, now: datetime, source: LimitSource, *, limit_id: str = MAIN_LIMIT, limit_name: str | None = None
) -> RateLimits:
    """A limit of an event, or of the usage page, which has other names for the same (captured)."""
    reached, allowed = _flag(details.get('limit_reached')), _flag(details.get('allowed'))
    return RateLimits(
        limit_id=limit_id,
        limit_name=limit_name,
        primary=_window_in_object(details.get('primary') or details.get('primary_window'), now),
        secondary=_window_in_object(details.get('secondary') or details.get('secondary_window'), now),
        limit_reached=True if allowed is False else reached,
        observed_at=now.astimezone(UTC),
        source=source,
    )


def _window_in_object(value: object, now: datetime) -> RateLimitWindow | None:
    window = object_or_empty(value)
    seconds = number_in(window.get('limit_window_seconds'))
    return _window(
        now,
        used=window.get('used_percent'),
        minutes=window.get('window_minutes') if seconds is None else math.ceil(seconds / 60),
        reset_at=window.get('reset_at'),
        reset_after=window.get('reset_after_seconds'),
    )


def _limit_in_headers(headers: Mapping[str, str], limit_id: str, now: datetime) -> RateLimits:
    prefix = f'x-{limit_id.replace("_", "-")}'
    return RateLimits(
        limit_id=limit_id,
        limit_name=short_text(headers.get(f'{prefix}-limit-name')),
        primary=_window_in_headers(headers, f'{prefix}-primary', now),
        secondary=_window_in_headers(headers, f'{prefix}-secondary', now),
        observed_at=now.astimezone(UTC),
        source='headers',
    )


def _window_in_headers(headers: Mapping[str, str], prefix: str, now: datetime) -> RateLimitWindow | None:
    return _window(
        now,
        used=headers.get(f'{prefix}-used-percent'),
        minutes=headers.get(f'{prefix}-window-minutes'),
        reset_at=headers.get(f'{prefix}-reset-at'),
        reset_after=headers.get(f'{prefix}-reset-after-seconds'),
    )


def _window(
    now: datetime, *, used: object, minutes: object, reset_at: object, reset_after: object
) -> RateLimitWindow | None:
    """A window, where the backend says how much of it is used."""
    percent = number_in(used, most=_MOST_PERCENT)
    if percent is None:
        return None
    length = round(number_in(minutes, most=_MOST_MINUTES) or 0) or None
    resets_at, seconds = moment_in(reset_at), number_in(reset_after)
    if resets_at is None and seconds is not None:
        resets_at = moment_after(now, seconds)
    # Where a plan has no such window, all of it is zero (from the CLI's source).
    return RateLimitWindow(percent, length, resets_at) if percent or length or resets_at else None


def _credits(wire: Mapping[str, Any]) -> Credits | None:
    balance = wire.get('balance')
    if number_in(balance) is not None:
        balance = str(balance)
    found = Credits(_flag(wire.get('has_credits')), _flag(wire.get('unlimited')), short_text(balance))
    return None if found == Credits() else found


def _limit_id(value: object) -> str | None:
    """The id of a limit: headers write it with dashes, bodies with underscores (from the CLI's source)."""
    text = short_text(value)
    return text and text.lower().replace('-', '_')


def short_text(value: object) -> str | None:
    """A name or an amount, where a value can be one: not long, and in one line."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
        return None
    return value.strip() or None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _FLAGS.get(value.lower()) if isinstance(value, str) and len(value) <= 5 else None
