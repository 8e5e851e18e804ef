"""What others say, do or leave behind does not take the texts away, nor change them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from pydantic_ai_codex._instructions import Instructions, asking, errand
from pydantic_ai_codex._instructions.cache import FileCache, MemoryCache
from pydantic_ai_codex._lock import try_file_lock
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    answer_with,
    connect_error,
    fail,
    late_answer,
    rate_limited,
    slow_answer,
)

from .programs import Programs, Time

pytestmark = pytest.mark.anyio

FILE = 'codex-rs/core/gpt_5_codex_prompt.md'
SLUG = 'gpt-5.1-codex'

Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def folder(cache_dir: Path) -> Path:
    return cache_dir / 'pydantic-ai-codex' / 'instructions'


# Histories.


@pytest.mark.parametrize(
    'used', ['v1.1.' + 'a' * 70_000, 'v1.1.' + 'a' * 60, 'v\u0661.\u0661', 'v1.1\n', 'x-' * 9 + 'v1.1']
)
async def test_a_tag_that_nobody_would_give_is_not_asked_for(programs: Programs, used: str) -> None:
    program = programs.start()

    found = await program.get(SLUG, used=used)

    assert (found.ref, found.state) == ('rust-v0.0.1', 'fetched')
    assert (await program.get('gpt-5.1')).state == 'fetched'


async def test_tags_that_do_not_exist_leave_nothing_behind(
    programs: Programs, simulator: CodexSimulator, folder: Path, time: Time
) -> None:
    simulator.github.commit('1d005f8cc65b39197baed8ed69b8b8592b0db194', {FILE: 'The words of then.'})
    program = programs.start()
    await program.get(SLUG)
    time.passes(minutes=10)

    for number in range(100):
        found = await program.get(SLUG, used=f'v7.{number}.0')
        assert (found.text, found.is_pinned) == ('The words of then.', True)

    assert sorted(os.listdir(folder)) == ['gpt_5_codex_prompt@rust-v0.0.1.md', 'lock', 'state.json']
    assert (folder / 'state.json').stat().st_size < 20_000
    programs.asked()
    assert (await program.get(SLUG)).state == (await programs.start().get(SLUG)).state == 'fresh'
    assert programs.asked() == []


async def test_a_text_of_a_commit_goes_on_in_other_programs(
    programs: Programs, simulator: CodexSimulator, folder: Path
) -> None:
    """Also in one that shares no folder, and when a newer release is out."""
    simulator.github.commit('1d005f8cc65b39197baed8ed69b8b8592b0db194', {FILE: 'The words of then.'})
    simulator.github.remove(FILE)
    first = await programs.start().get(SLUG)
    simulator.github.publish('rust-v0.0.2', {'codex-rs/core/prompt.md': 'Without the family.'})

    elsewhere = await simulator.provider().client.instructions.get(SLUG, used=first.ref)
    again = await programs.start().get(SLUG, used=first.ref)

    assert (elsewhere.text, elsewhere.ref) == (again.text, again.ref) == ('The words of then.', 'rust-v0.0.1')


async def test_many_old_releases_do_not_push_the_newest_out(programs: Programs, simulator: CodexSimulator) -> None:
    program = programs.start()
    await program.get(SLUG)
    for number in range(20):
        simulator.github.publish(f'rust-v0.{number}.9', latest=False)
        await program.get(SLUG, used=f'rust-v0.{number}.9')
    programs.asked()

    assert (await program.get(SLUG)).state == (await programs.start().get(SLUG)).state == 'fresh'
    assert programs.asked() == []


async def test_a_conversation_waits_for_its_own_text(
    programs: Programs, simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of another release is there, and would do for a new conversation."""
    simulator.github.publish('rust-v0.0.0', latest=False)
    await programs.start().get(SLUG)
    monkeypatch.setattr(errand, 'STALE_BUDGET', 0)

    found = await programs.start().get(SLUG, used='rust-v0.0.0')

    assert (found.ref, found.state) == ('rust-v0.0.0', 'fetched')


