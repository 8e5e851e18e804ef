"""Event loops in other threads, as of those who call `run_sync`, and what they leave open."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
from pydantic_ai import Agent


def open_descriptors() -> int:
    return len(os.listdir('/proc/self/fd'))


async def ask_on_another_loop(agent: Agent[None, Any]) -> Any:
    return (await anyio.to_thread.run_sync(lambda: asyncio.run(agent.run('Hello')))).output


async def check_that_loops_leave_nothing_open(
    agent: Agent[None, str], until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    """Ask on five event loops, one after another."""
    gc.collect()
    before = open_descriptors()
    for _ in range(5):
        assert await ask_on_another_loop(agent) == 'Hi'
    # The server notices one after another that its clients are gone. There may be fewer in the end, as what earlier
    # tests left goes in the meantime.
    await until(lambda: open_descriptors() <= before)
