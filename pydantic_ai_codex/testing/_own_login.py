"""The login that a simulator itself holds, and the shape in which logins are handed out."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from ._grants import Account, Grants, Login
from ._issuer_options import Duration, as_timedelta

_USUAL_AGE: Final = timedelta(hours=1)


class OwnLogin:
    """The login that a simulator itself holds, and hands to the clients that it makes."""

    def __init__(self, grants: Grants, lock: Lock, account: Account) -> None:
        self._grants = grants
        self._lock = lock
        self._account = account
        self._login: Login | None = None

    def access_token(self) -> str:
        """The newest access token."""
        with self._lock:
            return self._access_token(self._current())

    def tokens(self, *, lifetime: Duration | None = None) -> dict[str, Any]:
        """The newest tokens, with a further access token where a lifetime is given."""
        with self._lock:
            login = self._current()
            self._access_token(login)
            return tokens_of(self._grants, login, lifetime)

    def drop(self, access_token: str) -> None:
        """Make a new access token for the next who asks, if this is the newest."""
        with self._lock:
            if self._login is not None and self._login.access_token == access_token:
                self._login.access_token = None

    def _current(self) -> Login:
        if self._login is None or self._login.is_revoked:
            self._login = self._grants.log_in(self._account)
        return self._login

    def _access_token(self, login: Login) -> str:
        if login.access_token is None:
            login.access_token = self._grants.access_token(login)
        return login.access_token


def tokens_of(grants: Grants, login: Login, lifetime: Duration | None) -> dict[str, Any]:
    """The `tokens` of an `auth.json`, with a further access token where a lifetime is given."""
    if lifetime is None and login.access_token is not None:
        access_token = login.access_token
    else:
        access_token = grants.access_token(login, lifetime)
    return {
        'id_token': grants.id_token(login),
        'access_token': access_token,
        'refresh_token': login.refresh_token,
        'account_id': login.account.account_id,
    }


def usual_age(expires_in: Duration | None, lifetime: Duration) -> timedelta:
    """How long ago a login was refreshed whose access token expires then."""
    return _USUAL_AGE if expires_in is None else max(_USUAL_AGE, as_timedelta(lifetime) - as_timedelta(expires_in))


def auth_document(tokens: dict[str, Any], last_refresh: datetime) -> dict[str, Any]:
    """A whole `auth.json`."""
    return {
        'auth_mode': 'chatgpt',
        'OPENAI_API_KEY': None,
        'tokens': tokens,
        'last_refresh': last_refresh.isoformat().replace('+00:00', 'Z'),
    }
