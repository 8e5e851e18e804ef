"""The errors that a user of the model meets."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent, exceptions
from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError, ModelTimeoutError, UserError
from pydantic_ai.models.fallback import FallbackModel

from pydantic_ai_codex import CodexError, CodexModel, CodexProvider
from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsError
from pydantic_ai_codex.errors import BackendError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    ScriptEntry,
    SimulatorError,
    connect_error,
    fail,
    fail_in_stream,
    reply,
    say,
    turn,
    usage_limit,
)

pytestmark = pytest.mark.anyio


async def failure(*script: ScriptEntry) -> ModelAPIError:
    with pytest.raises(ModelAPIError) as caught:
        await Agent(CodexSimulator(*script).model()).run('Hi')
    return caught.value


@pytest.mark.parametrize(
    ('answer', 'category', 'status'),
    [
        (fail(400, detail='Unsupported parameter: x'), 'ModelRequestRejectedError', 400),
        (fail(401), 'ModelAuthenticationError', 401),
        (fail(403, body='<html>Forbidden</html>'), 'ModelAuthenticationError', 403),
        (fail(404), 'ModelNotFoundError', 404),
        (fail(429, code='rate_limit_exceeded'), 'ModelRateLimitError', 429),
        (fail(429, error_type='usage_not_included', message='no'), 'ModelQuotaExceededError', 429),
        (fail(500), 'ModelServerError', 500),
        (fail(502, body='<html>Bad gateway</html>'), 'ModelServerError', 502),
        (fail(503, code='server_is_overloaded'), 'ModelOverloadedError', 503),
        (fail(503), 'ModelUnavailableError', 503),
        (fail_in_stream('context_length_exceeded'), 'ModelContextWindowExceededError', 400),
        (fail_in_stream('rate_limit_exceeded'), 'ModelRateLimitError', 429),
        (fail_in_stream('server_error'), 'ModelServerError', 500),
    ],
)
async def test_categories(answer: ScriptEntry, category: str, status: int) -> None:
    error = await failure(answer)

    assert isinstance(error, ModelHTTPError)
    assert error.status_code == status
    # pydantic-ai 2.60 has not all of the categories.
    assert isinstance(error, getattr(exceptions, category, ModelHTTPError))
    assert isinstance(error.__cause__, BackendError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


async def test_a_plan_limit_tells_when_to_come_back() -> None:
    error = await failure(usage_limit(resets_in_seconds=7200))

    assert isinstance(error, exceptions.ModelQuotaExceededError)
    assert (error.retry_after, error.provider_error_type) == (7200, 'usage_limit_reached')


async def test_a_code_without_a_known_status_is_told_as_it_is() -> None:
    error = await failure(fail_in_stream('vector_store_timeout', 'Too slow.'))

    assert not isinstance(error, ModelHTTPError)
    assert (error.provider_error_code, error.in_stream, str(error)) == snapshot(
        ('vector_store_timeout', True, 'The backend failed in the stream (vector_store_timeout): Too slow.')
    )


async def test_nobody_there() -> None:
    error = await failure(connect_error())

    assert isinstance(error, ModelConnectionError)
    assert (error.phase, str(error)) == snapshot(
        ('connect', 'The backend at chatgpt.com could not be reached: All connection attempts failed.')
    )


async def test_too_slow() -> None:
    error = await failure(connect_error(httpx2.ReadTimeout, 'timed out'))

    assert isinstance(error, ModelTimeoutError)
    assert error.phase == 'read'


async def test_fallback_takes_over_before_the_first_piece() -> None:
    first, second = CodexSimulator(usage_limit()), CodexSimulator(reply('From the second.'))
    agent = Agent(FallbackModel(first.model(), second.model()))

    async with agent.run_stream('Hi') as result:
        assert await result.get_output() == 'From the second.'


async def test_fallback_takes_over_after_a_cut() -> None:
    first = CodexSimulator(turn(say('one two three'), cut_after=5))
    second = CodexSimulator(reply('From the second.'))

    result = await Agent(FallbackModel(first.model(), second.model())).run('Hi')

    assert result.output == 'From the second.'


async def test_a_missing_login_names_the_place_and_the_next_step(isolated: Path) -> None:
    with pytest.raises(UserError) as caught:
        await Agent(CodexModel('gpt-5.5')).run('Hi')

    assert isinstance(caught.value, CredentialsError)
    assert str(isolated / '.codex' / 'auth.json') in str(caught.value)
    assert 'codex login' in str(caught.value)
    assert os.listdir(isolated) == []


async def test_a_missing_login_is_no_reason_to_fall_back() -> None:
    second = CodexSimulator(reply('From the second.'))

    with pytest.raises(UserError):
        await Agent(FallbackModel(CodexModel('gpt-5.5'), second.model())).run('Hi')

    assert second.requests == []


@pytest.mark.parametrize(
    'content',
    [b'', b'{"tokens": {"access_to', b'[]', b'{"hello": 1}', b'\xff\xfe', b'{"tokens": {"access_token": "opaque"}}'],
    ids=['empty', 'torn', 'no-object', 'wrong-shape', 'binary', 'no-claims'],
)
async def test_a_bad_login_file_is_named_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / 'auth.json'
    path.write_bytes(content)
    simulator = CodexSimulator(default=reply('Hi'))
    agent = Agent(simulator.model(provider=simulator.provider(credentials=AuthFile(path))))

    with pytest.raises(UserError) as caught:
        await agent.run('Hi')

    assert isinstance(caught.value, CredentialsError)
    assert str(path) in str(caught.value)
    assert 'codex login' in str(caught.value)
    assert 'opaque' not in str(caught.value)
    assert (path.read_bytes(), simulator.requests) == (content, [])


async def test_a_refused_login_says_what_to_run(codex_simulator: CodexSimulator) -> None:
    provider = codex_simulator.provider()
    codex_simulator.revoke()

    with pytest.raises(ModelHTTPError) as caught:
        await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')

    assert caught.value.status_code == 401
    assert 'Run any `codex` command' in str(caught.value)
    assert len(codex_simulator.requests) == 1


async def test_a_refused_login_without_an_expiry_says_what_to_run(codex_simulator: CodexSimulator) -> None:
    provider = codex_simulator.provider(credentials=Credentials('opaque', account_id='account'))

    with pytest.raises(ModelHTTPError, match='Run any `codex` command'):
        await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')


async def test_a_wrong_base_url_is_named() -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server:
        base_url = server.base_url.removesuffix('/backend-api/codex')
        async with simulator.provider(base_url=base_url, http_client=None) as provider:
            with pytest.raises(ModelHTTPError, match='Check the `base_url`'):
                await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')


async def test_a_store_that_returns_something_else_is_named(codex_simulator: CodexSimulator) -> None:
    class Store:
        async def load(self) -> Any:
            return {'access_token': 'secret'}

        async def save(self, credentials: Credentials) -> None: ...

    with pytest.raises(UserError, match='returned a dict'):
        await Agent(codex_simulator.model(provider=codex_simulator.provider(credentials=Store()))).run('Hi')


async def test_a_script_that_is_used_up_is_no_reason_to_fall_back() -> None:
    first, second = CodexSimulator(), CodexSimulator(reply('From the second.'))

    with pytest.raises(SimulatorError):
        await Agent(FallbackModel(first.model(), second.model())).run('Hi')


async def test_a_token_that_another_process_renewed_is_taken_up(tmp_path: Path) -> None:
    simulator = CodexSimulator(reply('Hi'))
    path = tmp_path / 'auth.json'
    path.write_text(json.dumps(simulator.auth_json()), encoding='utf-8')

    class RenewedMeanwhile(AuthFile):
        """The CLI refreshes the file between our reading it and the backend's seeing the token."""

        loads = 0

        async def load(self) -> Credentials:
            credentials = await super().load()
            self.loads += 1
            if self.loads == 1:
                simulator.revoke()
                path.write_text(json.dumps(simulator.auth_json()), encoding='utf-8')
            return credentials

    store = RenewedMeanwhile(path)
    result = await Agent(simulator.model(provider=simulator.provider(credentials=store))).run('Hi')

    assert result.output == 'Hi'
    assert [request.status for request in simulator.requests] == [401, 200]


async def test_no_token_in_any_error() -> None:
    simulator = CodexSimulator(default=fail(400, detail='no'))
    provider = simulator.provider()
    token = simulator.access_token
    simulator.revoke()

    with pytest.raises(ModelHTTPError) as caught:
        await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')

    cause = caught.value.__cause__
    assert isinstance(cause, CodexError)
    for shown in (
        str(caught.value),
        repr(caught.value),
        str(cause),
        repr(vars(cause)),
        repr(provider),
        repr(provider.client),
    ):
        assert token not in shown


async def test_the_api_key_is_for_the_platform(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))
    provider = CodexProvider(api_key='sk-made-up', http_client=codex_simulator.http_client)

    await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')

    request = codex_simulator.requests[0]
    assert (request.headers['host'], request.path) == ('api.openai.com', '/v1/responses')
    assert 'chatgpt-account-id' not in request.headers
