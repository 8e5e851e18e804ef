"""Where a token may go, the headers that carry it, and what hides it; pure, and used by every transport."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

import httpx2

from .._protocol.constants import (
    ACCOUNT_HEADER,
    API_BASE_URL,
    CHATGPT_BASE_URL,
    FEDRAMP_HEADER,
    HEADER_WORD,
    RESPONSES_PATH,
)
from ..auth import Credentials
from ..errors import CodexError, ConfigurationError, CredentialsError

_T = TypeVar('_T')

_SHOWN: Final = frozenset(
    {
        'accept',
        'accept-encoding',
        'cache-control',
        'cf-ray',
        'content-encoding',
        'content-length',
        'content-type',
        'date',
        'openai-model',
        'originator',
        'retry-after',
        'server',
        'session-id',
        'thread-id',
        'transfer-encoding',
        'user-agent',
        'x-client-request-id',
        'x-models-etag',
        'x-request-id',
    }
)
"""Headers whose values a log may show, beside the plan limits; whatever else there is may be a secret."""

_SHORTEST: Final = 8
"""Characters of a secret; hiding a shorter one would only garble the words around it."""

_PREFIX: Final = 16
"""Characters by which a secret is known again, also where the rest of it was cut off."""


def check_base_url(base_url: str) -> str:
    """The base URL in its plain form: without a slash, or `/responses`, at its end.

    Raises:
        ConfigurationError: If a token must not be sent there: neither https, nor http on loopback.
    """
    if not isinstance(base_url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f'The `base_url` has to be a text, not a {type(base_url).__name__}.')
    if not base_url.isprintable() or ' ' in base_url:
        raise ConfigurationError('The `base_url` holds blanks or characters that cannot be printed.')
    if '@' in base_url or '?' in base_url or '#' in base_url:
        # Not shown: there may be a password in it.
        raise ConfigurationError(
            'The `base_url` may hold a scheme, a host, a port and a path, but no user, password, query or fragment.'
        )
    try:
        parts = urlsplit(base_url)
        host = parts.hostname or ''
        port = '' if parts.port is None else f':{parts.port}'
        httpx2.URL(base_url)  # It takes less, such as of the characters of a host.
    except (ValueError, httpx2.InvalidURL) as error:
        raise ConfigurationError(f'The `base_url` {base_url!r} is no URL: {error}.') from error
    # Some parsers read "[::1]evil.example" as the loopback address.
    whole = parts.netloc.lower() in (f'{host}{port}', f'[{host}]{port}')
    if not host or not whole or not (parts.scheme == 'https' or (parts.scheme == 'http' and _is_loopback(host))):
        raise ConfigurationError(
            f'The `base_url` {base_url!r} is refused: the login is sent there, so it has to be an https URL '
            '(or http on this machine, such as "http://127.0.0.1:8321/backend-api/codex").'
        )
    path = parts.path.rstrip('/').removesuffix(RESPONSES_PATH).rstrip('/')
    return f'{parts.scheme}://{parts.netloc}{path}'


def base_url_for(credentials: Credentials, base_url: str | None) -> str:
    """What stands before `/responses`: the user's choice, else the host that the token belongs to."""
    return base_url or (API_BASE_URL if credentials.auth_mode == 'apikey' else CHATGPT_BASE_URL)


def bearer_headers(credentials: Credentials, source: str) -> dict[str, str]:
    """The headers that carry the login.

    Args:
        credentials: The login.
        source: Where it comes from, in words, for messages.

    Raises:
        CredentialsError: If it cannot be used: no token, one that fits in no header, or no account to work for.
    """
    token = credentials.access_token
    if not HEADER_WORD.fullmatch(token):
        raise CredentialsError(
            f'The token from {source} is {"empty" if not token else "no token: it holds characters that none has"}. '
            'Run `codex login`, or replace it.'
        )
    headers = {'authorization': f'Bearer {token}'}
    if credentials.auth_mode == 'apikey':
        return headers
    if not credentials.account_id or not HEADER_WORD.fullmatch(credentials.account_id):
        raise CredentialsError(
            f'The login from {source} names no ChatGPT account: it has no account id, and its tokens are no JWTs with '
            'a claim that holds one. Run `codex login` to log in with ChatGPT; in code, pass '
            '`Credentials(..., account_id=...)`, or an API key as `CodexProvider(api_key=...)`.'
        )
    headers[ACCOUNT_HEADER] = credentials.account_id
    if credentials.is_fedramp:
        headers[FEDRAMP_HEADER] = 'true'
    return headers


def redact(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for a log: the values of all that are not known to be harmless are masked."""
    return {
        name: value if name.lower() in _SHOWN or name.lower().startswith('x-codex-') else '***'
        for name, value in headers.items()
    }


def hidden(value: _T, credentials: Credentials) -> _T:
    """A text, or JSON, with `***` in place of the token and the account id; for logs and errors.

    A backend or a proxy may echo the request, as a whole or cut off somewhere.

    Args:
        value: What is to be shown.
        credentials: The login that the request carried.
    """
    secrets = [each for each in (credentials.access_token, credentials.account_id) if each and len(each) >= _SHORTEST]
    if not secrets:
        return value
    return _replaced(value, re.compile('|'.join(rf'{re.escape(each[:_PREFIX])}[\w.~+/=-]*' for each in secrets)))


def hide_in(error: CodexError, credentials: Credentials) -> None:
    """Hide the login in every field of an error; see `hidden`."""
    fields = hidden(vars(error), credentials)
    if fields != vars(error):
        vars(error).update(fields)
        error.args = (error.message,)
        error.__cause__ = None  # It says the same.


def _replaced(value: Any, secrets: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return secrets.sub('***', value)
    if isinstance(value, dict):
        items = cast('dict[Any, Any]', value).items()
        return {_replaced(key, secrets): _replaced(each, secrets) for key, each in items}
    if isinstance(value, list):
        return [_replaced(each, secrets) for each in cast('list[Any]', value)]
    return value


def _is_loopback(host: str) -> bool:
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
