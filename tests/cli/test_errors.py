"""What the command line says of errors: to a person, and to a program."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import anyio.from_thread
import httpx2
import pytest

import pydantic_ai_codex
from pydantic_ai_codex._cli import FAILED, NO_LOGIN, OK, USAGE, main
from pydantic_ai_codex._cli._errors import ADVICE, REFUSED_URL, for_commands
from pydantic_ai_codex.testing import (
    CodexSimulator,
    ScriptEntry,
    auto_reply,
    connect_error,
    fail,
    fake_access_token,
    raw_stream,
    reply,
    usage_limit,
)

from .files import write


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Serves a script to whoever has the login in the environment, and returns its base URL."""
    with ExitStack() as stack:
        portal = stack.enter_context(anyio.from_thread.start_blocking_portal())

        def start(*script: ScriptEntry) -> str:
            simulator = CodexSimulator(*script, default=auto_reply)
            monkeypatch.setenv('CODEX_ACCESS_TOKEN', simulator.access_token)
            return stack.enter_context(portal.wrap_async_context_manager(simulator.serve())).base_url

        yield start


async def no_wait(*_: object) -> None: ...


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The error of `--json`, beside which nothing is said."""
    out, err = capsys.readouterr()
    assert err == ''
    return json.loads(out)['error']


def test_a_person_reads_what_the_backend_says(serve: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(fail(400, detail='The model is not supported.', headers={'x-request-id': 'req_1'}))

    assert main(['run', 'Hi', '--base-url', url]) == FAILED

    assert capsys.readouterr().err == (
        'error: The backend answered 400: The model is not supported. For support: request id req_1.\n'
    )


def test_what_to_do_follows(serve: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(fail(401, message='No.'))

    assert main(['run', 'Hi', '--base-url', url]) == FAILED

    err = capsys.readouterr().err
    assert err.startswith('error: The backend answered 401: No. The login from the environment variable ')
    assert 'Replace the value of CODEX_ACCESS_TOKEN' in err


def test_a_program_gets_the_facts(serve: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(usage_limit(resets_in_seconds=7200))

    assert main(['run', 'Hi', '--json', '--base-url', url]) == FAILED

    error = told(capsys)
    assert error.pop('message').startswith('The backend answered 429: The usage limit has been reached. ')
    assert {name: error[name] for name in ('model_name', 'status_code', 'category', 'provider_error_type')} == {
        'model_name': 'gpt-6.1-sol',
        'status_code': 429,
        'category': 'quota',
        'provider_error_type': 'usage_limit_reached',
    }
    assert error['body']['error']['resets_in_seconds'] == 7200
    assert {'resets_at', 'request_id', 'retry_after'} <= set(error)


def test_an_answer_that_is_cut_off_is_told(serve: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(reply('Half of', ending='incomplete'))

    assert main(['run', 'Hi', '--base-url', url]) == OK

    assert capsys.readouterr() == ('Half of\n', 'warning: The answer is cut off: it is as long as it may be.\n')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['run', '--json'], 'The following arguments are required: prompt. See `pydantic-ai-codex run --help`.'),
        (['simulate', '--json', '--port', 'x'], "Argument --port: 'x' is no port; use 0 to 65535. See "
         '`pydantic-ai-codex simulate --help`.'),
        (['run', 'Hi', '--js', '--loud'], 'Unrecognized: --loud. See `pydantic-ai-codex run --help`.'),
        (['--json'], 'Unrecognized: --json. See `pydantic-ai-codex --help`.'),
    ],
)  # fmt: skip
def test_wrong_usage_as_json(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == USAGE

    assert told(capsys) == {'type': 'ConfigurationError', 'message': message}


@pytest.mark.parametrize('arguments', [['simulate', '--port', 'x'], ['run', '--loud', '--', 'Hi', '--json']])
def test_wrong_usage_in_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == USAGE

    out, err = capsys.readouterr()
    assert out == ''
    assert err.startswith(f'usage: pydantic-ai-codex {arguments[0]} ')
    assert err.splitlines()[-1].startswith('error: ')


def test_what_may_be_a_secret_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['login', '--with-api-key', 'sk-secret', '--token=sk-secret', 'sk-secret']) == USAGE

    err = capsys.readouterr().err
    assert 'error: Unrecognized: --token, 2 words that no option takes.' in err
    assert 'secret' not in err


@pytest.mark.parametrize('as_json', [False, True])
def test_what_the_backend_says_stays_as_it_is(
    as_json: bool, serve: Callable[..., str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('pydantic_ai_codex._clock.SystemClock.sleep', no_wait)
    said = 'Check the `base_url` of the field; or pass `credentials=` or `api_key=` to `CodexProvider`.'
    url = serve(*[fail(404, message=said)] * 5)

    assert main(['run', 'Hi', '--base-url', url, *['--json'] * as_json]) == FAILED

    message = told(capsys)['message'] if as_json else capsys.readouterr().err
    assert f'The backend answered 404: {said} Check the `--base-url` {url!r}: ' in message


def test_a_page_that_is_quoted_stays_as_it_is(serve: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(raw_stream(b'The `base_url` is wrong.', content_type='text/html'))

    assert main(['run', 'Hi', '--base-url', url]) == FAILED

    err = capsys.readouterr().err
    assert 'a proxy, or a `--base-url` that is not the backend' in err
    assert "'The `base_url` is wrong.'" in err


@pytest.mark.parametrize(
    ('error', 'code', 'advice'),
    [
        (httpx2.ReadTimeout, FAILED, 'phase read). Try again.\n'),
        (httpx2.LocalProtocolError, USAGE, 'Look at HTTPS_PROXY, and at the login with `pydantic-ai-codex doctor`.\n'),
    ],
)
def test_what_is_said_of_failures_on_the_way(
    error: type[httpx2.TransportError],
    code: int,
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    simulator = CodexSimulator(default=lambda _: connect_error(error))
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', simulator.access_token)
    monkeypatch.setattr('pydantic_ai_codex._transport.http.make_client', simulator.http_client)
    monkeypatch.setattr('pydantic_ai_codex._clock.SystemClock.sleep', no_wait)

    assert main(['run', 'Hi']) == code

    assert capsys.readouterr().err.endswith(advice)


def said_by(path: Path) -> Iterator[str]:
    """Every text of a module that is no docstring and no single word, with a hole for each of its values."""
    return (text for text in texts_of(path) if ' ' in text)


def texts_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    nodes = list(ast.walk(tree))
    inner = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    inner |= {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield ''.join(str(part.value) if isinstance(part, ast.Constant) else '...' for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inner:
            yield node.value


PACKAGE: Final = Path(pydantic_ai_codex.__file__).parent
COMMANDS: Final = sorted((PACKAGE / '_cli').glob('*.py'))
LIBRARY: Final = sorted({*PACKAGE.rglob('*.py')} - {*COMMANDS, *(PACKAGE / 'testing').rglob('*.py')})

FOR_PROGRAMS: Final = re.compile(
    r'CodexProvider|TransportPolicy|credentials=|`credentials`|api_key|`?http_client|`base_url`|AuthFile\(|TokenSource|'
    r'refresh=|\bsettings?\b'
)

NOT_FOR_COMMANDS: Final = (
    # What is said of an argument or a setting that a program passed; the commands pass no such one.
    'The setting `', 'the setting `', 'The value of ... in the setting `', 'There is no setting ', 'No tool in the setting ',
    '`credentials` and `api_key` ', 'The `api_key` ', '`policy` ',
    '`provider` ', '`http_client` ', 'The `http_client` ', 'The factory `http_client` ', 'A store is an object ',
    # Of a login in the memory, of a store that is none of ours, and of `refresh='never'`.
    'Pass new ones, or a store, ', 'Call `TokenSource.refresh()`', '..., which this provider does not ',
    "This source has `refresh='never'`",
    # Of a client that a program chose.
    'All connections of the `http_client` are in use', '`aiohttp_client` ', 'The client of `aiohttp_client` ', 'aiohttp can use no ',
    # Of the store that is lent to a provider of pydantic-ai.
    'The login is a platform API key. Give that ', 'The login has no ..., which ', '`CodexCredentialSource` is for ',
    # The settings of ChatGPT.
    'This account has the login with a device code switched off.',
    # A `repr`, and the name of a rule.
    'TokenSource(', 'no usable login or setting',
)  # fmt: skip
"""How the texts begin that no command can come to."""


def test_advice_that_is_replaced_is_advice_that_is_given() -> None:
    texts = '\n'.join(text for path in LIBRARY for text in said_by(path))

    assert [advice for advice in (*ADVICE, REFUSED_URL) if advice not in texts] == []


def test_no_advice_for_programs_comes_to_a_person() -> None:
    texts = [for_commands(text) for path in LIBRARY for text in said_by(path)]

    assert [text for text in texts if FOR_PROGRAMS.search(text) and not text.startswith(NOT_FOR_COMMANDS)] == []
    assert [beginning for beginning in NOT_FOR_COMMANDS if not any(text.startswith(beginning) for text in texts)] == []


def test_no_command_advises_programs_by_itself() -> None:
    # The first is about the programs of a user.
    own = ('Set CODEX_AUTH_FILE=..., or pass CodexProvider(', *ADVICE, REFUSED_URL)
    texts = [text for path in COMMANDS for text in said_by(path)]

    assert [text for text in texts if FOR_PROGRAMS.search(text) and not text.startswith(own)] == []


def no_login(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_AUTH_FILE', str(folder / 'auth.json'))


def no_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_HOME', '~nosuchuser/codex')


def no_account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', 'opaque')


def insecure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', fake_access_token())


def bad_proxy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', fake_access_token())
    monkeypatch.setenv('HTTPS_PROXY', 'ftp://127.0.0.1')


@pytest.mark.parametrize(
    ('arrange', 'arguments', 'code', 'advice'),
    [
        (no_login, ['run', 'Hi'], NO_LOGIN, '`--store`'),
        (no_login, ['status'], FAILED, '`--store`'),
        (no_home, ['run', 'Hi'], NO_LOGIN, '`--store`'),
        (no_account, ['run', 'Hi'], NO_LOGIN, 'CODEX_ACCESS_TOKEN'),
        (insecure, ['run', 'Hi', '--base-url', 'http://example.com'], USAGE, '`--base-url`'),
        (bad_proxy, ['run', 'Hi'], USAGE, 'HTTPS_PROXY'),
        (no_account, ['doctor'], FAILED, 'CODEX_ACCESS_TOKEN'),
    ],
)
def test_advice_is_for_a_person_at_a_terminal(
    arrange: Callable[[Path, pytest.MonkeyPatch], None],
    arguments: list[str],
    code: int,
    advice: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arrange(tmp_path, monkeypatch)

    assert main(arguments) == code

    shown = ''.join(capsys.readouterr())
    assert advice in shown
    assert FOR_PROGRAMS.findall(shown) == []


@pytest.mark.skipif(os.name != 'posix', reason='modes')
def test_warnings_of_the_library_are_for_a_person_too(
    auth_file: Path, serve: Callable[..., str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve()
    monkeypatch.delenv('CODEX_ACCESS_TOKEN')
    write(auth_file, CodexSimulator().auth_json(expires_in=60))
    auth_file.chmod(0o400)

    assert main(['run', 'Hi', '--base-url', url]) == OK

    err = capsys.readouterr().err
    assert err.startswith('warning: ')
    assert 'Or let whoever else uses the file refresh it.' in err
    assert 'CodexProvider' not in err


def test_a_prompt_that_is_typed(serve: Callable[..., str], terminal: Callable[..., Any]) -> None:
    url = serve()
    environment = {name: os.environ[name] for name in ('CODEX_ACCESS_TOKEN', 'CODEX_MODE')}
    session = terminal('run', '-', '--base-url', url, **environment)

    session.until('Type the prompt; Ctrl-D')
    session.type('Hello\n\x04')

    assert session.until(r'Simulated answer to: (\w+)') == 'Hello'
    assert session.end() == OK
