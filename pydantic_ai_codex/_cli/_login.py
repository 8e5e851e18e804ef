"""`login`: through a browser, with a device code, or with what standard input holds."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._protocol.constants import CALLBACK_PORTS
from ..errors import ConfigurationError, CredentialsError, CredentialsSaveError, LoginError
from ._account import account_facts, logged_in_as
from ._options import Commands, add_command, add_issuer, add_json, add_store
from ._output import OK, print_json, say, tell, warn
from ._places import FilePlace, file_place, shadow_of
from ._prompts import Countdown, browser_of, paste_line, read_secret, show_code, show_url

if TYPE_CHECKING:
    from ..auth import Credentials
    from ..auth._login.restrictions import Restrictions
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


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a login is about.

    Attributes:
        options: The options.
        place: Where it is kept.
        endpoints: The login service, without the CLI's variables, which are about refreshing and revoking.
        workspaces: The accounts that may log in; empty for any.
    """

    options: argparse.Namespace
    place: FilePlace
    endpoints: Endpoints
    workspaces: tuple[str, ...]


def _login(options: argparse.Namespace) -> int:
    import anyio

    _check(options)
    plan = _plan(options)
    try:
        # Before the user goes through the login, and not after.
        anyio.run(_prepare, plan.place)
        # Not on the event loop, which would take the first Ctrl-C for itself.
        brought = _brought(plan)
        credentials, replaced = anyio.run(_log_in, plan, brought)
    except KeyboardInterrupt:
        say('\nStopped.')
        raise
    _tell(plan, credentials, replaced)
    return OK


def _check(options: argparse.Namespace) -> None:
    """Refuse options that go with another way to log in than the one that was chosen."""
    is_brought = options.with_api_key or options.with_access_token
    if options.workspace and options.with_api_key:
        raise ConfigurationError('--workspace is about logins with ChatGPT; an API key has no account. Leave it out.')
    if options.exchange_api_key and (options.device or is_brought):
        raise ConfigurationError('--exchange-api-key is part of the login through a browser; leave out the other way.')
    if options.no_browser and (options.device or is_brought):
        raise ConfigurationError('--no-browser is part of the login through a browser; leave it out.')
    if options.issuer is not None and is_brought:
        raise ConfigurationError('--issuer names who is asked for a login, and nobody is asked here; leave it out.')


def _plan(options: argparse.Namespace) -> _Plan:
    """What the options come to, within what the CLI's configuration allows."""
    from ..auth._login.restrictions import restrictions_of
    from ..auth._oauth import Endpoints

    place = file_place(options.store)
    restrictions = restrictions_of(place.path)
    _warn_of(restrictions, place)
    restrictions.check_method('api' if options.with_api_key else 'chatgpt')
    workspaces = restrictions.choose_workspaces(options.workspace)
    endpoints = Endpoints.of() if options.issuer is None else Endpoints.of(options.issuer)
    return _Plan(options, place, endpoints, workspaces)


def _warn_of(restrictions: Restrictions, place: FilePlace) -> None:
    """Say what of the CLI's configuration has no effect, or another one than a user expects."""
    from ..auth._paths import is_of_the_cli

    if restrictions.problem:
        warn(restrictions.problem)
    if restrictions.unshared and is_of_the_cli(place.path):
        warn(restrictions.unshared)


async def _prepare(place: FilePlace) -> None:
    """See that the login can be kept; what is in its place and is none gets another name."""
    from ..auth._abilities import check_store
    from ..auth._login.aside import is_beyond_mending, move_aside

    if is_beyond_mending(place.path):
        async with place.store.lock():
            moved_to = move_aside(place.path) if is_beyond_mending(place.path) else None
        if moved_to is not None:
            warn(f'{place.path} held no login that could be read. It is {moved_to} now.')
    try:
        await check_store(place.store)
    except CredentialsError as error:
        raise LoginError(
            f'The login could not be kept there. {error} To keep it elsewhere, use `--store PATH`.', reason='refused'
        ) from error


