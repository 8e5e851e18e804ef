"""Whoever gives up in the midst of it leaves nothing locked, and nothing that keeps the next one from its text."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import anyio
import pytest

from pydantic_ai_codex._instructions import Instructions, ModelInstructions
from pydantic_ai_codex._lock import try_file_lock
from pydantic_ai_codex.testing import CodexSimulator, late_answer

from .programs import Programs, Time

pytestmark = pytest.mark.anyio

T = TypeVar('T')
Until = Callable[[Callable[[], bool]], Awaitable[None]]

SLUG = 'gpt-5.1-codex'
FILE = 'codex-rs/core/gpt_5_codex_prompt.md'
LOCK = Path('pydantic-ai-codex', 'instructions', 'lock')


class Watched(Generic[T]):
    """Work that tells when it is about to wait."""

    def __init__(self, work: Coroutine[Any, Any, T], before_wait: Callable[[int], None]) -> None:
        self._work = work
        self._before_wait = before_wait
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, T]:
        go_on: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                waits_for = go_on()
            except StopIteration as end:
                return end.value
            self.waits += 1
            self._before_wait(self.waits)
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the work
                go_on = partial(self._work.throw, error)
            else:
                go_on = partial(self._work.send, None)


Cancelled = Callable[[Coroutine[Any, Any, ModelInstructions], int], Awaitable[bool]]


async def by_the_task(work: Coroutine[Any, Any, ModelInstructions], at: int, *, is_insistent: bool = False) -> bool:
    """Let `asyncio` cancel the work when it waits for the n-th time; whether it still came to its end."""

    def cancel(waits: int) -> None:
        if waits == at or (is_insistent and waits > at):
            task.cancel()

    async def run() -> ModelInstructions:
        return await Watched(work, cancel)

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    return not task.cancelled()


async def by_the_task_again_and_again(work: Coroutine[Any, Any, ModelInstructions], at: int) -> bool:
    """Let it be cancelled when it waits for something on its way out, too, as where a program ends."""
    return await by_the_task(work, at, is_insistent=True)


async def by_a_scope(work: Coroutine[Any, Any, ModelInstructions], at: int) -> bool:
    """Let a cancel scope, such as that of a timeout, do it."""
    with anyio.CancelScope() as scope:

        def cancel(waits: int) -> None:
            if waits == at:
                scope.cancel()

        await Watched(work, cancel)
    return not scope.cancelled_caught


async def waits_of(work: Coroutine[Any, Any, ModelInstructions]) -> int:
    watched = Watched(work, lambda _: None)
    await watched
    return watched.waits


def is_free(lock: Path) -> bool:
    unlock = try_file_lock(lock) if lock.exists() else lambda: None
    if unlock is None:
        return False
    unlock()
    return True


@pytest.mark.parametrize('cancelled', [by_the_task, by_the_task_again_and_again, by_a_scope])
@pytest.mark.parametrize('has_old_text', [False, True])
async def test_cancelled_at_any_wait(
    cancelled: Cancelled, has_old_text: bool, simulator: CodexSimulator, time: Time, tmp_path: Path, until: Until
) -> None:
    async def fresh_start(name: str) -> Programs:
        programs = Programs(simulator, tmp_path / name)
        if has_old_text:
            await programs.start().get(SLUG)
            time.passes(minutes=16)
        programs.asked()
        return programs

    simulator.github.rate_limit = 1000
    waits = await waits_of((await fresh_start('undisturbed')).start().get(SLUG))
    ends: list[bool] = []
    for at in range(1, waits + 1):
        programs = await fresh_start(str(at))
        program = programs.start()
        ends.append(await cancelled(program.get(SLUG), at))
        await until(partial(is_free, tmp_path / str(at) / LOCK))  # what is being written is written to its end

        found = [await program.get(SLUG), await programs.start().get(SLUG)]

        assert {each.text for each in found} == {simulator.github.files()[FILE].strip()}
        assert {each.problem for each in found} == {None}
        assert len(programs.asked()) <= 4  # once in vain, and once more
        assert (await programs.start().get(SLUG)).state == 'fresh'

    assert waits > 5
    assert not all(ends)


async def test_cancelled_while_it_waits_for_another(
    simulator: CodexSimulator, programs: Programs, until: Until
) -> None:
    simulator.github.add(late_answer(seconds=math.inf))
    first = asyncio.create_task(programs.start().get(SLUG))
    await until(lambda: len(simulator.github.requests) == 1)

    with anyio.move_on_after(0.1) as scope:
        await programs.start().get(SLUG)
    first.cancel()
    await asyncio.wait([first])

    assert scope.cancelled_caught
    assert (await programs.start().get(SLUG)).state == 'fetched'


async def test_a_timeout_of_the_caller(simulator: CodexSimulator, programs: Programs, cache_dir: Path) -> None:
    simulator.github.add(late_answer(seconds=math.inf))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await programs.start().get(SLUG)

    assert is_free(cache_dir / LOCK)
    assert (await programs.start().get(SLUG)).state == 'fetched'


@pytest.mark.parametrize('is_kept', [True, False])
def test_one_event_loop_after_the_other(is_kept: bool, simulator: CodexSimulator, programs: Programs) -> None:
    program = programs.start() if is_kept else Instructions(simulator.http_client, cache_dir=False)

    assert asyncio.run(program.get(SLUG)).state == 'fetched'
    assert asyncio.run(program.get(SLUG)).state == 'fresh'
    assert asyncio.run(program.get('gpt-5.2-codex')).state == 'fetched'


@pytest.mark.parametrize('is_kept', [True, False])
def test_an_event_loop_that_ends_in_the_midst_of_it(
    is_kept: bool, simulator: CodexSimulator, programs: Programs, until: Until
) -> None:
    program = programs.start() if is_kept else Instructions(simulator.http_client, cache_dir=False)
    simulator.github.add(late_answer(seconds=math.inf))

    async def leave() -> asyncio.Task[ModelInstructions]:
        task = asyncio.create_task(program.get(SLUG))
        await until(lambda: len(simulator.github.requests) == 1)
        return task

    assert asyncio.run(leave()).cancelled()
    assert asyncio.run(program.get(SLUG)).state == 'fetched'
