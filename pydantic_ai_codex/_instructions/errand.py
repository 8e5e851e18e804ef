"""One look for the instructions of a model: in the memory, in the cache, and at GitHub."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import anyio
import anyio.to_thread

from .._lock import Held, patiently
from .._protocol.instruction_files import InstructionSource
from ..errors import ConfigurationError
from .asking import Asking
from .cache import Cache, MemoryCache
from .github import GitHub
from .records import Failure
from .steps import BUDGET, STALE_BUDGET, Step, View, Want, failure_of, key, next_step, ref_of
from .texts import ModelInstructions, built_in, from_entry, sentence

_LONGEST_PAUSE: Final = 0.25
"""Seconds between two looks at whether another task is done: there may be thousands of them."""

_PAUSE: Final = 0.05
"""Seconds between two looks at whether another process is done."""

_GRACE: Final = 1.0
"""Seconds for what comes after asking."""

_HANGING: Final = timedelta(minutes=1)
"""For how long nobody waits for another program that did not give up its turn in time."""


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
        self._want = Want(source.name, ref)
        self._github = github
        self._memory = memory
        self._kept = kept
        self._now = now
        self._is_exact = is_exact
        self._refresh_since = now() if is_refresh else None
        self._asking = Asking(
            source, self._want, github=github, memory=memory, next_step=self._step, now=now, is_exact=is_exact
        )

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

    def _view(self) -> View:
        state = self._memory.load_state()
        ref = ref_of(self._want, state)
        entry = None if ref is None else self._memory.load_entry(self._want.name, ref)
        if self._is_exact:
            return View(state, None if entry is not None and entry.is_pinned else entry)
        return View(state, entry, self._memory.newest_entry(self._want.name) if entry is None else None)

    def _step(self) -> Step:
        return next_step(self._want, self._view(), self._now(), refresh_since=self._refresh_since)

    def _recall(self, is_locked: bool = False) -> Cache:
        """Take into the memory what this and other processes have kept; in a worker thread."""
        cache = self._kept()
        if cache is not self._memory:
            self._memory.adopt_state(cache.load_state, is_locked=is_locked)
            ref = ref_of(self._want, self._memory.load_state())
            entry = None if ref is None else cache.load_entry(self._want.name, ref)
            if entry := entry or cache.newest_entry(self._want.name):
                known = self._memory.load_entry(self._want.name, entry.ref)
                # What is known here is newer where it could not be kept.
                if known is None or known.checked_at <= entry.checked_at:
                    self._memory.save_entry(self._want.name, entry, spare=ref)
                    self._memory.paths[key(self._want, entry.ref)] = cache.path_of(self._want.name, entry.ref)
        return cache

    # Asking: one task of this process at a time, and it alone waits for other processes.

    async def _ask(self, cache: Cache) -> Step:
        is_impatient = self._view().has_text(self._want) and self._refresh_since is None
        budget = STALE_BUDGET if is_impatient else BUDGET
        deadline = anyio.current_time() + budget
        if (hanging := self._memory.hanging) is not None and hanging.at <= self._now() < hanging.until:
            return Step(problem=hanging)
        self._memory.end_overdue(BUDGET + _GRACE)
        unlock = await patiently(self._memory.try_lock, budget, longest_pause=_LONGEST_PAUSE)
        if unlock is None:
            return Step(problem=self._busy('Another request has been asking GitHub for too long'))
        if (step := self._step()).is_settled:  # another task has asked meanwhile
            unlock()
            return step
        self._memory.asking = held = Held()
        held.add(unlock)
        try:
            if not await self._lock_files(cache, held, deadline):
                return Step(problem=self._hang())
            return await self._ask_alone(deadline, budget, is_impatient=is_impatient)
        finally:
            await self._finish(cache, held)

    async def _ask_alone(self, deadline: float, budget: float, *, is_impatient: bool) -> Step:
        await anyio.to_thread.run_sync(self._recall, True)
        step = self._step()
        if step.is_settled:  # another process has asked meanwhile
            return step
        seconds = deadline - anyio.current_time()
        if is_impatient and seconds < budget / 2:
            return Step(problem=self._busy('There was no time left to ask GitHub'))
        await self._asking.run(step, seconds, is_impatient=is_impatient or seconds < budget / 2)
        if self._refresh_since is not None:
            return Step(problem=self._asking.failure)
        return next_step(self._want, self._view(), self._now())

    async def _lock_files(self, cache: Cache, held: Held, deadline: float) -> bool:
        """Be the one who asks on this machine; whether that came in time."""

        def attempt() -> bool:
            if (unlock := cache.try_lock()) is not None:
                held.add(unlock)
            return unlock is not None

        while cache is not self._memory and not await anyio.to_thread.run_sync(attempt):
            if anyio.current_time() >= deadline:
                return False
            await anyio.sleep(_PAUSE)
        return True

    def _busy(self, reason: str) -> Failure:
        return Failure(reason, self._now(), self._now())

    def _hang(self) -> Failure:
        """Remember that another program does not give up its turn."""
        reason = 'Another program has been asking GitHub for too long'
        self._memory.hanging = Failure(reason, self._now(), self._now() + _HANGING)
        return self._memory.hanging

    async def _finish(self, cache: Cache, held: Held) -> None:
        """Keep what was got, and let others ask, in this order; to its end, also where the task is cancelled."""

        def finish() -> None:
            try:
                self._keep(cache)
            finally:
                held.give_up()
                self._memory.end_asking(held)

        # Under way before anything is awaited; a worker thread would not be.
        thread = threading.Thread(target=finish, name='pydantic-ai-codex: instructions')
        try:
            thread.start()
        except RuntimeError:  # There is none to be had, or the interpreter ends.
            finish()
        with anyio.CancelScope(shield=True):
            # Not for long: the text is there, whatever the disk does.
            await patiently(lambda: None if thread.is_alive() else True, _GRACE)

    def _keep(self, cache: Cache) -> None:
        """Have other processes know what was got; in a worker thread."""
        asking = self._asking
        if cache is self._memory or not asking.has_begun:
            return
        if self._github.is_private:
            self._memory.is_ahead = True
            return
        state = self._memory.load_state()
        # The text first: a release whose text is not there yet would have others ask for it. One of a pinned commit does
        # not go under the name of a release that perhaps only a history names.
        if (entry := asking.got) is not None and (entry.ref == state.tag or not entry.is_pinned):
            is_kept = cache.save_entry(self._want.name, entry, spare=state.tag)
            path = cache.path_of(self._want.name, entry.ref) if is_kept else None
            self._memory.paths[key(self._want, entry.ref)] = path
        self._memory.is_ahead = not cache.save_state(state)

    # The result.

    def _found(self, step: Step) -> ModelInstructions:
        view = self._view()
        self._check_exact(view)
        entry = view.entry or view.older
        is_kept = not self._memory.is_ahead or self._github.is_private
        problem = None if step.problem is None else sentence(step.problem, is_kept=is_kept)
        if entry is None:
            return built_in(self._want.name, problem)
        is_current = entry is view.entry and step.problem is None
        return from_entry(
            self._want.name,
            entry,
            self._asking.outcome if is_current else 'stale',
            path=self._memory.paths.get(key(self._want, entry.ref)),
            problem=problem,
        )

    def _check_exact(self, view: View) -> None:
        if not self._is_exact or view.entry is not None or self._want.ref is None:
            return
        failure = failure_of(view.state, key(self._want, self._want.ref), self._now())
        if failure is not None:
            raise ConfigurationError(f'{failure.reason}. Name another release, such as "rust-v0.169.0", or none.')
