"""The calls of one answer to pydantic-ai's parts, through its parts manager."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic_ai.messages import ModelResponseStreamEvent, ToolCallPart

from .._protocol.events import ToolCallDelta, ToolCallDone, ToolCallStarted
from .output_parts import Parts

_INPUT_OPENS: Final = '{"input":"'
_INPUT_CLOSES: Final = '"}'
"""What stands around the free text of a custom call, so that it is the argument of a tool with one `input`."""

_CUT: Final = '{'
"""The arguments of a call that was cut before the first of them: as none, it would run with its defaults."""


class StreamedCalls:
    """The calls of functions, custom tools and the shell.

    Args:
        system: Our name on parts.
    """

    def __init__(self, system: str) -> None:
        self._system = system
        self._calls: dict[str, ToolCallStarted] = {}
        self._done: set[str] = set()

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._calls

    def start(self, parts: Parts, call: ToolCallStarted) -> Iterable[ModelResponseStreamEvent]:
        """Take the start of a call."""
        self._calls[call.item_id] = call
        return (self._part(parts, call, _INPUT_OPENS if _is_custom(call) else None),)

    def piece(self, piece: ToolCallDelta) -> str:
        """A piece of its arguments, as it stands in them."""
        return _quoted(piece.arguments) if _is_custom(self._calls[piece.item_id]) else piece.arguments

    def more(self, parts: Parts, piece: ToolCallDelta) -> Sequence[ModelResponseStreamEvent]:
        """Take a piece of its arguments, or all of them in place of those before."""
        arguments = self.piece(piece)
        if not piece.replaces:
            return self.add(parts, piece.item_id, arguments)
        call = self._calls[piece.item_id]
        if _is_custom(call):
            arguments = _INPUT_OPENS + arguments + (_INPUT_CLOSES if piece.item_id in self._done else '')
        return (self._part(parts, call, arguments),)

    def end(self, parts: Parts, done: ToolCallDone) -> Iterable[ModelResponseStreamEvent]:
        """Take the end of its arguments. Those that were cut stay no JSON, so that nobody takes them for the whole."""
        self._done.add(done.item_id)
        if _is_custom(self._calls[done.item_id]):
            return () if done.cut else self.add(parts, done.item_id, _INPUT_CLOSES)
        part = parts.get_part_by_vendor_id(done.item_id)
        is_bare = isinstance(part, ToolCallPart) and part.args is None
        return self.add(parts, done.item_id, _CUT) if done.cut and is_bare else ()

    def _part(self, parts: Parts, call: ToolCallStarted, arguments: str | None) -> ModelResponseStreamEvent:
        details: dict[str, Any] = {} if call.kind == 'function_call' else {'type': call.kind}
        if call.namespace is not None:
            details['namespace'] = call.namespace
        return parts.handle_tool_call_part(
            vendor_part_id=call.item_id,
            tool_name=call.name,
            args=arguments,
            tool_call_id=call.call_id,
            id=call.item_id,
            provider_name=self._system,
            provider_details=details or None,
        )

    @staticmethod
    def add(parts: Parts, item_id: str, arguments: str) -> Sequence[ModelResponseStreamEvent]:
        """Add to the arguments of a call."""
        event = parts.handle_tool_call_delta(vendor_part_id=item_id, args=arguments)
        return () if event is None else (event,)


def _is_custom(call: ToolCallStarted) -> bool:
    return call.kind == 'custom_tool_call'


def _quoted(text: str) -> str:
    """A piece of a text as it stands in a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
