"""Which class holds which kind of item."""

from __future__ import annotations

from typing import Final

from ..events import ImagePartial
from ..values import Wire, text_or_none
from .base import Events, OutputItem
from .calls import Call, LocalShellCall
from .message import Message
from .reasoning import Reasoning


class Image(OutputItem):
    """An image being drawn."""

    def partial(self, wire: Wire) -> Events:
        """Take `image_generation_call.partial_image`."""
        image = text_or_none(wire.get('partial_image_b64'))
        return None if image is None else (ImagePartial(self.id, image),)


_KINDS: Final[dict[str, type[OutputItem]]] = {
    'message': Message,
    'reasoning': Reasoning,
    'function_call': Call,
    'custom_tool_call': Call,
    'local_shell_call': LocalShellCall,
    'image_generation_call': Image,
}


def make_item(item_id: str, kind: str) -> OutputItem:
    """The state of a new item.

    Args:
        item_id: What its events are called by.
        kind: Its type, whatever the backend says.
    """
    return _KINDS.get(kind, OutputItem)(item_id, kind)
