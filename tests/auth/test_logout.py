"""Logging out, and what becomes of the login that a new one replaces."""

from __future__ import annotations

import pickle
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsFileError, CredentialsNotFoundError, MemoryStore
from pydantic_ai_codex.auth._abilities import check_store
from pydantic_ai_codex.auth._login.logout import LogoutResult, NotRemovedError, logout
from pydantic_ai_codex.auth._login.saving import login_with_api_key, login_with_token, save_login
from pydantic_ai_codex.errors import ConfigurationError, LoginError
from pydantic_ai_codex.testing import fake_access_token

from .login_service import ENDPOINTS, NOW, Clock, LoginService

pytestmark = pytest.mark.anyio

OLD = Credentials(fake_access_token(account_id='acct-1'), refresh_token='rt-old-secret')
NEW = Credentials(fake_access_token(account_id='acct-2'), refresh_token='rt-new-secret')
KEY = Credentials('sk-secret', auth_mode='apikey')


class Store:
    """A store that tells in which order it is used."""

    def __init__(self, credentials: Credentials | Exception | None = None) -> None:
        self.credentials = credentials
        self.calls: list[str] = []

    async def load(self) -> Credentials:
        self.calls.append('load')
        if isinstance(self.credentials, Exception):
            raise self.credentials
        if self.credentials is None:
            raise CredentialsNotFoundError('empty')
        return self.credentials

    async def save(self, credentials: Credentials) -> None:
        self.calls.append('save')
        self.credentials = credentials

    async def remove(self) -> bool:
        self.calls.append('remove')
        was_there, self.credentials = self.credentials is not None, None
        return was_there

    async def clear_note(self) -> None:
        self.calls.append('clear_note')

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        self.calls.append('lock')
        yield
        self.calls.append('unlock')


async def log_out(store: Any, *answers: Any) -> tuple[LogoutResult, LoginService]:
    service = LoginService(*answers)
    return await logout(store, endpoints=ENDPOINTS, http=service.http), service


async def test_a_logout_revokes_and_then_removes() -> None:
    store = Store(OLD)

    result, service = await log_out(store, (200, {}))

    assert result == LogoutResult(revoked=True, removed=True)
    assert store.calls == ['lock', 'load', 'remove', 'unlock']
    assert service.outline == snapshot(
        [
            (
                '/oauth/revoke',
                {
                    'token': 'rt-old-secret',
                    'token_type_hint': 'refresh_token',
                    'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
                },
            )
        ]
    )
    (request,) = service.requests
    assert request.headers['originator'] == 'pydantic_ai_codex'


@pytest.mark.parametrize(
    ('answer', 'problem'),
    [
        ((500, ''), 'status 500'),
        ((404, {'message': 'no rt-old-secret here'}), 'no *** here'),
        ((400, {'error': 'invalid_grant'}), 'does not take'),
        (httpx2.ConnectError('x'), 'login.example was not reached'),
    ],
)
async def test_it_removes_also_when_revocation_fails(answer: Any, problem: str) -> None:
    store = Store(OLD)

    result, _ = await log_out(store, answer)

    assert (result.revoked, result.removed, store.credentials) == (False, True, None)
    assert result.problem is not None
    assert problem in result.problem


@pytest.mark.parametrize('credentials', [KEY, Credentials(fake_access_token())])
async def test_there_may_be_nothing_to_revoke(credentials: Credentials) -> None:
    result, service = await log_out(Store(credentials))

    assert result == LogoutResult(revoked=False, removed=True)
    assert service.requests == []


@pytest.mark.parametrize(
    ('credentials', 'answers', 'revoked', 'left'),
    [
        (OLD, [(200, '')], True, 'The login is revoked, so the tokens that are left are of no use any more.'),
        (OLD, [httpx2.ConnectError('x')], False, 'The login in it still works, as it could not be revoked: '),
        (KEY, [], False, 'The login in it still works.'),
    ],
)
async def test_a_login_that_cannot_be_removed(
    credentials: Credentials, answers: list[Any], revoked: bool, left: str
) -> None:
    class ReadOnly(Store):
        async def remove(self) -> bool:
            raise CredentialsFileError('It stays.', path=Path('auth.json'))

    with pytest.raises(NotRemovedError, match=r'It stays\.') as raised:
        await log_out(ReadOnly(credentials), *answers)

    assert f'It stays. {left}' in str(raised.value)
    assert (raised.value.result.revoked, raised.value.result.removed) == (revoked, False)
    assert pickle.loads(pickle.dumps(raised.value)).result == raised.value.result


async def test_nobody_is_logged_in() -> None:
    store = Store()

    result, service = await log_out(store)

    assert result == LogoutResult(revoked=False, removed=False)
    assert (store.calls, service.requests) == (['lock', 'load', 'unlock'], [])


async def test_what_is_no_login_is_not_removed(tmp_path: Path) -> None:
    store = Store(CredentialsFileError('not whole JSON', path=tmp_path))

    with pytest.raises(CredentialsFileError):
        await log_out(store)

    assert 'remove' not in store.calls


async def test_a_store_that_cannot_remove() -> None:
    with pytest.raises(LoginError, match=r'Add an `async def remove\(\)` to the store') as raised:
        await log_out(MemoryStore(OLD))

    assert raised.value.reason == 'refused'


async def test_the_variable_of_the_cli_names_where_to_revoke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_REVOKE_TOKEN_URL_OVERRIDE', 'http://127.0.0.1:9/revoke')
    service = LoginService((200, {}))

    await logout(Store(OLD), http=service.http)

    assert [str(request.url) for request in service.requests] == ['http://127.0.0.1:9/revoke']


