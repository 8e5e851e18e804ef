"""`Instructions`: the text for a model, from the memory, the cache folder, GitHub, or our own."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import Final, cast

from .._clock import Clock, SystemClock
from .._http_reply import HTTPLease
from .._protocol.constants import DEFAULT_ORIGINATOR
from .._protocol.instruction_files import BUILT_IN, check_ref, is_release, source_of
from ..errors import ConfigurationError
from .cache import Cache, FileCache, MemoryCache
from .errand import Errand
from .folder import CacheDir, cache_folder
from .github import GitHub
from .texts import ModelInstructions, built_in

_log: Final = logging.getLogger('pydantic_ai_codex')


class Instructions:
    """Gets the instructions of models. One instance serves any number of threads and event loops.

    Args:
        http_client: A callable that is called for each request and returns an HTTP client, which is entered and left
            with `async with`; by default a client of our own.
        cache_dir: The cache folder; by default `CODEX_CACHE_DIR`, else the platform's. `False` keeps texts in memory.
        originator: How the program names itself to GitHub.
        clock: Time; by default that of this machine.

    Raises:
        ConfigurationError: If an argument cannot work.
    """

    def __init__(
        self,
        http_client: HTTPLease | None = None,
        *,
        cache_dir: CacheDir = None,
        originator: str = DEFAULT_ORIGINATOR,
        clock: Clock | None = None,
    ) -> None:
        _check(cache_dir)
        self._github = GitHub(http_client, originator=originator)
        self._cache_dir = None if cache_dir is False else cache_dir
        self._clock = clock or SystemClock()
        self._memory = MemoryCache()
        self._kept: Cache | None = self._memory if cache_dir is False else None
        self._told: set[str] = set()

    async def get(
        self, slug: str, *, ref: str | None = None, used: str | None = None, refresh: bool = False
    ) -> ModelInstructions:
        """The instructions for a model.

        Where neither GitHub nor the cache has any, it is a short text of our own: that is no error, and is told in the
        log, once for each model.

        Args:
            slug: The model, as it goes on the wire.
            ref: A tag or commit, in place of the newest release.
            used: The `ref` that a conversation began with, which it keeps.
            refresh: Whether to ask GitHub now, whatever is cached and remembered.

        Raises:
            ConfigurationError: If `ref` cannot be one, or GitHub has no instructions for the model there.
        """
        wanted = check_ref(ref) if ref is not None else used if is_release(used) else None
        source = source_of(slug)
        # A conversation that began without does not change its rules later, whatever was pinned.
        if BUILT_IN in (wanted, used):
            return built_in(source.name)
        errand = Errand(
            source,
            wanted,
            github=self._github,
            memory=self._memory,
            kept=self._cache,
            now=self._now,
            is_exact=ref is not None,
            is_refresh=refresh,
        )
        found = await errand.run()
        if found.state == 'built-in' and slug not in self._told:
            self._told.add(slug)
            _log.warning(
                'There are no official instructions for %r now, so a short text of our own takes their place. %s '
                "With CODEX_MODE=0, or the setting codex_instructions='agent', none are fetched.",
                slug,
                found.problem,
            )
        return found

    def _cache(self) -> Cache:
        """Where texts are kept. Not looked for before it is needed, and then in a worker thread."""
        if self._kept is None:
            self._kept = FileCache(cache_folder(self._cache_dir))
        return self._kept

    def _now(self) -> datetime:
        return self._clock.now().astimezone(UTC)


def _check(cache_dir: object) -> None:
    if cache_dir is None or cache_dir is False:
        return
    folder: object = (
        os.fspath(cast('os.PathLike[str]', cache_dir)) if isinstance(cache_dir, str | os.PathLike) else None
    )
    if not isinstance(folder, str) or not folder.strip() or '\0' in folder:
        raise ConfigurationError(f'`cache_dir` takes a folder, or `False` to keep nothing, not {cache_dir!r}.')
