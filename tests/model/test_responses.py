"""The parts of responses, of this backend and others, as the strict simulator gets them back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import pytest
from inline_snapshot import snapshot
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    BinaryContent,
    BinaryImage,
    FilePart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    SpeechPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex._model.history.messages import map_messages
from pydantic_ai_codex.testing import CodexSimulator, Item, image, reply, say, think, turn, web_search

pytestmark = pytest.mark.anyio

Send: TypeAlias = Callable[[Sequence[ModelMessage]], Awaitable[list[dict[str, Any]]]]

PNG = b'\x89PNG\r\n\x1a\n'
OURS = ['codex', 'openai-codex']
READABLE = [*OURS, 'openai']
EMPTY_INPUT = [{'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': ''}]}]


async def again(send: Send, *parts: ModelResponsePart) -> list[dict[str, Any]]:
    """The items that a response becomes, with a return for each call."""
    returns = [
        ToolReturnPart(part.tool_name, 'ok', part.tool_call_id) for part in parts if isinstance(part, ToolCallPart)
    ]
    following = ModelRequest(returns) if returns else ModelRequest.user_text_prompt('So?')
    items = await send([ModelRequest.user_text_prompt('Hi'), ModelResponse(list(parts)), following])
    return items[1:] if returns else items[1:-1]


def sent(*parts: ModelResponsePart, account: str | None) -> list[dict[str, Any]]:
    """The items that a response becomes, sent by an account."""
    return map_messages([ModelResponse(list(parts))], accepts_reasoning=lambda response, part: True, account=account)


@pytest.mark.parametrize('provider_name', READABLE)
@pytest.mark.parametrize('phase', ['commentary', 'final_answer'])
async def test_the_phase_of_a_message_goes_back(send: Send, provider_name: str, phase: str) -> None:
    part = TextPart('Hello', id='msg_1', provider_name=provider_name, provider_details={'phase': phase, 'logprobs': []})

    assert await again(send, part) == [
        {
            'type': 'message',
            'role': 'assistant',
            'content': [{'type': 'output_text', 'text': 'Hello'}],
            'phase': phase,
        }
    ]


@pytest.mark.parametrize(
    ('provider_name', 'phase'), [('anthropic', 'commentary'), ('codex', 'thoughts'), ('codex', ['commentary'])]
)
async def test_no_other_phase_goes_back(send: Send, provider_name: str, phase: object) -> None:
    (item,) = await again(send, TextPart('Hello', provider_name=provider_name, provider_details={'phase': phase}))

    assert 'phase' not in item


async def test_parts_of_one_message_share_its_phase(send: Send) -> None:
    parts = [
        TextPart('One', id='msg_1', provider_name='codex', provider_details={'phase': 'commentary'}),
        TextPart('Two', id='msg_1', provider_name='codex'),
        TextPart('Three', id='msg_2', provider_name='codex', provider_details={'phase': 'final_answer'}),
    ]

    assert await again(send, *parts) == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [{'type': 'output_text', 'text': 'One'}, {'type': 'output_text', 'text': 'Two'}],
                'phase': 'commentary',
            },
            {
                'type': 'message',
                'role': 'assistant',
                'content': [{'type': 'output_text', 'text': 'Three'}],
                'phase': 'final_answer',
            },
        ]
    )


async def test_commentary_that_was_kept_as_thinking_is_a_message(send: Send) -> None:
    details = {'phase': 'commentary'}
    aside = ThinkingPart('Let me look.', id='msg_1', provider_name='codex', provider_details=details)

    assert await again(send, aside, TextPart('{}')) == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [{'type': 'output_text', 'text': 'Let me look.'}],
                'phase': 'commentary',
            },
            {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': '{}'}]},
        ]
    )


async def test_thinking_without_a_signature_is_plain_text(send: Send) -> None:
    assert await again(send, ThinkingPart('Hm.', id='rs_1', provider_name='codex')) == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [
                    {
                        'type': 'output_text',
                        'text': """\
