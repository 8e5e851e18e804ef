"""Bytes in a login file and beside it: replaced whole, or written in place where replacing cannot be."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from .places import Owner, Places, give, make_folder, takes_files

_PRIVATE: Final = 0o600

_BINARY: Final = getattr(os, 'O_BINARY', 0)
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY | getattr(os, 'O_NOFOLLOW', 0)

_FULL: Final = frozenset({errno.ENOSPC, errno.EIO, getattr(errno, 'EDQUOT', errno.ENOSPC)})
"""What a disk says that takes no more. Writing in place would not help, while it does where only the folder refuses."""

EMPTIED: Final = b'{}'
"""What a logout leaves of a file that it cannot remove."""

_REPLACE_PATIENCE: Final = 1.0 if os.name == 'nt' else 0.0
"""Seconds. Windows refuses to replace a file that somebody reads, which takes a moment."""

_REPLACE_PAUSE: Final = 0.05

_LEAST_ROOM: Final = 16 * 1024
"""Bytes that have to be free before a token is spent; a login takes four to eight thousand."""


class NotWrittenError(Exception):
    """The content did not get into the file; the message says why, in words for the middle of a sentence.

    Attributes:
        is_pending: Whether it waits beside the file, whole.
    """

    def __init__(self, replacing: OSError, in_place: OSError | None = None, *, is_pending: bool = False) -> None:
        why = reason(replacing)
        if in_place is not None:
            why = f'it can be neither replaced ({why}) nor written in place ({reason(in_place)})'
        super().__init__(why)
        self.is_pending = is_pending


def reason(error: OSError | ValueError) -> str:
    """What the operating system says, without the path, which our messages name themselves."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def check_file(target: Path) -> None:
    """See that a file may be written, without writing it.

    Raises:
        OSError: If it may not. A file without the permission to write counts as read-only on purpose, even for root,
            whom the system would not stop.
    """
    mode = target.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, 'it is no regular file')
    if not mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, 'it is marked as read-only')
    os.close(os.open(target, os.O_RDWR | _BINARY))


def check_room(places: Places, size: int) -> None:
    """See that a content of that size can be kept, by writing as much and more beside the file.

    Raises:
        OSError: If it cannot.
    """
    exists = os.path.exists(places.target)
    if not exists and not takes_files(places.target.parent):
        raise PermissionError(errno.EACCES, 'its folder takes no new files')
    if not os.path.exists(places.stem.parent) and takes_files(places.stem.parent):
        return
    try:
        stage(places.probe, b' ' * max(2 * size, _LEAST_ROOM), places.owner)
        places.probe.unlink(missing_ok=True)
    except OSError as error:
        # A folder that takes no files does not matter where the file itself can be written.
        if error.errno in _FULL or not exists:
            raise


def write_whole(places: Places, content: bytes, check: Callable[[], object]) -> None:
    """Put the content into the file.

    A kill at any moment leaves the old one, the new one, or a torn one with the new one whole beside it. Only where
    nothing can be written beside the file, a kill while it is written in place can leave a torn one alone.

    Args:
        places: The file.
        content: What it shall hold.
        check: Called at the last moment, with the content staged; what it raises leaves the file as it was.

    Raises:
        NotWrittenError: If neither replacing the file nor writing it in place works.
    """
    try:
        make_folder(places.pending, places.owner)
        stage(places.pending, content, places.owner)
    except OSError as error:
        check()
        _write_in_place_after(error, places, content, is_pending=False)
        return
    try:
        check()
    except BaseException:
        with suppress(OSError):
            places.pending.unlink()
        raise
    install(places, content)


def install(places: Places, content: bytes) -> None:
    """Put the pending file, which holds the content, in the place of the file.

    Raises:
        NotWrittenError: If it can neither replace the file nor be written in its place. It stays pending.
    """
    try:
        _check_owner(places)
        _replace(places.pending, places.target)
    except OSError as error:
        _write_in_place_after(error, places, content, is_pending=True)
        with suppress(OSError):
            places.pending.unlink()
    else:
        _sync_folder(places.target.parent)


