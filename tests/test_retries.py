"""What is tried again, when, and for how long; no test waits."""

from __future__ import annotations

import logging
import math
import pickle
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx2
import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError, UserError

from pydantic_ai_codex import CodexProvider, Retry, TransportPolicy
from pydantic_ai_codex._client import CodexClient, CodexStream
from pydantic_ai_codex._clock import SystemClock
from pydantic_ai_codex._protocol.events import Event, ResponseEnded, ResponseStarted, TextDelta
from pydantic_ai_codex._protocol.requests import CodexRequest
from pydantic_ai_codex.auth import Credentials, MemoryStore
from pydantic_ai_codex.errors import (
    BackendError,
    CodexError,
    ConfigurationError,
    CredentialsError,
    CredentialsNotFoundError,
    IncompleteStreamError,
    MalformedStreamError,
    StreamError,
    TransportError,
    TransportTimeoutError,
)
from pydantic_ai_codex.testing import (
    CodexSimulator,
    RecordedRequest,
    ScriptEntry,
    SimulatorError,
    Turn,
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
from pydantic_ai_codex.testing._clock import InstantClock

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CUT = turn(say('one two three'), cut_after=6)
"""It breaks off after some of its text."""


STARTED = sse_frame({'type': 'response.created', 'response': {'id': 'resp_1'}})
DELTA = sse_frame({'type': 'response.output_text.delta', 'item_id': 'm', 'delta': 'Hi'})
ENDED = sse_frame({'type': 'response.completed', 'response': {}})


def request(**fields: Any) -> CodexRequest:
    message = {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Hi'}]}
    made: dict[str, Any] = {'model': 'gpt-5.5', 'instructions': 'Be.', 'input': [message], 'session_id': 's-1'}
    return CodexRequest(**made | fields)


class Setup:
    """A client of a simulator, with a clock whose waits are over at once."""

    def __init__(self, *script: ScriptEntry, **policy: Any) -> None:
        self.simulator = CodexSimulator(*script, now=lambda: NOW)
        self.clock = InstantClock(lambda: NOW)
        self.provider = self.simulator.provider(policy=TransportPolicy(**policy), clock=self.clock)
        self.client: CodexClient = self.provider.client

    @property
    def statuses(self) -> list[int | None]:
        return [each.status for each in self.simulator.requests]

    async def ask(self, **options: Any) -> list[Event]:
        """The events of one answer."""
        stream = await self.client.stream(request(), **options)
        try:
            return await rest_of(stream)
        finally:
            await stream.aclose()


async def rest_of(stream: CodexStream) -> list[Event]:
    events: list[Event] = []
    while batch := await stream.receive():
        events += batch
    return events


def text_of(events: list[Event]) -> str:
    return ''.join(event.text for event in events if isinstance(event, TextDelta))


RETRIED = {
    'no connection': connect_error(),
    'connect timeout': connect_error(httpx2.ConnectTimeout, 'slow'),
    'pool timeout': connect_error(httpx2.PoolTimeout, 'full'),
    'write error': connect_error(httpx2.WriteError, 'broken'),
    'write timeout': connect_error(httpx2.WriteTimeout, 'slow'),
    'read error': connect_error(httpx2.ReadError, 'broken'),
    'read timeout': connect_error(httpx2.ReadTimeout, 'slow'),
    'disconnected': connect_error(httpx2.RemoteProtocolError, 'Server disconnected without sending a response.'),
    'unknown phase': connect_error(httpx2.UnsupportedProtocol, 'what'),
    '408': fail(408),
    '429': fail(429),
    '429 code': fail(429, code='rate_limit_exceeded'),
    '500': fail(500),
    '500 code': fail(500, code='server_error'),
    '502 page': fail(502, body='<html>Bad gateway</html>'),
    '503': fail(503),
    '503 code': fail(503, code='server_is_overloaded'),
    '520': fail(520),
    '403 page': fail(403, body='<html>Forbidden</html>'),
    '404': fail(404),
    'stream: rate limit': fail_in_stream('rate_limit_exceeded'),
    'stream: slow down': fail_in_stream('slow_down'),
    'stream: server error': fail_in_stream('server_error'),
    'stream: unknown code': fail_in_stream('vector_store_timeout'),
    'stream: error event': raw_stream(sse_frame({'type': 'error', 'message': 'Oh.'})),
    'stream: cut at the start': turn(say('Hi'), cut_after=0),
    'stream: cut after response.created': turn(say('Hi'), cut_after=1),
    'stream: ends at the start': turn(say('Hi'), end_after=0),
    'stream: ends after response.created': turn(say('Hi'), end_after=1),
}

RAISED = {
    'plan limit': usage_limit(),
    '429 usage_not_included': fail(429, error_type='usage_not_included'),
    '429 insufficient_quota': fail(429, code='insufficient_quota'),
    '500 insufficient_quota': fail(500, code='insufficient_quota'),
    '500 context window': fail(500, code='context_length_exceeded'),
    '500 invalid prompt': fail(500, code='invalid_prompt'),
    '307': fail(307, headers={'location': '/elsewhere'}),
    '400': fail(400),
    '401': fail(401),
    '402': fail(402),
    '404 code': fail(404, code='model_not_found'),
    '422': fail(422),
    'stream: plan limit': fail_in_stream('usage_limit_reached'),
    'stream: usage_not_included': fail_in_stream('usage_not_included'),
    'stream: insufficient_quota': fail_in_stream('insufficient_quota'),
    'stream: context window': fail_in_stream('context_length_exceeded'),
    'stream: invalid prompt': fail_in_stream('invalid_prompt'),
    'stream: overloaded': fail_in_stream('server_is_overloaded'),
    'stream: policy': fail_in_stream('cyber_policy'),
    'no stream': raw_stream(b'<html>Hello</html>', content_type='text/html'),
}


@pytest.mark.parametrize('entry', RETRIED.values(), ids=list(RETRIED))
@pytest.mark.parametrize('whole', [False, True], ids=['stream', 'whole'])
async def test_what_is_tried_again(entry: ScriptEntry, whole: bool) -> None:
    setup = Setup(entry, reply('Hello'))

    events = await setup.ask(whole=whole)

    assert text_of(events) == 'Hello'
    assert [type(event) for event in events].count(ResponseStarted) == 1
    assert setup.clock.waits == [0.2]
    assert setup.simulator.open_streams == 0


@pytest.mark.parametrize('entry', RAISED.values(), ids=list(RAISED))
@pytest.mark.parametrize('whole', [False, True], ids=['stream', 'whole'])
async def test_what_is_raised_at_once(entry: ScriptEntry, whole: bool) -> None:
    setup = Setup(entry, reply('Hello'))

    with pytest.raises(CodexError):
        await setup.ask(whole=whole)

    assert setup.clock.waits == []
    assert (setup.simulator.remaining, setup.simulator.open_streams) == (1, 0)


async def test_an_event_beyond_every_bound_is_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('pydantic_ai_codex._protocol.sse.SSEDecoder.feed', _too_large)
    setup = Setup(reply('Hello'), reply('Hello'))

    with pytest.raises(MalformedStreamError):
        await setup.ask()

    assert len(setup.simulator.requests) == 1


def _too_large(decoder: object, chunk: bytes) -> list[bytes]:
    raise MalformedStreamError('An event of the stream is too large.')


async def test_what_was_never_sent_is_raised_at_once() -> None:
    class NoLogin(MemoryStore):
        async def load(self) -> Credentials:
            raise CredentialsNotFoundError('There is no login.')

    setup = Setup(reply('Hello'))
    without_login = setup.simulator.provider(policy=TransportPolicy(), clock=setup.clock, credentials=NoLogin())

    with pytest.raises(ConfigurationError):
        await setup.client.stream(request(timeout='soon'))
    with pytest.raises(CredentialsError):
        await without_login.client.stream(request())

    assert (setup.clock.waits, setup.simulator.requests) == ([], [])


async def test_a_script_that_is_used_up_is_not_tried_again() -> None:
    setup = Setup()

    with pytest.raises(SimulatorError):
        await setup.ask()

    assert (setup.clock.waits, len(setup.simulator.requests)) == ([], 1)


async def test_each_wait_is_longer_up_to_a_bound() -> None:
    setup = Setup(*[fail(500)] * 6, reply('Hello'), max_retries=6, max_delay=2.0)

    assert text_of(await setup.ask()) == 'Hello'

    assert setup.clock.waits == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_the_last_error_is_raised_when_the_retries_are_used_up() -> None:
    setup = Setup(fail(500), connect_error(), fail(503), reply('Hello'), max_retries=2)

    with pytest.raises(BackendError) as caught:
        await setup.ask()

    assert caught.value.status_code == 503
    assert caught.value.__context__ is None
    assert setup.statuses == [500, None, 503]
    assert setup.clock.waits == [0.2, 0.4]


async def test_by_default_there_are_four_retries() -> None:
    setup = Setup(*[fail(500)] * 6)

    with pytest.raises(BackendError):
        await setup.ask()

    assert len(setup.simulator.requests) == 5


@pytest.mark.parametrize(('max_retries', 'requests'), [(0, 1), (1, 2), (None, 3)])
async def test_a_request_may_have_its_own_number(max_retries: int | None, requests: int) -> None:
    setup = Setup(*[fail(500)] * 6, max_retries=2)

    with pytest.raises(BackendError):
        await setup.ask(max_retries=max_retries)

    assert len(setup.simulator.requests) == requests


async def test_a_wrong_number_is_refused() -> None:
    setup = Setup(reply('Hello'))

    with pytest.raises(ConfigurationError, match='`max_retries` takes a whole number from 0 to 100, not -1'):
        await setup.ask(max_retries=-1)

    assert setup.simulator.requests == []


@pytest.mark.parametrize(
    ('entry', 'waits'),
    [
        (fail(429, headers={'retry-after': '7'}), [7.0]),
        (fail(503, headers={'retry-after': '7'}), [7.0]),
        (fail(429, headers={'retry-after-ms': '1500'}), [1.5]),
        (fail(429, headers={'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT'}), [30.0]),
        (fail(429, headers={'retry-after': '60'}), [60.0]),
        # Less than the backoff is no reason to hurry.
        (fail(429, headers={'retry-after': '0'}), [0.2]),
        (fail(429, headers={'retry-after-ms': '20'}), [0.2]),
        (fail(429, headers={'retry-after': 'soon'}), [0.2]),
        (fail(429, code='rate_limit_exceeded', message='Please try again in 1.5s.'), [1.5]),
        (fail_in_stream('rate_limit_exceeded', 'Please try again in 1.5s.'), [1.5]),
        (fail_in_stream('rate_limit_exceeded', 'Please try again in 20 ms.'), [0.2]),
        (fail_in_stream('rate_limit_exceeded', 'Please try again in 3 seconds.'), [3.0]),
        # The headers of a stream say nothing of when to try again.
        (fail_in_stream('rate_limit_exceeded', headers={'retry-after': '9'}), [0.2]),
    ],
)
async def test_the_backend_is_given_the_time_it_asks_for(entry: ScriptEntry, waits: list[float]) -> None:
    setup = Setup(entry, reply('Hello'))

    assert text_of(await setup.ask()) == 'Hello'

    assert setup.clock.waits == waits


@pytest.mark.parametrize(
    ('entry', 'seconds'),
    [
        (fail(429, headers={'retry-after': '61'}), 61.0),
        (fail(503, headers={'retry-after': 'Sat, 21 Nov 2026 13:00:00 GMT'}), 3600.0),
        (fail_in_stream('rate_limit_exceeded', 'Please try again in 6m0s.'), 360.0),
    ],
)
async def test_a_long_wait_is_the_callers_to_decide(entry: ScriptEntry, seconds: float) -> None:
    setup = Setup(entry, reply('Hello'))

    with pytest.raises(BackendError) as caught:
        await setup.ask()

    assert caught.value.retry_after == seconds
    assert setup.clock.waits == []


async def test_the_longest_wait_can_be_chosen() -> None:
    setup = Setup(fail(429, headers={'retry-after': '61'}), reply('Hello'), max_retry_after=120)

    assert text_of(await setup.ask()) == 'Hello'

    assert setup.clock.waits == [61.0]


async def test_a_stream_is_not_begun_anew_once_something_was_shown() -> None:
    setup = Setup(CUT, reply('Hello'))
    stream = await setup.client.stream(request())
    shown: list[Event] = []

    with pytest.raises(TransportError):
        while events := await stream.receive():
            shown += events

    assert text_of(shown) != ''
    assert (setup.clock.waits, setup.simulator.remaining) == ([], 1)
    await stream.aclose()


async def test_a_run_that_streams_shows_nothing_twice() -> None:
    setup = Setup(fail(500), turn(say('never'), cut_after=1), CUT, reply('Hello'))
    shown: list[str] = []

    with pytest.raises(ModelAPIError):
        async with Agent(setup.simulator.model(provider=setup.provider)).run_stream('Hi') as result:
            async for text in result.stream_text(delta=True, debounce_by=None):
                shown.append(text)

    assert 'one two three'.startswith(''.join(shown))
    assert len(setup.clock.waits) == 2
    assert setup.simulator.remaining == 1


@pytest.mark.parametrize(
    'entry',
    [
        CUT,
        turn(say('one two three'), end_after=6),
        turn(say('one'), ending='failed', error_code='server_error'),
        raw_stream(
            sse_frame({'type': 'response.output_text.delta', 'item_id': 'm', 'delta': 'one'})
            + sse_frame({'type': 'response.failed', 'response': {'error': {'code': 'slow_down'}}})
        ),
    ],
    ids=['cut', 'no end', 'failed', 'failed in one piece'],
)
async def test_a_whole_answer_is_tried_again_until_it_is_whole(entry: Turn) -> None:
    setup = Setup(entry, entry, reply('Hello'))

    events = await setup.ask(whole=True)

    assert text_of(events) == 'Hello'
    assert [type(event) for event in events].count(ResponseStarted) == 1
    assert isinstance(events[-1], ResponseEnded)
    assert setup.clock.waits == [0.2, 0.4]


async def test_a_whole_answer_has_the_same_events() -> None:
    answer = raw_stream(STARTED, DELTA, DELTA, ENDED)
    setup = Setup(answer, answer)

    assert await setup.ask(whole=True) == await setup.ask()


async def test_an_attempt_is_closed_before_the_next() -> None:
    open_before: list[int] = []

    def look(request: RecordedRequest) -> Turn:
        # The request itself is the one that is open.
        open_before.append(setup.simulator.open_streams - 1)
        return reply('Hello')

    setup = Setup(CUT, turn(say('one'), end_after=3), fail(500), look)

    await setup.ask(whole=True)

    assert open_before == [0]


async def test_each_attempt_is_the_same_request() -> None:
    setup = Setup(fail(500), CUT, reply('Hello'))

    await setup.ask(whole=True)

    first, *others = [(each.content, dict(each.headers)) for each in setup.simulator.requests]
    assert others == [first, first]


async def test_cancelling_during_the_wait_ends_the_request() -> None:
    class Waiting(InstantClock):
        begun = anyio.Event()

        async def sleep(self, seconds: float) -> None:
            self.begun.set()
            await anyio.sleep_forever()

    simulator = CodexSimulator(fail(500), reply('Hello'))
    clock = Waiting()
    client = simulator.provider(policy=TransportPolicy(), clock=clock).client

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.stream, request())
            await clock.begun.wait()
            tasks.cancel_scope.cancel()

    assert (len(simulator.requests), simulator.open_streams, simulator.remaining) == (1, 0, 1)


@pytest.mark.parametrize('whole', [False, True], ids=['stream', 'whole'])
async def test_cancelling_before_the_first_event_closes_the_stream(whole: bool, until: Until) -> None:
    simulator = CodexSimulator(turn(say('Hi'), stall_after=1))
    client = simulator.provider(policy=TransportPolicy()).client

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.stream(request(), whole=whole))
            await until(lambda: any(each.frames_sent for each in simulator.requests))
            tasks.cancel_scope.cancel()

    assert simulator.open_streams == 0


