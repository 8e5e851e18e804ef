"""One holder at a time, across threads, event loops and processes; waiting blocks no event loop."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import anyio

Release: TypeAlias = Callable[[], object]
"""Gives up what is held, in any thread."""

_PAUSES: Final = (0.01, 0.05)

_T = TypeVar('_T')


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


async def patiently(attempt: Callable[[], _T | None], patience: float) -> _T | None:
    """Try until it works.

    Args:
        attempt: What to try, without waiting; `None` says that it did not work. Nothing is awaited once it did, so a
            cancelled task has what it got, or has got nothing.
        patience: For how many seconds; 0 is one attempt.
    """
    deadline = anyio.current_time() + patience
    while True:
        result = attempt()
        if result is not None or anyio.current_time() >= deadline:
            return result
        await anyio.sleep(random.uniform(*_PAUSES))
