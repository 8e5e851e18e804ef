"""What to do about the instructions of a model: use what is there, or ask GitHub; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .records import Entry, Failure, State

TTL: Final = timedelta(minutes=15)
"""For how long GitHub is not asked again."""

BUDGET: Final = 20.0
"""Seconds that may pass in all until a text is there."""

STALE_BUDGET: Final = 2.0
"""Seconds, where an older text is there already."""

RELEASE: Final = 'release'
"""Names the lookup of the newest release, among the failures."""

FILES: Final = 'files'
"""Names the host of the files."""

_REMEMBERED: Final = timedelta(minutes=5)
_LEAST, _MOST = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Want:
    """What somebody wants to read.

    Attributes:
        name: What the texts of the source are kept under.
        ref: The tag or commit, or `None` for the newest release.
    """

    name: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What is at hand.

    Attributes:
        state: What is known beside the texts.
        entry: The text for the wanted tag or commit.
        older: The newest text for any other.
    """

    state: State
    entry: Entry | None = None
    older: Entry | None = None

    def has_text(self, want: Want) -> bool:
        """Whether there is a text that would do.

        That of another release would, but not for a conversation that has begun with its own, and not for whoever has
        named one.
        """
        return self.entry is not None or (self.older is not None and want.ref is None)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do.

    Attributes:
        release: Whether to ask for the newest release.
        file: Whether to ask for the file then.
        problem: The failure that keeps from asking.
    """

    release: bool = False
    file: bool = False
    problem: Failure | None = None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to ask for."""
        return not (self.release or self.file)


def next_step(want: Want, view: View, now: datetime, *, refresh_since: datetime | None = None) -> Step:
    """What to do next.

    Args:
        want: What is wanted.
        view: What is at hand, for the wanted tag or commit or that of the release.
        now: The wall clock.
        refresh_since: Where everything is asked for anew: since when, so that whoever waited for another who did it
            does not do it again. Failures of the past do not count then.
    """
    release = view.state.release
    ref = ref_of(want, view.state)

    def failed(what: str) -> Failure | None:
        failure = None if refresh_since is not None else failure_of(view.state, what, now)
        return failure if failure is None or view.has_text(want) or not failure.is_impatience else None

    problem: Failure | None = None
    is_old = want.ref is None and not _is_fresh(release.checked_at if release else None, now, refresh_since)
    if is_old and (problem := failed(RELEASE)) is None:
        # The file may change with the release, so it is asked for as well, or found to be fresh.
        return Step(release=True, file=True)
    if ref is None or not _is_due(want, view.entry, now, refresh_since):
        return Step(problem=problem)
    if failure := failed(FILES) or failed(key(want, ref)):
        return Step(problem=problem or failure)
    return Step(file=True)


def ref_of(want: Want, state: State) -> str | None:
    """The tag or commit whose text is wanted, as far as it is known."""
    return want.ref or state.tag


def key(want: Want, ref: str) -> str:
    """What a text is kept under."""
    return f'{want.name}@{ref}'


def failure_of(state: State, what: str, now: datetime) -> Failure | None:
    """The failure that still counts; one of the future does not, as the clock was put back."""
    failure = state.failures.get(what)
    if failure is None or not failure.at <= now < min(failure.until, failure.at + _MOST):
        return None
    return failure


def remembered(
    reason: str, now: datetime, *, wait: float | None = None, is_final: bool = False, is_impatience: bool = False
) -> Failure:
    """A failure, to be remembered.

    Args:
        reason: Why, as the beginning of a sentence.
        now: The wall clock.
        wait: The seconds that GitHub asks for, which counts between a minute and an hour.
        is_final: Whether it is an answer, and not an accident.
        is_impatience: Whether it does not count for those who have no text.
    """
    duration = TTL if is_final else _REMEMBERED
    if wait is not None:
        duration = min(max(timedelta(seconds=wait), _LEAST), _MOST)
    return Failure(reason, now, now + duration, is_impatience)


def _is_due(want: Want, entry: Entry | None, now: datetime, refresh_since: datetime | None) -> bool:
    # A tag or commit that was named does not change, so what was got once is never asked for again by itself.
    if entry is not None and want.ref is not None and refresh_since is None:
        return False
    return not _is_fresh(entry.checked_at if entry else None, now, refresh_since)


def _is_fresh(checked_at: datetime | None, now: datetime, refresh_since: datetime | None) -> bool:
    if checked_at is None:
        return False
    if refresh_since is not None:
        return refresh_since <= checked_at <= now
    return checked_at <= now < checked_at + TTL
