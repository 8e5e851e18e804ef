"""One look for the instructions of a model: in the memory, in the cache, and at GitHub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import anyio
import anyio.to_thread

from .._lock import patiently
from .._protocol.instruction_files import (
    REPOSITORY,
    InstructionFile,
    InstructionSource,
    UnusableTextError,
    read_text,
)
from ..errors import ConfigurationError
from .cache import Cache, MemoryCache
from .github import GitHub, GitHubError
from .records import Entry, Failure
from .steps import BUDGET, FILES, RELEASE, STALE_BUDGET, Step, View, Want, failure_of, key, next_step, remembered
from .texts import ModelInstructions, TextState, built_in, from_entry, sentence


class Errand:
    """One look for the instructions of a model.

    Args:
        source: Where the instructions come from.
        ref: The tag or commit, or `None` for the newest release.
        github: Whom to ask.
        memory: What this process knows.
        kept: Gives the cache; called in a worker thread.
        now: The wall clock, in UTC.
        is_exact: Whether a user has named the tag or commit, so that no other text will do.
        is_refresh: Whether to ask GitHub in any case.
    """

    def __init__(
        self,
        source: InstructionSource,
        ref: str | None,
        *,
        github: GitHub,
        memory: MemoryCache,
        kept: Callable[[], Cache],
        now: Callable[[], datetime],
        is_exact: bool = False,
        is_refresh: bool = False,
    ) -> None:
        self._source = source
        self._want = Want(source.name, ref)
        self._github = github
        self._memory = memory
        self._kept = kept
        self._now = now
        self._is_exact = is_exact
        self._refresh_since = now() if is_refresh else None
        self._got: Entry | None = None
        self._outcome: TextState = 'fresh'

    async def run(self) -> ModelInstructions:
        """The instructions.

        Raises:
            ConfigurationError: If GitHub has none at the tag or commit that a user has named.
        """
        step = self._step()
        if not step.is_settled:
            cache = await anyio.to_thread.run_sync(self._recall)
            step = self._step()
            if not step.is_settled:
                step = await self._ask(cache)
        return self._found(step)

    # What is at hand.

    def _ref(self) -> str | None:
        release = self._memory.load_state().release
        return self._want.ref or (release.tag if release else None)

    def _view(self) -> View:
        ref = self._ref()
        entry = None if ref is None else self._memory.load_entry(self._want.name, ref)
        if self._is_exact:
            return View(self._memory.load_state(), None if entry is not None and entry.is_pinned else entry)
        older = self._memory.newest_entry(self._want.name) if entry is None else None
        return View(self._memory.load_state(), entry, older)

    def _step(self) -> Step:
        return next_step(self._want, self._view(), self._now(), refresh_since=self._refresh_since)

    def _recall(self, is_locked: bool = False) -> Cache:
        """Take into the memory what this and other processes have kept; in a worker thread."""
        cache = self._kept()
        if cache is not self._memory:
            self._memory.adopt_state(cache.load_state, is_locked=is_locked)
            ref = self._ref()
            entry = None if ref is None else cache.load_entry(self._want.name, ref)
            if entry := entry or cache.newest_entry(self._want.name):
                known = self._memory.load_entry(self._want.name, entry.ref)
                # What is known here is newer where it could not be kept.
                if known is None or known.checked_at <= entry.checked_at:
                    self._memory.save_entry(self._want.name, entry)
                    self._memory.paths[key(self._want, entry.ref)] = cache.path_of(self._want.name, entry.ref)
        return cache

    # Asking.

    async def _ask(self, cache: Cache) -> Step:
        view = self._view()
        is_patient = (view.entry is None and view.older is None) or self._refresh_since is not None
        budget = BUDGET if is_patient else STALE_BUDGET
        deadline = anyio.current_time() + budget
        await anyio.to_thread.run_sync(cache.prepare)
        unlock = await patiently(cache.try_lock, budget)
        if unlock is None:
            return Step(problem=remembered('Another program has been asking GitHub for long', self._now()))
        try:
            self._memory.is_asking = True
            # Somebody else may have asked meanwhile: another task, or another process.
            if not self._step().is_settled:
                await anyio.to_thread.run_sync(self._recall, True)
            step = self._step()
            if not step.is_settled:
                step = await self._ask_github(cache, step, deadline, budget)
        finally:
            self._memory.is_asking = False
            unlock()
        return step

    async def _ask_github(self, cache: Cache, step: Step, deadline: float, budget: float) -> Step:
        asking = RELEASE
        with anyio.move_on_after(deadline - anyio.current_time()) as scope:
            may_go_on = not step.release or await self._ask_release()
            asking = FILES
            if may_go_on and (ref := self._ref()) is not None and self._step().file:
                await self._ask_file(ref)
        if scope.cancelled_caught:
            self._fail_all(asking, f'GitHub did not answer within {budget:.0f} seconds')
        # To its end, as others wait for it.
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._keep, cache)
        if self._refresh_since is not None and self._got is None:
            return Step(problem=self._failure())
        return next_step(self._want, self._view(), self._now())

    async def _ask_release(self) -> bool:
        """Ask which release is the newest; whether it makes sense to ask GitHub for more."""
        state = self._memory.load_state()
        try:
            release = await self._github.release(state.release, self._now())
        except GitHubError as error:
            if error.is_answer:
                self._fail(RELEASE, str(error), wait=error.wait)
            else:
                self._fail_all(RELEASE, str(error))
            return error.is_answer
        self._memory.save_state(state.with_release(release).without_failure(RELEASE))
        return True

    async def _ask_file(self, ref: str) -> None:
        known = self._memory.load_entry(self._want.name, ref)
        for file in self._source.files:
            if file.sha is not None and self._is_exact:
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
        reason = f'{REPOSITORY} has no instructions for {self._source.slug!r} at {ref!r}'
        self._fail(key(self._want, ref), reason, is_final=True)

    async def _fetch(self, file: InstructionFile, ref: str, known: Entry | None) -> Entry | None:
        """The text of a file, or `None` where it has none for this model."""
        url = file.url(ref)
        old = known if known is not None and known.url == url else None
        reply = await self._github.file(file, ref, old.etag if old else None, self._now())
        if old is not None and reply.is_unchanged:
            self._outcome = 'revalidated'
            return replace(old, etag=reply.etag or old.etag, checked_at=self._now())
        text = read_text(reply.content, file, self._source.slug)
        if text is None:
            return None
        self._outcome = 'fetched'
        return Entry(ref, url, reply.etag, self._now(), file.sha is not None, text)

    def _take(self, entry: Entry) -> None:
        self._got = entry
        self._memory.save_entry(self._want.name, entry)
        state = self._memory.load_state()
        self._memory.save_state(state.without_failure(FILES).without_failure(key(self._want, entry.ref)))

    def _fail(self, what: str, reason: str, *, wait: float | None = None, is_final: bool = False) -> None:
        failure = remembered(reason, self._now(), wait=wait, is_final=is_final)
        self._memory.save_state(self._memory.load_state().with_failure(what, failure))

    def _fail_all(self, what: str, reason: str) -> None:
        """Remember that nobody answered: where one host is out of reach, the next start shall not wait for the other."""
        for each in {what, FILES}:
            self._fail(each, reason)

    def _failure(self) -> Failure | None:
        """What kept from getting anything, whether or not a text is fresh all the same."""
        names = (RELEASE, FILES, key(self._want, self._ref() or ''))
        failures = (failure_of(self._memory.load_state(), name, self._now()) for name in names)
        return next((failure for failure in failures if failure is not None), None)

    def _keep(self, cache: Cache) -> None:
        """Have other processes know what was got; in a worker thread."""
        if cache is self._memory:
            return
        # The text first: a release whose text is not there yet would have others ask for it.
        if (entry := self._got) is not None:
            is_kept = cache.save_entry(self._want.name, entry)
            self._memory.paths[key(self._want, entry.ref)] = (
                cache.path_of(self._want.name, entry.ref) if is_kept else None
            )
        self._memory.is_ahead = not cache.save_state(self._memory.load_state())

    # The result.

    def _found(self, step: Step) -> ModelInstructions:
        view = self._view()
        self._check_exact(view)
        entry = view.entry or view.older
        problem = None if step.problem is None else sentence(step.problem)
        if entry is None:
            return built_in(self._want.name, problem)
        is_current = entry is view.entry and step.problem is None
        return from_entry(
            self._want.name,
            entry,
            self._outcome if is_current else 'stale',
            path=self._memory.paths.get(key(self._want, entry.ref)),
            problem=problem,
        )

    def _check_exact(self, view: View) -> None:
        if not self._is_exact or view.entry is not None or self._want.ref is None:
            return
        failure = failure_of(view.state, key(self._want, self._want.ref), self._now())
        if failure is not None:
            raise ConfigurationError(f'{failure.reason}. Name another release, such as "rust-v0.169.0", or none.')
