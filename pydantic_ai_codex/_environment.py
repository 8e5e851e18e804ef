"""The environment variables that are read, each at use and never at import."""

from __future__ import annotations

import os

_TRUE = frozenset({'1', 'true', 'yes', 'on', 'debug'})


def read(name: str) -> str | None:
    """The value of a variable, without blanks around it; an empty one counts as not set."""
    return os.environ.get(name, '').strip() or None


def debug_enabled() -> bool:
    """Whether `CODEX_DEBUG` asks for a log of requests and events."""
    return os.environ.get('CODEX_DEBUG', '').strip().lower() in _TRUE
