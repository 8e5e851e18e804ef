"""Run by `test_kills.py`: forks a writer, kills it at a random point, looks at the file, and so on.

A fork and not a new interpreter for each kill: 200 of them would take a minute to start.
"""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import filelock  # noqa: F401  # pyright: ignore[reportUnusedImport] - once, and not in each fork

from pydantic_ai_codex.auth import AuthFile, Credentials

PADDING = 'x' * 1000


def credentials(generation: int) -> Credentials:
    return Credentials(f'at-{generation}-{PADDING}', f'rt-{generation}', 'acct-1')


async def save_forever(path: Path, generation: int, pipe: int) -> None:
    file = AuthFile(path)
    async with file.lock():
        for number in count(generation):
            # Longer and shorter by turns, so that a write in place has something to pad.
            await file.save(Credentials(f'at-{number}-{PADDING[: number * 37 % 900]}', f'rt-{number}', 'acct-1'))
            os.write(pipe, b'.')


def refuse_to_replace() -> None:
    """A file that is mounted by itself."""

    def busy(*_: Any) -> None:
        raise OSError(errno.EBUSY, 'Device or resource busy')

    os.replace = busy


def kill_one(path: Path, generation: int, chance: random.Random) -> None:
    """Start a writer, and kill it some random time after its first save."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        anyio.run(save_forever, path, generation, writer)
        os._exit(1)
    os.close(writer)
    os.read(reader, 1)
    end = time.perf_counter() + chance.random() * 0.005
    while time.perf_counter() < end:
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)


def main(path: Path, how: str, kills: int) -> None:
    if how == 'in_place':
        anyio.run(AuthFile(path).save, credentials(0))
        refuse_to_replace()
    chance = random.Random(kills)
    torn: list[str] = []
    generation, pending = 1, 0
    generations: set[str] = set()
    for _ in range(kills):
        kill_one(path, generation, chance)
        generation += 100_000
        pending += path.with_name('.auth.json.new').exists()
        try:
            document: Any = json.loads(path.read_bytes())
            generations.add(document['tokens']['refresh_token'])
            if document['tokens']['access_token'].split('-')[1] != document['tokens']['refresh_token'][3:]:
                torn.append(f'mixed: {document["tokens"]}')
        except ValueError as error:
            torn.append(f'{error}: {path.read_bytes()!r}')
    report = {'torn': torn, 'kills': kills, 'generations': len(generations), 'pending': pending}
    sys.stdout.write(json.dumps(report))


if __name__ == '__main__':
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
