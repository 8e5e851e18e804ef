"""What is said to the login service about a login that is there, and what it answers, as data; no I/O.

Source: Codex CLI 0.169.0 was seen to send all of it (captured) where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from .. import _environment
from .._http_reply import Reply
from .._protocol.constants import (
    AUTHORIZE_PATH,
    CLIENT_ID,
    DEVICE_CODE_PATH,
    DEVICE_PAGE_PATH,
    DEVICE_REDIRECT_PATH,
    DEVICE_TOKEN_PATH,
    ISSUER,
    REVOKE_PATH,
    REVOKE_URL_VARIABLE,
    TOKEN_PATH,
    TOKEN_URL_VARIABLE,
)
from .._protocol.values import text_or_none
from .._urls import check_secure_url
from ._credentials import Credentials
from ._secrets import masked, quotable

RefreshReason: TypeAlias = Literal['proactive_expiry', 'scheduled', 'unauthorized_recovery', 'forced']
"""Why a refresh is asked for; the words of `refresh_reason`. `forced` is at the user's word."""

_PERMANENT: Final = {
    'refresh_token_expired': 'The refresh token has expired',
    'refresh_token_reused': 'The refresh token was used before, most likely by another program with a copy of the login',
    'refresh_token_invalidated': 'The refresh token was revoked, as by logging out',
    'invalid_grant': 'The login service does not take the refresh token',
}
"""Codes after which the same refresh token never works again (`invalid_grant` captured, the others from the CLI's
source)."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URLs of a login service. Make one with `of`, which checks them."""

    issuer: str
    authorize: str
    token: str
    revoke: str
    device_code: str
    device_token: str
    device_page: str
    device_redirect: str

    @classmethod
    def of(cls, issuer: str = ISSUER, *, token: str | None = None, revoke: str | None = None) -> Endpoints:
        """The endpoints of an issuer.

        Args:
            issuer: What stands before the paths.
            token: Another URL to refresh and to exchange codes at.
            revoke: Another URL to revoke at.

        Raises:
            ConfigurationError: If a URL is neither https, nor http on loopback.
        """
        base = check_secure_url(issuer, 'The issuer')
        return cls(
            issuer=base,
            authorize=base + AUTHORIZE_PATH,
            token=base + TOKEN_PATH if token is None else check_secure_url(token, 'The token URL'),
            revoke=base + REVOKE_PATH if revoke is None else check_secure_url(revoke, 'The revocation URL'),
            device_code=base + DEVICE_CODE_PATH,
            device_token=base + DEVICE_TOKEN_PATH,
            device_page=base + DEVICE_PAGE_PATH,
            device_redirect=base + DEVICE_REDIRECT_PATH,
        )


def endpoints_of(credentials: Credentials, chosen: Endpoints | None = None) -> Endpoints:
    """Where the tokens of a login may be sent: to the service that they come from, or where the CLI's variables say.

    Args:
        credentials: The login, which knows the service that it comes from.
        chosen: The caller's choice, which goes before everything.

    Raises:
        ConfigurationError: If a URL is neither https, nor http on loopback.
    """
    return chosen or Endpoints.of(
        credentials.issuer or ISSUER,
        token=_environment.read(TOKEN_URL_VARIABLE),
        revoke=_environment.read(REVOKE_URL_VARIABLE),
    )


def refresh_body(refresh_token: str, reason: RefreshReason) -> dict[str, str]:
    """The JSON that asks for new tokens."""
    return {
        'client_id': CLIENT_ID,
        'grant_type': 'refresh_token',
        'refresh_reason': reason,
        'refresh_token': refresh_token,
    }


def revoke_body(refresh_token: str) -> dict[str, str]:
    """The JSON that ends a login."""
    return {'token': refresh_token, 'token_type_hint': 'refresh_token', 'client_id': CLIENT_ID}


class Failure(NamedTuple):
    """What an answer says of a failure.

    Attributes:
        code: The service's code, in lower case, or `None`.
        message: What happened, in words, without a full stop at the end.
        is_permanent: Whether the same refresh token will never work again.
    """

    code: str | None
    message: str
    is_permanent: bool


def permanent_failure(code: str | None) -> Failure:
    """The failure that was noted down before, by its code."""
    known = _PERMANENT.get(code or '')
    return Failure(code, known or 'The login service refused the refresh token before', is_permanent=True)


def failure_of(reply: Reply, *, secrets: Iterable[str] = ()) -> Failure:
    """Read a failure: the code is `error.code`, else `error`, else `code` (from the CLI's source).

    Args:
        reply: The answer.
        secrets: What was sent, and may not be shown should it come back.
    """
    body = masked(reply.json(), secrets)
    error: Any = body.get('error')
    fields = cast('dict[str, Any]', error) if isinstance(error, dict) else {}
    raw = text_or_none(fields.get('code')) or text_or_none(body.get('error')) or text_or_none(body.get('code'))
    code = None if raw is None else quotable(raw.lower())
    words = (
        text_or_none(fields.get('message'))
        or text_or_none(body.get('error_description'))
        or text_or_none(body.get('message'))
        or text_or_none(body.get('detail'))
    )
    said = f' ({quotable(words)})' if words else ''
    if code in _PERMANENT:
        return Failure(code, f'{_PERMANENT[code]}{said}', is_permanent=True)
    missing = ' and no tokens' if reply.status_code == 200 else ''
    what = f'The login service answered with status {reply.status_code}{missing}' + (
        f' and the code {code!r}' if code else ''
    )
    # A 401 without JSON is a proxy's.
    return Failure(code, f'{what}{said}', is_permanent=reply.status_code == 401 and bool(body))


def refreshed(old: Credentials, reply: Reply, *, now: datetime) -> Credentials | None:
    """The new login: what the answer does not name stays. `None` where it names no token at all.

    Args:
        old: The login that was refreshed.
        reply: The answer, with status 200.
        now: The time.
    """
    body = reply.json()
    access_token = text_or_none(body.get('access_token'))
    id_token = text_or_none(body.get('id_token'))
    refresh_token = text_or_none(body.get('refresh_token'))
    if access_token is None and id_token is None and refresh_token is None:
        return None
    return replace(
        old,
        access_token=access_token or old.access_token,
        id_token=id_token or old.id_token,
        refresh_token=refresh_token or old.refresh_token,
        expires_at=None,
        plan_type=None,
        is_fedramp=None,
        last_refresh=now,
    )
