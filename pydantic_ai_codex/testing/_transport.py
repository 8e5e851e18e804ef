"""The simulated backend in the same process, as an `httpx2` transport.

Frames are handed over one by one, as the client reads. (`httpx2.ASGITransport` hands over whole answers only, which
hides every stall, cut and early close.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

import anyio
import httpx2

from ._backend import IncomingRequest
from ._exchange import ConnectionCut, Exchange


class SimulatorTransport(httpx2.AsyncBaseTransport):
    """Answers the requests to the known origins, and refuses every other, so that none leaks unseen."""

    def __init__(self, answer: Callable[[IncomingRequest], Exchange], origins: frozenset[str]) -> None:
        self._answer = answer
        self._origins = origins

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        origin = origin_of(url)
        if origin not in self._origins:
            raise httpx2.ConnectError(
                f'The simulator does not answer {origin}, only {", ".join(sorted(self._origins))}.', request=request
            )
        content = await request.aread()
        timeouts: dict[str, Any] = request.extensions.get('timeout') or {}
        exchange = self._answer(
            IncomingRequest(
                request.method,
                url.path,
                dict(request.headers.items()),
                content,
                query=url.query.decode('ascii'),
                origin=origin,
            )
        )
        if exchange.is_held:
            await _hold(exchange, request, timeouts.get('read'))
        if isinstance(exchange.failure, httpx2.TransportError):
            exchange.failure.request = request
        if exchange.failure is not None:
            raise exchange.failure
        stream = _ExchangeStream(exchange, timeouts.get('read'))
        return httpx2.Response(exchange.status, headers=dict(exchange.headers), stream=stream, request=request)


class _ExchangeStream(httpx2.AsyncByteStream):
    """The body of one answer. No generator, so that nothing is left suspended when a client stops reading."""

    def __init__(self, exchange: Exchange, read_timeout: float | None) -> None:
        self._exchange = exchange
        self._read_timeout = read_timeout

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            with anyio.fail_after(self._read_timeout):
                chunk = await self._exchange.next_chunk()
        except TimeoutError as error:
            raise httpx2.ReadTimeout('The read operation timed out') from error
        except ConnectionCut as error:
            # The words of the real transport for an abandoned chunked body.
            raise httpx2.RemoteProtocolError(
                'peer closed connection without sending complete message body (incomplete chunked read)'
            ) from error
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        self._exchange.close()


async def _hold(exchange: Exchange, request: httpx2.Request, read_timeout: float | None) -> None:
    with ExitStack() as stack:
        stack.callback(exchange.close)
        try:
            with anyio.fail_after(read_timeout):
                await exchange.ready()
        except TimeoutError as error:
            raise httpx2.ReadTimeout('The read operation timed out', request=request) from error
        stack.pop_all()


def origin_of(url: httpx2.URL) -> str:
    return f'{url.scheme}://{url.netloc.decode("ascii")}'
