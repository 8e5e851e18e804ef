"""The simulated GitHub: rate limits, and answers that a test orders."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import anyio
import httpx2
import pytest
from pydantic_ai import Agent

from pydantic_ai_codex import CodexModelSettings
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    GitHubEntry,
    GitHubRequest,
    SimulatorError,
    answer_with,
    connect_error,
    fail,
    late_answer,
    lost_answer,
    rate_limited,
    reply,
    slow_answer,
)

pytestmark = pytest.mark.anyio

API = 'https://api.github.com/repos/openai/codex/releases/latest'
PAGE = 'https://github.com/openai/codex/releases/latest'
PATH = 'codex-rs/core/prompt.md'
RAW = f'https://raw.githubusercontent.com/openai/codex/rust-v0.0.1/{PATH}'
URLS = [API, PAGE, RAW]
NO_ENTRY: Any = reply('Hi')
NO_HOST: Any = 'web'
NO_NUMBER: Any = '5'
OFFICIAL = CodexModelSettings(codex_instructions='official')
Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)


async def get(simulator: CodexSimulator, url: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    async with simulator.http_client() as client:
        return await client.get(url, headers=headers)


async def statuses(simulator: CodexSimulator, *urls: str) -> list[int]:
    return [(await get(simulator, url)).status_code for url in urls]


async def test_the_api_answers_only_so_often() -> None:
    clock = Clock()
    simulator = CodexSimulator(now=clock)
    entity_tag = (await get(simulator, API)).headers['etag']
    counted = [await get(simulator, API, {'if-none-match': entity_tag}) for _ in range(60)]
    clock.advance(3600)
    later = await get(simulator, API)

    assert [answer.status_code for answer in counted] == [*[304] * 59, 403]
    assert counted[-1].headers['x-ratelimit-remaining'] == '0'
    assert int(counted[-1].headers['x-ratelimit-reset']) == int(clock.now.timestamp())
    assert (later.status_code, later.headers['x-ratelimit-remaining']) == (200, '59')


async def test_the_other_hosts_are_not_counted() -> None:
    simulator = CodexSimulator()
    simulator.github.rate_limit = 0

    assert await statuses(simulator, *URLS) == [403, 302, 200]
    assert simulator.github.rate_limit == 0


async def test_a_rate_limit_that_is_ordered() -> None:
    clock = Clock()
    simulator = CodexSimulator(now=clock)
    simulator.github.add(
        rate_limited(90), rate_limited(timedelta(seconds=89.1), status=429), rate_limited(89.1, status=429)
    )
    refused, secondary, raw = [await get(simulator, url) for url in (API, API, RAW)]

    assert (refused.status_code, refused.headers['x-ratelimit-remaining']) == (403, '0')
    assert int(refused.headers['x-ratelimit-reset']) == int(clock.now.timestamp()) + 90
    assert 'rate limit' in refused.json()['message']
    assert (secondary.status_code, secondary.headers['retry-after']) == (429, '90')
    assert (raw.status_code, raw.headers['retry-after']) == (429, '90')
    assert raw.headers['content-type'].startswith('text/plain')
    assert await statuses(simulator, *URLS) == [200, 302, 200]


async def test_times_are_rounded_up() -> None:
    """Who comes back when it was told to is not refused again."""
    clock = Clock()
    clock.advance(0.5)
    simulator = CodexSimulator(now=clock)
    simulator.github.add(rate_limited(0.2), rate_limited(1e12))
    resets = [(await get(simulator, API)).headers['x-ratelimit-reset'] for _ in range(3)]

    now = int(clock.now.timestamp())
    assert resets == [str(now + 1), str(now + 10**12 + 1), str(now + 3601)]


async def test_what_was_added_answers_in_order() -> None:
    simulator = CodexSimulator()
    simulator.github.add(fail(500), None, fail(404, body='404: Not Found'), connect_error())

    assert await statuses(simulator, API, API, RAW) == [500, 200, 404]
    with pytest.raises(httpx2.ConnectError):
        await get(simulator, PAGE)
    assert await statuses(simulator, RAW) == [200]
    assert [request.status for request in simulator.github.requests] == [500, 200, 404, None, 200]
    assert all(request.closed for request in simulator.github.requests)


async def test_a_refused_request_uses_no_entry() -> None:
    simulator = CodexSimulator()
    simulator.github.add(fail(500))
    async with simulator.http_client() as client:
        method = await client.post(API)
        login = await client.get(API, headers={'authorization': 'Bearer any'})

    assert (method.status_code, login.status_code, await statuses(simulator, API)) == (404, 401, [500])


async def test_it_fails_until_it_recovers() -> None:
    simulator = CodexSimulator()
    simulator.github.fail_with(fail(503))
    simulator.github.add(None)
    before = await statuses(simulator, API, *URLS)
    simulator.github.recover(host='raw')
    between = await statuses(simulator, *URLS)
    simulator.github.recover()

    assert (before, between, await statuses(simulator, *URLS)) == (
        [200, 503, 503, 503],
        [503, 503, 200],
        [200, 302, 200],
    )
    simulator.assert_exhausted()


async def test_one_host_fails() -> None:
    simulator = CodexSimulator()
    simulator.github.fail_with(rate_limited(), host='api')
    simulator.github.fail_with(fail(502), host='raw')

    assert await statuses(simulator, *URLS) == [403, 302, 502]


async def test_other_contents() -> None:
    simulator = CodexSimulator()
    huge = b'x' * 3_000_000
    simulator.github.add(
        answer_with('{"tag_name": '),
        answer_with({'tag_name': 7}),
        answer_with(''),
        answer_with(b'\xff\xfe', headers={'ETag': '"bytes"'}),
        answer_with(huge),
        answer_with('', status=301, headers={'Location': 'https://github.com/elsewhere'}),
    )
    answers = [await get(simulator, url) for url in (API, API, RAW, RAW, RAW, PAGE)]

    assert [answer.content for answer in answers[2:5]] == [b'', b'\xff\xfe', huge]
    assert (answers[0].text, answers[1].json()) == ('{"tag_name": ', {'tag_name': 7})
    assert answers[3].headers['etag'] == '"bytes"'
    assert (answers[5].status_code, answers[5].headers['location']) == (301, 'https://github.com/elsewhere')


async def test_a_body_comes_in_pieces() -> None:
    """As from a socket, so that a client can stop at its bound."""
    simulator = CodexSimulator()
    simulator.github.add(answer_with(b'x' * 200_000))
    async with simulator.http_client() as client, client.stream('GET', RAW) as answer:
        sizes = [len(piece) async for piece in answer.aiter_raw()]

    assert sizes == [65_536, 65_536, 65_536, 3_392]


async def test_a_function_decides() -> None:
    simulator = CodexSimulator()

    def unreachable(request: GitHubRequest) -> None:
        raise httpx2.ConnectTimeout(f'no way to {request.host}')

    simulator.github.fail_with(lambda request: fail(404) if request.host == 'raw' else None)
    simulator.github.add(unreachable)
    with pytest.raises(httpx2.ConnectTimeout, match='no way to page'):
        await get(simulator, PAGE)

    assert await statuses(simulator, *URLS) == [200, 302, 404]
    simulator.assert_exhausted()


def broken(request: GitHubRequest) -> None:
    raise KeyError(request.host)


def mistaken(request: GitHubRequest) -> Any:
    return reply(request.host)


@pytest.mark.parametrize(('entry', 'match'), [(broken, "raised KeyError: 'api'"), (mistaken, 'latest returned Turn')])
async def test_a_function_that_fails_comes_out_in_the_end(entry: GitHubEntry, match: str) -> None:
    """A client may go on without GitHub, whatever is wrong there."""
    simulator = CodexSimulator()
    simulator.github.add(entry)
    with pytest.raises(SimulatorError, match=match):
        await get(simulator, API)
    with pytest.raises(SimulatorError, match=match):
        simulator.assert_exhausted()


class End(BaseException):
    """As that of `pytest.fail()`."""


async def test_a_function_that_ends_the_test_comes_out_at_once_and_in_the_end() -> None:
    simulator = CodexSimulator()

    def end(request: GitHubRequest) -> None:
        raise End(request.host)

    simulator.github.add(end)
    with pytest.raises(End):
        await get(simulator, API)
    with pytest.raises(SimulatorError, match=r'The answer to GET .*latest raised End: api'):
        simulator.assert_exhausted()
    assert simulator.github.requests[0].closed


async def test_whatever_fails_comes_out_in_the_end() -> None:
    """Here a text that cannot be encoded."""
    simulator = CodexSimulator(reply('Hi'))
    simulator.github.publish('rust-v1.0.0', dict.fromkeys(simulator.github.files(), '\ud800'))
    await Agent(simulator.model('gpt-5.1-codex'), model_settings=OFFICIAL).run('Hello')

    assert all(request.closed for request in simulator.github.requests)
    with pytest.raises(SimulatorError, match=r'The answer to GET /openai/codex/.* raised UnicodeEncodeError'):
        simulator.assert_exhausted()


@pytest.mark.parametrize('order', [late_answer, lost_answer])
async def test_a_hook_that_fails_comes_out_in_the_end(order: Callable[..., GitHubEntry]) -> None:
    simulator = CodexSimulator(reply('Hi'))

    def broken() -> None:
        raise KeyError('mine')

    simulator.github.add(order(before=broken))
    await Agent(simulator.model('gpt-5.1-codex'), model_settings=OFFICIAL).run('Hello')

    with pytest.raises(SimulatorError, match=r"^What is called before the answer raised KeyError: 'mine'$"):
        simulator.assert_exhausted()


async def test_what_was_not_used_comes_out_in_the_end() -> None:
    simulator = CodexSimulator()
    simulator.github.add(fail(500), fail(501), answer_with(b'x' * 1_000_000))
    await get(simulator, API)

    expected = r'Not used of the script of GitHub: HttpFailure\(status=501.*1: GET'
    with pytest.raises(SimulatorError, match=expected) as raised:
        simulator.assert_exhausted()
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize(
    ('entry', 'error'),
    [
        (lost_answer(), httpx2.ReadError),
        (lost_answer(cut_after=10), httpx2.RemoteProtocolError),
        (connect_error(httpx2.ConnectTimeout), httpx2.ConnectTimeout),
    ],
)
async def test_answers_that_are_lost(entry: GitHubEntry, error: type[Exception]) -> None:
    simulator = CodexSimulator()
    simulator.github.add(entry)
    with pytest.raises(error):
        await get(simulator, RAW)

    assert simulator.github.requests[0].closed


@pytest.mark.parametrize(
    'entry', [late_answer(seconds=math.inf), slow_answer(stall_after=10), slow_answer(seconds=math.inf)]
)
async def test_answers_that_never_end(entry: GitHubEntry) -> None:
    simulator = CodexSimulator()
    simulator.github.add(entry)
    async with simulator.http_client() as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(RAW, timeout=httpx2.Timeout(5, read=0.01))

    assert simulator.github.requests[0].closed


@pytest.mark.parametrize('entry', [lost_answer(), lost_answer(cut_after=10), connect_error()])
async def test_over_a_port_the_connection_drops(entry: GitHubEntry) -> None:
    simulator = CodexSimulator()
    simulator.github.add(entry)
    async with simulator.serve() as server, httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.TransportError):
            await client.get(f'{server.issuer}/openai/codex/rust-v0.0.1/{PATH}')

    assert len(simulator.github.requests) == 1


async def test_the_clock_of_a_test_goes_on_while_an_answer_comes() -> None:
    clock = Clock()
    simulator = CodexSimulator(now=clock)
    begin = clock.now
    simulator.github.add(late_answer(before=lambda: clock.advance(30)), slow_answer(before_each=clock.advance))
    late = await get(simulator, RAW)
    after_late = clock.now
    slow = await get(simulator, RAW, {'accept-encoding': 'identity'})

    text = simulator.github.files()[PATH]
    assert (late.text, slow.text) == (text, text)
    assert ((after_late - begin).seconds, (clock.now - after_late).seconds) == (30, len(text))


async def test_a_slow_answer_can_wait_for_the_test(until: Until) -> None:
    simulator = CodexSimulator()
    released, waiting = Event(), Event()

    def wait() -> None:
        waiting.set()
        released.wait(60)

    simulator.github.add(slow_answer(piece_bytes=1_000_000, before_each=wait))
    answers: list[httpx2.Response] = []

    async def ask() -> None:
        answers.append(await get(simulator, RAW))

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await until(waiting.is_set)
            answers.append(await get(simulator, PAGE))
            released.set()
    finally:
        released.set()

    assert [answer.status_code for answer in answers] == [302, 200]


async def test_what_is_called_before_each_piece_may_fail() -> None:
    simulator = CodexSimulator()

    def drop() -> None:
        raise httpx2.ReadError('gone')

    def broken() -> None:
        raise KeyError('mine')

    simulator.github.add(slow_answer(before_each=drop), slow_answer(before_each=broken))
    with pytest.raises(httpx2.RemoteProtocolError):
        await get(simulator, RAW)
    with pytest.raises(SimulatorError, match='KeyError'):
        await get(simulator, RAW)

    assert [request.closed for request in simulator.github.requests] == [True, True]


async def test_the_login_service_answers_slowly_as_well() -> None:
    simulator = CodexSimulator()
    pieces: list[None] = []
    simulator.oauth.script_revoke(slow_answer(before_each=lambda: pieces.append(None)))
    body = {
        'token': simulator.credentials.refresh_token,
        'token_type_hint': 'refresh_token',
        'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
    }
    headers = {'originator': 'codex_exec', 'user-agent': 'codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm'}
    async with simulator.http_client() as client:
        answer = await client.post('https://auth.openai.com/oauth/revoke', json=body, headers=headers)

    assert (answer.status_code, len(pieces)) == (200, len(answer.content))


def test_many_threads_ask_one_simulator() -> None:
    simulator = CodexSimulator()
    simulator.github.rate_limit = 1_000
    simulator.github.add(*[fail(500)] * 40)

    def ask(number: int) -> int:
        simulator.github.publish(f'rust-v1.{number}.0', latest=False)
        return anyio.run(get, simulator, URLS[number % 3]).status_code

    with ThreadPoolExecutor(8) as threads:
        answered = list(threads.map(ask, range(80)))

    requests = simulator.github.requests
    assert (answered.count(500), len(requests)) == (40, 80)
    assert [request.number for request in requests] == list(range(1, 81))
    assert int(anyio.run(get, simulator, API).headers['x-ratelimit-used']) == 1 + sum(
        request.host == 'api' and request.status == 200 for request in requests
    )
    simulator.assert_exhausted()


@pytest.mark.parametrize(
    ('make', 'match'),
    [
        (lambda: rate_limited(status=500), 'status=500'),
        (lambda: rate_limited(-1), 'seconds=-1'),
        (lambda: rate_limited(math.inf), 'seconds=inf'),
        (lambda: rate_limited(NO_NUMBER), "seconds='5'"),
        (lambda: CodexSimulator().github.__setattr__('rate_limit', -1), 'rate_limit=-1'),
        (lambda: CodexSimulator().github.__setattr__('rate_limit', None), 'rate_limit=None'),
        (lambda: CodexSimulator().github.__setattr__('rate_limit', NO_NUMBER), "rate_limit='5'"),
        (lambda: slow_answer(piece_bytes=0), 'piece_bytes=0'),
        (lambda: slow_answer(seconds=math.nan), 'seconds=nan'),
        (lambda: slow_answer(stall_after=-1), 'stall_after=-1'),
        (lambda: CodexSimulator().github.add(NO_ENTRY), 'is no answer of GitHub'),
        (lambda: CodexSimulator().github.fail_with(NO_ENTRY), 'is no answer of GitHub'),
        (lambda: CodexSimulator().github.fail_with(fail(500), host=NO_HOST), "host='web'"),
        (lambda: CodexSimulator().github.recover(host=NO_HOST), "host='web'"),
    ],
)
def test_orders_that_cannot_be(make: Callable[[], object], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        make()
