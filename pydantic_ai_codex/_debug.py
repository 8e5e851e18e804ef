"""Debug lines: requests, events and retries, for `CODEX_DEBUG` or whoever listens to our logger."""

from __future__ import annotations

import logging
import re
import sys
from typing import Final

from . import _environment

_log: Final = logging.getLogger('pydantic_ai_codex')
_ENCRYPTED: Final = re.compile(rb'("encrypted_content":\s*")([^"]{12})[^"]*')
_LOGGED: Final = 20_000


def debugging() -> bool:
    """Whether requests and events are logged: because of `CODEX_DEBUG`, or of the level of our logger."""
    return _environment.debug_enabled() or _log.isEnabledFor(logging.DEBUG)


def debug(message: str, *values: object) -> None:
    """Log a line: through our logger where somebody listens, else to standard error."""
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug(message, *values)
    elif sys.stderr is not None:  # as in a program without a console
        sys.stderr.write(f'{message % values}\n')


def note(message: str, *values: object) -> None:
    """A line that is of interest without every request: through our logger, or as a debug line."""
    if _log.isEnabledFor(logging.INFO):
        _log.info(message, *values)
    elif debugging():
        debug(message, *values)


def readable(content: bytes) -> str:
    """A body or an event for a log: without what is encrypted, and not too long."""
    text = _ENCRYPTED.sub(rb'\1\2...', content).decode('utf-8', 'replace')
    return text if len(text) <= _LOGGED else f'{text[:_LOGGED]}... ({len(text) - _LOGGED} more characters)'
