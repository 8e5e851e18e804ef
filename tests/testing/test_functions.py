"""Functions in the place of turns, and what goes wrong in them: a bug of a test is not to pass for the backend's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import httpx2
import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.models.fallback import FallbackModel

from pydantic_ai_codex import TransportPolicy
from pydantic_ai_codex.testing import (
    CodexSimulator,
    RecordedRequest,
    ScriptEntry,
    SimulatorError,
    Turn,
    auto_reply,
    reply,
    say,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]


def raising(error: BaseException) -> Callable[[RecordedRequest], NoReturn]:
    def answer(request: RecordedRequest) -> NoReturn:
        raise error

    return answer


def returning(value: Any) -> Callable[[RecordedRequest], Any]:
    return lambda _: value


async def a_coroutine(request: RecordedRequest) -> Turn:
    raise NotImplementedError


def is_closed(simulator: CodexSimulator) -> bool:
    return simulator.open_streams == 0 and [request.status for request in simulator.requests] == [None]


async def test_answer_made_from_the_request(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(lambda request: reply(request.body['input'][0]['content'][0]['text']))
    response = await ask(simulator, body)

    assert '"text":"How is Paris?"' in response.text


@pytest.mark.parametrize('error', [KeyError('x'), RuntimeError('x'), OSError('x'), AssertionError('x')], ids=repr)
async def test_an_error_is_no_answer(body: Json, ask: Ask, error: Exception) -> None:
    simulator = CodexSimulator(raising(error))

    with pytest.raises(SimulatorError, match=f'answers request 1 raised {type(error).__name__}: .?x') as raised:
        await ask(simulator, body)

    assert raised.value.__cause__ is error
    assert is_closed(simulator)
    with pytest.raises(SimulatorError, match='answers request 1 raised'):
        simulator.assert_exhausted()


@pytest.mark.parametrize('error', [RuntimeError('Oops.'), OSError('Oops.'), ValueError('Oops.')], ids=repr)
async def test_an_error_is_not_taken_for_one_of_the_connection(error: Exception) -> None:
    """Else it is tried again, and the test of an agent that copes with failures passes by it."""
    simulator = CodexSimulator(raising(error), reply('Hi'))

    with pytest.raises(SimulatorError, match=r'Oops\.'):
        await Agent(FallbackModel(simulator.model(policy=TransportPolicy()), simulator.model())).run('Hi')

    assert simulator.remaining == 1


@pytest.mark.parametrize('function', [raising(KeyError('x')), returning(None)], ids=['error', 'nothing'])
async def test_what_a_fallback_hid_on_a_port_comes_out_in_the_end(function: Any) -> None:
    simulator, other = CodexSimulator(function), CodexSimulator(reply('From the other.'))
    async with (
        simulator.serve() as server,
        simulator.provider(base_url=server.base_url, http_client=None) as provider,
    ):
        result = await Agent(FallbackModel(simulator.model(provider=provider), other.model())).run('Hi')

    assert result.output == 'From the other.'
    with pytest.raises(SimulatorError, match='The function that answers request 1'):
        simulator.assert_exhausted()


async def test_an_error_of_the_transport_stands_for_one_of_the_connection(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(raising(httpx2.ReadTimeout('Too slow.')))

    with pytest.raises(httpx2.ReadTimeout, match='Too slow'):
        await ask(simulator, body)

    assert is_closed(simulator)
    simulator.assert_exhausted()


async def test_a_failure_that_pytest_declares_comes_through(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(raising(pytest.fail.Exception('Not this request.')))

    with pytest.raises(pytest.fail.Exception, match='Not this request'):
        await ask(simulator, body)

    assert is_closed(simulator)
    with pytest.raises(SimulatorError, match='Not this request'):
        simulator.assert_exhausted()


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize(
    ('function', 'shown'),
    [
        pytest.param(returning(None), 'None', id='nothing'),
        pytest.param(returning('Hi'), "'Hi'", id='text'),
        pytest.param(returning(say('Hi')), 'Say', id='item'),
        pytest.param(returning(auto_reply), '<function', id='function'),
        pytest.param(a_coroutine, '<coroutine', id='coroutine'),
    ],
)
async def test_a_result_that_is_no_turn(body: Json, ask: Ask, function: Any, shown: str) -> None:
    simulator = CodexSimulator(function)

    with pytest.raises(SimulatorError, match=rf'answers request 1 returned {shown}.* Return one, such as `reply\('):
        await ask(simulator, body)

    assert is_closed(simulator)
    with pytest.raises(SimulatorError, match='which is no turn'):
        simulator.assert_exhausted()


async def test_the_default_may_be_a_function_that_fails(body: Json, ask: Ask) -> None:
    default: ScriptEntry = raising(KeyError('x'))
    simulator = CodexSimulator(default=default)

    with pytest.raises(SimulatorError, match="raised KeyError: 'x'"):
        await ask(simulator, body)


def test_no_error_of_the_simulator_is_one_to_fall_back_on() -> None:
    assert not issubclass(SimulatorError, ModelAPIError)
