# ruff: noqa: ASYNC240 - blocking for a moment does no harm to an event loop with one test on it.
"""A login that is refreshed, as the user of a model meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UserError
from pydantic_ai.models.fallback import FallbackModel

from pydantic_ai_codex import CodexModel, CodexProvider
from pydantic_ai_codex.auth import AuthFile
from pydantic_ai_codex.errors import (
    AccountChangedError,
    CredentialsError,
    CredentialsRefreshError,
    CredentialsSaveError,
)
from pydantic_ai_codex.testing import CodexSimulator, fail, reply

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'auth.json'


def write(path: Path, document: dict[str, Any]) -> AuthFile:
    path.write_text(json.dumps(document), encoding='utf-8')
    path.chmod(0o600)
    return AuthFile(path)


def tokens_sent(simulator: CodexSimulator) -> list[str]:
    return [request.headers['authorization'].removeprefix('Bearer ') for request in simulator.requests]


@pytest.mark.parametrize('expires_in', [300, -300], ids=['soon', 'expired'])
async def test_a_login_is_refreshed_before_it_is_used(path: Path, expires_in: int) -> None:
    simulator = CodexSimulator(reply('One.'), reply('Two.'))
    store = write(path, simulator.auth_json(expires_in=expires_in))
    agent = Agent(simulator.model(provider=simulator.provider(credentials=store)))

    assert [(await agent.run('Hi')).output for _ in range(2)] == ['One.', 'Two.']

    assert [refresh.reason for refresh in simulator.oauth.refreshes] == ['proactive_expiry']
    kept = json.loads(path.read_bytes())['tokens']
    assert tokens_sent(simulator) == [kept['access_token']] * 2
    assert kept['refresh_token'] == simulator.credentials.refresh_token


@pytest.mark.parametrize('streamed', [False, True])
async def test_a_refused_login_is_refreshed_and_the_request_sent_again(path: Path, streamed: bool) -> None:
    simulator = CodexSimulator(reply('Hi.'))
    store = write(path, simulator.auth_json())
    simulator.revoke()
    agent = Agent(simulator.model(provider=simulator.provider(credentials=store)))

    if streamed:
        async with agent.run_stream('Hi') as result:
            assert await result.get_output() == 'Hi.'
    else:
        assert (await agent.run('Hi')).output == 'Hi.'

    assert [request.status for request in simulator.requests] == [401, 200]
    assert [refresh.reason for refresh in simulator.oauth.refreshes] == ['unauthorized_recovery']
    assert len(set(tokens_sent(simulator))) == 2


async def test_a_refused_token_that_another_program_has_replaced_costs_no_refresh(path: Path) -> None:
    simulator = CodexSimulator(reply('Hi.'))
    store = write(path, simulator.auth_json())
    provider = simulator.provider(credentials=store)
    simulator.revoke()

    class Late(AuthFile):
        reads = 0

        async def load(self) -> Any:
            self.reads += 1
            if self.reads == 2:
                write(path, simulator.auth_json())
            return await super().load()

    provider = simulator.provider(credentials=Late(path))
    assert (await Agent(simulator.model(provider=provider)).run('Hi')).output == 'Hi.'

    assert [request.status for request in simulator.requests] == [401, 200]
    assert simulator.oauth.refreshes == []


async def test_a_new_token_that_is_refused_too_is_refreshed_once(path: Path) -> None:
    simulator = CodexSimulator()
    store = write(path, simulator.auth_json())
    provider = simulator.provider(credentials=store)
    simulator.oauth.before_answer = lambda _: None
    simulator.revoke()
    agent = Agent(simulator.model(provider=provider))

    class Refusing:
        """Every token is refused as soon as it is there."""

        def __call__(self, _: object) -> None:
            simulator.revoke()

    simulator.oauth.before_answer = Refusing()
    with pytest.raises(ModelHTTPError) as caught:
        await agent.run('Hi')

    assert caught.value.status_code == 401
    assert [request.status for request in simulator.requests] == [401, 401]
    assert len(simulator.oauth.refreshes) == 1


async def test_a_login_that_was_revoked_says_so(path: Path) -> None:
    simulator = CodexSimulator()
    store = write(path, simulator.auth_json())
    simulator.oauth.revoke_logins()
    provider = simulator.provider(credentials=store)

    with pytest.raises(ModelHTTPError) as caught:
        await Agent(simulator.model(provider=provider)).run('Hi')

    assert caught.value.status_code == 401
    assert 'The login could not be refreshed. The refresh token was revoked' in str(caught.value)
    assert f'Run `pydantic-ai-codex login --store {path}` to log in anew' in str(caught.value)
    assert [request.status for request in simulator.requests] == [401]
    assert len(simulator.oauth.requests) == 1

    # Nothing more is asked for the same login, also by other providers.
    for again in (provider, simulator.provider(credentials=AuthFile(path))):
        with pytest.raises(ModelHTTPError, match='The login could not be refreshed'):
            await Agent(simulator.model(provider=again)).run('Hi')
    assert len(simulator.oauth.requests) == 1


async def test_an_expired_login_that_will_not_come_back_is_an_error_of_the_user(path: Path) -> None:
    simulator = CodexSimulator()
    store = write(path, simulator.auth_json(expires_in=-60))
    simulator.oauth.expire_refresh_tokens()
    fallback = FallbackModel(simulator.model(provider=simulator.provider(credentials=store)), simulator.model())

    with pytest.raises(UserError, match='The refresh token has expired') as caught:
        await Agent(fallback).run('Hi')

    assert isinstance(caught.value, CredentialsError)
    assert isinstance(caught.value.__cause__, CredentialsRefreshError)
    assert simulator.requests == []


async def test_a_login_service_that_is_down_is_no_end_for_a_fallback(path: Path) -> None:
    simulator = CodexSimulator(reply('Instead.'))
    store = write(path, simulator.auth_json(expires_in=-60))
    simulator.oauth.script_token(*[fail(503)] * 4)
    model = simulator.model(provider=simulator.provider(credentials=store))

    with pytest.raises(ModelAPIError) as caught:
        await Agent(model).run('Hi')
    assert 'status 503' in str(caught.value)
    assert (await Agent(FallbackModel(model, simulator.model())).run('Hi')).output == 'Instead.'


async def test_a_login_service_that_is_down_does_not_matter_yet(path: Path) -> None:
    simulator = CodexSimulator(reply('Hi.'))
    store = write(path, simulator.auth_json(expires_in=300))
    simulator.oauth.script_token(fail(503))

    agent = Agent(simulator.model(provider=simulator.provider(credentials=store)))
    assert (await agent.run('Hi')).output == 'Hi.'
    assert len(simulator.oauth.requests) == 1


async def test_a_provider_that_never_refreshes(path: Path) -> None:
    simulator = CodexSimulator()
    store = write(path, simulator.auth_json(expires_in=-60))
    provider = simulator.provider(credentials=store, refresh='never')

    with pytest.raises(ModelHTTPError) as caught:
        await Agent(simulator.model(provider=provider)).run('Hi')

    assert f'Run `pydantic-ai-codex refresh --store {path}`, which this provider does not' in str(caught.value)
    assert simulator.oauth.requests == []


def test_a_mode_that_does_not_exist() -> None:
    with pytest.raises(UserError, match="`refresh` takes 'auto' or 'never', not 'always'"):
        CodexSimulator().provider(refresh='always')


async def test_bare_credentials_are_used_as_they_are() -> None:
    simulator = CodexSimulator(reply('Hi.'))
    provider = simulator.provider()
    simulator.revoke()

    with pytest.raises(ModelHTTPError, match='Pass new ones, or a store, such as `AuthFile'):
        await Agent(simulator.model(provider=provider)).run('Hi')
    assert simulator.oauth.requests == []


async def test_the_variable_with_a_token_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = CodexSimulator()
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', simulator.access_token)
    simulator.revoke()

    with pytest.raises(ModelHTTPError, match='Replace the value of CODEX_ACCESS_TOKEN, or unset it'):
        await Agent(simulator.model(provider=simulator.provider(credentials=None))).run('Hi')


async def test_another_account_in_the_file_is_an_error(path: Path) -> None:
    simulator = CodexSimulator(reply('Hi.'))
    store = write(path, simulator.auth_json())
    agent = Agent(simulator.model(provider=simulator.provider(credentials=store)))
    result = await agent.run('Hi')
    write(path, CodexSimulator(account_id='another-account').auth_json())

    with pytest.raises(UserError) as caught:
        await agent.run('Hi', message_history=result.all_messages())

    assert isinstance(caught.value.__cause__, AccountChangedError)
    assert str(caught.value).replace(str(path), 'auth.json') == snapshot(
        "'auth.json' holds the login of another account than before. Make a new `CodexProvider` (or restart the program) to go on with it, or log in with the first account again; for several accounts at once, give each its own file."
    )
    assert len(simulator.requests) == 1


async def test_new_tokens_that_cannot_be_kept_are_an_error_of_their_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = CodexSimulator(reply('Hi.'))
    store = write(path, simulator.auth_json(expires_in=-60))

    async def refuse(*_: object, **__: object) -> None:
        raise CredentialsSaveError('The disk is full.', path=path)

    monkeypatch.setattr(AuthFile, 'save', refuse)
    agent = Agent(simulator.model(provider=simulator.provider(credentials=store)))

    with pytest.raises(UserError, match=r'The disk is full\.'):
        await agent.run('Hi')
    assert (await agent.run('Hi')).output == 'Hi.'
    assert len(simulator.oauth.refreshes) == 1


async def test_many_requests_at_once_make_one_refresh(path: Path) -> None:
    simulator = CodexSimulator(default=reply('Hi.'))
    store = write(path, simulator.auth_json(expires_in=-60))
    agent = Agent(simulator.model(provider=simulator.provider(credentials=store)))
    outputs: list[str] = []

    async def ask() -> None:
        outputs.append((await agent.run('Hi')).output)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(ask)

    assert outputs == ['Hi.'] * 100
    assert len(simulator.oauth.refreshes) == 1
    assert simulator.oauth.reuses == []


async def test_a_factory_that_always_makes_the_same_client_works_after_a_refresh(path: Path) -> None:
    simulator = CodexSimulator(reply('One.'), reply('Two.'))
    store = write(path, simulator.auth_json(expires_in=-60))
    client = simulator.http_client()
    agent = Agent(simulator.model(provider=simulator.provider(credentials=store, http_client=lambda: client)))

    assert [(await agent.run('Hi')).output for _ in range(2)] == ['One.', 'Two.']
    assert len(simulator.oauth.refreshes) == 1


async def test_a_login_goes_only_to_the_service_that_it_comes_from(path: Path) -> None:
    simulator = CodexSimulator(reply('Hi.'))
    async with simulator.serve() as server:
        document = simulator.auth_json(expires_in=-60)
        document['tokens']['oauth_provenance'] = {'issuer': server.issuer, 'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann'}
        provider = CodexProvider(credentials=write(path, document), base_url=server.base_url)
        async with provider:
            assert (await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')).output == 'Hi.'

    assert len(simulator.oauth.refreshes) == 1
    assert json.loads(path.read_bytes())['tokens']['oauth_provenance']['issuer'] == server.issuer


async def test_the_precise_error_can_be_caught_around_an_agent(path: Path) -> None:
    simulator = CodexSimulator()
    store = write(path, simulator.auth_json(expires_in=-60))
    simulator.oauth.expire_refresh_tokens()

    with pytest.raises(CredentialsRefreshError) as caught:
        await Agent(simulator.model(provider=simulator.provider(credentials=store))).run('Hi')

    assert isinstance(caught.value, UserError)
    assert (caught.value.code, caught.value.is_permanent) == ('refresh_token_expired', True)


async def test_a_refresh_goes_through_the_http_client_of_the_provider(path: Path) -> None:
    """The simulator is reached by nothing but the provider's client, so any refresh here shows it."""
    simulator = CodexSimulator(reply('Hi.'))
    store = write(path, simulator.auth_json(expires_in=-60))
    async with simulator.http_client() as shared:
        shared.headers['authorization'] = 'Basic of-the-user'
        provider = simulator.provider(credentials=store, http_client=shared)
        assert (await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')).output == 'Hi.'

    assert 'authorization' not in simulator.oauth.requests[0].headers
    assert simulator.oauth.requests[0].headers['originator'] == 'pydantic_ai_codex'
