"""What a stream becomes, whatever becomes of the stream."""

from __future__ import annotations

import anyio
import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.exceptions import ContentFilterError, ModelAPIError, ModelConnectionError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelRequest, ModelResponse, ThinkingPart
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.usage import RequestUsage

from pydantic_ai_codex.testing import (
    CodexSimulator,
    ScriptEntry,
    TokenUsage,
    call,
    call_tool,
    raw_stream,
    reply,
    say,
    sse_frame,
    think,
    turn,
)

from .details import details_of

pytestmark = pytest.mark.anyio

MESSAGES = [ModelRequest.user_text_prompt('Hello')]
PARAMS = ModelRequestParameters()


async def ask(*script: ScriptEntry) -> ModelResponse:
    return await CodexSimulator(*script).model().request(list(MESSAGES), None, PARAMS)


def kinds(response: ModelResponse | StreamedResponse) -> list[str]:
    parts = response.get().parts if isinstance(response, StreamedResponse) else response.parts
    return [part.part_kind for part in parts]


async def test_usage_finish_reason_and_ids() -> None:
    usage = TokenUsage(input_tokens=100, output_tokens=20, cached_tokens=64, reasoning_tokens=5)

    response = await ask(reply('Hi', usage=usage))

    assert response.usage == RequestUsage(
        input_tokens=100,
        output_tokens=20,
        cache_read_tokens=64,
        output_reasoning_tokens=5,
        details={'reasoning_tokens': 5},
    )
    assert (response.finish_reason, details_of(response), response.provider_name) == snapshot(
        ('stop', {'finish_reason': 'completed', 'service_tier': 'default'}, 'codex')
    )
    assert response.provider_url == 'https://chatgpt.com/backend-api/codex'
    assert response.provider_response_id is not None
    assert response.provider_response_id.startswith('resp_')
    assert response.state == 'complete'


async def test_an_answer_without_usage_is_an_answer() -> None:
    response = await ask(reply('Hi', usage=False))

    assert (response.text, response.usage) == ('Hi', RequestUsage())


async def test_the_encrypted_content_is_on_the_first_summary() -> None:
    response = await ask(turn(think(['One.', 'Two.', 'Three.'])))

    thoughts = [part for part in response.parts if isinstance(part, ThinkingPart)]
    assert [(part.content, part.signature is not None) for part in thoughts] == [
        ('One.', True),
        ('Two.', False),
        ('Three.', False),
    ]
    assert len({part.id for part in thoughts}) == 1


async def test_reasoning_without_a_summary_is_kept() -> None:
    response = await ask(turn(think(), say('Hi')))

    assert [(part.part_kind, bool(getattr(part, 'signature', None))) for part in response.parts] == [
        ('thinking', True),
        ('text', False),
    ]


@pytest.mark.parametrize('chunk_bytes', [1, 7, 100_000])
async def test_the_cut_of_the_bytes_makes_no_difference(chunk_bytes: int) -> None:
    response = await ask(
        turn(think('Ünï\u2028cödé 🌤'), say('Größe: 10 € 🎉'), call('f', x='日本'), chunk_bytes=chunk_bytes)
    )

    assert [getattr(part, 'content', None) or getattr(part, 'args', None) for part in response.parts] == [
        'Ünï\u2028cödé 🌤',
        'Größe: 10 € 🎉',
        '{"x": "日本"}',
    ]


async def test_length_is_told() -> None:
    response = await ask(reply('Half of', ending='incomplete'))

    assert (response.text, response.finish_reason) == ('Half of', 'length')


async def test_a_content_filter_is_told() -> None:
    with pytest.raises(ContentFilterError):
        await Agent(CodexSimulator(turn(ending='incomplete', incomplete_reason='content_filter')).model()).run('Hi')


