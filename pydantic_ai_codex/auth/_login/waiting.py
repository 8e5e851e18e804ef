"""Waiting for the first of several answers, with what brings them running beside."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import anyio

from ...errors import ConfigurationError
from .answers import Granted
from .callback import Answer

_MINUTE: Final = 60


def duration(seconds: float) -> str:
    """A length of time in words: `15 minutes`, `90 seconds`."""
    is_minutes = seconds >= _MINUTE and seconds % _MINUTE == 0
    amount, unit = (seconds / _MINUTE, 'minute') if is_minutes else (seconds, 'second')
    return f'{amount:g} {unit}' + ('' if amount == 1 else 's')


async def awaited(value: object, name: str) -> Any:
    """What a function of the caller's gives in the end.

    Raises:
        ConfigurationError: If the function is none that can be awaited.
    """
    if not isinstance(value, Awaitable):
        raise ConfigurationError(f'`{name}` has to be an `async def`; it returned a {type(value).__name__}.')
    return await cast('Awaitable[Any]', value)


class FirstAnswer:
    """Takes the first answer; those that come later are dropped."""

    def __init__(self) -> None:
        self._answers: list[Answer | Exception] = []
        self._has_come = anyio.Event()

    def put(self, answer: Answer | Exception) -> None:
        """Bring an answer, or what went wrong instead."""
        if not self._answers:
            self._answers.append(answer)
            self._has_come.set()

    async def code(self) -> str:
        """Wait for the code of the login.

        Raises:
            LoginError: If the answer says that there is none.
            Exception: If the caller's own function raised it.
        """
        await self._has_come.wait()
        (answer,) = self._answers
        if isinstance(answer, Granted):
            return answer.code
        raise answer


@asynccontextmanager
async def beside(*functions: Callable[[], Coroutine[Any, Any, object]]) -> AsyncGenerator[None]:
    """Run functions beside the body, and cancel them at its end.

    What the body raises comes out as it is. A task group alone would wrap it into a group of errors.
    """
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        for function in functions:
            tasks.start_soon(function)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised below, outside of the group
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
