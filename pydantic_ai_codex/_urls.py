"""Which URLs a secret may be sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from .errors import ConfigurationError


def is_loopback(host: str) -> bool:
    """Whether a host, as it stands in a URL or a header, is this machine. Names but `localhost` are not looked up."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_secure_url(url: str, what: str, *, example: str = 'http://127.0.0.1:8321') -> str:
    """The URL without a slash at its end.

    Args:
        url: A URL that secrets are to be sent to.
        what: What it is, for messages, such as "The `base_url`".
        example: One on this machine, for messages.

    Raises:
        ConfigurationError: If it is not https (or http on loopback), or holds a user, a query or a fragment.
    """
    if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f'{what} has to be a text, not a {type(url).__name__}.')
    if not url.isprintable() or ' ' in url:
        raise ConfigurationError(f'{what} holds blanks or characters that cannot be printed.')
    if '@' in url or '?' in url or '#' in url:
        # Not shown: there may be a password in it.
        raise ConfigurationError(
            f'{what} may hold a scheme, a host, a port and a path, but no user, password, query or fragment.'
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname or ''
        port = '' if parts.port is None else f':{parts.port}'
    except ValueError as error:
        raise ConfigurationError(f'{what} {url!r} is no URL: {error}.') from error
    # Some parsers read "[::1]evil.example" as the loopback address.
    whole = parts.netloc.lower() in (f'{host}{port}', f'[{host}]{port}')
    if not host or not whole or not (parts.scheme == 'https' or (parts.scheme == 'http' and is_loopback(host))):
        raise ConfigurationError(
            f'{what} {url!r} is refused: the login is sent there, so it has to be an https URL '
            f'(or http on this machine, such as {example!r}).'
        )
    return f'{parts.scheme}://{parts.netloc}{parts.path.rstrip("/")}'
