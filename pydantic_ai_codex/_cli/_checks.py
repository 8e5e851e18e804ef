"""What `doctor` judges, from facts that were gathered before; pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from .._protocol.model_facts import EFFORTS
from .._protocol.model_names import ModelName, choose_effort
from ..errors import ConfigurationError
from ._account import Login, Obstacle, obstacle_of, refresh_text, token_text
from ._times import relative

if TYPE_CHECKING:
    from .._instructions.records import State as CacheState
    from .._protocol.catalog import ModelCatalog
    from ..auth import Credentials
    from ..auth._login.restrictions import Restrictions
    from ..auth._store import FileFacts

State: TypeAlias = Literal['ok', 'warn', 'fail']

_CLOCK_TOLERANCE: Final = timedelta(minutes=1)
"""Clocks that are this near to each other are the same."""

_EFFECTS: Final = {
    'CODEX_ACCESS_TOKEN': 'is the login, before every file',
    'CODEX_AUTH_FILE': 'names the file of the login',
    'CODEX_HOME': 'names the folder of the login',
    'CODEX_REFRESH_TOKEN_URL_OVERRIDE': 'is where refresh tokens are sent',
    'CODEX_REVOKE_TOKEN_URL_OVERRIDE': 'is where logins are revoked',
    'CODEX_REASONING_EFFORT': 'sets the effort of models that name none',
    'CODEX_MODE': 'says whether models get their official instructions',
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


def file_checks(facts: FileFacts, log_in: str, first_log_in: str) -> list[Check]:
    """The file of a login: there, whole, ours alone and writable.

    Args:
        facts: What is known of the file.
        log_in: What to do where the login is no good any more.
        first_log_in: What to do where there is none.
    """
    if not facts.exists and facts.is_link and facts.problem:
        return [Check('file', 'fail', facts.problem)]  # It leads nowhere, or around in a circle.
    if not facts.exists:
        return [Check('file', 'fail', f'{facts.path} does not exist', first_log_in)]
    link = f', a link to {facts.target}' if facts.is_link else ''
    checks = [Check('file', 'ok', f'{facts.path}{link}, {facts.size} bytes')]
    if facts.mode is not None:
        checks.append(_mode_check(facts, facts.mode))
    if facts.problem:
        checks.append(Check('shape', 'fail', facts.problem, f'{log_in} A file that is broken is moved aside by that.'))
    else:
        checks.append(Check('shape', 'ok', f'a login of the shape {facts.shape!r}'))
    if facts.write_problem:
        advice = 'Or let whoever else uses the file refresh it.'
        checks.append(Check('writable', 'warn', facts.write_problem, advice))
    else:
        checks.append(Check('writable', 'ok', 'new tokens can be kept'))
    return checks


def _mode_check(facts: FileFacts, mode: int) -> Check:
    if facts.is_readable_by_others:
        text = f'{mode:04o}, so other users of this machine can read the login'
        return Check('mode', 'warn', text, f'Run `chmod 600 {shlex.quote(str(facts.target))}`.')
    return Check('mode', 'ok', f'{mode:04o}, nobody else can read it')


def login_checks(login: Login, now: datetime) -> list[Check]:
    """The login itself: how long it lasts, whether it can be refreshed, and for which plan it is."""
    credentials = login.credentials
    if credentials.auth_mode == 'apikey':
        return [Check('token', 'ok', 'an API key: it is billed by api.openai.com and is never refreshed')]
    return [
        _token_check(login, now),
        _refresh_check(login, now),
        _account_check(login),
        _clock_check(credentials, now),
    ]


def _token_check(login: Login, now: datetime) -> Check:
    credentials = login.credentials
    text = f'the access token {token_text(credentials, now)}'
    if credentials.expires_at is None or credentials.expires_at > now:
        return Check('token', 'ok', text)
    if (obstacle := obstacle_of(login)) is not None:
        return Check('token', 'fail', f'{text} and cannot be refreshed: {obstacle.text}', _advice(obstacle, login))
    return Check('token', 'ok', f'{text}; the next request refreshes it')


def _refresh_check(login: Login, now: datetime) -> Check:
    text = refresh_text(login, now)
    if (obstacle := obstacle_of(login)) is None:
        return Check('refresh', 'ok', text)
    is_refused = login.note is not None and login.note.state == 'failed'
    when = '' if is_refused or not obstacle.is_final else 'When the token expires: '
    return Check('refresh', 'fail' if is_refused else 'warn', text, f'{when}{_advice(obstacle, login)}')


def _advice(obstacle: Obstacle, login: Login) -> str:
    return 'See the line `writable`.' if obstacle.advice == login.write_problem else obstacle.advice


def _account_check(login: Login) -> Check:
    from ..auth._secrets import quotable

    credentials = login.credentials
    if credentials.account_id is None:
        return Check('account', 'fail', 'the tokens name no account, so requests cannot be sent', login.log_in)
    plan = quotable(credentials.plan_type or 'unknown')
    email = f' of {quotable(credentials.email)}' if credentials.email else ''
    return Check('account', 'ok', f'{quotable(credentials.account_id)}{email}, plan {plan}')


def _clock_check(credentials: Credentials, now: datetime) -> Check:
    """A token cannot come from the future. Without the network nothing tells a clock that is ahead."""
    moments = [moment for moment in (credentials.issued_at, credentials.last_refresh) if moment is not None]
    if moments and max(moments) - now > _CLOCK_TOLERANCE:
        text = f'the tokens are from the future ({relative(max(moments), now)}): the clock of this machine is behind'
        return Check('clock', 'fail', text, 'Set the clock, for example with `timedatectl set-ntp true`.')
    return Check('clock', 'ok', f'{now:%Y-%m-%d %H:%M} UTC, not before the login was made')


def config_check(restrictions: Restrictions, credentials: Credentials | None) -> Check:
    """What the CLI's configuration says of this login."""
    path = str(restrictions.path)
    if restrictions.problem:
        return Check('config', 'warn', restrictions.problem, 'Mend that file; the Codex CLI reads it, too.')
    if restrictions.unshared:
        text, _, advice = restrictions.unshared.partition('. ')
        return Check('config', 'warn', text, f'{advice} To keep this login apart, use `login --store own`.')
    if credentials is not None and (why := restrictions.problem_of(credentials)):
        advice = 'The Codex CLI logs it out. Log in as that file wants it, or change the file.'
        return Check('config', 'warn', f'{path}: {why}', advice)
    limits = ['`forced_login_method`'] * (restrictions.method is not None)
    limits += ['`forced_chatgpt_workspace_id`'] * bool(restrictions.workspaces)
    return Check('config', 'ok', f'{path} ' + (f'has {" and ".join(limits)}' if limits else 'restricts no login'))


