from __future__ import annotations

import asyncio
import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import filelock
import pytest

from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsError, CredentialsFileError
from pydantic_ai_codex.auth._file import writing as files
from pydantic_ai_codex.auth._file.lock import LockedError
from pydantic_ai_codex.auth._file.login_file import LoginFile
from pydantic_ai_codex.auth._file.notes import new_note

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]

COUNTER = """
import sys, threading
from pathlib import Path
import anyio
from pydantic_ai_codex.auth import AuthFile

login, counter = map(Path, sys.argv[1:])

async def count():
    for _ in range(10):
        async with AuthFile(login).lock():
            seen = int(counter.read_text(encoding='utf-8'))
            await anyio.sleep(0)
            counter.write_text(str(seen + 1), encoding='utf-8')

threads = [threading.Thread(target=anyio.run, args=(count,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'codex' / 'auth.json'


def is_free(path: Path) -> bool:
    """Whether the lock of a login file can be had, asked of the library that takes it."""
    lock = filelock.FileLock(path.with_name('.auth.json.lock'), mode=0o600)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return False
    lock.release()
    return True


async def test_the_lock_file_is_private_and_stays(path: Path) -> None:
    async with AuthFile(path).lock():
        assert not is_free(path)

    assert is_free(path)
    assert [each.name for each in path.parent.iterdir()] == ['.auth.json.lock']
    if os.name == 'posix':
        assert stat.S_IMODE(path.with_name('.auth.json.lock').stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_one_holder_among_tasks_and_objects(path: Path) -> None:
    inside: list[int] = []
    shared = AuthFile(path)

    async def hold(file: AuthFile) -> None:
        async with file.lock():
            inside.append(1)
            assert sum(inside) == 1
            await anyio.sleep(0.001)
            inside.append(-1)

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(hold, shared if number % 2 else AuthFile(path))

    assert len(inside) == 16


def test_one_holder_among_processes_and_threads(path: Path, tmp_path: Path) -> None:
    counter = tmp_path / 'counter'
    counter.write_text('0', encoding='utf-8')
    command = [sys.executable, '-c', COUNTER, str(path), str(counter)]
    processes = [subprocess.Popen(command) for _ in range(3)]

    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    assert counter.read_text(encoding='utf-8') == '60'


async def test_a_link_and_its_target_have_one_lock(path: Path, tmp_path: Path) -> None:
    link = tmp_path / 'link.json'
    path.parent.mkdir()
    link.symlink_to(path)

    async with AuthFile(link).lock():
        assert not is_free(path)


async def test_waiting_blocks_neither_the_loop_nor_a_thread(path: Path) -> None:
    entered = anyio.Event()
    busy = -1

    async def wait_for_it() -> None:
        async with AuthFile(path).lock():
            entered.set()

    async with anyio.create_task_group() as tasks:
        async with AuthFile(path).lock():
            tasks.start_soon(wait_for_it)
            await anyio.sleep(0.1)
            busy = anyio.to_thread.current_default_thread_limiter().borrowed_tokens
            assert not entered.is_set()
        await entered.wait()

    assert busy == 0


async def test_an_error_inside_gives_the_lock_back(path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with AuthFile(path).lock():
            raise ZeroDivisionError

    assert is_free(path)


async def test_a_task_that_is_cancelled_while_it_waits_leaves_nothing_locked(path: Path) -> None:
    async with AuthFile(path).lock():
        with anyio.move_on_after(0.05) as scope:
            async with AuthFile(path).lock():
                raise AssertionError('two holders')

    assert scope.cancelled_caught
    assert is_free(path)


async def test_a_lock_that_is_never_free_is_an_error_that_says_who_holds_it(path: Path) -> None:
    file = AuthFile(path)
    async with file.lock():
        with pytest.raises(LockedError, match='is locked, perhaps by another process, which'):
            async with file.lock(patience=0.05):
                raise AssertionError('reentrant')
        await file.write_note(new_note('f' * 16, 'started', now=datetime.now(UTC)))
        with pytest.raises(CredentialsError) as caught:
            async with AuthFile(path).lock(patience=0.05):
                raise AssertionError('two holders')

    message = str(caught.value)
    assert message.startswith(f'The login file {str(path)!r} is locked, perhaps by process {os.getpid()} on ')
    assert '.auth.json.lock' in message


async def test_without_patience_it_is_tried_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(seconds: float) -> None:
        raise AssertionError(f'waited {seconds} s')

    async with AuthFile(path).lock(patience=0):
        monkeypatch.setattr(anyio, 'sleep', pause)
        with pytest.raises(LockedError):
            async with AuthFile(path).lock(patience=0):
                raise AssertionError('two holders')

    assert is_free(path)


@pytest.mark.parametrize(
    ('patience', 'waited'), [(60, 'is locked for more than 60 seconds, '), (0.1, 'is locked, perhaps')]
)
def test_the_error_says_how_long_was_waited(path: Path, patience: float, waited: str) -> None:
    file = LoginFile(path, None)

    assert waited in str(file.lock_error(file.places(), patience, None))


async def test_a_save_does_not_wait_for_the_locks_of_the_cli(path: Path) -> None:
    """`auth.lock` and `auth.json.lock` are its own (captured); who holds the second makes it lose a login."""
    path.parent.mkdir()
    theirs = [filelock.FileLock(path.with_name(name)) for name in ('auth.lock', 'auth.json.lock')]
    for lock in theirs:
        lock.acquire(blocking=False)
    file = AuthFile(path)
    async with file.lock(patience=0):
        await file.save(Credentials('at-new', 'rt-new', 'acct-1'))
    for lock in theirs:
        lock.release()
    async with file.lock():
        await file.save(Credentials('at-newer', 'rt-newer', 'acct-1'))
        free = [filelock.FileLock(lock.lock_file) for lock in theirs]
        for lock in free:
            lock.acquire(blocking=False)
            lock.release()

    assert {each.name for each in path.parent.iterdir()} - {'auth.lock', 'auth.json.lock'} == {
        'auth.json',
        '.auth.json.lock',
    }


async def test_a_task_that_outlives_the_lock_it_was_begun_under_holds_nothing(path: Path) -> None:
    file = AuthFile(path)
    go_on = asyncio.Event()

    async def save_later() -> bool:
        before = file.is_locked_here
        await go_on.wait()
        await file.save(Credentials('at-late'))
        return before and not file.is_locked_here

    async with file.lock():
        task = asyncio.create_task(save_later())
        await asyncio.sleep(0)
    async with AuthFile(path).lock():
        go_on.set()
        was_over = await task
        still_locked = not is_free(path)

    assert was_over
    assert still_locked
    assert is_free(path)
    assert not file.is_locked_here


async def test_a_lock_file_that_cannot_be_opened(path: Path) -> None:
    path.with_name('.auth.json.lock').mkdir(parents=True)

    with pytest.raises(CredentialsFileError, match=r'cannot be locked: .* Is a directory') as caught:
        async with AuthFile(path).lock():
            raise AssertionError('locked a folder')
    assert caught.value.path == path


async def test_a_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object, **__: object) -> None:
        raise NotImplementedError('no locks here')

    monkeypatch.setattr(filelock.FileLock, 'acquire', without)

    with pytest.raises(CredentialsFileError, match='no locks here'):
        async with AuthFile(path).lock():
            raise AssertionError('locked')


async def test_a_folder_for_the_lock_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, 'Read-only file system')

    monkeypatch.setattr(Path, 'mkdir', read_only)

    with pytest.raises(CredentialsFileError, match='Read-only file system'):
        async with AuthFile(tmp_path / 'new' / 'auth.json').lock():
            raise AssertionError('locked')


async def test_a_cancelled_task_keeps_the_lock_until_what_it_writes_is_written(
    path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`asyncio` cancels through every shield; the file must not be free while a thread still writes it."""
    begun, go_on = threading.Event(), threading.Event()
    real = files.stage

    def slowly(*args: Any) -> None:
        begun.set()
        go_on.wait(60)
        real(*args)

    monkeypatch.setattr(files, 'stage', slowly)

    async def refresh() -> None:
        file = AuthFile(path)
        async with file.lock():
            await file.save(Credentials('at-new', 'rt-new', 'acct-1'))

    task = asyncio.create_task(refresh())
    await until(begun.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    was_free = is_free(path)
    go_on.set()
    await until(lambda: is_free(path))

    assert not was_free
    assert (await AuthFile(path).load()).access_token == 'at-new'


async def test_a_thread_that_cannot_be_started_leaves_nothing_locked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more_threads(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    file = AuthFile(path)
    with pytest.raises(RuntimeError):
        async with file.lock():
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, 'start', no_more_threads)
                await file.save(Credentials('at-new'))

    assert is_free(path)
