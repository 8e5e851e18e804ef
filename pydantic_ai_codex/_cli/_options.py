"""The options that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from .._client import CodexClient

    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]
    Options: TypeAlias = argparse._ActionsContainer  # pyright: ignore[reportPrivateUsage]
else:
    Commands: TypeAlias = object
    Options: TypeAlias = object

EPILOG: Final = (
    'exit codes: 0 all well, 1 it failed (`status`: not logged in), 2 wrong usage, 3 no usable login, 130 interrupted. '
    'CODEX_DEBUG=1 logs requests and events to standard error, prompts and answers included, the login masked.'
)


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        commands: Where to.
        name: Its name.
        run: What it does; the exit code comes back.
        summary: One line for the list of commands.
    """
    parser = commands.add_parser(name, help=summary, description=f'{summary[0].upper()}{summary[1:]}.', epilog=EPILOG)
    parser.set_defaults(command=run, name=name, parser=parser)
    return parser


def add_json(options: Options, summary: str = 'print one JSON object') -> None:
    """Add `--json` to a command, or to a group of its options."""
    options.add_argument('--json', action='store_true', help=summary)


def add_store(parser: argparse.ArgumentParser, summary: str) -> None:
    """Add `--store`."""
    parser.add_argument('--store', metavar='PLACE', help=f'codex, own, or the path of a file: {summary}')


def add_issuer(parser: argparse.ArgumentParser) -> None:
    """Add `--issuer`."""
    parser.add_argument('--issuer', metavar='URL', help='another login service, such as that of `simulate`')


def add_base_url(parser: argparse.ArgumentParser) -> None:
    """Add `--base-url`."""
    parser.add_argument('--base-url', metavar='URL', help='what stands before /responses; the login is sent there')


@asynccontextmanager
async def client_of(options: argparse.Namespace) -> AsyncGenerator[CodexClient]:
    """The client for the login that `--store` names, at the place that `--base-url` names.

    It is not that of a provider, so that nobody waits for pydantic-ai to be imported who asks for no agent.

    Args:
        options: The options of a command that has both.

    Raises:
        ConfigurationError: If one of them is none.
        CredentialsNotFoundError: If there is no home folder.
    """
    from .._client import CodexClient
    from ._places import file_place

    store = None if options.store is None else file_place(options.store).store
    client = CodexClient(credentials=store, base_url=options.base_url)
    client.http_clients.enter()
    try:
        yield client
    finally:
        await client.http_clients.leave()
