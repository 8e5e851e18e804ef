"""Cache folders as they can come to be: never an exception, never a torn text, and whole again as soon as GitHub answers."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import filelock
import pytest

from pydantic_ai_codex._instructions import ModelInstructions
from pydantic_ai_codex._instructions.cache import FileCache
from pydantic_ai_codex.testing import CodexSimulator, connect_error

from .programs import Programs, Time

pytestmark = pytest.mark.anyio

SLUG = 'gpt-5.1-codex'
TAG = 'rust-v0.0.1'
TEXT_FILE = f'gpt_5_codex_prompt@{TAG}.md'
BOTH = ('state.json', TEXT_FILE)


@pytest.fixture
def folder(cache_dir: Path) -> Path:
    """Where the files are."""
    return cache_dir / 'pydantic-ai-codex' / 'instructions'


@pytest.fixture
def text(simulator: CodexSimulator) -> str:
    """What GitHub has."""
    return simulator.github.files()['codex-rs/core/gpt_5_codex_prompt.md'].strip()


@pytest.fixture
async def kept(programs: Programs, folder: Path) -> dict[Path, bytes]:
    """The files, with a text in them."""
    await programs.start().get(SLUG)
    programs.asked()
    return {folder / name: (folder / name).read_bytes() for name in BOTH}


def put_back(kept: dict[Path, bytes]) -> None:
    for path, content in kept.items():
        path.write_bytes(content)


# Places where nothing can be kept.


def no_space(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, 'No space left on device')


def full_while_writing(descriptor: int, *_: Any) -> Any:
    os.close(descriptor)
    return open('/dev/full', 'wb', buffering=0)


def a_file_in_place_of(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


UNWRITABLE: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    'a file in place of the folder': lambda folder, _: a_file_in_place_of(folder),
    'a folder below a file': lambda folder, _: a_file_in_place_of(folder.parents[1]),
    'a full disk: no file can be made': lambda _, patch: patch.setattr(tempfile, 'mkstemp', no_space),
    'a full disk: nothing can be written': lambda _, patch: patch.setattr(os, 'fdopen', full_while_writing),
    'a full disk: nothing can be renamed': lambda _, patch: patch.setattr(os, 'replace', no_space),
    'a disk that cannot be written': lambda _, patch: patch.setattr(Path, 'mkdir', no_space),
}


@pytest.mark.parametrize('place', UNWRITABLE)
async def test_where_nothing_can_be_kept_the_memory_does(
    place: str, programs: Programs, folder: Path, text: str, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    UNWRITABLE[place](folder, monkeypatch)
    program = programs.start()

    found = await program.get(SLUG)

    assert (found.text, found.state, found.path) == (text, 'fetched', None)
    assert (await program.get(SLUG)).state == 'fresh'
    assert programs.asked() == [('api', 200), ('raw', 200)]
    time.passes(minutes=15)
    assert (await program.get(SLUG)).state == 'revalidated'
    assert programs.asked() == [('api', 304), ('raw', 304)]
    assert (await programs.start().get(SLUG)).state == 'fetched'


@pytest.mark.parametrize('name', ['x' * 5000, 'lone-\ud800'])
async def test_a_name_that_no_folder_can_have(name: str, simulator: CodexSimulator, text: str, tmp_path: Path) -> None:
    program = simulator.provider(cache_dir=tmp_path / name).client.instructions

    found = await program.get(SLUG)

    assert (found.text, found.state, found.path) == (text, 'fetched', None)


async def test_what_fails_leaves_no_file_behind(
    programs: Programs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, 'replace', no_space)

    await programs.start().get(SLUG)

    assert os.listdir(folder) == ['lock']


# Locks that are none.


def without_locks(*_: object, **__: object) -> None:
    raise NotImplementedError('no locks here')


@pytest.mark.parametrize('lock', ['a folder', 'a link to nowhere', 'a system without locks'])
async def test_what_cannot_be_locked_can_be_kept(
    lock: str, programs: Programs, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.makedirs(folder, mode=0o700)
    if lock == 'a folder':
        (folder / 'lock').mkdir()
    elif lock == 'a link to nowhere':
        (folder / 'lock').symlink_to(folder / 'nowhere' / 'lock')
    else:
        monkeypatch.setattr(filelock.FileLock, 'acquire', without_locks)
    crowd: list[ModelInstructions] = []

    async def ask() -> None:
        crowd.append(await programs.start().get(SLUG))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(ask)

    assert {each.text for each in crowd} == {text}
    assert (await programs.start().get(SLUG)).state == 'fresh'


# Files that are not what they should be.


@pytest.mark.parametrize('name', BOTH)
async def test_cut_anywhere(
    name: str, kept: dict[Path, bytes], programs: Programs, simulator: CodexSimulator, folder: Path, text: str
) -> None:
    whole = kept[folder / name]
    simulator.github.fail_with(connect_error())
    states: set[str] = set()
    for length in range(len(whole)):
        put_back(kept)
        (folder / name).write_bytes(whole[:length])
        found = await programs.start().get(SLUG)
        assert found.state == 'built-in' or found.text == text
        states.add(found.state)

    # Without the state nobody knows whether the text is the newest; but there it is.
    assert states == ({'stale'} if name == 'state.json' else {'built-in'})


@dataclass
class Reader:
    """A program that finds whatever there is: first where GitHub cannot be reached, and then where it can."""

    simulator: CodexSimulator
    programs: Programs
    time: Time
    text: str

    async def finds_what_is_right(self) -> str:
        """See to that; and what the state was of what it found without GitHub."""
        now = self.time.moment
        self.simulator.github.fail_with(connect_error())
        offline = await self.programs.start().get(SLUG)
        self.simulator.github.recover()
        assert offline.state == 'built-in' or offline.text == self.text
        self.time.passes(hours=1)  # failures are forgotten by then, those of which a file tells among them
        online = await self.programs.start().get(SLUG)
        assert online.state in ('fresh', 'revalidated', 'fetched')
        assert online.text == self.text
        self.time.moment = now
        return offline.state


@pytest.fixture
def reader(simulator: CodexSimulator, programs: Programs, time: Time, text: str) -> Reader:
    simulator.github.rate_limit = 10_000
    return Reader(simulator, programs, time, text)


GARBAGE = {
    'empty': b'',
    'zeros': b'\0' * 300,
    'no UTF-8': b'\xff\xfe\xfd',
    'null': b'null',
    'a list': b'[]',
    'an object': b'{}',
    'a string': b'"state"',
    'a large number': b'1' * 5000,
    'too deep': b'[' * 100_000,
    'huge': b'x' * 5 * 1024 * 1024,
}


@pytest.mark.parametrize('garbage', GARBAGE)
@pytest.mark.parametrize('name', BOTH)
async def test_garbage(name: str, garbage: str, kept: dict[Path, bytes], folder: Path, reader: Reader) -> None:
    (folder / name).write_bytes(GARBAGE[garbage])

    assert await reader.finds_what_is_right() == ('stale' if name == 'state.json' else 'built-in')
    assert (folder / name).stat().st_size < 1000


async def test_garbage_before_and_after_the_text(kept: dict[Path, bytes], folder: Path, reader: Reader) -> None:
    for content in (b'x' + kept[folder / TEXT_FILE], kept[folder / TEXT_FILE] + b'x'):
        (folder / TEXT_FILE).write_bytes(content)

        assert await reader.finds_what_is_right() == 'built-in'


WRONG: list[object] = [
    *(None, True, 0, -1, 1.5, 10**30, '', 'no ref', '../../x', '\ud800', 'line\nbreak', 'é', [], ['x'], {}, {'x': 1}),
    # The first and the last moments, which are in no year any more in UTC; no time zone; and the far future.
    *('0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-14:00', '2026-11-21T12:00:00', '9999-01-01T00:00:00+00:00'),
]


def places(document: object, *path: str) -> Iterator[tuple[str, ...]]:
    """Where there is a value in a JSON document."""
    if path:
        yield path
    if isinstance(document, dict):
        for key, value in cast('dict[str, object]', document).items():
            yield from places(value, *path, key)


def changed(content: bytes, path: tuple[str, ...], value: object) -> bytes:
    document: Any = json.loads(content)
    at: Any = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(document).encode()


@pytest.fixture
async def with_failures(programs: Programs, simulator: CodexSimulator, time: Time, kept: dict[Path, bytes]) -> None:
    """A state that tells of every failure."""
    time.passes(minutes=15)
    simulator.github.fail_with(connect_error())
    await programs.start().get(SLUG)
    simulator.github.recover()


@pytest.mark.usefixtures('with_failures')
async def test_wrong_values_in_the_state(folder: Path, reader: Reader) -> None:
    path = folder / 'state.json'
    before = path.read_bytes()
    found = list(places(json.loads(before)))
    assert {'version', 'release', 'failures'} < {part for place in found for part in place}
    assert len(found) > 10

    for place in found:
        for value in WRONG:
            path.write_bytes(changed(before, place, value))
            assert await reader.finds_what_is_right() == 'stale', (place, value)


async def test_wrong_values_beside_the_text(kept: dict[Path, bytes], folder: Path, reader: Reader) -> None:
    path = folder / TEXT_FILE
    start, head, end = kept[path].partition(b'{')[0], kept[path].splitlines()[0], kept[path].partition(b'\n')[2]
    document = head.removeprefix(start).removesuffix(b' -->')
    found = list(places(json.loads(document)))
    assert len(found) >= 6

    for place in found:
        for value in WRONG:
            put_back(kept)
            path.write_bytes(start + changed(document, place, value) + b' -->\n' + end)
            await reader.finds_what_is_right()


@pytest.mark.parametrize('name', BOTH)
async def test_a_version_of_the_future(name: str, kept: dict[Path, bytes], folder: Path, reader: Reader) -> None:
    content = kept[folder / name]
    assert content.count(b'"version": 1') == 1
    (folder / name).write_bytes(content.replace(b'"version": 1', b'"version": 2'))

    assert await reader.finds_what_is_right() == ('stale' if name == 'state.json' else 'built-in')


@pytest.mark.parametrize('name', BOTH)
async def test_a_folder_in_place_of_a_file(
    name: str, kept: dict[Path, bytes], folder: Path, programs: Programs, text: str
) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    program = programs.start()

    assert (await program.get(SLUG)).text == text
    assert (await program.get(SLUG)).state == 'fresh'


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='there are no named pipes')
@pytest.mark.parametrize('name', BOTH)
async def test_a_pipe_in_place_of_a_file(name: str, kept: dict[Path, bytes], folder: Path, reader: Reader) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)

    with anyio.fail_after(60):  # where it were read, somebody would wait for its other end for ever
        await reader.finds_what_is_right()


# Others.


async def test_the_files_of_others_are_left_alone(programs: Programs, cache_dir: Path, folder: Path, text: str) -> None:
    theirs = [
        *(cache_dir / name for name in ('codex-instructions.md', 'codex-instructions-meta.json', 'lock', *BOTH)),
        *(folder / name for name in ('codex-instructions.md', 'codex-instructions-meta.json', f'other@{TAG}.md')),
    ]
    os.makedirs(folder, mode=0o700)
    for path in theirs:
        path.write_text('{"tag": "rust-v9.9.9", "lastChecked": 99999999999999}')
        os.utime(path, (0, 0))

    found = await programs.start().get(SLUG)

    assert (found.text, found.ref, found.path) == (text, TAG, folder / TEXT_FILE)
    assert {(path.read_text(), path.stat().st_mtime) for path in theirs} == {
        ('{"tag": "rust-v9.9.9", "lastChecked": 99999999999999}', 0)
    }


@pytest.mark.parametrize(
    'step', ['load_state', 'load_entry', 'newest_entry', 'try_lock', 'save_entry', 'save_state', 'path_of']
)
@pytest.mark.parametrize('is_gone', ['before', 'after'])
async def test_the_folder_is_removed_in_the_midst_of_it(
    step: str,
    is_gone: str,
    kept: dict[Path, bytes],
    programs: Programs,
    cache_dir: Path,
    text: str,
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    do = getattr(FileCache, step)

    def disturbed(*arguments: Any, **options: Any) -> Any:
        if is_gone == 'before':
            shutil.rmtree(cache_dir, ignore_errors=True)
        result = do(*arguments, **options)
        if is_gone == 'after':
            shutil.rmtree(cache_dir, ignore_errors=True)
        return result

    monkeypatch.setattr(FileCache, step, disturbed)
    time.passes(minutes=15)
    program = programs.start()

    assert (await program.get(SLUG)).text == text
    assert (await program.get(SLUG)).state == 'fresh'
    monkeypatch.undo()
    assert (await programs.start().get(SLUG)).text == text


async def test_a_text_is_removed_while_it_is_looked_for(
    kept: dict[Path, bytes], programs: Programs, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else tidies up between the list of files and a look at one."""
    listdir: Callable[[Path], list[str]] = os.listdir

    def list_and_remove(path: Path) -> list[str]:
        names = listdir(path)
        (folder / TEXT_FILE).unlink(missing_ok=True)
        return names

    (folder / 'state.json').unlink()
    monkeypatch.setattr(os, 'listdir', list_and_remove)

    assert (await programs.start().get(SLUG)).text == text
