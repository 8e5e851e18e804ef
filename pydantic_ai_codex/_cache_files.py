"""Files of a cache: small, replaced whole, in a folder that nobody else can write to. No function but one raises."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE_FAILURES: Final = (OSError, ValueError)
"""What is raised by files that cannot be used; the second for a name that no file can have."""

_LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a file that is read; those of ours have some ten thousand."""

_ABANDONED: Final = 3600.0
"""Seconds after which the file of somebody who was killed while writing is removed."""


def make_folder(folder: Path) -> None:
    """See that there is a folder.

    Raises:
        OSError: If there cannot be one, or it is somebody else's; see `is_trusted`.
        ValueError: If its name is none.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_trusted(folder):
        raise PermissionError(errno.EPERM, 'others can write there')


def is_trusted(folder: Path) -> bool:
    """Whether a folder of ours is this user's, and not everybody's.

    Who can write there puts words into the model's mouth, and says which models there are. A group is believed, as that
    of a volume in a container; and so is the one who may do everything.
    """
    if os.name != 'posix':
        return True
    try:
        facts = [folder.stat(), folder.parent.stat()]
    except FILE_FAILURES:
        return False
    return all(about.st_uid in (os.geteuid(), 0) and not about.st_mode & stat.S_IWOTH for about in facts)


def read_file(path: Path) -> bytes | None:
    """What is in a file, or at its beginning; `None` where there is no file, or no trust in its folder."""
    try:
        if not is_trusted(path.parent) or not path.is_file():  # such as a pipe, which would be waited for
            return None
        with open(path, 'rb') as file:
            return file.read(_LARGEST)
    except FILE_FAILURES:
        return None


def replace_file(path: Path, content: bytes) -> bool:
    """Write a file; whether that worked. A kill at any moment leaves the old one or the new one."""
    temporary: str | None = None
    try:
        make_folder(path.parent)
        descriptor, temporary = tempfile.mkstemp(suffix='.tmp', dir=path.parent)
        with os.fdopen(descriptor, 'wb') as file:
            file.write(content)
        os.replace(temporary, path)
    except FILE_FAILURES:
        if temporary is not None:
            remove_files([temporary])
        return False
    return True


def files_in(folder: Path, *, start: str = '', end: str) -> list[Path]:
    """The files of a folder by the beginnings and ends of their names, the one that was written last first."""
    # No pattern: a name may hold what means something there.
    try:
        names = os.listdir(folder)
    except FILE_FAILURES:
        return []
    return sorted((folder / name for name in names if name.startswith(start) and name.endswith(end)), key=_age)


def remove_files(paths: Iterable[str | Path]) -> None:
    """Remove files, as far as they are there."""
    for path in paths:
        with suppress(*FILE_FAILURES):
            os.unlink(path)


def remove_abandoned(folder: Path) -> None:
    """Remove what those left who were killed while writing."""
    remove_files(path for path in files_in(folder, end='.tmp') if _age(path) > _ABANDONED)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime  # noqa: TID251 - beside the times of files, no other clock makes sense
    except FILE_FAILURES:
        return 0.0
