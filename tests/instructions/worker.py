"""A program that wants instructions, for `test_processes.py`; it says one JSON object in each line.

`PORT FOLDER`: a simulator's port and a cache folder. For each line that it reads, a number of minutes that have passed
since the beginning, it says what it got.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import filelock
import httpx2

from pydantic_ai_codex._instructions import Instructions, errand
from pydantic_ai_codex.testing._clock import InstantClock

READY = (filelock, httpx2)
"""What the library loads when it asks for the first time: the race is between programs and not between imports."""

PATIENCE = 100.0
"""Seconds in place of a few: how long anybody waits is not the question here, and CI is slow."""

BEGINNING = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class ToThisMachine(httpx2.AsyncBaseTransport):
    """Sends the requests for the hosts of GitHub to a port, where the path tells them apart."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(scheme='http', host='127.0.0.1', port=self._port)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


def say(**words: object) -> None:
    # One write, so that a line is whole.
    os.write(1, json.dumps(words).encode() + b'\n')


def main(port: int, folder: str) -> None:
    now = BEGINNING
    instructions = Instructions(
        lambda: httpx2.AsyncClient(transport=ToThisMachine(port)),
        cache_dir=folder,
        clock=InstantClock(lambda: now),
    )
    say(ready=os.getpid())
    for line in sys.stdin:
        now = BEGINNING + timedelta(minutes=float(line))
        found = asyncio.run(instructions.get('gpt-5.1-codex'))
        say(text=found.text, ref=found.ref, state=found.state)


if __name__ == '__main__':
    with patch.multiple(errand, BUDGET=PATIENCE, STALE_BUDGET=PATIENCE):
        main(int(sys.argv[1]), sys.argv[2])
