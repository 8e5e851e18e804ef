"""Which HTTP client a request uses: ours, the factory's, a clone of the one that was passed in, or that one itself."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import UserError

from pydantic_ai_codex import CodexModel, CodexProvider
from pydantic_ai_codex._transport.http import HTTPClient, HTTPClients, make_client
from pydantic_ai_codex._transport.sse import SSETransport
from pydantic_ai_codex.errors import ConfigurationError, TransportError
from pydantic_ai_codex.testing import CodexSimulator, reply

from ..other_loops import check_that_loops_leave_nothing_open

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]
URLS = ['https://chatgpt.com', 'http://127.0.0.1', 'https://api.example.com']


async def leased(clients: HTTPClients) -> httpx2.AsyncClient:
    """The client of the running event loop."""
    lease = clients.lease()
    await lease.release()
    return lease.client


async def clone_of(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    made = await leased(HTTPClients(client))
    assert made is not client
    return made


def pool_of(client: Any, url: str = URLS[0]) -> object:
    """What a client opens its connections to a URL with; httpx2 tells no setting of it in public."""
    return client._transport_for_url(httpx2.URL(url))._pool


def settings_of(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    of_a_loop = ('_connections', '_requests', '_network_backend', '_optional_thread_lock')
    return {name: value for name, value in vars(pool_of(client, url)).items() if name not in of_a_loop}


async def post(http_client: HTTPClient, url: str) -> None:
    """Send a request through the client of this loop."""
    connection = await SSETransport(HTTPClients(http_client)).send(url, headers={}, content=b'{}', timeouts=30)
    await connection.aclose()


@asynccontextmanager
async def listening(heard: list[bytes]) -> AsyncGenerator[int]:
    """A server that notes what it hears first on each connection, and hangs up."""

    async def note(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream):
                heard.append(await stream.receive())

    listener = await anyio.create_tcp_listener(local_host='127.0.0.1')
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, note)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


# A client of each loop.


@pytest.mark.parametrize(
    'make', [lambda: None, lambda: httpx2.AsyncClient, httpx2.AsyncClient], ids=['own', 'factory', 'passed-in']
)
def test_each_loop_has_a_client_and_closes_it(make: Callable[[], HTTPClient | None]) -> None:
    http_client = make()
    clients = HTTPClients(http_client)

    async def twice() -> httpx2.AsyncClient:
        first = await leased(clients)
        assert await leased(clients) is first
        assert not first.is_closed
        return first

    made = [asyncio.run(twice()) for _ in range(3)]

    assert len({id(each) for each in made}) == 3
    assert all(each.is_closed for each in made)
    assert http_client not in made
    assert not isinstance(http_client, httpx2.AsyncClient) or not http_client.is_closed


async def test_who_leaves_last_closes_the_clone_and_not_the_original() -> None:
    original = httpx2.AsyncClient()
    clients = HTTPClients(original)
    clients.enter()
    clients.enter()
    clone = await leased(clients)

    await clients.leave()
    assert not clone.is_closed

    await clients.leave()
    assert clone.is_closed
    assert not original.is_closed
    assert not (await leased(clients)).is_closed


async def test_a_factory_has_to_make_new_clients() -> None:
    client = httpx2.AsyncClient()
    await client.aclose()

    with pytest.raises(ConfigurationError, match='has to make a new one each time'):
        HTTPClients(lambda: client).lease()


# What a clone keeps.


@pytest.mark.parametrize(
    'make',
    [
        httpx2.AsyncClient,
        make_client,
        lambda: httpx2.AsyncClient(verify=False, http1=True, limits=httpx2.Limits(max_connections=3)),
        lambda: httpx2.AsyncClient(limits=httpx2.Limits(max_keepalive_connections=0, keepalive_expiry=7)),
        lambda: httpx2.AsyncClient(proxy=httpx2.Proxy('http://127.0.0.1:9', auth=('me', 'pw'), headers={'x-p': '1'})),
        lambda: httpx2.AsyncClient(proxy=httpx2.Proxy('https://127.0.0.1:9', ssl_context=ssl.create_default_context())),
        lambda: httpx2.AsyncClient(
            mounts={'https://api.example.com': httpx2.AsyncHTTPTransport(proxy='http://127.0.0.1:9'), 'http://': None}
        ),
        lambda: httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(retries=3, local_address='127.0.0.2', socket_options=[(6, 1, 1)])
        ),
        lambda: httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds='/run/proxy.sock')),
    ],
    ids=['default', 'ours', 'unverified', 'limits', 'proxy', 'tls-proxy', 'mounts', 'sockets', 'uds'],
)
async def test_a_clone_opens_connections_the_same_way(make: Callable[[], httpx2.AsyncClient]) -> None:
    original = make()

    clone = await clone_of(original)

    for url in URLS:
        assert type(pool_of(clone, url)) is type(pool_of(original, url))
        assert settings_of(clone, url) == settings_of(original, url)
        assert pool_of(clone, url) is not pool_of(original, url)


async def test_a_clone_takes_the_proxies_of_the_environment_from_its_original(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HTTPS_PROXY', 'http://127.0.0.1:9')
    original = httpx2.AsyncClient()
    monkeypatch.delenv('HTTPS_PROXY')

    assert settings_of(await clone_of(original), URLS[0])['_proxy_url'].port == 9


async def test_a_transport_that_is_mounted_twice_stays_one() -> None:
    transport = httpx2.AsyncHTTPTransport()
    clone = await clone_of(httpx2.AsyncClient(transport=transport, mounts={'https://chatgpt.com': transport}))

    assert pool_of(clone, URLS[0]) is pool_of(clone, URLS[2])


class RefusingContext(ssl.SSLContext):
    """Says that it was asked for a connection."""

    def wrap_bio(self, *args: Any, **kwargs: Any) -> Any:
        raise ssl.SSLError('refused by the context of the user')


def test_connections_are_made_with_the_tls_context_of_the_original() -> None:
    original = httpx2.AsyncClient(verify=RefusingContext(ssl.PROTOCOL_TLS_CLIENT))

    async def serve_and_ask() -> None:
        async with listening([]) as port:
            for _ in range(2):
                with pytest.raises(TransportError, match='refused by the context of the user'):
                    await anyio.to_thread.run_sync(asyncio.run, post(original, f'https://127.0.0.1:{port}/responses'))

    asyncio.run(serve_and_ask())


def test_connections_are_made_through_the_proxy_of_the_original() -> None:
    heard: list[bytes] = []

    async def serve_and_ask() -> None:
        async with listening(heard) as port:
            original = httpx2.AsyncClient(proxy=f'http://127.0.0.1:{port}')
            for _ in range(2):
                with pytest.raises(TransportError):
                    await anyio.to_thread.run_sync(asyncio.run, post(original, 'https://chatgpt.com/responses'))

    asyncio.run(serve_and_ask())

    assert [each.partition(b'\r\n')[0] for each in heard] == [b'CONNECT chatgpt.com:443 HTTP/1.1'] * 2


async def test_a_clone_has_the_settings_of_the_client() -> None:
    async def hook(message: object) -> None: ...

    original = httpx2.AsyncClient(
        headers={'x-team': 'a'},
        params={'v': '1'},
        cookies={'c': '1'},
        timeout=httpx2.Timeout(1, connect=2, read=3, write=4),
        event_hooks={'request': [hook], 'response': [hook]},
        base_url='https://relay.example.com/v1',
        follow_redirects=True,
        max_redirects=3,
        trust_env=False,
        default_encoding='latin-1',
        auth=('me', 'pw'),
    )

    clone = await clone_of(original)

    request, same = (each.build_request('POST', 'responses') for each in (original, clone))
    assert (same.url, same.headers, same.extensions) == (request.url, request.headers, request.extensions)
    assert {'x-team': 'a', 'cookie': 'c=1'}.items() <= same.headers.items()
    public = ('auth', 'base_url', 'cookies', 'event_hooks', 'follow_redirects', 'headers', 'max_redirects')
    for name in (*public, 'params', 'timeout', 'trust_env'):
        assert getattr(clone, name) == getattr(original, name), name
    assert clone.event_hooks['request'] == [hook]
    assert clone.cookies.jar is original.cookies.jar
    assert vars(clone).keys() == vars(original).keys()


async def test_a_clone_follows_what_is_set_on_its_original_later() -> None:
    original = httpx2.AsyncClient()
    clients = HTTPClients(original)
    clone = await leased(clients)

    original.headers['x-first'] = '1'
    assert (await leased(clients)).headers['x-first'] == '1'

    original.headers = {'x-second': '2'}
    original.timeout = 7
    assert await leased(clients) is clone
    assert clone.headers.get('x-first') is None
    assert (clone.headers['x-second'], clone.timeout) == ('2', httpx2.Timeout(7))


# What is shared.


class OwnClient(httpx2.AsyncClient):
    pass


class OwnTransport(httpx2.AsyncHTTPTransport):
    pass


async def own_app(scope: object, receive: object, send: object) -> None: ...


def with_a_changed_inside(change: Callable[[Any, Any], None]) -> httpx2.AsyncClient:
    client = httpx2.AsyncClient()
    change(client, pool_of(client))
    return client


def rename(value: Any, name: str) -> None:
    setattr(value, f'{name}_of_a_new_version', getattr(value, name))
    delattr(value, name)


SHARED: dict[str, Callable[[], httpx2.AsyncClient]] = {
    'mock transport': lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(200))),
    'asgi transport': lambda: httpx2.AsyncClient(transport=httpx2.ASGITransport(own_app)),
    'simulator': lambda: CodexSimulator().http_client(),
    'subclass': OwnClient,
    'transport subclass': lambda: httpx2.AsyncClient(transport=OwnTransport()),
    'one mount': lambda: httpx2.AsyncClient(mounts={'http://': OwnTransport()}),
    'patched client': lambda: with_a_changed_inside(lambda client, _: setattr(client, 'send', client.send)),
    'patched transport': lambda: with_a_changed_inside(
        lambda client, _: setattr(client._transport, 'handle_async_request', client._transport.handle_async_request)
    ),
    'no mounts': lambda: with_a_changed_inside(lambda client, _: delattr(client, '_mounts')),
    'other mounts': lambda: with_a_changed_inside(lambda client, _: setattr(client, '_mounts', [])),
    'other pool': lambda: with_a_changed_inside(lambda client, _: setattr(client._transport, '_pool', object())),
    'new setting': lambda: with_a_changed_inside(lambda _, pool: setattr(pool, '_http3', True)),
    'renamed setting': lambda: with_a_changed_inside(lambda _, pool: rename(pool, '_ssl_context')),
    'other state': lambda: with_a_changed_inside(lambda _, pool: setattr(pool, '_connections', {})),
    'own backend': lambda: with_a_changed_inside(lambda _, pool: setattr(pool, '_network_backend', object())),
}


@pytest.mark.parametrize('make', SHARED.values(), ids=SHARED.keys())
async def test_a_client_with_anything_of_its_own_is_shared(make: Callable[[], httpx2.AsyncClient]) -> None:
    client = make()
    clients = HTTPClients(client)

    clients.enter()
    assert clients.is_shared
    assert await leased(clients) is client
    await clients.leave()

    assert not client.is_closed


async def test_a_client_that_is_instrumented_later_is_shared_from_then_on() -> None:
    client: Any = httpx2.AsyncClient()
    clients = HTTPClients(client)
    assert await leased(clients) is not client

    client._transport = httpx2.MockTransport(lambda _: httpx2.Response(200))

    assert await leased(clients) is client


def test_a_shared_client_on_a_second_loop_is_a_user_error() -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    async def serve_and_ask() -> str:
        async with simulator.serve() as server, OwnClient() as http_client:
            provider = CodexProvider(
                credentials=simulator.credentials, base_url=server.base_url, http_client=http_client
            )
            agent = Agent(CodexModel('gpt-5.5', provider=provider))
            await agent.run('Hello')
            with pytest.raises(UserError, match='pass a callable that makes such a client'):
                await anyio.to_thread.run_sync(lambda: asyncio.run(agent.run('Hello')))
            return (await agent.run('Hello')).output

    assert asyncio.run(serve_and_ask()) == 'Hi'


# Ends.


@pytest.mark.parametrize('make', [httpx2.AsyncClient, OwnClient], ids=['cloned', 'shared'])
async def test_a_client_that_its_owner_closed_is_refused(make: type[httpx2.AsyncClient]) -> None:
    http_client = make()
    clients = HTTPClients(http_client)
    await leased(clients)

    await http_client.aclose()

    with pytest.raises(ConfigurationError, match='is closed'):
        clients.lease()
    with pytest.raises(ConfigurationError, match='is closed'):
        clients.enter()


async def test_who_entered_can_leave_after_the_original_was_closed() -> None:
    http_client = httpx2.AsyncClient()
    clients = HTTPClients(http_client)
    clients.enter()
    clone = await leased(clients)
    await http_client.aclose()

    await clients.leave()

    assert clone.is_closed


def test_nothing_is_left_open_when_loops_end(until: Until) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    http_client = httpx2.AsyncClient()

    async def ask_on_other_loops() -> None:
        async with simulator.serve() as server:
            provider = CodexProvider(
                credentials=simulator.credentials, base_url=server.base_url, http_client=http_client
            )
            agent = Agent(CodexModel('gpt-5.5', provider=provider))
            await check_that_loops_leave_nothing_open(agent, until)

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        asyncio.run(ask_on_other_loops())
        gc.collect()

    assert not http_client.is_closed


# Threads.


def in_threads(number: int, work: Callable[[], object]) -> list[object]:
    """What the work gives in each of many threads; a thread that hangs gives nothing."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            results.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return list(results)


