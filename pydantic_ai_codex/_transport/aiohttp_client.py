"""The explicit choice of aiohttp for the connections; this module loads without it."""

from __future__ import annotations

import ssl
from functools import partial
from urllib.request import getproxies, proxy_bypass

import httpx2

from .._http_client import LIMITS, refuse_cookies
from ..errors import ConfigurationError


def aiohttp_client(*, limits: httpx2.Limits = LIMITS, ssl_context: ssl.SSLContext | None = None) -> httpx2.AsyncClient:
    """An HTTP client whose connections are aiohttp's, which parses in C: `CodexProvider(http_client=aiohttp_client)`.

    Reading a stream costs a fraction of the CPU time then, which pays for programs with hundreds of streams at once.
    Everything else is `httpx2` as before: headers, event hooks, timeouts and errors. It speaks HTTP/1.1, on asyncio.

    Pass the function itself and not what it returns: each event loop needs a client of its own.

    Requests to `https` URLs go through the proxy that HTTPS_PROXY or ALL_PROXY name, as with `httpx2`, if it is an HTTP
    proxy. NO_PROXY takes names, domains and addresses, and no networks. No proxy sees plain `http`.

    Args:
        limits: `max_connections` and `keepalive_expiry` count; idle connections are limited by their time alone.
        ssl_context: What connections are secured with, in place of the `httpx2.create_ssl_context()` of `httpx2`.

    Raises:
        ConfigurationError: If an argument cannot work, aiohttp is not installed, or the environment names a proxy that cannot be used.
    """
    if not isinstance(limits, httpx2.Limits) or not isinstance(ssl_context, ssl.SSLContext | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            '`aiohttp_client` takes `limits=httpx2.Limits(...)` and `ssl_context=ssl.SSLContext(...)`. Pass the function '
            'itself as `http_client`, or a `lambda` that calls it.'
        )
    try:
        from .aiohttp_transport import AiohttpTransport
    except ImportError as error:
        raise ConfigurationError(
            f'`aiohttp_client` needs aiohttp ({error}). Install this package with its extra `aiohttp`, or pip install '
            "'aiohttp>=3.10'."
        ) from error
    transport = AiohttpTransport(
        limits=limits,
        ssl_context=ssl_context or httpx2.create_ssl_context(),
        proxy_for=partial(_proxy_for, _environment_proxy()),
    )
    client = httpx2.AsyncClient(transport=transport)
    refuse_cookies(client)
    return client


def _environment_proxy() -> httpx2.Proxy | None:
    """The proxy for https; httpx2 looks for it where its transports are its own, and nowhere in public."""
    proxies = getproxies()
    url = proxies.get('https') or proxies.get('all')
    if not url:
        return None
    try:
        proxy = httpx2.Proxy(url if '://' in url else f'http://{url}')
    except (ValueError, httpx2.InvalidURL):
        # Its words quote the URL, which may hold a password.
        raise ConfigurationError(
            'HTTPS_PROXY or ALL_PROXY names no proxy; it takes a URL such as http://proxy.example.com:3128.'
        ) from None
    if proxy.url.scheme not in ('http', 'https'):
        raise ConfigurationError(
            f'aiohttp can use no {proxy.url.scheme} proxy, which HTTPS_PROXY or ALL_PROXY names. Leave out '
            '`http_client=aiohttp_client`, or name an HTTP proxy.'
        )
    return proxy


def _proxy_for(proxy: httpx2.Proxy | None, url: httpx2.URL) -> httpx2.Proxy | None:
    """The proxy that a URL is asked through, if any."""
    if proxy is None or url.scheme != 'https' or proxy_bypass(url.netloc.decode('ascii')):
        return None
    return proxy
