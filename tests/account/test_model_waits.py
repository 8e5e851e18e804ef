"""Who asks for the list of models when many want it, and for how long anybody waits."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx2
import pytest

from pydantic_ai_codex._account import lookup
from pydantic_ai_codex._account import models as models_module
from pydantic_ai_codex._protocol.catalog import BUNDLED
from pydantic_ai_codex.errors import CodexError, TransportTimeoutError

from .backend import BASE_URL, LOGIN, Backend, Program, Time, hang, models, status

pytestmark = pytest.mark.anyio

Until: TypeAlias = Callable[[Callable[[], bool]], Awaitable[None]]


# Patience.


async def test_a_backend_that_hangs_is_waited_for_once(
    program: Program, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models_module, 'LOOKUP_PATIENCE', 0.01)
    backend.models = hang

    assert await program.models.get(LOGIN, BASE_URL) is BUNDLED
    assert not program.models.is_due(LOGIN, BASE_URL)
    assert await program.models.get(LOGIN, BASE_URL) is BUNDLED
    assert len(backend.requests) == 1


async def test_who_asks_for_it_now_does_not_wait_for_ever(
    program: Program, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models_module, 'LOOKUP_TIMEOUT', 0.01)
    monkeypatch.setattr(lookup, 'LOOKUP_TIMEOUT', 60)
    backend.models = hang

    with pytest.raises(TransportTimeoutError, match=r'did not answer within 0\.01 seconds'):
        await program.slugs(refresh=True)


async def give_up(program: Program, backend: Backend, until: Until, *, after: Callable[[], None]) -> None:
    """A caller that is cancelled while the backend is asked."""
    before = len(backend.requests)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(program.slugs)
        await until(lambda: len(backend.requests) > before)
        after()
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(('waited', 'is_failure'), [(0.4, False), (0.6, True)])
async def test_a_caller_that_gives_up_counts_as_a_failure_when_it_has_waited(
    waited: float, is_failure: bool, program: Program, backend: Backend, time: Time, until: Until
) -> None:
    backend.models = hang

    await give_up(program, backend, until, after=lambda: setattr(time, 'passed', waited))

    assert program.models.is_due(LOGIN, BASE_URL) is not is_failure


async def test_callers_that_give_up_soon_count_together(
    program: Program, backend: Backend, time: Time, until: Until
) -> None:
    """As a program that gives each of its turns a second, and does something else for most of it."""
    backend.models = hang
    for number in range(2):
        time.passed = number
        assert program.models.is_due(LOGIN, BASE_URL)
        await give_up(program, backend, until, after=lambda: setattr(time, 'passed', time.passed + 0.1))

    assert not program.models.is_due(LOGIN, BASE_URL)


@pytest.mark.parametrize('fault', [False, True])
async def test_a_caller_that_gave_up_long_ago_or_before_an_answer_does_not_count(
    fault: bool, program: Program, backend: Backend, time: Time, until: Until
) -> None:
    answer, backend.models = backend.models, hang
    await give_up(program, backend, until, after=lambda: None)
    if fault:
        backend.models = answer
        await program.slugs()
        backend.models = hang
    time.passed = 300
    await give_up(program, backend, until, after=lambda: None)

    assert program.models.is_due(LOGIN, BASE_URL)


async def test_who_asks_for_it_now_is_not_told_that_others_gave_up(
    program: Program, backend: Backend, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    answer = anyio.Event()

    async def late(_: httpx2.Request) -> httpx2.Response:
        await answer.wait()
        return httpx2.Response(200, json={'models': [{'slug': 'gpt-a'}]})

    monkeypatch.setattr(models_module, 'LOOKUP_PATIENCE', 0.01)
    backend.models = late
    slugs: list[list[str]] = []

    async def refresh() -> None:
        slugs.append(await program.slugs(refresh=True))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refresh)
        await until(lambda: bool(backend.requests))
        tasks.start_soon(refresh)
        assert await program.models.get(LOGIN, BASE_URL) is BUNDLED
        assert not program.models.is_due(LOGIN, BASE_URL)
        answer.set()

    assert (slugs, len(backend.requests)) == ([['gpt-a']] * 2, 1)


# One asks.


async def together(number: int, job: Callable[[], Awaitable[Any]]) -> list[Any]:
    results: list[Any] = []

    async def run() -> None:
        try:
            results.append(await job())
        except CodexError as error:
            results.append(str(error))

    async with anyio.create_task_group() as tasks:
        for _ in range(number):
            tasks.start_soon(run)
    return results


@pytest.mark.parametrize('refresh', [False, True])
async def test_many_at_once_ask_once(refresh: bool, program: Program, backend: Backend) -> None:
    assert await together(50, lambda: program.slugs(refresh=refresh)) == [['gpt-a']] * 50
    assert len(backend.requests) == 1


@pytest.mark.parametrize('refresh', [False, True])
async def test_many_at_once_fail_once(refresh: bool, program: Program, backend: Backend) -> None:
    backend.models = status(500, {'detail': 'oh'})

    [result] = {str(each) for each in await together(50, lambda: program.slugs(refresh=refresh))}

    assert ('500: oh' in result) is refresh
    assert len(backend.requests) == 1


async def test_who_asks_for_it_now_does_not_take_the_file_of_somebody_who_waits_with_it(
    backend: Backend, time: Time, tmp_path: Any
) -> None:
    await Program(backend, time, cache_dir=tmp_path).slugs()
    backend.models = models('gpt-b', etag='"etag-2"')
    program = Program(backend, time, cache_dir=tmp_path)
    results: list[list[str]] = []

    async def get(refresh: bool) -> None:
        results.append(await program.slugs(refresh=refresh))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get, False)
        tasks.start_soon(get, True)

    assert results == [['gpt-a'], ['gpt-b']]


async def test_threads_ask_once(program: Program, backend: Backend) -> None:
    number = 8
    barrier = threading.Barrier(number)
    slugs: list[list[str]] = []

    def run() -> None:
        barrier.wait(60)
        slugs.append(asyncio.run(program.slugs()))

    async with anyio.create_task_group() as tasks:
        for _ in range(number):
            tasks.start_soon(anyio.to_thread.run_sync, run)

    assert slugs == [['gpt-a']] * number
    assert len(backend.requests) == 1


async def test_a_cancelled_asker_leaves_it_to_the_others(program: Program, backend: Backend, until: Until) -> None:
    async def hang_once(request: httpx2.Request) -> httpx2.Response:
        if len(backend.requests) == 1:
            await anyio.sleep_forever()
        return httpx2.Response(200, json={'models': [{'slug': 'gpt-a'}]})

    backend.models = hang_once
    slugs: list[list[str]] = []

    async def wait() -> None:
        slugs.append(await program.slugs())

    async with anyio.create_task_group() as tasks, anyio.create_task_group() as asking:
        asking.start_soon(program.slugs)
        await until(lambda: bool(backend.requests))
        tasks.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        asking.cancel_scope.cancel()

    assert (slugs, len(backend.requests)) == ([['gpt-a']], 2)


@pytest.fixture
def left(program: Program, backend: Backend, until: Until) -> Generator[asyncio.AbstractEventLoop]:
    """An event loop that has stopped while it asked."""
    answer, backend.models = backend.models, hang
    loop = asyncio.new_event_loop()
    task = loop.create_task(program.slugs())
    loop.run_until_complete(until(lambda: bool(backend.requests)))
    backend.models = answer
    yield loop
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.mark.parametrize('refresh', [False, True])
def test_an_event_loop_that_stopped_holds_nobody_up(
    refresh: bool, left: asyncio.AbstractEventLoop, program: Program
) -> None:
    assert asyncio.run(program.slugs(refresh=refresh)) == ['gpt-a']


@pytest.fixture
def held_up(left: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """An event loop that runs, and does not go on."""
    with monkeypatch.context() as patch:
        patch.setattr(left, 'is_running', lambda: True)
        yield


@pytest.mark.usefixtures('held_up')
def test_an_event_loop_that_is_held_up_is_not_waited_for_again(
    program: Program, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models_module, 'LOOKUP_PATIENCE', 0.01)

    assert asyncio.run(program.models.get(LOGIN, BASE_URL)) is BUNDLED
    monkeypatch.setattr(models_module, 'LOOKUP_PATIENCE', 60)
    assert asyncio.run(program.models.get(LOGIN, BASE_URL)) is BUNDLED
    time.passed = 300
    assert asyncio.run(program.slugs()) == ['gpt-a']


@pytest.mark.usefixtures('held_up')
def test_an_event_loop_that_is_held_up_loses_its_turn(
    program: Program, backend: Backend, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than any request takes; until then it is not the backend that did not answer."""
    monkeypatch.setattr(models_module, 'LOOKUP_TIMEOUT', 0.01)
    time.passed = lookup.LOOKUP_TIMEOUT
    with pytest.raises(TransportTimeoutError, match='Another task of this program') as caught:
        asyncio.run(program.slugs(refresh=True))
    assert 'did not answer' not in str(caught.value)
    assert len(backend.requests) == 1

    monkeypatch.setattr(models_module, 'LOOKUP_TIMEOUT', 60)
    time.passed = 26
    assert asyncio.run(program.slugs(refresh=True)) == ['gpt-a']


def test_an_event_loop_that_was_closed_holds_nobody_up(
    left: asyncio.AbstractEventLoop, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left, 'is_closed', lambda: True)

    assert asyncio.run(program.slugs()) == ['gpt-a']
    monkeypatch.undo()


def test_a_fork_in_the_midst_of_it_asks_itself(
    left: asyncio.AbstractEventLoop, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = os.getpid()
    monkeypatch.setattr(os, 'getpid', lambda: pid + 1)

    assert asyncio.run(program.slugs()) == ['gpt-a']
    monkeypatch.undo()
