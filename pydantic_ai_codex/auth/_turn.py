"""Who of this process is at it: one at a time, whatever its thread and event loop."""

from __future__ import annotations

import os
import threading
from typing import Any

import anyio.lowlevel


class Turn:
    """Is taken without waiting, and given back by whoever has it, in any thread.

    It does not stay with somebody who cannot give it back: an event loop that was closed meanwhile, or the parent of a
    process that was forked.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: tuple[int, Any] | None = None

    @property
    def is_free(self) -> bool:
        """Whether nobody has it."""
        holder = self._holder
        if holder is None:
            return True
        pid, loop = holder
        return pid != os.getpid() or getattr(loop, 'is_closed', bool)()

    def take(self) -> bool:
        """Take it for the running event loop, if it is free."""
        with self._guard:
            if not self.is_free:
                return False
            token: Any = anyio.lowlevel.current_token()
            self._holder = (os.getpid(), getattr(token, 'native_token', token))
            return True

    def give_back(self) -> None:
        """Let others have it."""
        self._holder = None
