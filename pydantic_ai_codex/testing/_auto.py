"""An answer for any request, for those who have no script: the default of `pydantic-ai-codex simulate`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from ._items import call, compaction, say, think
from ._records import RecordedRequest
from ._script import Turn, turn

_DEPTH = 8
"""How deep an example value goes; a schema that refers to itself has no end of its own."""


def auto_reply(request: RecordedRequest) -> Turn:
    """Answer any request sensibly, without a script.

    The first tool is called once, with example arguments of the types in its schema (bounds and formats are not read);
    then, or without tools, the answer repeats what was said. A JSON schema for the output is answered with an example
    value, and a request to compact the history with a compaction.

    Args:
        request: The request.
    """
    body = request.body
    items: list[dict[str, Any]] = body['input']
    text: dict[str, Any] = body.get('text') or {}
    output_format: dict[str, Any] = text.get('format') or {}
    forced = body.get('tool_choice') not in (None, 'auto', 'none')
    last = items[-1]
    if last.get('type') == 'compaction_trigger':
        return turn(compaction())
    answered = str(last.get('type')).endswith('_call_output')
    if (tool := _tool(body)) is not None and (forced or not answered):
        arguments = example_value(cast('dict[str, Any]', tool.get('parameters') or {}))
        return turn(think(f'I call {tool["name"]} with made-up arguments.'), call(tool['name'], arguments))
    if output_format.get('type') == 'json_schema':
        return turn(say(json.dumps(example_value(output_format['schema']))))
    if answered:
        heard = f'Simulated answer; the tool said: {_text(last.get("output"))}'
        return turn(think('The tool has answered.'), say(heard))
    heard = f'Simulated answer to: {_text(last.get("content")) or _kind(last)}'
    return turn(think('I repeat what I was told.'), say(heard))


def example_value(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
    """A value that fits a JSON schema; every property of an object is in it.

    Args:
        schema: The schema.
        root: The schema that its references refer to.
        depth: How deep the value already is.
    """
    root = schema if root is None else root
    if isinstance(reference := schema.get('$ref'), str):
        target: Any = root
        for key in reference.removeprefix('#').strip('/').split('/'):
            target = target.get(key, {}) if key else target
        return example_value(target, root, depth + 1) if depth < _DEPTH else None
    for choices in (schema.get('anyOf'), schema.get('oneOf'), schema.get('allOf')):
        if choices:
            return example_value(choices[-1 if depth >= _DEPTH else 0], root, depth + 1)
    if 'const' in schema or schema.get('enum'):
        return schema.get('const', (schema.get('enum') or [None])[0])
    kind = schema.get('type')
    kind = cast('list[str]', kind)[0] if isinstance(kind, list) else kind
    if kind == 'object':
        properties: dict[str, Any] = schema.get('properties') or {}
        return {name: example_value(each, root, depth + 1) for name, each in properties.items()}
    if kind == 'array':
        count = max(1 if depth < _DEPTH else 0, schema.get('minItems') or 0)
        return [example_value(schema.get('items') or {}, root, depth + 1) for _ in range(count)]
    plain: dict[Any, Any] = {'integer': 1, 'number': 1.5, 'boolean': True, 'null': None}
    return plain.get(kind, 'example')


def _tool(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The function tool that is forced, else the first, unless none may be called."""
    choice: Any = body.get('tool_choice', 'auto')
    tools = [tool for tool in body.get('tools') or () if tool.get('type') == 'function']
    if choice == 'none':
        return None
    if isinstance(choice, dict):
        allowed = cast('dict[str, Any]', choice)
        names = {allowed.get('name'), *(each.get('name') for each in allowed.get('tools') or ())}
        tools = [tool for tool in tools if tool['name'] in names]
    return tools[0] if tools else None


def _text(content: Any) -> str:
    """What a message or an output says; a string, or parts."""
    if isinstance(content, str):
        return content
    return ' '.join(part.get('text') or part.get('refusal') or _kind(part) for part in content or ())


def _kind(item: Mapping[str, Any]) -> str:
    return f'[{item.get("type", "message")}]'
