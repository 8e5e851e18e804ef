"""The processes of a run: the server and a worker for each subject, which say and hear one line of JSON at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from threading import Timer
from types import TracebackType
from typing import IO, Any, Self, cast
from urllib.request import ProxyHandler, build_opener

from .peers import NO_LITELLM, python_of

START = 120.0
ANSWER = 600.0
"""Seconds after which a process is taken for one that hangs."""

PATIENCE = 3.0
"""Seconds that a process has to end by itself."""

Command = Sequence[str]


class ProcessFailed(Exception):
    """A process ended, or hung, where it had to answer."""


class LineProcess:
    """A process that is asked in lines of JSON.

    It has a session of its own, so that Ctrl-C reaches the driver alone, which then ends it.

    Attributes:
        has_failed: Whether it was asked, and has not answered.
    """

    def __init__(self, name: str, command: Command) -> None:
        self.name = name
        self.has_failed = False
        self._was_silent = False
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )
        self._orders = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)

    def poll(self) -> int | None:
        """What it ended with, `None` while it runs."""
        return self._process.poll()

    def say(self, order: Mapping[str, Any]) -> None:
        """Send a line."""
        try:
            self._orders.write(json.dumps(order).encode() + b'\n')
            self._orders.flush()
        except OSError as error:
            raise ProcessFailed(f'{self.name} is not there any more{self.last_words()}') from error

    def hear(self, timeout: float) -> dict[str, Any]:
        """The next line of JSON.

        Raises:
            ProcessFailed: It ended, or said nothing for so many seconds; it is killed then.
        """
        timer = Timer(timeout, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            line = self._answers.readline()
        finally:
            timer.cancel()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            ended = f'was silent for {timeout:.0f} s' if self._was_silent else 'ended'
            said = f'said {line[:200]!r}' if line else ended
            raise ProcessFailed(f'{self.name} {said}{self.last_words()}') from None
        return answer

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a line; `{"error": ...}` of a process that is of no use any more."""
        try:
            self.say(order)
            return self.hear(ANSWER)
        except ProcessFailed as error:
            self.has_failed = True
            return {'error': str(error)}

    def _give_up(self) -> None:
        """End it, as it has said nothing for too long."""
        self._was_silent = True
        self._process.kill()

    def close(self) -> None:
        """End it, and wait until it has ended: it does so by itself when there is nothing more to hear."""
        with suppress(OSError):  # it may have ended before all was written
            self._orders.close()
        for end in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(PATIENCE)
                break
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()
        self._answers.close()
        self._complaints.close()

    def last_words(self) -> str:
        """The end of what it wrote to stderr."""
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors='replace').strip().splitlines()
        return ''.join(f'\n    {line}' for line in lines[-5:])


def server_command() -> Command:
    return (sys.executable, '-m', 'benchmarks.server')


def close_all(processes: Sequence[LineProcess]) -> None:
    """End all of them, also where somebody cannot wait for one."""
    if processes:
        try:
            processes[0].close()
        finally:
            close_all(processes[1:])


class Processes:
    """The server, and the workers that were asked so far; all of them end with the block."""

    def __init__(self, server: Command | None = None) -> None:
        self._server_command = server or server_command()
        self._workers: dict[str, LineProcess] = {}

    def __enter__(self) -> Self:
        self._server = LineProcess('the server', self._server_command)
        try:
            self.port = int(self._server.hear(START)['port'])
        except BaseException:
            self._server.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close_all([*self._workers.values(), self._server])

    def ask(self, subject: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """What the worker of the subject answers; where none runs, one is started.

        A worker that fails is ended, and the next question starts another. `{"error": ...}` is the answer then.

        Raises:
            ProcessFailed: The server has ended.
        """
        worker = self._workers.get(subject) or self._started(subject)
        if worker is None:
            return {'unsupported': NO_LITELLM}
        self._workers[subject] = worker
        answer = worker.ask(order)
        if worker.has_failed:
            self.end(subject)
        return self._seen(answer)

    def ask_anew(self, subject: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """What a worker answers that has done nothing before, and does nothing afterwards."""
        worker = self._started(subject)
        if worker is None:
            return {'unsupported': NO_LITELLM}
        try:
            answer = worker.ask(order)
        finally:
            worker.close()
        return self._seen(answer)

    def is_running(self, subject: str) -> bool:
        """Whether the next question goes to a worker that has answered others."""
        return subject in self._workers

    def end(self, subject: str) -> None:
        """End the worker of the subject."""
        if worker := self._workers.pop(subject, None):
            worker.close()

    def server_says(self, path: str) -> dict[str, Any]:
        """What the server answers to a GET.

        Raises:
            ProcessFailed: It does not answer.
        """
        opener = build_opener(ProxyHandler({}))  # no proxy of the environment is for this machine
        try:
            with opener.open(f'http://127.0.0.1:{self.port}{path}', timeout=START) as response:
                answer: dict[str, Any] = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise ProcessFailed(f'the server did not answer: {error}{self._server.last_words()}') from error
        return answer

    def worker_command(self, subject: str) -> Command | None:
        """What starts a worker of the subject; `None` where its Python is not there."""
        python = python_of(subject)
        return (python, '-m', 'benchmarks.worker', subject, str(self.port)) if python else None

    def _started(self, subject: str) -> LineProcess | None:
        command = self.worker_command(subject)
        return LineProcess(subject, command) if command else None

    def _seen(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer that is no failure of the server's: whoever reads from one that has ended fails for that alone."""
        if 'error' in answer and (code := self._server.poll()) is not None:
            raise ProcessFailed(f'the server ended with {code}{self._server.last_words()}')
        return answer
