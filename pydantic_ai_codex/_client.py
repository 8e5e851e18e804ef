"""The client for the Codex backend: credentials, transport and decoder in one turn; without pydantic-ai."""

from __future__ import annotations

import logging
import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from typing import Final

from . import _environment
from ._protocol.constants import DEFAULT_ORIGINATOR, HEADER_WORD, ORIGINATOR_HEADER, RESPONSES_PATH
from ._protocol.decoder import ResponseDecoder
from ._protocol.events import Event
from ._protocol.failures import error_from_response
from ._protocol.requests import CodexRequest, encode_body, session_headers
from ._transport.base import Connection, Transport
from ._transport.bearer import base_url_for, bearer_headers, check_base_url, redact
from ._transport.http import HTTPClient, HTTPClients
from ._transport.sse import SSETransport
from .auth import AuthFile, Credentials, CredentialStore, EnvironmentStore, MemoryStore
from .errors import BackendError, ConfigurationError, TransportError

_log: Final = logging.getLogger('pydantic_ai_codex')
_ENCRYPTED: Final = re.compile(rb'("encrypted_content":\s*")([^"]{12})[^"]*')
_LOGGED: Final = 20_000


class CodexClient:
    """Sends requests to the backend and reads its streams. One instance serves any number of threads and event loops.

    Args:
        credentials: A login or a store of one; by default the one that the environment points to.
        api_key: A platform API key instead of a login.
        base_url: What stands before `/responses`; by default the host that the login belongs to.
        http_client: The HTTP client, or a factory of them.
        originator: How the program names itself to the backend.

    Raises:
        ConfigurationError: If an argument cannot work.
    """

    def __init__(
        self,
        *,
        credentials: Credentials | CredentialStore | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        http_client: HTTPClient | None = None,
        originator: str = DEFAULT_ORIGINATOR,
    ) -> None:
        if api_key is not None and credentials is not None:
            raise ConfigurationError('`credentials` and `api_key` exclude each other; pass one.')
        if api_key is not None and not api_key.strip():
            raise ConfigurationError('The `api_key` is empty; leave it out to use the ChatGPT login.')
        if not _is_word(originator):
            raise ConfigurationError(f'The `originator` {originator!r} has to be a word of ASCII characters.')
        if api_key is not None:
            credentials = Credentials(api_key.strip(), auth_mode='apikey')
        self.store: CredentialStore
        """Where the login is read from."""
        if credentials is None:
            self.store = EnvironmentStore()
        elif isinstance(credentials, Credentials):
            self.store = MemoryStore(credentials)
        elif isinstance(credentials, CredentialStore):  # pyright: ignore[reportUnnecessaryIsInstance]
            self.store = credentials
        else:
            raise ConfigurationError(
                '`credentials` takes `Credentials` or a store with `load` and `save`, not a '
                f'{type(credentials).__name__}; for a file pass `AuthFile(path)`.'
            )
        self._is_key = isinstance(credentials, Credentials) and credentials.auth_mode == 'apikey'
        self._base_url = None if base_url is None else check_base_url(base_url)
        self.http_clients = HTTPClients(http_client)
        """The HTTP clients, one for each event loop."""
        self._transport: Transport = SSETransport(self.http_clients)
        self._originator = originator

    @property
    def base_url(self) -> str:
        """What stands before `/responses`. A login file in API-key mode is only known once it is read."""
        return base_url_for(Credentials('', auth_mode='apikey' if self._is_key else 'chatgpt'), self._base_url)

    async def stream(self, request: CodexRequest) -> CodexStream:
        """Send a request and wait until the backend takes it.

        A 401 is answered by reading the login once more: where another process has put a new token there, the request
        is sent again with it.

        Returns:
            The stream of events; the caller closes it.

        Raises:
            BackendError: If the backend refuses the request.
            CredentialsError: If there is no usable login.
            TransportError: If the request does not get through.
        """
        content = encode_body(request)
        credentials = await self._load()
        connection = await self._send(request, content, credentials)
        if connection.status_code == 401:
            error = await _refusal(connection)
            renewed = await self._load()
            if renewed.access_token == credentials.access_token or not _same_account(renewed, credentials):
                raise self._explain(error, credentials)
            credentials = renewed
            connection = await self._send(request, content, credentials)
        if connection.status_code != 200:
            raise self._explain(await _refusal(connection), credentials)
        return CodexStream(connection, base_url_for(credentials, self._base_url))

    async def _load(self) -> Credentials:
        credentials = await self.store.load()
        if not isinstance(credentials, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f'The `load` of the store returned a {type(credentials).__name__}, and has to return `Credentials`.'
            )
        return credentials

    async def _send(self, request: CodexRequest, content: bytes, credentials: Credentials) -> Connection:
        headers = {
            ORIGINATOR_HEADER: self._originator,
            'user-agent': user_agent(self._originator),
            **session_headers(request),
            **bearer_headers(credentials, self._source()),
        }
        url = base_url_for(credentials, self._base_url) + RESPONSES_PATH
        if debug := _debugging():
            _debug('POST %s %s %s', url, redact(headers), _readable(content))
        connection = await self._transport.send(url, headers=headers, content=content, timeouts=request.timeout)
        if debug:
            _debug('answer %d %s', connection.status_code, redact(dict(connection.headers)))
        return connection

    def _source(self) -> str:
        if isinstance(self.store, EnvironmentStore | AuthFile):
            return self.store.describe()
        return '`api_key`' if self._is_key else '`credentials`'

    def _explain(self, error: BackendError, credentials: Credentials) -> BackendError:
        """Say what to do about it, where that is known here."""
        if error.status_code == 401 and credentials.auth_mode == 'apikey':
            error.hint = f'The API key from {self._source()} was refused; check it.'
        elif error.status_code == 401:
            expires_at = credentials.expires_at
            expiry = (
                f', which says that it expires at {expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC,'
                if expires_at
                else ''
            )
            error.hint = (
                f'The login from {self._source()}{expiry} was refused. Run any `codex` command, which refreshes it, or '
                '`codex login`, then try again.'
            )
        elif error.status_code in (404, 405) and self._base_url is not None:
            error.hint = f'Check the `base_url` {self._base_url!r}: it is what stands before {RESPONSES_PATH!r}.'
        elif 300 <= (error.status_code or 0) < 400:
            location = error.headers.get('location', 'nowhere')
            error.hint = f'It redirects to {location!r}, where the login is not sent. Name the right `base_url`.'
        return error


