"""Where replacing a login file is not possible, and where writing it is not."""

# ruff: noqa: ASYNC240 - blocking for a moment does no harm to an event loop with one test on it.

from __future__ import annotations

import errno
import hashlib
import json
import os
import pwd
import stat
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import platformdirs
import pytest

from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsFileError, CredentialsNotFoundError
from pydantic_ai_codex.auth._file import writing as files
from pydantic_ai_codex.auth._file.notes import new_note
from pydantic_ai_codex.errors import CredentialsSaveError

pytestmark = pytest.mark.anyio

OLD = Credentials('at-old', 'rt-old', 'acct-1', 'it-old')
NEW = Credentials('at-new-secret', 'rt-new-secret', 'acct-1', 'it-new-secret')


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    folder = tmp_path / 'codex'
    path = folder / 'auth.json'
    await AuthFile(path).save(OLD)
    return path


def names(path: Path) -> list[str]:
    """What is in the folder of the file."""
    return sorted(each.name for each in path.parent.iterdir())


def refuse(number: int, function: Callable[..., Any], *paths: Path) -> Callable[..., Any]:
    """The function, but for these paths, which the operating system refuses."""

    def refusing(path: Any, *args: Any, **options: Any) -> Any:
        if Path(path) in paths:
            raise OSError(number, os.strerror(number))
        return function(path, *args, **options)

    return refusing


