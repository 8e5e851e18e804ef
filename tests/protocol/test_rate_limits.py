"""The limits of the plan, wherever they are told: what cannot be is unknown, and nothing of it is an error."""

from __future__ import annotations

import json
import math
import pickle
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._protocol.rate_limit_types import Credits, RateLimitAlert, RateLimits, RateLimitWindow, merged
from pydantic_ai_codex._protocol.rate_limits import limits_from_event, limits_from_headers, limits_from_usage

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
RESET = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
EPOCH = str(int(RESET.timestamp()))

HEADERS = {
    'content-type': 'text/event-stream',
    'x-codex-active-limit': 'codex',
    'x-codex-plan-type': 'plus',
    'x-codex-primary-used-percent': '42.5',
    'x-codex-primary-window-minutes': '300',
    'x-codex-primary-reset-at': EPOCH,
    'x-codex-primary-reset-after-seconds': '1234',
    'x-codex-secondary-used-percent': '7',
    'x-codex-secondary-window-minutes': '10080',
    'x-codex-secondary-reset-at': '1795700000',
    'x-codex-credits-has-credits': 'true',
    'x-codex-credits-unlimited': 'false',
    'x-codex-credits-balance': '12.5',
    'x-codex-limit-name': 'codex',
}

EVENT: dict[str, Any] = {
    'type': 'codex.rate_limits',
    'plan_type': 'plus',
    'rate_limits': {
        'allowed': True,
        'limit_reached': False,
        'primary': {'used_percent': 43, 'window_minutes': 300, 'reset_after_seconds': 100, 'reset_at': int(EPOCH)},
        'secondary': {'used_percent': 8, 'window_minutes': 10080, 'reset_after_seconds': 200, 'reset_at': 1795700000},
    },
    'code_review_rate_limits': None,
    'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
    'metered_limit_name': None,
    'promo': None,
}

USAGE: dict[str, Any] = {
    'user_id': 'user',
    'account_id': 'account',
    'email': 'user@example.com',
    'plan_type': 'plus',
    'rate_limit': {
        'allowed': True,
        'limit_reached': False,
        'primary_window': {
            'used_percent': 42,
            'limit_window_seconds': 18000,
            'reset_after_seconds': 120,
            'reset_at': int(EPOCH),
        },
        'secondary_window': {'used_percent': 5, 'limit_window_seconds': 604800, 'reset_after_seconds': 43200},
    },
    'code_review_rate_limit': None,
    'additional_rate_limits': None,
    'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
}


def from_headers(**changes: str) -> RateLimits | None:
    return limits_from_headers({f'x-codex-{name.replace("_", "-")}': value for name, value in changes.items()}, NOW)


def window(**fields: object) -> RateLimitWindow | None:
    """The window that an event tells, the first of two."""
    limits = limits_from_event({'rate_limits': {'primary': fields, 'limit_reached': False}}, NOW)
    assert limits is not None
    return limits.primary


def test_headers() -> None:
    limits = limits_from_headers(HEADERS, NOW)

    assert limits is not None
    assert limits.as_dict() == snapshot(
        {
            'limit_id': 'codex',
            'limit_name': 'codex',
            'plan_type': 'plus',
            'primary': {'used_percent': 42.5, 'window_minutes': 300, 'resets_at': '2026-11-21T14:30:00+00:00'},
            'secondary': {'used_percent': 7.0, 'window_minutes': 10080, 'resets_at': '2026-11-26T13:33:20+00:00'},
            'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
            'observed_at': '2026-11-21T12:30:00+00:00',
            'source': 'headers',
        }
    )


def test_an_event() -> None:
    limits = limits_from_event(EVENT, NOW)

    assert limits is not None
    assert limits.as_dict() == snapshot(
        {
            'limit_id': 'codex',
            'plan_type': 'plus',
            'primary': {'used_percent': 43.0, 'window_minutes': 300, 'resets_at': '2026-11-21T14:30:00+00:00'},
            'secondary': {'used_percent': 8.0, 'window_minutes': 10080, 'resets_at': '2026-11-26T13:33:20+00:00'},
            'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
            'limit_reached': False,
            'observed_at': '2026-11-21T12:30:00+00:00',
            'source': 'event',
        }
    )


