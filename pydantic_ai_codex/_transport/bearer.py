"""Where a token may go, the headers that carry it, and what hides it; pure, and used by every transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import httpx2

from .._protocol.constants import (
    ACCOUNT_HEADER,
    API_BASE_URL,
    CHATGPT_BASE_URL,
    FEDRAMP_HEADER,
    HEADER_WORD,
    RESPONSES_PATH,
    TURN_STATE_HEADER,
)
from .._urls import check_secure_url
from ..auth import Credentials
from ..auth._secrets import masked, secrets_of
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


def check_base_url(base_url: str) -> str:
    """The base URL in its plain form: without a slash, or `/responses`, at its end.

    Raises:
        ConfigurationError: If a token must not be sent there: neither https, nor http on loopback.
    """
    url = check_secure_url(base_url, 'The `base_url`', example='http://127.0.0.1:8321/backend-api/codex')
    try:
        httpx2.URL(url)  # It takes less, such as of the characters of a host.
    except (ValueError, httpx2.InvalidURL) as error:
        raise ConfigurationError(f'The `base_url` {url!r} is no URL: {error}.') from error
    scheme, _, rest = url.partition('://')
    host, slash, path = rest.partition('/')
    return f'{scheme}://{host}' + f'{slash}{path}'.removesuffix(RESPONSES_PATH).rstrip('/')


def base_url_for(credentials: Credentials, base_url: str | None) -> str:
    """What stands before `/responses`: the user's choice, else the host that the token belongs to."""
    return base_url or (API_BASE_URL if credentials.auth_mode == 'apikey' else CHATGPT_BASE_URL)


def bearer_headers(credentials: Credentials, words: Callable[[], tuple[str, str]]) -> dict[str, str]:
    """The headers that carry the login.

    Args:
        credentials: The login.
        words: Says, for messages, where it comes from, and what to do where it is no good, without a full stop. Asked
            only then, as it looks at files.

    Raises:
        CredentialsError: If it cannot be used: no token, one that fits in no header, or no account to work for.
    """
    token = credentials.access_token
    if not HEADER_WORD.fullmatch(token):
        source, next_step = words()
        raise CredentialsError(
            f'The token from {source} is {"empty" if not token else "no token: it holds characters that none has"}. '
            f'{next_step}.'
        )
    headers = {'authorization': f'Bearer {token}'}
    if credentials.auth_mode == 'apikey':
        return headers
    if not credentials.account_id or not HEADER_WORD.fullmatch(credentials.account_id):
        source, next_step = words()
        raise CredentialsError(
            f'The login from {source} names no ChatGPT account: it has no account id, and its tokens are no JWTs with '
            'a claim that holds one. ' + f'{next_step}; in code, pass '
            '`Credentials(..., account_id=...)`, or an API key as `CodexProvider(api_key=...)`.'
        )
    headers[ACCOUNT_HEADER] = credentials.account_id
    if credentials.is_fedramp:
        headers[FEDRAMP_HEADER] = 'true'
    return headers


def redact(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for a log: the values of all that are not known to be harmless are masked."""
    return {
        name: value if name.lower() in _SHOWN or _is_about_limits(name.lower()) else '***'
        for name, value in headers.items()
    }


def _is_about_limits(name: str) -> bool:
    return name.startswith('x-codex-') and name != TURN_STATE_HEADER


def hidden(value: _T, credentials: Credentials) -> _T:
    """A text, or JSON, with `***` in place of the tokens and the account id; for logs and errors.

    A backend or a proxy may echo the request, as a whole or cut off somewhere.

    Args:
        value: What is to be shown.
        credentials: The login that the request carried.
    """
    return masked(value, secrets_of(credentials))


def hide_in(error: CodexError, credentials: Credentials) -> None:
    """Hide the login in every field of an error; see `hidden`."""
    fields = hidden(vars(error), credentials)
    if fields != vars(error):
        vars(error).update(fields)
        error.args = (error.message,)
        error.__cause__ = None  # It says the same.