async def test_a_renewed_token_is_kept_for_the_retries() -> None:
    simulator = CodexSimulator(fail(500), reply('Hello'))
    store = MemoryStore(simulator.credentials)
    clock = InstantClock()
    client = simulator.provider(policy=TransportPolicy(), clock=clock, credentials=store).client
    stale = await client.authenticate()
    simulator.revoke()
    await store.save(simulator.credentials)

    stream = await client.stream(request(), credentials=stale)

    assert text_of(await rest_of(stream)) == 'Hello'
    assert [each.status for each in simulator.requests] == [401, 500, 200]
    assert clock.waits == [0.2]
    await stream.aclose()


async def test_a_token_is_renewed_at_most_twice() -> None:
    simulator = CodexSimulator()

    class Renewing(MemoryStore):
        async def load(self) -> Credentials:
            simulator.revoke()
            credentials = simulator.credentials
            simulator.revoke()
            return credentials

    client = simulator.provider(policy=TransportPolicy(), credentials=Renewing()).client

    with pytest.raises(BackendError, match='was refused'):
        await client.stream(request())

    assert [each.status for each in simulator.requests] == [401, 401, 401]


async def test_each_retry_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, 'pydantic_ai_codex')
    setup = Setup(fail(500), connect_error(), reply('Hello'))

    await setup.ask()

    assert [record.getMessage() for record in caplog.records if record.name == 'pydantic_ai_codex'] == snapshot(
        [
            'Trying again in 0.2 s (1 of 4) after "5xx": The backend answered 500: Internal Server Error',
            'Trying again in 0.4 s (2 of 4) after "no connection, or a broken one": The backend at chatgpt.com could not be reached: All connection attempts failed',
        ]
    )


