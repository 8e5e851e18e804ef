"""One GET with the login: where it goes, what goes along, and what becomes of every answer that there can be."""

from __future__ import annotations

import gzip
import pickle
import traceback
from collections.abc import AsyncIterator

import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._account import lookup
from pydantic_ai_codex._account.lookup import Lookups, Urls, lookup_urls, usage_url
from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.errors import (
    BackendError,
    CodexError,
    CredentialsError,
    MalformedStreamError,
    TransportError,
    TransportTimeoutError,
)

from .backend import BASE_URL, LOGIN, Answer, Backend, Program, Time, hang, refuse_connection, status

pytestmark = pytest.mark.anyio

URL = f'{BASE_URL}/models?client_version=0.169.0'


async def failure_of(lookups: Lookups, *, most: int = 1000) -> CodexError:
    with pytest.raises(CodexError) as caught:
        await lookups.get(URL, LOGIN, most=most)
    return caught.value


# Where.


def test_the_pages_of_the_codex_backend() -> None:
    assert lookup_urls('https://chatgpt.com/backend-api/codex') == snapshot(
        Urls(
            models='https://chatgpt.com/backend-api/codex/models?client_version=0.169.0',
            accounts_check='https://chatgpt.com/backend-api/wham/accounts/check',
            usage='https://chatgpt.com/backend-api/wham/usage',
        )
    )


@pytest.mark.parametrize(
    'base_url',
    ['https://api.openai.com/v1', 'https://backend-api/codex', 'http://127.0.0.1:80/backend-api', 'https://h/codex'],
)
def test_other_hosts_need_not_have_them(base_url: str) -> None:
    assert lookup_urls(base_url) is None


@pytest.mark.parametrize(
    ('base_url', 'url'),
    [
        ('https://chatgpt.com/backend-api/codex', 'https://chatgpt.com/backend-api/wham/usage'),
        ('http://127.0.0.1:80/x/backend-api/codex', 'http://127.0.0.1:80/x/backend-api/wham/usage'),
        ('http://127.0.0.1:80/backend-api', 'http://127.0.0.1:80/backend-api/wham/usage'),
        ('https://gateway.example/team/v1', 'https://gateway.example/api/codex/usage'),
        ('https://gateway.example/backend-apis/codex', 'https://gateway.example/api/codex/usage'),
    ],
)
def test_where_the_usage_is(base_url: str, url: str) -> None:
    assert usage_url(base_url) == url


def test_one_host_has_one_set_of_urls() -> None:
    urls = lookup_urls('http://127.0.0.1:8321/backend-api/codex')

    assert isinstance(urls, Urls)
    assert urls.usage == usage_url('http://127.0.0.1:8321/backend-api/codex')


# What goes along.


async def test_what_is_sent(program: Program, backend: Backend) -> None:
    await program.lookups.get(URL, LOGIN, etag='"etag-0"', most=1000)

    [request] = backend.requests
    headers = dict(request.headers)
    assert headers.pop('user-agent').startswith('tests/')
    assert 'gzip' in headers.pop('accept-encoding')
    assert (request.method, str(request.url), headers) == snapshot(
        (
            'GET',
            'https://chatgpt.com/backend-api/codex/models?client_version=0.169.0',
            {
                'host': 'chatgpt.com',
                'connection': 'keep-alive',
                'authorization': 'Bearer at-secret-0123456789abcdef',
                'chatgpt-account-id': 'acct-1111-2222',
                'originator': 'tests',
                'accept': '*/*',
                'if-none-match': '"etag-0"',
            },
        )
    )


async def test_a_fedramp_account_says_so(program: Program, backend: Backend) -> None:
    fedramp = Credentials(LOGIN.access_token, account_id='acct-1111-2222', is_fedramp=True)

    await program.lookups.get(URL, fedramp, most=1000)

    assert backend.requests[0].headers['x-openai-fedramp'] == 'true'


async def test_what_a_client_of_the_users_sends_goes_along_but_its_auth_and_its_timeout_do_not(
    backend: Backend, time: Time
) -> None:
    client = backend.client(
        headers={'x-gateway': 'team-1'}, params={'team': '1'}, cookies={'gate': 'open'}, auth=('user', 'password')
    )
    program = Program(backend, time, http_client=client)

    await program.lookups.get(URL, LOGIN, most=1000)

    [request] = backend.requests
    assert dict(request.url.params) == {'client_version': '0.169.0', 'team': '1'}
    assert (request.headers['x-gateway'], request.headers['cookie']) == ('team-1', 'gate=open')
    assert request.headers['authorization'] == f'Bearer {LOGIN.access_token}'
    assert request.extensions['timeout']['read'] == 20


