"""The checks of `input`: each item by itself, then how they fit together (public reports of the Responses API)."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Final, TypeAlias, cast

from ._checks_items import check_item
from ._checks_tools import objects_of
from ._rejections import detail, invalid, wrong_type

Json: TypeAlias = dict[str, Any]

_CALLS: Final = {
    'function_call': 'function call',
    'custom_tool_call': 'custom tool call',
    'local_shell_call': 'local shell call',
}
"""The calls that need an output, as the messages name them."""

_ANSWERS: Final = {
    'function_call_output': ('function_call', 'local_shell_call'),  # Both with this one, in the CLI's source.
    'custom_tool_call_output': ('custom_tool_call',),
    'local_shell_call_output': ('local_shell_call',),
}
"""The outputs, and the calls that each may answer."""


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
        check_item(fields, at, account_id)
        seen.append(fields)
    _check_ids(seen)
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


def _check_ids(items: list[Json]) -> None:
    """No item comes twice."""
    ids: set[str] = set()
    for item in items:
        if item.get('id') is not None:
            _refuse_twice(item['id'], 'id', ids)
            ids.add(item['id'])


def _check_pairs(items: list[Json]) -> None:
    """Every call has one output, which comes after it and is of its kind."""
    calls: dict[str, str] = {}  # In order, to name the first that has no output.
    outputs: set[str] = set()
    for item in items:
        kind: str = item.get('type', 'message')
        if kind in _CALLS:
            _refuse_twice(item['call_id'], 'call_id', calls)
            calls[item['call_id']] = kind
        elif kind in _ANSWERS:
            _check_answer(kind, item['call_id'], calls, outputs)
            outputs.add(item['call_id'])
    for call_id, kind in calls.items():
        if call_id not in outputs:
            raise invalid(f'No tool output found for {_CALLS[kind]} {call_id}.', 'input')


def _check_answer(kind: str, call_id: str, calls: dict[str, str], outputs: Container[str]) -> None:
    if calls.get(call_id) not in _ANSWERS[kind]:
        name = kind.removesuffix('_output').replace('_', ' ')
        raise invalid(f'No tool call found for {name} output with call_id {call_id}.', 'input')
    _refuse_twice(call_id, 'call_id', outputs)


def _refuse_twice(value: str, name: str, taken: Container[str]) -> None:
    if value in taken:
        raise invalid(
            f'Duplicate item found with {name} {value}. Remove duplicate items from your input and try again.', 'input'
        )
