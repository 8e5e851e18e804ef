"""One holder at a time, across threads, event loops and processes; waiting blocks no event loop."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias, TypeVar

import anyio

Release: TypeAlias = Callable[[], object]
"""Gives up what is held, in any thread."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05
"""Seconds between two attempts, doubled each time, and each a little shorter so that not all come at once."""

_T = TypeVar('_T')


class Held:
    """What somebody holds, to be given up together, in any thread.

    What a worker thread gets for a task that has been cancelled meanwhile comes too late, and is given up at once.
    """

    def __init__(self) -> None:
        self._releases: list[Release] = []
        self._is_over = False
        self._mutex = threading.Lock()

    def add(self, release: Release) -> None:
        """Hold something more."""
        with self._mutex:
            if not self._is_over:
                self._releases.append(release)
                return
        release()

    def give_up(self) -> None:
        """Give up everything, the last first; twice does no harm."""
        with self._mutex:
            self._is_over = True
            releases, self._releases = self._releases, []
        with ExitStack() as stack:  # which goes on where one of them fails
            for release in releases:
                stack.callback(release)


def try_file_lock(path: Path) -> Release | None:
    """Hold the lock of a file, if nobody does; it takes microseconds.

    The system gives the lock up at the end of the process, however that comes. Not reentrant.

    Args:
        path: The lock file, in a folder that exists. It is left in place.

    Returns:
        What gives it up, or `None` where somebody else holds it.

    Raises:
        OSError: If the file cannot be used for it.
    """
    from filelock import FileLock, Timeout

    # Whoever is last gives it up, in whatever thread that is.
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    except NotImplementedError as error:  # older versions of filelock, where the file system knows no locks
        raise OSError(str(error)) from error
    return lock.release


async def patiently(
    attempt: Callable[[], _T | None], patience: float, *, longest_pause: float = _LONGEST_PAUSE
) -> _T | None:
    """Try until it works.

    Args:
        attempt: What to try, without waiting; `None` says that it did not work. Nothing is awaited once it did, so a
            cancelled task has what it got, or has got nothing.
        patience: For how many seconds; 0 is one attempt.
        longest_pause: Seconds between two attempts, at most.
    """
    deadline = anyio.current_time() + patience
    pause = _SHORTEST_PAUSE
    while True:
        result = attempt()
        if result is not None or anyio.current_time() >= deadline:
            return result
        await anyio.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, longest_pause)
