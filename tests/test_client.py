"""The client below pydantic-ai: where requests go, what carries them, and how streams end."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import pickle
import sys
import traceback
import warnings
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.abc
import anyio.to_thread
import httpx2
import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError, UserError
from pydantic_ai.models.fallback import FallbackModel

from pydantic_ai_codex import CodexModel, CodexProvider, TransportPolicy, aiohttp_client
from pydantic_ai_codex._client import CodexClient
from pydantic_ai_codex._protocol.events import ResponseEnded, TextDelta
from pydantic_ai_codex._protocol.requests import CodexRequest
from pydantic_ai_codex._transport import sse
from pydantic_ai_codex.auth import Credentials, MemoryStore
from pydantic_ai_codex.errors import (
    AccountChangedError,
    BackendError,
    CodexError,
    ConfigurationError,
    CredentialsNotFoundError,
    MalformedStreamError,
    TransportError,
)
from pydantic_ai_codex.testing import CodexSimulator, fail, raw_stream, reply, say, sse_frame, turn

from .other_loops import check_that_loops_leave_nothing_open, open_descriptors

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


def request(**fields: Any) -> CodexRequest:
    message = {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Hi'}]}
    made: dict[str, Any] = {'model': 'gpt-5.5', 'instructions': 'Be.', 'input': [message], 'session_id': 's-1'}
    return CodexRequest(**made | fields)


def client(simulator: CodexSimulator, **options: Any) -> CodexClient:
    arguments: dict[str, Any] = {'credentials': simulator.credentials, 'http_client': simulator.http_client}
    return CodexClient(**arguments | options)


async def text_of(client: CodexClient, **fields: Any) -> str:
    stream = await client.stream(request(**fields))
    texts: list[str] = []
    while events := await stream.receive():
        texts += [event.text for event in events if isinstance(event, TextDelta)]
    await stream.aclose()
    return ''.join(texts)


async def test_the_headers_of_a_request(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))

    await text_of(client(codex_simulator))

    headers = codex_simulator.requests[0].headers
    chosen = ('accept', 'content-type', 'originator', 'session-id', 'thread-id', 'x-client-request-id')
    assert {name: headers[name] for name in chosen} == snapshot(
        {
            'accept': 'text/event-stream',
            'content-type': 'application/json',
            'originator': 'pydantic_ai_codex',
            'session-id': 's-1',
            'thread-id': 's-1',
            'x-client-request-id': 's-1',
        }
    )
    assert headers['chatgpt-account-id'] == codex_simulator.account_id
    assert headers['user-agent'].startswith('pydantic_ai_codex/')
    assert 'x-openai-fedramp' not in headers


async def test_extra_headers_win_but_not_over_the_login(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))

    await text_of(client(codex_simulator), extra_headers={'Originator': 'mine', 'X-Own': 'yes'})

    headers = codex_simulator.requests[0].headers
    assert (headers['originator'], headers['x-own']) == ('mine', 'yes')
    with pytest.raises(ConfigurationError, match='Authorization'):
        request(extra_headers={'Authorization': 'Bearer other'})


async def test_fedramp_is_told() -> None:
    simulator = CodexSimulator(reply('Hi'))
    credentials = Credentials(simulator.access_token, is_fedramp=True)

    await text_of(client(simulator, credentials=credentials))

    assert simulator.requests[0].headers['x-openai-fedramp'] == 'true'


async def test_the_login_of_the_client_is_not_used() -> None:
    simulator = CodexSimulator(reply('Hi'))
    http_client = httpx2.AsyncClient(
        transport=simulator.transport, auth=('user', 'password'), headers={'authorization': 'Bearer other'}
    )

    async with http_client:
        assert await text_of(client(simulator, http_client=http_client)) == 'Hi'


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(307, headers={'location': 'https://elsewhere.example/responses'})

    http_client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer), follow_redirects=True)
    async with http_client:
        with pytest.raises(BackendError) as caught:
            await text_of(client(CodexSimulator(), http_client=http_client))

    assert caught.value.status_code == 307
    assert {urlsplit(url).hostname for url in asked} == {'chatgpt.com'}
    assert [url for url in asked if url.endswith('/responses')] == ['https://chatgpt.com/backend-api/codex/responses']


async def test_a_base_url_is_asked_and_no_other(codex_simulator: CodexSimulator) -> None:
    simulator = CodexSimulator(reply('Hi'), base_url='https://relay.example/backend-api/codex')

    assert await text_of(simulator.provider().client) == 'Hi'

    assert simulator.requests[0].headers['host'] == 'relay.example'


async def turns_of_others(text: str) -> int:
    """How often the event loop goes round until a request with that text in each of 160 items is sent."""
    simulator = CodexSimulator(reply('Hi'))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while not simulator.requests:
            await anyio.lowlevel.checkpoint()
            turns += 1

    item = {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': text}]}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        assert await text_of(client(simulator), input=[item] * 160) == 'Hi'
    return turns


async def test_others_have_their_turn_while_a_large_body_is_made() -> None:
    # 10 pieces of 16 items, each larger than what is made at once.
    assert await turns_of_others('x' * 50_000) >= await turns_of_others('x') + 10


async def test_a_compressed_stream_is_read() -> None:
    import gzip

    frames = sse_frame({'type': 'response.output_text.delta', 'item_id': 'm', 'delta': 'Hi'}) + sse_frame(
        {'type': 'response.completed', 'response': {}}
    )

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={'content-encoding': 'gzip'}, content=gzip.compress(frames))

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http_client:
        assert await text_of(client(CodexSimulator(), http_client=http_client)) == 'Hi'


async def test_an_answer_that_cannot_be_decompressed_is_no_stream() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'no gzip'

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={'content-encoding': 'gzip'}, content=body())

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http_client:
        with pytest.raises(MalformedStreamError, match='cannot be decompressed') as caught:
            await client(CodexSimulator(), http_client=http_client).stream(request())

    assert not caught.value.in_stream


async def test_events_in_one_piece_with_a_failure_are_not_lost() -> None:
    frames = (
        sse_frame({'type': 'response.output_text.delta', 'item_id': 'm', 'delta': 'Hi'}),
        sse_frame({'type': 'response.failed', 'response': {'error': {'code': 'server_error', 'message': 'Oh.'}}}),
    )
    stream = await client(CodexSimulator(raw_stream(b''.join(frames)))).stream(request())

    assert await stream.receive() == [TextDelta('m', 0, 'Hi')]
    with pytest.raises(BackendError, match='Oh'):
        await stream.receive()
    with pytest.raises(BackendError, match='Oh'):
        await stream.receive()
    await stream.aclose()


async def test_nothing_comes_after_the_end(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))
    stream = await client(codex_simulator).stream(request())

    last: Any = None
    while events := await stream.receive():
        last = events[-1]

    assert isinstance(last, ResponseEnded)
    assert await stream.receive() == []
    await stream.aclose()
    await stream.aclose()
    assert codex_simulator.open_streams == 0


async def test_a_finished_connection_serves_the_next_request() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    async with simulator.serve() as server:
        codex = CodexClient(credentials=simulator.credentials, base_url=server.base_url)
        codex.http_clients.enter()
        for _ in range(5):
            assert await text_of(codex) == 'Hi'
        lease = codex.http_clients.lease()
        transport: Any = lease.client._transport_for_url(httpx2.URL(server.base_url))  # pyright: ignore[reportPrivateUsage]

        # The account and its models are asked for at once, before the first request.
        assert len(transport._pool.connections) <= 2
        await lease.release()
        await codex.http_clients.leave()


async def test_over_a_real_socket_a_cut_is_an_error() -> None:
    simulator = CodexSimulator(turn(say('one two three'), cut_after=6))
    async with simulator.serve() as server:
        policy = TransportPolicy(max_retries=0)
        provider = CodexProvider(credentials=simulator.credentials, base_url=server.base_url, policy=policy)
        with pytest.raises(Exception, match='connection to the backend broke'):
            async with provider:
                await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')


async def test_over_a_real_socket_cancelling_ends_the_request(until: Until) -> None:
    simulator = CodexSimulator(turn(say('one two three'), stall_after=6))
    async with simulator.serve() as server:
        provider = CodexProvider(credentials=simulator.credentials, base_url=server.base_url)
        agent = Agent(CodexModel('gpt-5.5', provider=provider))
        with anyio.fail_after(60):
            async with agent, agent.run_stream('Hi') as result:
                async for _ in result.stream_text(delta=True, debounce_by=None):
                    await result.cancel()
        await until(lambda: not simulator.open_streams)


@pytest.mark.parametrize('http_client', [None, aiohttp_client], ids=['our own client', 'aiohttp'])
def test_real_sockets_on_many_loops(http_client: Callable[[], httpx2.AsyncClient] | None) -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    async def one(agent: Agent[None, str], provider: CodexProvider) -> str:
        # Entering the agent itself takes a lock of pydantic-ai's that belongs to one loop.
        async with provider:
            return (await agent.run('Hello')).output

    async def serve_and_ask() -> list[str]:
        async with simulator.serve() as server:
            provider = CodexProvider(
                credentials=simulator.credentials, base_url=server.base_url, http_client=http_client
            )
            agent = Agent(CodexModel('gpt-5.5', provider=provider))
            outputs: list[str] = []
            async with anyio.create_task_group() as tasks:

                async def in_a_thread() -> None:
                    outputs.append(await anyio.to_thread.run_sync(lambda: asyncio.run(one(agent, provider))))

                for _ in range(8):
                    tasks.start_soon(in_a_thread)
            return outputs

    assert asyncio.run(serve_and_ask()) == ['Hi'] * 8


async def test_one_client_for_each_loop_and_closed_at_the_end() -> None:
    made: list[httpx2.AsyncClient] = []
    simulator = CodexSimulator(default=reply('Hi'))

    def factory() -> httpx2.AsyncClient:
        made.append(simulator.http_client())
        return made[-1]

    provider = CodexProvider(credentials=simulator.credentials, http_client=factory)
    async with provider, provider:
        await text_of(provider.client)
        await text_of(provider.client)
        assert not made[0].is_closed

    assert [each.is_closed for each in made] == [True]


async def test_a_client_that_was_passed_in_stays_open() -> None:
    simulator = CodexSimulator(reply('Hi'))
    async with simulator.http_client() as http_client:
        async with CodexProvider(credentials=simulator.credentials, http_client=http_client) as provider:
            await text_of(provider.client)

        assert not http_client.is_closed


async def test_a_closed_client_is_a_user_error() -> None:
    simulator = CodexSimulator(reply('Hi'))
    http_client = simulator.http_client()
    await http_client.aclose()

    with pytest.raises(UserError, match='callable'):
        await Agent(simulator.model(provider=simulator.provider(http_client=http_client))).run('Hi')


class LegacyClient:
    """Stands for `httpx.AsyncClient`, which is not installed here."""


LegacyClient.__module__ = 'httpx'
LegacyClient.__name__ = 'AsyncClient'


@pytest.mark.parametrize(
    'value', [LegacyClient(), LegacyClient, httpx2.Client, 7], ids=['legacy', 'class', 'sync', 'int']
)
def test_a_wrong_http_client_is_a_user_error(value: Any) -> None:
    with pytest.raises(UserError, match=r'httpx2\.AsyncClient'):
        CodexProvider(http_client=value)


async def test_a_factory_of_legacy_clients_is_a_user_error() -> None:
    factory: Any = LegacyClient
    provider = CodexSimulator().provider(http_client=lambda: factory())

    with pytest.raises(UserError, match='legacy `httpx`'):
        await Agent(CodexModel('gpt-5.5', provider=provider)).run('Hi')


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ({'api_key': 'sk-1', 'credentials': Credentials('t')}, 'exclude each other'),
        ({'api_key': '  '}, 'empty'),
        ({'credentials': 'auth.json'}, 'AuthFile'),
        ({'base_url': 'http://example.com/v1'}, 'https'),
        ({'originator': 'two words'}, 'originator'),
        ({'originator': None}, 'originator'),
        ({'base_url': 5}, 'base_url'),
        ({'base_url': 'https://\u2603.net'}, 'base_url'),
    ],
)
def test_arguments_that_cannot_work(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        CodexProvider(**arguments)


async def test_the_login_is_read_at_each_request() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    store = MemoryStore()
    codex = client(simulator, credentials=store)
    await store.save(simulator.credentials)
    await text_of(codex)
    simulator.revoke()
    await store.save(simulator.credentials)

    await text_of(codex)

    assert [each.status for each in simulator.requests] == [200, 200]


@pytest.mark.parametrize('seconds', [7, 7.5, httpx2.Timeout(7)])
async def test_timeouts(seconds: Any) -> None:
    seen: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == 'POST':
            seen.append(request.extensions['timeout']['read'])
        return httpx2.Response(200, content=sse_frame({'type': 'response.completed', 'response': {}}))

    codex = client(CodexSimulator(), http_client=lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(answer)))
    await text_of(codex, timeout=seconds)

    assert seen == [getattr(seconds, 'read', seconds)]


@pytest.mark.parametrize('seconds', ['soon', 0, -1, True, math.inf, math.nan, 10**400], ids=lambda each: str(each)[:5])
async def test_a_wrong_timeout_is_refused(seconds: object) -> None:
    with pytest.raises(ConfigurationError, match='timeout'):
        await text_of(client(CodexSimulator()), timeout=seconds)


async def test_the_log_has_no_login(codex_simulator: CodexSimulator, caplog: pytest.LogCaptureFixture) -> None:
    codex_simulator.add(reply('Hi'))
    caplog.set_level(logging.DEBUG, 'pydantic_ai_codex')

    await text_of(client(codex_simulator), extra_headers={'x-api-key': 'secret'})

    assert 'response.completed' in caplog.text
    for secret in (codex_simulator.access_token, codex_simulator.account_id, 'secret'):
        assert secret not in caplog.text


def test_a_loop_that_ends_closes_its_connections(until: Until) -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    async def ask_on_other_loops() -> int:
        async with simulator.serve() as server:
            provider = CodexProvider(credentials=simulator.credentials, base_url=server.base_url)
            agent = Agent(CodexModel('gpt-5.5', provider=provider))
            await check_that_loops_leave_nothing_open(agent, until)
            return len(provider.client.http_clients._held)  # pyright: ignore[reportPrivateUsage]

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        held = asyncio.run(ask_on_other_loops())
        gc.collect()

    assert held <= 1


async def test_a_provider_that_goes_takes_its_clients_along(until: Until) -> None:
    provider = CodexSimulator(reply('Hi')).provider()
    await text_of(provider.client)
    lease = provider.client.http_clients.lease()
    http_client = weakref.ref(lease.client)
    await lease.release()

    del provider, lease

    def is_gone() -> bool:
        gc.collect()
        return http_client() is None

    await until(is_gone)


def test_a_provider_that_goes_with_its_loop_leaves_nothing_open(until: Until) -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    async def ask(base_url: str) -> str:
        provider = CodexProvider(credentials=simulator.credentials, base_url=base_url)
        return await text_of(provider.client)

    async def ask_and_go_on(base_url: str, before: int) -> str:
        answer = await ask(base_url)
        await until(lambda: open_descriptors() <= before)
        return answer

    async def serve_and_ask() -> list[str]:
        async with simulator.serve() as server:
            await asyncio.to_thread(lambda: None)
            before = open_descriptors()
            answers = [await asyncio.to_thread(lambda: asyncio.run(ask(server.base_url)))]
            await until(lambda: open_descriptors() <= before)
            answers.append(await ask_and_go_on(server.base_url, before))
            return answers

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert asyncio.run(serve_and_ask()) == ['Hi', 'Hi']
        gc.collect()


async def test_leaving_does_not_cut_the_requests_of_others() -> None:
    simulator = CodexSimulator(turn(say('one two three'), stall_after=6), reply('Hi'))
    provider = simulator.provider()
    stream = await provider.client.stream(request())

    async with provider:
        assert await text_of(provider.client) == 'Hi'

    assert await stream.receive() != []
    lease = provider.client.http_clients.lease()
    assert not lease.client.is_closed
    await lease.release()
    await stream.aclose()
    assert lease.client.is_closed


@pytest.mark.parametrize('variable', ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])
async def test_no_proxy_sees_the_login_on_its_way_to_loopback(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    async def proxy(connection: anyio.abc.SocketStream) -> None:
        async with connection:
            seen.append(await connection.receive())

    simulator = CodexSimulator(reply('Hi'))
    listener = await anyio.create_tcp_listener(local_host='127.0.0.1')
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    monkeypatch.setenv(variable, f'http://127.0.0.1:{port}')
    async with simulator.serve() as server, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, proxy)
        provider = CodexProvider(credentials=simulator.credentials, base_url=server.base_url)
        async with provider:
            assert await text_of(provider.client) == 'Hi'
        tasks.cancel_scope.cancel()
    await listener.aclose()

    assert seen == []


@pytest.mark.parametrize(
    ('variable', 'value', 'words'),
    [
        ('HTTPS_PROXY', 'weird://proxy', 'weird://proxy'),
        ('ALL_PROXY', 'socks5://127.0.0.1:1', r'`pip install httpx2\[socks\]`\. Look'),
        ('HTTPS_PROXY', 'http://me:secret', r'a URL that it is to use is none\. Look'),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_a_user_error(
    variable: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UserError, match=f'{words}.*HTTPS_PROXY') as caught:
        await Agent(CodexModel('gpt-5.5', provider=CodexProvider(credentials=CodexSimulator().credentials))).run('Hi')

    assert 'secret' not in ''.join(traceback.format_exception(caught.value))


async def test_cookies_are_not_kept() -> None:
    simulator = CodexSimulator(default=reply('Hi', headers={'set-cookie': 'sid=abc'}))
    async with simulator.serve() as server:
        provider = CodexProvider(credentials=simulator.credentials, base_url=server.base_url)
        async with provider:
            await text_of(provider.client)
            await text_of(provider.client)

    assert [each.headers.get('cookie') for each in simulator.requests] == [None, None]


class OtherLoop(httpx2.AsyncByteStream):
    """A body whose connection belongs to another event loop, which shows only when it is read."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b': ping\n\n'
        raise RuntimeError('is bound to a different event loop')

    async def aclose(self) -> None:
        raise RuntimeError('is bound to a different event loop')