async def test_a_release_of_another_name_is_kept_as_well(programs: Programs, simulator: CodexSimulator) -> None:
    simulator.github.publish('codex-0.200.0')
    first = await programs.start().get(SLUG)
    simulator.github.publish('codex-0.201.0')

    assert first.ref == (await programs.start().get(SLUG, used=first.ref)).ref == 'codex-0.200.0'


# Answers.


@pytest.mark.parametrize('tag', ['main', 'a' * 40, '../x', '', None, 7, 'v1.' + '1' * 200])
async def test_an_answer_that_names_no_release_is_not_believed(
    programs: Programs, simulator: CodexSimulator, tag: object
) -> None:
    simulator.github.fail_with(answer_with({'tag_name': tag}), host='api')
    simulator.github.fail_with(fail(500), host='page')

    assert (await programs.start().get(SLUG)).state == 'built-in'


@pytest.mark.parametrize('etag', ['"\x7f"', 'no quotes', '"a"b"', '"' + 'x' * 300 + '"', 'W/', '"a b"'])
async def test_an_entity_tag_that_cannot_be_sent_back_is_forgotten(
    programs: Programs, simulator: CodexSimulator, time: Time, etag: str
) -> None:
    headers = {'etag': etag, 'content-type': 'text/plain'}
    simulator.github.add(None, answer_with('The words.', headers=headers))
    fetched = await programs.start().get(SLUG)
    time.passes(minutes=15)

    found = await programs.start().get(SLUG)

    assert (fetched.text, fetched.etag) == ('The words.', None)
    assert found.state == 'fetched'


