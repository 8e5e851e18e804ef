"""A made-up value for any JSON schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias, cast

Json: TypeAlias = dict[str, Any]

_DEPTH: Final = 8
"""How deep an example value goes; a schema that refers to itself has no end of its own."""

_MAX_ITEMS: Final = 100
"""The longest array that is made, whatever `minItems` says."""

_PLAIN: Final[tuple[tuple[str, Any], ...]] = (('integer', 1), ('number', 1.5), ('boolean', True), ('null', None))


def example_value(schema: object, root: object = None, depth: int = 0) -> Any:
    """A value that fits a JSON schema; every property of an object is in it.

    Bounds and formats are not read. Where the schema is none, any value does.

    Args:
        schema: The schema.
        root: The schema that its references refer to; itself by default.
        depth: How deep the value already is.
    """
    fields = _object(schema)
    root = fields if root is None else root
    if isinstance(reference := fields.get('$ref'), str):
        return example_value(_target(reference, root), root, depth + 1) if depth < _DEPTH else None
    for name in ('anyOf', 'oneOf', 'allOf'):
        if choices := _array(fields.get(name)):
            return example_value(choices[-1 if depth >= _DEPTH else 0], root, depth + 1)
    if 'const' in fields:
        return fields['const']
    if values := _array(fields.get('enum')):
        return values[0]
    return _of_type(_kind(fields), fields, root, depth)


def _of_type(kind: object, schema: Json, root: object, depth: int) -> Any:
    if kind == 'object':
        properties = _object(schema.get('properties'))
        return {name: example_value(each, root, depth + 1) for name, each in properties.items()}
    if kind == 'array':
        return [example_value(schema.get('items'), root, depth + 1) for _ in range(_count(schema, depth))]
    return next((value for name, value in _PLAIN if name == kind), 'example')


def _count(schema: Json, depth: int) -> int:
    least = schema.get('minItems')
    count = 1 if depth < _DEPTH else 0
    return max(count, min(least, _MAX_ITEMS)) if isinstance(least, int) else count


def _kind(schema: Json) -> object:
    """The type, or the first where there are several."""
    kind = schema.get('type')
    kinds = _array(kind)
    return kinds[0] if kinds else kind


def _target(reference: str, root: object) -> object:
    """What a reference leads to; nothing, where it leads nowhere."""
    target = root
    for key in reference.removeprefix('#').split('/'):
        target = _object(target).get(key) if key else target
    return target


def _object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _array(value: object) -> Sequence[object]:
    return cast('list[object]', value) if isinstance(value, list) else ()
