"""The file that all processes share: what they learn from each other, and what no file may do."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from pydantic_ai_codex._account import model_files
from pydantic_ai_codex.auth import Credentials

from .backend import BASE_URL, LOGIN, NOW, Backend, Program, Time, hang, models, status

pytestmark = pytest.mark.anyio


@pytest.fixture
def start(backend: Backend, time: Time, folder: Path) -> Callable[[], Program]:
    """Starts another program with the same cache folder."""
    return lambda: Program(backend, time, cache_dir=folder)


def files(folder: Path) -> list[Path]:
    return sorted((folder / 'pydantic-ai-codex' / 'models').iterdir())


def is_there(folder: Path) -> bool:
    return any(folder.rglob('models'))


def record(folder: Path) -> dict[str, Any]:
    [path] = files(folder)
    return json.loads(path.read_bytes())


async def test_the_next_program_need_not_ask(start: Callable[[], Program], backend: Backend, time: Time) -> None:
    await start().slugs()
    time.passed = 299
    program = start()
    assert program.models.is_due(LOGIN, BASE_URL)

    catalog = await program.models.get(LOGIN, BASE_URL)

    assert ([info.slug for info in catalog.models], catalog.source, catalog.fetched_at) == (['gpt-a'], 'cache', NOW)
    assert len(backend.requests) == 1


async def test_a_program_that_runs_hears_of_what_another_got(
    start: Callable[[], Program], backend: Backend, time: Time
) -> None:
    program = start()
    await program.slugs()
    time.passed = 300
    backend.models = models('gpt-b', etag='"etag-2"')
    await start().slugs()

    assert await program.slugs() == ['gpt-b']
    assert len(backend.requests) == 2


async def test_the_version_that_an_answer_named_may_be_in_the_file(
    start: Callable[[], Program], backend: Backend, time: Time
) -> None:
    program = start()
    await program.slugs()
    time.passed = 100
    backend.models = models('gpt-b', etag='"etag-2"')
    await start().slugs(refresh=True)
    program.models.heard('"etag-2"', LOGIN, BASE_URL)

    assert await program.slugs() == ['gpt-b']
    assert len(backend.requests) == 2


async def test_the_version_that_an_answer_named_may_be_newer_than_the_file(
    start: Callable[[], Program], backend: Backend, time: Time
) -> None:
    program = start()
    await program.slugs()
    time.passed = 100
    backend.models = models('gpt-b', etag='"etag-2"')
    await start().slugs(refresh=True)
    backend.models = models('gpt-c', etag='"etag-3"')
    program.models.heard('"etag-3"', LOGIN, BASE_URL)

    assert await program.slugs() == ['gpt-c']


async def test_an_old_file_is_asked_about(start: Callable[[], Program], backend: Backend, time: Time) -> None:
    await start().slugs()
    time.passed = 24 * 3600

    catalog = await start().models.get(LOGIN, BASE_URL)

    assert [request.headers.get('if-none-match') for request in backend.requests] == [None, '"etag-1"']
    assert (catalog.source, catalog.fetched_at) == ('backend', time.now())


async def test_an_old_file_is_better_than_nothing(start: Callable[[], Program], backend: Backend, time: Time) -> None:
    await start().slugs()
    time.passed = 24 * 3600
    backend.models = status(500)

    assert await start().slugs() == ['gpt-a']


async def test_a_file_of_the_future_is_asked_about(
    start: Callable[[], Program], backend: Backend, time: Time, folder: Path
) -> None:
    await start().slugs()
    time.put_back = timedelta(days=300)

    assert (await start().models.get(LOGIN, BASE_URL)).fetched_at == time.now()
    assert len(backend.requests) == 2
    assert record(folder)['fetched_at'] == time.now().isoformat()


async def test_answers_renew_the_file_lazily(start: Callable[[], Program], time: Time, folder: Path) -> None:
    program = start()
    await program.slugs()
    told: list[str] = []
    for time.passed in (30, 59, 60, 90, 200):
        program.models.heard('"etag-1"', LOGIN, BASE_URL)
        await program.slugs()
        told.append(record(folder)['fetched_at'])

    assert told == [(NOW + timedelta(seconds=seconds)).isoformat() for seconds in (0, 0, 60, 60, 200)]


async def test_a_file_names_neither_the_account_nor_the_login(start: Callable[[], Program], folder: Path) -> None:
    await start().slugs()

    [path] = files(folder)
    told = path.name + path.read_text(encoding='utf-8')
    assert 'acct' not in told
    assert 'secret' not in told
    assert 'chatgpt.com' not in told
    assert path.stat().st_mode & 0o077 == 0


async def test_each_account_host_and_version_has_a_file(
    start: Callable[[], Program], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start().slugs()
    await start().slugs(Credentials('at-secret', account_id='acct-another'))
    await start().models.get(LOGIN, 'http://127.0.0.1:1/backend-api/codex')
    monkeypatch.setattr(model_files, 'CLIENT_VERSION', '0.170.0')
    await start().slugs()

    assert len(files(folder)) == 4


async def test_there_are_only_so_many_files(start: Callable[[], Program], folder: Path) -> None:
    program = start()
    await program.slugs()
    old = files(folder)[0]
    abandoned = old.with_suffix('.tmp')
    abandoned.touch()
    for path in (old, abandoned):
        os.utime(path, (0, 0))
    for number in range(16):
        await program.slugs(Credentials('at-secret', account_id=f'acct-{number}'))

    assert len(files(folder)) == 16
    assert not {old, abandoned} & set(files(folder))


def make(folder: Path, content: bytes) -> None:
    path = folder / 'pydantic-ai-codex' / 'models'
    path.mkdir(parents=True, mode=0o700)
    (path / model_files.file_name(BASE_URL, LOGIN.account_tag or '')).write_bytes(content)


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{',
        b'\xff' * 100,
        b'[]',
        b'null',
        b'{"format": 2, "fetched_at": "2026-11-21T12:00:00+00:00", "etag": null, "models": [{"slug": "gpt-x"}]}',
        b'{"format": 1, "fetched_at": "yesterday", "etag": null, "models": [{"slug": "gpt-x"}]}',
        b'{"format": 1, "fetched_at": "2026-11-21T12:00:00+00:00", "etag": null, "models": []}',
        b'[' * 100_000,
        b'x' * 5_000_000,
    ],
)
async def test_a_file_that_is_none_of_ours_counts_for_nothing(
    content: bytes, start: Callable[[], Program], backend: Backend, folder: Path
) -> None:
    make(folder, content)

    assert await start().slugs() == ['gpt-a']
    assert await start().slugs() == ['gpt-a']
    assert len(backend.requests) == 1


async def test_a_version_in_a_file_that_fits_in_no_header_is_not_sent(
    start: Callable[[], Program], backend: Backend, folder: Path
) -> None:
    make(
        folder,
        b'{"format": 1, "fetched_at": "9999-12-31T23:59:59+00:00", "etag": "a\\r\\nx: 1", "models": [{"slug": "x"}]}',
    )

    assert await start().slugs() == ['gpt-a']
    assert backend.requests[0].headers.get('if-none-match') is None


def a_file_in_its_place(folder: Path, _: pytest.MonkeyPatch) -> None:
    folder.write_text('mine', encoding='utf-8')


def everybody_may_write_there(folder: Path, _: pytest.MonkeyPatch) -> None:
    make(folder, b'{"format": 1}')
    (folder / 'pydantic-ai-codex' / 'models').chmod(0o777)


def another_users(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(folder, b'{"format": 1}')
    look = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        # Not given away in earnest: nobody could remove it afterwards.
        about = look(path, follow_symlinks=follow_symlinks)
        return os.stat_result((*about[:4], 4242, *about[5:10])) if path.name == 'models' else about

    monkeypatch.setattr(Path, 'stat', stat)


def full(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(tempfile, 'mkstemp', no_space)


@pytest.mark.parametrize(
    'spoil',
    [
        a_file_in_its_place,
        everybody_may_write_there,
        another_users,
        full,
    ],
)
async def test_where_nothing_can_be_kept_the_memory_does(
    spoil: Callable[[Path, pytest.MonkeyPatch], None],
    start: Callable[[], Program],
    backend: Backend,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(folder, monkeypatch)
    program = start()

    assert await program.slugs() == ['gpt-a']
    assert await program.slugs() == ['gpt-a']
    assert len(backend.requests) == 1
    assert await start().slugs() == ['gpt-a']
    assert len(backend.requests) == 2


async def test_the_word_of_a_folder_in_which_everybody_can_write_does_not_count(
    start: Callable[[], Program], backend: Backend, folder: Path
) -> None:
    await start().slugs()
    (folder / 'pydantic-ai-codex' / 'models').chmod(0o777)

    await start().slugs()

    assert len(backend.requests) == 2


async def test_a_cache_folder_of_nobody_keeps_nothing(
    backend: Backend, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_CACHE_DIR', '~nobody-of-that-name/cache')
    program = Program(backend, time, cache_dir=None)

    assert await program.slugs() == ['gpt-a']


async def test_the_folder_of_the_environment(
    backend: Backend, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_CACHE_DIR', str(tmp_path / 'named'))
    program = Program(backend, time, cache_dir=None)
    await program.slugs()

    assert len(files(tmp_path / 'named')) == 1


async def test_without_a_folder_nothing_is_kept(program: Program, tmp_path: Path) -> None:
    await program.slugs()

    assert not is_there(tmp_path)


async def test_no_event_loop_waits_for_a_slow_disk(
    start: Callable[[], Program],
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], bool]], Awaitable[None]],
) -> None:
    monkeypatch.setattr(model_files, '_PATIENCE', 0.01)
    go_on = threading.Event()
    is_over = threading.Event()

    def slow(*_: object) -> bool:
        go_on.wait(60)
        is_over.set()
        return False

    monkeypatch.setattr(model_files, 'replace_file', slow)

    assert await start().slugs() == ['gpt-a']
    assert not is_over.is_set()
    go_on.set()
    await until(is_over.is_set)


async def test_a_turn_waits_no_longer_for_the_disk_than_for_the_backend(
    start: Callable[[], Program],
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], bool]], Awaitable[None]],
) -> None:
    program = start()
    await program.slugs()
    monkeypatch.setattr(model_files, '_PATIENCE', 3600)
    monkeypatch.setattr('pydantic_ai_codex._account.models.LOOKUP_PATIENCE', 0.01)
    go_on = threading.Event()

    def slow(*_: object) -> bool:
        return go_on.wait(3600)

    monkeypatch.setattr(model_files, 'replace_file', slow)
    time.passed = 100
    program.models.heard('"etag-1"', LOGIN, BASE_URL)

    try:
        with anyio.fail_after(60):
            assert await program.slugs() == ['gpt-a']
    finally:
        go_on.set()


async def test_a_disk_that_hangs_keeps_nobody_from_the_backend(
    start: Callable[[], Program],
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], bool]], Awaitable[None]],
) -> None:
    monkeypatch.setattr(model_files, '_PATIENCE', 0.01)
    go_on = threading.Event()
    is_over = threading.Event()

    def slow(*_: object) -> None:
        go_on.wait(60)
        is_over.set()

    monkeypatch.setattr(model_files, 'read_file', slow)

    assert await start().slugs() == ['gpt-a']
    assert not is_over.is_set()
    go_on.set()
    await until(is_over.is_set)


async def test_without_a_thread_to_be_had_nothing_is_kept(
    start: Callable[[], Program], backend: Backend, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_thread(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(anyio.to_thread, 'run_sync', no_thread)

    assert await start().slugs() == ['gpt-a']
    assert not is_there(folder)


async def test_a_program_with_a_fresh_file_needs_no_backend(start: Callable[[], Program], backend: Backend) -> None:
    await start().slugs()
    backend.models = hang

    assert await start().slugs() == ['gpt-a']
