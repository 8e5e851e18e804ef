"""`CodexSimulator`: the public face of the simulated backend."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx2

from .._protocol.constants import API_BASE_URL, CHATGPT_BASE_URL
from ..errors import ConfigurationError
from ._backend import Backend
from ._clock import InstantClock, utc_now
from ._records import RecordedRequest, SimulatorError
from ._script import Answer, ScriptEntry
from ._server import SimulatorServer, serve
from ._tokens import DEFAULT_ACCOUNT_ID, fake_access_token
from ._transport import SimulatorTransport, origin_of

if TYPE_CHECKING:
    from .. import CodexModel, CodexProvider, TransportPolicy
    from ..auth import Credentials

_LIFETIME: Final = timedelta(days=10)
_REFRESH_TOKEN: Final = 'rt-simulated'


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
    ) -> None:
        """Make a simulator.

        Args:
            *script: What it answers, in order: turns, failures, or functions that make one from the request.
            strict: Whether to refuse what the backend refuses; without it, only the login and the JSON are checked.
            refuse_retired: Whether to refuse the models that are no longer in the catalog.
            default: What it answers once the script is exhausted; without it such a request raises `SimulatorError`.
            now: The clock, which returns an aware `datetime`.
            base_url: A further base URL that is answered, besides those of ChatGPT and of the API.
            account_id: The account of its login.
            plan_type: The plan of its login.

        Raises:
            ConfigurationError: An entry of the script, or the default, is no turn.
        """
        if default is not None:
            _check_turns(default)
        url = None if base_url is None else httpx2.URL(base_url.rstrip('/'))
        self._backend = Backend(
            strict=strict,
            refuse_retired=refuse_retired,
            default=default,
            now=now,
            extra_path=None if url is None else url.path.rstrip('/'),
        )
        known = [httpx2.URL(CHATGPT_BASE_URL), httpx2.URL(API_BASE_URL)]
        self._origins = frozenset(origin_of(each) for each in (*known, *([] if url is None else [url])))
        self._base_url = base_url
        self._account_id = account_id
        self._plan_type = plan_type
        self._generation = 1
        self._access_token: str | None = None
        self.add(*script)

    def __repr__(self) -> str:
        return f'<CodexSimulator: {len(self.requests)} requests, {self.remaining} turns left>'

    def add(self, *script: ScriptEntry) -> None:
        """Append to the script.

        Raises:
            ConfigurationError: An entry is no turn.
        """
        _check_turns(*script)
        with self._backend.lock:
            self._backend.script.extend(script)

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, refused ones included."""
        with self._backend.lock:
            return list(self._backend.records)

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

        Raises:
            SimulatorError: It is an `AssertionError`, too.
        """
        with self._backend.lock:
            unanswered = list(self._backend.unanswered)
        if unanswered:
            raise unanswered[0]
        if self.remaining:
            statuses = [request.status for request in self.requests]
            left = ', '.join(map(repr, self._backend.script))
            raise SimulatorError(
                f'Not used of the script: {left}. Requests were answered with {statuses}; a refused one uses no turn.'
            )

    @property
    def account_id(self) -> str:
        """The account of its login."""
        return self._account_id

    @property
    def access_token(self) -> str:
        """The access token of its login; a new one after each `revoke()`."""
        with self._backend.lock:
            if self._access_token is None:
                self._access_token = self._make_token()
            return self._access_token

    @property
    def credentials(self) -> Credentials:
        """A login that it accepts."""
        from ..auth import Credentials

        return Credentials(
            access_token=self.access_token,
            refresh_token=_REFRESH_TOKEN,
            account_id=self._account_id,
            id_token=self.access_token,
            plan_type=self._plan_type,
        )

    def auth_json(self) -> dict[str, Any]:
        """Its login in the shape of the CLI's `auth.json`, to be written into a file of a test."""
        return {
            'auth_mode': 'chatgpt',
            'OPENAI_API_KEY': None,
            'tokens': {
                'id_token': self.access_token,
                'access_token': self.access_token,
                'refresh_token': _REFRESH_TOKEN,
                'account_id': self._account_id,
            },
            'last_refresh': self._backend.now().isoformat().replace('+00:00', 'Z'),
        }

    def revoke(self, token: str | None = None) -> None:
        """Refuse a token from now on.

        Args:
            token: An access token or API key; its own access token by default, which is then replaced.
        """
        token = token or self.access_token
        with self._backend.lock:
            self._backend.revoked.add(token)
            if token == self._access_token:
                self._generation += 1
                self._access_token = None

    @property
    def transport(self) -> httpx2.AsyncBaseTransport:
        """A transport that leads here, with the real URLs; requests to other hosts raise `httpx2.ConnectError`."""
        return SimulatorTransport(self._backend.answer, self._origins)

    def http_client(self) -> httpx2.AsyncClient:
        """Make an HTTP client whose requests lead here."""
        return httpx2.AsyncClient(transport=self.transport)

    def provider(self, *, policy: TransportPolicy | None = None, **kwargs: Any) -> CodexProvider:
        """Make a provider that is logged in here.

        Args:
            policy: How patient it is. By default nothing is tried again, so that each turn of the script is one
                outcome. With retries no time passes in the waits between them.
            **kwargs: Further arguments of `CodexProvider`, which win over those made here. With an `api_key` (any
                that begins with `sk-`) it uses the API in place of the login.
        """
        from .. import CodexProvider, TransportPolicy

        made: dict[str, Any] = {
            'http_client': self.http_client,
            'policy': policy or TransportPolicy(max_retries=0),
            'clock': InstantClock(self._backend.now),
        }
        if 'api_key' not in kwargs:
            made['credentials'] = self.credentials
        if self._base_url is not None:
            made['base_url'] = self._base_url
        return CodexProvider(**{**made, **kwargs})

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

        Args:
            host: A loopback address.
            port: The port; a free one by default.

        Raises:
            ConfigurationError: The host is no loopback address, or uvicorn is not installed.
        """
        return serve(self._backend.answer, host, port)

    def _make_token(self) -> str:
        return fake_access_token(
            account_id=self._account_id,
            expires_at=self._backend.now() + _LIFETIME,
            plan_type=self._plan_type,
            claims={'jti': f'simulated-{self._generation}'},
        )


def _check_turns(*entries: ScriptEntry) -> None:
    for entry in entries:
        if not isinstance(entry, Answer) and not callable(entry):
            raise ConfigurationError(
                f'{entry!r} is no turn. A text or a call is part of one: write `reply("...")`, `call_tool("...")` or '
                '`turn(say("..."), call("..."))`.'
            )
