"""One refresh: what happens while the login is locked.

```
load again: adopt what somebody else put there ─ look for the note of a refresh that was cut off ─ can it be written?
 ─ note that a refresh begins ─ ask ─ save ─ take the note back
```

What is never done: spend a token whose successor could not be kept, or a token that may be spent already.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final, cast

from .._clock import Clock
from ..errors import (
    AccountChangedError,
    ConfigurationError,
    CredentialsError,
    CredentialsRefreshError,
    CredentialsSaveError,
    TransportError,
)
from ._abilities import NotingStore, lock_of
from ._credentials import Credentials
from ._file.notes import RefreshNote, new_note
from ._http import AuthHTTP, Reply
from ._oauth import Endpoints, Failure, RefreshReason, failure_of, permanent_failure, refresh_body, refreshed
from ._schedule import is_expired, refresh_reason
from ._secrets import secrets_of
from ._store import CredentialStore

_log: Final = logging.getLogger('pydantic_ai_codex')

LOG_IN: Final = 'Run `pydantic-ai-codex login` (or `codex login`) to log in anew.'

_RETRY_DELAYS: Final = (0.5, 1.0, 2.0)
"""Seconds before the service is asked again, where the access token is no longer valid."""

_LATE_WRITES: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between looks at the store after a refusal: whoever spent the token writes a moment later (captured: the CLI
asks without a lock and saves afterwards)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a refresh ended.

    Attributes:
        credentials: The login that is usable now.
        is_refreshed: Whether it is new, or was put there by somebody else.
        spent: The fingerprint of the refresh token that it was got with.
        unsaved: Why it could not be kept, where it could not.
    """

    credentials: Credentials
    is_refreshed: bool = False
    spent: str | None = None
    unsaved: CredentialsSaveError | None = None


class Refresher:
    """Refreshes the login of a store; the caller sees to it that one thread of this process does at a time.

    Args:
        store: Where the login is kept.
        http: Reaches the login service.
        endpoints: The login service.
        clock: Time.
    """

    def __init__(self, store: CredentialStore, *, http: AuthHTTP, endpoints: Endpoints, clock: Clock) -> None:
        self._store = store
        self._notes = store if isinstance(store, NotingStore) else None
        self._http = http
        self._endpoints = endpoints
        self._clock = clock

    async def refresh(
        self, used: Credentials, reason: RefreshReason, *, jitter: float, consent: bool = False, adopt: bool = True
    ) -> Outcome:
        """Get a login that is newer than the one that was used.

        Args:
            used: The login that is due, or was refused.
            reason: Why.
            jitter: As in `refresh_reason`.
            consent: Whether to ask even where an earlier refresh was cut off, so that the token may be spent.
            adopt: Whether another login in the store will do.

        Raises:
            CredentialsError: If there is no new login to be had.
        """
        async with lock_of(self._store):
            current = await read(self._store)
            check_account(current, used, self._store)
            is_new = current.access_token != used.access_token
            if adopt and is_new and refresh_reason(current, now=self._clock.now(), jitter=jitter) is None:
                return Outcome(current)
            if (finished := await self._look_at_notes(current, consent=consent)) is not None:
                return Outcome(finished)
            return await self._spend(current, reason)

    async def save(self, spent: str | None, credentials: Credentials) -> None:
        """Keep tokens that could not be kept before, unless something else is in their place by now.

        Args:
            spent: The fingerprint of the token that they were got with.
            credentials: The tokens.

        Raises:
            CredentialsError: If they still cannot be kept.
        """
        async with lock_of(self._store):
            if (await read(self._store)).fingerprint == spent:
                await self._store.save(credentials)
                await self._clear_note()

    async def finish_save(self) -> bool:
        """Put the tokens in place that a process had written down whole when it was killed; whether there were any."""
        if self._notes is None:
            return False
        async with lock_of(self._store):
            return await self._notes.finish_save()

    async def _look_at_notes(self, current: Credentials, *, consent: bool) -> Credentials | None:
        """What became of an earlier refresh of the same token; the login, where it only was not put in place."""
        note = None if self._notes is None else await self._notes.read_note()
        if self._notes is None or note is None:
            return None
        if note.fingerprint != current.fingerprint:
            await self._notes.clear_note()  # Somebody has logged in, or refreshed, since.
            return None
        if note.state == 'failed':
            raise refusal(permanent_failure(note.code))
        if await self._notes.finish_save():
            await self._notes.clear_note()
            _log.warning('The refresh %s was cut off; it has been finished now, and its tokens are kept.', _told(note))
            return await read(self._store)
        if not consent:
            raise CredentialsRefreshError(
                f'The refresh {_told(note)} was cut off before its answer was kept, so the refresh token may be spent. Run '
                '`pydantic-ai-codex refresh` to try it all the same, or `pydantic-ai-codex login` (or `codex login`) to '
                'log in anew.',
                is_interrupted=True,
            )
        return None

    async def _spend(self, current: Credentials, reason: RefreshReason) -> Outcome:
        if current.refresh_token is None or current.fingerprint is None:
            raise CredentialsRefreshError(
                f'The login has no refresh token, so it cannot be refreshed. {LOG_IN}', is_permanent=True
            )
        if self._notes is not None:
            await self._notes.check_writable()
            await self._notes.write_note(new_note(current.fingerprint, 'started', now=self._clock.now()))
        try:
            reply = await self._ask(current.refresh_token, reason, is_urgent=is_expired(current, now=self._clock.now()))
        except TransportError as error:
            await self._clear_note()
            raise CredentialsRefreshError(f'The login could not be refreshed: {error}') from error
        if reply.status_code != 200:
            return await self._refused(current, failure_of(reply, secrets=secrets_of(current)), reply.status_code)
        try:
            new = refreshed(current, reply, now=self._clock.now())
        except CredentialsRefreshError:
            await self._clear_note()
            raise
        return await self._keep(current, new)

    async def _ask(self, refresh_token: str, reason: RefreshReason, *, is_urgent: bool) -> Reply:
        """The answer of the service, which is asked again where it did not take the request and time presses."""
        delays = list(_RETRY_DELAYS) if is_urgent else []
        while True:
            try:
                reply = await self._http.post_json(
                    self._endpoints.token, refresh_body(refresh_token, reason), identify=True
                )
            except TransportError as error:
                # A request that was sent may have spent the token: it is not repeated at once.
                if error.phase not in ('pool', 'connect') or not delays:
                    raise
            else:
                if (reply.status_code != 429 and reply.status_code < 500) or not delays:
                    return reply
            await self._clock.sleep(delays.pop(0))

    async def _refused(self, current: Credentials, failure: Failure, status_code: int) -> Outcome:
        if not failure.is_permanent:
            await self._clear_note()
            raise refusal(failure, status_code)
        for delay in (0.0, *_LATE_WRITES):
            if delay:
                await self._clock.sleep(delay)
            try:
                late = await read(self._store)
            except CredentialsError:
                continue
            if late.fingerprint != current.fingerprint:
                check_account(late, current, self._store)
                await self._clear_note()
                return Outcome(late)
        if self._notes is not None and current.fingerprint is not None:
            note = new_note(current.fingerprint, 'failed', now=self._clock.now(), code=failure.code)
            await self._notes.write_note(note)
        raise refusal(failure, status_code)

    async def _keep(self, current: Credentials, new: Credentials) -> Outcome:
        """Put the new tokens into the store; where that fails they are in memory, and the note stays."""
        try:
            there = await read(self._store)
        except CredentialsError:
            there = current
        if there.fingerprint != current.fingerprint:
            await self._clear_note()
            return Outcome(there)  # Somebody has logged in meanwhile. The CLI lets the newer login stand, too.
        try:
            await self._store.save(new)
        except Exception as error:  # noqa: BLE001 - a store of the user's may raise anything, and the tokens are spent
            return Outcome(new, is_refreshed=True, spent=current.fingerprint, unsaved=_not_kept(error))
        await self._clear_note()
        return Outcome(new, is_refreshed=True, spent=current.fingerprint)

    async def _clear_note(self) -> None:
        if self._notes is not None:
            await self._notes.clear_note()


