"""The flagship line through every way an agent can be run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from dirty_equals import IsStr
from inline_snapshot import snapshot
from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    FinalResultEvent,
    NativeOutput,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    PromptedOutput,
)
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import override_allow_model_requests

from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.testing import CodexSimulator, call, call_tool, reply, say, think, turn

pytestmark = pytest.mark.anyio


def weather_agent(simulator: CodexSimulator, **options: Any) -> Agent[None, str]:
    agent = Agent(simulator.model('gpt-5.1-codex-high'), **options)

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f'{city}: sunny'

    return agent


def weather_script() -> tuple[Any, ...]:
    return (
        turn(
            think('Both at once.'),
            call('get_weather', city='Paris', call_id='call_paris'),
            call('get_weather', city='Oslo', call_id='call_oslo'),
        ),
        reply('Sunny everywhere.', thinking='Easy.'),
    )


async def test_run_answers_with_tools(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(*weather_script())

    result = await weather_agent(codex_simulator).run('Weather in Paris and Oslo?')

    assert result.output == 'Sunny everywhere.'
    assert [request.body['input'][1:] for request in codex_simulator.requests if request.body][1] == snapshot(
        [
            {
                'type': 'reasoning',
                'summary': [{'type': 'summary_text', 'text': 'Both at once.'}],
                'encrypted_content': IsStr(regex='gAAAAAB.+'),
                'id': IsStr(regex='rs_.+'),
            },
            {
                'type': 'function_call',
                'call_id': 'call_paris',
                'name': 'get_weather',
                'arguments': '{"city":"Paris"}',
            },
            {
                'type': 'function_call',
                'call_id': 'call_oslo',
                'name': 'get_weather',
                'arguments': '{"city":"Oslo"}',
            },
            {'type': 'function_call_output', 'call_id': 'call_paris', 'output': 'Paris: sunny'},
            {'type': 'function_call_output', 'call_id': 'call_oslo', 'output': 'Oslo: sunny'},
        ]
    )


@pytest.fixture
def closed_loop() -> Iterator[None]:
    """`run_sync` makes an event loop and leaves it open for its next call; here it is closed."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures('closed_loop')
