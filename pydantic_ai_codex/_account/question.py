"""One thing that the backend is asked for: by one at a time, and not again soon after a failure."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from copy import copy
from typing import Final, NamedTuple

import anyio

from .._clock import Clock
from .._debug import note
from .._lock import patiently
from .._protocol.constants import LOOKUP_FAILURE_LIFETIME
from ..auth._turn import Ticket, Turn
from ..errors import CodexError, TransportTimeoutError

_LONGEST_PAUSE: Final = 0.1
"""Seconds between two looks at whether another task is done: there may be thousands of them."""

_NOTED: Final = 0.5
"""Seconds after which it counts as a failure that the caller gave up. Were it not to, a program that always gives up
sooner than an answer comes would never get to its turn."""

_OVERDUE: Final = 60.0
"""Seconds after which nobody waits any more for whoever asks: the event loop that it is on has stopped."""


class _Held(NamedTuple):
    turn: Turn
    ticket: Ticket


class Question:
    """Has one task ask while the others wait for it, whatever their threads and event loops, and remembers failures.

    Args:
        words: What it means for a turn that it has no answer, as the beginning of a sentence, for the log.
        clock: Time.
    """

    def __init__(self, words: str, clock: Clock) -> None:
        self._words = words
        self._clock = clock
        self._turn = Turn()
        self._taken_at = 0.0
        self._failure: CodexError | None = None
        self._failed_at = -math.inf
        self.failures = 0
        """How often there was no answer."""
        self._is_told = False

    @property
    def has_failed(self) -> bool:
        """Whether it failed so lately that it is not asked again by itself."""
        return self._clock.monotonic() < self._failed_at + LOOKUP_FAILURE_LIFETIME

    async def settle(
        self, ask: Callable[[], Awaitable[object]], *, is_settled: Callable[[], bool], patience: float
    ) -> CodexError | None:
        """Ask, or wait for another task that asks.

        Args:
            ask: Asks, and keeps the answer; raises a `CodexError` where there is none.
            is_settled: Whether nothing needs to be asked (any more), as there is an answer or a failure.
            patience: Seconds that it may take in all.

        Returns:
            Why there is no answer.
        """
        began = anyio.current_time()
        try:
            with anyio.move_on_after(patience) as scope:
                await self._ask_in_turn(ask, is_settled)
        except anyio.get_cancelled_exc_class():
            if anyio.current_time() - began >= _NOTED:
                self._failed(TransportTimeoutError('The backend had not answered when the caller gave up.'))
            raise
        if scope.cancelled_caught:
            self._failed(TransportTimeoutError(f'The backend did not answer within {patience:g} seconds.'))
        return None if self._failure is None else copy(self._failure)

    async def _ask_in_turn(self, ask: Callable[[], Awaitable[object]], is_settled: Callable[[], bool]) -> None:
        held = await patiently(lambda: is_settled() or self._take(), math.inf, longest_pause=_LONGEST_PAUSE)
        if not isinstance(held, _Held):
            return
        try:
            if is_settled():
                return
            await ask()
        except CodexError as error:
            self._failed(error)
        else:
            self._answered()
        finally:
            held.turn.give_back(held.ticket)

    def _take(self) -> _Held | None:
        turn = self._turn
        ticket = turn.take(here=True)
        if ticket is not None:
            self._taken_at = self._clock.monotonic()
            return _Held(turn, ticket)
        if self._clock.monotonic() > self._taken_at + _OVERDUE:
            self._turn = Turn()
        return None

    def _answered(self) -> None:
        self._failure = None
        self._failed_at = -math.inf
        self._is_told = False

    def _failed(self, error: CodexError) -> None:
        self._failure = copy(error)  # Without the frames of whoever asked, and with them the login.
        self._failed_at = self._clock.monotonic()
        self.failures += 1
        if not self._is_told:
            self._is_told = True
            note('%s: %s', self._words, error)
