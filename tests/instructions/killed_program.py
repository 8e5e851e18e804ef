"""Run by `test_kills.py`: forks programs that fetch and keep texts, kills them, and has others read what they left.

`lines FOLDER` kills at each line of the code that touches files, each of the first times that it is run. `crowd FOLDER
KILLS` has several programs at once, and kills one of them wherever it is. Each says in the end, as JSON, what was found
after each kill.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any, TypeAlias
from unittest.mock import patch

import anyio
import filelock  # noqa: F401  # pyright: ignore[reportUnusedImport] - once, and not in each fork

from pydantic_ai_codex import _cache_files, _lock
from pydantic_ai_codex._instructions import Instructions, cache, errand
from pydantic_ai_codex.testing import CodexSimulator, connect_error
from pydantic_ai_codex.testing._clock import InstantClock

Line: TypeAlias = tuple[str, int]
Say: TypeAlias = Callable[[object], object]

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
FILE = 'codex-rs/core/gpt_5_codex_prompt.md'
CHANGE = 123
"""From this number to the next the text changes, and its release does not: the same file is written."""

TIMES = 4
COPIES = 3
PATIENCE = 100.0
"""Seconds in place of a few: how long anybody waits is not the question here, and CI is slow."""


# What a program does.


def text(number: int) -> str:
    """A text that tells whether it is whole; each has another length."""
    return f'{number} {"x" * (number * 7919 % 40_000)} {number}'


def is_whole(found: str) -> bool:
    number = found.partition(' ')[0]
    return number.isdigit() and found == text(int(number))


def instructions(simulator: CodexSimulator, folder: Path, number: int) -> Instructions:
    """A program that starts when all that was kept before has become old."""
    now = BEGINNING + timedelta(minutes=16 * number)
    return Instructions(simulator.http_client, cache_dir=folder, clock=InstantClock(lambda: now))


async def write(folder: Path, number: int) -> None:
    """Fetch and keep what GitHub has by then: with the numbers the release changes, or the text, or both, or none."""
    simulator = CodexSimulator()
    simulator.github.is_cacheable = True
    simulator.github.publish(f'rust-v0.{number // 3}.0', {FILE: text(number // 4)})
    found = await instructions(simulator, folder, number).get('gpt-5.1-codex')
    if found.text != text(number // 4):
        raise AssertionError(f'program {number} got {found!r}')


async def read(folder: Path, number: int) -> str:
    """What somebody finds who cannot reach GitHub."""
    simulator = CodexSimulator()
    simulator.github.fail_with(connect_error())
    found = await instructions(simulator, folder, number).get('gpt-5.1-codex')
    if found.state == 'built-in':
        return 'nothing'
    return 'whole' if is_whole(found.text) else f'torn: {found!r}'


def is_free(folder: Path) -> bool:
    """Whether nobody holds the lock."""
    path = folder / 'pydantic-ai-codex' / 'instructions' / 'lock'
    unlock = _lock.try_file_lock(path) if path.exists() else lambda: None
    if unlock is None:
        return False
    unlock()
    return True


# Programs, and their ends.


class Program:
    """A fork that does something, and may say what comes of it."""

    def __init__(self, run: Callable[[Say], object]) -> None:
        reader, writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            run(lambda said: os.write(writer, json.dumps(said).encode() + b'\n'))
            os._exit(0)
        os.close(writer)
        self._said = os.fdopen(reader, 'rb')

    def hear(self) -> Any:
        """What it says next; `None` where it has ended before."""
        line = self._said.readline()
        return json.loads(line) if line else None

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def was_killed(self) -> bool:
        """Wait for its end; whether it was killed, and did not end by itself."""
        self._said.close()
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1]) == -signal.SIGKILL


def touches_files(code: CodeType) -> bool:
    if code.co_filename == _lock.__file__:
        return code.co_name == 'try_file_lock'
    return code.co_filename in (cache.__file__, _cache_files.__file__) and 'MemoryCache' not in code.co_qualname


class Trap:
    """Counts the lines that touch files, in whatever thread they are run, and kills this process at one of them."""

    def __init__(self, line: Line | None = None, times: int = 0) -> None:
        self.line = line
        self.times = times
        self.seen: Counter[Line] = Counter()

    def set(self) -> None:
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._step if touches_files(frame.f_code) else None

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == 'line':
            line = (frame.f_code.co_filename, frame.f_lineno)
            self.seen[line] += 1
            if line == self.line and self.seen[line] == self.times:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._step


def write_twice(folder: Path, trap: Trap, say: Say) -> None:
    trap.set()
    asyncio.run(write(folder, CHANGE))
    say('kept')
    asyncio.run(write(folder, CHANGE + 1))
    say([(*line, times) for line, times in trap.seen.items()])


def lines_of(folder: Path) -> dict[Line, int]:
    """The lines that are run when nobody is killed, and how often."""
    program = Program(partial(write_twice, folder, Trap()))
    program.hear()
    lines = {(file, line): times for file, line, times in program.hear()}
    program.was_killed()
    return lines


def report(folder: Path, number: int, say: Say) -> None:
    say({'is_free': is_free(folder), 'read': asyncio.run(read(folder, number))})


def kill_at_each_line(folder: Path) -> list[dict[str, Any]]:
    lines = lines_of(folder / 'undisturbed')
    traps = [Trap(line, time) for line, times in lines.items() for time in range(1, min(times, TIMES) + 1)]
    reports: list[dict[str, Any]] = []
    for number, trap in enumerate(traps):
        place = folder / str(number)
        program = Program(partial(write_twice, place, trap))
        had_kept, was_killed = program.hear() is not None, program.was_killed()
        reader = Program(partial(report, place, CHANGE + 2))
        reports.append({'was_killed': was_killed, 'had_kept': had_kept, **reader.hear()})
        reader.was_killed()
    return reports


def report_and_write(folder: Path, number: int, say: Say) -> None:
    report(folder, number, say)
    for each in count(number + 1):
        asyncio.run(write(folder, each))


def kill_anywhere(folder: Path, kills: int) -> list[dict[str, Any]]:
    chance = Random(kills)
    reports: list[dict[str, Any]] = []
    alive: list[Program] = []
    Program(lambda _: asyncio.run(write(folder, 0))).was_killed()  # so that there is a text from now on
    for kill in range(kills):
        while len(alive) < COPIES:
            alive.append(Program(partial(report_and_write, folder, 1001 * len(reports))))
            reports.append(alive[-1].hear())
        time.sleep(chance.uniform(0, 0.02))  # every moment is as good as another
        alive[0].kill()
        reports[kill]['was_killed'] = alive.pop(0).was_killed()
    for program in alive:
        program.kill()
        program.was_killed()
    return reports[:kills]


def main(how: str, folder: Path, kills: int) -> None:
    anyio.run(anyio.sleep, 0)  # loads what every fork needs
    with patch.multiple(errand, BUDGET=PATIENCE, STALE_BUDGET=PATIENCE):
        reports = kill_at_each_line(folder) if how == 'lines' else kill_anywhere(folder, kills)
    sys.stdout.write(json.dumps(reports))


if __name__ == '__main__':
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
