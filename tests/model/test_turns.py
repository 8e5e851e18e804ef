"""What ties the requests of one turn together, and how many windows a conversation had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import (
    CompactionPart,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from pydantic_ai_codex._model.history.turns import TURN_STATE_KEY, turn_state_of, window_of

US = 'account-1'


def asked(text: str = 'Hi', run_id: str | None = None) -> ModelRequest:
    return ModelRequest([UserPromptPart(text)], run_id=run_id)


def returned(run_id: str | None = None) -> ModelRequest:
    return ModelRequest([ToolReturnPart('look', 'sun', tool_call_id='c')], run_id=run_id)


def called(
    state: str | None = None, run_id: str | None = None, *, account: str | None = US, provider: str | None = 'codex'
) -> ModelResponse:
    details: dict[str, Any] = {'finish_reason': 'completed'}
    if state is not None:
        details[TURN_STATE_KEY] = {'value': state, 'account': account}
    parts: list[ModelResponsePart] = [ToolCallPart('look', {}, tool_call_id='c')]
    return ModelResponse(parts, provider_name=provider, provider_details=details, run_id=run_id)


@pytest.mark.parametrize(
    ('messages', 'state'),
    [
        pytest.param([], None, id='no history'),
        pytest.param([asked()], None, id='a first request'),
        pytest.param([asked(run_id='1')], None, id='the first request of a run'),
        pytest.param([asked(run_id='1'), called('a', '1'), returned('1')], 'a', id='the second request of a run'),
        pytest.param(
            [asked(run_id='1'), called('a', '1'), returned('1'), called('b', '1'), returned('1')], 'a', id='the first'
        ),
        pytest.param(
            [asked(run_id='1'), called(None, '1'), returned('1'), called('b', '1'), returned('1')],
            'b',
            id='the first that there is',
        ),
        pytest.param([asked(run_id='1'), called('a', '1'), asked(run_id='2')], None, id='the next run'),
        pytest.param(
            [asked(run_id='1'), called('a', '1'), returned('2'), called('b', '2'), returned('2')],
            'b',
            id='a run without a prompt of its own',
        ),
        pytest.param(
            [asked(run_id='1'), called('a', '1'), asked('And?', '1')], 'a', id='a prompt in the middle of a run'
        ),
        pytest.param(
            [asked(run_id='1'), called('a', '1'), asked('And?'), called('b', '1'), returned('1')],
            'a',
            id='a request in the middle that names no run',
        ),
        pytest.param([asked(run_id='1'), called('a'), returned('1')], None, id='a response of no run'),
        pytest.param([asked(), called('a'), returned()], 'a', id='no runs'),
        pytest.param([asked(), called('a'), returned(), called('b'), returned()], 'a', id='no runs, the first'),
        pytest.param([asked(), called('a'), asked()], None, id='no runs, the next prompt'),
        pytest.param([asked(), called('a'), asked(), called('b'), returned()], 'b', id='no runs, since the prompt'),
        pytest.param([asked(run_id=''), called('a', ''), asked(run_id='')], None, id='runs without a name'),
        pytest.param([asked(run_id='1'), called('a', '1'), returned()], 'a', id='the last request names no run'),
        pytest.param([called('a', '1')], 'a', id='a response at the end'),
        pytest.param(
            [asked(), called('a'), ModelRequest([SystemPromptPart('Be.')])],
            'a',
            id='a prompt of the program',
        ),
        pytest.param(
            [ModelRequest([SystemPromptPart('Be.'), UserPromptPart('Hi')]), called('a'), returned()],
            'a',
            id='a prompt behind another part',
        ),
    ],
)
def test_state_of_the_turn(messages: Sequence[ModelMessage], state: str | None) -> None:
    assert turn_state_of(messages, US) == state


@pytest.mark.parametrize(
    ('told', 'asks', 'state'),
    [(US, US, 'a'), (None, None, 'a'), (US, 'other', None), (US, None, None), (None, US, None)],
)
def test_state_is_for_the_account_that_was_told(told: str | None, asks: str | None, state: str | None) -> None:
    assert turn_state_of([asked(), called('a', account=told), returned()], asks) == state


def test_state_of_another_account_is_passed_over() -> None:
    messages = [asked(), called('a', account='other'), returned(), called('b'), returned()]

    assert turn_state_of(messages, US) == 'b'


@pytest.mark.parametrize(
    ('provider', 'state'), [('codex', 'a'), ('openai-codex', 'a'), ('openai', None), ('function', None), (None, None)]
)
def test_state_of_another_service_is_none(provider: str | None, state: str | None) -> None:
    assert turn_state_of([asked(), called('a', provider=provider), returned()], US) == state


WRONG: list[Any] = [
    'text',
    5,
    [],
    {TURN_STATE_KEY: 'a'},
    {TURN_STATE_KEY: None},
    {TURN_STATE_KEY: ['value']},
    {TURN_STATE_KEY: {}},
    {TURN_STATE_KEY: {'account': US}},
    {TURN_STATE_KEY: {'value': 'a'}},
    {TURN_STATE_KEY: {'value': 5, 'account': US}},
    {TURN_STATE_KEY: {'value': b'a', 'account': US}},
    {TURN_STATE_KEY: {'value': '', 'account': US}},
    {TURN_STATE_KEY: {'value': 'a', 'account': {US: US}}},
]


@pytest.mark.parametrize('details', WRONG, ids=str)
def test_details_may_be_anything(details: Any) -> None:
    response = called()
    response.provider_details = details

    assert turn_state_of([asked(), response, returned(), called('b'), returned()], US) == 'b'


def test_names_may_be_anything() -> None:
    response = called('a')
    response.provider_name = wrong = ['codex']  # pyright: ignore[reportAttributeAccessIssue]
    response.run_id = wrong  # pyright: ignore[reportAttributeAccessIssue]

    assert turn_state_of([asked(), response, returned()], US) is None
    assert turn_state_of([asked(run_id='1'), response, returned('1')], US) is None


@pytest.mark.anyio
async def test_state_of_real_runs() -> None:
    seen: list[str | None] = []

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(turn_state_of(messages, US))
        response = called(f'state-{len(seen)}')
        return response if len(seen) % 3 else ModelResponse([TextPart('Done.')], provider_name='codex')

    agent = Agent(FunctionModel(answer))

    @agent.tool_plain
    def look() -> str:
        return 'sun'

    first = await agent.run('Hi')
    kept = ModelMessagesTypeAdapter.validate_json(first.all_messages_json())
    await agent.run('Again', message_history=kept)

    assert seen == [None, 'state-1', 'state-1', None, 'state-4', 'state-4']


def compacted() -> ModelResponse:
    details = {'encrypted_content': 'gAAAA'}
    part = CompactionPart(id='cmp_1', provider_name='codex', provider_details=details)
    return ModelResponse([part, TextPart('Go on.')], provider_name='codex')


@pytest.mark.parametrize(
    ('messages', 'window'),
    [
        ([asked()], 0),
        ([asked(), compacted(), asked()], 1),
        ([asked(), compacted(), asked(), compacted(), asked()], 2),
        ([ModelRequest([CompactionPart('What was said.'), UserPromptPart('Hi')])], 1),
        ([], 0),
    ],
)
def test_window(messages: list[ModelMessage], window: int) -> None:
    assert window_of(messages) == window
