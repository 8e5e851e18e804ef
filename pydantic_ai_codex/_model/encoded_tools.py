"""The tools of a request as JSON; the same tools are transformed and encoded only once."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer
from pydantic_ai.tools import ToolDefinition

from .._protocol.requests import EncodedJSON, encode
from .tools import map_tool

Transform: TypeAlias = Callable[[ToolDefinition], ToolDefinition]

_MOST: Final = 64
"""How many sets of tools are kept. Who has more makes them up as they go, and comes back to none of them."""


class ToolEncoder:
    """Encodes tools, and keeps what it made of them. Any number of threads may use one.

    Transforming a schema takes thirty times as long as encoding it. pydantic-ai makes the definitions anew for each
    request, and anybody may edit them in place. So what was made of them is found by all that it was made of, written
    out: it cannot be stale.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, EncodedJSON] = {}

    def encode(
        self, tools: Sequence[ToolDefinition], *, transform: Transform, transformer: object
    ) -> EncodedJSON | None:
        """The tools as JSON; `None` where there are none.

        Args:
            tools: Their definitions, as the agent has them.
            transform: Puts the schema of one into the shape that the backend takes.
            transformer: The class that does it. Only of pydantic-ai's own is it known that the definition alone
                decides; nothing is kept of any other.

        Raises:
            UserError: If one cannot be sent.
        """
        if not tools:
            return None
        key = _written_out(tools) if transformer is OpenAIJsonSchemaTransformer else None
        if key is not None and (kept := self._kept.get(key)) is not None:
            return kept
        encoded = encode([map_tool(transform(tool)) for tool in tools])
        if key is not None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = encoded
        return encoded


def _written_out(tools: Sequence[ToolDefinition]) -> bytes | None:
    """All that the JSON of tools depends on; `None` where that holds more than plain values."""
    parts = [(tool.name, tool.description, tool.strict, tool.parameters_json_schema) for tool in tools]
    try:
        # `marshal` is the fastest way, and tells apart what is equal and yet not the same JSON: 1, 1.0 and `True`, or
        # the same keys in another order. That it may write the same in more than one way only costs another encoding.
        return marshal.dumps(parts)
    except ValueError:
        return None