async def test_each_retry_is_told() -> None:
    retries: list[Retry] = []
    simulator = CodexSimulator(fail(503, code='server_is_overloaded'), fail(401), reply('Hello'), now=lambda: NOW)
    provider = simulator.provider(
        credentials=MemoryStore(simulator.credentials), policy=TransportPolicy(), on_retry=retries.append
    )

    stream = await provider.client.stream(request())
    await stream.aclose()

    assert [(each.attempt, each.delay, each.case, each.model, each.session_id) for each in retries] == snapshot(
        [(1, 0.2, '503 server_is_overloaded', 'gpt-5.5', 's-1'), (0, 0.0, '401', 'gpt-5.5', 's-1')]
    )


async def test_who_watches_retries_cannot_end_the_turn(caplog: pytest.LogCaptureFixture) -> None:
    def fall(_: Retry) -> None:
        raise RuntimeError('Oh.')

    provider = CodexSimulator(fail(500), reply('Hello')).provider(policy=TransportPolicy(), on_retry=fall)

    assert text_of(await rest_of(await provider.client.stream(request()))) == 'Hello'
    assert '`on_retry` raised an error' in caplog.text
    assert 'RuntimeError: Oh.' in caplog.text


@pytest.mark.parametrize('callback', ['a text', anyio.sleep], ids=['no function', 'asynchronous'])
def test_who_watches_retries_is_a_plain_function(callback: Any) -> None:
    with pytest.raises(UserError, match='`on_retry` takes a plain function'):
        CodexProvider(on_retry=callback)


