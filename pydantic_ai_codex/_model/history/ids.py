"""Ids and names of other services' histories, in a form that the backend takes; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from pydantic_core import to_json

from ..._protocol.requests import JsonObject

LONGEST_ID: Final = 64
"""The Responses API refuses longer ids (public reports)."""

_NOT_IN_NAMES: Final = re.compile(r'[^a-zA-Z0-9_-]')


def wire_call_id(tool_call_id: str) -> str:
    """The id that pairs a call with its output.

    Older histories of pydantic-ai carry the item's id behind a bar, and other services have longer ids.
    """
    if '|' not in tool_call_id and len(tool_call_id) <= LONGEST_ID:
        return tool_call_id
    call_id, bar, item_id = tool_call_id.partition('|')
    if bar and not item_id.startswith('fc_'):
        call_id = tool_call_id
    return call_id if len(call_id) <= LONGEST_ID else f'call_{_digest(call_id)}'


def wire_name(tool_name: str) -> str:
    """The name of a called tool: other services allow dots, colons and more in it, and longer ones."""
    return _NOT_IN_NAMES.sub('_', tool_name)[:LONGEST_ID] or 'unknown'


def is_wire_name(name: str) -> bool:
    """Whether the backend takes a name as it is."""
    return wire_name(name) == name


def is_item_id(item_id: object) -> bool:
    """Whether something can be the id of an item."""
    return isinstance(item_id, str) and 0 < len(item_id) <= LONGEST_ID


def wire_item_id(item_id: str | None, prefix: str) -> str | None:
    """The id of an item, or `None` where the backend would refuse it (public reports)."""
    return item_id if item_id and item_id.startswith(prefix) and is_item_id(item_id) else None


def needed_item_id(item_id: str, prefix: str) -> str:
    """The id of an item that needs one: another, made of it, where the backend would refuse it."""
    return wire_item_id(item_id, prefix) or f'{prefix}_{_digest(item_id)}'


def make_ids_distinct(items: list[JsonObject]) -> list[JsonObject]:
    """Leave out the id of an item that has come before, as in a history that holds a response twice.

    The backend refuses "duplicate items" (public reports). A web search needs an id, so it gets another one, made of
    what it is: relays that leave the ids out have the same made-up one in each response. The very same search is left
    out.

    Args:
        items: Input items, in order.
    """
    ids = [item['id'] for item in items if 'id' in item]
    return items if len(set(ids)) == len(ids) else list(_distinct(items))


def _distinct(items: Iterable[JsonObject]) -> Iterator[JsonObject]:
    seen: dict[str, JsonObject] = {}
    for item in items:
        first = seen.get(item.get('id', ''))
        told_apart = item if first is None else _tell_apart(item, first)
        item_id: str | None = told_apart.get('id')
        if item_id is None:
            yield told_apart
        elif item_id not in seen:
            seen[item_id] = told_apart
            yield told_apart


def _tell_apart(item: JsonObject, first: JsonObject) -> JsonObject:
    """An item with the id of another one; as it is only where both are the same search."""
    if item.get('type') != 'web_search_call':
        return {name: value for name, value in item.items() if name != 'id'}
    return item if item == first else {**item, 'id': f'ws_{_digest(to_json(item).decode())}'}


def _digest(text: str) -> str:
    return sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]
