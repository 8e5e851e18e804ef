"""The simulated backend behind a loopback port, for clients of any kind."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import anyio.to_thread

from .._protocol.constants import REVOKE_PATH, TOKEN_PATH
from .._urls import is_loopback
from ..errors import ConfigurationError
from ._app import SimulatorApp
from ._backend import API_PATH, CHATGPT_PATH, IncomingRequest
from ._exchange import Exchange

if TYPE_CHECKING:
    import uvicorn

_LOGGERS = ('uvicorn.error', 'uvicorn.access', 'uvicorn.asgi')


@dataclass(frozen=True, slots=True)
class SimulatorServer:
    """Where a served simulator listens.

    One port serves everything, told apart by the path: besides what has a property here, the releases are at
    `/repos/openai/codex/releases/latest` and `/openai/codex/releases/latest`, and their files at
    `/openai/codex/<ref>/<path>`, as they are on the three hosts of GitHub.

    Attributes:
        host: The loopback address.
        port: The port.
    """

    host: str
    port: int

    @property
    def base_url(self) -> str:
        """What stands before `/responses` for a ChatGPT login."""
        return self._origin + CHATGPT_PATH

    @property
    def api_base_url(self) -> str:
        """What stands before `/responses` for an API key."""
        return self._origin + API_PATH

    @property
    def issuer(self) -> str:
        """The login service."""
        return self._origin

    @property
    def token_url(self) -> str:
        """Where logins are refreshed, for `CODEX_REFRESH_TOKEN_URL_OVERRIDE`."""
        return self._origin + TOKEN_PATH

    @property
    def revoke_url(self) -> str:
        """Where logins are revoked, for `CODEX_REVOKE_TOKEN_URL_OVERRIDE`."""
        return self._origin + REVOKE_PATH

    @property
    def _origin(self) -> str:
        return f'http://[{self.host}]:{self.port}' if ':' in self.host else f'http://{self.host}:{self.port}'


@contextlib.asynccontextmanager
async def serve(
    answer: Callable[[IncomingRequest], Exchange], host: str, port: int
) -> AsyncGenerator[SimulatorServer, None]:
    """Serve on a loopback port, in a thread of its own: the caller may block, or use any event loop."""
    listener = _listen(host, port)
    with contextlib.closing(listener), _silenced():
        app = SimulatorApp(answer)
        server = _make_server(app)
        with anyio.from_thread.start_blocking_portal('asyncio', name='codex-simulator') as portal:
            serving = portal.start_task_soon(server.serve, [listener])
            try:
                yield SimulatorServer(host, listener.getsockname()[1])
            finally:
                server.should_exit = True
                portal.call(app.close)
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(serving.result)


def _listen(host: str, port: int) -> socket.socket:
    if not is_loopback(host):
        raise ConfigurationError(
            f'host={host!r} is not a loopback address. The simulator accepts any login, so it is served on '
            "'127.0.0.1', '::1' or 'localhost' only."
        )
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _make_server(app: SimulatorApp) -> uvicorn.Server:
    try:
        import uvicorn
    except ImportError as error:
        raise ConfigurationError(
            'Serving the simulator needs uvicorn (the extra `simulator`): run `pip install uvicorn`. Without it, use '
            'the simulator in the same process, through `http_client()`, `provider()` or `model()`.'
        ) from error

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            yield  # Signals belong to the program that uses the simulator.

    config = uvicorn.Config(
        app,
        http='h11',
        ws='none',
        lifespan='off',
        log_config=None,
        log_level='critical',
        timeout_graceful_shutdown=2,
    )
    return Server(config)


@contextlib.contextmanager
def _silenced() -> Generator[None, None, None]:
    """Put back the levels of uvicorn's loggers, which are the whole process's and which its configuration sets."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
