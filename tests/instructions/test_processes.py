"""Many who start at once: processes, threads with an event loop each, and tasks; GitHub is asked once."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from pydantic_ai_codex._instructions import Instructions, ModelInstructions
from pydantic_ai_codex._instructions.cache import MemoryCache
from pydantic_ai_codex._instructions.records import State
from pydantic_ai_codex.testing import CodexSimulator, late_answer

from ..workers import Worker, workers
from .programs import Programs

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]

WORKER = Path(__file__).with_name('worker.py')
SLUG = 'gpt-5.1-codex'
FILE = 'codex-rs/core/gpt_5_codex_prompt.md'
ONE_FETCH = [('api', 200), ('raw', 200)]


@pytest.fixture
def slow(simulator: CodexSimulator) -> None:
    """The first answer takes its time, so that all the others have time to do it wrong."""
    simulator.github.add(late_answer(seconds=0.2))


def ask_all(crowd: list[Worker], minutes: int) -> list[dict[str, Any]]:
    for worker in crowd:
        worker.tell(str(minutes))
    return [worker.hear() for worker in crowd]


@pytest.mark.usefixtures('slow')
async def test_processes(simulator: CodexSimulator, programs: Programs, cache_dir: Path) -> None:
    text = simulator.github.files()[FILE].strip()

    async with simulator.serve() as server:
        with workers(16, WORKER, str(server.port), str(cache_dir)) as crowd:
            assert all('ready' in worker.hear() for worker in crowd)
            cold, asked_cold = ask_all(crowd, 0), programs.asked()
            simulator.github.add(late_answer(seconds=0.2))
            later, asked_later = ask_all(crowd, 16), programs.asked()
            assert [worker.close() for worker in crowd] == [0] * 16

    assert asked_cold == ONE_FETCH
    assert {(got['ref'], got['text']) for got in (*cold, *later)} == {('rust-v0.0.1', text)}
    assert Counter(got['state'] for got in cold) == {'fetched': 1, 'fresh': 15}
    assert asked_later == [('api', 304), ('raw', 304)]
    assert Counter(got['state'] for got in later) == {'revalidated': 1, 'fresh': 15}


def ask_in_threads(*programs: Instructions) -> list[ModelInstructions]:
    """What each gets, in a thread and an event loop of its own, all at once."""
    together = threading.Barrier(len(programs))
    got: list[ModelInstructions] = []

    def run(program: Instructions) -> None:
        together.wait()
        got.append(asyncio.run(program.get(SLUG)))

    threads = [threading.Thread(target=run, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


@pytest.mark.usefixtures('slow')
@pytest.mark.parametrize('is_shared', [True, False])
def test_threads(is_shared: bool, programs: Programs) -> None:
    one = programs.start()

    got = ask_in_threads(*(one if is_shared else programs.start() for _ in range(8)))

    assert programs.asked() == ONE_FETCH
    assert Counter(each.state for each in got) == {'fetched': 1, 'fresh': 7}
    assert len({each.text for each in got}) == 1


@pytest.mark.usefixtures('slow')
def test_threads_without_files(simulator: CodexSimulator, programs: Programs) -> None:
    one = Instructions(simulator.http_client, cache_dir=False)

    got = ask_in_threads(*[one] * 8)

    assert programs.asked() == ONE_FETCH
    assert Counter(each.state for each in got) == {'fetched': 1, 'fresh': 7}


@pytest.mark.usefixtures('slow')
@pytest.mark.parametrize('is_kept', [True, False])
async def test_tasks(is_kept: bool, simulator: CodexSimulator, programs: Programs) -> None:
    program = programs.start() if is_kept else Instructions(simulator.http_client, cache_dir=False)
    got: list[ModelInstructions] = []

    async def ask() -> None:
        got.append(await program.get(SLUG))

    async with anyio.create_task_group() as tasks:
        for _ in range(64):
            tasks.start_soon(ask)

    assert programs.asked() == ONE_FETCH
    assert Counter(each.state for each in got) == {'fetched': 1, 'fresh': 63}


async def test_who_comes_while_another_asks_takes_nothing_away_from_it(
    simulator: CodexSimulator, programs: Programs, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first has learned, and not kept yet, is not replaced by what the second finds in the files."""
    go_on, refused = threading.Event(), threading.Event()
    try_lock = MemoryCache.try_lock

    def watched(cache: MemoryCache) -> Callable[[], object] | None:
        unlock = try_lock(cache)
        if unlock is None:
            refused.set()
        return unlock

    monkeypatch.setattr(MemoryCache, 'try_lock', watched)
    simulator.github.add(None, late_answer(before=lambda: go_on.wait(60)))
    program = programs.start()

    first = asyncio.create_task(program.get(SLUG))
    await until(lambda: len(simulator.github.requests) == 2)
    second = asyncio.create_task(program.get(SLUG))
    await until(refused.is_set)
    go_on.set()

    assert ((await first).state, (await second).state) == ('fetched', 'fresh')
    assert programs.asked() == ONE_FETCH


@pytest.mark.parametrize('is_locked', [True, False])
def test_what_is_learned_while_the_files_are_read_counts_unless_nobody_else_may_learn(is_locked: bool) -> None:
    memory = MemoryCache()
    learned, read = State(), State()

    def load() -> State:
        memory.save_state(learned)
        return read

    memory.adopt_state(load, is_locked=is_locked)

    assert memory.load_state() is (read if is_locked else learned)


async def test_who_asks_for_another_model_waits_for_its_turn_and_asks_for_its_file_only(
    simulator: CodexSimulator, programs: Programs
) -> None:
    simulator.github.add(late_answer(seconds=0.2))
    one, other = programs.start(), programs.start()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.get, SLUG)
        tasks.start_soon(other.get, 'gpt-5.2-codex')

    assert sorted(programs.asked()) == [('api', 200), ('raw', 200), ('raw', 200)]
