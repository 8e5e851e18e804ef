"""How long an event loop was kept from running."""

from __future__ import annotations

import asyncio
import time
from typing import Self


class Watch:
    """Notes the longest time between two turns of the running loop while its block runs.

    It has the loop call it in every turn, so it sees each turn and how long that took. A timer of a millisecond would
    cost less, but be late by up to as much itself. The loop does not rest meanwhile, so CPU time is measured apart.

    Attributes:
        longest: The longest time so far, in seconds.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = 0.0
        self._handle: asyncio.Handle | None = None

    async def __aenter__(self) -> Self:
        self._last = time.perf_counter()
        self._again()
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._note()  # The turn that the block ended in counts, too.

    def _again(self) -> None:
        self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._note()
        self._again()

    def _note(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now
