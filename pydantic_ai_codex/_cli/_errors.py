"""Errors in a person's words, as facts for `--json`, and as exit codes; and the warnings of the library."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ..errors import (
    BackendError,
    CodexError,
    ConfigurationError,
    CredentialsError,
    CredentialsFileError,
    CredentialsRefreshError,
    CredentialsSaveError,
)
from ._output import FAILED, NO_LOGIN, RED, USAGE, print_json, printable, styled, warn

_FIELDS: Final = (
    'model_name',
    'status_code',
    'provider_error_code',
    'provider_error_type',
    'code',
    'reason',
    'is_permanent',
    'retry_after',
    'body',
)
"""What of an error's fields the JSON shows, where the error has it."""

_FIELDS_BEHIND: Final = ('category', 'resets_at', 'request_id', 'successor', 'listed')
"""What pydantic-ai's errors have no place for, and the error of ours behind them has."""

ADVICE: Final = {
    'or pass `credentials=` or `api_key=` to `CodexProvider`': 'or choose another place with `--store`',
    "Or pass `refresh='never'` to `CodexProvider`, and let whoever": 'Or let whoever',
    '; in code, pass `Credentials(..., account_id=...)`, or an API key as `CodexProvider(api_key=...)`': '',
    'Make a new `CodexProvider` (or restart the program) to go on with it': 'Run the command again to go on with it',
    ', or pass an `http_client` of your own': '',
    'Look at the setting `extra_headers` and at the headers of the `http_client`': (
        'Look at HTTPS_PROXY, and at the login with `pydantic-ai-codex doctor`'
    ),
    'Where it may need longer, raise the setting `timeout`, or the `idle_timeout` of the `TransportPolicy`': 'Try again',
    ", or the setting codex_instructions='agent', none are fetched": ', none are fetched',
    'Check the `base_url` ': 'Check the `--base-url` ',
    ', which is asked for with the setting `service_tier`': '',
    'Name the right `base_url`': 'Name the right `--base-url`',
    'proxy, or a `base_url` that is not the backend, may have sent it': (
        'proxy, or a `--base-url` that is not the backend, may have sent it'
    ),
}
"""What the library advises to programs, and what stands for it on the command line.

Whole phrases, as some of its texts quote others, whose words stay as they are.
"""

REFUSED_URL: Final = 'The `base_url`'
"""How the texts about that argument begin."""


class UsageError(ConfigurationError):
    """Arguments that are none.

    Args:
        message: What is wrong with them.
        usage: How the command is used.
    """

    def __init__(self, message: str, *, usage: str) -> None:
        super().__init__(message)
        self.usage = usage


def worded(error: Exception) -> str:
    """What to say of an error.

    The text of pydantic-ai's HTTP errors begins with the raw answer; that of ours, behind it, with what the answer says.
    """
    ours = error if isinstance(error, CodexError) else error.__cause__
    if not isinstance(ours, CodexError):
        return str(error)
    text = str(ours)
    if not isinstance(ours, BackendError):
        return for_commands(text)
    # What the backend says stays as it is; the advice behind it is ours.
    advice = ours.footnote or ''
    return text.removesuffix(advice) + for_commands(advice)


def for_commands(text: str) -> str:
    """A text of the library with the advice of the command line."""
    for said, meant in ADVICE.items():
        text = text.replace(said, meant)
    return f'The `--base-url`{text.removeprefix(REFUSED_URL)}' if text.startswith(REFUSED_URL) else text


def error_facts(error: Exception) -> dict[str, Any]:
    """An error for `--json`: its type, its message, and the fields that a program can decide by."""
    # The names of our own errors where there is one, as the classes that join them to pydantic-ai's are private.
    ours = [base.__name__ for base in type(error).__mro__ if base.__module__ == CodexError.__module__]
    facts: dict[str, Any] = {'type': ours[0] if ours else type(error).__name__, 'message': worded(error)}
    found = {name: getattr(error, name, None) for name in _FIELDS}
    if isinstance(error.__cause__, BackendError):
        found |= {name: getattr(error.__cause__, name, None) for name in _FIELDS_BEHIND}
        limits = error.__cause__.rate_limits
        found['rate_limits'] = None if limits is None else limits.as_dict()
    for name, value in found.items():
        if value is not None:
            facts[name] = value.isoformat() if isinstance(value, datetime) else value
    return facts


def fail(error: Exception, *, as_json: bool, code: int | None = None) -> int:
    """Print an error.

    Args:
        error: What went wrong.
        as_json: Whether to print JSON.
        code: The exit code, by default the one for the error.

    Returns:
        The exit code.
    """
    if as_json:
        print_json({'error': error_facts(error)})
    else:
        usage = error.usage if isinstance(error, UsageError) else ''
        print(f'{usage}{styled("error:", RED, sys.stderr)} {printable(worded(error))}', file=sys.stderr)
    return _exit_code(error) if code is None else code


@contextlib.contextmanager
def warnings_shown() -> Generator[None]:
    """Show the warnings of the library as those of the commands, and not as bare lines of `logging` or of Python."""
    import logging
    import warnings

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warn(for_commands(record.getMessage()))

    logger = logging.getLogger('pydantic_ai_codex')
    handler = Shown(logging.WARNING)
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _shower(warnings.showwarning)
            yield
    finally:
        logger.removeHandler(handler)


def _shower(others: Callable[..., None]) -> Callable[..., None]:
    """What shows the warnings about settings as ours, as those are what the user has asked for; and others as they are."""

    def show(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        if category.__name__ == 'UnsupportedSettingWarning':  # pydantic-ai's, which is not imported to say so
            warn(for_commands(str(message)))
        else:
            others(message, category, *rest)

    return show


def holds_login(path: Path) -> bool:
    """Whether there is a login in the file; nobody is warned of its mode."""
    from ..auth._file.content import login_in

    try:
        return path.is_file() and bool(login_in(path.read_bytes()))
    except (OSError, ValueError):
        return False


def _exit_code(error: Exception) -> int:
    if isinstance(error, CredentialsRefreshError | CredentialsSaveError):
        # There is a login; what failed is to get a newer one, or to keep it.
        return FAILED
    if isinstance(error, CredentialsFileError) and holds_login(error.path):
        return FAILED  # It can be read, and not be written.
    if isinstance(error, CredentialsError):
        return NO_LOGIN
    return USAGE if isinstance(error, ConfigurationError) else FAILED
