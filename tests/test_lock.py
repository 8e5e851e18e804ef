"""One holder at a time, across threads, event loops and processes; and waiting that loses nothing."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import filelock
import pytest

from pydantic_ai_codex._lock import Held, Release, patiently, try_file_lock

pytestmark = pytest.mark.anyio

HOLDER = """
import sys
from pathlib import Path
from pydantic_ai_codex._lock import try_file_lock

unlock = try_file_lock(Path(sys.argv[1]))
print(unlock is not None, flush=True)
if sys.stdin.readline() == 'unlock\\n' and unlock is not None:
    unlock()
    print('unlocked', flush=True)
    sys.stdin.readline()
"""

COUNTER = """
import sys, threading
from functools import partial
from pathlib import Path
import anyio
from pydantic_ai_codex._lock import patiently, try_file_lock

lock, counter = map(Path, sys.argv[1:])

async def count():
    for _ in range(10):
        unlock = await patiently(partial(try_file_lock, lock), 100)
        seen = int(counter.read_text(encoding='utf-8'))
        await anyio.sleep(0)
        counter.write_text(str(seen + 1), encoding='utf-8')
        unlock()

threads = [threading.Thread(target=anyio.run, args=(count,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / 'locks'
    folder.mkdir()
    return folder / 'lock'


def held(path: Path) -> Release:
    unlock = try_file_lock(path)
    assert unlock is not None
    return unlock


def is_free(path: Path) -> bool:
    unlock = try_file_lock(path)
    if unlock is None:
        return False
    unlock()
    return True


# The lock of a file.


def test_one_holder(path: Path) -> None:
    unlock = held(path)

    assert not is_free(path)
    unlock()
    assert is_free(path)


def test_the_file_is_private_and_stays(path: Path) -> None:
    held(path)()

    assert os.listdir(path.parent) == ['lock']
    if os.name == 'posix':
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_given_up_in_any_thread(path: Path) -> None:
    unlock = held(path)
    thread = threading.Thread(target=unlock)
    thread.start()
    thread.join()

    assert is_free(path)


def test_one_holder_among_threads(path: Path) -> None:
    together = threading.Barrier(8)
    got: list[Release | None] = []

    def attempt() -> None:
        together.wait()
        got.append(try_file_lock(path))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (unlock,) = [each for each in got if each is not None]
    unlock()
    assert is_free(path)


@contextmanager
def another_process(path: Path) -> Generator[Callable[[str], str]]:
    """A process that holds the lock; what is said to it, it answers."""
    command = [sys.executable, '-c', HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def tell(line: str) -> str:
            stdin.write(f'{line}\n')
            stdin.flush()
            return stdout.readline().strip()

        assert stdout.readline().strip() == 'True'
        try:
            yield tell
        finally:
            process.kill()


def test_one_holder_among_processes(path: Path) -> None:
    with another_process(path) as tell:
        assert not is_free(path)
        assert tell('unlock') == 'unlocked'
        assert is_free(path)


def test_a_process_that_is_killed_holds_nothing(path: Path) -> None:
    with another_process(path):
        assert not is_free(path)

    assert is_free(path)


def test_one_holder_among_processes_and_threads(path: Path, tmp_path: Path) -> None:
    counter = tmp_path / 'counter'
    counter.write_text('0', encoding='utf-8')
    processes = [subprocess.Popen([sys.executable, '-c', COUNTER, str(path), str(counter)]) for _ in range(3)]

    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    assert counter.read_text(encoding='utf-8') == '60'


def test_a_missing_folder_is_made(path: Path) -> None:
    """`filelock` does that; a cache that is removed while it is used goes on."""
    unlock = held(path.parent / 'missing' / 'lock')

    assert not is_free(path.parent / 'missing' / 'lock')
    unlock()


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


def a_path_below_a_file(path: Path) -> Path:
    path.touch()
    return path / 'lock'


@pytest.mark.parametrize('place', [a_folder, a_path_below_a_file])
def test_what_cannot_be_locked(place: Callable[[Path], Path], path: Path) -> None:
    with pytest.raises(OSError):
        try_file_lock(place(path))


def test_a_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object, **__: object) -> None:
        raise NotImplementedError('no locks here')

    monkeypatch.setattr(filelock.FileLock, 'acquire', without)

    with pytest.raises(OSError, match='no locks here'):
        try_file_lock(path)


# What is held.


def test_all_is_given_up_the_last_first_and_once() -> None:
    given_up: list[int] = []
    held = Held()
    for number in range(3):
        held.add(partial(given_up.append, number))

    held.give_up()
    held.give_up()

    assert given_up == [2, 1, 0]


def test_what_comes_too_late_is_given_up_at_once() -> None:
    given_up: list[str] = []
    held = Held()
    held.give_up()

    held.add(lambda: given_up.append('late'))

    assert given_up == ['late']


# Waiting.


class Attempts:
    """Works after so many attempts."""

    def __init__(self, needed: int) -> None:
        self.needed = needed
        self.made = 0

    def __call__(self) -> str | None:
        self.made += 1
        return 'got it' if self.made >= self.needed else None


async def test_what_works_at_once_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anyio, 'sleep', None)

    assert await patiently(Attempts(1), 60) == 'got it'


async def test_it_is_tried_until_it_works() -> None:
    attempts = Attempts(4)

    assert await patiently(attempts, 60) == 'got it'
    assert attempts.made == 4


async def test_without_patience_it_is_tried_once() -> None:
    attempts = Attempts(2)

    assert await patiently(attempts, 0) is None
    assert attempts.made == 1


async def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 100.1, 109.9, 110.0])

    async def pause(_: float) -> None:
        pass

    attempts = Attempts(10**9)
    monkeypatch.setattr(anyio, 'current_time', lambda: next(times))
    monkeypatch.setattr(anyio, 'sleep', pause)

    assert await patiently(attempts, 10) is None
    assert attempts.made == 3


