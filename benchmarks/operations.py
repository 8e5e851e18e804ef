"""What a worker can be asked to do with its subject; each method is a verb of its protocol."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from cProfile import Profile
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias
from urllib.request import urlopen

from .checks import Outcome, problems
from .streams import STREAMS
from .subjects import Subject
from .watch import Watch

Answer: TypeAlias = dict[str, Any]


class Operations:
    """The verbs, which answer with JSON.

    A subject that makes events of the bytes has `result`, `prepare_request` and, as a model, `conversation` as well; see
    `ModelSubject`. One that does not has `body`.

    Args:
        name: The name of the subject.
        subject: What is measured.
        port: The port of the server.
        watch: What watches the running loop.
    """

    def __init__(self, name: str, subject: Subject, port: int, watch: Watch) -> None:
        self._name = name
        self._subject: Any = subject
        self._port = port
        self._watch = watch

    def verbs(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """The methods by the name that a driver uses."""
        return {
            'about': self.about,
            'check': self.check,
            'stream': self.stream,
            'concurrent': self.concurrent,
            'request': self.request,
            'first_token': self.first_token,
            'memory': self.memory,
            'conversation': self.conversation,
            'profile': self.profile,
        }

    async def about(self) -> Answer:
        """Who it is."""
        return {'subject': self._name, 'versions': self._subject.versions()}

    async def check(self, stream: str, through: str = 'model') -> Answer:
        """How what comes out differs from what was sent."""
        self._check_agent(through)
        if hasattr(self._subject, 'body'):
            return {'problems': await self._check_bytes(stream)}
        outcome: Outcome = await self._ability('result')(stream, through=through)
        return {'problems': problems(STREAMS[stream].expected, outcome)}

    async def stream(self, stream: str, mode: str = 'chunks', through: str = 'model', count: int = 1) -> Answer:
        """Read a stream so often, one after the other."""
        self._check_agent(through)

        async def read() -> int:
            runs = [await self._subject.run(stream, mode, through=through, observer=None) for _ in range(count)]
            return sum(runs)

        return await _timed(read)

    async def concurrent(self, stream: str, streams: int, mode: str = 'chunks', through: str = 'model') -> Answer:
        """Read a stream so often, all at once."""
        self._check_agent(through)

        async def read() -> int:
            runs = (self._subject.run(stream, mode, through=through, observer=None) for _ in range(streams))
            return sum(await asyncio.gather(*runs))

        return await _timed(read)

    async def request(self, messages: int, tools: int, count: int = 1, through: str = 'model') -> Answer:
        """Send a history with tools so often.

        `blocked` is the median over the requests of the longest turn of the loop in each.
        """
        self._check_agent(through)
        prepare = self._ability('prepare_request')
        calls = [prepare(messages, tools, through=through) for _ in range(count)]
        blocked: list[float] = []

        async def send() -> int:
            for call in calls:
                self._watch.begin()
                await call()
                blocked.append(self._watch.longest())
            return count

        took = await _timed(send)
        return {
            'cpu': took['cpu'] / count,
            'wall': took['wall'] / count,
            'blocked': median(blocked),
            'body_bytes': self._stats()['last_body_bytes'],
        }

    async def first_token(self, count: int = 20) -> Answer:
        """How long it takes from the start of a request until its reader has the first piece, so often."""
        walls: list[float] = []
        for _ in range(count):
            seen: list[float] = []

            def observe(kind: str, piece: str, seen: list[float] = seen) -> None:
                if not seen:
                    seen.append(time.perf_counter())

            began = time.perf_counter()
            await self._subject.run('d', 'chunks', through='model', observer=observe)
            if not seen:
                raise RuntimeError('The subject showed no piece of the answer.')
            walls.append(seen[0] - began)
        return {'walls': walls}

    async def memory(self, requests: int = 1000) -> Answer:
        """The memory of the process before, in the middle of and after so many requests."""
        prepare = self._ability('prepare_request')
        prepare(10, 10, through='model')
        rss = {'0': _rss()}
        for number in range(1, requests + 1):
            await prepare(10, 10, through='model')()
            if number in (requests // 2, requests):
                rss[str(number)] = _rss()
        return {'rss': rss}

    async def conversation(self, turns: int = 50) -> Answer:
        """Have a conversation; what it cost in bytes is with the server."""
        return {'messages': await self._ability('conversation')(turns)}

    async def profile(self, order: dict[str, Any], path: str) -> Answer:
        """Do another verb with a profiler on, which keeps what it saw in a file."""
        verb = self.verbs()[order.pop('do')]
        with Profile() as profiler:
            answer = await verb(**order)
        profiler.dump_stats(path)
        return answer

    async def _check_bytes(self, stream: str) -> list[str]:
        """The same for a subject that yields bytes and counts events."""
        frames = STREAMS[stream].frames
        found: list[str] = []
        if await self._subject.body(stream, 'chunks') != b''.join(frames):
            found.append('The bytes differ from those that were sent.')
        events = await self._subject.run(stream, 'chunks', through='model', observer=None)
        if events != len(frames):
            found.append(f'{events} events were counted instead of {len(frames)}.')
        return found

    def _ability(self, name: str) -> Callable[..., Any]:
        ability: Callable[..., Any] | None = getattr(self._subject, name, None)
        if ability is None:
            raise NotImplementedError(f'{self._name} cannot do it.')
        return ability

    def _check_agent(self, through: str) -> None:
        if through == 'agent' and not hasattr(self._subject, 'conversation'):
            raise NotImplementedError(f'{self._name} is no model of pydantic-ai.')

    def _stats(self) -> Mapping[str, Any]:
        with urlopen(f'http://127.0.0.1:{self._port}/stats', timeout=10) as answer:
            return json.load(answer)


async def _timed(work: Callable[[], Awaitable[int]]) -> Answer:
    """What some work took; it says how many events that was. It does not pay for the garbage of earlier work."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    events = await work()
    return {'cpu': time.process_time() - cpu, 'wall': time.perf_counter() - wall, 'events': events}


def _rss() -> int:
    """The memory of this process that is in use, in bytes."""
    gc.collect()
    try:
        status = Path('/proc/self/status').read_text(encoding='ascii')
    except FileNotFoundError:
        raise NotImplementedError('Only Linux says how much memory a process uses now.') from None
    line = next(line for line in status.splitlines() if line.startswith('VmRSS:'))
    return int(line.split()[1]) * 1024