async def test_a_refusal_is_a_content_filter() -> None:
    part = {'type': 'refusal', 'refusal': 'I will not.'}
    item = {'type': 'message', 'id': 'msg_1', 'role': 'assistant', 'content': [part]}
    response = await ask(
        raw_stream(
            sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': item}),
            sse_frame({'type': 'response.completed', 'response': {'id': 'resp_1'}}),
        )
    )

    assert (response.parts, response.finish_reason) == ([], 'content_filter')
    assert details_of(response) == snapshot({'finish_reason': 'completed', 'refusal': 'I will not.'})


async def test_unknown_events_and_items_do_no_harm() -> None:
    response = await ask(
        raw_stream(
            sse_frame({'type': 'keepalive'}),
            sse_frame({'type': 'codex.rate_limits', 'plan_type': 'plus'}),
            b': comment\n\nevent: only\n\nid: 7\n\n',
            sse_frame({'type': 'response.output_item.done', 'item': {'type': 'not_yet_invented', 'id': 'x_1'}}),
            sse_frame({'type': 'response.output_item.done', 'output_index': 1, 'item': _message('msg_1', 'Hi')}),
            sse_frame({'type': 'response.completed', 'response': {'id': 'resp_1', 'output': None}}),
        )
    )

    assert response.text == 'Hi'