def stage(path: Path, content: bytes, owner: Owner | None) -> None:
    """Write a file of our own, for its owner alone, and see it onto the disk; nothing is left where that fails.

    Raises:
        OSError: If it cannot be written.
    """
    descriptor = os.open(path, _NEW_FILE, _PRIVATE)
    try:
        try:
            _set_private(descriptor)  # it may be the leftover of another umask
            give(descriptor, owner)
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def write_beside(path: Path, content: bytes, owner: Owner | None) -> None:
    """Replace one of the files beside the login.

    Raises:
        OSError: If it cannot be written.
    """
    make_folder(path, owner)
    staged = path.with_name(f'{path.name}.new')
    stage(staged, content, owner)
    _replace(staged, path)
    _sync_folder(path.parent)


def remove(places: Places) -> bool:
    """Remove the file, or empty it where its place cannot be emptied; and what stands beside it, but for the lock.

    Returns:
        Whether there was one.

    Raises:
        OSError: If it is still there, with its content.
    """
    existed = os.path.exists(places.target)
    if existed:
        try:
            places.target.unlink()
        except OSError:  # a file that is mounted by itself, or a folder that is read-only
            write_in_place(places.target, EMPTIED + b'\n')
    for path in (places.pending, places.note, places.note.with_name(f'{places.note.name}.new'), places.probe):
        with suppress(OSError):
            path.unlink()
    return existed


def write_in_place(target: Path, content: bytes) -> None:
    """Overwrite a file that cannot be replaced.

    The content goes out in one write that is as long as what was there, and is cut to its length afterwards: a file
    truncated first would be empty for whoever reads or kills in between. JSON does not mind blank lines at its end.

    Raises:
        OSError: If it cannot be written; what was there is put back as well as can be.
    """
    descriptor = os.open(target, os.O_RDWR | _BINARY)
    try:
        with suppress(OSError):
            _set_private(descriptor)
        with os.fdopen(descriptor, 'rb', closefd=False) as file:
            old = file.read()
        try:
            _overwrite(descriptor, content.ljust(len(old), b'\n'))
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                _overwrite(descriptor, old)
                os.ftruncate(descriptor, len(old))
            raise
        with suppress(OSError):
            os.ftruncate(descriptor, len(content))
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_in_place_after(replacing: OSError, places: Places, content: bytes, *, is_pending: bool) -> None:
    if not os.path.exists(places.target):
        # Without the file that a refresh began with, nothing would finish it.
        with suppress(OSError):
            places.pending.unlink()
        raise NotWrittenError(replacing) from replacing
    try:
        write_in_place(places.target, content)
    except OSError as error:
        raise NotWrittenError(replacing, error, is_pending=is_pending) from error


def _check_owner(places: Places) -> None:
    """See that the pending file has the owner of the file it replaces, as where root works for a user.

    Raises:
        OSError: If it has not. Its group does not matter to a file that only its owner can read.
    """
    if os.name == 'posix' and os.path.exists(places.target):
        old, new = places.target.stat(), places.pending.stat()
        if old.st_uid != new.st_uid:
            raise PermissionError(errno.EPERM, 'its owner could not be kept')


def _replace(source: Path, target: Path) -> None:
    """Rename, and wait a little for whoever has the target open where the system minds that.

    Raises:
        OSError: If it cannot be replaced.
    """
    deadline = time.monotonic() + _REPLACE_PATIENCE
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_REPLACE_PAUSE)


def _set_private(descriptor: int) -> None:
    if hasattr(os, 'fchmod'):  # Windows has it since Python 3.13
        os.fchmod(descriptor, _PRIVATE)


def _overwrite(descriptor: int, content: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    _write_all(descriptor, content)


def _write_all(descriptor: int, content: bytes) -> None:
    written = os.write(descriptor, content)
    while written < len(content):  # a disk that is nearly full takes a part, and then says so
        written += os.write(descriptor, content[written:])


def _sync_folder(folder: Path) -> None:
    """See the new name onto the disk. Not every system can, and the content is there already."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
