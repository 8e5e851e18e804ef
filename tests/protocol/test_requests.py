"""Reaches inside for the bytes: a body has one order of fields, which no parsed request shows."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic_core import to_json

from pydantic_ai_codex._protocol.request_headers import codex_headers, session_headers, session_id_for
from pydantic_ai_codex._protocol.requests import CodexRequest, encode, encode_body, without_reasoning
from pydantic_ai_codex.errors import ConfigurationError

INPUT: list[dict[str, Any]] = [
    {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Hé 😀'}]}
]
TOOL: dict[str, Any] = {'type': 'function', 'name': 'weather', 'parameters': {'type': 'object'}}


def request(**fields: Any) -> CodexRequest:
    given: dict[str, Any] = {'model': 'gpt-5.5', 'instructions': 'Be kind.', 'input': INPUT, 'session_id': 's-1'}
    return CodexRequest(**{**given, **fields})


def encoded(**fields: Any) -> bytes:
    return b''.join(encode_body(request(**fields)))


def body(**fields: Any) -> dict[str, Any]:
    return json.loads(encoded(**fields))


def test_body_of_a_plain_request() -> None:
    assert body() == snapshot(
        {
            'model': 'gpt-5.5',
            'instructions': 'Be kind.',
            'stream': True,
            'input': [{'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Hé 😀'}]}],
            'reasoning': {'summary': 'auto'},
            'store': False,
            'include': ['reasoning.encrypted_content'],
            'prompt_cache_key': 's-1',
        }
    )


def test_body_of_a_request_with_everything() -> None:
    assert body(
        tools=[TOOL],
        tool_choice={'type': 'function', 'name': 'weather'},
        parallel_tool_calls=False,
        effort='high',
        summary='detailed',
        verbosity='low',
        text_format={'type': 'json_schema', 'name': 'city', 'strict': True, 'schema': {'type': 'object'}},
        service_tier='priority',
        cache_key='cache-1',
    ) == snapshot(
        {
            'model': 'gpt-5.5',
            'instructions': 'Be kind.',
            'stream': True,
            'service_tier': 'priority',
            'input': [{'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Hé 😀'}]}],
            'tools': [{'type': 'function', 'name': 'weather', 'parameters': {'type': 'object'}}],
            'tool_choice': {'type': 'function', 'name': 'weather'},
            'parallel_tool_calls': False,
            'reasoning': {'effort': 'high', 'summary': 'detailed'},
            'store': False,
            'include': ['reasoning.encrypted_content'],
            'prompt_cache_key': 'cache-1',
            'text': {
                'verbosity': 'low',
                'format': {'type': 'json_schema', 'name': 'city', 'strict': True, 'schema': {'type': 'object'}},
            },
        }
    )


def test_order_of_the_fields() -> None:
    everything = body(
        tools=[TOOL],
        parallel_tool_calls=True,
        verbosity='low',
        service_tier='priority',
        extra_body={'client_metadata': {}},
    )

    assert list(everything) == snapshot(
        [
            'model',
            'instructions',
            'stream',
            'service_tier',
            'input',
            'tools',
            'tool_choice',
            'parallel_tool_calls',
            'reasoning',
            'store',
            'include',
            'prompt_cache_key',
            'text',
            'client_metadata',
        ]
    )


@pytest.mark.parametrize(
    ('fields', 'key', 'expected'),
    [
        ({'tools': [TOOL]}, 'tool_choice', 'auto'),
        ({'tools': [TOOL], 'tool_choice': 'required'}, 'tool_choice', 'required'),
        ({'tools': [TOOL]}, 'parallel_tool_calls', None),
        ({'tool_choice': 'required'}, 'tool_choice', None),
        ({'parallel_tool_calls': True}, 'parallel_tool_calls', None),
        ({}, 'tools', None),
        ({'effort': 'low'}, 'reasoning', {'effort': 'low', 'summary': 'auto'}),
        ({'effort': 'low', 'summary': 'none'}, 'reasoning', {'effort': 'low'}),
        ({'summary': 'none'}, 'reasoning', None),
        ({}, 'text', None),
        ({'verbosity': 'high'}, 'text', {'verbosity': 'high'}),
        ({'text_format': {'type': 'text'}}, 'text', {'format': {'type': 'text'}}),
        ({}, 'service_tier', None),
        ({'cache_key': 'k'}, 'prompt_cache_key', 'k'),
        ({'cache_key': ''}, 'prompt_cache_key', 's-1'),
    ],
)
def test_field(fields: dict[str, Any], key: str, expected: object) -> None:
    assert body(**fields).get(key) == expected


def test_nothing_is_null() -> None:
    assert None not in body(tools=[TOOL]).values()


def test_extra_body_wins() -> None:
    extra = {'store': True, 'reasoning': {'effort': 'max'}, 'new': {'a': [1, None]}}

    assert {key: value for key, value in body(effort='low', extra_body=extra).items() if key in extra} == extra


@pytest.mark.parametrize(
    'fields',
    [
        pytest.param({'instructions': 'half \ud83d'}, id='a lone surrogate in the instructions'),
        pytest.param({'input': [{'content': '\udc00'}]}, id='a lone surrogate in the input'),
        pytest.param({'cache_key': '\ud83d'}, id='a lone surrogate in the cache key'),
        pytest.param({'extra_body': {'a': object()}}, id='an object without JSON form'),
        pytest.param({'extra_body': {'a': b'\xff'}}, id='bytes that are no text'),
        pytest.param(
            {'extra_body': {'a': float('nan')}},
            id='a number that JSON does not have',
        ),
        pytest.param({'tools': [{'default': float('inf')}]}, id='such a number in a tool'),
        pytest.param({'text_format': {'schema': {'default': float('nan')}}}, id='such a number in a format'),
        pytest.param(
            {'input': [{'type': 'web_search_call', 'action': {'a': [float('-inf')]}}]}, id='such a number in the input'
        ),
    ],
)
def test_value_without_json_form(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r'^The request has no JSON form: '):
        encoded(**fields)


def test_texts_may_hold_the_names_of_such_numbers() -> None:
    text = 'NaN, [NaN], Infinity'
    item = {'type': 'mcp_call', 'output': text, 'count': 1.5}

    assert body(input=[item], tools=[{'description': text}], extra_body={'a': text})['input'] == [item]


def test_tools_may_be_json_already() -> None:
    assert encoded(tools=encode([TOOL, TOOL])) == encoded(tools=[TOOL, TOOL])


@pytest.mark.parametrize('count', [0, 1, 15, 16, 17, 100])
def test_input_is_the_same_in_one_piece(count: int) -> None:
    items = [{'type': 'message', 'role': 'user', 'content': f'{number} é'} for number in range(count)]

    assert encoded(input=items) == encoded(input=INPUT).replace(to_json(INPUT), to_json(items))


def test_input_may_stand_elsewhere_as_well() -> None:
    assert body(extra_body={'context': INPUT})['context'] == INPUT


def test_value_that_holds_itself() -> None:
    circle: dict[str, Any] = {}
    circle['circle'] = circle

    with pytest.raises(ConfigurationError, match='no JSON form'):
        encoded(extra_body=circle)


@pytest.mark.parametrize('name', ['authorization', 'Authorization', 'AUTHORIZATION', 'ChatGPT-Account-Id'])
def test_headers_of_the_login_cannot_be_replaced(name: str) -> None:
    with pytest.raises(ConfigurationError, match='may not hold') as caught:
        request(extra_headers={name: 'Bearer secret', 'x-other': 'fine'})

    assert repr(name) in str(caught.value)
    assert 'secret' not in str(caught.value)


def test_session_headers() -> None:
    assert session_headers(request()) == snapshot(
        {
            'accept': 'text/event-stream',
            'accept-encoding': 'identity',
            'content-type': 'application/json',
            'session-id': 's-1',
            'thread-id': 's-1',
            'x-client-request-id': 's-1',
        }
    )


def test_extra_headers_win() -> None:
    headers = session_headers(request(extra_headers={'Session-ID': 'mine', 'X-New': 'Value', 'ACCEPT': '*/*'}))

    assert headers['session-id'] == 'mine'
    assert headers['thread-id'] == 's-1'
    assert headers['x-new'] == 'Value'
    assert headers['accept'] == '*/*'
    assert all(name == name.lower() for name in headers)


@pytest.mark.parametrize('conversation_id', ['c-1', '01a1fc17-9283-73f0-bc2f-697e54e5f8f2', '!~' * 32])
def test_session_is_the_conversation_where_a_header_can_carry_it(conversation_id: str) -> None:
    assert session_id_for(conversation_id) == conversation_id


@pytest.mark.parametrize(
    'conversation_id', ['two words', 'é', 'line\nend', 'x' * 65, ' ', 'x\n', '\x7f', '\r\nx-injected: 1']
)
def test_session_of_any_other_conversation_is_derived_from_it(conversation_id: str) -> None:
    session_id = session_id_for(conversation_id)

    assert uuid.UUID(session_id).version == 5
    assert session_id_for(conversation_id) == session_id
    assert session_id_for(f'{conversation_id}.') != session_id


def test_session_of_a_conversation_that_is_no_text() -> None:
    assert uuid.UUID(session_id_for('\ud83d')).version == 5


def test_headers_of_a_plan() -> None:
    assert codex_headers(request(), override=None) == snapshot(
        {'version': '0.169.0', 'x-codex-window-id': 's-1:0', 'x-codex-routing-hint': 'model=gpt-5.5'}
    )


def test_headers_of_a_plan_with_everything() -> None:
    asked = request(turn_state='dHVybg==', window=2, service_tier='priority')

    # A dict has an order, and this is that of the CLI.
    assert list(codex_headers(asked, override='us_cr').items()) == snapshot(
        [
            ('version', '0.169.0'),
            ('x-openai-account-routing-override', 'us_cr'),
            ('x-codex-turn-state', 'dHVybg=='),
            ('x-codex-window-id', 's-1:2'),
            ('x-codex-routing-hint', 'model=gpt-5.5;tier=priority'),
        ]
    )


@pytest.mark.parametrize(
    ('fields', 'hint'),
    [
        ({}, 'model=gpt-5.5'),
        ({'service_tier': 'flex'}, 'model=gpt-5.5;tier=flex'),
        ({'model': 'ft:gpt-5.5:my-team'}, 'model=ft:gpt-5.5:my-team'),
        # The body says what the user put into it.
        ({'extra_body': {'model': 'other', 'service_tier': 'priority'}}, 'model=other;tier=priority'),
        ({'service_tier': 'flex', 'extra_body': {'service_tier': None}}, 'model=gpt-5.5'),
        ({'extra_body': {'model': None}}, None),
        ({'extra_body': {'service_tier': ['flex']}}, None),
        ({'model': 'two words'}, None),
        ({'model': 'é'}, None),
        ({'model': ''}, None),
        ({'model': 'm\r\nx-injected: 1'}, None),
        ({'model': 'gpt;tier=priority'}, None),
        ({'model': 'x' * 5000}, None),
        ({'service_tier': 'a\nb'}, None),
        ({'service_tier': 'a;b'}, None),
    ],
)
def test_routing_hint(fields: dict[str, Any], hint: str | None) -> None:
    assert codex_headers(request(**fields), override=None).get('x-codex-routing-hint') == hint


@pytest.mark.parametrize('value', ['x' * 4096, 'a+/=._~!', '{"json":1}'])
def test_what_fits_in_a_header_goes_out(value: str) -> None:
    headers = codex_headers(request(turn_state=value), override=value)

    assert (headers['x-codex-turn-state'], headers['x-openai-account-routing-override']) == (value, value)


@pytest.mark.parametrize('value', ['', ' ', 'two words', 'é', 'a\r\nx-injected: 1', 'x\n', '\x7f', 'x' * 4097])
def test_what_fits_in_no_header_is_left_out(value: str) -> None:
    headers = codex_headers(request(turn_state=value), override=value)

    assert list(headers) == ['version', 'x-codex-window-id', 'x-codex-routing-hint']


def test_headers_of_the_user_win_over_those_of_a_plan() -> None:
    names = (
        'X-Codex-Window-ID',
        'x-codex-turn-state',
        'X-CODEX-ROUTING-HINT',
        'x-openai-account-routing-override',
        'Version',
    )
    asked = request(turn_state='abc', extra_headers=dict.fromkeys(names, 'mine'))

    assert codex_headers(asked, override='us') == {}
    assert {session_headers(asked)[name.lower()] for name in names} == {'mine'}


def reasoning(number: int) -> dict[str, Any]:
    return {'type': 'reasoning', 'id': f'rs_{number}', 'summary': [], 'encrypted_content': 'gAAAA'}


def test_reasoning_is_left_out_and_nothing_else() -> None:
    call = {'type': 'function_call', 'call_id': 'c', 'name': 'weather', 'arguments': '{}'}
    output = {'type': 'function_call_output', 'call_id': 'c', 'output': 'reasoning'}
    compaction = {'type': 'compaction', 'encrypted_content': 'gAAAA'}
    asked = request(
        input=[compaction, *INPUT, reasoning(1), call, output, reasoning(2), {'role': 'user'}], effort='low'
    )

    stripped = without_reasoning(asked)

    assert stripped is not None
    assert stripped.input == [compaction, *INPUT, call, output, {'role': 'user'}]
    assert without_reasoning(stripped) is None
    # The model thinks as before.
    assert b'"reasoning":{"effort":"low","summary":"auto"}' in b''.join(encode_body(stripped))
    assert len(asked.input) == 7


@pytest.mark.parametrize(
    'fields',
    [
        pytest.param({}, id='none in it'),
        pytest.param({'input': []}, id='nothing at all'),
        pytest.param({'input': [reasoning(1)]}, id='nothing else in it'),
        pytest.param(
            {'input': [*INPUT, reasoning(1)], 'extra_body': {'input': [reasoning(1)]}}, id='the input is mine'
        ),
    ],
)
def test_request_that_cannot_do_without_reasoning(fields: dict[str, Any]) -> None:
    assert without_reasoning(request(**fields)) is None
