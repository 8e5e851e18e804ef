"""Requests to the login service: one at a time, never redirected, without cookies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast
from urllib.parse import urlencode

import anyio
from pydantic_core import from_json, to_json

from .._protocol.constants import DEFAULT_ORIGINATOR, MAX_ERROR_BODY_BYTES, ORIGINATOR_HEADER
from .._user_agent import user_agent
from ..errors import TransportError, TransportPhase, TransportTimeoutError

if TYPE_CHECKING:
    import httpx2

HTTPLease: TypeAlias = 'Callable[[], AbstractAsyncContextManager[httpx2.AsyncClient]]'
"""Makes an HTTP client available for one request."""

_TIMEOUT: Final = 20.0
"""Seconds for a request in all."""

_LARGEST: Final = 16 * MAX_ERROR_BODY_BYTES
"""Bytes of an answer; tokens take some thousand."""


class Reply(NamedTuple):
    """An answer of the login service."""

    status_code: int
    headers: Mapping[str, str]
    """With lower-case names."""
    content: bytes

    def json(self) -> dict[str, Any]:
        """The JSON object in it, or an empty one where it holds none."""
        try:
            value: Any = from_json(self.content)
        except ValueError:
            return {}
        return cast('dict[str, Any]', value) if isinstance(value, dict) else {}


class AuthHTTP:
    """Sends requests to the login service.

    Args:
        lease: Makes an HTTP client available; by default one of our own for each request, which honours the proxies of
            the environment.
        originator: How the program names itself where the CLI names itself, too: to refresh and to revoke (captured).
        is_bound: Whether the client works on the event loop of the caller only.
    """

    def __init__(
        self, lease: HTTPLease | None = None, *, originator: str = DEFAULT_ORIGINATOR, is_bound: bool = False
    ) -> None:
        self._lease = lease or _own_client
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
        """
        headers = {'content-type': 'application/x-www-form-urlencoded'}
        return await self._post(url, urlencode(form).encode(), headers)

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        import httpx2

        try:
            with anyio.fail_after(_TIMEOUT):
                async with self._lease() as client:
                    request = client.build_request(
                        'POST', url, content=content, headers={'accept': '*/*', **headers}, timeout=_TIMEOUT
                    )
                    # A client of the user's may have headers and cookies of its own, for other hosts.
                    for name in ('cookie', 'authorization'):
                        request.headers.pop(name, None)
                    response = await client.send(request, stream=True, auth=None, follow_redirects=False)
                    try:
                        return await _read(response, url)
                    finally:
                        await response.aclose()
        except TimeoutError:
            raise TransportTimeoutError(
                f'{_origin(url)} did not answer within {_TIMEOUT:.0f} seconds. Check the network and the proxies, then '
                'try again.',
                phase='read',
            ) from None
        except (httpx2.HTTPError, OSError) as error:
            # Not as the cause: the library's error holds the request, and so the tokens in its body.
            raise TransportError(
                f'{_origin(url)} was not reached ({type(error).__name__}: {error}). Check the network and the proxies, '
                'then try again.',
                phase=_phase(error),
            ) from None


async def _read(response: httpx2.Response, url: str) -> Reply:
    content = b''
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _LARGEST:
            raise TransportError(f'The answer of {_origin(url)} is far too large for a login.', phase='read')
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, content)


@asynccontextmanager
async def _own_client() -> AsyncGenerator[httpx2.AsyncClient]:
    import httpx2

    async with httpx2.AsyncClient(timeout=_TIMEOUT) as client:
        yield client


def _origin(url: str) -> str:
    return '/'.join(url.split('/')[:3])


def _phase(error: Exception) -> TransportPhase:
    import httpx2

    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError | httpx2.UnsupportedProtocol):
        return 'connect'
    return 'pool' if isinstance(error, httpx2.PoolTimeout) else 'read'
