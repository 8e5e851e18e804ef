"""What the CLI's configuration allows to log in; the CLI logs a user out whose login it forbids (from its source)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

from ...errors import LoginError
from .._credentials import Credentials

LoginMethod: TypeAlias = Literal['chatgpt', 'api']
"""The words of `forced_login_method`."""

_LARGEST: Final = 1024 * 1024
_METHODS: Final[tuple[LoginMethod, ...]] = ('chatgpt', 'api')

_ELSEWHERE: Final = ('keyring', 'auto', 'ephemeral')
"""The values of `cli_auth_credentials_store` but for `file` (from its source)."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a configuration allows.

    Attributes:
        method: The one way to log in, or `None` for any.
        workspaces: The accounts that may log in; empty for any.
        problem: Why the configuration, or a part of it, was not understood and restricts nothing; or `None`.
        path: The configuration file.
        keeps_elsewhere: Where the CLI keeps its login, where that may not be the file: `keyring`, `auto` or `ephemeral`.
    """

    method: LoginMethod | None = None
    workspaces: tuple[str, ...] = ()
    problem: str | None = None
    path: Path | None = None
    keeps_elsewhere: str | None = None

    def check_method(self, method: LoginMethod) -> None:
        """Refuse a way to log in that is not allowed.

        Raises:
            LoginError: If it is not.
        """
        if self.method not in (None, method):
            wanted = 'with ChatGPT' if self.method == 'chatgpt' else 'with an API key (`--with-api-key`)'
            raise LoginError(
                f'Only logging in {wanted} is allowed here, by `forced_login_method` in {str(self.path)!r}; the Codex '
                'CLI would log any other login out. Log in that way, or change the file.',
                reason='disabled',
            )

    def problem_of(self, credentials: Credentials) -> str | None:
        """Why the CLI would log this login out, or `None`."""
        method: LoginMethod = 'api' if credentials.auth_mode == 'apikey' else 'chatgpt'
        if self.method not in (None, method):
            return f'`forced_login_method` is {self.method!r}, and this login is {credentials.auth_mode!r}'
        if method == 'chatgpt' and self.workspaces and credentials.account_id not in self.workspaces:
            return f'`forced_chatgpt_workspace_id` does not name the account {credentials.account_id!r} of this login'
        return None

    @property
    def unshared(self) -> str | None:
        """Why the CLI does not use the login file and what to do, or `None` where it does."""
        if self.keeps_elsewhere is None:
            return None
        may = 'may not' if self.keeps_elsewhere == 'auto' else 'does not'
        return (
            f'The Codex CLI {may} use this file, as `cli_auth_credentials_store` is {self.keeps_elsewhere!r} in '
            f'{str(self.path)!r}. To share the login with it, set that to "file".'
        )

    def choose_workspaces(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The accounts that are both wanted and allowed; empty for any.

        Raises:
            LoginError: If none of those that are wanted is allowed.
        """
        if not self.workspaces or not wanted:
            return self.workspaces or tuple(wanted)
        chosen = tuple(each for each in wanted if each in self.workspaces)
        if not chosen:
            raise LoginError(
                f'Only {" or ".join(map(repr, self.workspaces))} may log in here, by `forced_chatgpt_workspace_id` in '
                f'{str(self.path)!r}. Choose one of them, or change the file.',
                reason='workspace',
            )
        return chosen


def restrictions_of(auth_path: Path) -> Restrictions:
    """The restrictions for a login file: of the `config.toml` beside an `auth.json`, as the CLI has both in one folder."""
    import tomllib

    if auth_path.name != 'auth.json':
        return Restrictions()  # What stands beside it is not the CLI's.
    path = auth_path.parent / 'config.toml'
    try:
        with path.open('rb') as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError('it is far too large')
        document = tomllib.loads(content.decode())
    except FileNotFoundError:
        return Restrictions(path=path)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Restrictions(problem=f'{str(path)!r} cannot be read, so it restricts nothing: {reason}', path=path)
    return parse_restrictions(document, path)


def parse_restrictions(document: Mapping[str, Any], path: Path) -> Restrictions:
    """The restrictions in a configuration."""
    problems: list[str] = []
    method: Any = document.get('forced_login_method')
    if method is not None and method not in _METHODS:
        problems.append('`forced_login_method` is neither "chatgpt" nor "api"')
        method = None
    workspaces = _texts(document.get('forced_chatgpt_workspace_id'))
    if workspaces is None:
        problems.append('`forced_chatgpt_workspace_id` is neither a text nor a list of texts')
    problem = f'In {str(path)!r}, {" and ".join(problems)}; that restricts nothing.' if problems else None
    kept: Any = document.get('cli_auth_credentials_store')
    return Restrictions(
        method=method,
        workspaces=workspaces or (),
        problem=problem,
        path=path,
        keeps_elsewhere=kept if kept in _ELSEWHERE else None,
    )


def _texts(value: object) -> tuple[str, ...] | None:
    """One text or several, without empty ones, or `None` for anything else."""
    values = cast('list[object]', value) if isinstance(value, list) else [] if value is None else [value]
    texts = [each.strip() for each in values if isinstance(each, str)]
    return tuple(filter(None, texts)) if len(texts) == len(values) else None
