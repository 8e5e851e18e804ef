"""What the instructions cost at the start of a program, with and without GitHub: `python benchmarks/offline_start.py`.

Each start is a process of its own. Every connection goes to a port of this machine that refuses it, by way of
`HTTPS_PROXY`, so nothing leaves the machine. What a program has loaded anyway, such as anyio's event loop, counts too.
It ends with 1 where a start that finds a remembered failure takes 50 ms or more, by the median: let the machine rest.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

RUNS = 25
LIMIT = 50.0
"""Milliseconds."""

SLUG = 'gpt-5.1-codex'


@dataclass(frozen=True)
class Case:
    """A kind of start.

    Attributes:
        title: What it is.
        hours: How old the text is that is kept; `None` is none.
        is_first: Whether GitHub has not been asked in vain before.
        state: What the text has to be.
    """

    title: str
    hours: float | None
    is_first: bool
    state: str

    @property
    def is_limited(self) -> bool:
        """Whether it is one of those that are promised to be quick."""
        return not self.is_first and self.state != 'fresh'


CASES = (
    Case('a fresh text', 0, False, 'fresh'),
    Case('a stale text, failure remembered', 24, False, 'stale'),
    Case('no text, failure remembered', None, False, 'built-in'),
    Case('a stale text, first time offline', 24, True, 'stale'),
    Case('no text, first time offline', None, True, 'built-in'),
)


# In processes of their own.


def start() -> None:
    """Start as a program does, and say what that took."""
    began = time.perf_counter()
    from pydantic_ai_codex._instructions import Instructions

    imported = time.perf_counter()
    found = asyncio.run(Instructions().get(SLUG))
    ended = time.perf_counter()
    print(json.dumps({'import': 1000 * (imported - began), 'get': 1000 * (ended - imported), 'state': found.state}))


def keep(hours: float) -> None:
    """Keep a text that is so old."""
    from pydantic_ai_codex._instructions import Instructions
    from pydantic_ai_codex.testing import CodexSimulator
    from pydantic_ai_codex.testing._clock import InstantClock

    clock = InstantClock(lambda: datetime.now(UTC) - timedelta(hours=hours))
    simulator = CodexSimulator()
    simulator.github.is_cacheable = True
    asyncio.run(Instructions(simulator.http_client, clock=clock).get(SLUG))


# Here.


@contextmanager
def refusing_port() -> Generator[int]:
    """A port that nobody listens on, and that nobody else can take."""
    with socket.socket() as bound:
        bound.bind(('127.0.0.1', 0))
        yield bound.getsockname()[1]


def environment(home: Path, port: int) -> dict[str, str]:
    """An environment without anything of the user's, from which nobody gets out."""
    others = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith('CODEX_') or name.upper().endswith('_PROXY'))
    }
    places = ('CODEX_CACHE_DIR',) if os.name == 'nt' else ('HOME', 'XDG_CACHE_HOME')
    return {**others, **dict.fromkeys(places, str(home)), 'HTTPS_PROXY': f'http://127.0.0.1:{port}'}


def run(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def prepare(case: Case, env: dict[str, str]) -> None:
    if case.hours is not None:
        run(env, 'keep', str(case.hours))
    if not case.is_first:
        run(env, 'start')


def measure(home: Path, port: int) -> dict[Case, list[dict[str, Any]]]:
    """What each start has said; one of each kind after the other, so that all share what else the machine does."""
    said: dict[Case, list[dict[str, Any]]] = {case: [] for case in CASES}
    for number in range(RUNS):
        for position, case in enumerate(CASES):
            env = environment(home / f'{position}-{number if case.is_first else 0}', port)
            if number == 0 or case.is_first:
                prepare(case, env)
            said[case].append(json.loads(run(env, 'start')))
            if said[case][-1]['state'] != case.state:
                raise SystemExit(f'{case.title}: {said[case][-1]}')
    return said


def row(title: str, times: Sequence[float], remark: str = '') -> str:
    tenths = quantiles(times, n=10)
    return f'{title:36} {median(times):8.1f} {tenths[0]:8.1f} {tenths[-1]:8.1f} {remark}'.rstrip()


def main() -> int:
    """Measure, print, and say whether the promise is kept."""
    with TemporaryDirectory() as home, refusing_port() as port:
        said = measure(Path(home), port)
    slow: list[Case] = []
    print(f'{"milliseconds":36} {"median":>8} {"10 %":>8} {"90 %":>8}   ({RUNS} starts each)')
    for case, starts in said.items():
        times = [each['get'] for each in starts]
        if case.is_limited and median(times) >= LIMIT:
            slow.append(case)
        print(row(case.title, times, f'not under {LIMIT:.0f}' if case in slow else ''))
    print(row('apart: import of _instructions', [each['import'] for starts in said.values() for each in starts]))
    return 1 if slow else 0


if __name__ == '__main__':
    match sys.argv[1:]:
        case ['start']:
            start()
        case ['keep', hours]:
            keep(float(hours))
        case _:
            sys.exit(main())
