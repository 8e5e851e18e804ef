"""Work that goes on when whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextvars import Context
from typing import TypeVar

import anyio
import anyio.to_thread

from ..errors import CredentialsError

_T = TypeVar('_T')


async def run_to_its_end(job: Callable[[], Awaitable[_T]], *, here: bool, at_end: Callable[[], object]) -> _T:
    """Run a job whose end must not depend on the caller: between spending a token and keeping its successor.

    A cancelled caller, a timeout around it or the end of its event loop would otherwise take the answer with them. The
    job is under way before anything is awaited.

    Args:
        job: What to do.
        here: Whether it has to run on this event loop, as it uses what is bound to it. The job then outlives a
            cancelled caller, but not the loop. Else it has a thread, and an event loop there, of its own, for whose end
            the interpreter waits.
        at_end: Called once the job is over, or could not begin.
    """
    loop = _asyncio_loop()
    if not here:
        return await _result(_in_a_thread(job, at_end), loop)
    if loop is None:
        return await _shielded(job, at_end)
    task = loop.create_task(_awaited(job))
    # So that a failure nobody waits for any more is not reported as one that was never looked at.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    # Not at the end of the job: one that is cancelled before it has begun has no such end.
    task.add_done_callback(lambda _: at_end())
    return await asyncio.shield(task)


def _in_a_thread(job: Callable[[], Awaitable[_T]], at_end: Callable[[], object]) -> Future[_T]:
    outcome: Future[_T] = Future()
    outcome.set_running_or_notify_cancel()  # It cannot be cancelled any more.

    def run() -> None:
        try:
            result = anyio.run(job)
        except BaseException as error:  # noqa: BLE001 - it is raised where the job is waited for
            at_end()
            outcome.set_exception(error)
        else:
            at_end()
            outcome.set_result(result)

    try:
        # In a context of its own: Python 3.14 may pass the caller's on, in which an event loop runs and locks are held.
        threading.Thread(target=Context().run, args=(run,), name='pydantic-ai-codex: refresh').start()
    except RuntimeError as error:
        at_end()
        raise CredentialsError(f'There is no thread to be had to refresh the login ({error}). Try again.') from error
    return outcome


async def _result(outcome: Future[_T], loop: asyncio.AbstractEventLoop | None) -> _T:
    if loop is not None:
        return await asyncio.wrap_future(outcome, loop=loop)
    return await anyio.to_thread.run_sync(outcome.result, abandon_on_cancel=True)


def _asyncio_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _awaited(job: Callable[[], Awaitable[_T]]) -> _T:
    return await job()


async def _shielded(job: Callable[[], Awaitable[_T]], at_end: Callable[[], object]) -> _T:
    """Trio's way, which has no tasks beside the structure."""
    outcome: list[_T] = []
    with anyio.CancelScope(shield=True):
        try:
            outcome.append(await job())
        finally:
            at_end()
    return outcome[0]
