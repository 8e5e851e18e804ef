"""Which login is used when the caller names none: the order of places."""

from __future__ import annotations

from pathlib import Path

from .. import _environment
from ..errors import CredentialsError
from ._credentials import Credentials
from ._store import AuthFile, expand


def default_auth_path() -> Path:
    """The file that the login is read from: `CODEX_AUTH_FILE`, else `$CODEX_HOME/auth.json`, else `~/.codex/auth.json`.

    Raises:
        CredentialsNotFoundError: If there is no home folder.
    """
    return _default()[0]


def _default() -> tuple[Path, str | None]:
    """The file, and the variable that names it."""
    if explicit := _environment.read('CODEX_AUTH_FILE'):
        return expand(explicit), 'CODEX_AUTH_FILE'
    home = _environment.read('CODEX_HOME')
    return expand(home or '~/.codex') / 'auth.json', 'CODEX_HOME' if home else None


class EnvironmentStore:
    """The login that the environment points to, looked up anew at each use.

    `CODEX_ACCESS_TOKEN` comes first, then the file of `default_auth_path`. `OPENAI_API_KEY` is never read from the
    environment: it may belong to another program, and it costs money.
    """

    def __init__(self) -> None:
        self._file: AuthFile | None = None

    async def load(self) -> Credentials:
        """The credentials.

        Raises:
            CredentialsError: If there are none that can be used.
        """
        if token := _environment.read('CODEX_ACCESS_TOKEN'):
            return Credentials(token)
        return await self._auth_file().load()

    async def save(self, credentials: Credentials) -> None:
        """Keep new credentials in the file.

        Raises:
            CredentialsError: If the login comes from `CODEX_ACCESS_TOKEN`, which cannot be written.
        """
        if _environment.read('CODEX_ACCESS_TOKEN'):
            raise CredentialsError(
                'The login comes from the environment variable CODEX_ACCESS_TOKEN, which cannot be written. Unset it '
                'to use the login file, or replace its value yourself.'
            )
        await self._auth_file().save(credentials)

    def __repr__(self) -> str:
        return 'EnvironmentStore()'

    def describe(self) -> str:
        """The place in words, for messages."""
        if _environment.read('CODEX_ACCESS_TOKEN'):
            return 'the environment variable CODEX_ACCESS_TOKEN'
        return self._auth_file().describe()

    def _auth_file(self) -> AuthFile:
        path, named_by = _default()
        if self._file is None or self._file.path != path:
            self._file = AuthFile(path, named_by=named_by)
        return self._file
