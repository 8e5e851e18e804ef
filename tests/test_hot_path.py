"""What an event and a message cost, in calls: a guard without a clock, so that no change makes them dear unnoticed.

Counted are the calls that our own code receives and makes. Their number says nothing of how long they take; `make bench`
does. A change that earns its calls may raise a bound here.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import FrameType

import httpx2
import pytest
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

import pydantic_ai_codex
from pydantic_ai_codex import CodexModel, CodexProvider
from pydantic_ai_codex.auth import Credentials

from .streams import frames

OURS = str(Path(pydantic_ai_codex.__file__).parent)


class Chunks(httpx2.AsyncByteStream):
    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


class Answers(httpx2.AsyncBaseTransport):
    """Answers every request with the same stream, one piece for each event, as the backend sends them."""

    def __init__(self, events: Sequence[frames.Frame]) -> None:
        self._chunks = [frames.data(event) for event in events]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={'content-type': 'text/event-stream'}, stream=Chunks(self._chunks))


def model(events: Sequence[frames.Frame]) -> CodexModel:
    provider = CodexProvider(
        credentials=Credentials('token', account_id='account'),
        base_url='http://127.0.0.1:9/codex',
        http_client=lambda: httpx2.AsyncClient(transport=Answers(events)),
    )
    return CodexModel('gpt-5.5', provider=provider)


async def calls(run: Callable[[], Awaitable[object]]) -> int:
    """How many calls our code receives and makes while something runs. Once before, so that what is kept is there."""
    await run()
    counted = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal counted
        if event in ('call', 'c_call') and frame.f_code.co_filename.startswith(OURS):
            counted += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        await run()
    finally:
        sys.setprofile(before)
    return counted


async def calls_of_answer(events: Callable[[int], Sequence[frames.Frame]]) -> float:
    """Calls for each further event of an answer."""

    async def calls_with(count: int) -> int:
        codex = model(events(count))

        async def stream() -> None:
            request: list[ModelMessage] = [ModelRequest.user_text_prompt('Hello')]
            async with codex.request_stream(request, None, ModelRequestParameters()) as streamed:
                async for _ in streamed:
                    pass

        return await calls(stream)

    return (await calls_with(1100) - await calls_with(100)) / 1000


async def calls_of_request(messages: int, tools: int) -> int:
    codex = model([frames.created(), frames.completed()])
    history = [message for turn in range(messages // 4) for message in turn_of(turn)]
    params = ModelRequestParameters(function_tools=[tool(number) for number in range(tools)])
    return await calls(lambda: codex.request(history, None, params))


def turn_of(number: int) -> list[ModelMessage]:
    return [
        ModelRequest(parts=[UserPromptPart('What is the weather?')]),
        ModelResponse(
            parts=[
                ThinkingPart('I look.', id=f'rs_{number}', signature='sealed', provider_name='codex'),
                ToolCallPart('weather', '{"city":"Paris"}', tool_call_id=f'call_{number}', provider_name='codex'),
            ],
            provider_name='codex',
        ),
        ModelRequest(parts=[ToolReturnPart('weather', 'sunny', tool_call_id=f'call_{number}')]),
        ModelResponse(
            parts=[TextPart('It is sunny.', id=f'msg_{number}', provider_name='codex')], provider_name='codex'
        ),
    ]


def tool(number: int) -> ToolDefinition:
    schema = {'type': 'object', 'properties': {'city': {'type': 'string'}}, 'required': ['city']}
    return ToolDefinition(name=f'tool_{number}', description='Looks.', parameters_json_schema=schema)


def texts(count: int) -> list[frames.Frame]:
    item = frames.message('word ' * count)
    return [
        frames.created(),
        frames.added(item),
        *[frames.text('word ')] * count,
        frames.done(item),
        frames.completed(),
    ]


def summaries(count: int) -> list[frames.Frame]:
    item = frames.reasoning('word ' * count)
    return [
        frames.created(),
        frames.added(item),
        *[frames.summary('word ')] * count,
        frames.done(item),
        frames.completed(),
    ]


def arguments(count: int) -> list[frames.Frame]:
    item = frames.call('0' * count)
    return [frames.created(), frames.added(item), *[frames.args('0')] * count, frames.done(item), frames.completed()]


@pytest.mark.parametrize('events', [texts, summaries, arguments])
@pytest.mark.anyio
async def test_a_piece_of_an_answer(events: Callable[[int], Sequence[frames.Frame]]) -> None:
    assert await calls_of_answer(events) <= 40


@pytest.mark.anyio
async def test_an_old_message() -> None:
    each = (await calls_of_request(1000, 10) - await calls_of_request(200, 10)) / 800

    assert each <= 30


@pytest.mark.anyio
async def test_a_tool_that_was_sent_before() -> None:
    each = (await calls_of_request(4, 100) - await calls_of_request(4, 10)) / 90

    assert each <= 1


@pytest.mark.anyio
async def test_a_request_and_its_short_answer() -> None:
    assert await calls_of_request(4, 0) <= 600
