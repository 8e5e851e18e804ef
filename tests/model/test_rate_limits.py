"""How much of the plan is left, as an agent's answers tell it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent, ModelMessagesTypeAdapter, ModelResponse, RunContext
from pydantic_ai.exceptions import ModelQuotaExceededError, UserError

from pydantic_ai_codex import CodexModel, RateLimitAlert, RateLimits
from pydantic_ai_codex.errors import BackendError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    call_tool,
    fail_in_stream,
    raw_stream,
    refuse_reasoning,
    reply,
    say,
    sse_frame,
    turn,
    usage_limit,
)

pytestmark = pytest.mark.anyio


def agent_of(simulator: CodexSimulator, **kwargs: Any) -> tuple[Agent[None, str], list[RateLimitAlert]]:
    alerts: list[RateLimitAlert] = []
    provider = simulator.provider(on_rate_limits=alerts.append, **kwargs)
    return Agent(CodexModel('gpt-5.5', provider=provider), instructions='Be brief.'), alerts


async def test_an_answer_says_how_much_is_left() -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.limits.use(primary=61, secondary=12)
    provider = simulator.provider()
    before = provider.rate_limits

    result = await Agent(CodexModel('gpt-5.5', provider=provider), instructions='Be brief.').run('Hello')

    limits = provider.rate_limits
    assert (before, isinstance(limits, RateLimits)) == (None, True)
    assert limits is not None
    assert limits.primary is not None
    assert limits.secondary is not None
    assert (limits.primary.used_percent, limits.secondary.used_percent, limits.plan_type) == (61, 12, 'plus')
    details = (result.response.provider_details or {})['rate_limits']
    assert details == json.loads(json.dumps(limits.as_dict()))
    history = ModelMessagesTypeAdapter.validate_json(result.all_messages_json())
    response = history[-1]
    assert isinstance(response, ModelResponse)
    assert (response.provider_details or {})['rate_limits'] == details


async def test_an_event_in_the_stream_counts_more_than_the_headers() -> None:
    event = {'rate_limits': {'primary': {'used_percent': 97, 'window_minutes': 300, 'reset_at': 1900000000}}}
    simulator = CodexSimulator(turn(limits_event=event), default=reply('Hi', limits_event=event))
    provider = simulator.provider()
    agent = Agent(CodexModel('gpt-5.5', provider=provider), instructions='Be brief.')

    async with agent.run_stream('Hello') as stream:
        await stream.get_output()

    assert provider.rate_limits is not None
    assert provider.rate_limits.primary is not None
    assert provider.rate_limits.primary.used_percent == 97
    assert provider.rate_limits.credits is not None


async def test_thresholds_are_told_once() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    agent, alerts = agent_of(simulator)

    for percent in (10, 81, 82, 96, 99, 100, 100):
        simulator.limits.use(primary=percent)
        await agent.run('Hello')

    assert [(alert.window, alert.threshold) for alert in alerts] == [('primary', 80), ('primary', 95), ('primary', 100)]


async def test_other_thresholds() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    agent, alerts = agent_of(simulator, rate_limit_thresholds=(50,))

    simulator.limits.use(primary=10, secondary=60)
    await agent.run('Hello')

    assert [(alert.window, alert.threshold) for alert in alerts] == [('secondary', 50)]


def test_thresholds_that_are_none() -> None:
    with pytest.raises(UserError, match='percentages from 1 to 100'):
        CodexSimulator().provider(rate_limit_thresholds=(0.8,))


@pytest.mark.parametrize(
    'entry', [usage_limit(resets_in_seconds=600), fail_in_stream('usage_limit_reached', 'The usage limit is reached')]
)
async def test_a_used_up_plan_tells_everything(entry: object) -> None:
    simulator = CodexSimulator(entry)  # pyright: ignore[reportArgumentType]
    agent, _ = agent_of(simulator)

    with pytest.raises(ModelQuotaExceededError) as raised:
        await agent.run('Hello')

    cause = raised.value.__cause__
    assert isinstance(cause, BackendError)
    assert cause.rate_limits is not None
    assert cause.rate_limits.primary is not None
    assert cause.rate_limits.secondary is not None
    assert cause.rate_limits.credits is not None
    assert cause.rate_limits.limit_reached


async def test_a_refused_request_tells_the_provider_and_its_watcher() -> None:
    simulator = CodexSimulator(usage_limit(resets_in_seconds=600))
    agent, alerts = agent_of(simulator)

    with pytest.raises(ModelQuotaExceededError, match='5-hour window'):
        await agent.run('Hello')

    assert [(alert.window, alert.threshold, alert.limits.blocking) for alert in alerts] == [('primary', 100, 'primary')]


async def test_the_limits_can_be_asked_for() -> None:
    simulator = CodexSimulator()
    simulator.limits.use(primary=30)
    provider = simulator.provider()

    limits = await provider.fetch_rate_limits()

    assert (limits.source, limits.primary and limits.primary.used_percent) == ('usage', 30)
    assert provider.rate_limits == limits
    assert simulator.requests == []


async def test_an_api_key_has_no_plan() -> None:
    with pytest.raises(UserError, match='belong to ChatGPT logins'):
        await CodexSimulator().provider(api_key='sk-test').fetch_rate_limits()


async def test_headers_that_make_no_sense_cost_no_turn() -> None:
    absurd = dict.fromkeys(
        ['x-codex-primary-used-percent', 'x-codex-primary-reset-at', 'x-codex-secondary-used-percent'], '1e999'
    )
    simulator = CodexSimulator(
        reply('Hi', headers={**absurd, 'x-codex-active-limit': '\x7f', 'x-models-etag': '"' * 2000})
    )
    agent, alerts = agent_of(simulator)

    result = await agent.run('Hello')

    assert (result.output, alerts) == ('Hi', [])


async def test_the_requests_of_a_run_are_tied_together() -> None:
    simulator = CodexSimulator(
        call_tool('add', number=1), call_tool('add', number=2), reply('3'), reply('Bye'), turn_state=True
    )
    agent = Agent(simulator.model('gpt-5.5'), instructions='Add.', deps_type=int)

    @agent.tool
    async def add(context: RunContext[int], number: int) -> int:
        """Add a number."""
        return context.deps + number

    first = await agent.run('Add up', deps=1)
    history = ModelMessagesTypeAdapter.validate_json(first.all_messages_json())
    await agent.run('Thanks', message_history=history, deps=1)

    states = [request.headers.get('x-codex-turn-state') for request in simulator.requests]
    assert states[0] is None
    assert states[1] is not None
    assert states[1:] == [states[1], states[1], None]
    simulator.assert_exhausted()


async def test_reasoning_that_was_refused_is_not_sent_again() -> None:
    simulator = CodexSimulator(
        reply('One', thinking='Hm.'), refuse_reasoning(), reply('Two', thinking='Aha.'), reply('Three')
    )
    agent = Agent(simulator.model('gpt-5.5'), instructions='Count.')
    first = await agent.run('Count')
    second = await agent.run('Go on', message_history=first.all_messages())

    await agent.run('Go on', message_history=ModelMessagesTypeAdapter.validate_json(second.all_messages_json()))

    kinds = [[item['type'] for item in request.input_items] for request in simulator.requests]
    assert kinds[1] == ['message', 'reasoning', 'message', 'message']
    assert kinds[2] == ['message', 'message', 'message']
    assert kinds[3] == ['message', 'message', 'message', 'reasoning', 'message', 'message']
    simulator.assert_exhausted()


async def test_a_further_attempt_keeps_the_state_of_its_turn() -> None:
    state = {'x-codex-turn-state': 'first'}
    simulator = CodexSimulator(turn(cut_after=1, headers=state), reply('Hi', headers={'x-codex-turn-state': 'other'}))
    provider = simulator.provider(policy=None)
    model = CodexModel('gpt-5.5', provider=provider, settings={'max_retries': 2})

    result = await Agent(model, instructions='Be brief.').run('Hello')

    assert [request.headers.get('x-codex-turn-state') for request in simulator.requests] == [None, 'first']
    assert (result.response.provider_details or {})['turn_state']['value'] == 'first'


async def test_a_window_that_has_begun_anew_blocks_nothing() -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    simulator = CodexSimulator(reply('Hi'), now=lambda: now)
    simulator.limits.use(primary=100)
    provider = simulator.provider()
    await Agent(CodexModel('gpt-5.5', provider=provider), instructions='Be brief.').run('Hello')
    before = provider.rate_limits

    now += timedelta(hours=6)

    assert (before and before.blocking, provider.rate_limits and provider.rate_limits.blocking) == ('primary', None)


async def test_limits_read_as_a_sentence() -> None:
    simulator = CodexSimulator(reply('Hi'), now=lambda: datetime(2026, 11, 21, 12, 0, tzinfo=UTC))

    assert str(await simulator.provider().fetch_rate_limits()) == snapshot(
        'plus plan: 5-hour window at 42 %, resets at 2026-11-21 12:20 UTC; weekly window at 7 %, resets at 2026-11-27 06:53 UTC; credits 12.5'
    )


async def test_a_plan_limit_in_a_stream_that_has_begun_is_known_afterwards() -> None:
    limit = turn(say('Half'), ending='failed', error_code='usage_limit_reached', error_message='Used up.')
    simulator = CodexSimulator(limit)
    provider = simulator.provider()
    agent = Agent(CodexModel('gpt-5.5', provider=provider), instructions='Be brief.')

    with pytest.raises(ModelQuotaExceededError):
        async with agent.run_stream('Hello') as stream:
            await stream.get_output()

    assert provider.rate_limits is not None
    assert provider.rate_limits.limit_reached


async def test_an_answer_without_a_beginning_keeps_the_state_of_its_turn() -> None:
    item = {'type': 'function_call', 'id': 'fc_1', 'call_id': 'call_1', 'name': 'add', 'arguments': '{}'}
    call = raw_stream(
        sse_frame({'type': 'response.output_item.done', 'item': item}),
        sse_frame({'type': 'response.completed', 'response': {'id': 'resp_1'}}),
    )
    simulator = CodexSimulator(call, reply('Done'), turn_state=True)
    agent = Agent(simulator.model('gpt-5.5'), instructions='Add.')

    @agent.tool_plain
    def add() -> int:
        return 1

    await agent.run('Add')

    assert simulator.requests[1].headers['x-codex-turn-state']
    simulator.assert_exhausted()
