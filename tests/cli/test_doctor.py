"""`doctor`: what it finds, and what it says to do."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from pydantic_ai_codex import CodexProvider
from pydantic_ai_codex._cli import FAILED, OK, main
from pydantic_ai_codex._instructions import Instructions, cache_folder
from pydantic_ai_codex.testing import CodexSimulator, connect_error, fake_access_token

from .backend import Backend
from .files import leave_note, write


@pytest.fixture
def login(auth_file: Path) -> dict[str, Any]:
    document = CodexSimulator().auth_json()
    write(auth_file, document)
    return document


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine that would be found."""
    for name in ('HTTPS_PROXY', 'ALL_PROXY', 'SSL_CERT_FILE'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr('pydantic_ai_codex._cli._doctor.CALLBACK_PORTS', (0, 0))


def examined(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    code = main(['doctor', '--json', *arguments])
    told = json.loads(capsys.readouterr().out)
    assert told['ok'] is (code == OK)
    return code, {check['name']: check for check in told['checks']}


@pytest.mark.usefixtures('login')
def test_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    code, checks = examined(capsys)

    assert code == OK
    assert {name: check['state'] for name, check in checks.items() if check['state'] == 'fail'} == {}
    assert list(checks) == [
        'versions', 'source', 'file', 'mode', 'shape', 'writable', 'lock', 'token', 'refresh', 'account', 'clock',
        'port', 'cache', 'models', 'originator', 'environment',
    ]  # fmt: skip


def test_the_lines_of_a_pipe_have_words_and_no_colours(
    login: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['doctor']) == OK

    out = capsys.readouterr().out
    assert {line[:4].strip() for line in out.splitlines()} <= {'ok', 'warn', ''}
    assert '\x1b' not in out
    assert '✓' not in out
    assert all(token not in out for name, token in login['tokens'].items() if name != 'account_id')


@pytest.mark.usefixtures('login')
@pytest.mark.parametrize('no_color', ['', '1'])
def test_the_lines_of_a_terminal_have_symbols(no_color: str, terminal: Callable[..., Any]) -> None:
    session = terminal('doctor', NO_COLOR=no_color)

    session.end()
    assert '✓ ok' in session.shown
    assert ('\x1b[32m' in session.shown) is not bool(no_color)


def test_no_login(capsys: pytest.CaptureFixture[str], auth_file: Path) -> None:
    code, checks = examined(capsys)

    assert code == FAILED
    assert checks['file']['state'] == 'fail'
    assert str(auth_file) in checks['file']['text']
    assert checks['file']['advice'] == 'Run `pydantic-ai-codex login` (or `codex login`).'
    assert 'token' not in checks


def test_what_is_no_login(capsys: pytest.CaptureFixture[str], auth_file: Path) -> None:
    write(auth_file, {'tokens': {}})

    code, checks = examined(capsys)

    assert (code, checks['shape']['state']) == (FAILED, 'fail')
    assert 'access_token' in checks['shape']['text']


@pytest.mark.skipif(os.name != 'posix', reason='modes')
@pytest.mark.usefixtures('login')
def test_a_file_that_others_can_read(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    auth_file.chmod(0o644)

    code, checks = examined(capsys)

    assert (code, checks['mode']['state']) == (OK, 'warn')
    assert checks['mode']['advice'] == f'Run `chmod 600 {auth_file}`.'


@pytest.mark.usefixtures('login')
def test_a_link_is_followed(tmp_path: Path, auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / 'link.json'
    link.symlink_to(auth_file)

    _, checks = examined(capsys, '--store', str(link))

    assert f'a link to {auth_file}' in checks['file']['text']
    assert checks['source']['state'] == 'ok'


def with_access_token(document: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {**document, 'tokens': {**document['tokens'], 'access_token': fake_access_token(**options)}}


def test_an_expired_token_is_no_problem_where_it_can_be_refreshed(
    login: dict[str, Any], auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(auth_file, with_access_token(login, expires_at=datetime.now(UTC) - timedelta(days=2)))

    code, checks = examined(capsys)

    assert (code, checks['token']['state']) == (OK, 'ok')
    assert 'the next request refreshes it' in checks['token']['text']


@pytest.mark.skipif(os.name != 'posix', reason='modes')
def test_an_expired_token_in_a_file_that_is_read_only(
    login: dict[str, Any], auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(auth_file, with_access_token(login, expires_at=datetime.now(UTC) - timedelta(days=2)))
    auth_file.chmod(0o400)

    code, checks = examined(capsys)

    assert (code, checks['token']['state'], checks['refresh']['state']) == (FAILED, 'fail', 'warn')
    assert 'cannot be refreshed: the login file cannot be written' in checks['token']['text']


def test_an_expired_token_without_a_refresh_token(
    login: dict[str, Any], auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = with_access_token(login, expires_at=datetime.now(UTC) - timedelta(days=2))
    del document['tokens']['refresh_token']
    write(auth_file, document)

    code, checks = examined(capsys)

    assert (code, checks['token']['state'], checks['refresh']['state']) == (FAILED, 'fail', 'warn')


@pytest.mark.usefixtures('login')
@pytest.mark.parametrize(('state', 'code', 'how'), [('failed', FAILED, 'fail'), ('started', OK, 'warn')])
def test_a_refresh_that_failed_or_was_cut_off(
    state: str, code: int, how: str, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_note(auth_file, state, 'refresh_token_reused' if state == 'failed' else None)

    exit_code, checks = examined(capsys)

    assert (exit_code, checks['refresh']['state']) == (code, how)
    assert ('refresh_token_reused' in checks['refresh']['text']) is (state == 'failed')


@pytest.mark.skipif(os.name != 'posix', reason='modes')
@pytest.mark.usefixtures('login')
def test_a_file_that_is_read_only(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    auth_file.chmod(0o400)

    code, checks = examined(capsys)

    assert (code, checks['writable']['state'], checks['refresh']['state']) == (OK, 'warn', 'warn')
    assert checks['writable']['advice'] == 'Or let whoever else uses the file refresh it.'


def test_an_api_key(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, {'OPENAI_API_KEY': 'sk-secret'})

    code, checks = examined(capsys)

    assert (code, checks['token']['state'], 'refresh' in checks) == (OK, 'ok', False)


def test_a_token_from_the_future_means_that_the_clock_is_behind(
    login: dict[str, Any], auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    claims = {'iat': int((now + timedelta(hours=3)).timestamp())}
    write(auth_file, with_access_token(login, expires_at=now + timedelta(days=9), claims=claims))

    code, checks = examined(capsys)

    assert (code, checks['clock']['state']) == (FAILED, 'fail')
    assert 'behind' in checks['clock']['text']


def test_a_token_without_an_account(login: dict[str, Any], auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, {**login, 'tokens': {'access_token': 'opaque', 'refresh_token': 'rt'}})

    code, checks = examined(capsys)

    assert (code, checks['account']['state']) == (FAILED, 'fail')


@pytest.mark.usefixtures('login')
@pytest.mark.parametrize(
    ('content', 'state', 'words'),
    [
        ('model = "x"', 'ok', 'restricts no login'),
        ('forced_login_method = "chatgpt"', 'ok', 'has `forced_login_method`'),
        ('forced_login_method = "api"', 'warn', "`forced_login_method` is 'api'"),
        ('forced_chatgpt_workspace_id = "acct-work"', 'warn', '`forced_chatgpt_workspace_id` does not name'),
        ('cli_auth_credentials_store = "keyring"', 'warn', "`cli_auth_credentials_store` is 'keyring'"),
        ('forced_login_method = ', 'warn', 'cannot be read'),
    ],
)
def test_the_configuration_of_the_cli(
    content: str, state: str, words: str, auth_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auth_file.with_name('config.toml').write_text(content)

    code, checks = examined(capsys)

    assert (code, checks['config']['state']) == (OK, state)
    assert words in checks['config']['text']
    assert (checks['config']['advice'] is None) is (state == 'ok')


def test_a_link_that_leads_in_a_circle(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    auth_file.parent.mkdir()
    auth_file.symlink_to(auth_file)

    code, checks = examined(capsys)

    assert (code, checks['file']['state']) == (FAILED, 'fail')
    assert 'symbolic links' in checks['file']['text']


@pytest.mark.usefixtures('login')
def test_a_port_in_use(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr('pydantic_ai_codex._cli._doctor.CALLBACK_PORTS', (port, 1457))

        code, checks = examined(capsys)

    assert (code, checks['port']['state']) == (OK, 'warn')
    assert checks['port']['advice'] == (
        'A login of ours that waits there makes room for the next one. Beside anything else, `login` takes 1457; '
        f'`login --device` needs no port. `lsof -i :{port}` tells who has it.'
    )


@pytest.mark.usefixtures('login')
def test_no_port_that_is_free(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(('127.0.0.1', 0)) as one, socket.create_server(('127.0.0.1', 0)) as other:
        ports = (one.getsockname()[1], other.getsockname()[1])
        monkeypatch.setattr('pydantic_ai_codex._cli._doctor.CALLBACK_PORTS', ports)

        _, checks = examined(capsys)

    assert all(f'{port} cannot be used' in checks['port']['text'] for port in ports)
    assert 'Beside anything else, `login` ends; `login --device` needs no port.' in checks['port']['advice']


@pytest.mark.usefixtures('login')
def test_a_lock_that_is_held(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from filelock import FileLock

    with FileLock(auth_file.with_name('.auth.json.lock')):
        code, checks = examined(capsys)

    assert (code, checks['lock']['state']) == (OK, 'warn')


def ask_for_instructions(simulator: CodexSimulator, *slugs: str) -> None:
    async def ask() -> None:
        instructions = Instructions(simulator.http_client)
        for slug in slugs:
            await instructions.get(slug)

    anyio.run(ask)


OF_THIS_VERSION = '9 listed, the default is gpt-6.1-sol; none are cached, so these are those of this version'


@pytest.mark.parametrize('with_login', [False, True])
def test_models_that_nobody_asked_for(
    with_login: bool, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    if with_login:
        request.getfixturevalue('login')

    _, checks = examined(capsys)

    assert (checks['models']['state'], checks['models']['text']) == ('ok', OF_THIS_VERSION)


def test_models_that_are_cached(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    provider = CodexProvider(
        base_url='https://chatgpt.com/backend-api/codex', http_client=backend.simulator.http_client
    )
    backend.simulator.catalog.add('gpt-7-sol', priority=0)
    anyio.run(provider.models)

    _, checks = examined(capsys)

    assert checks['models']['text'] == '10 listed, the default is gpt-7-sol; the backend was asked just now'
    assert backend.pages == ['models']


@pytest.mark.parametrize(
    ('effort', 'outcome', 'text', 'advice'),
    [
        ('max', (OK, 'ok'), '', None),
        (
            'none',
            (OK, 'warn'),
            ', which has not the effort none of CODEX_REASONING_EFFORT',
            'It takes low, medium, high, xhigh, max, ultra; low is sent instead.',
        ),
        (
            'sk-secret',
            (FAILED, 'fail'),
            '; CODEX_REASONING_EFFORT names no effort',
            'Set it to one of none, minimal, low, medium, high, xhigh, max, ultra, or unset it.',
        ),
    ],
)
@pytest.mark.usefixtures('login')
def test_an_effort_that_the_default_model_lacks(
    effort: str,
    outcome: tuple[int, str],
    text: str,
    advice: str | None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('CODEX_REASONING_EFFORT', effort)

    code, checks = examined(capsys)

    assert (code, checks['models']['state']) == outcome
    assert checks['models']['text'] == OF_THIS_VERSION + text
    assert checks['models']['advice'] == advice


@pytest.mark.usefixtures('login')
def test_an_empty_cache(capsys: pytest.CaptureFixture[str]) -> None:
    _, checks = examined(capsys)

    assert (checks['cache']['state'], checks['cache']['text']) == ('ok', f'{cache_folder()}, no instructions yet')
    assert not cache_folder().exists()


@pytest.mark.usefixtures('login')
def test_what_is_cached(capsys: pytest.CaptureFixture[str]) -> None:
    simulator = CodexSimulator()
    simulator.github.is_cacheable = True
    ask_for_instructions(simulator, 'gpt-5.5', 'gpt-5.1-codex', 'gpt-5.1-codex-mini')

    _, checks = examined(capsys)

    release = f'the newest release is {simulator.github.latest} (asked just now)'
    assert checks['cache'] == {
        'name': 'cache', 'state': 'ok', 'text': f'{cache_folder()}, 2 texts of instructions, {release}', 'advice': None
    }  # fmt: skip


@pytest.mark.usefixtures('login')
def test_github_that_was_not_reached(capsys: pytest.CaptureFixture[str]) -> None:
    simulator = CodexSimulator()
    simulator.github.fail_with(connect_error())
    ask_for_instructions(simulator, 'gpt-5.5')

    code, checks = examined(capsys)

    assert (code, checks['cache']['state']) == (OK, 'warn')
    assert 'no instructions yet; just now: api.github.com was not reached' in checks['cache']['text']
    assert '`pydantic-ai-codex instructions --refresh`' in checks['cache']['advice']


@pytest.mark.usefixtures('login')
def test_a_cache_folder_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'a-file').touch()
    monkeypatch.setenv('CODEX_CACHE_DIR', str(tmp_path / 'a-file' / 'cache'))

    _, checks = examined(capsys)

    assert checks['cache']['state'] == 'warn'
    assert 'CODEX_CACHE_DIR' in checks['cache']['advice']


@pytest.mark.usefixtures('login')
@pytest.mark.parametrize(
    ('folder', 'outcome'), [('~nosuchuser/x', (FAILED, 'fail')), ('/' + 'x' * 5000, (OK, 'warn'))], ids=['home', 'long']
)
def test_a_cache_folder_that_is_none(
    folder: str, outcome: tuple[int, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_CACHE_DIR', folder)

    code, checks = examined(capsys)

    assert (code, checks['cache']['state']) == outcome


@pytest.mark.usefixtures('login')
@pytest.mark.skipif(sys.platform == 'win32', reason='modes')
def test_a_cache_folder_in_which_everybody_can_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_CACHE_DIR', str(tmp_path))
    folder = tmp_path / 'pydantic-ai-codex' / 'instructions'
    folder.mkdir(parents=True)
    folder.chmod(0o777)

    _, checks = examined(capsys)

    assert checks['cache']['state'] == 'warn'
    assert 'everybody can write there' in checks['cache']['text']


@pytest.mark.usefixtures('login')
def test_variables_are_named_and_their_values_are_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = CodexSimulator().access_token
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', token)
    monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', 'https://example.com/hidden')

    assert main(['doctor']) == OK

    out = capsys.readouterr().out
    assert 'CODEX_ACCESS_TOKEN is the login, before every file' in out
    assert 'Unset CODEX_ACCESS_TOKEN, CODEX_REFRESH_TOKEN_URL_OVERRIDE' in out
    assert token not in out
    assert 'hidden' not in out


def test_a_token_of_the_environment_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', 'opaque')

    code, checks = examined(capsys)

    assert code == FAILED
    assert checks['account']['state'] == 'fail'
    assert 'file' not in checks


@pytest.mark.usefixtures('login')
def test_another_store_than_the_one_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / 'other.json'
    write(other, CodexSimulator().auth_json())

    code, checks = examined(capsys, '--store', str(other))

    assert (code, checks['source']['state'], checks['source']['advice']) == (OK, 'ok', None)
    assert checks['source']['text'] == f'{other} (named by --store)'