def client_of_another_loop(status: int) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(status, stream=OtherLoop())))


async def test_a_connection_of_another_loop_may_show_late() -> None:
    async with client_of_another_loop(200) as http_client:
        with pytest.raises(ConfigurationError, match='pass a callable'):
            await client(CodexSimulator(), http_client=http_client).stream(request())


async def test_a_client_of_ours_that_cannot_be_used_is_a_transport_error() -> None:
    codex = client(
        CodexSimulator(), http_client=lambda: client_of_another_loop(200), policy=TransportPolicy(max_retries=0)
    )

    with pytest.raises(TransportError, match='cannot be used here'):
        await codex.stream(request())


async def test_a_status_is_told_even_where_its_body_cannot_be_read() -> None:
    async with client_of_another_loop(400) as http_client:
        with pytest.raises(BackendError, match='answered 400'):
            await client(CodexSimulator(), http_client=http_client).stream(request())


async def test_an_error_whose_body_never_comes_is_still_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, '_ERROR_BODY_SECONDS', 0.01)

    async def serve(connection: anyio.abc.SocketStream) -> None:
        async with connection:
            await connection.receive()
            await connection.send(b'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 10\r\n\r\n')
            await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host='127.0.0.1')
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        codex = CodexClient(
            credentials=CodexSimulator().credentials,
            base_url=f'http://127.0.0.1:{port}/v1',
            policy=TransportPolicy(max_retries=0),
        )
        codex.http_clients.enter()
        with pytest.raises(BackendError) as caught:
            await codex.stream(request())
        assert caught.value.status_code == 503
        await codex.http_clients.leave()
        tasks.cancel_scope.cancel()
    await listener.aclose()


