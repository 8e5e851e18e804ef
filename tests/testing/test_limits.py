"""The simulated limits, in the three places where they are told."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    LimitCredits,
    LimitWindow,
    OtherLimit,
    SimulatedLimits,
    fail,
    reply,
    usage_limit,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
LookUp = Callable[..., Awaitable[httpx2.Response]]
NOW = datetime(2026, 5, 1, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
USAGE = 'https://chatgpt.com/backend-api/wham/usage'


def made(*script: Any, **options: Any) -> CodexSimulator:
    return CodexSimulator(*script, default=reply('Hi'), now=lambda: NOW, **options)


def headers_of(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith('x-codex')}


def event_of(answer: httpx2.Response) -> Json:
    event, data = answer.text.split('\n')[:2]
    assert event == 'event: codex.rate_limits'
    return json.loads(data.removeprefix('data: '))


async def test_the_headers(body: Json, ask: Ask) -> None:
    assert headers_of(await ask(made(), body)) == snapshot(
        {
            'x-codex-active-limit': 'codex',
            'x-codex-plan-type': 'plus',
            'x-codex-primary-used-percent': '42.5',
            'x-codex-primary-window-minutes': '300',
            'x-codex-primary-reset-at': '1777594834',
            'x-codex-primary-reset-after-seconds': '1234',
            'x-codex-secondary-used-percent': '7',
            'x-codex-secondary-window-minutes': '10080',
            'x-codex-secondary-reset-at': '1778093600',
            'x-codex-credits-has-credits': 'true',
            'x-codex-credits-unlimited': 'false',
            'x-codex-credits-balance': '12.5',
            'x-codex-limit-name': 'codex',
        }
    )


async def test_the_page(look_up: LookUp) -> None:
    assert (await look_up(made(account_id='acct-1', plan_type='pro'), USAGE)).json() == snapshot(
        {
            'user_id': 'user-simulated',
            'account_id': 'acct-1',
            'email': 'user@example.com',
            'plan_type': 'pro',
            'rate_limit': {
                'allowed': True,
                'limit_reached': False,
                'primary_window': {
                    'used_percent': 42,
                    'limit_window_seconds': 18000,
                    'reset_after_seconds': 1234,
                    'reset_at': 1777594834,
                },
                'secondary_window': {
                    'used_percent': 7,
                    'limit_window_seconds': 604800,
                    'reset_after_seconds': 500000,
                    'reset_at': 1778093600,
                },
            },
            'code_review_rate_limit': None,
            'additional_rate_limits': None,
            'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
        }
    )


async def test_the_event(body: Json, ask: Ask) -> None:
    answer = await ask(made(reply('Hi', limits_event=True)), body)

    assert event_of(answer) == snapshot(
        {
            'type': 'codex.rate_limits',
            'plan_type': 'plus',
            'rate_limits': {
                'allowed': True,
                'limit_reached': False,
                'primary': {
                    'used_percent': 42.5,
                    'window_minutes': 300,
                    'reset_after_seconds': 1234,
                    'reset_at': 1777594834,
                },
                'secondary': {
                    'used_percent': 7,
                    'window_minutes': 10080,
                    'reset_after_seconds': 500000,
                    'reset_at': 1778093600,
                },
            },
            'code_review_rate_limits': None,
            'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
            'metered_limit_name': None,
            'promo': None,
        }
    )
    assert answer.text.count('codex.rate_limits') == 2
    assert '"sequence_number":0' in answer.text


async def test_an_event_with_other_fields(body: Json, ask: Ask) -> None:
    event = event_of(await ask(made(reply('Hi', limits_event={'rate_limits': [], 'new': 1})), body))

    assert (event['rate_limits'], event['new'], event['plan_type']) == ([], 1, 'plus')


async def test_no_event_by_default(body: Json, ask: Ask) -> None:
    assert 'codex.rate_limits' not in (await ask(made(), body)).text


async def test_what_is_used_shows_everywhere(body: Json, ask: Ask, look_up: LookUp) -> None:
    simulator = made()
    limits = simulator.limits
    limits.use(primary=90.25)
    limits.spend(5, 3)
    limits.plan_type = 'team'
    limits.active = 'codex_spark'
    answer = await ask(simulator, body)
    simulator.add(reply('Hi', limits_event=True))
    event = event_of(await ask(simulator, body))
    usage = (await look_up(simulator, USAGE)).json()

    assert {
        'x-codex-primary-used-percent': '95.25',
        'x-codex-secondary-used-percent': '10',
        'x-codex-plan-type': 'team',
        'x-codex-active-limit': 'codex_spark',
    }.items() <= headers_of(answer).items()
    assert event['rate_limits']['primary']['used_percent'] == 95.25
    assert usage['rate_limit']['primary_window']['used_percent'] == 95
    assert (event['plan_type'], usage['plan_type']) == ('team', 'team')


async def test_a_plan_that_is_used_up(body: Json, ask: Ask, look_up: LookUp) -> None:
    simulator = made()
    simulator.limits.spend(secondary=200)
    usage = (await look_up(simulator, USAGE)).json()['rate_limit']

    assert (usage['allowed'], usage['limit_reached']) == (False, True)
    assert usage['secondary_window']['used_percent'] == 100


async def test_what_is_not_known_is_not_told(body: Json, ask: Ask, look_up: LookUp) -> None:
    simulator = made(reply('Hi', limits_event=True))
    limits = simulator.limits
    limits.primary, limits.secondary, limits.credits = None, LimitWindow(3), None
    answer = await ask(simulator, body)
    usage = (await look_up(simulator, USAGE)).json()

    assert headers_of(answer) == {
        'x-codex-active-limit': 'codex',
        'x-codex-plan-type': 'plus',
        'x-codex-secondary-used-percent': '3',
        'x-codex-limit-name': 'codex',
    }
    unknown = {'reset_after_seconds': None, 'reset_at': None}
    event = event_of(answer)
    assert (event['rate_limits']['primary'], event['credits']) == (None, None)
    assert event['rate_limits']['secondary'] == {'used_percent': 3, 'window_minutes': None, **unknown}
    assert usage['rate_limit']['secondary_window'] == {'used_percent': 3, 'limit_window_seconds': None, **unknown}


async def test_other_limits(body: Json, ask: Ask, look_up: LookUp) -> None:
    simulator = made()
    window = LimitWindow(100, 60, timedelta(minutes=1))
    simulator.limits.others = (OtherLimit('codex_spark', 'Spark', window), OtherLimit('premium', secondary=window))
    headers = headers_of(await ask(simulator, body)) | dict((await ask(simulator, body)).headers)
    usage = (await look_up(simulator, USAGE)).json()

    assert {name: value for name, value in headers.items() if 'spark' in name or 'premium' in name} == snapshot(
        {
            'x-codex-spark-primary-used-percent': '100',
            'x-codex-spark-primary-window-minutes': '60',
            'x-codex-spark-primary-reset-at': '1777593660',
            'x-codex-spark-primary-reset-after-seconds': '60',
            'x-codex-spark-limit-name': 'Spark',
            'x-premium-secondary-used-percent': '100',
            'x-premium-secondary-window-minutes': '60',
            'x-premium-secondary-reset-at': '1777593660',
        }
    )
    assert usage['additional_rate_limits'] == snapshot(
        [
            {
                'limit_name': 'Spark',
                'metered_feature': 'codex_spark',
                'rate_limit': {
                    'allowed': False,
                    'limit_reached': True,
                    'primary_window': {
                        'used_percent': 100,
                        'limit_window_seconds': 3600,
                        'reset_after_seconds': 60,
                        'reset_at': 1777593660,
                    },
                    'secondary_window': None,
                },
            },
            {
                'limit_name': None,
                'metered_feature': 'premium',
                'rate_limit': {
                    'allowed': False,
                    'limit_reached': True,
                    'primary_window': None,
                    'secondary_window': {
                        'used_percent': 100,
                        'limit_window_seconds': 3600,
                        'reset_after_seconds': 60,
                        'reset_at': 1777593660,
                    },
                },
            },
        ]
    )


async def test_no_headers(body: Json, ask: Ask) -> None:
    simulator = made()
    simulator.limits.in_headers = False

    assert headers_of(await ask(simulator, body)) == {}


async def test_an_api_key_has_no_plan(body: Json, ask: Ask) -> None:
    simulator = made(reply('Hi', limits_event=True))
    headers = {'authorization': 'Bearer sk-test'}
    answer = await ask(simulator, body, url='https://api.openai.com/v1/responses', headers=headers)

    assert headers_of(answer) == {}
    assert event_of(answer)['plan_type'] == 'unknown'


async def test_absurd_values_are_those_of_a_turn(body: Json, ask: Ask) -> None:
    absurd = {'X-Codex-Primary-Used-Percent': 'NaN'}
    simulator = made(reply('Hi', headers=absurd), fail(503, headers=absurd))
    answers = [await ask(simulator, body), await ask(simulator, body)]

    assert [answer.headers['x-codex-primary-used-percent'] for answer in answers] == ['NaN', 'NaN']


@pytest.mark.parametrize(('window', 'other'), [('primary', 'secondary'), ('secondary', 'primary')])
async def test_the_answer_of_a_plan_that_is_used_up(body: Json, ask: Ask, window: Any, other: str) -> None:
    simulator = made(usage_limit(3600, 'pro', window=window))
    simulator.limits.credits = LimitCredits(has_credits=False, balance=None)
    simulator.limits.use(1, 1)
    answer = await ask(simulator, body)
    headers = headers_of(answer)

    assert (answer.status_code, answer.json()['error']['resets_at']) == (429, EPOCH + 3600)
    assert (headers[f'x-codex-{window}-used-percent'], headers[f'x-codex-{other}-used-percent']) == ('100', '1')
    assert headers[f'x-codex-{window}-reset-at'] == str(EPOCH + 3600)
    assert (headers['x-codex-plan-type'], headers['x-codex-credits-has-credits']) == ('pro', 'false')
    assert 'x-codex-credits-balance' not in headers


async def test_a_window_that_nobody_knew_is_used_up(body: Json, ask: Ask) -> None:
    simulator = made(usage_limit(window='secondary'))
    simulator.limits.secondary = None

    assert headers_of(await ask(simulator, body))['x-codex-secondary-window-minutes'] == '10080'


async def test_a_moment_stays_where_it_is(body: Json, ask: Ask) -> None:
    now = [NOW]
    simulator = CodexSimulator(default=reply('Hi'), now=lambda: now[0])
    simulator.limits.primary = LimitWindow(1, 300, resets_at=NOW + timedelta(hours=1))
    resets: list[tuple[int, int]] = []
    for _ in range(2):
        headers = headers_of(await ask(simulator, body))
        after = int(headers['x-codex-primary-reset-after-seconds'])
        resets.append((int(headers['x-codex-primary-reset-at']) - EPOCH, after))
        now[0] += timedelta(minutes=10)

    assert resets == [(3600, 3600), (3600, 3000)]


def test_threads() -> None:
    limits = SimulatedLimits()
    limits.use(0, 0)
    with ThreadPoolExecutor(8) as pool:
        spent = [pool.submit(limits.spend, 0.25, 0.125) for _ in range(200)]
    for each in spent:
        each.result()

    assert (limits.primary, limits.secondary) == (LimitWindow(50, 300, 1234), LimitWindow(25, 10_080, 500_000))
    assert repr(limits).startswith('<SimulatedLimits: LimitWindow(used_percent=50')


def test_what_is_above_the_limit_stays_there() -> None:
    limits = SimulatedLimits()
    limits.use(120)
    limits.spend(1)

    assert limits.primary == LimitWindow(120, 300, 1234)


def test_what_cannot_be_used() -> None:
    limits = SimulatedLimits()
    limits.primary = limits.secondary = None
    with pytest.raises(ConfigurationError, match='no primary window'):
        limits.spend(1)
    with pytest.raises(ConfigurationError, match='no secondary window'):
        limits.use(secondary=1)
    for number in (math.nan, math.inf):
        with pytest.raises(ConfigurationError, match='cannot be told'):
            LimitWindow(number)
        with pytest.raises(ConfigurationError, match='cannot be told'):
            LimitWindow(1, 300, number)
