"""Sticky turns: each request, what it sends back, and whether that is right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from pydantic_ai_codex.testing import CodexSimulator, SimulatorError, fail, reply
from pydantic_ai_codex.testing._turn_states import turn_start

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
Login = Callable[[CodexSimulator], dict[str, str]]
HEADER = 'x-codex-turn-state'

USER: Json = {'role': 'user', 'content': 'Hi'}
OTHER: Json = {'role': 'user', 'content': 'And now?'}
SAID: Json = {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'Hello'}]}


def call(name: str) -> Json:
    return {'type': 'function_call', 'call_id': name, 'name': 'weather', 'arguments': '{}'}


def output(name: str) -> Json:
    return {'type': 'function_call_output', 'call_id': name, 'output': 'sunny'}


FIRST = [USER]
SECOND = [*FIRST, call('a'), call('b'), output('a'), output('b')]
THIRD = [*SECOND, SAID, call('c'), output('c'), OTHER]
NEXT = [*SECOND, SAID, OTHER]


class Talk:
    """A conversation with a simulator that ties turns together."""

    def __init__(self, body: Json, ask: Ask, login: Login, *script: Any) -> None:
        self.simulator = CodexSimulator(*script, default=reply('Hi'), turn_state=True)
        self._body, self._ask, self._login = body, ask, login

    async def send(self, items: list[Json], state: str | None = None, **options: Any) -> str | None:
        headers = self._login(self.simulator) if state is None else {**self._login(self.simulator), HEADER: state}
        answer = await self._ask(self.simulator, {**self._body, 'input': items}, **{'headers': headers, **options})
        return answer.headers.get(HEADER)


@pytest.fixture
def talk(body: Json, ask: Ask, login: Login) -> Talk:
    return Talk(body, ask, login)


async def test_no_state_by_default(body: Json, ask: Ask) -> None:
    assert HEADER not in (await ask(CodexSimulator(reply('Hi')), body)).headers


async def test_the_first_state_of_a_turn_is_sent_back(talk: Talk) -> None:
    first = await talk.send(FIRST)
    second = await talk.send(SECOND, first)
    third = await talk.send(THIRD, first)
    following = await talk.send(NEXT)

    assert len({first, second, third, following}) == 4
    assert None not in (first, second, third, following)
    talk.simulator.assert_exhausted()


@pytest.mark.parametrize('state', [None, 'other'])
async def test_a_turn_that_does_not_send_it_back(talk: Talk, state: str | None) -> None:
    first = await talk.send(FIRST)
    with pytest.raises(SimulatorError, match=f"Request 2 goes on with a turn whose state is '{first}'") as caught:
        await talk.send(SECOND, state)

    assert str(caught.value).endswith(f'sends back {state!r}. The header is x-codex-turn-state.')
    with pytest.raises(SimulatorError, match='goes on with a turn'):
        talk.simulator.assert_exhausted()


async def test_only_the_first_state_counts(talk: Talk) -> None:
    first = await talk.send(FIRST)
    second = await talk.send(SECOND, first)
    with pytest.raises(SimulatorError, match=f'whose state is {first!r}'):
        await talk.send(THIRD, second)


async def test_a_turn_does_not_begin_with_the_state_of_another(talk: Talk) -> None:
    first = await talk.send(FIRST)
    await talk.send(SECOND, first)
    with pytest.raises(SimulatorError, match='begins a turn, but sends back the state'):
        await talk.send(NEXT, first)


async def test_a_request_that_is_sent_again(body: Json, ask: Ask, login: Login) -> None:
    """After a failure it has seen no state; after a cut it may have."""
    talk = Talk(body, ask, login, fail(503))
    failed, first = await talk.send(FIRST), await talk.send(FIRST)
    again = await talk.send(FIRST, first)

    assert (failed, again) == (None, first)
    talk.simulator.assert_exhausted()


async def test_turns_that_began_elsewhere_are_not_known(talk: Talk) -> None:
    assert await talk.send(SECOND) is not None
    assert await talk.send(SECOND, 'from-elsewhere') is not None


async def test_turns_beside_each_other(talk: Talk) -> None:
    first, other = await talk.send(FIRST), await talk.send([OTHER])
    await talk.send([OTHER, call('a'), output('a')], other)
    await talk.send(SECOND, first)

    assert first != other


async def test_an_api_key_has_none(talk: Talk) -> None:
    key = {'authorization': 'Bearer sk-test'}

    assert await talk.send(FIRST, url='https://api.openai.com/v1/responses', headers=key) is None


@pytest.mark.parametrize(
    ('items', 'start'),
    [
        ([], 0),
        (FIRST, 1),
        (SECOND, 1),
        (THIRD, 1),
        (NEXT, len(NEXT)),
        ([*FIRST, SAID], 2),
        ([call('a'), output('a')], 0),
        ([{'type': 'additional_tools'}, USER, {'type': 'reasoning'}, call('a'), output('a')], 2),
    ],
    ids=['nothing', 'first', 'second', 'third', 'next', 'answered', 'no beginning', 'lite'],
)
def test_where_a_turn_began(items: list[Json], start: int) -> None:
    assert turn_start(items) == start
