"""Tool calls back to input items; pure."""

from __future__ import annotations

from typing import Final

from pydantic_ai.messages import ToolCallPart

from ..._protocol.requests import JsonObject
from .ids import wire_call_id, wire_name
from .origins import readable_details

OUTPUTS: Final = {
    'function_call': 'function_call_output',
    'custom_tool_call': 'custom_tool_call_output',
    # What the CLI answers such a call with, according to its source.
    'local_shell_call': 'function_call_output',
}
"""The calls that need an output, and what that is."""


def map_call(part: ToolCallPart) -> JsonObject:
    """The item of a call, of the kind that it was; without its own id, which the backend does not know.

    Args:
        part: The call.
    """
    details = readable_details(part)
    call_id, name = wire_call_id(part.tool_call_id), wire_name(part.tool_name)
    if details.get('type') == 'custom_tool_call':
        return {'type': 'custom_tool_call', 'call_id': call_id, 'name': name, 'input': _custom_input(part)}
    if details.get('type') == 'local_shell_call':
        action: JsonObject = {'type': 'exec', 'env': {}, **part.args_as_dict()}
        if isinstance(action.get('command'), list):
            return {'type': 'local_shell_call', 'call_id': call_id, 'status': 'completed', 'action': action}
    call: JsonObject = {'type': 'function_call', 'call_id': call_id, 'name': name}
    if isinstance(details.get('namespace'), str):
        call['namespace'] = details['namespace']
    return {**call, 'arguments': part.args_as_json_str()}


def _custom_input(part: ToolCallPart) -> str:
    """The free text of a custom call, which is one argument in pydantic-ai."""
    text = part.args_as_dict().get('input')
    if isinstance(text, str):
        return text
    return part.args if isinstance(part.args, str) else part.args_as_json_str()
