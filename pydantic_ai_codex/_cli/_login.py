"""`login`: through a browser, with a device code, or with what standard input holds."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
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
class _Kept:
    """What was in the place of a login before it was kept.

    Attributes:
        replaced: The login, or `None` where there was none that could be read.
        moved_to: Where a file is now that was no login.
    """

    replaced: Credentials | None
    moved_to: Path | None


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
        credentials, kept = anyio.run(_log_in, plan, brought)
    except KeyboardInterrupt:
        say('\nStopped.')
        raise
    _tell(plan, credentials, kept)
    return OK


def _check(options: argparse.Namespace) -> None:
    """Refuse options that go with another way to log in than the one that was chosen."""
    is_brought = _is_brought(options)
    if not all(each.strip() for each in options.workspace):
        raise ConfigurationError('--workspace is empty. Name the account that may log in, or leave the option out.')
    if options.workspace and options.with_api_key:
        raise ConfigurationError('--workspace is about logins with ChatGPT; an API key has no account. Leave it out.')
    if options.exchange_api_key and (options.device or is_brought):
        raise ConfigurationError('--exchange-api-key is part of the login through a browser; leave out the other way.')
    if options.no_browser and (options.device or is_brought):
        raise ConfigurationError('--no-browser is part of the login through a browser; leave it out.')
    if options.issuer is not None and is_brought:
        raise ConfigurationError('--issuer names who is asked for a login, and nobody is asked here; leave it out.')


def _is_brought(options: argparse.Namespace) -> bool:
    """Whether the user has the login already, so that nobody is asked for one."""
    return options.with_api_key or options.with_access_token


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
    """See that the login can be kept. A file that is no login may be in its place: it stays until there is one."""
    from ..auth._abilities import check_store
    from ..auth._login.aside import can_make_room, is_beyond_mending

    if is_beyond_mending(place.path) and can_make_room(place.path):
        return
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


async def _log_in(plan: _Plan, brought: Credentials | None) -> tuple[Credentials, _Kept]:
    """Go through the login and keep it; what was in its place comes back with it."""
    kept: list[_Kept] = []

    async def keep(credentials: Credentials) -> None:
        kept.append(await _keep(plan.place, credentials))

    if brought is None and not plan.options.device:
        # The browser is told whether it could be kept.
        return await _with_browser(plan, keep), kept[0]
    credentials = brought or await _with_device(plan)
    await keep(credentials)
    return credentials, kept[0]


async def _keep(place: FilePlace, credentials: Credentials) -> _Kept:
    """Keep the login; one that cannot be kept is ended, as nobody else would ever end it."""
    from ..auth._login.logout import revoke
    from ..auth._login.saving import save_login

    try:
        moved_to = await _make_room(place)
        with contextlib.suppress(OSError):
            place.path.chmod(
                0o600
            )  # The new login takes its place, and what is there goes unread by others until then.
        return _Kept(await save_login(place.store, credentials), moved_to)
    except CredentialsError as error:
        await revoke(credentials)
        ended = ' and was ended' if credentials.refresh_token else ''
        why = getattr(error.__cause__, 'strerror', None) or error.__cause__ or error
        raise CredentialsSaveError(
            f'You are not logged in: the login could not be put into {str(place.path)!r}{ended} ({why}). Mend the file, '
            'its permissions or its disk, or choose another place with `--store PATH`; then log in again.',
            path=place.path,
        ) from error


async def _make_room(place: FilePlace) -> Path | None:
    """Move a file aside that is no login; where it is now."""
    from ..auth._login.aside import is_beyond_mending, move_aside

    if not is_beyond_mending(place.path):
        return None
    async with place.store.lock():
        moved_to = move_aside(place.path) if is_beyond_mending(place.path) else None
    if moved_to is not None:
        warn(f'{place.path} held no login that could be read. It is {moved_to} now.')
    return moved_to


def _tell(plan: _Plan, credentials: Credentials, kept: _Kept) -> None:
    shadow = shadow_of(plan.place)
    if plan.options.json:
        print_json(
            {
                **account_facts(credentials),
                'store': plan.place.facts,
                'replaced': _replaced_facts(kept.replaced),
                'moved_to': str(kept.moved_to) if kept.moved_to else None,
                'warning': shadow,
            }
        )
        return
    tell(f'{logged_in_as(credentials)}. Kept in {plan.place.path}.')
    if _is_brought(plan.options):
        say('Nobody was asked whether it is valid: it is checked with the first request.')
    if kept.replaced is not None and _owner(kept.replaced) != _owner(credentials):
        say(_replacement(kept.replaced))
    if shadow and plan.place.rule != 'option':
        warn(shadow)
    elif shadow and kept.replaced is None:
        say(shadow)  # The place was meant, and whoever has logged in there before was told.


def _replacement(replaced: Credentials) -> str:
    """What became of the login of somebody else."""
    was = logged_in_as(replaced)
    ended = ', which the service was asked to end' if replaced.refresh_token else ''
    return (
        f'It replaces another login there ({was[:1].lower()}{was[1:]}){ended}. To keep both, give each a file of its own '
        'with `--store PATH`.'
    )


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
