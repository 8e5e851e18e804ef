"""Requests for what the backend tells of an account beside its answers: one GET each, with the login."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import anyio

from .._clock import Clock
from .._debug import debug, debugging
from .._http_reply import HTTPLease, Reply, read_reply
from .._protocol.constants import (
    ACCOUNTS_CHECK_PATH,
    BACKEND_PATH,
    CLIENT_VERSION,
    CLIENT_VERSION_PARAMETER,
    CODEX_PATH,
    CONNECT_TIMEOUT,
    MAX_ERROR_BODY_BYTES,
    MODELS_PATH,
    ORIGINATOR_HEADER,
    OTHER_USAGE_PATH,
    USAGE_PATH,
)
from .._protocol.failures import error_from_response
from .._transport.bearer import bearer_headers, hidden, hide_in, redact
from .._transport.errors import library_error
from .._user_agent import user_agent
from ..auth import Credentials
from ..errors import BackendError, CodexError, TransportError, TransportTimeoutError

if TYPE_CHECKING:
    import httpx2

LOOKUP_TIMEOUT: Final = 20.0
"""Seconds for a request in all; whoever has less time cancels it."""


NOT_THE_BACKEND: Final = 'A proxy, or a `base_url` that is not the backend, may have sent it.'
"""The hint for an answer that makes no sense."""


class Urls(NamedTuple):
    """Where the backend tells what."""

    models: str
    accounts_check: str
    usage: str


@lru_cache(maxsize=32)
def lookup_urls(base_url: str) -> Urls | None:
    """Where to ask, or `None` for a base URL that need not have these pages: not that of the Codex backend.

    Args:
        base_url: What stands before `/responses`, in its plain form.
    """
    if not urlsplit(base_url).path.endswith(CODEX_PATH):
        return None
    root = base_url.removesuffix(CODEX_PATH) + BACKEND_PATH
    return Urls(
        models=f'{base_url}{MODELS_PATH}?{CLIENT_VERSION_PARAMETER}={CLIENT_VERSION}',
        accounts_check=root + ACCOUNTS_CHECK_PATH,
        usage=root + USAGE_PATH,
    )


def account_urls(credentials: Credentials, base_url: str) -> Urls | None:
    """Where to ask for the account of a login; `None` for a platform key, and where there is nothing to ask."""
    return None if credentials.auth_mode == 'apikey' else lookup_urls(base_url)


def usage_url(base_url: str) -> str:
    """Where to ask for the limits of the plan, which any host may tell that takes ChatGPT logins."""
    parts = urlsplit(base_url)
    before, found, _ = f'{parts.path}/'.partition(f'{BACKEND_PATH}/')
    path = f'{before}{BACKEND_PATH}{USAGE_PATH}' if found else OTHER_USAGE_PATH
    return f'{parts.scheme}://{parts.netloc}{path}'


class Lookups:
    """Asks the backend, at the host that the login goes to anyway, and by the same client.

    Args:
        http_client: Makes an HTTP client available for one request.
        originator: How the program names itself.
        clock: Time, for errors that tell when to come back.
    """

    def __init__(self, http_client: HTTPLease, *, originator: str, clock: Clock) -> None:
        self._lease = http_client
        self._originator = originator
        self._clock = clock

    async def get(self, url: str, credentials: Credentials, *, etag: str | None = None, most: int) -> Reply:
        """The answer: 200, or 304 where `etag` is still the version there is.

        Args:
            url: Where to ask.
            credentials: The login, which appears in no error.
            etag: The version that is there.
            most: How many bytes the answer may have.

        Raises:
            BackendError: If the answer has another status.
            TransportError: If no whole answer came.
            StreamError: If it cannot be decompressed.
            CredentialsError: If the login cannot be sent.
            ConfigurationError: If no client can be had.
        """
        try:
            with anyio.fail_after(LOOKUP_TIMEOUT):
                reply = await self._send(url, credentials, etag, most)
        except CodexError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever a client of the user's raises, a turn goes on without this
            failure = _failure(error, url)
        else:
            if reply.status_code == 200 or (reply.status_code == 304 and etag):
                return reply
            failure = self._refusal(reply, url)
        hide_in(failure, credentials)
        # Outside of `except`: the library's error, as its context, would hold the request and the token in it.
        raise failure

    async def _send(self, url: str, credentials: Credentials, etag: str | None, most: int) -> Reply:
        headers = {
            **bearer_headers(credentials, lambda: ('this provider', 'Log in again')),
            ORIGINATOR_HEADER: self._originator,
            'user-agent': user_agent(self._originator),
            'accept': '*/*',
        }
        if etag:
            headers['if-none-match'] = etag
        if is_debugging := debugging():
            debug('GET %s %s', url, redact(headers))
        async with self._lease() as client:
            reply = await _exchange(client, url, headers, most)
        if is_debugging:
            debug('answer %d %s', reply.status_code, hidden(redact(reply.headers), credentials))
        return reply

    def _refusal(self, reply: Reply, url: str) -> BackendError:
        content = reply.content[:MAX_ERROR_BODY_BYTES]
        error = error_from_response(reply.status_code, reply.headers, content, now=self._clock.now())
        error.hint = error.hint or f'It was asked for {urlsplit(url).path}.'
        return error


async def _exchange(client: httpx2.AsyncClient, url: str, headers: dict[str, str], most: int) -> Reply:
    import httpx2

    parsed = httpx2.URL(url)
    # As for responses: with what a client of the user's sends along, but no other auth, and no redirect that takes the
    # login elsewhere. The parameters are given once more, as those of a client would take their place.
    request = client.build_request(
        'GET',
        parsed,
        params=parsed.params,
        headers=headers,
        timeout=httpx2.Timeout(LOOKUP_TIMEOUT, connect=CONNECT_TIMEOUT),
    )
    try:
        response = await client.send(request, stream=True, auth=None, follow_redirects=False)
    except httpx2.HTTPStatusError as error:
        response = error.response  # A hook of the user's judges the status, which is ours to judge.
    try:
        return await _reply(response, most)
    finally:
        await response.aclose()


async def _reply(response: httpx2.Response, most: int) -> Reply:
    if response.is_success:
        if (reply := await read_reply(response, most)) is None:
            raise TransportError(f'The answer of {response.url.host} has more than {most} bytes.', phase='read')
        return reply
    # The status says more than the rest of a body that breaks off, or that a hook has closed, would.
    with suppress(Exception):
        if (reply := await read_reply(response, most)) is not None:
            return reply
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, b'')


def _failure(error: Exception, url: str) -> CodexError:
    host = urlsplit(url).netloc
    failure = library_error(error, host=host)
    if isinstance(error, TimeoutError) or (isinstance(failure, TransportTimeoutError) and failure.phase != 'pool'):
        # In other words: no setting makes this wait longer.
        return TransportTimeoutError(f'{host} did not answer within {LOOKUP_TIMEOUT:.0f} seconds.', phase='read')
    # Nothing is quoted of others: a hook, or a transport of the user's, may say anything.
    return failure or TransportError(f'{host} was not reached ({type(error).__name__}).')
