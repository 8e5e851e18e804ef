"""Which login is used when the caller names none: the order of places."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from .. import _environment
from ..errors import CredentialsError
from ._credentials import Credentials
from ._file.inspection import FileFacts
from ._file.notes import RefreshNote
from ._store import AuthFile, expand, no_home


def own_auth_path() -> Path:
    """Our own file, for a login that the Codex CLI does not share.

    Raises:
        CredentialsNotFoundError: If there is no home folder.
    """
    from platformdirs import user_data_path

    try:
        folder = user_data_path('pydantic-ai-codex', appauthor=False)
    except RuntimeError as error:
        raise no_home('our own file') from error
    return expand(folder / 'auth.json')


def default_auth_path() -> Path:
    """The file that the login is read from.

    `CODEX_AUTH_FILE`, else `$CODEX_HOME/auth.json`, else our own file where it exists, else `~/.codex/auth.json`.

    Raises:
        CredentialsNotFoundError: If there is no home folder.
    """
    return _default()[0]


def _default() -> tuple[Path, str | None]:
    """The file, and the variable that names it."""
    if explicit := _environment.read('CODEX_AUTH_FILE'):
        return expand(explicit), 'CODEX_AUTH_FILE'
    if home := _environment.read('CODEX_HOME'):
        return expand(home) / 'auth.json', 'CODEX_HOME'
    own = own_auth_path()
    return (own if own.is_file() else expand('~/.codex') / 'auth.json'), None


class EnvironmentStore:
    """The login that the environment points to, looked up anew at each use.

    `CODEX_ACCESS_TOKEN` comes first, then the file of `default_auth_path`. `OPENAI_API_KEY` is never read from the
    environment: it may belong to another program, and it costs money.

    It does all that `AuthFile` does. A login from `CODEX_ACCESS_TOKEN` has no file behind it: there is nothing to lock,
    to note or to remove then, and saving is an error.
    """

    def __init__(self) -> None:
        self._file: AuthFile | None = None
        self._locked: AuthFile | None = None

    @property
    def is_file(self) -> bool:
        """Whether the login is in a file, which can be written, and not in `CODEX_ACCESS_TOKEN`."""
        return self._token() is None

    async def load(self) -> Credentials:
        """The credentials.

        Raises:
            CredentialsError: If there are none that can be used.
        """
        token = self._token()
        return Credentials(token) if token else await self._auth_file().load()

    async def save(self, credentials: Credentials) -> None:
        """Keep new credentials in the file.

        Raises:
            CredentialsError: If the login comes from `CODEX_ACCESS_TOKEN`, which cannot be written.
            CredentialsSaveError: If the file cannot be written.
        """
        await self._writable_file().save(credentials)

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Lock the file, as `AuthFile.lock` does; until it is given back, the store stays with this file."""
        if not self.is_file:
            yield
            return
        file = self._auth_file()
        async with file.lock():
            self._locked = file
            try:
                yield
            finally:
                self._locked = None

    async def check_writable(self) -> None:
        """See that a new login could be kept.

        Raises:
            CredentialsError: If it could not.
        """
        await self._writable_file().check_writable()

    async def remove(self) -> bool:
        """Remove the file; whether there was one. Without a file behind the login it removes nothing."""
        return self.is_file and await self._auth_file().remove()

    async def read_note(self) -> RefreshNote | None:
        """What is known about a refresh of this login."""
        return await self._auth_file().read_note() if self.is_file else None

    async def write_note(self, note: RefreshNote) -> None:
        """Keep a note beside the file.

        Raises:
            CredentialsFileError: If it cannot be kept.
        """
        if self.is_file:
            await self._auth_file().write_note(note)

    async def clear_note(self) -> None:
        """Forget the note."""
        if self.is_file:
            await self._auth_file().clear_note()

    async def finish_save(self) -> bool:
        """Put tokens into the file that a process was killed before it could; see `AuthFile.finish_save`.

        Raises:
            CredentialsSaveError: If they are there and cannot be put into the file.
        """
        return self.is_file and await self._auth_file().finish_save()

    async def inspect(self) -> FileFacts:
        """What there is to say about the file that is in use, or that would be without `CODEX_ACCESS_TOKEN`."""
        return await self._auth_file().inspect()

    def __repr__(self) -> str:
        return 'EnvironmentStore()'

    def describe(self) -> str:
        """The place in words, for messages."""
        return self._auth_file().describe() if self.is_file else 'the environment variable CODEX_ACCESS_TOKEN'

    def _token(self) -> str | None:
        return None if self._locked is not None else _environment.read('CODEX_ACCESS_TOKEN')

    def _writable_file(self) -> AuthFile:
        if not self.is_file:
            raise CredentialsError(
                'The login comes from the environment variable CODEX_ACCESS_TOKEN, which cannot be written. Unset it '
                'to use the login file, or replace its value yourself.'
            )
        return self._auth_file()

    def _auth_file(self) -> AuthFile:
        if self._locked is not None:
            return self._locked
        path, named_by = _default()
        if self._file is None or self._file.path != path:
            self._file = AuthFile(path, named_by=named_by)
        return self._file
