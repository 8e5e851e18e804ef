"""One attempt of one request: its headers and its body out, and its answer, or the error that this is."""

from __future__ import annotations

from functools import partial
from typing import Final

import anyio.lowlevel

from ._account import LazyAccount
from ._advice import Advice
from ._clock import Clock
from ._debug import debug, debugging, readable
from ._limits import LimitTracker
from ._protocol.constants import MODELS_ETAG_HEADER, ORIGINATOR_HEADER, RESPONSES_PATH, TURN_STATE_HEADER
from ._protocol.failures import error_from_response
from ._protocol.request_headers import codex_headers, session_headers
from ._protocol.requests import CodexRequest, encode_body
from ._recovery import Recovery
from ._stream import CodexStream
from ._transport.base import Connection, Transport
from ._transport.bearer import base_url_for, bearer_headers, hidden, redact
from ._user_agent import user_agent
from .auth import Credentials
from .errors import BackendError

_BYTES_AT_ONCE: Final = 2**19
"""Of a body, before the event loop has its turn: half a millisecond. A thread would not help, as the encoder keeps the
interpreter to itself."""


class Sender:
    """Sends requests and looks at how the backend begins to answer.

    Args:
        transport: How they travel.
        account: What the backend tells of the account beside its answers; made when it is needed.
        advice: What to say of a login that cannot be used.
        limits: Hears of the limits of the plan.
        base_url: The user's base URL, if any.
        originator: How the program names itself.
        clock: Time.
    """

    def __init__(
        self,
        transport: Transport,
        account: LazyAccount,
        *,
        advice: Advice,
        limits: LimitTracker,
        base_url: str | None,
        originator: str,
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._account = account
        self._advice = advice
        self._limits = limits
        self._base_url = base_url
        self._originator = originator
        self._clock = clock

    async def attempt(self, recovery: Recovery, body: Body, *, whole: bool) -> CodexStream:
        """Send a request, and wait until there is something of the answer to show, or all of it.

        Raises:
            CodexError: As `CodexClient.stream` does.
        """
        account, credentials = self._account.get(), recovery.credentials
        base_url = base_url_for(credentials, self._base_url)
        content = await body.of(recovery.request)
        if not account.is_routed(credentials, base_url):
            await account.look_up(credentials, base_url)
        override = account.override(credentials, base_url)
        connection = await self._send(recovery.request, content, credentials, base_url, override)
        account.heard(connection.headers.get(MODELS_ETAG_HEADER), credentials, base_url)
        if connection.status_code != 200:
            raise await self._refusal(connection, credentials)
        # A refusal may name one as well, and be of a machine that one better does not come back to.
        recovery.keep(connection.headers.get(TURN_STATE_HEADER))
        stream = CodexStream(
            connection,
            base_url=base_url,
            credentials=credentials,
            clock=self._clock,
            complete=partial(self._advice.complete, credentials=credentials),
            limits=self._limits,
            turn_state=recovery.request.turn_state,
            leaves_out_reasoning=recovery.leaves_out_reasoning,
        )
        try:
            await stream.read_ahead(whole=whole)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def _send(
        self, request: CodexRequest, content: bytes, credentials: Credentials, base_url: str, override: str | None
    ) -> Connection:
        headers = {
            ORIGINATOR_HEADER: self._originator,
            'user-agent': user_agent(self._originator),
            **(codex_headers(request, override=override) if credentials.auth_mode == 'chatgpt' else {}),
            **session_headers(request),
            **bearer_headers(credentials, lambda: (self._advice.source, self._advice.next_step(credentials))),
        }
        url = base_url + RESPONSES_PATH
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
        error = error_from_response(connection.status_code, connection.headers, content, now=self._clock.now())
        self._limits.take(error.rate_limits, account=credentials.account_tag)
        return error


class Body:
    """The body of a request, encoded once for all attempts that send the same."""

    def __init__(self) -> None:
        self._input: object = None
        self._content = b''

    async def of(self, request: CodexRequest) -> bytes:
        """The body. Between two attempts only the input changes, if anything; see `Recovery`.

        Raises:
            ConfigurationError: If the request has no JSON form.
        """
        if self._input is not request.input:
            self._content = await _encoded(request)
            self._input = request.input
        return self._content


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
