"""Message histories to input items, seen in the requests that a direct call sends."""

from __future__ import annotations

from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    CachePoint,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryFeedbackPart,
    RetryInfo,
    SystemPromptPart,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex.testing import CodexSimulator, reply, think, turn

pytestmark = pytest.mark.anyio


async def send(messages: list[ModelMessage], *, strict: bool = True) -> dict[str, Any]:
    """The body that the messages become."""
    simulator = CodexSimulator(reply('ok'), strict=strict)
    await simulator.model().request(messages, None, ModelRequestParameters())
    body = simulator.requests[0].body
    assert body is not None
    return body


async def test_user_prompts() -> None:
    prompt = UserPromptPart(['one', TextContent('two', metadata={'never': 'sent'}), CachePoint(), 'three'])

    body = await send([ModelRequest([UserPromptPart('zero'), prompt])])

    assert body['input'] == snapshot(
        [
            {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'zero'}]},
            {
                'type': 'message',
                'role': 'user',
                'content': [
                    {'type': 'input_text', 'text': 'one'},
                    {'type': 'input_text', 'text': 'two'},
                    {'type': 'input_text', 'text': 'three'},
                ],
            },
        ]
    )


async def test_an_empty_history_still_has_an_input() -> None:
    assert (await send([ModelRequest([])]))['input'] == snapshot(
        [{'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': ''}]}]
    )


async def test_system_prompts_stay_where_they_are_as_developer_messages() -> None:
    body = await send(
        [
            ModelRequest([SystemPromptPart('First.'), UserPromptPart('Hi')]),
            ModelResponse([TextPart('Hello')]),
            ModelRequest([UserPromptPart('And?'), SystemPromptPart('Be kind now.')]),
        ]
    )

    assert body['input'] == snapshot(
        [
            {'type': 'message', 'role': 'developer', 'content': [{'type': 'input_text', 'text': 'First.'}]},
            {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Hi'}]},
            {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'Hello'}]},
            {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'And?'}]},
            {'type': 'message', 'role': 'developer', 'content': [{'type': 'input_text', 'text': 'Be kind now.'}]},
        ]
    )


async def test_instructions_of_the_last_request() -> None:
    body = await send(
        [
            ModelRequest([UserPromptPart('Hi')], instructions='Old.'),
            ModelResponse([TextPart('Hello')]),
            ModelRequest([UserPromptPart('And?')], instructions='New.'),
        ]
    )

    assert body['instructions'] == 'New.'


async def test_instructions_stand_when_the_last_request_only_returns_tools() -> None:
    body = await send(
        [
            ModelRequest([UserPromptPart('Hi')], instructions='Old.'),
            ModelResponse([ToolCallPart('look', {}, 'call_1')]),
            ModelRequest([ToolReturnPart('look', 'seen', 'call_1')]),
        ]
    )

    assert body['instructions'] == 'Old.'


async def test_instructions_stand_as_long_as_requests_only_return_tools() -> None:
    messages: list[ModelMessage] = [
        ModelRequest([UserPromptPart('Hi')], instructions='Older.'),
        ModelResponse([TextPart('Hello')]),
        ModelRequest([UserPromptPart('Look around')], instructions='Old.'),
    ]
    for call_id in ('call_1', 'call_2', 'call_3'):
        messages.append(ModelResponse([ToolCallPart('look', {}, call_id)]))
        messages.append(ModelRequest([ToolReturnPart('look', 'seen', call_id)]))

    assert (await send(messages))['instructions'] == 'Old.'


async def test_a_prompt_without_instructions_ends_those_of_the_request_before_it() -> None:
    body = await send(
        [
            ModelRequest([UserPromptPart('Hi')], instructions='Old.'),
            ModelResponse([TextPart('Hello')]),
            ModelRequest([UserPromptPart('And?')]),
        ]
    )

    assert 'Old.' not in body['instructions']


async def test_tool_calls_and_returns() -> None:
    calls = [
        ToolCallPart('text', '{"a": 1}', 'call_1'),
        ToolCallPart('json', {'b': [1, 2]}, 'call_2'),
        ToolCallPart('nothing', None, 'call_3'),
        ToolCallPart('broken', '{"a": ', 'call_4'),
        ToolCallPart('old', {}, 'call_5|fc_5'),
    ]
    returns = [
        ToolReturnPart('text', 'plain', 'call_1'),
        ToolReturnPart('json', {'deep': [1, {'x': None}]}, 'call_2'),
        ToolReturnPart('nothing', None, 'call_3'),
        ToolReturnPart('broken', 'no', 'call_4', outcome='failed'),
        ToolReturnPart('old', 'ok', 'call_5|fc_5'),
    ]

    body = await send([ModelRequest([UserPromptPart('Go')]), ModelResponse(calls), ModelRequest(returns)])

    assert body['input'][1:] == snapshot(
        [
            {'type': 'function_call', 'call_id': 'call_1', 'name': 'text', 'arguments': '{"a":1}'},
            {'type': 'function_call', 'call_id': 'call_2', 'name': 'json', 'arguments': '{"b":[1,2]}'},
            {'type': 'function_call', 'call_id': 'call_3', 'name': 'nothing', 'arguments': '{}'},
            {
                'type': 'function_call',
                'call_id': 'call_4',
                'name': 'broken',
                'arguments': '{"INVALID_JSON":"{\\"a\\": "}',
            },
            {'type': 'function_call', 'call_id': 'call_5', 'name': 'old', 'arguments': '{}'},
            {'type': 'function_call_output', 'call_id': 'call_1', 'output': 'plain'},
            {'type': 'function_call_output', 'call_id': 'call_2', 'output': '{"deep":[1,{"x":null}]}'},
            {'type': 'function_call_output', 'call_id': 'call_3', 'output': ''},
            {'type': 'function_call_output', 'call_id': 'call_4', 'output': '{"error":"no"}'},
            {'type': 'function_call_output', 'call_id': 'call_5', 'output': 'ok'},
        ]
    )