def test_run_sync_answers_with_tools(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(*weather_script())

    assert weather_agent(codex_simulator).run_sync('Weather?').output == 'Sunny everywhere.'


async def test_run_stream_streams_every_delta(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(*weather_script())

    async with weather_agent(codex_simulator).run_stream('Weather?') as result:
        texts = [text async for text in result.stream_text(delta=True, debounce_by=None)]

    assert texts == ['Sunny ', 'everywhere.']


async def test_run_stream_events_streams_thinking_calls_and_text(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(*weather_script())

    seen: list[str] = []
    async with weather_agent(codex_simulator).run_stream_events('Weather?') as events:
        async for event in events:
            match event:
                case PartStartEvent():
                    seen.append(f'start {event.part.part_kind}')
                case PartDeltaEvent():
                    seen.append(f'delta {event.delta.part_delta_kind}')
                case PartEndEvent():
                    seen.append(f'end {event.part.part_kind}')
                case FinalResultEvent():
                    seen.append('final')
                case _:
                    seen.append(event.event_kind)

    assert seen == snapshot(
        [
            'start thinking',
            'delta thinking',
            'delta thinking',
            'delta thinking',
            'end thinking',
            'start tool-call',
            'delta tool_call',
            'delta tool_call',
            'end tool-call',
            'start tool-call',
            'delta tool_call',
            'end tool-call',
            'function_tool_call',
            'function_tool_call',
            'function_tool_result',
            'function_tool_result',
            'start thinking',
            'delta thinking',
            'end thinking',
            'start text',
            'final',
            'delta text',
            'end text',
            'agent_run_result',
        ]
    )


async def test_collected_and_streamed_answers_are_the_same(codex_simulator: CodexSimulator) -> None:
    turns = turn(think(['One.', 'Two.']), say('Let me see. '), call('get_weather', city='Bonn', call_id='call_1'))
    codex_simulator.add(turns, reply('Fine.'))
    agent = weather_agent(codex_simulator)

    result = await agent.run('Weather?')

    responses = [message for message in result.all_messages() if isinstance(message, ModelResponse)]
    assert [
        (part.part_kind, getattr(part, 'content', None) or getattr(part, 'args', None)) for part in responses[0].parts
    ] == snapshot(
        [
            ('thinking', 'One.'),
            ('thinking', 'Two.'),
            ('text', 'Let me see. '),
            ('tool-call', '{"city": "Bonn"}'),
        ]
    )
    assert responses[0].usage.output_tokens > 0
    assert responses[0].provider_response_id is not None
    assert (responses[0].finish_reason, responses[0].provider_name, responses[0].model_name) == snapshot(
        (
            'stop',
            'codex',
            'gpt-5.1-codex',
        )
    )


async def test_a_history_survives_storage_and_goes_on(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(*weather_script(), reply('As I said.'))
    agent = weather_agent(codex_simulator)
    first = await agent.run('Weather?')
    stored = ModelMessagesTypeAdapter.validate_json(first.all_messages_json())

    second = await agent.run('Sure?', message_history=stored)

    assert second.output == 'As I said.'
    kinds = [item.get('role') or item['type'] for item in codex_simulator.requests[-1].body['input']]
    assert kinds == snapshot(
        [
            'user',
            'reasoning',
            'function_call',
            'function_call',
            'function_call_output',
            'function_call_output',
            'reasoning',
            'assistant',
            'user',
        ]
    )


async def test_one_conversation_keeps_one_session(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(*weather_script())

    await weather_agent(codex_simulator).run('Weather?')

    sessions = {request.headers['session-id'] for request in codex_simulator.requests}
    assert sessions == {request.body['prompt_cache_key'] for request in codex_simulator.requests}
    assert len(sessions) == 1


class City(BaseModel):
    name: str
    inhabitants: int


async def test_tool_output(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(call_tool('final_result', name='Bonn', inhabitants=330_000))

    result = await Agent(codex_simulator.model(), output_type=City).run('A city?')

    assert result.output == City(name='Bonn', inhabitants=330_000)
    body = codex_simulator.requests[0].body
    assert (body['tool_choice'], body['tools']) == snapshot(
        (
            'required',
            [
                {
                    'type': 'function',
                    'name': 'final_result',
                    'description': 'The final response which ends this conversation',
                    'parameters': {
                        'properties': {'name': {'type': 'string'}, 'inhabitants': {'type': 'integer'}},
                        'required': ['name', 'inhabitants'],
                        'type': 'object',
                        'additionalProperties': False,
                    },
                    'strict': True,
                }
            ],
        )
    )


async def test_native_output(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('{"name": "Bonn", "inhabitants": 330000}'))

    result = await Agent(codex_simulator.model(), output_type=NativeOutput(City)).run('A city?')

    assert result.output == City(name='Bonn', inhabitants=330_000)
    assert codex_simulator.requests[0].body['text'] == snapshot(
        {
            'format': {
                'type': 'json_schema',
                'name': 'City',
                'schema': {
                    'properties': {'name': {'type': 'string'}, 'inhabitants': {'type': 'integer'}},
                    'required': ['name', 'inhabitants'],
                    'type': 'object',
                    'additionalProperties': False,
                },
                'strict': True,
            }
        }
    )


async def test_prompted_output_sends_nothing_that_the_backend_refuses(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('{"name": "Bonn", "inhabitants": 330000}'))

    result = await Agent(codex_simulator.model(), output_type=PromptedOutput(City)).run('A city?')

    assert result.output == City(name='Bonn', inhabitants=330_000)
    body = codex_simulator.requests[0].body
    assert 'text' not in body
    assert 'inhabitants' in body['instructions']


async def test_output_retries_are_taken_by_the_backend(codex_simulator: CodexSimulator) -> None:
    # The feedback, and the announcement that rides along, must not become `system` items.
    codex_simulator.add(
        call_tool('final_result', name='Bonn', inhabitants='many'),
        call_tool('final_result', name='Bonn', inhabitants=1),
    )

    result = await Agent(codex_simulator.model(), output_type=City).run('A city?')

    assert result.output.inhabitants == 1


async def test_an_answer_without_output_is_asked_for_again(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(turn(think('Hm.')), reply('Here.'))

    result = await Agent(codex_simulator.model()).run('Say something.')

    assert result.output == 'Here.'
    assert 'system' not in {item.get('role') for item in codex_simulator.requests[1].body['input']}


async def test_system_prompts_are_developer_messages(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi.'))

    await Agent(codex_simulator.model(), system_prompt='Be brief.').run('Hello')

    assert codex_simulator.requests[0].body['input'] == snapshot(
        [
            {'type': 'message', 'role': 'developer', 'content': [{'type': 'input_text', 'text': 'Be brief.'}]},
            {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Hello'}]},
        ]
    )


async def test_there_are_always_instructions(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi.'))

    await Agent(codex_simulator.model()).run('Hello')

    assert codex_simulator.requests[0].body['instructions'] == snapshot(
        'You are a helpful assistant. Answer precisely, and call the tools you are given when they help.'
    )


async def test_the_effort_and_the_tier_are_not_in_the_slug(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi.'))

    await Agent(codex_simulator.model('codex:gpt-5.1-codex-max-fast-xhigh')).run('Hello')

    body = codex_simulator.requests[0].body
    assert {key: body.get(key) for key in ('model', 'service_tier', 'reasoning')} == snapshot(
        {
            'model': 'gpt-5.1-codex-max',
            'service_tier': 'priority',
            'reasoning': {'effort': 'xhigh', 'summary': 'auto'},
        }
    )


async def test_requests_can_be_forbidden(codex_simulator: CodexSimulator) -> None:
    """Those of a provider that is not the simulator's own, wherever it leads to."""
    provider = codex_simulator.provider(http_client=codex_simulator.http_client)

    with override_allow_model_requests(False), pytest.raises(RuntimeError, match='not allowed'):
        await Agent(codex_simulator.model(provider=provider)).run('Hello')

    assert codex_simulator.requests == []


@pytest.mark.parametrize('name', ['', '  ', 'codex:', 'gpt-5.5:huge', 'gpt-5.1-high-low'])
async def test_a_bad_model_name_is_a_user_error(name: str) -> None:
    with pytest.raises(UserError, match='model name'):
        CodexModel(name)


def test_one_model_serves_many_loops_and_threads() -> None:
    simulator = CodexSimulator(default=reply('Hi.'))
    agent = Agent(simulator.model())
    outputs: list[str] = []

    def work() -> None:
        for _ in range(3):
            outputs.append(asyncio.run(agent.run('Hello')).output)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outputs == ['Hi.'] * 12


async def test_parallel_runs_do_not_mix(codex_simulator: CodexSimulator) -> None:
    simulator = CodexSimulator(default=lambda request: reply(request.body['input'][-1]['content'][0]['text']))
    agent = Agent(simulator.model())

    results = await asyncio.gather(*(agent.run(f'prompt {n}') for n in range(20)))

    assert [result.output for result in results] == [f'prompt {n}' for n in range(20)]
