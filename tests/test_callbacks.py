"""Functions of the user's that are told of something: which ones are taken, and what they cannot break."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from pydantic_ai_codex._callbacks import checked_callback, tell
from pydantic_ai_codex.errors import ConfigurationError


async def is_async(value: object) -> None: ...


class IsAsync:
    async def __call__(self, value: object) -> None: ...


class Plain:
    def __call__(self, value: object) -> None: ...


@pytest.mark.parametrize(
    'callback',
    [
        is_async,
        IsAsync(),
        IsAsync().__call__,
        functools.partial(is_async),
        functools.partial(IsAsync()),
        functools.partial(functools.partial(IsAsync()), 1),
        'print',
        7,
    ],
    ids=['function', 'object', 'method', 'partial', 'partial object', 'partial partial', 'text', 'number'],
)
def test_a_function_that_would_never_be_awaited_is_refused(callback: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r'`on_it` takes a plain function, not .*; it is called and not awaited'
    ):
        checked_callback('on_it', callback)


@pytest.mark.parametrize('callback', [None, print, Plain(), functools.partial(Plain()), list[object]().append, Plain])
def test_what_can_be_called_is_taken(callback: Callable[[object], object] | None) -> None:
    assert checked_callback('on_it', callback) is callback


def test_nobody_is_told_without_a_function() -> None:
    told: list[int] = []

    tell('on_it', None, 1)
    tell('on_it', told.append, 2)

    assert told == [2]


def test_what_it_raises_goes_to_the_log_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    def fail(value: int) -> None:
        raise RuntimeError('my own mistake')

    with caplog.at_level(logging.WARNING, 'pydantic_ai_codex'):
        tell('on_it', fail, 1)

    assert caplog.messages == ['`on_it` raised an error; the request goes on all the same.']
    assert 'in fail' in caplog.text
    assert 'RuntimeError: my own mistake' in caplog.text


def test_what_stops_the_program_goes_on() -> None:
    def stop(value: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell('on_it', stop, 1)


def test_a_coroutine_that_it_returns_is_complained_of_and_never_run(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, 'pydantic_ai_codex'):
        warnings.simplefilter('error')
        tell('on_it', lambda value: is_async(value), 1)

    assert caplog.messages == ['`on_it` returned a coroutine, and nothing of it has run: it is called and not awaited.']
