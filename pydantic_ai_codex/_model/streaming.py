"""The events of an answer to pydantic-ai's, through its parts manager."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from pydantic_ai.messages import FinishReason, ModelResponseStreamEvent, TextPart, ThinkingPart
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
    ToolCallDone,
    ToolCallStarted,
)
from .._stream import CodexStream
from ..errors import TransportError
from .errors import mapped_errors
from .growing_part import GrowingPart, growing_part
from .history.origins import LEFT_OUT_KEY
from .history.turns import TURN_STATE_KEY
from .instructions import REF_KEY
from .output_parts import map_citations, map_usage, takes_citations
from .spans import RequestSpan
from .streamed_calls import StreamedCalls
from .streamed_items import StreamedItems

if TYPE_CHECKING:
    from .._protocol.rate_limit_types import RateLimits

_PartEvents: TypeAlias = Iterable[ModelResponseStreamEvent]
_Key: TypeAlias = tuple[str, str, int]
"""What the parts manager knows a text by: its item, what it is shown as, and its index."""

_FINISH_REASONS: Final[dict[str, FinishReason]] = {
    'completed': 'stop',
    'max_output_tokens': 'length',
    'content_filter': 'content_filter',
}


@dataclass(repr=False, eq=False)
class CodexStreamedResponse(StreamedResponse):
    """One streamed answer."""

    _requested_model: str
    _system: str
    _base_url: str
    _timestamp: datetime
    _stream: CodexStream = field(repr=False)
    _commentary_is_text: bool
    _instructions_ref: str | None
    _span: RequestSpan
    _served_model: str | None = field(default=None, init=False)
    _noted_limits: RateLimits | None = field(default=None, init=False, repr=False)
    _texts: dict[str, dict[int, _Key]] = field(default_factory=dict[str, dict[int, _Key]], init=False)
    """The parts of each message that have begun, by content index."""
    _summaries: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """The first summary of each reasoning item: the one that carries the item's encrypted content."""
    _growing: GrowingPart | None = field(default=None, init=False, repr=False)
    """The part that the last piece was added to, where the next one needs nothing of the parts manager."""

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        with mapped_errors(self._requested_model, self._span.note_failure):
            while events := await self._stream.receive():
                for event in events:
                    handler = self._HANDLERS.get(type(event))
                    if handler is not None:
                        for part_event in handler(self, event):
                            yield part_event

    @property
    def _parts_manager(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride] - read as the base's is
        """pydantic-ai's parts manager, who knows of every piece when anybody, such as the base class, asks for him."""
        parts = super()._parts_manager
        if self._growing is not None:
            growing, self._growing = self._growing, None
            growing.catch_up()
        return parts

    @cached_property
    def _calls(self) -> StreamedCalls:
        return StreamedCalls(self._system)

    @cached_property
    def _items(self) -> StreamedItems:
        return StreamedItems(self._system, self._stream.account_tag)

    def begin(self) -> None:
        """Note what is known of the answer already, so that one that breaks off tells the conversation, too."""
        details: dict[str, Any] = {} if self._instructions_ref is None else {REF_KEY: self._instructions_ref}
        if (state := self._stream.turn_state) is not None:
            details[TURN_STATE_KEY] = {'value': state, 'account': self._stream.account_tag}
        if self._stream.leaves_out_reasoning:
            details[LEFT_OUT_KEY] = True
        self._note_limits(details)
        self.provider_details = details or None

    def _note_limits(self, details: dict[str, Any]) -> None:
        limits = self._stream.rate_limits
        if limits is not None and limits is not self._noted_limits:
            self._noted_limits = limits
            details['rate_limits'] = limits.as_dict()
            self._span.note(limits)

    def _on_started(self, event: ResponseStarted) -> _PartEvents:
        self.provider_response_id = event.response_id
        self._served_model = event.model
        return ()

    def _on_text(self, event: TextDelta) -> _PartEvents:
        growing = self._growing
        if growing is not None and growing.is_of(event.item_id, event.content_index) and not event.replaces:
            return (growing.more(event.text),)
        keys = self._texts.setdefault(event.item_id, {})
        key = keys.get(event.content_index)
        details: dict[str, Any] | None = None
        if key is None:
            key = keys[event.content_index] = (event.item_id, self._shown_as(event.phase), event.content_index)
            details = {'phase': event.phase} if event.phase else None
        elif event.replaces:
            return self._replace(key, event.text)
        return self._more(key, event.text, details)

    def _on_message_done(self, event: MessageDone) -> Iterator[ModelResponseStreamEvent]:
        keys = self._texts.get(event.item_id, {})
        for index, key in keys.items():
            if event.phase is not None and key[1] != self._shown_as(event.phase):
                yield from self._move(key, new := (event.item_id, self._shown_as(event.phase), index))
                keys[index] = key = new
            details: dict[str, Any] = {'phase': event.phase} if event.phase else {}
            if annotations := event.annotations.get(index):
                details['annotations'] = annotations
            if logprobs := event.logprobs.get(index):
                details['logprobs'] = logprobs
            yield from self._more(key, '', details, annotations)

    def _shown_as(self, phase: str | None) -> str:
        return 'thinking' if phase == 'commentary' and not self._commentary_is_text else 'text'

    def _on_reasoning(self, event: ReasoningDelta) -> _PartEvents:
        growing = self._growing
        if growing is not None and growing.is_of(event.item_id, event.summary_index) and not event.replaces:
            return (growing.more(event.text),)
        key = (event.item_id, 'summary', event.summary_index)
        self._summaries.setdefault(event.item_id, event.summary_index)
        return self._replace(key, event.text) if event.replaces else self._more(key, event.text)

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
        return self._calls.start(self._parts_manager, event)

    def _on_arguments(self, event: ToolCallDelta) -> _PartEvents:
        growing = self._growing
        if growing is not None and growing.is_of(event.item_id) and not event.replaces:
            return (growing.more(self._calls.piece(event)),)
        parts = self._parts_manager
        events = self._calls.more(parts, event)
        self._growing = growing_part(event.item_id, 0, events, partial(self._calls.add, parts, event.item_id))
        return events

    def _on_arguments_done(self, event: ToolCallDone) -> _PartEvents:
        return self._calls.end(self._parts_manager, event)

    def _on_item(self, event: ItemStarted) -> _PartEvents:
        return self._items.start(self._parts_manager, event)

    def _on_image(self, event: ImagePartial) -> _PartEvents:
        return self._items.image(self._parts_manager, event)

    def _on_item_done(self, event: ItemDone) -> _PartEvents:
        is_shown = event.item.get('type') in ('message', 'reasoning') or event.item_id in self._calls
        return () if is_shown else self._items.end(self._parts_manager, event)

    def _on_ended(self, event: ResponseEnded) -> _PartEvents:
        reason = event.reason or event.status
        self.provider_details = {**(self.provider_details or {}), 'finish_reason': reason}
        self._note_limits(self.provider_details)
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
        return ()

    _HANDLERS: ClassVar[dict[type, Callable[[CodexStreamedResponse, Any], _PartEvents]]] = {
        ResponseStarted: _on_started,
        TextDelta: _on_text,
        MessageDone: _on_message_done,
        ReasoningDelta: _on_reasoning,
        ReasoningDone: _on_reasoning_done,
        ToolCallStarted: _on_call,
        ToolCallDelta: _on_arguments,
        ToolCallDone: _on_arguments_done,
        ItemStarted: _on_item,
        ImagePartial: _on_image,
        ItemDone: _on_item_done,
        ResponseEnded: _on_ended,
    }

    def _more(
        self, key: _Key, text: str, details: dict[str, Any] | None = None, annotations: object = None
    ) -> _PartEvents:
        """Add to a text, or begin it."""
        parts: Any = self._parts_manager
        add = partial(
            parts.handle_text_delta if key[1] == 'text' else parts.handle_thinking_delta,
            vendor_part_id=key,
            id=key[0],
            provider_name=self._system,
        )
        more: dict[str, Any] = {'provider_details': details}
        if annotations and key[1] == 'text' and takes_citations(parts.__class__):
            part = parts.get_part_by_vendor_id(key)
            content = part.content if isinstance(part, TextPart) else ''
            more['citations'] = map_citations(annotations, content + text)
        events = tuple(add(content=text, **more))
        self._growing = growing_part(key[0], key[2], events, lambda piece: add(content=piece))
        return events

    def _replace(self, key: _Key, text: str) -> _PartEvents:
        """Put another text in place of that of a part: one more start of the part tells it."""
        part = self._parts_manager.get_part_by_vendor_id(key)
        if not isinstance(part, TextPart | ThinkingPart):
            return self._more(key, text)
        return (self._parts_manager.handle_part(vendor_part_id=key, part=replace(part, content=text)),)

    def _move(self, key: _Key, new: _Key) -> Iterator[ModelResponseStreamEvent]:
        """Show a text as something else, as its phase came too late; what it was shown as stays, and is empty."""
        part = self._parts_manager.get_part_by_vendor_id(key)
        if isinstance(part, TextPart | ThinkingPart):
            empty = replace(part, content='', provider_details=None)
            yield self._parts_manager.handle_part(vendor_part_id=key, part=empty)
            yield from self._more(new, part.content)

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
