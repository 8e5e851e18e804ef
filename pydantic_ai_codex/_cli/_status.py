"""`status`: what login is there, without asking anybody."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import CredentialsError, CredentialsNotFoundError
from ._account import account_facts, note_facts, problem_of, read_login, refresh_text, token_text, who
from ._options import Commands, add_command, add_json, add_store
from ._output import BOLD, FAILED, OK, error_facts, print_json, say, write
from ._places import Place, place_in_use

if TYPE_CHECKING:
    from ..auth import Credentials
    from ..auth._file.notes import RefreshNote


def add_status(commands: Commands) -> None:
    """Add `status`."""
    status = add_command(commands, 'status', _status, 'show the login; exit code 1 where there is none to use')
    add_store(status, 'whose login (default: the one in use)')
    add_json(status)


def _status(options: argparse.Namespace) -> int:
    import anyio

    place = place_in_use(options.store)
    now = datetime.now(UTC)
    try:
        credentials, note = anyio.run(read_login, place)
    except CredentialsError as error:
        if options.json:
            print_json({'logged_in': False, 'store': place.facts, 'error': error_facts(error)})
        else:
            say(str(error) if isinstance(error, CredentialsNotFoundError) else f'Not logged in. {error}')
        return FAILED
    problem = problem_of(credentials, note, now)
    if options.json:
        print_json(
            {
                'logged_in': problem is None,
                **account_facts(credentials),
                'store': place.facts,
                'interrupted_or_failed_refresh': note_facts(note),
                'problem': problem,
            }
        )
    else:
        _print(credentials, note, place, now)
        if problem:
            say(problem)
    return OK if problem is None else FAILED


def _print(credentials: Credentials, note: RefreshNote | None, place: Place, now: datetime) -> None:
    write(sys.stdout, f'{who(credentials)}\n', style=BOLD)
    rows = [('store', str(place))]
    if credentials.auth_mode == 'chatgpt':
        rows = [
            ('access token', token_text(credentials, now)),
            ('refresh', refresh_text(credentials, note, now)),
            *rows,
        ]
    for name, text in rows:
        write(sys.stdout, f'  {name:<14}{text}\n')
