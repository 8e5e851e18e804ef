"""The command line, run as a user runs it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pydantic_ai_codex._cli import FAILED, NO_LOGIN, OK, USAGE, main
from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.errors import CredentialsRefreshError
from pydantic_ai_codex.testing import CodexSimulator, fail, fake_access_token

from .backend import Backend

COMMAND = [sys.executable, '-m', 'pydantic_ai_codex']


@pytest.fixture(scope='module')
def served() -> Iterator[dict[str, Any]]:
    """`simulate` in a process of its own, and what it said of itself."""
    process = subprocess.Popen([*COMMAND, 'simulate', '--port', '0', '--json'], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def login(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments, and the login, that lead to the simulator."""
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', served['access_token'])
    return ['--base-url', served['base_url']]


@pytest.fixture
def environment(served: dict[str, Any], isolated: Path) -> dict[str, str]:
    """What a process needs to run with that login, and without asking anybody else."""
    return {
        'CODEX_ACCESS_TOKEN': served['access_token'],
        'CODEX_MODE': '0',
        'HOME': str(isolated),
        'PATH': os.environ['PATH'],
    }


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(['--version'])

    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith('pydantic-ai-codex 0.')


def test_no_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == USAGE

    assert 'demo' in capsys.readouterr().err


def test_demo_streams_thinking_calls_and_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['demo']) == OK

    out = capsys.readouterr().out
    assert out.startswith('Simulated: ')
    assert [word in out for word in ('thinking', '-> get_weather({"city":"Paris"})', '<- snow', 'answer')] == [True] * 4
    assert '\x1b' not in out


def test_demo_live_without_a_login(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['demo', '--live']) == NO_LOGIN

    assert 'codex login' in capsys.readouterr().err


def test_the_simulator_names_its_login_service(served: dict[str, Any]) -> None:
    assert set(served) == {'base_url', 'access_token', 'issuer', 'token_url', 'revoke_url'}
    assert served['base_url'].startswith(f'{served["issuer"]}/')
    assert served['token_url'] == f'{served["issuer"]}/oauth/token'
    assert served['revoke_url'] == f'{served["issuer"]}/oauth/revoke'


def test_run_prints_the_answer_and_nothing_else(login: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['run', 'Hello', *login]) == OK

    assert capsys.readouterr() == ('Simulated answer to: Hello\n', '')


