"""Which store `--store` means, and what is read before it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from ..auth import AuthFile, EnvironmentStore

Rule: TypeAlias = Literal['option', 'CODEX_ACCESS_TOKEN', 'CODEX_AUTH_FILE', 'CODEX_HOME', 'own', 'codex']
"""What named the place: `--store`, a variable, or the order of the files that are looked for without either."""

_WORDS: dict[Rule, str] = {
    'option': 'named by --store',
    'CODEX_ACCESS_TOKEN': 'goes before every file',
    'CODEX_AUTH_FILE': 'named by CODEX_AUTH_FILE',
    'CODEX_HOME': 'named by CODEX_HOME',
    'own': 'our own file, which is there',
    'codex': 'the file of the Codex CLI',
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a login is kept.

    Attributes:
        store: What reads and writes it.
        rule: What named it.
    """

    store: AuthFile | EnvironmentStore
    rule: Rule

    def __str__(self) -> str:
        return f'{self.path or "CODEX_ACCESS_TOKEN"} ({_WORDS[self.rule]})'

    @property
    def path(self) -> Path | None:
        """The file, or `None` where the login comes from `CODEX_ACCESS_TOKEN`."""
        return getattr(self.store, 'path', None)

    @property
    def facts(self) -> dict[str, str | None]:
        """The place for `--json`."""
        return {'path': str(self.path) if self.path else None, 'named_by': self.rule}


@dataclass(frozen=True, slots=True)
class FilePlace(Place):
    """A file in which a login is kept."""

    store: AuthFile

    @property
    def path(self) -> Path:
        """The file."""
        return self.store.path


def place_in_use(option: str | None) -> Place:
    """The place that a program reads its login from, or the one that `--store` names."""
    from ..auth import EnvironmentStore

    if option is None and os.environ.get('CODEX_ACCESS_TOKEN', '').strip():
        return Place(EnvironmentStore(), 'CODEX_ACCESS_TOKEN')
    return file_place(option)


def file_place(option: str | None) -> FilePlace:
    """The file that a program reads its login from where no variable holds one, or the one that `--store` names."""
    from ..auth import AuthFile, default_auth_path, own_auth_path

    if option is None:
        return FilePlace(AuthFile(default_auth_path()), _default_rule())
    known = {'own': own_auth_path, 'codex': _codex_path}.get(option)
    return FilePlace(AuthFile(known() if known else option), 'option')


def shadow_of(place: FilePlace) -> str | None:
    """What is read before this file, and what to do about it; `None` where a program reads this file."""
    from ..auth import default_auth_path

    if os.environ.get('CODEX_ACCESS_TOKEN', '').strip():
        return 'CODEX_ACCESS_TOKEN is set and goes before every file. Unset it to use this login.'
    used = default_auth_path()
    if os.path.realpath(used) == os.path.realpath(place.path):
        return None
    return (
        f'Programs read {used} ({_WORDS[_default_rule()]}) and not this file. Set CODEX_AUTH_FILE={place.path}, or pass '
        f'CodexProvider(credentials=AuthFile({str(place.path)!r})).'
    )


def _default_rule() -> Rule:
    from ..auth import default_auth_path, own_auth_path

    if os.environ.get('CODEX_AUTH_FILE', '').strip():
        return 'CODEX_AUTH_FILE'
    if os.environ.get('CODEX_HOME', '').strip():
        return 'CODEX_HOME'
    return 'own' if default_auth_path() == own_auth_path() else 'codex'


def _codex_path() -> Path:
    """The file of the Codex CLI."""
    home = os.environ.get('CODEX_HOME', '').strip()
    return Path(home or '~/.codex').expanduser() / 'auth.json'
