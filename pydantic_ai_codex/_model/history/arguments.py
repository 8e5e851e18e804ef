"""The arguments of a call, as a mapping and as JSON; pure."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeAlias

from pydantic_ai.messages import NativeToolCallPart, ToolCallPart
from pydantic_core import PydanticSerializationError

from ...errors import ConfigurationError

_Call: TypeAlias = ToolCallPart | NativeToolCallPart


def arguments_of(part: _Call) -> dict[str, Any]:
    """The arguments as a mapping; of a text that is no JSON object pydantic-ai makes one that says so.

    Args:
        part: The call.

    Raises:
        ConfigurationError: If they have no JSON form.
    """
    with _without_json_form(part):
        return part.args_as_dict()


def arguments_text(part: _Call) -> str:
    """The arguments as JSON.

    Args:
        part: The call.

    Raises:
        ConfigurationError: If they have no JSON form.
    """
    with _without_json_form(part):
        return part.args_as_json_str()


@contextmanager
def _without_json_form(part: _Call) -> Generator[None]:
    try:
        yield
    except (PydanticSerializationError, TypeError) as error:
        # A `TypeError` is how the parser of JSON refuses half a character.
        raise ConfigurationError(
            f'The arguments of the call {part.tool_call_id!r} of {part.tool_name!r} have no JSON form. Look for a '
            'value that is no JSON, or half a character (a lone surrogate), in the `args` of its part.'
        ) from error
