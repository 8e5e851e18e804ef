from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest
from pydantic_ai import Agent

from pydantic_ai_codex import CodexModel, CodexProvider
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, SimulatorError, reply, say, think, turn

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.anyio
async def test_turns_in_order_then_the_default(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(reply('one'), default=reply('default'))
    simulator.add(reply('two'))

    texts = [(await ask(simulator, body)).text for _ in range(4)]

    assert [next(word for word in ('one', 'two', 'default') if f'"{word}"' in text) for text in texts] == [
        'one',
        'two',
        'default',
        'default',
    ]
    simulator.assert_exhausted()


@pytest.mark.anyio
async def test_unused_turns(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(reply('one'), reply('two'))
    await ask(simulator, {**body, 'stream': False})
    await ask(simulator, body)

    with pytest.raises(SimulatorError) as caught:
        simulator.assert_exhausted()

    assert str(caught.value) == (
        "Not used of the script: Turn(items=[Say(text='two')]). Turns in the script: 2; requests: 2, answered with "
        '[400, 200]. A refused one uses no turn.'
    )


@pytest.mark.anyio
async def test_record(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(reply('Hi'))
    await ask(simulator, body)

    (request,) = simulator.requests
    assert (request.method, request.path, request.body) == ('POST', '/backend-api/codex/responses', body)
    assert (request.status, request.closed, request.frames_sent) == (200, True, 9)
    assert request.headers['chatgpt-account-id'] == simulator.account_id
    assert simulator.access_token not in repr(request) + repr(request.headers) + repr(simulator)
    assert json.loads(request.content) == body
    assert repr(request) == '<RecordedRequest 1: POST /backend-api/codex/responses -> 200, 9 frames sent, closed>'
    assert repr(simulator) == '<CodexSimulator: 1 requests, 0 turns left>'


@pytest.mark.anyio
async def test_no_real_model_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('pydantic_ai.models.ALLOW_MODEL_REQUESTS', False)
    simulator = CodexSimulator(reply('Hi'))

    assert (await agent_with(simulator.provider()).run('Hi')).output == 'Hi'
    with pytest.raises(RuntimeError, match='ALLOW_MODEL_REQUESTS'):
        await agent_with(CodexProvider(credentials=simulator.credentials)).run('Hi')
    with pytest.raises(RuntimeError, match='ALLOW_MODEL_REQUESTS'):
        await agent_with(simulator.provider(base_url='https://example.com')).run('Hi')
    with pytest.raises(RuntimeError, match='ALLOW_MODEL_REQUESTS'):
        await agent_with(simulator.provider(http_client=None)).run('Hi')


def agent_with(provider: CodexProvider) -> Agent:
    return Agent(CodexModel('gpt-5.5', provider=provider), instructions='Be brief.')


def test_what_the_tools_returned() -> None:
    parts = [{'type': 'input_text', 'text': 'rain'}]
    items = [
        {'role': 'user', 'content': 'Hi'},
        {'type': 'function_call_output', 'call_id': 'a', 'output': 'sunny'},
        {'type': 'custom_tool_call_output', 'call_id': 'b', 'output': parts},
    ]

    requests = [RecordedRequest(1, 'POST', '/', {}, body) for body in ({'input': items}, {'input': 'Hi'}, {})]

    assert [request.outputs for request in requests] == [['sunny', parts], [], []]


@pytest.mark.anyio
async def test_response_headers(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(turn(headers={'X-Codex-Turn-State': 'sticky'}), now=lambda: NOW, plan_type='pro')
    response = await ask(simulator, body)

    assert {
        'content-type': 'text/event-stream; charset=utf-8',
        'openai-model': 'gpt-5.1-codex',
        'x-codex-turn-state': 'sticky',
        'x-codex-plan-type': 'pro',
        'x-codex-primary-reset-at': str(int(NOW.timestamp()) + 1234),
    }.items() <= dict(response.headers).items()
    assert response.headers['x-request-id'].startswith('req_')


@pytest.mark.anyio
async def test_reasoning_can_be_sent_back_by_its_account_only(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(turn(think('Hm.')), reply('Hi'))
    text = (await ask(simulator, body)).text
    blob = text.split('"encrypted_content":"')[1].split('"')[0]
    body['input'].append({'type': 'reasoning', 'summary': [], 'encrypted_content': blob})

    other = await ask(CodexSimulator(account_id='other'), body)
    same = await ask(simulator, body)

    assert other.json()['error']['code'] == 'invalid_encrypted_content'
    assert same.status_code == 200


def test_threads(body: Json, ask: Ask) -> None:
    """Each thread has an event loop of its own."""
    simulator = CodexSimulator(*(reply(f'word-{number}') for number in range(40)))

    def work(_: int) -> str:
        return anyio.run(lambda: ask(simulator, body)).text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(work, range(40)))

    assert {text.split('"text":"word-')[1].split('"')[0] for text in texts} == {str(number) for number in range(40)}
    assert len({text.split('"id":"resp_')[1][:40] for text in texts}) == 40
    assert [request.number for request in simulator.requests] == list(range(1, 41))
    assert simulator.open_streams == 0


def test_login() -> None:
    simulator = CodexSimulator(now=lambda: NOW)
    credentials = simulator.credentials

    assert (credentials.access_token, credentials.account_id) == (simulator.access_token, simulator.account_id)
    assert (credentials.plan_type, credentials.is_fedramp) == ('plus', False)
    assert simulator.auth_json() == {
        'auth_mode': 'chatgpt',
        'OPENAI_API_KEY': None,
        'tokens': {
            'id_token': credentials.id_token,
            'access_token': simulator.access_token,
            'refresh_token': credentials.refresh_token,
            'account_id': simulator.account_id,
        },
        'last_refresh': '2026-04-30T23:00:00Z',
    }


def test_revocation_replaces_the_own_token_only() -> None:
    simulator = CodexSimulator()
    first = simulator.access_token
    simulator.revoke('sk-other')
    assert simulator.access_token == first
    simulator.revoke()
    assert simulator.access_token != first


@pytest.mark.parametrize('entry', [say('Hi'), 'Hi', None], ids=['item', 'text', 'nothing'])
def test_what_is_no_turn_is_refused_at_once(entry: Any) -> None:
    with pytest.raises(ConfigurationError, match='is no turn'):
        CodexSimulator(entry)


@pytest.mark.parametrize('default', [say('Hi'), 'Hi'], ids=['item', 'text'])
def test_a_default_that_is_no_turn_is_refused_at_once(default: Any) -> None:
    with pytest.raises(ConfigurationError, match='is no turn'):
        CodexSimulator(default=default)


@pytest.mark.parametrize(
    ('expires_in', 'age'),
    [(None, 3600), (timedelta(days=10), 3600), (timedelta(days=1), 9 * 24 * 3600), (-60, 10 * 24 * 3600 + 60)],
)
def test_its_login_was_not_got_just_now(expires_in: timedelta | float | None, age: float) -> None:
    document = CodexSimulator(now=lambda: NOW).auth_json(expires_in=expires_in)

    assert NOW - datetime.fromisoformat(document['last_refresh']) == timedelta(seconds=age)
