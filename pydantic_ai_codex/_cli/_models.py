"""`models`: which models there are, and what each of them takes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import CredentialsError
from ._errors import worded
from ._model_table import model_table
from ._options import Commands, add_base_url, add_command, add_json, add_store, client_of
from ._output import DIM, OK, columns, painted, print_json, say, warn
from ._times import relative

if TYPE_CHECKING:
    from .._protocol.catalog import ModelCatalog
    from ._catalog import Found


def add_models(commands: Commands) -> None:
    """Add `models`."""
    models = add_command(commands, 'models', _models, 'list the models, and what each of them takes')
    models.add_argument('--refresh', action='store_true', help='ask the backend now, whatever is cached')
    add_base_url(models)
    add_store(models, 'whose models (default: those of the login in use)')
    add_json(models)


def _models(options: argparse.Namespace) -> int:
    import anyio

    found = anyio.run(_find, options)
    if options.json:
        print_json({**found.catalog.as_dict(), 'problem': found.problem})
        return OK
    # A pipe has no edge, and what is cut off there cannot be searched for.
    table = model_table(found.catalog, width=columns() if sys.stdout.isatty() else None, paint=painted)
    print('\n'.join(table.lines), flush=True)
    say(origin(found.catalog, datetime.now(UTC), omitted=table.omitted), style=DIM)
    if found.problem is not None:
        warn(found.problem)
    return OK


async def _find(options: argparse.Namespace) -> Found:
    from .._protocol.catalog import BUNDLED
    from ._catalog import Found, find_models

    try:
        async with client_of(options) as client:
            return await find_models(client, options.base_url, refresh=options.refresh)
    except CredentialsError as error:
        if options.refresh:
            raise
        return Found(BUNDLED, worded(error))


def origin(catalog: ModelCatalog, now: datetime, *, omitted: Sequence[str] = ()) -> str:
    """Where a catalog is from, and what of it is not shown."""
    when = 'at an unknown time' if catalog.fetched_at is None else relative(catalog.fetched_at, now)
    text = {
        'backend': f'The list of the backend, asked {when}.',
        'cache': f'The list of the backend, from the cache, asked {when}.',
        'bundled': 'The list that comes with this version.',
    }[catalog.source]
    if catalog.ignored:
        text += f' {catalog.ignored} of its entries could not be read.'
    if omitted:
        text += f' A wider terminal shows more: {", ".join(omitted)}.'
    return text
