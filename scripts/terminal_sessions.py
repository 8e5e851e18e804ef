"""The terminal sessions of the docs, from commands that run in a terminal against a served simulator.

`terminal_sessions.py` writes them into the files, `--check` says whether they are what these hold. What differs from one
run to the next (ports, codes, times, versions, paths) is replaced by what a user would see.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio.from_thread

from pydantic_ai_codex.testing import CodexSimulator, LimitCredits, LimitWindow, SimulatorServer

DOCS = Path(__file__).parent.parent / 'docs'
DOCUMENTS = (DOCS / 'login.md', DOCS / 'models.md', DOCS / 'limits.md')

ISSUER = 'https://auth.openai.com'
HOME = '/home/ada'
ACCOUNT = '0b1c9f3e-6a52-4d0f-9f63-2f1f6f1f7c11'
DAY_ONE = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
"""When every session is held."""

BROWSER = """#!{python}
import sys, urllib.request
urllib.request.urlopen(sys.argv[1]).read()
"""
"""A browser whose user allows everything: the simulator's page leads straight back."""

PROGRAM = """
import sys
from pydantic_ai_codex._cli import _doctor, _login, main
_doctor.CALLBACK_PORTS = _login.CALLBACK_PORTS = {ports}
sys.exit(main(sys.argv[1:]))
"""
"""The command line with other ports, as those of the login may be in use."""

COLUMNS = 100
MARKED = re.compile(r'<!-- session: (.+?) -->\n.*?<!-- end -->', re.DOTALL)
"""The place of a session in a document."""

REFUSED = 'run -m gpt-5.1-codex "Hello"'

TABLE_COLUMNS = 80
"""Of what is drawn for the width of the terminal: that of most."""


class Stage:
    """A machine of its own, as far as a command can see.

    Args:
        folder: An empty folder.
        simulator: The simulator.
        server: Where it is served.
    """

    def __init__(self, folder: Path, simulator: CodexSimulator, server: SimulatorServer) -> None:
        self.simulator = simulator
        self.server = server
        self.home = folder / 'home'
        self.home.mkdir()
        self.ports = free_ports(2)
        browser = folder / 'browser'
        browser.write_text(BROWSER.format(python=sys.executable), encoding='utf-8')
        browser.chmod(0o755)
        self.environment = {
            'HOME': str(self.home),
            'PATH': os.environ['PATH'],
            'BROWSER': str(browser),
            'LANG': 'C.UTF-8',
            'TERM': 'xterm',
            'TZ': 'UTC',
            'CODEX_CACHE_DIR': '',
            'XDG_CACHE_HOME': str(self.home / '.cache'),
        }

    def run(self, command: str, *, columns: int = COLUMNS) -> str:
        """What a person sees who types the command."""
        arguments = shlex.split(command)
        # Where the backend and its login service would be by themselves.
        place = ['--issuer', self.server.issuer] if arguments[0] == 'login' else []
        place = ['--base-url', self.server.base_url] if arguments[0] in ('models', 'usage', 'run') else place
        program = [sys.executable, '-c', PROGRAM.format(ports=self.ports), *arguments, *place]
        environment = {**self.environment, 'COLUMNS': str(columns)}
        if arguments[0] == 'run':
            environment['CODEX_MODE'] = '0'  # The real GitHub is not asked for instructions.
        shown = as_seen(in_terminal(program, environment, columns))
        return f'$ pydantic-ai-codex {command}\n{self.normalized(shown)}'

    def normalized(self, text: str) -> str:
        """The text with everything that differs between two runs replaced."""
        text = text.replace(self.server.issuer, ISSUER).replace(str(self.home), HOME)
        for port, real in zip(self.ports, (1455, 1457), strict=True):
            text = re.sub(rf'(?<!\d){port}(?!\d)', str(real), text)
        text = re.sub(r'(code_challenge|state)=[\w-]+', r'\1=...', text)
        text = re.sub(r'\b1[45]:\d\d left', '14:55 left', text)
        text = re.sub(
            r'\b(Python|pydantic-ai-slim|httpx2) [\d.]+\w*', lambda match: f'{match[1]} {VERSIONS[match[1]]}', text
        )
        text = re.sub(r'\b\d+ bytes', '4321 bytes', text)
        return re.sub(r'\d{4}-\d\d-\d\d \d\d:\d\d', on_day_one, text)