def test_the_usage_page() -> None:
    limits = limits_from_usage(USAGE, NOW)

    assert limits is not None
    assert limits.as_dict() == snapshot(
        {
            'limit_id': 'codex',
            'plan_type': 'plus',
            'primary': {'used_percent': 42.0, 'window_minutes': 300, 'resets_at': '2026-11-21T14:30:00+00:00'},
            'secondary': {'used_percent': 5.0, 'window_minutes': 10080, 'resets_at': '2026-11-22T00:30:00+00:00'},
            'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
            'limit_reached': False,
            'observed_at': '2026-11-21T12:30:00+00:00',
            'source': 'usage',
        }
    )


def test_the_active_limit_comes_first_and_the_rest_behind_it() -> None:
    limits = limits_from_headers(
        HEADERS
        | {
            'x-codex-active-limit': 'codex_bengalfox',
            'x-codex-bengalfox-primary-used-percent': '88',
            'x-codex-bengalfox-secondary-used-percent': '3',
            'x-codex-bengalfox-limit-name': 'Spark',
            'x-code-review-primary-used-percent': '1',
            'x-empty-primary-used-percent': '',
        },
        NOW,
    )

    assert limits is not None
    assert (limits.limit_id, limits.limit_name, limits.plan_type) == ('codex_bengalfox', 'Spark', 'plus')
    assert (limits.primary, limits.secondary) == (RateLimitWindow(88.0), RateLimitWindow(3.0))
    assert [each.limit_id for each in limits.others] == ['code_review', 'codex']
    assert limits.find('codex') is limits.others[1]
    assert limits.others[1].primary == RateLimitWindow(42.5, 300, RESET)
    assert limits.find('nothing') is None


def test_other_limits_of_the_usage_page() -> None:
    spark = {
        'limit_name': 'GPT-5.3-Codex-Spark',
        'metered_feature': 'codex_bengalfox',
        'rate_limit': {'primary_window': {'used_percent': 100, 'limit_window_seconds': 18000}, 'allowed': False},
    }
    nameless = {'rate_limit': {'primary_window': {'used_percent': 1}}}
    review = {'primary_window': {'used_percent': 3, 'limit_window_seconds': 604800}}
    page = USAGE | {'additional_rate_limits': [spark, nameless, 7, None], 'code_review_rate_limit': review}

    limits = limits_from_usage(page, NOW)

    assert limits is not None
    assert [each.as_dict() for each in limits.others] == snapshot(
        [
            {
                'limit_id': 'code_review',
                'primary': {'used_percent': 3.0, 'window_minutes': 10080},
                'observed_at': '2026-11-21T12:30:00+00:00',
                'source': 'usage',
            },
            {
                'limit_id': 'codex_bengalfox',
                'limit_name': 'GPT-5.3-Codex-Spark',
                'primary': {'used_percent': 100.0, 'window_minutes': 300},
                'blocking': 'primary',
                'limit_reached': True,
                'observed_at': '2026-11-21T12:30:00+00:00',
                'source': 'usage',
            },
        ]
    )


def test_other_limits_of_an_event_by_name() -> None:
    spark = {'allowed': True, 'limit_reached': False, 'primary': {'used_percent': 9, 'window_minutes': 10080}}
    event = EVENT | {'additional_rate_limits': {'GPT-5.3-Codex-Spark': spark, 'broken': 7}}

    limits = limits_from_event(event, NOW)

    assert limits is not None
    assert [(each.limit_id, each.limit_name, each.primary) for each in limits.others] == [
        ('gpt_5.3_codex_spark', 'GPT-5.3-Codex-Spark', RateLimitWindow(9.0, 10080))
    ]