def sealed(name: str) -> dict[str, Any]:
    return {'type': 'reasoning', 'id': name, 'summary': [], 'encrypted_content': 'gAAAA'}


@pytest.mark.parametrize(
    ('refusal', 'case'),
    [
        (fail(400, code='invalid_encrypted_content'), 'invalid_encrypted_content'),
        (fail_in_stream('invalid_encrypted_content'), 'invalid_encrypted_content in the stream'),
    ],
)
async def test_reasoning_that_cannot_be_read_is_left_out_once(refusal: ScriptEntry, case: str) -> None:
    retries: list[Retry] = []
    simulator = CodexSimulator(refusal, reply('Hello'), strict=False)
    client = simulator.provider(on_retry=retries.append).client
    asked = request()
    asked = replace(asked, input=[sealed('rs_1'), *asked.input, sealed('rs_2')])

    stream = await client.stream(asked)

    assert text_of(await rest_of(stream)) == 'Hello'
    assert [[item['type'] for item in each.body['input']] for each in simulator.requests] == [
        ['reasoning', 'message', 'reasoning'],
        ['message'],
    ]
    assert [(each.attempt, each.case) for each in retries] == [(0, case)]


async def test_without_reasoning_there_is_nothing_to_leave_out() -> None:
    simulator = CodexSimulator(fail(400, code='invalid_encrypted_content'), reply('Hello'))

    with pytest.raises(BackendError, match='400'):
        await simulator.provider(policy=TransportPolicy()).client.stream(request())

    assert simulator.remaining == 1


