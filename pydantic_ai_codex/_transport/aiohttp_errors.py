"""The errors of aiohttp to those of httpx2, which `errors.py` turns into ours."""

from __future__ import annotations

from typing import Final, NoReturn

import aiohttp
import httpx2

_ERRORS: Final[tuple[tuple[type[Exception], type[httpx2.TransportError]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpx2.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx2.ReadTimeout),
    (aiohttp.ClientHttpProxyError, httpx2.ProxyError),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ServerDisconnectedError, httpx2.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx2.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx2.RemoteProtocolError),
    (aiohttp.InvalidURL, httpx2.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx2.UnsupportedProtocol),
    (aiohttp.ClientError, httpx2.ReadError),
    (OSError, httpx2.ReadError),
)
"""The first that fits."""


def raise_httpx2_error(error: Exception) -> NoReturn:
    """Raise what httpx2 would.

    Args:
        error: One of aiohttp, or of a socket.
    """
    kind = next(kind for aiohttps, kind in _ERRORS if isinstance(error, aiohttps))
    # The words of these tell the URL of a proxy, with what it needs to be let in.
    raise kind(_words(error)) from (None if isinstance(error, aiohttp.ClientResponseError) else error)


def _words(error: Exception) -> str:
    match error:
        case aiohttp.ClientHttpProxyError():
            return f'{error.status} {error.message}'
        case aiohttp.ClientResponseError():
            # The status is made up by aiohttp, and behind the first line is a drawing of where the bytes are wrong.
            return error.message.partition('\n')[0].rstrip(': ') or 'What answers does not speak HTTP.'
        case aiohttp.ClientConnectorCertificateError():
            return str(error.certificate_error)  # the only one that it is sure to have
        case aiohttp.ClientConnectorError():
            return str(error.os_error)  # without the repr of the TLS context
        case aiohttp.ServerDisconnectedError():
            return 'The server disconnected without sending an answer.'
        case aiohttp.ClientPayloadError():
            return 'The answer ended before it was complete.'  # not with the 400 that aiohttp makes up
        case aiohttp.ServerTimeoutError():
            return ''
        case _:
            return str(error)
