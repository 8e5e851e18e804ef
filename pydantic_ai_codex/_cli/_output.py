"""What every command shares: the exit codes, and how results and words from elsewhere are printed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO, TypeAlias

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

Paint: TypeAlias = Callable[[str, str], str]
"""Gives a text, the first argument, a style, the second; or not, as `styled` decides."""

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


def styled(text: str, style: str, stream: TextIO) -> str:
    """The text in a style, where the stream is a terminal that knows some and `NO_COLOR` is not set."""
    if not style or os.environ.get('NO_COLOR') or os.environ.get('TERM') == 'dumb' or not stream.isatty():
        return text
    return f'\x1b[{style}m{text}\x1b[0m'


def painted(text: str, style: str) -> str:
    """The text in a style, for standard output."""
    return styled(text, style, sys.stdout)


def columns() -> int:
    """How many columns there are to write in; 80 where nobody says."""
    return shutil.get_terminal_size().columns


def can_show(text: str, stream: TextIO) -> bool:
    """Whether the stream knows these characters."""
    try:
        text.encode(getattr(stream, 'encoding', None) or 'utf-8')
    except (UnicodeEncodeError, LookupError):
        return False
    return True


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
