"""The client on aiohttp's connections does what that of httpx2 does, which stands beside it wherever both can answer."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import queue
import socket
import ssl
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import anyio.to_thread
import httpx2
import pytest
import trustme
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError, UserError

from pydantic_ai_codex import CodexModel, CodexProvider, TransportPolicy, aiohttp_client
from pydantic_ai_codex._transport.http import HTTPClients
from pydantic_ai_codex.auth import AuthFile
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, reply, say, turn

from ..other_loops import ask_on_another_loop, check_that_loops_leave_nothing_open

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]
Handler = Callable[[anyio.abc.SocketStream], Awaitable[None]]
MakeClient = Callable[[], httpx2.AsyncClient]

HEAD = b'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
END = b'0\r\n\r\n'

both = pytest.mark.parametrize('make', [httpx2.AsyncClient, aiohttp_client], ids=['httpx2', 'aiohttp'])


def chunk(data: bytes) -> bytes:
    return b'%x\r\n%b\r\n' % (len(data), data)


async def read_request(stream: anyio.abc.SocketStream) -> bytes:
    """One request with a `Content-Length`, or none."""
    data = b''
    while b'\r\n\r\n' not in data:
        data += await stream.receive()
    head, _, body = data.partition(b'\r\n\r\n')
    lengths = [int(line.split(b':')[1]) for line in head.split(b'\r\n') if line.lower().startswith(b'content-length:')]
    while len(body) < sum(lengths):
        body += await stream.receive()
    return head + b'\r\n\r\n' + body


@asynccontextmanager
async def serving(handle: Handler) -> AsyncGenerator[str]:
    """A server on loopback; each connection is handled until it ends, or the block."""

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                await handle(stream)

    listener = await anyio.create_tcp_listener(local_host='127.0.0.1')
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield f'http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/responses'
        tasks.cancel_scope.cancel()


def answering(answer: bytes) -> Handler:
    async def handle(stream: anyio.abc.SocketStream) -> None:
        while True:
            await read_request(stream)
            await stream.send(answer)

    return handle


async def silent(stream: anyio.abc.SocketStream) -> None:
    await read_request(stream)
    await anyio.sleep_forever()


async def idle(stream: anyio.abc.SocketStream) -> None:
    await anyio.sleep_forever()


@contextmanager
def deaf() -> Generator[socket.socket]:
    """A listener of which only the kernel takes connections: what comes is read by nobody (asyncio's servers read on)."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        listener.setblocking(False)
        yield listener


def url_of(listener: socket.socket) -> str:
    return f'http://127.0.0.1:{listener.getsockname()[1]}/responses'


async def slamming(stream: anyio.abc.SocketStream) -> None:
    await stream.receive()


async def hanging_up(stream: anyio.abc.SocketStream) -> None:
    await read_request(stream)


def provider_of(simulator: CodexSimulator, base_url: str, **options: Any) -> CodexProvider:
    arguments: dict[str, Any] = {'credentials': simulator.credentials, 'http_client': aiohttp_client}
    return CodexProvider(base_url=base_url, **arguments | options)


# What goes out.


@both
async def test_a_request_is_the_same_byte_for_byte(make: MakeClient) -> None:
    heard: list[bytes] = []

    async def handle(stream: anyio.abc.SocketStream) -> None:
        heard.append(await read_request(stream))
        await stream.send(HEAD + END)

    async with serving(handle) as url, make() as client:
        headers: Any = [
            (b'User-Agent', b'ours'),
            (b'X-Name', 'Zoë'.encode()),
            (b'X-Twice', b'1'),
            (b'X-Twice', b'2'),
            (b'Host', b'h'),
        ]
        client.headers = {}
        await client.post(f'{url}/%2F?q=%20+é', content=b'{}', headers=headers)

    assert sorted(heard[0].split(b'\r\n')) == snapshot(
        [
            b'',
            b'Accept-Encoding: gzip, deflate',
            b'Accept: */*',
            b'Connection: keep-alive',
            b'Content-Length: 2',
            b'Host: h',
            b'POST /responses/%2F?q=%20+%C3%A9 HTTP/1.1',
            b'User-Agent: ours',
            b'X-Name: Zo\xc3\xab',
            b'X-Twice: 1',
            b'X-Twice: 2',
            b'{}',
        ]
    )


@both
async def test_a_body_of_unknown_size_is_chunked(make: MakeClient) -> None:
    heard = b''

    async def handle(stream: anyio.abc.SocketStream) -> None:
        nonlocal heard
        while not heard.endswith(END):
            heard += await stream.receive()
        await stream.send(HEAD + END)

    async def body() -> AsyncIterator[bytes]:
        yield b'one'
        yield b'two'

    async with serving(handle) as url, make() as client:
        assert (await client.post(url, content=body())).status_code == 200

    assert heard.lower().count(b'transfer-encoding: chunked') == 1
    assert heard.endswith(chunk(b'one') + chunk(b'two') + END)


@both
async def test_an_error_of_the_body_is_its_own(make: MakeClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'one'
        raise KeyError('mine')

    async with serving(idle) as url, make() as client:
        with pytest.raises(KeyError, match='mine'):
            await client.post(url, content=body())


@both
@pytest.mark.parametrize('header', [('x-key', 'secret\nb'), ('x\nsecret', 'a'), ('x-key', b'secret\xff\n')])
async def test_a_header_that_cannot_be_sent_is_not_quoted(make: MakeClient, header: Any) -> None:
    async with serving(silent) as url, make() as client:
        with pytest.raises(httpx2.LocalProtocolError) as caught:
            await client.post(url, content=b'{}', headers=[header])

    assert make is httpx2.AsyncClient or 'secret' not in ''.join(traceback.format_exception(caught.value))


# What comes back.


@both
async def test_an_answer_is_the_same(make: MakeClient) -> None:
    head = b'HTTP/1.1 203 Quite\r\nX-Twice: 1\r\nx-Twice: 2\r\ncontent-encoding: gzip\r\nset-cookie: a=b\r\n'
    body = gzip.compress(b'Hello')
    answer = b'HTTP/1.1 103 Early\r\n\r\n' + head + b'content-length: %d\r\n\r\n' % len(body) + body

    async with serving(answering(answer)) as url, make() as client:
        response = await client.post(url, content=b'{}')

    assert (response.status_code, response.reason_phrase, response.http_version) == (203, 'Quite', 'HTTP/1.1')
    assert response.headers.raw[:3] == [(b'X-Twice', b'1'), (b'x-Twice', b'2'), (b'content-encoding', b'gzip')]
    assert response.text == 'Hello'


@both
async def test_a_long_header_is_read(make: MakeClient) -> None:
    answer = b'HTTP/1.1 200 OK\r\nx-policy: %b\r\ncontent-length: 0\r\n\r\n' % (b'p' * 20_000)

    async with serving(answering(answer)) as url, make() as client:
        assert len((await client.post(url)).headers['x-policy']) == 20_000


@both
async def test_a_redirect_is_not_followed_here(make: MakeClient) -> None:
    answer = b'HTTP/1.1 307 Go\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n'

    async with serving(answering(answer)) as url, make() as client:
        assert (await client.post(url, content=b'{}')).status_code == 307


async def test_cookies_are_not_kept() -> None:
    simulator = CodexSimulator(default=reply('Hi', headers={'set-cookie': 'sid=abc; Path=/'}))
    async with simulator.serve() as server, provider_of(simulator, server.base_url) as provider:
        agent = Agent(CodexModel('gpt-5.5', provider=provider))
        assert (await agent.run('Hi')).output == 'Hi'
        await agent.run('Hi')

    assert [each.headers.get('cookie') for each in simulator.requests] == [None, None]


async def test_no_piece_waits_for_the_next() -> None:
    async def handle(stream: anyio.abc.SocketStream) -> None:
        await read_request(stream)
        await stream.send(HEAD)
        for piece in (b'one', b'two'):
            await stream.send(chunk(piece))
            await stream.receive()  # nothing; the test ends the wait

    async with serving(handle) as url, aiohttp_client() as client, client.stream('POST', url, content=b'') as response:
        assert await anext(response.aiter_raw()) == b'one'


# Connections.


@both
async def test_a_finished_connection_serves_the_next_request(make: MakeClient) -> None:
    connections = 0

    async def handle(stream: anyio.abc.SocketStream) -> None:
        nonlocal connections
        connections += 1
        await answering(HEAD + chunk(b'Hi') + END)(stream)

    async with serving(handle) as url, make() as client:
        for _ in range(5):
            assert (await client.post(url, content=b'{}')).text == 'Hi'

    assert connections == 1


@both
async def test_a_stream_that_is_closed_before_its_end_ends_its_connection(make: MakeClient, until: Until) -> None:
    ended: list[str] = []

    async def handle(stream: anyio.abc.SocketStream) -> None:
        await read_request(stream)
        await stream.send(HEAD + chunk(b'Hi'))
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            await stream.receive()
        ended.append('by the client')

    async with serving(handle) as url, make() as client:
        async with client.stream('POST', url, content=b'{}') as response:
            assert await anext(response.aiter_raw()) == b'Hi'
        await until(lambda: bool(ended))


@both
def test_a_connection_that_was_closed_while_nobody_looked_is_not_used(make: MakeClient) -> None:
    ports: queue.Queue[int] = queue.Queue()
    looks_away = [threading.Semaphore(0), threading.Semaphore(0)]
    is_closed = threading.Semaphore(0)

    def serve() -> None:
        with socket.create_server(('127.0.0.1', 0)) as server:
            server.settimeout(60)
            ports.put(server.getsockname()[1])
            for number in range(2):
                with server.accept()[0] as connection:
                    connection.recv(65_536)
                    connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
                    looks_away[number].acquire(timeout=60)
                is_closed.release()

    thread = threading.Thread(target=serve)
    thread.start()
    url = f'http://127.0.0.1:{ports.get(timeout=60)}/responses'
    client = make()
    with asyncio.Runner() as runner:
        for semaphore in looks_away:
            assert runner.run(client.post(url)).status_code == 200
            semaphore.release()
            assert is_closed.acquire(timeout=60)  # the loop stands still meanwhile
        runner.run(client.aclose())
    thread.join(60)


@both
async def test_closing_the_client_ends_what_waits_for_it(make: MakeClient, until: Until) -> None:
    caught: list[Exception] = []

    async def ask(client: httpx2.AsyncClient, url: str) -> None:
        try:
            await client.post(url, content=b'{}', timeout=60)
        except Exception as error:  # noqa: BLE001 - which one is what is tested
            caught.append(error)

    begun: list[int] = []

    async def handle(stream: anyio.abc.SocketStream) -> None:
        await read_request(stream)
        begun.append(1)
        await stream.send(HEAD + chunk(b'Hi'))
        await anyio.sleep_forever()

    async with serving(handle) as url, anyio.create_task_group() as tasks:
        client = make()
        tasks.start_soon(ask, client, url)
        await until(lambda: bool(begun))
        await anyio.wait_all_tasks_blocked()
        await client.aclose()

    assert isinstance(caught[0], httpx2.TransportError | RuntimeError)


async def test_closing_a_stream_ends_the_wait_of_another_task() -> None:
    waits = asyncio.Event()
    caught: list[Exception] = []

    async def wait(response: httpx2.Response) -> None:
        pieces = response.aiter_raw()
        await anext(pieces)
        waits.set()
        try:
            await anext(pieces)
        except httpx2.TransportError as error:
            caught.append(error)

    async def handle(stream: anyio.abc.SocketStream) -> None:
        await answering(HEAD + chunk(b'Hi'))(stream)

    async with serving(handle) as url, aiohttp_client() as client, anyio.create_task_group() as tasks:
        response = await client.send(client.build_request('POST', url, content=b'{}'), stream=True)
        tasks.start_soon(wait, response)
        await waits.wait()
        await anyio.wait_all_tasks_blocked()
        await response.aclose()

    assert [type(each) for each in caught] == [httpx2.ReadError]


@both
async def test_cancelling_leaks_nothing(make: MakeClient, until: Until) -> None:
    open_connections: list[object] = []

    async def handle(stream: anyio.abc.SocketStream) -> None:
        open_connections.append(stream)
        try:
            await read_request(stream)
            await stream.receive()
        finally:
            open_connections.remove(stream)

    async with serving(handle) as url, make() as client:
        for _ in range(3):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.post, url)
                await until(lambda: bool(open_connections))
                tasks.cancel_scope.cancel()
            await until(lambda: not open_connections)


# Errors.


@both
@pytest.mark.parametrize(
    ('handler', 'limit', 'expected'),
    [
        (hanging_up, httpx2.Timeout(60), httpx2.RemoteProtocolError),
        (answering(b'nonsense\r\n\r\n'), httpx2.Timeout(60), httpx2.RemoteProtocolError),
        (silent, httpx2.Timeout(60, read=0.05), httpx2.ReadTimeout),
        (answering(HEAD + chunk(b'Hi')), httpx2.Timeout(60, read=0.05), httpx2.ReadTimeout),
    ],
    ids=['hangs up', 'nonsense', 'silent', 'stalls'],
)
async def test_errors_are_those_of_httpx2(
    make: MakeClient, handler: Handler, limit: httpx2.Timeout, expected: type[Exception]
) -> None:
    async with serving(handler) as url, make() as client:
        with pytest.raises(expected) as caught:
            await client.post(url, content=b'x', timeout=limit)

    assert type(caught.value) is expected


@both
async def test_a_certificate_that_nobody_vouches_for(make: MakeClient) -> None:
    certificate: Any = trustme.CA().issue_cert('127.0.0.1')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    server = await asyncio.start_server(lambda _, writer: writer.close(), '127.0.0.1', 0, ssl=context)
    async with server, make() as client:
        with pytest.raises(httpx2.ConnectError, match='certificate verify failed'):
            await client.post(f'https://127.0.0.1:{server.sockets[0].getsockname()[1]}/')


async def test_connections_that_never_expire() -> None:
    limits = httpx2.Limits(keepalive_expiry=None)
    async with serving(answering(HEAD + END)) as url, aiohttp_client(limits=limits) as client:
        for _ in range(3):
            assert (await client.post(url)).status_code == 200


async def test_an_answer_that_is_none_is_told_in_a_line() -> None:
    answer = b'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc'
    async with serving(answering(answer)) as url, aiohttp_client() as client:
        with pytest.raises(httpx2.RemoteProtocolError) as caught:
            await client.post(url)

    assert '\n' not in str(caught.value)
    assert '400' not in str(caught.value)
    assert str(caught.value)


@both
async def test_a_body_that_is_not_taken_is_let_go_of(make: MakeClient) -> None:
    received = 0
    with deaf() as listener:
        async with make() as client:
            with pytest.raises(httpx2.WriteTimeout) as caught:
                await client.post(url_of(listener), content=b'x' * 50_000_000, timeout=httpx2.Timeout(60, write=0.05))

            connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            with connection, suppress(ConnectionError):
                while data := await asyncio.get_running_loop().sock_recv(connection, 1_000_000):
                    received += len(data)

    assert type(caught.value) is httpx2.WriteTimeout
    assert received < 40_000_000


@both
async def test_nobody_there_is_a_connect_error(make: MakeClient) -> None:
    async with serving(idle) as url:
        pass
    async with make() as client:
        with pytest.raises(httpx2.ConnectError, match=r'(?i)connect'):
            await client.post(url)


@both
async def test_an_unknown_scheme_is_refused(make: MakeClient) -> None:
    async with make() as client:
        with pytest.raises(httpx2.UnsupportedProtocol):
            await client.post('ftp://127.0.0.1/responses')


async def test_a_full_pool_is_a_timeout_of_its_own() -> None:
    async with serving(answering(HEAD + chunk(b'Hi'))) as url:
        limits = httpx2.Limits(max_connections=1)
        async with aiohttp_client(limits=limits) as client:
            async with client.stream('POST', url, content=b'{}'):
                with pytest.raises(httpx2.PoolTimeout):
                    await client.post(url, timeout=httpx2.Timeout(60, pool=0.01))
            async with client.stream('POST', url, content=b'{}') as response:  # the first has given its place back
                assert response.status_code == 200


@both
async def test_what_came_before_a_cut_is_handed_out(make: MakeClient, until: Until) -> None:
    cut: list[int] = []
    is_read = anyio.Event()

    async def handle(stream: anyio.abc.SocketStream) -> None:
        await read_request(stream)
        await stream.send(HEAD + chunk(b'one'))
        await is_read.wait()
        await stream.send(chunk(b'two'))
        await stream.aclose()
        cut.append(1)

    async with serving(handle) as url, make() as client, client.stream('POST', url, content=b'{}') as response:
        pieces = response.aiter_raw()
        heard = await anext(pieces)
        is_read.set()
        await until(lambda: bool(cut))
        for _ in range(10):  # the loop hears of the cut before anybody reads on
            await anyio.lowlevel.checkpoint()
        with pytest.raises(httpx2.RemoteProtocolError):
            async for piece in pieces:
                heard += piece

    assert heard == b'onetwo'


async def test_a_cut_is_tried_again_and_then_told() -> None:
    simulator = CodexSimulator(turn(say('one two three'), cut_after=6), reply('Hi'), turn(say('one'), cut_after=3))
    async with simulator.serve() as server:
        policy = TransportPolicy(max_retries=1, first_delay=0)
        async with provider_of(simulator, server.base_url, policy=policy) as provider:
            assert (await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')).output == 'Hi'
        policy = TransportPolicy(max_retries=0)
        async with provider_of(simulator, server.base_url, policy=policy) as provider:
            with pytest.raises(ModelAPIError, match='connection to the backend broke'):
                await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')


async def test_cancelling_a_stream_ends_the_request(until: Until) -> None:
    simulator = CodexSimulator(turn(say('one two three'), stall_after=6))
    async with simulator.serve() as server, provider_of(simulator, server.base_url) as provider:
        agent = Agent(CodexModel('gpt-5.5', provider=provider))
        with anyio.fail_after(60):
            async with agent.run_stream('Hi') as result:
                async for _ in result.stream_text(delta=True, debounce_by=None):
                    await result.cancel()
        await until(lambda: not simulator.open_streams)


# Proxies and TLS.


@both
async def test_https_goes_through_the_proxy_of_the_environment(
    make: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []

    async def proxy(stream: anyio.abc.SocketStream) -> None:
        heard.append(await read_request(stream))
        await stream.send(b'HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n')

    async with serving(proxy) as url:
        monkeypatch.setenv('HTTPS_PROXY', url.replace('http://', 'http://me:se%20cret@').removesuffix('/responses'))
        async with make() as client:
            with pytest.raises(httpx2.ProxyError, match='407 Who are you') as caught:
                await client.post('https://chatgpt.com/responses')

    lines = heard[0].split(b'\r\n')
    assert lines[0] == b'CONNECT chatgpt.com:443 HTTP/1.1'
    assert b'proxy-authorization: basic bwu6c2ugy3jlda==' in [line.lower() for line in lines]
    assert 'cret' not in ''.join(traceback.format_exception(caught.value))


async def test_a_proxy_that_does_not_answer_is_a_connect_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(silent) as url:
        monkeypatch.setenv('ALL_PROXY', url.removeprefix('http://').removesuffix('/responses'))
        async with aiohttp_client() as client:
            with pytest.raises(httpx2.ConnectTimeout):
                await client.post('https://chatgpt.com/responses', timeout=httpx2.Timeout(60, connect=0.05))


@pytest.mark.parametrize('no_proxy', ['127.0.0.1', '*', 'localhost, 127.0.0.1'])
async def test_no_proxy_is_honoured(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    async def proxy(stream: anyio.abc.SocketStream) -> None:
        heard.append(await stream.receive())

    async with serving(proxy) as proxy_url, serving(slamming) as url:
        monkeypatch.setenv('HTTPS_PROXY', proxy_url)
        monkeypatch.setenv('NO_PROXY', no_proxy)
        async with aiohttp_client() as client:
            with pytest.raises(httpx2.ConnectError):  # of the TLS that is not there
                await client.post(url.replace('http', 'https'))

    assert heard == []


@pytest.mark.parametrize('variable', ['HTTP_PROXY', 'ALL_PROXY', 'HTTPS_PROXY'])
async def test_plain_http_goes_through_no_proxy(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, 'http://127.0.0.1:9')
    async with serving(answering(HEAD + END)) as url, aiohttp_client() as client:
        assert (await client.post(url)).status_code == 200


@pytest.mark.parametrize('url', ['socks5://me:secret@127.0.0.1:1', 'weird://me:secret@h', 'http://me:secret'])
async def test_a_proxy_that_cannot_be_used_is_a_user_error(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ALL_PROXY', url)
    provider = CodexProvider(credentials=CodexSimulator().credentials, http_client=aiohttp_client)

    with pytest.raises(UserError, match='HTTPS_PROXY or ALL_PROXY names') as caught:
        await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')

    assert 'secret' not in ''.join(traceback.format_exception(caught.value))


class NotingContext(ssl.SSLContext):
    """Knows whether it was asked for a connection."""

    asked = False

    def wrap_bio(self, *args: Any, **kwargs: Any) -> Any:
        self.asked = True
        return super().wrap_bio(*args, **kwargs)


async def test_connections_are_made_with_the_tls_context_of_the_user() -> None:
    context = NotingContext(ssl.PROTOCOL_TLS_CLIENT)
    async with serving(slamming) as url, aiohttp_client(ssl_context=context) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.post(url.replace('http', 'https'))

    assert context.asked


# Event loops.


def test_the_login_is_refreshed_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    path = tmp_path / 'auth.json'
    path.write_text(json.dumps(simulator.auth_json()), encoding='utf-8')

    async def serve_and_ask() -> list[str]:
        async with simulator.serve() as server:
            monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', server.token_url)
            provider = provider_of(simulator, server.base_url, credentials=AuthFile(path))
            agent = Agent(CodexModel('gpt-5.5', provider=provider))
            simulator.revoke()
            return [await ask_on_another_loop(agent) for _ in range(2)]

    assert asyncio.run(serve_and_ask()) == ['Hi', 'Hi']
    assert len(simulator.oauth.refreshes) == 1


def test_nothing_is_left_open_when_loops_end(until: Until) -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    async def ask_on_other_loops() -> None:
        async with simulator.serve() as server:
            agent = Agent(CodexModel('gpt-5.5', provider=provider_of(simulator, server.base_url)))
            await ask_on_another_loop(agent)
            await check_that_loops_leave_nothing_open(agent, until)

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        asyncio.run(ask_on_other_loops())
        gc.collect()


def test_a_loop_that_ends_without_a_word_is_not_complained_about(caplog: pytest.LogCaptureFixture) -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    async def serve_and_ask() -> None:
        async with simulator.serve() as server:

            def ask() -> None:
                # As pydantic-ai's `run_sync` does it: a loop of the thread's own, which nobody closes.
                agent = Agent(CodexModel('gpt-5.5', provider=provider_of(simulator, server.base_url)))
                loop = asyncio.new_event_loop()
                assert loop.run_until_complete(agent.run('Hello')).output == 'Hi'
                loop.close()

            await anyio.to_thread.run_sync(ask)

    with warnings.catch_warnings():
        warnings.simplefilter('ignore', ResourceWarning)  # of the sockets, as with httpx2
        asyncio.run(serve_and_ask())
        gc.collect()

    assert 'nclosed' not in caplog.text


def test_one_client_on_a_second_loop_is_a_user_error() -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    async def serve_and_ask() -> str:
        async with simulator.serve() as server, aiohttp_client() as http_client:
            provider = provider_of(simulator, server.base_url, http_client=http_client)
            agent = Agent(CodexModel('gpt-5.5', provider=provider))
            await agent.run('Hello')
            with pytest.raises(UserError, match='pass a callable that makes such a client'):
                await anyio.to_thread.run_sync(lambda: asyncio.run(agent.run('Hello')))
            return (await agent.run('Hello')).output

    assert asyncio.run(serve_and_ask()) == 'Hi'


def test_without_asyncio_it_says_so() -> None:
    request = aiohttp_client().post('http://127.0.0.1/responses')

    with pytest.raises(ConfigurationError, match='works on asyncio only'):
        request.send(None)


async def test_a_factory_makes_a_client_for_each_loop() -> None:
    clients = HTTPClients(aiohttp_client)

    async with clients.borrow() as client:
        assert not clients.is_shared
        assert clients.is_bound
        assert client.timeout == httpx2.AsyncClient().timeout


# Without it.


async def test_without_aiohttp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith('pydantic_ai_codex._transport.aiohttp_')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'aiohttp', None)

    with pytest.raises(UserError, match=r"pip install 'aiohttp>=3\.10'\.$"):
        await Agent(CodexModel('gpt-5.5', provider=CodexSimulator().provider(http_client=aiohttp_client))).run('Hi')


def test_it_is_not_used_and_not_loaded_without_being_asked_for() -> None:
    code = (
        'import asyncio, sys\n'
        'from pydantic_ai import Agent\n'
        'from pydantic_ai_codex import CodexModel, CodexProvider, aiohttp_client\n'
        'from pydantic_ai_codex._transport.http import HTTPClients\n'
        'async def main():\n'
        '    async with HTTPClients(None).borrow(): pass\n'
        'asyncio.run(main())\n'
        "print('aiohttp' in sys.modules)\n"
    )

    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)

    assert result.stdout == 'False\n'


@pytest.mark.parametrize('arguments', [{'limits': 5}, {'ssl_context': 'ca.pem'}])
def test_arguments_that_are_none(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match='`aiohttp_client` takes'):
        aiohttp_client(**arguments)


@both
async def test_too_few_connections_are_told_as_such(make: Callable[..., httpx2.AsyncClient], until: Until) -> None:
    arrived: list[bytes] = []

    async def handle(stream: anyio.abc.SocketStream) -> None:
        arrived.append(await read_request(stream))
        await anyio.sleep_forever()

    limits = httpx2.Limits(max_connections=1)
    async with serving(handle) as url, make(limits=limits) as client, anyio.create_task_group() as tasks:
        provider = CodexProvider(api_key='sk-1', base_url=url.removesuffix('/responses'), http_client=lambda: client)
        tasks.start_soon(client.post, url)
        await until(lambda: bool(arrived))

        with pytest.raises(ModelAPIError, match='All connections of the `http_client` are in use'):
            await Agent(CodexModel('gpt-5.5', provider=provider)).run(
                'Hi', model_settings={'timeout': httpx2.Timeout(60, pool=0.05), 'max_retries': 0}
            )
        tasks.cancel_scope.cancel()
