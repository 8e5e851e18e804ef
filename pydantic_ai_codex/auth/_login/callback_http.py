"""The little HTTP that the callback server speaks, as data: which requests it takes, and what it answers; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from ..._protocol.constants import CALLBACK_PATH
from .page import PAGE_HEADERS

LARGEST_HEAD: Final = 16 * 1024
"""Bytes of a request's line and headers; a browser with many cookies sends some thousand."""

CANCEL_PATH: Final = '/cancel'
"""Ends a login that waits, so that the next one gets its port (from the CLI's source)."""


class Request(NamedTuple):
    """A request without its body, which nothing here reads."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """With lower-case names."""


def parse_head(head: bytes) -> Request | None:
    """Read a request's line and headers, or return `None` where it is no HTTP that a browser speaks."""
    lines = head.decode('latin-1').split('\r\n')
    words = lines[0].split(' ')
    if len(words) != 3 or not words[2].startswith('HTTP/1.') or not words[1].startswith('/'):
        return None
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(':')
        name = name.lower()
        if not colon or not name or name != name.strip() or (name == 'host' and 'host' in headers):
            return None
        headers[name] = value.strip()
    path, _, query = words[1].partition('?')
    return Request(words[0], path, query, headers)


def refusal(request: Request | None, port: int) -> HTTPStatus | None:
    """The status for a request that no login is concerned with, or `None` for the callback and for `/cancel`.

    A web page that the user has open can send requests here, too. It cannot name this host, as its own name leads here
    in that case, and it does not know the state.
    """
    hosts = (f'127.0.0.1:{port}', f'localhost:{port}')
    if request is None or request.headers.get('host', '').lower() not in hosts:
        return HTTPStatus.BAD_REQUEST
    if request.method != 'GET':
        return HTTPStatus.METHOD_NOT_ALLOWED
    if request.path == CANCEL_PATH:
        return HTTPStatus.FORBIDDEN if _is_from_a_page(request) else None
    return None if request.path == CALLBACK_PATH else HTTPStatus.NOT_FOUND


def response(status: HTTPStatus, content: bytes | None = None) -> bytes:
    """Make a response.

    Args:
        status: The status.
        content: A page, or `None` for the words of the status.
    """
    headers = dict(PAGE_HEADERS)
    if content is None:
        content = f'{status.value} {status.phrase}\n'.encode()
        headers['Content-Type'] = 'text/plain; charset=utf-8'
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers['Allow'] = 'GET'
    headers |= {'Content-Length': str(len(content)), 'Connection': 'close'}
    lines = [f'HTTP/1.1 {status.value} {status.phrase}', *(f'{name}: {value}' for name, value in headers.items())]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + content


def _is_from_a_page(request: Request) -> bool:
    """Whether a web page sent it: browsers say so, and the programs that want the port send neither header."""
    return 'origin' in request.headers or request.headers.get('sec-fetch-site', 'none') != 'none'
