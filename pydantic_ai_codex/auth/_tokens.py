"""`TokenSource`: a login that stays usable, whoever else uses it."""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

import anyio

from .._clock import Clock, SystemClock
from ..errors import (
    AccountChangedError,
    ConfigurationError,
    CredentialsError,
    CredentialsFileError,
    CredentialsRefreshError,
    CredentialsSaveError,
)
from ._credentials import Credentials
from ._detached import run_to_its_end
from ._http import AuthHTTP
from ._oauth import Endpoints, RefreshReason, endpoints_from_environment
from ._refresh import Outcome, Refresher, check_account, place_of, read
from ._schedule import is_expired, refresh_reason
from ._sources import EnvironmentStore
from ._store import AuthFile, CredentialStore, MemoryStore

RefreshMode: TypeAlias = Literal['auto', 'never']
"""Whether a login is refreshed here when it is due, or only ever read."""

_log: Final = logging.getLogger('pydantic_ai_codex')

_POLL: Final = 0.02
"""Seconds between two looks at what another thread of this process is doing."""

_PAUSE: Final = 60.0
"""Seconds after a failure that may go away by itself in which nothing is asked, while the access token is valid."""

_SHORT_PAUSE: Final = 2.0
"""The same where it is not: long enough that all who wait for one refresh share its failure."""

_YOUNG: Final = 60.0
"""Seconds for which a token that was just got is not refreshed again: if it is refused, a newer one will be, too."""


class Recovered(NamedTuple):
    """What a refused login is replaced by.

    Attributes:
        credentials: Another login of the same account.
        is_refreshed: Whether it was got by refreshing, or was there already.
    """

    credentials: Credentials
    is_refreshed: bool


@dataclass(frozen=True)
class _Failed:
    """The last failure, and the refresh token that it is about."""

    fingerprint: str | None
    error: CredentialsError
    until: float
    """On the clock's `monotonic`; infinite for a failure that will not go away."""


@dataclass(frozen=True)
class _Unsaved:
    """Tokens that are in memory only."""

    spent: str | None
    """The fingerprint of the refresh token that the store still holds."""
    credentials: Credentials
    retry_at: float


