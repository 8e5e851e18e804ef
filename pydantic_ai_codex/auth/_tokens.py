"""`TokenSource`: a login that stays usable, whoever else uses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

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
from ._file.lock import LockedError
from ._http import AuthHTTP
from ._memory import Memory
from ._oauth import Endpoints, RefreshReason
from ._refresh import Outcome, Refresh
from ._safe_store import SafeStore
from ._schedule import is_expired, is_young, refresh_reason
from ._store import CredentialStore
from ._turn import Ticket, Turn

_T = TypeVar('_T')

RefreshMode: TypeAlias = Literal['auto', 'never']
"""Whether a login is refreshed here when it is due, or only ever read."""

_POLL: Final = 0.02
"""Seconds between two looks at what another thread of this process is doing."""

_LONGEST_WAIT: Final = 150.0
_WAITS: Final = round(_LONGEST_WAIT / _POLL)
"""Seconds, and looks, to wait for it: a refresh gives up before, unless the event loop that it is on has stopped."""


class Recovered(NamedTuple):
    """What a refused login is replaced by.

    Attributes:
        credentials: Another login of the same account.
        is_refreshed: Whether it was got by refreshing, or was there already.
    """

    credentials: Credentials
    is_refreshed: bool


class TokenSource:
    """Hands out a login that is usable now, and refreshes it when that is due.

    Any number of threads and event loops may ask one source. Any number of sources and processes may share a file, or
    another store with a `lock()`: one of them refreshes, the others take over what it got. A store without `lock()` is
    for one source alone. While the access token is valid nobody waits for another thread, or for a process that
    has the file locked, and what keeps it from being refreshed is only logged. New tokens that cannot be kept are an
    error all the same, once; they stay in use.

    Args:
        store: Where the login is kept.
        refresh: `never` only reads: no refresh token is ever spent.
        http: Reaches the login service; by default with an HTTP client of our own.
        endpoints: The login service; by default the one that the login comes from, or what
            `CODEX_REFRESH_TOKEN_URL_OVERRIDE` names.
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
        _check(store, refresh, http, endpoints)
        self.store = store
        """Where the login is kept."""
        self.mode: RefreshMode = refresh
        """Whether it is refreshed here."""
        self._safe = SafeStore(store)
        self._http = http or AuthHTTP()
        self._endpoints = endpoints
        self._clock = clock or SystemClock()
        self._jitter = self._clock.random()
        self._turn = Turn()
        self._memory = Memory(self._clock)
        self._first_seen: dict[Path | None, Credentials] = {}

    def __repr__(self) -> str:
        return f'TokenSource({self.store!r}, refresh={self.mode!r})'

    @property
    def place(self) -> str:
        """Where the login is kept, in words, for messages."""
        return self._safe.place

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
            is_valid = not is_expired(credentials, now=self._clock.now())
            failed = self._memory.failure_of(credentials)
            if is_valid and (failed is not None or not self._turn.is_free):
                return credentials
            if failed is not None:
                raise failed
            outcome = await self._refresh_or_go_on(credentials, reason, is_valid=is_valid)
            if outcome is not None:
                return outcome.credentials

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
                self._safe.check_account(current, refused)
                return Recovered(current, is_refreshed=False)
            if not may_refresh or not self._can_refresh(current) or self._is_new(current):
                return None
            if (failed := self._memory.failure_of(current, is_refused=True)) is not None:
                raise failed
            outcome = await self._refresh_in_turn(current, 'unauthorized_recovery')
            if outcome is not None:
                return Recovered(outcome.credentials, outcome.is_refreshed)

    def _is_new(self, credentials: Credentials) -> bool:
        """Whether a newer login would be refused as well: this one was got just now, here or elsewhere."""
        return is_young(credentials, now=self._clock.now()) or self._memory.is_new(credentials)

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
            outcome = await self._refresh_in_turn(current, 'forced', adopt=False)
            if outcome is not None:
                return outcome.credentials

    async def _load(self) -> Credentials:
        """The login as it is now: what the store holds, or the successor of that which could not be kept."""
        try:
            credentials = await self._safe.load()
        except CredentialsFileError as error:
            if not error.is_torn or self.mode == 'never':
                raise
            with suppress(CredentialsError):  # What is wrong with the file says more.
                await self._new_refresh().finish_save()
            credentials = await self._safe.load()
        if self._safe.is_file:
            self._check_first(credentials)
        credentials = self._memory.successor_of(credentials)
        self._memory.saw(credentials)
        return credentials

    def _check_first(self, credentials: Credentials) -> None:
        """See that a file holds the account that it held when it was first read."""
        path = self._safe.last_path
        first = self._first_seen.setdefault(path, credentials)
        self._safe.check_account(credentials, first)
        if first.account_id is None and credentials.account_id is not None:
            self._first_seen[path] = credentials

    def _can_refresh(self, credentials: Credentials) -> bool:
        return self.mode == 'auto' and credentials.auth_mode == 'chatgpt' and credentials.refresh_token is not None

    def _due(self, credentials: Credentials) -> RefreshReason | None:
        now = self._clock.now()
        if not self._can_refresh(credentials) or is_young(credentials, now=now):
            return None
        return refresh_reason(credentials, now=now, jitter=self._jitter)

    async def _refresh_or_go_on(self, used: Credentials, reason: RefreshReason, *, is_valid: bool) -> Outcome | None:
        """Refresh; where that fails while the login is valid, go on with it. `None` where another thread is at it."""
        try:
            return await self._refresh_in_turn(used, reason, waits=not is_valid)
        except (AccountChangedError, CredentialsSaveError):
            raise
        except (CredentialsError, ConfigurationError) as error:
            if not is_valid:
                raise
            if not isinstance(error.__cause__, LockedError):
                self._memory.warn(error)
            return Outcome(used)

    async def _refresh_in_turn(
        self, used: Credentials, reason: RefreshReason, *, waits: bool = True, adopt: bool = True
    ) -> Outcome | None:
        """Refresh, whatever becomes of the caller; `None` where it was the turn of another thread."""
        if (ticket := self._take()) is None:
            if waits:
                await self._wait()
            return None
        refresh = self._new_refresh()
        try:
            return await self._in_turn(ticket, partial(self._refresh, refresh, used, reason, waits=waits, adopt=adopt))
        except BaseException:
            # Nobody waits any more: what is under way is ended well, and not tried again.
            refresh.is_wanted = False
            raise

    def _take(self) -> Ticket | None:
        return self._turn.take(here=self._runs_here)

    @property
    def _runs_here(self) -> bool:
        """Whether a refresh has to run on the event loop of the caller."""
        return self._safe.is_bound or self._http.is_bound

    async def _in_turn(self, ticket: Ticket, job: Callable[[], Awaitable[_T]]) -> _T:
        """Run a job to its end, and give the turn back after it."""
        return await run_to_its_end(job, here=self._runs_here, at_end=partial(self._turn.give_back, ticket))

    async def _wait(self) -> None:
        for _ in range(_WAITS):
            if self._turn.is_free:
                return
            await anyio.sleep(_POLL)
        raise CredentialsRefreshError(
            f'Another thread has been refreshing the login for {_LONGEST_WAIT:.0f} seconds. Most likely the event loop '
            'that it runs on has stopped; close it, then try again.'
        )

    async def _refresh(
        self, refresh: Refresh, used: Credentials, reason: RefreshReason, *, waits: bool, adopt: bool
    ) -> Outcome:
        patience = None if waits else 0
        try:
            if self._memory.unsaved is not None:
                # The store holds a spent token. Nothing more is spent before its successor is kept.
                await self._save_now(refresh)
            outcome = await refresh.run(used, reason, jitter=self._jitter, patience=patience, adopt=adopt)
        except LockedError as error:
            # Not the user's to mend: whoever holds the lock ends some time.
            raise CredentialsRefreshError(error.message) from error
        except CredentialsError as error:
            self._memory.failed(error, refresh.tried or used, is_lost=refresh.is_lost)
            raise
        except BaseException:
            # Cancelled while it saved, as when the event loop ends: the next one of this process goes on from here.
            if refresh.tried is not None and refresh.got is not None:
                self._memory.keep(refresh.tried.fingerprint, refresh.got)
            raise
        self._memory.succeeded()
        if outcome.unsaved is not None:
            self._memory.keep(outcome.spent, outcome.credentials)
            raise outcome.unsaved
        return outcome

    def _new_refresh(self) -> Refresh:
        return Refresh(self._safe, http=self._http, endpoints=self._endpoints, clock=self._clock)

    async def _save_again(self) -> None:
        """Try once more to keep what could not be kept, from time to time."""
        if not self._memory.is_time_to_save() or (ticket := self._take()) is None:
            return
        self._memory.tries_to_save()
        try:
            await self._in_turn(ticket, partial(self._save_now, self._new_refresh()))
        except CredentialsError as error:
            self._memory.warn(error)

    async def _save_now(self, refresh: Refresh) -> None:
        if (unsaved := self._memory.unsaved) is not None:
            await refresh.save(unsaved.spent, unsaved.credentials)
            self._memory.unsaved = None


def _check(store: object, refresh: object, http: object, endpoints: object) -> None:
    if refresh not in ('auto', 'never'):
        raise ConfigurationError(f"`refresh` takes 'auto' or 'never', not {refresh!r}.")
    if isinstance(store, type) or not isinstance(store, CredentialStore):
        what = f'the class {store.__name__}' if isinstance(store, type) else f'a {type(store).__name__}'
        raise ConfigurationError(
            f'A store is an object with `load` and `save`, which {what} is not; for a file pass `AuthFile(path)`.'
        )
    if not isinstance(http, AuthHTTP | None):
        raise ConfigurationError(f'`http` takes an `AuthHTTP`, not a {type(http).__name__}.')
    if not isinstance(endpoints, Endpoints | None):
        raise ConfigurationError(f'`endpoints` takes `Endpoints`, such as `Endpoints.of(issuer)`, not {endpoints!r}.')
