"""The server on this machine that the browser comes back to: one state, once, for this machine only."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, TypeAlias, cast

import anyio
import anyio.abc

from ..._clock import Clock
from ..._protocol.constants import CALLBACK_PATH
from ..._urls import is_loopback
from ...errors import LoginError
from .answers import Granted, read_answer
from .callback_http import CANCEL_PATH, LARGEST_HEAD, Request, parse_head, refusal, response
from .page import foreign_page

Answer: TypeAlias = Granted | LoginError
"""How the wait for the browser ends."""

_HOST: Final = '127.0.0.1'

_RETRIES: Final = 10
_RETRY_PAUSE: Final = 0.2
"""How long a login that was asked to go gets for it (from the CLI's source)."""

_CANCEL_TIMEOUT: Final = 2.0
_HEAD_TIMEOUT: Final = 10.0
_SEND_TIMEOUT: Final = 5.0
"""Seconds to be told to go, to send a request, and to take the page. Browsers open connections that they never use."""

_MOST_SILENT: Final = 32
"""Connections that have not said what they want; of more, the oldest is dropped."""

_CROWDED: Final = {
    errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED,
}  # fmt: skip
_CROWDED_PAUSE: Final = 0.2
"""What the system says that takes no more connections just now, and seconds until it is asked again."""

_CANCELLED: Final = (
    'The login was cancelled by another login that was started on this machine. Finish that one, or log in again.'
)

_NO_MORE: Final = (
    'The browser cannot come back, as this machine takes no more connections. End some programs, then log in again.'
)

_GONE: Final = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
"""What reading from, or writing to, somebody who has left raises."""


class CallbackServer:
    """Waits for the browser, and shows it how the login ended. Make one with `open_callback_server`.

    Args:
        listener: The listener, which is closed at the end of `async with`.
        state: The state of the login that waits.
    """

    def __init__(self, listener: anyio.abc.Listener[anyio.abc.SocketStream], state: str) -> None:
        self._listener = listener
        self._state = state
        self.port: int = listener.extra(anyio.abc.SocketAttribute.local_port)
        """The port."""
        self._silent: list[anyio.CancelScope] = []
        """Those who have not sent a whole head yet, the oldest first."""
        self._is_answered = False
        self._page = b''
        self._has_page = anyio.Event()
        self._is_shown = anyio.Event()

    @property
    def redirect_uri(self) -> str:
        """Where the login page has to send the browser."""
        return f'http://{_HOST}:{self.port}{CALLBACK_PATH}'

    async def __aenter__(self) -> CallbackServer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._listener.aclose()

    async def serve(self, came: Callable[[Answer], object]) -> None:
        """Answer requests, until it is cancelled.

        Args:
            came: Called once with the answer that belongs to this login. Its browser waits until `show`.
        """

        async def handle(stream: anyio.abc.SocketStream) -> None:
            with suppress(*_GONE):
                async with stream:
                    await self._handle(stream, came)

        # In a group of their own, those who are served stay when no more can be let in.
        async with anyio.create_task_group() as tasks:
            while await self._let_in(handle, tasks):
                while self._silent:
                    self._silent.pop().cancel()
                await anyio.sleep(_CROWDED_PAUSE)
            came(LoginError(_NO_MORE, reason='port'))

    async def _let_in(
        self, handle: Callable[[anyio.abc.SocketStream], Coroutine[Any, Any, None]], tasks: anyio.abc.TaskGroup
    ) -> bool:
        """Let connections in until that fails; whether it may work again in a moment."""
        may_go_on = True
        try:
            await self._listener.serve(handle, tasks)
        except* OSError as group:
            may_go_on = all(cast('OSError', error).errno in _CROWDED for error in _leaves(group))
        return may_go_on

    async def show(self, status: HTTPStatus, page: bytes) -> None:
        """Show the browser how the login ended, where one waits, and wait until it has the page."""
        self._page = response(status, page)
        self._has_page.set()
        if self._is_answered:
            with anyio.move_on_after(_SEND_TIMEOUT):
                await self._is_shown.wait()

    async def _handle(self, stream: anyio.abc.SocketStream, came: Callable[[Answer], object]) -> None:
        if not is_loopback(str(stream.extra(anyio.abc.SocketAttribute.remote_address)[0])):
            return
        request: Request | None = None
        with anyio.move_on_after(_HEAD_TIMEOUT) as reading:
            self._silent.append(reading)
            if len(self._silent) > _MOST_SILENT:
                self._silent.pop(0).cancel()
            try:
                request = await _read_request(stream)
            finally:
                if reading in self._silent:
                    self._silent.remove(reading)
        if reading.cancelled_caught:
            return
        if (status := refusal(request, self.port)) is not None or request is None:
            await _send(stream, response(status or HTTPStatus.BAD_REQUEST))
        elif request.path == CANCEL_PATH:
            try:
                await _send(stream, response(HTTPStatus.OK))
            finally:
                came(LoginError(_CANCELLED, reason='cancelled'))
        else:
            await self._call_back(stream, request, came)

    async def _call_back(
        self, stream: anyio.abc.SocketStream, request: Request, came: Callable[[Answer], object]
    ) -> None:
        answer = None if self._is_answered else read_answer(request.query, self._state)
        if answer is None:
            # Whoever sent it does not know the state, or sent it twice; the login goes on waiting for its own.
            await _send(stream, response(HTTPStatus.BAD_REQUEST, foreign_page()))
            return
        self._is_answered = True
        try:
            came(answer)
            await self._has_page.wait()
            await _send(stream, self._page)
        finally:
            self._is_shown.set()


async def open_callback_server(ports: Sequence[int], state: str, clock: Clock) -> CallbackServer:
    """Listen on the first port that can be had.

    Whatever holds a port is asked to go by `GET /cancel`, which only a login server like ours or the CLI's understands.

    Args:
        ports: The ports to try; 0 is a free one, which only a simulated login service takes.
        state: The state of the login.
        clock: Waits for a port.

    Raises:
        LoginError: If there is no port to be had.
    """
    for port in ports:
        if listener := await _listen(port, clock):
            return CallbackServer(listener, state)
    names = ' and '.join(str(port) for port in ports)
    raise LoginError(
        f'The login page can only come back to port {names} of this machine, which cannot be had. Another login may '
        'hold it (`codex login`, an editor), or a container or `ssh -L` that forwards it: end that, then try again; or '
        'log in with `--device`, or with `--paste`, which need no port.',
        reason='port',
    )


async def _listen(port: int, clock: Clock) -> anyio.abc.Listener[anyio.abc.SocketStream] | None:
    for attempt in range(1 + _RETRIES):
        try:
            check_free(port)
            return await anyio.create_tcp_listener(local_host=_HOST, local_port=port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return None  # Reserved, as by Windows: nobody gives it back.
        if attempt == 0:
            await _cancel_other(port)
        if attempt < _RETRIES:
            await clock.sleep(_RETRY_PAUSE)
    return None


def check_free(port: int) -> None:
    """Try a port: AnyIO before 4.12 does not close the socket with which it could not have it.

    Raises:
        OSError: If it cannot be had.
    """
    with socket.socket() as probe:
        if sys.platform != 'win32':  # There it would take a port away from others.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((_HOST, port))


async def _cancel_other(port: int) -> None:
    request = f'GET {CANCEL_PATH} HTTP/1.1\r\nHost: {_HOST}:{port}\r\nConnection: close\r\n\r\n'.encode()
    with anyio.move_on_after(_CANCEL_TIMEOUT), suppress(*_GONE):
        async with await anyio.connect_tcp(_HOST, port) as stream:
            await stream.send(request)
            await stream.receive(1024)


def _leaves(group: BaseExceptionGroup[OSError]) -> Iterator[BaseException]:
    """The errors in a group and in the groups of it."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _read_request(stream: anyio.abc.SocketStream) -> Request | None:
    content = b''
    while b'\r\n\r\n' not in content:
        if len(content) > LARGEST_HEAD:
            return None
        content += await stream.receive(LARGEST_HEAD)
    return parse_head(content.partition(b'\r\n\r\n')[0])


async def _send(stream: anyio.abc.SocketStream, content: bytes) -> None:
    with anyio.move_on_after(_SEND_TIMEOUT):
        await stream.send(content)
        await stream.send_eof()
