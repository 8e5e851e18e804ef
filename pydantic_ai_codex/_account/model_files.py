"""The lists of models that are kept for every process: one small file for each account at a host."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from .._cache_files import files_in, read_file, remove_abandoned, remove_files, replace_file
from .._instructions.folder import CacheDir, cache_folder
from .._protocol.catalog import ModelCatalog, dump_catalog, load_catalog
from .._protocol.constants import CLIENT_VERSION
from ..errors import ConfigurationError

_T = TypeVar('_T')

_PATIENCE: Final = 1.0
"""Seconds to wait until a file is read or written, however the disk is."""

_KEPT: Final = 16
"""How many there may be."""


class ModelFiles:
    """Keeps lists of models, in worker threads. What cannot be read is not there, what cannot be written is not kept.

    Args:
        cache_dir: The cache folder, as in `cache_folder`; `False` keeps nothing.
    """

    def __init__(self, cache_dir: CacheDir) -> None:
        self._cache_dir: CacheDir = cache_dir

    async def load(self, name: str) -> ModelCatalog | None:
        """The list that was kept last. Nobody waits for it for long."""
        return None if self._cache_dir is False else await _in_a_thread(partial(self._load, name))

    async def save(self, name: str, catalog: ModelCatalog) -> None:
        """Keep a list. Nobody waits for it for long."""
        if self._cache_dir is not False:
            await _in_a_thread(partial(self._save, name, catalog))

    def _load(self, name: str) -> ModelCatalog | None:
        folder = self._folder()
        content = None if folder is None else read_file(folder / name)
        return None if content is None else load_catalog(content)

    def _save(self, name: str, catalog: ModelCatalog) -> None:
        folder = self._folder()
        if folder is not None and replace_file(folder / name, dump_catalog(catalog)):
            remove_files(files_in(folder, end='.json')[_KEPT:])
            remove_abandoned(folder)

    def _folder(self) -> Path | None:
        # Not before it is needed, and here: it may take looking into the file system.
        try:
            return None if self._cache_dir is False else cache_folder(self._cache_dir, 'models')
        except ConfigurationError:
            return None  # Where instructions are to be kept there, this is told.


def file_name(base_url: str, account_tag: str) -> str:
    """A name that gives neither the host nor the account away, and is another one in another version of the protocol."""
    words = '\n'.join((base_url, account_tag, CLIENT_VERSION))
    return f'{hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:32]}.json'


async def _in_a_thread(function: Callable[[], _T]) -> _T | None:
    with anyio.move_on_after(_PATIENCE), suppress(RuntimeError):  # There may be no thread to be had.
        return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)
    return None
