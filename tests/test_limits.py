"""Which limits were seen last, and who is told of them, how often."""

from __future__ import annotations

import functools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pydantic_ai_codex._limits import LimitTracker
from pydantic_ai_codex._protocol.rate_limit_types import Credits, RateLimitAlert, RateLimits, RateLimitWindow
from pydantic_ai_codex.errors import ConfigurationError

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
RESET = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


def limits(
    primary: float | None = None,
    secondary: float | None = None,
    *,
    resets_at: datetime | None = RESET,
    at: float = 0,
    **fields: Any,
) -> RateLimits:
    """Limits that were seen some seconds after the first ones."""
    return RateLimits(
        primary=None if primary is None else RateLimitWindow(primary, 300, resets_at),
        secondary=None if secondary is None else RateLimitWindow(secondary, 10080, resets_at),
        observed_at=NOW + timedelta(seconds=at),
        source='headers',
        **fields,
    )


class Told:
    """A tracker, and what it told: the window and the threshold."""

    def __init__(self, *thresholds: float) -> None:
        self.alerts: list[RateLimitAlert] = []
        self.tracker = LimitTracker(self.alerts.append, thresholds or (80, 95, 100))

    def after(self, *seen: RateLimits | None) -> list[tuple[str, float]]:
        """What is told of these."""
        begun = len(self.alerts)
        for each in seen:
            self.tracker.take(each)
        return [(alert.window, alert.threshold) for alert in self.alerts[begun:]]


def test_nothing_is_known_before_the_first_answer() -> None:
    tracker = LimitTracker(None)
    tracker.take(None)

    assert tracker.latest is None


def test_what_was_seen_last_is_kept() -> None:
    tracker = LimitTracker(None)
    tracker.take(limits(10, 7, credits=Credits(True), plan_type='plus'))
    tracker.take(limits(20, at=1))
    tracker.take(None)

    assert tracker.latest == limits(20, 7, credits=Credits(True), plan_type='plus', at=1)


def test_an_answer_that_was_told_earlier_changes_nothing_that_is_known() -> None:
    told = Told()

    assert told.after(limits(20, at=5), limits(99, 99, at=1)) == []
    assert told.tracker.latest == limits(20, 99, at=5)


def test_each_threshold_is_told_once_in_a_period() -> None:
    told = Told()

    assert told.after(limits(10), limits(79.9)) == []
    assert told.after(limits(80)) == [('primary', 80)]
    assert told.after(limits(81), limits(94), limits(80)) == []
    assert told.after(limits(95), limits(95)) == [('primary', 95)]
    assert told.after(limits(130), limits(100), limits(140)) == [('primary', 100)]


def test_only_the_highest_threshold_is_told() -> None:
    assert Told().after(limits(10), limits(96)) == [('primary', 95)]


def test_the_first_sight_counts() -> None:
    assert Told().after(limits(96, 100)) == [('primary', 95), ('secondary', 100)]


def test_thresholds_stand_in_any_order() -> None:
    assert Told(100, 50).after(limits(60), limits(99), limits(100)) == [('primary', 50), ('primary', 100)]


def test_an_alert_holds_the_limits_as_they_are_now() -> None:
    told = Told()
    told.after(limits(10, 7, credits=Credits(True)), limits(80, at=1))

    (alert,) = told.alerts
    assert alert == RateLimitAlert(limits(80, 7, credits=Credits(True), at=1), 'codex', 'primary', 80)


def test_other_limits_are_watched_too() -> None:
    told = Told()
    spark = limits(85, limit_id='spark')

    assert told.after(limits(10, others=(spark,)), limits(10, others=(spark,)), spark) == [('primary', 80)]
    assert told.alerts[0].limit_id == 'spark'


@pytest.mark.parametrize('seconds', [-119, 0, 60, 120])
def test_a_reset_that_drifts_begins_no_period(seconds: float) -> None:
    moved = RESET + timedelta(seconds=seconds)

    assert Told().after(limits(90), limits(10, resets_at=moved), limits(91, resets_at=moved)) == [('primary', 80)]


def test_a_reset_that_drifts_on_and_on_begins_no_period() -> None:
    seen = [limits(90, resets_at=RESET + timedelta(minutes=minutes)) for minutes in range(60)]

    assert Told().after(*seen) == [('primary', 80)]


