"""Fabricated logins: unsigned tokens, and the sealed reasoning that belongs to their account."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from .._protocol.constants import AUTH_CLAIM
from ._clock import utc_now

DEFAULT_ACCOUNT_ID: Final = '00000000-0000-4000-8000-00000000c0de'
_USER_ID: Final = 'user-simulated'
_SEAL: Final = 'gAAAAAB'
"""How a Fernet token begins, which is what the backend's encrypted content looks like (public reports)."""


def fake_access_token(
    *,
    account_id: str = DEFAULT_ACCOUNT_ID,
    expires_at: datetime | None = None,
    plan_type: str = 'plus',
    is_fedramp: bool = False,
    claims: Mapping[str, Any] | None = None,
) -> str:
    """Make an unsigned JWT with the claims that a ChatGPT login carries.

    It is worth nothing anywhere but with a `CodexSimulator`.

    Args:
        account_id: The claim `chatgpt_account_id`.
        expires_at: The claim `exp`; in ten days by default.
        plan_type: The claim `chatgpt_plan_type`.
        is_fedramp: Whether to add the claim `chatgpt_account_is_fedramp`.
        claims: Further top-level claims, which replace those made here.
    """
    auth: dict[str, Any] = {
        'chatgpt_account_id': account_id,
        'chatgpt_plan_type': plan_type,
        'chatgpt_user_id': _USER_ID,
    }
    if is_fedramp:
        auth['chatgpt_account_is_fedramp'] = True
    expiry = expires_at or utc_now() + timedelta(days=10)
    payload = {'exp': int(expiry.timestamp()), 'email': 'user@example.com', AUTH_CLAIM: auth, **(claims or {})}
    header = {'alg': 'none', 'typ': 'JWT'}
    return '.'.join((_encode(json.dumps(header)), _encode(json.dumps(payload)), _encode('unsigned')))


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What the backend reads from a token."""

    account_id: str
    plan_type: str
    expires_at: datetime


def read_token(token: str) -> TokenClaims | None:
    """Read the claims, or return `None` where it is not such a token."""
    parts = token.split('.')
    if len(parts) != 3:
        return None
    try:
        payload: Any = json.loads(_decode(parts[1]))
        auth = payload[AUTH_CLAIM]
        account_id, expiry = auth['chatgpt_account_id'], payload['exp']
        plan_type = auth.get('chatgpt_plan_type', 'unknown')
        expires_at = datetime.fromtimestamp(expiry, UTC)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        return None
    if not isinstance(account_id, str) or not isinstance(plan_type, str):
        return None
    return TokenClaims(account_id, plan_type, expires_at)


def key_account(key: str) -> str:
    """The account behind an API key."""
    return f'org-{hashlib.sha256(key.encode()).hexdigest()[:24]}'


def seal(account_id: str, item_id: str) -> str:
    """Make the `encrypted_content` of a reasoning or compaction item; only this account can send it back."""
    return _SEAL + _encode(json.dumps({'account': account_id, 'item': item_id, 'check': _check(account_id, item_id)}))


def is_sealed_for(account_id: str, blob: str) -> bool:
    """Whether a simulator issued this `encrypted_content` for this account."""
    if not blob.startswith(_SEAL):
        return False
    try:
        content: Any = json.loads(_decode(blob.removeprefix(_SEAL)))
    except (ValueError, RecursionError):
        return False
    if not isinstance(content, dict):
        return False
    fields = cast('dict[str, object]', content)
    item_id = fields.get('item')
    sealed = isinstance(item_id, str) and fields.get('check') == _check(account_id, item_id)
    return sealed and fields.get('account') == account_id


def _check(account_id: str, item_id: str) -> str:
    return hashlib.sha256(f'{account_id}/{item_id}'.encode(errors='replace')).hexdigest()[:24]


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
