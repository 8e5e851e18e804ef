"""Histories that hold a compaction: where they begin; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TypeAlias

from pydantic_ai.messages import CompactionPart, ModelMessage, ModelRequest, ModelResponse, SystemPromptPart

from ...errors import ConfigurationError

Understands: TypeAlias = Callable[[ModelResponse, CompactionPart], bool]


def start_at_compaction(messages: Sequence[ModelMessage], understands: Understands) -> Sequence[ModelMessage]:
    """Leave out what the last compaction stands for: all before it but the system prompts that open the history.

    Args:
        messages: The history.
        understands: Whether a compaction of that response can stand for the history before it.

    Raises:
        ConfigurationError: If nothing but a compaction that cannot be understood stands for the history before it.
    """
    beginnings = [
        (index, message, part)
        for index, message in enumerate(messages)
        if isinstance(message, ModelResponse)
        for part in message.parts
        if isinstance(part, CompactionPart) and understands(message, part)
    ]
    if not beginnings:
        _check_beginning(messages)
        return messages
    index, response, first = beginnings[-1]
    at = max(at for at, part in enumerate(response.parts) if part is first)
    return [*_opening(messages[:index]), replace(response, parts=response.parts[at:]), *messages[index + 1 :]]


def _opening(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    parts = [part for message in messages for part in message.parts]
    prompts = [part for part in takewhile(_is_prompt, parts) if isinstance(part, SystemPromptPart)]
    return [ModelRequest(prompts)] if prompts else []


def _is_prompt(part: object) -> bool:
    return isinstance(part, SystemPromptPart)


def _check_beginning(messages: Sequence[ModelMessage]) -> None:
    parts = ((message, part) for message in messages for part in message.parts if not _is_prompt(part))
    message, first = next(parts, (None, None))
    if isinstance(message, ModelResponse) and isinstance(first, CompactionPart):
        raise ConfigurationError(
            f'The history begins with a compaction of {first.provider_name or "another service"} that this account '
            'cannot read, and what it stands for is not there. Send the messages from before it as well, or put a '
            'summary in its place: a `CompactionPart(content=...)` in a `ModelRequest`.'
        )