VERSIONS = {'Python': '3.13.1', 'pydantic-ai-slim': '2.68.0', 'httpx2': '2.7.0'}


def on_day_one(match: re.Match[str]) -> str:
    """The time as if the session were held on day one, to ten minutes: a session takes a while."""
    moment = datetime.strptime(match[0], '%Y-%m-%d %H:%M').replace(tzinfo=UTC)
    step = timedelta(minutes=10)
    return f'{DAY_ONE + round((moment - datetime.now(UTC)) / step) * step:%Y-%m-%d %H:%M}'


def as_seen(output: str) -> str:
    """What stands on the screen, without colours; of a line that was rewritten, what it said first."""
    plain = re.sub(r'\x1b\[[\d;]*[A-Za-z]', '', output).replace('\r\n', '\n')
    lines: list[str] = []
    for line in plain.split('\n'):
        versions = [version.rstrip() for version in line.split('\r') if version.strip()]
        # The last version is what follows in the place of a line that was wiped.
        lines += versions[:1] + (versions[-1:] if len(versions) > 1 else []) if versions else ['']
    return '\n'.join(lines).rstrip() + '\n'


def in_terminal(command: list[str], environment: Mapping[str, str], columns: int) -> str:
    """Run a command in a terminal of its own, and return everything that it wrote there."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 40, columns, 0, 0))
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True):
        os.close(theirs)
        output = b''
        try:
            while chunk := os.read(ours, 65536):
                output += chunk
        except OSError:
            pass  # Linux says so that the other side is closed.
    os.close(ours)
    return output.decode()


def free_ports(count: int) -> tuple[int, ...]:
    """Ports that are free now."""
    import socket

    listeners = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    try:
        return tuple(listener.getsockname()[1] for listener in listeners)
    finally:
        for listener in listeners:
            listener.close()


@contextmanager
def stage() -> Generator[Stage, None, None]:
    """A machine whose login service is a simulator, at which Ada allows everything."""
    simulator = CodexSimulator(refuse_retired=True)
    simulator.limits.primary = LimitWindow(42, 300, timedelta(hours=2))
    simulator.limits.secondary = LimitWindow(81, 10_080, timedelta(days=4))
    simulator.oauth.sign_in_as(account_id=ACCOUNT, plan_type='plus', email='ada@example.com')
    simulator.oauth.auto_approve = True
    simulator.oauth.any_port = True
    simulator.oauth.device_interval = 1
    simulator.oauth.device_polls = 1
    with (
        tempfile.TemporaryDirectory() as folder,
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(simulator.serve()) as server,
    ):
        yield Stage(Path(folder), simulator, server)


def sessions() -> dict[str, str]:
    """Every session by its name."""
    with stage() as machine:
        kept = {name: machine.run(name) for name in ('login', 'status', 'doctor')}
        kept |= {name: machine.run(name, columns=TABLE_COLUMNS) for name in ('models', 'usage')}
        kept[REFUSED] = machine.run(REFUSED)
        machine.simulator.limits.use(primary=100)
        machine.simulator.limits.credits = LimitCredits(has_credits=False, balance='0')
        kept['usage, used up'] = machine.run('usage', columns=TABLE_COLUMNS)
    with stage() as server:
        return kept | {'login --device': server.run('login --device')}


def updated(document: str, sessions: Mapping[str, str]) -> str:
    """The document with the sessions between their markers.

    Raises:
        KeyError: If it has a place for one that is unknown.
    """

    def fill(match: re.Match[str]) -> str:
        return f'<!-- session: {match[1]} -->\n```text\n{sessions[match[1]]}```\n<!-- end -->'

    return MARKED.sub(fill, document)


def main(arguments: list[str]) -> int:
    """Write the sessions, or check them."""
    held = sessions()
    old = {path: path.read_text(encoding='utf-8') for path in DOCUMENTS}
    places = {match[1] for text in old.values() for match in MARKED.finditer(text)}
    if missing := sorted(set(held) - places):
        raise KeyError(f'The docs have no place for {missing}')
    stale = {path: new for path, text in old.items() if (new := updated(text, held)) != text}
    if '--check' in arguments:
        for path in stale:
            print(f'The sessions in {path.name} are stale: run `make sessions`.', file=sys.stderr)
        return int(bool(stale))
    for path, text in stale.items():
        path.write_text(text, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