def test_a_later_reset_begins_a_period() -> None:
    later = RESET + timedelta(hours=5)
    told = Told()

    assert told.after(limits(90), limits(96)) == [('primary', 80), ('primary', 95)]
    assert told.after(limits(3, resets_at=later)) == []
    assert told.after(limits(81, resets_at=later)) == [('primary', 80)]


def test_an_earlier_reset_begins_a_period_where_the_usage_drops() -> None:
    earlier = RESET - timedelta(hours=1)
    told = Told()

    assert told.after(limits(90), limits(1, resets_at=earlier), limits(90, resets_at=earlier)) == [('primary', 80)] * 2


def test_two_resets_that_disagree_are_one_period() -> None:
    seen = [limits(90, resets_at=RESET + timedelta(minutes=10 * (number % 2))) for number in range(1, 20)]

    assert Told().after(*seen) == [('primary', 80)]


@pytest.mark.parametrize(('used', 'alerts'), [(85, 1), (84.9, 2)])
def test_without_a_reset_a_drop_begins_a_period(used: float, alerts: int) -> None:
    seen = (limits(each, resets_at=None) for each in (90, used, 91))

    assert len(Told().after(*seen)) == alerts


def test_a_reset_may_be_told_later() -> None:
    assert Told().after(limits(90, resets_at=None), limits(90), limits(90, resets_at=None)) == [('primary', 80)]


def test_threads_are_told_once() -> None:
    told = Told()
    start = threading.Barrier(8)

    def take(number: int) -> None:
        start.wait()
        for step in range(50):
            told.tracker.take(limits(80 + (number + step) % 15, at=step))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(8)))

    assert [(alert.window, alert.threshold) for alert in told.alerts] == [('primary', 80)]


def test_the_function_may_ask_for_the_limits() -> None:
    seen: list[RateLimits | None] = []

    def ask(alert: RateLimitAlert) -> None:
        thread = threading.Thread(target=lambda: (tracker.take(limits(1, at=9)), seen.append(tracker.latest)))
        thread.start()
        thread.join(60)

    tracker = LimitTracker(ask)
    tracker.take(limits(90))

    assert seen == [limits(1, at=9)]


def test_what_the_function_raises_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []

    def fail(alert: RateLimitAlert) -> None:
        calls.append(alert.window)
        raise RuntimeError('with a secret token')

    with caplog.at_level(logging.WARNING, 'pydantic_ai_codex'):
        LimitTracker(fail).take(limits(90, 90))

    assert calls == ['primary', 'secondary']
    assert caplog.messages == ['`on_rate_limits` raised RuntimeError; the request goes on without it.'] * 2
    assert 'secret' not in caplog.text


def test_any_number_of_limits_is_forgotten() -> None:
    told = Told()
    for number in range(1000):
        told.tracker.take(limits(90, limit_id=f'limit_{number}', at=number))

    assert told.tracker.latest is not None
    assert len(told.tracker.latest.others) == 32
    assert len(vars(told.tracker)['_periods']) == 33


async def is_async(alert: RateLimitAlert) -> None: ...


class IsAsync:
    async def __call__(self, alert: RateLimitAlert) -> None: ...


@pytest.mark.parametrize(
    'callback',
    [is_async, IsAsync(), IsAsync().__call__, functools.partial(is_async), 'print', 7],
    ids=['function', 'object', 'method', 'partial', 'text', 'number'],
)
def test_a_function_that_would_never_be_awaited_is_refused(callback: Any) -> None:
    with pytest.raises(ConfigurationError, match='`on_rate_limits` takes a plain function'):
        LimitTracker(callback)


class Plain:
    def __call__(self, alert: RateLimitAlert) -> None: ...


@pytest.mark.parametrize('callback', [None, print, Plain(), functools.partial(print, '!'), Told().alerts.append])
def test_what_can_be_called_is_taken(callback: Any) -> None:
    LimitTracker(callback).take(limits(1))


@pytest.mark.parametrize(
    'thresholds', [(), (0,), (-1,), (101,), (0.8,), (float('nan'),), (True,), ('80',), '80', 80, None, (80, None)]
)
def test_thresholds_that_are_no_percentages_are_refused(thresholds: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r'`rate_limit_thresholds` takes percentages from 1 to 100, such as \('
    ):
        LimitTracker(None, thresholds)
