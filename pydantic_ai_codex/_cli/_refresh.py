"""`refresh`: new tokens now, whether or not they are due."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ._account import account_facts, read_login, token_text, who
from ._options import Commands, add_command, add_issuer, add_json, add_store
from ._output import OK, print_json, say, write
from ._places import Place, place_in_use
from ._times import local

if TYPE_CHECKING:
    from ..auth import Credentials


def add_refresh(commands: Commands) -> None:
    """Add `refresh`."""
    refresh = add_command(commands, 'refresh', _refresh, 'get new tokens now')
    add_store(refresh, 'whose login (default: the one in use)')
    add_issuer(refresh)
    add_json(refresh)


def _refresh(options: argparse.Namespace) -> int:
    import anyio

    place = place_in_use(options.store)
    credentials = anyio.run(_new_tokens, place, options.issuer)
    if options.json:
        print_json({**account_facts(credentials), 'store': place.facts})
    else:
        write(sys.stdout, f'{who(credentials)}\n')
        write(sys.stdout, f'The new access token {token_text(credentials, datetime.now(UTC))}.\n')
    return OK


async def _new_tokens(place: Place, issuer: str | None) -> Credentials:
    from ..auth._oauth import endpoints_from_environment
    from ..auth._tokens import TokenSource

    _, note = await read_login(place)
    if note is not None and note.state == 'started':
        say(f'A refresh was cut off at {local(note.at)}. Trying again with the same refresh token.')
    return await TokenSource(place.store, endpoints=endpoints_from_environment(issuer)).refresh()