class TokenSource:
    """Hands out a login that is usable now, and refreshes it when that is due.

    Any number of threads and event loops may ask one source, and any number of sources and processes may share a store:
    one of them refreshes, the others take over what it got. While the access token is valid nobody waits for another,
    and a failure to refresh it is only logged.

    Args:
        store: Where the login is kept.
        refresh: `never` only reads: no refresh token is ever spent.
        http: Reaches the login service; by default with an HTTP client of our own.
        endpoints: The login service; by default OpenAI's, or what `CODEX_REFRESH_TOKEN_URL_OVERRIDE` names.
        clock: Time and chance; by default those of this machine.

    Raises:
        ConfigurationError: If an argument cannot work.
    """

    def __init__(
        self,
        store: CredentialStore,
        *,
        refresh: RefreshMode = 'auto',
        http: AuthHTTP | None = None,
        endpoints: Endpoints | None = None,
        clock: Clock | None = None,
    ) -> None:
        if refresh not in ('auto', 'never'):
            raise ConfigurationError(f"`refresh` takes 'auto' or 'never', not {refresh!r}.")
        if not isinstance(store, CredentialStore):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f'A store has `load` and `save`, which a {type(store).__name__} has not; for a file pass '
                '`AuthFile(path)`.'
            )
        self.store = store
        """Where the login is kept."""
        self.mode: RefreshMode = refresh
        """Whether it is refreshed here."""
        self._http = http or AuthHTTP()
        self._endpoints = endpoints
        self._clock = clock or SystemClock()
        self._jitter = self._clock.random()
        self._busy = threading.Lock()
        # Each is replaced as a whole, so that other threads see the old one or the new one.
        self._failed: _Failed | None = None
        self._unsaved: _Unsaved | None = None
        self._young: tuple[str, float] | None = None
        self._warned: str | None = None
        self._first_seen: dict[str, Credentials] = {}

    def __repr__(self) -> str:
        return f'TokenSource({self.store!r}, refresh={self.mode!r})'

    async def credentials(self) -> Credentials:
        """A login that is usable now, as far as can be told here.

        Raises:
            CredentialsError: If there is none, or it has expired and could not be refreshed.
        """
        while True:
            credentials = await self._load()
            reason = self._due(credentials)
            if reason is None:
                await self._save_again()
                return credentials
            has_expired = is_expired(credentials, now=self._clock.now())
            failed = self._failure_of(credentials)
            if failed is not None:
                if has_expired:
                    raise _again(failed.error)
                return credentials
            if not self._busy.locked():
                renewed = await self._try_to_refresh(credentials, reason, must=has_expired)
                if renewed is not None:
                    return renewed
            if not has_expired:
                return credentials
            await anyio.sleep(_POLL)

    async def recover(self, refused: Credentials, *, may_refresh: bool = True) -> Recovered | None:
        """Another login in place of one that the backend refused.

        Args:
            refused: The login that was refused.
            may_refresh: Whether to refresh where the store holds no other.

        Returns:
            The login, or `None` where there is no other: it is an API key, has no refresh token, or was got just now.

        Raises:
            CredentialsError: If it could not be refreshed, or the account has changed.
        """
        while True:
            current = await self._load()
            if current.access_token != refused.access_token:
                check_account(current, refused, self.store)
                return Recovered(current, is_refreshed=False)
            if not may_refresh or not self._can_refresh(current) or self._is_young(current):
                return None
            if (failed := self._failure_of(current)) is not None:
                raise _again(failed.error)
            if not self._busy.locked():
                outcome = await self._detached_refresh(current, 'unauthorized_recovery')
                if outcome is not None:
                    return Recovered(outcome.credentials, outcome.is_refreshed)
            await anyio.sleep(_POLL)

    async def refresh(self) -> Credentials:
        """Refresh now, due or not, and even where an earlier refresh was cut off so that the token may be spent.

        Raises:
            CredentialsError: If it could not be refreshed, or the new tokens could not be kept.
            ConfigurationError: If refreshing is switched off, or the login is an API key.
        """
        if self.mode == 'never':
            raise ConfigurationError("This source has `refresh='never'`, so nothing is refreshed.")
        while True:
            current = await self._load()
            if current.auth_mode == 'apikey':
                raise ConfigurationError('The login is an API key, which does not expire; there is nothing to refresh.')
            outcome = await self._detached_refresh(current, 'forced', consent=True, adopt=False)
            if outcome is not None:
                return outcome.credentials
            await anyio.sleep(_POLL)

    async def _try_to_refresh(self, used: Credentials, reason: RefreshReason, *, must: bool) -> Credentials | None:
        """The new login, or the old one where it cannot be refreshed yet; `None` where another thread is at it."""
        try:
            outcome = await self._detached_refresh(used, reason)
        except (AccountChangedError, CredentialsSaveError):
            raise
        except CredentialsError as error:
            if must:
                raise
            self._warn(error)
            return used
        return None if outcome is None else outcome.credentials

    async def _load(self) -> Credentials:
        """The login as it is now: what the store holds, or the successor of that which could not be kept."""
        try:
            credentials = await read(self.store)
        except CredentialsFileError as error:
            if not error.is_torn or self.mode == 'never' or not await self._refresher().finish_save():
                raise
            credentials = await read(self.store)
        if isinstance(self.store, AuthFile | EnvironmentStore):
            check_account(credentials, self._first_seen.setdefault(place_of(self.store), credentials), self.store)
        unsaved = self._unsaved
        if unsaved is not None and unsaved.spent == credentials.fingerprint:
            return unsaved.credentials
        return credentials

    def _can_refresh(self, credentials: Credentials) -> bool:
        return self.mode == 'auto' and credentials.auth_mode == 'chatgpt' and credentials.refresh_token is not None

    def _due(self, credentials: Credentials) -> RefreshReason | None:
        if not self._can_refresh(credentials):
            return None
        return refresh_reason(credentials, now=self._clock.now(), jitter=self._jitter)

    def _is_young(self, credentials: Credentials) -> bool:
        young = self._young
        return young is not None and young[0] == credentials.access_token and self._clock.monotonic() < young[1]

    def _failure_of(self, credentials: Credentials) -> _Failed | None:
        """The failure that stands in the way of asking for this login once more."""
        failed = self._failed
        if failed is None or failed.fingerprint != credentials.fingerprint or failed.until <= self._clock.monotonic():
            return None
        return failed

    def _warn(self, error: CredentialsError) -> None:
        """Say once what keeps a login, which is still good for a while, from being refreshed."""
        if self._warned != str(error):
            self._warned = str(error)
            _log.warning('%s The access token is still valid, and used.', error)

    async def _detached_refresh(
        self, used: Credentials, reason: RefreshReason, *, consent: bool = False, adopt: bool = True
    ) -> Outcome | None:
        """Refresh, whatever becomes of the caller; `None` where another thread is at it."""
        job = partial(self._refresh, used, reason, consent=consent, adopt=adopt)
        return await run_to_its_end(job, here=self._is_bound)

    @property
    def _is_bound(self) -> bool:
        """Whether a refresh uses what may be bound to the event loop of the caller."""
        return type(self.store) not in (AuthFile, EnvironmentStore, MemoryStore) or self._http.is_bound

    async def _refresh(self, used: Credentials, reason: RefreshReason, *, consent: bool, adopt: bool) -> Outcome | None:
        if not self._busy.acquire(blocking=False):
            return None
        try:
            if (unsaved := self._unsaved) is not None:
                # The store holds a spent token. Nothing more is spent before its successor is kept.
                await self._refresher().save(unsaved.spent, unsaved.credentials)
                self._unsaved = None
            outcome = await self._refresher().refresh(used, reason, jitter=self._jitter, consent=consent, adopt=adopt)
        except CredentialsError as error:
            self._failed = _Failed(used.fingerprint, error, self._pause_after(error, used))
            raise
        else:
            self._note(outcome)
        finally:
            self._busy.release()
        if outcome.unsaved is not None:
            raise outcome.unsaved
        return outcome

    def _refresher(self) -> Refresher:
        endpoints = self._endpoints or endpoints_from_environment()
        return Refresher(self.store, http=self._http, endpoints=endpoints, clock=self._clock)

    def _note(self, outcome: Outcome) -> None:
        now = self._clock.monotonic()
        self._failed = None
        self._unsaved = None
        if outcome.is_refreshed:
            self._young = (outcome.credentials.access_token, now + _YOUNG)
        if outcome.unsaved is not None:
            self._unsaved = _Unsaved(outcome.spent, outcome.credentials, now + _PAUSE)

    def _pause_after(self, error: CredentialsError, used: Credentials) -> float:
        if isinstance(error, CredentialsRefreshError) and error.is_permanent:
            return math.inf
        has_expired = is_expired(used, now=self._clock.now())
        return self._clock.monotonic() + (_SHORT_PAUSE if has_expired else _PAUSE)

    async def _save_again(self) -> None:
        """Try once more to keep what could not be kept, from time to time."""
        unsaved = self._unsaved
        if unsaved is None or self._clock.monotonic() < unsaved.retry_at or self._busy.locked():
            return
        self._unsaved = replace(unsaved, retry_at=self._clock.monotonic() + _PAUSE)
        try:
            await run_to_its_end(partial(self._save_now, unsaved), here=self._is_bound)
        except CredentialsError as error:
            self._warn(error)

    async def _save_now(self, unsaved: _Unsaved) -> None:
        if not self._busy.acquire(blocking=False):
            return
        try:
            await self._refresher().save(unsaved.spent, unsaved.credentials)
            self._unsaved = None
        finally:
            self._busy.release()


def _again(error: CredentialsError) -> CredentialsError:
    """The same error anew: an instance that is raised twice would collect the traces of both."""
    build, arguments, fields = error.__reduce__()
    copy: CredentialsError = build(*arguments)
    copy.__dict__.update(fields)
    return copy
