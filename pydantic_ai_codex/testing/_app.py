"""The simulated backend as an ASGI application, for one event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import anyio
import httpx2

from ._backend import IncomingRequest
from ._exchange import ConnectionCut, Exchange, json_pieces

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class SimulatorApp:
    """An ASGI application; `close` ends what is still streaming, so that a server can stop."""

    def __init__(self, answer: Callable[[IncomingRequest], Exchange]) -> None:
        self._answer = answer
        self._closing = False
        self._scopes: set[anyio.CancelScope] = set()

    def close(self) -> None:
        """Drop every open stream, and answer nothing more."""
        self._closing = True
        for scope in self._scopes:
            scope.cancel()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        content = await _read_body(receive)
        if content is None or self._closing:
            await _drop(receive)
            return
        headers = {name.decode('latin-1'): value.decode('latin-1') for name, value in scope['headers']}
        exchange = self._answer(
            IncomingRequest(
                scope['method'],
                scope['path'],
                headers,
                content,
                query=scope.get('query_string', b'').decode('latin-1'),
                origin=f'{scope.get("scheme", "http")}://{headers.get("host", "")}',
            )
        )
        if (exchange.is_held and not await self._hold(exchange, receive)) or isinstance(
            exchange.failure, httpx2.TransportError
        ):
            await _drop(receive)
        elif exchange.failure is not None:
            await _tell(exchange, exchange.failure, send)
        else:
            await self._stream(exchange, receive, send)

    async def _hold(self, exchange: Exchange, receive: Receive) -> bool:
        """Wait until the answer may begin; whether the client waited as long."""
        is_ready = False
        async with anyio.create_task_group() as tasks:
            self._scopes.add(tasks.cancel_scope)
            try:
                tasks.start_soon(_cancel_on_disconnect, receive, tasks.cancel_scope)
                await exchange.ready()
                is_ready = True
                tasks.cancel_scope.cancel()
            finally:
                self._scopes.discard(tasks.cancel_scope)
        if not is_ready:
            exchange.close()
        return is_ready

    async def _stream(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks:
            self._scopes.add(tasks.cancel_scope)
            try:
                tasks.start_soon(_cancel_on_disconnect, receive, tasks.cancel_scope)
                await _send_all(exchange, send)
                tasks.cancel_scope.cancel()
            finally:
                self._scopes.discard(tasks.cancel_scope)
                exchange.close()


async def _send_all(exchange: Exchange, send: Send) -> None:
    """Send the answer; where the script cuts it, return early, on which the server drops the connection."""
    head = [(name.encode('latin-1'), value.encode('latin-1')) for name, value in exchange.headers.items()]
    await send({'type': 'http.response.start', 'status': exchange.status, 'headers': head})
    try:
        while (chunk := await exchange.next_chunk()) is not None:
            await send({'type': 'http.response.body', 'body': chunk, 'more_body': True})
    except ConnectionCut:
        return
    await send({'type': 'http.response.body', 'body': b'', 'more_body': False})


async def _tell(exchange: Exchange, failure: Exception, send: Send) -> None:
    """Answer with what went wrong: over a port, an exception cannot reach the test.

    With 400, as clients try anything from 500 on again, and wait in between.
    """
    with exchange.lock:
        exchange.record.status = 400
    content, content_type = json_pieces({'error': {'message': f'{type(failure).__name__}: {failure}'}})
    head = [(b'content-type', content_type.encode()), (b'content-length', str(len(content)).encode())]
    await send({'type': 'http.response.start', 'status': 400, 'headers': head})
    await send({'type': 'http.response.body', 'body': content, 'more_body': False})


async def _read_body(receive: Receive) -> bytes | None:
    body = b''
    while True:
        message = await receive()
        if message['type'] == 'http.disconnect':
            return None
        body += message.get('body', b'')
        if not message.get('more_body', False):
            return body


async def _cancel_on_disconnect(receive: Receive, scope: anyio.CancelScope) -> None:
    await _until_disconnect(receive)
    scope.cancel()


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())['type'] != 'http.disconnect':
        pass


async def _drop(receive: Receive) -> None:
    """Drop the connection without a word. ASGI has no message for that, so it takes uvicorn's own transport."""
    transport = getattr(getattr(receive, '__self__', None), 'transport', None)
    if transport is not None:
        transport.abort()
        await _until_disconnect(receive)  # Returned from before that, uvicorn would still write a 500.