@pytest.fixture
def read_only_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the file takes no new files: in a container, for example, that a single file is mounted into."""
    access = os.access

    def no_writing(folder: Any, mode: int, **options: Any) -> bool:
        return access(folder, mode, **options) and not (Path(folder) == path.parent and mode & os.W_OK)

    monkeypatch.setattr(os, 'access', no_writing)
    beside = [path.with_name(f'.auth.json{suffix}') for suffix in ('.new', '.probe', '.refresh.new', '.lock')]
    monkeypatch.setattr(os, 'open', refuse(errno.EROFS, os.open, *beside))
    monkeypatch.setattr(os, 'replace', refuse(errno.EXDEV, os.replace, sidecar(path, '.new')))
    return path.parent


def sidecar(path: Path, suffix: str) -> Path:
    """The file that stands for one beside the login, in the folder for state."""
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return platformdirs.user_state_path('pydantic-ai-codex') / f'auth-{name}{suffix}'


async def test_a_file_is_replaced_and_nothing_is_left_beside_it(path: Path) -> None:
    before = path.stat().st_ino
    with path.open('rb') as reader:
        await AuthFile(path).save(NEW)
        seen = reader.read()

    assert json.loads(seen)['tokens']['access_token'] == 'at-old'
    assert path.stat().st_ino != before
    assert names(path) == ['auth.json']
    assert await AuthFile(path).load() == NEW


async def test_a_leftover_of_a_kill_is_overwritten(path: Path) -> None:
    leftover = path.with_name('.auth.json.new')
    leftover.write_bytes(b'x' * 100_000)
    leftover.chmod(0o644)
    await AuthFile(path).save(NEW)

    assert names(path) == ['auth.json']
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await AuthFile(path).load() == NEW


@pytest.mark.skipif(not hasattr(os, 'O_NOFOLLOW'), reason='no such flag')
async def test_a_link_in_place_of_the_pending_file_is_not_followed(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / 'victim'
    victim.write_text('precious', encoding='utf-8')
    path.with_name('.auth.json.new').symlink_to(victim)
    await AuthFile(path).save(NEW)

    assert victim.read_text(encoding='utf-8') == 'precious'
    assert await AuthFile(path).load() == NEW


@pytest.mark.parametrize('number', [errno.EBUSY, errno.EXDEV, errno.EACCES])
async def test_a_file_that_cannot_be_replaced_is_written_in_place(
    path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = path.with_name('.auth.json.new')
    monkeypatch.setattr(os, 'replace', refuse(number, os.replace, pending))
    path.chmod(0o644)
    before = path.stat().st_ino
    await AuthFile(path).check_writable()
    await AuthFile(path).save(NEW)

    assert path.stat().st_ino == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path) == ['auth.json']
    assert await AuthFile(path).load() == NEW


async def test_writing_in_place_is_one_write_as_long_as_what_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(json.dumps({'tokens': {'access_token': 'a' * 5000}}), encoding='utf-8')
    monkeypatch.setattr(os, 'replace', refuse(errno.EBUSY, os.replace, path.with_name('.auth.json.new')))
    written: list[bytes] = []
    truncated: list[int] = []
    write, truncate = os.write, os.ftruncate

    def watched_write(descriptor: int, content: bytes) -> int:
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            written.append(content)
        return write(descriptor, content)

    def watched_truncate(descriptor: int, length: int) -> None:
        # A kill before the truncation leaves a file that reads well.
        truncated.append(length)
        assert json.loads(path.read_bytes())['tokens']['access_token'] == NEW.access_token
        truncate(descriptor, length)

    size = path.stat().st_size
    monkeypatch.setattr(os, 'write', watched_write)
    monkeypatch.setattr(os, 'ftruncate', watched_truncate)
    await AuthFile(path).save(NEW)

    assert [len(content) for content in written] == [size]
    assert truncated == [path.stat().st_size]
    assert path.stat().st_size < size
    assert await AuthFile(path).load() == NEW


async def test_a_write_in_place_that_the_disk_cuts_is_undone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, 'replace', refuse(errno.EBUSY, os.replace, path.with_name('.auth.json.new')))
    old, number = path.read_bytes(), path.stat().st_ino
    write, calls = os.write, [0]

    def nearly_full(descriptor: int, content: bytes) -> int:
        if os.fstat(descriptor).st_ino == number:
            calls[0] += 1
            if calls[0] == 1:
                return write(descriptor, content[:50])
            if calls[0] == 2:
                raise OSError(errno.ENOSPC, 'No space left on device')
        return write(descriptor, content)

    monkeypatch.setattr(os, 'write', nearly_full)

    with pytest.raises(CredentialsSaveError, match=r'nor written in place \(No space left on device') as caught:
        await AuthFile(path).save(NEW)
    assert path.read_bytes() == old
    assert names(path) == ['auth.json']
    assert 'secret' not in f'{caught.value} {caught.value!r}'


class System:
    """Owners of files, as root sees them, without being root: who asks, and what each file has become."""

    def __init__(self, patch: pytest.MonkeyPatch, *, is_root: bool) -> None:
        self.owners: dict[int, tuple[int, int]] = {}
        self._stat, self._is_root = os.stat, is_root
        patch.setattr(os, 'fchown', self.change)
        patch.setattr(os, 'fstat', self.seen)
        patch.setattr(os, 'stat', self.seen)

    def own(self, path: Path, user: int, group: int) -> None:
        self.owners[self._stat(path).st_ino] = user, group

    def owner(self, path: Path) -> tuple[int, int] | None:
        return self.owners.get(self._stat(path).st_ino)

    def change(self, descriptor: int, user: int, group: int) -> None:
        if not self._is_root:
            raise PermissionError(errno.EPERM, 'Operation not permitted')
        self.owners[self._stat(descriptor).st_ino] = user, group

    def seen(self, path: Any, **options: Any) -> os.stat_result:
        status = self._stat(path, **options)
        owner = self.owners.get(status.st_ino)
        return status if owner is None else os.stat_result((*status[:4], *owner, *status[6:]))


async def test_what_root_makes_belongs_to_the_owner_of_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch, is_root=True)
    for each in (path, path.parent):
        system.own(each, 4321, 8765)
    file = AuthFile(path)
    before = path.stat().st_ino
    async with file.lock():
        await file.check_writable()
        await file.write_note(new_note('f' * 16, 'started', now=datetime.now(UTC)))
        await file.save(NEW)

    assert path.stat().st_ino != before
    assert names(path) == ['.auth.json.lock', '.auth.json.refresh', 'auth.json']
    assert {system.owner(path.with_name(name)) for name in names(path)} == {(4321, 8765)}


async def test_a_lock_file_that_root_left_is_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = path.with_name('.auth.json.lock')
    left.touch()
    system = System(monkeypatch, is_root=True)
    for each in (path, path.parent):
        system.own(each, 4321, 8765)
    async with AuthFile(path).lock():
        pass
    owners = [system.owner(left)]
    system.own(left, 0, 0)
    left.write_bytes(b'not ours')
    async with AuthFile(path).lock():
        owners.append(system.owner(left))

    assert owners == [(4321, 8765), (0, 0)]


@pytest.mark.skipif(not hasattr(os, 'link'), reason='no such links')
async def test_a_file_with_two_names_is_not_given_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    precious = path.with_name('precious')
    precious.touch()
    os.link(precious, path.with_name('.auth.json.lock'))
    system = System(monkeypatch, is_root=True)
    for each in (path, path.parent):
        system.own(each, 4321, 8765)
    async with AuthFile(path).lock():
        pass

    assert system.owner(precious) is None


async def test_without_a_file_all_belongs_to_the_owner_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(monkeypatch, is_root=True)
    system.own(tmp_path, 4321, 8765)
    path = tmp_path / 'new' / 'codex' / 'auth.json'
    async with AuthFile(path).lock():
        await AuthFile(path).save(NEW)

    made = [path, path.with_name('.auth.json.lock'), path.parent, path.parent.parent]
    assert [system.owner(each) for each in made] == [(4321, 8765)] * 4


@pytest.mark.parametrize(('user', 'is_replaced'), [(4321, False), (None, True)], ids=['another user', 'another group'])
async def test_an_owner_that_cannot_be_kept_is_kept_by_writing_in_place(
    path: Path, user: int | None, is_replaced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = path.stat()
    System(monkeypatch, is_root=False).own(path, status.st_uid if user is None else user, 8765)
    await AuthFile(path).save(NEW)

    assert (path.stat().st_ino != status.st_ino) == is_replaced
    assert await AuthFile(path).load() == NEW
    assert names(path) == ['auth.json']


@pytest.mark.parametrize(('mode', 'is_beside'), [(0o700, True), (0o500, False), (0o777, True)], ids=oct)
async def test_root_and_the_user_have_one_lock(
    path: Path, mode: int, is_beside: bool, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write where the user may not: what counts is what the user may."""
    system = System(monkeypatch, is_root=True)
    system.own(path, 4321, 8765)
    system.own(path.parent, 4321, 8765)
    monkeypatch.setattr(os, 'geteuid', lambda: 0)

    home = isolated.parent / 'user'
    home.mkdir()

    def user(_: int) -> SimpleNamespace:
        return SimpleNamespace(pw_dir=home)

    def access(*_: object, **__: object) -> bool:
        return is_beside

    monkeypatch.setattr(pwd, 'getpwuid', user)
    path.parent.chmod(mode)
    as_root = (await AuthFile(path).inspect()).lock_path
    monkeypatch.setattr(os, 'geteuid', lambda: 4321)
    monkeypatch.setattr(os, 'access', access)
    monkeypatch.setenv('HOME', str(home))
    as_user = (await AuthFile(path).inspect()).lock_path
    path.parent.chmod(0o700)

    assert as_root == as_user
    assert (as_root.parent == path.parent) == is_beside


