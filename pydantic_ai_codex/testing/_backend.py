"""The simulated backend: from a request to an `Exchange`; no I/O."""

from __future__ import annotations

import inspect
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Any, Final, TypeAlias, assert_never, cast
from urllib.parse import urlsplit

import httpx2

from .._protocol.constants import (
    API_BASE_URL,
    CHATGPT_BASE_URL,
    INCLUDE,
    MODELS_ETAG_HEADER,
    RESPONSES_PATH,
    TURN_STATE_HEADER,
)
from ._bodies import decompress, parse_body
from ._catalog import SimulatedCatalog
from ._checks import check_request
from ._checks_auth import Caller, LoginKind, authenticate
from ._exchange import Exchange, raw_pieces, turn_pieces
from ._limits import SimulatedLimits, used_up
from ._limits_wire import limit_headers, limits_event
from ._records import RecordedHeaders, RecordedRequest, SimulatorError
from ._rejections import Rejection, detail
from ._script import Answer, HttpFailure, NoAnswer, RawStream, ScriptEntry, Turn, UsageLimit
from ._turn_states import TurnStates
from ._wire import EVENT_STREAM, frames, usage_limit_body
from ._wire_facts import ResponseFacts, make_id

Json: TypeAlias = dict[str, Any]

CHATGPT_PATH: Final = urlsplit(CHATGPT_BASE_URL).path
API_PATH: Final = urlsplit(API_BASE_URL).path


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A request, however it came; the origin is that of its URL, as far as the client says."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    query: str = ''
    origin: str = ''


class Backend:
    """The script, the records, and the rules between them.

    The attributes that change are guarded by `lock`, so that several threads and event loops can share a backend.
    """

    def __init__(
        self,
        *,
        strict: bool,
        refuse_retired: bool,
        default: ScriptEntry | None,
        now: Callable[[], datetime],
        extra_path: str | None,
        turn_state: bool,
    ) -> None:
        self.catalog = SimulatedCatalog()
        self.limits = SimulatedLimits()
        self.strict = strict
        self.refuse_retired = refuse_retired
        self.default = default
        self.now = now
        self.lock = Lock()
        self.script: deque[ScriptEntry] = deque()
        self.records: list[RecordedRequest] = []
        self.revoked: set[str] = set()
        self.unanswered: list[SimulatorError] = []
        self.responses = 0
        self._turns = TurnStates() if turn_state else None
        self._routes: dict[str, LoginKind] = {}
        if extra_path is not None:
            self._routes[extra_path + RESPONSES_PATH] = 'api_key' if extra_path.endswith('/v1') else 'chatgpt'
        self._routes |= {CHATGPT_PATH + RESPONSES_PATH: 'chatgpt', API_PATH + RESPONSES_PATH: 'api_key'}

    def refuse(self, tokens: Iterable[str]) -> None:
        """Refuse these tokens from now on."""
        with self.lock:
            self.revoked.update(tokens)

    def answer(self, request: IncomingRequest) -> Exchange:
        """Record a request and decide its answer."""
        headers = RecordedHeaders({name.lower(): value for name, value in request.headers.items()})
        content, body, problem = _decoded(headers, request.content)
        with self.lock:
            number = len(self.records) + 1
            record = RecordedRequest(number, request.method, request.path, headers, body, content=content)
            self.records.append(record)
        exchange = Exchange(record, self.lock)
        now = self.now()
        try:
            caller = self._accept(request, record, problem, now)
        except Rejection as rejection:
            return exchange.begin_whole(rejection.status, rejection.body, {})
        try:
            sticky = self._turn_state(record, caller)
            answer, facts = self._next_answer(record, caller, now, len(request.content))
        except (SimulatorError, httpx2.TransportError) as error:
            exchange.failure = error
            exchange.close()
            return exchange
        except BaseException:  # Such as `pytest.fail()` in a function of the test.
            exchange.close()
            raise
        return self._fill(exchange, answer, facts, caller, sticky)

    def authenticate(self, kind: LoginKind, headers: Mapping[str, str], now: datetime) -> Caller:
        """Find the caller.

        Raises:
            Rejection: 401.
        """
        with self.lock:
            revoked = frozenset(self.revoked)
        return authenticate(kind, headers, now=now, revoked=revoked)

    def remember(self, error: SimulatorError) -> SimulatorError:
        """Let `assert_exhausted` know of an error, should nobody else see it."""
        with self.lock:
            self.unanswered.append(error)
        return error

    def note(self, error: BaseException, what: str) -> SimulatorError:
        """An error of something that a test has set, which `assert_exhausted` knows, too."""
        failure = SimulatorError(f'{what} raised {type(error).__name__}: {error}')
        failure.__cause__ = error
        return self.remember(failure)

    def _fill(
        self, exchange: Exchange, answer: Answer, facts: ResponseFacts, caller: Caller, sticky: Mapping[str, str]
    ) -> Exchange:
        """Put what every answer carries beside what the script says."""
        limits = self.limits.now()
        plan_type = limits.plan_type or caller.plan_type or 'unknown'
        if isinstance(answer, UsageLimit):
            limits, plan_type = used_up(limits, answer.window, answer.resets_in_seconds), answer.plan_type
        headers = {'x-request-id': make_id('req', facts.seed)}
        if caller.plan_type is not None or isinstance(answer, UsageLimit):
            headers |= limit_headers(limits, plan_type, facts.now)
        if caller.plan_type is not None:
            headers[MODELS_ETAG_HEADER] = self.catalog.etag
        facts = replace(facts, limits=limits_event(limits, plan_type, facts.now))
        return _fill(exchange, answer, facts, headers, sticky)

    def _accept(
        self, request: IncomingRequest, record: RecordedRequest, problem: Rejection | None, now: datetime
    ) -> Caller:
        kind = self._routes.get(request.path) if request.method == 'POST' else None
        if kind is None:
            raise detail('Not Found', status=404)
        caller = self.authenticate(kind, record.headers, now)
        if problem is not None:
            raise problem
        if self.strict:
            served = self.catalog.served
            check_request(record.headers, record.body, caller, refuse_retired=self.refuse_retired, served=served)
        return caller

    def _turn_state(self, record: RecordedRequest, caller: Caller) -> dict[str, str]:
        """What ties the requests of a turn together, if this simulator does that.

        Raises:
            SimulatorError: The request does not send back what it has to.
        """
        if self._turns is None or caller.plan_type is None:
            return {}
        try:
            return {TURN_STATE_HEADER: self._turns.take(record, caller.account_id)}
        except SimulatorError as error:
            self.remember(error)
            raise

    def _next_answer(
        self, record: RecordedRequest, caller: Caller, now: datetime, size: int
    ) -> tuple[Answer, ResponseFacts]:
        with self.lock:
            entry = self.script.popleft() if self.script else self.default
            if entry is None:
                self.unanswered.append(error := SimulatorError(_exhausted(record)))
                raise error
            self.responses += 1
            number = self.responses
        body = record.body
        # The input is part of the seed: a history that began with another simulator must not meet its ids again.
        include: object = body.get('include')
        facts = ResponseFacts(
            seed=f'{number}/{json.dumps(body.get("input"), sort_keys=True)}',
            model=str(body.get('model') or 'unknown'),
            account_id=caller.account_id,
            now=now,
            service_tier=str(body.get('service_tier') or 'default'),
            encrypts=isinstance(include, list) and INCLUDE[0] in include,
            request_bytes=size,
        )
        return (self._call(entry, record) if callable(entry) else entry), facts

    def _call(self, entry: Callable[[RecordedRequest], object], record: RecordedRequest) -> Answer:
        """Let a function of the test answer; without the lock, as it may look at the simulator or add to its script."""
        try:
            answer = entry(record)
        except httpx2.TransportError:
            raise  # It stands for a connection error.
        except BaseException as error:
            failure = self._note(record, f'raised {type(error).__name__}: {error}')
            if isinstance(error, Exception):
                raise failure from error
            raise
        if isinstance(answer, Answer):
            return answer
        if inspect.iscoroutine(answer):
            answer.close()
        raise self._note(
            record,
            f'returned {shortened(repr(answer))}, which is no turn. Return one, such as `reply("...")`, from a plain '
            'function: an `async def` is not awaited.',
        )

    def _note(self, record: RecordedRequest, problem: str) -> SimulatorError:
        """An error of a function that answers; `assert_exhausted` knows it, should nobody else see it."""
        return self.remember(SimulatorError(f'The function that answers request {record.number} {problem}'))


