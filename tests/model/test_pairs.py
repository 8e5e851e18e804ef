"""Calls and outputs of histories that do not fit together: the strict simulator refuses what has no pair."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import pytest
from inline_snapshot import snapshot
from pydantic_ai.messages import (
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from pydantic_ai_codex._model.history.messages import map_messages

pytestmark = pytest.mark.anyio

Send: TypeAlias = Callable[[Sequence[ModelMessage]], Awaitable[list[dict[str, Any]]]]

ASK = ModelRequest.user_text_prompt('Go')


def shown(items: list[dict[str, Any]]) -> list[str]:
    """The items in short: calls and outputs by id, messages by role."""
    return [
        f'{item["type"]} {item["call_id"]}: {item.get("output", item.get("name"))}'
        if 'call_id' in item
        else f'{item["role"]}: {item["content"][0]["text"]}'
        for item in items
    ]


async def test_a_call_without_an_output_gets_one_that_says_so(send: Send) -> None:
    calls = ModelResponse([ToolCallPart('one', {}, 'call_1'), ToolCallPart('two', {}, 'call_2')])

    assert shown(
        await send([ASK, calls, ModelRequest([ToolReturnPart('two', 'done', 'call_2'), UserPromptPart('And?')])])
    ) == snapshot(
        [
            'user: Go',
            'function_call call_1: one',
            'function_call call_2: two',
            'function_call_output call_2: done',
            'function_call_output call_1: Outcome unknown: no output of this call was recorded. Check whether it took effect before calling it again.',
            'user: And?',
        ]
    )


async def test_a_turn_without_any_output(send: Send) -> None:
    calls = ModelResponse([ToolCallPart('one', {}, 'call_1')])

    assert shown(await send([ASK, calls, ModelRequest.user_text_prompt('And?')])) == snapshot(
        [
            'user: Go',
            'function_call call_1: one',
            'function_call_output call_1: Outcome unknown: no output of this call was recorded. Check whether it took effect before calling it again.',
            'user: And?',
        ]
    )


async def test_a_history_that_ends_in_a_call(send: Send) -> None:
    assert shown(await send([ASK, ModelResponse([ToolCallPart('one', {}, 'call_1')])])) == snapshot(
        [
            'user: Go',
            'function_call call_1: one',
            'function_call_output call_1: Outcome unknown: no output of this call was recorded. Check whether it took effect before calling it again.',
        ]
    )


@pytest.mark.parametrize(
    ('kind', 'args', 'answered_by'),
    [
        ('custom_tool_call', {'input': 'x'}, 'custom_tool_call_output'),
        ('local_shell_call', {'command': ['ls']}, 'function_call_output'),
    ],
)
async def test_each_kind_of_call_is_answered_by_its_kind_of_output(
    send: Send, kind: str, args: dict[str, Any], answered_by: str
) -> None:
    call = ToolCallPart('run', args, 'call_1', provider_name='codex', provider_details={'type': kind})

    items = await send([ASK, ModelResponse([call]), ModelRequest.user_text_prompt('And?')])

    assert [item['type'] for item in items[1:3]] == [kind, answered_by]


async def test_an_output_without_a_call_is_quoted(send: Send) -> None:
    orphan = ToolReturnPart('look', ['a cat', ImageUrl('https://example.com/a.png')], 'call_9')

    assert await send([ModelRequest([orphan, UserPromptPart('And?')])]) == snapshot(
        [
            {
                'type': 'message',
                'role': 'user',
                'content': [
                    {
                        'type': 'input_text',
                        'text': """\
This output of a tool belongs to no open call:
-----BEGIN TOOL OUTPUT id="call_9" tool="look"-----
a cat
-----END TOOL OUTPUT id="call_9"-----\
""",
                    },
                    {'type': 'input_image', 'image_url': 'https://example.com/a.png', 'detail': 'auto'},
                ],
            },
            {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'And?'}]},
        ]
    )


async def test_a_second_output_and_a_late_one_are_quoted(send: Send) -> None:
    calls = ModelResponse([ToolCallPart('one', {}, 'call_1'), ToolCallPart('two', {}, 'call_2')])
    first = ModelRequest([ToolReturnPart('one', 'done', 'call_1'), ToolReturnPart('one', 'again', 'call_1')])
    late = ModelRequest([ToolReturnPart('two', 'late', 'call_2')])

    assert shown(await send([ASK, calls, first, ModelResponse([TextPart('Hm.')]), late])) == snapshot(
        [
            'user: Go',
            'function_call call_1: one',
            'function_call call_2: two',
            'function_call_output call_1: done',
            'function_call_output call_2: Outcome unknown: no output of this call was recorded. Check whether it took effect before calling it again.',
            """\
