from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError

from pydantic_ai_codex import TransportPolicy
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, ScriptEntry, connect_error, reply

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Login = Callable[[CodexSimulator], dict[str, str]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_served(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('Hi'), reply('Hi'))
    async with simulator.serve() as server, httpx2.AsyncClient() as client:
        chatgpt = await client.post(f'{server.base_url}/responses', json=body, headers=login(simulator))
        api = await client.post(
            f'{server.api_base_url}/responses', json=body, headers={'authorization': 'Bearer sk-test'}
        )
        missing = await client.get(f'{server.base_url}/nothing')

    assert server.base_url == f'http://127.0.0.1:{server.port}/backend-api/codex'
    assert server.api_base_url == f'http://127.0.0.1:{server.port}/v1'
    assert [chatgpt.status_code, api.status_code, missing.status_code] == [200, 200, 404]
    assert 'response.completed' in chatgpt.text
    assert [request.closed for request in simulator.requests] == [True, True, True]


async def test_a_blocking_client_is_served(body: Json, login: Login) -> None:
    """The server has a thread of its own, so even a client that blocks the event loop gets its answer."""
    simulator = CodexSimulator(reply('Hi'))
    async with simulator.serve() as server:
        with httpx2.Client() as client:
            response = client.post(f'{server.base_url}/responses', json=body, headers=login(simulator))

    assert response.status_code == 200


async def test_cut_is_no_clean_end(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('one two', cut_after=3))
    received: list[bytes] = []

    async def read(response: httpx2.Response) -> None:
        async for chunk in response.aiter_raw():
            received.append(chunk)

    async with (
        simulator.serve() as server,
        httpx2.AsyncClient() as client,
        client.stream('POST', f'{server.base_url}/responses', json=body, headers=login(simulator)) as response,
    ):
        with pytest.raises(httpx2.RemoteProtocolError, match='peer closed connection'):
            await read(response)

    assert b''.join(received).count(b'\n\n') == 3
    assert (simulator.requests[0].frames_sent, simulator.requests[0].closed) == (3, True)


async def test_disconnect_ends_a_stall(body: Json, login: Login, until: Until) -> None:
    simulator = CodexSimulator(reply('one two', stall_after=2))
    async with simulator.serve() as server:
        async with (
            httpx2.AsyncClient() as client,
            client.stream('POST', f'{server.base_url}/responses', json=body, headers=login(simulator)) as response,
        ):
            frames = response.aiter_raw()
            received = b''
            while received.count(b'\n\n') < 2:
                received += await anext(frames)
            assert simulator.open_streams == 1
        await until(lambda: simulator.open_streams == 0)

    assert simulator.requests[0].frames_sent == 2


async def test_shutdown_drops_an_open_stream(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('one two', stall_after=1))
    async with httpx2.AsyncClient() as client:
        async with simulator.serve() as server:
            request = client.build_request('POST', f'{server.base_url}/responses', json=body, headers=login(simulator))
            response = await client.send(request, stream=True)
            frames = response.aiter_raw()
            await anext(frames)
        with pytest.raises(httpx2.RemoteProtocolError):
            await anext(frames)

    assert simulator.open_streams == 0


async def test_no_answer(body: Json, login: Login) -> None:
    simulator = CodexSimulator(connect_error())
    async with simulator.serve() as server, httpx2.AsyncClient() as client:
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await client.post(f'{server.base_url}/responses', json=body, headers=login(simulator))


async def test_what_goes_wrong_is_told(body: Json, login: Login) -> None:
    broken: ScriptEntry = lambda request: reply(request.body['nothing'])  # noqa: E731
    simulator = CodexSimulator(broken)
    async with simulator.serve() as server, httpx2.AsyncClient() as client:
        url = f'{server.base_url}/responses'
        answers = [await client.post(url, json=body, headers=login(simulator)) for _ in range(2)]

    messages = [answer.json()['error']['message'] for answer in answers]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert messages[0] == "SimulatorError: The function that answers request 1 raised KeyError: 'nothing'"
    assert messages[1].startswith('SimulatorError: The script of the simulator has no turn for request 2.')
    assert [request.status for request in simulator.requests] == [400, 400]


async def test_a_used_up_script_is_asked_once() -> None:
    """Nobody tries the answer again, so that a test fails without the waits of a client that does."""
    simulator = CodexSimulator()
    async with simulator.serve() as server:
        provider = simulator.provider(base_url=server.base_url, http_client=None, policy=TransportPolicy())
        async with provider:
            with pytest.raises(ModelHTTPError, match='has no turn for request 1'):
                await Agent(simulator.model(provider=provider)).run('Hi')

    assert len(simulator.requests) == 1


async def test_nothing_of_the_process_is_changed() -> None:
    handler = signal.getsignal(signal.SIGINT)
    levels = [logging.getLogger(name).level for name in ('uvicorn.error', 'uvicorn.access')]
    async with CodexSimulator().serve():
        assert signal.getsignal(signal.SIGINT) is handler

    assert [logging.getLogger(name).level for name in ('uvicorn.error', 'uvicorn.access')] == levels


async def test_the_error_of_the_body_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError, match='mine'):
        async with CodexSimulator().serve():
            raise KeyError('mine')


@pytest.mark.parametrize('host', ['0.0.0.0', 'example.com', '192.168.1.1', '::'])
async def test_only_loopback(host: str) -> None:
    with pytest.raises(ConfigurationError, match='is not a loopback address'):
        async with CodexSimulator().serve(host=host):
            raise NotImplementedError


async def test_taken_port() -> None:
    async with CodexSimulator().serve() as server:
        with pytest.raises(OSError, match='in use'):
            async with CodexSimulator().serve(port=server.port):
                raise NotImplementedError


async def test_without_uvicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'uvicorn', None)
    with pytest.raises(ConfigurationError, match='pip install uvicorn'):
        async with CodexSimulator().serve():
            raise NotImplementedError
