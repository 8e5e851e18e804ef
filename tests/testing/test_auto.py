"""`auto_reply`, the answer for those who have no script."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx2
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput

from pydantic_ai_codex.testing import CodexSimulator, auto_reply

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]


class Node(BaseModel):
    kind: Literal['leaf', 'branch']
    count: int
    share: float
    ok: bool
    nothing: None
    names: list[str]
    maybe: int | None
    parent: Node | None = None


def agent(output_type: Any = str) -> tuple[Agent[None, Any], CodexSimulator]:
    simulator = CodexSimulator(default=auto_reply)
    return Agent(simulator.model(), output_type=output_type), simulator


async def test_a_prompt_is_repeated() -> None:
    asked, _ = agent()

    assert (await asked.run('Hello')).output == 'Simulated answer to: Hello'


async def test_the_first_tool_is_called_once() -> None:
    asked, simulator = agent()

    @asked.tool_plain
    def add(a: int, b: int) -> int:
        return a + b

    assert (await asked.run('1 + 2?')).output == 'Simulated answer; the tool said: 2'
    assert len(simulator.requests) == 2


@pytest.mark.parametrize('mode', ['tool', 'native'])
async def test_an_output_fits_its_schema(mode: str) -> None:
    asked, _ = agent(Node if mode == 'tool' else NativeOutput(Node))

    output = (await asked.run('A node?')).output

    assert isinstance(output, Node)
    assert output.kind == 'leaf'


USER = {'type': 'message', 'role': 'user', 'content': 'Go on.'}


@pytest.mark.parametrize(
    ('items', 'heard'),
    [
        pytest.param(
            [{**USER, 'content': [{'type': 'input_text', 'text': 'Hi'}]}], 'Simulated answer to: Hi', id='parts'
        ),
        pytest.param([{**USER, 'content': list[Json]()}], 'Simulated answer to: [message]', id='nothing'),
        pytest.param(
            [{'role': 'assistant', 'content': [{'type': 'refusal', 'refusal': 'No.'}]}],
            'Simulated answer to: No.',
            id='refusal',
        ),
        pytest.param(
            [{**USER, 'content': [{'type': 'input_image', 'image_url': 'https://host'}]}],
            'Simulated answer to: [input_image]',
            id='image',
        ),
        pytest.param(
            [
                {'type': 'custom_tool_call', 'call_id': 'c', 'name': 'exec', 'input': 'ls'},
                {
                    'type': 'custom_tool_call_output',
                    'call_id': 'c',
                    'output': [{'type': 'input_text', 'text': 'a.txt'}],
                },
            ],
            'Simulated answer; the tool said: a.txt',
            id='custom call',
        ),
        pytest.param(
            [
                {'type': 'local_shell_call', 'call_id': 'c', 'action': {'type': 'exec', 'command': ['ls']}},
                {'type': 'function_call_output', 'call_id': 'c', 'output': 'a.txt'},
            ],
            'Simulated answer; the tool said: a.txt',
            id='shell call',
        ),
    ],
)
async def test_whatever_comes_last_is_answered(body: Json, ask: Ask, items: list[Json], heard: str) -> None:
    response = await ask(CodexSimulator(default=auto_reply), {**without_tools(body), 'input': items})

    assert f'"text":"{heard}"' in response.text


async def test_a_history_is_compacted(body: Json, ask: Ask) -> None:
    response = await ask(CodexSimulator(default=auto_reply), {**body, 'input': [USER, {'type': 'compaction_trigger'}]})

    assert '"type":"compaction","encrypted_content":' in response.text


def without_tools(body: Json) -> Json:
    return {name: value for name, value in body.items() if name not in ('tools', 'tool_choice')}


def schema_of_a_tool(**fields: Any) -> Json:
    return {'type': 'function', 'name': 'f', 'strict': False, 'parameters': {'type': 'object', **fields}}


@pytest.mark.parametrize(
    ('fields', 'arguments'),
    [
        pytest.param({'properties': ['x']}, {}, id='properties that are no object'),
        pytest.param({'properties': {'x': True, 'y': 'text'}}, {'x': 'example', 'y': 'example'}, id='no schemas'),
        pytest.param({'properties': {'x': {'anyOf': []}}}, {'x': 'example'}, id='no choices'),
        pytest.param({'properties': {'x': {'oneOf': {'type': 'null'}}}}, {'x': 'example'}, id='choices no array'),
        pytest.param({'properties': {'x': {'type': []}}}, {'x': 'example'}, id='no types'),
        pytest.param({'properties': {'x': {'type': {}}}}, {'x': 'example'}, id='type that is an object'),
        pytest.param({'properties': {'x': {'type': [['null']]}}}, {'x': 'example'}, id='type that is an array'),
        pytest.param({'properties': {'x': {'type': ['null', 'string']}}}, {'x': None}, id='several types'),
        pytest.param({'properties': {'x': {'enum': []}}}, {'x': 'example'}, id='empty enum'),
        pytest.param({'properties': {'x': {'enum': {'a': 1}}}}, {'x': 'example'}, id='enum that is an object'),
        pytest.param({'properties': {'x': {'const': None}}}, {'x': None}, id='const'),
        pytest.param(
            {'properties': {'x': {'type': 'array', 'items': [1], 'minItems': '2'}}},
            {'x': ['example']},
            id='array of anything',
        ),
        pytest.param(
            {'properties': {'x': {'type': 'array', 'items': {'type': 'null'}, 'minItems': 10**9}}},
            {'x': [None] * 100},
            id='array without measure',
        ),
        pytest.param({'properties': {'x': {'$ref': '#/$defs/0/x'}}, '$defs': [1]}, {'x': 'example'}, id='lost'),
        pytest.param({'properties': {'x': {'$ref': '#/properties/x'}}}, {'x': None}, id='itself'),
        pytest.param({'const': 'text'}, {}, id='no object'),
    ],
)
async def test_odd_schemas_have_examples(body: Json, ask: Ask, fields: Json, arguments: Json) -> None:
    response = await ask(
        CodexSimulator(default=auto_reply), {**body, 'tools': [schema_of_a_tool(**fields)], 'input': [USER]}
    )

    assert response.status_code == 200
    assert call_in(response) == ('f', arguments)


async def test_no_tool_is_called_where_none_may_be(body: Json, ask: Ask) -> None:
    response = await ask(CodexSimulator(default=auto_reply), {**body, 'tool_choice': 'none', 'input': [USER]})

    assert '"text":"Simulated answer to: Go on."' in response.text


async def test_odd_tools_of_a_choice_are_passed_over(body: Json, ask: Ask) -> None:
    tools: list[Any] = [{'type': 'mcp', 'name': Json()}, 1, {'type': 'function', 'name': 'weather'}]
    choice = {'type': 'allowed_tools', 'mode': 'required', 'tools': tools}
    response = await ask(CodexSimulator(default=auto_reply), {**body, 'tool_choice': choice, 'input': [USER]})

    assert call_in(response) == ('weather', {'city': 'example'})


@pytest.mark.parametrize(
    ('item', 'heard'),
    [
        pytest.param({'type': 'computer_call_output', 'output': 1}, 'the tool said: ', id='number'),
        pytest.param({'type': 'computer_call_output', 'output': [1, {'text': 2}]}, 'said: [message]', id='parts'),
        pytest.param({'type': 'agent_message', 'content': {'text': 'Hi'}}, 'answer to: [agent_message]', id='object'),
    ],
)
async def test_odd_items_are_answered(body: Json, ask: Ask, item: Json, heard: str) -> None:
    response = await ask(CodexSimulator(default=auto_reply), {**without_tools(body), 'input': [item]})

    assert f'{heard}"' in response.text


@pytest.mark.parametrize(
    'odd',
    [
        {},
        {'input': 'Hi'},
        {'input': [1]},
        {'text': 'Hi'},
        {'text': {'format': 'json'}},
        {'text': {'format': {'type': 'json_schema'}}},
        {'tools': {'type': 'function'}},
        {'tools': [{'type': 'function'}, {'type': 'function', 'name': 1}]},
    ],
    ids=str,
)
async def test_without_the_checks_anything_is_answered(ask: Ask, odd: Json) -> None:
    response = await ask(CodexSimulator(default=auto_reply, strict=False), odd)

    assert 'response.completed' in response.text


def call_in(response: httpx2.Response) -> tuple[str, Json]:
    events = [json.loads(line.removeprefix('data: ')) for line in response.text.splitlines() if line[:5] == 'data:']
    items = [event['item'] for event in events if event['type'] == 'response.output_item.done']
    return items[-1]['name'], json.loads(items[-1]['arguments'])
