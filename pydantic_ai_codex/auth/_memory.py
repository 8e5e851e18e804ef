"""What a source remembers of refreshes that did not end well."""

from __future__ import annotations

import logging
import math
from typing import Final, NamedTuple

from .._clock import Clock
from ..errors import CodexError, CredentialsError, CredentialsRefreshError
from ._credentials import Credentials
from ._schedule import is_expired

_log: Final = logging.getLogger('pydantic_ai_codex')

_PAUSE: Final = 60.0
"""Seconds after a failure that may go away by itself in which nothing is asked, while the access token is valid."""

_SHORT_PAUSE: Final = 2.0
"""The same where it is not: long enough that all who wait for one refresh share its failure."""


class Unsaved(NamedTuple):
    """Tokens that are in memory only, as they could not be kept.

    Attributes:
        spent: The fingerprint of the refresh token that the store still holds.
        credentials: What it was spent for.
        retry_at: When to try again, on the clock's `monotonic`.
    """

    spent: str | None
    credentials: Credentials
    retry_at: float


class _Failed(NamedTuple):
    fingerprint: str | None
    error: CredentialsError
    at: float
    until: float


class Memory:
    """Failures, and tokens that could not be kept. Any thread may ask; one at a time, whose turn it is, changes it.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Each is replaced as a whole, so that other threads see the old one or the new one.
        self._failed: _Failed | None = None
        self._warned: str | None = None
        self._seen: tuple[str, float] | None = None
        self.unsaved: Unsaved | None = None
        """The tokens that are in memory only, if there are any."""

    def failure_of(self, credentials: Credentials, *, is_refused: bool = False) -> CredentialsError | None:
        """What stands in the way of asking for this login once more, as an error of its own.

        Args:
            credentials: The login.
            is_refused: Whether the backend refuses it, so that it is no use any more.
        """
        failed = self._failed
        if failed is None or failed.fingerprint != credentials.fingerprint:
            return None
        until = min(failed.until, failed.at + _SHORT_PAUSE) if is_refused and failed.until != math.inf else failed.until
        return None if until <= self._clock.monotonic() else _again(failed.error)

    def failed(self, error: CredentialsError, tried: Credentials, *, is_lost: bool) -> None:
        """Remember a failure, for the login that was to be refreshed.

        Args:
            error: The failure.
            tried: The login.
            is_lost: Whether the answer was lost, so that its refresh token may be spent.
        """
        pause = _SHORT_PAUSE
        now = self._clock.now()
        if isinstance(error, CredentialsRefreshError) and error.is_permanent:
            pause = math.inf
        elif not is_expired(tried, now=now):
            left = _PAUSE if tried.expires_at is None else (tried.expires_at - now).total_seconds()
            # An answer that was lost is not asked for again while the access token will do.
            pause = left if is_lost else min(_PAUSE, left)
        at = self._clock.monotonic()
        self._failed = _Failed(tried.fingerprint, error, at, at + pause)

    def succeeded(self) -> None:
        """Forget failures."""
        self._failed = None

    def keep(self, spent: str | None, credentials: Credentials) -> None:
        """Remember tokens that could not be kept; see `Unsaved`."""
        self.unsaved = Unsaved(spent, credentials, self._clock.monotonic() + _PAUSE)

    def successor_of(self, credentials: Credentials) -> Credentials:
        """The login that a stored one was spent for, where that could not be kept; else the stored one itself."""
        unsaved = self.unsaved
        return unsaved.credentials if unsaved is not None and unsaved.spent == credentials.fingerprint else credentials

    def is_time_to_save(self) -> bool:
        """Whether to try once more to keep what could not be kept."""
        unsaved = self.unsaved
        return unsaved is not None and unsaved.retry_at <= self._clock.monotonic()

    def tries_to_save(self) -> None:
        """Remember that it is tried now, and not again for a while."""
        if self.unsaved is not None:
            self.unsaved = self.unsaved._replace(retry_at=self._clock.monotonic() + _PAUSE)

    def saw(self, credentials: Credentials) -> None:
        """Remember which login there is, and since when, if there was another before."""
        seen = self._seen
        if seen is None or seen[0] != credentials.access_token:
            self._seen = (credentials.access_token, -math.inf if seen is None else self._clock.monotonic())

    def is_new(self, credentials: Credentials) -> bool:
        """Whether this login took the place of another less than a minute ago, whoever put it there and by what clock."""
        seen = self._seen
        return seen is not None and seen[0] == credentials.access_token and self._clock.monotonic() < seen[1] + _PAUSE

    def warn(self, error: CodexError) -> None:
        """Say once what keeps a login, which is still good for a while, from being refreshed."""
        if self._warned != str(error):
            self._warned = str(error)
            _log.warning('%s The access token is still valid, and used.', error)


def _again(error: CredentialsError) -> CredentialsError:
    """The same error anew: an instance that is raised twice would collect the traces of both."""
    build, arguments, fields = error.__reduce__()
    copy: CredentialsError = build(*arguments)
    copy.__dict__.update(fields)
    return copy
