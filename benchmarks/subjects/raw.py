"""The limits: clients that read the bytes of a stream and do nothing with them but count the events.

`run` says how many events came, not how many were sent; `body` gives the bytes, for a check.
"""

from __future__ import annotations

import asyncio
import platform
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, TypeAlias

from . import Observer

if TYPE_CHECKING:  # a process has what its subject needs, and no more
    import aiohttp

Take: TypeAlias = Callable[[bytes], object]
"""Takes a piece of a body."""

_BODY: Final = b'{}'
_TYPE: Final = {'content-type': 'application/json'}
_READ_SIZE: Final = 2**18
"""What asyncio itself reads at once."""


class EventCount:
    """Counts the events of a body, wherever it is cut."""

    def __init__(self) -> None:
        self.events = 0
        self._last = b''

    def take(self, piece: bytes) -> None:
        # The empty line that ends an event may be cut in two; what comes after it never begins with a line end.
        self.events += piece.count(b'\n\n') + (self._last == b'\n' == piece[:1])
        self._last = piece[-1:]


class RawSubject(ABC):
    """What all of them share.

    Args:
        port: The port of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    @abstractmethod
    async def read(self, path: str, take: Take) -> None:
        """Hand over the pieces of a body as they come, without the chunks of HTTP."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connections."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """What it is made of."""

    async def run(self, stream: str, mode: str, *, through: str, observer: Observer | None) -> int:
        """Read a stream to its end, and return how many events have come. `through` is nothing to bytes."""
        count = EventCount()
        await self.read(f'/{stream}/{mode}/responses', count.take if observer is None else _told(count, observer))
        return count.events

    async def body(self, stream: str, mode: str) -> bytes:
        """All bytes of a stream."""
        pieces: list[bytes] = []
        await self.read(f'/{stream}/{mode}/responses', pieces.append)
        return b''.join(pieces)

    def _url(self, path: str) -> str:
        return f'http://127.0.0.1:{self._port}{path}'


def _told(count: EventCount, observer: Observer) -> Take:
    """Counts as before, and tells the observer of the first bytes."""
    is_first = True

    def take(piece: bytes) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            observer('bytes', '')
        count.take(piece)

    return take


class ChunkReader:
    """Takes the chunks of HTTP off a body; no I/O."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._rest = b''

    def receive(self, data: bytes) -> bool:
        """Take what has come, and say whether it was the last."""
        data = self._rest + data
        position = 0
        while (end := data.find(b'\r\n', position)) >= 0:
            start = end + 2
            stop = start + int(data[position:end], 16)
            if len(data) < stop + 2:
                break
            if start == stop:
                return True
            self._take(data[start:stop])
            position = stop + 2
        self._rest = data[position:]
        return False


class RawSocket(RawSubject):
    """A stream of asyncio, and the least of HTTP that the server needs."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def read(self, path: str, take: Take) -> None:
        if not self._idle:
            self._idle.append(await asyncio.open_connection('127.0.0.1', self._port, limit=_READ_SIZE))
        reader, writer = self._idle.pop()
        head = f'POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(_BODY)}\r\n\r\n'
        writer.write(head.encode() + _BODY)
        status = (await reader.readuntil(b'\r\n\r\n')).partition(b'\r\n')[0]
        if b' 200 ' not in status:
            raise ConnectionError(f'The server answered {status!r}.')
        chunks = ChunkReader(take)
        while not chunks.receive(data := await reader.read(_READ_SIZE)):
            if not data:
                raise ConnectionError('The server closed the connection within an answer.')
        self._idle.append((reader, writer))

    async def aclose(self) -> None:
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()
        self._idle.clear()

    def versions(self) -> dict[str, str]:
        return {'python': platform.python_version()}


class RawHttpx2(RawSubject):
    """`aiter_raw` of httpx2."""

    def __init__(self, port: int) -> None:
        import httpx2

        super().__init__(port)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx2.AsyncClient(limits=limits, timeout=None, trust_env=False)

    async def read(self, path: str, take: Take) -> None:
        async with self._client.stream('POST', self._url(path), content=_BODY, headers=_TYPE) as response:
            response.raise_for_status()
            async for piece in response.aiter_raw():
                take(piece)

    async def aclose(self) -> None:
        await self._client.aclose()

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ('httpx2', 'httpcore2', 'h11')}


class RawAiohttp(RawSubject):
    """`content.iter_any()` of aiohttp."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._session: aiohttp.ClientSession | None = None

    async def read(self, path: str, take: Take) -> None:
        if self._session is None:  # it wants an event loop that runs
            self._session = self._make_session()
        async with self._session.post(self._url(path), data=_BODY, headers=_TYPE) as response:
            response.raise_for_status()
            async for piece in response.content.iter_any():
                take(piece)

    @staticmethod
    def _make_session() -> aiohttp.ClientSession:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def versions(self) -> dict[str, str]:
        return {'aiohttp': version('aiohttp')}
