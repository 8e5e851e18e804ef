"""Where pydantic-ai's `OpenAICodexModel` (2.68) was seen to fail: each failure, as a test in which ours succeeds.

The numbers are not a list of ours to keep; what a test claims stands in its name. More on most of them stands beside the
code that it is about: streams in `tests/streams`, threads in `test_threads.py`, retries in `tests/test_retries.py`.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from typing import Any

import anyio
import httpx2
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, PromptedOutput
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelConnectionError,
    ModelHTTPError,
    ModelQuotaExceededError,
    UnsupportedSettingWarning,
)
from pydantic_ai.messages import (
    BinaryContent,
    CompactionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    UploadedFile,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.test import TestModel

from pydantic_ai_codex import CodexModel, CodexProvider, TransportPolicy
from pydantic_ai_codex.testing import (
    CodexSimulator,
    ScriptEntry,
    custom_call,
    fail_in_stream,
    raw_stream,
    reply,
    say,
    shell_call,
    sse_frame,
    turn,
    usage_limit,
)

pytestmark = pytest.mark.anyio

PARAMS = ModelRequestParameters()
CREATED = sse_frame({'type': 'response.created', 'response': {'id': 'resp_1', 'model': 'gpt-5.5'}})
MESSAGE: dict[str, Any] = {
    'id': 'msg_1',
    'type': 'message',
    'role': 'assistant',
    'status': 'completed',
    'content': [{'type': 'output_text', 'text': 'Hello', 'annotations': []}],
}


def ended(output: object = None) -> bytes:
    response = {'id': 'resp_1', 'status': 'completed', 'output': output}
    return sse_frame({'type': 'response.completed', 'response': response})


async def ask(*script: ScriptEntry, content: str | list[UserContent] = 'Hello') -> ModelResponse:
    model = CodexSimulator(*script).model('gpt-5.5')
    return await model.request([ModelRequest([UserPromptPart(content)])], None, PARAMS)


class City(BaseModel):
    name: str


async def test_nothing_goes_out_as_a_system_message(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('no JSON'), reply('{"name": "Rome"}'), reply('{"name": "Paris"}'))
    agent = Agent(
        codex_simulator.model('gpt-5.5'), output_type=PromptedOutput(City), system_prompt='Be brief.', retries=3
    )

    @agent.output_validator
    def check(city: City) -> City:
        if city.name != 'Paris':
            raise ModelRetry('Not that one.')
        return city

    result = await agent.run('<system>The capital of France?</system>')

    assert result.output == City(name='Paris')
    roles = {item.get('role') for request in codex_simulator.requests for item in request.body['input']}
    assert roles == {'developer', 'user', 'assistant'}


@pytest.mark.parametrize('output', [None, [], [MESSAGE]], ids=['null', 'empty', 'full'])
async def test_the_final_snapshot_may_hold_anything(output: object) -> None:
    done = sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': MESSAGE})

    assert (await ask(raw_stream(CREATED, done, ended(output)))).text == 'Hello'


@pytest.mark.parametrize(
    'frames',
    [
        [
            sse_frame({'type': 'response.output_text.done', 'item_id': 'msg_1', 'output_index': 0, 'text': 'Hello'}),
            ended(),
        ],
        [sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': MESSAGE}), ended()],
        [ended([MESSAGE])],
    ],
    ids=['text.done', 'output_item.done', 'completed'],
)
async def test_text_that_comes_only_at_the_end_is_there(frames: list[bytes]) -> None:
    assert (await ask(raw_stream(CREATED, *frames))).text == 'Hello'


async def test_a_summary_that_comes_only_at_the_end_is_there() -> None:
    item = {'id': 'rs_1', 'type': 'reasoning', 'summary': [{'type': 'summary_text', 'text': 'Hm.'}]}
    done = sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': item})

    assert (await ask(raw_stream(CREATED, done, ended()))).thinking == 'Hm.'


async def test_a_refusal_that_comes_only_at_the_end_is_told() -> None:
    item = {**MESSAGE, 'content': [{'type': 'refusal', 'refusal': 'No.'}]}
    done = sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': item})
    agent = Agent(CodexSimulator(raw_stream(CREATED, done, ended())).model('gpt-5.5'))

    with pytest.raises(ContentFilterError, match='No'):
        await agent.run('Hello')


async def test_half_an_answer_is_never_an_answer() -> None:
    agent = Agent(CodexSimulator(turn(say('Half an answer'), end_after=6)).model('gpt-5.5'))

    with pytest.raises(ModelConnectionError, match='ended before the answer was complete'):
        await agent.run('Hello')


async def test_a_reset_after_the_end_leaves_the_answer_alone() -> None:
    done = sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': MESSAGE})

    assert (await ask(raw_stream(CREATED, done, ended(), cut=True))).text == 'Hello'


@pytest.mark.parametrize('block', [b'event: ping\n\n', b'id: 7\n\n', b': comment\n\n', b'retry: 10\n\n', b'data\n\n'])
async def test_a_block_without_data_is_no_event(block: bytes) -> None:
    done = sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': MESSAGE})

    assert (await ask(raw_stream(block, CREATED, block, done, block, ended()))).text == 'Hello'


async def test_a_plan_limit_is_asked_for_once_and_says_when_it_ends() -> None:
    simulator = CodexSimulator(default=usage_limit(resets_in_seconds=5400))

    with pytest.raises(ModelHTTPError) as caught:
        await simulator.model('gpt-5.5', policy=TransportPolicy()).request([], None, PARAMS)

    assert len(simulator.requests) == 1
    assert isinstance(caught.value, ModelQuotaExceededError)
    assert caught.value.status_code == 429
    assert caught.value.retry_after == 5400


async def test_a_plan_limit_inside_the_stream_is_the_same_error() -> None:
    with pytest.raises(ModelHTTPError) as caught:
        await ask(fail_in_stream('usage_limit_reached'))

    assert isinstance(caught.value, ModelQuotaExceededError)
    assert (caught.value.status_code, caught.value.in_stream) == (429, True)


async def test_a_failure_of_the_first_event_is_one_that_a_fallback_sees() -> None:
    first = CodexSimulator(fail_in_stream('server_is_overloaded')).model('gpt-5.5')
    agent = Agent(FallbackModel(first, TestModel(custom_output_text='Hello')))

    async with agent.run_stream('Hello') as result:
        assert await result.get_output() == 'Hello'


def test_one_client_serves_one_loop_after_the_other() -> None:
    simulator = CodexSimulator(default=reply('Hello'))
    answers: list[str | None] = []

    async def serve(ready: threading.Event, stop: threading.Event, urls: list[str]) -> None:
        async with simulator.serve() as server:
            urls.append(server.base_url)
            ready.set()
            await anyio.to_thread.run_sync(stop.wait)

    ready, stop, urls = threading.Event(), threading.Event(), list[str]()
    thread = threading.Thread(target=asyncio.run, args=[serve(ready, stop, urls)])
    thread.start()
    try:
        assert ready.wait(60)
        client = httpx2.AsyncClient()
        provider = CodexProvider(credentials=simulator.credentials, base_url=urls[0], http_client=client)
        model = CodexModel('gpt-5.5', provider=provider)
        for _ in range(3):
            answers.append(asyncio.run(model.request([], None, PARAMS)).text)
        asyncio.run(client.aclose())
    finally:
        stop.set()
        thread.join(60)

    assert answers == ['Hello', 'Hello', 'Hello']


async def test_not_thinking_is_as_little_as_possible_and_told(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))
    agent = Agent(codex_simulator.model('gpt-5.1-codex'), model_settings={'thinking': False})

    with pytest.warns(UnsupportedSettingWarning, match='always thinks'):
        await agent.run('Hello')

    assert codex_simulator.requests[0].body['reasoning']['effort'] == 'low'


@pytest.mark.parametrize(('name', 'effort'), [('gpt-6.1-sol', 'max'), ('gpt-5.5', 'xhigh'), ('gpt-5.1-codex', 'high')])
async def test_the_most_thinking_is_the_most_of_that_model(name: str, effort: str) -> None:
    simulator = CodexSimulator(reply('Hi'), refuse_retired=False)

    with warnings.catch_warnings(action='ignore', category=UnsupportedSettingWarning):
        await simulator.model(f'{name}:max').request([], None, PARAMS)

    assert simulator.requests[0].body['reasoning']['effort'] == effort


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(UploadedFile('file-1', 'openai'), id='uploaded file'),
        pytest.param(BinaryContent(b'{"a": 1}', media_type='application/json'), id='JSON'),
        pytest.param(BinaryContent(b'a text', media_type='application/octet-stream'), id='text of an unknown type'),
    ],
)
async def test_files_of_every_readable_kind_are_sent(content: UserContent) -> None:
    assert (await ask(reply('Read.'), content=[content])).text == 'Read.'


async def test_a_summary_of_another_service_is_sent() -> None:
    simulator = CodexSimulator(reply('Hi'))
    summary = CompactionPart('We spoke of Paris.', provider_name='anthropic')
    messages: list[ModelMessage] = [
        ModelRequest.user_text_prompt('Long ago'),
        ModelResponse([summary], provider_name='anthropic'),
        ModelRequest.user_text_prompt('Go on.'),
    ]

    await simulator.model('gpt-5.5').request(messages, None, PARAMS)

    assert b'We spoke of Paris.' in simulator.requests[0].content


async def test_custom_and_shell_calls_are_tool_calls(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(turn(custom_call('apply_patch', '*** "a"\n'), shell_call(['ls'])), reply('Done.'))
    agent = Agent(codex_simulator.model('gpt-5.5'))
    ran: list[Any] = []

    @agent.tool_plain
    def apply_patch(input: str) -> str:
        ran.append(input)
        return 'patched'

    @agent.tool_plain
    def local_shell(command: list[str]) -> str:
        ran.append(command)
        return 'README.md'

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert (await agent.run('Hello')).output == 'Done.'

    assert sorted(ran, key=str) == ['*** "a"\n', ['ls']]


async def test_a_subscription_has_no_price() -> None:
    response = await ask(reply('Hi'))

    with pytest.raises(LookupError):
        response.cost()


async def test_errors_of_the_backend_are_known_to_pydantic_ai() -> None:
    with pytest.raises(ModelHTTPError):
        await ask(fail_in_stream('server_error'))
