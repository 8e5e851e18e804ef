# ruff: noqa: ASYNC240 - blocking for a moment does no harm to an event loop with one test on it.

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import (
    AccountChangedError,
    AuthFile,
    Credentials,
    CredentialsError,
    CredentialsFileError,
    CredentialsNotFoundError,
    CredentialsRefreshError,
    CredentialsSaveError,
    MemoryStore,
    RefreshMode,
    TokenSource,
)
from pydantic_ai_codex.auth._file.notes import new_note
from pydantic_ai_codex.auth._store import CredentialStore
from pydantic_ai_codex.errors import ConfigurationError

from .service import DAY, NOW, Clock, Service, jwt, login, refusal, tokens

pytestmark = pytest.mark.anyio

FRESH = login('fresh')
DUE = login('due', expires_in=DAY / 24 / 12)
EXPIRED = login('expired', expires_in=-DAY)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'auth.json'


Make = Callable[..., TokenSource]


@pytest.fixture
def make(service: Service, clock: Clock) -> Make:
    def source(store: CredentialStore, *, refresh: RefreshMode = 'auto') -> TokenSource:
        return TokenSource(store, refresh=refresh, http=service.http, clock=clock)

    return source


def write(path: Path, credentials: Credentials, **more: Any) -> AuthFile:
    """The login in a file, as another program would put it there."""
    names = ('id_token', 'access_token', 'refresh_token', 'account_id')
    held = {name: getattr(credentials, name) for name in names}
    document = {'auth_mode': 'chatgpt', 'tokens': held, 'last_refresh': '2026-11-20T12:00:00Z', **more}
    path.write_text(json.dumps(document), encoding='utf-8')
    path.chmod(0o600)
    return AuthFile(path)


def kept(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


# When


async def test_a_login_that_is_not_due_is_handed_out_as_it_is(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, FRESH))

    assert await source.credentials() == FRESH
    assert service.requests == []


async def test_a_login_that_is_due_is_refreshed_and_kept(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, DUE, unknown={'key': 1}))

    renewed = await source.credentials()

    assert renewed.access_token == jwt('new-1', expires_in=20 * DAY)
    assert service.requests == snapshot(
        [
            {
                'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
                'grant_type': 'refresh_token',
                'refresh_reason': 'proactive_expiry',
                'refresh_token': 'rt-secret-due',
            }
        ]
    )
    assert service.urls == ['https://auth.openai.com/oauth/token']
    assert service.headers[0]['originator'] == 'pydantic_ai_codex'
    assert service.headers[0]['user-agent'].startswith('pydantic_ai_codex/')
    assert 'authorization' not in service.headers[0]
    assert kept(path)['tokens']['refresh_token'] == 'rt-secret-new-1'
    assert kept(path)['last_refresh'] == '2026-11-21T12:00:00Z'
    assert kept(path)['unknown'] == {'key': 1}
    assert await source.credentials() == renewed
    assert len(service.requests) == 1


async def test_what_the_answer_leaves_out_stays(make: Make, service: Service, path: Path) -> None:
    service.answers.append(tokens('new', without=('refresh_token', 'id_token')))
    source = make(write(path, DUE))

    renewed = await source.credentials()

    assert renewed.refresh_token == 'rt-secret-due'
    assert kept(path)['tokens']['refresh_token'] == 'rt-secret-due'
    assert kept(path)['tokens']['access_token'] == jwt('new', expires_in=20 * DAY)


async def test_a_scheduled_refresh(make: Make, service: Service) -> None:
    old = Credentials('opaque', refresh_token='rt', account_id='acct-1', last_refresh=NOW - 9 * DAY)
    source = make(MemoryStore(old))

    await source.credentials()

    assert service.reasons == ['scheduled']


async def test_never_spends_no_token(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, EXPIRED), refresh='never')

    assert await source.credentials() == EXPIRED
    assert await source.recover(EXPIRED) is None
    with pytest.raises(ConfigurationError, match="`refresh='never'`"):
        await source.refresh()
    assert service.requests == []


async def test_never_takes_over_what_others_refreshed(make: Make, path: Path) -> None:
    source = make(write(path, EXPIRED), refresh='never')
    await source.credentials()
    write(path, FRESH)

    recovered = await source.recover(EXPIRED)

    assert recovered is not None
    assert recovered.credentials == FRESH
    assert not recovered.is_refreshed


# After a refusal


async def test_recover_adopts_what_another_program_put_there(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, FRESH))
    refused = await source.credentials()
    write(path, login('theirs'))

    recovered = await source.recover(refused)

    assert recovered == (login('theirs'), False)
    assert service.requests == []


