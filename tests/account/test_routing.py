"""The routing of an account: found out once for each login, and never at the cost of a turn."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from pydantic_ai_codex._account import routing
from pydantic_ai_codex.auth import Credentials

from .backend import BASE_URL, LOGIN, Answer, Backend, Program, Time, accounts, hang, refuse_connection, status

pytestmark = pytest.mark.anyio

RENEWED = replace(LOGIN, access_token='at-secret-renewed')


async def override(program: Program, login: Credentials = LOGIN) -> str | None:
    await program.routing.discover(login, BASE_URL)
    return program.routing.override(login, BASE_URL)


@pytest.mark.parametrize(('value', 'header'), [('us', 'us'), ('us_cr', 'us_cr'), ('NO_CONSTRAINT', None), (None, None)])
async def test_the_override_of_the_account(
    value: object, header: str | None, program: Program, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.accounts = accounts(value)

    assert not program.routing.known(LOGIN, BASE_URL)
    assert program.routing.override(LOGIN, BASE_URL) is None
    assert await override(program) == header
    assert program.routing.known(LOGIN, BASE_URL)
    assert caplog.records == []


async def test_a_login_is_asked_about_once(program: Program, backend: Backend, time: Time) -> None:
    await override(program)
    time.passed = 10_000
    await override(program)

    assert backend.paths == ['/backend-api/wham/accounts/check']


async def test_many_at_once_ask_once(program: Program, backend: Backend) -> None:
    backend.accounts = accounts('us')
    found: list[str | None] = []

    async def discover() -> None:
        found.append(await override(program))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(discover)

    assert (found, len(backend.requests)) == (['us'] * 20, 1)


async def test_a_new_access_token_is_asked_about_anew(program: Program, backend: Backend) -> None:
    await override(program)
    backend.accounts = accounts('us')

    assert not program.routing.known(RENEWED, BASE_URL)
    assert await override(program, RENEWED) == 'us'
    assert program.routing.override(LOGIN, BASE_URL) is None


async def test_the_last_logins_are_remembered(program: Program, backend: Backend) -> None:
    logins = [replace(LOGIN, access_token=f'at-secret-{number}') for number in range(17)]
    for login in logins:
        await override(program, login)

    assert [program.routing.known(login, BASE_URL) for login in logins[1:]] == [True] * 16
    assert not program.routing.known(logins[0], BASE_URL)


@pytest.mark.parametrize('value', ['eu', 'US', '', 7, ['us'], {'us': 1}, 'us\r\nx-evil: 1', 'x' * 100_000])
async def test_an_override_that_is_not_known_is_told_and_not_sent(
    value: object, program: Program, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.accounts = accounts(value)

    assert await override(program) is None
    assert await override(program) is None
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert 'which this version does not know' in record.getMessage()
    assert len(record.getMessage()) < 600


async def test_the_account_of_the_login_counts_and_no_other(program: Program, backend: Backend) -> None:
    backend.accounts = accounts('us', account='acct-somebody-else')

    assert await override(program) is None
    assert program.routing.known(LOGIN, BASE_URL)


async def test_a_token_goes_to_no_origin_that_an_answer_names(program: Program, backend: Backend) -> None:
    backend.accounts = accounts('us', workspace_backend_origin='https://evil.example')
    await override(program)
    await program.models.get(LOGIN, BASE_URL)

    assert {request.url.host for request in backend.requests} == {'chatgpt.com'}


@pytest.mark.parametrize(
    'answer',
    [
        refuse_connection,
        status(401, {'detail': 'no'}),
        status(404, {'detail': 'Not Found'}),
        status(500, b''),
        status(302, b'', location='https://evil.example'),
        status(200, b'<html>Sign in</html>', **{'content-type': 'text/html'}),
        status(200, b'{"accounts": [{"id"'),
        status(200, []),
        status(200, {'accounts': {'a': 1}}),
        status(200, b'x' * (1024 * 1024 + 1)),
        status(200, b'[' * 100_000),
    ],
)
async def test_a_failure_is_tolerated_and_tried_again_after_five_minutes(
    answer: Answer, program: Program, backend: Backend, time: Time
) -> None:
    backend.accounts = answer

    assert await override(program) is None
    assert program.routing.known(LOGIN, BASE_URL)
    backend.accounts = accounts('us')
    time.passed = 299
    assert await override(program) is None
    time.passed = 300
    assert not program.routing.known(LOGIN, BASE_URL)
    assert await override(program) == 'us'
    assert len(backend.requests) == 2


@pytest.mark.parametrize('answer', [status(401, {'detail': 'no'}), status(403, b'<html>No</html>')])
async def test_a_refused_token_says_nothing_of_the_next(answer: Answer, program: Program, backend: Backend) -> None:
    backend.accounts = answer
    await override(program)
    backend.accounts = accounts('us')

    assert program.routing.known(LOGIN, BASE_URL)
    assert not program.routing.known(RENEWED, BASE_URL)
    assert await override(program, RENEWED) == 'us'


@pytest.mark.parametrize('answer', [hang, refuse_connection, status(404, {'detail': 'Not Found'})])
async def test_a_page_that_fails_is_not_waited_for_again_with_the_next_token(
    answer: Answer, program: Program, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, 'LOOKUP_PATIENCE', 0.01)
    backend.accounts = answer
    await override(program)

    assert program.routing.known(RENEWED, BASE_URL)
    assert await override(program, RENEWED) is None
    assert len(backend.requests) == 1


@pytest.mark.parametrize(
    'other', [(replace(LOGIN, account_id='acct-another'), BASE_URL), (LOGIN, 'http://127.0.0.1:1/backend-api/codex')]
)
async def test_a_failure_says_nothing_of_another_account_or_host(
    other: tuple[Credentials, str], program: Program, backend: Backend
) -> None:
    backend.accounts = status(500)
    await override(program)

    assert not program.routing.known(*other)


@pytest.mark.parametrize('accounts_', [[None], [[]], ['us'], [{'id': None}], [{'id': ['x']}], []])
async def test_entries_that_are_none(accounts_: list[Any], program: Program, backend: Backend) -> None:
    backend.accounts = status(200, {'accounts': accounts_})

    assert await override(program) is None
    assert program.routing.known(LOGIN, BASE_URL)


async def test_a_backend_that_hangs_is_not_waited_for_again(
    program: Program, backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, 'pydantic_ai_codex')
    monkeypatch.setattr(routing, 'LOOKUP_PATIENCE', 0.01)
    backend.accounts = hang

    assert await override(program) is None
    assert await override(program) is None
    assert len(backend.requests) == 1
    assert caplog.messages == [
        'No routing of the account is known, so no header for it is sent: '
        'The backend did not answer within 0.01 seconds.'
    ]


async def test_a_failure_is_told_once(
    program: Program, backend: Backend, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, 'pydantic_ai_codex')
    backend.accounts = status(500)
    for _ in range(3):
        await override(program)
        time.passed += 300

    assert (len(backend.requests), len(caplog.records)) == (3, 1)


@pytest.mark.parametrize(
    ('login', 'base_url'),
    [
        (Credentials('sk-secret-0123456789', auth_mode='apikey'), BASE_URL),
        (LOGIN, 'https://gateway.example/v1'),
    ],
)
async def test_others_have_no_routing(login: Credentials, base_url: str, program: Program, backend: Backend) -> None:
    assert program.routing.known(login, base_url)
    await program.routing.discover(login, base_url)

    assert (program.routing.override(login, base_url), backend.requests) == (None, [])


async def test_a_login_that_cannot_be_sent_is_left_to_the_turn(program: Program, backend: Backend) -> None:
    nobody = Credentials('at-secret')

    assert await override(program, nobody) is None
    assert (program.routing.known(nobody, BASE_URL), backend.requests) == (True, [])


async def test_whoever_is_cancelled_leaves_it_to_others(
    program: Program, backend: Backend, until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    async def answer_second(_: httpx2.Request) -> httpx2.Response:
        if len(backend.requests) == 1:
            await anyio.sleep_forever()
        return httpx2.Response(200, json={'accounts': [{'id': LOGIN.account_id, 'account_routing_override': 'us'}]})

    backend.accounts = answer_second
    found: list[str | None] = []

    async def wait() -> None:
        found.append(await override(program))

    async with anyio.create_task_group() as tasks, anyio.create_task_group() as asking:
        asking.start_soon(program.routing.discover, LOGIN, BASE_URL)
        await until(lambda: bool(backend.requests))
        tasks.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        asking.cancel_scope.cancel()

    assert found == ['us']
