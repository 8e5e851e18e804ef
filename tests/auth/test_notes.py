"""The note about a refresh, and what it lets the next process finish after a kill."""

# ruff: noqa: ASYNC240 - blocking for a moment does no harm to an event loop with one test on it.

from __future__ import annotations

import json
import os
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsFileError
from pydantic_ai_codex.auth._file import writing as files
from pydantic_ai_codex.auth._file.notes import RefreshNote, RefreshState, new_note, note_from_json, note_to_json
from pydantic_ai_codex.errors import CredentialsSaveError

pytestmark = pytest.mark.anyio

OLD = Credentials('at-old', 'rt-old', 'acct-1', 'it-old')
NEW = Credentials('at-new', 'rt-new', 'acct-1', 'it-new')
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOTE = RefreshNote('0123456789abcdef', 'failed', NOW, 4242, 'laptop', 'refresh_token_reused')


class Kill(BaseException):
    """Stands for a process that ends at this very place."""


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / 'codex' / 'auth.json'
    await AuthFile(path).save(OLD)
    return path


def pending(path: Path) -> Path:
    return path.with_name('.auth.json.new')


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


async def note_refresh(path: Path, state: RefreshState = 'started', of: Credentials = OLD) -> None:
    await AuthFile(path).write_note(new_note(str(of.fingerprint), state, now=NOW))


async def leave_pending(path: Path, credentials: Credentials = NEW) -> bytes:
    """What a process leaves that is killed between writing the new content and renaming it."""
    other = path.parent.parent / 'other' / 'auth.json'
    await AuthFile(other).save(credentials)
    content = other.read_bytes()
    pending(path).write_bytes(content)
    return content


def test_the_form_of_a_note() -> None:
    assert json.loads(note_to_json(NOTE)) == snapshot(
        {
            'fingerprint': '0123456789abcdef',
            'state': 'failed',
            'at': '2026-11-21T12:00:00Z',
            'pid': 4242,
            'host': 'laptop',
            'code': 'refresh_token_reused',
        }
    )
    assert note_from_json(note_to_json(NOTE)) == NOTE


def test_a_new_note_is_of_this_process() -> None:
    note = new_note('f' * 16, 'started', now=NOW)

    assert (note.pid, note.host, note.at, note.code) == (os.getpid(), socket.gethostname(), NOW, None)


@pytest.mark.parametrize(
    'change',
    [
        {'fingerprint': None},
        {'fingerprint': 1},
        {'state': 'done'},
        {'state': []},
        {'at': '2026-11-21T12:00:00'},
        {'at': 'yesterday'},
        {'at': 1},
        {'pid': '1'},
        {'pid': True},
        {'host': None},
    ],
    ids=str,
)
def test_what_is_no_note_is_none(change: dict[str, object]) -> None:
    document = {**json.loads(note_to_json(NOTE)), **change}

    assert note_from_json(json.dumps(document).encode()) is None


@pytest.mark.parametrize('content', [b'', b'{', b'[]', b'null', b'"x"', b'\xff', b'{}'])
async def test_a_note_that_cannot_be_read_is_none(path: Path, content: bytes) -> None:
    path.with_name('.auth.json.refresh').write_bytes(content)

    assert await AuthFile(path).read_note() is None


async def test_a_note_is_kept_and_forgotten(path: Path) -> None:
    file = AuthFile(path)
    found = [await file.read_note()]
    await file.write_note(NOTE)
    found.append(await AuthFile(path).read_note())
    if os.name == 'posix':
        assert stat.S_IMODE(path.with_name('.auth.json.refresh').stat().st_mode) == 0o600
    await file.write_note(new_note('f' * 16, 'started', now=NOW))
    await file.clear_note()
    await file.clear_note()
    found.append(await file.read_note())

    assert found == [None, NOTE, None]
    assert names(path) == ['auth.json']


async def test_a_note_that_cannot_be_kept(path: Path) -> None:
    path.with_name('.auth.json.refresh').mkdir()

    with pytest.raises(CredentialsFileError, match='cannot have a note beside it: Is a directory'):
        await AuthFile(path).write_note(NOTE)
    assert await AuthFile(path).read_note() is None


async def test_nothing_to_finish(path: Path) -> None:
    await note_refresh(path)

    assert not await AuthFile(path).finish_save()
    assert await AuthFile(path).load() == OLD
    assert await AuthFile(path).read_note() is not None


