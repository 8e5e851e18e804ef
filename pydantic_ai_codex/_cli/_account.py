"""A login in words and as JSON, without any token."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ._times import local, relative

if TYPE_CHECKING:
    from ..auth import Credentials
    from ..auth._file.notes import RefreshNote
    from ._places import Place

_LOCK_PATIENCE: Final = 0.5
"""Seconds to wait for a lock that is held."""


async def read_login(place: Place) -> tuple[Credentials, RefreshNote | None]:
    """The login, and the note of a refresh with it that failed or was cut off.

    Raises:
        CredentialsError: If there is no login, or none that can be read.
    """
    credentials = await place.store.load()
    note = await place.store.read_note()
    if note is None or note.fingerprint != credentials.fingerprint:
        return credentials, None
    if note.state == 'started' and not await is_lock_free(place):
        return credentials, None  # It is under way.
    return credentials, note


async def is_lock_free(place: Place) -> bool:
    """Whether no process is about to write the login."""
    import anyio

    with anyio.move_on_after(_LOCK_PATIENCE):
        async with place.store.lock():
            return True
    return False


def account_facts(credentials: Credentials) -> dict[str, Any]:
    """What `--json` tells of a login."""
    return {
        'auth_mode': credentials.auth_mode,
        'account_id': credentials.account_id,
        'email': credentials.email,
        'plan': credentials.plan_type,
        'expires_at': iso(credentials.expires_at),
        'can_refresh': credentials.refresh_token is not None,
        'last_refresh': iso(credentials.last_refresh),
    }


def who(credentials: Credentials) -> str:
    """Whose login it is: `Logged in as ada@example.com (plus), account acct-1`."""
    if credentials.auth_mode == 'apikey':
        return 'Logged in with an API key, billed by api.openai.com'
    account = f'account {credentials.account_id}' if credentials.account_id else None
    if not credentials.email:
        return f'Logged in with {account}{_plan(credentials)}' if account else 'Logged in, to an account without a name'
    return ', '.join(filter(None, (f'Logged in as {credentials.email}{_plan(credentials)}', account)))


def iso(moment: datetime | None) -> str | None:
    """A moment for JSON."""
    return None if moment is None else moment.isoformat()


def problem_of(credentials: Credentials, note: RefreshNote | None, now: datetime) -> str | None:
    """Why the login cannot be used and what to do, or `None` where it can be."""
    if credentials.expires_at is None or credentials.expires_at > now:
        return None
    if credentials.refresh_token is None:
        return 'The access token has expired and cannot be refreshed. Run `pydantic-ai-codex login`.'
    if note is None:
        return None
    if note.state == 'failed':
        return 'The access token has expired and its refresh was refused. Run `pydantic-ai-codex login`.'
    return 'The access token has expired and its refresh was cut off. Run `pydantic-ai-codex refresh`.'


def refresh_text(credentials: Credentials, note: RefreshNote | None, now: datetime) -> str:
    """Whether the login can be refreshed, and how the last time went."""
    if credentials.refresh_token is None:
        return 'not possible, there is no refresh token'
    if note is not None:
        when = f'{relative(note.at, now)} ({local(note.at)})'
        if note.state == 'failed':
            return f'refused {when}' + (f': {note.code}' if note.code else '')
        return f'cut off {when}, as its process ended; `pydantic-ai-codex refresh` tries again'
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


def _plan(credentials: Credentials) -> str:
    return f' ({credentials.plan_type})' if credentials.plan_type else ''
