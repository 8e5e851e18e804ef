"""`doctor`: looks at everything that a login depends on, on this machine, and says what to do."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .. import _environment
from .._protocol.constants import CALLBACK_PORTS, DEFAULT_ORIGINATOR
from ..errors import ConfigurationError, CredentialsError
from ._account import Login, is_lock_free, read_login
from ._checks import (
    VARIABLES,
    Check,
    State,
    cache_check,
    config_check,
    environment_check,
    file_checks,
    lock_check,
    login_checks,
    models_check,
    port_check,
)
from ._errors import worded
from ._options import Commands, add_command, add_json, add_store
from ._output import FAILED, GREEN, OK, RED, YELLOW, print_json, printable, styled
from ._places import FilePlace, Place, place_in_use

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
    login, problem = await _read(place)
    # What keeps a file from being read is said of the file.
    failed = [Check('token', 'fail', problem)] if problem and not place.path else []
    return [
        _versions(),
        _source(place),
        *await _file(place),
        *_config(place, login),
        *(login_checks(login, now) if login else failed),
        port_check({port: _port_problem(port) for port in CALLBACK_PORTS}),
        _cache(now),
        await _models(login, now),
        Check('originator', 'ok', f'{DEFAULT_ORIGINATOR}, unless a program says otherwise'),
        environment_check([name for name in VARIABLES if _environment.read(name)]),
    ]


def _versions() -> Check:
    import platform
    from importlib.metadata import version

    packages = ', '.join(f'{name} {version(name)}' for name in ('pydantic-ai-codex', 'pydantic-ai-slim', 'httpx2'))
    return Check('versions', 'ok', f'Python {platform.python_version()}, {packages}')


def _source(place: Place) -> Check:
    return Check('source', 'ok', str(place))


async def _file(place: Place) -> list[Check]:
    if not isinstance(place, FilePlace):
        return []
    from ..auth._paths import login_command

    facts = await place.store.inspect()
    checks = file_checks(facts, place.log_in, f'Run {login_command(place.path)}.')
    if facts.exists and not facts.write_problem:
        checks.append(lock_check(str(facts.lock_path), await is_lock_free(place)))
    return checks


async def _read(place: Place) -> tuple[Login | None, str | None]:
    """The login, or why there is none."""
    try:
        return await read_login(place), None
    except CredentialsError as error:
        return None, worded(error)


def _config(place: Place, login: Login | None) -> list[Check]:
    from ..auth._login.restrictions import restrictions_of

    if not isinstance(place, FilePlace):
        return []
    restrictions = restrictions_of(place.path)
    if restrictions.path is None or not (restrictions.problem or restrictions.path.exists()):
        return []
    return [config_check(restrictions, login.credentials if login else None)]


def _port_problem(port: int) -> str | None:
    """Why `login` could not listen there."""
    from ..auth._login.callback import check_free

    try:
        check_free(port)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _cache(now: datetime) -> Check:
    from .._instructions import cache_folder
    from .._instructions.cache import FileCache

    try:
        folder = cache_folder()
    except ConfigurationError as error:
        return Check('cache', 'fail', str(error), 'Let CODEX_CACHE_DIR name another folder.')
    cache = FileCache(folder)
    return cache_check(folder, _write_problem(folder), len(list(cache.entries())), cache.load_state(), now)


async def _models(login: Login | None, now: datetime) -> Check:
    from .._protocol.catalog import BUNDLED
    from ._catalog import kept_models

    catalog = (await kept_models(login.credentials)).catalog if login else BUNDLED
    return models_check(catalog, _environment.read('CODEX_REASONING_EFFORT'), now)


def _write_problem(folder: Path) -> str | None:
    """Why nothing could be kept in a folder, which need not exist."""
    from .._cache_files import is_trusted

    try:
        existing = next(each for each in (folder, *folder.parents) if each.exists())
        # A probe that leaves nothing: what is missing of the folder is made when it is needed.
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return error.strerror or str(error)
    if folder.exists() and not is_trusted(folder):
        return "it is somebody else's, or everybody can write there"
    return None


def _print(check: Check) -> None:
    symbol, style = _SYMBOLS[check.state]
    lead = f'{symbol} {check.state:<6}' if sys.stdout.isatty() else f'{check.state:<6}'
    print(f'{styled(lead, style, sys.stdout)}{check.name:<13}{printable(check.text)}')
    if check.advice:
        print(' ' * len(f'{lead}{"":<13}') + printable(check.advice))
