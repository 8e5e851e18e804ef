"""Where a login file is, and where the files beside it are."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """A login file and the files beside it.

    All of them have fixed names, so that nothing piles up when a process is killed again and again.

    Attributes:
        target: The login file, with its links followed.
        stem: What the names of the others begin with.
    """

    target: Path
    stem: Path

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
    into a container, they lie in the folder for the state of programs, under a name made from the file's path.
    """
    target = Path(os.path.realpath(path))
    if takes_files(target.parent):
        return Places(target, target.with_name(f'.{target.name}'))
    from platformdirs import user_state_path

    try:
        folder = user_state_path('pydantic-ai-codex', appauthor=False).expanduser()
    except RuntimeError:  # a user without a home has no better place
        folder = target.parent
    name = hashlib.sha256(os.fsencode(target)).hexdigest()[:16]
    return Places(target, folder / f'auth-{name}')


def takes_files(folder: Path) -> bool:
    """Whether files can be made in the folder, or the folder itself where there is none yet."""
    existing = next(each for each in (folder, *folder.parents) if each.exists() or each == each.parent)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def make_folder(path: Path) -> None:
    """Make the folder of a file, for the user alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
