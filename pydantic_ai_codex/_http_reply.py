"""One request with an HTTP client that somebody lends, and its whole answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from pydantic_core import from_json

if TYPE_CHECKING:
    import httpx2

HTTPLease: TypeAlias = 'Callable[[], AbstractAsyncContextManager[httpx2.AsyncClient]]'
"""Makes an HTTP client available for one request, as the class `httpx2.AsyncClient` itself does."""


class Reply(NamedTuple):
    """An answer."""

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


async def read_reply(response: httpx2.Response, most: int) -> Reply | None:
    """The whole of an answer, or `None` where it is larger than it may be.

    Args:
        response: The answer, whose body was not read yet.
        most: How many bytes it may have.
    """
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > most:
            return None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, bytes(content))


def own_lease() -> AbstractAsyncContextManager[httpx2.AsyncClient]:
    """A client of our own; the HTTP library is not loaded before."""
    from ._http_client import own_client

    return own_client()
