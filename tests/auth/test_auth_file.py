# ruff: noqa: ASYNC240 - blocking for a moment does no harm to an event loop with one test on it.

from __future__ import annotations

import json
import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import (
    AuthFile,
    Credentials,
    CredentialsFileError,
    CredentialsNotFoundError,
    CredentialStore,
    EnvironmentStore,
    MemoryStore,
    default_auth_path,
)
from pydantic_ai_codex.auth._file.inspection import FileFacts
from pydantic_ai_codex.auth._file.login_file import SupersededError
from pydantic_ai_codex.auth._file.notes import new_note
from pydantic_ai_codex.errors import CodexError, CredentialsSaveError

pytestmark = pytest.mark.anyio

LOGIN = Credentials('at-secret', 'rt-secret', 'acct-1', 'it-secret')
CONTENT = json.dumps(
    {
        'auth_mode': 'chatgpt',
        'OPENAI_API_KEY': None,
        'tokens': {
            'id_token': 'it-secret',
            'access_token': 'at-secret',
            'refresh_token': 'rt-secret',
            'account_id': 'acct-1',
            'login_owner_id': 'owner',
        },
        'last_refresh': '2026-11-21T03:13:50.954465301Z',
        'new': {'a': 1},
    }
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'auth.json'


async def test_load(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')

    assert await AuthFile(path).load() == LOGIN
    assert await AuthFile(str(path)).load() == LOGIN


async def test_load_expands_the_home(isolated: Path) -> None:
    (isolated / 'auth.json').write_text(CONTENT, encoding='utf-8')

    assert await AuthFile('~/auth.json').load() == LOGIN


async def test_missing(path: Path) -> None:
    with pytest.raises(CredentialsNotFoundError) as caught:
        await AuthFile(path).load()

    assert caught.value.path == path
    assert str(caught.value) == (
        f'There is no login: {str(path)!r} does not exist. Run `pydantic-ai-codex login --store {path}`, or pass '
        '`credentials=` or `api_key=` to `CodexProvider`.'
    )
    assert not path.exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        pytest.param(b'', 'is empty. Run `pydantic-ai-codex login --store /', id='empty'),
        pytest.param(b' \r\n\t', 'is empty. Run `pydantic-ai-codex login --store /', id='whitespace'),
        pytest.param(CONTENT[:100].encode(), 'is not whole JSON (', id='torn'),
        pytest.param(b'token: at-secret', 'is not whole JSON (', id='no JSON'),
        pytest.param(b'{"tokens": {"access_token": "at-secret\xff"}}', 'is not whole JSON (', id='no UTF-8'),
        pytest.param(CONTENT.encode('utf-16'), 'is not whole JSON (', id='UTF-16'),
        pytest.param(b'["at-secret"]', 'holds no login that can be used: it holds no JSON object', id='a list'),
        pytest.param(b'null', 'holds no login that can be used: it holds no JSON object', id='null'),
        pytest.param(b'{"tokens": "at-secret"}', 'it has no `access_token`', id='another shape'),
        pytest.param(b'{"auth_mode": "agentIdentity"}', 'which cannot be used from here', id='another mode'),
    ],
)
async def test_file_that_holds_no_login(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)

    with pytest.raises(CredentialsFileError) as caught:
        await AuthFile(path).load()

    assert caught.value.path == path
    assert message in str(caught.value)
    assert str(caught.value).startswith(f'The login file {str(path)!r} ')
    assert 'secret' not in repr((caught.value, caught.value.__cause__))
    assert path.read_bytes() == content


async def test_file_that_a_logout_emptied(path: Path) -> None:
    path.write_text('{}\n', encoding='utf-8')

    with pytest.raises(CredentialsNotFoundError, match='holds no login: it was logged out') as caught:
        await AuthFile(path).load()
    assert caught.value.path == path
    await AuthFile(path).save(LOGIN)
    assert await AuthFile(path).load() == LOGIN


