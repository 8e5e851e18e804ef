"""The checks of `input`: each item by itself, then how they fit together (public reports of the Responses API)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any, Final, TypeAlias, cast

from ._checks_tools import NAME, objects_of
from ._rejections import detail, invalid, missing, quoted, wrong_type, wrong_value
from ._tokens import is_sealed_for

Json: TypeAlias = dict[str, Any]

_MAX_ID: Final = 64
_ID_PREFIXES: Final = {'message': 'msg', 'reasoning': 'rs', 'function_call': 'fc', 'function_call_output': 'fc'}
"""How the id of an item begins. Outputs have no id of the backend; the CLI makes `fco_` ones (captured)."""

_INPUT_PARTS: Final = ('input_text', 'input_image', 'input_file')
_OUTPUT_PARTS: Final = ('output_text', 'refusal')
_PART_FIELDS: Final = {
    'input_text': ('text',),
    'input_image': ('image_url', 'file_id'),
    'input_file': ('file_data', 'file_id', 'file_url'),
    'output_text': ('text',),
    'refusal': ('refusal',),
}
"""Of these fields a part has at least one, and it is a string."""

_DETAILS: Final = ('low', 'high', 'auto', 'original')


def check_input(items: object, account_id: str) -> None:
    """Check the input.

    Raises:
        Rejection: The first thing that is wrong with it.
    """
    if not isinstance(items, list) or not items:
        raise detail('Input must be a list')
    seen: list[Json] = []
    for index, item in enumerate(cast('list[object]', items)):
        at = f'input[{index}]'
        if not isinstance(item, dict):
            raise wrong_type(at, 'an object')
        fields = cast(Json, item)
        _check_item(fields, at, account_id)
        seen.append(fields)
    _check_pairs(seen)


def input_texts(items: object) -> Iterator[str]:
    """Every text of the messages of an input."""
    for item in objects_of(items):
        content = item.get('content')
        if isinstance(content, str):
            yield content
        for part in objects_of(content):
            if isinstance(part.get('text'), str):
                yield part['text']


def _check_item(item: Json, at: str, account_id: str) -> None:
    kind = item.get('type', 'message' if 'role' in item else None)
    if kind is None:
        raise missing(f'{at}.type')
    if not isinstance(kind, str) or kind not in _ITEMS:
        raise wrong_value(f'{at}.type', kind, quoted(tuple(_ITEMS)))
    _check_id(item.get('id'), f'{at}.id', _ID_PREFIXES.get(kind, ''))
    if kind == 'reasoning':
        _check_reasoning(item, at, account_id)
    else:
        _ITEMS[kind](item, at)


def _check_id(item_id: object, param: str, prefix: str) -> None:
    if item_id is None:
        return
    if not isinstance(item_id, str):
        raise wrong_type(param, 'a string')
    if not item_id.startswith(prefix):
        raise invalid(
            f"Invalid '{param}': '{item_id}'. Expected an ID that begins with '{prefix}'.", param, code='invalid_value'
        )
    _check_length(item_id, param)


def _check_length(value: str, param: str) -> None:
    if len(value) > _MAX_ID:
        raise invalid(
            f"Invalid '{param}': string too long. Expected a string with maximum length {_MAX_ID}, but got a string "
            f'with length {len(value)} instead.',
            param,
            code='string_above_max_length',
        )


def _check_message(item: Json, at: str) -> None:
    role = item.get('role')
    if role == 'system':
        raise detail('System messages are not allowed')
    if role not in ('user', 'developer', 'assistant'):
        raise wrong_value(f'{at}.role', role, quoted(('assistant', 'developer', 'user')))
    if 'content' not in item:
        raise missing(f'{at}.content')
    if not isinstance(item['content'], str):
        _check_parts(item['content'], f'{at}.content', _OUTPUT_PARTS if role == 'assistant' else _INPUT_PARTS)


def _check_parts(parts: object, at: str, supported: tuple[str, ...]) -> None:
    if not isinstance(parts, list):
        raise wrong_type(at, 'a string or an array')
    for index, part in enumerate(cast('list[object]', parts)):
        where = f'{at}[{index}]'
        if not isinstance(part, dict):
            raise wrong_type(where, 'an object')
        fields = cast(Json, part)
        kind = fields.get('type')
        if kind not in supported:
            raise wrong_value(where, kind, quoted(supported))
        names = _PART_FIELDS[kind]
        if not any(isinstance(fields.get(name), str) for name in names):
            raise missing(f'{where}.{names[0]}')
        if kind == 'input_image' and fields.get('detail', 'auto') not in _DETAILS:
            raise wrong_value(f'{where}.detail', fields['detail'], quoted(_DETAILS))


def _check_reasoning(item: Json, at: str, account_id: str) -> None:
    summary = item.get('summary')
    if summary is None:
        raise missing(f'{at}.summary')
    if not isinstance(summary, list):
        raise wrong_type(f'{at}.summary', 'an array')
    for index, part in enumerate(cast('list[object]', summary)):
        fields = cast(Json, part) if isinstance(part, dict) else {}
        if fields.get('type') != 'summary_text' or not isinstance(fields.get('text'), str):
            raise wrong_value(f'{at}.summary[{index}]', fields.get('type'), "'summary_text'")
    item_id, blob = item.get('id'), item.get('encrypted_content')
    if blob is None and item_id is not None:
        raise invalid(
            f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. Try again "
            'with `store` set to true, or remove this item from your input.',
            'input',
            status=404,
        )
    if blob is None:
        raise missing(f'{at}.encrypted_content')
    if not isinstance(blob, str) or not is_sealed_for(account_id, blob):
        raise invalid(
            f'The encrypted content for item {item_id} could not be verified. Reason: Encrypted content could not be '
            'decrypted or parsed.',
            'input',
            code='invalid_encrypted_content',
        )


def _check_call(item: Json, at: str) -> None:
    for name in ('call_id', 'name', 'arguments'):
        _check_string(item, name, at)
    _check_length(item['call_id'], f'{at}.call_id')
    if not NAME.fullmatch(item['name']):
        raise invalid(
            f"Invalid '{at}.name': string does not match pattern. Expected a string that matches the pattern "
            f"'{NAME.pattern}'.",
            f'{at}.name',
            code='invalid_value',
        )


def _check_output(item: Json, at: str) -> None:
    _check_string(item, 'call_id', at)
    _check_length(item['call_id'], f'{at}.call_id')
    if 'output' not in item:
        raise missing(f'{at}.output')
    if not isinstance(item['output'], str):
        _check_parts(item['output'], f'{at}.output', _INPUT_PARTS)


def _check_string(item: Json, name: str, at: str) -> None:
    if item.get(name) is None:
        raise missing(f'{at}.{name}')
    if not isinstance(item[name], str):
        raise wrong_type(f'{at}.{name}', 'a string')


def _check_loosely(item: Json, at: str) -> None:
    """An item that only the CLI sends (captured, or named in its source)."""
    if not isinstance(item.get('call_id', ''), str):
        raise wrong_type(f'{at}.call_id', 'a string')


def _check_pairs(items: list[Json]) -> None:
    """Every call has one output, which comes after it; no item comes twice."""
    ids: set[str] = set()
    calls: dict[str, None] = {}  # In order, to name the first that has no output.
    outputs: set[str] = set()
    for item in items:
        if item.get('id') is not None:
            _refuse_twice(item['id'], 'id', ids)
            ids.add(item['id'])
        call_id: Any = item.get('call_id')
        if item.get('type') == 'function_call':
            _refuse_twice(call_id, 'call_id', calls)
            calls[call_id] = None
        elif item.get('type') == 'function_call_output':
            if call_id not in calls:
                raise invalid(f'No tool call found for function call output with call_id {call_id}.', 'input')
            _refuse_twice(call_id, 'call_id', outputs)
            outputs.add(call_id)
    for call_id in calls:
        if call_id not in outputs:
            raise invalid(f'No tool output found for function call {call_id}.', 'input')


def _refuse_twice(value: str, name: str, taken: Container[str]) -> None:
    if value in taken:
        raise invalid(
            f'Duplicate item found with {name} {value}. Remove duplicate items from your input and try again.', 'input'
        )


_ITEMS: Final[dict[str, Callable[[Json, str], None]]] = {
    'message': _check_message,
    'reasoning': _check_loosely,
    'function_call': _check_call,
    'function_call_output': _check_output,
    'custom_tool_call': _check_loosely,
    'custom_tool_call_output': _check_loosely,
    'local_shell_call': _check_loosely,
    'local_shell_call_output': _check_loosely,
    'tool_search_call': _check_loosely,
    'tool_search_output': _check_loosely,
    'web_search_call': _check_loosely,
    'image_generation_call': _check_loosely,
    'agent_message': _check_loosely,
    'additional_tools': _check_loosely,
    'compaction': _check_loosely,
    'compaction_trigger': _check_loosely,
    'context_compaction': _check_loosely,
    'configuration_update': _check_loosely,
}
