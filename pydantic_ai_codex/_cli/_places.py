"""Which store `--store` means, and what is read before it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from .. import _environment
from ..errors import ConfigurationError, CredentialsNotFoundError

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
        option: What `--store` says, where that named it: a word of ours or the path.
    """

    store: AuthFile | EnvironmentStore
    rule: Rule
    option: str | None = None

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

    @property
    def log_in(self) -> str:
        """What to do where the login is no good any more, as a sentence."""
        from ..auth._abilities import how_to_log_in

        if self.option is not None:
            return f'Run {self.command("login")} to log in anew.'
        return f'{how_to_log_in(self.store)}.'

    def command(self, name: str) -> str:
        """A command of ours for this place, to be shown."""
        option = '' if self.option is None else f' --store {shlex.quote(self.option)}'
        return f'`pydantic-ai-codex {name}{option}`'


@dataclass(frozen=True, slots=True)
class FilePlace(Place):
    """A file in which a login is kept."""

    store: AuthFile

    @property
    def path(self) -> Path:
        """The file."""
        return self.store.path


def place_in_use(option: str | None) -> Place:
    """The place that a program reads its login from, or the one that `--store` names.

    Raises:
        ConfigurationError: If `--store` names no place.
        CredentialsNotFoundError: If there is no home folder.
    """
    from ..auth import EnvironmentStore

    if option is None and _environment.read('CODEX_ACCESS_TOKEN'):
        return Place(EnvironmentStore(), 'CODEX_ACCESS_TOKEN')
    return file_place(option)


def file_place(option: str | None) -> FilePlace:
    """The file that a program reads its login from where no variable holds one, or the one that `--store` names.

    Raises:
        ConfigurationError: If `--store` names no place.
        CredentialsNotFoundError: If there is no home folder.
    """
    from ..auth import AuthFile, own_auth_path
    from ..auth._paths import default_place

    if option is None:
        place = default_place()
        return FilePlace(AuthFile(place.path.absolute(), named_by=place.variable), place.rule)
    known = {'own': own_auth_path, 'codex': _codex_path}.get(option)
    path = (known() if known else _path_of(option)).absolute()
    return FilePlace(AuthFile(path), 'option', option if known else str(path))


def _codex_path() -> Path:
    """The file of the Codex CLI."""
    from ..auth._paths import expand

    return expand(_environment.read('CODEX_HOME') or '~/.codex') / 'auth.json'


def _path_of(option: str) -> Path:
    """The file that `--store` names by its path."""
    how = 'It takes codex, own, or the path of a file'
    if not option.strip():
        raise ConfigurationError(f'--store is empty. {how}, such as ~/work/auth.json.')
    try:
        path = Path(option).expanduser()
    except RuntimeError:
        raise ConfigurationError(f'--store {option!r} lies in a home folder that there is not. {how}.') from None
    if option.endswith(('/', os.sep)) or path.is_dir():
        raise ConfigurationError(f'--store {option!r} is a folder. {how} in it, such as {str(path / "auth.json")!r}.')
    is_path = path.name != option or path.suffix or path.exists()
    if not is_path:
        # More likely a word that was mistyped than a file.
        raise ConfigurationError(f'--store {option!r} is not known. {how}, such as {f"./{option}"!r}.')
    return path


def shadow_of(place: FilePlace) -> str | None:
    """What is read before this file, and what to do about it; `None` where a program reads this file."""
    from ..auth._paths import default_place

    if _environment.read('CODEX_ACCESS_TOKEN'):
        return 'CODEX_ACCESS_TOKEN is set and goes before every file. Unset it to use this login.'
    advice = (
        f'Set CODEX_AUTH_FILE={shlex.quote(str(place.path))}, or pass '
        f'CodexProvider(credentials=AuthFile({str(place.path)!r})).'
    )
    try:
        used = default_place()
    except CredentialsNotFoundError:
        return f'Programs find no home folder, and not this file. {advice}'
    if os.path.realpath(used.path) == os.path.realpath(place.path):
        return None
    return f'Programs read {used.path} ({_WORDS[used.rule]}) and not this file. {advice}'
