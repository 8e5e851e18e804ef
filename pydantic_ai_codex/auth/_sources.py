"""The store that is used when the caller names none."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

import anyio.to_thread

from .. import _environment
from ..errors import CredentialsError
from ._credentials import Credentials
from ._file.inspection import FileFacts
from ._file.lock import PATIENCE
from ._file.notes import RefreshNote
from ._paths import default_place
from ._store import AuthFile, load_from

_LOCKED: Final[ContextVar[tuple[tuple[EnvironmentStore, AuthFile], ...]]] = ContextVar(
    'pydantic_ai_codex_locked_stores', default=()
)
"""The files that this task holds the locks of: the environment may name another for the next task."""


class EnvironmentStore:
    """The login that the environment points to, looked up anew at each use.

    `CODEX_ACCESS_TOKEN` comes first, then the file of `default_auth_path`. `OPENAI_API_KEY` is never read from the
    environment: it may belong to another program, and it costs money.

    It does all that `AuthFile` does. A login from `CODEX_ACCESS_TOKEN` has no file behind it: there is nothing to lock,
    to note or to remove then, and saving is an error.
    """

    def __init__(self) -> None:
        self._file: AuthFile | None = None

    @property
    def is_file(self) -> bool:
        """Whether the login is in a file, which can be written, and not in `CODEX_ACCESS_TOKEN`."""
        return self._token() is None

    @property
    def file(self) -> AuthFile:
        """The file that is used where no variable holds the login."""
        return self._auth_file()

    @property
    def last_path(self) -> Path | None:
        """The file that was looked at last, without looking again; `None` before that, and where there is none."""
        return self._file.path if self._file is not None and self.is_file else None

    async def load(self) -> Credentials:
        """The credentials.

        Raises:
            CredentialsError: If there are none that can be used.
        """
        token = self._token()
        # Looked for in a thread as well: a home on a network may hang.
        return Credentials(token) if token else await load_from(self._auth_file)

    async def save(self, credentials: Credentials, *, replacing: str | None = None) -> None:
        """Keep new credentials in the file.

        Args:
            credentials: The new login.
            replacing: As in `AuthFile.save`.

        Raises:
            CredentialsError: If the login comes from `CODEX_ACCESS_TOKEN`, which cannot be written.
            CredentialsSaveError: If the file cannot be written.
        """
        await (await self._writable_file()).save(credentials, replacing=replacing)

    @asynccontextmanager
    async def lock(self, patience: float = PATIENCE) -> AsyncGenerator[None]:
        """Lock the file, as `AuthFile.lock` does; until it is given back, its holder stays with this file.

        Args:
            patience: How many seconds to wait for it; with 0 it is tried once.

        Raises:
            CredentialsError: If it is not free for that long, or cannot be had at all.
        """
        if not self.is_file:
            yield
            return
        file = await self._found()
        async with file.lock(patience):
            mine = (self, file)
            _LOCKED.set((*_LOCKED.get(), mine))
            try:
                yield
            finally:
                _LOCKED.set(tuple(each for each in _LOCKED.get() if each is not mine))

    async def check_writable(self) -> None:
        """See that a new login could be kept.

        Raises:
            CredentialsError: If it could not.
        """
        await (await self._writable_file()).check_writable()

    async def remove(self) -> bool:
        """Remove the file; whether there was one. Without a file behind the login it removes nothing."""
        return self.is_file and await (await self._found()).remove()

    async def read_note(self) -> RefreshNote | None:
        """What is known about a refresh of this login."""
        return await (await self._found()).read_note() if self.is_file else None

    async def write_note(self, note: RefreshNote) -> None:
        """Keep a note beside the file.

        Raises:
            CredentialsFileError: If it cannot be kept.
        """
        if self.is_file:
            await (await self._found()).write_note(note)

    async def clear_note(self) -> None:
        """Forget the note."""
        if self.is_file:
            await (await self._found()).clear_note()

    async def finish_save(self) -> bool:
        """Put tokens into the file that a process was killed before it could; see `AuthFile.finish_save`.

        Raises:
            CredentialsSaveError: If they are there and cannot be put into the file.
        """
        return self.is_file and await (await self._found()).finish_save()

    async def inspect(self) -> FileFacts:
        """What there is to say about the file that is in use, or that would be without `CODEX_ACCESS_TOKEN`."""
        return await (await self._found()).inspect()

    def __repr__(self) -> str:
        return 'EnvironmentStore()'

    def describe(self) -> str:
        """The place in words, for messages."""
        return self._auth_file().describe() if self.is_file else 'the environment variable CODEX_ACCESS_TOKEN'

    def _token(self) -> str | None:
        return None if self._locked_file() is not None else _environment.read('CODEX_ACCESS_TOKEN')

    def _locked_file(self) -> AuthFile | None:
        """The file of which this task holds the lock."""
        return next((file for store, file in _LOCKED.get() if store is self and file.is_locked_here), None)

    async def _writable_file(self) -> AuthFile:
        if not self.is_file:
            raise CredentialsError(
                'The login comes from the environment variable CODEX_ACCESS_TOKEN, which cannot be written. Unset it '
                'to use the login file, or replace its value yourself.'
            )
        return await self._found()

    async def _found(self) -> AuthFile:
        """The file, looked for in a thread: a home on a network may hang."""
        return await anyio.to_thread.run_sync(self._auth_file)

    def _auth_file(self) -> AuthFile:
        if (locked := self._locked_file()) is not None:
            return locked
        place = default_place()
        file = self._file
        if file is None or file.path != place.path:
            file = self._file = AuthFile(place.path, named_by=place.variable)
        return file
