"""What the checks of the input have in common: looking at one field."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final, TypeAlias, cast

from ._rejections import invalid, missing, quoted, unknown, wrong_type, wrong_value

Json: TypeAlias = dict[str, Any]

_MAX_ID: Final = 64


def check_known(fields: Json, known: Container[str], at: str) -> None:
    """Refuse a field that is not known."""
    for name in fields:
        if name not in known:
            raise unknown(f'{at}.{name}')


def check_string(fields: Json, name: str, at: str) -> str:
    """Refuse a field that is not there or no string; return it."""
    value = fields.get(name)
    if value is None:
        raise missing(f'{at}.{name}')
    if not isinstance(value, str):
        raise wrong_type(f'{at}.{name}', 'a string')
    return value


def check_strings(fields: Json, name: str, at: str) -> None:
    """Refuse a field that is not there or no array of strings."""
    value = fields.get(name)
    if value is None:
        raise missing(f'{at}.{name}')
    if not isinstance(value, list) or not all(isinstance(word, str) for word in cast('list[object]', value)):
        raise wrong_type(f'{at}.{name}', 'an array of strings')


def check_object(fields: Json, name: str, at: str) -> Json:
    """Refuse a field that is not there or no object; return it."""
    value = fields.get(name)
    if value is None:
        raise missing(f'{at}.{name}')
    if not isinstance(value, dict):
        raise wrong_type(f'{at}.{name}', 'an object')
    return cast(Json, value)


def check_array(fields: Json, name: str, at: str) -> None:
    """Refuse a field that is not there or no array."""
    if fields.get(name) is None:
        raise missing(f'{at}.{name}')
    if not isinstance(fields[name], list):
        raise wrong_type(f'{at}.{name}', 'an array')


def check_choice(fields: Json, name: str, at: str, supported: tuple[str, ...]) -> None:
    """Refuse another value than the supported ones; nothing at all is fine."""
    if fields.get(name) is not None and fields[name] not in supported:
        raise wrong_value(f'{at}.{name}', fields[name], quoted(supported))


def check_id_length(value: str, param: str) -> None:
    """Refuse an id that is empty or too long (public reports, of Codex clients)."""
    if not value:
        raise invalid(
            f"Invalid '{param}': empty string. Expected a string with minimum length 1, but got an empty string "
            'instead.',
            param,
            code='empty_string',
        )
    if len(value) > _MAX_ID:
        raise invalid(
            f"Invalid '{param}': string too long. Expected a string with maximum length {_MAX_ID}, but got a string "
            f'with length {len(value)} instead.',
            param,
            code='string_above_max_length',
        )
