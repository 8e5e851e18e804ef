"""The folder for what can be fetched again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, TypeAlias

from .. import _environment
from ..errors import ConfigurationError

CacheDir: TypeAlias = str | os.PathLike[str] | Literal[False] | None
"""A folder, `False` for memory alone, or `None` for the folder that the environment points to."""

_NAME = 'pydantic-ai-codex'


def cache_folder(cache_dir: str | os.PathLike[str] | None = None, name: str = 'instructions') -> Path:
    """The folder that the texts are kept in, or what else `name` says, from the root on; it need not exist.

    In a folder that others may use as well, it is one of our own: other tools keep files of the same purpose there, with
    times in other units.

    Args:
        cache_dir: The cache folder; by default the one in `CODEX_CACHE_DIR`, else the platform's for this program.
        name: What is kept there.

    Raises:
        ConfigurationError: If it is in the home folder of somebody who is not there.
    """
    named = cache_dir or _environment.read('CODEX_CACHE_DIR')
    if named:
        folder = os.path.expanduser(named)
        if folder.startswith('~'):
            raise ConfigurationError(f'The cache folder {named!r} is in no home folder that there is; name another.')
        path = Path(folder, _NAME, name)
        try:
            return path.absolute()
        except OSError:  # The working directory is gone, and so nothing will be kept there.
            return path

    import platformdirs

    return platformdirs.user_cache_path(_NAME, appauthor=False) / name
