"""Where credentials are kept: the protocol, the CLI's file, and memory."""

from __future__ import annotations

import os
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, cast, runtime_checkable

import anyio
import anyio.to_thread
from pydantic_core import from_json, to_json

from ..errors import CredentialsFileError, CredentialsNotFoundError
from ._credentials import Credentials, ShapeError, credentials_from_json, update_json

_TORN_READS: Final = 5
_TORN_PAUSE: Final = 0.02
"""The CLI truncates the file and writes it anew, so a reader can meet it empty or half written for a moment."""

_LARGEST: Final = 1024 * 1024
"""A login takes some kilobytes."""

_NEXT_STEP: Final = 'Run `codex login` to log in anew, or put a whole file in its place.'


@runtime_checkable
class CredentialStore(Protocol):
    """Keeps one login.

    A store may also have `lock()`, an async context manager that is held around load, refresh and save, so that only
    one of several processes refreshes.
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
        raise CredentialsNotFoundError(
            f'There is no login: {os.fspath(path)!r} lies in a home folder that there is not. Set CODEX_HOME or '
            'CODEX_AUTH_FILE to where the login is, or pass `credentials=` or `api_key=` to `CodexProvider`.',
            path=Path(path),
        ) from error


class AuthFile:
    """The CLI's `auth.json`, or a file of the same shape.

    Args:
        path: The file; `~` is expanded.
        named_by: The environment variable that names the file, for messages.

    Raises:
        CredentialsNotFoundError: If there is no home folder for the `~`.
    """

    def __init__(self, path: str | os.PathLike[str], *, named_by: str | None = None) -> None:
        self.path: Path = expand(path)
        """The file."""
        self._named_by = named_by
        self._cached: tuple[tuple[int, ...], Credentials] | None = None

    async def load(self) -> Credentials:
        """Read the file, if it changed since the last time.

        Raises:
            CredentialsNotFoundError: If the file does not exist.
            CredentialsFileError: If it cannot be read, is not whole, or holds no login.
        """
        reads = 1
        while True:
            try:
                return await anyio.to_thread.run_sync(self._load)
            except CredentialsFileError as error:
                if not error.is_torn or reads == _TORN_READS:
                    raise
            reads += 1
            await anyio.sleep(_TORN_PAUSE)

    async def save(self, credentials: Credentials) -> None:
        """Write the credentials into the file, whole or not at all; other keys of it stay, its mode becomes 0600.

        Raises:
            CredentialsFileError: If the file cannot be written, or what is there is no JSON object.
        """
        await anyio.to_thread.run_sync(self._save, credentials)

    def describe(self) -> str:
        """The place in words, for messages."""
        return repr(str(self.path)) + (f' (named by {self._named_by})' if self._named_by else '')

    def __repr__(self) -> str:
        return f'AuthFile({str(self.path)!r})'

    def _load(self) -> Credentials:
        try:
            # Without blocking: opening a pipe would wait for whoever writes into it.
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0))
            try:
                return self._load_open(descriptor)
            finally:
                os.close(descriptor)
        except FileNotFoundError as error:
            raise CredentialsNotFoundError(
                f'There is no login: {self.describe()} does not exist. Run `codex login` (it writes '
                '~/.codex/auth.json, or $CODEX_HOME/auth.json), let CODEX_AUTH_FILE name another file, or pass '
                '`credentials=` or `api_key=` to `CodexProvider`.',
                path=self.path,
            ) from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise self._error(
                f'cannot be read: {reason}', 'Mend its place or its permissions, then try again.'
            ) from error

    def _load_open(self, descriptor: int) -> Credentials:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            raise self._error('is no regular file, or far too large for a login', 'Name the right one.')
        version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if self._cached is not None and self._cached[0] == version:
            return self._cached[1]
        with os.fdopen(descriptor, 'rb', closefd=False) as file:
            credentials = self._parse(file.read())
        self._cached = (version, credentials)
        return credentials

    def _parse(self, content: bytes) -> Credentials:
        content = content.removeprefix(b'\xef\xbb\xbf')
        if not content.strip():
            raise self._error('is empty', _NEXT_STEP, is_torn=True)
        try:
            document: Any = from_json(content)
        except ValueError as error:
            raise self._error(f'is not whole JSON ({error})', _NEXT_STEP, is_torn=True) from error
        try:
            return credentials_from_json(document)
        except ShapeError as error:
            raise self._error(f'holds no login that can be used: {error}', _NEXT_STEP) from error

    def _save(self, credentials: Credentials) -> None:
        # A symbolic link stays one: the file that it points to is replaced.
        target = Path(os.path.realpath(self.path))
        if target.exists() and not target.is_file():
            raise self._error('is no regular file, so it is not overwritten', 'Move it away, then try again.')
        try:
            document: Any = from_json(target.read_bytes()) if target.exists() else {}
        except (OSError, ValueError) as error:
            raise self._error('cannot be read, so it is not overwritten', 'Move it away, then try again.') from error
        if not isinstance(document, dict):
            raise self._error('holds no JSON object, so it is not overwritten', 'Move it away, then try again.')
        content = to_json(update_json(cast('dict[str, Any]', document), credentials, now=datetime.now(UTC)), indent=2)
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(target, content)
        except OSError as error:
            raise self._error(
                f'cannot be written: {error.strerror or error}', 'The new tokens were not kept; mend its permissions.'
            ) from error

    def _error(self, what: str, next_step: str, *, is_torn: bool = False) -> CredentialsFileError:
        message = f'The login file {self.describe()} {what}. {next_step}'
        return CredentialsFileError(message, path=self.path, is_torn=is_torn)


def _replace(target: Path, content: bytes) -> None:
    """Put the content in the place of the file, so that a reader meets the old or the new one and nothing between."""
    descriptor, name = tempfile.mkstemp(prefix=f'.{target.name}.', dir=target.parent)
    try:
        with os.fdopen(descriptor, 'wb') as file:
            os.chmod(name, stat.S_IRUSR | stat.S_IWUSR)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
