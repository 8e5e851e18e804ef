"""The callback server, over real sockets: what it takes, and from whom."""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import anyio
import anyio.abc
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth._login import callback as _callback
from pydantic_ai_codex.auth._login.answers import Granted
from pydantic_ai_codex.auth._login.callback import Answer, CallbackServer, open_callback_server
from pydantic_ai_codex.auth._login.callback_http import LARGEST_HEAD, Request, parse_head, refusal
from pydantic_ai_codex.auth._login.page import logged_in_page
from pydantic_ai_codex.errors import LoginError

from .login_service import Clock

pytestmark = pytest.mark.anyio

STATE = 'the-state'

HOST = '127.0.0.1'


@asynccontextmanager
async def waiting(answers: list[Answer]) -> AsyncGenerator[CallbackServer]:
    """A server that waits, and answers as soon as the right browser came."""
    async with await open_callback_server((0,), STATE, Clock()) as server, anyio.create_task_group() as tasks:

        def came(answer: Answer) -> None:
            answers.append(answer)
            if isinstance(answer, Granted):
                tasks.start_soon(server.show, HTTPStatus.OK, logged_in_page('user@example.com'))

        tasks.start_soon(server.serve, came)
        yield server
        tasks.cancel_scope.cancel()


async def send(port: int, content: str | bytes) -> str:
    """What comes back, until the server closes the connection."""
    content = content.replace('PORT', str(port)).encode('latin-1') if isinstance(content, str) else content
    received = b''
    with anyio.fail_after(60):
        async with await anyio.connect_tcp(HOST, port) as stream:
            await stream.send(content)
            async for chunk in stream:
                received += chunk
    return received.decode()


def get(target: str, *headers: str, host: str = f'{HOST}:PORT') -> str:
    return '\r\n'.join([f'GET {target} HTTP/1.1', f'Host: {host}', *headers, '', ''])


CALLBACK = f'/auth/callback?code=ac-secret&state={STATE}'


async def test_an_answer_and_its_page() -> None:
    answers: list[Answer] = []
    async with waiting(answers) as server:
        page = await send(server.port, get(CALLBACK))

    assert answers == [Granted('ac-secret')]
    head, _, body = page.partition('\r\n\r\n')
    assert head.replace(f'Content-Length: {len(body.encode())}', 'Content-Length: LENGTH') == snapshot("""\
HTTP/1.1 200 OK\r
Content-Type: text/html; charset=utf-8\r
Cache-Control: no-store\r
Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r
Referrer-Policy: no-referrer\r
X-Content-Type-Options: nosniff\r
Content-Length: LENGTH\r
Connection: close\
""")
    assert 'ac-secret' not in page
    assert STATE not in page


@pytest.mark.parametrize(
    ('request_text', 'status'),
    [
        (get('/'), 404),
        (get('/favicon.ico'), 404),
        (get('/auth/callback/x?code=1'), 404),
        (get(CALLBACK.replace('the', 'another')), 400),
        (get(CALLBACK, host='evil.example'), 400),
        (get(CALLBACK, host='127.0.0.1.evil.example:PORT'), 400),
        (get(CALLBACK, host='127.0.0.1:1'), 400),
        (get(CALLBACK, host='127.0.0.1'), 400),
        (get(CALLBACK, host='127.0.0.2:PORT'), 400),
        (get(CALLBACK, host='[::1]:PORT'), 400),
        (get(CALLBACK, host=''), 400),
        (get(CALLBACK, host='[::1'), 400),
        (get(CALLBACK, 'Host: 127.0.0.1:PORT'), 400),
        (get(CALLBACK, ' folded: header'), 400),
        (get(CALLBACK, 'no colon'), 400),
        (get(CALLBACK).replace('GET', 'POST'), 405),
        (get(CALLBACK).replace('GET', 'HEAD'), 405),
        (get(CALLBACK).replace('HTTP/1.1', 'HTTP/2'), 400),
        (get(f'http://127.0.0.1{CALLBACK}'), 400),
        ('\x16\x03\x01\x02\x00\r\n\r\n', 400),
        (get('/cancel', 'Origin: https://evil.example'), 403),
        (get('/cancel', 'Sec-Fetch-Site: cross-site'), 403),
        (get('/cancel', host='evil.example'), 400),
    ],
)
async def test_what_ends_nothing(request_text: str, status: int) -> None:
    answers: list[Answer] = []
    async with waiting(answers) as server:
        refused = await send(server.port, request_text)
        assert answers == []
        accepted = await send(server.port, get(CALLBACK))

    assert refused.startswith(f'HTTP/1.1 {status} ')
    assert accepted.startswith('HTTP/1.1 200 ')
    assert len(answers) == 1


