"""One login for pydantic-ai's own provider for Codex and for ours."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError, UserError

from pydantic_ai_codex import CodexCredentialSource, CodexModel, CodexProvider
from pydantic_ai_codex.auth import (
    AccountChangedError,
    AuthFile,
    Credentials,
    CredentialsError,
    CredentialsNotFoundError,
    CredentialsRefreshError,
    CredentialStore,
    MemoryStore,
)
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, fail, fake_access_token, reply

pytest.importorskip('openai', reason="pydantic-ai's own provider needs it")

from openai import OpenAIError
from pydantic_ai.models.openai_codex import OpenAICodexModel
from pydantic_ai.providers.openai_codex import OpenAICodexCredentials, OpenAICodexProvider

pytestmark = pytest.mark.anyio


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[CodexSimulator]:
    """Its login service behind a port, for our refreshes; requests to the backend stay in the process."""
    simulator = CodexSimulator(reply('Hello.'))
    async with simulator.serve() as server:
        monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', server.token_url)
        yield simulator


@pytest.fixture
def path(tmp_path: Path, simulator: CodexSimulator) -> Path:
    """A login file."""
    path = tmp_path / 'auth.json'
    write(path, simulator)
    return path


def write(path: Path, simulator: CodexSimulator, *, expires_in: float | None = None, **more: object) -> None:
    path.write_text(json.dumps(simulator.auth_json(expires_in=expires_in) | more), encoding='utf-8')
    path.chmod(0o600)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


def provider_on(simulator: CodexSimulator, store: CredentialStore) -> OpenAICodexProvider:
    return OpenAICodexProvider(credential_source=CodexCredentialSource(store), http_client=simulator.http_client())


async def ask(provider: OpenAICodexProvider) -> str:
    return (await Agent(OpenAICodexModel('gpt-5.5', provider=provider), instructions='Be kind.').run('Hi')).output


async def test_it_uses_the_login_of_the_store(simulator: CodexSimulator, path: Path) -> None:
    provider = provider_on(simulator, AuthFile(path))

    assert await ask(provider) == 'Hello.'
    assert provider.credentials == OpenAICodexCredentials(
        access_token=simulator.access_token,
        refresh_token=simulator.auth_json()['tokens']['refresh_token'],
        account_id=simulator.account_id,
    )
    assert simulator.oauth.refreshes == []


async def test_a_login_that_is_due_is_refreshed_here_and_kept(simulator: CodexSimulator, path: Path) -> None:
    write(path, simulator, expires_in=-1)
    provider = provider_on(simulator, AuthFile(path))

    assert await ask(provider) == 'Hello.'
    # pydantic-ai's own way to refresh gives no reason.
    assert [each.reason for each in simulator.oauth.refreshes] == ['proactive_expiry']
    assert read(path)['tokens']['access_token'] == provider.credentials.access_token


async def test_a_valid_login_is_used_while_the_login_service_is_down(simulator: CodexSimulator, path: Path) -> None:
    write(path, simulator, expires_in=20)  # due for pydantic-ai's provider, too
    simulator.oauth.script_token(fail(500))

    assert await ask(provider_on(simulator, AuthFile(path))) == 'Hello.'
    assert simulator.oauth.refreshes == []


async def test_a_refused_login_is_refreshed_here(simulator: CodexSimulator, path: Path) -> None:
    simulator.revoke()

    assert await ask(provider_on(simulator, AuthFile(path))) == 'Hello.'
    assert [each.reason for each in simulator.oauth.refreshes] == ['unauthorized_recovery']


async def test_what_another_process_refreshed_is_taken_over(simulator: CodexSimulator, path: Path) -> None:
    provider = provider_on(simulator, AuthFile(path))
    await ask(provider)
    simulator.add(reply('Again.'))
    simulator.revoke()
    write(path, simulator)

    assert await ask(provider) == 'Again.'
    assert simulator.oauth.refreshes == []


async def test_our_provider_goes_on_with_what_was_refreshed(simulator: CodexSimulator, path: Path) -> None:
    simulator.revoke()
    await ask(provider_on(simulator, AuthFile(path)))
    simulator.add(reply('Ours.'))

    ours = CodexProvider(credentials=AuthFile(path), http_client=simulator.http_client())

    assert (await Agent(CodexModel('gpt-5.5', provider=ours)).run('Hi')).output == 'Ours.'
    assert len(simulator.oauth.refreshes) == 1
    assert simulator.oauth.reuses == []


async def test_a_login_service_that_is_down_is_told_as_such(
    simulator: CodexSimulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def instant(*_: object) -> None: ...

    monkeypatch.setattr('pydantic_ai_codex._clock.SystemClock.sleep', instant)
    simulator.revoke()
    simulator.oauth.script_token(*[fail(500)] * 4)
    provider = provider_on(simulator, AuthFile(path))

    with pytest.raises(ModelAPIError, match='The login service answered with status 500') as caught:
        await ask(provider)

    assert isinstance(caught.value, OpenAIError)
    assert isinstance(caught.value.__cause__, CredentialsRefreshError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


async def test_a_login_that_is_refused_again_is_not_refreshed_without_end(
    simulator: CodexSimulator, path: Path
) -> None:
    source = CodexCredentialSource(AuthFile(path))
    first = await source.load()
    second = await source.load()

    with pytest.raises(UserError, match='there is no newer one'):
        await source.load()

    assert first.access_token != second.access_token
    assert len(simulator.oauth.refreshes) == 1


async def test_no_login_is_told_as_such(simulator: CodexSimulator) -> None:
    with pytest.raises(UserError, match='The `MemoryStore` is empty') as caught:
        await ask(provider_on(simulator, MemoryStore()))

    # The `openai` package hides every error but its own behind "Connection error.", after three attempts.
    assert isinstance(caught.value, OpenAIError)
    assert isinstance(caught.value, CredentialsError)
    assert isinstance(caught.value.__cause__, CredentialsNotFoundError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ('credentials', 'message'),
    [
        (
            Credentials('sk-key', auth_mode='apikey'),
            snapshot(
                "The login is a platform API key. Give that to pydantic-ai's `OpenAIProvider(api_key=...)`, or log in with ChatGPT: `pydantic-ai-codex login`."
            ),
        ),
        (
            Credentials('opaque', refresh_token='refresh'),
            snapshot(
                "The login has no account id, which pydantic-ai's `OpenAICodexProvider` needs. Run `pydantic-ai-codex login` (or `codex login`), or use `CodexProvider`."
            ),
        ),
        (
            Credentials(fake_access_token()),
            snapshot(
                "The login has no refresh token, which pydantic-ai's `OpenAICodexProvider` needs. Run `pydantic-ai-codex login` (or `codex login`), or use `CodexProvider`."
            ),
        ),
    ],
    ids=['key', 'no account', 'no refresh token'],
)
async def test_a_login_that_lacks_what_pydantic_ai_needs(credentials: Credentials, message: str) -> None:
    with pytest.raises(UserError) as caught:
        await CodexCredentialSource(MemoryStore(credentials)).load()

    assert str(caught.value) == message


def new_login(account_id: str) -> OpenAICodexCredentials:
    return OpenAICodexCredentials(
        access_token=fake_access_token(account_id=account_id), refresh_token='new', account_id=account_id
    )


async def test_saving_keeps_what_pydantic_ai_does_not_know(simulator: CodexSimulator, path: Path) -> None:
    write(path, simulator, another_program=[1])
    before = read(path)
    new = new_login(simulator.account_id)

    await CodexCredentialSource(AuthFile(path)).save(new)

    after = read(path)
    assert after['another_program'] == [1]
    assert after['last_refresh'] > before['last_refresh']
    assert after['tokens'] == before['tokens'] | {'access_token': new.access_token, 'refresh_token': 'new'}


async def test_saving_takes_no_other_account(path: Path) -> None:
    before = read(path)

    with pytest.raises(AccountChangedError, match='Nothing was changed'):
        await CodexCredentialSource(AuthFile(path)).save(new_login('another'))

    assert read(path) == before


@pytest.mark.parametrize('store', [MemoryStore(), MemoryStore(Credentials('sk-key', auth_mode='apikey'))])
async def test_a_first_login_is_saved_as_it_is(store: MemoryStore) -> None:
    new = new_login('account')

    await CodexCredentialSource(store).save(new)

    assert await CodexCredentialSource(store).load() == new
    assert (await store.load()).auth_mode == 'chatgpt'


def test_it_reads_where_the_environment_points_to_by_default() -> None:
    assert repr(CodexCredentialSource()) == 'CodexCredentialSource(EnvironmentStore())'


def test_what_is_no_store_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='str'):
        CodexCredentialSource('auth.json')  # pyright: ignore[reportArgumentType]


def test_without_openai_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['openai'] = None; import pydantic_ai_codex as p; p.CodexCredentialSource()"

    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert 'needs the package `openai`' in result.stderr
