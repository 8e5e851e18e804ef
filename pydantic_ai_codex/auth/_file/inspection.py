"""What can be said of a login file without judging it."""

from __future__ import annotations

import os
import shlex
import stat
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .content import Shape
from .notes import RefreshNote
from .places import Places

_OTHERS = 0o077


class FileFacts(NamedTuple):
    """A login file, as it was found.

    Attributes:
        path: The file, as it is named.
        target: The same with its links followed.
        lock_path: What a process locks that refreshes the login.
        exists: Whether there is one.
        is_link: Whether `path` is a link.
        size: Its bytes.
        mode: Its permissions, or `None` where the system has no such thing.
        owner: The number of the user it belongs to, or `None` where the system has no such thing.
        is_readable_by_others: Whether its mode lets other users of the machine read or write it.
        shape: Where in it the login stands, or `None` where there is none.
        problem: Why it cannot be used, or `None`.
        write_problem: Why new tokens could not be kept in it, or `None`.
        note: What is known about a refresh of it that is under way, was cut off or failed.
    """

    path: Path
    target: Path
    lock_path: Path
    exists: bool
    is_link: bool
    size: int | None = None
    mode: int | None = None
    owner: int | None = None
    is_readable_by_others: bool = False
    shape: Shape | None = None
    problem: str | None = None
    write_problem: str | None = None
    note: RefreshNote | None = None


def facts_of(
    path: Path,
    places: Places,
    *,
    shape: Shape | None,
    problem: str | None,
    write_problem: str | None,
    note: RefreshNote | None,
) -> FileFacts:
    """What is known of the file, with what the system says of it."""
    try:
        status = places.target.stat()
    except OSError:
        status = None
    mode = stat.S_IMODE(status.st_mode) if status is not None and os.name == 'posix' else None
    return FileFacts(
        path=path,
        target=places.target,
        lock_path=places.lock,
        exists=status is not None,
        is_link=os.path.islink(path),
        size=None if status is None else status.st_size,
        mode=mode,
        owner=None if status is None or mode is None else status.st_uid,
        is_readable_by_others=bool((mode or 0) & _OTHERS),
        shape=shape,
        problem=problem,
        write_problem=write_problem,
        note=note,
    )


@cache
def warn_of_others(path: Path, mode: int) -> None:
    """Say once of a file that its mode lets others in, whatever reads it."""
    if os.name != 'posix' or not mode & _OTHERS:
        return
    import logging

    logging.getLogger('pydantic_ai_codex').warning(
        'Other users of this machine can get at the login file %r (mode %04o). Run `chmod 600 %s`.',
        str(path),
        stat.S_IMODE(mode),
        shlex.quote(str(path)),
    )
