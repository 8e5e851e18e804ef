"""Each kind of output item to its parts, and back: the parts of a turn, sent again, are taken by the strict simulator."""

from __future__ import annotations

from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, PromptedOutput
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.messages import (
    BinaryImage,
    CompactionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex import CodexModelSettings
from pydantic_ai_codex.testing import (
    CodexSimulator,
    Item,
    ScriptEntry,
    call,
    compaction,
    custom_call,
    image,
    output_item,
    raw_stream,
    refuse,
    reply,
    say,
    shell_call,
    sse_frame,
    think,
    turn,
    web_search,
)

from .details import details_of

pytestmark = pytest.mark.anyio

PNG = b'\x89PNG\r\n\x1a\n'
CITATION = {'type': 'url_citation', 'url': 'https://example.org', 'title': 'Example', 'start_index': 0, 'end_index': 4}
PARAMS = ModelRequestParameters()


def input_text(text: str) -> dict[str, str]:
    return {'type': 'input_text', 'text': text}


async def there_and_back(*items: Item) -> tuple[ModelResponse, list[dict[str, Any]]]:
    """The response for a turn, and the input items that it becomes in the next request."""
    simulator = CodexSimulator(turn(*items), reply('Done.'))
    model = simulator.model('gpt-5.5')
    messages: list[ModelMessage] = [ModelRequest.user_text_prompt('Hello')]
    response = await model.request(messages, None, PARAMS)
    returns = [
        ToolReturnPart(part.tool_name, 'ok', part.tool_call_id)
        for part in response.parts
        if isinstance(part, ToolCallPart)
    ]
    following = ModelRequest(returns) if returns else ModelRequest.user_text_prompt('Go on.')
    await model.request([*messages, response, following], None, PARAMS)
    items_sent: list[dict[str, Any]] = simulator.requests[1].body['input']
    prompts = [{'type': 'message', 'role': 'user', 'content': [input_text(text)]} for text in ('Hello', 'Go on.')]
    return response, [item for item in items_sent if item not in prompts]


def shown(part: Any) -> dict[str, Any]:
    """What a part holds, without ids of the simulator's, times and defaults."""
    values = {name: getattr(part, name) for name in part.__dataclass_fields__}
    left_out = {'id', 'tool_call_id', 'timestamp', 'provider_name', 'metadata', 'outcome', 'tool_kind'}
    return {
        name: '...' if name == 'signature' else value
        for name, value in values.items()
        if value not in (None, []) and name not in left_out and not name.startswith('_')
    }


def parts_of(response: ModelResponse) -> list[tuple[str, dict[str, Any]]]:
    return [(type(part).__name__, shown(part)) for part in response.parts]


async def test_messages() -> None:
    response, sent = await there_and_back(
        say('I look.', phase='commentary'), say('Text', phase='final_answer', annotations=[CITATION])
    )

    assert [
        (part.content, part.id and part.id[:4], part.provider_name, part.provider_details)
        for part in response.parts
        if isinstance(part, TextPart)
    ] == snapshot(
        [
            ('I look.', 'msg_', 'codex', {'phase': 'commentary'}),
            (
                'Text',
                'msg_',
                'codex',
                {
                    'phase': 'final_answer',
                    'annotations': [
                        {
                            'type': 'url_citation',
                            'url': 'https://example.org',
                            'title': 'Example',
                            'start_index': 0,
                            'end_index': 4,
                        }
                    ],
                },
            ),
        ]
    )
    assert sent == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [{'type': 'output_text', 'text': 'I look.'}],
                'phase': 'commentary',
            },
            {
                'type': 'message',
                'role': 'assistant',
                'content': [{'type': 'output_text', 'text': 'Text'}],
                'phase': 'final_answer',
            },
        ]
    )


