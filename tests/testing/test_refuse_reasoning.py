"""A backend that does not take back its own reasoning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, SimulatorError, refuse_reasoning, reply, think, turn

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
NO_TURN: Any = 'Hi'


async def with_reasoning(simulator: CodexSimulator, body: Json, ask: Ask) -> Json:
    """The body of the next request, in which the reasoning of the first answer comes back."""
    text = (await ask(simulator, body)).text
    blob = text.split('"encrypted_content":"')[1].split('"')[0]
    return {**body, 'input': [*body['input'], {'type': 'reasoning', 'summary': [], 'encrypted_content': blob}]}


async def test_refused_until_it_comes_without(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(turn(think('Hm.')), refuse_reasoning(), reply('Hi'))
    refused = await ask(simulator, await with_reasoning(simulator, body, ask))
    accepted = await ask(simulator, body)

    assert (refused.status_code, refused.json()) == (
        400,
        {
            'error': {
                'message': 'The encrypted content gAAA...AA== could not be verified.',
                'type': 'invalid_request_error',
                'param': None,
                'code': 'invalid_encrypted_content',
            }
        },
    )
    assert accepted.status_code == 200
    simulator.assert_exhausted()


async def test_refused_for_as_long_as_it_comes(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(turn(think('Hm.')), default=refuse_reasoning(lambda _: reply('one')))
    reasoned = await with_reasoning(simulator, body, ask)
    answers = [await ask(simulator, each) for each in (reasoned, reasoned, body)]
    simulator.add(refuse_reasoning(reply('two')))
    answers.append(await ask(simulator, body))

    assert [answer.status_code for answer in answers] == [400, 400, 200, 200]
    assert ('"one"' in answers[2].text, '"two"' in answers[3].text) == (True, True)


async def test_there_has_to_be_reasoning(body: Json, ask: Ask) -> None:
    with pytest.raises(SimulatorError, match='there is no reasoning in the input'):
        await ask(CodexSimulator(refuse_reasoning()), body)


def test_what_comes_then_is_a_turn() -> None:
    with pytest.raises(ConfigurationError, match='is no turn'):
        refuse_reasoning(NO_TURN)
