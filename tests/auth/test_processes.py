"""Many processes on one login file, and processes that are killed while they refresh."""

from __future__ import annotations

import json
import os
import queue
import signal
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from pydantic_ai_codex.auth import AuthFile, Credentials
from pydantic_ai_codex.testing import CodexSimulator, late_answer

from ..workers import PATIENCE, Worker, workers

pytestmark = pytest.mark.anyio

WORKER = Path(__file__).with_name('login_worker.py')

COPIES = 2
"""Processes that refresh at the same time while one after the other is killed."""


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[CodexSimulator]:
    simulator = CodexSimulator()
    async with simulator.serve() as server:
        monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', server.token_url)
        yield simulator


def write_login(simulator: CodexSimulator, folder: Path) -> Path:
    """A login whose access token has expired."""
    path = folder / 'auth.json'
    path.write_text(json.dumps(simulator.auth_json(expires_in=-1)))
    path.chmod(0o600)
    return path


async def test_a_crowd_refreshes_once(simulator: CodexSimulator, tmp_path: Path) -> None:
    path = write_login(simulator, tmp_path)
    simulator.oauth.script_token(late_answer(seconds=0.2))  # the others have time to do it wrong

    with workers(24, WORKER, 'crowd', str(path), '4') as crowd:
        for worker in crowd:
            assert 'ready' in worker.hear()
        for worker in crowd:
            worker.tell()
        answers = [worker.hear() for worker in crowd for _ in range(4)]
        exit_codes = [worker.close() for worker in crowd]

    credentials = credentials_in(path)
    assert answers == [{'fingerprint': credentials.fingerprint}] * 96
    assert exit_codes == [0] * 24
    assert len(simulator.oauth.refreshes) == 1
    assert simulator.oauth.reuses == []


def credentials_in(path: Path) -> Credentials:
    """What is in the file, which has to be whole; not read by our own means, which would wait for that."""
    tokens = json.loads(path.read_bytes())['tokens']
    return Credentials(tokens['access_token'], refresh_token=tokens['refresh_token'], id_token=tokens['id_token'])


def files_beside(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir() if each.is_file()} - {path.name}


def kill(pid: int, *, after: float) -> None:
    """Kill a process wherever it is after so many seconds: every moment is as good as another."""
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)


class Nursery:
    """Processes that refresh one login without an end, and somebody who logs in anew where they ask for it."""

    def __init__(self, worker: Worker, simulator: CodexSimulator, path: Path) -> None:
        self._worker = worker
        self._simulator = simulator
        self._path = path
        self.alive: list[int] = []
        self.refreshed = 0
        self.interrupted = 0

    async def start_one(self) -> None:
        """Start a process, and wait for it."""
        count = len(self.alive)
        self._worker.tell()
        while len(self.alive) == count:
            await self.listen()

    async def listen(self) -> None:
        """Hear what one of them says."""
        match self._worker.hear():
            case {'started': pid}:
                self.alive.append(pid)
            case {'refreshed': _}:
                self.refreshed += 1
            case {'interrupted': fingerprint}:
                self.interrupted += 1
                await self._log_in_anew(fingerprint)
            case said:
                pytest.fail(f'a process said {said}')

    async def _log_in_anew(self, fingerprint: str) -> None:
        store = AuthFile(self._path)
        async with store.lock():
            if (await store.load()).fingerprint == fingerprint:  # else another one has asked before
                tokens = self._simulator.oauth.log_in()
                await store.save(
                    Credentials(
                        tokens['access_token'], refresh_token=tokens['refresh_token'], id_token=tokens['id_token']
                    )
                )


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='the processes are copies')
async def test_who_is_killed_while_refreshing_leaves_a_whole_file_and_spends_no_token_twice(
    simulator: CodexSimulator, tmp_path: Path
) -> None:
    path = write_login(simulator, tmp_path)
    simulator.oauth.access_token_lifetime = timedelta(0)  # always due
    random = Random(4)

    with workers(1, WORKER, 'nursery', str(path)) as (worker,):
        assert 'ready' in worker.hear()
        nursery = Nursery(worker, simulator, path)
        for _ in range(200):
            while len(nursery.alive) < COPIES:
                await nursery.start_one()
            for _ in range(random.randrange(3)):
                await nursery.listen()
            kill(nursery.alive.pop(random.randrange(COPIES)), after=random.uniform(0, 0.02))
            assert credentials_in(path).fingerprint is not None

    assert simulator.oauth.reuses == []
    assert nursery.refreshed > 0
    assert files_beside(path) <= {
        f'.auth.json.{suffix}' for suffix in ('lock', 'new', 'probe', 'refresh', 'refresh.new')
    }


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='the processes are copies')
async def test_who_comes_after_one_that_was_killed_before_its_answer_says_so(
    simulator: CodexSimulator, tmp_path: Path
) -> None:
    path = write_login(simulator, tmp_path)
    simulator.oauth.access_token_lifetime = timedelta(0)

    with workers(1, WORKER, 'nursery', str(path)) as (worker,):
        assert 'ready' in worker.hear()
        nursery = Nursery(worker, simulator, path)
        spending: queue.Queue[int] = queue.Queue()
        killed: queue.Queue[int] = queue.Queue()

        def kill_it() -> None:
            pid = spending.get(timeout=PATIENCE)
            os.kill(pid, signal.SIGKILL)
            killed.put(pid)

        simulator.oauth.script_token(late_answer(before=kill_it))
        await nursery.start_one()
        spending.put(nursery.alive.pop())
        killed.get(timeout=PATIENCE)
        await nursery.start_one()
        while nursery.refreshed == 0:
            await nursery.listen()

    assert nursery.interrupted == 1
    assert simulator.oauth.reuses == []