class CodexStream:
    """The events of one answer.

    Args:
        connection: The answer, its status seen and its body not read yet.
        base_url: The base URL that answered.
    """

    def __init__(self, connection: Connection, base_url: str) -> None:
        self.base_url = base_url
        """The base URL that answered."""
        self._connection = connection
        self._decoder = ResponseDecoder(connection.headers)
        self._failure: BackendError | None = None
        """A failure that arrived in one piece with events before it, to be told at the next call."""
        self._closed = False
        self._debug = _debugging()

    async def receive(self) -> Sequence[Event]:
        """The next events, at least one; nothing after the last, which is always `ResponseEnded`.

        Raises:
            BackendError: If the backend says that the answer failed.
            IncompleteStreamError: If the stream ends without saying how the answer ended.
            TransportError: If the connection breaks.
            MalformedStreamError: If what arrives is no event stream.
        """
        if self._failure is not None:
            raise self._failure
        events: list[Event] = []
        while not events and not self._decoder.ended:
            batch = () if self._closed else await self._connection.receive()
            if not batch and self._closed:
                raise TransportError('The stream was closed before the answer was complete.', phase='read')
            if not batch:
                self._decoder.close()
            for data in batch:
                if self._debug:
                    _debug('event %s', _readable(data))
                try:
                    events += self._decoder.receive(data)
                except BackendError as failure:
                    if not events:
                        raise
                    self._failure = failure
        return events

    async def aclose(self) -> None:
        """Close the stream; more than once, and while another task waits for events, does no harm."""
        self._closed = True
        if self._decoder.ended:
            await self._connection.finish()
        else:
            await self._connection.aclose()


@cache
def user_agent(originator: str) -> str:
    """The user agent: the program, its version and where it runs."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version('pydantic-ai-codex')
    except PackageNotFoundError:
        own = 'unknown'
    return f'{originator}/{own} ({platform.system()}; {platform.machine()}) Python/{platform.python_version()}'


async def _refusal(connection: Connection) -> BackendError:
    try:
        content = await connection.read()
    finally:
        await connection.aclose()
    if _debugging():
        _debug('refused: %s', _readable(content))
    return error_from_response(connection.status_code, connection.headers, content)


def _same_account(one: Credentials, other: Credentials) -> bool:
    """Whether a conversation may go on with the other login: never silently under another account."""
    return (one.account_id, one.auth_mode) == (other.account_id, other.auth_mode)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and HEADER_WORD.fullmatch(value) is not None


def _debugging() -> bool:
    """Whether requests and events are logged: because of `CODEX_DEBUG`, or of the level of our logger."""
    return _environment.debug_enabled() or _log.isEnabledFor(logging.DEBUG)


def _debug(message: str, *values: object) -> None:
    """Log a line: through our logger where somebody listens, else to standard error."""
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug(message, *values)
    else:
        sys.stderr.write(f'{message % values}\n')


def _readable(content: bytes) -> str:
    text = _ENCRYPTED.sub(rb'\1\2...', content).decode('utf-8', 'replace')
    return text if len(text) <= _LOGGED else f'{text[:_LOGGED]}... ({len(text) - _LOGGED} more characters)'
