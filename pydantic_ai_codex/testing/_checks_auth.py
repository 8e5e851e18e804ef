"""Whose request is it: the checks of the authorization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from .._protocol.constants import ACCOUNT_HEADER
from ._rejections import Rejection, detail, invalid
from ._tokens import key_account, read_token

LoginKind: TypeAlias = Literal['chatgpt', 'api_key']

_EXPIRED: Final = {
    'error': {
        'message': 'Provided authentication token is expired. Please try signing in again.',
        'type': None,
        'code': 'token_expired',
        'param': None,
    },
    'status': 401,
}
"""Public reports."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent an accepted request."""

    account_id: str
    plan_type: str | None


def authenticate(kind: LoginKind, headers: Mapping[str, str], *, now: datetime, revoked: frozenset[str]) -> Caller:
    """Find the caller.

    Raises:
        Rejection: 401.
    """
    scheme, _, token = headers.get('authorization', '').partition(' ')
    usable = scheme.lower() == 'bearer' and token and token not in revoked
    if kind == 'api_key':
        if not usable or not token.startswith('sk-'):
            raise invalid('Incorrect API key provided.', None, code='invalid_api_key', status=401)
        return Caller(key_account(token), None)
    claims = read_token(token) if usable else None
    if claims is None:
        raise _unreadable()
    if claims.expires_at <= now:
        raise Rejection(401, _EXPIRED)
    if headers.get(ACCOUNT_HEADER) != claims.account_id:
        raise _unreadable()
    return Caller(claims.account_id, claims.plan_type)


def _unreadable() -> Rejection:
    # As the CLI was answered (captured).
    return detail('Could not parse your authentication token. Please try signing in again.', status=401)