async def test_a_conversation_does_not_go_on_under_another_account() -> None:
    first = CodexSimulator()
    logins = [first.credentials, CodexSimulator(account_id='another-account').credentials]

    class Changing(MemoryStore):
        async def load(self) -> Credentials:
            return logins.pop(0)

    codex = client(first, credentials=Changing())
    first.revoke()

    with pytest.raises(AccountChangedError, match='holds the login of another account than before'):
        await codex.stream(request())

    assert len(first.requests) == 1


@pytest.mark.parametrize(
    'headers',
    [
        {'x': ' secret'},
        {'x': 'secret '},
        {'x': ' '},
        {'x': 1},
        {'x': 'é'},
        {'x': 'a\nb'},
        {'': 'x'},
        {'x y': 'z'},
        ['x'],
        {'Content-Length': '3'},
        {'host': 'evil'},
    ],
    ids=str,
)
def test_headers_that_cannot_be_sent(headers: Any) -> None:
    with pytest.raises(ConfigurationError, match='extra_headers') as caught:
        request(extra_headers=headers)

    assert 'secret' not in str(caught.value)


async def test_a_header_that_the_library_refuses_is_told_without_its_words() -> None:
    asked: list[httpx2.Request] = []

    async def spoil(sent: httpx2.Request) -> None:
        asked.append(sent)
        sent.headers['x-key'] = 'secret '

    simulator = CodexSimulator(reply('Hi'))
    async with simulator.serve() as server:
        provider = CodexProvider(
            credentials=simulator.credentials,
            base_url=server.base_url,
            http_client=lambda: httpx2.AsyncClient(event_hooks={'request': [spoil]}),
        )
        async with provider:
            with pytest.raises(ConfigurationError, match='most likely because of a header') as caught:
                await provider.client.stream(request())

    assert 'secret' not in ''.join(traceback.format_exception(caught.value))
    assert [sent.method for sent in asked].count('POST') == 1


