"""The pages beside the responses: the list of models, the accounts of a login, and the limits of its plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import parse_qsl

import httpx2

from .._protocol.constants import ACCOUNTS_CHECK_PATH, MODELS_PATH, OTHER_USAGE_PATH, USAGE_PATH
from ..errors import ConfigurationError
from ._backend import CHATGPT_PATH, Backend, IncomingRequest, lower_names, shortened
from ._checks_auth import Caller
from ._exchange import Exchange, whole_piece
from ._issuer_script import IssuerAnswer, IssuerEntry, as_issuer_answer, called, noted, shaped, unanswered
from ._limits_wire import usage_body
from ._records import RecordedHeaders, RecordedRequest, SimulatorError
from ._rejections import Rejection, detail

Json: TypeAlias = dict[str, Any]

LookupPath: TypeAlias = Literal['models', 'accounts/check', 'usage']

_ENTITY_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


class Lookups:
    """The pages, what was asked of them, and what a test has ordered."""

    def __init__(self, backend: Backend, *, routing: Callable[[], str], extra_path: str | None) -> None:
        self._backend = backend
        self._routing = routing
        self._routes = _routes(CHATGPT_PATH)
        if extra_path is not None and not extra_path.endswith('/v1'):  # The API has none of them.
            self._routes |= _routes(extra_path)
        self._lock = Lock()
        self._records: list[RecordedRequest] = []
        self._ordered: dict[LookupPath, tuple[IssuerEntry, int | None]] = {}

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, refused ones included."""
        with self._lock:
            return list(self._records)

    def serves(self, path: str) -> bool:
        """Whether the path of a request leads here."""
        return path in self._routes

    def order(self, entry: IssuerEntry, path: LookupPath | None, times: int | None) -> None:
        """Answer so from now on; see `CodexSimulator.fail_lookups`.

        Raises:
            ConfigurationError: The entry is no answer, there is no such page, or the times are no number.
        """
        _check_entry(entry)
        paths: tuple[LookupPath, ...] = get_args(LookupPath)
        if path is not None and path not in paths:
            raise ConfigurationError(f'path={path!r} is no page; use one of {", ".join(map(repr, paths))}.')
        if times is not None and times < 0:
            raise ConfigurationError(f'times={times!r} is no number of requests; use 0 or more, or None.')
        with self._lock:
            self._ordered.update(dict.fromkeys(paths if path is None else (path,), (entry, times)))

    def answer(self, request: IncomingRequest) -> Exchange:
        """Record a request and decide its answer; what fails is remembered, as a client may go on without it."""
        headers = RecordedHeaders({name.lower(): value for name, value in request.headers.items()})
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        with self._lock:
            number = len(self._records) + 1
            record = RecordedRequest(number, request.method, request.path, headers, query, content=request.content)
            self._records.append(record)
        exchange = Exchange(record, self._lock)
        page = self._routes[request.path]
        now = self._backend.now()
        try:
            caller = self._accept(page, record, now)
        except Rejection as rejection:
            return exchange.begin_whole(rejection.status, rejection.body, {})
        try:
            return self._decide(exchange, page, caller, now)
        except (SimulatorError, httpx2.TransportError) as error:
            exchange.failure = error
            exchange.close()
            return exchange
        except BaseException:  # Such as `pytest.fail()` in a function of the test.
            exchange.close()
            raise

    def _accept(self, page: LookupPath, record: RecordedRequest, now: datetime) -> Caller:
        if record.method != 'GET':
            raise detail('Method Not Allowed', status=405)
        caller = self._backend.authenticate('chatgpt', record.headers, now)
        if page == 'models' and not record.body.get('client_version'):
            # The CLI always tells it (captured); the words of the refusal are ours.
            raise detail('Missing query parameter: client_version')
        return caller

    def _decide(self, exchange: Exchange, page: LookupPath, caller: Caller, now: datetime) -> Exchange:
        plan = self._next_plan(page, exchange.record)
        exchange.seconds, exchange.before = plan.seconds, plan.before
        if plan.error is not None:
            return unanswered(exchange, plan)
        if plan.body is not None:
            exchange.begin_whole(plan.status, plan.body, lower_names(plan.headers))
        elif page == 'models':
            self._begin_models(exchange)
        else:
            exchange.begin_whole(200, self._body(page, caller, now), {})
        return shaped(exchange, plan)

    def _begin_models(self, exchange: Exchange) -> None:
        content, etag = self._backend.catalog.answer
        if _is_known(exchange.record.headers.get('if-none-match', ''), etag):
            exchange.begin(304, {'etag': etag})
            return
        exchange.pieces = whole_piece(content)
        length = str(len(content))
        exchange.begin(200, {'content-type': 'application/json', 'content-length': length, 'etag': etag})

    def _body(self, page: LookupPath, caller: Caller, now: datetime) -> Json:
        limits = self._backend.limits.now()
        plan_type = limits.plan_type or caller.plan_type or 'unknown'
        if page == 'usage':
            return usage_body(limits, plan_type, caller.account_id, now)
        return _accounts_body(caller.account_id, plan_type, self._routing())

    def _next_plan(self, page: LookupPath, record: RecordedRequest) -> IssuerAnswer:
        ordered: object = self._next_entry(page)
        if callable(ordered):
            try:
                ordered = called(ordered, record)
            except SimulatorError as error:
                raise self._backend.remember(error) from error.__cause__
        plan = as_issuer_answer(ordered)
        if plan is None:
            returned = shortened(repr(ordered))
            problem = f'The function that answers {record.method} {record.path} returned {returned}.'
            raise self._backend.remember(SimulatorError(problem))
        note = self._backend.note
        return replace(plan, before=noted(plan.before, note), before_each=noted(plan.before_each, note))

    def _next_entry(self, page: LookupPath) -> IssuerEntry:
        with self._lock:
            entry, times = self._ordered.get(page, (None, None))
            if times is None:
                return entry
            self._ordered[page] = (entry, max(times - 1, 0))
            return entry if times else None