async def test_call_ids_of_other_services() -> None:
    ids = ['a|1', 'a|2', 'x' * 65]
    calls = [ToolCallPart('look', {}, each) for each in ids]
    returns = [ToolReturnPart('look', 'seen', each) for each in ids]

    body = await send([ModelRequest([UserPromptPart('Go')]), ModelResponse(calls), ModelRequest(returns)])

    sent = [item['call_id'] for item in body['input'][1:]]
    assert sent[:3] == sent[3:]
    assert sent[:2] == ['a|1', 'a|2']
    assert len(sent[2]) <= 64


async def test_texts_of_one_message_stay_together() -> None:
    parts = [
        TextPart('one', id='msg_1', provider_name='codex'),
        TextPart('two', id='msg_1', provider_name='codex'),
        TextPart('', id='msg_2', provider_name='codex'),
        TextPart('three'),
        TextPart('four'),
    ]

    body = await send(
        [
            ModelRequest([UserPromptPart('Hi')]),
            ModelResponse(parts),
            ModelRequest([UserPromptPart('So')]),
        ]
    )

    assert body['input'][1:-1] == snapshot(
        [
            {
                'type': 'message',
                'role': 'assistant',
                'content': [{'type': 'output_text', 'text': 'one'}, {'type': 'output_text', 'text': 'two'}],
            },
            {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'three'}]},
            {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'four'}]},
        ]
    )


@pytest.mark.parametrize('provider_name', ['codex', 'openai-codex', 'openai'])
async def test_encrypted_reasoning_goes_back_to_its_service(provider_name: str) -> None:
    parts = [
        ThinkingPart('one', id='rs_1', signature='gAAAA', provider_name=provider_name),
        ThinkingPart('two', id='rs_1', provider_name=provider_name),
        TextPart('Hello'),
    ]
    response = ModelResponse(parts, provider_name=provider_name)

    body = await send(
        [ModelRequest([UserPromptPart('Hi')]), response, ModelRequest([UserPromptPart('So')])], strict=False
    )

    assert body['input'][1] == snapshot(
        {
            'type': 'reasoning',
            'summary': [{'type': 'summary_text', 'text': 'one'}, {'type': 'summary_text', 'text': 'two'}],
            'encrypted_content': 'gAAAA',
            'id': 'rs_1',
        }
    )


async def test_foreign_thinking_is_plain_text() -> None:
    parts = [ThinkingPart('Hm.', signature='foreign', provider_name='anthropic'), ThinkingPart(''), TextPart('Hello')]

    body = await send(
        [
            ModelRequest([UserPromptPart('Hi')]),
            ModelResponse(parts, provider_name='anthropic'),
            ModelRequest([UserPromptPart('So')]),
        ]
    )

    assert body['input'][1:-1] == snapshot(
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
            },
            {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'Hello'}]},
        ]
    )


async def test_thinking_is_replayed_as_it_came() -> None:
    simulator = CodexSimulator(turn(think(['One.', 'Two.'])), reply('ok'))
    model = simulator.model()
    first = await model.request([ModelRequest([UserPromptPart('Hi')])], None, ModelRequestParameters())

    await model.request(
        [ModelRequest([UserPromptPart('Hi')]), first, ModelRequest([UserPromptPart('So')])],
        None,
        ModelRequestParameters(),
    )

    item = simulator.requests[1].body['input'][1]
    assert (item['type'], [part['text'] for part in item['summary']]) == ('reasoning', ['One.', 'Two.'])
    # The simulator refuses encrypted content that it did not issue for this account, so it came back whole.
    assert simulator.requests[1].status == 200


async def test_a_part_that_an_agent_translates_says_how() -> None:
    feedback = RetryFeedbackPart('Again.', retry=RetryInfo('no_output'))

    with pytest.raises(UserError, match='prepare_messages'):
        await send([ModelRequest([feedback])])


async def test_pydantic_ai_direct(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Paris.'))

    response = await model_request(codex_simulator.model(), [ModelRequest.user_text_prompt('Capital of France?')])

    assert response.text == 'Paris.'


async def test_a_lone_surrogate_is_a_user_error() -> None:
    with pytest.raises(UserError, match='surrogate'):
        await send([ModelRequest([UserPromptPart('half \ud83d')])])