def _decoded(headers: Mapping[str, str], content: bytes) -> tuple[bytes, Json, Rejection | None]:
    """The content, decompressed where that is possible, the object in it, and what keeps it from being one."""
    try:
        content = decompress(headers, content)
        return content, parse_body(content), None
    except Rejection as rejection:
        return content, {}, rejection


def _fill(
    exchange: Exchange, answer: Answer, facts: ResponseFacts, base: Mapping[str, str], sticky: Mapping[str, str]
) -> Exchange:
    match answer:
        case Turn():
            exchange.pieces, exchange.stop = turn_pieces(answer, frames(answer, facts))
            exchange.delay = answer.delay
            streamed = {'content-type': EVENT_STREAM, 'cache-control': 'no-cache'}
            if facts.model.isascii() and facts.model.isprintable():  # Without the checks, it may be anything.
                streamed['openai-model'] = facts.model
            return exchange.begin(200, {**streamed, **base, **sticky, **lower_names(answer.headers)})
        case RawStream():
            exchange.pieces, exchange.stop = raw_pieces(answer)
            return exchange.begin(200, {'content-type': answer.content_type, **base, **sticky})
        case HttpFailure():
            return exchange.begin_whole(answer.status, answer.body, {**base, **lower_names(answer.headers)})
        case UsageLimit():
            return exchange.begin_whole(429, usage_limit_body(answer, facts.now), base)
        case NoAnswer():
            exchange.failure = answer.error(answer.message)
            exchange.close()
            return exchange
        case _:
            assert_never(answer)


def lower_names(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _exhausted(record: RecordedRequest) -> str:
    items: object = record.body.get('input')
    last = cast('list[object]', items)[-1] if isinstance(items, list) and items else None
    return (
        f'The script of the simulator has no turn for request {record.number}. Its last input item is '
        f'{shortened(repr(last))}. Script one turn for each request, or give `CodexSimulator(default=...)`.'
    )


def shortened(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else f'{text[:limit]}…'
