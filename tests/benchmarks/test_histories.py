"""The histories and tools that every subject is given: what is measured depends on them."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ThinkingPart

from benchmarks.chats import chat_messages
from benchmarks.histories import history, tool_definitions


def kinds(messages: tuple[ModelMessage, ...]) -> list[list[str]]:
    return [[part.part_kind for part in message.parts] for message in messages]


def test_a_history_goes_by_fours() -> None:
    assert kinds(history(10, 'codex'))[:6] == snapshot(
        [
            ['user-prompt'],
            ['text'],
            ['user-prompt'],
            ['thinking', 'tool-call'],
            ['tool-return'],
            ['text'],
        ]
    )


@pytest.mark.parametrize('count', [0, 2, 4, 10, 1000])
def test_a_history_has_as_many_messages_as_were_asked_for(count: int) -> None:
    messages = history(count, 'codex')

    assert len(messages) == count
    assert all(isinstance(each, ModelRequest) for each in messages[::2])
    assert all(isinstance(each, ModelResponse) for each in messages[1::2])


@pytest.mark.parametrize('count', [-2, 7])
def test_a_history_that_cannot_be(count: int) -> None:
    with pytest.raises(ValueError, match='even number'):
        history(count, 'codex')


def test_the_messages_are_the_same_objects_each_time() -> None:
    assert history(10, 'codex') is history(10, 'codex')


def test_no_two_turns_are_alike() -> None:
    thoughts = [part for each in history(1000, 'codex') for part in each.parts if isinstance(part, ThinkingPart)]

    assert len({part.signature for part in thoughts}) == len({part.content for part in thoughts}) == 250


def test_the_responses_are_those_of_the_provider() -> None:
    responses = [each for each in history(10, 'openai-codex') if isinstance(each, ModelResponse)]

    names = {each.provider_name for each in responses} | {p.provider_name for each in responses for p in each.parts}
    assert names == {'openai-codex'}


def test_tools_are_equal_each_time_and_share_nothing() -> None:
    first, second = tool_definitions(100), tool_definitions(100)

    assert first == second
    assert len({each.name for each in first}) == 100
    assert not {id(each.parameters_json_schema['properties']) for each in first} & {
        id(each.parameters_json_schema['properties']) for each in second
    }


def test_tools_are_as_large_as_real_ones() -> None:
    sizes = [len(each.parameters_json_schema['properties']) for each in tool_definitions(10)]
    characters = [len(json.dumps(each.parameters_json_schema)) for each in tool_definitions(10)]

    assert (min(sizes), max(sizes)) == snapshot((5, 8))
    assert (min(characters), max(characters)) == snapshot((1196, 1622))


def test_a_chat_says_the_same_without_what_it_has_no_word_for() -> None:
    assert [each['role'] for each in chat_messages(10)[:7]] == snapshot(
        ['system', 'user', 'assistant', 'user', 'assistant', 'tool', 'assistant']
    )
