"""`CodexSimulator`: the public face of the simulated backend."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import httpx2

from .._protocol.constants import API_BASE_URL, CHATGPT_BASE_URL, ISSUER
from ..errors import ConfigurationError
from ._backend import Backend, IncomingRequest, shortened
from ._clock import InstantClock, utc_now
from ._exchange import Exchange
from ._github import SimulatedGitHub
from ._github_answers import HOSTS, host_of
from ._grants import Account
from ._issuer import SimulatedIssuer
from ._issuer_options import Duration
from ._issuer_routes import is_for_issuer
from ._issuer_script import IssuerEntry
from ._lookups import LookupPath, Lookups
from ._making import make_provider
from ._own_login import auth_document, usual_age
from ._records import RecordedRequest, SimulatorError
from ._script import ScriptEntry, check_turns, described
from ._server import SimulatorServer, serve
from ._tokens import DEFAULT_ACCOUNT_ID
from ._transport import SimulatorTransport, origin_of

if TYPE_CHECKING:
    from .. import CodexModel, CodexProvider, TransportPolicy
    from ..auth import Credentials

_BACKENDS: Final = frozenset(origin_of(httpx2.URL(url)) for url in (CHATGPT_BASE_URL, API_BASE_URL))

_OTHERS: Final = frozenset([*_BACKENDS, ISSUER])
"""The origins that are not GitHub's, whatever the path."""