<think>
Hm.
</think>\
""",
                    }
                ],
            }
        ]
    )


@pytest.mark.parametrize(
    ('made_by', 'sent_by'), [('a', 'a'), ('a', None), (None, 'a')], ids=['same', 'unknown-now', 'unknown-then']
)
def test_encrypted_reasoning_of_the_same_account_goes_back(made_by: str | None, sent_by: str | None) -> None:
    details = {'account': made_by} if made_by else None
    part = ThinkingPart('Hm.', id='rs_1', signature='gAAAA', provider_name='codex', provider_details=details)

    assert [item['type'] for item in sent(part, account=sent_by)] == ['reasoning']


def test_reasoning_of_another_account_is_left_out_whole() -> None:
    parts = [
        ThinkingPart('Hm.', id='rs_1', signature='gAAAA', provider_name='codex', provider_details={'account': 'a'}),
        ThinkingPart('So.', id='rs_1', provider_name='codex'),
    ]

    assert sent(*parts, account='b') == EMPTY_INPUT


def test_raw_reasoning_does_not_go_back() -> None:
    details = {'raw_content': ['One step.', 'Another.']}
    part = ThinkingPart('', id='rs_1', signature='gAAAA', provider_name='codex', provider_details=details)

    assert sent(part, account=None) == snapshot(
        [{'type': 'reasoning', 'summary': [], 'encrypted_content': 'gAAAA', 'id': 'rs_1'}]
    )


@pytest.mark.parametrize('item_id', ['reasoning_content', 'rs_' + 'x' * 64, None])
def test_an_id_of_reasoning_that_the_backend_would_refuse_is_left_out(item_id: str | None) -> None:
    (item,) = sent(ThinkingPart('', id=item_id, signature='gAAAA', provider_name='openai'), account=None)

    assert 'id' not in item


async def test_a_response_that_is_there_twice_keeps_its_ids_once() -> None:
    simulator = CodexSimulator(turn(think('Hm.'), web_search('cats'), say('Hello')), reply('ok'))
    model = simulator.model('gpt-5.5')
    history: list[ModelMessage] = [ModelRequest.user_text_prompt('Hi')]
    response = await model.request(history, None, ModelRequestParameters())
    go_on = ModelRequest.user_text_prompt('So?')

    await model.request([*history, response, go_on, response, go_on], None, ModelRequestParameters())

    body = simulator.requests[1].body
    assert body is not None
    assert [(item['type'], 'id' in item) for item in body['input'] if item['type'] != 'message'] == snapshot(
        [('reasoning', True), ('web_search_call', True), ('reasoning', False)]
    )


@pytest.mark.parametrize('provider_name', READABLE)
async def test_the_namespace_of_a_call_goes_back(send: Send, provider_name: str) -> None:
    details = {'namespace': 'mail'}
    part = ToolCallPart('send', {}, 'call_1', id='fc_1', provider_name=provider_name, provider_details=details)

    assert (await again(send, part))[0] == {
        'type': 'function_call',
        'call_id': 'call_1',
        'name': 'send',
        'namespace': 'mail',
        'arguments': '{}',
    }


async def test_a_namespace_of_another_service_does_not_go_out(send: Send) -> None:
    details = {'namespace': 'mail', 'type': 'custom_tool_call'}
    part = ToolCallPart('send', {}, 'call_1', provider_name='google', provider_details=details)

    assert (await again(send, part))[0] == snapshot(
        {'type': 'function_call', 'call_id': 'call_1', 'name': 'send', 'arguments': '{}'}
    )


async def test_names_of_other_services_are_made_to_fit(send: Send) -> None:
    calls = [
        ToolCallPart('mail.send:now', {}, 'call_1'),
        ToolCallPart('x' * 80, {}, 'call_2'),
        ToolCallPart('', {}, '3'),
    ]

    items = await again(send, *calls)

    assert [item['name'] for item in items[:3]] == ['mail_send_now', 'x' * 64, 'unknown']


async def test_a_custom_call_goes_back_as_its_text(send: Send) -> None:
    part = ToolCallPart(
        'apply_patch',
        '{"input":"*** Begin \\"Patch\\"\\n"}',
        'call_1',
        provider_name='codex',
        provider_details={'type': 'custom_tool_call'},
    )

    assert await again(send, part) == snapshot(
        [
            {'type': 'custom_tool_call', 'call_id': 'call_1', 'name': 'apply_patch', 'input': '*** Begin "Patch"\n'},
            {'type': 'custom_tool_call_output', 'call_id': 'call_1', 'output': 'ok'},
        ]
    )


@pytest.mark.parametrize(
    ('args', 'text'), [('{"input": "cut o', '{"input": "cut o'), ({'patch': 'x'}, '{"patch":"x"}'), (None, '{}')]
)
async def test_a_custom_call_without_its_text(send: Send, args: Any, text: str) -> None:
    part = ToolCallPart('patch', args, 'call_1', provider_name='codex', provider_details={'type': 'custom_tool_call'})

    assert (await again(send, part))[0]['input'] == text


async def test_a_local_shell_call_goes_back_as_its_action(send: Send) -> None:
    part = ToolCallPart(
        'local_shell',
        '{"command":["ls","-l"],"env":{},"timeout_ms":100}',
        'call_1',
        provider_name='codex',
        provider_details={'type': 'local_shell_call'},
    )

    assert await again(send, part) == snapshot(
        [
            {
                'type': 'local_shell_call',
                'call_id': 'call_1',
                'status': 'completed',
                'action': {'type': 'exec', 'command': ['ls', '-l'], 'env': {}, 'timeout_ms': 100},
            },
            {'type': 'function_call_output', 'call_id': 'call_1', 'output': 'ok'},
        ]
    )


@pytest.mark.parametrize(
    'args',
    [
        {},
        {'command': 'ls'},
        {'command': ['ls', 5]},
        {'command': ['ls'], 'shell': 'zsh'},
        {'command': ['ls'], 'type': 'spawn'},
        '{"command": ["ls"',
    ],
    ids=['none', 'text', 'number', 'unknown-field', 'other-type', 'cut-off'],
)
async def test_a_local_shell_call_that_is_none_is_a_function_call(send: Send, args: Any) -> None:
    details = {'type': 'local_shell_call'}
    part = ToolCallPart('local_shell', args, 'call_1', provider_name='codex', provider_details=details)

    call, output = await again(send, part)

    assert (call['type'], call['arguments']) == ('function_call', part.args_as_json_str())
    assert output['type'] == 'function_call_output'


@pytest.mark.parametrize('provider_name', OURS)
async def test_a_web_search_goes_back_as_itself(send: Send, provider_name: str) -> None:
    action = {
        'type': 'search',
        'query': 'cats',
        'sources': [{'type': 'url', 'url': 'https://example.com'}],
        'url': None,
    }

    assert await again(
        send,
        NativeToolCallPart('web_search', action, 'ws_1', provider_name=provider_name),
        NativeToolReturnPart('web_search', {'status': 'completed'}, 'ws_1', provider_name=provider_name),
    ) == [
        {
            'type': 'web_search_call',
            'id': 'ws_1',
            'status': 'completed',
            'action': {'type': 'search', 'query': 'cats'},
        }
    ]


async def test_a_web_search_that_was_cut_off(send: Send) -> None:
    parts = [
        NativeToolCallPart('web_search', {'type': 'search', 'query': 'cats'}, 'search-1', provider_name='codex'),
        NativeToolCallPart('web_search', None, 'ws_2', provider_name='codex'),
        NativeToolReturnPart('web_search', 'odd', 'ws_2', provider_name='codex'),
    ]

    assert await again(send, *parts) == snapshot(
        [
            {
                'type': 'web_search_call',
                'id': 'ws_de72244d92630c600936ccbbe66a12a9691072ee',
                'status': 'failed',
                'action': {'type': 'search', 'query': 'cats'},
            }
        ]
    )


@pytest.mark.parametrize(
    ('status', 'told'),
    [('incomplete', 'incomplete'), ('searching', 'searching'), ('cancelled', 'failed'), (['failed'], 'failed')],
    ids=str,
)
async def test_the_status_of_a_web_search(send: Send, status: Any, told: str) -> None:
    action = {'type': 'search', 'query': 'cats'}

    (item,) = await again(
        send,
        NativeToolCallPart('web_search', action, 'ws_1', provider_name='codex'),
        NativeToolReturnPart('web_search', {'status': status}, 'ws_1', provider_name='codex'),
    )

    assert item['status'] == told


async def test_a_web_search_that_cannot_go_back_is_told_in_words(send: Send) -> None:
    parts = [
        NativeToolCallPart('web_search', {'query': 'cats'}, 'ws_1', provider_name='codex'),
        NativeToolReturnPart('web_search', {'status': 'completed'}, 'ws_1', provider_name='codex'),
        NativeToolCallPart('web_search', {'type': 'guess', 'query': 'dogs'}, 'ws_2', provider_name='codex'),
        NativeToolReturnPart('web_search', {'found': 'birds'}, 'ws_3', provider_name='codex'),
    ]

    assert [item['content'][0]['text'] for item in await again(send, *parts)] == snapshot(
        [
            """\