@pytest.mark.parametrize(
    ('names', 'limit_id'),
    [
        ({'metered_limit_name': 'codex-other'}, 'codex_other'),
        ({'metered_limit_name': None, 'limit_name': 'Spark'}, 'spark'),
        ({'metered_limit_name': 7, 'limit_name': ''}, 'codex'),
    ],
)
def test_an_event_about_another_limit(names: dict[str, object], limit_id: str) -> None:
    limits = limits_from_event(EVENT | names, NOW)

    assert limits is not None
    assert limits.limit_id == limit_id


def test_older_servers_tell_how_long_it_takes() -> None:
    limits = from_headers(primary_used_percent='50', primary_reset_after_seconds='60')

    assert limits is not None
    assert limits.primary == RateLimitWindow(50.0, None, NOW + timedelta(minutes=1))


def test_a_reset_that_no_calendar_has_is_unknown() -> None:
    now = datetime(9999, 12, 31, tzinfo=UTC)

    limits = limits_from_headers(
        {'x-codex-primary-used-percent': '50', 'x-codex-primary-reset-after-seconds': '99999999999'}, now
    )

    assert limits is not None
    assert limits.primary == RateLimitWindow(50.0)


def test_credits_alone_are_limits() -> None:
    limits = from_headers(credits_unlimited='TRUE')

    assert limits is not None
    assert (limits.credits, limits.windows) == (Credits(None, True, None), {})


@pytest.mark.parametrize(
    ('page', 'plan'),
    [({'plan_type': 'enterprise', 'rate_limit': None}, 'enterprise'), ({'plan_type': 'free', 'credits': 5}, 'free')],
)
def test_a_plan_without_limits(page: dict[str, Any], plan: str) -> None:
    limits = limits_from_usage(page, NOW)

    assert limits is not None
    assert limits.as_dict() == {
        'limit_id': 'codex',
        'plan_type': plan,
        'observed_at': '2026-11-21T12:30:00+00:00',
        'source': 'usage',
    }


@pytest.mark.parametrize(
    'body', [None, [], 7, 'text', {}, {'detail': 'Not found'}, {'rate_limit': 'x', 'plan_type': 1}]
)
def test_what_is_no_usage_page(body: object) -> None:
    assert limits_from_usage(body, NOW) is None


@pytest.mark.parametrize(
    'event', [{}, {'plan_type': 'plus'}, {'rate_limits': []}, {'rate_limits': {'primary': {'window_minutes': 300}}}]
)
def test_what_is_no_event_about_limits(event: dict[str, Any]) -> None:
    assert limits_from_event(event, NOW) is None


def test_headers_without_limits() -> None:
    assert limits_from_headers({}, NOW) is None
    assert limits_from_headers({'x-codex-plan-type': 'plus', 'x-codex-turn-state': 'x'}, NOW) is None


# Bad input.

ABSURD: list[Any] = [
    *('', ' ', 'soon', '-1', 'nan', 'inf', '-inf', '1e300', '1e999', '1_0', '٣', '５', '0x10', '5 %', '9' * 1_000_000),
    *(-1, -0.001, math.nan, math.inf, 1e300, 10**400, True, None, [], {}, [5], {'used_percent': 5}),
]


@pytest.mark.parametrize('value', ABSURD, ids=lambda value: repr(value)[:20])
def test_absurd_numbers_are_unknown(value: object) -> None:
    fields: dict[str, object] = dict.fromkeys(('window_minutes', 'reset_at', 'reset_after_seconds'), value)

    assert window(used_percent=value, window_minutes=300) is None
    assert window(used_percent=5, **fields) == RateLimitWindow(5.0)
    assert window(used_percent=5, limit_window_seconds=value) == RateLimitWindow(5.0)
    if isinstance(value, str):
        assert from_headers(primary_used_percent=value, primary_window_minutes='300') is None
        named = {f'primary_{name}': value for name in ('window_minutes', 'reset_at', 'reset_after_seconds')}
        limits = from_headers(primary_used_percent='5', **named)
        assert limits is not None
        assert limits.primary == RateLimitWindow(5.0)


@pytest.mark.parametrize('used', [100, 100.5, '101', 99_999])
def test_more_than_everything_is_kept(used: float | str) -> None:
    assert window(used_percent=used) == RateLimitWindow(float(used))


