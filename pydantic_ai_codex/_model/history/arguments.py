"""The arguments of a call, as a mapping and as JSON; pure."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from pydantic_ai.messages import NativeToolCallPart, ToolCallPart
from pydantic_core import PydanticSerializationError

from ...errors import ConfigurationError

_Call: TypeAlias = ToolCallPart | NativeToolCallPart

_NO_JSON: Final = (PydanticSerializationError, TypeError)
"""A `TypeError` is how the parser of JSON refuses half a character."""


def arguments_of(part: _Call) -> dict[str, Any]:
    """The arguments as a mapping; of a text that is no JSON object pydantic-ai makes one that says so.

    Args:
        part: The call.

    Raises:
        ConfigurationError: If they have no JSON form.
    """
    try:
        return part.args_as_dict()
    except _NO_JSON as error:
        raise _no_json_form(part) from error


def arguments_text(part: _Call) -> str:
    """The arguments as JSON.

    Args:
        part: The call.

    Raises:
        ConfigurationError: If they have no JSON form.
    """
    try:
        return part.args_as_json_str()
    except _NO_JSON as error:
        raise _no_json_form(part) from error


def _no_json_form(part: _Call) -> ConfigurationError:
    return ConfigurationError(
        f'The arguments of the call {part.tool_call_id!r} of {part.tool_name!r} have no JSON form. Look for a value that '
        'is no JSON, or half a character (a lone surrogate), in the `args` of its part.'
    )
