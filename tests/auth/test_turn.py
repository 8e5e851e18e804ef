"""Reaches inside: what leaves a turn behind, such as a fork in the middle of a refresh, cannot be had through a source."""

from __future__ import annotations

import asyncio
import os

import pytest

from pydantic_ai_codex.auth import CredentialsRefreshError, MemoryStore, TokenSource
from pydantic_ai_codex.auth._turn import Turn

from .service import DAY, Clock, Service, login


async def take(turn: Turn) -> bool:
    return turn.take()


async def take_twice(turn: Turn) -> tuple[bool, bool]:
    return turn.take(), turn.take()


def test_one_at_a_time() -> None:
    turn = Turn()

    assert asyncio.run(take_twice(turn)) == (True, False)


def test_it_is_given_back_by_whoever_has_it() -> None:
    async def hand_around() -> list[bool]:
        turn = Turn()
        seen = [turn.is_free, turn.take(), turn.is_free]
        await asyncio.to_thread(turn.give_back)
        return [*seen, turn.is_free]

    assert asyncio.run(hand_around()) == [True, True, False, True]


def test_it_does_not_stay_with_a_loop_that_is_closed() -> None:
    turn = Turn()

    assert asyncio.run(take(turn))
    assert turn.is_free


def test_it_does_not_stay_with_the_parent_of_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fork() -> bool:
        turn = Turn()
        turn.take()
        pid = os.getpid()
        monkeypatch.setattr(os, 'getpid', lambda: pid + 1)
        return turn.take()

    assert asyncio.run(fork())


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('pydantic_ai_codex.auth._tokens._POLL', 0)
    monkeypatch.setattr('pydantic_ai_codex.auth._tokens._WAITS', 3)
    source = TokenSource(MemoryStore(login('old', expires_in=-DAY)), http=Service().http, clock=Clock())
    loop = asyncio.new_event_loop()
    loop.run_until_complete(take(source._turn))  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(CredentialsRefreshError, match='Another thread has been refreshing the login for 150 seconds'):
        asyncio.run(source.credentials())
    loop.close()
