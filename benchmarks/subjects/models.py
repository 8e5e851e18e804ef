"""What the subjects that are pydantic-ai models share: everything but how a model is made.

Iterating is the same loop for each of them, and so are messages, tools and the HTTP client.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Any, ClassVar, Final

import httpx2
from pydantic_ai import Agent, DeferredToolRequests, ExternalToolset, Tool
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponsePart,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.usage import RequestUsage

from ..checks import Outcome, SameEvents
from ..histories import history, request, tool_definitions
from ..streams import STREAMS
from ..texts import text
from ..turns import INSTRUCTIONS
from . import Observer

PROMPT: Final = 'What is the answer?'
_TOOLS: Final = 10
"""How many tools an agent has: those that the streams call are among them."""
_TIMEOUT: Final = 600.0


def stock_client() -> httpx2.AsyncClient:
    """A client that keeps every connection, and else is as httpx2 makes it.

    By default it would open 100 and keep 20, so that what is measured at 256 streams would be the waiting.
    """
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx2.AsyncClient(timeout=_TIMEOUT, limits=limits)


class ModelSubject(ABC):
    """A subject that is a pydantic-ai model. One for the whole life of a worker.

    Args:
        port: The port of the server.
    """

    provider_name: ClassVar[str]
    """Who has made the responses in a history."""
    packages: ClassVar[tuple[str, ...]]
    """What the subject is made of."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._events = SameEvents()
        self._models: dict[str, Model] = {}
        self._agents: dict[tuple[str, int], Agent[None, str | DeferredToolRequests]] = {}

    @abstractmethod
    def make_model(self, base_url: str) -> Model:
        """A model whose backend is there."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connections."""

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ('pydantic-ai-slim', 'pydantic', *self.packages)}

    async def run(self, stream: str, mode: str, *, through: str, observer: Observer | None) -> int:
        """Read a stream to its end, and return how many events it has on the wire."""
        await self._read(stream, mode, through, observer)
        return len(STREAMS[stream].frames)

    async def result(self, stream: str, *, through: str) -> Outcome:
        """Read a stream, and return everything that has come out."""
        deltas: list[tuple[str, str]] = []
        response = await self._read(stream, 'chunks', through, lambda kind, piece: deltas.append((kind, piece)))
        return Outcome(deltas, [_described(part) for part in response.parts], _usage(response.usage))

    def prepare_request(self, messages: int, tools: int, *, through: str) -> Callable[[], Awaitable[object]]:
        """Make a history and tools; the call that is returned does nothing but send them and read the short answer."""
        past = list(history(messages, self.provider_name))
        if through == 'agent':
            agent = self._agent('d/chunks', tools)
            return lambda: agent.run('next', message_history=past)
        model = self._model('d/chunks')
        prompt, definitions = request('next'), tool_definitions(tools)
        return lambda: model.request([*past, prompt], None, ModelRequestParameters(function_tools=definitions))

    async def conversation(self, turns: int) -> int:
        """Have a conversation with a tool call in each turn, and return how many messages it has in the end."""
        agent = Agent(self._model('talk/chunks'), instructions=INSTRUCTIONS, tools=_local_tools(_TOOLS))
        messages: list[ModelMessage] = []
        for turn in range(turns):
            result = await agent.run(text(f'turn {turn}', 40), message_history=messages)
            messages = result.all_messages()
        return len(messages)

    async def _read(self, stream: str, mode: str, through: str, observer: Observer | None) -> ModelResponse:
        path = f'{stream}/{mode}'
        if through == 'agent':
            count, response = await _read_agent(self._agent(path, _TOOLS), observer)
        else:
            count, response = await _read_model(self._model(path), observer)
        self._events.see(stream, through, count)
        return response

    def _model(self, path: str) -> Model:
        """The model whose backend answers with this path, the same one each time."""
        if path not in self._models:
            self._models[path] = self.make_model(f'http://127.0.0.1:{self._port}/{path}')
        return self._models[path]

    def _agent(self, path: str, tools: int) -> Agent[None, str | DeferredToolRequests]:
        """An agent whose tools somebody else runs, so that a run ends with the calls and makes one request."""
        if (path, tools) not in self._agents:
            self._agents[path, tools] = Agent(
                self._model(path),
                instructions=INSTRUCTIONS,
                output_type=[str, DeferredToolRequests],
                toolsets=[ExternalToolset(tool_definitions(tools))],
            )
        return self._agents[path, tools]


async def _read_model(model: Model, observer: Observer | None) -> tuple[int, ModelResponse]:
    async with model.request_stream([request(PROMPT)], None, ModelRequestParameters()) as streamed:
        count = await _consume(streamed, observer)
    return count, streamed.get()


async def _read_agent(
    agent: Agent[None, str | DeferredToolRequests], observer: Observer | None
) -> tuple[int, ModelResponse]:
    async with agent.run_stream_events(PROMPT) as events:
        count = await _consume(events, observer)
        responses = [each for each in events.all_messages() if isinstance(each, ModelResponse)]
    if len(responses) != 1:
        raise RuntimeError(f'The run took {len(responses)} responses; it was to take one.')
    return count, responses[0]


async def _consume(events: AsyncIterable[object], observer: Observer | None) -> int:
    """Read to the end; without an observer nothing is done with an event, whoever made it."""
    count = 0
    if observer is None:
        async for _ in events:
            count += 1
        return count
    async for event in events:
        count += 1
        kind, piece = delta_of(event)
        if piece:
            observer(kind, piece)
    return count


def delta_of(event: object) -> tuple[str, str | None]:
    """The kind of a delta and its piece, in the words of `Expected`; the first piece comes with the start of its part."""
    match event:
        case PartStartEvent(part=TextPart(content=piece)) | PartDeltaEvent(delta=TextPartDelta(content_delta=piece)):
            return 'text', piece
        case (
            PartStartEvent(part=ThinkingPart(content=piece))
            | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=piece))
        ):
            return 'thinking', piece
        case (
            PartStartEvent(part=ToolCallPart(args=str(piece)))
            | PartDeltaEvent(delta=ToolCallPartDelta(args_delta=str(piece)))
        ):
            return 'args', piece
        case _:
            return '', None


def _described(part: ModelResponsePart) -> dict[str, Any]:
    """A part in the words of `Expected`."""
    match part:
        case TextPart(content=content):
            return {'kind': 'text', 'content': content}
        case ThinkingPart(content=content, signature=signature):
            return {'kind': 'thinking', 'content': content, 'signature': signature}
        case ToolCallPart(tool_name=name, tool_call_id=call_id, args=args):
            return {'kind': 'tool-call', 'tool_name': name, 'tool_call_id': call_id, 'args': args}
        case _:
            return {'kind': part.part_kind}


def _usage(usage: RequestUsage) -> dict[str, int]:
    return {
        'input_tokens': usage.input_tokens,
        'output_tokens': usage.output_tokens,
        'cache_read_tokens': usage.cache_read_tokens,
        'reasoning_tokens': usage.details.get('reasoning_tokens', 0),
    }


def _local_tools(count: int) -> Sequence[Tool[object]]:
    """Tools that are run here."""

    def call(**arguments: Any) -> str:
        return text(f'result for {sorted(arguments)}', 60)

    return [
        Tool[object].from_schema(call, each.name, each.description, each.parameters_json_schema)
        for each in tool_definitions(count)
    ]
