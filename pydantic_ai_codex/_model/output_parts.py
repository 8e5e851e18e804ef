"""Finished output items to pydantic-ai's parts, where a part is more than a text that grew, and usage; pure."""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Any, Final, Protocol, cast

from pydantic_ai import messages
from pydantic_ai.messages import (
    BinaryImage,
    CompactionPart,
    FilePart,
    ModelResponsePart,
    ModelResponseStreamEvent,
    NativeToolCallPart,
    NativeToolReturnPart,
)
from pydantic_ai.usage import RequestUsage

from .._protocol.events import Usage
from .._protocol.values import Wire, list_or_empty, object_or_empty, text_or_none
from ..errors import MalformedStreamError
from .native_tools import NATIVE_CALLS, WEB_SEARCH

_IMAGE_FACTS: Final = ('status', 'background', 'quality', 'size', 'revised_prompt')


class Parts(Protocol):
    """What we use of pydantic-ai's parts manager to put parts together; its class is private."""

    def get_part_by_vendor_id(self, vendor_id: Hashable) -> object:
        """The part as far as it is known."""
        ...

    def handle_part(self, *, vendor_part_id: Hashable | None, part: ModelResponsePart) -> ModelResponseStreamEvent:
        """Add a part, or replace it."""
        ...

    def handle_tool_call_part(
        self,
        *,
        vendor_part_id: Hashable | None,
        tool_name: str,
        args: str | dict[str, Any] | None,
        tool_call_id: str | None = None,
        id: str | None = None,
        provider_name: str | None = None,
        provider_details: dict[str, Any] | None = None,
    ) -> ModelResponseStreamEvent:
        """Add a call, or replace it."""
        ...

    def handle_tool_call_delta(
        self, *, vendor_part_id: Hashable | None, args: str | dict[str, Any] | None = None
    ) -> ModelResponseStreamEvent | None:
        """Add to the arguments of a call."""
        ...


def native_return(item_id: str, item: Wire, system: str) -> NativeToolReturnPart:
    """What a native tool call returned.

    Args:
        item_id: The item.
        item: The finished item, one of `NATIVE_CALLS`.
        system: Our name on parts.
    """
    tool = NATIVE_CALLS[item['type']]
    if tool == WEB_SEARCH:
        content = {'status': item.get('status')}
        if sources := object_or_empty(item.get('action')).get('sources'):
            content['sources'] = sources
    else:
        content = {name: item[name] for name in _IMAGE_FACTS if item.get(name) is not None}
        if text_or_none(item.get('result')):
            # Streams leave it at `generating` (public reports).
            content['status'] = 'completed'
    return NativeToolReturnPart(tool_name=tool, content=content, tool_call_id=item_id, provider_name=system)


def image_part(item_id: str, image: str, output_format: object, system: str) -> FilePart:
    """An image that the model made.

    Args:
        item_id: The item.
        image: The image in base64.
        output_format: What the item says of its format, `png` where it says nothing.
        system: Our name on parts.

    Raises:
        MalformedStreamError: If it is no base64.
    """
    try:
        data = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedStreamError(
            f'The image of the item {item_id!r} is no base64 ({error}). Send the request again.'
        ) from error
    content = BinaryImage(data=data, media_type=f'image/{text_or_none(output_format) or "png"}')
    return FilePart(content=content, id=item_id, provider_name=system)


def whole_part(item_id: str, item: Wire, system: str, account: str | None) -> ModelResponsePart:
    """The part for an item that comes whole: a compaction, or a kind that pydantic-ai has no part for.

    The latter is kept as it came, so that nothing is lost and it can be sent back.

    Args:
        item_id: The item.
        item: The finished item.
        system: Our name on parts.
        account: The tag of the account that can read what is encrypted.
    """
    tag = {'account': account} if account and item.get('encrypted_content') else {}
    if item.get('type') == 'compaction':
        return CompactionPart(content=None, id=item_id, provider_name=system, provider_details={**item, **tag})
    return NativeToolCallPart(
        tool_name=(text_or_none(item.get('type')) or 'unknown').removesuffix('_call'),
        args=None,
        tool_call_id=item_id,
        provider_name=system,
        provider_details={'item': item, **tag},
    )


def map_usage(usage: Usage) -> RequestUsage:
    """pydantic-ai's usage.

    Args:
        usage: The tokens of an answer.
    """
    return RequestUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
        details={'reasoning_tokens': usage.reasoning_tokens},
    )


@cache
def takes_citations(manager: type[Any]) -> bool:
    """Whether a text part can have citations: not in pydantic-ai 2.60.

    Args:
        manager: The class of the parts manager.
    """
    return 'citations' in inspect.signature(cast(Any, manager).handle_text_delta).parameters


def map_citations(annotations: object, text: str) -> list[Any] | None:
    """pydantic-ai's citations for the annotations of a text, where it has any (`takes_citations`).

    Args:
        annotations: What the backend sent.
        text: The text that they are about.
    """
    return list(_citations(annotations, text)) or None


def _citations(annotations: object, text: str) -> Iterator[Any]:
    new: Any = messages
    for each in list_or_empty(annotations):
        annotation = object_or_empty(each)
        title = text_or_none(annotation.get('title'))
        if annotation.get('type') == 'url_citation' and (url := text_or_none(annotation.get('url'))):
            start, end = annotation.get('start_index'), annotation.get('end_index')
            inside = isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)
            # The offsets select the link as it stands in the text, not the words that it backs.
            anchor = new.MarkerCitationAnchor(start=start, end=end) if inside else None
            yield new.Citation(sources=[new.WebCitationSource(url=url, title=title)], anchor=anchor)
        elif annotation.get('type') == 'file_citation':
            file_id, name = text_or_none(annotation.get('file_id')), text_or_none(annotation.get('filename'))
            if file_id or name:
                yield new.Citation(sources=[new.DocumentCitationSource(document_id=file_id, title=name)])
