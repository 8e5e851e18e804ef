"""Tool definitions, the choice among them and the format of the output, in the wire's shape; pure."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast

from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ToolOrOutput
from pydantic_ai.tools import ToolDefinition

from .._protocol.requests import JsonObject
from ..errors import ConfigurationError
from .history.ids import LONGEST_ID, is_wire_name, wire_name

_Mode: TypeAlias = Literal['none', 'auto', 'required']


def sent_tools(params: ModelRequestParameters) -> list[ToolDefinition]:
    """The tools that are told to the backend: those that are not withheld, and those of the output."""
    return [*params.declared_function_tools, *params.output_tools]


def map_tool(tool: ToolDefinition) -> JsonObject:
    """One tool. `strict` is always said, as its default differs from one model to the next.

    Raises:
        ConfigurationError: If the backend would refuse its name, by which it is called and which thus has to stay.
    """
    if not is_wire_name(tool.name):
        raise ConfigurationError(
            f'The tool {tool.name!r} has a name that the backend refuses: it takes ASCII letters, digits, _ and '
            f'-, at most {LONGEST_ID} of them. Rename it, for example with `toolset.renamed(...)`.'
        )
    return {
        'type': 'function',
        'name': tool.name,
        'description': tool.description or '',
        'parameters': tool.parameters_json_schema,
        'strict': bool(tool.strict),
    }


def map_tool_choice(settings: Mapping[str, Any], params: ModelRequestParameters) -> str | JsonObject | None:
    """The `tool_choice` of a request, or `None` where there are no tools to choose from.

    Raises:
        ConfigurationError: If the setting `tool_choice` asks for tools that are not there.
    """
    sent = [tool.name for tool in sent_tools(params)]
    mode, names = _resolve(settings.get('tool_choice'), params)
    if not sent:
        return None
    if names is None or names.issuperset(sent):
        return mode
    allowed = [{'type': 'function', 'name': name} for name in sent if name in names]
    if not allowed:
        return 'none'
    if mode == 'required' and len(allowed) == 1:
        return cast(JsonObject, allowed[0])
    return {'type': 'allowed_tools', 'mode': mode, 'tools': allowed}


def map_text_format(params: ModelRequestParameters) -> JsonObject | None:
    """The `text.format` of a request whose output is native JSON, else `None`."""
    if params.output_mode != 'native' or params.output_object is None:
        return None
    output = params.output_object
    text_format: JsonObject = {
        'type': 'json_schema',
        # Nobody reads it back, and names of types such as `Box[int]` are no names on the wire.
        'name': wire_name(output.name or 'final_result'),
        'schema': output.json_schema,
        'strict': bool(output.strict),
    }
    if output.description:
        text_format['description'] = output.description
    return text_format


def _resolve(choice: object, params: ModelRequestParameters) -> tuple[_Mode, set[str] | None]:
    """pydantic-ai's rules for `tool_choice`: how firmly to choose, and among which tools (`None` for all)."""
    free: _Mode = 'auto' if params.allow_text_output or params.allow_image_output else 'required'
    outputs = {tool.name for tool in params.output_tools}
    if choice is None or choice == 'auto':
        return free, None
    if choice == 'none' or choice == []:
        return (free, outputs) if outputs else ('none', None)
    if choice == 'required':
        _check_any(params)
        return 'required', {tool.name for tool in sent_tools(params)}
    if isinstance(choice, ToolOrOutput):
        if choice.function_tools:
            _check_known(set(choice.function_tools), {tool.name for tool in params.function_tools})
            _check_callable(set(choice.function_tools) | outputs, params)
        elif not outputs:
            return 'none', None
        return free, set(choice.function_tools) | outputs
    if isinstance(choice, list):
        names = {str(name) for name in cast('list[object]', choice)}
        _check_known(names, set(params.tool_defs))
        _check_callable(names, params)
        return 'required', names
    raise ConfigurationError(
        f'The setting `tool_choice` takes "auto", "none", "required", a list of tool names or a `ToolOrOutput`, not '
        f'{choice!r}.'
    )


def _check_any(params: ModelRequestParameters) -> None:
    if not params.declared_function_tools:
        raise ConfigurationError(
            'The setting `tool_choice` is "required", and there is no function tool to call. Give the agent one, or '
            'set `tool_choice` to "auto".'
        )


def _check_callable(names: set[str], params: ModelRequestParameters) -> None:
    if not names & {tool.name for tool in sent_tools(params)}:
        raise ConfigurationError(f'No tool in the setting `tool_choice` can be called yet: {sorted(names)}.')


def _check_known(names: set[str], known: set[str]) -> None:
    """Names that are not there now may be there in the next request of a dynamic toolset; all unknown is a mistake."""
    if names & known and names - known:
        warnings.warn(
            f'The setting `tool_choice` names tools that there are not, which are left out: {sorted(names - known)}; '
            f'known are {sorted(known)}.',
            UserWarning,
            stacklevel=2,
        )
    if not names & known:
        raise ConfigurationError(
            f'The setting `tool_choice` names no tool that there is: {sorted(names)}; known are {sorted(known)}.'
        )
