"""Keeping a new login, and logins that the user brought along."""

from __future__ import annotations

import re
from typing import Final

from ..._clock import Clock, SystemClock
from ..._protocol.constants import HEADER_WORD
from ...errors import ConfigurationError, CredentialsError, LoginError
from .._abilities import call_if_there, lock_of
from .._credentials import Credentials
from .._http import AuthHTTP
from .._oauth import Endpoints
from .._schedule import is_expired
from .._store import CredentialStore
from .logout import revoke

_ASSIGNMENT: Final = re.compile(r'[A-Z][A-Z0-9_]*=[^=]')
"""A line of a `.env` file or of a shell. No key and no token has an equals sign but at its end."""


async def save_login(
    store: CredentialStore,
    credentials: Credentials,
    *,
    endpoints: Endpoints | None = None,
    http: AuthHTTP | None = None,
) -> Credentials | None:
    """Keep a new login, then end the one that it replaced at the service, as the CLI does (from its source).

    That the old one cannot be ended is no error: it may have expired long ago.

    Args:
        store: Where the login is kept.
        credentials: The new login.
        endpoints: The login service of the old one; by default the one that it comes from, or what the environment says.
        http: Sends the request to it.

    Returns:
        The login that was there before, whatever its account, or `None` where there was none that could be read.

    Raises:
        CredentialsError: If the login could not be kept.
        ConfigurationError: If what is to be kept is no login.
    """
    if not isinstance(credentials, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f'`save_login` takes `Credentials`, not a {type(credentials).__name__}.')
    async with lock_of(store):
        try:
            old = await store.load()
        except CredentialsError:
            old = None  # None, or a broken one, which is what people log in anew for.
        await store.save(credentials)
        # What is noted there of a refresh is about the login before.
        await call_if_there(store, 'clear_note')
    if old is not None and old.refresh_token != credentials.refresh_token:
        await revoke(old, endpoints=endpoints, http=http)
    return old


def login_with_token(text: str, *, account_id: str | None = None, clock: Clock | None = None) -> Credentials:
    """The login of an access token that the user brought along; it cannot be refreshed.

    Args:
        text: What was read; blanks and line ends around it do not count.
        account_id: The account, where the token does not name it.
        clock: Time, for tests.

    Raises:
        LoginError: If it is no token that can be used.
    """
    token = _one_word(text, 'an access token')
    if token.startswith('sk-'):
        raise LoginError('This is an API key and no access token. Use `--with-api-key` for it.', reason='refused')
    credentials = Credentials(token, account_id=account_id)
    if credentials.account_id is None:
        raise LoginError(
            'The access token names no ChatGPT account, which every request needs. Use a whole access token of a '
            'ChatGPT login (it has three parts with dots between them), or log in with the browser.',
            reason='refused',
        )
    if is_expired(credentials, now=(clock or SystemClock()).now()):
        raise LoginError(
            f'The access token expired at {credentials.expires_at:%Y-%m-%d %H:%M} UTC. Get a new one.', reason='expired'
        )
    return credentials


def login_with_api_key(text: str) -> Credentials:
    """The login of a platform API key, which is paid for by use.

    Args:
        text: What was read; blanks and line ends around it do not count.

    Raises:
        LoginError: If it is no key that can be used.
    """
    key = _one_word(text, 'an API key')
    if key.count('.') == 2 and key.startswith('ey'):
        raise LoginError('This is an access token and no API key. Use `--with-access-token` for it.', reason='refused')
    return Credentials(key, auth_mode='apikey')


def _one_word(text: str, what: str) -> str:
    """The text without blanks around it, if it can stand in a header. It is shown nowhere."""
    word = text.strip()
    if not word:
        raise LoginError(f'There was nothing to read; {what} was expected on standard input.', reason='refused')
    if not HEADER_WORD.fullmatch(word):
        raise LoginError(
            f'What was read is not {what}: that is one line of visible ASCII characters, without blanks.',
            reason='refused',
        )
    if _ASSIGNMENT.match(word) or word[0] in '"\'':
        raise LoginError(
            f'What was read is not {what} alone: leave out the name and the equals sign before it, and quotation marks.',
            reason='refused',
        )
    return word
