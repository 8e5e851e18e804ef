"""Functions of the user's that are told of something: plain ones, and nothing depends on them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar, cast

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
        result = callback(value)
        if inspect.iscoroutine(result):
            result.close()  # Or Python complains of it, later and elsewhere.
            _log.warning('`%s` returned a coroutine, and nothing of it has run: it is called and not awaited.', name)
    except Exception:  # noqa: BLE001 - see above
        _log.warning('`%s` raised an error; the request goes on all the same.', name, exc_info=True)


def _is_async(callback: object) -> bool:
    """Whether it has to be awaited: a function, or an object that can be called like one."""
    while isinstance(callback, partial):
        callback = cast('partial[object]', callback).func
    return inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(type(callback).__call__)
