"""Which limits were seen last, and who is told of them, how often."""

from __future__ import annotations

import logging
import random
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


@pytest.mark.parametrize(('seconds', 'used'), [(0, 20), (1, 10), (300, 10), (301, 20)])
def test_a_clock_that_was_put_back_hides_nothing(seconds: float, used: float) -> None:
    told = Told()
    told.after(limits(10, credits=Credits(True)), limits(20, at=-seconds))

    assert told.tracker.latest is not None
    assert told.tracker.latest.primary == RateLimitWindow(used, 300, RESET)
    assert told.tracker.latest.credits == Credits(True)


# Of several accounts.


def test_nothing_of_one_account_is_told_as_of_another() -> None:
    tracker = LimitTracker(None)
    tracker.take(limits(10, 7, credits=Credits(True), plan_type='plus'), account='ada')
    tracker.take(limits(20, at=1), account='bob')

    assert tracker.latest == limits(20, at=1)

    tracker.take(limits(11, at=2), account='ada')

    assert tracker.latest == limits(11, 7, credits=Credits(True), plan_type='plus', at=2)


def test_each_account_is_told_of_its_thresholds() -> None:
    told = Told()

    for _ in range(3):
        told.tracker.take(limits(90), account='ada')
        told.tracker.take(limits(96), account='bob')

    assert [alert.threshold for alert in told.alerts] == [80, 95]


def test_the_accounts_that_were_told_last_are_kept() -> None:
    told = Told()
    for tag in ['ada', *range(7), 'ada', 7, 'ada', 0]:
        told.tracker.take(limits(90), account=f'{tag}')

    accounts = [alert for alert in told.alerts if alert.threshold == 80]
    assert len(accounts) == 10  # Eight, the ninth, and the one that had to go for it.
    assert len(vars(told.tracker)['_accounts']) == 8


# How often.


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


@pytest.mark.parametrize(('used', 'alerts'), [(80, 1), (79.9, 2)])
def test_without_a_reset_a_drop_below_all_thresholds_begins_a_period(used: float, alerts: int) -> None:
    seen = (limits(each, resets_at=None) for each in (90, used, 91))

    assert len(Told().after(*seen)) == alerts


@pytest.mark.parametrize(('used', 'alerts'), [(45.1, 1), (45, 2)])
def test_without_a_reset_a_drop_by_half_begins_a_period(used: float, alerts: int) -> None:
    seen = (limits(each, resets_at=None) for each in (90, used, 91))

    assert len(Told(20).after(*seen)) == alerts


@pytest.mark.parametrize('pair', [(94, 101), (79, 81), (95, 90), (78, 82.9)])
@pytest.mark.parametrize('resets_at', [RESET, None])
def test_a_usage_that_goes_up_and_down_is_told_once(pair: tuple[float, float], resets_at: datetime | None) -> None:
    alerts = Told().after(*(limits(used, resets_at=resets_at, at=at) for at, used in enumerate(pair * 10)))

    assert len(alerts) == len(set(alerts))


def test_a_reset_that_rolls_begins_no_period() -> None:
    minutes = (3 * number for number in range(200))
    seen = (limits(85, resets_at=RESET + timedelta(minutes=each), at=60 * each) for each in minutes)

    assert Told().after(*seen) == [('primary', 80)]


@pytest.mark.parametrize('later', [RESET + timedelta(hours=5), None])
def test_an_end_that_has_come_begins_a_period(later: datetime | None) -> None:
    told = Told()

    assert told.after(limits(90), limits(91, at=7000)) == [('primary', 80)]
    assert told.after(limits(90, resets_at=later, at=7200)) == [('primary', 80)]
    assert told.after(limits(91, resets_at=later, at=7201), limits(91, at=7202), limits(91, at=7203)) == []


def test_a_clock_that_is_ahead_begins_no_period() -> None:
    ends = [RESET, None, RESET, RESET + timedelta(minutes=10), None, RESET]
    seen = [limits(90, resets_at=end, at=9000 + at) for at, end in enumerate(ends)]

    assert Told().after(*seen) == [('primary', 80)]


