"""The instructions of the model families: fetched from the releases of the Codex CLI, and cached."""

from __future__ import annotations

from .folder import cache_folder
from .instructions import CacheDir, Instructions
from .texts import ModelInstructions

__all__ = ('CacheDir', 'Instructions', 'ModelInstructions', 'cache_folder')
