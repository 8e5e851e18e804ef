"""A login file that the one wrote and the other reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import (
    AuthFile,
    CredentialsNotFoundError,
    login_with_api_key,
    logout,
    save_login,
)
from pydantic_ai_codex.testing import CodexSimulator

from .codex_cli import CodexCLI

pytestmark = pytest.mark.anyio

LOGGED_IN = (0, 'Logged in using ChatGPT')
LOGGED_OUT = (1, 'Not logged in')


async def test_it_accepts_a_file_of_ours(codex: CodexCLI, simulator: CodexSimulator) -> None:
    assert codex.run('login', 'status') == LOGGED_OUT

    await save_login(AuthFile(codex.auth_path), simulator.credentials)

    assert codex.run('login', 'status') == LOGGED_IN


async def test_it_accepts_a_file_of_ours_behind_a_link(
    codex: CodexCLI, simulator: CodexSimulator, tmp_path: Path
) -> None:
    target = tmp_path / 'elsewhere' / 'login.json'
    target.parent.mkdir()
    target.write_text('{}')
    codex.auth_path.symlink_to(target)

    await save_login(AuthFile(codex.auth_path), simulator.credentials)

    assert codex.auth_path.is_symlink()
    assert codex.run('login', 'status') == LOGGED_IN


async def test_it_accepts_a_key_of_ours(codex: CodexCLI) -> None:
    await save_login(AuthFile(codex.auth_path), login_with_api_key('sk-interop-0123456789'))

    exit_code, text = codex.run('login', 'status')

    assert (exit_code, text.splitlines()[0]) == (0, 'API key configured - sk-inter***56789')


async def test_we_use_a_key_of_its(codex: CodexCLI) -> None:
    assert codex.run('login', '--with-api-key', stdin='sk-interop-0123456789\n').exit_code == 0

    credentials = await AuthFile(codex.auth_path).load()

    assert (credentials.auth_mode, credentials.access_token) == ('apikey', 'sk-interop-0123456789')


async def test_we_use_a_login_of_its(codex: CodexCLI, simulator: CodexSimulator) -> None:
    simulator.oauth.device_polls = 1
    simulator.oauth.device_interval = 1
    assert codex.log_in().exit_code == 0

    credentials = await AuthFile(codex.auth_path).load()

    assert credentials.account_id == simulator.account_id
    assert credentials.email == 'user@example.com'
    assert credentials.refresh_token is not None


async def test_it_logs_our_login_out(codex: CodexCLI, simulator: CodexSimulator) -> None:
    await save_login(AuthFile(codex.auth_path), simulator.credentials)

    assert codex.run('logout') == (0, 'Successfully logged out')

    assert len(simulator.oauth.revoked) == 1
    with pytest.raises(CredentialsNotFoundError):
        await AuthFile(codex.auth_path).load()


async def test_we_log_its_login_out(codex: CodexCLI, simulator: CodexSimulator) -> None:
    simulator.oauth.device_polls = 1
    simulator.oauth.device_interval = 1
    assert codex.log_in().exit_code == 0

    result = await logout(AuthFile(codex.auth_path))

    assert (result.revoked, result.removed) == (True, True)
    assert len(simulator.oauth.revoked) == 1
    assert codex.run('login', 'status') == LOGGED_OUT


def with_further_keys(document: dict[str, Any]) -> dict[str, Any]:
    """A login file with keys of every kind beside what is needed."""
    tokens = document['tokens'] | {'login_owner_id': 'owner', 'scope': 'of another program'}
    return document | {'tokens': tokens, 'another_program': {'nested': [1, None]}}


async def test_we_keep_what_we_do_not_know(codex: CodexCLI, simulator: CodexSimulator) -> None:
    codex.write(with_further_keys(simulator.auth_json()))
    before = codex.read()
    store = AuthFile(codex.auth_path)

    async with store.lock():
        await store.save(await store.load())

    assert before.keys() == codex.read().keys()
    assert before['tokens'] == codex.read()['tokens']
    assert codex.run('login', 'status') == LOGGED_IN


async def test_it_drops_what_it_does_not_know(codex: CodexCLI, simulator: CodexSimulator) -> None:
    # So nothing of ours that is needed later may stand in its file.
    codex.write(with_further_keys(simulator.auth_json(expires_in=200)))

    with codex.app_server():
        pass

    assert len(simulator.oauth.refreshes) == 1
    assert sorted(codex.read()) == snapshot(['OPENAI_API_KEY', 'auth_mode', 'last_refresh', 'tokens'])
    assert sorted(codex.read()['tokens']) == snapshot(
        ['access_token', 'account_id', 'id_token', 'login_owner_id', 'refresh_token']
    )
