"""`auto_reply`, the answer for those who have no script."""

from __future__ import annotations

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
