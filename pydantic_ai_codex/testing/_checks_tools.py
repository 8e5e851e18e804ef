"""The checks of `tools`, `tool_choice` and strict schemas (public reports of the Responses API)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias, cast

from ._rejections import invalid, missing, quoted, wrong_type, wrong_value

Json: TypeAlias = dict[str, Any]

NAME: Final = re.compile(r'^[a-zA-Z0-9_-]{1,64}$')

_TOOL_TYPES: Final = (
    'code_interpreter',
    'custom',
    'file_search',
    'function',
    'image_generation',
    'local_shell',
    'mcp',
    'namespace',
    'tool_search',
    'web_search',
)
_MODES: Final = ('none', 'auto', 'required')
_CHOICE_TYPES: Final = ('allowed_tools', 'custom', 'function')
_NOT_STRICT: Final = (
    'allOf',
    'dependentRequired',
    'dependentSchemas',
    'else',
    'if',
    'not',
    'oneOf',
    'patternProperties',
    'then',
)
"""Keywords that a strict schema may not use (the API's guide to structured outputs)."""


def check_tools(body: Json) -> None:
    """Check the tools.

    Raises:
        Rejection: 400.
    """
    tools = body.get('tools')
    if tools is None:
        return
    if not isinstance(tools, list):
        raise wrong_type('tools', 'an array')
    seen: set[str] = set()
    for index, tool in enumerate(cast('list[object]', tools)):
        at = f'tools[{index}]'
        if not isinstance(tool, dict):
            raise wrong_type(at, 'an object')
        fields = cast(Json, tool)
        _check_tool(fields, at)
        name = fields.get('name')
        if isinstance(name, str):
            if name in seen:
                raise invalid(f"Duplicate tool name: '{name}'. Tool names must be unique.", f'{at}.name')
            seen.add(name)


def _check_tool(tool: Json, at: str) -> None:
    kind = tool.get('type')
    if kind is None:
        raise missing(f'{at}.type')
    if kind not in _TOOL_TYPES:
        raise wrong_value(f'{at}.type', kind, quoted(_TOOL_TYPES))
    if kind in ('custom', 'function', 'namespace'):
        _check_name(tool.get('name'), f'{at}.name')
    if kind == 'function':
        _check_function(tool, at)
    if kind == 'namespace' and not isinstance(tool.get('tools'), list):
        raise wrong_type(f'{at}.tools', 'an array')


def _check_name(name: object, param: str) -> None:
    if name is None:
        raise missing(param)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise invalid(
            f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern "
            f"'{NAME.pattern}'.",
            param,
            code='invalid_value',
        )


def _check_function(tool: Json, at: str) -> None:
    if not isinstance(tool.get('description'), str | None):
        raise wrong_type(f'{at}.description', 'a string')
    if not isinstance(tool.get('strict'), bool | None):
        raise wrong_type(f'{at}.strict', 'a boolean')
    parameters = tool.get('parameters')
    if parameters is None:
        raise missing(f'{at}.parameters')
    if not isinstance(parameters, dict):
        raise wrong_type(f'{at}.parameters', 'an object')
    schema = cast(Json, parameters)
    problem = _not_an_object(schema)
    if problem is None and tool.get('strict') is True:
        problem = check_strict_schema(schema)
    if problem is not None:
        raise invalid(
            f"Invalid schema for function '{tool['name']}': {problem}",
            f'{at}.parameters',
            code='invalid_function_parameters',
        )


def check_tool_choice(body: Json) -> None:
    """Check that the choice is possible with the tools.

    Raises:
        Rejection: 400.
    """
    choice = body.get('tool_choice')
    if choice is None:
        return
    if isinstance(choice, str):
        if choice not in _MODES:
            raise wrong_value('tool_choice', choice, quoted(_MODES))
        forced, names = choice == 'required', list[Json]()
    elif isinstance(choice, dict):
        forced, names = _read_choice(cast(Json, choice))
    else:
        raise wrong_type('tool_choice', 'a string or an object')
    # The models of the "lite" kind get their tools as an input item (captured).
    elsewhere = any(_kind(item) == 'additional_tools' for item in objects_of(body.get('input')))
    tools = objects_of(body.get('tools'))
    if forced and not tools and not elsewhere:
        raise invalid("Tool choice 'required' must be specified with 'tools' parameter.", 'tool_choice')
    for name in () if elsewhere else names:
        if not any(_kind(tool) == name['type'] and tool.get('name') == name['name'] for tool in tools):
            raise invalid(f"Tool choice '{name['name']}' not found in 'tools' parameter.", 'tool_choice')


def _read_choice(choice: Json) -> tuple[bool, list[Json]]:
    """Whether the choice forces a call, and the tools it names."""
    kind = choice.get('type')
    if kind not in _CHOICE_TYPES:
        raise wrong_value('tool_choice.type', kind, quoted(_CHOICE_TYPES))
    if kind != 'allowed_tools':
        _check_name(choice.get('name'), 'tool_choice.name')
        return True, [choice]
    mode, tools = choice.get('mode'), objects_of(choice.get('tools'))
    if mode not in ('auto', 'required'):
        raise wrong_value('tool_choice.mode', mode, quoted(('auto', 'required')))
    if not tools:
        raise missing('tool_choice.tools')
    named = [tool for tool in tools if _kind(tool) in ('custom', 'function')]
    for index, tool in enumerate(named):
        _check_name(tool.get('name'), f'tool_choice.tools[{index}].name')
    return mode == 'required', named


def check_strict_schema(schema: Json) -> str | None:
    """Say what keeps a schema from being a strict one, if anything does."""
    problem = _not_an_object(schema)
    if problem is None:
        problem = next((found for node, at in _nodes(schema, ()) if (found := _node_problem(node, at))), None)
    return problem


def _not_an_object(schema: Json) -> str | None:
    if schema.get('type') == 'object':
        return None
    return f'schema must be a JSON Schema of \'type: "object"\', got \'type: "{schema.get("type")}"\'.'


def _node_problem(node: Json, at: tuple[str, ...]) -> str | None:
    context = f'In context={at}, '
    if keyword := next((keyword for keyword in _NOT_STRICT if keyword in node), None):
        return f"{context}'{keyword}' is not permitted."
    if not node.keys() & {'type', '$ref', 'anyOf', 'enum', 'const'}:
        return f"{context}schema must have a 'type' key."
    if node.get('type') != 'object' and 'properties' not in node:
        return None
    if node.get('additionalProperties') is not False:
        return f"{context}'additionalProperties' is required to be supplied and to be false."
    required = cast('list[object]', node['required']) if isinstance(node.get('required'), list) else []
    if absent := next((name for name in _object(node.get('properties')) if name not in required), None):
        return (
            f"{context}'required' is required to be supplied and to be an array including every key in properties. "
            f"Missing '{absent}'."
        )
    return None


def _nodes(schema: Json, at: tuple[str, ...]) -> Iterator[tuple[Json, tuple[str, ...]]]:
    """Every schema inside a schema, with the path to it."""
    yield schema, at
    for keyword in ('properties', '$defs', 'definitions'):
        for name, child in _object(schema.get(keyword)).items():
            yield from _nodes(_object(child), (*at, keyword, name))
    if 'items' in schema:
        yield from _nodes(_object(schema['items']), (*at, 'items'))
    for index, child in enumerate(objects_of(schema.get('anyOf'))):
        yield from _nodes(child, (*at, 'anyOf', str(index)))


def _kind(item: Json) -> object:
    return item.get('type')


def _object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def objects_of(value: object) -> list[Json]:
    """The objects in a list; nothing of anything else."""
    if not isinstance(value, list):
        return []
    return [cast(Json, item) for item in cast('list[object]', value) if isinstance(item, dict)]
