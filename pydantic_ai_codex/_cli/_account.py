"""A login in words and as JSON, without any token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ._times import local, relative

if TYPE_CHECKING:
    from ..auth import Credentials
    from ..auth._file.notes import RefreshNote
    from ._places import Place

_LOCK_PATIENCE: Final = 0.5
"""Seconds to wait for a lock that is held."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login, and what is known about refreshing it.

    Attributes:
        credentials: The login.
        note: The note of a refresh with it that failed or was cut off.
        write_problem: Why new tokens could not be kept, or `None`.
        log_in: What to do where it is no good any more, as a sentence.
        refresh: The command that refreshes it.
    """

    credentials: Credentials
    note: RefreshNote | None
    write_problem: str | None
    log_in: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a login from being refreshed.

    Attributes:
        text: What it is, for the middle of a sentence.
        advice: What to do, as a sentence.
        is_final: Whether only logging in anew helps, or mending the file.
    """

    text: str
    advice: str
    is_final: bool = True


async def read_login(place: Place) -> Login:
    """The login of a place.

    Raises:
        CredentialsError: If there is none, or none that can be read.
    """
    credentials = await place.store.load()
    return Login(
        credentials, await _note(place, credentials), await _write_problem(place, credentials), place.log_in,
        place.command('refresh'),
    )  # fmt: skip


async def _note(place: Place, credentials: Credentials) -> RefreshNote | None:
    note = await place.store.read_note()
    if note is None or note.fingerprint != credentials.fingerprint:
        return None
    if note.state == 'started' and not await is_lock_free(place):
        return None  # It is under way.
    return note


async def _write_problem(place: Place, credentials: Credentials) -> str | None:
    from ..errors import CredentialsError

    if credentials.refresh_token is None:
        return None  # There is nothing to keep.
    try:
        await place.store.check_writable()
    except CredentialsError as error:
        return str(error)
    return None


async def is_lock_free(place: Place) -> bool:
    """Whether no process is about to write the login."""
    from ..auth._file.lock import LockedError
    from ..errors import CredentialsError

    try:
        async with place.store.lock(_LOCK_PATIENCE):
            return True
    except LockedError:
        return False
    except CredentialsError:
        return True  # There can be no lock, so nobody has it.


def account_facts(credentials: Credentials | None) -> dict[str, Any]:
    """What `--json` tells of a login; every key is there without one, too."""
    return {
        'auth_mode': credentials.auth_mode if credentials else None,
        'account_id': credentials.account_id if credentials else None,
        'email': credentials.email if credentials else None,
        'plan': credentials.plan_type if credentials else None,
        'expires_at': iso(credentials.expires_at) if credentials else None,
        'can_refresh': credentials is not None and credentials.refresh_token is not None,
        'last_refresh': iso(credentials.last_refresh) if credentials else None,
    }


def logged_in_as(credentials: Credentials) -> str:
    """Whose login it is: `Logged in as ada@example.com (plus), account acct-1`."""
    from ..auth._login.who import who
    from ..auth._secrets import quotable

    if credentials.auth_mode == 'apikey':
        return 'Logged in with an API key, billed by api.openai.com'
    if not credentials.account_id:
        return 'A login without an account'
    account = f', account {quotable(credentials.account_id)}' if credentials.email else ''
    return f'Logged in as {who(credentials)}{account}'


def iso(moment: datetime | None) -> str | None:
    """A moment for JSON."""
    return None if moment is None else moment.isoformat()


def obstacle_of(login: Login) -> Obstacle | None:
    """What keeps the login from being refreshed, or `None`."""
    if login.credentials.refresh_token is None:
        return Obstacle('there is no refresh token', login.log_in)
    if login.note is not None and login.note.state == 'failed':
        return Obstacle('its refresh was refused', login.log_in)
    if login.write_problem is not None:
        return Obstacle('the login file cannot be written', login.write_problem)
    if login.note is not None:
        return Obstacle('its refresh was cut off', f'Run {login.refresh}.', is_final=False)
    return None


def problem_of(login: Login, now: datetime) -> str | None:
    """Why no request can be sent with the login and what to do, or `None` where one can be."""
    credentials = login.credentials
    if credentials.auth_mode == 'apikey':
        return None
    if credentials.account_id is None:
        what = 'names no ChatGPT account, which every request needs'
        if credentials.access_token.startswith('sk-'):
            what = 'is an API key, which is not what requests need here'
        return f'The access token {what}. {login.log_in}'
    obstacle = obstacle_of(login)
    if obstacle is None or credentials.expires_at is None or credentials.expires_at > now:
        return None
    return f'The access token has expired and cannot be refreshed{_told(obstacle, login)}'


def warning_of(login: Login, now: datetime) -> str | None:
    """What will keep a login from being refreshed that can be used now, and what to do; or `None`."""
    obstacle = obstacle_of(login)
    if obstacle is None or login.credentials.refresh_token is None or problem_of(login, now):
        return None
    return f'Once the access token has expired, it cannot be refreshed{_told(obstacle, login)}'


def _told(obstacle: Obstacle, login: Login) -> str:
    """The end of a sentence about an obstacle, and what to do; the words about a file say both already."""
    return f'. {obstacle.advice}' if obstacle.advice == login.write_problem else f': {obstacle.text}. {obstacle.advice}'


def refresh_text(login: Login, now: datetime) -> str:
    """Whether the login can be refreshed, and how the last time went."""
    credentials, note = login.credentials, login.note
    if credentials.refresh_token is None:
        return 'not possible, there is no refresh token'
    if note is not None:
        when = f'{relative(note.at, now)} ({local(note.at)})'
        if note.state == 'failed':
            return f'refused {when}' + (f': {note.code}' if note.code else '')
        return f'cut off {when}, as its process ended; {login.refresh} tries again'
    if login.write_problem is not None:
        return 'not possible, the login file cannot be written'
    last = credentials.last_refresh
    return 'possible' + (f', last done {relative(last, now)} ({local(last)})' if last else '')


def token_text(credentials: Credentials, now: datetime) -> str:
    """How long the access token lasts."""
    expires_at = credentials.expires_at
    if expires_at is None:
        return 'does not say when it expires'
    verb = 'expires' if expires_at > now else 'expired'
    return f'{verb} {relative(expires_at, now)} ({local(expires_at)})'


def note_facts(note: RefreshNote | None) -> dict[str, Any] | None:
    """A note for `--json`."""
    if note is None:
        return None
    return {'state': note.state, 'at': iso(note.at), 'code': note.code, 'pid': note.pid, 'host': note.host}
