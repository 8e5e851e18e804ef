"""The calls of one answer to pydantic-ai's parts, through its parts manager."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
        parts: The parts of the answer.
        system: Our name on parts.
    """

    def __init__(self, parts: Parts, system: str) -> None:
        self._parts = parts
        self._system = system
        self._calls: dict[str, ToolCallStarted] = {}
        self._done: set[str] = set()

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._calls

    def start(self, call: ToolCallStarted) -> Iterable[ModelResponseStreamEvent]:
        """Take the start of a call."""
        self._calls[call.item_id] = call
        return (self._part(call, _INPUT_OPENS if _is_custom(call) else None),)

    def more(self, piece: ToolCallDelta) -> Iterable[ModelResponseStreamEvent]:
        """Take a piece of its arguments."""
        call = self._calls[piece.item_id]
        arguments = _quoted(piece.arguments) if _is_custom(call) else piece.arguments
        if not piece.replaces:
            return self._more(piece.item_id, arguments)
        if _is_custom(call):
            arguments = _INPUT_OPENS + arguments + (_INPUT_CLOSES if piece.item_id in self._done else '')
        return (self._part(call, arguments),)

    def end(self, done: ToolCallDone) -> Iterable[ModelResponseStreamEvent]:
        """Take the end of its arguments. Those that were cut stay no JSON, so that nobody takes them for the whole."""
        self._done.add(done.item_id)
        if _is_custom(self._calls[done.item_id]):
            return () if done.cut else self._more(done.item_id, _INPUT_CLOSES)
        part = self._parts.get_part_by_vendor_id(done.item_id)
        is_bare = isinstance(part, ToolCallPart) and part.args is None
        return self._more(done.item_id, _CUT) if done.cut and is_bare else ()

    def _part(self, call: ToolCallStarted, arguments: str | None) -> ModelResponseStreamEvent:
        details: dict[str, Any] = {} if call.kind == 'function_call' else {'type': call.kind}
        if call.namespace is not None:
            details['namespace'] = call.namespace
        return self._parts.handle_tool_call_part(
            vendor_part_id=call.item_id,
            tool_name=call.name,
            args=arguments,
            tool_call_id=call.call_id,
            id=call.item_id,
            provider_name=self._system,
            provider_details=details or None,
        )

    def _more(self, item_id: str, arguments: str) -> Iterable[ModelResponseStreamEvent]:
        event = self._parts.handle_tool_call_delta(vendor_part_id=item_id, args=arguments)
        return () if event is None else (event,)


def _is_custom(call: ToolCallStarted) -> bool:
    return call.kind == 'custom_tool_call'


def _quoted(text: str) -> str:
    """A piece of a text as it stands in a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