async def test_the_reason_of_the_api_counts_where_the_page_is_out_of_reach(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    await programs.start().get(SLUG)
    simulator.github.fail_with(rate_limited(50 * 60), host='api')
    simulator.github.fail_with(connect_error(), host='page')
    time.passes(minutes=15)

    found = await programs.start().get('gpt-5.1')

    assert (found.ref, found.state) == ('rust-v0.0.1', 'stale')
    assert found.problem == (
        'api.github.com takes no more requests from here for now; it is asked again after 13:05 UTC.'
    )


async def test_a_model_that_the_catalog_lacks_does_not_fetch_it_again(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    await programs.start().get('gpt-99')
    programs.asked()
    time.passes(minutes=15)

    assert (await programs.start().get('gpt-99')).state == 'revalidated'
    assert programs.asked() == [('api', 304), ('raw', 304)]


async def test_what_may_not_be_stored_is_not(programs: Programs, simulator: CodexSimulator, folder: Path) -> None:
    simulator.github.is_cacheable = False
    program = programs.start()

    found = await program.get(SLUG)

    assert (found.state, found.path) == ('fetched', None)
    assert (await program.get(SLUG)).state == 'fresh'
    assert os.listdir(folder) == ['lock']
    simulator.github.fail_with(connect_error(), host='raw')
    assert (await program.get('gpt-5.1')).state == 'built-in'
    assert os.listdir(folder) == ['lock']


# A refresh on demand tells what it met.


async def test_a_refresh_tells_that_the_release_could_not_be_asked(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    await programs.start().get(SLUG)
    time.passes(seconds=1)
    simulator.github.publish('rust-v0.0.2')
    for host in ('api', 'page'):
        simulator.github.fail_with(rate_limited(), host=host)

    found = await programs.start().get(SLUG, refresh=True)

    assert (found.ref, found.state) == ('rust-v0.0.1', 'stale')
    assert found.problem is not None
    assert 'api.github.com takes no more requests' in found.problem


async def test_a_refresh_does_not_tell_of_what_is_over(programs: Programs, simulator: CodexSimulator) -> None:
    simulator.github.fail_with(connect_error())
    await programs.start().get(SLUG)
    simulator.github.recover()
    simulator.github.remove(FILE)

    found = await programs.start().get(SLUG, refresh=True)

    assert found.problem is not None
    assert "no instructions for 'gpt-5.1-codex'" in found.problem


async def test_a_client_that_cannot_be_copied_serves_as_it_is(simulator: CodexSimulator) -> None:
    class Client(httpx2.AsyncClient):
        def __copy__(self) -> Client:
            raise TypeError('There is one of me.')

    async with Client(transport=simulator.transport) as client:
        program = simulator.provider(http_client=client).client.instructions

        assert (await program.get(SLUG)).state == 'fetched'


# Who asks.


def put(obstacle: str, cache_dir: Path, folder: Path) -> None:
    if obstacle == 'file':
        cache_dir.write_text('in the way', encoding='utf-8')
        return
    folder.mkdir(parents=True, mode=0o700)
    if obstacle == 'link':
        (folder / 'lock').symlink_to('elsewhere')
    else:
        (folder / 'lock').mkdir()


@pytest.mark.parametrize('obstacle', ['file', 'link', 'folder'])
async def test_one_asks_where_nothing_can_be_locked(
    programs: Programs, cache_dir: Path, folder: Path, obstacle: str
) -> None:
    put(obstacle, cache_dir, folder)
    program = programs.start()
    states: list[str] = []

    async def get() -> None:
        states.append((await program.get(SLUG)).state)

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(get)

    assert sorted(states) == ['fetched'] + ['fresh'] * 49
    assert programs.asked() == [('api', 200), ('raw', 200)]


async def test_a_program_that_hangs_is_waited_for_once(
    programs: Programs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anyio.Path(folder).mkdir(parents=True, mode=0o700)
    unlock = try_file_lock(folder / 'lock')
    assert unlock is not None
    monkeypatch.setattr(errand, 'BUDGET', 0.01)
    program = programs.start()
    waited = await program.get(SLUG)
    monkeypatch.setattr(errand, 'BUDGET', 3600)

    at_once = await program.get(SLUG)

    assert waited.problem == at_once.problem
    assert at_once.problem == 'Another program has been asking GitHub for too long; it is asked again after 12:01 UTC.'
    unlock()


async def test_whoever_always_gives_up_early_does_not_wait_at_every_request(
    programs: Programs, simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch, time: Time, until: Until
) -> None:
    monkeypatch.setattr(asking, '_NOTED', 0)
    simulator.github.fail_with(late_answer(seconds=float('inf')))
    program = programs.start()
    for number in range(3):
        task = asyncio.create_task(program.get(SLUG))
        await until(lambda number=number: len(simulator.github.requests) > number)
        task.cancel()
        await asyncio.wait([task])

    found = await programs.start().get(SLUG)

    assert found.problem == 'GitHub had not answered when the request was given up; it is asked again after 12:01 UTC.'
    simulator.github.recover()
    time.passes(minutes=1)
    assert (await programs.start().get(SLUG)).state == 'fetched'


async def test_one_that_gives_up_takes_nothing_from_the_others(
    programs: Programs, simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    monkeypatch.setattr(asking, '_NOTED', 0)
    simulator.github.add(late_answer(seconds=float('inf')))
    program = programs.start()
    first, second = asyncio.create_task(program.get(SLUG)), asyncio.create_task(program.get(SLUG))
    await until(lambda: bool(simulator.github.requests))
    first.cancel()

    assert (await second).state == 'fetched'


async def test_impatience_with_a_text_at_hand_takes_nothing_from_those_without(
    programs: Programs, simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    await programs.start().get(SLUG)
    time.passes(minutes=15)
    monkeypatch.setattr(errand, 'STALE_BUDGET', 1)
    simulator.github.fail_with(late_answer(seconds=float('inf')))
    assert (await programs.start().get(SLUG)).state == 'stale'
    simulator.github.recover()
    programs.asked()

    assert (await programs.start().get(SLUG)).state == 'stale'
    assert programs.asked() == []
    assert (await programs.start().get('gpt-5.1')).state == 'fetched'


async def test_a_network_that_lets_only_some_hosts_through(programs: Programs, simulator: CodexSimulator) -> None:
    simulator.github.fail_with(connect_error(), host='api')

    assert (await programs.start().get(SLUG)).state == 'fetched'
    assert [host for host, _ in programs.asked()] == ['api', 'page', 'raw']


async def test_a_host_that_swallows_requests_leaves_time_for_the_others(
    programs: Programs, simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand, 'BUDGET', 3)
    simulator.github.fail_with(late_answer(seconds=float('inf')), host='api')

    assert (await programs.start().get(SLUG)).state == 'fetched'


def test_an_event_loop_that_was_stopped_does_not_keep_its_turn(
    programs: Programs, simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.github.add(late_answer(seconds=float('inf')))
    program = programs.start()

    async def stop() -> None:
        task = asyncio.create_task(program.get(SLUG))
        while not simulator.github.requests:
            await anyio.lowlevel.checkpoint()
        task.get_loop().stop()
        await task

    loop = asyncio.new_event_loop()
    with pytest.raises(RuntimeError, match='stopped'):
        loop.run_until_complete(stop())
    monkeypatch.setattr(errand, 'BUDGET', 0.01)
    monkeypatch.setattr(errand, '_GRACE', 600)
    assert asyncio.run(program.get(SLUG)).state == 'built-in'
    monkeypatch.setattr(errand, 'BUDGET', 60)
    monkeypatch.setattr(errand, '_GRACE', -60)

    assert asyncio.run(program.get(SLUG)).state == 'fetched'
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.1))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def test_whoever_goes_away_at_once_leaves_no_failure(
    programs: Programs, simulator: CodexSimulator, until: Until
) -> None:
    simulator.github.fail_with(slow_answer(stall_after=1))
    program = programs.start()
    task = asyncio.create_task(program.get(SLUG))
    await until(lambda: bool(simulator.github.requests))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    simulator.github.recover()

    assert (await program.get(SLUG)).state == 'fetched'


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork')
@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')  # of a process with threads, since Python 3.12
def test_the_child_of_a_fork_does_not_wait_for_who_asked_in_its_parent() -> None:
    cache = MemoryCache()
    assert cache.try_lock() is not None
    assert cache.try_lock() is None

    if (child := os.fork()) == 0:
        os._exit(0 if cache.try_lock() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# Folders.


@pytest.mark.skipif(os.name != 'posix', reason='modes')
@pytest.mark.parametrize(('which', 'mode'), [('leaf', 0o777), ('leaf', 0o702), ('parent', 0o777)])
async def test_a_folder_in_which_others_can_write_is_not_believed(
    programs: Programs, folder: Path, which: str, mode: int
) -> None:
    await programs.start().get(SLUG)
    text = folder / 'gpt_5_codex_prompt@rust-v0.0.1.md'
    text.write_bytes(text.read_bytes().replace(b'These are', b'Obey whom'))
    await anyio.Path(folder if which == 'leaf' else folder.parent).chmod(mode)

    found = await programs.start().get(SLUG)

    assert found.text.startswith('These are')
    assert found.path is None


@pytest.mark.parametrize('cache_dir', ['a\0b', '', '  ', os.fsencode('x')])
def test_what_can_be_no_folder_is_an_error(cache_dir: Any) -> None:
    with pytest.raises(ConfigurationError, match='`cache_dir` takes a folder'):
        Instructions(cache_dir=cache_dir)


async def test_no_event_loop_waits_for_a_slow_file_system(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    here = threading.get_ident()
    threads: set[int] = set()

    def noting(method: Callable[..., object]) -> Callable[..., object]:
        def noted(*args: object, **kwargs: object) -> object:
            threads.add(threading.get_ident())
            return method(*args, **kwargs)

        return noted

    for name in ('load_state', 'load_entry', 'newest_entry', 'save_state', 'save_entry', 'try_lock'):
        monkeypatch.setattr(FileCache, name, noting(getattr(FileCache, name)))

    await programs.start().get(SLUG)
    await programs.start().get(SLUG)

    assert threads
    assert here not in threads
