"""What `doctor` judges, from facts that were gathered before; pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ._account import problem_of, refresh_text, token_text
from ._times import relative

if TYPE_CHECKING:
    from ..auth import Credentials
    from ..auth._file.notes import RefreshNote
    from ..auth._store import FileFacts

State: TypeAlias = Literal['ok', 'warn', 'fail']

_LOG_IN: Final = 'Run `pydantic-ai-codex login`.'

_CLOCK_TOLERANCE: Final = timedelta(minutes=1)
"""Clocks that are this near to each other are the same."""

_EFFECTS: Final = {
    'CODEX_ACCESS_TOKEN': 'is the login, before every file',
    'CODEX_AUTH_FILE': 'names the file of the login',
    'CODEX_HOME': 'names the folder of the login',
    'CODEX_REFRESH_TOKEN_URL_OVERRIDE': 'is where refresh tokens are sent',
    'CODEX_REVOKE_TOKEN_URL_OVERRIDE': 'is where logins are revoked',
    'CODEX_REASONING_EFFORT': 'sets the effort of models that name none',
    'CODEX_CACHE_DIR': 'names the cache folder',
    'CODEX_DEBUG': 'logs prompts and answers',
    'HTTPS_PROXY': 'is the proxy of every request',
    'ALL_PROXY': 'is the proxy of every request',
    'SSL_CERT_FILE': 'names the certificates that are trusted',
}
"""The variables that change something, and what."""

VARIABLES: Final = tuple(_EFFECTS)

_SUSPICIOUS: Final = {
    'CODEX_ACCESS_TOKEN',
    'CODEX_REFRESH_TOKEN_URL_OVERRIDE',
    'CODEX_REVOKE_TOKEN_URL_OVERRIDE',
    'CODEX_DEBUG',
}
"""Those that surprise somebody who has forgotten them."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `doctor`.

    Attributes:
        name: What was looked at.
        state: How it is.
        text: What was found.
        advice: What to do about it, where something is to be done.
    """

    name: str
    state: State
    text: str
    advice: str | None = None


def file_checks(facts: FileFacts) -> list[Check]:
    """The file of a login: there, whole, ours alone and writable."""
    if not facts.exists:
        return [Check('file', 'fail', f'{facts.path} does not exist', _LOG_IN)]
    link = f', a link to {facts.target}' if facts.is_link else ''
    checks = [Check('file', 'ok', f'{facts.path}{link}, {facts.size} bytes')]
    if facts.mode is not None:
        checks.append(_mode_check(facts, facts.mode))
    if facts.problem:
        checks.append(Check('shape', 'fail', facts.problem, f'Mend or remove the file. {_LOG_IN}'))
    else:
        checks.append(Check('shape', 'ok', f'a login of the shape {facts.shape!r}'))
    if facts.write_problem:
        advice = 'Make it writable, or let another program refresh it and use CodexProvider(refresh="never").'
        checks.append(Check('writable', 'warn', facts.write_problem, advice))
    else:
        checks.append(Check('writable', 'ok', 'new tokens can be kept'))
    return checks


def _mode_check(facts: FileFacts, mode: int) -> Check:
    if facts.is_readable_by_others:
        text = f'{mode:04o}, so other users of this machine can read the login'
        return Check('mode', 'warn', text, f'Run `chmod 600 {shlex.quote(str(facts.target))}`.')
    return Check('mode', 'ok', f'{mode:04o}, nobody else can read it')


def login_checks(credentials: Credentials, note: RefreshNote | None, now: datetime) -> list[Check]:
    """The login itself: how long it lasts, whether it can be refreshed, and for which plan it is."""
    if credentials.auth_mode == 'apikey':
        return [Check('token', 'ok', 'an API key: it is billed by api.openai.com and is never refreshed')]
    return [
        _token_check(credentials, note, now),
        _refresh_check(credentials, note, now),
        _account_check(credentials),
        _clock_check(credentials, now),
    ]


def _token_check(credentials: Credentials, note: RefreshNote | None, now: datetime) -> Check:
    text = f'the access token {token_text(credentials, now)}'
    if problem_of(credentials, note, now):
        return Check('token', 'fail', text, 'See the next line.' if note else _LOG_IN)
    if credentials.expires_at is not None and credentials.expires_at <= now:
        return Check('token', 'ok', f'{text}; the next request refreshes it')
    return Check('token', 'ok', text)


def _refresh_check(credentials: Credentials, note: RefreshNote | None, now: datetime) -> Check:
    text = refresh_text(credentials, note, now)
    if credentials.refresh_token is None:
        return Check('refresh', 'warn', text, f'When the token expires: {_LOG_IN}')
    if note is None:
        return Check('refresh', 'ok', text)
    if note.state == 'failed':
        return Check('refresh', 'fail', text, _LOG_IN)
    return Check('refresh', 'warn', text, 'Run `pydantic-ai-codex refresh`; should it be refused, log in anew.')


def _account_check(credentials: Credentials) -> Check:
    if credentials.account_id is None:
        return Check('account', 'fail', 'the tokens name no account, so requests cannot be sent', _LOG_IN)
    plan = credentials.plan_type or 'unknown'
    email = f' of {credentials.email}' if credentials.email else ''
    return Check('account', 'ok', f'{credentials.account_id}{email}, plan {plan}')


def _clock_check(credentials: Credentials, now: datetime) -> Check:
    """A token cannot come from the future. Without the network nothing tells a clock that is ahead."""
    moments = [moment for moment in (credentials.issued_at, credentials.last_refresh) if moment is not None]
    if moments and max(moments) - now > _CLOCK_TOLERANCE:
        text = f'the tokens are from the future ({relative(max(moments), now)}): the clock of this machine is behind'
        return Check('clock', 'fail', text, 'Set the clock, for example with `timedatectl set-ntp true`.')
    return Check('clock', 'ok', f'{now:%Y-%m-%d %H:%M} UTC, not before the login was made')


def port_check(port: int, fallback: int, problem: str | None) -> Check:
    """The port that the browser comes back to."""
    if problem is None:
        return Check('port', 'ok', f'{port} is free for `login`')
    advice = (
        f'`login` takes {fallback} then. `lsof -i :{port}` tells who has it: mostly another login, a container or an '
        'ssh tunnel. `login --device` needs no port.'
    )
    return Check('port', 'warn', f'{port} cannot be used: {problem}', advice)


def cache_check(folder: str, problem: str | None) -> Check:
    """The folder for what can be fetched again."""
    if problem is None:
        return Check('cache', 'ok', folder)
    return Check('cache', 'warn', f'{folder} cannot be written: {problem}', 'Let CODEX_CACHE_DIR name another folder.')


def lock_check(path: str, is_free: bool) -> Check:
    """Whether another process is about to write the login."""
    if is_free:
        return Check('lock', 'ok', 'free')
    advice = 'Try again in a minute. If it stays so, end the process that hangs while refreshing; the file may stay.'
    return Check('lock', 'warn', f'{path} is held by another process', advice)


def environment_check(names: Sequence[str]) -> Check:
    """The variables that are set, by name only."""
    if not names:
        return Check('environment', 'ok', 'no variable changes anything')
    text = '; '.join(f'{name} {_EFFECTS[name]}' for name in names)
    if surprising := _SUSPICIOUS.intersection(names):
        return Check('environment', 'warn', text, f'Unset {", ".join(sorted(surprising))} unless you mean it.')
    return Check('environment', 'ok', text)
