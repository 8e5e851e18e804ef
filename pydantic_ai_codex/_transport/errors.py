"""The HTTP library's errors to ours; the one place that decides which is which."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import httpx2

from ..errors import (
    CodexError,
    ConfigurationError,
    MalformedStreamError,
    TransportError,
    TransportPhase,
    TransportTimeoutError,
)

_PHASES: Final[tuple[tuple[type[httpx2.TransportError], TransportPhase], ...]] = (
    (httpx2.PoolTimeout, 'pool'),
    (httpx2.ConnectTimeout, 'connect'),
    (httpx2.ConnectError, 'connect'),
    (httpx2.WriteTimeout, 'write'),
    (httpx2.WriteError, 'write'),
    (httpx2.ReadTimeout, 'read'),
    (httpx2.ReadError, 'read'),
    (httpx2.RemoteProtocolError, 'read'),
)

_ANOTHER_LOOP: Final = re.compile('event loop|different loop|client has been closed|handler is closed', re.IGNORECASE)
"""How asyncio, uvloop and httpx2 say that a connection, or its client, cannot be used (any more) on this event loop."""


@contextmanager
def library_errors(*, is_shared: bool, host: str = '', in_stream: bool = False) -> Generator[None]:
    """Raise our errors in place of the HTTP library's; those of anybody else, such as a bug in a hook, stay theirs.

    Args:
        is_shared: Whether the client serves several event loops.
        host: Who is asked, for the message.
        in_stream: Whether a stream has begun well.
    """
    try:
        yield
    except Exception as error:
        ours = library_error(error, is_shared=is_shared, host=host, in_stream=in_stream)
        if ours is None:
            raise
        # Its words about a request quote what is wrong with it, and that may be a secret.
        raise ours from (None if isinstance(error, httpx2.LocalProtocolError) else error)


def library_error(
    error: Exception, *, is_shared: bool = False, host: str = '', in_stream: bool = False
) -> CodexError | None:
    """Our error for one of the HTTP library's, or `None` for any other; see `library_errors`."""
    match error:
        case httpx2.LocalProtocolError():
            return ConfigurationError(
                'The HTTP library refuses to send the request, most likely because of a header. Look at the setting '
                '`extra_headers` and at the headers of the `http_client`.'
            )
        case httpx2.DecodingError():
            return MalformedStreamError(f'The answer cannot be decompressed: {error}', in_stream=in_stream)
        case httpx2.HTTPError() | httpx2.StreamError() | ConnectionError():
            return _transport_error(error, host, in_stream)
        # Not of a subclass: `NotImplementedError` and others say something else.
        case RuntimeError() if type(error) is RuntimeError and _ANOTHER_LOOP.search(str(error)):
            return _loop_error(error, is_shared, in_stream)
        case _:
            return None


def _transport_error(error: Exception, host: str, in_stream: bool) -> TransportError:
    phase: TransportPhase | None = next((phase for kind, phase in _PHASES if isinstance(error, kind)), None)
    words = str(error).rstrip('.') or type(error).__name__
    if phase == 'pool':
        return TransportTimeoutError(
            'All connections of the `http_client` are in use, and none came free in time. Give it more, with '
            '`limits=httpx2.Limits(max_connections=...)`, or have fewer requests at once.',
            phase=phase,
        )
    if isinstance(error, httpx2.TimeoutException):
        return TransportTimeoutError(
            f'The backend did not answer in time ({words}, phase {phase}). Where it may need longer, raise the setting '
            '`timeout`, or the `idle_timeout` of the `TransportPolicy`.',
            phase=phase,
            in_stream=in_stream,
        )
    if phase == 'connect':
        place = f' at {host}' if host else ''
        return TransportError(
            f'The backend{place} could not be reached: {words}. Check the network and HTTPS_PROXY.', phase=phase
        )
    return TransportError(
        f'The connection to the backend broke: {words}. Send the request again.', phase=phase, in_stream=in_stream
    )


def _loop_error(error: RuntimeError, is_shared: bool, in_stream: bool) -> CodexError:
    if is_shared:
        return ConfigurationError(
            f'The `http_client` cannot be used here ({error}). It has a transport of its own, so it cannot be cloned '
            'for each event loop, and works on the one that first used it, while it is open; pass a callable that '
            'makes such a client, and each loop has one.'
        )
    return TransportError(f'The HTTP client cannot be used here: {error}.', in_stream=in_stream)
