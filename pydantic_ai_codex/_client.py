"""The client for the Codex backend: credentials, transport and decoder in one turn; without pydantic-ai."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio.lowlevel

from ._clock import Clock, SystemClock
from ._debug import debug, debugging, readable
from ._instructions.folder import CacheDir
from ._policy import TransportPolicy, retry_delay
from ._protocol.constants import DEFAULT_ORIGINATOR, HEADER_WORD, ORIGINATOR_HEADER, RESPONSES_PATH
from ._protocol.failures import error_from_response
from ._protocol.requests import CodexRequest, encode_body, session_headers
from ._stream import CodexStream
from ._transport.base import Connection, Transport
from ._transport.bearer import base_url_for, bearer_headers, check_base_url, hidden, hide_in, redact
from ._transport.http import HTTPClient, HTTPClients
from ._transport.sse import SSETransport
from ._user_agent import user_agent
from .auth import AuthHTTP, Credentials, CredentialStore, EnvironmentStore, MemoryStore, TokenSource
from .auth import RefreshMode as RefreshMode
from .auth._abilities import how_to_log_in, how_to_refresh
from .errors import (
    AccountChangedError,
    BackendError,
    CodexError,
    ConfigurationError,
    CredentialsError,
    CredentialsSaveError,
)

if TYPE_CHECKING:
    from ._instructions import Instructions

__all__ = ('CodexClient', 'CodexStream')

_BYTES_AT_ONCE: Final = 2**19
"""Of a body, before the event loop has its turn: half a millisecond. A thread would not help, as the encoder keeps the
interpreter to itself."""


class CodexClient:
    """Sends requests to the backend and reads its streams. One instance serves any number of threads and event loops.

    Args:
        credentials: A login or a store of one; by default the one that the environment points to.
        api_key: A platform API key instead of a login.
        base_url: What stands before `/responses`; by default the host that the login belongs to.
        http_client: The HTTP client, or a factory of them.
        originator: How the program names itself to the backend.
        policy: How patient it is: retries and timeouts.
        refresh: Whether a login is refreshed when it is due, or only read.
        cache_dir: Where the instructions of models are kept; `False` keeps them in memory.
        clock: Time and chance; by default those of this machine.

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
        policy: TransportPolicy | None = None,
        refresh: RefreshMode = 'auto',
        cache_dir: CacheDir = None,
        clock: Clock | None = None,
    ) -> None:
        if api_key is not None and credentials is not None:
            raise ConfigurationError('`credentials` and `api_key` exclude each other; pass one.')
        if api_key is not None and not api_key.strip():
            raise ConfigurationError('The `api_key` is empty; leave it out to use the ChatGPT login.')
        if not _is_word(originator):
            raise ConfigurationError(f'The `originator` {originator!r} has to be a word of ASCII characters.')
        if not isinstance(policy, TransportPolicy | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f'`policy` takes a `TransportPolicy`, not {policy!r}.')
        if api_key is not None:
            credentials = Credentials(api_key.strip(), auth_mode='apikey')
        is_bare = isinstance(credentials, Credentials)
        store = EnvironmentStore() if credentials is None else credentials
        store = MemoryStore(store) if isinstance(store, Credentials) else store
        self._is_key = isinstance(credentials, Credentials) and credentials.auth_mode == 'apikey'
        self._base_url = None if base_url is None else check_base_url(base_url)
        self.http_clients = HTTPClients(http_client)
        """The HTTP clients, one for each event loop."""
        self.policy = policy or TransportPolicy()
        """How patient it is."""
        self.is_simulated = False
        """Whether a simulator answers, so that no request can cost anything."""
        self._clock = clock or SystemClock()
        self._transport: Transport = SSETransport(self.http_clients, self.policy, self._clock)
        self._originator = originator
        self.tokens = TokenSource(
            store,
            # Where bare credentials come from is not known: most likely a file that would keep the spent token.
            refresh='never' if is_bare and refresh == 'auto' else refresh,
            http=AuthHTTP(self.http_clients.borrow, originator=originator, is_bound=self.http_clients.is_bound),
            clock=self._clock,
        )
        """Where the login comes from."""
        self._cache_dir: CacheDir = cache_dir
        self._instructions: Instructions | None = None
        self._instructions_lock = threading.Lock()
        if cache_dir is not None:
            _ = self.instructions  # A folder that cannot be one is told now.

    @property
    def instructions(self) -> Instructions:
        """Where the instructions of the model families come from; loaded when they are first wanted."""
        # Threads share one: it has one of them ask, and the others wait.
        with self._instructions_lock:
            if self._instructions is None:
                from ._instructions import Instructions

                self._instructions = Instructions(
                    self.http_clients.borrow, cache_dir=self._cache_dir, originator=self._originator, clock=self._clock
                )
            return self._instructions

    @property
    def base_url(self) -> str:
        """What stands before `/responses`. A login file in API-key mode is only known once it is read."""
        return base_url_for(Credentials('', auth_mode='apikey' if self._is_key else 'chatgpt'), self._base_url)

    async def authenticate(self) -> Credentials:
        """The login as it is now.

        Raises:
            CredentialsError: If there is no usable login.
        """
        return await self.tokens.credentials()

    async def stream(
        self,
        request: CodexRequest,
        *,
        credentials: Credentials | None = None,
        whole: bool = False,
        max_retries: int | None = None,
    ) -> CodexStream:
        """Send a request and wait until the backend begins to answer.

        What may go away by itself is tried again, as the policy says, until the first event that shows something of
        the answer: so nothing is said twice, and a failure before that is raised here. A 401 is answered with another
        token: one that another process has put there meanwhile, or else, once, one that is got by refreshing.

        Args:
            request: The request.
            credentials: The login, where the caller has asked for it already; see `authenticate`.
            whole: Whether to wait for the whole answer, which is then handed out as it came. Nobody sees anything of
                it before, so it is tried again for as long as it is not whole.
            max_retries: How often to try again, in place of the policy's number.

        Returns:
            The stream of events; the caller closes it.

        Raises:
            BackendError: If the backend refuses the request, or says that the answer failed.
            CredentialsError: If there is no usable login.
            TransportError: If the request or its answer does not get through.
            StreamError: If the answer is not the stream that it should be.
        """
        content = await _encoded(request)
        policy = self.policy if max_retries is None else replace(self.policy, max_retries=max_retries)
        credentials = credentials or await self.authenticate()
        renewals = _Renewals()
        retries = 0
        while True:
            try:
                return await self._attempt(request, content, credentials, whole=whole)
            except CodexError as error:
                self._complete(error, credentials)
                renewed = await self._renew(error, credentials, renewals)
                delay = retry_delay(policy, error, retries=retries, random=self._clock.random())
                if renewed is None and delay is None:
                    raise
                if debugging():
                    debug('again, with %s, after: %s', 'a new token' if renewed else f'a wait of {delay:.2f} s', error)
            # Outside of `except`, so that the next error does not drag this one along.
            if renewed is not None:
                credentials = renewed
            elif delay is not None:
                retries += 1
                await self._clock.sleep(delay)

    async def _renew(self, error: CodexError, credentials: Credentials, renewals: _Renewals) -> Credentials | None:
        """Another login in place of a refused one; never that of another account, and never one refused before."""
        if not isinstance(error, BackendError) or error.status_code != 401 or renewals.left == 0:
            return None
        renewals.left -= 1
        try:
            recovered = await self.tokens.recover(credentials, may_refresh=renewals.may_refresh)
        except (AccountChangedError, CredentialsSaveError):
            raise
        except CredentialsError as failure:
            # The refusal stays what it is, and says why nothing could be done about it.
            error.hint = f'{self._refused_by(credentials)} {failure}'
            return None
        if recovered is None:
            return None
        renewals.may_refresh = renewals.may_refresh and not recovered.is_refreshed
        return recovered.credentials

    async def _attempt(
        self, request: CodexRequest, content: bytes, credentials: Credentials, *, whole: bool
    ) -> CodexStream:
        connection = await self._send(request, content, credentials)
        if connection.status_code != 200:
            raise await self._refusal(connection, credentials)
        stream = CodexStream(
            connection,
            base_url=base_url_for(credentials, self._base_url),
            credentials=credentials,
            clock=self._clock,
            complete=partial(self._complete, credentials=credentials),
        )
        try:
            await stream.read_ahead(whole=whole)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def _send(self, request: CodexRequest, content: bytes, credentials: Credentials) -> Connection:
        headers = {
            ORIGINATOR_HEADER: self._originator,
            'user-agent': user_agent(self._originator),
            **session_headers(request),
            **bearer_headers(credentials, lambda: (self._source(), self._next_step(credentials))),
        }
        url = base_url_for(credentials, self._base_url) + RESPONSES_PATH
        if is_debugging := debugging():
            debug('POST %s %s %s', url, redact(headers), readable(content))
        connection = await self._transport.send(url, headers=headers, content=content, timeouts=request.timeout)
        if is_debugging:
            debug('answer %d %s', connection.status_code, hidden(redact(connection.headers), credentials))
        return connection

    async def _refusal(self, connection: Connection, credentials: Credentials) -> BackendError:
        try:
            content = await connection.read()
        finally:
            await connection.aclose()
        if debugging():
            debug('refused: %s', hidden(readable(content), credentials))
        return error_from_response(connection.status_code, connection.headers, content, now=self._clock.now())

    def _source(self) -> str:
        if isinstance(self.tokens.store, MemoryStore):
            return '`api_key`' if self._is_key else '`credentials`'
        return self.tokens.place

    def _complete(self, error: CodexError, credentials: Credentials) -> None:
        """Make an error fit to be seen: with what to do about it, and without the login. Twice does no harm."""
        if isinstance(error, BackendError):
            error.hint = self._hint(error, credentials) or error.hint
        hide_in(error, credentials)

    def _refused_by(self, credentials: Credentials) -> str:
        expires_at = credentials.expires_at
        expiry = (
            f', which says that it expires at {expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC,' if expires_at else ''
        )
        return f'The login from {self._source()}{expiry} was refused.'

    def _next_step(self, credentials: Credentials) -> str:
        """What to do about a login that is refused, which depends on where it comes from."""
        store = self.tokens.store
        if isinstance(store, MemoryStore):
            return 'Pass new ones, or a store, such as `AuthFile(path)`, whose login is refreshed when it is due'
        if self.tokens.mode == 'never' and credentials.refresh_token is not None:
            return f"{how_to_refresh(store)}, which this provider does not (it has `refresh='never'`)"
        return how_to_log_in(store)

    def _hint(self, error: BackendError, credentials: Credentials) -> str | None:
        """What to do about it, where that is known here."""
        status = error.status_code or 0
        if status == 401 and credentials.auth_mode == 'apikey':
            return f'The API key from {self._source()} was refused; check it.'
        if status == 401:
            return f'{self._refused_by(credentials)} {self._next_step(credentials)}, then try again.'
        if status in (404, 405) and self._base_url is not None and not error.in_stream:
            return f'Check the `base_url` {self._base_url!r}: it is what stands before {RESPONSES_PATH!r}.'
        if 300 <= status < 400 and (location := error.headers.get('location')):
            return f'It redirects to {location!r}, where the login is not sent. Name the right `base_url`.'
        return None


async def _encoded(request: CodexRequest) -> bytes:
    """The body of a request. While a large one is made, the event loop goes on."""
    pieces: list[bytes] = []
    size = 0
    for piece in encode_body(request):
        pieces.append(piece)
        size += len(piece)
        if size > _BYTES_AT_ONCE:
            size = 0
            await anyio.lowlevel.checkpoint()
    return b''.join(pieces)


@dataclass
class _Renewals:
    """How often the login of a request may still be replaced."""

    left: int = 2
    """Another program's new token, and one of our own; in either order."""
    may_refresh: bool = True


def _is_word(value: object) -> bool:
    return isinstance(value, str) and HEADER_WORD.fullmatch(value) is not None
