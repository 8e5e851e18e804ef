"""`refresh`: new tokens now, whether or not they are due."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import CredentialsError, CredentialsRefreshError
from ._account import Login, account_facts, logged_in_as, read_login, token_text
from ._errors import fail
from ._options import Commands, add_command, add_json, add_store
from ._output import FAILED, OK, print_json, say, tell
from ._places import Place, place_in_use
from ._times import local

if TYPE_CHECKING:
    from ..auth import Credentials


def add_refresh(commands: Commands) -> None:
    """Add `refresh`."""
    refresh = add_command(commands, 'refresh', _refresh, 'get new tokens now')
    add_store(refresh, 'whose login (default: the one in use)')
    add_json(refresh)


def _refresh(options: argparse.Namespace) -> int:
    import anyio

    place = place_in_use(options.store)
    login = anyio.run(read_login, place)
    try:
        credentials = anyio.run(_new_tokens, place, login)
    except CredentialsError as error:
        # There is a login, whatever kept it from being refreshed.
        return fail(error, as_json=options.json, code=FAILED)
    if options.json:
        print_json({**account_facts(credentials), 'store': place.facts})
    else:
        tell(logged_in_as(credentials))
        tell(f'The new access token {token_text(credentials, datetime.now(UTC))}.')
    return OK


async def _new_tokens(place: Place, login: Login) -> Credentials:
    from ..auth._tokens import TokenSource

    if login.credentials.auth_mode == 'apikey':
        raise CredentialsRefreshError('The login is an API key, which does not expire and cannot be refreshed.')
    if login.note is not None and login.note.state == 'started':
        say(f'A refresh was cut off at {local(login.note.at)}. Trying again with the same refresh token.')
    return await TokenSource(place.store).refresh()
