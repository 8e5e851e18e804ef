"""Where credentials are kept: the protocol, the CLI's file, and memory."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import anyio
import anyio.to_thread

from ..errors import CredentialsFileError, CredentialsNotFoundError
from ._credentials import Credentials
from ._file.inspection import FileFacts
from ._file.lock import Hold, hold, uninterrupted
from ._file.login_file import LoginFile
from ._file.notes import RefreshNote
from ._file.reading import TORN_PAUSE, TORN_READS


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


def expand(path: str | os.PathLike[str]) -> Path:
    """The path with its `~` expanded.

    Raises:
        CredentialsNotFoundError: If there is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise no_home(repr(os.fspath(path)), Path(path)) from error


def no_home(what: str, path: Path | None = None) -> CredentialsNotFoundError:
    """The error for a place in a home folder that there is not."""
    return CredentialsNotFoundError(
        f'There is no login: {what} lies in a home folder that there is not. Set CODEX_HOME or CODEX_AUTH_FILE to '
        'where the login is, or pass `credentials=` or `api_key=` to `CodexProvider`.',
        path=path,
    )


class AuthFile:
    """The CLI's `auth.json`, or a file of the same shape.

    Every change belongs under `lock()`: `save`, `remove`, the notes and `finish_save` do not take it themselves. Each
    of them is done to its end, even where the task that asked for it is cancelled meanwhile.

    Args:
        path: The file; `~` is expanded.
        named_by: The environment variable that names the file, for messages.

    Raises:
        CredentialsNotFoundError: If there is no home folder for the `~`.
    """

    def __init__(self, path: str | os.PathLike[str], *, named_by: str | None = None) -> None:
        self._file = LoginFile(expand(path), named_by)
        self._hold: Hold | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    async def load(self) -> Credentials:
        """Read the file, if it changed since the last time.

        Raises:
            CredentialsNotFoundError: If the file does not exist.
            CredentialsFileError: If it cannot be read, is not whole, or holds no login.
        """
        reads = 1
        while True:
            try:
                return await anyio.to_thread.run_sync(self._file.load)
            except CredentialsFileError as error:
                if not error.is_torn or reads == TORN_READS:
                    raise
            reads += 1
            await anyio.sleep(TORN_PAUSE)

    async def save(self, credentials: Credentials) -> None:
        """Put the credentials into the file, whole or not at all; other keys of it stay, its mode becomes 0600.

        Raises:
            CredentialsSaveError: If the file cannot be written, or what is there is no JSON object.
        """
        await uninterrupted(partial(self._file.save, credentials), self._hold)

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Keep every other thread and process that asks for the lock of this file from going on meanwhile.

        The Codex CLI does not ask. Not reentrant: a task that holds it and asks again waits for itself.

        Raises:
            CredentialsError: If it is not free for a minute, or cannot be had at all.
        """
        path = await anyio.to_thread.run_sync(self._file.lock_path)
        async with hold(path, self._file.lock_error) as held:
            self._hold = held
            try:
                yield
            finally:
                self._hold = None

    async def check_writable(self) -> None:
        """See that a new login could be kept, before the refresh token of the old one is spent.

        Raises:
            CredentialsFileError: If it could not; the message says what to do.
        """
        await uninterrupted(self._file.check_writable, self._hold)

    async def remove(self) -> bool:
        """Remove the login, the note and what else stands beside it; what a link points to, and not the link.

        A file that cannot be removed, such as one that is mounted by itself, is emptied.

        Returns:
            Whether there was a file.

        Raises:
            CredentialsFileError: If it is still there.
        """
        return await uninterrupted(self._file.remove, self._hold)

    async def read_note(self) -> RefreshNote | None:
        """What is known about a refresh of this login; `None` too for a note that cannot be read."""
        return await anyio.to_thread.run_sync(self._file.read_note)

    async def write_note(self, note: RefreshNote) -> None:
        """Keep a note, in place of the one before.

        Raises:
            CredentialsFileError: If it cannot be kept.
        """
        await uninterrupted(partial(self._file.write_note, note), self._hold)

    async def clear_note(self) -> None:
        """Forget the note."""
        await uninterrupted(self._file.clear_note, self._hold)

    async def finish_save(self) -> bool:
        """Put tokens into the file that a process was killed before it could.

        Only what the note of its refresh vouches for: the same account, the refresh token that the file still has, and
        another one in its place. Anything else that is left beside the file is removed.

        Returns:
            Whether the file has other tokens now.

        Raises:
            CredentialsSaveError: If they are there and cannot be put into the file.
        """
        return await uninterrupted(self._file.finish_save, self._hold)

    async def inspect(self) -> FileFacts:
        """What there is to say about the file; for `doctor`."""
        return await anyio.to_thread.run_sync(self._file.inspect)

    def describe(self) -> str:
        """The place in words, for messages."""
        return self._file.describe()

    def __repr__(self) -> str:
        return f'AuthFile({str(self.path)!r})'