def _brought(plan: _Plan) -> Credentials | None:
    """The login that the user brings along, where that is the way."""
    from ..auth._login.saving import login_with_api_key, login_with_token
    from ..auth._login.service import check_workspace
    from ..auth._paths import is_of_the_cli

    if plan.options.with_api_key:
        return login_with_api_key(read_secret('API key'))
    if plan.options.with_access_token:
        if is_of_the_cli(plan.place.path):
            warn('The Codex CLI refuses a file with an access token alone. To keep its login, use `--store own`.')
        return check_workspace(login_with_token(read_secret('access token')), plan.workspaces)
    return None


async def _log_in(plan: _Plan, brought: Credentials | None) -> tuple[Credentials, Credentials | None]:
    """Go through the login and keep it; what it replaces comes back with it."""
    replaced: list[Credentials | None] = []

    async def keep(credentials: Credentials) -> None:
        replaced.append(await _keep(plan.place, credentials))

    if brought is None and not plan.options.device:
        # The browser is told whether it could be kept.
        return await _with_browser(plan, keep), replaced[0]
    credentials = brought or await _with_device(plan)
    await keep(credentials)
    return credentials, replaced[0]


async def _keep(place: FilePlace, credentials: Credentials) -> Credentials | None:
    """Keep the login; one that cannot be kept is ended, as nobody else would ever end it."""
    from ..auth._login.logout import revoke
    from ..auth._login.saving import save_login

    with contextlib.suppress(OSError):
        place.path.chmod(0o600)  # The new login takes its place, and what is there goes unread by others until then.
    try:
        return await save_login(place.store, credentials)
    except CredentialsSaveError as error:
        await revoke(credentials)
        ended = ' and was ended' if credentials.refresh_token else ''
        why = getattr(error.__cause__, 'strerror', None) or error.__cause__ or error
        raise CredentialsSaveError(
            f'You are not logged in: the login could not be put into {str(place.path)!r}{ended} ({why}). Mend the file, '
            'its permissions or its disk, or choose another place with `--store PATH`; then log in again.',
            path=error.path,
        ) from error


def _tell(plan: _Plan, credentials: Credentials, replaced: Credentials | None) -> None:
    shadow = shadow_of(plan.place)
    if plan.options.json:
        print_json(
            {
                **account_facts(credentials),
                'store': plan.place.facts,
                'replaced': _replaced_facts(replaced),
                'warning': shadow,
            }
        )
        return
    tell(f'{logged_in_as(credentials)}. Kept in {plan.place.path}.')
    if replaced is not None and _owner(replaced) != _owner(credentials):
        was = logged_in_as(replaced)
        say(f'It replaces another login there ({was[:1].lower()}{was[1:]}).')
    if shadow:
        warn(shadow)


def _owner(credentials: Credentials) -> tuple[str | None, ...]:
    return (credentials.auth_mode, credentials.account_id, credentials.email)


def _replaced_facts(replaced: Credentials | None) -> dict[str, Any] | None:
    if replaced is None:
        return None
    return {'auth_mode': replaced.auth_mode, 'account_id': replaced.account_id, 'email': replaced.email}


async def _with_browser(plan: _Plan, keep: Callable[[Credentials], Awaitable[None]]) -> Credentials:
    from ..auth._login.browser import browser_login

    options = plan.options
    browser = None if options.no_browser or options.paste else browser_of()
    # Somebody who opens the address on another machine ends on a page that cannot be loaded, and can paste its address.
    pastes = options.paste or (browser is None and sys.stdin.isatty())
    return await browser_login(
        show=lambda url: show_url(url, opens=browser is not None, pastes=pastes, listens=not options.paste),
        open_browser=browser,
        paste=paste_line if pastes else None,
        keep=keep,
        warn=warn,
        workspaces=plan.workspaces,
        exchange_api_key=options.exchange_api_key,
        endpoints=plan.endpoints,
        ports=() if options.paste else CALLBACK_PORTS,
    )


async def _with_device(plan: _Plan) -> Credentials:
    from ..auth._login.device import device_login

    with Countdown(sys.stderr) as countdown:
        return await device_login(
            show=lambda code, page: show_code(code.user_code, page),
            wait=countdown,
            warn=warn,
            workspaces=plan.workspaces,
            endpoints=plan.endpoints,
        )