async def test_recover_refreshes_where_there_is_nothing_else(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, FRESH))

    recovered = await source.recover(await source.credentials())

    assert recovered is not None
    assert recovered.is_refreshed
    assert service.reasons == ['unauthorized_recovery']
    assert kept(path)['tokens']['refresh_token'] == 'rt-secret-new-1'


async def test_a_token_that_was_just_got_is_not_refreshed_again(make: Make, service: Service, clock: Clock) -> None:
    """Not by other sources either: a backend that refuses everything must not cost a token for each request."""
    store = MemoryStore(FRESH)
    source = make(store)
    recovered = await source.recover(FRESH)
    assert recovered is not None

    assert await source.recover(recovered.credentials) is None
    assert await make(store).recover(recovered.credentials) is None
    clock.passed += 61
    assert await source.recover(recovered.credentials) is not None
    assert len(service.requests) == 2


async def test_recover_without_leave_to_refresh(make: Make, service: Service) -> None:
    source = make(MemoryStore(FRESH))

    assert await source.recover(FRESH, may_refresh=False) is None
    assert service.requests == []


@pytest.mark.parametrize(
    'credentials', [replace(FRESH, refresh_token=None), Credentials('sk-1', auth_mode='apikey')], ids=['bare', 'key']
)
async def test_recover_of_what_cannot_be_refreshed(make: Make, service: Service, credentials: Credentials) -> None:
    assert await make(MemoryStore(credentials)).recover(credentials) is None
    assert service.requests == []


# One at a time


async def test_tasks_of_one_source_refresh_once(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, EXPIRED))
    found: list[Credentials] = []

    async def ask() -> None:
        found.append(await source.credentials())

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(ask)

    assert len(service.requests) == 1
    assert {each.access_token for each in found} == {jwt('new-1', expires_in=20 * DAY)}


