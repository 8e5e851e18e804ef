"""`doctor`: looks at everything that a login depends on, on this machine, and says what to do."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .._protocol.constants import CALLBACK_PORTS, DEFAULT_ORIGINATOR
from ..errors import CredentialsError
from ._account import is_lock_free, read_login
from ._checks import (
    VARIABLES,
    Check,
    State,
    cache_check,
    environment_check,
    file_checks,
    lock_check,
    login_checks,
    port_check,
)
from ._options import Commands, add_command, add_json, add_store
from ._output import FAILED, GREEN, OK, RED, YELLOW, print_json, printable, styled
from ._places import FilePlace, Place, place_in_use, shadow_of

_SYMBOLS: Final[dict[State, tuple[str, str]]] = {'ok': ('✓', GREEN), 'warn': ('!', YELLOW), 'fail': ('✗', RED)}


def add_doctor(commands: Commands) -> None:
    """Add `doctor`."""
    doctor = add_command(commands, 'doctor', _doctor, 'look for what keeps a login from working')
    add_store(doctor, 'whose login (default: the one in use)')
    add_json(doctor)


def _doctor(options: argparse.Namespace) -> int:
    import anyio

    place = place_in_use(options.store)
    checks = anyio.run(_gather, place, datetime.now(UTC))
    is_ok = all(check.state != 'fail' for check in checks)
    if options.json:
        facts = [
            {'name': check.name, 'state': check.state, 'text': check.text, 'advice': check.advice} for check in checks
        ]
        print_json({'ok': is_ok, 'store': place.facts, 'checks': facts})
    else:
        for check in checks:
            _print(check)
    return OK if is_ok else FAILED


async def _gather(place: Place, now: datetime) -> list[Check]:
    """Every check, in the order in which a person would look."""
    port, fallback = CALLBACK_PORTS
    return [
        _versions(),
        _source(place),
        *await _file(place),
        *await _login(place, now),
        port_check(port, fallback, _port_problem(port)),
        _cache(),
        Check('originator', 'ok', f'{DEFAULT_ORIGINATOR}, unless `CodexProvider(originator=...)` says otherwise'),
        environment_check([name for name in VARIABLES if os.environ.get(name, '').strip()]),
    ]


def _versions() -> Check:
    import platform
    from importlib.metadata import version

    packages = ', '.join(f'{name} {version(name)}' for name in ('pydantic-ai-codex', 'pydantic-ai-slim', 'httpx2'))
    return Check('versions', 'ok', f'Python {platform.python_version()}, {packages}')


def _source(place: Place) -> Check:
    shadow = shadow_of(place) if isinstance(place, FilePlace) else None
    return Check('source', 'warn' if shadow else 'ok', str(place), shadow)


async def _file(place: Place) -> list[Check]:
    if not isinstance(place, FilePlace):
        return []
    facts = await place.store.inspect()
    checks = file_checks(facts)
    if facts.exists and not facts.write_problem:
        checks.append(lock_check(str(facts.lock_path), await is_lock_free(place)))
    return checks


async def _login(place: Place, now: datetime) -> list[Check]:
    try:
        credentials, note = await read_login(place)
    except CredentialsError as error:
        # What keeps a file from being read was said of the file.
        return [] if place.path else [Check('token', 'fail', str(error))]
    return login_checks(credentials, note, now)


def _port_problem(port: int) -> str | None:
    """Why `login` could not listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        if os.name == 'posix':
            # As the callback server does: a port that was used a moment ago can be used again.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(('127.0.0.1', port))
            listener.listen(1)
        except OSError as error:
            return error.strerror or str(error)
    return None


def _cache() -> Check:
    import platformdirs

    named = os.environ.get('CODEX_CACHE_DIR', '').strip()
    folder = Path(named).expanduser() if named else platformdirs.user_cache_path('pydantic-ai-codex')
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        # A probe that leaves nothing: what is missing of the folder is made when it is needed.
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return cache_check(str(folder), error.strerror or str(error))
    return cache_check(str(folder), None)


def _print(check: Check) -> None:
    symbol, style = _SYMBOLS[check.state]
    lead = f'{symbol} {check.state:<6}' if sys.stdout.isatty() else f'{check.state:<6}'
    print(f'{styled(lead, style, sys.stdout)}{check.name:<13}{printable(check.text)}')
    if check.advice:
        print(' ' * len(f'{lead}{"":<13}') + printable(check.advice))