def _check_entry(entry: object) -> None:
    if not callable(entry) and as_issuer_answer(entry) is None:
        raise ConfigurationError(
            f'{entry!r} is no answer to a lookup. Use `fail(...)`, `connect_error(...)`, `answer_with(...)`, '
            '`late_answer(...)`, `slow_answer(...)`, `lost_answer(...)`, None, or a function.'
        )


def _routes(base: str) -> dict[str, LookupPath]:
    """The pages beside a base path; where there is no `/backend-api` in it, usage has another (the CLI's source)."""
    root = base.removesuffix('/codex')
    routes: dict[str, LookupPath] = {
        base + MODELS_PATH: 'models',
        root + ACCOUNTS_CHECK_PATH: 'accounts/check',
        root + USAGE_PATH: 'usage',
    }
    return routes if '/backend-api' in base else {**routes, OTHER_USAGE_PATH: 'usage'}


def _is_known(if_none_match: str, etag: str) -> bool:
    return if_none_match.strip() == '*' or etag in _ENTITY_TAG.findall(if_none_match)


def _accounts_body(account_id: str, plan_type: str, routing: str) -> Json:
    """The page `wham/accounts/check`, in the shape that the CLI read (captured)."""
    account: Mapping[str, Any] = {
        'id': account_id,
        'account_user_id': f'user-simulated__{account_id}',
        'name': 'Simulated',
        'profile_picture_url': None,
        'structure': 'personal',
        'plan_type': plan_type,
        'is_deactivated': False,
        'can_access_with_session': True,
        'sso_connection_name': None,
        'is_fedramp_compliant_workspace': False,
        'workspace_backend_origin': 'https://chatgpt.com',
        'account_routing_override': routing,
    }
    return {'accounts': [account], 'account_ordering': [account_id], 'default_account_id': account_id}
