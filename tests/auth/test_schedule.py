"""Reaches inside for the rule that decides: through a source every row would need a service and a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.auth._schedule import is_expired, refresh_reason

from .service import DAY, NOW, jwt, login

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ('expires_in', 'jitter', 'reason'),
    [
        (10 * DAY, 0, None),
        (10.1 * MINUTE, 0, None),
        (10 * MINUTE, 0, 'proactive_expiry'),
        (11.9 * MINUTE, 1, 'proactive_expiry'),
        (12.1 * MINUTE, 1, None),
        (0 * MINUTE, 0, 'proactive_expiry'),
        (-5 * DAY, 0, 'proactive_expiry'),
    ],
)
def test_before_it_expires(expires_in: timedelta, jitter: float, reason: str | None) -> None:
    assert refresh_reason(login('a', expires_in=expires_in), now=NOW, jitter=jitter) == reason


def test_the_last_refresh_does_not_matter_where_the_token_says_when_it_expires() -> None:
    old = replace(login('a'), last_refresh=NOW - 9 * DAY)

    assert refresh_reason(old, now=NOW, jitter=0) is None


@pytest.mark.parametrize(
    ('age', 'reason'),
    [(1 * DAY, None), (7.9 * DAY, None), (8 * DAY, 'scheduled'), (30 * DAY, 'scheduled')],
)
def test_a_token_that_does_not_say(age: timedelta, reason: str | None) -> None:
    opaque = Credentials('opaque', refresh_token='rt', account_id='acct-1', last_refresh=NOW - age)

    assert refresh_reason(opaque, now=NOW, jitter=0) == reason
    assert refresh_reason(replace(opaque, last_refresh=None), now=NOW, jitter=0) is None


@pytest.mark.parametrize(('expires_in', 'reason'), [(3, None), (2, 'proactive_expiry')])
def test_a_token_that_lives_for_minutes_is_not_refreshed_at_once(expires_in: float, reason: str | None) -> None:
    token = jwt('a', expires_in=expires_in * MINUTE, lives=4 * MINUTE)

    assert refresh_reason(Credentials(token, refresh_token='rt'), now=NOW, jitter=0.5) == reason


def test_what_is_never_refreshed() -> None:
    expired = login('a', expires_in=-DAY)

    assert refresh_reason(replace(expired, refresh_token=None), now=NOW, jitter=0) is None
    assert refresh_reason(Credentials('sk-1', auth_mode='apikey'), now=NOW, jitter=0) is None


def test_expired() -> None:
    assert is_expired(login('a', expires_in=0 * DAY), now=NOW)
    assert not is_expired(login('a', expires_in=MINUTE), now=NOW)
    assert not is_expired(Credentials('opaque'), now=NOW)
