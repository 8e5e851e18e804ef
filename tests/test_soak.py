"""A thousand turns, of which one in twenty meets a failure: nothing is lost, doubled or left behind."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from pydantic_ai import Agent, PartDeltaEvent, PartStartEvent, RunContext, TextPart, TextPartDelta
from pydantic_ai.exceptions import ModelConnectionError

from pydantic_ai_codex import CodexModel, CodexModelSettings, CodexProvider, Retry, TransportPolicy
from pydantic_ai_codex.auth import MemoryStore
from pydantic_ai_codex.testing import (
    Answer,
    CodexSimulator,
    HttpFailure,
    RecordedRequest,
    call_tool,
    connect_error,
    fail,
    fail_in_stream,
    reply,
)
from pydantic_ai_codex.testing._clock import InstantClock

from .other_loops import open_descriptors

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]

BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TURNS = 1000
AT_ONCE = 20

FAILURES: list[Callable[[RecordedRequest], Answer]] = [
    lambda request: reply(answer_to(request), cut_after=6),
    lambda request: reply(answer_to(request), end_after=3),
    lambda _: connect_error(),
    lambda _: fail(401),
    lambda _: fail(429, code='rate_limit_exceeded', headers={'retry-after': '1'}),
    lambda _: fail(500),
    lambda _: fail(503, code='server_is_overloaded'),
    lambda _: fail_in_stream('server_error'),
]
"""Cuts, refused logins (whose token is revoked along with it), limits that pass, and a backend that is down."""


class Clock(InstantClock):
    """A clock that goes on by two minutes with each request, so that the turns of the test take days."""

    def __init__(self) -> None:
        super().__init__(lambda: BEGIN + self.passed)
        self.passed = timedelta()

    def monotonic(self) -> float:
        return super().monotonic() + self.passed.total_seconds()


def answer_to(request: RecordedRequest) -> str:
    """Words that belong to one turn and to no other."""
    number = request.body['input'][-1]['content'][0]['text'] if not request.outputs else request.outputs[-1]
    return ' '.join(f'{number}.{word}' for word in range(8))


class Backend:
    """Answers each turn in its own words, first with a call where there is a tool, and fails now and then."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.simulator = CodexSimulator(default=self, now=self.clock.now)
        self.failures = 0
        self._chance = random.Random(7)

    def __call__(self, request: RecordedRequest) -> Answer:
        self.clock.passed += timedelta(minutes=2)
        if self._chance.random() < 0.05:
            self.failures += 1
            failure = FAILURES[self.failures % len(FAILURES)](request)
            if isinstance(failure, HttpFailure) and failure.status == 401:
                self.simulator.revoke()
            return failure
        if request.body.get('tools') and not request.outputs:
            return call_tool('note', number=int(request.body['input'][-1]['content'][0]['text']))
        return reply(answer_to(request))


def words_of(number: int) -> str:
    return ' '.join(f'{number}.{word}' for word in range(8))


async def show(agent: Agent[None, str], number: int, cuts: list[str]) -> str:
    """What somebody sees who watches the answer; with an error in place of its end, where the connection is cut."""
    shown: dict[int, str] = {}
    try:
        async with agent.run_stream_events(str(number)) as events:
            async for event in events:
                match event:
                    case PartStartEvent(index=index, part=TextPart(content=text)):
                        assert index not in shown
                        shown[index] = text
                    case PartDeltaEvent(index=index, delta=TextPartDelta(content_delta=text)):
                        shown[index] += text
                    case _:
                        pass
    except ModelConnectionError:
        cuts.append(''.join(shown.values()))
        assert words_of(number).startswith(cuts[-1])
        return await show(agent, number, cuts)
    return ''.join(shown.values())


async def test_a_thousand_turns(until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    descriptors, tasks = open_descriptors(), asyncio.all_tasks()
    backend, retries = Backend(), list[Retry]()
    simulator = backend.simulator
    noted, outputs, cuts = Counter[int](), dict[int, str](), list[str]()
    async with simulator.serve() as server:
        monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', server.token_url)
        provider = CodexProvider(
            credentials=MemoryStore(simulator.credentials),
            base_url=server.base_url,
            policy=TransportPolicy(max_retries=8),
            clock=backend.clock,
            on_retry=retries.append,
        )
        model = CodexModel('gpt-5.5', provider=provider, settings=CodexModelSettings(codex_instructions='agent'))
        talking = Agent(model, instructions='Talk.')
        working = Agent(model, instructions='Work.', deps_type=int)

        @working.tool
        async def note(context: RunContext[int], number: int) -> str:
            """Note a number."""
            noted[number] += 1
            return str(context.deps)

        async def take(number: int) -> None:
            if number % 2:
                outputs[number] = await show(talking, number, cuts)
            else:
                outputs[number] = (await working.run(str(number), deps=number)).output

        async def work(numbers: range) -> None:
            for number in numbers:
                await take(number)

        async with provider, anyio.create_task_group() as group:
            for first in range(AT_ONCE):
                group.start_soon(work, range(first, TURNS, AT_ONCE))

        assert simulator.open_streams == 0
    assert outputs == {number: words_of(number) for number in range(TURNS)}
    assert noted == Counter(range(0, TURNS, 2))
    assert backend.failures >= 50
    assert any(cuts), 'no answer broke off after something of it was shown'
    assert len(retries) >= backend.failures / 2
    assert asyncio.all_tasks() == tasks
    gc.collect()
    await until(lambda: open_descriptors() <= descriptors)