@pytest.mark.parametrize('whole', [False, True])
async def test_a_filtered_answer_that_nobody_saw_is_asked_for_again(whole: bool) -> None:
    filtered = turn(ending='incomplete', incomplete_reason='content_filter')
    setup = Setup(filtered, reply('Hello'))

    assert text_of(await setup.ask(whole=whole)) == 'Hello'
    assert setup.clock.waits == [0.2]


async def test_a_filtered_answer_is_handed_out_in_the_end() -> None:
    filtered = turn(say('Half'), ending='incomplete', incomplete_reason='content_filter')
    setup = Setup(filtered, filtered, max_retries=1)

    events = await setup.ask(whole=True)

    assert text_of(events) == 'Half'
    assert isinstance(events[-1], ResponseEnded)
    assert events[-1].reason == 'content_filter'


async def test_an_answer_that_is_as_long_as_it_may_be_is_not_asked_for_again() -> None:
    setup = Setup(turn(say('Half'), ending='incomplete'), reply('Hello'))

    assert text_of(await setup.ask(whole=True)) == 'Half'
    assert setup.simulator.remaining == 1


async def test_the_simulator_tries_nothing_again_by_default() -> None:
    simulator = CodexSimulator(fail(500), reply('Hello'))

    with pytest.raises(ModelAPIError):
        await Agent(simulator.model()).run('Hi')

    assert (await Agent(simulator.model()).run('Hi')).output == 'Hello'


