"""`auto_reply`, the answer for those who have no script."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput

from pydantic_ai_codex.testing import CodexSimulator, auto_reply

pytestmark = pytest.mark.anyio


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