async def test_the_place_that_is_used_anyway_needs_no_option(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    for variable in (None, 'CODEX_HOME', 'CODEX_AUTH_FILE'):
        if variable is not None:
            monkeypatch.setenv(variable, str(isolated / 'elsewhere'))
        with pytest.raises(CredentialsNotFoundError) as caught:
            await AuthFile(default_auth_path()).load()
        commands.append(str(caught.value).split('Run ')[1].split(', let')[0])

    assert commands == snapshot(
        [
            '`pydantic-ai-codex login` (or `codex login`)',
            '`pydantic-ai-codex login` (or `codex login`)',
            '`pydantic-ai-codex login`',
        ]
    )


async def test_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir()

    with pytest.raises(CredentialsFileError, match='is no regular file'):
        await AuthFile(path).load()


async def test_file_in_place_of_the_folder(path: Path) -> None:
    path.write_text('', encoding='utf-8')

    with pytest.raises(CredentialsFileError, match='cannot be read: Not a directory'):
        await AuthFile(path / 'auth.json').load()


async def test_unreadable(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip('this user can read every file')

    with pytest.raises(CredentialsFileError, match=r'cannot be read: Permission denied\. Mend its place or'):
        await AuthFile(path).load()


async def test_file_is_parsed_again_only_when_it_changed(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    os.utime(path, (1_700_000_000, 1_700_000_000))
    file = AuthFile(path)
    first = await file.load()

    assert await file.load() is first
    path.write_text(CONTENT.replace('acct-1', 'acct-22'), encoding='utf-8')
    assert (await file.load()).account_id == 'acct-22'
    other = path.with_name('other.json')
    other.write_text(CONTENT.replace('acct-1', 'acct-33'), encoding='utf-8')
    other.replace(path)
    assert (await file.load()).account_id == 'acct-33'


@pytest.mark.parametrize('later', [0, 1_000_000], ids=['same tick', 'next tick'])
async def test_change_in_place_without_a_change_of_size_is_noticed(path: Path, later: int) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    file = AuthFile(path)
    await file.load()
    modified = path.stat().st_mtime_ns

    path.write_text(CONTENT.replace('acct-1', 'acct-2'), encoding='utf-8')
    os.utime(path, ns=(modified + later, modified + later))

    assert (await file.load()).account_id == 'acct-2'


async def test_file_that_went_away_is_not_remembered(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    file = AuthFile(path)
    await file.load()
    path.unlink()

    with pytest.raises(CredentialsNotFoundError):
        await file.load()


@pytest.mark.parametrize('torn', ['', CONTENT[:100]], ids=['empty', 'half'])
async def test_torn_file_is_read_when_it_is_whole(path: Path, torn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(torn, encoding='utf-8')
    pauses: list[float] = []

    async def finish_writing(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            path.write_text(CONTENT, encoding='utf-8')

    monkeypatch.setattr(anyio, 'sleep', finish_writing)

    assert await AuthFile(path).load() == LOGIN
    assert len(pauses) == 2


async def test_torn_file_is_not_waited_for_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('{', encoding='utf-8')
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(anyio, 'sleep', pause)

    with pytest.raises(CredentialsFileError, match='is not whole JSON'):
        await AuthFile(path).load()
    assert len(pauses) == 4
    assert sum(pauses) < 0.2


async def test_file_of_another_shape_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('{"tokens": {}}', encoding='utf-8')

    async def pause(seconds: float) -> None:
        raise AssertionError(f'waited {seconds} s for a file that is whole')

    monkeypatch.setattr(anyio, 'sleep', pause)

    with pytest.raises(CredentialsFileError, match='holds no login'):
        await AuthFile(path).load()


async def test_load_writes_nothing(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    path.chmod(0o644)
    before = path.stat()
    await AuthFile(path).load()
    after = path.stat()

    assert path.read_text(encoding='utf-8') == CONTENT
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert [each.name for each in path.parent.iterdir() if each.is_file()] == ['auth.json']


async def test_save_keeps_the_other_keys(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    await AuthFile(path).save(Credentials('at-2', 'rt-2', 'acct-1', 'it-2'))

    saved = json.loads(path.read_bytes())
    assert saved.pop('last_refresh') > '2026'
    assert saved == snapshot(
        {
            'auth_mode': 'chatgpt',
            'OPENAI_API_KEY': None,
            'tokens': {
                'id_token': 'it-2',
                'access_token': 'at-2',
                'refresh_token': 'rt-2',
                'account_id': 'acct-1',
                'login_owner_id': 'owner',
            },
            'new': {'a': 1},
        }
    )


async def test_save_then_load(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    file = AuthFile(path)
    await file.load()
    new = Credentials('at-2', 'rt-2', 'acct-2', 'it-2')
    await file.save(new)

    assert await file.load() == new
    assert await AuthFile(path).load() == new


async def test_save_makes_the_file_and_its_folder_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'auth.json'
    await AuthFile(path).save(LOGIN)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert await AuthFile(path).load() == LOGIN


async def test_save_takes_the_file_from_others(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    path.chmod(0o666)
    await AuthFile(path).save(LOGIN)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_save_keeps_a_symbolic_link(tmp_path: Path) -> None:
    target, link = tmp_path / 'dotfiles' / 'codex.json', tmp_path / 'auth.json'
    target.parent.mkdir()
    target.write_text(CONTENT, encoding='utf-8')
    link.symlink_to(target)
    await AuthFile(link).save(Credentials('at-2'))

    assert link.is_symlink()
    assert json.loads(target.read_bytes())['tokens']['access_token'] == 'at-2'
    assert sorted(each.name for each in target.parent.iterdir()) == ['codex.json']


async def test_save_through_a_link_to_nothing(tmp_path: Path) -> None:
    link = tmp_path / 'auth.json'
    link.symlink_to(tmp_path / 'elsewhere' / 'auth.json')
    await AuthFile(link).save(LOGIN)

    assert link.is_symlink()
    assert await AuthFile(link).load() == LOGIN


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'token: 1', 'it is not whole JSON (expected ident at line 1 column 2), so it is not overwritten'),
        (CONTENT[:100].encode(), 'it is not whole JSON (EOF'),
        (b'[]', 'it holds no JSON object, so it is not overwritten'),
    ],
)
async def test_save_does_not_overwrite_what_it_cannot_read(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)

    with pytest.raises(CredentialsSaveError) as caught:
        await AuthFile(path).save(LOGIN)
    with pytest.raises(CredentialsFileError, match='Move away what is no login'):
        await AuthFile(path).check_writable()

    assert message in str(caught.value)
    assert caught.value.path == path
    assert path.read_bytes() == content


async def test_save_refuses_what_could_not_be_loaded(path: Path) -> None:
    path.write_text(json.dumps({'new': 'x' * 1_000_000}), encoding='utf-8')
    before = path.read_bytes()

    with pytest.raises(CredentialsFileError, match='far too large for a login'):
        await AuthFile(path).check_writable()
    with pytest.raises(CredentialsSaveError, match='far too large for a login'):
        await AuthFile(path).save(Credentials('x' * 50_000, 'rt-secret'))
    assert path.read_bytes() == before


async def test_save_of_a_successor(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    new = Credentials('at-2', 'rt-2', 'acct-1', 'it-2')
    for _ in range(2):  # the second time it is in the file already
        await AuthFile(path).save(new, replacing=LOGIN.fingerprint)

    assert await AuthFile(path).load() == new


@pytest.mark.parametrize('newer', [Credentials('at-3', 'rt-3', 'acct-1', 'it-3'), Credentials('at-3')], ids=str)
async def test_save_leaves_a_newer_login(path: Path, newer: Credentials) -> None:
    await AuthFile(path).save(newer)
    before = path.read_bytes()

    with pytest.raises(SupersededError, match='holds another login by now, or none; so it stays'):
        await AuthFile(path).save(Credentials('at-2', 'rt-2'), replacing=LOGIN.fingerprint)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.is_file()] == ['auth.json']


async def test_save_leaves_a_login_that_came_while_it_wrote(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    sync = os.fsync

    def log_in_meanwhile(descriptor: int) -> None:
        path.write_text(CONTENT.replace('rt-secret', 'rt-3'), encoding='utf-8')
        sync(descriptor)

    monkeypatch.setattr(os, 'fsync', log_in_meanwhile)

    with pytest.raises(SupersededError):
        await AuthFile(path).save(Credentials('at-2', 'rt-2'), replacing=LOGIN.fingerprint)
    assert (await AuthFile(path).load()).refresh_token == 'rt-3'


@pytest.mark.parametrize('content', [None, '{}\n'])
async def test_save_leaves_whoever_has_logged_out(path: Path, content: str | None) -> None:
    if content is not None:
        path.write_text(content, encoding='utf-8')

    with pytest.raises(SupersededError):
        await AuthFile(path).save(Credentials('at-2', 'rt-2'), replacing=LOGIN.fingerprint)
    with pytest.raises(CredentialsNotFoundError):
        await AuthFile(path).load()


async def test_save_puts_tokens_in_place_of_what_is_broken(path: Path) -> None:
    new = Credentials('at-2', 'rt-2', 'acct-1')
    path.write_text('{"tokens": {}}', encoding='utf-8')
    await AuthFile(path).save(new, replacing=LOGIN.fingerprint)

    assert await AuthFile(path).load() == new


async def test_save_fills_an_empty_file(path: Path) -> None:
    path.write_bytes(b'\n')
    await AuthFile(path).save(LOGIN)

    assert await AuthFile(path).load() == LOGIN


async def test_save_keeps_what_a_file_with_a_byte_order_mark_holds(path: Path) -> None:
    path.write_bytes(CONTENT.encode('utf-8-sig'))
    await AuthFile(path).save(LOGIN)

    assert json.loads(path.read_bytes())['new'] == {'a': 1}


async def test_save_waits_for_a_writer_that_truncated_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('', encoding='utf-8')

    def finish_writing(_: float) -> None:
        path.write_text(CONTENT, encoding='utf-8')

    monkeypatch.setattr(time, 'sleep', finish_writing)
    await AuthFile(path).save(LOGIN)

    assert json.loads(path.read_bytes())['new'] == {'a': 1}


async def test_save_onto_a_folder(path: Path) -> None:
    path.mkdir()

    with pytest.raises(CredentialsSaveError, match='it is no regular file'):
        await AuthFile(path).save(LOGIN)


async def test_save_that_fails_leaves_the_file_and_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    names = sorted(os.listdir(path.parent))

    def full(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)

    with pytest.raises(CredentialsSaveError) as caught:
        await AuthFile(path).save(Credentials('at-new-secret'))

    assert str(caught.value) == (
        f'The new tokens could not be put into the login file {str(path)!r}: it can be neither replaced (No space left '
        'on device) nor written in place (No space left on device). They are nowhere but in memory. Mend the file, its '
        'permissions or its disk, then try again. Should this process have ended by then, run `pydantic-ai-codex login '
        f'--store {path}`.'
    )
    assert path.read_text(encoding='utf-8') == CONTENT
    assert sorted(os.listdir(path.parent)) == names


async def test_save_where_no_folder_can_be(path: Path) -> None:
    path.write_text('', encoding='utf-8')

    with pytest.raises(CredentialsSaveError, match='Not a directory'):
        await AuthFile(path / 'folder' / 'auth.json').save(LOGIN)


async def test_memory_store() -> None:
    store = MemoryStore()
    with pytest.raises(CredentialsNotFoundError, match='The `MemoryStore` is empty') as caught:
        await store.load()
    await store.save(LOGIN)

    assert caught.value.path is None
    assert await store.load() is LOGIN
    assert await MemoryStore(LOGIN).load() is LOGIN


def test_every_store_is_a_store_and_shows_no_token(path: Path) -> None:
    stores = [AuthFile(path), MemoryStore(LOGIN), MemoryStore(), EnvironmentStore()]

    assert all(isinstance(store, CredentialStore) for store in stores)
    assert not any('secret' in f'{store!r} {store}' for store in stores)
    assert repr(stores[0]) == f'AuthFile({str(path)!r})'


def test_home_of_an_unknown_user() -> None:
    with pytest.raises(CodexError):
        AuthFile('~no-such-user-here/auth.json')


async def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / 'auth.json'
    os.mkfifo(path)

    with pytest.raises(CredentialsFileError, match='is no regular file'):
        await AuthFile(path).load()


async def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / 'auth.json'
    path.write_bytes(CONTENT.encode('utf-8-sig'))

    assert (await AuthFile(path).load()).access_token != ''


@pytest.mark.skipif(os.name != 'posix', reason='modes')
async def test_file_that_others_can_read_is_warned_of_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    path.chmod(0o640)
    for _ in range(2):
        await AuthFile(path).load()

    [record] = caplog.records
    assert (record.name, record.levelname) == ('pydantic_ai_codex', 'WARNING')
    assert record.getMessage() == (
        f'Other users of this machine can get at the login file {str(path)!r} (mode 0640). Run `chmod 600 {path}`.'
    )


async def test_file_of_the_user_alone_is_not_warned_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await AuthFile(path).save(LOGIN)
    await AuthFile(path).load()

    assert caplog.records == []


async def test_inspect(path: Path) -> None:
    path.write_text(CONTENT, encoding='utf-8')
    path.chmod(0o644)
    link = path.with_name('link.json')
    link.symlink_to(path)
    note = new_note('f' * 16, 'failed', now=datetime.now(UTC), code='refresh_token_reused')
    await AuthFile(link).write_note(note)
    facts = await AuthFile(link).inspect()

    assert facts == FileFacts(
        path=link,
        target=path,
        lock_path=path.with_name('.auth.json.lock'),
        exists=True,
        is_link=True,
        size=len(CONTENT),
        mode=0o644,
        owner=path.stat().st_uid,
        is_readable_by_others=True,
        shape='tokens',
        note=note,
    )


async def test_inspect_of_nothing(path: Path) -> None:
    facts = await AuthFile(path).inspect()

    assert (facts.exists, facts.size, facts.mode, facts.shape, facts.write_problem) == (False, None, None, None, None)
    assert str(facts.problem).startswith('There is no login')
    assert not any(each.is_file() for each in path.parent.iterdir())


@pytest.mark.parametrize(
    ('document', 'shape'),
    [
        ({'chatgpt': {'access_token': 'a'}, 'tokens': {'access_token': 'b'}}, 'chatgpt'),
        ({'access_token': 'a'}, 'flat'),
        ({'auth_mode': 'apikey', 'OPENAI_API_KEY': 'sk'}, 'apikey'),
        ({'tokens': {}}, None),
        ([], None),
    ],
)
async def test_inspect_tells_the_shape(path: Path, document: object, shape: str | None) -> None:
    path.write_text(json.dumps(document), encoding='utf-8')
    facts = await AuthFile(path).inspect()

    assert facts.shape == shape
    assert (facts.problem is None) == (shape is not None)
