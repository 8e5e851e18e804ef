"""What `login` shows and takes, on a terminal and elsewhere."""

from __future__ import annotations

import io
import json
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import anyio
import pytest

from pydantic_ai_codex._cli import OK, main
from pydantic_ai_codex._cli._prompts import Countdown, paste_line, read_secret, show_url
from pydantic_ai_codex.errors import ConfigurationError


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_wiped_in_the_end() -> None:
    screen = Screen()

    with Countdown(screen) as countdown:
        countdown(900)
        countdown(895)

    lines = screen.getvalue().split('\r')
    assert lines[1:3] == [f'Waiting for you, {left} left. Ctrl-C stops.' for left in ('15:00', '14:55')]
    assert lines[3:] == [' ' * len(lines[2]), '']


def test_a_pipe_has_a_line_each_minute() -> None:
    pipe = io.StringIO()

    with Countdown(pipe) as countdown:
        for left in range(900, 779, -5):
            countdown(left)

    assert pipe.getvalue().splitlines() == [f'Waiting for you, about {left} min left.' for left in (15, 14, 13)]


@pytest.mark.parametrize(
    ('opens', 'pastes', 'listens', 'lines'),
    [
        (True, False, True, ['Your browser opens', 'Waiting for you']),
        (False, False, True, ['Open this address', 'Waiting for you']),
        (False, True, True, ['Open this address', 'Waiting for you', 'A browser on another machine', 'paste it here']),
        (False, True, False, ['Open this address', 'The browser ends', 'paste it here']),
    ],
)
def test_what_is_said_of_the_address(
    opens: bool, pastes: bool, listens: bool, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    show_url('https://example.com/authorize', opens=opens, pastes=pastes, listens=listens)

    shown = [line for line in capsys.readouterr().err.splitlines() if line]
    assert shown.pop(1) == 'https://example.com/authorize'
    assert [line.startswith(start) for line, start in zip(shown, lines, strict=True)] == [True] * len(lines)


async def pasted(monkeypatch: pytest.MonkeyPatch, content: bytes) -> tuple[str, str]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        file.seek(0)
        standard_input = io.TextIOWrapper(file, encoding='utf-8')
        monkeypatch.setattr('sys.stdin', standard_input)
        return await paste_line(), await paste_line()


@pytest.mark.anyio
async def test_lines_are_pasted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await pasted(monkeypatch, b'one\r\ntw\xffo\n') == ('one\r\n', 'tw\N{REPLACEMENT CHARACTER}o\n')


@pytest.mark.anyio
async def test_the_end_of_the_input_is_an_empty_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await pasted(monkeypatch, b'half a line') == ('half a line', '')


def test_a_secret_is_all_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('sys.stdin', io.StringIO('sk-1\n'))

    assert read_secret('API key') == 'sk-1\n'


def test_a_secret_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('sys.stdin', io.TextIOWrapper(io.BytesIO(b'\xff\xfe'), encoding='utf-8'))

    with pytest.raises(ConfigurationError, match='it should hold the API key'):
        read_secret('API key')


@pytest.mark.parametrize('text', ['x' * 70_000, '\n' * 70_000])
def test_a_secret_that_never_ends(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input = io.StringIO(text)
    monkeypatch.setattr('sys.stdin', standard_input)

    with pytest.raises(ConfigurationError, match='far too long; it should hold the API key'):
        read_secret('API key')

    assert standard_input.tell() < 70_000


@pytest.mark.anyio
async def test_a_line_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await pasted(monkeypatch, b'x' * 65_540)

    assert (len(first), second) == (65_536, 'xxxx')


def test_an_input_that_cannot_be_read_has_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with open(tmp_path / 'written', 'w', encoding='utf-8') as unreadable:
        monkeypatch.setattr('sys.stdin', unreadable)

        assert anyio.run(paste_line) == ''


class LoginPage(io.StringIO):
    """Standard input of somebody who follows the address that was shown, and pastes where that ended."""

    url = ''

    def readline(self, size: int = -1, /) -> str:
        class Stop(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *args: Any, **kwargs: Any) -> None:
                return None

        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.build_opener(Stop).open(self.url)
        with caught.value as error:
            return f'{error.headers["location"]}\n'


def test_an_address_can_be_pasted_through_a_pipe(
    service: Any, auth_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standard_input = LoginPage()

    def shown(url: str, **options: Any) -> None:
        standard_input.url = url

    monkeypatch.setattr('pydantic_ai_codex._cli._login.show_url', shown)
    monkeypatch.setattr('sys.stdin', standard_input)

    assert main(['login', '--paste', '--issuer', service.issuer]) == OK

    assert json.loads(auth_file.read_text(encoding='utf-8'))['tokens']['account_id'] == 'acct-ada'