def port_check(problems: Mapping[int, str | None]) -> Check:
    """The ports that the browser comes back to, each with why it cannot be used."""
    port = next(iter(problems))
    if problems[port] is None:
        return Check('port', 'ok', f'{port} is free for `login`')
    text = f'{port} cannot be used: {problems[port]}'
    free = next((each for each, problem in problems.items() if problem is None), None)
    then = 'ends' if free is None else f'takes {free}'
    lead = f'A login of ours that waits there makes room for the next one. Beside anything else, `login` {then}'
    advice = f'{lead}; `login --device` needs no port. `lsof -i :{port}` tells who has it.'
    if free is None:
        text = '; '.join(f'{each} cannot be used: {problem}' for each, problem in problems.items())
    return Check('port', 'warn', text, advice)


def cache_check(folder: Path, problem: str | None, texts: int, state: CacheState, now: datetime) -> Check:
    """The folder for what can be fetched again, and what is in it."""
    if problem is not None:
        advice = 'Let CODEX_CACHE_DIR name another folder.'
        return Check('cache', 'warn', f'{folder} cannot be used: {problem}', advice)
    found = f'{texts} text{"s" if texts > 1 else ""} of instructions' if texts else 'no instructions yet'
    if (release := state.release) is not None:
        found += f', the newest release is {release.tag} (asked {relative(release.checked_at, now)})'
    failures = [failure for failure in state.failures.values() if failure.at <= now < failure.until]
    if not failures:
        return Check('cache', 'ok', f'{folder}, {found}')
    last = max(failures, key=lambda failure: failure.at)
    return Check(
        'cache',
        'warn',
        f'{folder}, {found}; {relative(last.at, now)}: {last.reason}',
        f'It is asked again after {last.until:%H:%M} UTC, or by `pydantic-ai-codex instructions --refresh`.',
    )


def models_check(catalog: ModelCatalog, effort: str | None, now: datetime) -> Check:
    """What is known of the models without asking, and whether the default one can do what the environment says.

    Args:
        catalog: The models that are cached, else those of this version.
        effort: The value of `CODEX_REASONING_EFFORT`.
        now: The time.
    """
    default = catalog.default
    text = f'{len(catalog.listed)} listed' + (f', the default is {default.slug}' if default else '')
    if catalog.fetched_at is None:
        text += '; none are cached, so these are those of this version'
    else:
        text += f'; the backend was asked {relative(catalog.fetched_at, now)}'
    if effort is None or default is None:
        return Check('models', 'ok', text)
    try:
        chosen = choose_effort(ModelName(default.slug), info=default, default=effort)
    except ConfigurationError:
        # It is not repeated: somebody may have pasted a secret.
        advice = f'Set it to one of {", ".join(EFFORTS)}, or unset it.'
        return Check('models', 'fail', f'{text}; CODEX_REASONING_EFFORT names no effort', advice)
    if chosen.is_clamped:
        advice = f'It takes {", ".join(default.efforts)}; {chosen.effort} is sent instead.'
        return Check(
            'models', 'warn', f'{text}, which has not the effort {chosen.asked} of CODEX_REASONING_EFFORT', advice
        )
    return Check('models', 'ok', text)


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
