"""Tool calls back to input items; pure."""

from __future__ import annotations

from typing import Final, cast

from pydantic_ai.messages import ToolCallPart

from ..._protocol.requests import JsonObject
from .arguments import arguments_of, arguments_text
from .ids import wire_call_id, wire_name
from .origins import readable_details

OUTPUTS: Final = {
    'function_call': 'function_call_output',
    'custom_tool_call': 'custom_tool_call_output',
    # What the CLI answers such a call with, according to its source.
    'local_shell_call': 'function_call_output',
}
"""The calls that need an output, and what that is."""

_SHELL_FIELDS: Final = frozenset({'type', 'command', 'env', 'timeout_ms', 'user', 'working_directory'})
"""What the action of a local shell call may hold (published types of the Responses API)."""


def map_call(part: ToolCallPart) -> JsonObject:
    """The item of a call, of the kind that it was; without its own id, which the backend does not know.

    Args:
        part: The call.
    """
    call_id, name = wire_call_id(part.tool_call_id), wire_name(part.tool_name)
    if not (details := readable_details(part)):
        return {'type': 'function_call', 'call_id': call_id, 'name': name, 'arguments': arguments_text(part)}
    if details.get('type') == 'custom_tool_call':
        return {'type': 'custom_tool_call', 'call_id': call_id, 'name': name, 'input': _custom_input(part)}
    if details.get('type') == 'local_shell_call' and (action := _shell_action(part)) is not None:
        return {'type': 'local_shell_call', 'call_id': call_id, 'status': 'completed', 'action': action}
    call: JsonObject = {'type': 'function_call', 'call_id': call_id, 'name': name}
    if isinstance(details.get('namespace'), str):
        call['namespace'] = details['namespace']
    return {**call, 'arguments': arguments_text(part)}


def _custom_input(part: ToolCallPart) -> str:
    """The free text of a custom call, which is one argument in pydantic-ai."""
    text = arguments_of(part).get('input')
    if isinstance(text, str):
        return text
    return part.args if isinstance(part.args, str) else arguments_text(part)


def _shell_action(part: ToolCallPart) -> JsonObject | None:
    """The action of a call of the shell; `None` where it is none that the backend would take."""
    action: JsonObject = {'type': 'exec', 'env': {}, **arguments_of(part)}
    command: object = action.get('command')
    is_command = isinstance(command, list) and all(isinstance(word, str) for word in cast('list[object]', command))
    return action if is_command and action['type'] == 'exec' and action.keys() <= _SHELL_FIELDS else None
