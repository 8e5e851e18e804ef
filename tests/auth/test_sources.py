# ruff: noqa: ASYNC240 - blocking for a moment does no harm to an event loop with one test on it.

from __future__ import annotations

import json
import os
import pwd
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from pydantic_ai_codex.auth import (
    AuthFile,
    Credentials,
    CredentialsError,
    CredentialsNotFoundError,
    EnvironmentStore,
    default_auth_path,
)
from pydantic_ai_codex.auth._file.lock import LockedError
from pydantic_ai_codex.auth._file.login_file import SupersededError
from pydantic_ai_codex.auth._file.notes import new_note
from pydantic_ai_codex.auth._paths import own_auth_path

pytestmark = pytest.mark.anyio


def write_login(path: Path, token: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({'tokens': {'access_token': token, 'account_id': 'acct-1'}}), encoding='utf-8')
    return path


@pytest.fixture
def places(isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A login in every place, each under the name of its place, and every variable set."""
    write_login(isolated / '.codex' / 'auth.json', 'from-home')
    write_login(own_auth_path(), 'from-own')
    write_login(tmp_path / 'codex' / 'auth.json', 'from-codex-home')
    write_login(tmp_path / 'explicit.json', 'from-auth-file')
    monkeypatch.setenv('CODEX_HOME', str(tmp_path / 'codex'))
    monkeypatch.setenv('CODEX_AUTH_FILE', str(tmp_path / 'explicit.json'))
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', 'from-token')
    monkeypatch.setenv('OPENAI_API_KEY', 'sk-from-environment')
    return monkeypatch


ORDER = ['CODEX_ACCESS_TOKEN', 'CODEX_AUTH_FILE', 'CODEX_HOME']


@pytest.mark.parametrize(
    ('unset', 'token'),
    [(0, 'from-token'), (1, 'from-auth-file'), (2, 'from-codex-home'), (3, 'from-own')],
)
async def test_order_of_the_places(places: pytest.MonkeyPatch, unset: int, token: str) -> None:
    for name in ORDER[:unset]:
        places.delenv(name)

    assert (await EnvironmentStore().load()).access_token == token


async def test_file_of_the_cli_is_used_where_there_is_none_of_our_own(places: pytest.MonkeyPatch) -> None:
    for name in ORDER:
        places.delenv(name)
    own_auth_path().unlink()

    assert (await EnvironmentStore().load()).access_token == 'from-home'


async def test_empty_variable_is_not_set(places: pytest.MonkeyPatch) -> None:
    for name in ORDER:
        places.setenv(name, '')

    assert (await EnvironmentStore().load()).access_token == 'from-own'


async def test_environment_is_read_at_use(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = EnvironmentStore()
    tokens = [(await store.load()).access_token]
    for name in ORDER:
        places.delenv(name)
        tokens.append((await store.load()).access_token)
    own_auth_path().unlink()
    tokens.append((await store.load()).access_token)
    places.setenv('CODEX_HOME', str(write_login(tmp_path / 'later' / 'auth.json', 'from-later').parent))
    tokens.append((await store.load()).access_token)

    assert tokens == ['from-token', 'from-auth-file', 'from-codex-home', 'from-own', 'from-home', 'from-later']


async def test_explicit_place_without_a_file_is_not_passed_over(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places.delenv('CODEX_ACCESS_TOKEN')
    places.setenv('CODEX_AUTH_FILE', str(tmp_path / 'missing.json'))

    with pytest.raises(CredentialsNotFoundError) as caught:
        await EnvironmentStore().load()
    assert caught.value.path == tmp_path / 'missing.json'
    assert 'let CODEX_AUTH_FILE name another file' in str(caught.value)


async def test_openai_api_key_of_the_environment_is_never_used(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> None:
    monkeypatch.setenv('OPENAI_API_KEY', 'sk-secret')

    with pytest.raises(CredentialsNotFoundError) as caught:
        await EnvironmentStore().load()
    assert caught.value.path == isolated / '.codex' / 'auth.json'
    assert 'sk-secret' not in str(caught.value)


async def test_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', ' at-secret\n')

    assert await EnvironmentStore().load() == Credentials('at-secret')


async def test_blank_token_of_the_environment_is_not_set(places: pytest.MonkeyPatch) -> None:
    places.setenv('CODEX_ACCESS_TOKEN', ' \n')

    assert (await EnvironmentStore().load()).access_token == 'from-auth-file'


async def test_token_of_the_environment_cannot_be_saved(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = (tmp_path / 'explicit.json').read_bytes()

    with pytest.raises(CredentialsError, match='CODEX_ACCESS_TOKEN, which cannot be written') as caught:
        await EnvironmentStore().save(Credentials('at-secret'))

    assert (tmp_path / 'explicit.json').read_bytes() == before
    assert 'secret' not in str(caught.value)
    assert 'from-token' not in str(caught.value)


async def test_save_goes_to_the_file_that_is_loaded(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places.delenv('CODEX_ACCESS_TOKEN')
    store = EnvironmentStore()
    await store.save(Credentials('new', account_id='acct-1'))

    assert (await store.load()).access_token == 'new'
    assert json.loads((tmp_path / 'explicit.json').read_bytes())['tokens']['access_token'] == 'new'


async def test_load_writes_nothing(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def files() -> dict[str, tuple[bytes, int]]:
        found = [each for each in sorted(tmp_path.rglob('*')) if each.is_file()]
        return {str(each): (each.read_bytes(), each.stat().st_mtime_ns) for each in found}

    before = files()
    for name in ORDER:
        await EnvironmentStore().load()
        places.delenv(name)
    await EnvironmentStore().load()

    assert files() == before


async def test_loading_from_nowhere_makes_no_folder(isolated: Path) -> None:
    with pytest.raises(CredentialsNotFoundError):
        await EnvironmentStore().load()

    assert list(isolated.iterdir()) == []


def test_default_path(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [default_auth_path()]
    monkeypatch.setenv('CODEX_HOME', '~/elsewhere')
    paths.append(default_auth_path())
    monkeypatch.setenv('CODEX_AUTH_FILE', '~/login.json')
    paths.append(default_auth_path())

    assert paths == [isolated / '.codex' / 'auth.json', isolated / 'elsewhere' / 'auth.json', isolated / 'login.json']


def nobody(user_id: int) -> pwd.struct_passwd:
    raise KeyError(user_id)


@pytest.mark.skipif(sys.platform != 'linux', reason='the names of folders')
def test_own_path(isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [own_auth_path()]
    monkeypatch.setenv('XDG_DATA_HOME', str(tmp_path))
    paths.append(own_auth_path())

    assert paths == [
        isolated / '.local' / 'share' / 'pydantic-ai-codex' / 'auth.json',
        tmp_path / 'pydantic-ai-codex' / 'auth.json',
    ]


def test_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('HOME')
    monkeypatch.setattr(pwd, 'getpwuid', nobody)

    with pytest.raises(CredentialsNotFoundError, match=r'a home folder that there is not\. Set CODEX_HOME'):
        default_auth_path()


@pytest.mark.parametrize('name', ['CODEX_AUTH_FILE', 'CODEX_HOME'])
async def test_home_of_an_unknown_user(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, os.path.join('~no-such-user-here', 'x'))

    with pytest.raises(CredentialsError):
        await EnvironmentStore().load()


def test_description(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = EnvironmentStore()

    assert store.describe() == 'the environment variable CODEX_ACCESS_TOKEN'
    places.delenv('CODEX_ACCESS_TOKEN')
    assert store.describe() == f'{str(tmp_path / "explicit.json")!r} (named by CODEX_AUTH_FILE)'
    assert repr(store) == 'EnvironmentStore()'


async def test_all_that_a_file_does(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places.delenv('CODEX_ACCESS_TOKEN')
    store, file = EnvironmentStore(), AuthFile(tmp_path / 'explicit.json')
    old = await store.load()
    await store.save(Credentials('at', 'rt', 'acct-1'))
    note = new_note(str((await store.load()).fingerprint), 'started', now=datetime.now(UTC))
    async with store.lock():
        await store.check_writable()
        await store.write_note(note)
        seen = [await store.read_note(), await file.read_note()]
        tmp_path.joinpath('.explicit.json.new').write_text(
            json.dumps({'tokens': {'access_token': 'at-2', 'refresh_token': 'rt-2', 'account_id': 'acct-1'}}),
            encoding='utf-8',
        )
        finished = await store.finish_save()
        await store.write_note(note)
        await store.clear_note()
        seen.append(await store.read_note())
        facts = await store.inspect()

    assert store.is_file
    assert old.access_token == 'from-auth-file'
    assert seen == [note, note, None]
    assert finished
    assert (await file.load()).access_token == 'at-2'
    assert facts.path == file.path
    assert [await store.remove(), await store.remove()] == [True, False]


async def test_without_a_file_there_is_nothing_to_lock_or_remove(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = EnvironmentStore()
    async with store.lock(), store.lock():
        await store.write_note(new_note('f' * 16, 'started', now=datetime.now(UTC)))
        await store.clear_note()
        nothing = [await store.read_note(), await store.finish_save(), await store.remove()]

    assert not store.is_file
    assert nothing == [None, False, False]
    with pytest.raises(CredentialsError, match='CODEX_ACCESS_TOKEN, which cannot be written'):
        await store.check_writable()
    assert (await store.inspect()).path == tmp_path / 'explicit.json'
    assert not any(tmp_path.glob('.explicit*'))


async def test_the_file_stays_the_same_while_it_is_locked(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ORDER[:2]:
        places.delenv(name)
    store = EnvironmentStore()
    async with store.lock():
        places.setenv('CODEX_ACCESS_TOKEN', 'from-token')
        places.setenv('CODEX_AUTH_FILE', str(tmp_path / 'explicit.json'))
        await store.save(Credentials('new'))
        inside = (await store.load()).access_token
    outside = (await store.load()).access_token

    assert (inside, outside) == ('new', 'from-token')
    assert (await AuthFile(tmp_path / 'codex' / 'auth.json').load()).access_token == 'new'


async def test_another_holder_after_a_change_of_the_environment(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ORDER[:2]:
        places.delenv(name)
    store = EnvironmentStore()
    changed, locked, saved = anyio.Event(), anyio.Event(), anyio.Event()

    async def second() -> None:
        await changed.wait()
        async with store.lock():
            locked.set()
            await saved.wait()
            await store.save(Credentials('second'))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(second)
        async with store.lock():
            places.setenv('CODEX_AUTH_FILE', str(tmp_path / 'explicit.json'))
            changed.set()
            await locked.wait()
            await store.save(Credentials('first'))
        saved.set()

    assert (await AuthFile(tmp_path / 'codex' / 'auth.json').load()).access_token == 'first'
    assert (await AuthFile(tmp_path / 'explicit.json').load()).access_token == 'second'


async def test_the_home_is_looked_at_in_a_thread(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home on a network may hang, and the event loop with it."""
    write_login(isolated / '.codex' / 'auth.json', 'from-home')
    threads: list[threading.Thread] = []
    is_file = os.path.isfile

    def watched(path: str) -> bool:
        threads.append(threading.current_thread())
        return is_file(path)

    monkeypatch.setattr(os.path, 'isfile', watched)
    store = EnvironmentStore()
    await store.load()
    async with store.lock(patience=0):
        await store.read_note()

    assert threads
    assert threading.current_thread() not in threads


async def test_a_lock_that_is_not_waited_for(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places.delenv('CODEX_ACCESS_TOKEN')
    async with AuthFile(tmp_path / 'explicit.json').lock():
        with pytest.raises(LockedError):
            async with EnvironmentStore().lock(patience=0):
                raise AssertionError('two holders')


async def test_a_newer_login_stays(places: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places.delenv('CODEX_ACCESS_TOKEN')
    with pytest.raises(SupersededError):
        await EnvironmentStore().save(Credentials('new', 'rt-new'), replacing='f' * 16)

    assert (await EnvironmentStore().load()).access_token == 'from-auth-file'
