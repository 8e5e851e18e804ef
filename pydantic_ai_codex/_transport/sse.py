"""HTTP POST with an event stream as its answer."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import urlsplit

import anyio
import httpx2

from .._clock import Clock, SystemClock
from .._policy import TransportPolicy
from .._protocol.constants import MAX_ERROR_BODY_BYTES
from .._protocol.sse import SSEDecoder
from ..errors import ConfigurationError, MalformedStreamError, TransportTimeoutError
from .errors import library_errors
from .http import CLOSE_SECONDS, HTTPClients, Lease

_DRAIN_SECONDS: Final = 0.1
"""How long to wait for the end of a stream whose last event is here: the end usually came along with it, and reading it
lets the connection, with its TLS session, serve the next request."""

_ERROR_BODY_SECONDS: Final = 5.0
"""How long the body of an error answer is waited for."""

_NO_STREAM: Final = ('text/html', 'application/json')

_UNCHOSEN: Final = httpx2.Timeout(5.0)
"""The timeout of a client that was made without one, ours among them. A model that thinks is silent for longer."""


class SSETransport:
    """Sends requests over HTTP.

    Args:
        clients: Where the HTTP clients come from.
        policy: The timeouts, where a request has none of its own.
        clock: What a stream without events is timed with.
    """

    def __init__(self, clients: HTTPClients, policy: TransportPolicy | None = None, clock: Clock | None = None) -> None:
        self._clients = clients
        self._policy = policy or TransportPolicy()
        self._clock = clock or SystemClock()

    async def send(self, url: str, *, headers: Mapping[str, str], content: bytes, timeouts: object) -> SSEConnection:
        """Send one request and wait for the status of its answer.

        Raises:
            TransportError: If the request does not get through.
            ConfigurationError: If it cannot be sent, or the client cannot be used on this event loop.
        """
        lease = self._clients.lease()
        try:
            timeout, idle_timeout = self._timeouts(timeouts, lease.client)
            with library_errors(is_shared=lease.is_shared, host=urlsplit(url).netloc):
                request = lease.client.build_request(
                    'POST', _parsed(url), headers=headers, content=content, timeout=timeout
                )
                response = await _response(lease.client, request)
        except BaseException:
            await lease.release()
            raise
        return SSEConnection(response, lease, idle_timeout=idle_timeout, monotonic=self._clock.monotonic)

    def _timeouts(self, setting: object, client: httpx2.AsyncClient) -> tuple[httpx2.Timeout, float | None]:
        """The timeouts of a request, and how long its stream may go on without an event."""
        if setting is not None:
            timeout = _request_timeout(setting)
            return timeout, timeout.read
        idle_timeout = self._policy.idle_timeout
        if client.timeout != _UNCHOSEN:
            return client.timeout, idle_timeout
        return httpx2.Timeout(idle_timeout, connect=self._policy.connect_timeout), idle_timeout


@lru_cache(maxsize=32)
def _parsed(url: str) -> httpx2.URL:
    """The URL, taken apart once for all requests."""
    return httpx2.URL(url)


async def _response(client: httpx2.AsyncClient, request: httpx2.Request) -> httpx2.Response:
    try:
        # The bearer is ours, and it is for this URL alone: no other auth, and no redirect that takes it along.
        return await client.send(request, stream=True, auth=None, follow_redirects=False)
    except httpx2.HTTPStatusError as error:
        # An event hook or a transport of the user's calls `raise_for_status`; the status is ours to judge.
        return error.response


def _request_timeout(timeout: object) -> httpx2.Timeout:
    """The timeout for one request.

    Args:
        timeout: The setting: seconds, or a timeout object of `httpx2` or of the legacy `httpx`.

    Raises:
        ConfigurationError: If the setting is none of these.
    """
    if isinstance(timeout, httpx2.Timeout):
        return timeout
    if isinstance(timeout, int | float) and not isinstance(timeout, bool) and 0 < timeout <= sys.float_info.max:
        return httpx2.Timeout(timeout)
    try:
        legacy = cast(Any, timeout)
        return httpx2.Timeout(connect=legacy.connect, read=legacy.read, write=legacy.write, pool=legacy.pool)
    except (AttributeError, TypeError) as error:
        raise ConfigurationError(
            f'The setting `timeout` takes seconds (more than 0) or an `httpx2.Timeout`, not {timeout!r}.'
        ) from error


def _chunks_of(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The bytes of an answer, as they come.

    They are those of `aiter_raw`, without what that does for each piece: its share of an event would be 3 %.
    """
    is_plain = response.headers.get('content-encoding', 'identity') == 'identity'
    # A mock transport may hand over an answer that is read already.
    is_unread = not response.is_stream_consumed and not response.is_closed
    if is_plain and is_unread and isinstance(response.stream, httpx2.AsyncByteStream):
        return response.stream.__aiter__()
    return response.aiter_bytes()


