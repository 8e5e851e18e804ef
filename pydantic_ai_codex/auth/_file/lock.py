"""One holder at a time: across threads, event loops, processes and objects."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import anyio

from ..._lock import Release, patiently, try_file_lock
from ...errors import CredentialsError

PATIENCE: Final = 60.0
"""Seconds; a refresh takes one or two, and gives up long before."""

_SHORTEST_LOOK, _LONGEST_LOOK = 0.001, 0.05
"""Seconds between looks at whether a thread is done, doubled each time: a save takes some milliseconds."""

_T = TypeVar('_T')


class LockedError(CredentialsError):
    """Somebody else holds the lock; everything else about the login may be in order."""


class Hold:
    """A lock that is held, by its holder and by every piece of work that was begun under it.

    A task that is cancelled leaves its lock at once, while the thread that writes for it still writes. The lock is
    given up by whoever is last.
    """

    def __init__(self, release: Release) -> None:
        self._release = release
        self._users = 1
        self._mutex = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether it was given up."""
        return self._users == 0

    def join(self) -> bool:
        """Hold it too, unless it was given up; whether it is held."""
        with self._mutex:
            if self._users:
                self._users += 1
            return self._users > 0

    def leave(self) -> None:
        """Hold it no more."""
        with self._mutex:
            self._users -= 1
            if self._users == 0:
                self._release()


def _nothing() -> None:
    pass


@asynccontextmanager
async def hold(path: Path, failed: Callable[[OSError | None], Exception], patience: float) -> AsyncGenerator[Hold]:
    """Hold the lock of a file.

    Not reentrant: who holds it and asks again waits for itself, and gets the error in the end.

    Args:
        path: The lock file, in a folder that exists. It is left in place.
        failed: The error to raise: for a lock file that cannot be used, or, without one, for a lock that was not free.
        patience: How many seconds to wait for it; 0 is one attempt.
    """

    def attempt() -> Release | None:
        # In a worker thread, a cancelled task could not tell whether it had succeeded.
        try:
            return try_file_lock(path)
        except OSError as error:
            raise failed(error) from error

    release = await patiently(attempt, patience)
    if release is None:
        raise failed(None)
    held = Hold(release)
    try:
        yield held
    finally:
        held.leave()


async def uninterrupted(work: Callable[[], _T], held: Hold | None) -> _T:
    """Do the work in a thread, to its end, whatever becomes of the task.

    It begins before anything is awaited. So a task that is cancelled after the login service has answered still keeps
    the answer, and the lock that it held is not free before that is done. A worker thread would not do: it is waited
    for, and a cancelled task does not get as far.
    """
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            try:
                result = work()
            finally:
                leave()
        except BaseException as error:  # noqa: BLE001 - it is raised in the task
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    leave = held.leave if held is not None and held.join() else _nothing
    thread = threading.Thread(target=run, name='pydantic-ai-codex: login file')
    try:
        thread.start()
    except BaseException:
        leave()
        raise
    pause = _SHORTEST_LOOK
    with anyio.CancelScope(shield=True):
        while not outcome.done():
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_LOOK)
    return outcome.result()
