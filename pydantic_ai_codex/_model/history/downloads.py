"""The files that are to be downloaded before they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, cast

from pydantic_ai.messages import (
    BinaryContent,
    FileUrl,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ToolReturnPart,
    UserPromptPart,
    VideoUrl,
)
from pydantic_ai.models import download_item

from .contents import DATA_URL

_HOLDERS: Final = (UserPromptPart, ToolReturnPart)
"""The parts that may hold files."""


async def download_files(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """The messages with the content of every file whose URL has `force_download` set.

    A message in which nothing is to be downloaded stays the same object. Videos are left alone, as they cannot be sent,
    and so are data URLs, which hold their content.

    Args:
        messages: The history.

    Raises:
        ValueError: If pydantic-ai refuses the URL, for example because it leads into the own network.
        httpx2.HTTPError: If the download fails.
    """
    return [await _load_message(message) if _waits(message) else message for message in messages]


def _waits(message: ModelMessage) -> bool:
    if isinstance(message, ModelRequest):
        for part in message.parts:
            # Nearly all of them hold a text.
            if isinstance(part, _HOLDERS) and not isinstance(part.content, str) and any(map(_is_url, _items(part))):
                return True
    return False


def _items(part: ModelRequestPart) -> Sequence[object]:
    content: object = part.content if isinstance(part, _HOLDERS) else None
    if isinstance(content, list | tuple):
        return cast('Sequence[object]', content)
    return (content,)


def _is_url(item: object) -> bool:
    if not isinstance(item, FileUrl) or isinstance(item, VideoUrl):
        return False
    return bool(item.force_download) and not item.url.startswith(DATA_URL)


async def _load_message(message: ModelMessage) -> ModelMessage:
    parts: list[Any] = [await _load_part(part) for part in cast('list[Any]', message.parts)]
    return replace(message, parts=parts)


async def _load_part(part: ModelRequestPart) -> ModelRequestPart:
    items = _items(part)
    if not any(_is_url(item) for item in items):
        return part
    loaded: list[Any] = [await _load(cast(FileUrl, item)) if _is_url(item) else item for item in items]
    changed: Any = part
    return replace(changed, content=loaded if isinstance(changed.content, list | tuple) else loaded[0])


async def _load(url: FileUrl) -> BinaryContent:
    file = await download_item(url, data_format='bytes')
    content = BinaryContent(
        data=file['data'],
        media_type=file['data_type'],
        identifier=url.identifier,
        vendor_metadata=url.vendor_metadata,
    )
    return BinaryContent.narrow_type(content)
