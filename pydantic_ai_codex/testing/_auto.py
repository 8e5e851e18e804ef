"""An answer for any request, for those who have no script: the default of `pydantic-ai-codex simulate`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from ._checks_tools import objects_of
from ._examples import example_value
from ._items import call, compaction, say, think
from ._records import RecordedRequest
from ._script import Turn, turn

Json: TypeAlias = dict[str, Any]


def auto_reply(request: RecordedRequest) -> Turn:
    """Answer any request sensibly, without a script.

    The first tool is called once, with example arguments of the types in its schema (bounds and formats are not read);
    then, or without tools, the answer repeats what was said. A JSON schema for the output is answered with an example
    value, and a request to compact the history with a compaction.

    Args:
        request: The request; with `strict=False`, of whatever shape.
    """
    body = request.body
    last = next(reversed(objects_of(body.get('input'))), Json())
    if last.get('type') == 'compaction_trigger':
        return turn(compaction())
    forced = body.get('tool_choice') not in (None, 'auto', 'none')
    answered = str(last.get('type')).endswith('_call_output')
    if (name := _tool_name(body)) is not None and (forced or not answered):
        return turn(think(f'I call {name} with made-up arguments.'), call(name, _arguments(body, name)))
    output_format = _object(_object(body.get('text')).get('format'))
    if output_format.get('type') == 'json_schema':
        return turn(say(json.dumps(example_value(output_format.get('schema')))))
    if answered:
        heard = f'Simulated answer; the tool said: {_text(last.get("output"))}'
        return turn(think('The tool has answered.'), say(heard))
    heard = f'Simulated answer to: {_text(last.get("content")) or _kind(last)}'
    return turn(think('I repeat what I was told.'), say(heard))


def _tool_name(body: Json) -> str | None:
    """The function tool that is forced, else the first, unless none may be called."""
    choice: object = body.get('tool_choice')
    names = list(_functions(body))
    if choice == 'none':
        return None
    if isinstance(choice, dict):
        allowed = cast(Json, choice)
        chosen = [allowed.get('name'), *(each.get('name') for each in objects_of(allowed.get('tools')))]
        names = [name for name in names if name in chosen]
    return names[0] if names else None


def _arguments(body: Json, name: str) -> Json:
    return _object(example_value(_functions(body)[name].get('parameters')))


def _functions(body: Json) -> dict[str, Json]:
    """The function tools, by name."""
    tools = objects_of(body.get('tools'))
    return {
        tool['name']: tool for tool in tools if tool.get('type') == 'function' and isinstance(tool.get('name'), str)
    }


def _text(content: object) -> str:
    """What a message or an output says; a string, or parts."""
    if isinstance(content, str):
        return content
    return ' '.join(_part_text(part) for part in objects_of(content))


def _part_text(part: Json) -> str:
    texts = (part.get('text'), part.get('refusal'))
    return next((text for text in texts if isinstance(text, str) and text), _kind(part))


def _kind(item: Mapping[str, Any]) -> str:
    return f'[{item.get("type", "message")}]'


def _object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}