def test_a_window_that_is_all_zero_is_none() -> None:
    assert window(used_percent=0, window_minutes=0, reset_at=0) is None
    assert window(used_percent=0, window_minutes=300) == RateLimitWindow(0.0, 300)


@pytest.mark.parametrize(('seconds', 'minutes'), [(18000, 300), ('604800', 10080), (61, 2), (0, None), (1e11, None)])
def test_a_window_in_seconds(seconds: object, minutes: int | None) -> None:
    assert window(used_percent=5, limit_window_seconds=seconds) == RateLimitWindow(5.0, minutes)


@pytest.mark.parametrize('text', ['', ' ', 'x' * 1_000_000, 'two\nlines', '\x1b[31mred', 7, None, ['plus']])
def test_what_is_no_name(text: object) -> None:
    event = (
        EVENT | dict.fromkeys(('plan_type', 'metered_limit_name', 'limit_name'), text) | {'credits': {'balance': text}}
    )
    limits = limits_from_event(event, NOW)

    assert limits is not None
    assert (limits.limit_id, limits.limit_name, limits.plan_type) == ('codex', None, None)
    assert limits.credits == (Credits(balance='7') if text == 7 else None)


@pytest.mark.parametrize('value', ['yes', '2', 'true' * 100_000, '', None, 1, [], 'ＴＲＵＥ'])
def test_what_is_neither_true_nor_false(value: object) -> None:
    limits = limits_from_event(EVENT | {'credits': {'has_credits': value, 'unlimited': value, 'balance': '1'}}, NOW)

    assert limits is not None
    assert limits.credits == Credits(None, None, '1')


def test_any_number_of_limits_is_cut() -> None:
    headers = {f'x-limit-{number}-primary-used-percent': '5' for number in range(10_000)}

    limits = limits_from_headers(HEADERS | headers, NOW)

    assert limits is not None
    assert (limits.limit_id, len(limits.others)) == ('codex', 32)


def test_nothing_in_a_header_raises() -> None:
    rng = random.Random(7)
    pieces = ['', '-', '.', '1', '42.5', '1e9', 'nan', 'true', 'x', '_', '\x00', '\xff', '٣', 'codex', '9' * 99]

    def value() -> str:
        return ''.join(rng.choices(pieces, k=rng.randrange(4)))

    for _ in range(3000):
        names = rng.sample(sorted(HEADERS), rng.randrange(len(HEADERS)))
        odd = f'x-{value()}-primary-used-percent'
        limits = limits_from_headers({name: value() for name in (*names, odd)}, NOW)
        assert limits is None or json.loads(json.dumps(limits.as_dict()))


@pytest.mark.parametrize(
    ('read', 'wire'), [(limits_from_event, EVENT), (limits_from_usage, USAGE)], ids=['event', 'usage']
)
def test_nothing_in_a_body_raises(read: Callable[[Any, datetime], RateLimits | None], wire: dict[str, Any]) -> None:
    rng = random.Random(7)
    extra = {'additional_rate_limits': [{'limit_name': 'x', 'rate_limit': wire.get('rate_limit')}, {'x': 1}]}

    choices: list[Any] = [*(each for each in ABSURD if len(repr(each)) < 1000), '100', 'x', 5, {'x': {}}]

    def broken(value: Any) -> Any:
        if rng.random() < 0.15:
            return rng.choice(choices)
        if isinstance(value, dict):
            return {key: broken(each) for key, each in cast('dict[str, Any]', value).items()}
        return list(map(broken, cast('list[Any]', value))) if isinstance(value, list) else value

    for _ in range(3000):
        limits = read({key: broken(each) for key, each in (wire | extra).items()}, NOW)
        assert limits is None or json.loads(json.dumps(limits.as_dict()))


# The values.


@pytest.mark.parametrize(
    ('minutes', 'name'),
    [(300, '5 h'), (10080, 'week'), (90, '90 min'), (1440, 'day'), (43200, '30 d'), (60, '1 h'), (None, '')],
)
def test_the_name_of_a_window_in_a_table(minutes: int | None, name: str) -> None:
    assert RateLimitWindow(5.0, minutes).name == name