@pytest.mark.skipif(not hasattr(TextPart('x'), 'citations'), reason='pydantic-ai 2.60 has no citations')
async def test_citations() -> None:
    file = {'type': 'file_citation', 'file_id': 'file-1', 'filename': 'a.pdf', 'index': 0}
    beyond = {**CITATION, 'end_index': 99}

    response, _ = await there_and_back(say('Text', annotations=[CITATION, file, beyond, {'type': 'container_file'}]))

    (part,) = response.parts
    citations: list[Any] = getattr(part, 'citations', [])
    assert [(shown(each.sources[0]), each.anchor and shown(each.anchor)) for each in citations] == snapshot(
        [
            (
                {'url': 'https://example.org', 'title': 'Example', 'kind': 'web'},
                {'start': 0, 'end': 4, 'kind': 'marker'},
            ),
            ({'document_id': 'file-1', 'title': 'a.pdf', 'kind': 'document'}, None),
            ({'url': 'https://example.org', 'title': 'Example', 'kind': 'web'}, None),
        ]
    )


async def test_reasoning() -> None:
    response, sent = await there_and_back(think(['One.', 'Two.'], raw=['Raw.']), say('Done.'))

    account = {'account': CodexSimulator().credentials.account_tag}
    assert [
        (part.content, bool(part.signature), part.provider_details)
        for part in response.parts
        if isinstance(part, ThinkingPart)
    ] == [('One.', True, {**account, 'raw_content': ['Raw.']}), ('Two.', False, None)]
    assert [sorted(item) for item in sent] == snapshot(
        [['encrypted_content', 'id', 'summary', 'type'], ['content', 'role', 'type']]
    )


async def test_function_calls() -> None:
    response, sent = await there_and_back(
        call('weather', city='Paris', call_id='call_1'), call('look', call_id='call_2', namespace='functions')
    )

    assert parts_of(response) == snapshot(
        [
            ('ToolCallPart', {'tool_name': 'weather', 'args': '{"city": "Paris"}', 'part_kind': 'tool-call'}),
            (
                'ToolCallPart',
                {
                    'tool_name': 'look',
                    'args': '{}',
                    'provider_details': {'namespace': 'functions'},
                    'part_kind': 'tool-call',
                },
            ),
        ]
    )
    assert sent == snapshot(
        [
            {'type': 'function_call', 'call_id': 'call_1', 'name': 'weather', 'arguments': '{"city":"Paris"}'},
            {'type': 'function_call', 'call_id': 'call_2', 'name': 'look', 'namespace': 'functions', 'arguments': '{}'},
            {'type': 'function_call_output', 'call_id': 'call_1', 'output': 'ok'},
            {'type': 'function_call_output', 'call_id': 'call_2', 'output': 'ok'},
        ]
    )


async def test_custom_calls() -> None:
    response, sent = await there_and_back(custom_call('apply_patch', '*** "a"\n\té😀\\', call_id='call_1'))

    assert parts_of(response) == snapshot(
        [
            (
                'ToolCallPart',
                {
                    'tool_name': 'apply_patch',
                    'args': '{"input":"*** \\"a\\"\\n\\té😀\\\\"}',
                    'provider_details': {'type': 'custom_tool_call'},
                    'part_kind': 'tool-call',
                },
            )
        ]
    )
    assert sent == snapshot(
        [
            {
                'type': 'custom_tool_call',
                'call_id': 'call_1',
                'name': 'apply_patch',
                'input': """\
*** "a"
	é😀\\\
""",
            },
            {'type': 'custom_tool_call_output', 'call_id': 'call_1', 'output': 'ok'},
        ]
    )


async def test_custom_calls_without_a_text() -> None:
    response, sent = await there_and_back(custom_call('apply_patch', '', call_id='call_1'))

    assert parts_of(response) == snapshot(
        [
            (
                'ToolCallPart',
                {
                    'tool_name': 'apply_patch',
                    'args': '{"input":""}',
                    'provider_details': {'type': 'custom_tool_call'},
                    'part_kind': 'tool-call',
                },
            )
        ]
    )
    assert sent == snapshot(
        [
            {'type': 'custom_tool_call', 'call_id': 'call_1', 'name': 'apply_patch', 'input': ''},
            {'type': 'custom_tool_call_output', 'call_id': 'call_1', 'output': 'ok'},
        ]
    )


