"""The simulated login service: answers that a test orders."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import anyio
import httpx2
import pytest

from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    IssuerEntry,
    RecordedRequest,
    SimulatorError,
    answer_with,
    connect_error,
    fail,
    late_answer,
    lost_answer,
)

from .issuer_client import CLIENT_ID, IDENTITY, post_json, refresh, refresh_body, revoke_body

pytestmark = pytest.mark.anyio

NO_ANSWER: Any = 'fail'
Until = Callable[[Callable[[], bool]], Awaitable[None]]


def token_of(simulator: CodexSimulator) -> str:
    return simulator.credentials.refresh_token or ''


async def test_failures_do_nothing() -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_token(
        fail(500),
        fail(429, headers={'Retry-After': '1'}),
        fail(403, body='<html>'),
        connect_error(),
        answer_with({'ok': True}, is_done=False),
        None,
    )
    token = token_of(simulator)
    answers = [await refresh(simulator, token) for _ in range(3)]
    with pytest.raises(httpx2.ConnectError):
        await refresh(simulator, token)
    answers += [await refresh(simulator, token) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [500, 429, 403, 200, 200]
    assert answers[1].headers['retry-after'] == '1'
    assert answers[2].headers['content-type'].startswith('text/html')
    assert answers[3].json() == {'ok': True}
    assert [request.status for request in simulator.oauth.requests] == [500, 429, 403, None, 200, 200]
    assert all(request.closed for request in simulator.oauth.requests)
    assert (len(simulator.oauth.refreshes), simulator.oauth.reuses) == (1, [])


@pytest.mark.parametrize(
    ('entry', 'error'),
    [
        (lost_answer(), httpx2.ReadError),
        (lost_answer(error=httpx2.ReadTimeout), httpx2.ReadTimeout),
        (lost_answer(cut_after=10), httpx2.RemoteProtocolError),
    ],
)
async def test_a_lost_answer_spends_the_token(entry: IssuerEntry, error: type[Exception]) -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_token(entry)
    token = token_of(simulator)
    with pytest.raises(error):
        await refresh(simulator, token)

    assert len(simulator.oauth.refreshes) == 1
    assert (await refresh(simulator, token)).json()['error']['code'] == 'refresh_token_reused'


@pytest.mark.parametrize('entry', [lost_answer(), lost_answer(cut_after=10), connect_error()])
async def test_over_a_port_the_connection_drops(entry: IssuerEntry) -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_token(entry)
    async with simulator.serve() as server, httpx2.AsyncClient(headers=IDENTITY) as client:
        with pytest.raises(httpx2.TransportError):
            await client.post(server.token_url, json=refresh_body(token_of(simulator)))

    assert len(simulator.oauth.requests) == 1


@pytest.mark.parametrize('body', ['', '<html>', 'junk', ['list'], {'access_token': 1}])
async def test_junk_in_place_of_tokens(body: Any) -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_token(answer_with(body, headers={'X-Note': 'junk'}))
    answer = await refresh(simulator, token_of(simulator))

    assert (answer.status_code, answer.headers['x-note']) == (200, 'junk')
    assert (answer.text if isinstance(body, str) else answer.json()) == body
    assert len(simulator.oauth.refreshes) == 1


async def test_a_request_of_the_wrong_form_uses_no_entry() -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_token(fail(500))
    refused = await refresh(simulator, token_of(simulator), refresh_reason='because')
    failed = await refresh(simulator, token_of(simulator))

    assert (refused.status_code, failed.status_code) == (400, 500)


async def test_each_endpoint_has_its_own_script() -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_revoke(fail(501))
    simulator.oauth.script_device_code(fail(502))
    simulator.oauth.script_device_token(fail(503))
    path = '/api/accounts/deviceauth'
    answers = [
        await post_json(simulator, '/oauth/revoke', revoke_body(token_of(simulator))),
        await post_json(simulator, f'{path}/usercode', {'client_id': CLIENT_ID}, {}),
        await post_json(simulator, f'{path}/token', {'device_auth_id': 'a', 'user_code': 'b'}, {}),
        await refresh(simulator, token_of(simulator)),
    ]

    assert [answer.status_code for answer in answers] == [501, 502, 503, 200]
    assert simulator.oauth.revoked == []


async def test_a_function_decides() -> None:
    simulator = CodexSimulator()

    def unreachable(request: RecordedRequest) -> None:
        raise httpx2.ConnectTimeout('too late')

    def broken(request: RecordedRequest) -> None:
        raise KeyError(request.body['refresh_reason'])

    def wrong(request: RecordedRequest) -> Any:
        return 'no answer'

    simulator.oauth.script_token(lambda request: fail(500, detail=request.path), unreachable, broken, wrong)
    first = await refresh(simulator, token_of(simulator))
    with pytest.raises(httpx2.ConnectTimeout):
        await refresh(simulator, token_of(simulator))
    with pytest.raises(SimulatorError, match="raised KeyError: 'proactive_expiry'"):
        await refresh(simulator, token_of(simulator))
    with pytest.raises(SimulatorError, match="returned 'no answer'"):
        await refresh(simulator, token_of(simulator))

    assert first.json() == {'detail': '/oauth/token'}
    assert simulator.oauth.refreshes == []


async def test_what_is_called_before_the_answer_sees_it_done() -> None:
    simulator = CodexSimulator()
    token = token_of(simulator)
    seen: list[object] = []
    simulator.oauth.before_answer = lambda request: seen.append((request.path, len(simulator.oauth.refreshes)))
    simulator.oauth.script_token(late_answer(before=lambda: seen.append('entry')))
    await refresh(simulator, token)
    await refresh(simulator, token_of(simulator))

    assert seen == [('/oauth/token', 1), 'entry', ('/oauth/token', 2)]


async def test_what_is_called_before_the_answer_may_fail() -> None:
    simulator = CodexSimulator()

    def drop() -> None:
        raise httpx2.ReadError('gone')

    def broken() -> None:
        raise KeyError('mine')

    simulator.oauth.script_token(late_answer(before=drop), late_answer(before=broken))
    with pytest.raises(httpx2.ReadError, match='gone'):
        await refresh(simulator, token_of(simulator))
    with pytest.raises(SimulatorError, match='KeyError'):
        await refresh(simulator, token_of(simulator))

    assert [request.closed for request in simulator.oauth.requests] == [True, True]


async def test_over_a_port_answers_wait_as_well() -> None:
    simulator = CodexSimulator()
    seen: list[int] = []

    def drop() -> None:
        raise httpx2.ReadError('gone')

    simulator.oauth.script_token(late_answer(before=lambda: seen.append(len(simulator.oauth.refreshes))))
    simulator.oauth.script_token(late_answer(before=drop))
    async with simulator.serve() as server, httpx2.AsyncClient(headers=IDENTITY) as client:
        answer = await client.post(server.token_url, json=refresh_body(token_of(simulator)))
        with pytest.raises(httpx2.TransportError):
            await client.post(server.token_url, json=refresh_body(token_of(simulator)))

    assert (answer.status_code, seen) == (200, [1])
    assert len(simulator.oauth.refreshes) == 2


async def test_a_client_that_leaves_while_it_waits(until: Until) -> None:
    """The others are answered meanwhile, and the token that was asked about is spent."""
    simulator = CodexSimulator()
    released, waiting = Event(), Event()
    answers: list[httpx2.Response] = []

    def wait() -> None:
        waiting.set()
        released.wait(60)

    simulator.oauth.script_token(late_answer(before=wait))
    token = token_of(simulator)
    try:
        async with simulator.serve() as server, httpx2.AsyncClient(headers=IDENTITY) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: client.post(server.token_url, json=refresh_body(token)))
                await until(waiting.is_set)
                answers.append(await client.post(server.token_url, json=refresh_body(token)))
                tasks.cancel_scope.cancel()
            await until(lambda: simulator.oauth.requests[0].closed)
    finally:
        released.set()

    assert [answer.json()['error']['code'] for answer in answers] == ['refresh_token_reused']
    assert len(simulator.oauth.refreshes) == 1


async def test_an_endless_answer_runs_into_the_timeout() -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_token(late_answer(seconds=math.inf), late_answer(seconds=0.001))
    token = token_of(simulator)
    async with simulator.http_client() as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(
                'https://auth.openai.com/oauth/token',
                json=refresh_body(token),
                headers=IDENTITY,
                timeout=httpx2.Timeout(5, read=0.01),
            )
    late = await refresh(simulator, token_of(simulator))

    assert (simulator.oauth.requests[0].closed, late.status_code) == (True, 200)


async def test_an_endless_answer_does_not_keep_the_server(until: Until) -> None:
    simulator = CodexSimulator()
    simulator.oauth.script_token(late_answer(seconds=math.inf))
    errors: list[Exception] = []

    async def ask(client: httpx2.AsyncClient, url: str) -> None:
        try:
            await client.post(url, json=refresh_body(token_of(simulator)))
        except httpx2.TransportError as error:
            errors.append(error)

    async with (
        httpx2.AsyncClient(headers=IDENTITY) as client,
        anyio.create_task_group() as tasks,
        simulator.serve() as server,
    ):
        tasks.start_soon(ask, client, server.token_url)
        await until(lambda: len(simulator.oauth.refreshes) == 1)

    assert (len(errors), simulator.oauth.requests[0].closed) == (1, True)


@pytest.mark.parametrize(
    ('make', 'match'),
    [
        (lambda: answer_with({}, status=100), 'status=100'),
        (lambda: late_answer(seconds=-1), 'seconds=-1'),
        (lambda: late_answer(seconds=math.nan), 'seconds=nan'),
        (lambda: lost_answer(cut_after=-1), 'cut_after=-1'),
        (lambda: CodexSimulator().oauth.script_token(NO_ANSWER), "'fail' is no answer"),
    ],
)
async def test_orders_that_cannot_be(make: Callable[[], object], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        make()
