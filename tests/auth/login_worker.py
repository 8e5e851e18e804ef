"""A program that uses a login file, for `test_processes.py`; it says one JSON object in each line.

`crowd PATH THREADS` waits for a line, then asks for the login in so many threads at once. `nursery PATH` starts a copy of
itself for each line that it reads; the copies refresh for as long as it lives.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence

import anyio
import filelock
import httpx2

from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsError, CredentialsRefreshError, TokenSource

READY = (filelock, httpx2)
"""What the library loads at its first refresh: the race is between refreshes and not between imports."""


def say(**words: object) -> None:
    # One write, so that the lines of several processes do not mix.
    os.write(1, json.dumps(words).encode() + b'\n')


def crowd(path: str, threads: int) -> None:
    go = threading.Event()
    # Half of the processes share a source, as one provider does; in the others each thread has its own.
    shared = TokenSource(AuthFile(path)) if os.getpid() % 2 else None

    def ask() -> None:
        source = shared or TokenSource(AuthFile(path))
        go.wait()
        try:
            credentials = asyncio.run(source.credentials())
        except CredentialsError as error:
            say(error=str(error))
        else:
            say(fingerprint=credentials.fingerprint)

    waiting = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in waiting:
        thread.start()
    say(ready=os.getpid())
    sys.stdin.readline()
    go.set()
    for thread in waiting:
        thread.join()


def nursery(path: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    say(ready=os.getpid())
    parent = os.getpid()
    for _ in sys.stdin:
        if os.fork() == 0:
            say(started=os.getpid())
            asyncio.run(refresh_without_end(path, parent))
            os._exit(0)


async def refresh_without_end(path: str, parent: int) -> None:
    told: str | None = None
    while os.getppid() == parent:
        store = AuthFile(path)
        before = await store.load()
        try:
            after: Credentials = await TokenSource(store).credentials()
        except CredentialsRefreshError as error:
            if not error.is_interrupted:
                say(error=str(error))
            elif told != before.fingerprint:
                told = before.fingerprint
                say(interrupted=before.fingerprint)
            await anyio.sleep(0.01)  # until somebody has logged in anew
        else:
            say(refreshed=after.fingerprint)


def main(task: str, path: str, arguments: Sequence[str]) -> None:
    if task == 'crowd':
        crowd(path, int(arguments[0]))
    else:
        nursery(path)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
