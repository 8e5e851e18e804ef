"""Values out of JSON that may hold anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias, cast

Wire: TypeAlias = dict[str, Any]
"""An object of the wire, whose fields may hold anything."""


def text_or_none(value: object) -> str | None:
    """The value, where it is a text that says something."""
    return value if isinstance(value, str) and value else None


def object_or_empty(value: object) -> Wire:
    """The value, where it is an object."""
    return cast('Wire', value) if isinstance(value, dict) else {}


def list_or_empty(value: object) -> list[Any]:
    """The value, where it is a list."""
    return cast('list[Any]', value) if isinstance(value, list) else []


def numbered_objects(value: object) -> Iterator[tuple[int, Wire]]:
    """The objects in a list with their positions; what is no object is left out and counted."""
    for position, each in enumerate(list_or_empty(value)):
        if isinstance(each, dict):
            yield position, cast('Wire', each)


def count_of(wire: Wire, key: str) -> int:
    """A number of things, or a position; 0 where there is none."""
    value = wire.get(key)
    return value if type(value) is int and value > 0 else 0  # `True` is no number here.