async def test_an_error_ends_it() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await patiently(fail, 60)


async def test_waiting_blocks_neither_the_loop_nor_a_thread(path: Path) -> None:
    unlock = held(path)
    busy: list[float] = []

    async def wait_for_it() -> None:
        release = await patiently(lambda: try_file_lock(path), 60)
        assert release is not None
        release()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_for_it)
        for _ in range(3):
            await anyio.sleep(0.02)
            busy.append(anyio.to_thread.current_default_thread_limiter().borrowed_tokens)
        unlock()

    assert busy == [0, 0, 0]
    assert is_free(path)


async def test_who_is_cancelled_while_waiting_has_nothing(path: Path) -> None:
    unlock = held(path)
    task = asyncio.create_task(patiently(lambda: try_file_lock(path), 60))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    unlock()
    assert is_free(path)


async def test_who_is_cancelled_as_it_works_has_what_it_got(path: Path) -> None:
    """The cancellation comes with the next wait, by when what gives the lock up is in safe hands."""

    def cancel_and_lock() -> Release | None:
        task.cancel()
        return try_file_lock(path)

    got: list[Release | None] = []

    async def hold() -> None:
        got.append(await patiently(cancel_and_lock, 60))
        await anyio.lowlevel.checkpoint()

    task = asyncio.create_task(hold())
    await asyncio.wait([task])

    (unlock,) = got
    assert task.cancelled()
    assert unlock is not None
    assert not is_free(path)
    unlock()
    assert is_free(path)


def test_all_is_given_up_though_one_of_it_fails() -> None:
    given_up: list[str] = []
    held = Held()
    held.add(lambda: given_up.append('first'))
    held.add(lambda: 1 / 0)
    held.add(lambda: given_up.append('last'))

    with pytest.raises(ZeroDivisionError):
        held.give_up()

    assert given_up == ['last', 'first']
