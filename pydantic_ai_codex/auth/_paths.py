"""Where a login is looked for when the caller names no place, and how to log in to a place."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from .. import _environment
from ..errors import CredentialsNotFoundError

PlaceRule: TypeAlias = Literal['CODEX_AUTH_FILE', 'CODEX_HOME', 'own', 'codex']
"""What names the file: a variable, or that it is our own, or else that it is the Codex CLI's."""


class DefaultPlace(NamedTuple):
    """The file that a login is read from.

    Attributes:
        path: The file.
        rule: What names it.
    """

    path: Path
    rule: PlaceRule

    @property
    def variable(self) -> str | None:
        """The environment variable that names it, or `None`."""
        return self.rule if self.rule in ('CODEX_AUTH_FILE', 'CODEX_HOME') else None


def expand(path: str | os.PathLike[str]) -> Path:
    """The path with its `~` expanded.

    Raises:
        CredentialsNotFoundError: If there is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise no_home(repr(os.fspath(path)), Path(path)) from error


def no_home(what: str, path: Path | None = None) -> CredentialsNotFoundError:
    """The error for a place in a home folder that there is not."""
    return CredentialsNotFoundError(
        f'There is no login: {what} lies in a home folder that there is not. Set CODEX_HOME or CODEX_AUTH_FILE to '
        'where the login is, or pass `credentials=` or `api_key=` to `CodexProvider`.',
        path=path,
    )


def own_auth_path() -> Path:
    """Our own file, for a login that the Codex CLI does not share.

    Raises:
        CredentialsNotFoundError: If there is no home folder.
    """
    from platformdirs import user_data_path

    try:
        folder = user_data_path('pydantic-ai-codex', appauthor=False)
    except RuntimeError as error:
        raise no_home('our own file') from error
    return expand(folder / 'auth.json')


def default_auth_path() -> Path:
    """The file that the login is read from; see `default_place`.

    Raises:
        CredentialsNotFoundError: If there is no home folder.
    """
    return default_place().path


def default_place() -> DefaultPlace:
    """`CODEX_AUTH_FILE`, else `$CODEX_HOME/auth.json`, else our own file where it exists, else `~/.codex/auth.json`.

    Raises:
        CredentialsNotFoundError: If there is no home folder.
    """
    if explicit := _environment.read('CODEX_AUTH_FILE'):
        return DefaultPlace(expand(explicit), 'CODEX_AUTH_FILE')
    if home := _environment.read('CODEX_HOME'):
        return DefaultPlace(expand(home) / 'auth.json', 'CODEX_HOME')
    own = own_auth_path()
    return DefaultPlace(own, 'own') if os.path.isfile(own) else DefaultPlace(expand('~/.codex') / 'auth.json', 'codex')


def is_default(path: Path) -> bool:
    """Whether it is the file that the environment leads to."""
    return _is_same(path, default_auth_path)


def is_of_the_cli(path: Path) -> bool:
    """Whether it is the file that the Codex CLI reads and writes."""
    return _is_same(path, lambda: expand(_environment.read('CODEX_HOME') or '~/.codex') / 'auth.json')


def store_option(path: Path) -> str:
    """The option with which a command means this file, with a blank before it; empty for the file that it means anyway."""
    if is_default(path):
        return ''
    if _is_same(path, own_auth_path):
        return ' --store own'
    return ' --store codex' if is_of_the_cli(path) else f' --store {shlex.quote(str(path))}'


def login_command(path: Path) -> str:
    """What to run to log in to a file, in words."""
    return f'`pydantic-ai-codex login{store_option(path)}`' + (' (or `codex login`)' if is_of_the_cli(path) else '')


def _is_same(path: Path, other: Callable[[], Path]) -> bool:
    try:
        return os.path.realpath(other()) == os.path.realpath(path)
    except CredentialsNotFoundError:
        return False