async def test_shell_calls() -> None:
    response, sent = await there_and_back(shell_call(['ls', '-l'], call_id='call_1', timeout_ms=10))

    assert parts_of(response) == snapshot(
        [
            (
                'ToolCallPart',
                {
                    'tool_name': 'local_shell',
                    'args': '{"command":["ls","-l"],"timeout_ms":10}',
                    'provider_details': {'type': 'local_shell_call'},
                    'part_kind': 'tool-call',
                },
            )
        ]
    )
    assert sent == snapshot(
        [
            {
                'type': 'local_shell_call',
                'call_id': 'call_1',
                'status': 'completed',
                'action': {'type': 'exec', 'command': ['ls', '-l'], 'env': {}, 'timeout_ms': 10},
            },
            {'type': 'function_call_output', 'call_id': 'call_1', 'output': 'ok'},
        ]
    )


async def test_web_searches() -> None:
    response, sent = await there_and_back(web_search('news', sources=['https://example.org']), say('Nothing new.'))

    assert parts_of(response) == snapshot(
        [
            (
                'NativeToolCallPart',
                {
                    'tool_name': 'web_search',
                    'args': {'type': 'search', 'query': 'news', 'queries': ['news']},
                    'part_kind': 'builtin-tool-call',
                },
            ),
            (
                'NativeToolReturnPart',
                {
                    'tool_name': 'web_search',
                    'content': {'status': 'completed', 'sources': [{'type': 'url', 'url': 'https://example.org'}]},
                    'part_kind': 'builtin-tool-return',
                },
            ),
            ('TextPart', {'content': 'Nothing new.', 'part_kind': 'text'}),
        ]
    )
    assert [{**item, 'id': '...'} if 'id' in item else item for item in sent] == snapshot(
        [
            {
                'type': 'web_search_call',
                'id': '...',
                'status': 'completed',
                'action': {'type': 'search', 'query': 'news', 'queries': ['news']},
            },
            {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'Nothing new.'}]},
        ]
    )


async def test_images() -> None:
    response, sent = await there_and_back(image(PNG, partial=[b'half'], revised_prompt='A cat'), say('A cat.'))

    assert parts_of(response) == snapshot(
        [
            ('NativeToolCallPart', {'tool_name': 'image_generation', 'part_kind': 'builtin-tool-call'}),
            (
                'FilePart',
                {'content': BinaryImage(data=b'\x89PNG\r\n\x1a\n', media_type='image/png'), 'part_kind': 'file'},
            ),
            (
                'NativeToolReturnPart',
                {
                    'tool_name': 'image_generation',
                    'content': {
                        'status': 'completed',
                        'background': 'opaque',
                        'quality': 'high',
                        'size': '1024x1024',
                        'revised_prompt': 'A cat',
                    },
                    'part_kind': 'builtin-tool-return',
                },
            ),
            ('TextPart', {'content': 'A cat.', 'part_kind': 'text'}),
        ]
    )
    assert response.images == [BinaryImage(PNG, media_type='image/png')]
    assert sent == snapshot(
        [
            {
                'type': 'message',
                'role': 'user',
                'content': [
                    {'type': 'input_text', 'text': 'The assistant made this file:'},
                    {'type': 'input_image', 'image_url': 'data:image/png;base64,iVBORw0KGgo=', 'detail': 'auto'},
                ],
            },
            {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'A cat.'}]},
        ]
    )


async def test_compactions() -> None:
    response, sent = await there_and_back(compaction(), say('Hello'))

    (part, _) = response.parts
    assert isinstance(part, CompactionPart)
    assert part.id is not None
    assert part.provider_details is not None
    assert part.provider_details['account'] == CodexSimulator().credentials.account_tag
    # The prompt is left out, as the compaction stands for it.
    assert [(item['type'], item.get('role')) for item in sent] == [('compaction', None), ('message', 'assistant')]


async def test_items_of_other_kinds_come_back_as_they_were() -> None:
    item = {'type': 'code_interpreter_call', 'id': 'ci_1', 'status': 'completed', 'code': '1', 'container_id': 'c'}

    response, sent = await there_and_back(output_item(item), say('One.'))

    assert parts_of(response)[0] == snapshot(
        (
            'NativeToolCallPart',
            {
                'tool_name': 'code_interpreter',
                'provider_details': {
                    'item': {
                        'type': 'code_interpreter_call',
                        'id': 'ci_1',
                        'status': 'completed',
                        'code': '1',
                        'container_id': 'c',
                    }
                },
                'part_kind': 'builtin-tool-call',
            },
        )
    )
    assert sent[0] == item


