"""How the program says what it is."""

from __future__ import annotations

import platform
from functools import cache


@cache
def user_agent(originator: str) -> str:
    """The user agent: the program, its version and where it runs."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version('pydantic-ai-codex')
    except PackageNotFoundError:
        own = 'unknown'
    return f'{originator}/{own} ({platform.system()}; {platform.machine()}) Python/{platform.python_version()}'
