"""How long an event loop was kept from running."""

from __future__ import annotations

import asyncio
import selectors
import time


class Watch(selectors.DefaultSelector):
    """What a loop waits with, which notes how long each of its turns took: the time from one wait to the next.

    Nothing runs while nothing happens, and a turn costs less than a microsecond more, so CPU time is measured with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._longest = 0.0
        self._began = time.perf_counter()

    def begin(self) -> None:
        """Forget the turns so far; this one counts from now on."""
        self._longest = 0.0
        self._began = time.perf_counter()

    def longest(self) -> float:
        """The longest turn since `begin`, in seconds, this one up to now among them."""
        return max(self._longest, time.perf_counter() - self._began)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._longest = self.longest()
        ready = super().select(timeout)
        self._began = time.perf_counter()
        return ready

    def loop(self) -> asyncio.AbstractEventLoop:
        """A loop that it watches."""
        return asyncio.SelectorEventLoop(self)
