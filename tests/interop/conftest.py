"""The simulator behind a port, and the official CLI pointed at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from pydantic_ai_codex.testing import CodexSimulator, SimulatorServer

from .codex_cli import CodexCLI


@pytest.fixture(scope='session')
def codex_binary() -> str:
    # Before the variables of each test are cleared.
    binary = os.environ.get('CODEX_BIN') or shutil.which('codex')
    if binary is None:
        pytest.skip('the official CLI is not installed; CODEX_BIN names it')
    return binary


@pytest.fixture
def simulator() -> CodexSimulator:
    return CodexSimulator()


@pytest.fixture
async def server(simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[SimulatorServer]:
    async with simulator.serve() as server:
        monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', server.token_url)
        monkeypatch.setenv('CODEX_REVOKE_TOKEN_URL_OVERRIDE', server.revoke_url)
        yield server


@pytest.fixture
def codex(codex_binary: str, isolated: Path, server: SimulatorServer) -> CodexCLI:
    return CodexCLI(codex_binary, isolated / '.codex', server)