def test_threads_and_sources_refresh_once(make: Make, service: Service, path: Path) -> None:
    write(path, EXPIRED)
    sources = [make(AuthFile(path)) for _ in range(4)]
    barrier = threading.Barrier(16)
    found: list[str] = []

    def ask(source: TokenSource) -> None:
        barrier.wait()
        found.append(asyncio.run(source.credentials()).access_token)

    threads = [threading.Thread(target=ask, args=(sources[number % 4],)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(service.requests) == 1
    assert found == [jwt('new-1', expires_in=20 * DAY)] * 16


async def test_nobody_waits_for_a_refresh_while_the_token_is_valid(make: Make, service: Service) -> None:
    started, go_on = threading.Event(), threading.Event()

    def block() -> None:
        started.set()
        go_on.wait(60)

    service.on_request = block
    source = make(MemoryStore(DUE))
    results: list[Credentials] = []

    async def ask() -> None:
        results.append(await source.credentials())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.to_thread.run_sync(started.wait)
        assert await source.credentials() == DUE
        go_on.set()

    assert results[0].refresh_token == 'rt-secret-new-1'


async def test_what_another_process_refreshed_meanwhile_is_adopted(make: Make, service: Service, path: Path) -> None:
    asked = anyio.Event()

    class Watched(AuthFile):
        def lock(self, patience: float = 60.0) -> Any:
            asked.set()
            return super().lock(patience)

    write(path, EXPIRED)
    source = make(Watched(path))
    results: list[Credentials] = []

    async def ask() -> None:
        results.append(await source.credentials())

    async with anyio.create_task_group() as tasks, AuthFile(path).lock():
        tasks.start_soon(ask)
        await asked.wait()
        write(path, login('theirs'))

    assert results == [login('theirs')]
    assert service.requests == []


@pytest.mark.parametrize('bound', [False, True], ids=['our store', 'store of an application'])
async def test_a_cancelled_caller_does_not_lose_the_answer(
    service: Service, clock: Clock, until: Callable[[Callable[[], bool]], Awaitable[None]], bound: bool
) -> None:
    class Store(MemoryStore):
        pass

    store = Store(EXPIRED) if bound else MemoryStore(EXPIRED)
    source = TokenSource(store, http=service.http, clock=clock)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    service.on_request = lambda: loop.call_soon_threadsafe(asked.set)
    task = asyncio.create_task(source.credentials())
    await asked.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    saved: list[Credentials] = []

    def is_saved() -> bool:
        saved[:] = [store._credentials or EXPIRED]  # pyright: ignore[reportPrivateUsage]
        return saved[0].refresh_token == 'rt-secret-new-1'

    await until(is_saved)
    assert (await source.credentials()).refresh_token == 'rt-secret-new-1'
    assert len(service.requests) == 1


# Failures


@pytest.mark.parametrize(
    ('answer', 'message'),
    [
        (httpx2.Response(500, text='oops'), 'The login service answered with status 500. Try again later'),
        (httpx2.Response(429, json={'error': {'message': 'slow down'}}), 'status 429 (slow down)'),
        (httpx2.Response(403, text='<html>'), 'status 403'),
        (httpx2.Response(307, headers={'location': 'https://evil.example'}), 'status 307'),
        (httpx2.ConnectError('no route'), 'https://auth.openai.com was not reached (ConnectError: no route)'),
    ],
)
async def test_a_failure_that_may_go_away_leaves_a_valid_token_in_use(
    make: Make, service: Service, clock: Clock, caplog: pytest.LogCaptureFixture, answer: Any, message: str
) -> None:
    service.answers.append(answer)
    source = make(MemoryStore(DUE))

    assert await source.credentials() == DUE
    assert await source.credentials() == DUE
    assert len(service.requests) == 1
    assert [message in record.getMessage() for record in caplog.records] == [True]
    assert 'secret' not in caplog.text

    clock.passed += 61
    assert (await source.credentials()).refresh_token == 'rt-secret-new-2'


async def test_what_is_set_up_wrong_does_not_matter_yet(
    make: Make, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', 'http://evil.example')

    assert await make(MemoryStore(DUE)).credentials() == DUE
    assert 'The token URL' in caplog.text
    with pytest.raises(ConfigurationError, match='The token URL'):
        await make(MemoryStore(EXPIRED)).credentials()
    assert service.requests == []


async def test_an_opaque_token_counts_as_valid(make: Make, service: Service, clock: Clock) -> None:
    service.answers += [httpx2.Response(503)] * 2
    opaque = Credentials('opaque', refresh_token='rt', account_id='acct-1', last_refresh=NOW - 9 * DAY)
    source = make(MemoryStore(opaque))

    for _ in range(10):
        clock.passed += 5
        assert await source.credentials() == opaque
    assert len(service.requests) == 1


async def test_a_refused_token_is_not_left_alone_for_a_failure_before(
    make: Make, service: Service, clock: Clock
) -> None:
    service.answers.append(httpx2.Response(503))
    source = make(MemoryStore(DUE))
    assert await source.credentials() == DUE

    clock.passed += 3
    recovered = await source.recover(DUE)
    assert recovered is not None
    assert recovered.is_refreshed


async def test_machines_whose_clocks_differ_do_not_refresh_in_turn(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, FRESH))
    await source.credentials()
    write(path, replace(login('theirs'), last_refresh=NOW - DAY))

    theirs = await source.credentials()
    assert await source.recover(theirs) is None
    assert service.requests == []


async def test_an_expired_token_is_fought_for(make: Make, service: Service, clock: Clock) -> None:
    service.answers += [httpx2.ConnectError('no route'), httpx2.Response(503), httpx2.Response(429)]

    renewed = await make(MemoryStore(EXPIRED)).credentials()

    assert renewed.refresh_token == 'rt-secret-new-4'
    assert clock.waits == [0.5, 1.0, 2.0]


async def test_an_expired_token_that_cannot_be_refreshed_is_an_error(make: Make, service: Service) -> None:
    service.answers += [httpx2.Response(500, json={'detail': 'down'})] * 4
    source = make(MemoryStore(EXPIRED))

    with pytest.raises(CredentialsRefreshError) as caught:
        await source.credentials()
    with pytest.raises(CredentialsRefreshError) as again:
        await source.credentials()

    assert str(caught.value) == snapshot(
        'The login could not be refreshed. The login service answered with status 500 (down). Try again later; should it go on, log in anew.'
    )
    assert (caught.value.status_code, caught.value.is_permanent) == (500, False)
    assert str(again.value) == str(caught.value)
    assert again.value is not caught.value
    assert len(service.requests) == 4


UNKNOWN = [
    (httpx2.ReadTimeout('slow'), 'https://auth.openai.com did not answer (ReadTimeout: slow)'),
    (httpx2.ReadError('cut'), 'https://auth.openai.com did not answer (ReadError: cut)'),
    (httpx2.Response(502, text='<html>'), 'status 502'),
    (httpx2.Response(504), 'status 504'),
    (httpx2.Response(200, text='<html>'), 'The login service answered with status 200 and no tokens'),
]
"""Answers after which the refresh token may be spent."""


@pytest.mark.parametrize(('answer', 'message'), UNKNOWN)
async def test_a_lost_answer_is_not_asked_for_again_while_the_token_will_do(
    make: Make, service: Service, clock: Clock, path: Path, caplog: pytest.LogCaptureFixture, answer: Any, message: str
) -> None:
    service.answers.append(answer)
    source = make(write(path, DUE))

    assert await source.credentials() == DUE
    clock.passed += 120
    assert await source.credentials() == DUE
    assert await make(AuthFile(path)).credentials() == DUE
    assert len(service.requests) == 1
    assert message in caplog.records[0].getMessage()

    clock.passed += 300
    assert (await source.credentials()).refresh_token == 'rt-secret-new-2'


@pytest.mark.parametrize(('answer', 'message'), UNKNOWN)
async def test_a_lost_answer_is_not_asked_for_again_at_once(
    make: Make, service: Service, clock: Clock, answer: Any, message: str
) -> None:
    service.answers.append(answer)
    source = make(MemoryStore(EXPIRED))

    with pytest.raises(CredentialsRefreshError) as caught:
        await source.credentials()

    assert message in str(caught.value)
    assert not caught.value.is_permanent
    assert len(service.requests) == 1
    assert clock.waits == []
    clock.passed += 3
    assert (await source.credentials()).refresh_token == 'rt-secret-new-2'


@pytest.mark.parametrize(
    ('code', 'status'),
    [
        ('refresh_token_expired', 401),
        ('refresh_token_reused', 401),
        ('refresh_token_invalidated', 401),
        ('REFRESH_TOKEN_REUSED', 400),
        ('invalid_grant', 400),
        ('something_new', 401),
    ],
)
async def test_a_permanent_failure_is_remembered(
    make: Make, service: Service, clock: Clock, path: Path, code: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    service.answers.append(refusal(code, status=status))
    source = make(write(path, DUE))

    assert await source.credentials() == DUE
    clock.passed += 3600
    for _ in range(2):
        with pytest.raises(CredentialsRefreshError) as caught:
            await source.credentials()
        assert caught.value.is_permanent
        assert caught.value.code == code.lower()
        assert f'Run `pydantic-ai-codex login --store {path}` to log in anew' in str(caught.value)
        assert 'secret' not in repr(caught.value) + str(caught.value)
    assert len(service.requests) == 1
    assert len(caplog.records) == 1
    assert 'secret' not in caplog.text

    # Another process knows it, too.
    with pytest.raises(CredentialsRefreshError) as elsewhere:
        await make(AuthFile(path)).credentials()
    assert elsewhere.value.is_permanent
    assert len(service.requests) == 1

    # Until somebody logs in.
    write(path, login('again'))
    assert await source.credentials() == login('again')


async def test_reused_adopts_what_the_other_program_writes_a_moment_later(service: Service, path: Path) -> None:
    class Late(Clock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if len(self.waits) == 3:
                write(path, login('theirs'))

    clock = Late()
    service.answers.append(refusal('refresh_token_reused'))
    source = TokenSource(write(path, EXPIRED), http=service.http, clock=clock)

    assert await source.credentials() == login('theirs')
    assert len(service.requests) == 1
    assert await source.credentials() == login('theirs')


async def test_a_clock_that_is_wrong_does_not_cost_a_token_for_each_request(
    make: Make, service: Service, clock: Clock
) -> None:
    clock.passed = 40 * 24 * 3600
    service.answers += [tokens('one'), tokens('two')]
    source = make(MemoryStore(EXPIRED))

    assert [(await source.credentials()).refresh_token for _ in range(10)] == ['rt-secret-one'] * 10
    clock.passed += 61
    assert (await source.credentials()).refresh_token == 'rt-secret-two'


async def test_another_account_that_logs_in_meanwhile_is_an_error(make: Make, service: Service, path: Path) -> None:
    service.on_request = lambda: write(path, login('other', account='acct-2'))
    source = make(write(path, EXPIRED))

    with pytest.raises(AccountChangedError):
        await source.credentials()
    assert kept(path)['tokens']['refresh_token'] == 'rt-secret-other'


async def test_a_login_that_is_ended_meanwhile_does_not_come_back(make: Make, service: Service, path: Path) -> None:
    service.on_request = path.unlink
    source = make(write(path, EXPIRED))

    with pytest.raises(CredentialsNotFoundError):
        await source.credentials()
    assert [each.name for each in path.parent.iterdir() if each.is_file()] == ['.auth.json.lock']


async def test_an_account_that_is_named_later_is_no_other(make: Make, service: Service, path: Path) -> None:
    opaque = Credentials('opaque', refresh_token='rt', id_token='it', last_refresh=NOW - 9 * DAY)
    source = make(write(path, opaque, last_refresh='2026-11-01T00:00:00Z'))

    await source.credentials()
    assert (await source.credentials()).account_id == 'acct-1'
    write(path, login('other', account='acct-2'))
    with pytest.raises(AccountChangedError):
        await source.credentials()


async def test_another_account_is_an_error(make: Make, service: Service, path: Path) -> None:
    source = make(write(path, FRESH))
    await source.credentials()
    write(path, login('other', account='acct-2'))

    for ask in (source.credentials, source.refresh, lambda: source.recover(FRESH)):
        with pytest.raises(AccountChangedError) as caught:
            await ask()
        assert 'holds the login of another account than before' in str(caught.value)
        assert 'Make a new `CodexProvider`' in str(caught.value)
    assert service.requests == []
    assert (await make(AuthFile(path)).credentials()).account_id == 'acct-2'


async def test_a_store_of_an_application_may_change_its_account(make: Make, service: Service) -> None:
    store = MemoryStore(FRESH)
    source = make(store)
    await source.credentials()
    await store.save(login('other', account='acct-2'))

    assert (await source.credentials()).account_id == 'acct-2'
    with pytest.raises(AccountChangedError):
        await source.recover(FRESH)


async def test_a_login_that_went_away_is_missing(make: Make, path: Path) -> None:
    source = make(write(path, FRESH))
    await source.credentials()
    path.unlink()

    with pytest.raises(CredentialsNotFoundError):
        await source.credentials()


# What cannot be kept


async def test_no_token_is_spent_that_could_not_be_kept(
    make: Make, service: Service, clock: Clock, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = make(write(path, DUE))
    path.chmod(0o400)

    assert await source.credentials() == DUE
    clock.passed += 3600
    with pytest.raises(CredentialsFileError):
        await source.credentials()

    assert service.requests == []
    assert len(caplog.records) == 1


class Refusing(MemoryStore):
    """A store of an application that cannot save at the moment."""

    is_broken = True
    saves = 0

    async def save(self, credentials: Credentials) -> None:
        self.saves += 1
        if self.is_broken:
            raise OSError('no space')
        await super().save(credentials)


async def test_a_failed_save_is_an_error_of_its_own_and_the_tokens_stay_in_use(
    make: Make, service: Service, clock: Clock
) -> None:
    store = Refusing(EXPIRED)
    source = make(store)

    with pytest.raises(CredentialsSaveError) as caught:
        await source.credentials()
    assert str(caught.value) == snapshot(
        'The new tokens could not be kept in the store Refusing (OSError: no space). They are in the memory of this process, and saving is tried again at later requests; mend the store before it ends, or log in anew afterwards.'
    )
    assert (await source.credentials()).refresh_token == 'rt-secret-new-1'

    store.is_broken = False
    clock.passed += 61
    assert (await source.credentials()).refresh_token == 'rt-secret-new-1'
    assert (await store.load()).refresh_token == 'rt-secret-new-1'
    assert store.saves == 2
    assert len(service.requests) == 1


async def test_tokens_that_could_not_be_kept_are_not_refreshed_before_they_are(
    make: Make, service: Service, clock: Clock
) -> None:
    service.answers.append(tokens('short', expires_in=DAY))
    store = Refusing(EXPIRED)
    source = make(store)
    with pytest.raises(CredentialsSaveError):
        await source.credentials()

    clock.passed += 25 * 3600
    with pytest.raises(CredentialsSaveError, match='no space'):
        await source.credentials()
    assert len(service.requests) == 1

    store.is_broken = False
    clock.passed += 61
    assert (await source.credentials()).refresh_token == 'rt-secret-new-2'
    assert service.requests[1]['refresh_token'] == 'rt-secret-short'


async def test_a_login_made_meanwhile_stands(make: Make, service: Service, path: Path) -> None:
    service.on_request = lambda: write(path, login('theirs'))
    source = make(write(path, EXPIRED))

    assert await source.credentials() == login('theirs')
    assert kept(path)['tokens']['refresh_token'] == 'rt-secret-theirs'


class Moody(MemoryStore):
    """A store of an application whose database comes and goes, and quotes what it was given."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(credentials)
        self.loads = 0
        self.broken_load = 0
        self.is_broken = False

    async def load(self) -> Credentials:
        self.loads += 1
        if self.loads == self.broken_load:
            raise ConnectionError('gone')
        return await super().load()

    async def save(self, credentials: Credentials) -> None:
        if self.is_broken:
            raise RuntimeError(f'INSERT failed [parameters: ({credentials.refresh_token!r}, {credentials!r})]')
        await super().save(credentials)


async def test_whatever_a_store_raises_is_an_error_of_ours(make: Make) -> None:
    store = Moody(FRESH)
    store.broken_load = 1

    with pytest.raises(CredentialsError, match=r'The store Moody could not be read \(ConnectionError: gone\)'):
        await make(store).credentials()
    assert await make(store).credentials() == FRESH


async def test_a_store_that_fails_while_the_service_is_asked_loses_no_token(make: Make, service: Service) -> None:
    store = Moody(EXPIRED)
    store.broken_load = 3
    source = make(store)

    assert (await source.credentials()).refresh_token == 'rt-secret-new-1'
    assert (await store.load()).refresh_token == 'rt-secret-new-1'
    assert len(service.requests) == 1


async def test_an_error_of_a_store_does_not_tell_the_tokens(
    make: Make, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    store = Moody(replace(EXPIRED, refresh_token='rt-secret-which-is-long'))
    store.is_broken = True
    source = make(store)
    with pytest.raises(CredentialsSaveError) as caught:
        await source.credentials()

    assert 'INSERT failed [parameters: (' in str(caught.value)
    assert 'secret' not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)

    # The tokens stay in use; what keeps going wrong is told in the log.
    for _ in range(3):
        clock.passed += 61
        assert (await source.credentials()).refresh_token == 'rt-secret-new-1'
    assert len(caplog.records) == 1
    assert 'rt-secret' not in caplog.text


@pytest.mark.parametrize(
    ('lock', 'message'),
    [
        (lambda: 7, 'The `lock` of the store Locking has to return an asynchronous context manager'),
        (threading.Lock, 'The `lock` of the store Locking has to return an asynchronous context manager'),
    ],
)
async def test_a_lock_that_is_none(make: Make, service: Service, lock: Any, message: str) -> None:
    class Locking(MemoryStore):
        def lock(self) -> Any:
            return lock()

    with pytest.raises(ConfigurationError, match=message):
        await make(Locking(EXPIRED)).credentials()
    assert service.requests == []


async def test_a_lock_that_is_a_coroutine(make: Make, service: Service) -> None:
    class Locking(MemoryStore):
        async def lock(self) -> None: ...

    with pytest.raises(ConfigurationError, match='and not be an `async def`'):
        await make(Locking(EXPIRED)).credentials()
    assert service.requests == []


class Noting(MemoryStore):
    """A store of an application that keeps notes, and keeps them badly."""

    def broken(self) -> Any:
        raise KeyError('notes')

    async def check_writable(self) -> None: ...

    async def read_note(self) -> Any:
        return self.broken()

    async def write_note(self, note: Any) -> None: ...

    async def clear_note(self) -> None:
        self.broken()

    async def finish_save(self) -> Any:
        return self.broken()

    async def describe(self) -> str:
        return 'a coroutine'


async def test_notes_that_are_kept_badly_do_no_harm(make: Make, service: Service) -> None:
    store = Noting(EXPIRED)

    assert (await make(store).credentials()).refresh_token == 'rt-secret-new-1'
    assert (await store.load()).refresh_token == 'rt-secret-new-1'


async def test_a_note_that_cannot_be_written_keeps_the_token_from_being_spent(make: Make, service: Service) -> None:
    class Full(Noting):
        async def write_note(self, note: Any) -> None:
            raise OSError('full')

    with pytest.raises(CredentialsError, match=r'The store Full could not be given a note \(OSError: full\)'):
        await make(Full(EXPIRED)).credentials()
    assert service.requests == []


@pytest.mark.parametrize(('broken', 'requests'), [('enter', 0), ('exit', 1)])
async def test_a_lock_that_breaks(make: Make, service: Service, broken: str, requests: int) -> None:
    class Locking(MemoryStore):
        @contextlib.asynccontextmanager
        async def lock(self) -> AsyncGenerator[None]:
            if broken == 'enter':
                raise OSError('no lock')
            yield
            raise OSError('no lock')

    source = make(Locking(EXPIRED))
    if broken == 'enter':
        with pytest.raises(CredentialsError, match=r'could not be locked \(OSError: no lock\)'):
            await source.credentials()
    else:
        assert (await source.credentials()).refresh_token == 'rt-secret-new-1'
    assert len(service.requests) == requests


async def test_a_save_that_is_not_asynchronous(make: Make, service: Service) -> None:
    class Vault(MemoryStore):
        def save(self, credentials: Credentials) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

    with pytest.raises(CredentialsSaveError, match='The `save` of the store Vault has to be an `async def`'):
        await make(Vault(EXPIRED)).credentials()


# After a kill


async def test_a_refresh_that_was_cut_off_is_told_and_not_repeated(
    make: Make, service: Service, clock: Clock, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(path, DUE)
    assert DUE.fingerprint is not None
    note = new_note(DUE.fingerprint, 'started', now=NOW)._replace(pid=4321, host='there')
    async with file.lock():
        await file.write_note(note)
    source = make(file)

    assert await source.credentials() == DUE
    clock.passed += 3600
    with pytest.raises(CredentialsRefreshError) as caught:
        await source.credentials()

    assert caught.value.is_interrupted
    assert str(caught.value).replace(str(path), 'auth.json') == snapshot(
        'The refresh that process 4321 on there began at 2026-11-21 12:00:00 UTC was cut off before its answer was kept, so the refresh token may be spent. Run `pydantic-ai-codex refresh --store auth.json` to try it all the same. Run `pydantic-ai-codex login --store auth.json` to log in anew.'
    )
    assert len(caplog.records) == 1
    assert service.requests == []

    # The user's word is enough.
    assert (await source.refresh()).refresh_token == 'rt-secret-new-1'
    assert await file.read_note() is None


async def test_nothing_is_noted_of_a_refresh_that_was_never_sent(
    clock: Clock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HTTPS_PROXY', 'socks9://127.0.0.1:9')
    file = write(path, EXPIRED)
    source = TokenSource(file, clock=clock)

    with pytest.raises(ConfigurationError, match='The HTTP client cannot be made'):
        await source.credentials()
    assert await file.read_note() is None


async def test_the_users_word_goes_before_a_failure_that_was_noted(make: Make, service: Service, path: Path) -> None:
    service.answers.append(refusal('refresh_token_invalidated'))
    source = make(write(path, EXPIRED))
    with pytest.raises(CredentialsRefreshError):
        await source.credentials()

    assert (await source.refresh()).refresh_token == 'rt-secret-new-2'
    assert (await source.credentials()).refresh_token == 'rt-secret-new-2'


async def test_tokens_that_were_written_down_before_a_kill_are_put_in_place(
    make: Make, service: Service, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(path, EXPIRED)
    assert EXPIRED.fingerprint is not None
    async with file.lock():
        await file.write_note(new_note(EXPIRED.fingerprint, 'started', now=NOW))
    content = path.read_text(encoding='utf-8')
    pending = path.with_name('.auth.json.new')
    pending.write_text(
        content.replace('rt-secret-expired', 'rt-secret-kept').replace(EXPIRED.access_token, jwt('kept'))
    )

    assert (await make(file).credentials()).refresh_token == 'rt-secret-kept'
    assert service.requests == []
    assert 'it has been finished now' in caplog.text
    assert not pending.exists()
    assert await file.read_note() is None


async def test_a_note_of_another_token_is_of_no_interest(make: Make, service: Service, path: Path) -> None:
    file = write(path, EXPIRED)
    async with file.lock():
        await file.write_note(new_note('0' * 16, 'started', now=NOW))

    assert (await make(file).credentials()).refresh_token == 'rt-secret-new-1'
    assert await file.read_note() is None


async def test_the_note_stands_while_the_service_is_asked(make: Make, service: Service, path: Path) -> None:
    file = write(path, EXPIRED)
    notes: list[Any] = []
    service.on_request = lambda: notes.append([each.name for each in path.parent.iterdir() if 'refresh' in each.name])

    await make(file).credentials()

    assert notes == [['.auth.json.refresh']]
    assert await file.read_note() is None


# Who waits


async def test_a_valid_token_does_not_wait_for_another_process(make: Make, service: Service, path: Path) -> None:
    file = write(path, DUE)

    async with AuthFile(path).lock():
        with anyio.fail_after(30):
            assert await make(file).credentials() == DUE
    assert (await make(file).credentials()).refresh_token == 'rt-secret-new-1'


def test_an_event_loop_that_ends_does_not_end_the_refresh(service: Service, clock: Clock) -> None:
    go_on = threading.Event()
    service.on_request = lambda: go_on.wait(60)
    source = TokenSource(MemoryStore(EXPIRED), http=service.http, clock=clock)

    async def give_up() -> None:
        with anyio.move_on_after(0.05):
            await source.credentials()

    asyncio.run(give_up())
    go_on.set()

    assert asyncio.run(source.credentials()).refresh_token == 'rt-secret-new-1'
    assert len(service.requests) == 1


def test_a_job_that_is_cancelled_before_it_begins_leaves_the_turn(service: Service, clock: Clock) -> None:
    """On a store of an application, whose refresh runs on the loop of the caller."""

    class Vault(MemoryStore):
        pass

    source = TokenSource(Vault(EXPIRED), http=service.http, clock=clock)

    async def cancel_all_and_ask_again() -> Credentials:
        task = asyncio.create_task(source.credentials())
        begun: set[asyncio.Task[Any]] = set()
        while not begun:
            await asyncio.sleep(0)
            begun = {each for each in asyncio.all_tasks() if each not in (task, asyncio.current_task())}
        for each in begun:
            each.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with anyio.fail_after(30):
            return await source.credentials()

    assert asyncio.run(cancel_all_and_ask_again()).refresh_token == 'rt-secret-new-1'


async def test_no_thread_to_be_had(make: Make, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, 'start', start)
        source = make(MemoryStore(EXPIRED))
        with pytest.raises(CredentialsError, match='no thread to be had'):
            await source.credentials()
        assert await make(MemoryStore(DUE)).credentials() == DUE
    assert service.requests == []
    assert (await source.refresh()).refresh_token == 'rt-secret-new-1'


async def test_a_lock_that_is_held_for_ever_is_nothing_for_the_user_to_mend(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make(write(path, EXPIRED))

    async with AuthFile(path).lock():
        monkeypatch.setattr('pydantic_ai_codex.auth._store.PATIENCE', 0)
        monkeypatch.setattr(AuthFile, 'lock', partialmethod(AuthFile.lock, 0))
        with pytest.raises(CredentialsRefreshError) as caught:
            await source.credentials()
    assert not caught.value.is_permanent


async def test_a_timeout_around_a_refresh_is_kept(
    make: Make, service: Service, until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    go_on = threading.Event()
    service.on_request = lambda: go_on.wait(60)
    store = MemoryStore(EXPIRED)
    source = make(store)

    with anyio.move_on_after(0.05) as scope:
        await source.credentials()
    assert scope.cancelled_caught
    go_on.set()
    assert (await source.credentials()).refresh_token == 'rt-secret-new-1'
    assert len(service.requests) == 1


async def test_a_refresh_that_nobody_waits_for_is_not_tried_again(
    make: Make, service: Service, clock: Clock, until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    """So that Ctrl-C ends a program that cannot reach the login service."""
    go_on = threading.Event()
    service.on_request = lambda: go_on.wait(60)
    service.answers += [httpx2.Response(503)] * 4
    source = make(MemoryStore(EXPIRED))

    with anyio.move_on_after(0.05):
        await source.credentials()
    go_on.set()
    with pytest.raises(CredentialsRefreshError, match='status 503'):
        await source.credentials()

    assert len(service.requests) == 1
    assert clock.waits == []


async def test_an_event_loop_that_is_closed_in_the_middle_of_a_refresh_does_not_hold_up_others(
    service: Service, clock: Clock
) -> None:
    """On a store of an application, whose refresh runs on the loop of the caller."""

    class Hanging(MemoryStore):
        hangs = True

        async def save(self, credentials: Credentials) -> None:
            if self.hangs:
                await anyio.sleep_forever()
            await super().save(credentials)

    store = Hanging(EXPIRED)
    source = TokenSource(store, http=service.http, clock=clock)

    def leave_a_loop() -> None:
        loop = asyncio.new_event_loop()
        with pytest.raises(TimeoutError):
            loop.run_until_complete(asyncio.wait_for(source.credentials(), 0.5))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    await anyio.to_thread.run_sync(leave_a_loop)
    store.hangs = False
    # What was got by then is not lost.
    assert (await source.credentials()).refresh_token == 'rt-secret-new-1'
    clock.passed += 61
    await source.credentials()
    assert (await store.load()).refresh_token == 'rt-secret-new-1'
    assert len(service.requests) == 1


# What it is made with


async def test_refresh_now(make: Make, service: Service) -> None:
    source = make(MemoryStore(FRESH))

    assert (await source.refresh()).refresh_token == 'rt-secret-new-1'
    assert (await source.refresh()).refresh_token == 'rt-secret-new-2'
    assert service.reasons == ['forced', 'forced']
    with pytest.raises(ConfigurationError, match='API key, which does not expire'):
        await make(MemoryStore(Credentials('sk-1', auth_mode='apikey'))).refresh()
    with pytest.raises(CredentialsRefreshError, match='has no refresh token'):
        await make(MemoryStore(replace(FRESH, refresh_token=None))).refresh()


def test_what_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="takes 'auto' or 'never', not 'always'"):
        TokenSource(MemoryStore(FRESH), refresh='always')  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match='which a str is not'):
        TokenSource('auth.json')  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match='which the class MemoryStore is not'):
        TokenSource(MemoryStore)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match='`endpoints` takes `Endpoints`'):
        TokenSource(MemoryStore(FRESH), endpoints='https://x')  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match='`http` takes an `AuthHTTP`'):
        TokenSource(MemoryStore(FRESH), http=httpx2.AsyncClient)  # pyright: ignore[reportArgumentType]
    assert 'secret' not in repr(TokenSource(MemoryStore(FRESH)))


async def test_the_url_of_the_environment(make: Make, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', 'http://127.0.0.1:9/token')
    await make(MemoryStore(EXPIRED)).credentials()

    assert service.urls == ['http://127.0.0.1:9/token']

    monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', 'http://evil.example/token')
    with pytest.raises(ConfigurationError, match='The token URL'):
        await make(MemoryStore(EXPIRED)).credentials()
    assert len(service.urls) == 1


@pytest.fixture(autouse=True)
def warnings_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger='pydantic_ai_codex')