async def test_the_simulator_takes_a_policy() -> None:
    simulator = CodexSimulator(*[fail(500, headers={'retry-after': '30'})] * 3, reply('Hello'))

    result = await Agent(simulator.model(policy=TransportPolicy())).run('Hi')

    assert result.output == 'Hello'
    with pytest.raises(ConfigurationError, match='pass it there'):
        simulator.model(provider=simulator.provider(), policy=TransportPolicy())


def test_a_provider_is_patient_by_default() -> None:
    assert CodexProvider().client.policy == TransportPolicy()


def test_a_wrong_policy_is_a_user_error() -> None:
    policy: Any = {'max_retries': 1}

    with pytest.raises(UserError, match='TransportPolicy'):
        CodexProvider(policy=policy)


@pytest.mark.parametrize(
    'fields',
    [
        {'max_retries': -1},
        {'max_retries': 101},
        {'max_retries': 1.0},
        {'max_retries': True},
        {'max_retries': None},
        {'first_delay': -0.1},
        {'first_delay': math.nan},
        {'first_delay': '1'},
        {'factor': 0.5},
        {'factor': 11},
        {'jitter': 1.1},
        {'max_delay': math.inf},
        {'max_retry_after': -1},
        {'idle_timeout': 0},
        {'idle_timeout': math.inf},
        {'connect_timeout': -1},
        {'connect_timeout': False},
    ],
    ids=str,
)
def test_a_number_out_of_range(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f'`{next(iter(fields))}` takes'):
        TransportPolicy(**fields)


@pytest.mark.parametrize('name', ['first_delay', 'max_delay', 'max_retry_after', 'idle_timeout'])
def test_a_number_beyond_every_float(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f'`{name}` takes'):
        TransportPolicy(**{name: 10**400})


def test_a_policy_is_data() -> None:
    policy = TransportPolicy(max_retries=0, idle_timeout=None, connect_timeout=None, max_retry_after=0, jitter=0)

    assert pickle.loads(pickle.dumps(policy)) == policy
    assert hash(policy) == hash(pickle.loads(pickle.dumps(policy)))


async def test_the_clock_of_this_machine() -> None:
    clock = SystemClock()
    before = clock.monotonic()

    await clock.sleep(0)

    assert clock.now().utcoffset() is not None
    assert clock.monotonic() >= before
    assert 0 <= clock.random() < 1


class Ticking(InstantClock):
    """A clock on which 100 seconds pass from one look at it to the next."""

    seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 100
        return self.seconds


PING = b': ping\n\n'


