"""`status`: what login is there, without asking anybody."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from ..errors import CredentialsError, CredentialsNotFoundError
from ._account import (
    Login,
    account_facts,
    logged_in_as,
    note_facts,
    obstacle_of,
    problem_of,
    read_login,
    refresh_text,
    token_text,
    warning_of,
)
from ._errors import error_facts, worded
from ._options import Commands, add_command, add_json, add_store
from ._output import BOLD, FAILED, OK, print_json, say, tell, warn
from ._places import Place, place_in_use


def add_status(commands: Commands) -> None:
    """Add `status`."""
    status = add_command(commands, 'status', _status, 'show the login; exit code 1 where there is none to use')
    add_store(status, 'whose login (default: the one in use)')
    add_json(status)


def _status(options: argparse.Namespace) -> int:
    import anyio

    place = None
    try:
        place = place_in_use(options.store)
        login = anyio.run(read_login, place)
    except CredentialsError as error:
        if options.json:
            print_json(_facts(place, error=error))
        else:
            say(worded(error) if isinstance(error, CredentialsNotFoundError) else f'Not logged in. {worded(error)}')
        return FAILED
    now = datetime.now(UTC)
    problem = problem_of(login, now)
    if options.json:
        print_json(_facts(place, login, now=now))
    else:
        _print(login, place, now)
    return OK if problem is None else FAILED


def _facts(
    place: Place | None,
    login: Login | None = None,
    *,
    now: datetime | None = None,
    error: CredentialsError | None = None,
) -> dict[str, Any]:
    """What `--json` tells: the same keys, whether or not there is a login."""
    problem = worded(error) if error else None
    warning = None
    facts = account_facts(login.credentials if login else None)
    if login is not None and now is not None:
        problem, warning = problem_of(login, now), warning_of(login, now)
        obstacle = obstacle_of(login)
        facts['can_refresh'] = facts['can_refresh'] and (obstacle is None or not obstacle.is_final)
    return {
        'logged_in': problem is None,
        **facts,
        'store': place.facts if place else None,
        'interrupted_or_failed_refresh': note_facts(login.note) if login else None,
        'problem': problem,
        'warning': warning,
        'error': error_facts(error) if error else None,
    }


def _print(login: Login, place: Place, now: datetime) -> None:
    tell(logged_in_as(login.credentials), style=BOLD)
    rows = [('store', str(place))]
    if login.credentials.auth_mode == 'chatgpt':
        rows = [
            ('access token', token_text(login.credentials, now)),
            ('refresh', refresh_text(login, now)),
            *rows,
        ]
    for name, text in rows:
        tell(f'  {name:<14}{text}')
    if problem := problem_of(login, now):
        say(problem)
    if warning := warning_of(login, now):
        warn(warning)
