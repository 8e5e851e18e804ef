"""Nothing that was kept for an earlier request is stale in a later one."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer
from pydantic_ai.tools import ToolDefinition
from pydantic_core import from_json

from pydantic_ai_codex._model.encoded_tools import ToolEncoder
from pydantic_ai_codex._model.history.messages import map_messages
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, reply


def make_tool(name: str = 'add', description: str = 'Adds.', schema: dict[str, Any] | None = None) -> ToolDefinition:
    schema = schema or {'type': 'object', 'properties': {'n': {'type': 'integer', 'minimum': 1}}}
    return ToolDefinition(name=name, description=description, parameters_json_schema=schema)


class Transforming:
    """Counts the definitions that it leaves as they are."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, tool: ToolDefinition) -> ToolDefinition:
        self.count += 1
        return tool


def encoded(encoder: ToolEncoder, *tools: ToolDefinition, transform: Transforming, **options: Any) -> list[Any]:
    options = {'transformer': OpenAIJsonSchemaTransformer, **options}
    found = encoder.encode(tools, transform=transform, **options)
    assert found is not None
    return from_json(found.content)


def mapped(messages: list[ModelMessage]) -> list[dict[str, Any]]:
    return map_messages(messages, accepts_reasoning=lambda response, part: True)


async def sent(simulator: CodexSimulator, model: Any, messages: list[ModelMessage], *tools: ToolDefinition) -> Any:
    simulator.add(reply('ok'))
    await model.request(messages, None, ModelRequestParameters(function_tools=list(tools)))
    return simulator.requests[-1].body


def rename(tool: ToolDefinition) -> None:
    tool.name = 'subtract'


def describe(tool: ToolDefinition) -> None:
    tool.description = 'Subtracts.'


def make_strict(tool: ToolDefinition) -> None:
    tool.strict = True


def add_property(tool: ToolDefinition) -> None:
    tool.parameters_json_schema['properties']['m'] = {'type': 'string'}


def describe_property(tool: ToolDefinition) -> None:
    tool.parameters_json_schema['properties']['n']['description'] = 'A number.'


@pytest.mark.anyio
@pytest.mark.parametrize('edit', [rename, describe, make_strict, add_property, describe_property])
async def test_a_tool_that_is_edited_in_place_is_sent_as_it_is_then(edit: Callable[[ToolDefinition], None]) -> None:
    simulator, fresh = CodexSimulator(), CodexSimulator()
    model, tool = simulator.model('gpt-5.5'), make_tool()

    before = await sent(simulator, model, [ModelRequest([UserPromptPart('Hi')])], tool)
    edit(tool)
    after = await sent(simulator, model, [ModelRequest([UserPromptPart('Hi')])], tool)

    assert after['tools'] != before['tools']
    expected = await sent(fresh, fresh.model('gpt-5.5'), [ModelRequest([UserPromptPart('Hi')])], tool)
    assert after['tools'] == expected['tools']


def test_messages_that_are_edited_in_place_are_sent_as_they_are_then() -> None:
    arguments, output, words = {'n': [1]}, {'n': [1]}, ['Go', 'on']
    user, thought = UserPromptPart('Hi'), ThinkingPart('Hm.', signature='gAAAA', provider_name='codex')
    messages: list[ModelMessage] = [
        ModelRequest([user]),
        ModelResponse([thought, text := TextPart('Well'), ToolCallPart('add', arguments, 'call_1')]),
        ModelRequest([ToolReturnPart('add', output, 'call_1'), UserPromptPart(words)]),
    ]
    before = mapped(messages)

    user.content, thought.signature, text.content = 'Ho', 'gBBBB', 'So'
    arguments['n'].append(2)
    output['n'].append(3)
    words.append('now')
    after = mapped(messages)

    assert after == mapped(deepcopy(messages))
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_the_same_tools_are_transformed_once() -> None:
    encoder, transform = ToolEncoder(), Transforming()

    assert encoded(encoder, make_tool(), transform=transform) == encoded(encoder, make_tool(), transform=transform)
    assert transform.count == 1


