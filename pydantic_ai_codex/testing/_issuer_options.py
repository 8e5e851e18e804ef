"""How the simulated login service behaves, as attributes that a test sets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from ._records import RecordedRequest

Duration: TypeAlias = timedelta | float
"""A number is seconds."""

TOKEN_FIELDS: Final = ('id_token', 'access_token', 'refresh_token', 'token_type', 'expires_in')


@dataclass(eq=False, kw_only=True)
class IssuerOptions:
    """How the login service behaves. See `SimulatedIssuer`, whose attributes they are."""

    access_token_lifetime: Duration = timedelta(days=10)
    refresh_token_lifetime: Duration | None = None
    answer_fields: Collection[str] = TOKEN_FIELDS
    revoke_family_on_reuse: bool = False
    revoke_old_access_tokens: bool = False
    before_answer: Callable[[RecordedRequest], object] | None = None
    auto_approve: bool = False
    auto_deny: bool = False
    any_port: bool = False
    exchange_api_key: bool = True
    device_login: bool = True
    device_interval: int = 5
    device_polls: int | None = None


def as_timedelta(duration: Duration) -> timedelta:
    return duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
