"""The clock that a simulator's clients get. Reaches inside: from outside, only a long run shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pydantic_ai_codex.testing._clock import InstantClock

pytestmark = pytest.mark.anyio


class Unread(list[float]):
    def __iter__(self) -> Iterator[float]:
        raise AssertionError('every wait was looked at again')


async def test_waits_are_over_at_once_as_if_time_had_passed() -> None:
    clock = InstantClock()
    before = clock.monotonic()
    await clock.sleep(1000)
    await clock.sleep(500)

    assert clock.monotonic() - before >= 1500
    assert clock.waits == [1000, 500]


async def test_the_time_costs_the_same_after_any_number_of_waits() -> None:
    clock = InstantClock()
    clock.waits = Unread()
    await clock.sleep(1000)
    before = clock.monotonic()
    await clock.sleep(500)

    assert clock.monotonic() - before >= 500