@pytest.mark.parametrize('other', [1.0, True, '1', [1]])
def test_what_is_equal_and_yet_another_json_is_told_apart(other: object) -> None:
    encoder, transform = ToolEncoder(), Transforming()
    one, another = make_tool(), make_tool()
    another.parameters_json_schema['properties']['n']['minimum'] = other

    encoded(encoder, one, transform=transform)

    (tool,) = encoded(encoder, another, transform=transform)
    minimum = tool['parameters']['properties']['n']['minimum']
    assert (type(minimum), minimum) == (type(other), other)


def test_the_order_of_keys_is_told_apart() -> None:
    encoder, transform = ToolEncoder(), Transforming()
    one = make_tool(schema={'type': 'object', 'title': 'T'})
    another = make_tool(schema={'title': 'T', 'type': 'object'})

    encoded(encoder, one, transform=transform)

    (tool,) = encoded(encoder, another, transform=transform)
    assert list(tool['parameters']) == ['title', 'type']


class Text(str):
    """A text that `marshal` does not know."""


@pytest.mark.parametrize(
    ('tool', 'transformer'),
    [
        pytest.param(make_tool(), object, id='another transformer'),
        pytest.param(make_tool(), None, id='no transformer'),
        pytest.param(make_tool(description=Text('Adds.')), OpenAIJsonSchemaTransformer, id='a text of another class'),
        pytest.param(make_tool(schema={'enum': (1, 2)}), OpenAIJsonSchemaTransformer, id='a tuple'),
        pytest.param(make_tool(schema={'const': b'ab'}), OpenAIJsonSchemaTransformer, id='bytes'),
    ],
)
def test_nothing_is_kept_where_more_than_plain_values_may_decide(tool: ToolDefinition, transformer: object) -> None:
    encoder, transform = ToolEncoder(), Transforming()

    for _ in range(2):
        encoded(encoder, tool, transform=transform, transformer=transformer)

    assert transform.count == 2


def test_tools_that_are_edited_while_they_are_transformed_are_not_kept() -> None:
    encoder = ToolEncoder()

    def edit(tool: ToolDefinition) -> ToolDefinition:
        tool.parameters_json_schema['title'] = 'Edited'
        return tool

    def leave(tool: ToolDefinition) -> ToolDefinition:
        return tool

    encoder.encode([make_tool()], transform=edit, transformer=OpenAIJsonSchemaTransformer)
    found = encoder.encode([make_tool()], transform=leave, transformer=OpenAIJsonSchemaTransformer)

    assert found is not None
    assert b'Edited' not in found.content


def test_what_has_no_json_form_may_go_away() -> None:
    def clean(tool: ToolDefinition) -> ToolDefinition:
        return make_tool()

    tool = make_tool(schema={'default': object()})
    assert ToolEncoder().encode([tool], transform=clean, transformer=OpenAIJsonSchemaTransformer) is not None


def test_large_sets_are_not_kept_for_long() -> None:
    encoder, transform = ToolEncoder(), Transforming()
    tools = [make_tool(name=f'tool_{number}', description='x' * 1_000_000) for number in range(4)]

    for tool in (*tools, *tools):
        encoded(encoder, tool, transform=transform)

    assert transform.count > 4


def test_what_is_kept_is_bounded() -> None:
    encoder, transform = ToolEncoder(), Transforming()

    tools = [make_tool(name=f'tool_{number}') for number in range(65)]

    for tool in tools:
        encoded(encoder, tool, transform=transform)
    encoded(encoder, tools[-1], transform=transform)
    assert transform.count == 65

    encoded(encoder, tools[0], transform=transform)
    assert transform.count == 66


def test_no_tools() -> None:
    assert ToolEncoder().encode([], transform=Transforming(), transformer=None) is None


@pytest.mark.parametrize('default', [float('nan'), '\ud83d', object()])
def test_a_tool_without_json_form_is_refused_each_time(default: object) -> None:
    encoder = ToolEncoder()
    tool = make_tool(schema={'type': 'object', 'default': default})

    for _ in range(2):
        with pytest.raises(ConfigurationError, match='no JSON form'):
            encoded(encoder, tool, transform=Transforming())