def test_run_reads_standard_input(
    login: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('sys.stdin', io.StringIO('From a pipe'))

    assert main(['run', '-', *login]) == OK

    assert capsys.readouterr().out == 'Simulated answer to: From a pipe\n'


def test_run_as_json(login: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['run', 'Hello', '--json', '-m', 'gpt-5.5-high', *login]) == OK

    printed = json.loads(capsys.readouterr().out)
    assert (printed['model'], printed['output']) == ('gpt-5.5', 'Simulated answer to: Hello')
    assert set(printed) == {'model', 'output', 'thinking', 'finish_reason', 'response_id', 'usage'}


def models_asked_for(backend: Backend) -> list[str]:
    return [request.body['model'] for request in backend.simulator.requests]


def test_run_takes_the_first_model_of_the_plan(backend: Backend) -> None:
    backend.simulator.catalog.add('gpt-7-sol', priority=0)

    assert main(['run', 'Hello', '--base-url', backend.base_url]) == OK
    assert main(['run', 'Hello', '--base-url', backend.base_url, '-m', 'gpt-6-luna']) == OK

    assert models_asked_for(backend) == ['gpt-7-sol', 'gpt-6-luna']
    assert backend.pages.count('models') == 1


def test_run_goes_on_where_nobody_says_which_models_there_are(backend: Backend) -> None:
    backend.simulator.fail_lookups(fail(503))

    assert main(['run', 'Hello', '--base-url', backend.base_url]) == OK

    assert models_asked_for(backend) == ['gpt-6.1-sol']
    assert backend.pages.count('models') == 1


def test_a_model_that_is_not_served_is_an_error_that_names_others(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.simulator.catalog.remove('gpt-5.5')

    assert main(['run', 'Hello', '--base-url', backend.base_url, '-m', 'gpt-5.5']) == FAILED

    err = capsys.readouterr().err
    assert err.startswith('error: ')
    assert "'gpt-6-sol'" in err
    assert 'gpt-6.1-sol' in err


@pytest.mark.filterwarnings('default::pydantic_ai.exceptions.UnsupportedSettingWarning')
def test_an_effort_that_the_model_lacks_is_a_warning_for_a_person(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['run', 'Hello', '--base-url', backend.base_url, '-m', 'gpt-5.5-ultra']) == OK

    out, err = capsys.readouterr()
    assert out == 'Simulated answer to: Hello\n'
    assert err.startswith("warning: Model 'gpt-5.5' does not take the reasoning effort 'ultra'")
    assert len(err.splitlines()) == 1


def test_retries_are_told_to_a_person(backend: Backend, terminal: Callable[..., Any]) -> None:
    backend.simulator.add(fail(503, message='Away.'))
    session = terminal('run', 'Hello', '--base-url', backend.base_url, **backend.environment)

    assert session.end() == OK
    assert session.shown.count('Trying again in ') == 1
    assert 'The backend answered 503: Away.' in session.shown
    assert 'Simulated answer to: Hello' in session.shown


def test_retries_are_not_told_to_a_pipe(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.simulator.add(fail(503, message='Away.'))

    assert main(['run', 'Hello', '--base-url', backend.base_url]) == OK

    assert capsys.readouterr() == ('Simulated answer to: Hello\n', '')


@pytest.mark.parametrize(
    ('arguments', 'code', 'words'),
    [
        (['run', 'Hi'], NO_LOGIN, 'codex login'),
        (['run', ' '], USAGE, 'prompt is empty'),
        (['run', 'Hi', '-m', 'gpt-5.5:huge'], USAGE, 'huge'),
        (['run', 'Hi', '--base-url', 'http://example.com'], USAGE, 'https'),
        (['simulate', '--host', '0.0.0.0'], USAGE, 'loopback'),
    ],
)
def test_errors_say_what_to_do(arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code

    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.startswith('error: ')
    assert words in captured.err


def test_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['run', 'Hi', '--json']) == NO_LOGIN

    captured = capsys.readouterr()
    assert json.loads(captured.out)['error']['type'] == 'CredentialsNotFoundError'
    assert captured.err == ''


@pytest.mark.parametrize('command', [['run', 'Hi'], ['refresh']])
@pytest.mark.parametrize(
    'error', [CredentialsRefreshError('No.', is_permanent=True), CredentialsRefreshError('Later.')]
)
def test_an_error_has_one_name_and_one_code_in_every_command(
    command: list[str],
    error: CredentialsRefreshError,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(self: object) -> None:
        raise error

    monkeypatch.setenv('CODEX_ACCESS_TOKEN', fake_access_token())
    for method in ('credentials', 'refresh'):
        monkeypatch.setattr(f'pydantic_ai_codex.auth.TokenSource.{method}', fail)

    assert main([*command, '--json']) == FAILED

    told = json.loads(capsys.readouterr().out)['error']
    assert (told['type'], told['message']) == ('CredentialsRefreshError', str(error))


def test_a_login_that_is_due_and_cannot_be_kept_fails_in_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / 'work.json'
    store.write_text(json.dumps(CodexSimulator().auth_json(expires_in=-60)), encoding='utf-8')
    store.chmod(0o400)

    for command in (['run', 'Hi'], ['refresh']):
        assert main([*command, '--json', '--store', str(store)]) == FAILED
        assert json.loads(capsys.readouterr().out)['error']['type'] == 'CredentialsFileError'


def test_run_takes_the_login_of_a_store(
    served: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', 'another')
    store = tmp_path / 'work.json'
    store.write_text(json.dumps({'tokens': {'access_token': served['access_token']}}), encoding='utf-8')

    assert main(['run', 'Hello', '--store', str(store), '--base-url', served['base_url']]) == OK

    assert capsys.readouterr().out == 'Simulated answer to: Hello\n'


def test_demo_takes_the_login_of_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', 'another')
    store = tmp_path / 'work.json'

    assert main(['demo', '--live', '--store', str(store)]) == NO_LOGIN

    assert str(store) in capsys.readouterr().err
    assert (os.environ['CODEX_ACCESS_TOKEN'], os.environ.get('CODEX_AUTH_FILE')) == ('another', None)


def test_a_demo_without_a_login_takes_no_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['demo', '--store', 'own']) == USAGE

    assert '--live' in capsys.readouterr().err


def test_a_refused_login_fails(
    served: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    token = fake_access_token(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', token)

    assert main(['run', 'Hi', '--json', '--base-url', served['base_url']]) == FAILED

    error = json.loads(capsys.readouterr().out)['error']
    assert (error['status_code'], error['provider_error_code']) == (401, 'token_expired')
    assert token not in error['message']


def test_debug_logs_requests_and_events_without_the_login(served: dict[str, Any], environment: dict[str, str]) -> None:
    run = subprocess.run(
        [*COMMAND, 'run', 'Hello', '--base-url', served['base_url']],
        capture_output=True, text=True, check=True, env=environment | {'CODEX_DEBUG': '1'},
    )  # fmt: skip

    assert run.stdout == 'Simulated answer to: Hello\n'
    for words in ('POST http://127.0.0.1', '"Hello"', 'answer 200', 'response.output_text.delta', 'response.completed'):
        assert words in run.stderr
    assert served['access_token'] not in run.stderr
    assert served['access_token'].split('.')[1] not in run.stderr


def test_a_reader_that_leaves_early_is_no_error(served: dict[str, Any], environment: dict[str, str]) -> None:
    command = subprocess.Popen(
        [*COMMAND, 'run', 'Hello', '--base-url', served['base_url']],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    assert command.stdout is not None
    command.stdout.close()
    _, err = command.communicate(timeout=60)

    assert (command.returncode, err) == (0, b'')


def test_simulated_tokens_may_live_for_a_moment() -> None:
    command = [*COMMAND, 'simulate', '--port', '0', '--json', '--token-lifetime', '60']
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        credentials = Credentials(json.loads(process.stdout.readline())['access_token'])
        process.send_signal(signal.SIGINT)

    assert credentials.expires_at is not None
    assert credentials.expires_at <= datetime.now(UTC) + timedelta(seconds=61)


def test_who_tries_the_simulator_asks_nobody_else() -> None:
    with subprocess.Popen([*COMMAND, 'simulate', '--port', '0'], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith('export CODEX_REVOKE_TOKEN_URL_OVERRIDE='):
                break
        process.send_signal(signal.SIGINT)

    assert 'the real GitHub' in ' '.join(lines)
    runs = [line for line in lines if line.startswith('pydantic-ai-codex run ')]
    assert (len(runs), lines.count('export CODEX_MODE=0')) == (2, 2)  # in each of two terminals


@pytest.mark.parametrize('lifetime', ['0', '-1', '1.5', 'ten days', '9' * 30])
def test_a_lifetime_that_is_none(lifetime: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['simulate', '--token-lifetime', lifetime]) == USAGE

    assert '--token-lifetime' in capsys.readouterr().err


def test_a_port_in_use_is_named(served: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    port = served['base_url'].split(':')[2].partition('/')[0]

    assert main(['simulate', '--port', port]) == USAGE

    assert f'The port {port} of 127.0.0.1 cannot be used' in capsys.readouterr().err


def test_a_terminal_without_the_characters_gets_substitutes(
    served: dict[str, Any], environment: dict[str, str]
) -> None:
    command = [*COMMAND, 'run', '€', '--base-url', served['base_url']]
    run = subprocess.run(command, capture_output=True, text=True, env=environment | {'PYTHONIOENCODING': 'ascii'})

    assert (run.returncode, run.stdout) == (0, 'Simulated answer to: \\u20ac\n')


def test_errors_from_elsewhere_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('CODEX_AUTH_FILE', str(tmp_path / 'a\x1b[31m\x9bb'))

    assert main(['run', 'Hi']) == NO_LOGIN

    assert '\x1b' not in capsys.readouterr().err
