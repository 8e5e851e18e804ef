"""The items of one answer that come whole, to pydantic-ai's parts, through its parts manager."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic_ai.messages import ModelResponseStreamEvent, NativeToolCallPart

from .._protocol.events import ImagePartial, ItemDone, ItemStarted
from .._protocol.values import object_or_empty, text_or_none
from ..errors import MalformedStreamError
from .native_tools import IMAGE_GENERATION, NATIVE_CALLS, sendable_action
from .output_parts import Parts, image_part, native_return, whole_part


class StreamedItems:
    """What the backend did by itself (web searches, images), compactions, and kinds that nobody knows yet.

    Args:
        system: Our name on parts.
        account: The tag of the account that can read what is encrypted.
    """

    def __init__(self, system: str, account: str | None) -> None:
        self._system = system
        self._account = account
        self._called: set[str] = set()

    def start(self, parts: Parts, event: ItemStarted) -> Iterator[ModelResponseStreamEvent]:
        """Take the start of an item."""
        if (tool := NATIVE_CALLS.get(event.kind)) is not None:
            yield from self._call(parts, event.item_id, tool)

    def image(self, parts: Parts, event: ImagePartial) -> Iterator[ModelResponseStreamEvent]:
        """Take an image as far as it is drawn."""
        try:
            image = image_part(event.item_id, event.image, None, self._system)
        except MalformedStreamError:
            return  # The image of record is still to come.
        yield from self._call(parts, event.item_id, IMAGE_GENERATION)
        yield parts.handle_part(vendor_part_id=(event.item_id, 'file'), part=image)

    def end(self, parts: Parts, event: ItemDone) -> Iterable[ModelResponseStreamEvent]:
        """Take a finished item."""
        tool = NATIVE_CALLS.get(text_or_none(event.item.get('type')) or '')
        if tool is not None:
            return self._end_call(parts, event, tool)
        part = whole_part(event.item_id, event.item, self._system, self._account)
        return (parts.handle_part(vendor_part_id=event.item_id, part=part),)

    def _call(self, parts: Parts, item_id: str, tool: str) -> Iterator[ModelResponseStreamEvent]:
        """The call, unless it began already."""
        if item_id not in self._called:
            self._called.add(item_id)
            part = NativeToolCallPart(tool, args=None, tool_call_id=item_id, id=item_id, provider_name=self._system)
            yield parts.handle_part(vendor_part_id=(item_id, 'call'), part=part)

    def _end_call(self, parts: Parts, event: ItemDone, tool: str) -> Iterator[ModelResponseStreamEvent]:
        item_id, item = event.item_id, event.item
        yield from self._call(parts, item_id, tool)
        if action := sendable_action(object_or_empty(item.get('action'))):
            delta = parts.handle_tool_call_delta(vendor_part_id=(item_id, 'call'), args=action)
            yield from () if delta is None else (delta,)
        if image := text_or_none(item.get('result')):
            file = image_part(item_id, image, item.get('output_format'), self._system)
            yield parts.handle_part(vendor_part_id=(item_id, 'file'), part=file)
        part = native_return(item_id, item, self._system)
        yield parts.handle_part(vendor_part_id=(item_id, 'return'), part=part)