async def read(store: CredentialStore) -> Credentials:
    """The login in a store, and nothing else.

    Raises:
        CredentialsError: If there is none that can be used.
        ConfigurationError: If the store is not what a store has to be.
    """
    loading: object = store.load()
    if not isinstance(loading, Awaitable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f'The `load` of the store {type(store).__name__} has to be an `async def`.')
    credentials = await cast('Awaitable[Any]', loading)
    if not isinstance(credentials, Credentials):
        raise ConfigurationError(
            f'The `load` of the store returned a {type(credentials).__name__}, and has to return `Credentials`.'
        )
    return credentials


def same_account(one: Credentials, other: Credentials) -> bool:
    """Whether a conversation may go on with the other login: never silently under another account."""
    return (one.account_id, one.auth_mode) == (other.account_id, other.auth_mode)


def check_account(now: Credentials, before: Credentials, store: CredentialStore) -> None:
    """See that the login is still the same account's.

    Raises:
        AccountChangedError: If it is not.
    """
    if not same_account(now, before):
        raise AccountChangedError(
            f'{place_of(store)} holds the login of another account than before. Make a new `CodexProvider` (or restart '
            'the program) to go on with it, or log in with the first account again; for several accounts at once, give '
            'each its own file.'
        )


def place_of(store: CredentialStore) -> str:
    """Where a store keeps its login, in words that begin a sentence."""
    describe: object = getattr(store, 'describe', None)
    words = str(describe()) if callable(describe) else f'the store {type(store).__name__}'
    return words[:1].upper() + words[1:]


def refusal(failure: Failure, status_code: int | None = None) -> CredentialsRefreshError:
    """The error of a failure."""
    if failure.is_permanent:
        next_step = LOG_IN
        if failure.code == 'refresh_token_reused':
            next_step += ' Programs that use one login have to share one file; a copy of it is spent by the first.'
    else:
        next_step = 'It is tried again later; should it go on, log in anew.'
    return CredentialsRefreshError(
        f'The login could not be refreshed. {failure.message}. {next_step}',
        code=failure.code,
        status_code=status_code,
        is_permanent=failure.is_permanent,
    )


def _told(note: RefreshNote) -> str:
    return f'that process {note.pid} on {note.host} began at {note.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC'


def _not_kept(error: Exception) -> CredentialsSaveError:
    if isinstance(error, CredentialsSaveError):
        return error
    ours = CredentialsSaveError(
        f'The new tokens could not be kept ({type(error).__name__}: {error}). They are in the memory of this process, '
        'and saving is tried again at later requests; mend the store before it ends, or log in anew afterwards.'
    )
    ours.__cause__ = error
    return ours
