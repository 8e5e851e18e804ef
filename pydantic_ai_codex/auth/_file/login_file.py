"""A login file and what stands beside it, for code that may block: `AuthFile` without its `async`."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from pydantic_core import to_json

from ...errors import CredentialsError, CredentialsFileError, CredentialsNotFoundError, CredentialsSaveError
from .._credentials import Credentials, ShapeError, update_json
from .content import TornError, document_in, is_successor, login_in, shape_of
from .inspection import FileFacts, facts_of, warn_of_others
from .notes import RefreshNote, note_from_json, note_to_json
from .places import Places, make_folder, places_of
from .reading import document_to_update, settled
from .writing import (
    NotWrittenError,
    check_file,
    check_room,
    install,
    reason,
    remove,
    write_beside,
    write_whole,
)

_LARGEST: Final = 1024 * 1024
"""A login takes some kilobytes."""

_SETTLED: Final = 2.0
"""Seconds. Some file systems count changes in steps of two: what changed just now can change again and look alike."""

_LOG_IN: Final = 'Run `pydantic-ai-codex login` (or `codex login`)'


class _Version(NamedTuple):
    """What changes when a file does."""

    device: int
    number: int
    size: int
    modified: int


class LoginFile:
    """Reads and writes one login file; see `AuthFile`.

    Args:
        path: The file.
        named_by: The environment variable that names it, for messages.
    """

    def __init__(self, path: Path, named_by: str | None) -> None:
        self.path = path
        self._named_by = named_by
        self._cached: tuple[_Version, Credentials] | None = None

    def describe(self) -> str:
        """The place in words."""
        return repr(str(self.path)) + (f' (named by {self._named_by})' if self._named_by else '')

    def load(self) -> Credentials:
        """The login, as the file has it now."""
        try:
            # Without blocking: opening a pipe would wait for whoever writes into it.
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0))
            try:
                return self._load_open(descriptor)
            finally:
                os.close(descriptor)
        except FileNotFoundError as error:
            raise CredentialsNotFoundError(
                f'There is no login: {self.describe()} does not exist. Run `pydantic-ai-codex login` (or `codex '
                'login`, which writes ~/.codex/auth.json, or $CODEX_HOME/auth.json), let CODEX_AUTH_FILE name another '
                'file, or pass `credentials=` or `api_key=` to `CodexProvider`.',
                path=self.path,
            ) from error
        except (OSError, ValueError) as error:
            next_step = 'Mend its place or its permissions, then try again.'
            raise self._error(f'cannot be read: {reason(error)}', next_step) from error

    def save(self, credentials: Credentials) -> None:
        """Put the login into the file."""
        # A symbolic link stays one: the file that it points to is replaced.
        places = places_of(self.path)
        try:
            if places.target.exists():
                check_file(places.target)
            document = document_to_update(places.target)
            write_whole(places, to_json(update_json(document, credentials, now=datetime.now(UTC)), indent=2))
        except (OSError, ValueError) as error:
            raise self._save_error(reason(error)) from error
        except NotWrittenError as error:
            # Only a refresh is finished by the next process; another login that waits would wait for nobody.
            is_pending = error.is_pending and self._pending_successor(places) is not None
            raise self._save_error(str(error), is_pending=is_pending) from error
        finally:
            self._cached = None

    def finish_save(self) -> bool:
        """Put what a process was killed over into the file; whether there was such a thing."""
        places = places_of(self.path)
        content = self._pending_successor(places)
        if content is None:
            return False
        try:
            install(places, content)
        except NotWrittenError as error:
            raise self._save_error(str(error), is_pending=True) from error
        self._cached = None
        self.clear_note()
        return True

    def check_writable(self) -> None:
        """See that a login could be saved."""
        places = places_of(self.path)
        try:
            size = 0
            if places.target.exists():
                check_file(places.target)
                size = places.target.stat().st_size
            document_to_update(places.target)
            check_room(places, size)
        except (OSError, ValueError) as error:
            raise self._error(
                f'cannot be written: {reason(error)}',
                'Refreshing would spend its refresh token and lose the new one. Let it be written (mount it '
                'read-write, give it mode 0600, make room on its disk, move away what is no login), let '
                "CODEX_AUTH_FILE name a file that can be, or pass `refresh='never'` to `CodexProvider` and let the "
                'Codex CLI refresh.',
            ) from error

    def remove(self) -> bool:
        """Remove the file and what stands beside it; whether there was one."""
        try:
            return remove(places_of(self.path))
        except OSError as error:
            next_step = 'Remove it yourself: the login in it may still work.'
            raise self._error(f'cannot be removed: {reason(error)}', next_step) from error
        finally:
            self._cached = None

    def read_note(self) -> RefreshNote | None:
        """The note, where there is one that can be read."""
        try:
            return note_from_json(places_of(self.path).note.read_bytes())
        except OSError:
            return None

    def write_note(self, note: RefreshNote) -> None:
        """Keep a note."""
        path = places_of(self.path).note
        try:
            write_beside(path, note_to_json(note))
        except OSError as error:
            next_step = f'Let files be made in {str(path.parent)!r}, then try again.'
            raise self._error(f'cannot have a note beside it: {reason(error)}', next_step) from error

    def clear_note(self) -> None:
        """Forget the note, as far as that can be: after a save it names a token that the file no longer has."""
        with suppress(OSError):
            places_of(self.path).note.unlink()

    def lock_path(self) -> Path:
        """The file to lock, with a folder to be in."""
        path = places_of(self.path).lock
        try:
            make_folder(path)
        except OSError as error:
            raise self.lock_error(error) from error
        return path

    def lock_error(self, error: OSError | None) -> CredentialsError:
        """The error for a lock that cannot be had: for a reason, or because it is never free."""
        path = str(places_of(self.path).lock)
        if error is not None:
            return self._error(
                f'cannot be locked: {path!r}: {reason(error)}',
                'Remove that file if it belongs to another user, and let this one write into its folder.',
            )
        note = self.read_note()
        holder = f'process {note.pid} on {note.host}' if note is not None else 'another process'
        return CredentialsError(
            f'The login file {self.describe()} is locked for more than a minute, perhaps by {holder}, which should be '
            f'refreshing it. End what hangs, then try again: the lock ({path!r}) goes with its process, and the file '
            'itself may stay.'
        )

    def inspect(self) -> FileFacts:
        """What there is to say about the file."""
        places = places_of(self.path)
        shape = problem = write_problem = None
        try:
            credentials = self.load()
            shape = shape_of(document_in(settled(places.target)), credentials)
        except (CredentialsError, OSError, ValueError) as error:
            problem = str(error)
        try:
            self.check_writable()
        except CredentialsError as error:
            write_problem = str(error)
        return facts_of(
            self.path, places, shape=shape, problem=problem, write_problem=write_problem, note=self.read_note()
        )

    def _pending_successor(self, places: Places) -> bytes | None:
        """What waits beside the file and belongs into it; anything else that waits is removed."""
        try:
            content = places.pending.read_bytes()
            check_file(places.target)
            if is_successor(content, settled(places.target), self.read_note()):
                return content
        except FileNotFoundError:  # nothing waits, or somebody has logged out
            pass
        except OSError:
            return None
        with suppress(OSError):
            places.pending.unlink()
        return None

    def _load_open(self, descriptor: int) -> Credentials:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            raise self._error('is no regular file, or far too large for a login', 'Name the right one.')
        warn_of_others(self.path, status.st_mode)
        version = _Version(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        cached = self._cached
        if cached is not None and cached[0] == version:
            return cached[1]
        with os.fdopen(descriptor, 'rb', closefd=False) as file:
            credentials = self._parse(file.read())
        is_settled = status.st_mtime < datetime.now(UTC).timestamp() - _SETTLED
        self._cached = (version, credentials) if is_settled else None
        return credentials

    def _parse(self, content: bytes) -> Credentials:
        try:
            return login_in(content)
        except TornError as error:
            next_step = f'{_LOG_IN} to log in anew, or put a whole file in its place.'
            raise self._error(str(error), next_step, is_torn=True) from error
        except ShapeError as error:
            next_step = f'{_LOG_IN} to log in anew.'
            raise self._error(f'holds no login that can be used: {error}', next_step) from error

    def _error(self, what: str, next_step: str, *, is_torn: bool = False) -> CredentialsFileError:
        message = f'The login file {self.describe()} {what}. {next_step}'
        return CredentialsFileError(message, path=self.path, is_torn=is_torn)

    def _save_error(self, why: str, *, is_pending: bool = False) -> CredentialsSaveError:
        where = 'They wait beside it' if is_pending else 'They are nowhere but in memory'
        return CredentialsSaveError(
            f'The new tokens could not be put into the login file {self.describe()}: {why}. {where}. Mend the file, '
            'its permissions or its disk, then try again. Should this process have ended by then, run '
            '`pydantic-ai-codex login`.',
            path=self.path,
        )