async def test_an_encrypted_item_of_a_kind_we_have_no_part_for_stays_with_its_account() -> None:
    simulator = CodexSimulator(turn(output_item({'type': 'context_compaction', 'encrypted_content': 'sealed'})))
    messages: list[ModelMessage] = [ModelRequest.user_text_prompt('Hello')]
    messages.append(await simulator.model().request(messages, None, PARAMS))
    other = CodexSimulator(reply('Hi'), account_id='00000000-0000-4000-8000-000000000002')

    await other.model().request([*messages, ModelRequest.user_text_prompt('Go on.')], None, PARAMS)

    assert {item['type'] for item in other.requests[0].body['input']} == {'message'}
    assert b'sealed' not in other.requests[0].content


async def test_an_item_that_may_be_no_input_goes_back_as_a_text() -> None:
    _, sent = await there_and_back(output_item({'type': 'mystery', 'id': 'm_1', 'x': 'marker'}), say('One.'))

    assert [(item['type'], item['role']) for item in sent] == [('message', 'assistant')] * 2
    assert 'marker' in sent[0]['content'][0]['text']


async def test_refusals() -> None:
    simulator = CodexSimulator(turn(say('Well: '), refuse('No.')))

    response = await simulator.model().request([ModelRequest.user_text_prompt('Hello')], None, PARAMS)

    assert response.text == 'Well: '
    assert response.finish_reason == 'content_filter'
    assert details_of(response) == snapshot({'finish_reason': 'completed', 'refusal': 'No.', 'service_tier': 'default'})


async def test_an_image_that_is_none_is_an_error() -> None:
    item = {'type': 'image_generation_call', 'id': 'ig_1', 'status': 'completed', 'result': 'no base64!'}

    with pytest.raises(ModelAPIError, match='no base64'):
        await there_and_back(output_item(item))


class City(BaseModel):
    name: str


@pytest.mark.parametrize('wrapper', [NativeOutput, PromptedOutput])
async def test_commentary_is_no_part_of_an_output_that_is_json(codex_simulator: CodexSimulator, wrapper: Any) -> None:
    codex_simulator.add(
        turn(say('I look.', phase='commentary'), say('{"name": "Paris"}', phase='final_answer')),
        reply('{"name": "Rome"}'),
    )
    agent = Agent(codex_simulator.model(), output_type=wrapper(City))

    first = await agent.run('The capital of France?')
    await agent.run('And of Italy?', message_history=first.all_messages())

    assert first.output == City(name='Paris')
    assert [(part.part_kind, part.provider_details) for part in first.response.parts] == snapshot(
        [('thinking', {'phase': 'commentary'}), ('text', {'phase': 'final_answer'})]
    )
    assert [item.get('phase') for item in codex_simulator.requests[1].body['input']] == snapshot(
        [None, 'commentary', 'final_answer', None]
    )


def late_commentary() -> ScriptEntry:
    """A commentary that is told only when it is finished, and the final answer."""

    def message(item_id: str, text: str, **fields: str) -> dict[str, Any]:
        content = [{'type': 'output_text', 'text': text}] if text else []
        return {'type': 'message', 'id': item_id, 'role': 'assistant', 'content': content, **fields}

    position: dict[str, Any] = {'item_id': 'msg_1', 'output_index': 0, 'content_index': 0}
    return raw_stream(
        sse_frame({'type': 'response.output_item.added', 'output_index': 0, 'item': message('msg_1', '')}),
        sse_frame({'type': 'response.output_text.delta', **position, 'delta': 'I '}),
        sse_frame({'type': 'response.output_text.delta', **position, 'delta': 'look.'}),
        *(
            sse_frame({'type': 'response.output_item.done', 'output_index': index, 'item': item})
            for index, item in enumerate(
                [
                    message('msg_1', 'I look.', phase='commentary'),
                    message('msg_2', '{"name": "Paris"}', phase='final_answer'),
                ]
            )
        ),
        sse_frame({'type': 'response.completed', 'response': {'id': 'resp_1'}}),
    )


