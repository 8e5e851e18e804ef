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
    """How the login service behaves; each can be changed at any time.

    Attributes:
        access_token_lifetime: For how long the access tokens that it issues can be used; a number is seconds.
        refresh_token_lifetime: For how long a refresh token can be used; `None` is without an end.
        answer_fields: What of an answer with tokens is sent. The CLI takes any subset (captured); where the refresh
            token is left out, the old one stays usable.
        revoke_family_on_reuse: Whether a refresh token that is used a second time ends its login, too.
        revoke_old_access_tokens: Whether a refresh ends the access tokens of before; else they last until they expire.
        before_answer: Called, in a thread, with every request to the token endpoint, when it is done and before it is
            answered: the place where a test ends a process that has spent its refresh token.
        auto_approve: Whether the authorize URL redirects at once, in place of a page that asks.
        auto_deny: Whether it redirects with `access_denied` at once.
        any_port: Whether any port of 127.0.0.1 will do for the redirect URI, besides the two that are registered.
        exchange_api_key: Whether an ID token can be exchanged for an API key; else that is refused.
        device_login: Whether the account allows the device login; else it is answered with 404.
        device_interval: The seconds between two polls that the device login asks for.
        device_polls: After how many polls a device login is approved by itself; `None` is never.
    """

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
