"""What every command shares: the exit codes, and how results, errors and words from elsewhere are printed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import unicodedata
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from ..errors import (
    CodexError,
    ConfigurationError,
    CredentialsError,
    CredentialsFileError,
    CredentialsRefreshError,
    CredentialsSaveError,
)

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NO_LOGIN: Final = 3
INTERRUPTED: Final = 130

BOLD: Final = '1'
DIM: Final = '2'
RED: Final = '31'
GREEN: Final = '32'
YELLOW: Final = '33'

_ERROR_FIELDS: Final = ('status_code', 'provider_error_code', 'code', 'reason', 'is_permanent', 'retry_after')
"""What of an error's fields the JSON shows, where the error has it."""

_NOT_WRITTEN: Final = frozenset(
    {errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EPIPE, getattr(errno, 'EDQUOT', errno.ENOSPC)}
)
"""What the system says of a stream that takes nothing more."""

_STEERING: Final = frozenset('\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
"""Marks that turn the direction of a text around, so that it reads as something else, and two that end a line."""


def write(stream: TextIO, text: str, *, style: str = '') -> None:
    """Write text that came from elsewhere; on a terminal without its control characters, and with a style."""
    if stream.isatty():
        text = styled(printable(text), style, stream)
    stream.write(text)
    stream.flush()


def tell(text: str, *, style: str = '') -> None:
    """A line of a result on standard output."""
    print(styled(printable(text), style, sys.stdout), flush=True)


def say(text: str = '', *, style: str = '') -> None:
    """A line for the person at the terminal, on standard error: standard output is for results."""
    print(styled(printable(text), style, sys.stderr), file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """A line on standard error that begins with the word `warning:`."""
    print(f'{styled("warning:", YELLOW, sys.stderr)} {printable(text)}', file=sys.stderr, flush=True)


@contextlib.contextmanager
def warnings_shown() -> Generator[None, None, None]:
    """Show the warnings of the library as those of the commands, and not as bare lines of `logging`."""
    import logging

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warn(record.getMessage())

    logger = logging.getLogger('pydantic_ai_codex')
    handler = Shown(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def styled(text: str, style: str, stream: TextIO) -> str:
    """The text in a style, where the stream is a terminal that knows some and `NO_COLOR` is not set."""
    if not style or os.environ.get('NO_COLOR') or os.environ.get('TERM') == 'dumb' or not stream.isatty():
        return text
    return f'\x1b[{style}m{text}\x1b[0m'


def printable(text: str) -> str:
    """The text without the characters with which a terminal, or its reader, could be made to do things."""
    return ''.join('\N{REPLACEMENT CHARACTER}' if _is_steering(character) else character for character in text)


def _is_steering(character: str) -> bool:
    return character in _STEERING or (unicodedata.category(character) == 'Cc' and character not in '\n\t')


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object to standard output, which may not know every character."""
    is_unicode = (getattr(sys.stdout, 'encoding', None) or 'utf-8').lower().replace('-', '') == 'utf8'
    print(json.dumps(value, ensure_ascii=not is_unicode, indent=2), flush=True)


def is_about_output(error: OSError) -> bool:
    """Whether it says that standard output or standard error cannot be written; about a file, it would name that."""
    return error.errno in _NOT_WRITTEN and error.filename is None


def error_facts(error: Exception) -> dict[str, Any]:
    """An error for `--json`: its type, its message, and the fields that a program can decide by."""
    # The names of our own errors where there is one, as the classes that join them to pydantic-ai's are private.
    ours = [base.__name__ for base in type(error).__mro__ if base.__module__ == CodexError.__module__]
    facts: dict[str, Any] = {'type': ours[0] if ours else type(error).__name__, 'message': str(error)}
    for name in _ERROR_FIELDS:
        if (value := getattr(error, name, None)) is not None:
            facts[name] = value
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
        print(f'{styled("error:", RED, sys.stderr)} {printable(str(error))}', file=sys.stderr)
    return _exit_code(error) if code is None else code


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
