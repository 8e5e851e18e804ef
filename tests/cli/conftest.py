"""A login service to log in at, a backend, and a terminal to do it in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest

from pydantic_ai_codex.testing import CodexSimulator, auto_reply

from .backend import Backend

PROGRAM = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches it
from pydantic_ai_codex._cli import _login, main
_login.CALLBACK_PORTS = (0, 0)
sys.exit(main(sys.argv[1:]))
"""
"""The command line with a free port for the browser to come back to, as those of the login may be in use."""


class LoginService:
    """A served simulator, and what a user's browser does there."""

    def __init__(self, simulator: CodexSimulator, issuer: str) -> None:
        self.simulator = simulator
        self.oauth = simulator.oauth
        self.issuer = issuer
        self.pages: list[str] = []
        self.browsed = threading.Event()

    def browse(self, url: str) -> bool:
        """Open an address and follow it to its end."""
        try:
            with urllib.request.urlopen(url) as answer:
                self.pages.append(answer.read().decode())
        except urllib.error.HTTPError as error:
            self.pages.append(error.read().decode())
            error.close()
        finally:
            self.browsed.set()
        return True

    def write_login(self, path: Path, *, issuer: str | None = None, **options: Any) -> dict[str, Any]:
        """Put a login that it knows into a file, which says that it comes from here, or from another issuer."""
        document = self.simulator.auth_json(**options)
        document['tokens']['oauth_provenance'] = {'issuer': issuer or self.issuer, 'client_id': 'app_simulated'}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding='utf-8')
        path.chmod(0o600)
        return document


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoginService]:
    """A login service whose user allows everything, and the browser that leads there."""
    simulator = CodexSimulator()
    simulator.oauth.sign_in_as(account_id='acct-ada', plan_type='plus', email='ada@example.com')
    simulator.oauth.auto_approve = True
    simulator.oauth.any_port = True
    simulator.oauth.device_interval = 1
    simulator.oauth.device_polls = 0
    monkeypatch.setattr('pydantic_ai_codex._cli._login.CALLBACK_PORTS', (0, 0))
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(simulator.serve()) as server,
    ):
        service = LoginService(simulator, server.issuer)
        monkeypatch.setattr('webbrowser.open', service.browse)
        monkeypatch.setenv('BROWSER', 'ours')
        yield service


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A backend that answers whoever has the login in the environment."""
    simulator = CodexSimulator(default=auto_reply)
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', simulator.access_token)
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(simulator.serve()) as server,
    ):
        yield Backend(simulator, server.base_url)


@pytest.fixture
def auth_file(isolated: Path) -> Path:
    """The file of the Codex CLI, in the isolated home."""
    return isolated / '.codex' / 'auth.json'


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *arguments: str, columns: int, environment: dict[str, str]) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, '-c', PROGRAM, *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={'PATH': os.environ['PATH'], 'HOME': os.environ['HOME'], 'TERM': 'xterm', **environment},
        )  # fmt: skip
        os.close(theirs)
        self.shown = ''

    def until(self, pattern: str) -> str:
        """What was shown up to a text; its first group, where it has one."""
        while not (match := re.search(pattern, self.shown)):
            chunk = self._read()
            assert chunk, f'{pattern!r} was never shown, but {self.shown!r}'
        return match[1] if match.re.groups else match[0]

    def type(self, text: str) -> None:
        """What a person types."""
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Everything up to the end, and the exit code."""
        while self._read():
            pass
        return self.process.wait(60)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        os.close(self._ours)

    def _read(self) -> str:
        try:
            chunk = os.read(self._ours, 65536).decode()
        except OSError:  # Linux says so that the other side is closed.
            chunk = ''
        self.shown += chunk
        return chunk


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Runs a command in a terminal of so many columns; further environment variables by name."""
    if sys.platform == 'win32':
        pytest.skip('there are no pseudo-terminals')
    started: list[Terminal] = []

    def start(*arguments: str, columns: int = 80, **environment: str) -> Terminal:
        started.append(Terminal(*arguments, columns=columns, environment=environment))
        return started[-1]

    yield start
    for each in started:
        each.close()
