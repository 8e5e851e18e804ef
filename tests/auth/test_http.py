from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator, Callable

import anyio
import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import AuthHTTP
from pydantic_ai_codex.errors import ConfigurationError, TransportError, TransportTimeoutError
from pydantic_ai_codex.testing import CodexSimulator

pytestmark = pytest.mark.anyio

URL = 'https://auth.example/oauth/token'


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> AuthHTTP:
    @contextlib.asynccontextmanager
    async def lease() -> AsyncGenerator[httpx2.AsyncClient]:
        transport = httpx2.MockTransport(answer)
        headers = {'authorization': 'Basic theirs', 'cookie': 'a=b', 'x-theirs': '1'}
        async with httpx2.AsyncClient(
            transport=transport, headers=headers, auth=('user', 'password'), follow_redirects=True
        ) as made:
            yield made

    return AuthHTTP(lease)


async def test_json_and_forms() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={'a': 1}, headers={'X-Id': '7'})

    http = client(answer)
    reply = await http.post_json(URL, {'token': 'é'}, identify=True)
    await http.post_json(URL, {}, identify=False)
    await http.post_form(URL, {'scope': 'a b', 'token': 'é&='})

    assert (reply.status_code, reply.headers['x-id'], reply.json()) == (200, '7', {'a': 1})
    assert [request.content for request in seen] == [b'{"token":"\xc3\xa9"}', b'{}', b'scope=a+b&token=%C3%A9%26%3D']
    assert [request.headers.get('originator') for request in seen] == ['pydantic_ai_codex', None, None]
    assert [request.headers['content-type'] for request in seen] == [
        'application/json',
        'application/json',
        'application/x-www-form-urlencoded',
    ]
    assert not any({'authorization', 'cookie'} & set(request.headers) for request in seen)


@pytest.mark.parametrize('content', [b'', b'[]', b'"x"', b'<html>', b'{', b'\xff'])
async def test_what_is_no_object_is_empty(content: bytes) -> None:
    reply = await client(lambda _: httpx2.Response(500, content=content)).post_json(URL, {}, identify=False)

    assert (reply.status_code, reply.json()) == (500, {})


async def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        return httpx2.Response(307, headers={'location': 'https://evil.example'})

    reply = await client(answer).post_json(URL, {'refresh_token': 'rt'}, identify=False)

    assert (reply.status_code, seen) == (307, [URL])


@pytest.mark.parametrize(
    ('error', 'phase'),
    [
        (httpx2.ConnectError('no route'), 'connect'),
        (httpx2.ConnectTimeout('slow'), 'connect'),
        (httpx2.ProxyError('no'), 'connect'),
        (httpx2.PoolTimeout('full'), 'connect'),
        (httpx2.ReadError('cut'), 'read'),
        (httpx2.ReadTimeout('slow'), 'read'),
        (httpx2.WriteError('cut'), 'read'),
        (httpx2.RemoteProtocolError('rude'), 'read'),
        (httpx2.DecodingError('gzip'), 'read'),
        (OSError('socket'), 'read'),
    ],
)
async def test_failures_on_the_way(error: Exception, phase: str) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(TransportError) as caught:
        await client(answer).post_json(URL, {'refresh_token': 'rt-secret'}, identify=False)

    assert caught.value.phase == phase
    what = 'was not reached' if phase == 'connect' else 'did not answer'
    assert str(caught.value).startswith(f'https://auth.example {what} ({type(error).__name__}: ')
    # Theirs hold the request, and so the tokens.
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_what_goes_wrong_before_anything_is_sent() -> None:
    """As where the event loop ends, or a hook of the user's fails."""

    async def hook(_: httpx2.Request) -> None:
        raise RuntimeError('cannot schedule new futures after shutdown')

    @contextlib.asynccontextmanager
    async def lease() -> AsyncGenerator[httpx2.AsyncClient]:
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200))
        async with httpx2.AsyncClient(transport=transport, event_hooks={'request': [hook]}) as made:
            yield made

    with pytest.raises(TransportError, match='was not reached') as caught:
        await AuthHTTP(lease).post_json(URL, {}, identify=False)

    assert caught.value.phase == 'connect'


async def test_a_client_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HTTPS_PROXY', 'socks9://127.0.0.1:9')

    with pytest.raises(ConfigurationError, match='The HTTP client cannot be made'):
        await AuthHTTP().post_json(URL, {}, identify=False)


async def test_plain_http_does_not_go_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server:
        monkeypatch.setenv('HTTP_PROXY', 'http://127.0.0.1:9')
        monkeypatch.setenv('http_proxy', 'http://127.0.0.1:9')
        reply = await AuthHTTP().post_json(server.token_url, {'refresh_token': 'rt-secret'}, identify=True)

    assert reply.status_code == 400
    assert len(simulator.oauth.requests) == 1


@pytest.mark.parametrize('url', ['http://[::1', 'https://exa mple.com', 'https://\udcff'])
async def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises((ConfigurationError, TransportError)):
        await AuthHTTP().post_json(url, {}, identify=False)


async def test_a_client_is_not_a_callable_that_makes_one() -> None:
    async with httpx2.AsyncClient() as made:
        with pytest.raises(ConfigurationError, match='takes a callable that makes a client, not a AsyncClient'):
            AuthHTTP(made)  # pyright: ignore[reportArgumentType]


async def test_nobody_there() -> None:
    with pytest.raises(TransportError) as caught:
        await AuthHTTP().post_json('http://127.0.0.1:9/token', {}, identify=False)

    assert caught.value.phase == 'connect'
    assert str(caught.value) == snapshot(
        'http://127.0.0.1:9 was not reached (ConnectError: All connection attempts failed). Check the network and the proxies, then try again.'
    )


async def test_an_answer_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[AuthHTTP.__module__], '_TIMEOUT', 0.01)

    async def hang(_: httpx2.Request) -> httpx2.Response:
        await anyio.sleep_forever()
        raise AssertionError

    @contextlib.asynccontextmanager
    async def lease() -> AsyncGenerator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(hang)) as made:
            yield made

    with pytest.raises(TransportTimeoutError, match='did not answer within 0 seconds'):
        await AuthHTTP(lease).post_form(URL, {})


async def test_an_answer_without_end() -> None:
    huge = b'x' * (2 * 1024 * 1024)

    with pytest.raises(TransportError, match='far too large for a login'):
        await client(lambda _: httpx2.Response(200, content=huge)).post_form(URL, {})
