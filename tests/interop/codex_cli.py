"""The official CLI as an object: a home of its own, no account, and nobody to reach but the simulator."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from pydantic_ai_codex.testing import SimulatorServer

_NOWHERE = 'http://127.0.0.1:9'
"""The port `discard`, where nothing listens."""

_CONFIG = f"""
chatgpt_base_url = "{_NOWHERE}/backend-api/"
openai_base_url = "{_NOWHERE}/v1"
check_for_update_on_startup = false
cli_auth_credentials_store = "file"

[analytics]
enabled = false

[features]
plugins = false
apps = false
"""

_PATIENCE = 60.0
"""Seconds; each of its commands takes a fraction of one."""


class Said(NamedTuple):
    """What a command answered."""

    exit_code: int
    text: str


class AppServer:
    """A running `codex app-server`, which keeps a login in memory as an IDE does."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._last_id = 0
        self._reader = threading.Thread(target=self._read, args=(process.stdout,))
        self._reader.start()

    def start(self) -> None:
        """Say hello; by then it has refreshed a login that was due."""
        self.call('initialize', {'clientInfo': {'name': 'interop', 'version': '1'}})
        self._send({'method': 'initialized'})

    def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return the answer to it, which may be an error."""
        self._last_id += 1
        self._send({'id': self._last_id, 'method': method, 'params': params})
        while True:
            message = cast('dict[str, Any]', json.loads(self._lines.get(timeout=_PATIENCE)))
            if message.get('id') == self._last_id and 'method' not in message:
                return message

    def refresh(self) -> None:
        """Ask it to refresh, due or not. It answers with an error, as it reaches no backend; it has refreshed by then."""
        self.call('account/read', {'refreshToken': True})

    def close(self) -> None:
        """End it as an IDE does, or by force where that does not help."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            # The command of npm is a wrapper, whose end would not be that of the program itself.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + '\n')
        self._process.stdin.flush()

    def _read(self, stdout: IO[str]) -> None:
        for line in stdout:
            self._lines.put(line)


class CodexCLI:
    """The CLI in a home of its own."""

    def __init__(self, binary: str, home: Path, server: SimulatorServer) -> None:
        self._binary = binary
        self._issuer = server.issuer
        self.home = home
        self.auth_path = home / 'auth.json'
        home.mkdir(exist_ok=True)
        (home / 'config.toml').write_text(_CONFIG, encoding='utf-8')
        self._environment = {
            'PATH': os.environ['PATH'],
            'HOME': str(home),
            'CODEX_HOME': str(home),
            'CODEX_REFRESH_TOKEN_URL_OVERRIDE': server.token_url,
            'CODEX_REVOKE_TOKEN_URL_OVERRIDE': server.revoke_url,
            # It asks chatgpt.com about plugins whatever its configuration says.
            'HTTPS_PROXY': _NOWHERE,
            'HTTP_PROXY': _NOWHERE,
            'NO_PROXY': '127.0.0.1,localhost',
        }

    def run(self, *arguments: str, stdin: str = '') -> Said:
        """Run one command to its end."""
        done = subprocess.run(
            [self._binary, *arguments],
            env=self._environment,
            cwd=self.home,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        said = (done.stdout + done.stderr).splitlines()
        return Said(done.returncode, '\n'.join(line for line in said if line and not line.startswith('WARNING')))

    def log_in(self) -> Said:
        """Log in with a device code; the login service has to approve it by itself."""
        return self.run('login', '--device-auth', '--experimental_issuer', self._issuer)

    @contextmanager
    def app_server(self) -> Generator[AppServer]:
        """Start one that lives for as long as the block."""
        process = subprocess.Popen(
            [self._binary, 'app-server'],
            env=self._environment,
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        app_server = AppServer(process)
        try:
            app_server.start()
            yield app_server
        finally:
            app_server.close()

    def read(self) -> dict[str, Any]:
        """The login file."""
        return cast('dict[str, Any]', json.loads(self.auth_path.read_text(encoding='utf-8')))

    def write(self, document: Mapping[str, Any]) -> None:
        """Put a login file in place, as if the CLI had written it."""
        self.auth_path.write_text(json.dumps(document), encoding='utf-8')
        self.auth_path.chmod(0o600)