@pytest.mark.parametrize('home', ['/no/such/home', None])
async def test_root_makes_no_home_for_a_user_without_one(
    path: Path, home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(monkeypatch, is_root=True)
    system.own(path, 4321, 8765)
    monkeypatch.setattr(os, 'geteuid', lambda: 0)

    def user(number: int) -> SimpleNamespace:
        if home is None:
            raise KeyError(number)
        return SimpleNamespace(pw_dir=home)

    monkeypatch.setattr(pwd, 'getpwuid', user)

    assert (await AuthFile(path).inspect()).lock_path == sidecar(path, '.lock')


async def test_a_file_that_others_may_write_beside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of root, as the one that a file was mounted into."""
    system = System(monkeypatch, is_root=True)
    monkeypatch.setattr(os, 'geteuid', lambda: 1234)
    found: list[bool] = []
    for owner, folder, mode in [(4321, (0, 8765), 0o770), (4321, (0, 0), 0o755), (0, (4321, 0), 0o500)]:
        system.own(path, owner, 8765)
        system.own(path.parent, *folder)
        path.parent.chmod(mode)
        found.append((await AuthFile(path).inspect()).lock_path.parent == path.parent)
    path.parent.chmod(0o700)

    assert found == [True, False, True]


async def test_a_disk_that_nobody_may_write_to(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the modes say: root gets the answer that the user gets."""
    system = System(monkeypatch, is_root=True)
    system.own(path, 4321, 8765)
    system.own(path.parent, 4321, 8765)

    def read_only(_: object) -> SimpleNamespace:
        return SimpleNamespace(f_flag=os.ST_RDONLY)

    monkeypatch.setattr(os, 'statvfs', read_only)
    on_a_read_only_disk = (await AuthFile(path).inspect()).lock_path

    def gone(_: object) -> None:
        raise OSError(errno.ESTALE, 'Stale file handle')

    monkeypatch.setattr(os, 'statvfs', gone)
    on_one_that_is_gone = (await AuthFile(path).inspect()).lock_path

    assert on_a_read_only_disk.name == sidecar(path, '.lock').name
    assert on_one_that_is_gone == on_a_read_only_disk


async def test_a_folder_that_another_process_makes_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def made_meanwhile(folder: Path, *args: Any, **options: Any) -> None:
        make(folder, *args, **options)
        make(folder, *args, **options)

    monkeypatch.setattr(Path, 'mkdir', made_meanwhile)
    path = tmp_path / 'new' / 'codex' / 'auth.json'
    await AuthFile(path).save(NEW)

    assert await AuthFile(path).load() == NEW


async def test_a_system_without_owners(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, 'fchown')
    await AuthFile(path).save(NEW)

    assert await AuthFile(path).load() == NEW


@pytest.fixture
def unreadable(path: Path) -> Generator[Path]:
    """The file, in a folder that this process may not look into; root becomes a user for it."""
    is_root = os.geteuid() == 0
    path.parent.chmod(0)
    if is_root:
        os.seteuid(65534)
    try:
        yield path
    finally:
        if is_root:
            os.seteuid(0)
        path.parent.chmod(0o700)


@pytest.mark.skipif(os.name != 'posix', reason='permissions')
async def test_a_folder_that_cannot_be_looked_into(unreadable: Path) -> None:
    file = AuthFile(unreadable)
    facts = await file.inspect()
    note = new_note('f' * 16, 'started', now=datetime.now(UTC))

    assert not facts.exists
    assert 'cannot be read: Permission denied' in str(facts.problem)
    assert facts.write_problem is not None
    for failing in (file.load, file.check_writable, lambda: file.write_note(note), file.lock().__aenter__):
        with pytest.raises(CredentialsFileError, match=r'Permission denied|takes no new files'):
            await failing()
    with pytest.raises(CredentialsSaveError):
        await file.save(NEW)
    assert await file.read_note() is None
    await file.clear_note()


async def test_a_name_that_no_file_can_have() -> None:
    file = AuthFile('auth\0.json')
    for failing in (file.load, file.inspect, file.check_writable, file.read_note, file.lock().__aenter__):
        with pytest.raises(CredentialsFileError, match='null'):
            await failing()


async def test_a_file_that_somebody_reads_is_replaced_a_moment_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    tries: list[int] = []
    replace = os.replace

    def busy(source: Path, target: Path) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise PermissionError(errno.EACCES, 'Access is denied')
        replace(source, target)

    monkeypatch.setattr(files, '_REPLACE_PATIENCE', 60)
    monkeypatch.setattr(os, 'replace', busy)
    before = path.stat().st_ino
    await AuthFile(path).save(NEW)

    assert len(tries) == 3
    assert path.stat().st_ino != before


async def test_what_is_done_under_a_lock_is_done_to_one_file(path: Path, tmp_path: Path) -> None:
    link, other = tmp_path / 'link.json', tmp_path / 'other.json'
    link.symlink_to(path)
    file = AuthFile(link)
    async with file.lock():
        link.unlink()
        link.symlink_to(other)
        await file.save(NEW)

    assert await AuthFile(path).load() == NEW
    assert not other.exists()


async def test_in_a_folder_that_takes_no_files_everything_beside_lies_elsewhere(
    path: Path, read_only_folder: Path
) -> None:
    file = AuthFile(path)
    before = path.stat().st_ino
    note = new_note(str(OLD.fingerprint), 'started', now=datetime.now(UTC))
    async with file.lock():
        await file.check_writable()
        await file.write_note(note)
        await file.save(NEW)
        found = await AuthFile(path).read_note()

    assert found == note
    assert path.stat().st_ino == before
    assert await file.load() == NEW
    assert names(path) == ['auth.json']
    assert sidecar(path, '.lock').exists()
    assert (await file.inspect()).lock_path == sidecar(path, '.lock')
    assert not sidecar(path, '.new').exists()


async def test_a_user_without_a_home_has_no_other_folder(
    path: Path, read_only_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object, **__: object) -> Path:
        raise RuntimeError('could not determine the home directory')

    monkeypatch.setattr(platformdirs, 'user_state_path', nowhere)

    assert (await AuthFile(path).inspect()).lock_path.parent == path.parent


async def test_what_waits_in_another_folder_is_finished(path: Path, read_only_folder: Path) -> None:
    file = AuthFile(path)
    await file.write_note(new_note(str(OLD.fingerprint), 'started', now=datetime.now(UTC)))
    other = path.parent.parent / 'other.json'
    await AuthFile(other).save(NEW)
    sidecar(path, '.new').write_bytes(other.read_bytes())

    assert await file.finish_save()
    assert await file.load() == NEW
    assert not sidecar(path, '.new').exists()


async def test_check_writable_changes_nothing(path: Path) -> None:
    before = path.stat()
    waiting = path.with_name('.auth.json.new')
    waiting.write_bytes(b'waiting')
    await AuthFile(path).check_writable()
    after = path.stat()

    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    assert names(path) == ['.auth.json.new', 'auth.json']
    assert waiting.read_bytes() == b'waiting'


async def test_check_writable_makes_no_folder(tmp_path: Path) -> None:
    await AuthFile(tmp_path / 'new' / 'folder' / 'auth.json').check_writable()

    assert not (tmp_path / 'new').exists()


async def test_a_file_that_is_read_only_on_purpose_is_never_written(path: Path) -> None:
    path.chmod(0o400)
    before = path.read_bytes()

    with pytest.raises(CredentialsFileError) as caught:
        await AuthFile(path).check_writable()
    with pytest.raises(CredentialsSaveError, match='it is marked as read-only'):
        await AuthFile(path).save(NEW)

    assert path.read_bytes() == before
    assert (await AuthFile(path).inspect()).write_problem == str(caught.value)
    assert str(caught.value) == (
        f'The login file {str(path)!r} cannot be written: it is marked as read-only. New tokens could not be kept '
        'there. Give it mode 0600, or use another file.'
    )


async def test_a_file_on_a_read_only_disk_is_found_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def read_only(name: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(errno.EROFS, 'Read-only file system')
        return real(name, flags, *args, **options)

    monkeypatch.setattr(os, 'open', read_only)

    with pytest.raises(CredentialsFileError, match='cannot be written: Read-only file system'):
        await AuthFile(path).check_writable()


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EIO])
async def test_a_disk_that_is_full_is_found_out(path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, 'fsync', full)

    with pytest.raises(CredentialsFileError, match=os.strerror(number)):
        await AuthFile(path).check_writable()
    assert names(path) == ['auth.json']