async def test_a_kill_between_writing_and_renaming_is_mended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await note_refresh(path)
    with monkeypatch.context() as patch, pytest.raises(Kill):

        def kill(*_: object) -> None:
            raise Kill

        patch.setattr(os, 'replace', kill)
        await AuthFile(path).save(NEW)
    assert await AuthFile(path).load() == OLD

    assert await AuthFile(path).finish_save()
    assert await AuthFile(path).load() == NEW
    assert names(path) == ['auth.json']


async def test_a_kill_within_a_write_in_place_is_mended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await note_refresh(path)
    with monkeypatch.context() as patch, pytest.raises(Kill):

        def busy(*_: object) -> None:
            raise OSError(16, 'Device or resource busy')

        def torn(descriptor: int, content: bytes) -> None:
            os.ftruncate(descriptor, os.write(descriptor, content[:60]))
            raise Kill

        patch.setattr(os, 'replace', busy)
        patch.setattr(files, '_overwrite', torn)
        await AuthFile(path).save(NEW)
    with pytest.raises(CredentialsFileError, match='is not whole JSON'):
        await AuthFile(path).load()

    assert await AuthFile(path).finish_save()
    assert await AuthFile(path).load() == NEW


@pytest.mark.parametrize(
    ('waiting', 'state', 'of'),
    [
        pytest.param(Credentials('at-new', 'rt-new', 'acct-2'), 'started', OLD, id='another account'),
        pytest.param(Credentials('at-new', 'rt-old', 'acct-1'), 'started', OLD, id='the same refresh token'),
        pytest.param(Credentials('at-new', None, 'acct-1'), 'started', OLD, id='no refresh token'),
        pytest.param(NEW, 'failed', OLD, id='a refresh that failed'),
        pytest.param(NEW, 'started', Credentials('x', 'rt-older'), id='a note of another token'),
        pytest.param(NEW, 'started', None, id='no note'),
    ],
)
async def test_what_no_refresh_vouches_for_is_removed(
    path: Path, waiting: Credentials, state: RefreshState, of: Credentials | None
) -> None:
    await leave_pending(path, waiting)
    if of is not None:
        await note_refresh(path, state, of)

    assert not await AuthFile(path).finish_save()
    assert await AuthFile(path).load() == OLD
    assert not pending(path).exists()


@pytest.mark.parametrize('content', [b'', b'{"tokens": {"access_', b'[]', b'{}', b'\xff'])
async def test_a_torn_pending_file_is_removed(path: Path, content: bytes) -> None:
    await note_refresh(path)
    pending(path).write_bytes(content)

    assert not await AuthFile(path).finish_save()
    assert await AuthFile(path).load() == OLD
    assert not pending(path).exists()


async def test_a_login_of_another_shape_is_left_alone(path: Path) -> None:
    await leave_pending(path)
    await note_refresh(path)
    path.write_text('{"auth_mode": "agentIdentity"}', encoding='utf-8')

    assert not await AuthFile(path).finish_save()
    assert path.read_text(encoding='utf-8') == '{"auth_mode": "agentIdentity"}'


async def test_whoever_has_logged_out_stays_so(path: Path) -> None:
    await leave_pending(path)
    await note_refresh(path)
    path.unlink()

    assert not await AuthFile(path).finish_save()
    assert not path.exists()
    assert not pending(path).exists()


async def test_a_read_only_file_lets_it_wait(path: Path) -> None:
    content = await leave_pending(path)
    await note_refresh(path)
    path.chmod(0o400)

    assert not await AuthFile(path).finish_save()
    assert pending(path).read_bytes() == content
    path.chmod(0o600)
    assert await AuthFile(path).finish_save()
    assert await AuthFile(path).load() == NEW


async def test_a_save_that_failed_is_finished_later(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await note_refresh(path)

    def refuse(*_: object) -> None:
        raise OSError(5, 'Input/output error')

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', refuse)
        patch.setattr(files, 'write_in_place', refuse)
        with pytest.raises(CredentialsSaveError, match='They wait beside it'):
            await AuthFile(path).save(NEW)
        with pytest.raises(CredentialsSaveError, match='They wait beside it'):
            await AuthFile(path).finish_save()

    assert await AuthFile(path).finish_save()
    assert await AuthFile(path).load() == NEW
    assert await AuthFile(path).read_note() is None
