"""Where texts are kept: files that are replaced whole, or the memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from .._cache_files import (
    FILE_FAILURES,
    files_in,
    make_folder,
    read_file,
    remove_abandoned,
    remove_files,
    replace_file,
)
from .._lock import Held, try_file_lock
from .._lock import Release as Unlock
from .records import Entry, Failure, State, dump_entry, dump_state, load_entry, load_state

_STATE: Final = 'state.json'
_LOCK: Final = 'lock'
_KEPT: Final = 8
"""How many texts of one name are kept, for conversations that began with them."""


class Cache(Protocol):
    """Keeps texts. Its methods may be called in any thread; none raises."""

    def load_state(self) -> State:
        """What is known beside the texts."""
        ...

    def load_entry(self, name: str, ref: str) -> Entry | None:
        """A text."""
        ...

    def newest_entry(self, name: str) -> Entry | None:
        """The text of that name that was looked at last."""
        ...

    def save_state(self, state: State) -> bool:
        """Keep what is known; whether that worked."""
        ...

    def save_entry(self, name: str, entry: Entry, *, spare: str | None = None) -> bool:
        """Keep a text, and forget the oldest other ones of that name, but for the one at `spare`; whether that worked."""
        ...

    def path_of(self, name: str, ref: str) -> Path | None:
        """The file of a text."""
        ...

    def try_lock(self) -> Unlock | None:
        """Be the one who asks GitHub, if nobody is; at once."""
        ...


class MemoryCache:
    """Keeps texts for as long as it lives."""

    def __init__(self) -> None:
        self._state = State()
        self._entries: dict[tuple[str, str], Entry] = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self.paths: dict[str, Path | None] = {}
        """The files that keep the texts as well."""
        self.is_ahead = False
        """Whether what is known here could not be kept in files."""
        self.hanging: Failure | None = None
        """Another program that holds the lock of the files and does not give it up."""
        self.given_up = 0
        """How often in a row somebody did not wait for GitHub."""
        self.asking: Held | None = None
        """What the one holds who is finding out more just now, and has not kept it yet."""
        self._asking_since = 0.0
        self._adopting = threading.Lock()

    def load_state(self) -> State:
        """What is known beside the texts."""
        return self._state

    def load_entry(self, name: str, ref: str) -> Entry | None:
        """A text."""
        return self._entries.get((name, ref))

    def newest_entry(self, name: str) -> Entry | None:
        """The text of that name that was looked at last."""
        entries = [entry for key, entry in list(self._entries.items()) if key[0] == name]
        return max(entries, key=lambda entry: entry.checked_at, default=None)

    def save_state(self, state: State) -> bool:
        """Keep what is known."""
        with self._adopting:
            self._state = state
        return True

    def save_entry(self, name: str, entry: Entry, *, spare: str | None = None) -> bool:
        """Keep a text, and forget the oldest other ones of that name, but for the one at `spare`."""
        self._entries[name, entry.ref] = entry
        others = [(other.checked_at, key) for key, other in list(self._entries.items()) if key[0] == name]
        for _, key in sorted(pair for pair in others if pair[1][1] not in (entry.ref, spare))[: -_KEPT + 1]:
            self._entries.pop(key, None)
        return True

    def adopt_state(self, load: Callable[[], State], *, is_locked: bool) -> None:
        """Take over what files say, unless more is known here, or somebody is finding it out meanwhile.

        Args:
            load: Reads the files.
            is_locked: Whether it is the caller who may ask GitHub, so that what the files say is the last word.
        """
        known = self._state
        if self.is_ahead or (self.asking is not None and not is_locked):
            return
        state = load()
        with self._adopting:
            if is_locked or self._state is known:
                self._state = state

    def path_of(self, name: str, ref: str) -> Path | None:
        """There is none."""
        return None

    def try_lock(self) -> Unlock | None:
        """Be the one who asks GitHub, in this process."""
        if self._pid != os.getpid():  # Whoever asked in the parent of a fork does not come back here.
            self._pid, self._lock, self.asking = os.getpid(), threading.Lock(), None
        if not self._lock.acquire(blocking=False):
            return None
        self._asking_since = time.monotonic()
        return self._lock.release

    def end_asking(self, held: Held) -> None:
        """Say that what was got is kept."""
        if self.asking is held:
            self.asking = None

    def end_overdue(self, seconds: float) -> None:
        """Take the turn from somebody who has had it for longer than that.

        An event loop that was stopped in the midst of it does not give it back.
        """
        held = self.asking
        if held is not None and time.monotonic() - self._asking_since > seconds:
            self.end_asking(held)
            held.give_up()


class FileCache:
    """Keeps texts in a folder, for every process that uses it.

    Each file is replaced whole, so a kill at any moment leaves the old one or the new one. Files that cannot be read, or
    are not what they should be, count as missing; where nothing can be written, nothing is kept.

    Args:
        folder: The folder, which is made when something is to be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Where the files are."""

    def load_state(self) -> State:
        """What is known beside the texts."""
        content = read_file(self.folder / _STATE)
        return State() if content is None else load_state(content)

    def load_entry(self, name: str, ref: str) -> Entry | None:
        """A text."""
        content = read_file(self.path_of(name, ref))
        entry = None if content is None else load_entry(content)
        return entry if entry is not None and entry.ref == ref else None

    def newest_entry(self, name: str) -> Entry | None:
        """The text of that name that was looked at last."""
        for path in self._files_of(name):
            if entry := load_entry(read_file(path) or b''):
                return entry
        return None

    def save_state(self, state: State) -> bool:
        """Keep what is known; whether that worked."""
        return replace_file(self.folder / _STATE, dump_state(state))

    def save_entry(self, name: str, entry: Entry, *, spare: str | None = None) -> bool:
        """Keep a text, and forget the oldest other ones of that name, but for the one at `spare`; whether that worked."""
        path = self.path_of(name, entry.ref)
        is_kept = replace_file(path, dump_entry(entry))
        spared = (path, self.path_of(name, spare or entry.ref))
        remove_files(path for path in self._files_of(name)[_KEPT:] if path not in spared)
        remove_abandoned(self.folder)
        return is_kept

    def path_of(self, name: str, ref: str) -> Path:
        """The file of a text."""
        return self.folder / f'{name}@{ref}.md'

    def try_lock(self) -> Unlock | None:
        """Be the one who asks GitHub, on this machine. Where nothing can be locked, everybody is."""
        try:
            make_folder(self.folder)
            return try_file_lock(self.folder / _LOCK)
        except FILE_FAILURES:
            return lambda: None

    def entries(self) -> Iterator[Entry]:
        """Every text that is kept."""
        with suppress(*FILE_FAILURES):
            for path in sorted(self.folder.glob('*@*.md')):
                if entry := load_entry(read_file(path) or b''):
                    yield entry

    def _files_of(self, name: str) -> list[Path]:
        """The files of a name, the one that was written last first."""
        return files_in(self.folder, start=f'{name}@', end='.md')