@pytest.mark.parametrize(
    ('minutes', 'adjective'),
    [
        (300, '5-hour'),
        (10080, 'weekly'),
        (90, '90-minute'),
        (1440, 'daily'),
        (43200, '30-day'),
        (60, '1-hour'),
        (None, ''),
    ],
)
def test_the_name_of_a_window_in_a_sentence(minutes: int | None, adjective: str) -> None:
    assert RateLimitWindow(5.0, minutes).adjective == adjective


@pytest.mark.parametrize(
    ('used', 'percent'), [(42.5, '42.5 %'), (100.0, '100 %'), (99.99, '99.9 %'), (0.0, '0 %'), (99_999.0, '99999 %')]
)
def test_a_percentage_in_words(used: float, percent: str) -> None:
    assert RateLimitWindow(used).percent == percent


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        (Credits(True, False, '12.5'), '12.5'),
        (Credits(True, True, '12.5'), 'unlimited'),
        (Credits(False, False, '0'), 'none'),
        (Credits(True), ''),
    ],
)
def test_credits_in_words(fields: Credits, words: str) -> None:
    assert str(fields) == words


def limits(
    primary: RateLimitWindow | None = None, secondary: RateLimitWindow | None = None, **fields: Any
) -> RateLimits:
    fields = {'observed_at': NOW, 'source': 'headers'} | fields
    return RateLimits(primary=primary, secondary=secondary, **fields)


SOONER, LATER = RateLimitWindow(100.0, 300, RESET), RateLimitWindow(100.0, 10080, RESET + timedelta(days=2))


@pytest.mark.parametrize(
    ('primary', 'secondary', 'blocking'),
    [
        (None, None, None),
        (RateLimitWindow(99.9), RateLimitWindow(99.9), None),
        (SOONER, RateLimitWindow(7.0), 'primary'),
        (SOONER, LATER, 'secondary'),
        (LATER, SOONER, 'primary'),
        (SOONER, RateLimitWindow(100.0, 10080), 'primary'),
        (RateLimitWindow(100.0), SOONER, 'secondary'),
        (RateLimitWindow(100.0, 300), RateLimitWindow(100.0, 10080), 'secondary'),
        (None, LATER, 'secondary'),
    ],
)
def test_which_window_blocks(
    primary: RateLimitWindow | None, secondary: RateLimitWindow | None, blocking: str | None
) -> None:
    assert limits(primary, secondary).blocking == blocking


def test_an_alert_in_words() -> None:
    spark = limits(RateLimitWindow(95.0), limit_id='spark')
    told = limits(RateLimitWindow(96.0, 300, RESET), others=(spark,))

    assert str(RateLimitAlert(told, 'codex', 'primary', 95)) == snapshot(
        'The 5-hour window of the plan stands at 96 %; it resets at 2026-11-21 14:30 UTC.'
    )
    assert str(RateLimitAlert(told, 'spark', 'primary', 95)) == snapshot(
        "The primary window of the limit 'spark' stands at 95 %."
    )
    assert str(RateLimitAlert(told, 'spark', 'secondary', 95)) == snapshot(
        "The secondary window of the limit 'spark' has passed 95 %."
    )


def test_an_alert_about_a_window_that_is_used_up() -> None:
    told = limits(None, RateLimitWindow(103.0, 10080))

    assert str(RateLimitAlert(told, 'codex', 'secondary', 100)) == snapshot(
        'The weekly window of the plan is used up (103 %).'
    )


def test_limits_in_words() -> None:
    told = limits(
        RateLimitWindow(42.0, 300, RESET), RateLimitWindow(7.0), plan_type='plus', credits=Credits(True, False, '12.5')
    )

    assert str(told) == snapshot(
        'plus plan: 5-hour window at 42 %, resets at 2026-11-21 14:30 UTC; secondary window at 7 %; credits 12.5'
    )
    assert str(limits(credits=Credits(True))) == snapshot('plan: nothing known')