@pytest.mark.parametrize('wrapper', [NativeOutput, PromptedOutput])
@pytest.mark.parametrize('streamed', [False, True], ids=['run', 'run_stream'])
async def test_commentary_that_is_told_late_is_no_part_of_an_output_that_is_json(
    codex_simulator: CodexSimulator,
    wrapper: Any,
    streamed: bool,
) -> None:
    codex_simulator.add(late_commentary(), reply('{"name": "Rome"}'))
    agent = Agent(codex_simulator.model(), output_type=wrapper(City), retries=0)

    if streamed:
        async with agent.run_stream('The capital of France?') as result:
            output, messages = await result.get_output(), result.all_messages()
    else:
        run = await agent.run('The capital of France?')
        output, messages = run.output, run.all_messages()
    await agent.run('And of Italy?', message_history=messages)

    assert output == City(name='Paris')
    assert isinstance(messages[-1], ModelResponse)
    assert messages[-1].thinking == 'I look.'
    sent = codex_simulator.requests[1].body['input']
    assert [(item.get('phase'), item['content'][0]['text']) for item in sent] == [
        (None, 'The capital of France?'),
        ('commentary', 'I look.'),
        ('final_answer', '{"name": "Paris"}'),
        (None, 'And of Italy?'),
    ]


async def test_commentary_is_text_or_thinking_as_one_likes(codex_simulator: CodexSimulator) -> None:
    answer = turn(say('I look.', phase='commentary'), say('Paris', phase='final_answer'))
    codex_simulator.add(answer, answer, reply('Bye.'))
    agent = Agent(codex_simulator.model())

    together = await agent.run('The capital of France?')
    apart = await agent.run('The same again?', model_settings=CodexModelSettings(codex_commentary='thinking'))
    await agent.run('Bye.', message_history=apart.all_messages())

    assert (together.output, apart.output) == ('I look.Paris', 'Paris')
    assert apart.response.thinking == 'I look.'
    assert [item.get('phase') for item in codex_simulator.requests[2].body['input']] == [
        None,
        'commentary',
        'final_answer',
        None,
    ]


async def test_items_by_turns_are_shown_one_after_the_other() -> None:
    """The events of a part never come after its end, even where the backend sends two messages by turns."""
    frames = [sse_frame({'type': 'response.created', 'response': {'id': 'resp_1'}})]
    for index in (0, 1):
        item: dict[str, Any] = {'id': f'msg_{index}', 'type': 'message', 'role': 'assistant', 'content': []}
        frames.append(sse_frame({'type': 'response.output_item.added', 'output_index': index, 'item': item}))
    for piece in ('a', 'b', 'c'):
        for index in (0, 1):
            delta = {'type': 'response.output_text.delta', 'item_id': f'msg_{index}', 'output_index': index}
            frames.append(sse_frame({**delta, 'content_index': 0, 'delta': f'{piece}{index} '}))
    for index in (1, 0):
        content = [{'type': 'output_text', 'text': f'a{index} b{index} c{index} '}]
        item = {'id': f'msg_{index}', 'type': 'message', 'role': 'assistant', 'content': content}
        frames.append(sse_frame({'type': 'response.output_item.done', 'output_index': index, 'item': item}))
    frames.append(sse_frame({'type': 'response.completed', 'response': {'id': 'resp_1'}}))
    model = CodexSimulator(raw_stream(*frames)).model()

    events: list[tuple[str, int]] = []
    async with model.request_stream([ModelRequest.user_text_prompt('Hello')], None, PARAMS) as stream:
        async for event in stream:
            if isinstance(event, PartStartEvent | PartDeltaEvent | PartEndEvent):
                events.append((event.event_kind, event.index))

    assert [part.content for part in stream.get().parts if isinstance(part, TextPart)] == ['a0 b0 c0 ', 'a1 b1 c1 ']
    assert events == snapshot(
        [
            ('part_start', 0),
            ('part_delta', 0),
            ('part_delta', 0),
            ('part_end', 0),
            ('part_start', 1),
            ('part_delta', 1),
            ('part_delta', 1),
            ('part_end', 1),
        ]
    )
