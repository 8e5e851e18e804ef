"""Reaches inside: what leaves a turn behind, such as a fork in the middle of a refresh, cannot be had through a source."""

from __future__ import annotations

import asyncio
import os

import pytest

from pydantic_ai_codex.auth import CredentialsRefreshError, MemoryStore, TokenSource
from pydantic_ai_codex.auth._turn import Ticket, Turn

from .service import DAY, Clock, Service, login


async def take(turn: Turn, *, here: bool = True) -> Ticket | None:
    return turn.take(here=here)


async def take_twice(turn: Turn) -> list[bool]:
    return [turn.take(here=True) is not None for _ in range(2)]


def test_one_at_a_time() -> None:
    turn = Turn()

    assert asyncio.run(take_twice(turn)) == [True, False]


def test_it_is_given_back_by_whoever_has_it() -> None:
    async def hand_around() -> list[bool]:
        turn = Turn()
        ticket = turn.take(here=True)
        assert ticket is not None
        seen = [turn.is_free]
        await asyncio.to_thread(turn.give_back, ticket)
        return [*seen, turn.is_free]

    assert asyncio.run(hand_around()) == [False, True]


def test_nobody_gives_back_the_turn_of_another() -> None:
    turn = Turn()
    late = asyncio.run(take(turn))
    assert late is not None

    assert asyncio.run(take(turn, here=False))
    turn.give_back(late)
    assert not turn.is_free


def test_it_does_not_stay_with_a_loop_that_is_closed_but_with_a_thread() -> None:
    turn = Turn()

    assert asyncio.run(take(turn))
    assert turn.is_free
    assert asyncio.run(take(turn, here=False))
    assert not turn.is_free


def test_it_does_not_stay_with_the_parent_of_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fork() -> bool:
        turn = Turn()
        turn.take(here=False)
        pid = os.getpid()
        monkeypatch.setattr(os, 'getpid', lambda: pid + 1)
        return turn.take(here=False) is not None

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
