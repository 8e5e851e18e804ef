"""`status`, `refresh` and `logout`, run as a user runs them."""

from __future__ import annotations

import errno
import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pydantic_ai_codex._cli import FAILED, NO_LOGIN, OK, USAGE, main
from pydantic_ai_codex.testing import CodexSimulator, fake_access_token

from .files import leave_note, write


def expired(document: dict[str, Any]) -> dict[str, Any]:
    token = fake_access_token(expires_at=datetime.now(UTC) - timedelta(hours=2, minutes=5))
    return {**document, 'tokens': {**document['tokens'], 'access_token': token}}


def test_a_login(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = CodexSimulator().auth_json()
    write(auth_file, document)

    assert main(['status']) == OK

    out, err = capsys.readouterr()
    assert (out.startswith('Logged in as '), err) == (True, '')
    for words in ('(plus)', 'expires in 10 days', 'possible, last done ', f'{auth_file} (the file of the'):
        assert words in out
    assert document['tokens']['access_token'] not in out


def test_a_login_as_json(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulator = CodexSimulator()
    document = simulator.auth_json()
    write(auth_file, document)

    assert main(['status', '--json']) == OK

    out = capsys.readouterr().out
    told = json.loads(out)
    assert (told['logged_in'], told['problem']) == (True, None)
    assert (told['account_id'], told['plan'], told['can_refresh']) == (simulator.account_id, 'plus', True)
    assert told['store'] == {'path': str(auth_file), 'named_by': 'codex'}
    assert datetime.fromisoformat(told['expires_at']) > datetime.now(UTC)
    assert all(token not in out for token in document['tokens'].values() if token != simulator.account_id)


def test_no_login_is_exit_code_1(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['status']) == FAILED
    assert 'pydantic-ai-codex login' in capsys.readouterr().err

    assert main(['status', '--json']) == FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told['logged_in'], told['error']['type']) == (False, 'CredentialsNotFoundError')
    assert told['store']['path'] == str(auth_file)

    write(auth_file, CodexSimulator().auth_json())
    assert main(['status', '--json']) == OK
    assert json.loads(capsys.readouterr().out).keys() == told.keys()


def test_a_broken_file_is_no_login(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, '{"tokens": ')

    assert main(['status']) == FAILED

    assert capsys.readouterr().err.startswith('Not logged in. The login file ')


def test_an_expired_token_that_can_be_refreshed_is_a_login(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, expired(CodexSimulator().auth_json()))

    assert main(['status']) == OK

    assert 'expired 2 hours ago' in capsys.readouterr().out


@pytest.mark.parametrize('way', ['no refresh token', 'refused before', 'cut off before', 'read-only'])
def test_an_expired_token_that_cannot_be_refreshed_is_none(
    way: str, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = expired(CodexSimulator().auth_json())
    if way == 'no refresh token':
        del document['tokens']['refresh_token']
    write(auth_file, document)
    if way == 'refused before':
        leave_note(auth_file, 'failed', 'refresh_token_reused')
    if way == 'cut off before':
        leave_note(auth_file, 'started')
    if way == 'read-only':
        auth_file.chmod(0o400)

    assert main(['status']) == FAILED

    next_step = {'cut off before': 'Run `pydantic-ai-codex refresh`', 'read-only': 'is marked as read-only'}
    assert next_step.get(way, 'Run `pydantic-ai-codex login`') in capsys.readouterr().err


@pytest.mark.parametrize('way', ['refused before', 'read-only'])
def test_a_valid_token_that_cannot_be_refreshed_is_warned_of(
    way: str, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(auth_file, CodexSimulator().auth_json())
    if way == 'refused before':
        leave_note(auth_file, 'failed', 'invalid_grant')
    else:
        auth_file.chmod(0o400)

    assert main(['status']) == OK
    err = capsys.readouterr().err
    assert err.startswith('warning: Once the access token has expired, it cannot be refreshed')
    assert ('pydantic-ai-codex login' if way == 'refused before' else 'cannot be written') in err

    assert main(['status', '--json']) == OK
    told = json.loads(capsys.readouterr().out)
    assert (told['problem'], told['can_refresh']) == (None, False)
    assert told['warning'].startswith('Once the access token has expired')


@pytest.mark.parametrize(('token', 'words'), [('garbage', 'names no ChatGPT account'), ('sk-abc', 'is an API key')])
def test_a_token_without_an_account_is_no_login(
    token: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', token)

    assert main(['status']) == FAILED
    out, err = capsys.readouterr()
    assert 'Logged in' not in out
    assert words in err
    assert 'Replace the value of CODEX_ACCESS_TOKEN, or unset it' in err

    assert main(['status', '--json']) == FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told['logged_in'], words in told['problem']) == (False, True)


def test_the_next_step_names_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'my login.json'
    document = expired(CodexSimulator().auth_json())
    del document['tokens']['refresh_token']
    write(path, document)

    assert main(['status', '--store', str(path)]) == FAILED

    assert f"pydantic-ai-codex login --store '{path}'" in capsys.readouterr().err


def test_the_file_that_a_logout_leaves_of_a_mount_is_no_login(
    auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(auth_file, '{}\n')

    assert main(['status']) == FAILED
    err = capsys.readouterr().err
    assert err.startswith('There is no login: ')
    assert 'access_token' not in err

    assert main(['logout']) == OK
    assert capsys.readouterr().err == f'Not logged in: {auth_file} holds no login.\n'


def test_a_refresh_that_is_under_way_is_nothing_to_tell(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from filelock import FileLock

    write(auth_file, CodexSimulator().auth_json())
    leave_note(auth_file, 'started')

    with FileLock(auth_file.with_name('.auth.json.lock')):
        assert main(['status', '--json']) == OK

    assert json.loads(capsys.readouterr().out)['interrupted_or_failed_refresh'] is None


def test_a_refresh_that_was_cut_off_is_told(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, CodexSimulator().auth_json())
    leave_note(auth_file, 'started')

    assert main(['status']) == OK
    assert '`pydantic-ai-codex refresh` tries again' in capsys.readouterr().out

    assert main(['status', '--json']) == OK
    note = json.loads(capsys.readouterr().out)['interrupted_or_failed_refresh']
    assert (note['state'], note['pid'], note['host']) == ('started', 4711, 'laptop')


def test_an_api_key(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, {'OPENAI_API_KEY': 'sk-secret'})

    assert main(['status']) == OK

    out = capsys.readouterr().out
    assert 'API key' in out
    assert 'sk-secret' not in out


@pytest.mark.parametrize(('variable', 'rule'), [('CODEX_AUTH_FILE', 'CODEX_AUTH_FILE'), ('CODEX_HOME', 'CODEX_HOME')])
def test_the_variable_that_names_the_place_is_told(
    variable: str, rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'auth.json'
    write(path, CodexSimulator().auth_json())
    monkeypatch.setenv(variable, str(path if variable == 'CODEX_AUTH_FILE' else tmp_path))

    assert main(['status']) == OK

    assert f'{path} (named by {rule})' in capsys.readouterr().out


def test_a_token_of_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', CodexSimulator().access_token)

    assert main(['status', '--json']) == OK

    told = json.loads(capsys.readouterr().out)
    assert told['store'] == {'path': None, 'named_by': 'CODEX_ACCESS_TOKEN'}
    assert told['can_refresh'] is False


def test_words_from_a_token_stay_in_their_line(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = CodexSimulator().auth_json()
    claims = {'email': 'ada@example.com\n  refresh       possible\u202e\x1b[2J'}
    token = fake_access_token(expires_at=datetime.now(UTC) + timedelta(days=1), claims=claims)
    write(auth_file, {**document, 'tokens': {**document['tokens'], 'id_token': token}})

    assert main(['status']) == OK

    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith('Logged in as ada@example.com refresh possible [2J (plus), account ')
    assert len(rest) == 3


@pytest.mark.parametrize('encoding', ['ascii', 'latin-1', 'cp1252', 'utf-8'])
def test_json_is_json_in_every_encoding(encoding: str, auth_file: Path) -> None:
    document = CodexSimulator().auth_json()
    email = 'ré\N{GRINNING FACE}@example.com'
    token = fake_access_token(expires_at=datetime.now(UTC) + timedelta(days=1), claims={'email': email})
    write(auth_file, {**document, 'tokens': {**document['tokens'], 'id_token': token}})

    shown = subprocess.run(
        [sys.executable, '-m', 'pydantic_ai_codex', 'status', '--json'],
        capture_output=True, check=True, env={**os.environ, 'PYTHONIOENCODING': encoding},
    ).stdout  # fmt: skip

    assert json.loads(shown.decode(encoding))['email'] == email


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no full device')
@pytest.mark.parametrize(
    'arguments',
    [
        ['status'],
        ['status', '--json'],
        ['doctor'],
        ['--version'],
        ['--help'],
        ['login', '--help'],
        ['demo'],
    ],
)
@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_output_that_cannot_be_written(arguments: list[str], unbuffered: str, auth_file: Path) -> None:
    write(auth_file, CodexSimulator().auth_json())

    with open('/dev/full', 'wb') as full:
        run = subprocess.run(
            [sys.executable, '-m', 'pydantic_ai_codex', *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, env={**os.environ, 'PYTHONUNBUFFERED': unbuffered},
        )  # fmt: skip

    assert (run.returncode, run.stderr) == (FAILED, 'error: The output cannot be written: No space left on device.\n')


@pytest.mark.skipif(os.name != 'posix', reason='a shell')
@pytest.mark.parametrize('closed', ['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])
def test_streams_may_be_closed(closed: str, auth_file: Path) -> None:
    write(auth_file, CodexSimulator().auth_json())
    command = f'{shlex.quote(sys.executable)} -m pydantic_ai_codex status {closed}'

    run = subprocess.run(['sh', '-c', command], capture_output=True, text=True)

    assert (run.returncode, run.stderr) == (OK, '')


def test_a_reader_that_leaves_before_the_end_was_not_told(auth_file: Path) -> None:
    write(auth_file, CodexSimulator().auth_json())
    command = subprocess.Popen(
        [sys.executable, '-m', 'pydantic_ai_codex', 'status', '--json'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert command.stdout is not None
    command.stdout.close()
    _, err = command.communicate(timeout=60)

    assert (command.returncode, err) == (FAILED, b'')


@pytest.mark.parametrize(
    ('store', 'words'),
    [
        ('', '--store is empty'),
        ('codxe', "--store 'codxe' is not known. It takes codex, own, or the path of a file, such as './codxe'"),
        ('~nosuchuser/auth.json', "--store '~nosuchuser/auth.json' lies in a home folder that there is not"),
        ('folder', "--store 'folder' is a folder"),
        ('new/', "--store 'new/' is a folder"),
    ],
)
def test_a_store_that_is_none(
    store: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'folder').mkdir()

    for command in (['status'], ['logout'], ['login', '--device'], ['run', 'Hi']):
        assert main([*command, '--store', store]) == USAGE
        assert words in capsys.readouterr().err


@pytest.mark.parametrize('arguments', [['status'], ['status', '--store', 'codex'], ['doctor'], ['logout']])
def test_a_home_that_there_is_not(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('CODEX_HOME', '~nosuchuser')

    assert main(arguments) == (FAILED if arguments[0] == 'status' else NO_LOGIN)

    assert "'~nosuchuser' lies in a home folder that there is not" in capsys.readouterr().err


def test_a_name_from_a_token_cannot_steer_the_terminal(auth_file: Path, terminal: Any) -> None:
    document = CodexSimulator().auth_json()
    token = fake_access_token(
        expires_at=datetime.now(UTC) + timedelta(days=1), claims={'email': 'a\x1b[2J\x9bb@example.com'}
    )
    write(auth_file, {**document, 'tokens': {**document['tokens'], 'id_token': token}})

    session = terminal('status', NO_COLOR='1')

    assert session.end() == OK
    assert 'a [2J b@example.com' in session.shown
    assert '\x1b' not in session.shown
    assert '\x9b' not in session.shown


def test_refresh_gets_new_tokens(service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = service.write_login(auth_file)

    assert main(['refresh']) == OK

    out, _ = capsys.readouterr()
    new = json.loads(auth_file.read_text(encoding='utf-8'))
    assert new['tokens']['refresh_token'] != old['tokens']['refresh_token']
    assert 'The new access token expires in ' in out
    assert new['tokens']['access_token'] not in out


def test_refresh_as_json(service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.write_login(auth_file)

    assert main(['refresh', '--json']) == OK

    told = json.loads(capsys.readouterr().out)
    assert told['store']['path'] == str(auth_file)
    assert datetime.fromisoformat(told['expires_at']) > datetime.now(UTC)


def test_a_refused_refresh_is_exit_code_1(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('pydantic_ai_codex.auth._refresh._LATE_WRITES', ())
    document = service.write_login(auth_file)
    document['tokens']['refresh_token'] = 'unknown'
    write(auth_file, document)

    assert main(['refresh', '--json']) == FAILED

    error = json.loads(capsys.readouterr().out)['error']
    assert (error['type'], error['code'], error['is_permanent']) == ('CredentialsRefreshError', 'invalid_grant', True)


def test_a_refresh_that_could_not_be_kept_is_exit_code_1(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.write_login(auth_file)
    auth_file.chmod(0o400)

    assert main(['refresh']) == FAILED

    assert 'is marked as read-only' in capsys.readouterr().err
    assert service.oauth.refreshes == []


def test_a_key_that_cannot_be_refreshed_is_exit_code_1(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, {'OPENAI_API_KEY': 'sk-secret'})

    assert main(['refresh', '--json']) == FAILED

    assert json.loads(capsys.readouterr().out)['error']['type'] == 'CredentialsRefreshError'


def test_refresh_without_a_login_is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['refresh']) == NO_LOGIN

    assert 'There is no login' in capsys.readouterr().err


def test_refresh_goes_on_after_one_that_was_cut_off(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.write_login(auth_file)
    leave_note(auth_file, 'started')

    assert main(['refresh']) == OK

    assert 'A refresh was cut off at ' in capsys.readouterr().err
    assert len(service.oauth.refreshes) == 1


def test_logout_revokes_and_removes(service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.write_login(auth_file)

    assert main(['logout']) == OK

    assert capsys.readouterr().out == f'Logged out. The login is revoked and {auth_file} is removed.\n'
    assert not auth_file.exists()
    assert len(service.oauth.revoked) == 1


def test_logout_removes_what_cannot_be_revoked(
    auth_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(auth_file, CodexSimulator().auth_json())
    monkeypatch.setenv('CODEX_REVOKE_TOKEN_URL_OVERRIDE', 'http://127.0.0.1:1/revoke')

    assert main(['logout']) == OK

    out, err = capsys.readouterr()
    assert out == f'Logged out. {auth_file} is removed.\n'
    assert err.startswith('warning: The login could not be revoked')
    assert not auth_file.exists()


def test_logout_removes_also_where_nobody_can_be_asked(
    auth_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(auth_file, CodexSimulator().auth_json())
    monkeypatch.setenv('CODEX_REVOKE_TOKEN_URL_OVERRIDE', 'ftp://example.com/hidden')

    assert main(['logout']) == OK

    assert 'warning: The login could not be revoked' in capsys.readouterr().err
    assert not auth_file.exists()


def test_logout_through_a_link_says_what_is_removed(
    service: Any, tmp_path: Path, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.write_login(auth_file)
    link = tmp_path / 'link.json'
    link.symlink_to(auth_file)

    assert main(['logout', '--store', str(link)]) == OK

    assert f'{auth_file} is removed; the link {link} is left.' in capsys.readouterr().out


def test_logout_moves_a_broken_file_aside(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, '{"tokens": ')

    assert main(['logout', '--json']) == OK

    aside = auth_file.with_name('auth.json.broken')
    assert json.loads(capsys.readouterr().out)['moved_to'] == str(aside)
    assert (auth_file.exists(), aside.read_text()) == (False, '{"tokens": ')


def test_logout_never_moves_a_broken_file_over_an_earlier_one(
    auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved: list[str] = []
    for content in ('{"first": ', '{"second": ', '{"third": '):
        write(auth_file, content)
        auth_file.chmod(0o644)
        assert main(['logout', '--json']) == OK
        moved.append(json.loads(capsys.readouterr().out)['moved_to'])

    names = ['auth.json.broken', 'auth.json.broken-2', 'auth.json.broken-3']
    assert moved == [str(auth_file.with_name(name)) for name in names]
    assert [Path(path).read_text(encoding='utf-8') for path in moved] == ['{"first": ', '{"second": ', '{"third": ']
    assert {Path(path).stat().st_mode & 0o777 for path in moved} == {0o600}


@pytest.mark.parametrize('way', ['words', 'JSON'])
def test_logout_of_a_file_that_stays_says_that_it_is_revoked(
    way: str, service: Any, auth_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(places: object) -> bool:
        raise OSError(errno.EROFS, 'Read-only file system')

    service.write_login(auth_file)
    monkeypatch.setattr('pydantic_ai_codex.auth._file.login_file.remove', refuse)

    assert main(['logout', *(['--json'] if way == 'JSON' else [])]) == FAILED

    out, err = capsys.readouterr()
    problem = (
        f"The login file '{auth_file}' cannot be removed: Read-only file system. Remove it yourself. The login is "
        'revoked, so the tokens that are left are of no use any more.'
    )
    assert (len(service.oauth.revoked), auth_file.exists()) == (1, True)
    if way == 'words':
        assert (out, err) == ('', f'error: {problem}\n')
    else:
        told = json.loads(out)
        assert (told['revoked'], told['removed'], told['problem']) == (True, False, problem)
        assert (told['error']['message'], told['moved_to']) == (problem, None)


@pytest.mark.skipif(os.name != 'posix', reason='modes')
def test_logout_warns_of_no_mode(service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.write_login(auth_file)
    auth_file.chmod(0o644)

    assert main(['logout']) == OK

    assert capsys.readouterr().err == ''


@pytest.mark.skipif(os.name != 'posix', reason='modes')
def test_logout_leaves_the_mode_of_what_is_no_login(tmp_path: Path) -> None:
    path = tmp_path / 'notes.json'
    write(path, '["notes"]')
    path.chmod(0o444)

    assert main(['logout', '--store', str(path)]) == NO_LOGIN

    assert (path.stat().st_mode & 0o777, path.read_text(encoding='utf-8')) == (0o444, '["notes"]')


@pytest.mark.parametrize('store', ['own', 'codex'])
def test_the_next_step_names_the_store_as_the_user_did(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    from pydantic_ai_codex.auth import default_auth_path, own_auth_path

    document = expired(CodexSimulator().auth_json())
    path = own_auth_path() if store == 'own' else default_auth_path()
    write(path, document)
    leave_note(path, 'started')

    assert main(['status', '--store', store]) == FAILED
    assert f'Run `pydantic-ai-codex refresh --store {store}`.' in capsys.readouterr().err

    del document['tokens']['refresh_token']
    write(path, document)
    assert main(['status', '--store', store]) == FAILED
    assert f'Run `pydantic-ai-codex login --store {store}` to log in anew.' in capsys.readouterr().err


def test_logout_as_json(service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.write_login(auth_file)

    assert main(['logout', '--json']) == OK

    told = json.loads(capsys.readouterr().out)
    assert (told['revoked'], told['removed'], told['problem']) == (True, True, None)


def test_logout_without_a_login_is_no_failure(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['logout']) == OK

    assert capsys.readouterr().err == f'Not logged in: {auth_file} does not exist.\n'


def test_logout_tells_of_a_login_that_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', 'something')

    assert main(['logout']) == OK

    assert 'CODEX_ACCESS_TOKEN is still set' in capsys.readouterr().err


def test_a_warning_of_the_library_is_one_of_the_command(auth_file: Path, terminal: Any) -> None:
    write(auth_file, CodexSimulator().auth_json())
    auth_file.chmod(0o644)

    session = terminal('status', NO_COLOR='1')

    assert session.end() == OK
    assert f'warning: Other users of this machine can get at the login file {str(auth_file)!r}' in session.shown
