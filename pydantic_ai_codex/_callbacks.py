"""Functions of the user's that are told of something: plain ones, and nothing depends on them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Final, TypeVar

from .errors import ConfigurationError

_C = TypeVar('_C', bound=Callable[..., object])
_V = TypeVar('_V')

_log: Final = logging.getLogger('pydantic_ai_codex')


def checked_callback(name: str, callback: _C | None) -> _C | None:
    """The function as it is.

    Args:
        name: The argument that it is.
        callback: The function.

    Raises:
        ConfigurationError: If it cannot be called, or would have to be awaited.
    """
    if callback is not None and (not callable(callback) or _is_async(callback)):
        raise ConfigurationError(f'`{name}` takes a plain function, not {callback!r}; it is called and not awaited.')
    return callback


def tell(name: str, callback: Callable[[_V], object] | None, value: _V) -> None:
    """Call the function, if there is one. What it raises goes to the log: the turn is worth more than its watchers.

    Args:
        name: The argument that it is.
        callback: The function.
        value: What it is told.
    """
    if callback is None:
        return
    try:
        callback(value)
    except Exception as error:  # noqa: BLE001 - see above
        # Not its words, which may hold anything.
        _log.warning('`%s` raised %s; the request goes on without it.', name, type(error).__name__)


def _is_async(callback: object) -> bool:
    """Whether it has to be awaited: a function, or an object that can be called like one."""
    return inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(type(callback).__call__)
