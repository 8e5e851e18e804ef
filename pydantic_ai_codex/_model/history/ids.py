"""Ids and names of other services' histories, in a form that the backend takes; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from ..._protocol.requests import JsonObject

LONGEST_ID: Final = 64
"""The Responses API refuses longer ids (public reports)."""

_NOT_IN_NAMES: Final = re.compile(r'[^a-zA-Z0-9_-]')


def wire_call_id(tool_call_id: str) -> str:
    """The id that pairs a call with its output.

    Older histories of pydantic-ai carry the item's id behind a bar, and other services have longer ids.
    """
    call_id, bar, item_id = tool_call_id.partition('|')
    if bar and not item_id.startswith('fc_'):
        call_id = tool_call_id
    return call_id if len(call_id) <= LONGEST_ID else f'call_{_digest(call_id)}'


def wire_name(tool_name: str) -> str:
    """The name of a called tool: other services allow dots, colons and more in it, and longer ones."""
    return _NOT_IN_NAMES.sub('_', tool_name)[:LONGEST_ID] or 'unknown'


def wire_item_id(item_id: str | None, prefix: str) -> str | None:
    """The id of an item, or `None` where the backend would refuse it (public reports)."""
    return item_id if item_id and item_id.startswith(prefix) and len(item_id) <= LONGEST_ID else None


def needed_item_id(item_id: str, prefix: str) -> str:
    """The id of an item that needs one: another, made of it, where the backend would refuse it."""
    return wire_item_id(item_id, prefix) or f'{prefix}_{_digest(item_id)}'


def strip_repeated_ids(items: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Leave out the id of an item that has come before, as in a history that holds a response twice.

    The backend refuses "duplicate items" (public reports). A web search is left out as a whole, as it needs its id.

    Args:
        items: Input items, in order.
    """
    seen: set[str] = set()
    for item in items:
        item_id: str | None = item.get('id')
        if item_id is None:
            yield item
        elif item_id not in seen:
            seen.add(item_id)
            yield item
        elif item.get('type') != 'web_search_call':
            yield {name: value for name, value in item.items() if name != 'id'}


def _digest(text: str) -> str:
    return sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]
