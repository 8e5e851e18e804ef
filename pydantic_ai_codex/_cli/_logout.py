"""`logout`: revoke the login and remove its file."""

from __future__ import annotations

import argparse
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import _environment
from ..errors import CredentialsFileError
from ._errors import error_facts, fail, holds_login
from ._options import Commands, add_command, add_json, add_store
from ._output import FAILED, OK, print_json, say, tell, warn
from ._places import FilePlace, file_place

if TYPE_CHECKING:
    from ..auth._login.logout import LogoutResult, NotRemovedError


def add_logout(commands: Commands) -> None:
    """Add `logout`."""
    logout = add_command(commands, 'logout', _logout, 'revoke the login and remove its file')
    add_store(logout, 'whose login (default: the file in use)')
    add_json(logout)


@dataclass(frozen=True, slots=True)
class _End:
    """How a logout ended.

    Attributes:
        result: What was revoked and removed, or `None` where there was no login.
        file: The file, with its links followed.
        moved_to: Where a file is now that was no login.
        failure: Why the login could not be removed; it may be revoked all the same.
    """

    result: LogoutResult | None
    file: Path
    moved_to: Path | None = None
    failure: NotRemovedError | None = None

    @property
    def problem(self) -> str | None:
        """What went wrong, or `None`."""
        return str(self.failure) if self.failure else self.result.problem if self.result else None


def _logout(options: argparse.Namespace) -> int:
    import anyio

    place = file_place(options.store)
    file = Path(os.path.realpath(place.path)) if place.path.is_symlink() else place.path
    if holds_login(file):
        with contextlib.suppress(OSError):
            file.chmod(0o600)  # It is about to go: nobody has to be told to do that.
    end = anyio.run(_end, place, file)
    if options.json:
        print_json(
            {
                'revoked': end.result is not None and end.result.revoked,
                'removed': end.result is not None and end.result.removed,
                'problem': end.problem,
                'moved_to': str(end.moved_to) if end.moved_to else None,
                'store': place.facts,
                'error': error_facts(end.failure) if end.failure else None,
            }
        )
    elif end.failure is not None:
        fail(end.failure, as_json=False)
    else:
        _tell(end, place)
    if _environment.read('CODEX_ACCESS_TOKEN'):
        warn('CODEX_ACCESS_TOKEN is still set, and goes before every file. Unset it.')
    return OK if end.failure is None else FAILED


async def _end(place: FilePlace, file: Path) -> _End:
    from ..auth._login.aside import move_aside
    from ..auth._login.logout import NotRemovedError, logout

    try:
        return _End(await logout(place.store), file)
    except NotRemovedError as error:
        return _End(error.result, file, failure=error)
    except CredentialsFileError:
        async with place.store.lock():
            moved_to = move_aside(place.path)
        if moved_to is None:
            raise
        return _End(None, file, moved_to)


def _tell(end: _End, place: FilePlace) -> None:
    if end.moved_to is not None:
        tell(f'Not logged in: {end.file} held no login that could be read. It is {end.moved_to} now; remove that.')
        return
    if end.result is None or not end.result.removed:
        # Exit code 0, as `codex logout` has it: what was asked for is the case.
        what = 'holds no login' if end.file.exists() else 'does not exist'
        say(f'Not logged in: {place.path} {what}.')
        return
    revoked = 'The login is revoked and ' if end.result.revoked else ''
    gone = 'emptied, as it cannot be removed' if end.file.exists() else 'removed'
    link = f'; the link {place.path} is left' if place.path.is_symlink() else ''
    tell(f'Logged out. {revoked}{end.file} is {gone}{link}.')
    if end.result.problem:
        warn(f'The login could not be revoked, so its tokens work until they expire: {end.result.problem}')
