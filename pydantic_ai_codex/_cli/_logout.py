"""`logout`: revoke the login and remove its file."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ..errors import CredentialsNotFoundError
from ._options import Commands, add_command, add_issuer, add_json, add_store
from ._output import OK, print_json, say, warn, write
from ._places import FilePlace, file_place

if TYPE_CHECKING:
    from ..auth._login.logout import LogoutResult


def add_logout(commands: Commands) -> None:
    """Add `logout`."""
    logout = add_command(commands, 'logout', _logout, 'revoke the login and remove its file')
    add_store(logout, 'whose login (default: the file in use)')
    add_issuer(logout)
    add_json(logout)


def _logout(options: argparse.Namespace) -> int:
    import anyio

    place = file_place(options.store)
    try:
        result = anyio.run(_end, place, options.issuer)
    except CredentialsNotFoundError:
        result = None
    if options.json:
        print_json(
            {
                'revoked': result is not None and result.revoked,
                'removed': result is not None and result.removed,
                'problem': result.problem if result else None,
                'store': place.facts,
            }
        )
    else:
        _tell(result, place)
    if os.environ.get('CODEX_ACCESS_TOKEN', '').strip():
        warn('CODEX_ACCESS_TOKEN is still set, and goes before every file. Unset it.')
    return OK


async def _end(place: FilePlace, issuer: str | None) -> LogoutResult:
    from ..auth._login.logout import logout
    from ..auth._oauth import endpoints_from_environment

    return await logout(place.store, endpoints=endpoints_from_environment(issuer))


def _tell(result: LogoutResult | None, place: FilePlace) -> None:
    if result is None or not result.removed:
        # Exit code 0, as `codex logout` has it: what was asked for is the case.
        say(f'Not logged in: there is no {place.path}.')
        return
    revoked = 'The login is revoked and ' if result.revoked else ''
    write(sys.stdout, f'Logged out. {revoked}{place.path} is removed.\n')
    if result.problem:
        warn(f'The login could not be revoked, so its tokens work until they expire: {result.problem}')
