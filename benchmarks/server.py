"""The server that every subject reads from: `python -m benchmarks.server`.

It binds a port of the loopback, prints `{"port": N}` as a line, and serves until its standard input ends. An answer is
rendered once and then written as it is, so nothing here happens per event, `paced` alone excepted.

    POST /STREAM/chunks/...   one HTTP chunk per event, all written at once
    POST /STREAM/paced/...    one event each 1.5 ms
    POST /talk/MODE/...       a call where the input ends with a user's message, a text where it ends with an output
    GET /stats                how much was received
    GET /reset                the same, after forgetting what was received
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final, cast

from .streams import STREAMS, stamp_of

SECONDS_PER_EVENT: Final = 0.0015
BACKLOG: Final = 1024
"""Hundreds of connections come at once."""

_TALK: Final = 'talk'
_MODES: Final = ('chunks', 'paced')
_CONTINUE: Final = b'HTTP/1.1 100 Continue\r\n\r\n'

# Captured.
_STREAM_HEADERS: Final[Mapping[str, str]] = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-codex-active-limit': 'codex',
    'x-codex-plan-type': 'plus',
    'x-codex-primary-used-percent': '42.5',
    'x-codex-primary-window-minutes': '300',
    'x-codex-primary-reset-at': '1900000000',
    'x-codex-primary-reset-after-seconds': '1234',
    'x-codex-secondary-used-percent': '7',
    'x-codex-secondary-window-minutes': '10080',
    'x-codex-secondary-reset-at': '1900500000',
    'x-codex-credits-has-credits': 'true',
    'x-codex-credits-unlimited': 'false',
    'x-codex-credits-balance': '12.5',
    'x-codex-limit-name': 'codex',
    'x-reasoning-included': 'true',
    'x-models-etag': '"etag-1"',
    'openai-model': 'gpt-5.5',
    'x-request-id': 'req_1',
    'transfer-encoding': 'chunked',
}


# Requests, in.


@dataclass(frozen=True)
class Request:
    """A request, its body without any HTTP around it."""

    method: str
    path: str
    body: bytes = field(repr=False)


@dataclass
class _Head:
    method: str
    path: str
    length: int | None  # `None` is chunked
    waits: bool  # whether the client sends the body only when it is told to go on


class RequestReader:
    """The bytes of one connection to requests; no I/O.

    Args:
        go_on: What tells a client that waits to send its body.
    """

    def __init__(self, go_on: Callable[[], None]) -> None:
        self._go_on = go_on
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._body = bytearray()

    def receive(self, data: bytes) -> Iterator[Request]:
        """Take what has come, and hand out the requests that are whole.

        Raises:
            ValueError: If it is no HTTP.
        """
        self._buffer += data
        while self._head is not None or self._read_head():
            head = cast('_Head', self._head)
            if not (self._read_chunks() if head.length is None else self._read_exactly(head.length)):
                return
            yield Request(head.method, head.path, bytes(self._body))
            self._head = None
            self._body.clear()

    def _read_head(self) -> bool:
        end = self._buffer.find(b'\r\n\r\n')
        if end < 0:
            return False
        self._head = _parsed(self._buffer[:end].decode('latin-1'))
        del self._buffer[: end + 4]
        if self._head.waits:
            self._go_on()
        return True

    def _read_exactly(self, length: int) -> bool:
        if len(self._buffer) < length:
            return False
        self._body += self._buffer[:length]
        del self._buffer[:length]
        return True

    def _read_chunks(self) -> bool:
        """Move the chunks that are whole to the body, and say whether the last one has come. Nobody sends trailers."""
        while (end := self._buffer.find(b'\r\n')) >= 0:
            start, size = end + 2, int(self._buffer[:end].partition(b';')[0], 16)
            if len(self._buffer) < start + size + 2:
                return False
            self._body += self._buffer[start : start + size]
            del self._buffer[: start + size + 2]
            if not size:
                return True
        return False


def _parsed(head: str) -> _Head:
    first, *lines = head.split('\r\n')
    try:
        method, path, _ = first.split(' ')
    except ValueError:
        raise ValueError(f'{first!r} is no request line') from None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(':') for line in lines)}
    if 'content-encoding' in headers:
        raise ValueError('send the body as it is: a compressed one would not be counted as what it says')
    chunked = headers.get('transfer-encoding', '').lower() == 'chunked'
    length = None if chunked else int(headers.get('content-length', '0'))
    return _Head(method, path, length, headers.get('expect', '').lower() == '100-continue')


# Answers, out.


def answer_head(status: str, headers: Mapping[str, str]) -> bytes:
    """The head of an answer."""
    lines = ''.join(f'{name}: {value}\r\n' for name, value in headers.items())
    return f'HTTP/1.1 {status}\r\n{lines}\r\n'.encode()


def chunk(data: bytes) -> bytes:
    """An HTTP chunk; that of nothing is the last one."""
    return b'%x\r\n%b\r\n' % (len(data), data)


@cache
def pieces(stream: str, mode: str) -> tuple[bytes, ...]:
    """An answer as it is written: all at once, or one event after the other."""
    written = (answer_head('200 OK', _STREAM_HEADERS), *map(chunk, STREAMS[stream].frames), chunk(b''))
    return written if mode == 'paced' else (b''.join(written),)


def _plain(status: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    return answer_head(status, {'content-type': 'application/json', 'content-length': str(len(content))}) + content


def _turn(body: bytes) -> str:
    """The stream that goes on with a conversation."""
    items: list[dict[str, Any]] = json.loads(body)['input']
    kind, role = items[-1].get('type', 'message'), items[-1].get('role')
    if kind == 'function_call_output':
        return 'd'
    if (kind, role) == ('message', 'user'):
        return 'call'
    raise ValueError(f'no answer goes on with {kind!r} by {role!r}')


@dataclass
class Backend:
    """What answers, and what it has received.

    Attributes:
        turns: The size of the body of each request for an answer.
        connections: Those that are open.
    """

    turns: list[int] = field(default_factory=list[int])
    connections: set[asyncio.Transport] = field(default_factory=set[asyncio.Transport])

    def answer(self, request: Request) -> tuple[bytes, ...]:
        """The bytes of an answer, all at once or one event after the other."""
        if request.method == 'GET':
            return (self._told(request.path),)
        stream, mode, *_ = [*request.path.strip('/').split('/'), '', '']
        if mode not in _MODES or (stream not in STREAMS and stream != _TALK):
            return (_plain('404 Not Found', {'detail': f'no {mode!r} of a stream {stream!r}'}),)
        self.turns.append(len(request.body))
        if stream != _TALK:
            return pieces(stream, mode)
        return self._renewed(request.body, mode)

    def _renewed(self, body: bytes, mode: str) -> tuple[bytes, ...]:
        """The next answer of a conversation, with ids that no other of its answers has."""
        stream = _turn(body)
        stamp, fresh = stamp_of(stream).encode(), b'%024x' % len(self.turns)
        return tuple(piece.replace(stamp, fresh) for piece in pieces(stream, mode))

    def _told(self, path: str) -> bytes:
        if path == '/reset':
            self.turns.clear()
        elif path != '/stats':
            return _plain('404 Not Found', {'detail': 'answers are asked for with POST'})
        received = {'requests': len(self.turns), 'body_bytes': sum(self.turns), 'turns': self.turns}
        last = self.turns[-1] if self.turns else 0
        return _plain('200 OK', {**received, 'last_body_bytes': last})


class Connection(asyncio.Protocol):
    """One connection, kept for as long as the client likes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._reader = RequestReader(lambda: self._transport.write(_CONTINUE))
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast('asyncio.Transport', transport)
        self._backend.connections.add(self._transport)

    def data_received(self, data: bytes) -> None:
        try:
            for request in self._reader.receive(data):
                self._write(self._backend.answer(request))
        except (ValueError, LookupError) as error:
            self._transport.write(_plain('400 Bad Request', {'detail': str(error)}))
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._backend.connections.discard(self._transport)
        if self._timer is not None:
            self._timer.cancel()

    def _write(self, answer: tuple[bytes, ...]) -> None:
        if len(answer) == 1:
            self._transport.write(answer[0])
        else:
            loop = asyncio.get_running_loop()
            self._write_paced(loop, answer, 0, loop.time())

    def _write_paced(
        self, loop: asyncio.AbstractEventLoop, answer: tuple[bytes, ...], number: int, start: float
    ) -> None:
        """Write a piece, and see to the next one when its time comes; what is late does not make the rest later."""
        self._transport.write(answer[number])
        if number + 1 < len(answer):
            at = start + (number + 1) * SECONDS_PER_EVENT
            self._timer = loop.call_at(at, partial(self._write_paced, loop, answer, number + 1, start))


@asynccontextmanager
async def serving() -> AsyncGenerator[int]:
    """Serve on this event loop; the port."""
    backend = Backend()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(backend), '127.0.0.1', 0, backlog=BACKLOG)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for connection in list(backend.connections):  # else the server would wait for its clients
                connection.abort()


async def main() -> None:
    for stream in STREAMS:
        pieces(stream, 'chunks')
    async with serving() as port:
        print(json.dumps({'port': port}), flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == '__main__':
    asyncio.run(main())