class CodexSimulator:
    """A strict stand-in for the Codex backend: scripted answers, recorded requests, no network.

    ```python
    from pydantic_ai_codex.testing import CodexSimulator, call_tool, reply

    simulator = CodexSimulator(call_tool('get_weather', city='Paris'), reply('It is sunny in Paris.'))
    agent = Agent(simulator.model(), tools=[get_weather])
    ```

    Each accepted request consumes one turn, in order. A request that the real backend would refuse is refused, and
    consumes none. One simulator can be used from several threads and event loops.
    """

    def __init__(
        self,
        *script: ScriptEntry,
        strict: bool = True,
        refuse_retired: bool = False,
        default: ScriptEntry | None = None,
        now: Callable[[], datetime] = utc_now,
        base_url: str | None = None,
        account_id: str = DEFAULT_ACCOUNT_ID,
        plan_type: str = 'plus',
        turn_state: bool = False,
    ) -> None:
        """Make a simulator.

        Args:
            *script: What it answers, in order: turns, failures, or functions that make one from the request.
            strict: Whether to refuse what the backend refuses; without it, only the login and the JSON are checked.
            refuse_retired: Whether to refuse the models that are not in the catalog: retired ones, and those that
                nobody knows.
            default: What it answers once the script is exhausted; without it such a request raises `SimulatorError`.
            now: The clock, which returns an aware `datetime`.
            base_url: A further base URL that is answered, besides those of ChatGPT and of the API.
            account_id: The account of its login.
            plan_type: The plan of its login.
            turn_state: Whether it ties the requests of a turn together: the answers carry `x-codex-turn-state`, and a
                request that does not send the right one back raises `SimulatorError`, for `assert_exhausted` as well.

        Raises:
            ConfigurationError: An entry of the script, or the default, is no turn.
        """
        if default is not None:
            check_turns(default)
        url = None if base_url is None else httpx2.URL(base_url.rstrip('/'))
        extra_path = None if url is None else url.path.rstrip('/')
        self._backend = Backend(
            strict=strict,
            refuse_retired=refuse_retired,
            default=default,
            now=now,
            extra_path=extra_path,
            turn_state=turn_state,
        )
        self.catalog: Final = self._backend.catalog
        """The list of models."""
        self.limits: Final = self._backend.limits
        """The limits of the plan."""
        self.routing = 'NO_CONSTRAINT'
        """The `account_routing_override` of its account, such as `us`. No request is refused for it."""
        self._lookups = Lookups(self._backend, routing=lambda: self.routing, extra_path=extra_path)
        origins = [] if url is None else [origin_of(url)]
        self._origins = frozenset([*_OTHERS, *HOSTS, *origins])
        self._base_url = base_url
        self._account = Account(account_id, plan_type)
        self._oauth = SimulatedIssuer(account=self._account, now=now, refuse=self._backend.refuse, strict=strict)
        self._github = SimulatedGitHub(now=now, is_secret=self._oauth.has_issued)
        self._scripted = 0
        self.add(*script)

    def __repr__(self) -> str:
        return f'<CodexSimulator: {len(self.requests)} requests, {self.remaining} turns left>'

    def add(self, *script: ScriptEntry) -> None:
        """Append to the script.

        Raises:
            ConfigurationError: An entry is no turn.
        """
        check_turns(*script)
        with self._backend.lock:
            self._backend.script.extend(script)
            self._scripted += len(script)

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, refused ones included."""
        with self._backend.lock:
            return list(self._backend.records)

    @property
    def lookups(self) -> list[RecordedRequest]:
        """Every request for the models, the accounts or the usage so far; the query of each is its `body`."""
        return self._lookups.requests

    def fail_lookups(self, entry: IssuerEntry, path: LookupPath | None = None, *, times: int | None = None) -> None:
        """Answer the requests for the models, the accounts or the usage so, in place of what was ordered before.

        Args:
            entry: `fail(...)`, `connect_error(...)`, `answer_with(...)`, `late_answer(...)`, `slow_answer(...)`,
                `lost_answer(...)`, a function that returns one of these from the request, or `None` for the usual
                answer again. A request that is refused by itself, such as for its login, is not among them.
            path: `models`, `accounts/check` or `usage`; all three by default.
            times: For how many requests to each; for all that follow by default.

        Raises:
            ConfigurationError: The entry is no answer, there is no such path, or the times are no number.
        """
        self._lookups.order(entry, path, times)

    @property
    def remaining(self) -> int:
        """How many turns of the script are left."""
        with self._backend.lock:
            return len(self._backend.script)

    @property
    def open_streams(self) -> int:
        """How many answers are neither finished nor abandoned."""
        return sum(not request.closed for request in self.requests)

    def assert_exhausted(self) -> None:
        """Check that the script was used up, that no request went beyond it, and that its functions did not fail.

        The same is asked of `github`, and that no login got there.

        Raises:
            SimulatorError: It is an `AssertionError`, too.
        """
        with self._backend.lock:
            unanswered = list(self._backend.unanswered)
        if unanswered:
            raise unanswered[0]
        self._github.assert_exhausted()
        if self.remaining:
            statuses = [request.status for request in self.requests]
            left = ', '.join(shortened(described(entry)) for entry in self._backend.script)
            raise SimulatorError(
                f'Not used of the script: {left}. Turns in the script: {self._scripted}; requests: {len(statuses)}, answered '
                f'with {statuses}. A refused one uses no turn.'
            )

    @property
    def oauth(self) -> SimulatedIssuer:
        """The login service, which refreshes and revokes its login, and hands out others."""
        return self._oauth

    @property
    def github(self) -> SimulatedGitHub:
        """The releases of the Codex CLI, with the instructions of each model family."""
        return self._github

    @property
    def account_id(self) -> str:
        """The account of its login."""
        return self._account.account_id

    @property
    def access_token(self) -> str:
        """The newest access token of its login; a new one after each `revoke()` and each refresh."""
        return self._oauth.own.access_token()

    @property
    def credentials(self) -> Credentials:
        """A login that it accepts, with the newest tokens: after a refresh, those that the client got."""
        from ..auth import Credentials

        return Credentials(plan_type=self._account.plan_type, **self._oauth.own.tokens())

    def auth_json(
        self,
        *,
        expires_in: Duration | None = None,
        last_refresh: datetime | None = None,
        new_login: bool = False,
    ) -> dict[str, Any]:
        """Its login in the shape of the CLI's `auth.json`, to be written into a file of a test.

        Args:
            expires_in: After which time its access token expires (a number is seconds); negative for one that has
                expired. By default it is the newest access token, as it is.
            last_refresh: When it was refreshed; by default an hour ago, and with `expires_in` as long before the
                expiry as an access token lives, if that is longer ago: a client may spare a token that is new.
            new_login: Whether to begin a login of its own, of whoever is signed in (see `oauth.sign_in_as`), in place
                of the newest tokens of the simulator's.
        """
        tokens = (self._oauth.log_in if new_login else self._oauth.own.tokens)(lifetime=expires_in)
        if last_refresh is None:
            last_refresh = self._backend.now() - usual_age(expires_in, self._oauth.access_token_lifetime)
        return auth_document(tokens, last_refresh)

    def revoke(self, token: str | None = None) -> None:
        """Refuse an access token from now on; its login goes on, and can be refreshed.

        Args:
            token: An access token or API key; its own access token by default, which is then replaced.
        """
        token = token or self.access_token
        self._backend.refuse([token])
        self._oauth.own.drop(token)

    @property
    def transport(self) -> httpx2.AsyncBaseTransport:
        """A transport that leads here, with the real URLs, those of the login service and of GitHub among them.

        Requests to other hosts raise `httpx2.ConnectError`.
        """
        return SimulatorTransport(self._answer, self._origins)

    def http_client(self) -> httpx2.AsyncClient:
        """Make an HTTP client whose requests lead here."""
        return httpx2.AsyncClient(transport=self.transport)

    def provider(self, *, policy: TransportPolicy | None = None, **kwargs: Any) -> CodexProvider:
        """Make a provider that is logged in here.

        Its login is bare `Credentials`, which a provider does not refresh. For one that it does, pass
        `credentials=MemoryStore(simulator.credentials)`, or an `AuthFile` that holds `auth_json()`. It also works where
        pydantic-ai's `ALLOW_MODEL_REQUESTS` is off, unless an `http_client` or a `base_url` is passed.

        Args:
            policy: How patient it is. By default nothing is tried again, so that each turn of the script is one
                outcome. With retries no time passes in the waits between them.
            **kwargs: Further arguments of `CodexProvider`, which win over those made here. With an `api_key` (any
                that begins with `sk-`) it uses the API in place of the login. A `cache_dir` needs
                `github.is_cacheable`.
        """
        made: dict[str, Any] = {'http_client': self.http_client, 'clock': InstantClock(self._backend.now)}
        if 'api_key' not in kwargs:
            made['credentials'] = self.credentials
        if self._base_url is not None:
            made['base_url'] = self._base_url
        return make_provider(policy, made, kwargs)

    def model(self, name: str = 'gpt-5.1-codex', *, policy: TransportPolicy | None = None, **kwargs: Any) -> CodexModel:
        """Make a model that is served here.

        Args:
            name: The model name.
            policy: How patient it is; see `provider`.
            **kwargs: Further arguments of `CodexModel`.

        Raises:
            ConfigurationError: There is a `policy` for a `provider` that has one already.
        """
        from .. import CodexModel

        if 'provider' not in kwargs:
            kwargs['provider'] = self.provider(policy=policy)
        elif policy is not None:
            raise ConfigurationError('The `policy` belongs to the `provider`; pass it there.')
        return CodexModel(name, **kwargs)

    def serve(self, host: str = '127.0.0.1', port: int = 0) -> AbstractAsyncContextManager[SimulatorServer]:
        """Serve it on a loopback port as well, for as long as the context lasts.

        A provider that only its `base_url` leads here asks the real GitHub for instructions, unless `CODEX_MODE=0` is
        set, or the agent has `codex_instructions='agent'`.

        Args:
            host: A loopback address.
            port: The port; a free one by default.

        Raises:
            ConfigurationError: The host is no loopback address, or uvicorn is not installed.
        """
        return serve(self._answer, host, port)

    def _answer(self, request: IncomingRequest) -> Exchange:
        if is_for_issuer(request, ISSUER, _BACKENDS):
            return self._oauth.answer(request)
        if host := host_of(request, _OTHERS):
            return self._github.answer(request, host)
        if self._lookups.serves(request.path):
            return self._lookups.answer(request)
        return self._backend.answer(request)
