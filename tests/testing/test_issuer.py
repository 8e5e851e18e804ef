"""The simulated login service: refreshing and revoking."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest
from pydantic_ai import Agent

from pydantic_ai_codex.auth import Credentials, MemoryStore
from pydantic_ai_codex.testing import CodexSimulator, SimulatorServer, reply

from .issuer_client import (
    IDENTITY,
    ISSUER,
    exchange_form,
    log_in,
    post_form,
    post_json,
    refresh,
    refresh_body,
    revoke_body,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


async def ask_with(simulator: CodexSimulator, body: Json, access_token: str) -> int:
    async with simulator.http_client() as client:
        answer = await client.post(
            'https://chatgpt.com/backend-api/codex/responses',
            json=body,
            headers={'authorization': f'Bearer {access_token}', 'chatgpt-account-id': simulator.account_id},
        )
        return answer.status_code


async def test_a_refresh_rotates(body: Json) -> None:
    simulator = CodexSimulator(reply('Hi'), reply('Hi'), now=lambda: NOW)
    before = simulator.credentials
    answer = await refresh(simulator, before.refresh_token)
    tokens = answer.json()

    assert answer.status_code == 200
    assert sorted(tokens) == ['access_token', 'expires_in', 'id_token', 'refresh_token', 'token_type']
    assert (tokens['token_type'], tokens['expires_in']) == ('Bearer', 10 * 24 * 3600)
    assert tokens['refresh_token'] != before.refresh_token
    assert Credentials(tokens['access_token']).expires_at == NOW + timedelta(days=10)
    # Both access tokens are good until they expire.
    assert [await ask_with(simulator, body, token) for token in (before.access_token, tokens['access_token'])] == [
        200,
        200,
    ]
    [event] = simulator.oauth.refreshes
    assert (event.at, event.login, event.account_id) == (NOW, 1, simulator.account_id)
    assert (event.reason, event.headers['originator']) == ('proactive_expiry', 'codex_exec')
    assert simulator.oauth.reuses == []


async def test_a_provider_refreshes_in_process() -> None:
    simulator = CodexSimulator(reply('Hi'))
    provider = simulator.provider(credentials=MemoryStore(simulator.credentials))
    simulator.revoke()
    result = await Agent(simulator.model(provider=provider)).run('Hi')

    assert (result.output, [request.status for request in simulator.requests]) == ('Hi', [401, 200])
    assert [event.reason for event in simulator.oauth.refreshes] == ['unauthorized_recovery']


async def test_the_simulator_knows_what_its_client_got() -> None:
    simulator = CodexSimulator()
    tokens = (await refresh(simulator, simulator.credentials.refresh_token)).json()

    assert simulator.access_token == tokens['access_token']
    assert simulator.auth_json()['tokens'] == {
        'id_token': tokens['id_token'],
        'access_token': tokens['access_token'],
        'refresh_token': tokens['refresh_token'],
        'account_id': simulator.account_id,
    }


async def test_a_second_use_is_refused_and_recorded() -> None:
    simulator = CodexSimulator()
    spent = simulator.credentials.refresh_token
    tokens = (await refresh(simulator, spent)).json()
    again = await refresh(simulator, spent, refresh_reason='scheduled')

    assert (again.status_code, again.json()['error']['code']) == (401, 'refresh_token_reused')
    assert [(event.login, event.reason) for event in simulator.oauth.reuses] == [(1, 'scheduled')]
    assert len(simulator.oauth.refreshes) == 1
    assert (await refresh(simulator, tokens['refresh_token'])).status_code == 200


async def test_a_second_use_can_end_the_login() -> None:
    simulator = CodexSimulator()
    simulator.oauth.revoke_family_on_reuse = True
    spent = simulator.credentials.refresh_token
    tokens = (await refresh(simulator, spent)).json()
    await refresh(simulator, spent)
    answer = await refresh(simulator, tokens['refresh_token'])

    assert (answer.status_code, answer.json()['error']['code']) == (401, 'refresh_token_invalidated')


async def test_one_of_many_at_once_is_served() -> None:
    simulator = CodexSimulator()
    token = simulator.credentials.refresh_token

    def spend(_: int) -> int:
        return anyio.run(refresh, simulator, token).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(spend, range(8)))

    assert statuses == [200, *[401] * 7]
    assert (len(simulator.oauth.refreshes), len(simulator.oauth.reuses)) == (1, 7)


async def test_an_unknown_token() -> None:
    simulator = CodexSimulator()
    answer = await refresh(simulator, CodexSimulator().credentials.refresh_token)

    assert (answer.status_code, answer.json()['error']) == (400, 'invalid_grant')
    assert (simulator.oauth.refreshes, simulator.oauth.reuses) == ([], [])


def expire(simulator: CodexSimulator, clock: Clock) -> None:
    simulator.oauth.expire_refresh_tokens()


def outlive(simulator: CodexSimulator, clock: Clock) -> None:
    simulator.oauth.refresh_token_lifetime = timedelta(days=30)
    clock.now += timedelta(days=31)


def invalidate(simulator: CodexSimulator, clock: Clock) -> None:
    simulator.oauth.revoke_logins()


@pytest.mark.parametrize(
    ('end', 'code'),
    [
        (expire, 'refresh_token_expired'),
        (outlive, 'refresh_token_expired'),
        (invalidate, 'refresh_token_invalidated'),
    ],
)
async def test_a_refresh_token_that_ended(end: Callable[[CodexSimulator, Clock], None], code: str) -> None:
    clock = Clock()
    simulator = CodexSimulator(now=clock)
    token = simulator.credentials.refresh_token
    end(simulator, clock)
    answer = await refresh(simulator, token)

    assert (answer.status_code, answer.json()['error']['code']) == (401, code)
    assert simulator.oauth.refreshes == []


async def test_old_access_tokens_can_end(body: Json) -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.oauth.revoke_old_access_tokens = True
    old = simulator.credentials
    new = (await refresh(simulator, old.refresh_token)).json()

    assert await ask_with(simulator, body, old.access_token) == 401
    assert await ask_with(simulator, body, new['access_token']) == 200


@pytest.mark.parametrize('lifetime', [timedelta(minutes=4), 240])
async def test_the_lifetime_of_access_tokens(lifetime: timedelta | float, body: Json) -> None:
    clock = Clock()
    simulator = CodexSimulator(now=clock)
    simulator.oauth.access_token_lifetime = lifetime
    tokens = (await refresh(simulator, simulator.credentials.refresh_token)).json()
    clock.now += timedelta(minutes=5)

    assert tokens['expires_in'] == 240
    assert await ask_with(simulator, body, tokens['access_token']) == 401


async def test_an_answer_without_a_refresh_token_spends_none() -> None:
    simulator = CodexSimulator()
    simulator.oauth.answer_fields = ('access_token',)
    token = simulator.credentials.refresh_token
    answers = [(await refresh(simulator, token)).json() for _ in range(2)]

    assert [list(answer) for answer in answers] == [['access_token'], ['access_token']]
    assert simulator.oauth.reuses == []


@pytest.mark.parametrize(
    ('changes', 'headers', 'message'),
    [
        ({'refresh_reason': 'because'}, IDENTITY, "Invalid value: 'because'"),
        ({'client_id': 'mine'}, IDENTITY, "Invalid value: 'mine'"),
        ({'refresh_token': ''}, IDENTITY, "Missing required parameter: 'refresh_token'"),
        ({'scope': 'openid'}, IDENTITY, "Unknown parameter: 'scope'"),
        ({'refresh_token': 1}, IDENTITY, "Invalid type for 'refresh_token'"),
        ({'grant_type': 'password'}, IDENTITY, "Invalid value: 'password'"),
        ({'grant_type': ''}, IDENTITY, "Missing required parameter: 'grant_type'"),
        ({}, {}, 'The header originator has to name the program.'),
        ({}, {'originator': 'me', 'user-agent': 'you/1'}, "The header user-agent has to begin with 'me/'."),
    ],
)
async def test_refreshes_of_another_form_are_refused(changes: Json, headers: dict[str, str], message: str) -> None:
    simulator = CodexSimulator()
    body = {**refresh_body(simulator.credentials.refresh_token or ''), **changes}
    answer = await post_json(simulator, '/oauth/token', body, headers)

    assert answer.status_code == 400
    assert answer.json()['error']['message'].startswith(message)
    assert (simulator.oauth.refreshes, simulator.oauth.requests[0].status) == ([], 400)


async def test_content_types_are_not_interchangeable() -> None:
    simulator = CodexSimulator()
    token = simulator.credentials.refresh_token or ''
    form = await post_form(simulator, '/oauth/token', refresh_body(token))
    exchange = await post_json(simulator, '/oauth/token', exchange_form('id'))
    async with simulator.http_client() as client:
        text = await client.post(f'{ISSUER}/oauth/token', content='hello')

    assert [answer.status_code for answer in (form, exchange, text)] == [415, 415, 415]
    assert 'application/json' in form.text
    assert 'application/x-www-form-urlencoded' in exchange.text


async def test_a_body_that_is_no_object() -> None:
    answer = await post_json(CodexSimulator(), '/oauth/token', ['refresh'])

    assert (answer.status_code, answer.json()) == (400, {'detail': 'Request body must be a JSON object'})


async def test_a_lenient_simulator_takes_what_other_clients_send() -> None:
    simulator = CodexSimulator(strict=False)
    form = {
        'grant_type': 'refresh_token',
        'refresh_token': simulator.credentials.refresh_token or '',
        'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
    }
    answer = await post_form(simulator, '/oauth/token', form)

    assert answer.status_code == 200
    assert [event.reason for event in simulator.oauth.refreshes] == [None]
    assert (await post_form(simulator, '/oauth/revoke', {'token': answer.json()['refresh_token']})).status_code == 200


async def test_revoking_ends_the_login(body: Json) -> None:
    simulator = CodexSimulator(now=lambda: NOW)
    login = simulator.credentials
    answer = await post_json(simulator, '/oauth/revoke', revoke_body(login.refresh_token or ''))

    assert (answer.status_code, answer.json()) == (200, {})
    assert [(event.at, event.login) for event in simulator.oauth.revoked] == [(NOW, 1)]
    assert (await refresh(simulator, login.refresh_token)).json()['error']['code'] == 'refresh_token_invalidated'
    assert await ask_with(simulator, body, login.access_token) == 401


async def test_the_simulator_logs_in_anew_after_its_login_ended(body: Json) -> None:
    simulator = CodexSimulator(reply('Hi'))
    before = simulator.credentials
    simulator.oauth.revoke_logins()

    assert simulator.credentials.refresh_token != before.refresh_token
    assert await ask_with(simulator, body, simulator.access_token) == 200


async def test_revoking_an_unknown_token_is_no_error() -> None:
    simulator = CodexSimulator()
    answer = await post_json(simulator, '/oauth/revoke', revoke_body('unknown'))

    assert (answer.status_code, simulator.oauth.revoked) == (200, [])


@pytest.mark.parametrize('path', ['/oauth/token', '/oauth/revoke'])
@pytest.mark.parametrize(
    ('query', 'headers', 'status'),
    [
        ('?a=1', {}, 400),
        ('', {'authorization': 'Bearer at'}, 400),
        ('', {'cookie': 'a=1'}, 400),
        ('', {'content-type': 'application/json; charset=latin-1'}, 415),
        ('', {'content-type': 'application/json; charset="UTF-8"'}, 200),
    ],
)
@pytest.mark.parametrize('strict', [True, False])
async def test_what_the_cli_never_sends_along_is_refused(
    path: str, query: str, headers: dict[str, str], status: int, strict: bool
) -> None:
    simulator = CodexSimulator(strict=strict)
    token = simulator.credentials.refresh_token or ''
    body = refresh_body(token) if path == '/oauth/token' else revoke_body(token)
    answer = await post_json(simulator, path + query, body, {**IDENTITY, **headers})

    assert answer.status_code == (status if strict else 200)


async def test_a_name_that_comes_twice_is_refused() -> None:
    simulator = CodexSimulator()
    async with simulator.http_client() as client:
        headers = {**IDENTITY, 'content-type': 'application/json'}
        content = '{"grant_type": "refresh_token", "refresh_token": "a", "refresh_token": "b"}'
        answer = await client.post(f'{ISSUER}/oauth/token', content=content, headers=headers)

    assert answer.status_code == 400
    assert answer.json()['error']['message'] == "Repeated parameter: 'refresh_token'."


@pytest.mark.parametrize(
    ('changes', 'headers', 'message'),
    [
        ({'token_type_hint': 'access_token'}, IDENTITY, "Invalid value: 'access_token'"),
        ({'token': ''}, IDENTITY, "Missing required parameter: 'token'"),
        ({}, {}, 'The header originator has to name the program.'),
    ],
)
async def test_revocations_of_another_form_are_refused(
    changes: dict[str, str], headers: dict[str, str], message: str
) -> None:
    simulator = CodexSimulator()
    answer = await post_json(simulator, '/oauth/revoke', revoke_body('token', **changes), headers)

    assert answer.status_code == 400
    assert answer.json()['error']['message'].startswith(message)


async def test_an_api_key_is_got_for_an_id_token(body: Json) -> None:
    simulator = CodexSimulator(reply('Hi'))
    tokens = await log_in(simulator)
    answer = await post_form(simulator, '/oauth/token', exchange_form(tokens['id_token']))
    key = answer.json()['access_token']
    async with simulator.http_client() as client:
        url = 'https://api.openai.com/v1/responses'
        served = await client.post(url, json=body, headers={'authorization': f'Bearer {key}'})

    assert (answer.status_code, served.status_code) == (200, 200)
    assert key.startswith('sk-')


async def test_an_api_key_can_be_refused() -> None:
    simulator = CodexSimulator()
    foreign = await post_form(simulator, '/oauth/token', exchange_form('foreign'))
    simulator.oauth.exchange_api_key = False
    switched_off = await post_form(simulator, '/oauth/token', exchange_form((await log_in(simulator))['id_token']))

    assert (foreign.status_code, foreign.json()['error']) == (400, 'invalid_grant')
    assert (switched_off.status_code, switched_off.json()['error']) == (403, 'access_denied')


async def test_requests_are_recorded_apart_and_without_secrets() -> None:
    simulator = CodexSimulator(reply('Hi'))
    token = simulator.credentials.refresh_token or ''
    await refresh(simulator, token)
    [request] = simulator.oauth.requests

    assert (simulator.requests, simulator.remaining) == ([], 1)
    assert (request.number, request.path, request.status) == (1, '/oauth/token', 200)
    assert request.body == refresh_body(token)
    assert token not in f'{request!r} {request.body!r} {simulator.oauth!r} {simulator.oauth.refreshes!r}'
    assert repr(simulator.oauth) == '<SimulatedIssuer: 1 requests, 1 refreshes>'


@pytest.mark.parametrize(
    ('method', 'url', 'status'),
    [
        ('GET', f'{ISSUER}/oauth/token', 405),
        ('GET', f'{ISSUER}/', 404),
        ('POST', f'{ISSUER}/backend-api/codex/responses', 404),
        ('POST', 'https://chatgpt.com/oauth/token', 404),
    ],
)
async def test_each_host_has_its_own_paths(method: str, url: str, status: int) -> None:
    async with CodexSimulator().http_client() as client:
        assert (await client.request(method, url)).status_code == status


async def test_served_on_the_port_of_the_simulator() -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server, httpx2.AsyncClient(headers=IDENTITY) as client:
        token = simulator.credentials.refresh_token or ''
        refreshed = await client.post(server.token_url, json=refresh_body(token))
        revoked = await client.post(server.revoke_url, json=revoke_body(refreshed.json()['refresh_token']))

    assert server.issuer == f'http://127.0.0.1:{server.port}'
    assert SimulatorServer('::1', 80).token_url == 'http://[::1]:80/oauth/token'
    assert (refreshed.status_code, revoked.status_code) == (200, 200)
    assert (len(simulator.oauth.refreshes), len(simulator.oauth.revoked)) == (1, 1)


async def test_files_of_a_test() -> None:
    simulator = CodexSimulator(now=lambda: NOW)
    soon = simulator.auth_json(expires_in=timedelta(minutes=4), last_refresh=NOW - timedelta(days=9))
    over = simulator.auth_json(expires_in=-1)

    assert soon['last_refresh'] == '2026-04-22T00:00:00Z'
    assert soon['tokens']['refresh_token'] == over['tokens']['refresh_token']
    assert Credentials(soon['tokens']['access_token']).expires_at == NOW + timedelta(minutes=4)
    assert Credentials(over['tokens']['access_token']).expires_at == NOW - timedelta(seconds=1)
    assert simulator.auth_json()['tokens']['access_token'] == simulator.access_token


async def test_further_logins_and_other_accounts() -> None:
    simulator = CodexSimulator(now=lambda: NOW)
    own = simulator.auth_json()
    simulator.oauth.sign_in_as('acct-2', 'pro', 'ada@example.com')
    tokens = simulator.auth_json(new_login=True)['tokens']
    other = Credentials(**tokens)
    answer = Credentials((await refresh(simulator, other.refresh_token)).json()['access_token'])

    assert (other.account_id, other.plan_type) == ('acct-2', 'pro')
    assert (answer.account_id, answer.plan_type) == ('acct-2', 'pro')
    assert simulator.auth_json() == own
    assert [(event.login, event.account_id) for event in simulator.oauth.refreshes] == [(2, 'acct-2')]
