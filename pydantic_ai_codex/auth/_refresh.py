"""One refresh: what happens while the login is locked.

```
load again: adopt what somebody else put there ─ look for the note of a refresh that was cut off ─ can it be written?
 ─ note that a refresh begins ─ ask ─ load again ─ save ─ take the note back
```

A token is not spent where its successor could not be kept. One that may be spent already is not sent again: after a
kill, not without the user's word; after an answer that was lost on the way, not while the access token is valid.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC
from typing import Final, NamedTuple

from .._clock import Clock
from .._http_reply import Reply
from ..errors import (
    ConfigurationError,
    CredentialsError,
    CredentialsFileError,
    CredentialsNotFoundError,
    CredentialsRefreshError,
    CredentialsSaveError,
    TransportError,
)
from ._credentials import Credentials
from ._file.login_file import SupersededError
from ._file.notes import RefreshNote, RefreshState, new_note
from ._http import AuthHTTP
from ._oauth import Endpoints, Failure, RefreshReason, endpoints_of, failure_of, permanent_failure, refresh_body
from ._oauth import refreshed as refreshed_by
from ._safe_store import SafeStore
from ._schedule import is_expired, is_young, refresh_reason
from ._secrets import secrets_of

_log: Final = logging.getLogger('pydantic_ai_codex')

_RETRY_DELAYS: Final = (0.5, 1.0, 2.0)
"""Seconds before the service is asked again, where the access token is no longer valid."""

_NOT_TAKEN: Final = frozenset({429, 500, 503})
"""Statuses with which the service says that it did nothing (the CLI asks again after 500, captured). Behind 502 and 504
the request may have arrived."""

_UNKNOWN: Final = frozenset({200, 502, 504})
"""Statuses that, without tokens, leave open whether the token is spent."""

_LATE_WRITES: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between looks at the store after a refusal: whoever spent the token writes a moment later (captured: the CLI
asks without a lock and saves afterwards)."""


class Outcome(NamedTuple):
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


