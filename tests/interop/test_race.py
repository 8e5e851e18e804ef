"""Ours and the CLI refresh one login at the very same time, which only happens where ours could not do so earlier.

The CLI asks the login service without any lock, so one of the two may spend a token that is spent already. What is
claimed is what comes of it: nobody is left without a login.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pydantic_ai_codex.auth import AuthFile, TokenSource
from pydantic_ai_codex.testing import CodexSimulator

from .codex_cli import CodexCLI

pytestmark = pytest.mark.anyio

WORKER = Path(__file__).parent.parent / 'auth' / 'login_worker.py'


@contextmanager
def crowd(path: Path, processes: int) -> Generator[list[subprocess.Popen[str]]]:
    """Processes of ours that wait for a word to ask for the login, in two threads each."""
    command = [sys.executable, str(WORKER), 'crowd', str(path), '2']
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert 'ready' in process.stdout.readline()
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def ask_all(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write('\n')
        process.stdin.flush()


def answers_of(processes: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    return [json.loads(line) for process in processes for line in process.communicate(timeout=60)[0].splitlines()]


@pytest.mark.parametrize('attempt', range(5))
async def test_at_once_nobody_is_left_without_a_login(codex: CodexCLI, simulator: CodexSimulator, attempt: int) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=10)
    codex.write(simulator.auth_json(expires_in=timedelta(seconds=-1), last_refresh=long_ago))

    with crowd(codex.auth_path, processes=3) as ours:
        ask_all(ours)
        with codex.app_server():
            answers = answers_of(ours)

    assert [sorted(answer) for answer in answers] == [['fingerprint']] * 6
    # What is in the file works, for the CLI as well.
    assert codex.run('login', 'status').exit_code == 0
    reuses = len(simulator.oauth.reuses)
    await TokenSource(AuthFile(codex.auth_path)).refresh()
    assert len(simulator.oauth.reuses) == reuses