async def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / 'auth.json'
    store = AuthFile(path)
    service = LoginService((200, {}))
    await save_login(store, OLD, endpoints=ENDPOINTS, http=service.http)
    await check_store(store)

    result = await logout(store, endpoints=ENDPOINTS, http=service.http)

    assert result == LogoutResult(revoked=True, removed=True)
    assert not path.exists()


async def test_saving_a_login_ends_the_one_that_it_replaces() -> None:
    store = Store(OLD)
    service = LoginService((200, {}))

    replaced = await save_login(store, NEW, endpoints=ENDPOINTS, http=service.http)

    assert (replaced, store.credentials) == (OLD, NEW)
    assert store.calls == ['lock', 'load', 'save', 'clear_note', 'unlock']
    ((path, body),) = service.outline
    assert (path, body['token']) == ('/oauth/revoke', 'rt-old-secret')


@pytest.mark.parametrize('answer', [(500, ''), httpx2.ConnectError('x')])
async def test_that_the_old_login_cannot_be_ended_is_no_error(answer: Any) -> None:
    store = Store(OLD)

    await save_login(store, NEW, endpoints=ENDPOINTS, http=LoginService(answer).http)

    assert store.credentials == NEW


@pytest.mark.parametrize('old', [None, NEW, KEY, CredentialsFileError('torn', path=Path('auth.json'), is_torn=True)])
async def test_there_may_be_nothing_to_end(old: Credentials | Exception | None) -> None:
    store = Store(old)
    service = LoginService()

    await save_login(store, NEW, endpoints=ENDPOINTS, http=service.http)

    assert store.credentials == NEW
    assert service.requests == []


async def test_the_replaced_login_is_ended_where_it_came_from() -> None:
    old = Credentials(fake_access_token(), refresh_token='rt-old-secret', issuer='https://other.example')
    service = LoginService((200, {}))

    await save_login(Store(old), NEW, http=service.http)

    assert [str(request.url) for request in service.requests] == ['https://other.example/oauth/revoke']


async def test_what_is_kept_has_to_be_a_login() -> None:
    wrong: Any = {'access_token': 'secret'}
    store = Store(OLD)

    with pytest.raises(ConfigurationError, match='takes `Credentials`, not a dict'):
        await save_login(store, wrong)

    assert (store.credentials, store.calls) == (OLD, [])


async def test_a_login_that_is_not_kept_ends_nothing() -> None:
    class Full(Store):
        async def save(self, credentials: Credentials) -> None:
            raise CredentialsFileError('the disk is full', path=Path('auth.json'))

    service = LoginService()

    with pytest.raises(CredentialsFileError):
        await save_login(Full(OLD), NEW, endpoints=ENDPOINTS, http=service.http)

    assert service.requests == []


async def test_a_store_needs_no_lock() -> None:
    store = MemoryStore(OLD)

    await check_store(store)
    await save_login(store, NEW, endpoints=ENDPOINTS, http=LoginService((200, {})).http)

    assert await store.load() == NEW


async def test_a_store_that_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    class ReadOnly(Store):
        async def check_writable(self) -> None:
            raise CredentialsFileError('read-only', path=tmp_path)

    with pytest.raises(CredentialsFileError, match='read-only'):
        await check_store(ReadOnly())


def test_a_token_of_the_user() -> None:
    token = fake_access_token(account_id='acct-1', expires_at=NOW + timedelta(hours=1))

    credentials = login_with_token(f'  {token}\r\n', clock=Clock())

    assert (credentials.access_token, credentials.account_id) == (token, 'acct-1')


def test_a_token_that_names_no_account() -> None:
    assert login_with_token('at-opaque', account_id='acct-1').account_id == 'acct-1'


@pytest.mark.parametrize(
    ('text', 'message', 'reason'),
    [
        ('', 'nothing to read', 'refused'),
        (' \n', 'nothing to read', 'refused'),
        ('secret secret', 'one line of visible ASCII', 'refused'),
        ('secret\nsecret', 'one line of visible ASCII', 'refused'),
        ('sécret', 'one line of visible ASCII', 'refused'),
        ('sk-secret', '`--with-api-key`', 'refused'),
        ('CODEX_ACCESS_TOKEN=secret', 'leave out the name and the equals sign', 'refused'),
        ('at-secret', 'names no ChatGPT account', 'refused'),
        (fake_access_token(account_id=''), 'names no ChatGPT account', 'refused'),
        (fake_access_token(expires_at=NOW), 'expired at 2026-11-21 12:00 UTC', 'expired'),
    ],
)
def test_what_is_no_token(text: str, message: str, reason: str) -> None:
    with pytest.raises(LoginError, match=message) as raised:
        login_with_token(text, clock=Clock())

    assert raised.value.reason == reason
    assert 'secret' not in str(raised.value)


def test_a_key_of_the_user() -> None:
    credentials = login_with_api_key(' sk-secret\n')

    assert (credentials.access_token, credentials.auth_mode) == ('sk-secret', 'apikey')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'nothing to read'),
        ('sk secret', 'visible ASCII'),
        ('OPENAI_API_KEY=sk-secret', 'leave out the name'),
        ('"sk-secret"', 'quotation marks'),
        (fake_access_token(), '`--with-access-token`'),
    ],
)
def test_what_is_no_key(text: str, message: str) -> None:
    with pytest.raises(LoginError, match=message):
        login_with_api_key(text)
