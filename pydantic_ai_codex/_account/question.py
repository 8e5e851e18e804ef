"""One thing that the backend is asked for: by one at a time, and not again soon after a failure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable
from copy import copy
from typing import Any, Final, NamedTuple

import anyio

from .._clock import Clock
from .._debug import note
from .._lock import patiently
from .._protocol.constants import LOOKUP_FAILURE_LIFETIME
from ..auth import Credentials
from ..auth._secrets import quotable
from ..auth._turn import Ticket, Turn
from ..errors import BackendError, CodexError, CredentialsError, TransportTimeoutError

_LONGEST_PAUSE: Final = 0.1
"""Seconds between two looks at whether another task is done: there may be thousands of them."""

_NOTED: Final = 0.5
"""Seconds after which it counts that a caller gave up, since the first of all callers that had no answer. Were it not
to, a program that always gives up sooner than an answer comes would never get to its turn."""

_OVERDUE: Final = 25.0
"""Seconds after which nobody waits for whoever asks: no request takes as long, so its event loop is held up."""

_KEPT: Final = 16
"""How many logins, or accounts, are remembered."""


class _Held(NamedTuple):
    turn: Turn
    ticket: Ticket
    since: float

    def is_left(self, now: float) -> bool:
        """Whether nobody can be waited for: the event loop stopped, as at the end of its thread, or does not go on."""
        loop = self.ticket.loop  # Of Trio, whose loops do not stop in between, it is a token.
        return not getattr(loop, 'is_running', lambda: True)() or now > self.since + _OVERDUE


class _Failure(NamedTuple):
    error: CodexError
    at: float
    login: str | None
    """The only one that it says something of."""

    def is_about(self, credentials: Credentials) -> bool:
        return self.login is None or self.login == login_tag(credentials)


class Question:
    """Has one task ask while the others wait for it, whatever their threads and event loops, and remembers failures.

    A login that is refused says nothing of the one that takes its place, so that failure is remembered for it alone.

    Args:
        words: What it means for a turn that it has no answer, as the beginning of a sentence, for the log.
        clock: Time.
    """

    def __init__(self, words: str, clock: Clock) -> None:
        self._words = words
        self._clock = clock
        self._turn = Turn()
        self._held: _Held | None = None
        # Each is replaced as a whole, so that other threads see the old one or the new one.
        self._failure: _Failure | None = None
        self._left_at = -math.inf
        """When somebody stopped waiting who was cancelled, or waited for another task: the next turns do not wait."""
        self._began: float | None = None
        """When the first of the callers began that have had no answer."""
        self._is_told = False

    def failure(self, credentials: Credentials) -> CodexError | None:
        """Why whoever asked last had no answer; another instance for each failure, and none of another login alone."""
        failure = self._failure
        return failure.error if failure is not None and failure.is_about(credentials) else None

    def has_failed(self, credentials: Credentials) -> bool:
        """Whether it failed so lately that it is not asked again by itself."""
        since = self._clock.monotonic() - LOOKUP_FAILURE_LIFETIME
        failure = self._failure
        return self._left_at > since or (failure is not None and failure.at > since and failure.is_about(credentials))

    async def settle(
        self,
        ask: Callable[[], Awaitable[object]],
        credentials: Credentials,
        *,
        is_settled: Callable[[], bool],
        patience: float,
    ) -> CodexError | None:
        """Ask, or wait for another task that asks.

        Args:
            ask: Asks, and keeps the answer; raises a `CodexError` where there is none.
            credentials: With which login.
            is_settled: Whether nothing needs to be asked (any more), as there is an answer or a failure.
            patience: Seconds that it may take in all.

        Returns:
            Why there is no answer.
        """
        held: _Held | bool | None = None
        self._begin()
        try:
            with anyio.move_on_after(patience) as scope:
                held = await patiently(lambda: is_settled() or self._take(), math.inf, longest_pause=_LONGEST_PAUSE)
                if isinstance(held, _Held):
                    await self._ask(held, ask, credentials, is_settled)
        except anyio.get_cancelled_exc_class():
            began = self._began
            if began is not None and self._clock.monotonic() >= began + _NOTED:
                self._left(TransportTimeoutError('The backend had not answered when the caller gave up.'))
            raise
        if not scope.cancelled_caught:
            failure = self.failure(credentials)
            return None if failure is None else copy(failure)
        if isinstance(held, _Held):
            error = TransportTimeoutError(f'The backend did not answer within {patience:g} seconds.')
            self._failed(error)
        else:
            error = TransportTimeoutError(
                f'Another task of this program was to ask the backend, and was not done within {patience:g} seconds. '
                'Try again.'
            )
            self._left(error)
        return error

    async def _ask(
        self,
        held: _Held,
        ask: Callable[[], Awaitable[object]],
        credentials: Credentials,
        is_settled: Callable[[], bool],
    ) -> None:
        try:
            if is_settled():
                return
            await ask()
        except CodexError as error:
            self._failed(error, login_tag(credentials) if _is_about_login(error) else None)
        else:
            self._answered()
        finally:
            if self._held is held:
                self._held = None
            held.turn.give_back(held.ticket)

    def _take(self) -> _Held | None:
        turn, held = self._turn, self._held
        now = self._clock.monotonic()
        ticket = turn.take(here=True)
        if ticket is not None:
            self._held = _Held(turn, ticket, now)
            return self._held
        if held is not None and held.turn is turn and held.is_left(now):
            self._turn = Turn()
        return None

    def _begin(self) -> None:
        began, now = self._began, self._clock.monotonic()
        # One that was cancelled long ago says nothing of the one that is cancelled now.
        if began is None or now >= began + LOOKUP_FAILURE_LIFETIME:
            self._began = now

    def _answered(self) -> None:
        self._failure = None
        self._left_at = -math.inf
        self._began = None
        self._is_told = False

    def _failed(self, error: CodexError, login: str | None = None) -> None:
        # A copy, without the frames of whoever asked, and with them the login.
        self._failure = _Failure(copy(error), self._clock.monotonic(), login)
        self._began = None
        self._tell(error)

    def _left(self, error: CodexError) -> None:
        self._left_at = self._clock.monotonic()
        self._began = None
        self._tell(error)

    def _tell(self, error: CodexError) -> None:
        if not self._is_told:
            self._is_told = True
            note('%s: %s.', self._words, quotable(str(error)))


def login_tag(credentials: Credentials) -> str:
    """A name of the access token that does not give it away, as it outlives the login."""
    return hashlib.sha256(credentials.access_token.encode('utf-8', 'surrogatepass')).hexdigest()


def forget_oldest(remembered: dict[Any, Any]) -> None:
    """Keep what was remembered last; any thread may do so at any time."""
    for old in list(remembered)[:-_KEPT]:
        remembered.pop(old, None)


def _is_about_login(error: CodexError) -> bool:
    return isinstance(error, CredentialsError) or (
        isinstance(error, BackendError) and error.category == 'authentication'
    )
