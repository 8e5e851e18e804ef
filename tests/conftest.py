"""What every test stands on: an isolated home, no login from outside, and no connection beyond this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest


@pytest.fixture
def anyio_backend() -> str:
    return 'asyncio'


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and nothing of the real environment that could be a login or a setting."""
    for name in list(os.environ):
        if name.startswith(('CODEX_', 'OPENAI_', 'XDG_')) or name.lower().endswith('_proxy'):
            monkeypatch.delenv(name)
    home = tmp_path / 'home'
    home.mkdir()
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.setenv('CODEX_CACHE_DIR', str(tmp_path / 'cache'))
    # Only the tests that are about the fetched instructions turn them on.
    monkeypatch.setenv('CODEX_MODE', '0')
    return home


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that does not stay on this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: tuple[str, int] | str) -> None:
        if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f'a test tried to connect to {address!r}')
        return connect(self, address)

    monkeypatch.setattr(socket.socket, 'connect', guarded)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits for what another thread does, such as that of the simulator's server."""

    async def wait(condition: Callable[[], bool]) -> None:
        with anyio.fail_after(60):  # far more than a busy machine needs
            while not condition():  # noqa: ASYNC110 - no event crosses from the other thread
                await anyio.sleep(0.005)

    return wait
