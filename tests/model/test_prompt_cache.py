"""What the prompt cache goes by: the session's headers and key, and a request that begins with the one before."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import BinaryContent, ModelMessagesTypeAdapter

from pydantic_ai_codex import CodexModelSettings
from pydantic_ai_codex.testing import (
    CodexSimulator,
    RecordedRequest,
    call,
    call_tool,
    reply,
    say,
    think,
    turn,
    web_search,
)

pytestmark = pytest.mark.anyio

PNG = b'\x89PNG\r\n\x1a\n'
SESSION_HEADERS = ('session-id', 'thread-id', 'x-client-request-id')


def agent_for(simulator: CodexSimulator) -> Agent[None, str]:
    agent = Agent(simulator.model('gpt-5.5'), instructions='Be brief.', system_prompt='You know the weather.')

    @agent.tool_plain
    def weather(city: str) -> list[str | BinaryContent]:
        return [f'Sunny in {city}', BinaryContent(PNG, media_type='image/png')]

    return agent


def up_to_the_input(request: RecordedRequest) -> bytes:
    """The bytes of a request up to its last input item, as they stand before the bracket that closes the input."""
    items = b','.join(
        json.dumps(item, separators=(',', ':'), ensure_ascii=False).encode() for item in request.body['input']
    )
    assert items in request.content
    return request.content[: request.content.index(items) + len(items)]


async def test_each_request_begins_with_the_bytes_of_the_one_before(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(
        turn(
            think(['**Plan**', 'Look outside.']),
            say('I look.', phase='commentary'),
            call('weather', city='Paris'),
            call('weather', city='Zürich'),
        ),
        turn(think('Hm.'), web_search('weather'), say('Sunny.', phase='final_answer')),
        call_tool('weather', city='Rome', thinking='And there?'),
        reply('Sunny, too.'),
        reply('Bye.'),
    )
    agent = agent_for(codex_simulator)

    first = await agent.run(['The weather here?', BinaryContent(PNG, media_type='image/png')])
    second = await agent.run('And in Rome?', message_history=first.all_messages())
    stored = ModelMessagesTypeAdapter.validate_json(ModelMessagesTypeAdapter.dump_json(second.all_messages()))
    await agent.run('Bye.', message_history=stored)

    requests = codex_simulator.requests
    assert len(requests) == 5
    for one, next_one in pairwise(requests):
        assert next_one.content.startswith(up_to_the_input(one))
        rest = [{**request.body, 'input': None} for request in (one, next_one)]
        assert rest[0] == rest[1]


async def test_a_conversation_has_one_session(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(call_tool('weather', city='Paris'), reply('Sunny.'), reply('Bye.'), reply('Hello.'))
    agent = agent_for(codex_simulator)

    first = await agent.run('The weather?')
    await agent.run('Bye.', message_history=first.all_messages())
    await agent.run('Hello')

    sessions = [{request.headers[name] for name in SESSION_HEADERS} for request in codex_simulator.requests]
    keys = [request.body['prompt_cache_key'] for request in codex_simulator.requests]
    assert sessions == [{key} for key in keys]
    assert len(set(keys[:3])) == 1
    assert keys[3] not in keys[:3]
    assert keys[0] == first.all_messages()[0].conversation_id


async def test_a_key_of_the_users_leaves_the_session_alone(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))
    settings = CodexModelSettings(codex_prompt_cache_key='mine')

    result = await agent_for(codex_simulator).run('Hello', model_settings=settings)

    (request,) = codex_simulator.requests
    assert request.body['prompt_cache_key'] == 'mine'
    assert request.headers['session-id'] == result.all_messages()[0].conversation_id