class SSEConnection:
    """An answer with an event stream.

    Args:
        response: The response, its body not read yet.
        lease: The client that it came through; released when the answer is closed.
        idle_timeout: Seconds without an event after which the stream is dead, whatever else it sends; `None` for no end.
        monotonic: The clock.
    """

    def __init__(
        self,
        response: httpx2.Response,
        lease: Lease,
        *,
        idle_timeout: float | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._lease = lease
        self._idle_timeout = idle_timeout
        self._monotonic = monotonic
        self._idle_since: float | None = None
        """When the first piece came that completed no event, since the last event."""
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._chunks = _chunks_of(response)
        self._decoder = SSEDecoder()
        self._checked = False
        self._begun = False
        """Whether an event came."""
        self._at_end = False

    async def receive(self) -> Sequence[bytes]:
        """The data of the next events, at least one; nothing at the end of the stream.

        Raises:
            TransportError: If the connection breaks, or brings no event for too long.
            MalformedStreamError: If what arrives is no event stream.
        """
        if not self._checked:
            await self._check()
        while not self._at_end:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                self._at_end = True
                return self._decoder.close()
            except Exception as error:
                # Whether a connection of another loop fails at the request or here is up to who is quicker. Not with
                # `library_errors` around every read, which costs more than what is done with an event here.
                with library_errors(is_shared=self._lease.is_shared, in_stream=self._begun):
                    raise error
            if events := self._decoder.feed(chunk):
                self._idle_since = None
                self._begun = True
                return events
            self._check_idle()
        return ()

    async def read(self) -> bytes:
        """The body of an error answer, or its beginning, instead of `receive`; what cannot be read is left out."""
        body = bytearray()
        # The status says more than the rest of a body that breaks off, or never comes, would.
        with anyio.move_on_after(_ERROR_BODY_SECONDS), suppress(Exception):
            async for chunk in self._chunks:
                body += chunk
                if len(body) > MAX_ERROR_BODY_BYTES:
                    break
        return bytes(body[:MAX_ERROR_BODY_BYTES])

    async def finish(self) -> None:
        """Let go of the connection after the last event that matters, so that it can be used again."""
        try:
            # The answer is complete: how its connection ends makes no difference any more.
            with anyio.move_on_after(_DRAIN_SECONDS), suppress(Exception):
                while not self._at_end:
                    self._at_end = await anext(self._chunks, None) is None
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, also while another task waits in `receive`; more than once does no harm."""
        try:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                # Those of another event loop cannot be closed from here, and a body of the user's may raise anything.
                with suppress(Exception):
                    await self._response.aclose()
                # Where another task waits in it, the closed response ends that wait.
                with suppress(Exception):
                    await cast('AsyncGenerator[bytes]', self._chunks).aclose()
        finally:
            await self._lease.release()

    def _check_idle(self) -> None:
        """Give up on a stream that sends comments, or an event without an end, and so never runs into a read timeout."""
        # Not timed from the last event on, so that whoever sends events as they should pays nothing; the read timeout
        # bounds what is left out.
        now = self._monotonic()
        if self._idle_since is None:
            self._idle_since = now
        elif self._idle_timeout is not None and now - self._idle_since >= self._idle_timeout:
            raise TransportTimeoutError(
                f'The stream is open, but brought no event for {self._idle_timeout:g} seconds.',
                phase='read',
                in_stream=self._begun,
            )

    async def _check(self) -> None:
        """Refuse an answer that says itself that it is no event stream, such as a proxy's page."""
        self._checked = True
        kind = self.headers.get('content-type', '').partition(';')[0].strip().lower()
        if kind in _NO_STREAM:
            excerpt = (await self.read())[:300].decode('utf-8', 'replace')
            raise MalformedStreamError(
                f'The answer is {kind} and no event stream; a proxy, or a `base_url` that is not the backend, may have '
                f'sent it. It begins: {excerpt!r}',
                in_stream=False,
            )
