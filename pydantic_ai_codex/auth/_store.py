"""Where credentials are kept: the protocol, the CLI's file, and memory."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar, runtime_checkable

import anyio
import anyio.to_thread

from ..errors import CredentialsFileError, CredentialsNotFoundError
from ._credentials import Credentials
from ._file.inspection import FileFacts
from ._file.lock import PATIENCE, Hold, hold, uninterrupted
from ._file.login_file import LoginFile
from ._file.notes import RefreshNote
from ._file.places import Places
from ._file.reading import TORN_PAUSE, TORN_READS
from ._paths import expand

_T = TypeVar('_T')


class _Held(NamedTuple):
    """A lock that is held, and where its file was when it was taken."""

    file: AuthFile
    hold: Hold
    places: Places


_HELD: Final[ContextVar[tuple[_Held, ...]]] = ContextVar('pydantic_ai_codex_held_login_files', default=())
"""What this task holds: an `AuthFile` may be shared by many, of which one holds its lock."""


@runtime_checkable
class CredentialStore(Protocol):
    """Keeps one login.

    A store may also have `lock()`, an async context manager that is held around load, refresh and save, so that only
    one of several processes refreshes. `AuthFile` shows what more a store can do.
    """

    async def load(self) -> Credentials:
        """The credentials as they are now; another process may have changed them since the last call.

        Raises:
            CredentialsError: If there are none that can be used.
        """
        ...

    async def save(self, credentials: Credentials) -> None:
        """Keep new credentials in place of the old ones.

        Raises:
            CredentialsError: If they could not be kept.
        """
        ...


class MemoryStore:
    """A login that lives in this process and is gone with it.

    Args:
        credentials: The login, or `None` for a store that is filled with `save`.
    """

    def __init__(self, credentials: Credentials | None = None) -> None:
        self._credentials = credentials

    async def load(self) -> Credentials:
        """The credentials.

        Raises:
            CredentialsNotFoundError: If none were given or saved yet.
        """
        if self._credentials is None:
            raise CredentialsNotFoundError('The `MemoryStore` is empty; call `save` first, or give it credentials.')
        return self._credentials

    async def save(self, credentials: Credentials) -> None:
        """Keep the credentials."""
        self._credentials = credentials

    def __repr__(self) -> str:
        return f'MemoryStore({self._credentials!r})'


class AuthFile:
    """The CLI's `auth.json`, or a file of the same shape.

    Every change belongs under `lock()`: `save`, `remove`, the notes and `finish_save` do not take it themselves. Each
    of them is done to its end, even where the task that asked for it is cancelled meanwhile. What a task does under its
    lock is done to one and the same file, wherever a link leads by then.

    Args:
        path: The file; `~` is expanded.
        named_by: The environment variable that names the file, for messages.

    Raises:
        CredentialsNotFoundError: If there is no home folder for the `~`.
    """

    def __init__(self, path: str | os.PathLike[str], *, named_by: str | None = None) -> None:
        self._file = LoginFile(expand(path), named_by)

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def is_locked_here(self) -> bool:
        """Whether this task, or one that began it, holds the lock."""
        return self._held() is not None

    async def load(self) -> Credentials:
        """Read the file, if it changed since the last time.

        Raises:
            CredentialsNotFoundError: If the file does not exist, or was emptied by a logout.
            CredentialsFileError: If it cannot be read, is not whole, or holds no login.
        """
        return await load_from(lambda: self)

    async def save(self, credentials: Credentials, *, replacing: str | None = None) -> None:
        """Put the credentials into the file, whole or not at all; other keys of it stay, its mode becomes 0600.

        Args:
            credentials: The new login.
            replacing: The `Credentials.fingerprint` of the login that it replaces. Where the file holds yet another by
                then, or none, it stays so: somebody has logged in, refreshed or logged out meanwhile. The CLI lets
                the other login stand, too (captured).

        Raises:
            CredentialsSaveError: If the file cannot be written, or what is there is no JSON object.
            CredentialsError: If the file no longer holds `replacing`.
        """
        await self._do(partial(self._file.save, credentials=credentials, replacing=replacing))

    @asynccontextmanager
    async def lock(self, patience: float = PATIENCE) -> AsyncGenerator[None]:
        """Keep every other thread and process that asks for the lock of this file from going on meanwhile.

        The Codex CLI does not ask for this one: it locks a file of its own (`auth.lock`), and only while it saves
        (captured). Not reentrant: a task that holds it and asks again waits for itself.

        Args:
            patience: How many seconds to wait for it; with 0 it is tried once.

        Raises:
            CredentialsError: If it is not free for that long, or cannot be had at all.
        """
        places = await anyio.to_thread.run_sync(self._file.prepare_lock)
        async with hold(places.lock, partial(self._file.lock_error, places, patience), patience) as held:
            mine = _Held(self, held, places)
            _HELD.set((*_HELD.get(), mine))
            try:
                yield
            finally:
                _HELD.set(tuple(each for each in _HELD.get() if each is not mine))

    async def check_writable(self) -> None:
        """See that a new login could be kept, before the refresh token of the old one is spent.

        Raises:
            CredentialsFileError: If it could not; the message says what to do.
        """
        await self._do(self._file.check_writable)

    async def remove(self) -> bool:
        """Remove the login, the note and what else stands beside it; what a link points to, and not the link.

        A file that cannot be removed, such as one that is mounted by itself, is emptied.

        Returns:
            Whether there was a file.

        Raises:
            CredentialsFileError: If it is still there.
        """
        return await self._do(self._file.remove)

    async def read_note(self) -> RefreshNote | None:
        """What is known about a refresh of this login; `None` too for a note that cannot be read."""
        return await self._do(self._file.read_note)

    async def write_note(self, note: RefreshNote) -> None:
        """Keep a note, in place of the one before.

        Raises:
            CredentialsFileError: If it cannot be kept.
        """
        await self._do(partial(self._file.write_note, note=note))

    async def clear_note(self) -> None:
        """Forget the note."""
        await self._do(self._file.clear_note)

    async def finish_save(self) -> bool:
        """Put tokens into the file that a process was killed before it could.

        Only what the note of its refresh vouches for: the same account, the refresh token that the file still has, and
        another one in its place. Anything else that is left beside the file is removed.

        Returns:
            Whether the file has other tokens now.

        Raises:
            CredentialsSaveError: If they are there and cannot be put into the file.
        """
        return await self._do(self._file.finish_save)

    async def inspect(self) -> FileFacts:
        """What there is to say about the file; for `doctor`."""
        return await anyio.to_thread.run_sync(self._file.inspect)

    def describe(self) -> str:
        """The place in words, for messages."""
        return self._file.describe()

    def __repr__(self) -> str:
        return f'AuthFile({str(self.path)!r})'

    def _held(self) -> _Held | None:
        return next((each for each in _HELD.get() if each.file is self and not each.hold.is_over), None)

    async def _do(self, work: Callable[[Places], _T]) -> _T:
        """Work that ends, in the places that were looked up for the lock, if there is one."""
        held = self._held()
        if held is not None:
            return await uninterrupted(partial(work, held.places), held.hold)
        return await uninterrupted(lambda: work(self._file.places()), None)


async def load_from(find: Callable[[], AuthFile]) -> Credentials:
    """Read a login file, in one go with finding it, as every way into a worker thread costs time.

    Args:
        find: Gives the file; called in a worker thread.

    Raises:
        CredentialsError: As `AuthFile.load` does.
    """
    reads = 1
    while True:
        try:
            return await anyio.to_thread.run_sync(lambda: find()._file.load())  # pyright: ignore[reportPrivateUsage] - it is of this module
        except CredentialsFileError as error:
            if not error.is_torn or reads == TORN_READS:
                raise
        reads += 1
        await anyio.sleep(TORN_PAUSE)
