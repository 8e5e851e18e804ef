from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest

from pydantic_ai_codex.testing import (
    CodexSimulator,
    SimulatorError,
    connect_error,
    fail,
    raw_stream,
    reply,
    turn,
    usage_limit,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
Login = Callable[[CodexSimulator], dict[str, str]]
URL = 'https://chatgpt.com/backend-api/codex/responses'


@asynccontextmanager
async def stream(
    simulator: CodexSimulator, body: Json, login: Login, **kwargs: Any
) -> AsyncGenerator[httpx2.Response, None]:
    async with (
        simulator.http_client() as client,
        client.stream('POST', URL, json=body, headers=login(simulator), **kwargs) as response,
    ):
        yield response


async def test_frames_come_one_by_one(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('one two three'))
    async with stream(simulator, body, login) as response:
        frames = response.aiter_raw()
        first = await anext(frames)
        assert first.startswith(b'event: response.created\n')
        assert first.count(b'\n\n') == 1
        assert (simulator.requests[0].frames_sent, simulator.open_streams) == (1, 1)
        await anext(frames)
        assert simulator.requests[0].frames_sent == 2

    assert simulator.open_streams == 0


async def test_cut(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('one two three', cut_after=3))
    async with stream(simulator, body, login) as response:
        with pytest.raises(httpx2.RemoteProtocolError, match='peer closed connection'):
            await response.aread()

    assert (simulator.requests[0].frames_sent, simulator.requests[0].closed) == (3, True)


async def test_clean_end_without_a_terminal_event(body: Json, ask: Ask) -> None:
    response = await ask(CodexSimulator(reply('one', end_after=2)), body)

    assert response.text.count('\n\n') == 2
    assert response.text.count('event: response.in_progress') == 1


async def test_stall_ends_with_the_read_timeout(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('one', stall_after=2))
    async with stream(simulator, body, login, timeout=httpx2.Timeout(5, read=0.01)) as response:
        with pytest.raises(httpx2.ReadTimeout):
            await response.aread()

    assert (simulator.requests[0].frames_sent, simulator.open_streams) == (2, 0)


async def test_stall_ends_when_the_client_goes_away(body: Json, login: Login) -> None:
    simulator = CodexSimulator(turn(stall_after=1))
    async with stream(simulator, body, login, timeout=None) as response:
        frames = response.aiter_raw()
        await anext(frames)
        with anyio.move_on_after(0.01) as patience:
            await anext(frames)
        assert patience.cancelled_caught

    assert (simulator.requests[0].closed, simulator.open_streams) == (True, 0)


async def test_early_close_is_recorded(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('one two three'))
    async with stream(simulator, body, login) as response:
        assert not simulator.requests[0].closed
        await response.aclose()

    assert (simulator.requests[0].closed, simulator.requests[0].frames_sent) == (True, 0)


async def test_delay(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('one', delay=60))
    async with stream(simulator, body, login, timeout=httpx2.Timeout(5, read=0.01)) as response:
        frames = response.aiter_raw()
        await anext(frames)
        with pytest.raises(httpx2.ReadTimeout):
            await anext(frames)


async def test_delay_passes(body: Json, ask: Ask) -> None:
    response = await ask(CodexSimulator(reply('one', delay=0.0001)), body)

    assert 'response.completed' in response.text


@pytest.mark.parametrize('size', [1, 7, 100_000])
async def test_chunks_of_a_size(body: Json, login: Login, size: int) -> None:
    simulator = CodexSimulator(reply('Île 🙂'), reply('Île 🙂', chunk_bytes=size))
    answers: list[list[bytes]] = []
    for _ in range(2):
        async with stream(simulator, body, login) as response:
            answers.append([chunk async for chunk in response.aiter_raw()])
    whole, pieces = answers

    assert {len(piece) for piece in pieces[:-1]} <= {size}
    assert len(b''.join(pieces)) == len(b''.join(whole))
    assert simulator.requests[1].frames_sent == len(whole)


@pytest.mark.parametrize('size', [1, 5, 10])
async def test_a_frame_is_sent_with_its_last_byte(body: Json, login: Login, size: int) -> None:
    simulator = CodexSimulator(turn(end_after=1, chunk_bytes=size))
    async with stream(simulator, body, login) as response:
        sent = [simulator.requests[0].frames_sent async for _ in response.aiter_raw()]

    assert sent == [0] * (len(sent) - 1) + [1]


async def test_raw_stream(body: Json, login: Login) -> None:
    simulator = CodexSimulator(raw_stream(b'\xff', b'data: x', content_type='text/plain'))
    async with stream(simulator, body, login) as response:
        assert [chunk async for chunk in response.aiter_raw()] == [b'\xff', b'data: x']
    assert (response.headers['content-type'], simulator.requests[0].frames_sent) == ('text/plain', 2)


async def test_raw_stream_that_is_cut(body: Json, ask: Ask) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await ask(CodexSimulator(raw_stream(b'data: x', cut=True)), body)


async def test_failures(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(
        fail(429, message='Slow.', headers={'Retry-After': '1'}), fail(502, body='bad'), fail(503, body=' <html>')
    )
    answers = [await ask(simulator, body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 502, 503]
    assert answers[0].headers['retry-after'] == '1'
    assert [answer.headers['content-type'] for answer in answers] == [
        'application/json',
        'text/plain; charset=utf-8',
        'text/html; charset=utf-8',
    ]
    assert [answer.text for answer in answers] == ['{"error": {"message": "Slow."}}', 'bad', ' <html>']


async def test_usage_limit(body: Json, ask: Ask) -> None:
    response = await ask(CodexSimulator(usage_limit(60, 'pro')), body)

    error = response.json()['error']
    assert (response.status_code, error['type'], error['plan_type']) == (429, 'usage_limit_reached', 'pro')
    assert response.headers['x-codex-primary-reset-at'] == str(error['resets_at'])
    assert response.headers['x-codex-primary-used-percent'] == '100'


@pytest.mark.parametrize('error', [httpx2.ConnectError, httpx2.ReadTimeout])
async def test_no_answer(body: Json, ask: Ask, error: type[httpx2.TransportError]) -> None:
    simulator = CodexSimulator(connect_error(error, 'No route.'))
    with pytest.raises(error, match='No route') as raised:
        await ask(simulator, body)

    assert str(raised.value.request.url) == URL
    assert (simulator.requests[0].status, simulator.requests[0].closed) == (None, True)


@pytest.mark.parametrize(
    'url', ['https://example.com/backend-api/codex/responses', 'http://chatgpt.com/backend-api/codex/responses']
)
async def test_other_hosts_are_refused(body: Json, ask: Ask, url: str) -> None:
    simulator = CodexSimulator(reply('Hi'))
    with pytest.raises(httpx2.ConnectError, match=r'only https://api\.github\.com, https://api\.openai\.com, '):
        await ask(simulator, body, url=url)

    assert simulator.remaining == 1


@pytest.mark.parametrize(
    ('base_url', 'kind'), [('https://proxy.test:8443/codex/', 200), ('https://proxy.test/v1', 401)]
)
async def test_further_base_url(body: Json, ask: Ask, base_url: str, kind: int) -> None:
    """Behind `/v1`, a ChatGPT token is refused."""
    response = await ask(CodexSimulator(reply('Hi'), base_url=base_url), body, url=f'{base_url.rstrip("/")}/responses')

    assert response.status_code == kind


async def test_unknown_path(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator()
    response = await ask(simulator, body, url='https://chatgpt.com/backend-api/codex/nothing')

    assert (response.status_code, response.json()) == (404, {'detail': 'Not Found'})
    assert simulator.requests[0].path == '/backend-api/codex/nothing'


async def test_exhausted_script(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(reply('Hi'))
    await ask(simulator, body)
    with pytest.raises(SimulatorError, match=r"has no turn for request 2\. .* 'output': 'sunny'"):
        await ask(simulator, body)
    with pytest.raises(AssertionError, match='has no turn for request 2'):
        simulator.assert_exhausted()


async def test_exhausted_script_shortens_the_item(body: Json, ask: Ask) -> None:
    body['input'] = [{'role': 'user', 'content': 'x' * 1000}]
    with pytest.raises(SimulatorError, match=r'xx…\. Script one turn') as raised:
        await ask(CodexSimulator(), body)
    assert len(str(raised.value)) < 600
