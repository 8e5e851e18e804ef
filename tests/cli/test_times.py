"""Points in time, as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pydantic_ai_codex._cli._times import countdown, local, relative

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ('away', 'words'),
    [
        (timedelta(days=9, hours=23), 'in 10 days'),
        (timedelta(days=9, hours=11), 'in 9 days'),
        (timedelta(hours=23, minutes=59), 'in 1 day'),
        (timedelta(hours=23, minutes=29), 'in 23 hours'),
        (timedelta(minutes=59, seconds=59), 'in 1 hour'),
        (timedelta(days=1), 'in 1 day'),
        (timedelta(hours=2), 'in 2 hours'),
        (timedelta(seconds=59), 'in less than a minute'),
        (timedelta(0), 'just now'),
        (timedelta(seconds=-59), 'just now'),
        (timedelta(minutes=-1), '1 minute ago'),
        (timedelta(days=-400), '400 days ago'),
    ],
)
def test_how_far_away(away: timedelta, words: str) -> None:
    assert relative(NOW + away, NOW) == words


def test_a_moment_beyond_every_calendar_is_shown_all_the_same() -> None:
    assert local(datetime.max.replace(tzinfo=UTC)).startswith('9999-12-31')


@pytest.mark.parametrize(('seconds', 'words'), [(900, '15:00'), (61.9, '1:01'), (0, '0:00'), (-3, '0:00')])
def test_what_is_left(seconds: float, words: str) -> None:
    assert countdown(seconds) == words