def test_limits_at_a_later_time_do_without_what_has_begun_anew() -> None:
    week = RateLimitWindow(100.0, 10080, RESET + timedelta(days=2))
    others = (
        limits(RateLimitWindow(3.0, 300, RESET), limit_id='over'),
        limits(RateLimitWindow(3.0, 300, RESET), RateLimitWindow(5.0), limit_id='spark'),
    )
    told = limits(SOONER, week, limit_reached=True, plan_type='plus', credits=Credits(True), others=others)

    assert told.at(RESET - timedelta(seconds=1)) == told
    assert told.at(RESET) == limits(
        None,
        week,
        plan_type='plus',
        credits=Credits(True),
        others=(limits(None, RateLimitWindow(5.0), limit_id='spark'),),
    )


def test_other_limits_begin_anew_by_themselves() -> None:
    told = limits(LATER, limit_reached=True, others=(limits(SOONER, limit_id='spark'),))

    assert told.at(RESET) == limits(LATER, limit_reached=True)


def test_limits_pickle() -> None:
    told = limits_from_headers(HEADERS, NOW)

    assert pickle.loads(pickle.dumps(told)) == told


# What newer ones say over older ones.


def test_newer_limits_keep_what_they_do_not_tell() -> None:
    older = limits(
        RateLimitWindow(40.0, 300, RESET),
        RateLimitWindow(7.0, 10080),
        limit_name='Codex',
        plan_type='plus',
        credits=Credits(True),
        limit_reached=True,
        others=(limits(RateLimitWindow(1.0), limit_id='review'), limits(RateLimitWindow(2.0), limit_id='spark')),
    )
    newer = limits(
        RateLimitWindow(50.0, 300, RESET),
        others=(limits(RateLimitWindow(3.0), limit_id='spark'),),
        observed_at=NOW + timedelta(minutes=1),
        source='event',
    )

    assert merged(newer, older).as_dict() == snapshot(
        {
            'limit_id': 'codex',
            'limit_name': 'Codex',
            'plan_type': 'plus',
            'primary': {'used_percent': 50.0, 'window_minutes': 300, 'resets_at': '2026-11-21T14:30:00+00:00'},
            'secondary': {'used_percent': 7.0, 'window_minutes': 10080},
            'credits': {'has_credits': True},
            'others': [
                {
                    'limit_id': 'review',
                    'primary': {'used_percent': 1.0},
                    'observed_at': '2026-11-21T12:30:00+00:00',
                    'source': 'headers',
                },
                {
                    'limit_id': 'spark',
                    'primary': {'used_percent': 3.0},
                    'observed_at': '2026-11-21T12:30:00+00:00',
                    'source': 'headers',
                },
            ],
            'observed_at': '2026-11-21T12:31:00+00:00',
            'source': 'event',
        }
    )
    assert merged(newer, None) is newer


def test_a_window_that_has_begun_anew_is_forgotten() -> None:
    older = limits(RateLimitWindow(99.0, 300, RESET), RateLimitWindow(7.0))

    newer = merged(limits(credits=Credits(True), observed_at=RESET), older)

    assert (newer.primary, newer.secondary) == (None, RateLimitWindow(7.0))


def test_the_limit_that_counts_may_change() -> None:
    older = limits(RateLimitWindow(40.0), plan_type='plus', credits=Credits(True))
    newer = merged(limits(RateLimitWindow(50.0), limit_id='spark'), older)

    assert (newer.limit_id, newer.plan_type, newer.credits) == ('spark', 'plus', Credits(True))
    assert newer.others == (limits(RateLimitWindow(40.0)),)
    assert merged(older, newer).others == (limits(RateLimitWindow(50.0), limit_id='spark'),)


def test_the_newest_of_any_number_of_limits_are_kept() -> None:
    many = tuple(limits(RateLimitWindow(1.0), limit_id=f'a{number}') for number in range(32))
    newer = limits(others=tuple(limits(RateLimitWindow(1.0), limit_id=f'z{number}') for number in range(32)))

    assert {each.limit_id[0] for each in merged(newer, limits(others=many)).others} == {'z'}
