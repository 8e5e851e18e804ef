"""Whole logins against the simulated login service, over real sockets, and in a real browser where there is one."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest

from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsRefreshError
from pydantic_ai_codex.auth._http import AuthHTTP
from pydantic_ai_codex.auth._login.browser import browser_login
from pydantic_ai_codex.auth._login.device import device_login
from pydantic_ai_codex.auth._login.logout import logout
from pydantic_ai_codex.auth._login.saving import save_login
from pydantic_ai_codex.auth._oauth import Endpoints
from pydantic_ai_codex.auth._tokens import TokenSource
from pydantic_ai_codex.errors import CodexError, LoginError
from pydantic_ai_codex.testing import CodexSimulator
from pydantic_ai_codex.testing._clock import InstantClock

from .chromium import CHROMIUM, chromium
from .login_service import LoginService, Tab, log_in

pytestmark = pytest.mark.anyio


@pytest.fixture
def simulator() -> CodexSimulator:
    simulator = CodexSimulator()
    simulator.oauth.any_port = True
    return simulator


@pytest.fixture
def store(tmp_path: Path) -> AuthFile:
    return AuthFile(tmp_path / 'auth.json')


@asynccontextmanager
async def service_of(simulator: CodexSimulator) -> AsyncGenerator[Endpoints]:
    async with simulator.serve() as server:
        yield Endpoints.of(server.issuer)


async def follow(tab: Tab, url: str) -> httpx2.Response:
    return await tab.get(url.removeprefix(tab.origin))


def http_of(simulator: CodexSimulator) -> AuthHTTP:
    return AuthHTTP(simulator.http_client)


class Direct(LoginService):
    """The simulated service without a port."""

    def __init__(self, simulator: CodexSimulator) -> None:
        super().__init__()
        self.simulator = simulator

    @property
    def http(self) -> AuthHTTP:
        return http_of(self.simulator)


async def test_a_login_that_is_allowed(simulator: CodexSimulator, store: AuthFile) -> None:
    async def user(tab: Tab) -> None:
        await follow(tab, simulator.oauth.approve_login(tab.url))

    simulator.oauth.sign_in_as('acct-1', 'pro', 'ada@example.com')
    await log_in(
        Direct(simulator),
        user,
        endpoints=Endpoints.of(),
        keep=partial(save_login, store, http=http_of(simulator)),
        exchange_api_key=True,
    )

    kept = await store.load()
    assert (kept.account_id, kept.plan_type, kept.email) == ('acct-1', 'pro', 'ada@example.com')
    assert kept.api_key
    await TokenSource(store, http=http_of(simulator), clock=InstantClock()).refresh()
    assert simulator.oauth.reuses == []


async def test_a_login_that_is_denied(simulator: CodexSimulator) -> None:
    async def user(tab: Tab) -> None:
        await follow(tab, simulator.oauth.deny_login(tab.url))

    with pytest.raises(LoginError) as raised:
        await log_in(Direct(simulator), user, endpoints=Endpoints.of())

    assert raised.value.reason == 'denied'


async def test_a_pasted_login(simulator: CodexSimulator) -> None:
    tab = Tab()

    async def paste() -> str:
        return simulator.oauth.approve_login(tab.url) + '\n'

    credentials = await browser_login(show=tab.show, paste=paste, ports=(), http=http_of(simulator))

    assert credentials.account_id == simulator.account_id


async def test_a_device_login(simulator: CodexSimulator) -> None:
    credentials = await device_login(
        show=lambda code, page: simulator.oauth.approve_device(code.user_code), http=http_of(simulator)
    )

    assert credentials.account_id == simulator.account_id


async def test_a_device_login_that_is_denied(simulator: CodexSimulator) -> None:
    with pytest.raises(LoginError) as raised:
        await device_login(show=lambda code, page: simulator.oauth.deny_device(code.user_code), http=http_of(simulator))

    assert raised.value.reason == 'denied'


async def test_a_device_login_that_is_switched_off(simulator: CodexSimulator) -> None:
    simulator.oauth.device_login = False

    with pytest.raises(LoginError) as raised:
        await device_login(show=lambda code, page: None, http=http_of(simulator))

    assert raised.value.reason == 'disabled'


async def test_a_new_login_ends_the_one_it_replaces(simulator: CodexSimulator, store: AuthFile) -> None:
    async def device() -> Credentials:
        return await device_login(
            show=lambda code, page: simulator.oauth.approve_device(code.user_code), http=http_of(simulator)
        )

    old, new = await device(), await device()
    await save_login(store, old, http=http_of(simulator))
    await save_login(store, new, http=http_of(simulator))

    assert len(simulator.oauth.revoked) == 1
    await store.save(old)
    with pytest.raises(CredentialsRefreshError):
        await TokenSource(store, http=http_of(simulator), clock=InstantClock()).refresh()
    await store.save(new)
    await TokenSource(store, http=http_of(simulator), clock=InstantClock()).refresh()


async def test_a_logout(simulator: CodexSimulator, store: AuthFile) -> None:
    await save_login(store, simulator.credentials)

    result = await logout(store, http=http_of(simulator))

    assert (result.revoked, result.removed) == (True, True)
    assert not store.path.exists()
    assert len(simulator.oauth.revoked) == 1


async def log_in_with_chromium(
    simulator: CodexSimulator, store: AuthFile, folder: Path, button: str
) -> tuple[Any, str]:
    """The outcome, and what the page says at the end."""
    opened: list[str] = []
    shown = anyio.Event()
    text: list[str] = []
    outcome: list[Any] = []

    def show(url: str) -> None:
        opened.append(url)
        shown.set()

    def drive() -> str:
        with chromium(folder) as page:
            page.open(opened[0])
            page.wait_for(f'#{button}')
            page.click(f'#{button}')
            page.wait_for('[role=status]')
            if picture := os.environ.get('LOGIN_PICTURES'):  # a folder, for people who want to look at the pages
                Path(picture, f'{button}.png').write_bytes(base64.b64decode(page.picture()))
            return page.evaluate('document.body.innerText')

    async def user() -> None:
        await shown.wait()
        text.append(await anyio.to_thread.run_sync(drive))

    with anyio.fail_after(120):
        async with service_of(simulator) as endpoints, anyio.create_task_group() as tasks:
            tasks.start_soon(user)
            try:
                keep = partial(save_login, store, endpoints=endpoints)
                outcome.append(await browser_login(show=show, keep=keep, endpoints=endpoints, ports=(0,)))
            except CodexError as error:
                outcome.append(error)
    return outcome[0], text[0]


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason='there is no Chromium on the PATH')


@needs_chromium
async def test_a_click_on_allow(simulator: CodexSimulator, store: AuthFile, tmp_path: Path) -> None:
    outcome, text = await log_in_with_chromium(simulator, store, tmp_path / 'profile', 'allow')

    assert outcome == await store.load()
    assert 'Logged in as user@example.com (plus)' in text
    assert 'You can close this tab' in text


@needs_chromium
async def test_a_click_on_deny(simulator: CodexSimulator, store: AuthFile, tmp_path: Path) -> None:
    outcome, text = await log_in_with_chromium(simulator, store, tmp_path / 'profile', 'deny')

    assert isinstance(outcome, LoginError)
    assert outcome.message in text
    assert 'Not logged in' in text
    assert not store.path.exists()
