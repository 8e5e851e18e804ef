"""The ASGI application without a server: what no client can bring about on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pydantic_ai_codex.testing import CodexSimulator, connect_error, reply
from pydantic_ai_codex.testing._app import Message, SimulatorApp

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Login = Callable[[CodexSimulator], dict[str, str]]
SCOPE: Json = {'type': 'http', 'method': 'GET', 'path': '/', 'headers': []}


async def run(app: SimulatorApp, *messages: Message) -> list[Message]:
    """What the application sends, when it receives these and then a disconnect."""
    received = iter(messages)
    sent: list[Message] = []

    async def receive() -> Message:
        return next(received, {'type': 'http.disconnect'})

    async def send(message: Message) -> None:
        sent.append(message)

    await app(SCOPE, receive, send)
    return sent


def made(simulator: CodexSimulator) -> SimulatorApp:
    return SimulatorApp(simulator._backend.answer)  # pyright: ignore[reportPrivateUsage]


async def test_body_in_pieces() -> None:
    simulator = CodexSimulator()
    await run(
        made(simulator),
        {'type': 'http.request', 'body': b'{"a":', 'more_body': True},
        {'type': 'http.request', 'body': b' 1}', 'more_body': False},
    )

    assert simulator.requests[0].body == {'a': 1}


async def test_client_that_leaves_before_its_body_is_sent() -> None:
    simulator = CodexSimulator()

    assert await run(made(simulator), {'type': 'http.request', 'body': b'{', 'more_body': True}) == []
    assert simulator.requests == []


async def test_closing_application_answers_nothing() -> None:
    simulator = CodexSimulator(reply('Hi'))
    app = made(simulator)
    app.close()

    assert await run(app, {'type': 'http.request', 'body': b'{}'}) == []
    assert simulator.requests == []


async def test_no_answer_without_uvicorn(login: Login) -> None:
    """Nothing can drop the connection then; saying nothing is next to it."""
    simulator = CodexSimulator(connect_error(), strict=False)
    headers = [(name.encode(), value.encode()) for name, value in login(simulator).items()]
    sent: list[Message] = []

    async def receive() -> Message:
        return {'type': 'http.request', 'body': b'{}'}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {**SCOPE, 'method': 'POST', 'path': '/backend-api/codex/responses', 'headers': headers}
    await made(simulator)(scope, receive, send)

    assert (sent, simulator.remaining) == ([], 0)
