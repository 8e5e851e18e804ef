"""HTTP clients: the one of our own, and how one of the user's serves hosts that it was not made for."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from copy import copy
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import httpx2

from .errors import ConfigurationError

LIMITS: Final = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60)


def make_client() -> httpx2.AsyncClient:
    """A client of our own. It honours the proxies of the environment for https; plain http stays on this machine."""
    client = httpx2.AsyncClient(
        limits=LIMITS,
        # Without this, HTTP_PROXY would see the login on its way to a URL on loopback. No TLS goes through here, so its
        # context trusts nobody, which spares reading the certificates once more.
        mounts={'http://': httpx2.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), limits=LIMITS)},
    )
    refuse_cookies(client)
    return client


def refuse_cookies(client: httpx2.AsyncClient) -> None:
    """Have a client of ours keep no cookies.

    The CLI sends none (captured), and a provider may serve one account after another.
    """
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))


@asynccontextmanager
async def own_client() -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of our own for one request, or a few.

    Raises:
        ConfigurationError: If the environment keeps it from being made.
    """
    async with made(make_client) as client:
        yield client


def unobserved(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The client as a host may see it for which it was not meant: with its connections, without its hooks and cookies.

    Hooks may add headers for other hosts, and raise for what is no error here; cookies may be set by anybody.

    Args:
        client: A client of the user's, which is not changed.
    """
    try:
        stranger = copy(client)
        stranger.event_hooks = {}
        stranger.cookies = {}
    except Exception:  # noqa: BLE001 - a client of another class may not let itself be copied, and works all the same
        return client
    return stranger


def made(factory: Callable[[], httpx2.AsyncClient]) -> httpx2.AsyncClient:
    """The client that a factory makes.

    Raises:
        ConfigurationError: If the environment keeps it from being made.
    """
    try:
        return factory()
    except ConfigurationError:
        raise
    except (ImportError, OSError, ValueError) as error:
        # Of the environment: a proxy of a kind that is not installed, certificates that are not there. The library
        # still says `httpx[socks]` of itself.
        raise _not_made(str(error).rstrip('.').replace('httpx[', 'httpx2[')) from error
    except httpx2.InvalidURL:
        # Its words quote the URL, and a proxy's may hold a password.
        raise _not_made('a URL that it is to use is none') from None


def _not_made(words: str) -> ConfigurationError:
    return ConfigurationError(
        f'The HTTP client cannot be made: {words}. Look at HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE, or pass '
        'an `http_client` of your own.'
    )
