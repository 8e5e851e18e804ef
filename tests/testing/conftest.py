from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import httpx2
import pytest

from pydantic_ai_codex.testing import CodexSimulator

Json = dict[str, Any]
URL = 'https://chatgpt.com/backend-api/codex/responses'


class Ask(Protocol):
    """Send a body to a simulator, in process, and read the whole answer."""

    def __call__(
        self, simulator: CodexSimulator, body: Json, *, url: str = ..., headers: dict[str, str] | None = ...
    ) -> Awaitable[httpx2.Response]: ...


class LookUp(Protocol):
    """Get a page of a simulator, in process, with its login."""

    def __call__(
        self, simulator: CodexSimulator, url: str, headers: dict[str, str] | None = ...
    ) -> Awaitable[httpx2.Response]: ...


@pytest.fixture
def body() -> Json:
    """A body that passes every check: a tool was called, and has answered."""
    return {
        'model': 'gpt-5.1-codex',
        'instructions': 'Be kind.',
        'input': [
            {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'How is Paris?'}]},
            {'type': 'function_call', 'call_id': 'call_1', 'name': 'weather', 'arguments': '{"city": "Paris"}'},
            {'type': 'function_call_output', 'call_id': 'call_1', 'output': 'sunny'},
        ],
        'tools': [
            {
                'type': 'function',
                'name': 'weather',
                'description': 'Look outside.',
                'strict': True,
                'parameters': {
                    'type': 'object',
                    'properties': {'city': {'type': 'string'}},
                    'required': ['city'],
                    'additionalProperties': False,
                },
            }
        ],
        'tool_choice': 'auto',
        'parallel_tool_calls': True,
        'reasoning': {'effort': 'low', 'summary': 'auto'},
        'store': False,
        'stream': True,
        'include': ['reasoning.encrypted_content'],
        'text': {'verbosity': 'low'},
    }


@pytest.fixture
def login() -> Callable[[CodexSimulator], dict[str, str]]:
    def login(simulator: CodexSimulator) -> dict[str, str]:
        return {'authorization': f'Bearer {simulator.access_token}', 'chatgpt-account-id': simulator.account_id}

    return login


@pytest.fixture
def ask(login: Callable[[CodexSimulator], dict[str, str]]) -> Ask:
    async def ask(
        simulator: CodexSimulator, body: Json, *, url: str = URL, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        async with simulator.http_client() as client:
            return await client.post(url, json=body, headers=login(simulator) if headers is None else headers)

    return ask


@pytest.fixture
def look_up(login: Callable[[CodexSimulator], dict[str, str]]) -> LookUp:
    async def look_up(simulator: CodexSimulator, url: str, headers: dict[str, str] | None = None) -> httpx2.Response:
        async with simulator.http_client() as client:
            return await client.get(url, headers={**login(simulator), **(headers or {})})

    return look_up