@pytest.mark.parametrize('host', ['127.0.0.1:1455', 'localhost:1455', 'LOCALHOST:1455'])
def test_hosts_of_this_machine(host: str) -> None:
    assert refusal(Request('GET', '/auth/callback', '', {'host': host}), 1455) is None


async def test_a_head_without_end_is_cut() -> None:
    answers: list[Answer] = []
    async with waiting(answers) as server:
        async with await anyio.connect_tcp(HOST, server.port) as stream:
            refused = b''
            with anyio.fail_after(60):
                with pytest.raises((anyio.BrokenResourceError, anyio.EndOfStream)):
                    while True:
                        await stream.send(b'GET / HTTP/1.1\r\n' + b'x' * LARGEST_HEAD)
                        refused += await stream.receive()
        accepted = await send(server.port, get(CALLBACK))

    assert refused == b'' or refused.startswith(b'HTTP/1.1 400 ')
    assert accepted.startswith('HTTP/1.1 200 ')


async def test_who_sends_nothing_keeps_nobody_waiting() -> None:
    answers: list[Answer] = []
    async with (
        waiting(answers) as server,
        # A browser opens connections ahead, and leaves some in the middle of a request.
        await anyio.connect_tcp(HOST, server.port),
        await anyio.connect_tcp(HOST, server.port) as other,
    ):
        await other.send(b'GET / HT')
        accepted = await send(server.port, get(CALLBACK))

    assert accepted.startswith('HTTP/1.1 200 ')


async def test_who_is_slow_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_callback, '_HEAD_TIMEOUT', 0.05)
    async with waiting([]) as server:
        assert await send(server.port, 'GET /auth') == ''


async def test_who_leaves_ends_nothing() -> None:
    answers: list[Answer] = []
    async with waiting(answers) as server:
        async with await anyio.connect_tcp(HOST, server.port) as stream:
            await stream.send(b'GET / HTTP/1.1\r\n')
        assert (await send(server.port, get(CALLBACK))).startswith('HTTP/1.1 200 ')


async def test_a_browser_that_leaves_does_not_end_the_login() -> None:
    async with await open_callback_server((0,), STATE, Clock()) as server, anyio.create_task_group() as tasks:
        came = anyio.Event()

        def set_came(answer: Answer) -> None:
            came.set()

        tasks.start_soon(server.serve, set_came)
        async with await anyio.connect_tcp(HOST, server.port) as stream:
            await stream.send(get(CALLBACK, host=f'{HOST}:{server.port}').encode())
            with anyio.fail_after(60):
                await came.wait()
        with anyio.fail_after(60):
            await server.show(HTTPStatus.OK, logged_in_page('user@example.com'))
        tasks.cancel_scope.cancel()


async def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level('DEBUG')
    async with waiting([]) as server:
        await send(server.port, get(CALLBACK))
        await send(server.port, 'nonsense\r\n\r\n')

    assert (caplog.text, capfd.readouterr()) == ('', ('', ''))


async def test_other_machines_get_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_loopback(host: str) -> bool:
        return False

    monkeypatch.setattr(_callback, 'is_loopback', is_loopback)
    answers: list[Answer] = []
    async with waiting(answers) as server:
        assert await send(server.port, get(CALLBACK)) == ''

    assert answers == []


async def test_it_listens_on_the_loopback_address_only() -> None:
    async with await open_callback_server((0,), STATE, Clock()) as server:
        assert server.redirect_uri == f'http://127.0.0.1:{server.port}/auth/callback'
        address = server._listener.extra(anyio.abc.SocketAttribute.local_address)  # pyright: ignore[reportPrivateUsage]

    assert address == (HOST, server.port)


