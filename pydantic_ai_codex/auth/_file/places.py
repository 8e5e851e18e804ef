"""Where a login file is, and where the files beside it are."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_PRIVATE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700

_WRITE_AND_SEARCH: Final = 0o3
"""The permissions that making a file in a folder takes, as the mode has them for everybody."""

_NO_FOLLOW: Final = getattr(os, 'O_NOFOLLOW', 0)


class Owner(NamedTuple):
    """Whom a file belongs to."""

    user: int
    group: int


class Places(NamedTuple):
    """A login file and the files beside it.

    All of them have fixed names, so that nothing piles up when a process is killed again and again.

    Attributes:
        target: The login file, with its links followed.
        stem: What the names of the others begin with.
        owner: Whom the files beside it belong to, whoever makes them: root would lock the user out. `None` where the
            system has no such thing.
    """

    target: Path
    stem: Path
    owner: Owner | None = None

    @property
    def lock(self) -> Path:
        """What one holder at a time has locked. It is never removed: whoever waits for it has it open."""
        return self._beside('.lock')

    @property
    def pending(self) -> Path:
        """The new content, whole, before it takes its place."""
        return self._beside('.new')

    @property
    def note(self) -> Path:
        """What is known about a refresh under way."""
        return self._beside('.refresh')

    @property
    def probe(self) -> Path:
        """What is written to see whether writing works."""
        return self._beside('.probe')

    def _beside(self, suffix: str) -> Path:
        return self.stem.with_name(self.stem.name + suffix)


def places_of(path: Path) -> Places:
    """Where the file is, and where the files beside it are.

    They lie in its folder, under hidden names. Where that takes no new files, as with a single file that is mounted
    into a container, they lie in the folder for the state of programs, under a name made from the file's path. What
    counts is what the owner of the file may do there: root and the user would have two locks otherwise.

    Raises:
        ValueError: If no file can have such a name.
    """
    target = Path(os.path.realpath(path))
    folder = _existing(target.parent)
    owner = _owner_of(target) or _owner_of(folder)
    if _takes_files_of(owner, folder):
        return Places(target, target.with_name(f'.{target.name}'), owner)
    name = hashlib.sha256(os.fsencode(target)).hexdigest()[:16]
    return Places(target, (_state_folder(owner) or target.parent) / f'auth-{name}', owner)


def takes_files(folder: Path) -> bool:
    """Whether this process can make files in the folder, or the folder itself where there is none yet."""
    existing = _existing(folder)
    as_who = os.access in os.supports_effective_ids
    return os.path.isdir(existing) and os.access(existing, os.W_OK | os.X_OK, effective_ids=as_who)


def make_folder(path: Path, owner: Owner | None) -> None:
    """Make the folder of a file, for its owner alone.

    Raises:
        OSError: If it cannot be made.
    """
    folders = [each for each in path.parents if not os.path.exists(each)]
    for folder in reversed(folders):
        try:
            folder.mkdir(_PRIVATE_FOLDER)
        except FileExistsError:  # another process was faster
            continue
        with suppress(OSError):
            _give_by_name(folder, owner, getattr(os, 'O_DIRECTORY', 0))


def make_lock_file(path: Path, owner: Owner | None) -> None:
    """Make the lock file, if there is none, and see that its owner can open it, also where root made it before.

    Raises:
        OSError: If it cannot be made.
    """
    make_folder(path, owner)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, _PRIVATE))
    with suppress(OSError):
        _give_by_name(path, owner)


def give(descriptor: int, owner: Owner | None) -> None:
    """Give an open file or folder of our own to its owner, as far as that can be.

    By the descriptor and not by the name, behind which there could be another file by then; and never a file that has
    a second name somewhere.
    """
    change_owner = getattr(os, 'fchown', None)
    if owner is None or change_owner is None:
        return
    now = os.fstat(descriptor)
    if owner == (now.st_uid, now.st_gid) or (stat.S_ISREG(now.st_mode) and now.st_nlink != 1):
        return
    with suppress(OSError):
        change_owner(descriptor, *owner)


def _give_by_name(path: Path, owner: Owner | None, flags: int = 0) -> None:
    """Give a folder or an empty file; one with something in it is not ours."""
    if owner is None or owner == _owner_of(path):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _NO_FOLLOW | flags)
    try:
        now = os.fstat(descriptor)
        if stat.S_ISDIR(now.st_mode) or now.st_size == 0:
            give(descriptor, owner)
    finally:
        os.close(descriptor)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is, as far as this process can see."""
    return next(each for each in (folder, *folder.parents) if os.path.exists(each) or each == each.parent)


def _owner_of(path: Path) -> Owner | None:
    if os.name != 'posix':
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Owner(status.st_uid, status.st_gid)


def _takes_files_of(owner: Owner | None, folder: Path) -> bool:
    """Whether an owner can make files in a folder that exists."""
    if owner is None or owner.user == os.geteuid():
        return takes_files(folder)
    try:
        status, system = os.stat(folder), os.statvfs(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or system.f_flag & os.ST_RDONLY:
        return False
    if owner.user == 0:
        return True
    shift = 6 if owner.user == status.st_uid else 3 if owner.group == status.st_gid else 0
    return (status.st_mode >> shift) & _WRITE_AND_SEARCH == _WRITE_AND_SEARCH


def _state_folder(owner: Owner | None) -> Path | None:
    """The owner's folder for the state of programs; a user without a home has none."""
    from platformdirs import user_state_path

    try:
        folder = user_state_path('pydantic-ai-codex', appauthor=False).expanduser()
        home = Path.home()
    except RuntimeError:
        return None
    if owner is None or owner.user == os.geteuid() or not folder.is_relative_to(home):
        return folder
    import pwd

    try:
        theirs = Path(pwd.getpwuid(owner.user).pw_dir)
    except KeyError:  # a user without a name
        return folder
    return theirs / folder.relative_to(home) if os.path.isdir(theirs) else folder
