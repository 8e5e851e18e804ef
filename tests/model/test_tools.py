"""Tools that are not simply called and answered: external, approved, deferred; and the outputs that are tools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar

import pytest
from inline_snapshot import snapshot
from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    DeferredToolRequests,
    DeferredToolResults,
    NativeOutput,
    PromptedOutput,
    TextOutput,
    ToolDenied,
    ToolOutput,
)
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ExternalToolset

from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, Turn, call, call_tool, reply, turn

pytestmark = pytest.mark.anyio

T = TypeVar('T')
QUESTION = {'type': 'object', 'properties': {'question': {'type': 'string'}}, 'required': ['question']}


class City(BaseModel):
    name: str
    country: str


class Box(BaseModel, Generic[T]):
    value: T


def shout(text: str) -> str:
    return text.upper()


def tool_names(request: RecordedRequest) -> list[str]:
    return [tool['name'] for tool in request.body.get('tools', [])]


def pairs(request: RecordedRequest) -> list[tuple[str, str, Any]]:
    """The calls and outputs of the input."""
    return [
        (item['type'], item['call_id'], item.get('output', item.get('arguments')))
        for item in request.body['input']
        if 'call_id' in item
    ]


async def test_external_tools_are_called_elsewhere(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(
        turn(call('ask_human', question='Why?', call_id='call_1'), call('now', call_id='call_2')), reply('Noon.')
    )
    human = ExternalToolset[object]([ToolDefinition(name='ask_human', parameters_json_schema=QUESTION)])
    agent = Agent(codex_simulator.model('gpt-5.5'), output_type=[str, DeferredToolRequests], toolsets=[human])

    @agent.tool_plain
    def now() -> str:
        return '12:00'

    asked = await agent.run('When is it?')
    assert isinstance(asked.output, DeferredToolRequests)
    assert [each.tool_name for each in asked.output.calls] == ['ask_human']

    answered = await agent.run(
        message_history=asked.all_messages(), deferred_tool_results=DeferredToolResults(calls={'call_1': 'Because.'})
    )

    assert answered.output == 'Noon.'
    assert pairs(codex_simulator.requests[1]) == snapshot(
        [
            ('function_call', 'call_1', '{"question":"Why?"}'),
            ('function_call', 'call_2', '{}'),
            ('function_call_output', 'call_1', 'Because.'),
            ('function_call_output', 'call_2', '12:00'),
        ]
    )


async def test_a_call_that_is_denied_has_an_output(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(turn(call('delete', call_id='call_1')), reply('I did not.'))
    agent = Agent(codex_simulator.model('gpt-5.5'), output_type=[str, DeferredToolRequests])

    @agent.tool_plain(requires_approval=True)
    def delete() -> str:
        raise AssertionError('not approved')

    asked = await agent.run('Delete it.')
    denied = await agent.run(
        message_history=asked.all_messages(),
        deferred_tool_results=DeferredToolResults(approvals={'call_1': ToolDenied('Not today.')}),
    )

    assert denied.output == 'I did not.'
    (_, (kind, call_id, output)) = pairs(codex_simulator.requests[1])
    assert (kind, call_id) == ('function_call_output', 'call_1')
    assert 'Not today.' in output


async def test_a_deferred_tool_is_sent_once_it_is_found(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(call_tool('search_tools', queries=['clock']), call_tool('clock'), reply('Noon.'))
    agent = Agent(codex_simulator.model('gpt-5.5'))

    @agent.tool_plain(defer_loading=True)
    def clock() -> str:
        """Reads the clock."""
        return '12:00'

    assert (await agent.run('When is it?')).output == 'Noon.'
    assert ['clock' in tool_names(request) for request in codex_simulator.requests] == [False, True, True]


@pytest.mark.parametrize(
    ('output_type', 'answer', 'choice'),
    [
        pytest.param(str, reply('Paris'), None, id='text'),
        pytest.param(City, call_tool('final_result', name='Paris', country='France'), 'required', id='tool'),
        pytest.param(
            [ToolOutput(City, name='city'), str],
            call_tool('city', name='Paris', country='France'),
            'auto',
            id='tool or text',
        ),
        pytest.param(NativeOutput(City), reply('{"name": "Paris", "country": "France"}'), None, id='native'),
        pytest.param(PromptedOutput(City), reply('{"name": "Paris", "country": "France"}'), None, id='prompted'),
        pytest.param(TextOutput(shout), reply('Paris'), None, id='text function'),
    ],
)
async def test_every_kind_of_output_is_taken_by_the_backend(
    codex_simulator: CodexSimulator, output_type: Any, answer: Turn, choice: str | None
) -> None:
    codex_simulator.add(answer)
    agent = Agent(codex_simulator.model('gpt-5.5'), output_type=output_type)

    output = (await agent.run('The capital of France?')).output

    assert output in ('Paris', 'PARIS', City(name='Paris', country='France'))
    body = codex_simulator.requests[0].body
    assert body.get('tool_choice') == choice
    assert ('format' in body.get('text', {})) == isinstance(output_type, NativeOutput)
    assert {item['role'] for item in body['input']} == {'user'}


@pytest.mark.parametrize(
    ('output_type', 'name'),
    [
        (NativeOutput(Box[int]), 'Box_int_'),
        (NativeOutput(Box[int], name='my result!'), 'my_result_'),
        (NativeOutput(Box[int], name='x' * 80), 'x' * 64),
    ],
    ids=['generic', 'free', 'long'],
)
async def test_the_name_of_a_native_output_is_made_to_fit(
    codex_simulator: CodexSimulator, output_type: Any, name: str
) -> None:
    codex_simulator.add(reply('{"value": 1}'))

    assert (await Agent(codex_simulator.model('gpt-5.5'), output_type=output_type).run('One?')).output == Box(value=1)
    assert codex_simulator.requests[0].body['text']['format']['name'] == name


@pytest.mark.parametrize('name', ['mail.send', 'größe', 'x' * 65], ids=['dot', 'umlaut', 'long'])
async def test_a_tool_with_a_name_that_the_backend_refuses_is_a_user_error(name: str) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    elsewhere = ExternalToolset[object]([ToolDefinition(name=name, parameters_json_schema=QUESTION)])
    agent = Agent(simulator.model('gpt-5.5'), output_type=[str, DeferredToolRequests], toolsets=[elsewhere])

    with pytest.raises(UserError, match=f"The tool '{name}'.*letters, digits, _ and -, at most 64"):
        await agent.run('Hello')

    assert simulator.requests == []


async def test_an_output_tool_with_a_name_that_the_backend_refuses_is_a_user_error() -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    with pytest.raises(UserError, match="The tool 'my tool!'"):
        await Agent(simulator.model('gpt-5.5'), output_type=ToolOutput(City, name='my tool!')).run('Hello')


async def test_strict_schemas_are_those_that_can_be_strict(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))
    agent = Agent(codex_simulator.model('gpt-5.5'))

    @agent.tool_plain
    def closed(city: City) -> str:
        raise AssertionError('not called')

    @agent.tool_plain
    def with_default(limit: int = 3) -> str:
        raise AssertionError('not called')

    @agent.tool_plain(strict=True)
    def forced(limit: int | None = None) -> str:
        raise AssertionError('not called')

    await agent.run('Hello')

    tools = {tool['name']: tool for tool in codex_simulator.requests[0].body['tools']}
    assert {name: tool['strict'] for name, tool in tools.items()} == snapshot(
        {'closed': True, 'with_default': False, 'forced': True}
    )
    assert tools['forced']['parameters'] == snapshot(
        {
            'properties': {'limit': {'anyOf': [{'type': 'integer'}, {'type': 'null'}]}},
            'type': 'object',
            'additionalProperties': False,
            'required': ['limit'],
        }
    )


@pytest.mark.anyio
async def test_a_tool_that_is_refused_is_told_before_a_login_is_asked_for() -> None:
    tool = ToolDefinition(name='a b', parameters_json_schema={'type': 'object'})

    with pytest.raises(UserError, match='name that the backend refuses'):
        await CodexModel('gpt-5.5').request(
            [ModelRequest.user_text_prompt('Hi')], None, ModelRequestParameters(function_tools=[tool])
        )


class WithTitles(CodexModel):
    """A subclass with a say in the tools, as pydantic-ai allows."""

    def customize_request_parameters(self, model_request_parameters: ModelRequestParameters) -> ModelRequestParameters:
        params = super().customize_request_parameters(model_request_parameters)
        tools = [
            replace(tool, parameters_json_schema={**tool.parameters_json_schema, 'title': f'strict: {tool.strict}'})
            for tool in params.function_tools
        ]
        return replace(params, function_tools=tools)


def strict_tool() -> ToolDefinition:
    schema = {'type': 'object', 'properties': {'n': {'type': 'integer', 'title': 'N'}}, 'required': ['n']}
    return ToolDefinition(name='add', parameters_json_schema=schema, strict=True)


@pytest.mark.anyio
async def test_a_subclass_has_the_last_word_on_tools(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'), reply('Hi'))
    model = WithTitles('gpt-5.5', provider=codex_simulator.provider())

    for _ in range(2):
        await model.request(
            [ModelRequest.user_text_prompt('Hi')], None, ModelRequestParameters(function_tools=[strict_tool()])
        )

    for request in codex_simulator.requests:
        (tool,) = request.body['tools']
        assert tool['parameters']['title'] == 'strict: True'
        assert tool['parameters']['additionalProperties'] is False


@pytest.mark.anyio
async def test_prepared_parameters_hold_the_tools_that_are_sent(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))
    model, params = codex_simulator.model('gpt-5.5'), ModelRequestParameters(function_tools=[strict_tool()])

    await model.request([ModelRequest.user_text_prompt('Hi')], None, params)

    _, prepared = model.prepare_request(None, params)
    (tool,) = codex_simulator.requests[0].body['tools']
    assert prepared.function_tools[0].parameters_json_schema == tool['parameters']
    assert params.function_tools == [strict_tool()]


@pytest.mark.anyio
async def test_a_tool_without_json_form_is_named(codex_simulator: CodexSimulator) -> None:
    good, bad = strict_tool(), ToolDefinition(name='bad', parameters_json_schema={'type': 'object', 'default': b'\xff'})

    with pytest.raises(UserError, match=r"^The tool 'bad' cannot be sent\. "):
        await codex_simulator.model('gpt-5.5').request(
            [ModelRequest.user_text_prompt('Hi')], None, ModelRequestParameters(function_tools=[good, bad])
        )
