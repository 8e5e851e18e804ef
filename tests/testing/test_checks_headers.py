"""The headers that repeat something: absent is fine, wrong is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from pydantic_ai_codex.testing import CodexSimulator, reply

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
Login = Callable[[CodexSimulator], dict[str, str]]
WINDOW = 'x-codex-window-id'
HINT = 'x-codex-routing-hint'


@pytest.fixture
def send(body: Json, ask: Ask, login: Login) -> Callable[..., Awaitable[httpx2.Response]]:
    async def send(headers: dict[str, str], *, tier: str | None = None, strict: bool = True) -> httpx2.Response:
        simulator = CodexSimulator(reply('Hi'), strict=strict)
        tiered = body if tier is None else {**body, 'service_tier': tier}
        return await ask(simulator, tiered, headers={**login(simulator), **headers})

    return send


@pytest.mark.parametrize(
    ('headers', 'tier'),
    [
        ({}, None),
        ({WINDOW: 'thread:0', 'thread-id': 'thread'}, None),
        ({WINDOW: 'a:b:12', 'thread-id': 'a:b'}, None),
        ({WINDOW: 'thread:3'}, None),
        ({HINT: 'model=gpt-5.1-codex'}, None),
        ({HINT: 'model=gpt-5.1-codex;tier=priority'}, 'priority'),
    ],
    ids=['none', 'window', 'colons', 'no thread', 'hint', 'tier'],
)
async def test_right(send: Callable[..., Awaitable[httpx2.Response]], headers: dict[str, str], tier: str) -> None:
    assert (await send(headers, tier=tier)).status_code == 200


@pytest.mark.parametrize(
    ('headers', 'tier', 'expected'),
    [
        ({WINDOW: 'other:0', 'thread-id': 'thread'}, None, 'thread:<number>'),
        ({WINDOW: 'thread', 'thread-id': 'thread'}, None, 'thread:<number>'),
        ({WINDOW: 'thread:-1', 'thread-id': 'thread'}, None, 'thread:<number>'),
        ({WINDOW: ':0'}, None, '<thread-id>:<number>'),
        ({HINT: 'gpt-5.1-codex'}, None, 'model=gpt-5.1-codex'),
        ({HINT: 'model=gpt-5.5'}, None, 'model=gpt-5.1-codex'),
        ({HINT: 'model=gpt-5.1-codex;tier=priority'}, None, 'model=gpt-5.1-codex'),
        ({HINT: 'model=gpt-5.1-codex'}, 'priority', 'model=gpt-5.1-codex;tier=priority'),
    ],
)
async def test_wrong(
    send: Callable[..., Awaitable[httpx2.Response]], headers: dict[str, str], tier: str, expected: str
) -> None:
    answer = await send(headers, tier=tier)
    name, value = next(iter(headers.items()))

    assert (answer.status_code, answer.json()) == (
        400,
        {'detail': f"Invalid header '{name}': expected '{expected}', got '{value}'"},
    )
    assert (await send(headers, tier=tier, strict=False)).status_code == 200