def test_an_end_that_is_not_always_told_comes_once() -> None:
    around = range(7100, 7400, 7)
    seen = (limits(90, resets_at=end, at=at) for at, end in zip(around, [RESET, None] * 30, strict=False))

    assert Told().after(*seen) == [('primary', 80)] * 2


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
        raise RuntimeError('my own mistake')

    with caplog.at_level(logging.WARNING, 'pydantic_ai_codex'):
        LimitTracker(fail).take(limits(90, 90))

    assert calls == ['primary', 'secondary']
    assert caplog.messages == ['`on_rate_limits` raised an error; the request goes on all the same.'] * 2
    assert 'RuntimeError: my own mistake' in caplog.text


def test_any_number_of_limits_is_forgotten() -> None:
    told = Told()
    for number in range(1000):
        told.tracker.take(limits(90, limit_id=f'limit_{number}', at=number))

    assert told.tracker.latest is not None
    assert len(told.tracker.latest.others) == 32
    (account,) = vars(told.tracker)['_accounts'].values()
    assert len(account.periods) == 33


def test_a_function_that_has_to_be_awaited_is_refused() -> None:
    async def callback(alert: RateLimitAlert) -> None: ...

    with pytest.raises(ConfigurationError, match='`on_rate_limits` takes a plain function'):
        LimitTracker(callback)


@pytest.mark.parametrize(
    'thresholds', [(), (0,), (-1,), (101,), (0.8,), (float('nan'),), (True,), ('80',), '80', 80, None, (80, None)]
)
def test_thresholds_that_are_no_percentages_are_refused(thresholds: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r'`rate_limit_thresholds` takes percentages from 1 to 100, such as \('
    ):
        LimitTracker(None, thresholds)


# Whatever is told.


def dropped(before: list[float], now: float) -> bool:
    """Whether a usage is far below what it was, and below every threshold, or half of it."""
    most = max(before)
    return most - now > 5 and (now < 80 or now <= most / 2)


@pytest.mark.parametrize('seed', range(20))
def test_nothing_is_told_twice_without_a_reason(seed: int) -> None:
    rng = random.Random(seed)
    told: list[tuple[int, float]] = []
    tracker = LimitTracker(lambda alert: told.append((len(seen) - 1, alert.threshold)))
    seen: list[RateLimits] = []
    end, used = RESET, 50.0
    for number in range(300):
        end = rng.choice([end, end, end + timedelta(minutes=rng.randrange(-30, 60)), RESET + timedelta(minutes=number)])
        used = rng.choice([used, used + rng.uniform(-12, 15), rng.choice([3, 79, 81, 94, 96, 101])])
        used = min(110.0, max(0.0, used))
        resets_at = rng.choice([end, end, None])
        seen.append(limits(used, resets_at=resets_at, at=60 * number))
        tracker.take(seen[-1])

    for position, (first, threshold) in enumerate(told):
        again = next((index for index, other in told[position + 1 :] if other == threshold), None)
        if again is None:
            continue
        usages = [each.primary.used_percent for each in seen if each.primary]
        has_dropped = any(dropped(usages[first:index], usages[index]) for index in range(first + 1, again + 1))
        ends = [each.primary.resets_at for each in seen[: again + 1] if each.primary and each.primary.resets_at]
        begun, now, drift = seen[first].observed_at, seen[again].observed_at, timedelta(minutes=2)
        assert has_dropped or any(begun - drift <= each <= now + drift for each in ends)


@pytest.mark.parametrize('seed', range(20))
def test_every_threshold_is_told_in_every_period(seed: int) -> None:
    rng = random.Random(seed)
    told: list[float] = []
    tracker = LimitTracker(lambda alert: told.append(alert.threshold))
    expected: list[float] = []
    for period in range(30):
        end = NOW + timedelta(hours=5 * (period + 1))
        moments = sorted(rng.uniform(0, 18_000) for _ in range(rng.randrange(1, 8)))
        highest = 0.0
        for moment, used in zip(moments, sorted(rng.uniform(0, 120) for _ in moments), strict=True):
            stated = end + timedelta(seconds=rng.uniform(-60, 60))
            tracker.take(limits(used, resets_at=stated, at=18_000 * period + moment))
            passed = max((each for each in (80, 95, 100) if each <= used), default=0)
            expected += [passed] if passed > highest else []
            highest = max(highest, passed)

    assert told == expected
