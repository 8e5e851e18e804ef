"""Requests to the login service: one at a time, never redirected, without cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import anyio
from pydantic_core import to_json

from .._http_reply import HTTPLease, Reply, own_lease, read_reply
from .._protocol.constants import DEFAULT_ORIGINATOR, MAX_ERROR_BODY_BYTES, ORIGINATOR_HEADER
from .._user_agent import user_agent
from ..errors import CodexError, ConfigurationError, TransportError, TransportPhase, TransportTimeoutError
from ._secrets import quotable

if TYPE_CHECKING:
    import httpx2

_TIMEOUT: Final = 20.0
"""Seconds for a request in all."""

_CONNECT_TIMEOUT: Final = 10.0
"""Seconds of them to connect."""

_LARGEST: Final = 16 * MAX_ERROR_BODY_BYTES
"""Bytes of an answer; tokens take some thousand."""


class AuthHTTP:
    """Sends requests to the login service.

    Args:
        http_client: A callable that is called for each request and returns an HTTP client, which is entered and left
            with `async with`, such as `lambda: httpx2.AsyncClient(proxy=...)`; by default a client of our own, which
            honours the proxies of the environment.
        originator: How the program names itself where the CLI names itself, too: to refresh and to revoke (captured).
        is_bound: Whether the client works on the event loop of the caller only.

    Raises:
        ConfigurationError: If `http_client` is no callable, such as a client.
    """

    def __init__(
        self, http_client: HTTPLease | None = None, *, originator: str = DEFAULT_ORIGINATOR, is_bound: bool = False
    ) -> None:
        if not callable(http_client or own_lease):
            raise ConfigurationError(
                f'`http_client` takes a callable that makes a client, not a {type(http_client).__name__}.'
            )
        self._lease = http_client or own_lease
        self.is_bound = is_bound
        """Whether it works on the event loop of the caller only."""
        self.originator = originator
        """How the program names itself."""

    async def post_json(self, url: str, body: Mapping[str, Any], *, identify: bool) -> Reply:
        """Send a JSON object.

        Args:
            url: Where to.
            body: The object.
            identify: Whether to say who asks.

        Raises:
            TransportError: If no whole answer came.
            ConfigurationError: If the environment keeps the client from being made.
        """
        headers = {'content-type': 'application/json'}
        if identify:
            headers |= {ORIGINATOR_HEADER: self.originator, 'user-agent': user_agent(self.originator)}
        return await self._post(url, to_json(body), headers)

    async def post_form(self, url: str, form: Mapping[str, str]) -> Reply:
        """Send a form.

        Args:
            url: Where to.
            form: The fields, in this order.

        Raises:
            TransportError: If no whole answer came.
            ConfigurationError: If the environment keeps the client from being made.
        """
        headers = {'content-type': 'application/x-www-form-urlencoded'}
        return await self._post(url, urlencode(form).encode(), headers)

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        sending = _Sending(content)
        try:
            with anyio.fail_after(_TIMEOUT):
                async with self._lease() as client:
                    return await _exchange(client, url, sending, headers)
        except CodexError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it matters whether the tokens have left
            failure = _failure(error, url, was_sent=sending.has_begun)
        # Outside of `except`: the library's error, as its context, would hold the request and the tokens in it.
        raise failure


class _Sending:
    """A body that knows whether any of it was sent."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.length = len(content)
        self.has_begun = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.has_begun = True
        yield self._content


async def _exchange(client: httpx2.AsyncClient, url: str, sending: _Sending, headers: Mapping[str, str]) -> Reply:
    import httpx2

    # Not by way of the client: one of the user's may have headers, cookies and parameters for other hosts.
    request = httpx2.Request(
        'POST',
        url,
        headers={'accept': '*/*', 'content-length': str(sending.length), **headers},
        content=sending,
        extensions={'timeout': httpx2.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT).as_dict()},
    )
    response = await client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        return await _read(response, url)
    finally:
        await response.aclose()


async def _read(response: httpx2.Response, url: str) -> Reply:
    reply = await read_reply(response, _LARGEST)
    if reply is None:
        raise TransportError(f'The answer of {_origin(url)} is far too large for a login.', phase='read')
    return reply


def _failure(error: Exception, url: str, *, was_sent: bool) -> CodexError:
    """Our error, which says by its phase whether the request may have arrived."""
    import httpx2

    if isinstance(error, httpx2.InvalidURL):
        return ConfigurationError(f'{_origin(url)!r} is no address that can be reached: {error}.')
    # A transport of the user's may read the body before it connects.
    unsent = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError
    was_sent = was_sent and not isinstance(error, unsent)
    phase: TransportPhase = 'read' if was_sent else 'connect'
    next_step = 'Check the network and the proxies, then try again.'
    if isinstance(error, TimeoutError):
        return TransportTimeoutError(
            f'{_origin(url)} did not answer within {_TIMEOUT:.0f} seconds. {next_step}', phase=phase
        )
    what = 'did not answer' if was_sent else 'was not reached'
    words = quotable(str(error))
    return TransportError(
        f'{_origin(url)} {what} ({type(error).__name__}{": " if words else ""}{words}). {next_step}', phase=phase
    )


def _origin(url: str) -> str:
    return '/'.join(url.split('/')[:3])
