"""`models`: what is asked, what is shown, and what happens where nobody can be asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pydantic_ai_codex._cli import FAILED, NO_LOGIN, OK, USAGE, main
from pydantic_ai_codex._protocol.catalog import BUNDLED
from pydantic_ai_codex.testing import fail

from .backend import Backend
from .files import write

FROM_BACKEND = 'The list of the backend, asked just now.\n'
FROM_CACHE = 'The list of the backend, from the cache, asked just now.\n'
BUNDLED_WORDS = 'The list that comes with this version.\n'


def models(backend: Backend, *arguments: str) -> int:
    return main(['models', '--base-url', backend.base_url, *arguments])


def test_the_backend_is_asked_and_then_the_cache(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.simulator.catalog.add('gpt-7-sol', priority=0)

    assert [models(backend), models(backend)] == [OK, OK]

    out, err = capsys.readouterr()
    assert out.count('* gpt-7-sol ') == 2
    assert err == FROM_BACKEND + FROM_CACHE
    assert backend.pages == ['models']


def test_it_can_be_asked_anew(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    models(backend)
    backend.simulator.catalog.add('gpt-7-sol', priority=0)

    assert models(backend, '--refresh') == OK

    out, err = capsys.readouterr()
    assert out.count('* gpt-7-sol ') == 1
    assert err == FROM_BACKEND * 2


def test_a_list_that_is_the_same_is_not_sent_again(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert [models(backend, '--refresh') for _ in range(2)] == [OK, OK]

    assert capsys.readouterr().err == FROM_BACKEND * 2
    assert [request.headers.get('if-none-match') for request in backend.simulator.lookups] == [
        None,
        backend.simulator.catalog.etag,
    ]


def test_as_json(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert models(backend, '--json') == OK

    out, err = capsys.readouterr()
    told = json.loads(out)
    assert err == ''
    assert set(told) == {'source', 'fetched_at', 'etag', 'default', 'ignored', 'models', 'retired', 'problem'}
    assert (told['source'], told['default'], told['problem']) == ('backend', 'gpt-6.1-sol', None)
    assert told['etag'] == backend.simulator.catalog.etag
    assert {model['slug'] for model in told['models']} == {model['slug'] for model in backend.simulator.catalog.models}


def test_without_a_login_it_is_the_bundled_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['models']) == OK

    out, err = capsys.readouterr()
    assert '* gpt-6.1-sol ' in out
    assert err.startswith(f'{BUNDLED_WORDS}warning: ')
    assert '`codex login`' in err


def test_without_a_login_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['models', '--json']) == OK

    out, err = capsys.readouterr()
    told = json.loads(out)
    assert err == ''
    assert (told['source'], len(told['models'])) == ('bundled', len(BUNDLED.models))
    assert '`codex login`' in told['problem']


def test_without_a_login_there_is_nobody_to_ask_anew(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['models', '--refresh']) == NO_LOGIN

    assert capsys.readouterr().out == ''


@pytest.mark.parametrize(
    ('failure', 'words'),
    [(fail(503, message='Away.'), 'The backend answered 503: Away.'), (fail(404), 'The backend answered 404')],
)
def test_a_backend_that_does_not_tell(
    failure: Any, words: str, backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.simulator.fail_lookups(failure)

    assert models(backend) == OK

    out, err = capsys.readouterr()
    assert '* gpt-6.1-sol ' in out
    assert err.startswith(f'{BUNDLED_WORDS}warning: {words}')
    assert backend.pages == ['models']  # once


def test_an_older_list_is_better_than_none(
    backend: Backend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.simulator.catalog.add('gpt-7-sol', priority=0)
    models(backend)
    monkeypatch.setattr('pydantic_ai_codex._account.models._LIFETIME', timedelta(0))
    backend.simulator.fail_lookups(fail(503, message='Away.'))
    capsys.readouterr()

    assert models(backend) == OK

    out, err = capsys.readouterr()
    assert '* gpt-7-sol ' in out
    assert err.startswith(f'{FROM_CACHE}warning: The backend answered 503: Away.')


def test_what_keeps_it_from_being_asked_anew_is_an_error(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.simulator.fail_lookups(fail(503, message='Away.'))

    assert models(backend, '--refresh') == FAILED

    out, err = capsys.readouterr()
    assert out == ''
    assert err.startswith('error: The backend answered 503: Away.')


def test_an_api_key_has_no_list(capsys: pytest.CaptureFixture[str], auth_file: Path) -> None:
    write(auth_file, {'OPENAI_API_KEY': 'sk-secret'})

    assert [main(['models']), main(['models', '--refresh'])] == [OK, FAILED]

    err = capsys.readouterr().err
    assert err.startswith(f'{BUNDLED_WORDS}warning: The backend tells its list to ChatGPT logins')
    assert 'secret' not in err


@pytest.mark.parametrize('arguments', [['--base-url', 'http://example.com'], ['--store', 'nowhere']])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['models', *arguments]) == USAGE

    assert capsys.readouterr().err.startswith('error: ')


@pytest.mark.parametrize('no_color', ['', '1'])
def test_the_screen_of_a_terminal(no_color: str, backend: Backend, terminal: Callable[..., Any]) -> None:
    session = terminal('models', '--base-url', backend.base_url, NO_COLOR=no_color, **backend.environment)

    assert session.end() == OK
    lines = session.shown.splitlines()
    assert max(len(line) for line in plain(session.shown).splitlines()) <= 80
    assert ('\x1b[' in session.shown) is not bool(no_color)
    assert any('* gpt-6.1-sol' in line for line in lines)


def test_the_screen_of_a_narrow_terminal_says_what_is_missing(backend: Backend, terminal: Callable[..., Any]) -> None:
    session = terminal('models', '--base-url', backend.base_url, columns=60, **backend.environment)

    assert session.end() == OK
    assert 'A wider terminal shows more: tiers, successor.' in session.shown


def plain(shown: str) -> str:
    return re.sub(r'\x1b\[[\d;]*m', '', shown)
