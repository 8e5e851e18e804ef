"""The transport of `aiohttp_client`: what httpx2 wants from a transport, done by aiohttp.

`httpx-aiohttp` 0.2.0 does so as well, for httpx2 since July 2026. It needs the legacy `httpx`, keeps the cookies of one
account for the next, knows no write timeout, says of a connection that broke that it could not be made in time, and
loses the end of what came before a break, so it is not what this stands on.

Facts of aiohttp are those of 3.10 to 3.14, from its source.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import aiohttp
import httpx2
from aiohttp.payload import Payload
from yarl import URL

from ..errors import ConfigurationError
from .aiohttp_errors import raise_httpx2_error

_AUTOMATIC: Final = ('Accept', 'Accept-Encoding', 'Content-Type', 'User-Agent')
"""The headers that aiohttp adds where there are none."""

_READ_AHEAD: Final = 2**18
"""Bytes that may wait for whoever reads before the socket is not read any more: what asyncio reads at once. With the
64 KiB of aiohttp before 3.14 every second piece of a fast stream would stop the socket."""

_LONGEST_FIELD: Final = 2**16
"""Bytes of a header; 8190 is aiohttp's own limit, and a gateway's policies and cookies may be longer."""

_A_DAY: Final = 86_400.0


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Sends requests through the connections of aiohttp, which belong to the event loop of the first request.

    Args:
        limits: Its `max_connections` and `keepalive_expiry` count.
        ssl_context: What connections are secured with.
        proxy_for: Which proxy a URL is asked through.
    """

    def __init__(
        self,
        *,
        limits: httpx2.Limits,
        ssl_context: ssl.SSLContext,
        proxy_for: Callable[[httpx2.URL], httpx2.Proxy | None],
    ) -> None:
        # Before 3.14 aiohttp takes `None` for no number that it could compare.
        self._keepalive_expiry = _A_DAY if limits.keepalive_expiry is None else limits.keepalive_expiry
        # Not aiohttp's own limit, whose wait cannot be told from that for a connection.
        self._slots = asyncio.Semaphore(limits.max_connections or sys.maxsize)
        self._ssl_context = ssl_context
        ssl_context.set_alpn_protocols(['http/1.1'])  # as httpcore2 does
        self._proxy_for = proxy_for
        self._connector: _Connector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: set[_Stream] = set()
        """Those that are open."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        connector = await self._ready_connector()
        timeouts: Mapping[str, float | None] = request.extensions.get('timeout', {})
        await self._take_slot(timeouts.get('pool'))
        try:
            response = await self._send(connector, request, timeouts)
        except BaseException:
            self._slots.release()
            raise
        stream = _Stream(response, self._let_go)
        self._streams.add(stream)
        return httpx2.Response(
            response.status,
            headers=response.raw_headers,
            stream=stream,
            extensions={
                'http_version': b'HTTP/1.1',
                'reason_phrase': (response.reason or '').encode('ascii', 'ignore'),
            },
        )

    async def aclose(self) -> None:
        connector, self._connector = self._connector, None
        # aiohttp closes their connections and leaves whoever waits for them waiting.
        for stream in list(self._streams):
            await stream.aclose()
        if connector is not None:
            await connector.close()

    def _let_go(self, stream: _Stream) -> None:
        self._streams.discard(stream)
        self._slots.release()

    async def _ready_connector(self) -> _Connector:
        loop = _running_loop()
        if self._connector is None:
            self._loop = loop
            self._connector = _Connector(limit=0, keepalive_timeout=self._keepalive_expiry, ssl=self._ssl_context)
        elif self._loop is not loop:
            raise RuntimeError('the connections of aiohttp belong to a different event loop')
        else:
            # Whoever runs the loop only now and then has not heard yet which idle connections the other side closed.
            # The first round lets the loop ask the sockets, the second comes after what they said. httpcore2 asks the
            # socket itself.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return self._connector

    async def _take_slot(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise httpx2.PoolTimeout('') from None

    async def _send(
        self, connector: _Connector, request: httpx2.Request, timeouts: Mapping[str, float | None]
    ) -> aiohttp.ClientResponse:
        headers = _headers(request)
        body = _Body(request, timeouts.get('write')) if _has_body(request) else None
        proxy = self._proxy_for(request.url)
        with _library_errors(body):
            # A session for each request: it is state for many requests, such as cookies, and none is wanted.
            async with _session(connector) as session:
                return await session.request(
                    request.method,
                    _url(request.url),
                    headers=headers,
                    data=body,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        total=None, connect=timeouts.get('connect'), sock_read=timeouts.get('read')
                    ),
                    server_hostname=request.extensions.get('sni_hostname'),
                    proxy=None if proxy is None else _url(proxy.url),
                    proxy_headers=None if proxy is None else _proxy_headers(proxy),
                )


class _Connector(aiohttp.TCPConnector):
    """Connections that go quietly with an event loop that ended without a word, such as those of `run_sync`."""

    def __del__(self, *_: object) -> None:
        """Do without aiohttp's complaint to the log; where the loop is alive, `aclose` has been there."""


