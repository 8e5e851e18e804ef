"""The instructions of the model families: fetched from the releases of the Codex CLI, and cached.

The names below are imported when they are first used: a program whose agents have instructions of their own does not pay
for this.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .folder import CacheDir as CacheDir
    from .folder import cache_folder as cache_folder
    from .instructions import Instructions as Instructions
    from .texts import ModelInstructions as ModelInstructions

_HOMES = {
    'CacheDir': '.folder',
    'Instructions': '.instructions',
    'ModelInstructions': '.texts',
    'cache_folder': '.folder',
}

__all__ = ('CacheDir', 'Instructions', 'ModelInstructions', 'cache_folder')


if not TYPE_CHECKING:  # else every name would count as there

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        value = getattr(import_module(_HOMES[name], __name__), name)
        globals()[name] = value
        return value
