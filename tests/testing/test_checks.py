"""Every rule of the backend, through the front door: a good body, one thing wrong, what is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from pydantic_ai_codex.testing import CodexSimulator, fake_access_token, reply

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
Change = Callable[[Json], object]
NAMESPACE: Json = {'type': 'namespace', 'name': 'n', 'tools': []}
URL = 'https://chatgpt.com/backend-api/codex/responses'
KEY_URL = 'https://api.openai.com/v1/responses'

TEXT: Json = {'type': 'message', 'role': 'user', 'content': 'Hi'}
CALL: Json = {'type': 'function_call', 'call_id': 'c', 'name': 'weather', 'arguments': '{}'}
OUTPUT: Json = {'type': 'function_call_output', 'call_id': 'c', 'output': 'sunny'}
CLOSED: Json = {'type': 'object', 'properties': {}, 'required': [], 'additionalProperties': False}


def put(name: str, value: object) -> Change:
    return lambda body: body.update({name: value})


def drop(name: str) -> Change:
    return lambda body: body.pop(name)


def items(*values: object) -> Change:
    return put('input', list(values))


def tool(**changes: object) -> Change:
    return lambda body: body['tools'][0].update(changes)


def schema(value: Json, *, strict: bool = True) -> Change:
    return tool(parameters=value, strict=strict)


def output(value: Json) -> Change:
    return put('text', {'format': value})


def unsupported(model: str) -> str:
    return f"The '{model}' model is not supported when using Codex with a ChatGPT account."


REFUSED: list[tuple[str, Change, str]] = [
    # Top level.
    ('unknown field', put('temperature', 0.1), 'Unsupported parameter: temperature'),
    ('no model', drop('model'), "Missing required parameter: 'model'."),
    ('model with effort', put('model', 'gpt-5.1-codex-high'), unsupported('gpt-5.1-codex-high')),
    ('model with colon effort', put('model', 'gpt-5.1:high'), unsupported('gpt-5.1:high')),
    ('model with tier', put('model', 'gpt-5.5-fast'), unsupported('gpt-5.5-fast')),
    ('model with both', put('model', 'gpt-5.5-high-fast'), unsupported('gpt-5.5-high-fast')),
    ('model with prefix', put('model', 'codex:gpt-5.5'), unsupported('codex:gpt-5.5')),
    ('alias', put('model', 'gpt-5-codex'), unsupported('gpt-5-codex')),
    ('alias with effort', put('model', 'gpt-5-low'), unsupported('gpt-5-low')),
    ('upper case', put('model', 'GPT-5.5'), unsupported('GPT-5.5')),
    ('model with other letters', put('model', 'gpt-5é'), unsupported('gpt-5é')),
    ('model with a line break', put('model', 'gpt-5\n'), unsupported('gpt-5\n')),
    ('stream', put('stream', False), 'Stream must be set to true'),
    ('no stream', drop('stream'), 'Stream must be set to true'),
    ('store', put('store', True), 'Store must be set to false'),
    ('no store', drop('store'), 'Store must be set to false'),
    ('no instructions', drop('instructions'), 'Instructions are required'),
    ('empty instructions', put('instructions', ''), 'Instructions are required'),
    ('reasoning no object', put('reasoning', 'low'), "Invalid type for 'reasoning': expected an object."),
    ('reasoning field', put('reasoning', {'depth': 1}), "Unknown parameter: 'reasoning.depth'."),
    ('summary', put('reasoning', {'summary': 'long'}), "Invalid value: 'long'."),
    (
        'effort of the model',
        put('reasoning', {'effort': 'none'}),
        "Unsupported value: 'none' is not supported with the 'gpt-5.1-codex' model. "
        "Supported values are: 'low', 'medium', and 'high'.",
    ),
    (
        'effort without a wire value',
        lambda body: body.update(model='gpt-6.1-sol', reasoning={'effort': 'ultra'}),
        "Unsupported value: 'ultra' is not supported with the 'gpt-6.1-sol' model.",
    ),
    (
        'effort of an unknown model',
        lambda body: body.update(model='gpt-9', reasoning={'effort': 'huge'}),
        "Unsupported value: 'huge' is not supported with the 'gpt-9' model.",
    ),
    ('tier', put('service_tier', 'fast'), "Invalid value: 'fast'."),
    ('include', put('include', ['everything']), "Invalid value: 'everything'."),
    ('include no array', put('include', 'all'), "Invalid type for 'include'"),
    ('cache key', put('prompt_cache_key', 1), "Invalid type for 'prompt_cache_key'"),
    ('parallel', put('parallel_tool_calls', 'yes'), "Invalid type for 'parallel_tool_calls'"),
    ('metadata', put('client_metadata', {'a': 1}), "Invalid type for 'client_metadata'"),
    # Text.
    ('text', put('text', 'low'), "Invalid type for 'text'"),
    ('verbosity', put('text', {'verbosity': 'loud'}), "Invalid value: 'loud'."),
    ('format without type', output({'name': 'x'}), "Missing required parameter: 'text.format.type'."),
    ('format type', output({'type': 'yaml'}), "Invalid value: 'yaml'."),
    ('json without the word', output({'type': 'json_object'}), "Response input messages must contain the word 'json'"),
    (
        'schema without name',
        output({'type': 'json_schema', 'schema': CLOSED}),
        "Missing required parameter: 'text.format.name'.",
    ),
    ('schema name', output({'type': 'json_schema', 'name': 'a b', 'schema': CLOSED}), "Invalid 'text.format.name'"),
    ('no schema', output({'type': 'json_schema', 'name': 'a'}), "Missing required parameter: 'text.format.schema'."),
    (
        'schema type',
        output({'type': 'json_schema', 'name': 'a', 'schema': []}),
        "Invalid type for 'text.format.schema'",
    ),
    (
        'output schema not closed',
        output({'type': 'json_schema', 'name': 'a', 'strict': True, 'schema': {'type': 'object'}}),
        "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required",
    ),
    # Input.
    ('no input', drop('input'), 'Input must be a list'),
    ('input text', put('input', 'Hi'), 'Input must be a list'),
    ('empty input', items(), 'Input must be a list'),
    ('item no object', items('Hi'), "Invalid type for 'input[0]': expected an object."),
    ('item without type', items({'id': 'x'}), "Missing required parameter: 'input[0].type'."),
    ('item type', items({'type': 'poem'}), "Invalid value: 'poem'."),
    ('system', items({'role': 'system', 'content': 'Obey.'}), 'System messages are not allowed'),
    ('role', items({'role': 'tool', 'content': 'x'}), "Invalid value: 'tool'."),
    ('no content', items({'role': 'user'}), "Missing required parameter: 'input[0].content'."),
    ('content type', items({'role': 'user', 'content': 1}), "Invalid type for 'input[0].content'"),
    ('part no object', items({'role': 'user', 'content': ['x']}), "Invalid type for 'input[0].content[0]'"),
    (
        'output part of a user',
        items({'role': 'user', 'content': [{'type': 'output_text', 'text': 'x'}]}),
        "Invalid value: 'output_text'. Supported values are: 'input_text', 'input_image', and 'input_file'.",
    ),
    (
        'input part of the assistant',
        items({'role': 'assistant', 'content': [{'type': 'input_text', 'text': 'x'}]}),
        "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
    ),
    ('part without text', items({'role': 'user', 'content': [{'type': 'input_text'}]}), 'Missing required parameter'),
    (
        'image detail',
        items({'role': 'user', 'content': [{'type': 'input_image', 'image_url': 'data:', 'detail': 'fine'}]}),
        "Invalid value: 'fine'.",
    ),
    ('foreign id', items({**TEXT, 'id': 'toolu_1'}), "Invalid 'input[0].id': 'toolu_1'. Expected an ID that begins"),
    ('id type', items({**TEXT, 'id': 1}), "Invalid type for 'input[0].id'"),
    ('long id', items({**TEXT, 'id': 'msg_' + 'x' * 61}), "Invalid 'input[0].id': string too long."),
    ('id twice', items({**TEXT, 'id': 'msg_1'}, {**TEXT, 'id': 'msg_1'}), 'Duplicate item found with id msg_1.'),
    ('call without id', items({**CALL, 'call_id': None}, OUTPUT), "Missing required parameter: 'input[0].call_id'."),
    ('parsed arguments', items({**CALL, 'arguments': {}}, OUTPUT), "Invalid type for 'input[0].arguments'"),
    ('called name', items({**CALL, 'name': 'a b'}, OUTPUT), "Invalid 'input[0].name'"),
    ('long call id', items({**CALL, 'call_id': 'c' * 65}), "Invalid 'input[0].call_id': string too long."),
    (
        'no output',
        items(CALL, {'type': 'function_call_output', 'call_id': 'c'}),
        "Missing required parameter: 'input[1]",
    ),
    ('output type', items(CALL, {**OUTPUT, 'output': {}}), "Invalid type for 'input[1].output'"),
    ('custom call id', items({'type': 'custom_tool_call', 'call_id': 1}), "Invalid type for 'input[0].call_id'"),
    ('call unanswered', items(TEXT, CALL), 'No tool output found for function call c.'),
    ('answer uncalled', items(OUTPUT), 'No tool call found for function call output with call_id c.'),
    ('answer before call', items(OUTPUT, CALL), 'No tool call found for function call output with call_id c.'),
    ('call twice', items(CALL, CALL, OUTPUT), 'Duplicate item found with call_id c.'),
    ('answer twice', items(CALL, OUTPUT, OUTPUT), 'Duplicate item found with call_id c.'),
    ('no summary', items({'type': 'reasoning', 'encrypted_content': 'x'}), "Missing required parameter: 'input[0].su"),
    ('summary type', items({'type': 'reasoning', 'summary': 'x'}), "Invalid type for 'input[0].summary'"),
    ('summary part', items({'type': 'reasoning', 'summary': ['x']}), "Invalid type for 'input[0].summary[0]'"),
    (
        'no blob',
        items({'type': 'reasoning', 'summary': []}),
        "Missing required parameter: 'input[0].encrypted_content'.",
    ),
    (
        'foreign blob',
        items({'type': 'reasoning', 'summary': [], 'id': 'rs_1', 'encrypted_content': 'gAAAAABleA'}),
        'The encrypted content for item rs_1 could not be verified.',
    ),
    # Tools.
    ('tools type', put('tools', {}), "Invalid type for 'tools'"),
    ('tool no object', put('tools', ['weather']), "Invalid type for 'tools[0]'"),
    ('tool without type', tool(type=None), "Missing required parameter: 'tools[0].type'."),
    ('tool type', tool(type='magic'), "Invalid value: 'magic'."),
    ('tool without name', tool(name=None), "Missing required parameter: 'tools[0].name'."),
    ('tool name', tool(name='the weather'), "Invalid 'tools[0].name': string does not match pattern."),
    ('tool twice', lambda body: body['tools'].append(body['tools'][0]), "Duplicate tool name: 'weather'."),
    ('description', tool(description=1), "Invalid type for 'tools[0].description'"),
    ('strict', tool(strict='yes'), "Invalid type for 'tools[0].strict'"),
    ('no parameters', tool(parameters=None), "Missing required parameter: 'tools[0].parameters'."),
    ('parameters type', tool(parameters=[]), "Invalid type for 'tools[0].parameters'"),
    ('namespace', put('tools', [{'type': 'namespace', 'name': 'n'}]), "Invalid type for 'tools[0].tools'"),
    (
        'no object schema',
        schema({'type': 'string'}, strict=False),
        "Invalid schema for function 'weather': schema must",
    ),
    (
        'open schema',
        schema({'type': 'object', 'properties': {}}),
        "Invalid schema for function 'weather': In context=()",
    ),
    (
        'optional property',
        schema({**CLOSED, 'properties': {'a': {'type': 'string'}}}),
        "Invalid schema for function 'weather': In context=(), 'required' is required to be supplied and to be an "
        "array including every key in properties. Missing 'a'.",
    ),
    (
        'open nested schema',
        schema({**CLOSED, 'properties': {'a': {'anyOf': [{'type': 'object'}]}}, 'required': ['a']}),
        "Invalid schema for function 'weather': In context=('properties', 'a', 'anyOf', '0')",
    ),
    (
        'untyped property',
        schema({**CLOSED, 'properties': {'a': {}}, 'required': ['a']}),
        "Invalid schema for function 'weather': In context=('properties', 'a'), schema must have a 'type' key.",
    ),
    (
        'keyword',
        schema({**CLOSED, 'properties': {'a': {'type': 'array', 'items': {'oneOf': []}}}, 'required': ['a']}),
        "Invalid schema for function 'weather': In context=('properties', 'a', 'items'), 'oneOf' is not permitted.",
    ),
    # Choice.
    ('choice', put('tool_choice', 'weather'), "Invalid value: 'weather'."),
    ('choice type', put('tool_choice', 1), "Invalid type for 'tool_choice'"),
    ('choice kind', put('tool_choice', {'type': 'magic'}), "Invalid value: 'magic'."),
    (
        'choice without name',
        put('tool_choice', {'type': 'function'}),
        "Missing required parameter: 'tool_choice.name'.",
    ),
    (
        'choice of no tool',
        put('tool_choice', {'type': 'function', 'name': 'news'}),
        "Tool choice 'news' not found in 'tools' parameter.",
    ),
    (
        'allowed mode',
        put('tool_choice', {'type': 'allowed_tools', 'mode': 'none', 'tools': []}),
        "Invalid value: 'none'.",
    ),
    (
        'nothing allowed',
        put('tool_choice', {'type': 'allowed_tools', 'mode': 'auto', 'tools': []}),
        "Missing required parameter: 'tool_choice.tools'.",
    ),
    (
        'no such tool allowed',
        put(
            'tool_choice',
            {'type': 'allowed_tools', 'mode': 'required', 'tools': [{'type': 'function', 'name': 'news'}]},
        ),
        "Tool choice 'news' not found in 'tools' parameter.",
    ),
    (
        'forced without tools',
        lambda body: (body.pop('tools'), body.update(tool_choice='required')),
        "Tool choice 'required' must be specified with 'tools' parameter.",
    ),
]

ACCEPTED: list[tuple[str, Change]] = [
    ('as it is', lambda body: None),
    ('unknown model', put('model', 'gpt-9')),
    ('retired model', put('model', 'gpt-5.2')),
    ('a model whose name ends like an effort', put('model', 'gpt-5.1-codex-max')),
    ('no reasoning', drop('reasoning')),
    ('no tools', lambda body: (body.pop('tools'), body.pop('tool_choice'))),
    ('required', put('tool_choice', 'required')),
    ('one tool', put('tool_choice', {'type': 'function', 'name': 'weather'})),
    (
        'allowed tools',
        put(
            'tool_choice',
            {'type': 'allowed_tools', 'mode': 'auto', 'tools': [{'type': 'function', 'name': 'weather'}]},
        ),
    ),
    ('loose schema', schema({'type': 'object', 'properties': {'a': {}}}, strict=False)),
    (
        'recursive schema',
        schema({**CLOSED, 'properties': {'a': {'$ref': '#'}}, 'required': ['a'], '$defs': {'b': CLOSED}}),
    ),
    ('hosted tools', put('tools', [{'type': 'web_search'}, NAMESPACE])),
    ('schema', output({'type': 'json_schema', 'name': 'city', 'strict': True, 'schema': CLOSED})),
    ('json', lambda body: (output({'type': 'json_object'})(body), items({**TEXT, 'content': 'As JSON.'})(body))),
    (
        'json in a part',
        lambda body: (
            output({'type': 'json_object'})(body),
            items({'role': 'user', 'content': [{'type': 'input_text', 'text': 'as json'}]})(body),
        ),
    ),
    ('bare strings', items(TEXT, {'role': 'assistant', 'content': 'Hello'}, TEXT)),
    ('assistant', items(TEXT, {'role': 'assistant', 'content': [{'type': 'refusal', 'refusal': 'No.'}]}, TEXT)),
    (
        'image and file',
        items(
            {
                'role': 'user',
                'content': [
                    {'type': 'input_image', 'image_url': 'data:image/png;base64,aW1n', 'detail': 'original'},
                    {'type': 'input_file', 'file_data': 'data:application/pdf;base64,cGRm', 'filename': 'a.pdf'},
                ],
            }
        ),
    ),
    ('output parts', items(CALL, {**OUTPUT, 'output': [{'type': 'input_text', 'text': 'sunny'}]})),
    (
        'no instructions, but a developer message',
        lambda body: (body.pop('instructions'), body['input'].insert(0, {'role': 'developer', 'content': 'Be kind.'})),
    ),
    (
        'tools as an item',
        lambda body: (
            body.pop('instructions'),
            body.pop('tools'),
            body.update(tool_choice='required', reasoning={'context': 'all_turns'}),
            items(
                {'type': 'additional_tools', 'role': 'developer', 'tools': []},
                {'role': 'developer', 'content': 'x'},
                TEXT,
            )(body),
        ),
    ),
    ('compaction', items(TEXT, {'type': 'compaction_trigger'})),
]


def message(response: httpx2.Response) -> str:
    body: Json = response.json()
    return body['detail'] if 'detail' in body else body['error']['message']


@pytest.mark.parametrize(('change', 'expected'), [pytest.param(c, m, id=name) for name, c, m in REFUSED])
async def test_refused(body: Json, ask: Ask, change: Change, expected: str) -> None:
    simulator = CodexSimulator(reply('Never sent.'))
    change(body)

    response = await ask(simulator, body)

    assert (response.status_code, message(response)[: len(expected)]) == (400, expected)
    assert simulator.remaining == 1


@pytest.mark.parametrize('change', [pytest.param(c, id=name) for name, c in ACCEPTED])
async def test_accepted(body: Json, ask: Ask, change: Change) -> None:
    simulator = CodexSimulator(reply('Hello'))
    change(body)

    response = await ask(simulator, body)

    assert (response.status_code, simulator.remaining) == (200, 0), response.text


async def test_error_fields(body: Json, ask: Ask) -> None:
    body['reasoning'] = {'effort': 'max'}

    response = await ask(CodexSimulator(), body)

    error = response.json()['error']
    assert (error['type'], error['param'], error['code']) == (
        'invalid_request_error',
        'reasoning.effort',
        'unsupported_value',
    )


async def test_reasoning_is_not_persisted(body: Json, ask: Ask) -> None:
    body['input'] = [{'type': 'reasoning', 'id': 'rs_1', 'summary': []}]

    response = await ask(CodexSimulator(), body)

    assert response.status_code == 404
    assert message(response).startswith("Item with id 'rs_1' not found. Items are not persisted")


@pytest.mark.parametrize('model', ['gpt-5.1-codex', 'o3', 'gpt-9', 'gpt-6-soll'])
async def test_a_model_that_the_catalog_does_not_hold(body: Json, ask: Ask, model: str) -> None:
    del body['reasoning']

    response = await ask(CodexSimulator(refuse_retired=True), {**body, 'model': model})

    assert (response.status_code, message(response)) == (400, unsupported(model))


@pytest.mark.parametrize('model', ['gpt-6.1-sol', 'codex-auto-review'])
async def test_a_model_that_the_catalog_holds(body: Json, ask: Ask, model: str) -> None:
    response = await ask(CodexSimulator(reply('Hi'), refuse_retired=True), {**body, 'model': model})

    assert response.status_code == 200


async def test_not_strict(ask: Ask) -> None:
    response = await ask(CodexSimulator(reply('Hi'), strict=False), {'temperature': 1})

    assert response.status_code == 200


def login(token: str, account: str | None = None) -> dict[str, str]:
    return {'authorization': f'Bearer {token}', **({} if account is None else {'chatgpt-account-id': account})}


@pytest.mark.parametrize(
    ('url', 'headers'),
    [
        pytest.param(URL, {}, id='none'),
        pytest.param(URL, {'authorization': 'Basic x'}, id='scheme'),
        pytest.param(URL, login('x', 'a'), id='no token'),
        pytest.param(URL, login('x.y.z', 'a'), id='no JWT'),
        pytest.param(URL, login(fake_access_token(account_id='a')), id='no account'),
        pytest.param(URL, login(fake_access_token(account_id='a'), 'b'), id='other account'),
        pytest.param(URL, login('sk-test', 'a'), id='key for ChatGPT'),
        pytest.param(URL, login(fake_access_token(claims={'exp': 'soon'}), 'a'), id='no expiry'),
        pytest.param(
            URL, login(fake_access_token(claims={'https://api.openai.com/auth': {'chatgpt_account_id': 1}})), id='claim'
        ),
        pytest.param(KEY_URL, login(fake_access_token(account_id='a'), 'a'), id='token for the API'),
        pytest.param(KEY_URL, {}, id='no key'),
    ],
)
@pytest.mark.parametrize('strict', [True, False])
async def test_unauthorized(body: Json, ask: Ask, url: str, headers: dict[str, str], strict: bool) -> None:
    response = await ask(CodexSimulator(strict=strict), body, url=url, headers=headers)

    expected = 'Could not parse your authentication token. Please try signing in again.'
    assert (response.status_code, message(response)) == (401, expected if url == URL else 'Incorrect API key provided.')


async def test_expired_token(body: Json, ask: Ask) -> None:
    token = fake_access_token(account_id='a', expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    simulator = CodexSimulator(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    response = await ask(simulator, body, headers=login(token, 'a'))

    assert response.status_code == 401
    assert response.json() == {
        'error': {
            'message': 'Provided authentication token is expired. Please try signing in again.',
            'type': None,
            'code': 'token_expired',
            'param': None,
        },
        'status': 401,
    }


async def test_revoked_token(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(reply('Hi'))
    revoked = simulator.access_token
    simulator.revoke()

    refused = await ask(simulator, body, headers=login(revoked, simulator.account_id))
    accepted = await ask(simulator, body)

    assert (refused.status_code, accepted.status_code) == (401, 200)


async def test_api_key(body: Json, ask: Ask) -> None:
    response = await ask(CodexSimulator(reply('Hi')), body, url=KEY_URL, headers=login('sk-test'))

    assert response.status_code == 200
    assert 'x-codex-plan-type' not in response.headers
