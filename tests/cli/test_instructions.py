"""`instructions`: the text for pipes, all else for the person, and what is said where GitHub is not to be had."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._cli import FAILED, OK, USAGE, main
from pydantic_ai_codex._instructions import Instructions, ModelInstructions, cache_folder
from pydantic_ai_codex._protocol.instruction_files import source_of
from pydantic_ai_codex._protocol.prompts import DEFAULT_INSTRUCTIONS
from pydantic_ai_codex.testing import CodexSimulator, SimulatedGitHub, connect_error, fail, rate_limited
from pydantic_ai_codex.testing._clock import InstantClock

FAMILY = 'codex-rs/core/gpt_5_codex_prompt.md'
CATALOG = 'codex-rs/models-manager/models.json'


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> CodexSimulator:
    """The simulator whose GitHub the command line asks."""
    simulator = CodexSimulator()
    simulator.github.is_cacheable = True
    monkeypatch.setattr('pydantic_ai_codex._http_client.make_client', simulator.http_client)
    return simulator


@pytest.fixture
def github(simulator: CodexSimulator) -> SimulatedGitHub:
    return simulator.github


def cache(simulator: CodexSimulator, slug: str = 'gpt-5.5', *, ago: timedelta = timedelta()) -> ModelInstructions:
    """Have a text in the cache, as somebody asked for it some time ago."""
    clock = InstantClock(lambda: datetime.now(UTC) - ago)
    return anyio.run(Instructions(simulator.http_client, clock=clock).get, slug)


HOUR = timedelta(hours=1)
LOOK_AT_THE_CONNECTION = 'Look at the connection to GitHub, for example at HTTPS_PROXY; then --refresh asks at once.'


def test_the_text_and_nothing_else_is_the_result(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', 'gpt-5.1-codex']) == OK

    out, err = capsys.readouterr()
    assert out == github.files()[FAMILY]
    assert err == f'{github.latest}, {FAMILY}, checked just now\n'


def test_as_json(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', 'codex:gpt-5.1-codex-high', '--json']) == OK

    told = json.loads(capsys.readouterr().out)
    assert f'{told.pop("text")}\n' == github.files()[FAMILY]
    assert Path(told.pop('path')).parent == cache_folder()
    assert datetime.fromisoformat(told.pop('checked_at')).utcoffset() == timedelta()
    assert told.pop('etag').startswith(('"', 'W/"'))
    assert told == snapshot(
        {
            'model': 'gpt-5.1-codex',
            'name': 'gpt_5_codex_prompt',
            'ref': 'rust-v0.0.1',
            'url': 'https://raw.githubusercontent.com/openai/codex/rust-v0.0.1/codex-rs/core/gpt_5_codex_prompt.md',
            'state': 'fetched',
            'is_pinned': False,
            'problem': None,
        }
    )


def test_the_model_is_that_of_run(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', '--json']) == OK

    told = json.loads(capsys.readouterr().out)
    assert (told['model'], told['url'].endswith(f'{github.latest}/{CATALOG}')) == ('gpt-5.5', True)


def test_what_was_checked_a_moment_ago_is_not_asked_for_again(
    github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    main(['instructions'])
    asked = len(github.requests)
    first = capsys.readouterr().out

    assert main(['instructions']) == OK

    assert capsys.readouterr().out == first
    assert len(github.requests) == asked


def test_a_refresh_asks(simulator: CodexSimulator, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    cache(simulator)
    github.publish('rust-v0.170.0')

    assert main(['instructions', '--refresh']) == OK

    out, err = capsys.readouterr()
    assert 'rust-v0.170.0' in out
    assert err == f'rust-v0.170.0, {CATALOG}, checked just now\n'


@pytest.mark.parametrize('ago', [timedelta(minutes=1), HOUR])
def test_a_refresh_that_fails_shows_what_is_in_use(
    ago: timedelta, simulator: CodexSimulator, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    old = cache(simulator, ago=ago)
    github.fail_with(connect_error())

    assert main(['instructions', '--refresh']) == FAILED

    out, err = capsys.readouterr()
    assert out == f'{old.text}\n'
    assert 'warning: ' in err
    assert 'HTTPS_PROXY' in err


def test_an_older_text_is_shown_with_a_warning(
    simulator: CodexSimulator, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    old = cache(simulator, ago=HOUR)
    github.fail_with(connect_error())

    assert main(['instructions']) == OK

    out, err = capsys.readouterr()
    assert out == f'{old.text}\n'
    origin, warning = err.splitlines()
    assert origin == f'{github.latest}, {CATALOG}, checked 1 hour ago'
    assert warning.startswith('warning: api.github.com was not reached (ConnectError); ')
    assert warning.endswith(f' {LOOK_AT_THE_CONNECTION}')


@pytest.mark.parametrize(
    ('failure', 'advice'),
    [(connect_error(), LOOK_AT_THE_CONNECTION), (rate_limited(), 'Try again later.'), (fail(500), 'Try again later.')],
)
@pytest.mark.parametrize(
    ('arguments', 'missed'),
    [([], 'official text'), (['--refresh'], 'official text'), (['--ref', 'rust-v0.9.0'], 'text of rust-v0.9.0')],
)
def test_a_text_of_our_own_is_shown_and_is_a_failure(
    arguments: list[str],
    missed: str,
    failure: Any,
    advice: str,
    github: SimulatedGitHub,
    capsys: pytest.CaptureFixture[str],
) -> None:
    github.fail_with(failure)

    assert main(['instructions', *arguments]) == FAILED

    out, err = capsys.readouterr()
    assert out == f'{DEFAULT_INSTRUCTIONS}\n'
    warning, origin, error = err.splitlines()
    assert re.match(r"warning: .*'gpt-5\.5'.*, so a short text of our own takes their place\.", warning)
    assert origin == 'built-in, a short text of our own'
    assert error == f'error: This is not the {missed}. {advice}'


def test_a_text_of_our_own_is_a_failure_as_json_too(
    github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.fail_with(connect_error())

    assert main(['instructions', '--json']) == FAILED

    told = json.loads(capsys.readouterr().out)
    assert (told['state'], told['text']) == ('built-in', DEFAULT_INSTRUCTIONS)
    assert 'was not reached' in told['problem']


def test_a_text_of_our_own_that_is_asked_for(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', '--ref', 'built-in']) == OK

    assert capsys.readouterr() == (f'{DEFAULT_INSTRUCTIONS}\n', 'built-in, a short text of our own\n')
    assert list(github.requests) == []


def test_a_model_without_a_text_of_its_own(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', 'gtp-5.5']) == OK

    out, err = capsys.readouterr()
    general = next(
        file.path for file in source_of('gtp-5.5').files if file.path in github.files() and not file.is_catalog
    )
    assert out == github.files()[general]
    assert err.endswith("warning: 'gtp-5.5' has no text of its own; this is the one for all models.\n")


def test_where_the_api_is_asked_too_often_its_page_will_do(
    github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.fail_with(rate_limited(), host='api')

    assert main(['instructions', 'gpt-5.1-codex']) == OK

    assert capsys.readouterr() == (
        github.files()[FAMILY], f'{github.latest}, {FAMILY}, checked just now\n'
    )  # fmt: skip


def test_the_path_of_the_cached_file(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', 'gpt-5.1-codex', '--path']) == OK

    out, err = capsys.readouterr()
    head, text = Path(out.removesuffix('\n')).read_text(encoding='utf-8').split('\n', 1)
    assert head.startswith('<!-- ')
    assert f'{text}\n' == github.files()[FAMILY]
    assert err == ''


def test_our_own_text_has_no_path(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    github.fail_with(connect_error())

    assert main(['instructions', '--path']) == FAILED

    out, err = capsys.readouterr()
    assert out == ''
    assert (
        f'error: There is no cached file. The text in use is the short one of our own. {LOOK_AT_THE_CONNECTION}' in err
    )


@pytest.mark.usefixtures('github')
def test_the_path_of_our_own_text_has_no_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', '--ref', 'built-in', '--path']) == FAILED

    assert capsys.readouterr() == (
        '',
        'error: There is no cached file. The text in use is the short one of our own.\n',
    )


@pytest.mark.usefixtures('github')
def test_a_path_is_whole_where_the_folder_is_named_from_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('CODEX_CACHE_DIR', 'cache')

    assert main(['instructions', '--path']) == OK

    path = Path(capsys.readouterr().out.removesuffix('\n'))
    assert path.is_absolute()
    assert path.is_relative_to(tmp_path / 'cache')
    assert path.is_file()


@pytest.mark.skipif(sys.platform == 'win32', reason='a folder in use stays there')
def test_a_working_directory_that_is_gone(
    tmp_path: Path, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / 'gone'
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv('CODEX_CACHE_DIR', 'cache')
    gone.rmdir()

    assert main(['instructions', 'gpt-5.1-codex']) == OK

    assert capsys.readouterr().out == github.files()[FAMILY]


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'a-file').touch()
    monkeypatch.setenv('CODEX_CACHE_DIR', str(tmp_path / 'a-file' / 'cache'))

    assert main(['instructions', 'gpt-5.1-codex']) == OK
    assert capsys.readouterr().out == github.files()[FAMILY]

    assert main(['instructions', '--path']) == FAILED
    assert '`pydantic-ai-codex doctor` tells whether that can be written.' in capsys.readouterr().err


@pytest.mark.usefixtures('github')
def test_files_of_the_cache_that_are_broken_are_replaced(
    simulator: CodexSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    text = cache(simulator).text
    for path in cache_folder().iterdir():
        path.write_bytes(b'{"\xff')

    assert main(['instructions', '--json']) == OK

    told = json.loads(capsys.readouterr().out)
    assert (told['state'], told['text']) == ('fetched', text)


def test_a_release_of_choice(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    github.publish('rust-v0.168.0', latest=False)

    assert main(['instructions', 'gpt-5.1-codex', '--ref', 'rust-v0.168.0']) == OK

    assert capsys.readouterr() == (
        github.files('rust-v0.168.0')[FAMILY],
        f'rust-v0.168.0, {FAMILY}, checked just now\n',
    )


def test_what_the_release_has_no_more_is_pinned(github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    sha = next(file.sha for file in source_of('gpt-5.1-codex').files if file.sha)
    github.remove(FAMILY)
    github.commit(sha, {FAMILY: 'As it was.\n'})

    assert main(['instructions', 'gpt-5.1-codex']) == OK

    assert capsys.readouterr() == (
        'As it was.\n',
        f'{github.latest}, {FAMILY} of the commit {sha[:7]}, as the release has it no more, checked just now\n',
    )


@pytest.mark.usefixtures('github')
@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['gpt-5.5:huge'], 'huge'),
        (['--ref', '../main'], 'a whole commit, or built-in'),
        (['--ref', 'rust-v0.1.0'], 'Name another release'),
        (['--path', '--json'], 'not allowed with'),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['instructions', *arguments]) == USAGE

    out, err = capsys.readouterr()
    assert words in (json.loads(out)['error']['message'] if '--json' in arguments else err)


@pytest.mark.parametrize('ref', ['sk-secret', 'secret' * 200])
def test_a_ref_that_is_none_is_not_repeated(
    ref: str, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['instructions', '--ref', ref]) == USAGE

    assert 'secret' not in ''.join(capsys.readouterr())
    assert list(github.requests) == []


def test_the_text_of_our_own_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['instructions', '--help'])

    assert 'built-in' in capsys.readouterr().out


@pytest.mark.usefixtures('github')
@pytest.mark.parametrize(
    ('is_terminal', 'patience', 'is_told'), [(True, 0.0, True), (False, 0.0, False), (True, 3600.0, False)]
)
def test_a_person_who_waits_is_told_for_what(
    is_terminal: bool,
    patience: float,
    is_told: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('pydantic_ai_codex._cli._instructions._PATIENCE', patience)
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: is_terminal)

    assert main(['instructions']) == OK

    assert ('Asking GitHub ...' in capsys.readouterr().err) is is_told


def test_on_a_terminal_the_origin_is_dimmed(simulator: CodexSimulator, terminal: Callable[..., Any]) -> None:
    text = cache(simulator).text
    session = terminal('instructions', CODEX_CACHE_DIR=os.environ['CODEX_CACHE_DIR'])

    assert session.end() == OK
    assert session.shown.startswith(text.replace('\n', '\r\n'))
    assert f'\x1b[2m{simulator.github.latest}, {CATALOG}, checked just now\x1b[0m' in session.shown


def run(code: str, *, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    """A program of its own, in which nobody can be asked."""
    environment = {name: os.environ[name] for name in ('CODEX_CACHE_DIR', 'HOME', 'PATH')}
    environment['HTTPS_PROXY'] = 'http://127.0.0.1:9'
    return subprocess.Popen([sys.executable, '-c', code], env=environment, stdout=stdout, stderr=stderr)


def test_a_reader_that_leaves_early_is_no_error(simulator: CodexSimulator) -> None:
    cache(simulator)
    code = "import sys; from pydantic_ai_codex._cli import main; sys.exit(main(['instructions']))"
    command = run(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None
    command.stdout.close()
    _, err = command.communicate(timeout=60)

    assert (command.returncode, err) == (OK, b'')


def test_it_is_quick_as_pydantic_ai_is_not_imported(simulator: CodexSimulator) -> None:
    cache(simulator)
    code = (
        'import sys; from pydantic_ai_codex._cli import main; main(["instructions"]); '
        "sys.exit(bool({'pydantic_ai', 'httpx2'} & set(sys.modules)))"
    )
    with run(code, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as command:
        assert command.wait(60) == OK
