"""Programs that a test starts beside itself: they say one JSON object in each line, and go on when they are told to."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

PATIENCE = 120.0
"""Seconds for what takes one or two; CI is slow."""


class Worker:
    """A running program."""

    def __init__(self, script: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(script), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def hear(self) -> dict[str, Any]:
        return self.said.get(timeout=PATIENCE)

    def tell(self, line: str = '') -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f'{line}\n')
        self._process.stdin.flush()

    def close(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        exit_code = self._process.wait(PATIENCE)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return exit_code

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()

    def _read(self, stdout: IO[str]) -> None:
        for line in stdout:
            self.said.put(json.loads(line))


@contextmanager
def workers(count: int, script: Path, *arguments: str) -> Generator[list[Worker]]:
    started: list[Worker] = []
    try:
        for _ in range(count):
            started.append(Worker(script, *arguments))
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.close()
