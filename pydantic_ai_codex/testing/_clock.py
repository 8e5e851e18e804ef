"""The clocks: the simulator's own, and the one that its clients get."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock


def utc_now() -> datetime:
    return datetime.now(UTC)


class InstantClock:
    """A clock for clients whose waits are over at once, as if the time had passed; chance is in the middle.

    Args:
        now: The wall clock.
    """

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.waits: list[float] = []
        """The seconds of each wait."""
        self._waited = 0.0
        self._lock = Lock()

    def monotonic(self) -> float:
        return time.monotonic() + self._waited

    def random(self) -> float:
        return 0.5

    async def sleep(self, seconds: float) -> None:
        with self._lock:  # Several threads may share one provider, and with it its clock.
            self.waits.append(seconds)
            self._waited += seconds
