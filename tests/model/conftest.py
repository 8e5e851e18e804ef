"""A history, sent to the strict simulator, and what was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex.testing import CodexSimulator, reply

Send: TypeAlias = Callable[[Sequence[ModelMessage]], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def send() -> Send:
    """The input items that a direct request with a history sends, every one approved by the simulator."""

    async def send_history(messages: Sequence[ModelMessage]) -> list[dict[str, Any]]:
        simulator = CodexSimulator(reply('ok'))
        await simulator.model('gpt-5.5').request(list(messages), None, ModelRequestParameters())
        body = simulator.requests[0].body
        assert body is not None
        return body['input']

    return send_history
