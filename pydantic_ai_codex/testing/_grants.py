"""What the simulated login service knows: logins, their tokens, and codes that have not become a login yet; no I/O.

Nothing here is locked: the issuer does that.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Final

from .._protocol.constants import CLIENT_ID, ISSUER
from ._issuer_options import Duration, IssuerOptions, as_timedelta
from ._rejections import Rejection, invalid
from ._tokens import fake_access_token

_CODE_LIFETIME: Final = timedelta(minutes=10)
"""RFC 6749 recommends at most this."""

_ID_TOKEN_LIFETIME: Final = timedelta(hours=1)

_REFRESH_FAILURES: Final = {
    'refresh_token_expired': 'Your refresh token has expired',
    'refresh_token_reused': 'Your refresh token has already been used',
    'refresh_token_invalidated': 'Your refresh token was revoked',
}
"""The codes that the CLI tells apart, with 401 as it was answered (captured); the words are ours."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in."""

    account_id: str
    plan_type: str = 'plus'
    email: str = 'user@example.com'


@dataclass(eq=False, slots=True)
class Login:
    """One login, and everything that was issued for it since (the family of its refresh tokens)."""

    number: int
    account: Account
    refresh_token: str = ''
    access_token: str | None = None
    id_token: str | None = None
    access_tokens: list[str] = field(default_factory=list[str])
    is_revoked: bool = False


@dataclass(slots=True)
class _RefreshToken:
    login: Login
    issued_at: datetime
    is_used: bool = False
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class _Code:
    account: Account
    redirect_uri: str
    challenge: str
    issued_at: datetime