-----BEGIN TOOL CALL id="ws_1" tool="web_search"-----
{"query":"cats"}
-----END TOOL CALL id="ws_1"-----\
""",
            """\
-----BEGIN TOOL CALL id="ws_2" tool="web_search"-----
{"type":"guess","query":"dogs"}
-----END TOOL CALL id="ws_2"-----\
""",
            """\
-----BEGIN TOOL OUTPUT id="ws_3" tool="web_search"-----
{"found":"birds"}
-----END TOOL OUTPUT id="ws_3"-----\
""",
        ]
    )


def searches(query: str, call_id: str) -> ModelResponse:
    """A response with a search, as it is stored."""
    return ModelResponse(
        [
            NativeToolCallPart('web_search', {'type': 'search', 'query': query}, call_id, provider_name='codex'),
            NativeToolReturnPart('web_search', {'status': 'completed'}, call_id, provider_name='codex'),
        ]
    )


@pytest.mark.parametrize('call_id', ['ws_1', 'made up'])
async def test_web_searches_with_one_id_are_told_apart(send: Send, call_id: str) -> None:
    """Relays leave ids out, and what is made up for them then comes again in each response."""
    go_on = ModelRequest.user_text_prompt('So?')
    messages: list[ModelMessage] = [go_on]
    for query in ('cats', 'dogs', 'birds', 'dogs', 'cats'):
        messages += [searches(query, call_id), go_on]

    items = [item for item in await send(messages) if item['type'] == 'web_search_call']

    assert [item['action']['query'] for item in items] == ['cats', 'dogs', 'birds']
    assert len({item['id'] for item in items}) == 3
    shorter = [item for item in await send(messages[:-4]) if item['type'] == 'web_search_call']
    assert shorter == items[: len(shorter)]


async def test_many_web_searches_of_one_response_keep_their_status(send: Send) -> None:
    statuses = ['completed', 'failed'] * 1000
    parts: list[ModelResponsePart] = []
    for number, status in enumerate(statuses):
        action = {'type': 'search', 'query': f'cats {number}'}
        parts.append(NativeToolCallPart('web_search', action, f'ws_{number}', provider_name='codex'))
        parts.append(NativeToolReturnPart('web_search', {'status': status}, f'ws_{number}', provider_name='codex'))

    assert [item['status'] for item in await again(send, *parts)] == statuses


@pytest.mark.parametrize(
    ('items', 'types'),
    [
        ([web_search('cats', sources=['https://example.com'])], ['web_search_call']),
        ([think('Hm.'), image(PNG)], ['reasoning', 'message']),
    ],
    ids=['search', 'image'],
)
async def test_what_the_backend_did_is_taken_back(items: list[Item], types: list[str]) -> None:
    simulator = CodexSimulator(turn(*items), reply('ok'))
    model = simulator.model('gpt-5.5')
    history: list[ModelMessage] = [ModelRequest.user_text_prompt('Hi')]
    response = await model.request(history, None, ModelRequestParameters())

    await model.request([*history, response, ModelRequest.user_text_prompt('So?')], None, ModelRequestParameters())

    body = simulator.requests[1].body
    assert body is not None
    assert [item['type'] for item in body['input'][1:-1]] == types


@pytest.mark.parametrize('provider_name', OURS)
async def test_a_made_image_goes_out_as_a_file(send: Send, provider_name: str) -> None:
    assert await again(
        send,
        NativeToolCallPart('image_generation', None, 'ig_1', provider_name=provider_name),
        FilePart(BinaryImage(PNG, media_type='image/png'), id='ig_1', provider_name=provider_name),
        NativeToolReturnPart('image_generation', {'status': 'completed'}, 'ig_1', provider_name=provider_name),
    ) == snapshot(
        [
            {
                'type': 'message',
                'role': 'user',
                'content': [
                    {'type': 'input_text', 'text': 'The assistant made this file:'},
                    {'type': 'input_image', 'image_url': 'data:image/png;base64,iVBORw0KGgo=', 'detail': 'auto'},
                ],
            }
        ]
    )


async def test_a_made_document_goes_out_as_a_file(send: Send) -> None:
    file = FilePart(BinaryContent(b'%PDF\xff', media_type='application/pdf', identifier='a'), provider_name='google')

    assert await again(send, file) == snapshot(
        [
            {
                'type': 'message',
                'role': 'user',
                'content': [
                    {'type': 'input_text', 'text': 'The assistant made this file:'},
                    {'type': 'input_file', 'filename': 'a.pdf', 'file_data': 'data:application/pdf;base64,JVBERv8='},
                ],
            }
        ]
    )


async def test_a_made_file_that_cannot_be_sent_is_a_user_error(send: Send) -> None:
    with pytest.raises(UserError, match="'audio/wav' cannot be sent"):
        await again(send, FilePart(BinaryContent(b'x', media_type='audio/wav')))


async def test_other_items_of_the_backend_go_back_verbatim(send: Send) -> None:
    item = {'type': 'tool_search_call', 'id': 'tsc_1', 'call_id': None, 'execution': 'server', 'arguments': {'q': 'x'}}
    part = NativeToolCallPart('tool_search', None, 'tsc_1', provider_name='codex', provider_details={'item': item})

    assert await again(send, part) == [item]


@pytest.mark.parametrize(
    'item',
    [
        {},
        {'id': 'x_1'},
        {'type': ['mcp_call'], 'id': 'mcp_1'},
        {'type': 'foo_call', 'id': 'foo_1'},
        {'type': 'foo_call', 'id': ['foo_1']},
        {'type': 'mcp_call', 'id': ['mcp_1']},
        {'type': 'mcp_call', 'id': 5},
        {'type': 'mcp_call', 'id': ''},
        {'type': 'mcp_call', 'id': 'mcp_' + 'x' * 64},
    ],
    ids=str,
)
async def test_a_strange_item_of_the_backend_is_told_in_words(send: Send, item: dict[str, Any]) -> None:
    part = NativeToolCallPart('strange', None, 'x_1', provider_name='codex', provider_details={'item': item})

    (message,) = await again(send, part)

    assert (message['type'], message['role']) == ('message', 'assistant')
    assert all(str(value) in message['content'][0]['text'] for value in item.values() if isinstance(value, str | int))


@pytest.mark.parametrize(
    ('made_by', 'sent_by', 'goes_back'), [('a', 'a', True), ('a', None, True), (None, 'b', True), ('a', 'b', False)]
)
def test_an_encrypted_item_goes_back_to_its_account(made_by: str | None, sent_by: str | None, goes_back: bool) -> None:
    item = {'type': 'context_compaction', 'id': 'cmp_1', 'encrypted_content': 'gAAAA'}
    details = {'item': item, **({'account': made_by} if made_by else {})}
    part = NativeToolCallPart('compaction', None, 'cmp_1', provider_name='codex', provider_details=details)

    assert sent(part, account=sent_by) == ([item] if goes_back else EMPTY_INPUT)


def test_a_readable_item_goes_back_to_any_account() -> None:
    item = {'type': 'mcp_call', 'id': 'mcp_1', 'output': 'found', 'encrypted_content': None}
    details = {'item': item, 'account': 'a'}
    part = NativeToolCallPart('mcp', None, 'mcp_1', provider_name='codex', provider_details=details)

    assert sent(part, account='b') == [item]


async def test_a_call_that_nobody_could_answer_is_a_text(send: Send) -> None:
    item = {'type': 'function_call', 'id': 'fc_1', 'arguments': '{}'}
    part = NativeToolCallPart('function', None, 'fc_1', provider_name='codex', provider_details={'item': item})

    assert await again(send, part) == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [
                    {
                        'type': 'output_text',
                        'text': """\
