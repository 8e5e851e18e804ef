"""What stands in the place of a login and is none."""

from __future__ import annotations

import os
from pathlib import Path

from .._file.places import places_of
from .._file.reading import document_to_update
from .._file.writing import check_file


def is_beyond_mending(path: Path) -> bool:
    """Whether a login could not be put into the file, only because of what it holds."""
    target = places_of(path).target
    try:
        check_file(target)
        document_to_update(target)
    except OSError:
        return False
    except ValueError:
        return True
    return False


def move_aside(path: Path) -> Path | None:
    """Give a file that is no login another name, as nobody but its user knows what it is.

    Returns:
        Where it is now, or `None` where it is no regular file that may be written, or cannot be moved.
    """
    target = places_of(path).target
    aside = target.with_name(f'{target.name}.broken')
    try:
        check_file(target)
        os.replace(target, aside)
    except OSError:
        return None
    return aside