user: This output of a tool belongs to no open call:
-----BEGIN TOOL OUTPUT id="call_1" tool="one"-----
again
-----END TOOL OUTPUT id="call_1"-----\
""",
            'assistant: Hm.',
            """\
user: This output of a tool belongs to no open call:
-----BEGIN TOOL OUTPUT id="call_2" tool="two"-----
late
-----END TOOL OUTPUT id="call_2"-----\
""",
        ]
    )


async def test_an_output_before_its_call_is_quoted(send: Send) -> None:
    early = ModelRequest([ToolReturnPart('one', 'done', 'call_1')])

    items = await send([early, ModelResponse([ToolCallPart('one', {}, 'call_1')]), ASK])

    assert [item['type'] for item in items] == ['message', 'function_call', 'function_call_output', 'message']


async def test_outputs_may_come_in_several_requests_and_after_the_user(send: Send) -> None:
    calls = ModelResponse([ToolCallPart('one', {}, 'call_1'), ToolCallPart('two', {}, 'call_2')])
    requests = [
        ModelRequest([UserPromptPart('Meanwhile'), ToolReturnPart('two', '2', 'call_2')]),
        ModelRequest([ToolReturnPart('one', '1', 'call_1')]),
    ]

    assert shown(await send([ASK, calls, *requests])) == snapshot(
        [
            'user: Go',
            'function_call call_1: one',
            'function_call call_2: two',
            'user: Meanwhile',
            'function_call_output call_2: 2',
            'function_call_output call_1: 1',
        ]
    )


async def test_call_ids_that_come_again_are_made_distinct(send: Send) -> None:
    """Some services number the calls of each response anew."""
    turns: list[ModelMessage] = []
    for number in range(3):
        turns.append(ModelResponse([ToolCallPart('a', {}, 'call_0'), ToolCallPart('b', {}, 'call_1')]))
        turns.append(
            ModelRequest([ToolReturnPart(tool, f'{tool}{number}', f'call_{i}') for i, tool in enumerate('ab')])
        )

    assert shown(await send([ASK, *turns])) == snapshot(
        [
            'user: Go',
            'function_call call_0: a',
            'function_call call_1: b',
            'function_call_output call_0: a0',
            'function_call_output call_1: b0',
            'function_call call_0_2: a',
            'function_call call_1_2: b',
            'function_call_output call_0_2: a1',
            'function_call_output call_1_2: b1',
            'function_call call_0_3: a',
            'function_call call_1_3: b',
            'function_call_output call_0_3: a2',
            'function_call_output call_1_3: b2',
        ]
    )


async def test_calls_without_ids_get_some_and_find_their_outputs(send: Send) -> None:
    calls = ModelResponse([ToolCallPart('a', {}, ''), ToolCallPart('b.c', {}, ''), ToolCallPart('a', {}, '')])
    returns = [ToolReturnPart('b.c', 'B', ''), ToolReturnPart('a', 'first', ''), ToolReturnPart('?', 'second', '')]

    assert shown(await send([ASK, calls, ModelRequest(returns)])) == snapshot(
        [
            'user: Go',
            'function_call call_2: a',
            'function_call call_3: b_c',
            'function_call call_4: a',
            'function_call_output call_3: B',
            'function_call_output call_2: first',
            'function_call_output call_4: second',
        ]
    )


async def test_a_made_up_id_never_takes_that_of_another_call(send: Send) -> None:
    ids = ['call_1_2', 'call_1', 'call_1', 'call_1_3', 'x' * 64, 'x' * 64]
    calls = ModelResponse([ToolCallPart('a', {}, each) for each in ids])

    items = await send([ASK, calls, ModelRequest([ToolReturnPart('a', 'ok', each) for each in ids])])

    assert [item['call_id'] for item in items[1:7]] == snapshot(
        [
            'call_1_2',
            'call_1',
            'call_1_3',
            'call_1_3_2',
            'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
            'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_2',
        ]
    )


class Histories:
    """Random histories of complete turns."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def make(self, turns: int) -> list[ModelMessage]:
        messages: list[ModelMessage] = [ModelRequest([SystemPromptPart('Be kind.'), UserPromptPart('Hi')])]
        for _ in range(turns):
            responses = [self._response() for _ in range(self.random.choice([1, 1, 2]))]
            calls = [part for response in responses for part in response.parts if isinstance(part, ToolCallPart)]
            messages += responses
            messages.append(self._request(calls))
        return messages

    def _response(self) -> ModelResponse:
        choices: list[Callable[[], Any]] = [
            lambda: ToolCallPart(self.random.choice('ab'), {}, self.random.choice(['', 'call_0', 'call_1', 'x' * 70])),
            lambda: TextPart(self.random.choice(['', 'Hello']), id=self.random.choice([None, 'msg_1'])),
            lambda: ThinkingPart('Hm.', id='rs_1', signature='gAAAA', provider_name='codex'),
            lambda: NativeToolCallPart(
                'web_search',
                {'type': 'search', 'query': self.random.choice('xyz')},
                self.random.choice(['ws_1', 'made up']),
                provider_name='codex',
            ),
        ]
        return ModelResponse([self.random.choice(choices)() for _ in range(self.random.randrange(5))])

    def _request(self, calls: list[ToolCallPart]) -> ModelRequest:
        parts: list[Any] = [
            ToolReturnPart(call.tool_name, 'ok', call.tool_call_id) for call in calls if self.random.random() < 0.8
        ]
        parts += [ToolReturnPart('ghost', 'boo', 'call_0')] * (self.random.random() < 0.2)
        parts += [UserPromptPart('Go on')] * (self.random.random() < 0.5)
        self.random.shuffle(parts)
        return ModelRequest(parts)


