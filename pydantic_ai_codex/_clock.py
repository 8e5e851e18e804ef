"""Time and chance, as the client sees them; tests pass their own."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """What the client asks for time and chance."""

    def now(self) -> datetime:
        """The wall clock, with a time zone."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never backwards."""
        ...

    def random(self) -> float:
        """A number from 0 to 1, without 1."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def random(self) -> float:
        return random.random()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
