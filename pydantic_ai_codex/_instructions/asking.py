"""Asking GitHub for the instructions of a model, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

import anyio
import anyio.to_thread

from .._protocol.instruction_files import REPOSITORY, InstructionFile, InstructionSource, UnusableTextError, read_text
from .cache import MemoryCache
from .github import GitHub, GitHubError
from .records import Entry, Failure
from .steps import FILES, RELEASE, Step, Want, key, ref_of, remembered
from .texts import TextState

_NOTED, _LONG = 0.5, 5.0
"""Seconds. Whoever gives up later than the first is noted, and later than the second it counts as a failure."""

_TOO_OFTEN: Final = 3
"""How often in a row that may be. A program that always gives up before GitHub answers would wait at every request."""

_GAVE_UP: Final = 60.0
"""Seconds for which that is remembered."""


class Asking:
    """Asks GitHub for the instructions of a model; what it says goes into the memory.

    Args:
        source: Where the instructions come from.
        want: What is wanted.
        github: Whom to ask.
        memory: What this process knows.
        next_step: What to do next, after the memory has changed.
        now: The wall clock, in UTC.
        is_exact: Whether a user has named the tag or commit, so that no other text will do.
    """

    def __init__(
        self,
        source: InstructionSource,
        want: Want,
        *,
        github: GitHub,
        memory: MemoryCache,
        next_step: Callable[[], Step],
        now: Callable[[], datetime],
        is_exact: bool,
    ) -> None:
        self._source = source
        self._want = want
        self._github = github
        self._memory = memory
        self._next_step = next_step
        self._now = now
        self._is_exact = is_exact
        self.has_begun = False
        """Whether anything was asked."""
        self.outcome: TextState = 'fresh'
        """How the text was got."""
        self.got: Entry | None = None
        """The text."""
        self.failure: Failure | None = None
        """What kept from getting something, at first."""

    async def run(self, step: Step, seconds: float, *, is_impatient: bool) -> None:
        """Ask.

        Args:
            step: For what.
            seconds: How long that may take.
            is_impatient: Whether that is little, as there is a text at hand.

        Raises:
            ConfigurationError: If the environment keeps the client from being made.
        """
        self.has_begun = True
        began = anyio.current_time()
        try:
            with anyio.move_on_after(seconds) as scope:
                if step.release:
                    await self._ask_release(seconds / 2)
                if (ref := ref_of(self._want, self._memory.load_state())) and self._next_step().file:
                    await self._ask_file(ref)
        except anyio.get_cancelled_exc_class():
            self._give_up(anyio.current_time() - began)
            raise
        if scope.cancelled_caught:
            self._fail_all('GitHub did not answer in time', is_impatience=is_impatient)

    async def _ask_release(self, patience: float) -> None:
        state = self._memory.load_state()
        try:
            release = await self._github.release(state.release, self._now(), patience=patience)
        except GitHubError as error:
            self._fail(RELEASE, str(error), wait=error.wait)
        else:
            self._memory.given_up = 0
            self._memory.save_state(state.with_release(release).without_failure(RELEASE))

    async def _ask_file(self, ref: str) -> None:
        known = self._memory.load_entry(self._want.name, ref)
        has_catalog = False
        for file in self._candidates(ref, known):
            if file.is_catalog and has_catalog:
                continue
            try:
                entry = await self._fetch(file, ref, known)
            except GitHubError as error:
                if not error.is_missing:
                    return self._fail(FILES, str(error), wait=error.wait)
            except UnusableTextError as error:
                return self._fail(key(self._want, ref), f'{file.url(ref)} is of no use: {error}', is_final=True)
            else:
                if entry is not None:
                    return self._take(entry)
                has_catalog = True  # One that lacks the model, as an older one would.
            # It has answered, whatever was the case before.
            self._memory.save_state(self._memory.load_state().without_failure(FILES))
        reason = f'{REPOSITORY} has no instructions for {self._source.slug!r} at {ref!r}'
        self._fail(key(self._want, ref), reason, is_final=True)

    def _candidates(self, ref: str, known: Entry | None) -> Iterator[InstructionFile]:
        """Where to look."""
        # For whoever has named a release, only what it has itself will do.
        files = [file for file in self._source.files if file.sha is None or not self._is_exact]
        urls = [file.url(ref) for file in files]
        # A tag does not change: what it did not have before, it does not have now.
        start = urls.index(known.url) if known is not None and known.url in urls else 0
        return iter(files[start:])

    async def _fetch(self, file: InstructionFile, ref: str, known: Entry | None) -> Entry | None:
        """The text of a file, or `None` where it has none for this model."""
        url = file.url(ref)
        old = known if known is not None and known.url == url else None
        reply = await self._github.file(file, ref, old.etag if old else None, self._now())
        if old is not None and reply.is_unchanged:
            self.outcome = 'revalidated'
            return replace(old, etag=reply.etag or old.etag, checked_at=self._now())
        # A catalog takes some milliseconds.
        text = await anyio.to_thread.run_sync(read_text, reply.content, file, self._source.slug)
        if text is None:
            return None
        self.outcome = 'fetched'
        return Entry(ref, url, reply.etag, self._now(), file.sha is not None, text)

    def _take(self, entry: Entry) -> None:
        self.got = entry
        self._memory.given_up = 0
        state = self._memory.load_state()
        self._memory.save_entry(self._want.name, entry, spare=state.tag)
        self._memory.save_state(state.without_failure(FILES).without_failure(key(self._want, entry.ref)))

    def _give_up(self, seconds: float) -> None:
        """Note that somebody did not wait any longer."""
        if seconds >= _NOTED:
            self._memory.given_up += 1
        if seconds >= _LONG or self._memory.given_up >= _TOO_OFTEN:
            self._fail_all('GitHub had not answered when the request was given up', wait=_GAVE_UP)

    def _fail(
        self,
        what: str,
        reason: str,
        *,
        wait: float | None = None,
        is_final: bool = False,
        is_impatience: bool = False,
    ) -> None:
        failure = remembered(reason, self._now(), wait=wait, is_final=is_final, is_impatience=is_impatience)
        self.failure = self.failure or failure
        self._memory.save_state(self._memory.load_state().with_failure(what, failure))

    def _fail_all(self, reason: str, *, wait: float | None = None, is_impatience: bool = False) -> None:
        """Remember that nobody answered, whichever host was asked last: the next start shall not wait for the other."""
        for what in (RELEASE, FILES):
            self._fail(what, reason, wait=wait, is_impatience=is_impatience)
