"""The errors that a user of the model meets."""

from __future__ import annotations

import json
import os
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent, exceptions
from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError, ModelTimeoutError, UserError
from pydantic_ai.models.fallback import FallbackModel

from pydantic_ai_codex import CodexError, CodexModel, CodexProvider, errors
from pydantic_ai_codex._model.errors import model_error
from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsError
from pydantic_ai_codex.errors import BackendError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    ScriptEntry,
    SimulatorError,
    connect_error,
    fail,
    fail_in_stream,
    raw_stream,
    reply,
    say,
    sse_frame,
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


PLAN_LIMIT = {'type': 'usage_limit_reached', 'message': 'The usage limit has been reached', 'resets_at': 1795237957}


@pytest.mark.parametrize('in_stream', [False, True], ids=['status', 'stream'])
async def test_everything_that_is_known_of_an_error_is_told(in_stream: bool) -> None:
    headers = {'x-request-id': 'req_1', 'date': 'Sat, 21 Nov 2026 03:12:37 GMT'}
    failed = {'type': 'response.failed', 'response': {'error': PLAN_LIMIT}}
    body = failed if in_stream else {'error': PLAN_LIMIT}

    def answer(request: httpx2.Request) -> httpx2.Response:
        content = sse_frame(failed) if in_stream else json.dumps(body).encode()
        return httpx2.Response(200 if in_stream else 429, headers=headers, content=content)

    simulator = CodexSimulator(now=lambda: datetime(2026, 11, 21, 3, 12, 37, tzinfo=UTC))
    provider = simulator.provider(http_client=lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(answer)))
    with pytest.raises(exceptions.ModelQuotaExceededError) as caught:
        await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')

    error, cause = caught.value, caught.value.__cause__
    assert isinstance(error, ModelHTTPError)
    assert (error.status_code, error.body, error.retry_after, error.in_stream) == (429, body, 7200.0, in_stream)
    assert error.headers is not None
    assert error.headers['x-request-id'] == 'req_1'
    assert error.hint == snapshot(
        'The limit of the plan is reached; it resets at 2026-11-21 05:12 UTC, in 2 h 0 min. '
        'For support: request id req_1.'
    )
    assert str(error).endswith(str(error.hint))
    assert isinstance(cause, BackendError)
    assert (cause.request_id, cause.resets_at) == ('req_1', datetime(2026, 11, 21, 5, 12, 37, tzinfo=UTC))


async def test_every_error_of_the_backend_names_the_request() -> None:
    for answer in (fail(500), fail(400), fail_in_stream('server_error'), fail_in_stream('vector_store_timeout')):
        error = await failure(answer)

        assert isinstance(error.__cause__, BackendError)
        assert error.__cause__.request_id is not None
        assert f'request id {error.__cause__.request_id}' in str(error)


BACKEND: dict[str, Any] = {
    'code': 'rate_limit_exceeded',
    'error_type': 'tokens',
    'body': {'error': {'code': 'rate_limit_exceeded'}},
    'headers': {'x-request-id': 'req_1'},
    'retry_after': 5.0,
    'resets_at': datetime(2026, 11, 21, 14, 30, tzinfo=UTC),
    'request_id': 'req_1',
    'in_stream': True,
    'hint': 'Wait a little.',
}

ERRORS: dict[str, CodexError] = {
    **{
        category: errors.BackendError('Oh no.', status_code=429, category=category, **BACKEND)
        for category in get_args(errors.FailureCategory)
    },
    'no category': errors.BackendError('Oh no.', status_code=302, **BACKEND),
    'no status': errors.BackendError('Oh no.', **BACKEND),
    'transport': errors.TransportError('Oh no.', phase='write'),
    'timeout': errors.TransportTimeoutError('Oh no.', phase='read'),
    'incomplete': errors.IncompleteStreamError('Oh no.'),
    'malformed': errors.MalformedStreamError('Oh no.'),
    'configuration': errors.ConfigurationError('Oh no.'),
    'model name': errors.ModelNameError('Oh no.'),
    'login': errors.CredentialsError('Oh no.'),
    'model not served': errors.ModelNotServedError('Oh no.', model='gpt-5', successor='gpt-6', listed=('gpt-6',)),
    'no login': errors.CredentialsNotFoundError('Oh no.', path=Path('/somewhere')),
    'login file': errors.CredentialsFileError('Oh no.', path=Path('/somewhere')),
    'login not kept': errors.CredentialsSaveError('Oh no.', path=Path('/somewhere')),
    'login not refreshed': errors.CredentialsRefreshError('Oh no.', code='refresh_token_reused', is_permanent=True),
    'login not refreshed yet': errors.CredentialsRefreshError('Oh no.', status_code=500),
    'another account': errors.AccountChangedError('Oh no.'),
    'logging in': errors.LoginError('Oh no.', reason='denied'),
    'script': SimulatorError('Oh no.'),
}


