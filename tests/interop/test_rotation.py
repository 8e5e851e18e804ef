"""What the one has refreshed, the other takes over; a refresh token is never used twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pydantic_ai_codex.auth import AuthFile, TokenSource
from pydantic_ai_codex.testing import CodexSimulator, late_answer

from .codex_cli import CodexCLI

pytestmark = pytest.mark.anyio

EARLY = timedelta(seconds=500)
"""Before the end of an access token: due for us, and not yet for the CLI, which waits for the last 300 seconds."""

LATE = timedelta(seconds=200)
"""Due for both."""


def ending(simulator: CodexSimulator, left: timedelta) -> dict[str, Any]:
    """A login whose access token ends soon, after ten days."""
    return simulator.auth_json(expires_in=left, last_refresh=datetime.now(UTC) - timedelta(days=10))


async def test_we_take_over_what_it_refreshed(codex: CodexCLI, simulator: CodexSimulator) -> None:
    codex.write(ending(simulator, LATE))
    source = TokenSource(AuthFile(codex.auth_path), refresh='never')
    old = await source.credentials()
    ours = TokenSource(AuthFile(codex.auth_path))

    with codex.app_server():
        new = await ours.credentials()

    assert new.access_token != old.access_token
    assert [each.reason for each in simulator.oauth.refreshes] == ['proactive_expiry']
    assert simulator.oauth.reuses == []


async def test_after_a_401_we_take_over_what_it_refreshed(codex: CodexCLI, simulator: CodexSimulator) -> None:
    codex.write(simulator.auth_json())
    source = TokenSource(AuthFile(codex.auth_path))
    refused = await source.credentials()
    codex.write(ending(simulator, LATE))
    with codex.app_server():
        pass

    recovered = await source.recover(refused)

    assert recovered is not None
    assert not recovered.is_refreshed
    assert len(simulator.oauth.refreshes) == 1


async def test_it_takes_over_what_we_refreshed_before_it_starts(codex: CodexCLI, simulator: CodexSimulator) -> None:
    codex.write(ending(simulator, LATE))
    new = await TokenSource(AuthFile(codex.auth_path)).credentials()

    with codex.app_server():
        pass

    assert codex.read()['tokens']['access_token'] == new.access_token
    assert len(simulator.oauth.refreshes) == 1


async def test_it_takes_over_what_we_refreshed_while_it_runs(codex: CodexCLI, simulator: CodexSimulator) -> None:
    codex.write(ending(simulator, EARLY))
    with codex.app_server() as app_server:
        new = await TokenSource(AuthFile(codex.auth_path)).credentials()

        app_server.refresh()

    assert codex.read()['tokens']['access_token'] == new.access_token
    assert len(simulator.oauth.refreshes) == 1
    assert simulator.oauth.reuses == []


async def test_they_take_turns(codex: CodexCLI, simulator: CodexSimulator) -> None:
    simulator.oauth.access_token_lifetime = LATE
    codex.write(ending(simulator, LATE))
    source = TokenSource(AuthFile(codex.auth_path))
    seen: list[str] = []

    for _ in range(3):
        seen.append((await source.refresh()).access_token)
        with codex.app_server():
            pass
        seen.append(codex.read()['tokens']['access_token'])

    assert len(set(seen)) == 6
    assert simulator.oauth.reuses == []
    by_us = [each for each in simulator.oauth.refreshes if each.headers['originator'] == 'pydantic_ai_codex']
    assert len(by_us) == 3


async def test_it_lets_a_login_stand_that_came_while_it_asked(codex: CodexCLI, simulator: CodexSimulator) -> None:
    # So do we: whoever logs in while a refresh is under way keeps that login.
    newer = simulator.auth_json(new_login=True)
    simulator.oauth.script_token(late_answer(before=lambda: codex.write(newer)))
    codex.write(ending(simulator, LATE))

    with codex.app_server():
        pass

    assert len(simulator.oauth.refreshes) == 1
    assert codex.read()['tokens']['refresh_token'] == newer['tokens']['refresh_token']


async def test_how_it_saves(codex: CodexCLI, simulator: CodexSimulator) -> None:
    # It replaces the file, and locks that only: the request to the login service has gone out by then. Whoever held
    # its `auth.json.lock` for some seconds would make it lose the tokens that it just got, so ours has another name.
    codex.write(ending(simulator, LATE))
    before = codex.auth_path.stat().st_ino

    with codex.app_server():
        pass

    assert codex.auth_path.stat().st_ino != before
    assert {each.name for each in codex.home.glob('*auth*')} == {'auth.json', 'auth.json.lock', 'auth.lock'}