@asynccontextmanager
async def held_port(requests: list[bytes]) -> AsyncGenerator[int]:
    """A port that another program holds, which answers as any server does and does not go."""
    async with await anyio.create_tcp_listener(local_host=HOST) as listener, anyio.create_task_group() as tasks:

        async def handle(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                requests.append(await stream.receive())
                await stream.send(b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')

        tasks.start_soon(listener.serve, handle)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


async def test_a_busy_port_is_asked_for_and_then_left() -> None:
    requests: list[bytes] = []
    clock = Clock()
    async with held_port(requests) as busy, await open_callback_server((busy, 0), STATE, clock) as server:
        assert server.port != busy

    assert [request.partition(b'\r\n')[0] for request in requests] == [b'GET /cancel HTTP/1.1']
    assert clock.waits == [0.2] * 10


async def test_no_port_at_all() -> None:
    async with held_port([]) as first, held_port([]) as second:
        with pytest.raises(LoginError) as raised:
            await open_callback_server((first, second), STATE, Clock())

    assert raised.value.reason == 'port'
    assert str(raised.value).replace(str(first), 'FIRST').replace(str(second), 'SECOND') == snapshot(
        'The login page can only come back to port FIRST and SECOND of this machine, which cannot be had. Another login may hold it (`codex login`, an editor), or a container or `ssh -L` that forwards it: end that, then try again; or log in with `--device`, or with `--paste`, which need no port.'
    )


async def test_a_login_that_waits_makes_room_for_the_next() -> None:
    answers: list[Answer] = []

    class Yielding(Clock):
        async def sleep(self, seconds: float) -> None:
            if not closed.is_set():
                with anyio.fail_after(60):
                    await closed.wait()

    closed = anyio.Event()
    async with anyio.create_task_group() as tasks:
        first = await open_callback_server((0,), STATE, Clock())
        stop = anyio.CancelScope()

        async def serve() -> None:
            def came(answer: Answer) -> None:
                answers.append(answer)
                stop.cancel()

            async with first:
                with stop:
                    await first.serve(came)
            closed.set()

        tasks.start_soon(serve)
        async with await open_callback_server((first.port,), STATE, Yielding()) as second:
            assert second.port == first.port

    (answer,) = answers
    assert isinstance(answer, LoginError)
    assert answer.reason == 'cancelled'


async def test_a_reserved_port_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_free(port: int) -> None:
        if port == 1455:
            raise PermissionError(13, 'reserved')

    monkeypatch.setattr(_callback, 'check_free', check_free)
    clock = Clock()
    async with await open_callback_server((1455, 0), STATE, clock) as server:
        assert server.port not in (0, 1455)

    assert clock.waits == []


class Accepting:
    """A listener whose first attempts fail."""

    def __init__(self, listener: anyio.abc.Listener[anyio.abc.SocketStream], *errors: OSError) -> None:
        self.listener: Any = listener
        self.errors = list(errors)
        self.accept = self.listener.accept

    async def __call__(self) -> anyio.abc.SocketStream:
        if self.errors:
            raise self.errors.pop(0)
        return await self.accept()


async def test_a_listener_that_breaks_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Answer] = []

    async with await anyio.create_tcp_listener(local_host=HOST) as listener:
        (one,) = listener.listeners
        monkeypatch.setattr(one, 'accept', Accepting(one, OSError(errno.EBADF, 'Bad file descriptor')))
        await CallbackServer(listener, STATE).serve(answers.append)

    (answer,) = answers
    assert isinstance(answer, LoginError)
    assert answer.reason == 'port'


async def test_a_machine_that_takes_no_more_connections_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_callback, '_CROWDED_PAUSE', 0)
    answers: list[Answer] = []
    async with await anyio.create_tcp_listener(local_host=HOST) as listener, anyio.create_task_group() as tasks:
        (one,) = listener.listeners
        monkeypatch.setattr(one, 'accept', Accepting(one, *[OSError(errno.EMFILE, 'Too many open files')] * 3))
        server = CallbackServer(listener, STATE)
        tasks.start_soon(server.serve, answers.append)

        assert (await send(server.port, get('/'))).startswith('HTTP/1.1 404 ')
        tasks.cancel_scope.cancel()

    assert answers == []


async def test_of_many_who_send_nothing_the_oldest_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_callback, '_MOST_SILENT', 2)
    async with (
        waiting([]) as server,
        await anyio.connect_tcp(HOST, server.port) as oldest,
        await anyio.connect_tcp(HOST, server.port),
        await anyio.connect_tcp(HOST, server.port),
    ):
        with anyio.fail_after(60), pytest.raises(anyio.EndOfStream):
            await oldest.receive()


def test_a_head_is_read() -> None:
    assert parse_head(b'GET /a?b=c HTTP/1.1\r\nHost:  localhost \r\nX-Two: 2') == Request(
        'GET', '/a', 'b=c', {'host': 'localhost', 'x-two': '2'}
    )
