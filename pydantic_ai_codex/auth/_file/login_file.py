"""A login file and what stands beside it, for code that may block: `AuthFile` without its `async`."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from ...errors import CredentialsError, CredentialsFileError, CredentialsNotFoundError, CredentialsSaveError
from .._credentials import Credentials, ShapeError, update_json
from .._paths import is_default, login_command
from .content import LARGEST, TornError, check_size, document_in, is_successor, login_in, shape_of
from .inspection import FileFacts, facts_of, warn_of_others
from .lock import LockedError
from .notes import RefreshNote, note_from_json, note_to_json
from .places import Places, make_lock_file, places_of
from .reading import document_to_update, settled
from .writable import check_folder, how_to_make_writable
from .writing import (
    EMPTIED,
    NotWrittenError,
    check_file,
    check_room,
    install,
    reason,
    remove,
    write_beside,
    write_whole,
)

_SETTLED: Final = 2.0
"""Seconds. Some file systems count changes in steps of two: what changed just now can change again and look alike."""

_GROWTH: Final = 64 * 1024
"""Bytes that a new login may take more than the old one."""


class SupersededError(CredentialsError):
    """The file holds another login by now than the one that was to be replaced, or none; it was left as it is."""


class _Version(NamedTuple):
    """What changes when a file does."""

    device: int
    number: int
    size: int
    modified: int


class LoginFile:
    """Reads and writes one login file; see `AuthFile`.

    What writes is told the `places`, which the caller looks up once for all that it does under one lock.

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
            raise self._not_found('does not exist') from error
        except (OSError, ValueError) as error:
            next_step = 'Mend its place or its permissions, then try again.'
            raise self._error(f'cannot be read: {reason(error)}', next_step) from error

    def places(self) -> Places:
        """Where the file is, and what stands beside it."""
        try:
            return places_of(self.path)
        except (OSError, ValueError) as error:
            raise self._error(f'has an impossible name: {reason(error)}', 'Name the right one.') from error

    def save(self, places: Places, credentials: Credentials, replacing: str | None) -> None:
        """Put the login into the file, unless it holds neither the one that is replaced nor the new one."""

        def check() -> None:
            if replacing is not None and self._is_superseded(places, {replacing, credentials.fingerprint}):
                raise SupersededError(
                    f'The login file {self.describe()} holds another login by now, or none; so it stays.'
                )

        try:
            # A symbolic link stays one: the file that it points to is replaced.
            document = self._document(places)
            content = to_json(update_json(document, credentials, now=datetime.now(UTC)), indent=2)
            check_size(len(content))
            write_whole(places, content, check)
        except (OSError, ValueError) as error:
            raise self._save_error(reason(error)) from error
        except NotWrittenError as error:
            # Only a refresh is finished by the next process; another login that waits would wait for nobody.
            is_pending = error.is_pending and self._pending_successor(places) is not None
            raise self._save_error(str(error), is_pending=is_pending) from error
        finally:
            self._cached = None

    def finish_save(self, places: Places) -> bool:
        """Put what a process was killed over into the file; whether there was such a thing."""
        content = self._pending_successor(places)
        if content is None:
            return False
        try:
            install(places, content)
        except NotWrittenError as error:
            raise self._save_error(str(error), is_pending=True) from error
        self._cached = None
        self.clear_note(places)
        return True

    def check_writable(self, places: Places) -> None:
        """See that a login could be saved."""
        try:
            size = len(to_json(self._document(places), indent=2))
            check_size(size + _GROWTH)
            check_room(places, size)
            check_folder(places.target)
        except (OSError, ValueError) as error:
            next_step = how_to_make_writable(error, exists=os.path.exists(places.target))
            raise self._error(
                f'cannot be written: {reason(error)}', f'New tokens could not be kept there. {next_step}'
            ) from error

    def remove(self, places: Places) -> bool:
        """Remove the file and what stands beside it; whether there was one."""
        try:
            return remove(places)
        except OSError as error:
            raise self._error(f'cannot be removed: {reason(error)}', 'Remove it yourself.') from error
        finally:
            self._cached = None

    def read_note(self, places: Places) -> RefreshNote | None:
        """The note, where there is one that can be read."""
        try:
            return note_from_json(places.note.read_bytes())
        except OSError:
            return None

    def write_note(self, places: Places, note: RefreshNote) -> None:
        """Keep a note."""
        try:
            write_beside(places.note, note_to_json(note), places.owner)
        except OSError as error:
            next_step = f'Let files be made in {str(places.note.parent)!r}, then try again.'
            raise self._error(f'cannot have a note beside it: {reason(error)}', next_step) from error

    def clear_note(self, places: Places) -> None:
        """Forget the note, as far as that can be: after a save it names a token that the file no longer has."""
        with suppress(OSError):
            places.note.unlink()

    def prepare_lock(self) -> Places:
        """Where everything is, with a file to lock."""
        places = self.places()
        try:
            make_lock_file(places.lock, places.owner)
        except OSError as error:
            raise self.lock_error(places, 0, error) from error
        return places

    def lock_error(self, places: Places, patience: float, error: OSError | None) -> CredentialsError:
        """The error for a lock that cannot be had: for a reason, or because it was not free for that long."""
        path = str(places.lock)
        if error is not None:
            return self._error(
                f'cannot be locked: {path!r}: {reason(error)}',
                'Remove that file if it belongs to another user, and let this one write into its folder.',
            )
        note = self.read_note(places)
        holder = f'process {note.pid} on {note.host}' if note is not None else 'another process'
        waited = f' for more than {patience:.0f} seconds' if patience >= 1 else ''
        return LockedError(
            f'The login file {self.describe()} is locked{waited}, perhaps by {holder}, which should be refreshing it. '
            f'Try again; if it stays so, end what hangs: the lock ({path!r}) goes with its process, and the file '
            'itself may stay.'
        )

    def inspect(self) -> FileFacts:
        """What there is to say about the file."""
        places = self.places()
        shape = problem = write_problem = None
        try:
            credentials = self.load()
            shape = shape_of(document_in(settled(places.target)), credentials)
        except (CredentialsError, OSError, ValueError) as error:
            problem = str(error)
        try:
            self.check_writable(places)
        except CredentialsError as error:
            write_problem = str(error)
        return facts_of(
            self.path, places, shape=shape, problem=problem, write_problem=write_problem, note=self.read_note(places)
        )

    def _pending_successor(self, places: Places) -> bytes | None:
        """What waits beside the file and belongs into it; anything else that waits is removed."""
        try:
            content = places.pending.read_bytes()
            check_file(places.target)
            if is_successor(content, settled(places.target), self.read_note(places)):
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
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
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
            next_step = f'Run {login_command(self.path)} to log in anew, or put a whole file in its place.'
            raise self._error(str(error), next_step, is_torn=True) from error
        except ShapeError as error:
            if content.strip() == EMPTIED:
                raise self._not_found('holds no login: it was logged out') from error
            next_step = f'Run {login_command(self.path)} to log in anew.'
            raise self._error(f'holds no login that can be used: {error}', next_step) from error

    def _document(self, places: Places) -> dict[str, Any]:
        """What a login would go into, in a file that may be written or that there is none of yet."""
        if os.path.exists(places.target):
            check_file(places.target)
        return document_to_update(places.target)

    def _is_superseded(self, places: Places, expected: Collection[str | None]) -> bool:
        """Whether the file holds a login that is none of these, or somebody has logged out."""
        try:
            content = settled(places.target)
            return content.strip() == EMPTIED or login_in(content).fingerprint not in expected
        except FileNotFoundError:
            return True
        except (OSError, ValueError):  # broken, and nothing that somebody chose
            return False

    def _not_found(self, what: str) -> CredentialsNotFoundError:
        elsewhere = ', let CODEX_AUTH_FILE name another file' if is_default(self.path) else ''
        return CredentialsNotFoundError(
            f'There is no login: {self.describe()} {what}. Run {login_command(self.path)}{elsewhere}, '
            'or pass `credentials=` or `api_key=` to `CodexProvider`.',
            path=self.path,
        )

    def _error(self, what: str, next_step: str, *, is_torn: bool = False) -> CredentialsFileError:
        message = f'The login file {self.describe()} {what}. {next_step}'
        return CredentialsFileError(message, path=self.path, is_torn=is_torn)

    def _save_error(self, why: str, *, is_pending: bool = False) -> CredentialsSaveError:
        where = 'They wait beside it' if is_pending else 'They are nowhere but in memory'
        return CredentialsSaveError(
            f'The new tokens could not be put into the login file {self.describe()}: {why}. {where}. Mend the file, '
            'its permissions or its disk, then try again. Should this process have ended by then, run '
            f'{login_command(self.path)}.',
            path=self.path,
        )
