"""Who of this process is at it: one at a time, whatever its thread and event loop."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any

import anyio.lowlevel


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """Whose turn it is."""

    pid: int
    loop: Any
    """The event loop with which the turn ends, or `None` where the holder has a thread of its own, which always ends."""


class Turn:
    """Is taken without waiting, and given back with the ticket that was got for it, in any thread.

    It does not stay with somebody who cannot give it back: an event loop that was closed meanwhile, or the parent of a
    process that was forked.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: Ticket | None = None

    @property
    def is_free(self) -> bool:
        """Whether nobody has it."""
        holder = self._holder
        if holder is None:
            return True
        return holder.pid != os.getpid() or getattr(holder.loop, 'is_closed', bool)()

    def take(self, *, here: bool) -> Ticket | None:
        """Take it, if it is free.

        Args:
            here: Whether its holder lives no longer than the running event loop.
        """
        with self._guard:
            if not self.is_free:
                return None
            token: Any = anyio.lowlevel.current_token() if here else None
            self._holder = Ticket(os.getpid(), getattr(token, 'native_token', token))
            return self._holder

    def give_back(self, ticket: Ticket) -> None:
        """Let others have it, unless they have it already: a loop that was closed gives back late."""
        with self._guard:
            if self._holder is ticket:
                self._holder = None
