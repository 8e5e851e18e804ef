"""When a token is refreshed; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from .._protocol.constants import REFRESH_MARGIN, UNREADABLE_EXPIRY_LIFETIME
from ._credentials import Credentials
from ._oauth import RefreshReason

_JITTER: Final = 120.0
"""Seconds by which processes that share a login differ, so that they do not all ask at once."""

_YOUTH: Final = 60.0
"""Seconds for which tokens count as just got; for tokens that live for a shorter time, half of that."""


def refresh_reason(credentials: Credentials, *, now: datetime, jitter: float) -> RefreshReason | None:
    """Why a login is to be refreshed now, or `None` where it is not.

    A token that says when it expires is refreshed ten to twelve minutes before that (one that lives for a shorter time:
    at half of it); any other one eight days after it was got. The CLI does the same, some minutes later (captured).

    Args:
        credentials: The login.
        now: The time.
        jitter: A number from 0 to 1, the same for a process as long as it lives.
    """
    if credentials.auth_mode == 'apikey' or credentials.refresh_token is None:
        return None
    margin = timedelta(seconds=REFRESH_MARGIN + _JITTER * jitter)
    got_at = credentials.issued_at or credentials.last_refresh
    if (expires_at := credentials.expires_at) is not None:
        if got_at is not None and got_at < expires_at:
            margin = min(margin, (expires_at - got_at) / 2)
        return 'proactive_expiry' if expires_at - now <= margin else None
    if credentials.last_refresh is None:
        return None
    age = now - credentials.last_refresh
    return 'scheduled' if age >= timedelta(seconds=UNREADABLE_EXPIRY_LIFETIME) - margin else None


def is_young(credentials: Credentials, *, now: datetime) -> bool:
    """Whether the tokens were got just now: another refresh would not help where these are refused, or look expired.

    That keeps a backend that refuses everything, or a clock that is wrong, from spending a token with each request.
    """
    got_at = credentials.last_refresh
    if got_at is None:
        return False
    youth = timedelta(seconds=_YOUTH)
    if credentials.expires_at is not None and credentials.expires_at > got_at:
        youth = min(youth, (credentials.expires_at - got_at) / 2)
    return timedelta(0) <= now - got_at < youth


def is_expired(credentials: Credentials, *, now: datetime) -> bool:
    """Whether the access token says that it has expired; one that says nothing counts as valid."""
    return credentials.expires_at is not None and credentials.expires_at <= now
