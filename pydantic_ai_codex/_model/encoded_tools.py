"""The tools of a request as JSON; the same tools are transformed and encoded only once."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer
from pydantic_ai.tools import ToolDefinition
from pydantic_core import PydanticSerializationError, from_json, to_json

from .._protocol.requests import EncodedJSON, JsonObject, encode
from ..errors import ConfigurationError
from .tools import map_tool

Transform: TypeAlias = Callable[[ToolDefinition], ToolDefinition]

_MOST: Final = 64
_MOST_BYTES: Final = 2**22
"""How many sets of tools are kept, and how large. Who has more makes them up as they go, and comes back to none."""


class ToolEncoder:
    """Encodes tools, and keeps what it made of them. Any number of threads may use one.

    Transforming a schema takes thirty times as long as encoding it. pydantic-ai makes the definitions anew for each
    request, and anybody may edit them in place. So what was made of them is found by all that it was made of, written
    out, and kept only where that is plain JSON and was the same afterwards.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, EncodedJSON] = {}
        self._size = 0

    def encode(
        self, tools: Sequence[ToolDefinition], *, transform: Transform | None, transformer: object
    ) -> EncodedJSON | None:
        """The tools as JSON; `None` where there are none.

        Args:
            tools: Their definitions, as the agent has them.
            transform: Puts the schema of one into the shape that the backend takes; `None` where they have it.
            transformer: The class that does it. Only of pydantic-ai's own is it known that the definition alone
                decides; nothing is kept of any other.

        Raises:
            UserError: If one cannot be sent.
        """
        if not tools:
            return None
        if transform is None:
            return _encode(tools)
        key = _written_out(tools) if transformer is OpenAIJsonSchemaTransformer else None
        if key is not None and (kept := self._kept.get(key)) is not None:
            return kept
        encoded = _encode([transform(tool) for tool in tools])
        if key is not None and _is_plain(tools) and _written_out(tools) == key:
            self._keep(key, encoded)
        return encoded

    def _keep(self, key: bytes, encoded: EncodedJSON) -> None:
        size = len(key) + len(encoded.content)
        if len(self._kept) >= _MOST or self._size + size > _MOST_BYTES:
            self._kept.clear()
            self._size = 0
        self._kept[key] = encoded
        self._size += size


def _encode(tools: Sequence[ToolDefinition]) -> EncodedJSON:
    mapped = [map_tool(tool) for tool in tools]
    try:
        return encode(mapped)
    except ConfigurationError:
        for tool in mapped:
            _check(tool)
        raise


def _check(tool: JsonObject) -> None:
    """Say which tool it is that has no JSON form."""
    try:
        encode(tool)
    except ConfigurationError as error:
        raise ConfigurationError(f'The tool {tool["name"]!r} cannot be sent. {error}') from error.__cause__


def _written_out(tools: Sequence[ToolDefinition]) -> bytes | None:
    """All that the JSON of tools depends on; `None` where that holds more than plain values."""
    parts = [(tool.name, tool.description, tool.strict, tool.parameters_json_schema) for tool in tools]
    try:
        # `marshal` is the fastest way, and tells apart what is equal and yet not the same JSON: 1, 1.0 and `True`, or
        # the same keys in another order. That it may write the same in more than one way only costs another encoding.
        return marshal.dumps(parts)
    except ValueError:
        return None


def _is_plain(tools: Sequence[ToolDefinition]) -> bool:
    """Whether schemas are what their JSON says: `marshal` takes tuples and bytes as well, and all buffers for bytes."""
    schemas = [tool.parameters_json_schema for tool in tools]
    try:
        return bool(from_json(to_json(schemas)) == schemas)
    except (PydanticSerializationError, ValueError):
        return False  # What has no JSON form went away when it was transformed.
