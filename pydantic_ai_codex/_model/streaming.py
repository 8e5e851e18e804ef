"""The events of an answer to pydantic-ai's, through its parts manager."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final, TypeAlias

from pydantic_ai.messages import (
    FinishReason,
    ModelResponseStreamEvent,
    NativeToolCallPart,
    TextPart,
    ThinkingPart,
)
from pydantic_ai.models import StreamedResponse

from .._protocol.events import (
    ImagePartial,
    ItemDone,
    ItemStarted,
    MessageDone,
    ReasoningDelta,
    ReasoningDone,
    ResponseEnded,
    ResponseStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from .._protocol.values import text_or_none
from .._stream import CodexStream
from ..errors import MalformedStreamError, TransportError
from .errors import mapped_errors
from .output_parts import (
    IMAGE_GENERATION,
    NATIVE_CALLS,
    image_part,
    map_citations,
    map_usage,
    native_return,
    search_action,
    takes_citations,
    whole_part,
)

_PartEvents: TypeAlias = Iterable[ModelResponseStreamEvent]

_FINISH_REASONS: Final[dict[str, FinishReason]] = {
    'completed': 'stop',
    'max_output_tokens': 'length',
    'content_filter': 'content_filter',
}

_INPUT_OPENS: Final = '{"input":"'
_INPUT_CLOSES: Final = '"}'
"""What stands around the free text of a custom call, so that it is the argument of a tool with one `input`."""


@dataclass
class CodexStreamedResponse(StreamedResponse):
    """One streamed answer."""

    _requested_model: str
    _system: str
    _base_url: str
    _timestamp: datetime
    _stream: CodexStream = field(repr=False)
    _commentary_is_text: bool
    _served_model: str | None = field(default=None, init=False)
    _texts: dict[tuple[str, int], bool] = field(default_factory=dict[tuple[str, int], bool], init=False)
    """The parts of messages that have begun, and whether each is shown as thinking."""
    _summaries: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """The first summary of each reasoning item: the one that carries the item's encrypted content."""
    _calls: dict[str, ToolCallStarted] = field(default_factory=dict[str, ToolCallStarted], init=False)
    _open_input: str | None = field(default=None, init=False)
    """The custom call whose free text goes on."""
    _natives: set[str] = field(default_factory=set[str], init=False)

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        with mapped_errors(self._requested_model):
            while events := await self._stream.receive():
                for event in events:
                    handler = self._HANDLERS.get(type(event))
                    if handler is not None:
                        if self._open_input and getattr(event, 'item_id', self._open_input) != self._open_input:
                            # It was never finished, and the next item begins.
                            for part_event in self._close_input():
                                yield part_event
                        for part_event in handler(self, event):
                            yield part_event

    def _on_started(self, event: ResponseStarted) -> _PartEvents:
        self.provider_response_id = event.response_id
        self._served_model = event.model
        return ()

    def _on_text(self, event: TextDelta) -> _PartEvents:
        key = (event.item_id, event.content_index)
        details: dict[str, Any] | None = None
        if key not in self._texts:
            self._texts[key] = event.phase == 'commentary' and not self._commentary_is_text
            details = {'phase': event.phase} if event.phase else None
        is_aside = self._texts[key]
        if event.replaces:
            return (self._replace(key, event.text),)
        common: Any = {'id': event.item_id, 'provider_name': self._system, 'provider_details': details}
        if is_aside:
            return self._parts_manager.handle_thinking_delta(vendor_part_id=key, content=event.text, **common)
        return self._parts_manager.handle_text_delta(vendor_part_id=key, content=event.text, **common)

    def _on_message_done(self, event: MessageDone) -> Iterator[ModelResponseStreamEvent]:
        parts = self._parts_manager
        for key, is_aside in self._texts.items():
            item_id, index = key
            if item_id != event.item_id:
                continue
            details: dict[str, Any] = {'phase': event.phase} if event.phase else {}
            annotations = event.annotations.get(index)
            if annotations:
                details['annotations'] = annotations
            if logprobs := event.logprobs.get(index):
                details['logprobs'] = logprobs
            common: Any = {'vendor_part_id': key, 'provider_name': self._system, 'provider_details': details}
            if is_aside:
                yield from parts.handle_thinking_delta(content=None, **common)
            else:
                part = parts.get_part_by_vendor_id(key)
                text = part.content if isinstance(part, TextPart) else ''
                if takes_citations(type(parts)) and (citations := map_citations(annotations, text)):
                    common['citations'] = citations
                yield from parts.handle_text_delta(content='', **common)

    def _on_reasoning(self, event: ReasoningDelta) -> _PartEvents:
        self._summaries.setdefault(event.item_id, event.summary_index)
        key = (event.item_id, 'summary', event.summary_index)
        if event.replaces:
            return (self._replace(key, event.text),)
        return self._parts_manager.handle_thinking_delta(
            vendor_part_id=key, content=event.text, id=event.item_id, provider_name=self._system
        )

    def _on_reasoning_done(self, event: ReasoningDone) -> _PartEvents:
        details: dict[str, Any] = {}
        if event.encrypted_content is not None and self._stream.account_tag is not None:
            details['account'] = self._stream.account_tag
        if event.raw_content:
            details['raw_content'] = list(event.raw_content)
        if event.encrypted_content is None and not details:
            return ()
        return self._parts_manager.handle_thinking_delta(
            vendor_part_id=(event.item_id, 'summary', self._summaries.get(event.item_id, 0)),
            id=event.item_id,
            signature=event.encrypted_content,
            provider_name=self._system,
            provider_details=details or None,
        )

    def _on_call(self, event: ToolCallStarted) -> _PartEvents:
        self._calls[event.item_id] = event
        is_custom = event.kind == 'custom_tool_call'
        if is_custom:
            self._open_input = event.item_id
        return (self._call(event, _INPUT_OPENS if is_custom else None),)

    def _on_arguments(self, event: ToolCallDelta) -> _PartEvents:
        is_custom = event.item_id == self._open_input
        arguments = json.dumps(event.arguments, ensure_ascii=False)[1:-1] if is_custom else event.arguments
        if event.replaces:
            return (self._call(self._calls[event.item_id], f'{_INPUT_OPENS}{arguments}' if is_custom else arguments),)
        return self._more_arguments(event.item_id, arguments)

    def _on_item(self, event: ItemStarted) -> _PartEvents:
        tool = NATIVE_CALLS.get(event.kind)
        return () if tool is None else (self._native_call(event.item_id, tool),)

    def _on_image(self, event: ImagePartial) -> Iterator[ModelResponseStreamEvent]:
        try:
            image = image_part(event.item_id, event.image, None, self._system)
        except MalformedStreamError:
            return  # The image of record is still to come.
        if event.item_id not in self._natives:
            yield self._native_call(event.item_id, IMAGE_GENERATION)
        yield self._parts_manager.handle_part(vendor_part_id=(event.item_id, 'file'), part=image)

    def _on_item_done(self, event: ItemDone) -> _PartEvents:
        kind = text_or_none(event.item.get('type'))
        if kind in ('message', 'reasoning'):
            return ()
        if event.item_id in self._calls:
            return self._close_input()
        if (tool := NATIVE_CALLS.get(kind or '')) is not None:
            return self._on_native_done(event.item_id, event.item, tool)
        part = whole_part(event.item_id, event.item, self._system, self._stream.account_tag)
        return (self._parts_manager.handle_part(vendor_part_id=event.item_id, part=part),)

    def _on_native_done(self, item_id: str, item: dict[str, Any], tool: str) -> Iterator[ModelResponseStreamEvent]:
        if item_id not in self._natives:
            yield self._native_call(item_id, tool)
        if action := search_action(item):
            yield from _given(self._parts_manager.handle_tool_call_delta(vendor_part_id=(item_id, 'call'), args=action))
        if image := text_or_none(item.get('result')):
            file = image_part(item_id, image, item.get('output_format'), self._system)
            yield self._parts_manager.handle_part(vendor_part_id=(item_id, 'file'), part=file)
        part = native_return(item_id, item, self._system)
        yield self._parts_manager.handle_part(vendor_part_id=(item_id, 'return'), part=part)

    def _on_ended(self, event: ResponseEnded) -> Iterator[ModelResponseStreamEvent]:
        if event.status == 'completed':
            # One that was cut off stays open, so that nobody takes it for the whole.
            yield from self._close_input()
        reason = event.reason or event.status
        self.provider_details = {'finish_reason': reason}
        self.finish_reason = _FINISH_REASONS.get(reason)
        if event.refusal is not None:
            self.finish_reason = 'content_filter'
            self.provider_details['refusal'] = event.refusal
        if event.service_tier is not None:
            self.provider_details['service_tier'] = event.service_tier
        self.provider_response_id = event.response_id or self.provider_response_id
        self._served_model = event.model or self._served_model
        if event.usage is not None:
            self._usage = map_usage(event.usage)

    _HANDLERS: ClassVar[dict[type, Callable[[CodexStreamedResponse, Any], _PartEvents]]] = {
        ResponseStarted: _on_started,
        TextDelta: _on_text,
        MessageDone: _on_message_done,
        ReasoningDelta: _on_reasoning,
        ReasoningDone: _on_reasoning_done,
        ToolCallStarted: _on_call,
        ToolCallDelta: _on_arguments,
        ItemStarted: _on_item,
        ImagePartial: _on_image,
        ItemDone: _on_item_done,
        ResponseEnded: _on_ended,
    }

    def _replace(self, key: tuple[Any, ...], text: str) -> ModelResponseStreamEvent:
        """Put another text in place of that of a part: one more start of the part tells it."""
        part = self._parts_manager.get_part_by_vendor_id(key)
        assert isinstance(part, TextPart | ThinkingPart)
        return self._parts_manager.handle_part(vendor_part_id=key, part=replace(part, content=text))

    def _call(self, call: ToolCallStarted, arguments: str | None) -> ModelResponseStreamEvent:
        details: dict[str, Any] = {} if call.kind == 'function_call' else {'type': call.kind}
        if call.namespace is not None:
            details['namespace'] = call.namespace
        return self._parts_manager.handle_tool_call_part(
            vendor_part_id=call.item_id,
            tool_name=call.name,
            args=arguments,
            tool_call_id=call.call_id,
            id=call.item_id,
            provider_name=self._system,
            provider_details=details or None,
        )

    def _more_arguments(self, item_id: str, arguments: str) -> _PartEvents:
        return _given(self._parts_manager.handle_tool_call_delta(vendor_part_id=item_id, args=arguments))

    def _close_input(self) -> _PartEvents:
        item_id, self._open_input = self._open_input, None
        return () if item_id is None else self._more_arguments(item_id, _INPUT_CLOSES)

    def _native_call(self, item_id: str, tool: str) -> ModelResponseStreamEvent:
        self._natives.add(item_id)
        part = NativeToolCallPart(
            tool_name=tool, args=None, tool_call_id=item_id, id=item_id, provider_name=self._system
        )
        return self._parts_manager.handle_part(vendor_part_id=(item_id, 'call'), part=part)

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


def _given(event: ModelResponseStreamEvent | None) -> _PartEvents:
    return () if event is None else (event,)
