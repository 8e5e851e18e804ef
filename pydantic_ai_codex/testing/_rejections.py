"""How the backend says no before a stream begins: a status and a body, in its two shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Rejection(Exception):
    """A refused request; raised inside the checks, answered by the simulator."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def detail(text: str, *, status: int = 400) -> Rejection:
    """The shape of Codex' own front: `{"detail": ...}` (captured)."""
    return Rejection(status, {'detail': text})


def invalid(message: str, param: str | None, *, code: str | None = None, status: int = 400) -> Rejection:
    """The shape of the Responses API behind it (public reports)."""
    error = {'message': message, 'type': 'invalid_request_error', 'param': param, 'code': code}
    return Rejection(status, {'error': error})


def missing(param: str) -> Rejection:
    return invalid(f"Missing required parameter: '{param}'.", param, code='missing_required_parameter')


def wrong_type(param: str, expected: str) -> Rejection:
    return invalid(f"Invalid type for '{param}': expected {expected}.", param, code='invalid_type')


def wrong_value(param: str, value: object, supported: object) -> Rejection:
    return invalid(f"Invalid value: '{value}'. Supported values are: {supported}.", param, code='invalid_value')


def unknown(param: str) -> Rejection:
    return invalid(f"Unknown parameter: '{param}'.", param, code='unknown_parameter')


def repeated(param: str) -> Rejection:
    return invalid(f"Repeated parameter: '{param}'.", param, code='repeated_parameter')


def not_persisted(item_id: str) -> Rejection:
    """An item that the backend would have to look up."""
    return invalid(
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. Try again with "
        '`store` set to true, or remove this item from your input.',
        'input',
        status=404,
    )


def quoted(names: tuple[str, ...]) -> str:
    """`'a', 'b', and 'c'`, as in the API's messages."""
    words = [f"'{name}'" for name in names]
    return ' and '.join(words) if len(words) < 3 else f'{", ".join(words[:-1])}, and {words[-1]}'
