"""`login`, run as a user runs it, against a served simulator."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pydantic_ai_codex._cli import FAILED, INTERRUPTED, OK, USAGE, main
from pydantic_ai_codex._cli._prompts import browser_of
from pydantic_ai_codex.auth import AuthFile
from pydantic_ai_codex.errors import CredentialsError, CredentialsSaveError
from pydantic_ai_codex.testing import fake_access_token


def tokens_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding='utf-8'))['tokens']


def assert_no_token(shown: str, path: Path) -> None:
    for name in ('access_token', 'refresh_token', 'id_token'):
        assert tokens_of(path)[name] not in shown


class Input(io.StringIO):
    """Standard input that is no terminal and has no descriptor."""


def test_the_browser_login_is_kept_where_programs_read(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['login', '--issuer', service.issuer]) == OK

    out, err = capsys.readouterr()
    assert out == f'Logged in as ada@example.com (plus), account acct-ada. Kept in {auth_file}.\n'
    assert f'\n{service.issuer}/oauth/authorize?' in err
    assert tokens_of(auth_file)['account_id'] == 'acct-ada'
    assert_no_token(out + err, auth_file)
    assert service.browsed.wait(60)
    assert 'ada@example.com' in service.pages[0]


def test_as_json_the_address_goes_to_standard_error(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['login', '--json', '--issuer', service.issuer]) == OK

    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told['email'], told['plan'], told['account_id']) == ('ada@example.com', 'plus', 'acct-ada')
    assert (told['store'], told['warning']) == ({'path': str(auth_file), 'named_by': 'codex'}, None)
    assert '/oauth/authorize?' in err
    assert_no_token(out, auth_file)


def test_what_the_service_denies_is_an_error_with_its_reason(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.oauth.auto_deny = True

    assert main(['login', '--json', '--issuer', service.issuer]) == FAILED

    error = json.loads(capsys.readouterr().out)['error']
    assert (error['type'], error['reason']) == ('LoginError', 'denied')
    assert not auth_file.exists()


def test_another_workspace_is_refused(service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['login', '--device', '--json', '--workspace', 'acct-work', '--issuer', service.issuer]) == FAILED

    assert json.loads(capsys.readouterr().out)['error']['reason'] == 'workspace'
    assert not auth_file.exists()


def test_the_replaced_login_is_revoked_at_its_own_service(service: Any, auth_file: Path) -> None:
    old = service.write_login(auth_file)

    assert main(['login', '--issuer', service.issuer]) == OK

    assert tokens_of(auth_file)['refresh_token'] != old['tokens']['refresh_token']
    assert len(service.oauth.revoked) == 1


def test_the_replaced_login_is_not_sent_to_another_issuer(service: Any, auth_file: Path) -> None:
    service.write_login(auth_file, issuer='http://127.0.0.1:1')

    assert main(['login', '--issuer', service.issuer]) == OK

    assert service.oauth.revoked == []


def test_whose_login_is_replaced_is_told(service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.write_login(auth_file)

    assert main(['login', '--issuer', service.issuer]) == OK
    err = capsys.readouterr().err
    assert 'It replaces another login there (logged in as user@example.com (plus), account ' in err
    assert 'which the service was asked to end. To keep both, give each a file of its own with `--store PATH`.' in err

    assert main(['login', '--issuer', service.issuer]) == OK
    assert 'replaces' not in capsys.readouterr().err

    assert main(['login', '--json', '--issuer', service.issuer]) == OK
    assert json.loads(capsys.readouterr().out)['replaced'] == {
        'auth_mode': 'chatgpt',
        'account_id': 'acct-ada',
        'email': 'ada@example.com',
    }


def test_nobody_is_warned_of_the_mode_of_a_file_that_is_replaced(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.write_login(auth_file)
    auth_file.chmod(0o644)

    assert main(['login', '--issuer', service.issuer]) == OK

    assert 'Other users' not in capsys.readouterr().err


def test_a_broken_file_makes_room_for_the_login(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auth_file.parent.mkdir()
    auth_file.write_text('{"tokens": ', encoding='utf-8')

    assert main(['login', '--issuer', service.issuer]) == OK

    aside = auth_file.with_name('auth.json.broken')
    assert f'held no login that could be read. It is {aside} now.' in capsys.readouterr().err
    assert aside.read_text() == '{"tokens": '
    assert tokens_of(auth_file)['account_id'] == 'acct-ada'


def test_a_broken_file_stays_until_there_is_a_login(service: Any, auth_file: Path) -> None:
    auth_file.parent.mkdir()
    auth_file.write_text('{"tokens": ', encoding='utf-8')
    service.oauth.auto_deny = True

    assert main(['login', '--issuer', service.issuer]) == FAILED

    assert auth_file.read_text(encoding='utf-8') == '{"tokens": '
    assert [each.name for each in auth_file.parent.iterdir() if each.suffix != '.lock'] == ['auth.json']


def test_as_json_it_is_told_where_a_broken_file_is(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auth_file.parent.mkdir()
    auth_file.write_text('{"tokens": ', encoding='utf-8')

    for moved_to in (f'{auth_file}.broken', None):
        assert main(['login', '--json', '--issuer', service.issuer]) == OK
        assert json.loads(capsys.readouterr().out)['moved_to'] == moved_to


def test_a_broken_file_on_a_full_disk_is_told_before_the_login(
    service: Any, auth_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    auth_file.parent.mkdir()
    auth_file.write_text('{"tokens": ', encoding='utf-8')
    monkeypatch.setattr('pydantic_ai_codex.auth._login.aside.check_room', full)

    assert main(['login', '--issuer', service.issuer]) == FAILED

    assert 'The login could not be kept there.' in capsys.readouterr().err
    assert not service.oauth.requests


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='there is no folder that takes nothing')
def test_a_place_whose_folder_cannot_be_made_is_told_before_the_login(
    service: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['login', '--device', '--store', '/proc/x/auth.json', '--issuer', service.issuer]) == FAILED

    err = capsys.readouterr().err
    assert "The login file '/proc/x/auth.json' cannot be written: " in err
    assert 'Let this user make files in that folder, or use another file.' in err
    assert 'lock' not in err
    assert not service.oauth.requests


def test_looking_for_room_leaves_nothing(service: Any, tmp_path: Path) -> None:
    service.oauth.auto_deny = True

    path = tmp_path / 'new' / 'deeper' / 'auth.json'
    before = list(tmp_path.iterdir())

    assert main(['login', '--store', str(path), '--issuer', service.issuer]) == FAILED

    assert list(tmp_path.iterdir()) == before


def test_a_login_that_cannot_be_kept_is_ended(
    service: Any, auth_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def full(self: object, credentials: Any) -> None:
        error = CredentialsSaveError('They are nowhere but in memory.', path=auth_file)
        raise error from OSError(28, 'No space left on device')

    monkeypatch.setattr(AuthFile, 'save', full)

    assert main(['login', '--issuer', service.issuer]) == FAILED

    err = capsys.readouterr().err
    assert 'You are not logged in: the login could not be put into ' in err
    assert 'and was ended (No space left on device)' in err
    assert len(service.oauth.revoked) == 1
    assert service.browsed.wait(60)
    assert 'You are not logged in' in service.pages[0]


@pytest.mark.parametrize('content', [None, '{"tokens": '])
def test_a_login_whose_file_cannot_be_locked_is_ended(
    content: str | None,
    service: Any,
    auth_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    auth_file.parent.mkdir()
    if content is not None:
        auth_file.write_text(content, encoding='utf-8')

    def locked(self: object) -> None:
        raise CredentialsError('Somebody else has it.')

    monkeypatch.setattr(AuthFile, 'lock', locked)

    assert main(['login', '--device', '--issuer', service.issuer]) == FAILED

    assert 'and was ended (Somebody else has it.)' in capsys.readouterr().err
    assert len(service.oauth.revoked) == 1


def test_a_device_login_on_a_pipe_has_no_line_that_is_rewritten(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.oauth.device_polls = 1

    assert main(['login', '--device', '--issuer', service.issuer]) == OK

    out, err = capsys.readouterr()
    assert out.startswith('Logged in as ada@example.com (plus)')
    assert f'    {service.issuer}/codex/device\n' in err
    assert re.search(r'^    [A-Z]{4}-\d{4}$', err, re.MULTILINE)
    assert err.splitlines()[-1] == 'Waiting for you, about 15 min left.'
    assert '\r' not in err
    assert tokens_of(auth_file)['account_id'] == 'acct-ada'


def test_a_device_login_in_a_terminal_rewrites_one_line(service: Any, terminal: Callable[..., Any]) -> None:
    service.oauth.device_polls = 1

    session = terminal('login', '--device', '--issuer', service.issuer)

    assert session.end() == OK
    waiting = re.findall(r'\rWaiting for you, (\d+:\d\d) left', session.shown)
    assert len(waiting) == 1


def test_a_narrow_terminal_has_one_line_as_well(service: Any, terminal: Callable[..., Any]) -> None:
    service.oauth.device_polls = 2

    session = terminal('login', '--device', '--issuer', service.issuer, columns=30)

    assert session.end() == OK
    waiting = re.findall(r'\r(Waiting for you, [^\r\n]*)', session.shown)
    assert [bool(re.fullmatch(r'Waiting for you, \d\d:\d\d left\. ', line)) for line in waiting] == [True, True]


@pytest.mark.parametrize('options', [{'columns': 20}, {'TERM': 'dumb'}])
def test_a_terminal_that_cannot_rewrite_a_line_has_no_such_line(
    options: dict[str, Any], service: Any, terminal: Callable[..., Any]
) -> None:
    service.oauth.device_polls = 1

    session = terminal('login', '--device', '--issuer', service.issuer, **options)

    assert session.end() == OK
    assert 'Waiting for you, about 15 min left.\r\n' in session.shown
    assert ('\x1b' in session.shown) is ('TERM' not in options)


def test_the_line_of_a_device_login_is_wiped(service: Any, terminal: Callable[..., Any]) -> None:
    service.oauth.device_polls = 1

    session = terminal('login', '--device', '--issuer', service.issuer)

    assert session.end() == OK
    assert re.search(r'\r +\rLogged in as ada@example.com', session.shown)


def test_a_device_login_that_is_switched_off_says_so(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    service.oauth.device_login = False

    assert main(['login', '--device', '--issuer', service.issuer]) == FAILED

    assert '--paste' in capsys.readouterr().err


def leads_to(url: str) -> str:
    """Where the login page sends a browser that cannot reach that address."""

    class Stop(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any, **kwargs: Any) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(Stop).open(url)
    with caught.value as error:
        return error.headers['location']


def test_pasting_the_address_of_the_last_page(service: Any, auth_file: Path, terminal: Callable[..., Any]) -> None:
    session = terminal('login', '--paste', '--issuer', service.issuer)
    url = session.until(r'\n(http\S+authorize\S+)\r\n')
    session.until('press Enter:')
    session.type('https://example.com/?code=1&state=2\n')
    session.until('warning:')
    session.type(leads_to(url) + '\n')

    assert session.end() == OK
    assert 'Waiting for you' not in session.shown
    assert tokens_of(auth_file)['account_id'] == 'acct-ada'


def test_over_ssh_no_browser_is_opened_and_an_address_can_be_pasted(
    service: Any, auth_file: Path, terminal: Callable[..., Any]
) -> None:
    session = terminal('login', '--issuer', service.issuer, SSH_CONNECTION='there', DISPLAY=':0')
    url = session.until(r'\n(http\S+authorize\S+)\r\n')
    session.until('Waiting for you')
    session.until('press Enter:')
    session.type(leads_to(url) + '\n')

    assert session.end() == OK
    assert auth_file.exists()


def test_ctrl_c_ends_a_login(service: Any, auth_file: Path, terminal: Callable[..., Any]) -> None:
    session = terminal('login', '--no-browser', '--issuer', service.issuer)
    session.until('press Enter:')
    session.type('\x03')

    assert session.end() == INTERRUPTED
    assert 'Stopped.' in session.shown
    assert 'Traceback' not in session.shown
    assert not auth_file.exists()


def test_ctrl_d_ends_a_paste(service: Any, terminal: Callable[..., Any]) -> None:
    session = terminal('login', '--paste', '--issuer', service.issuer)
    session.until('press Enter:')
    session.type('\x04')

    assert session.end() == FAILED
    assert 'Nothing was pasted' in session.shown


def test_a_key_is_not_shown_while_it_is_typed(auth_file: Path, terminal: Callable[..., Any]) -> None:
    session = terminal('login', '--with-api-key')
    session.until('API key: ')
    session.type('sk-typed\n')

    assert session.end() == OK
    assert 'sk-typed' not in session.shown
    assert json.loads(auth_file.read_text(encoding='utf-8'))['OPENAI_API_KEY'] == 'sk-typed'


@pytest.mark.parametrize('option', ['--with-api-key', '--with-access-token'])
@pytest.mark.parametrize(('key', 'code', 'words'), [('\x03', INTERRUPTED, 'Stopped.'), ('\x04', FAILED, 'Nothing was')])
def test_a_prompt_ends_at_once(
    option: str, key: str, code: int, words: str, auth_file: Path, terminal: Callable[..., Any]
) -> None:
    session = terminal('login', option, NO_COLOR='1')
    session.until('(key|token): ')
    session.type(key)

    assert session.end() == code
    assert re.search(rf'\r\n(error: )?{words}', session.shown)
    assert 'Traceback' not in session.shown
    assert not auth_file.exists()


def test_a_line_of_an_env_file_is_no_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], auth_file: Path
) -> None:
    monkeypatch.setattr('sys.stdin', Input('OPENAI_API_KEY=sk-secret\n'))

    assert main(['login', '--with-api-key']) == FAILED

    err = capsys.readouterr().err
    assert 'leave out the name and the equals sign' in err
    assert 'sk-secret' not in err
    assert not auth_file.exists()


def test_an_access_token_from_standard_input(
    auth_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = fake_access_token(expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    monkeypatch.setattr('sys.stdin', Input(f'{token}\n'))

    assert main(['login', '--with-access-token']) == OK

    out, err = capsys.readouterr()
    assert out.endswith(f'Kept in {auth_file}.\n')
    assert 'warning: The Codex CLI refuses a file with an access token alone' in err
    assert 'Nobody was asked whether it is valid: it is checked with the first request.' in err
    assert token not in out + err
    assert tokens_of(auth_file)['access_token'] == token


def test_an_access_token_of_another_workspace_is_refused(
    auth_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('sys.stdin', Input(fake_access_token(expires_at=datetime(2100, 1, 1, tzinfo=UTC))))

    assert main(['login', '--with-access-token', '--workspace', 'acct-work']) == FAILED

    assert "'acct-work'" in capsys.readouterr().err
    assert not auth_file.exists()


def test_a_key_where_a_token_is_expected_says_which_option_to_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('sys.stdin', Input('sk-secret'))

    assert main(['login', '--with-access-token']) == FAILED

    err = capsys.readouterr().err
    assert '--with-api-key' in err
    assert 'sk-secret' not in err


def test_a_place_that_cannot_be_written_is_told_before_the_login(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.write_login(auth_file)
    auth_file.chmod(0o400)

    assert main(['login', '--issuer', service.issuer]) == FAILED

    out, err = capsys.readouterr()
    assert (out, 'authorize' in err) == ('', False)
    assert f"'{auth_file}' cannot be written: it is marked as read-only" in err
    assert 'To keep it elsewhere, use `--store PATH`.' in err
    assert 'efresh' not in err
    assert not service.oauth.requests


def test_a_place_that_no_program_reads_is_told(
    service: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'work.json'

    assert main(['login', '--store', str(path), '--issuer', service.issuer]) == OK

    err = capsys.readouterr().err
    assert f'Set CODEX_AUTH_FILE={path}' in err
    assert 'warning' not in err
    assert path.exists()

    assert main(['login', '--store', str(path), '--issuer', service.issuer]) == OK
    assert 'CODEX_AUTH_FILE' not in capsys.readouterr().err


def test_a_relative_place_is_told_by_its_whole_path(
    service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(['login', '--store', 'work/auth.json', '--issuer', service.issuer]) == OK

    out, err = capsys.readouterr()
    assert f'Kept in {tmp_path}/work/auth.json.' in out
    assert f'Set CODEX_AUTH_FILE={tmp_path}/work/auth.json, or' in err


def test_our_own_file_is_read_from_then_on(service: Any, isolated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pydantic_ai_codex.auth import default_auth_path, own_auth_path

    assert main(['login', '--store', 'own', '--issuer', service.issuer]) == OK

    assert default_auth_path() == own_auth_path()
    assert own_auth_path().exists()
    assert 'warning' not in capsys.readouterr().err


def test_a_variable_that_goes_before_the_file_is_told(
    service: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', 'something')

    assert main(['login', '--issuer', service.issuer]) == OK

    assert 'CODEX_ACCESS_TOKEN is set and goes before every file' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('configuration', 'arguments', 'words'),
    [
        ('forced_login_method = "api"', [], '--with-api-key'),
        ('forced_login_method = "chatgpt"', ['--with-api-key'], 'ChatGPT'),
        ('forced_chatgpt_workspace_id = "acct-work"', ['--workspace', 'acct-home'], 'acct-work'),
    ],
)
def test_what_the_cli_would_log_out_again_is_refused(
    auth_file: Path, configuration: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    auth_file.parent.mkdir()
    (auth_file.parent / 'config.toml').write_text(configuration)

    assert main(['login', *arguments]) == FAILED

    assert words in capsys.readouterr().err


def test_a_configuration_that_cannot_be_read_restricts_nothing_and_is_told(
    service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auth_file.parent.mkdir()
    (auth_file.parent / 'config.toml').write_text('forced_login_method = ')

    assert main(['login', '--issuer', service.issuer]) == OK

    assert 'warning: ' in capsys.readouterr().err


@pytest.mark.parametrize(('store', 'is_told'), [([], True), (['--store', 'own'], False)])
def test_a_keyring_that_the_cli_uses_instead_of_its_file_is_told(
    store: list[str], is_told: bool, service: Any, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auth_file.parent.mkdir()
    (auth_file.parent / 'config.toml').write_text('cli_auth_credentials_store = "keyring"')

    assert main(['login', '--issuer', service.issuer, *store]) == OK

    err = capsys.readouterr().err
    assert (
        "warning: The Codex CLI does not use this file, as `cli_auth_credentials_store` is 'keyring'" in err
    ) is is_told


@pytest.mark.parametrize(
    'arguments',
    [
        ['--with-api-key', '--workspace', 'acct-1'],
        ['--workspace', ''],
        ['--device', '--workspace', 'acct-1', '--workspace', ' '],
        ['--with-api-key', '--no-browser'],
        ['--with-access-token', '--issuer', 'https://example.com'],
        ['--device', '--no-browser'],
        ['--issuer', ''],
        ['--device', '--exchange-api-key'],
        ['--issuer', 'http://example.com'],
    ],
)
def test_options_without_effect_are_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['login', *arguments]) == USAGE

    assert capsys.readouterr().err.startswith('error: ')


def test_the_platform_key_is_kept_beside_the_tokens(service: Any, auth_file: Path) -> None:
    assert main(['login', '--exchange-api-key', '--issuer', service.issuer]) == OK

    document = json.loads(auth_file.read_text(encoding='utf-8'))
    assert document['OPENAI_API_KEY'].startswith('sk-')
    assert document['auth_mode'] == 'chatgpt'


@pytest.mark.parametrize(
    ('environment', 'platform', 'opens'),
    [
        ({'DISPLAY': ':0'}, 'linux', True),
        ({'WAYLAND_DISPLAY': 'wayland-0'}, 'linux', True),
        ({}, 'linux', False),
        ({}, 'darwin', True),
        ({'SSH_CONNECTION': 'there'}, 'darwin', False),
        ({'DISPLAY': ':0', 'SSH_TTY': '/dev/pts/1'}, 'linux', False),
        ({'SSH_TTY': '/dev/pts/1', 'BROWSER': 'mine'}, 'linux', True),
    ],
)
def test_where_a_browser_would_be_seen(
    environment: dict[str, str], platform: str, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'SSH_CONNECTION', 'SSH_TTY', 'BROWSER'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr('sys.platform', platform)

    assert (browser_of() is not None) is opens
