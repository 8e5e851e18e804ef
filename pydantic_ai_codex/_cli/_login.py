"""`login`: through a browser, with a device code, or with what standard input holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .._protocol.constants import CALLBACK_PORTS
from ..errors import ConfigurationError
from ._account import account_facts, who
from ._options import Commands, add_command, add_issuer, add_json, add_store
from ._output import OK, print_json, say, warn, write
from ._places import FilePlace, file_place, shadow_of
from ._prompts import Countdown, browser_of, paste_line, read_secret, show_code, show_url

if TYPE_CHECKING:
    from ..auth import Credentials
    from ..auth._oauth import Endpoints


def add_login(commands: Commands) -> None:
    """Add `login`."""
    login = add_command(commands, 'login', _login, 'log in through a browser, or with a device code')
    ways = login.add_mutually_exclusive_group()
    ways.add_argument('--device', action='store_true', help='type a code on any device; for servers')
    ways.add_argument('--paste', action='store_true', help='open the address elsewhere and paste the one it leads to')
    ways.add_argument('--with-api-key', action='store_true', help='read an API key from standard input')
    ways.add_argument('--with-access-token', action='store_true', help='read an access token from standard input')
    login.add_argument('--no-browser', action='store_true', help='print the address and open no browser')
    login.add_argument(
        '--workspace', action='append', default=[], metavar='ID', help='let only this account log in; may be repeated'
    )
    login.add_argument('--exchange-api-key', action='store_true', help='ask for an API key of the platform as well')
    add_store(login, 'where to keep the login (default: the file in use)')
    add_issuer(login)
    add_json(login)


def _login(options: argparse.Namespace) -> int:
    import anyio

    _check(options)
    place = file_place(options.store)
    workspaces = _workspaces(options, place)
    try:
        credentials = anyio.run(_log_in, options, place, workspaces)
    except KeyboardInterrupt:
        say('\nStopped.')
        raise
    shadow = shadow_of(place)
    if options.json:
        print_json({**account_facts(credentials), 'store': place.facts, 'warning': shadow})
    else:
        write(sys.stdout, f'{who(credentials)}. Kept in {place.path}.\n')
        if shadow:
            warn(shadow)
    return OK


def _check(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    if options.workspace and options.with_api_key:
        raise ConfigurationError('--workspace is about logins with ChatGPT; an API key has no account. Leave it out.')
    if options.exchange_api_key and (options.device or options.with_api_key or options.with_access_token):
        raise ConfigurationError('--exchange-api-key is part of the login through a browser; leave out the other way.')


def _workspaces(options: argparse.Namespace, place: FilePlace) -> tuple[str, ...]:
    """The accounts that may log in: those of the options, within what the CLI's configuration allows."""
    from ..auth._login.restrictions import restrictions_of

    restrictions = restrictions_of(place.path)
    if restrictions.problem:
        warn(restrictions.problem)
    restrictions.check_method('api' if options.with_api_key else 'chatgpt')
    return restrictions.choose_workspaces(options.workspace)


async def _log_in(options: argparse.Namespace, place: FilePlace, workspaces: tuple[str, ...]) -> Credentials:
    """Go through the login and keep it."""
    from ..auth._abilities import check_store
    from ..auth._login.saving import login_with_api_key, login_with_token, save_login
    from ..auth._login.service import check_workspace
    from ..auth._oauth import Endpoints

    # Without the CLI's variables, which are about refreshing and revoking.
    endpoints = Endpoints.of(options.issuer) if options.issuer else Endpoints.of()
    # Before the user goes through the login, and not after.
    await check_store(place.store)

    async def keep(credentials: Credentials) -> None:
        # What it replaces is revoked at the usual service: another --issuer has no business with the old tokens.
        await save_login(place.store, credentials)

    if options.with_api_key:
        credentials = login_with_api_key(read_secret('API key'))
    elif options.with_access_token:
        credentials = check_workspace(login_with_token(read_secret('access token')), workspaces)
    elif options.device:
        credentials = await _with_device(endpoints, workspaces)
    else:
        return await _with_browser(options, endpoints, workspaces, keep)
    await keep(credentials)
    return credentials


async def _with_browser(
    options: argparse.Namespace,
    endpoints: Endpoints,
    workspaces: tuple[str, ...],
    keep: Callable[[Credentials], Awaitable[None]],
) -> Credentials:
    from ..auth._login.browser import browser_login

    browser = None if options.no_browser or options.paste else browser_of()
    # Somebody who opens the address on another machine ends on a page that cannot be loaded, and can paste its address.
    pastes = options.paste or (browser is None and sys.stdin.isatty())
    return await browser_login(
        show=lambda url: show_url(url, opens=browser is not None, pastes=pastes, listens=not options.paste),
        open_browser=browser,
        paste=paste_line if pastes else None,
        keep=keep,
        warn=warn,
        workspaces=workspaces,
        exchange_api_key=options.exchange_api_key,
        endpoints=endpoints,
        ports=() if options.paste else CALLBACK_PORTS,
    )


async def _with_device(endpoints: Endpoints, workspaces: tuple[str, ...]) -> Credentials:
    from ..auth._login.device import device_login

    with Countdown(sys.stderr) as countdown:
        return await device_login(
            show=lambda code, page: show_code(code.user_code, page),
            wait=countdown,
            workspaces=workspaces,
            endpoints=endpoints,
        )
