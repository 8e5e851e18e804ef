"""The histories and tools of `histories` in the shape of chat completions, which has no place for sealed reasoning."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic_ai.messages import (
    ModelRequestPart,
    ModelResponsePart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from .histories import INSTRUCTIONS, history, tool_definitions


@cache
def chat_messages(count: int) -> tuple[dict[str, Any], ...]:
    """The messages of `history`, after the instructions."""
    parts = [part for message in history(count, 'chat') for part in message.parts]
    messages = [mapped for part in parts if (mapped := _message(part)) is not None]
    return ({'role': 'system', 'content': INSTRUCTIONS}, *messages)


def chat_tools(count: int) -> list[dict[str, Any]]:
    """The tools of `tool_definitions`."""
    return [
        {
            'type': 'function',
            'function': {
                'name': each.name,
                'description': each.description,
                'parameters': each.parameters_json_schema,
            },
        }
        for each in tool_definitions(count)
    ]


def _message(part: ModelRequestPart | ModelResponsePart) -> dict[str, Any] | None:
    match part:
        case UserPromptPart(content=str(content)):
            return {'role': 'user', 'content': content}
        case TextPart(content=content):
            return {'role': 'assistant', 'content': content}
        case ToolCallPart(tool_name=name, args=args, tool_call_id=call_id):
            call = {'id': call_id, 'type': 'function', 'function': {'name': name, 'arguments': args}}
            return {'role': 'assistant', 'content': None, 'tool_calls': [call]}
        case ToolReturnPart(content=content, tool_call_id=call_id):
            return {'role': 'tool', 'tool_call_id': call_id, 'content': content}
        case _:
            return None
