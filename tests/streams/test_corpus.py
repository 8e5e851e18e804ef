"""Every stream of the corpus: what comes out of it, the same however it is cut, with nothing lost and nothing doubled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPartDelta,
    ThinkingPartDelta,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition

from pydantic_ai_codex._model import streaming
from pydantic_ai_codex._protocol.decoder import ResponseDecoder
from pydantic_ai_codex._protocol.events import Event
from pydantic_ai_codex._protocol.sse import SSEDecoder
from pydantic_ai_codex.errors import CodexError
from pydantic_ai_codex.testing import CodexSimulator, raw_stream

from . import byte_streams, call_streams, ending_streams, item_streams, reasoning_streams, text_streams
from .frames import Stream
from .outlines import outline

CORPUS = [
    *call_streams.STREAMS,
    *text_streams.STREAMS,
    *reasoning_streams.STREAMS,
    *item_streams.STREAMS,
    *byte_streams.STREAMS,
    *ending_streams.STREAMS,
]

MESSAGES = [ModelRequest.user_text_prompt('Hello')]
TEXT = ModelRequestParameters()
JSON = ModelRequestParameters(
    output_mode='native', output_object=OutputObjectDefinition(json_schema={'type': 'object', 'properties': {}})
)

each_stream = pytest.mark.parametrize('stream', CORPUS, ids=lambda stream: stream.name)


def test_names_tell_the_streams_apart() -> None:
    assert len({stream.name for stream in CORPUS}) == len(CORPUS)


@each_stream
@pytest.mark.anyio
async def test_what_comes_out(stream: Stream) -> None:
    assert outline(await request(stream)) == stream.comes_out


@each_stream
@pytest.mark.anyio
async def test_nothing_is_lost_or_doubled(stream: Stream) -> None:
    response = await request(stream)

    assert {word: str(outline(response)).count(word) for word in stream.once} == dict.fromkeys(stream.once, 1)


@each_stream
@pytest.mark.anyio
async def test_the_events_come_in_order_and_add_up_to_the_same(stream: Stream) -> None:
    events, streamed = await request_stream(stream)

    assert list(deltas_of_parts_that_ended(events)) == []
    assert outline(streamed) == stream.comes_out
    if isinstance(streamed, ModelResponse):
        assert outline(replace(streamed, parts=added_up(events))) == stream.comes_out


@each_stream
def test_the_cut_of_the_bytes_makes_no_difference(stream: Stream) -> None:
    whole = decode([stream.content])

    for chunks in cuts(stream):
        assert decode(chunks) == whole


@each_stream
@pytest.mark.parametrize('looks', [False, True], ids=['looks at the end', 'looks after each event'])
@pytest.mark.anyio
async def test_the_events_are_those_of_the_parts_manager(
    stream: Stream, looks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await told(stream, looks=looks)

    def never(*_: object) -> None:
        return None

    monkeypatch.setattr(streaming, 'growing_part', never)

    assert ours == await told(stream, looks=looks)


# How a stream is read.


async def told(stream: Stream, *, looks: bool) -> list[str]:
    """Every event, and what the parts are after it, for somebody who looks; without the time, which goes on."""
    seen: list[object] = []
    try:
        async with simulator(stream).model().request_stream(list(MESSAGES), None, params(stream)) as streamed:
            async for event in streamed:
                seen.append(event)
                if looks:
                    seen.append(streamed.get().parts)
            seen.append(streamed.get().parts)
    except Exception as error:  # noqa: BLE001 - whatever it is, both have to end in it
        seen.append(error)
    return [re.sub(r'timestamp=datetime[^)]*\)', 'timestamp', repr(each)) for each in seen]


async def request(stream: Stream) -> ModelResponse | Exception:
    try:
        return await simulator(stream).model().request(list(MESSAGES), None, params(stream))
    except Exception as error:  # noqa: BLE001 - whatever it is, the snapshot names it
        return error


async def request_stream(stream: Stream) -> tuple[list[ModelResponseStreamEvent], ModelResponse | Exception]:
    events: list[ModelResponseStreamEvent] = []
    try:
        async with simulator(stream).model().request_stream(list(MESSAGES), None, params(stream)) as streamed:
            async for event in streamed:
                events.append(event)
        return events, streamed.get()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other way to ask has to end in it, too
        return events, error


def simulator(stream: Stream) -> CodexSimulator:
    return CodexSimulator(default=raw_stream(stream.content))


def params(stream: Stream) -> ModelRequestParameters:
    return JSON if stream.reads_json else TEXT


# What the events of pydantic-ai say.


def deltas_of_parts_that_ended(events: Iterable[ModelResponseStreamEvent]) -> Iterator[PartDeltaEvent]:
    """The deltas that add something to another part than the one that began last.

    What has no content, such as the encrypted content on the first of several summaries, is known only with the item.
    """
    current: int | None = None
    for event in events:
        if isinstance(event, PartStartEvent):
            current = event.index
        elif isinstance(event, PartEndEvent):
            current = None
        elif isinstance(event, PartDeltaEvent) and event.index != current and has_content(event):
            yield event


def has_content(event: PartDeltaEvent) -> bool:
    delta = event.delta
    return bool(delta.content_delta) if isinstance(delta, TextPartDelta | ThinkingPartDelta) else True


def added_up(events: Iterable[ModelResponseStreamEvent]) -> list[ModelResponsePart]:
    """The parts, for somebody who sees nothing but the events."""
    parts: dict[int, ModelResponsePart] = {}
    for event in events:
        if isinstance(event, PartStartEvent):
            parts[event.index] = event.part
        elif isinstance(event, PartDeltaEvent):
            parts[event.index] = event.delta.apply(parts[event.index])
    return [parts[index] for index in sorted(parts)]


# The bytes.


@dataclass(frozen=True)
class Decoded:
    events: list[Event]
    error: tuple[type[CodexError], str] | None


def decode(chunks: Iterable[bytes]) -> Decoded:
    frames, decoder = SSEDecoder(), ResponseDecoder()
    events: list[Event] = []
    try:
        for chunk in chunks:
            for data in frames.feed(chunk):
                events += decoder.receive(data)
        for data in frames.close():
            events += decoder.receive(data)
        decoder.close()
    except CodexError as error:
        return Decoded(events, (type(error), str(error)))
    return Decoded(events, None)


def cuts(stream: Stream) -> Iterator[list[bytes]]:
    content = stream.content
    sizes = (64, 1000, 65_536) if stream.huge else (1, 2, 3, 7, 64)
    for size in sizes:
        yield [content[at : at + size] for at in range(0, len(content), size)]
    # As they come from the backend: each event in a piece of its own.
    yield [event + b'\n\n' for event in content.split(b'\n\n')]
    for seed in range(3 if stream.huge else 10):
        yield list(cut_at_random(content, Random(seed)))
    if not stream.huge:
        for at in range(len(content)):
            yield [content[:at], content[at:]]


def cut_at_random(content: bytes, random: Random) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        size = random.randint(0, len(content) // 4 + 1)
        yield content[at : at + size]
        at += size