-----BEGIN TOOL CALL id="fc_1" tool="function"-----
{"type":"function_call","id":"fc_1","arguments":"{}"}
-----END TOOL CALL id="fc_1"-----\
""",
                    }
                ],
            }
        ]
    )


async def test_what_another_service_did_is_told_in_words(send: Send) -> None:
    assert await again(
        send,
        NativeToolCallPart('web_search', {'query': 'cats'}, 'srv_1', provider_name='anthropic'),
        NativeToolReturnPart('web_search', [{'url': 'https://example.com'}], 'srv_1', provider_name='anthropic'),
        NativeToolCallPart('code_execution', None, 'ci_1', provider_name='openai-codex'),
    ) == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [
                    {
                        'type': 'output_text',
                        'text': """\
-----BEGIN TOOL CALL id="srv_1" tool="web_search"-----
{"query":"cats"}
-----END TOOL CALL id="srv_1"-----\
""",
                    }
                ],
            },
            {
                'type': 'message',
                'role': 'assistant',
                'content': [
                    {
                        'type': 'output_text',
                        'text': """\
-----BEGIN TOOL OUTPUT id="srv_1" tool="web_search"-----
[{"url":"https://example.com"}]
-----END TOOL OUTPUT id="srv_1"-----\
""",
                    }
                ],
            },
            {
                'type': 'message',
                'role': 'assistant',
                'content': [
                    {
                        'type': 'output_text',
                        'text': """\
-----BEGIN TOOL CALL id="ci_1" tool="code_execution"-----
{}
-----END TOOL CALL id="ci_1"-----\
""",
                    }
                ],
            },
        ]
    )


async def test_files_that_another_service_got_are_kept(send: Send) -> None:
    content = ['A chart', BinaryContent(PNG, media_type='image/png')]

    assert await again(send, NativeToolReturnPart('code', content, 'c_1', provider_name='google')) == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [
                    {
                        'type': 'output_text',
                        'text': """\
-----BEGIN TOOL OUTPUT id="c_1" tool="code"-----
A chart
-----END TOOL OUTPUT id="c_1"-----\
""",
                    }
                ],
            },
            {
                'type': 'message',
                'role': 'user',
                'content': [
                    {'type': 'input_text', 'text': 'The assistant made this file:'},
                    {'type': 'input_image', 'image_url': 'data:image/png;base64,iVBORw0KGgo=', 'detail': 'auto'},
                ],
            },
        ]
    )


async def test_a_part_of_a_live_conversation_says_what_to_do(send: Send) -> None:
    with pytest.raises(UserError, match=r'SpeechPart.*prepare_messages'):
        await again(send, SpeechPart(speaker='assistant', transcript='Hello'))