def _session(connector: _Connector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_AUTOMATIC,
        auto_decompress=False,
        read_bufsize=_READ_AHEAD,
        max_line_size=_LONGEST_FIELD,
        max_field_size=_LONGEST_FIELD,
    )


class _Stream(httpx2.AsyncByteStream):
    """The body of an answer, in the pieces that the socket gave.

    Args:
        response: The answer.
        at_end: Called once when the body is closed.
    """

    def __init__(self, response: aiohttp.ClientResponse, at_end: Callable[[_Stream], None]) -> None:
        self._response = response
        self._at_end: Callable[[_Stream], None] | None = at_end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            while piece := await content.readany():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            if self._at_end is not None and (rest := _unread(content)):
                yield rest
            raise_httpx2_error(error)

    async def aclose(self) -> None:
        at_end, self._at_end = self._at_end, None
        if at_end is not None:
            # Does nothing to a connection whose answer is complete: that one is in the pool already.
            self._response.close()
            at_end(self)


def _unread(content: aiohttp.StreamReader) -> bytes:
    """What came before the error; aiohttp raises first, where nothing may be lost."""
    content.set_exception(cast(Any, None))
    return content.read_nowait()


class _Body(Payload):
    """The body of a request.

    Args:
        request: The request, whose header `Content-Length` tells the size, if it is known.
        seconds: How long each piece may take to be written.
    """

    def __init__(self, request: httpx2.Request, seconds: float | None) -> None:
        super().__init__(request.stream)
        self._seconds = seconds
        self.error: Exception | None = None
        """What kept it from being written."""

    async def write(self, writer: Any) -> None:
        try:
            async for piece in cast('httpx2.AsyncByteStream', self._value):
                await self._write_piece(writer, piece)
        except Exception as error:
            self.error = error
            raise

    async def _write_piece(self, writer: Any, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await writer.write(piece)
        except BaseException as error:
            # Closing alone, as aiohttp does, would wait for the other side to take what is left.
            if writer.transport is not None:
                writer.transport.abort()
            match error:
                case TimeoutError():
                    raise httpx2.WriteTimeout('') from error
                case OSError():
                    raise httpx2.WriteError(str(error)) from error
                case _:
                    raise

    def decode(self, encoding: str = 'utf-8', errors: str = 'strict') -> str:
        raise NotImplementedError


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            'The client of `aiohttp_client` works on asyncio only. Leave `http_client` out, and it works on Trio.'
        ) from None


@contextmanager
def _library_errors(body: _Body | None) -> Generator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        if body is not None and body.error is not None:
            raise body.error from None  # aiohttp wraps it
        raise_httpx2_error(error)
    except ValueError:
        # Of a header with a line break; its words quote the header, which may be a secret.
        raise httpx2.LocalProtocolError('A header cannot be sent.') from None


def _has_body(request: httpx2.Request) -> bool:
    return request.headers.get('content-length', '0') != '0' or 'transfer-encoding' in request.headers


def _headers(request: httpx2.Request) -> list[tuple[str, str]]:
    """The headers as they were given; aiohttp says itself that a body of unknown size is chunked."""
    try:
        return [
            (name.decode('ascii'), value.decode('utf-8'))
            for name, value in request.headers.raw
            if name.lower() != b'transfer-encoding'
        ]
    except UnicodeDecodeError:
        raise httpx2.LocalProtocolError('A header cannot be sent.') from None


def _url(url: httpx2.URL) -> URL:
    # Encoded already, and to be sent as it is. What the user information says stands in a header.
    return URL(str(url.copy_with(userinfo=b'', fragment=None)), encoded=True)


def _proxy_headers(proxy: httpx2.Proxy) -> dict[str, str]:
    headers = dict(proxy.headers)
    if proxy.raw_auth is not None:
        headers['Proxy-Authorization'] = f'Basic {b64encode(b":".join(proxy.raw_auth)).decode("ascii")}'
    return headers
