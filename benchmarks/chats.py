"""The same messages and tools in the shape of chat completions, which has no place for sealed reasoning.

Nothing here imports pydantic-ai: the memory of whoever is measured on it is not to carry that along.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

from .turns import INSTRUCTIONS, Answer, Call, Part, Prompt, Result, Thought, messages, tools


@cache
def chat_messages(count: int) -> tuple[dict[str, Any], ...]:
    """The messages of `turns.messages`, after the instructions."""
    mapped = [_message(part) for parts in messages(count) for part in parts if not isinstance(part, Thought)]
    return ({'role': 'system', 'content': INSTRUCTIONS}, *mapped)


def chat_tools(count: int) -> list[dict[str, Any]]:
    """So many tools, made anew, as those of the others are."""
    return [
        {
            'type': 'function',
            'function': {
                'name': each.name,
                'description': each.description,
                'parameters': deepcopy(each.schema),
            },
        }
        for each in tools(count)
    ]


def _message(part: Part) -> dict[str, Any]:
    match part:
        case Prompt(content):
            return {'role': 'user', 'content': content}
        case Answer(content) | Thought(content):
            return {'role': 'assistant', 'content': content}
        case Call(tool, arguments, call_id):
            call = {'id': call_id, 'type': 'function', 'function': {'name': tool, 'arguments': arguments}}
            return {'role': 'assistant', 'content': None, 'tool_calls': [call]}
        case Result(_, content, call_id):
            return {'role': 'tool', 'tool_call_id': call_id, 'content': content}