@pytest.mark.parametrize('error', ERRORS.values(), ids=list(ERRORS))
@pytest.mark.parametrize('protocol', [2, pickle.HIGHEST_PROTOCOL])
def test_what_the_user_meets_can_be_pickled(error: CodexError, protocol: int) -> None:
    mapped = model_error(error, 'gpt-5.5')

    copied = pickle.loads(pickle.dumps(mapped, protocol))

    assert type(copied) is type(mapped)
    assert (str(copied), repr(copied), vars(copied)) == (str(mapped), repr(mapped), vars(mapped))


def test_every_error_of_ours_is_mapped() -> None:
    def all_of(kind: type[CodexError]) -> set[type[CodexError]]:
        return {kind}.union(*map(all_of, kind.__subclasses__()))

    abstract = {CodexError, errors.StreamError}
    private = ('pydantic_ai_codex._cli', 'pydantic_ai_codex._model', 'pydantic_ai_codex.auth')
    ours = {each for each in all_of(CodexError) if not each.__module__.startswith(private)}
    assert {type(error) for error in ERRORS.values()} == ours - abstract


async def test_a_code_without_a_known_status_is_told_as_it_is() -> None:
    error = await failure(fail_in_stream('vector_store_timeout', 'Too slow.'))

    assert not isinstance(error, ModelHTTPError)
    assert (error.provider_error_code, error.in_stream) == ('vector_store_timeout', True)
    assert str(error).startswith('The backend failed in the stream (vector_store_timeout): Too slow. For support')


async def test_nobody_there() -> None:
    error = await failure(connect_error())

    assert isinstance(error, ModelConnectionError)
    assert (error.phase, str(error)) == snapshot(
        (
            'connect',
            'The backend at chatgpt.com could not be reached: All connection attempts failed. Check the network and HTTPS_PROXY.',
        )
    )


async def test_too_slow() -> None:
    error = await failure(connect_error(httpx2.ReadTimeout, 'timed out'))

    assert isinstance(error, ModelTimeoutError)
    assert error.phase == 'read'


@pytest.mark.parametrize(
    'entry',
    [
        usage_limit(),
        fail_in_stream('server_error'),
        turn(say('Hi'), cut_after=1),
        turn(say('Hi'), end_after=1),
        connect_error(),
        raw_stream(b'<html>', content_type='text/html'),
    ],
    ids=['status', 'first event', 'cut', 'no end', 'no connection', 'no stream'],
)
async def test_fallback_takes_over_before_the_first_piece(entry: ScriptEntry) -> None:
    first, second = CodexSimulator(entry), CodexSimulator(reply('From the second.'))
    agent = Agent(FallbackModel(first.model(), second.model()))

    async with agent.run_stream('Hi') as result:
        assert await result.get_output() == 'From the second.'


@pytest.mark.parametrize(
    ('entry', 'in_stream'),
    [
        (turn(say('one two three'), cut_after=5), True),
        (turn(say('one two three'), end_after=5), True),
        (fail_in_stream('server_error'), True),
        (fail(500), False),
        (connect_error(), False),
        (connect_error(httpx2.ReadTimeout, 'timed out'), False),
        (raw_stream(b'<html>', content_type='text/html'), False),
    ],
    ids=['cut', 'no end', 'event', 'status', 'no connection', 'timeout', 'no stream'],
)
async def test_whether_a_stream_had_begun_well(entry: ScriptEntry, in_stream: bool) -> None:
    assert (await failure(entry)).in_stream is in_stream


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


async def test_a_refused_login_is_a_reason_to_fall_back() -> None:
    first, second = CodexSimulator(), CodexSimulator(reply('From the second.'))
    model = first.model()
    first.revoke()

    result = await Agent(FallbackModel(model, second.model())).run('Hi')

    assert result.output == 'From the second.'
    assert [each.status for each in first.requests] == [401]


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
    assert 'Pass new ones, or a store, such as `AuthFile(path)`' in str(caught.value)
    assert len(codex_simulator.requests) == 1


async def test_a_refused_login_without_an_expiry_says_what_to_run(codex_simulator: CodexSimulator) -> None:
    provider = codex_simulator.provider(credentials=Credentials('opaque', account_id='account'))

    with pytest.raises(ModelHTTPError, match='Pass new ones, or a store'):
        await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')


async def test_a_wrong_base_url_is_named() -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server:
        base_url = server.base_url.removesuffix('/backend-api/codex')
        async with simulator.provider(base_url=base_url, http_client=None) as provider:
            with pytest.raises(ModelHTTPError, match='Check the `base_url`'):
                await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')


async def test_a_store_that_is_not_asynchronous_is_named(codex_simulator: CodexSimulator) -> None:
    class Vault:
        def load(self) -> object:
            return codex_simulator.credentials

        async def save(self, credentials: object) -> None: ...

    store: Any = Vault()

    with pytest.raises(UserError, match='The `load` of the store Vault has to be an `async def`'):
        await Agent(CodexModel('gpt-5.5', provider=codex_simulator.provider(credentials=store))).run('Hello')


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
