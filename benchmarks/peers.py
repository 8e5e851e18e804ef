"""Who is compared, what a table calls it, and which Python it runs with."""

from __future__ import annotations

import sys
from pathlib import Path

OURS = 'ours'
OURS_AIOHTTP = 'ours-aiohttp'
OURS_FILE = 'ours-file'
UPSTREAM = 'upstream'
LITELLM = 'litellm'
RAW_SOCKET = 'raw-socket'

SUBJECTS = {
    OURS: 'this package, stock `httpx2`',
    OURS_AIOHTTP: 'this package, `aiohttp_client`',
    OURS_FILE: 'this package, login read from its file at each request (the default)',
    UPSTREAM: "pydantic-ai's `OpenAICodexModel`",
    LITELLM: "litellm's `chatgpt/`",
    'raw-aiohttp': 'floor: `aiohttp`, bytes only',
    'raw-httpx2': 'floor: `httpx2`, bytes only',
    RAW_SOCKET: 'floor: a bare socket, bytes only',
}
"""Whom it is measured of, with what a table calls it."""

MODELS = (OURS, OURS_AIOHTTP, UPSTREAM)
"""Those that are models of pydantic-ai."""
PEERS = (*MODELS, LITELLM)
FLOORS = ('raw-aiohttp', 'raw-httpx2', RAW_SOCKET)
ALL = (*PEERS, *FLOORS)

LITELLM_PYTHON = Path(__file__).parent.parent / '.venv-bench-litellm' / 'bin' / 'python'
"""litellm pins an older openai than pydantic-ai needs, so it has an environment of its own; see `scripts/bench`."""
NO_LITELLM = 'its environment is not there, `make bench` makes it'


def is_ours(name: str) -> bool:
    """Whether a subject or an import is this package's, on any transport."""
    return name.removeprefix('import ').startswith(OURS)


def python_of(name: str) -> str | None:
    """The Python that a subject, or an import, runs with; `None` where that is not there."""
    if name.removeprefix('import ') != LITELLM:
        return sys.executable
    return str(LITELLM_PYTHON) if LITELLM_PYTHON.exists() else None