class Grants:
    """Logins, tokens and codes.

    Args:
        options: The rules, which may change at any time.
        now: The clock.
        refuse: Told which access tokens the backend has to refuse from now on.
    """

    def __init__(
        self, options: IssuerOptions, now: Callable[[], datetime], refuse: Callable[[Iterable[str]], None]
    ) -> None:
        self._options = options
        self._now = now
        self._refuse = refuse
        # Tokens of one simulator are unknown to every other.
        self._nonce = token_hex(6)
        self._issued = 0
        self._logins: list[Login] = []
        self._refresh_tokens: dict[str, _RefreshToken] = {}
        self._id_tokens: dict[str, Login] = {}
        self._codes: dict[str, _Code] = {}

    def log_in(self, account: Account) -> Login:
        login = Login(len(self._logins) + 1, account)
        self._logins.append(login)
        self._new_refresh_token(login)
        return login

    def issue_code(self, account: Account, *, redirect_uri: str, challenge: str) -> str:
        code = f'ac_{self._unique()}'
        self._codes[code] = _Code(account, redirect_uri, challenge, self._now())
        return code

    def redeem(self, code: str, *, redirect_uri: str, verifier: str) -> Login:
        """Turn a code into a login; whatever comes of it, the code is used.

        Raises:
            Rejection: It is unknown, used or too old, or the rest does not belong to it.
        """
        known = self._codes.pop(code, None)
        if known is None:
            raise oauth_error('invalid_grant', 'The authorization code is unknown, or it was used before.')
        if self._now() - known.issued_at > _CODE_LIFETIME:
            raise oauth_error('invalid_grant', 'The authorization code has expired.')
        if redirect_uri != known.redirect_uri:
            raise oauth_error('invalid_grant', f'The redirect_uri is not {known.redirect_uri!r}, as it was before.')
        if challenge_of(verifier) != known.challenge:
            raise oauth_error('invalid_grant', 'The code_verifier does not fit the code_challenge.')
        return self.log_in(known.account)

    def owner(self, refresh_token: str) -> Login | None:
        """The login that a refresh token, used or not, belongs to."""
        known = self._refresh_tokens.get(refresh_token)
        return None if known is None else known.login

    def is_used(self, refresh_token: str) -> bool:
        """Whether a refresh token, which has to be known, was spent."""
        return self._refresh_tokens[refresh_token].is_used

    def refresh(self, refresh_token: str) -> None:
        """Spend a refresh token, which has to be known.

        Raises:
            Rejection: It is used, expired or revoked.
        """
        known = self._refresh_tokens[refresh_token]
        login = known.login
        if known.is_used:
            if self._options.revoke_family_on_reuse:
                self.revoke(login)
            raise _refresh_failure('refresh_token_reused')
        if login.is_revoked:
            raise _refresh_failure('refresh_token_invalidated')
        lifetime = self._options.refresh_token_lifetime
        if known.is_expired or (lifetime is not None and self._now() - known.issued_at > as_timedelta(lifetime)):
            raise _refresh_failure('refresh_token_expired')
        if self._options.revoke_old_access_tokens:
            self._refuse(login.access_tokens)
        if 'refresh_token' in self._options.answer_fields:  # Else the client has to go on with this one.
            known.is_used = True
            self._new_refresh_token(login)

    def revoke(self, login: Login) -> None:
        login.is_revoked = True
        self._refuse(login.access_tokens)

    def revoke_all(self) -> None:
        for login in self._logins:
            self.revoke(login)

    def expire_refresh_tokens(self) -> None:
        for known in self._refresh_tokens.values():
            known.is_expired = True

    def is_in(self, text: str) -> bool:
        """Whether a text holds anything that was issued here."""
        if self._nonce in text:  # As refresh tokens, codes and API keys have it.
            return True
        access_tokens = [token for login in self._logins for token in login.access_tokens]
        return any(token in text for token in [*access_tokens, *self._id_tokens])

    def tokens(self, login: Login) -> dict[str, Any]:
        """The answer of the token endpoint, whole."""
        login.access_token = self.access_token(login)
        login.id_token = None
        return {
            'id_token': self.id_token(login),
            'access_token': login.access_token,
            'refresh_token': login.refresh_token,
            'token_type': 'Bearer',
            'expires_in': int(as_timedelta(self._options.access_token_lifetime).total_seconds()),
        }

    def access_token(self, login: Login, lifetime: Duration | None = None) -> str:
        """Make a further access token."""
        claims = {'jti': f'simulated-{login.number}-{len(login.access_tokens) + 1}'}
        token = self._jwt(login, self._options.access_token_lifetime if lifetime is None else lifetime, claims)
        login.access_tokens.append(token)
        return token

    def id_token(self, login: Login) -> str:
        """The ID token, the same until new tokens are issued."""
        if login.id_token is None:
            login.id_token = self._jwt(
                login, _ID_TOKEN_LIFETIME, {'iss': ISSUER, 'aud': [CLIENT_ID], 'sid': f'simulated-{login.number}'}
            )
            self._id_tokens[login.id_token] = login
        return login.id_token

    def api_key(self, id_token: str) -> str:
        """Exchange an ID token for a key of the API.

        Raises:
            Rejection: It was not issued here.
        """
        login = self._id_tokens.get(id_token)
        if login is None:
            raise oauth_error('invalid_grant', 'The subject_token was not issued here.')
        return f'sk-simulated-{self._nonce}-{login.number}'

    def _jwt(self, login: Login, lifetime: Duration, claims: Mapping[str, Any]) -> str:
        account = login.account
        return fake_access_token(
            account_id=account.account_id,
            expires_at=self._now() + as_timedelta(lifetime),
            plan_type=account.plan_type,
            claims={'email': account.email, **claims},
        )

    def _new_refresh_token(self, login: Login) -> None:
        login.refresh_token = f'rt_{self._unique()}'
        self._refresh_tokens[login.refresh_token] = _RefreshToken(login, self._now())

    def _unique(self) -> str:
        self._issued += 1
        return f'simulated_{self._nonce}_{self._issued}'


def challenge_of(verifier: str) -> str:
    """The S256 challenge of RFC 7636."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip('=')


def oauth_error(code: str, description: str, *, status: int = 400) -> Rejection:
    """The shape of RFC 6749, which the CLI reads, too (captured)."""
    return Rejection(status, {'error': code, 'error_description': description})


def _refresh_failure(code: str) -> Rejection:
    return invalid(_REFRESH_FAILURES[code], None, code=code, status=401)