async def test_a_folder_that_takes_no_files_and_has_none_is_found_out(path: Path, read_only_folder: Path) -> None:
    path.unlink()

    with pytest.raises(CredentialsFileError, match='its folder takes no new files'):
        await AuthFile(path).check_writable()
    with pytest.raises(CredentialsSaveError, match='They are nowhere but in memory'):
        await AuthFile(path).save(NEW)
    assert names(path) == []
    assert not sidecar(path, '.new').exists()


async def test_a_save_is_done_though_its_task_is_cancelled(path: Path) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await AuthFile(path).save(NEW)

    assert await AuthFile(path).load() == NEW


async def test_remove(path: Path) -> None:
    file = AuthFile(path)
    await file.save(OLD)
    note = new_note('f' * 16, 'started', now=datetime.now(UTC))
    async with file.lock():
        await file.write_note(note)
        path.with_name('.auth.json.new').write_bytes(b'left')
        removed = [await file.remove(), await file.remove()]

    assert removed == [True, False]
    assert [each.name for each in path.parent.iterdir() if each.is_file()] == ['.auth.json.lock']
    with pytest.raises(CredentialsNotFoundError):
        await file.load()


async def test_remove_takes_what_a_link_points_to_and_leaves_the_link(tmp_path: Path) -> None:
    target, link = tmp_path / 'elsewhere.json', tmp_path / 'auth.json'
    target.write_text('{}', encoding='utf-8')
    link.symlink_to(target)

    assert await AuthFile(link).remove()
    assert link.is_symlink()
    assert not target.exists()


@pytest.mark.parametrize('is_writable', [True, False])
async def test_remove_of_a_mounted_file(path: Path, is_writable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, 'unlink', refuse(errno.EBUSY, Path.unlink, path))
    if is_writable:
        assert await AuthFile(path).remove()
        assert path.read_bytes() == b'{}\n'
    else:
        monkeypatch.setattr(os, 'open', refuse(errno.EROFS, os.open, path))
        with pytest.raises(CredentialsFileError, match='cannot be removed: Read-only file system'):
            await AuthFile(path).remove()
