"""What stands in the place of a login and is none."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Final

from .._file.places import places_of, takes_files
from .._file.reading import document_to_update
from .._file.writing import check_file, check_room

_PRIVATE: Final = 0o600


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


def can_make_room(path: Path) -> bool:
    """Whether a file can be moved aside and another one be put in its place, as far as that can be told before."""
    places = places_of(path)
    try:
        check_room(places, 0)
    except OSError:
        return False
    return takes_files(places.target.parent)


def move_aside(path: Path) -> Path | None:
    """Give a file that is no login another name, as nobody but its user knows what it is.

    The caller holds the file's lock, so that nobody else takes the same name.

    Returns:
        Where it is now, or `None` where it is no regular file that may be written, or cannot be moved.
    """
    target = places_of(path).target
    try:
        check_file(target)
        with suppress(OSError):
            target.chmod(_PRIVATE)  # What is left of a login may still be one.
        aside = _free_name(target)
        os.replace(target, aside)
    except OSError:
        return None
    return aside


def _free_name(target: Path) -> Path:
    """`auth.json.broken`, `auth.json.broken-2`, and so on: the first that nothing has yet."""
    first = target.with_name(f'{target.name}.broken')
    names = chain([first], (first.with_name(f'{first.name}-{number}') for number in count(2)))
    return next(each for each in names if not os.path.lexists(each))