def mapped(messages: Sequence[ModelMessage]) -> list[dict[str, Any]]:
    return map_messages(messages, accepts_reasoning=lambda response, part: True)


@pytest.mark.parametrize('seed', range(100))
def test_a_longer_history_begins_with_the_bytes_of_the_shorter_one(seed: int) -> None:
    messages = Histories(seed).make(turns=6)
    whole = mapped(messages)

    assert json.dumps(mapped(messages)) == json.dumps(whole)
    for end in [n for n, message in enumerate(messages, 1) if isinstance(message, ModelRequest)]:
        shorter = mapped(messages[:end])
        assert json.dumps(whole[: len(shorter)]) == json.dumps(shorter)


@pytest.mark.parametrize('seed', range(100))
def test_every_call_has_one_output_behind_it(seed: int) -> None:
    items = mapped(Histories(seed).make(turns=6))

    calls = {item['call_id']: at for at, item in enumerate(items) if item['type'] == 'function_call'}
    outputs = {item['call_id']: at for at, item in enumerate(items) if item['type'] == 'function_call_output'}
    assert len(calls) + len(outputs) == sum('call_id' in item for item in items)
    assert calls.keys() == outputs.keys()
    assert all(outputs[call_id] > at and len(call_id) <= 64 for call_id, at in calls.items())
    ids = [item['id'] for item in items if 'id' in item]
    assert len(ids) == len(set(ids))


def test_outputs_may_come_in_any_order() -> None:
    ids = [f'call_{number}' for number in range(5000)]
    calls = ModelResponse([ToolCallPart('a', {}, call_id) for call_id in ids])

    items = mapped([ASK, calls, ModelRequest([ToolReturnPart('a', f'of {each}', each) for each in reversed(ids)])])

    assert [(item['call_id'], item['output']) for item in items[5001:]] == [(each, f'of {each}') for each in ids[::-1]]


async def test_calls_without_any_output_are_closed_in_their_order(send: Send) -> None:
    calls = ModelResponse([ToolCallPart(tool, {}, call_id) for tool, call_id in [('a', 'x'), ('b', 'y'), ('c', 'x')]])

    items = await send([ASK, calls, ModelRequest.user_text_prompt('And?')])

    assert [item.get('call_id') for item in items] == [None, 'x', 'y', 'x_2', 'x', 'y', 'x_2', None]


def test_many_calls_with_one_id_are_quick_to_tell_apart() -> None:
    calls = [ToolCallPart('a', {}, 'call_0') for _ in range(2000)]
    turns: list[ModelMessage] = []
    for call in calls:
        turns += [ModelResponse([call]), ModelRequest([ToolReturnPart('a', 'ok', 'call_0')])]

    items = mapped(turns)

    assert len({item['call_id'] for item in items}) == len(calls)