async def ask_slowly(*chunks: bytes, fields: dict[str, Any] | None = None, **policy: Any) -> str:
    simulator = CodexSimulator(raw_stream(*chunks))
    client = simulator.provider(policy=TransportPolicy(max_retries=0, **policy), clock=Ticking()).client
    stream = await client.stream(request(**fields or {}))
    try:
        return text_of(await rest_of(stream))
    finally:
        await stream.aclose()


@pytest.mark.parametrize(
    'chunks',
    [
        (STARTED, *[PING] * 4),
        (DELTA, *[PING] * 4),
        (DELTA, *[bytes([each]) for each in ENDED[:4]]),
        (DELTA, *[b'event: x\n\n'] * 4),
    ],
    ids=['before anything', 'comments', 'parts', 'no data'],
)
async def test_a_stream_without_events_is_dead(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(TransportTimeoutError, match='no event for 300 seconds') as caught:
        await ask_slowly(*chunks, ENDED)

    assert caught.value.phase == 'read'


@pytest.mark.parametrize(
    'chunks',
    [
        (STARTED, *[PING] * 3, DELTA, *[PING] * 3),
        (DELTA, *[STARTED, PING] * 10),
        tuple([DELTA] * 10),
    ],
    ids=['some comments', 'unread events', 'events'],
)
async def test_a_stream_with_events_lives(chunks: tuple[bytes, ...]) -> None:
    assert 'Hi' in await ask_slowly(*chunks, ENDED)


async def test_a_dead_stream_is_tried_again() -> None:
    simulator = CodexSimulator(raw_stream(STARTED, *[PING] * 9), reply('Hello'))
    clock = Ticking()
    stream = await simulator.provider(policy=TransportPolicy(), clock=clock).client.stream(request())

    assert text_of(await rest_of(stream)) == 'Hello'
    assert clock.waits == [0.2]
    await stream.aclose()


@pytest.mark.parametrize(
    ('fields', 'policy', 'lives'),
    [
        ({}, {'idle_timeout': 900}, True),
        ({}, {'idle_timeout': None}, True),
        ({'timeout': 900}, {}, True),
        ({'timeout': httpx2.Timeout(1, read=None)}, {}, True),
        ({'timeout': 100}, {'idle_timeout': None}, False),
        ({}, {'idle_timeout': 100}, False),
    ],
)
async def test_how_long_a_stream_may_go_without_an_event(
    fields: dict[str, Any], policy: dict[str, Any], lives: bool
) -> None:
    chunks = (DELTA, *[PING] * 5, ENDED)

    if lives:
        assert await ask_slowly(*chunks, fields=fields, **policy) == 'Hi'
    else:
        with pytest.raises(TransportTimeoutError, match='no event for 100 seconds'):
            await ask_slowly(*chunks, fields=fields, **policy)


async def test_a_silent_stream_is_dead_too() -> None:
    setup = Setup(turn(say('Hi'), stall_after=1), max_retries=0)

    with pytest.raises(TransportTimeoutError, match='phase read'):
        await setup.client.stream(request(timeout=0.001))


@pytest.mark.parametrize(
    ('policy', 'setting', 'expected'),
    [
        ({}, None, (15.0, 300.0)),
        ({'idle_timeout': 60, 'connect_timeout': 5}, None, (5, 60)),
        ({'idle_timeout': None, 'connect_timeout': None}, None, (None, None)),
        ({'idle_timeout': 60, 'connect_timeout': 5}, 7, (7, 7)),
    ],
)
async def test_timeouts_of_our_own_clients(
    policy: dict[str, Any], setting: object, expected: tuple[float | None, float | None]
) -> None:
    seen: list[Any] = []

    async def look(sent: httpx2.Request) -> None:
        if sent.method == 'POST':
            seen.append(sent.extensions['timeout'])

    simulator = CodexSimulator(reply('Hi'))
    async with simulator.serve() as server:
        client = CodexClient(
            credentials=simulator.credentials, base_url=server.base_url, policy=TransportPolicy(**policy)
        )
        client.http_clients.enter()
        lease = client.http_clients.lease()
        lease.client.event_hooks = {'request': [look], 'response': []}
        stream = await client.stream(request(timeout=setting))
        await stream.aclose()
        await lease.release()
        await client.http_clients.leave()

    assert (seen[0]['connect'], seen[0]['read']) == expected


@pytest.mark.parametrize('passed_in', [False, True], ids=['factory', 'passed-in'])
@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        # Nobody chose the 5 seconds of the library.
        ({}, (15.0, 300.0)),
        ({'timeout': httpx2.Timeout(5.0)}, (15.0, 300.0)),
        ({'timeout': 7}, (7, 7)),
        ({'timeout': httpx2.Timeout(5.0, read=60)}, (5, 60)),
        ({'timeout': None}, (None, None)),
    ],
    ids=str,
)
async def test_timeouts_of_clients_of_the_user(
    options: dict[str, Any], expected: tuple[float | None, float | None], passed_in: bool
) -> None:
    seen: list[Any] = []

    def answer(sent: httpx2.Request) -> httpx2.Response:
        if sent.method == 'POST':
            seen.append(sent.extensions['timeout'])
        return httpx2.Response(200, content=ENDED)

    def make() -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(answer), **options)

    credentials = CodexSimulator().credentials
    client = CodexClient(credentials=credentials, http_client=make() if passed_in else make)
    stream = await client.stream(request())
    await stream.aclose()

    assert (seen[0]['connect'], seen[0]['read']) == expected