@pytest.mark.parametrize(
    'chunks',
    [(b'',), (b'\xff\xfe\x00garbage\n\n',), (b'data: {"type": \n\n',), (b'data: [1, 2]\n\n', b'data: nonsense\n\n')],
    ids=['nothing', 'binary', 'broken-json', 'no-objects'],
)
async def test_a_stream_of_garbage_is_an_error(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(ModelConnectionError, match='before the answer was complete'):
        await ask(raw_stream(*chunks))


async def test_a_page_in_place_of_a_stream_is_an_error() -> None:
    with pytest.raises(ModelAPIError, match=r'text/html and no event stream.*Just a moment'):
        await ask(raw_stream(b'<html>Just a moment...', content_type='text/html; charset=UTF-8'))


@pytest.mark.parametrize(
    'answer',
    [turn(say('one two three four five'), cut_after=6), turn(say('one two three four five'), end_after=6)],
    ids=['cut', 'end'],
)
async def test_half_an_answer_is_an_error(answer: ScriptEntry) -> None:
    with pytest.raises(ModelConnectionError) as caught:
        await ask(answer)

    assert caught.value.phase == 'read'


async def test_half_an_answer_was_streamed_before_the_error() -> None:
    simulator = CodexSimulator(turn(say('one two three four five six'), cut_after=6))
    texts: list[str] = []

    with pytest.raises(ModelConnectionError):
        async with Agent(simulator.model()).run_stream('Hi') as result:
            async for text in result.stream_text(delta=True, debounce_by=None):
                texts.append(text)

    assert texts[0] == 'one '


async def test_a_reset_after_the_end_is_no_error() -> None:
    whole = (
        sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': _message('msg_1', 'Hi')}),
        sse_frame({'type': 'response.completed', 'response': {'id': 'resp_1'}}),
    )

    response = await ask(raw_stream(*whole, cut=True))

    assert (response.text, response.state) == ('Hi', 'complete')


async def test_a_failure_at_the_start_is_raised_on_entering() -> None:
    simulator = CodexSimulator(turn(ending='failed', error_code='server_is_overloaded'))

    with pytest.raises(ModelAPIError, match='server_is_overloaded'):
        async with simulator.model().request_stream(list(MESSAGES), None, PARAMS):
            pytest.fail('the stream was handed out')

    assert simulator.open_streams == 0


async def test_cancelling_closes_the_connection() -> None:
    simulator = CodexSimulator(turn(say('one two three four'), stall_after=6))

    async with simulator.model().request_stream(list(MESSAGES), None, PARAMS) as streamed:
        async for _ in streamed:
            await streamed.cancel()

    assert streamed.get().state == 'interrupted'
    assert simulator.open_streams == 0


async def test_cancelling_ends_a_read_that_waits_in_another_task() -> None:
    simulator = CodexSimulator(turn(say('one two three four'), stall_after=6))

    async with simulator.model().request_stream(list(MESSAGES), None, PARAMS) as streamed:
        stalled = anyio.Event()

        async def read() -> None:
            async for _ in streamed:
                stalled.set()

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await stalled.wait()
                await streamed.cancel()

    assert simulator.open_streams == 0


async def test_reading_on_after_the_end_of_the_block_is_an_error() -> None:
    simulator = CodexSimulator(turn(say('one two three four'), stall_after=6))

    async with simulator.model().request_stream(list(MESSAGES), None, PARAMS) as streamed:
        pass
    with pytest.raises(ModelConnectionError, match='was closed'):
        async for _ in streamed:
            pass


async def test_leaving_early_closes_the_connection() -> None:
    simulator = CodexSimulator(turn(say('one two three four'), stall_after=6))

    async with simulator.model().request_stream(list(MESSAGES), None, PARAMS) as streamed:
        async for _ in streamed:
            break

    assert streamed.get().state == 'incomplete'
    assert simulator.open_streams == 0


async def test_a_cancelled_task_closes_the_connection() -> None:
    simulator = CodexSimulator(turn(say('one two three four'), stall_after=6))
    agent = Agent(simulator.model())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(agent.run, 'Hi')
        with anyio.fail_after(10):
            while not any(request.frames_sent == 6 for request in simulator.requests):
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()

    assert simulator.open_streams == 0


async def test_broken_arguments_reach_the_agent_as_they_are(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(call_tool('look', '{"x": '), reply('ok'))
    agent = Agent(codex_simulator.model())

    @agent.tool_plain
    def look(x: int) -> str:
        raise AssertionError('the arguments are broken')

    assert (await agent.run('Hi')).output == 'ok'


@pytest.mark.parametrize('ending', ['incomplete', 'completed'])
async def test_a_call_that_was_cut_before_its_first_argument_is_not_run(ending: str) -> None:
    item = {'type': 'function_call', 'id': 'fc_1', 'call_id': 'call_1', 'name': 'erase', 'arguments': ''}
    cut = raw_stream(
        sse_frame({'type': 'response.output_item.added', 'output_index': 0, 'item': item}),
        sse_frame({'type': f'response.{ending}', 'response': {'incomplete_details': {'reason': 'max_output_tokens'}}}),
    )
    simulator = CodexSimulator(cut, reply('ok'))
    agent = Agent(simulator.model())

    @agent.tool_plain
    def erase(path: str = '/') -> str:
        raise AssertionError('only half of the call came')

    assert (await agent.run('Hi')).output == 'ok'
    assert [item['type'] for item in simulator.requests[1].body['input']] == [
        'message',
        'function_call',
        'function_call_output',
    ]


async def test_a_call_that_came_twice_is_run_once() -> None:
    item = {'type': 'function_call', 'call_id': 'call_1', 'name': 'add', 'arguments': '{"x":1}'}
    done = [
        sse_frame({'type': 'response.output_item.done', 'output_index': 0, 'item': {**item, **name}})
        for name in ({}, {'id': 'fc_1'}, {'id': 'fc_2'}, {})
    ]
    end = sse_frame({'type': 'response.completed', 'response': {'id': 'resp_1'}})
    agent = Agent(CodexSimulator(raw_stream(*done, end), reply('ok')).model())
    added: list[int] = []

    @agent.tool_plain
    def add(x: int) -> str:
        added.append(x)
        return 'added'

    assert (await agent.run('Hi')).output == 'ok'
    assert added == [1]


async def test_no_answer_at_all_is_asked_for_again_and_then_an_error() -> None:
    simulator = CodexSimulator(default=turn())

    with pytest.raises(UnexpectedModelBehavior):
        await Agent(simulator.model()).run('Hi')


def _message(item_id: str, text: str) -> dict[str, object]:
    content = [{'type': 'output_text', 'text': text}]
    return {'type': 'message', 'id': item_id, 'role': 'assistant', 'status': 'completed', 'content': content}