@pytest.mark.parametrize('reads', [False, True])
async def test_a_client_that_raises_for_statuses(backend: Backend, time: Time, reads: bool) -> None:
    async def judge(response: httpx2.Response) -> None:
        if reads:
            await response.aread()
        response.raise_for_status()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"error": {"message": "slow down"}}'

    backend.models = lambda _: httpx2.Response(429, content=body(), headers={'retry-after': '7'})
    program = Program(backend, time, http_client=backend.client(event_hooks={'response': [judge]}))

    error = await failure_of(program.lookups)

    assert isinstance(error, BackendError)
    assert (error.status_code, error.retry_after) == (429, 7)
    assert ('slow down' in str(error)) is reads


# What comes back.


async def test_an_answer_that_is_compressed(program: Program, backend: Backend) -> None:
    backend.models = status(200, gzip.compress(b'{"a": 1}'), **{'content-encoding': 'gzip', 'X-Y': 'z'})

    reply = await program.lookups.get(URL, LOGIN, most=1000)

    assert (reply.json(), reply.headers['x-y']) == ({'a': 1}, 'z')


async def test_what_has_not_changed(program: Program, backend: Backend) -> None:
    backend.models = status(304)

    assert (await program.lookups.get(URL, LOGIN, etag='"e"', most=1000)).status_code == 304


@pytest.mark.parametrize(
    ('answer', 'kind', 'words'),
    [
        (status(304), BackendError, 'answered 304'),
        (status(302, b'', location='https://evil.example'), BackendError, 'answered 302'),
        (status(401, {'detail': 'no'}), BackendError, 'answered 401: no. It was asked for /backend-api/codex/models.'),
        (status(404, {'detail': 'Not Found'}), BackendError, 'answered 404: Not Found'),
        (status(500, b'<html>oh'), BackendError, 'answered 500: <html>oh'),
        (status(200, b'x' * 1001), TransportError, 'more than 1000 bytes'),
        (status(500, b'x' * 1001), BackendError, 'answered 500'),
        (status(200, b'no gzip', **{'content-encoding': 'gzip'}), MalformedStreamError, 'cannot be decompressed'),
        (refuse_connection, TransportError, 'could not be reached: connection refused'),
    ],
    ids=str,
)
async def test_every_failure_is_an_error_of_ours(
    answer: Answer, kind: type[CodexError], words: str, program: Program, backend: Backend
) -> None:
    backend.models = answer

    error = await failure_of(program.lookups)

    assert type(error) is kind
    assert words in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert len(backend.requests) == 1


async def test_an_answer_of_an_endless_size(program: Program, backend: Backend) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b'x' * 1000

    backend.models = lambda _: httpx2.Response(200, content=endless())

    assert 'more than 5000 bytes' in str(await failure_of(program.lookups, most=5000))
    assert read == 6


@pytest.mark.parametrize('code', [200, 500])
async def test_an_answer_that_breaks_off(code: int, program: Program, backend: Backend) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b'{"mod'
        raise httpx2.ReadError('connection reset')

    backend.models = lambda _: httpx2.Response(code, content=broken())

    error = await failure_of(program.lookups)

    assert ('answered 500' if code == 500 else 'The connection to the backend broke') in str(error)


async def test_a_backend_that_hangs(program: Program, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, 'LOOKUP_TIMEOUT', 0.01)
    backend.models = hang

    error = await failure_of(program.lookups)

    assert isinstance(error, TransportTimeoutError)
    assert 'chatgpt.com did not answer within' in str(error)


async def test_a_timeout_of_the_library_names_no_setting_that_would_not_help(
    program: Program, backend: Backend
) -> None:
    def time_out(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout('', request=request)

    backend.models = time_out

    assert str(await failure_of(program.lookups)) == 'chatgpt.com did not answer within 20 seconds.'


async def test_a_transport_that_raises_what_it_likes(program: Program, backend: Backend) -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise ValueError(request.headers['authorization'])

    backend.models = fail

    error = await failure_of(program.lookups)

    assert (type(error), str(error)) == (TransportError, 'chatgpt.com was not reached (ValueError).')


async def test_a_login_that_can_be_no_header(program: Program, backend: Backend) -> None:
    with pytest.raises(CredentialsError, match='is empty'):
        await program.lookups.get(URL, Credentials('', account_id='a'), most=1000)

    assert backend.requests == []


async def test_an_echoed_login_is_hidden(program: Program, backend: Backend) -> None:
    def echo(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(400, json={'detail': dict(request.headers)}, headers={'x-echo': LOGIN.access_token})

    backend.models = echo

    error = await failure_of(program.lookups)

    told = ''.join(traceback.format_exception(error)) + repr(vars(error))
    assert '***' in told
    assert 'at-secret' not in told
    assert 'acct-1111' not in told


async def test_a_log_shows_no_login(
    program: Program, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CODEX_DEBUG', '1')

    await program.lookups.get(URL, LOGIN, most=1000)

    told = capsys.readouterr().err
    assert 'GET https://chatgpt.com/backend-api/codex/models' in told
    assert 'answer 200' in told
    assert 'at-secret' not in told
    assert 'acct-1111' not in told
