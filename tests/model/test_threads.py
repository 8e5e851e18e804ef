"""One model from many threads, each with event loops of its own, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Awaitable, Callable

import anyio.to_thread
import httpx2
import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex import CodexModel, CodexProvider
from pydantic_ai_codex._transport.http import HTTPClient
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, SimulatorServer, Turn, reply

from ..other_loops import open_descriptors

THREADS = 32
REQUESTS = 50
"""In each thread."""

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]
Work = Callable[[CodexModel, int], list[str]]


def echo(request: RecordedRequest) -> Turn:
    """Repeat what was said, so that an answer which went to another request is seen."""
    return reply(request.body['input'][-1]['content'][0]['text'])


async def ask(model: CodexModel, text: str) -> str:
    response = await model.request([ModelRequest.user_text_prompt(text)], None, ModelRequestParameters())
    return response.text or ''


def words(thread: int) -> list[str]:
    return [f'thread {thread}, request {number}' for number in range(REQUESTS)]


def on_one_loop(model: CodexModel, thread: int) -> list[str]:
    async def all_of_them() -> list[str]:
        return [await ask(model, text) for text in words(thread)]

    return asyncio.run(all_of_them())


def several_at_once(model: CodexModel, thread: int) -> list[str]:
    async def all_of_them() -> list[str]:
        async with model:
            return list(await asyncio.gather(*(ask(model, text) for text in words(thread))))

    return asyncio.run(all_of_them())


def on_a_loop_each(model: CodexModel, thread: int) -> list[str]:
    return [asyncio.run(ask(model, text)) for text in words(thread)]


def with_run_sync(model: CodexModel, thread: int) -> list[str]:
    agent = Agent(model)
    with asyncio.Runner() as runner:
        runner.get_loop()  # is now the loop of this thread, and closed at the end
        return [agent.run_sync(text).output for text in words(thread)]


WAYS: list[Work] = [on_a_loop_each, with_run_sync, several_at_once, *[on_one_loop] * 13]


def in_threads(model: CodexModel) -> dict[int, list[str] | BaseException]:
    """What each thread heard, or how it failed; a thread that hangs has no result."""
    results: dict[int, list[str] | BaseException] = {}

    def run(thread: int) -> None:
        try:
            results[thread] = WAYS[thread % len(WAYS)](model, thread)
        except BaseException as error:  # noqa: BLE001 - it is told by the thread that waits
            results[thread] = error

    threads = [threading.Thread(target=run, args=(thread,), daemon=True) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 300  # far more than a busy machine needs
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(results)


@pytest.mark.parametrize(
    'http_client',
    [
        pytest.param(lambda: None, id='own'),
        pytest.param(lambda: httpx2.AsyncClient, id='factory'),
        pytest.param(httpx2.AsyncClient, id='passed-in'),
    ],
)
async def test_many_threads_share_a_model(http_client: Callable[[], HTTPClient | None]) -> None:
    simulator = CodexSimulator(default=echo)
    async with simulator.serve() as server:
        provider = CodexProvider(credentials=simulator.credentials, base_url=server.base_url, http_client=http_client())
        # The server has a thread of its own, so this one may wait.
        results = in_threads(CodexModel('gpt-5.5', provider=provider))

    assert results == {thread: words(thread) for thread in range(THREADS)}
    assert len(simulator.requests) == THREADS * REQUESTS


def test_a_second_loop_with_a_client_that_was_passed_in() -> None:
    simulator = CodexSimulator(default=echo)
    http_client = httpx2.AsyncClient()

    def model(server: SimulatorServer) -> CodexModel:
        credentials, base_url = simulator.credentials, server.base_url
        return CodexModel(
            'gpt-5.5', provider=CodexProvider(credentials=credentials, base_url=base_url, http_client=http_client)
        )

    async def serve_and_ask() -> list[str]:
        async with simulator.serve() as server, http_client, model(server) as one_model:

            def on_another_loop() -> str:
                return asyncio.run(ask(one_model, 'on another loop'))

            heard: list[str] = []
            for _ in range(2):
                # Its owner uses it on this loop in the meantime.
                assert (await http_client.get(f'{server.base_url}/nowhere')).status_code == 404
                heard.append(await ask(one_model, 'on the loop of its owner'))
                heard.append(await anyio.to_thread.run_sync(on_another_loop))
            return heard

    assert asyncio.run(serve_and_ask()) == ['on the loop of its owner', 'on another loop'] * 2


def ask_in_a_thread(agent: Agent, heard: list[str]) -> None:
    thread = threading.Thread(target=lambda: heard.append(agent.run_sync('Hi').output))
    thread.start()
    thread.join(300)


async def test_threads_that_come_and_go_leave_nothing_open(until: Until) -> None:
    simulator = CodexSimulator(default=echo)
    async with simulator.serve() as server:
        provider = CodexProvider(credentials=simulator.credentials, base_url=server.base_url)
        agent = Agent(CodexModel('gpt-5.5', provider=provider))
        heard: list[str] = []

        def none_left() -> bool:
            gc.collect()
            return open_descriptors() <= before

        with warnings.catch_warnings():
            # `run_sync` leaves the loop of its thread as it is, which the garbage collector complains about.
            warnings.simplefilter('ignore', ResourceWarning)
            ask_in_a_thread(agent, heard)
            gc.collect()
            before = open_descriptors()
            for _ in range(8):
                ask_in_a_thread(agent, heard)
            await until(none_left)
            del agent, provider
            gc.collect()

    assert heard == ['Hi'] * 9