def test_a_slow_factory_keeps_no_other_loop_waiting() -> None:
    both = threading.Barrier(2)

    def factory() -> httpx2.AsyncClient:
        both.wait(60)  # breaks where one factory is called after the other
        return CodexSimulator().http_client()

    clients = HTTPClients(factory)

    results = in_threads(2, lambda: asyncio.run(leased(clients)).is_closed)

    assert results == [True, True]


@pytest.mark.parametrize('passed_in', [False, True], ids=['factory', 'passed-in'])
def test_loops_come_and_go_in_many_threads(passed_in: bool) -> None:
    simulator = CodexSimulator()
    clients = HTTPClients(httpx2.AsyncClient() if passed_in else simulator.http_client)

    async def use() -> httpx2.AsyncClient:
        clients.enter()
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(leased, clients)
        client = await leased(clients)
        await clients.leave()
        return client

    def come_and_go() -> bool:
        return all(asyncio.run(use()).is_closed for _ in range(20))

    assert in_threads(16, come_and_go) == [True] * 16


def test_a_loop_that_was_closed_without_a_word_is_forgotten() -> None:
    clients = HTTPClients(CodexSimulator().http_client)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(leased(clients))
    loop.close()

    asyncio.run(leased(clients))

    assert loop not in clients._held  # pyright: ignore[reportPrivateUsage]


def test_loops_of_threads_that_are_over_are_forgotten() -> None:
    clients = HTTPClients(CodexSimulator().http_client)
    loops: list[asyncio.AbstractEventLoop] = []

    def use() -> None:
        # As pydantic-ai's `run_sync` does it: a loop of the thread's own, which nobody closes.
        loops.append(asyncio.new_event_loop())
        loops[-1].run_until_complete(leased(clients))

    for _ in range(10):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join(120)

    assert len(loops) == 10
    # That of the last thread is noticed when the next loop comes.
    assert len(clients._held) <= 1  # pyright: ignore[reportPrivateUsage]
    for loop in loops:
        loop.close()


def test_the_loop_of_a_thread_that_waits_is_kept() -> None:
    clients = HTTPClients(CodexSimulator().http_client)
    loop = asyncio.new_event_loop()
    first = loop.run_until_complete(leased(clients))

    in_threads(1, lambda: asyncio.run(leased(clients)))

    assert loop.run_until_complete(leased(clients)) is first
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