class Refresh:
    """One refresh of the login in a store; the caller sees to it that one thread of this process does at a time.

    Args:
        store: Where the login is kept.
        http: Reaches the login service.
        endpoints: The login service; by default the one that the login comes from.
        clock: Time.
    """

    def __init__(self, store: SafeStore, *, http: AuthHTTP, endpoints: Endpoints | None, clock: Clock) -> None:
        self._store = store
        self._http = http
        self._endpoints = endpoints
        self._clock = clock
        self.tried: Credentials | None = None
        """The login that the service was asked to refresh, once it was."""
        self.got: Credentials | None = None
        """What it was spent for, as long as that is kept nowhere else."""
        self.is_wanted = True
        """Whether somebody still waits for it; any thread may say no."""
        self.is_lost = False
        """Whether the answer was lost, so that the token may be spent."""

    async def run(
        self,
        used: Credentials,
        reason: RefreshReason,
        *,
        jitter: float,
        patience: float | None = None,
        adopt: bool = True,
    ) -> Outcome:
        """Get a login that is newer than the one that was used.

        Args:
            used: The login that is due, or was refused.
            reason: Why. At the user's word (`forced`) even a token is sent that may be spent.
            jitter: As in `refresh_reason`.
            patience: Seconds to wait for other processes; by default about a minute.
            adopt: Whether another login in the store will do.

        Raises:
            CredentialsError: If there is no new login to be had.
            ConfigurationError: If the login service cannot be asked as things are set up.
        """
        async with self._store.lock(patience=patience):
            current = await self._store.load()
            self._store.check_account(current, used)
            is_new = current.access_token != used.access_token
            if adopt and is_new and not self._is_due(current, jitter):
                return Outcome(current)
            is_urgent = reason == 'unauthorized_recovery' or is_expired(current, now=self._clock.now())
            if (finished := await self._look_at_notes(current, reason, is_urgent=is_urgent)) is not None:
                return Outcome(finished)
            return await self._spend(current, reason, is_urgent=is_urgent)

    async def save(self, spent: str | None, credentials: Credentials) -> None:
        """Keep tokens that could not be kept before, unless something else is in their place by now.

        Args:
            spent: The fingerprint of the token that they were got with.
            credentials: The tokens.

        Raises:
            CredentialsError: If they still cannot be kept.
        """
        async with self._store.lock():
            if (await self._store.load()).fingerprint == spent:
                with suppress(SupersededError):
                    await self._store.save(credentials, replacing=spent)
                await self._note(credentials, None)

    async def finish_save(self) -> None:
        """Put the tokens in place that a process had written down whole when it was killed, if there are any.

        Raises:
            CredentialsError: If they are there, and cannot be put in place.
        """
        async with self._store.lock():
            await self._store.finish_save()

    def _is_due(self, credentials: Credentials, jitter: float) -> bool:
        now = self._clock.now()
        return refresh_reason(credentials, now=now, jitter=jitter) is not None and not is_young(credentials, now=now)

    async def _look_at_notes(
        self, current: Credentials, reason: RefreshReason, *, is_urgent: bool
    ) -> Credentials | None:
        """What became of an earlier refresh of the same token; the login, where it only was not put in place."""
        note = await self._store.read_note()
        if note is None:
            return None
        if note.fingerprint != current.fingerprint:
            await self._store.clear_note()  # Somebody has logged in, or refreshed, since.
            return None
        if note.state == 'started' and await self._store.finish_save():
            _log.warning('The refresh %s was cut off; it has been finished now, and its tokens are kept.', _told(note))
            return await self._store.load()
        if reason != 'forced':
            self._check_note(note, is_urgent=is_urgent)
        return None

    def _check_note(self, note: RefreshNote, *, is_urgent: bool) -> None:
        if note.state == 'failed':
            raise self._refusal(permanent_failure(note.code))
        if note.state == 'started':
            raise CredentialsRefreshError(
                f'The refresh {_told(note)} was cut off before its answer was kept, so the refresh token may be spent. '
                f'{self._store.try_again}. {self._store.next_step}.',
                is_interrupted=True,
            )
        if not is_urgent:
            raise CredentialsRefreshError(
                f'The answer to the refresh {_told(note)} was lost on its way, so the refresh token may be spent. It is '
                'tried again when the access token has expired.'
            )

    async def _spend(self, current: Credentials, reason: RefreshReason, *, is_urgent: bool) -> Outcome:
        if current.refresh_token is None:
            raise CredentialsRefreshError(
                f'The login has no refresh token, so it cannot be refreshed. {self._store.next_step}.',
                is_permanent=True,
            )
        url = endpoints_of(current, self._endpoints).token
        await self._check_writable()
        await self._note(current, 'started')
        self.tried = current
        try:
            reply = await self._ask(url, current, reason, is_urgent=is_urgent)
        except ConfigurationError:
            await self._note(current, None)
            raise
        except TransportError as error:
            self.is_lost = error.phase == 'read'
            problem = CredentialsRefreshError(f'The login could not be refreshed: {error.message}')
        else:
            new = None if reply.status_code != 200 else refreshed_by(current, reply, now=self._clock.now())
            if new is not None:
                return await self._keep(current, new)
            failure = failure_of(reply, secrets=secrets_of(current))
            if failure.is_permanent:
                return await self._refused(current, failure, reply.status_code)
            self.is_lost = reply.status_code in _UNKNOWN
            problem = self._refusal(failure, reply.status_code)
        await self._note(current, 'lost' if self.is_lost else None)
        raise problem

    async def _check_writable(self) -> None:
        try:
            await self._store.check_writable()
        except CredentialsFileError as error:
            advice = "Or pass `refresh='never'` to `CodexProvider`, and let whoever else uses the file refresh it."
            raise CredentialsFileError(f'{error.message} {advice}', path=error.path) from error

    async def _ask(self, url: str, current: Credentials, reason: RefreshReason, *, is_urgent: bool) -> Reply:
        """The answer of the service, which is asked again where it did not take the request and time presses."""
        delays = list(_RETRY_DELAYS) if is_urgent else []
        while True:
            try:
                body = refresh_body(current.refresh_token or '', reason)
                reply = await self._http.post_json(url, body, identify=True)
            except TransportError as error:
                # A request that was sent may have spent the token.
                if error.phase == 'read' or not delays or not self.is_wanted:
                    raise
            else:
                if reply.status_code not in _NOT_TAKEN or not delays or not self.is_wanted:
                    return reply
            await self._clock.sleep(delays.pop(0))

    async def _refused(self, current: Credentials, failure: Failure, status_code: int) -> Outcome:
        """After a refusal for good: the login that whoever spent the token has put there, or the error."""
        for delay in (0.0, *_LATE_WRITES):
            if delay:
                await self._clock.sleep(delay)
            try:
                late = await self._store.load()
            except CredentialsError:
                continue
            if late.fingerprint != current.fingerprint:
                await self._note(current, None)
                self._store.check_account(late, current)
                return Outcome(late)
        await self._note(current, 'failed', failure.code)
        raise self._refusal(failure, status_code)

    async def _keep(self, current: Credentials, new: Credentials) -> Outcome:
        """Put the new tokens into the store; where that fails they are in memory, and the note stays."""
        self.got = new
        try:
            there = await self._store.load()
        except CredentialsNotFoundError:
            await self._note(current, None)
            raise  # Somebody has logged out meanwhile, and stays so.
        except (CredentialsError, ConfigurationError):
            there = current
        try:
            if there.fingerprint == current.fingerprint:
                await self._store.save(new, replacing=current.fingerprint)
                self.got = None
                await self._note(current, None)
                return Outcome(new, is_refreshed=True, spent=current.fingerprint)
        except CredentialsSaveError as error:
            return Outcome(new, is_refreshed=True, spent=current.fingerprint, unsaved=error)
        except SupersededError:
            there = await self._store.load()
        # Somebody has logged in meanwhile. The CLI lets the newer login stand, too (captured).
        await self._note(current, None)
        self._store.check_account(there, current)
        return Outcome(there)

    async def _note(self, current: Credentials, state: RefreshState | None, code: str | None = None) -> None:
        """Note how far the refresh has come, where the store keeps notes; `None` for nothing to remember."""
        if current.fingerprint is None:
            return
        if state is None:
            await self._store.clear_note()
            return
        try:
            await self._store.write_note(new_note(current.fingerprint, state, now=self._clock.now(), code=code))
        except CredentialsError:
            # Without the first one nothing is sent; the others only spare other processes a request.
            if state == 'started':
                raise

    def _refusal(self, failure: Failure, status_code: int | None = None) -> CredentialsRefreshError:
        if failure.is_permanent:
            next_step = f'{self._store.next_step}.'
            if failure.code == 'refresh_token_reused':
                next_step += ' Programs that use one login have to share one file; a copy of it is spent by the first.'
        else:
            next_step = 'Try again later; should it go on, log in anew.'
        return CredentialsRefreshError(
            f'The login could not be refreshed. {failure.message}. {next_step}',
            code=failure.code,
            status_code=status_code,
            is_permanent=failure.is_permanent,
        )


def _told(note: RefreshNote) -> str:
    return f'that process {note.pid} on {note.host} began at {note.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC'
