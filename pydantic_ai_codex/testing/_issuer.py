"""`SimulatedIssuer`: the simulated login service, as a test sees it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx2

from ..errors import ConfigurationError
from ._backend import IncomingRequest, lower_names
from ._exchange import Exchange
from ._grants import Account, Grants
from ._issuer_checks import Encoding, Fields, read_fields, read_form
from ._issuer_options import Duration, IssuerOptions
from ._issuer_routes import Endpoint, IssuerReply, Routes, endpoint_of, refused
from ._issuer_script import IssuerAnswer, IssuerEntry, as_issuer_answer, called, shaped, unanswered
from ._own_login import OwnLogin, tokens_of
from ._records import IssuerEvent, RecordedFields, RecordedHeaders, RecordedRequest, SimulatorError
from ._rejections import Rejection


class SimulatedIssuer(IssuerOptions):
    """The login service of a simulator: `CodexSimulator().oauth`.

    It hands out logins, refreshes them (each refresh token can be used once; a second use is refused, and recorded in
    `reuses`), and revokes them. How it behaves are its attributes, which a test sets; single answers are ordered with
    `script_token` and its like. It is strict: what Codex CLI 0.169.0 does not send, it refuses, unless the simulator
    was made with `strict=False`. It can be used from several threads and event loops.

    Attributes:
        access_token_lifetime: For how long the access tokens that it issues can be used; a number is seconds.
        refresh_token_lifetime: For how long a refresh token can be used; `None` is without an end.
        answer_fields: What of an answer with tokens is sent. The CLI takes any subset (captured); where the refresh
            token is left out, the old one stays usable.
        revoke_family_on_reuse: Whether a refresh token that is used a second time ends its login, too.
        revoke_old_access_tokens: Whether a refresh ends the access tokens of before; else they last until they expire.
        before_answer: Called, in a thread, with every request to the token endpoint, when it is done and before it is
            answered: the place where a test ends a process that has spent its refresh token.
        auto_approve: Whether the authorize URL redirects at once, in place of a page that asks.
        auto_deny: Whether it redirects with `access_denied` at once.
        any_port: Whether any port of 127.0.0.1 will do for the redirect URI, besides the two that are registered.
        exchange_api_key: Whether an ID token can be exchanged for an API key; else that is refused.
        device_login: Whether the account allows the device login; else it is answered with 404.
        device_interval: The seconds between two polls that the device login asks for.
        device_polls: After how many polls a device login is approved by itself; `None` is never.
    """

    def __init__(
        self,
        *,
        account: Account,
        now: Callable[[], datetime],
        refuse: Callable[[Iterable[str]], None],
        strict: bool,
    ) -> None:
        super().__init__()
        self._lock = Lock()
        self._records: list[RecordedRequest] = []
        self._grants = Grants(self, now, refuse)
        self._routes = Routes(self, self._grants, now, account=account, strict=strict)
        self._scripts: dict[Endpoint, deque[IssuerEntry]] = {}
        self.own = OwnLogin(self._grants, self._lock, account)
        """The login of the simulator itself; see `CodexSimulator.credentials`."""

    def __repr__(self) -> str:
        refused = ''.join(f'; refused a login: {problem}' for problem in self.problems)
        return f'<SimulatedIssuer: {len(self.requests)} requests, {len(self.refreshes)} refreshes{refused}>'

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request to the login service so far, refused ones included; none of them is in `simulator.requests`.

        The `body` of each is its form, its JSON or its query.
        """
        with self._lock:
            return list(self._records)

    @property
    def refreshes(self) -> list[IssuerEvent]:
        """The refreshes that were done, also where the answer was lost."""
        with self._lock:
            return list(self._routes.refreshes)

    @property
    def reuses(self) -> list[IssuerEvent]:
        """The refreshes with a refresh token that had been used before: what must never happen."""
        with self._lock:
            return list(self._routes.reuses)

    @property
    def revoked(self) -> list[IssuerEvent]:
        """The logins that clients revoked."""
        with self._lock:
            return list(self._routes.revoked)

    @property
    def problems(self) -> list[str]:
        """What was wrong with the authorize URLs that browsers came with, and that they were shown in a page."""
        with self._lock:
            return list(self._routes.problems)

    @property
    def user_codes(self) -> list[str]:
        """The codes of device logins that wait for approval, oldest first."""
        with self._lock:
            return self._routes.devices.user_codes

    def sign_in_as(self, account_id: str, plan_type: str = 'plus', email: str = 'user@example.com') -> None:
        """Decide who logs in from now on; by default it is the account of the simulator."""
        with self._lock:
            self._routes.account = Account(account_id, plan_type, email)

    def log_in(self, *, lifetime: Duration | None = None) -> dict[str, Any]:
        """A login of its own for whoever is signed in, without a browser.

        Args:
            lifetime: That of the access token, where a number is seconds; `access_token_lifetime` by default.

        Returns:
            The `tokens` of an `auth.json`.
        """
        with self._lock:
            login = self._grants.log_in(self._routes.account)
            return tokens_of(self._grants, login, lifetime)

    def approve_login(self, url: str) -> str:
        """What a browser does when its user allows a login.

        Args:
            url: An authorize URL.

        Returns:
            The URL that the browser is sent to, with the code.

        Raises:
            SimulatorError: The service refuses the URL.
        """
        return self._decide(url, allow=True)

    def deny_login(self, url: str) -> str:
        """The same for a user who does not allow it; see `approve_login`."""
        return self._decide(url, allow=False)

    def approve_device(self, user_code: str | None = None) -> None:
        """Type in the code of a device login.

        Args:
            user_code: The code; the one that was handed out last by default.

        Raises:
            SimulatorError: No such code waits for approval.
        """
        self._decide_device(user_code, allow=True)

    def deny_device(self, user_code: str | None = None) -> None:
        """Refuse a device login; see `approve_device`."""
        self._decide_device(user_code, allow=False)

    def has_issued(self, text: str) -> bool:
        """Whether a text holds a token, a code or a key that was issued here."""
        with self._lock:
            return self._grants.is_in(text)

    def expire_refresh_tokens(self) -> None:
        """Let every refresh token expire that there is."""
        with self._lock:
            self._grants.expire_refresh_tokens()

    def revoke_logins(self) -> None:
        """End every login that there is, as a change of the password does; its access tokens are refused, too."""
        with self._lock:
            self._grants.revoke_all()

    def script_token(self, *entries: IssuerEntry) -> None:
        """Order the next answers of the token endpoint, whatever it is asked for.

        Args:
            *entries: One for each request of the right form: `fail(...)` and `connect_error(...)`, with which nothing
                is done; `answer_with(...)`, `late_answer(...)`, `slow_answer(...)` and `lost_answer(...)`, with which
                the refresh token is spent; `None` for the usual answer; or a function that returns one of these from
                the request.

        Raises:
            ConfigurationError: An entry is none of these.
        """
        self._script('token', entries)

    def script_revoke(self, *entries: IssuerEntry) -> None:
        """Order the next answers of the revocation endpoint; see `script_token`."""
        self._script('revoke', entries)

    def script_device_code(self, *entries: IssuerEntry) -> None:
        """Order the next answers where device codes are got; see `script_token`."""
        self._script('device_code', entries)

    def script_device_token(self, *entries: IssuerEntry) -> None:
        """Order the next answers where device logins are polled; see `script_token`."""
        self._script('device_token', entries)

    def answer(self, request: IncomingRequest) -> Exchange:
        """Record a request and decide its answer."""
        headers = RecordedHeaders({name.lower(): value for name, value in request.headers.items()})
        with self._lock:
            number = len(self._records) + 1
            record = RecordedRequest(number, request.method, request.path, headers, content=request.content)
            self._records.append(record)
        exchange = Exchange(record, self._lock)
        try:
            endpoint = endpoint_of(request)
            encoding, fields = _fields(request, record)
            self._routes.check(endpoint, record.headers, encoding, fields, query=request.query)
        except Rejection as rejection:
            reply = refused(rejection)
            return exchange.begin_whole(reply.status, reply.body, reply.headers)
        try:
            plan = self._next_plan(endpoint, record)
        except (SimulatorError, httpx2.TransportError) as error:
            exchange.failure = error
            exchange.close()
            return exchange
        reply = self._act(endpoint, record, fields, request.origin) if plan.is_done else None
        if plan.body is not None:
            reply = IssuerReply(plan.status, plan.body)
        exchange.seconds, exchange.before = plan.seconds, self._hooks(endpoint, record, plan)
        return _fill(exchange, reply, plan)

    def _act(self, endpoint: Endpoint, record: RecordedRequest, fields: Fields, origin: str) -> IssuerReply:
        try:
            with self._lock:
                return self._routes.act(endpoint, record, fields, origin)
        except Rejection as rejection:
            return refused(rejection)

    def _next_plan(self, endpoint: Endpoint, record: RecordedRequest) -> IssuerAnswer:
        with self._lock:
            script = self._scripts.get(endpoint)
            entry = script.popleft() if script else None
        if callable(entry):
            entry = called(entry, record)
        plan = as_issuer_answer(entry)
        if plan is None:
            raise SimulatorError(f'The function that answers {record.method} {record.path} returned {entry!r}.')
        return plan

    def _hooks(self, endpoint: Endpoint, record: RecordedRequest, plan: IssuerAnswer) -> Callable[[], object] | None:
        general = self.before_answer if endpoint == 'token' else None
        if general is None:
            return plan.before

        def call_both() -> None:
            general(record)
            if plan.before is not None:
                plan.before()

        return call_both

    def _script(self, endpoint: Endpoint, entries: Iterable[IssuerEntry]) -> None:
        entries = list(entries)
        for entry in entries:
            if not callable(entry) and as_issuer_answer(entry) is None:
                raise ConfigurationError(
                    f'{entry!r} is no answer of the login service. Use `fail(...)`, `connect_error(...)`, '
                    '`answer_with(...)`, `late_answer(...)`, `slow_answer(...)`, `lost_answer(...)`, None, or a '
                    'function.'
                )
        with self._lock:
            self._scripts.setdefault(endpoint, deque()).extend(entries)

    def _decide(self, url: str, *, allow: bool) -> str:
        try:
            fields = read_form(urlsplit(url).query)
        except Rejection as rejection:
            raise SimulatorError(f'The login service refuses this login: {rejection.body}') from None
        with self._lock:
            asked, problems = self._routes.authorization(fields)
            if asked is None:
                raise SimulatorError(f'The login service refuses this login: {" ".join(problems)}')
            return self._routes.decide(asked, allow=allow)

    def _decide_device(self, user_code: str | None, *, allow: bool) -> None:
        with self._lock:
            waiting = self._routes.devices.user_codes
            code = user_code or (waiting[-1] if waiting else '')
            if not self._routes.devices.decide(code, self._routes.account if allow else None):
                raise SimulatorError(f'No device login waits with the code {user_code!r}; there are {waiting}.')


def _fields(request: IncomingRequest, record: RecordedRequest) -> tuple[Encoding, Fields]:
    if request.method == 'GET':
        encoding, fields = 'form', read_form(request.query)
    else:
        encoding, fields = read_fields(record.headers, record.content)
    record.body = RecordedFields(fields)
    return encoding, fields


def _fill(exchange: Exchange, reply: IssuerReply | None, plan: IssuerAnswer) -> Exchange:
    if plan.error is not None or reply is None:
        return unanswered(exchange, plan)
    exchange.begin_whole(reply.status, reply.body, {**reply.headers, **lower_names(plan.headers)})
    return shaped(exchange, plan)