async def test_what_nobody_reads_is_not_kept() -> None:
    unknown = sse_frame({'type': 'response.of_the_future'})
    setup = Setup(raw_stream(STARTED, unknown, DELTA, unknown, ENDED))

    events = await setup.ask(whole=True)

    assert [type(event) for event in events if not isinstance(event, TextDelta)] == [ResponseStarted, ResponseEnded]
    assert text_of(events) == 'Hi'


@pytest.mark.parametrize(
    ('entry', 'in_stream'),
    [
        (raw_stream(DELTA, cut=True), True),
        (raw_stream(DELTA, PING), True),
        (raw_stream(cut=True), False),
        (connect_error(), False),
        (raw_stream(b'<html>', content_type='text/html'), False),
        (fail(500), False),
        (fail_in_stream('server_error'), True),
    ],
    ids=['cut', 'no end', 'cut at the start', 'no connection', 'no stream', 'status', 'event'],
)
async def test_whether_a_stream_had_begun_well(entry: ScriptEntry, in_stream: bool) -> None:
    setup = Setup(entry, max_retries=0)

    with pytest.raises((BackendError, TransportError, StreamError)) as caught:
        await setup.ask()

    assert caught.value.in_stream is in_stream


async def test_what_a_closed_stream_had_read_ahead_is_not_shown() -> None:
    setup = Setup(turn(say('one two three'), stall_after=6))
    stream = await setup.client.stream(request())

    await stream.aclose()

    with pytest.raises(TransportError, match='closed before'):
        await stream.receive()


async def test_a_complete_answer_is_let_go_of_even_while_cancelling() -> None:
    setup = Setup(raw_stream(DELTA, ENDED, PING))
    stream = await setup.client.stream(request())
    await rest_of(stream)

    with anyio.CancelScope() as scope:
        scope.cancel()
        await stream.aclose()

    assert setup.simulator.open_streams == 0


async def test_the_login_can_be_asked_for_first() -> None:
    setup = Setup(reply('Hello'))
    credentials = await setup.client.authenticate()

    stream = await setup.client.stream(request(), credentials=credentials)

    assert credentials == setup.simulator.credentials
    assert stream.account_tag == credentials.account_tag
    await stream.aclose()


async def test_the_account_is_that_of_the_login_that_served() -> None:
    first, second = CodexSimulator(account_id='acct-1'), CodexSimulator(reply('Hello'), account_id='acct-2')
    client = second.provider(credentials=MemoryStore(first.credentials)).client

    stream = await client.stream(request(), credentials=second.credentials)

    assert stream.account_tag == Credentials('t', account_id='acct-2').account_tag
    await stream.aclose()


async def test_an_end_without_a_terminal_event_is_told_after_the_retries() -> None:
    setup = Setup(*[raw_stream(b'')] * 2, max_retries=1)

    with pytest.raises(IncompleteStreamError):
        await setup.ask(whole=True)
