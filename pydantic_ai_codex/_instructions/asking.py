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

_PATIENCE: Final = 0.5
"""Seconds after which it counts as a failure that somebody gave up. A program that always gives up before GitHub answers
would otherwise wait at every request."""

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
        """What kept from getting something, at last."""
        self.may_be_kept = True
        """Whether what was got may go into files."""

    async def run(self, step: Step, seconds: float) -> None:
        """Ask.

        Args:
            step: For what.
            seconds: How long that may take.

        Raises:
            ConfigurationError: If the environment keeps the client from being made.
        """
        self.has_begun = True
        asking = RELEASE if step.release else FILES
        began = anyio.current_time()
        try:
            with anyio.move_on_after(seconds) as scope:
                may_go_on = not step.release or await self._ask_release()
                asking = FILES
                if may_go_on and (ref := ref_of(self._want, self._memory.load_state())) and self._next_step().file:
                    await self._ask_file(ref)
        except anyio.get_cancelled_exc_class():
            if anyio.current_time() - began >= _PATIENCE:
                self._fail_all(asking, 'GitHub had not answered when the request was given up', wait=_GAVE_UP)
            raise
        if scope.cancelled_caught:
            self._fail_all(asking, 'GitHub did not answer in time')

    async def _ask_release(self) -> bool:
        """Ask which release is the newest; whether it makes sense to ask GitHub for more."""
        state = self._memory.load_state()
        try:
            release = await self._github.release(state.release, self._now())
        except GitHubError as error:
            self.may_be_kept = error.may_be_kept
            fail = self._fail if error.is_answer else self._fail_all
            fail(RELEASE, str(error), wait=error.wait)
            return error.is_answer
        self.may_be_kept = release.may_be_kept
        self._memory.save_state(state.with_release(release).without_failure(RELEASE))
        return True

    async def _ask_file(self, ref: str) -> None:
        known = self._memory.load_entry(self._want.name, ref)
        has_catalog = False
        for file in self._candidates(ref, known):
            if file.is_catalog and has_catalog:
                continue
            try:
                entry = await self._fetch(file, ref, known)
            except GitHubError as error:
                self.may_be_kept = self.may_be_kept and error.may_be_kept
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
        release = self._memory.load_state().release
        # Of an older release, or one that only a history names, another text would be kept under its name.
        may_be_pinned = not self._is_exact and release is not None and ref == release.tag
        files = [file for file in self._source.files if file.sha is None or may_be_pinned]
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
            return replace(old, etag=reply.etag or old.etag, checked_at=self._now(), may_be_kept=reply.may_be_kept)
        # A catalog takes some milliseconds.
        text = await anyio.to_thread.run_sync(read_text, reply.content, file, self._source.slug)
        if text is None:
            return None
        self.outcome = 'fetched'
        return Entry(ref, url, reply.etag, self._now(), file.sha is not None, text, may_be_kept=reply.may_be_kept)

    def _take(self, entry: Entry) -> None:
        self.got = entry
        self.may_be_kept = self.may_be_kept and entry.may_be_kept
        state = self._memory.load_state()
        self._memory.save_entry(self._want.name, entry, spare=state.release.tag if state.release else None)
        self._memory.save_state(state.without_failure(FILES).without_failure(key(self._want, entry.ref)))

    def _fail(self, what: str, reason: str, *, wait: float | None = None, is_final: bool = False) -> None:
        self.failure = remembered(reason, self._now(), wait=wait, is_final=is_final)
        self._memory.save_state(self._memory.load_state().with_failure(what, self.failure))

    def _fail_all(self, what: str, reason: str, *, wait: float | None = None) -> None:
        """Remember that nobody answered: where one host is out of reach, the next start shall not wait for the other."""
        for each in {what, FILES}:
            self._fail(each, reason, wait=wait)
