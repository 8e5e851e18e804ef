"""Whether a folder for a login file can be had, and what to do about a file that cannot be written."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Final

_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})
_FULL: Final = frozenset({errno.ENOSPC, getattr(errno, 'EDQUOT', errno.ENOSPC)})


def check_folder(target: Path) -> None:
    """See that the folder of a file can be made, where there is none yet; nothing is left of that.

    It is tried, as some folders (those of `/proc`) let everything be written and then take nothing. What is made for
    that has a name of its own: another process may be making the folder itself.

    Raises:
        OSError: If it cannot be made.
    """
    existing = next((each for each in target.parents if os.path.exists(each)), target.parent)
    if existing == target.parent:
        return
    try:
        os.rmdir(tempfile.mkdtemp(prefix='.auth-', dir=existing))
    except OSError as error:
        why = error.strerror or str(error)
        raise OSError(error.errno, f'no folder can be made for it in {str(existing)!r} ({why})') from error


def how_to_make_writable(error: OSError | ValueError, *, exists: bool) -> str:
    """What to do about a login file, as a sentence.

    Args:
        error: Why it cannot be written; a `ValueError` is about what it holds.
        exists: Whether there is a file.
    """
    return f'{_what_helps(error, exists)}, or use another file.'


def _what_helps(error: OSError | ValueError, exists: bool) -> str:
    if not isinstance(error, OSError):
        return 'Move away what is no login'
    if error.errno == errno.EROFS:
        return 'Mount it read-write'
    if error.errno in _FULL:
        return 'Make room on its disk'
    if not exists:
        return 'Let this user make files in that folder'
    return 'Give it mode 0600' if error.errno in _DENIED else 'Mend its place or its disk'
