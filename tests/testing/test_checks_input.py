"""Every rule for the items of the input: good items around it, one thing wrong, what is answered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from pydantic_ai_codex.testing import (
    CodexSimulator,
    call,
    compaction,
    custom_call,
    image,
    reply,
    say,
    shell_call,
    think,
    turn,
    web_search,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]

USER: Json = {'type': 'message', 'role': 'user', 'content': 'Hi'}
ASSISTANT: Json = {'type': 'message', 'role': 'assistant', 'content': 'Hello'}
CUSTOM: Json = {'type': 'custom_tool_call', 'call_id': 'c', 'name': 'exec', 'input': 'ls'}
CUSTOM_OUTPUT: Json = {'type': 'custom_tool_call_output', 'call_id': 'c', 'output': 'a.txt'}
FUNCTION: Json = {'type': 'function_call', 'call_id': 'c', 'name': 'f', 'arguments': '{}'}
FUNCTION_OUTPUT: Json = {'type': 'function_call_output', 'call_id': 'c', 'output': 'a.txt'}
EXEC: Json = {'type': 'exec', 'command': ['ls'], 'env': {}}
SHELL: Json = {'type': 'local_shell_call', 'call_id': 'c', 'status': 'completed', 'action': EXEC}
SHELL_OUTPUT: Json = {'type': 'local_shell_call_output', 'call_id': 'c', 'output': 'a.txt'}
SEARCH: Json = {'type': 'web_search_call', 'id': 'ws_1', 'action': {'type': 'search', 'query': 'x', 'queries': ['x']}}
TOOLS: Json = {'type': 'additional_tools', 'role': 'developer', 'tools': []}
TOOL_SEARCH: Json = {'type': 'tool_search_call', 'call_id': 's', 'arguments': {}, 'execution': 'client'}
TOOL_SEARCH_OUTPUT: Json = {'type': 'tool_search_output', 'call_id': 's', 'tools': [], 'execution': 'client'}

PNG = 'data:image/png;base64,aW1n'
PDF = 'data:application/pdf;base64,cGRm'


def parts(*values: Json, role: str = 'user') -> Json:
    return {'type': 'message', 'role': role, 'content': list(values)}


def picture(url: object, **fields: object) -> Json:
    return parts({'type': 'input_image', 'image_url': url, **fields})


def file(**fields: object) -> Json:
    return parts({'type': 'input_file', **fields})


def without(item: Json, name: str) -> Json:
    return {key: value for key, value in item.items() if key != name}


def missing(param: str) -> str:
    return f"Missing required parameter: '{param}'."


def unknown(param: str) -> str:
    return f"Unknown parameter: '{param}'."


IMAGE_URL = "Invalid 'input[0].content[0].image_url'. Expected "
DATA_URL = (
    f"{IMAGE_URL}a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), "
    'but got '
)
VALID_URL = f'{IMAGE_URL}a valid URL, but got a value with an invalid format.'

REFUSED: list[tuple[str, list[Json], str, str | None]] = [
    # Unknown fields.
    ('of a message', [USER, {**USER, 'foo': 1}], unknown('input[1].foo'), 'unknown_parameter'),
    ('of a call', [{**FUNCTION, 'input': ''}, FUNCTION_OUTPUT], unknown('input[0].input'), 'unknown_parameter'),
    ('of a text', [parts({'type': 'input_text', 'text': 'x', 'id': 'x'})], unknown('input[0].content[0].id'), None),
    ('of an image', [picture(PNG, alt='x')], unknown('input[0].content[0].alt'), None),
    (
        'of an output part',
        [FUNCTION, {**FUNCTION_OUTPUT, 'output': [{'type': 'input_text', 'text': 'x', 'annotations': []}]}],
        unknown('input[1].output[0].annotations'),
        None,
    ),
    ('of reasoning', [{'type': 'reasoning', 'summary': [], 'status': 'completed'}], unknown('input[0].status'), None),
    ('of a trigger', [USER, {'type': 'compaction_trigger', 'mode': 'x'}], unknown('input[1].mode'), None),
    # Messages.
    ('phase of the user', [{**USER, 'phase': 'commentary'}], unknown('input[0].phase'), 'unknown_parameter'),
    (
        'unknown phase',
        [USER, {**ASSISTANT, 'phase': 'prologue'}],
        "Invalid value: 'prologue'. Supported values are: 'commentary' and 'final_answer'.",
        'invalid_value',
    ),
    ('status', [{**USER, 'status': 'done'}], "Invalid value: 'done'.", 'invalid_value'),
    (
        'annotations',
        [parts({'type': 'output_text', 'text': 'x', 'annotations': {}}, role='assistant')],
        "Invalid type for 'input[0].content[0].annotations'",
        'invalid_type',
    ),
    # Ids.
    (
        'empty call id',
        [{**FUNCTION, 'call_id': ''}, FUNCTION_OUTPUT],
        "Invalid 'input[0].call_id': empty string. Expected a string with minimum length 1, but got an empty string "
        'instead.',
        'empty_string',
    ),
    ('empty id', [{**USER, 'id': ''}], "Invalid 'input[0].id': empty string.", 'empty_string'),
    *(
        (
            f'id of {item["type"]}',
            [{**item, 'id': 'item_1'}],
            f"Invalid 'input[0].id': 'item_1'. Expected an ID that begins with '{prefix}'.",
            'invalid_value',
        )
        for item, prefix in ((CUSTOM, 'ctc'), (CUSTOM_OUTPUT, 'ctc'), (SHELL, 'lsh'), (SEARCH, 'ws'), (TOOLS, 'at'))
    ),
    # Reasoning and compactions.
    (
        'summary of text',
        [{'type': 'reasoning', 'summary': [{'type': 'input_text', 'text': 'x'}]}],
        'Invalid value',
        None,
    ),
    (
        'content of text',
        [{'type': 'reasoning', 'summary': [], 'content': 'x'}],
        "Invalid type for 'input[0].cont",
        None,
    ),
    (
        'raw reasoning',
        [{'type': 'reasoning', 'summary': [], 'content': [{'type': 'reasoning_text', 'text': 'x'}]}],
        "Invalid 'input[0].content': array too long. Expected an array with maximum length 0, but got an array with "
        'length 1 instead.',
        'array_above_max_length',
    ),
    ('empty compaction', [{'type': 'compaction', 'id': 'cmp_1'}], missing('input[0].encrypted_content'), None),
    (
        'foreign compaction',
        [{'type': 'compaction', 'id': 'cmp_1', 'encrypted_content': 'gAAAAABleA'}],
        'The encrypted content for item cmp_1 could not be verified.',
        'invalid_encrypted_content',
    ),
    # Custom calls.
    ('custom call without id', [without(CUSTOM, 'call_id')], missing('input[0].call_id'), None),
    ('custom call without name', [without(CUSTOM, 'name')], missing('input[0].name'), None),
    ('custom call without input', [without(CUSTOM, 'input')], missing('input[0].input'), None),
    ('custom call with arguments', [{**CUSTOM, 'input': {}}], "Invalid type for 'input[0].input'", None),
    ('namespace', [{**CUSTOM, 'namespace': 1}], "Invalid type for 'input[0].namespace'", None),
    ('custom output without output', [CUSTOM, without(CUSTOM_OUTPUT, 'output')], missing('input[1].output'), None),
    (
        'custom output of an object',
        [CUSTOM, {**CUSTOM_OUTPUT, 'output': {}}],
        "Invalid type for 'input[1].output'",
        None,
    ),
    # Local shell calls.
    ('no action', [without(SHELL, 'action')], missing('input[0].action'), None),
    ('action no object', [{**SHELL, 'action': 'ls'}], "Invalid type for 'input[0].action'", None),
    (
        'action type',
        [{**SHELL, 'action': {'type': 'run'}}],
        "Invalid value: 'run'. Supported values are: 'exec'.",
        None,
    ),
    ('no command', [{**SHELL, 'action': {'type': 'exec'}}], missing('input[0].action.command'), None),
    ('command text', [{**SHELL, 'action': {**EXEC, 'command': 'ls'}}], "Invalid type for 'input[0].action.com", None),
    ('command numbers', [{**SHELL, 'action': {**EXEC, 'command': [1]}}], "Invalid type for 'input[0].action.c", None),
    ('action field', [{**SHELL, 'action': {**EXEC, 'cwd': '/'}}], unknown('input[0].action.cwd'), None),
    ('shell output', [SHELL, {**SHELL_OUTPUT, 'output': []}], "Invalid type for 'input[1].output'", None),
    # Web searches.
    ('search without id', [without(SEARCH, 'id')], missing('input[0].id'), 'missing_required_parameter'),
    ('search without action', [without(SEARCH, 'action')], missing('input[0].action'), None),
    (
        'other action',
        [{**SEARCH, 'action': {'type': 'other'}}],
        "Invalid value: 'other'. Supported values are: 'search', 'open_page', and 'find_in_page'.",
        'invalid_value',
    ),
    (
        'query of another action',
        [{**SEARCH, 'action': {'type': 'find_in_page', 'url': 'x', 'pattern': 'x', 'query': None}}],
        unknown('input[0].action.query'),
        'unknown_parameter',
    ),
    ('search status', [{**SEARCH, 'status': 'done'}], "Invalid value: 'done'.", None),
    # Tools as items.
    (
        'tools of the user',
        [{**TOOLS, 'role': 'user'}],
        "Invalid value: 'user'. Supported values are: 'developer'.",
        None,
    ),
    ('no tools', [{**TOOLS, 'tools': None}], missing('input[0].tools'), None),
    ('execution', [{**TOOL_SEARCH, 'execution': 'here'}], "Invalid value: 'here'.", None),
    ('tool search without arguments', [without(TOOL_SEARCH, 'arguments')], missing('input[0].arguments'), None),
    ('found tools', [{**TOOL_SEARCH_OUTPUT, 'tools': {}}], "Invalid type for 'input[0].tools'", None),
    ('other call id', [{'type': 'mcp_call', 'call_id': 1}], "Invalid type for 'input[0].call_id'", None),
    # Pairs.
    ('custom call unanswered', [CUSTOM], 'No tool output found for custom tool call c.', None),
    ('shell call unanswered', [SHELL], 'No tool output found for local shell call c.', None),
    ('custom output uncalled', [CUSTOM_OUTPUT], 'No tool call found for custom tool call output with call_id c.', None),
    ('shell output uncalled', [SHELL_OUTPUT], 'No tool call found for local shell call output with call_id c.', None),
    (
        'custom call answered as a function',
        [CUSTOM, FUNCTION_OUTPUT],
        'No tool call found for function call output with call_id c.',
        None,
    ),
    (
        'function answered as a custom call',
        [FUNCTION, CUSTOM_OUTPUT],
        'No tool call found for custom tool call output with call_id c.',
        None,
    ),
    ('custom output first', [CUSTOM_OUTPUT, CUSTOM], 'No tool call found for custom tool call output', None),
    ('custom output twice', [CUSTOM, CUSTOM_OUTPUT, CUSTOM_OUTPUT], 'Duplicate item found with call_id c.', None),
    ('two kinds of output', [SHELL, SHELL_OUTPUT, FUNCTION_OUTPUT], 'Duplicate item found with call_id c.', None),
    ('one id for two calls', [CUSTOM, FUNCTION, FUNCTION_OUTPUT], 'Duplicate item found with call_id c.', None),
    # Images.
    ('image path', [picture('cat.png')], VALID_URL, 'invalid_value'),
    ('image file URL', [picture('file:///cat.png')], VALID_URL, 'invalid_value'),
    ('image URL without a host', [picture('https://')], VALID_URL, None),
    ('image URL with a blank', [picture('https://host/a b')], VALID_URL, None),
    ('image URL in brackets', [picture('https://[host/cat.png')], VALID_URL, None),
    ('no image', [picture(None)], missing('input[0].content[0].image_url'), None),
    ('image object', [picture({'url': PNG})], "Invalid type for 'input[0].content[0].image_url'", None),
    ('image of a PDF', [picture(PDF)], f"{DATA_URL}unsupported MIME type 'application/pdf'.", 'invalid_value'),
    ('image of nothing', [picture('data:image/png;base64,')], f'{DATA_URL}empty base64-encoded bytes.', None),
    ('image cut', [picture('data:image/png;base64,aW1')], f'{DATA_URL}an invalid base64-encoded value.', None),
    ('image not encoded', [picture('data:image/png,img')], f'{DATA_URL}an invalid data URL.', None),
    # Files.
    ('no file', [file(filename='a.pdf')], missing('input[0].content[0].file_data'), None),
    ('file without a name', [file(file_data=PDF)], missing('input[0].content[0].filename'), None),
    (
        'file not encoded',
        [file(file_data='cGRm', filename='a.pdf')],
        "Invalid 'input[0].content[0].file_data'. Expected a base64-encoded data URL (e.g. "
        "'data:application/pdf;base64,JVBERi0='), but got a value without the 'data:' prefix.",
        'invalid_value',
    ),
    ('file path', [file(file_url='/a.pdf')], "Invalid 'input[0].content[0].file_url'. Expected a valid URL", None),
    (
        'file URL with a name',
        [file(file_url='https://host/a.pdf', filename='a.pdf')],
        "Mutually exclusive parameters: 'input[0].content[0]'.",
        'mutually_exclusive_parameters',
    ),
    ('file detail', [file(file_id='file-1', detail='original')], "Invalid value: 'original'.", None),
]

DECORATION: Json = {
    'internal_chat_message_metadata_passthrough': {'turn_id': 'x', 'content_item_kinds': ['user.text']},
    'content_item_metadata': [{'provenance': {'type': 'skills'}}],
}
"""As the CLI decorates its items."""

ACCEPTED: list[tuple[str, list[Json]]] = [
    ('decorated message', [{**USER, 'id': 'msg_1', **DECORATION}, {**ASSISTANT, 'status': 'completed'}]),
    ('phases', [USER, {**ASSISTANT, 'phase': 'commentary'}, {**ASSISTANT, 'phase': None}]),
    (
        'annotations',
        [USER, parts({'type': 'output_text', 'text': 'x', 'annotations': [], 'logprobs': []}, role='assistant')],
    ),
    (
        'decorated call',
        [
            {**FUNCTION, 'id': 'fc_1', 'status': 'completed', 'namespace': 'n', **DECORATION},
            {**FUNCTION_OUTPUT, 'id': 'fco_1', **DECORATION},
        ],
    ),
    (
        'decorated custom call',
        [
            {**CUSTOM, 'id': 'ctc_1', 'status': 'completed', 'input': '', **DECORATION},
            {**CUSTOM_OUTPUT, 'id': 'ctco_1', 'output': [{'type': 'input_text', 'text': 'x'}], **DECORATION},
        ],
    ),
    ('shell call, answered as the CLI does', [{**SHELL, 'id': 'lsh_1'}, FUNCTION_OUTPUT]),
    ('shell call, answered as the API does', [SHELL, SHELL_OUTPUT]),
    ('shell call with options', [{**SHELL, 'action': {**EXEC, 'timeout_ms': 1, 'user': None}}, SHELL_OUTPUT]),
    ('parallel calls', [FUNCTION, {**CUSTOM, 'call_id': 'd'}, {**CUSTOM_OUTPUT, 'call_id': 'd'}, FUNCTION_OUTPUT]),
    ('search', [USER, {**SEARCH, 'status': 'completed', **DECORATION}]),
    ('page', [USER, {**SEARCH, 'action': {'type': 'open_page', 'url': 'https://host'}}]),
    ('tool search', [USER, TOOL_SEARCH, TOOL_SEARCH_OUTPUT]),
    ('tool search of the backend', [USER, {**TOOL_SEARCH, 'call_id': None, 'execution': 'server'}]),
    ('tools', [{**TOOLS, 'id': 'at_1'}, USER]),
    ('trigger', [USER, {'type': 'compaction_trigger'}]),
    ('an item of which only the name is known', [USER, {'type': 'mcp_call', 'id': 'mcp_1', 'anything': 'goes'}]),
    ('image URL', [picture('https://host/cat.png', detail='high')]),
    ('image data', [picture(PNG), picture('data:image/jpeg;charset=utf-8;base64,aW1n')]),
    ('uploaded image', [parts({'type': 'input_image', 'file_id': 'file-1'})]),
    ('file data', [file(file_data=PDF, filename='a.pdf')]),
    ('file URL', [file(file_url='https://host/a.pdf', detail='low')]),
    ('uploaded file', [file(file_id='file-1')]),
]


@pytest.mark.parametrize(
    ('items', 'expected', 'code'), [pytest.param(items, text, code, id=name) for name, items, text, code in REFUSED]
)
async def test_refused(body: Json, ask: Ask, items: list[Json], expected: str, code: str | None) -> None:
    simulator = CodexSimulator(reply('Never sent.'))

    response = await ask(simulator, {**body, 'input': items})

    error = response.json()['error']
    assert (response.status_code, error['message'][: len(expected)]) == (400, expected)
    assert code in (None, error['code'])
    assert simulator.remaining == 1


@pytest.mark.parametrize('items', [pytest.param(items, id=name) for name, items in ACCEPTED])
async def test_accepted(body: Json, ask: Ask, items: list[Json]) -> None:
    response = await ask(CodexSimulator(reply('Hello')), {**body, 'input': items})

    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    'item',
    [
        pytest.param(
            {'type': 'image_generation_call', 'id': 'ig_1', 'result': 'aW1n', 'status': 'completed'}, id='image'
        ),
        pytest.param({'type': 'item_reference', 'id': 'ig_1'}, id='reference'),
    ],
)
async def test_what_would_have_to_be_stored(body: Json, ask: Ask, item: Json) -> None:
    found = await ask(CodexSimulator(), {**body, 'input': [USER, item]})
    nameless = await ask(CodexSimulator(), {**body, 'input': [USER, without(item, 'id')]})

    assert (found.status_code, found.json()['error']) == (
        404,
        {
            'message': "Item with id 'ig_1' not found. Items are not persisted when `store` is set to false. Try again "
            'with `store` set to true, or remove this item from your input.',
            'type': 'invalid_request_error',
            'param': 'input',
            'code': None,
        },
    )
    assert nameless.json()['error']['message'] == missing('input[1].id')


async def test_what_was_answered_can_be_sent_back(body: Json, ask: Ask) -> None:
    """But for images, which cannot."""
    said = turn(
        think('Hm.'),
        say('Let me see.', phase='commentary', annotations=[{'type': 'url_citation', 'url': 'https://host'}]),
        web_search('x', sources=['https://host']),
        call('f', call_id='call_f', namespace='n'),
        custom_call('exec', 'ls', call_id='call_e'),
        shell_call(['ls'], call_id='call_s', working_directory='/'),
        compaction(),
        image(b'img'),
    )
    simulator = CodexSimulator(said, reply('Hi'))
    items = done_items(await ask(simulator, body))
    outputs = [
        {**FUNCTION_OUTPUT, 'call_id': 'call_f'},
        {**CUSTOM_OUTPUT, 'call_id': 'call_e'},
        {**FUNCTION_OUTPUT, 'call_id': 'call_s'},
    ]

    with_image = await ask(simulator, {**body, 'input': [USER, *items, *outputs]})
    without_image = await ask(simulator, {**body, 'input': [USER, *items[:-1], *outputs]})

    assert [with_image.status_code, without_image.status_code] == [404, 200], without_image.text


async def test_a_compaction_belongs_to_its_account(body: Json, ask: Ask) -> None:
    items = done_items(await ask(CodexSimulator(turn(compaction())), body))

    other = await ask(CodexSimulator(account_id='other'), {**body, 'input': [*items, USER]})

    assert other.json()['error']['code'] == 'invalid_encrypted_content'


def done_items(response: httpx2.Response) -> list[Json]:
    lines = response.text.splitlines()
    events = [json.loads(line.removeprefix('data: ')) for line in lines if line.startswith('data: ')]
    return [event['item'] for event in events if event['type'] == 'response.output_item.done']
