"""The events of an answer to pydantic-ai's, through its parts manager."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic_ai.messages import FinishReason, ModelResponseStreamEvent
from pydantic_ai.models import StreamedResponse
from pydantic_ai.usage import RequestUsage

from .._client import CodexStream
from .._protocol.events import (
    Event,
    ReasoningDelta,
    ReasoningDone,
    ResponseEnded,
    ResponseStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UnknownEvent,
)
from ..errors import TransportError
from .errors import mapped_errors

_FINISH_REASONS: Final[dict[str, FinishReason]] = {
    'completed': 'stop',
    'max_output_tokens': 'length',
    'content_filter': 'content_filter',
}


async def first_events(stream: CodexStream) -> list[Event]:
    """The events up to the first that shows how the answer begins.

    A failure before it is raised here, where `FallbackModel` can still turn to another model.
    """
    events: list[Event] = []
    while batch := await stream.receive():
        events += batch
        if not all(isinstance(event, ResponseStarted | UnknownEvent) for event in batch):
            break
    return events


@dataclass
class CodexStreamedResponse(StreamedResponse):
    """One streamed answer."""

    _requested_model: str
    _system: str
    _base_url: str
    _timestamp: datetime
    _stream: CodexStream = field(repr=False)
    _first_events: Sequence[Event] = field(repr=False)
    _served_model: str | None = field(default=None, init=False)
    _summaries: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """The first summary of each reasoning item: the one that carries the item's encrypted content."""

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        with mapped_errors(self._requested_model):
            events = self._first_events
            while events:
                for event in events:
                    for part_event in self._handle(event):
                        yield part_event
                events = await self._stream.receive()

    def _handle(self, event: Event) -> Iterator[ModelResponseStreamEvent]:
        parts = self._parts_manager
        match event:
            case TextDelta():
                return parts.handle_text_delta(
                    vendor_part_id=(event.item_id, event.content_index),
                    content=event.text,
                    id=event.item_id,
                    provider_name=self._system,
                )
            case ToolCallDelta():
                return _maybe(parts.handle_tool_call_delta(vendor_part_id=event.item_id, args=event.arguments))
            case ReasoningDelta():
                self._summaries.setdefault(event.item_id, event.summary_index)
                return parts.handle_thinking_delta(
                    vendor_part_id=(event.item_id, 'summary', event.summary_index),
                    content=event.text,
                    id=event.item_id,
                    provider_name=self._system,
                )
            case ReasoningDone(encrypted_content=str()):
                return parts.handle_thinking_delta(
                    vendor_part_id=(event.item_id, 'summary', self._summaries.get(event.item_id, 0)),
                    id=event.item_id,
                    signature=event.encrypted_content,
                    provider_name=self._system,
                )
            case ToolCallStarted():
                return _maybe(
                    parts.handle_tool_call_delta(
                        vendor_part_id=event.item_id,
                        tool_name=event.name,
                        tool_call_id=event.call_id,
                        provider_name=self._system,
                    )
                )
            case ResponseStarted():
                self.provider_response_id = event.response_id
                self._served_model = event.model
            case ResponseEnded():
                self._end(event)
            case _:
                pass
        return iter(())

    def _end(self, event: ResponseEnded) -> None:
        reason = event.reason or event.status
        self.provider_details = {'finish_reason': reason}
        self.finish_reason = _FINISH_REASONS.get(reason)
        if event.refusal is not None:
            self.finish_reason = 'content_filter'
            self.provider_details['refusal'] = event.refusal
        self.provider_response_id = event.response_id or self.provider_response_id
        self._served_model = event.model or self._served_model
        if event.usage is not None:
            self._usage = RequestUsage(
                input_tokens=event.usage.input_tokens,
                output_tokens=event.usage.output_tokens,
                cache_read_tokens=event.usage.cached_tokens,
                output_reasoning_tokens=event.usage.reasoning_tokens,
                details={'reasoning_tokens': event.usage.reasoning_tokens},
            )

    def get_stream_cancel_errors(self) -> tuple[type[BaseException], ...]:
        """The errors that closing the connection causes in a read that waits for it; ours among them."""
        return (*super().get_stream_cancel_errors(), TransportError)

    async def close_stream(self) -> None:
        """Close the connection, so that the backend stops; a read that waits for it ends."""
        await self._stream.aclose()

    @property
    def model_name(self) -> str:
        """The model that serves the answer, or the one that was asked for where the backend does not say."""
        return self._served_model or self._requested_model

    @property
    def provider_name(self) -> str:
        return self._system

    @property
    def provider_url(self) -> str:
        return self._base_url

    @property
    def timestamp(self) -> datetime:
        return self._timestamp


def _maybe(event: ModelResponseStreamEvent | None) -> Iterator[ModelResponseStreamEvent]:
    return iter(() if event is None else (event,))