class Raising(httpx2.AsyncBaseTransport):
    """Raises for a status itself, as a transport that retries does."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.inner.handle_async_request(request)
        response.request = request
        return response.raise_for_status()


async def raise_for_status(response: httpx2.Response) -> None:
    response.raise_for_status()


async def read_and_raise_for_status(response: httpx2.Response) -> None:
    await response.aread()
    response.raise_for_status()


@pytest.mark.parametrize(
    ('hook', 'message'),
    [(None, ': Oh no.'), (read_and_raise_for_status, ': Oh no.'), (raise_for_status, ' without a message.')],
    ids=['transport', 'hook that reads', 'hook'],
)
async def test_a_status_that_somebody_else_raises_for_is_ours_to_judge(
    hook: Callable[[httpx2.Response], Awaitable[None]] | None, message: str
) -> None:
    simulator = CodexSimulator(fail(503, message='Oh no.'), fail(400, message='Oh no.'), fail(400, message='Oh no.'))

    def make() -> httpx2.AsyncClient:
        if hook is None:
            return httpx2.AsyncClient(transport=Raising(simulator.transport))
        return httpx2.AsyncClient(transport=simulator.transport, event_hooks={'response': [hook]})

    provider = simulator.provider(http_client=make, policy=TransportPolicy())
    second = CodexSimulator(reply('From the second.'))

    with pytest.raises(BackendError) as caught:
        await provider.client.stream(request())
    result = await Agent(FallbackModel(CodexModel('gpt-5.5', provider=provider), second.model())).run('Hi')

    assert caught.value.message == f'The backend answered 400{message}'
    assert [each.status for each in simulator.requests] == [503, 400, 400]
    assert (result.output, simulator.open_streams) == ('From the second.', 0)


class Stubborn(httpx2.AsyncByteStream):
    """A body that cannot be closed."""

    def __init__(self, content: list[bytes]) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self.content:
            yield each

    async def aclose(self) -> None:
        raise OSError('closing failed')


class StubbornTransport(httpx2.AsyncBaseTransport):
    """Answers with such bodies, and cannot be closed either."""

    def __init__(self, status: int, *content: bytes) -> None:
        self.answer = status, [*content]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        status, content = self.answer
        return httpx2.Response(status, stream=Stubborn(content))

    async def aclose(self) -> None:
        raise OSError('closing failed')


HI = sse_frame({'type': 'response.output_text.delta', 'item_id': 'm', 'delta': 'Hi'})
END = sse_frame({'type': 'response.completed', 'response': {}})


@pytest.mark.parametrize('content', [(HI, END), (HI, END, b': more\n\n'), (HI,)], ids=['whole', 'more', 'left early'])
async def test_an_answer_that_cannot_be_closed_is_an_answer(content: tuple[bytes, ...]) -> None:
    codex = client(CodexSimulator(), http_client=lambda: httpx2.AsyncClient(transport=StubbornTransport(200, *content)))
    codex.http_clients.enter()

    stream = await codex.stream(request())
    assert await stream.receive() == [TextDelta('m', 0, 'Hi')]
    if END in content:
        await stream.receive()
    await stream.aclose()

    lease = codex.http_clients.lease()
    await codex.http_clients.leave()
    assert not lease.client.is_closed
    await lease.release()
    # Nothing else holds the client.
    assert lease.client.is_closed


async def test_a_refusal_that_cannot_be_closed_is_a_refusal() -> None:
    def make() -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=StubbornTransport(400, b'{"detail": "Oh no."}'))

    with pytest.raises(BackendError, match='answered 400: Oh no'):
        await client(CodexSimulator(), http_client=make).stream(request())


@pytest.mark.parametrize(
    'error',
    [
        NotImplementedError('not here'),
        RuntimeError('a bug in a hook'),
        ValueError('another'),
        UserError('not like this'),
    ],
    ids=repr,
)
@pytest.mark.parametrize('shared', [False, True], ids=['factory', 'shared'])
async def test_what_is_not_the_librarys_stays_as_it_is(error: Exception, shared: bool) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise error

    http_client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    codex = client(CodexSimulator(), http_client=http_client if shared else lambda: http_client)

    with pytest.raises(type(error)) as caught:
        await codex.stream(request())

    assert caught.value is error


@pytest.mark.parametrize(
    'words',
    [
        '<asyncio.locks.Event object> is bound to a different event loop',
        'Task got Future <Future pending> attached to a different loop',
        'Event loop is closed',
        'Cannot send a request, as the client has been closed.',
        'unable to perform operation on <TCPTransport closed=True>; the handler is closed',
    ],
)
async def test_how_it_is_told_that_a_client_belongs_to_another_loop(words: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise RuntimeError(words)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http_client:
        with pytest.raises(ConfigurationError, match='pass a callable'):
            await client(CodexSimulator(), http_client=http_client).stream(request())


@pytest.mark.parametrize(
    'error', [httpx2.TooManyRedirects('round'), httpx2.CloseError('gone'), ConnectionResetError(104, 'reset')], ids=repr
)
async def test_every_other_error_of_the_library_is_a_transport_error(error: Exception) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise error

    codex = client(
        CodexSimulator(),
        http_client=lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(answer)),
        policy=TransportPolicy(max_retries=0),
    )
    with pytest.raises(TransportError, match='connection to the backend broke'):
        await codex.stream(request())


async def test_a_refusal_is_told_even_where_the_login_is_gone_by_then() -> None:
    simulator = CodexSimulator()
    logins = [simulator.credentials]
    simulator.revoke()

    class Vanishing(MemoryStore):
        async def load(self) -> Credentials:
            if not logins:
                raise CredentialsNotFoundError('There is no login.')
            return logins.pop()

    with pytest.raises(BackendError, match=r'was refused\. There is no login\.') as caught:
        await client(simulator, credentials=Vanishing()).stream(request())

    assert caught.value.status_code == 401


# The login in what comes back.


def echoing(status: int, kind: str, form: str) -> Callable[[httpx2.Request], httpx2.Response]:
    """A backend that says what it was asked, in words or in JSON."""

    def answer(sent: httpx2.Request) -> httpx2.Response:
        echo = f'{sent.headers["authorization"]} of {sent.headers["chatgpt-account-id"]}'
        content = form.replace('ECHO', echo).encode()
        headers = {'content-type': kind, 'x-echo': echo, 'set-cookie': 'sid=secret', 'x-request-id': echo}
        return httpx2.Response(status, headers=headers, content=content)

    return answer


FAILED = 'data: {"type": "response.failed", "response": {"error": {"code": "ECHO", "message": "ECHO", "x": ["ECHO"]}}}'
ECHOES = {
    'text': (400, 'text/plain', 'You sent ECHO.'),
    'JSON': (400, 'application/json', '{"error": {"message": "ECHO", "code": "ECHO", "ECHO": [{"type": "ECHO"}]}}'),
    'cut': (400, 'text/plain', 'x' * 450 + 'ECHO'),
    'page': (200, 'text/html', '<html>ECHO'),
    'cut page': (200, 'text/html', 'x' * 250 + 'ECHO'),
    'event': (200, 'text/event-stream', f'{FAILED}\n\n'),
    'event after a piece': (200, 'text/event-stream', f'{HI.decode()}{FAILED}\n\n'),
    'no end': (200, 'text/event-stream', 'data: {"type": "ECHO"}\n\n'),
    'redirect': (307, 'text/plain', ''),
}


@pytest.mark.parametrize('echo', ECHOES.values(), ids=ECHOES.keys())
async def test_a_login_that_is_echoed_is_not_shown(
    echo: tuple[int, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, 'pydantic_ai_codex')
    simulator = CodexSimulator(account_id='account-of-somebody')
    transport = httpx2.MockTransport(echoing(*echo))
    provider = simulator.provider(http_client=lambda: httpx2.AsyncClient(transport=transport))

    with pytest.raises(ModelAPIError) as caught:
        async with Agent(CodexModel('gpt-5.5', provider=provider)).run_stream('Hi') as result:
            await result.get_output()

    error, cause = caught.value, caught.value.__cause__
    assert isinstance(cause, CodexError)
    shown = [str(error), repr(error), repr(vars(error)), str(cause), repr(cause), repr(vars(cause)), repr(cause.args)]
    shown += [''.join(traceback.format_exception(error)), caplog.text, repr(pickle.dumps(error))]
    # The middle of a token, as it is cut off somewhere.
    for secret in (simulator.access_token[20:40], simulator.account_id, 'sid=secret'):
        assert not [each for each in shown if secret in each]


async def test_an_error_that_quotes_the_login_does_not_show_it() -> None:
    simulator = CodexSimulator()

    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.RemoteProtocolError(f'illegal header line: {request.headers["authorization"]}')

    codex = client(
        simulator,
        http_client=lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(answer)),
        policy=TransportPolicy(max_retries=0),
    )
    with pytest.raises(TransportError, match=r'illegal header line: Bearer \*\*\*') as caught:
        await codex.stream(request())

    assert simulator.access_token not in ''.join(traceback.format_exception(caught.value))


# What to do about it.


def refused(code: str) -> bytes:
    return sse_frame({'type': 'response.failed', 'response': {'error': {'code': code, 'message': 'No.'}}})


@pytest.mark.parametrize('begins', [b'', HI], ids=['at once', 'after a piece'])
@pytest.mark.parametrize('code', ['token_expired', 'usage_limit_reached'])
async def test_what_to_do_is_told_whenever_it_fails(begins: bytes, code: str) -> None:
    codex = client(CodexSimulator(raw_stream(begins, refused(code))), policy=TransportPolicy(max_retries=0))

    with pytest.raises(BackendError) as caught:
        await text_of(codex)

    assert caught.value.hint is not None
    assert caught.value.hint.startswith(
        {'token_expired': 'The login from `credentials`', 'usage_limit_reached': 'The limit of the plan'}[code]
    )


@pytest.mark.parametrize(
    ('location', 'hint'),
    [({}, None), ({'location': '/there'}, "It redirects to '/there', where the login is not sent.")],
    ids=['nowhere', 'somewhere'],
)
async def test_where_a_redirect_leads(location: dict[str, str], hint: str | None) -> None:
    with pytest.raises(BackendError) as caught:
        await client(CodexSimulator(fail(304, headers=location))).stream(request())

    assert caught.value.hint == (hint and f'{hint} Name the right `base_url`.')


async def test_a_program_without_a_console_has_no_log(
    codex_simulator: CodexSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    codex_simulator.add(reply('Hi'))
    monkeypatch.setenv('CODEX_DEBUG', '1')
    monkeypatch.setattr(sys, 'stderr', None)

    assert await text_of(client(codex_simulator)) == 'Hi'
