"""The client for the Codex backend: credentials, transport and decoder in one turn; without pydantic-ai."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ._account import LazyAccount
from ._advice import Advice
from ._callbacks import checked_callback
from ._clock import Clock, SystemClock
from ._instructions.folder import CacheDir
from ._limits import THRESHOLDS, LimitTracker, OnRateLimits
from ._policy import TransportPolicy
from ._protocol.constants import DEFAULT_ORIGINATOR, HEADER_WORD
from ._protocol.requests import CodexRequest
from ._recovery import OnRetry, Recovery, Renewal
from ._sending import Body, Sender
from ._stream import CodexStream
from ._transport.bearer import base_url_for, check_base_url
from ._transport.http import HTTPClient, HTTPClients
from ._transport.sse import SSETransport
from .auth import AuthHTTP, Credentials, CredentialStore, EnvironmentStore, MemoryStore, TokenSource
from .auth import RefreshMode as RefreshMode
from .errors import BackendError, CodexError, ConfigurationError

if TYPE_CHECKING:
    from ._instructions import Instructions
    from ._protocol.catalog import ModelCatalog
    from ._protocol.rate_limits import RateLimits

__all__ = ('CodexClient', 'CodexStream')

_T = TypeVar('_T')


class CodexClient:
    """Sends requests to the backend and reads its streams. One instance serves any number of threads and event loops.

    Args:
        credentials: A login or a store of one; by default the one that the environment points to.
        api_key: A platform API key instead of a login.
        base_url: What stands before `/responses`; by default the host that the login belongs to.
        http_client: The HTTP client, or a factory of them.
        originator: How the program names itself to the backend.
        policy: How patient it is: retries and timeouts.
        refresh: Whether a login is refreshed when it is due, or only read.
        cache_dir: Where the instructions of models are kept; `False` keeps them in memory.
        clock: Time and chance; by default those of this machine.
        on_retry: A function that is told before each further attempt of a request.
        on_rate_limits: A function that is told when a limit of the plan passes a threshold.
        rate_limit_thresholds: These thresholds, in percent.

    Raises:
        ConfigurationError: If an argument cannot work.
    """

    def __init__(
        self,
        *,
        credentials: Credentials | CredentialStore | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        http_client: HTTPClient | None = None,
        originator: str = DEFAULT_ORIGINATOR,
        policy: TransportPolicy | None = None,
        refresh: RefreshMode = 'auto',
        cache_dir: CacheDir = None,
        clock: Clock | None = None,
        on_retry: OnRetry | None = None,
        on_rate_limits: OnRateLimits | None = None,
        rate_limit_thresholds: Sequence[float] = THRESHOLDS,
    ) -> None:
        if api_key is not None and credentials is not None:
            raise ConfigurationError('`credentials` and `api_key` exclude each other; pass one.')
        if api_key is not None and not api_key.strip():
            raise ConfigurationError('The `api_key` is empty; leave it out to use the ChatGPT login.')
        if not _is_word(originator):
            raise ConfigurationError(f'The `originator` {originator!r} has to be a word of ASCII characters.')
        if not isinstance(policy, TransportPolicy | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f'`policy` takes a `TransportPolicy`, not {policy!r}.')
        if api_key is not None:
            credentials = Credentials(api_key.strip(), auth_mode='apikey')
        is_bare = isinstance(credentials, Credentials)
        store = EnvironmentStore() if credentials is None else credentials
        store = MemoryStore(store) if isinstance(store, Credentials) else store
        self._is_key = isinstance(credentials, Credentials) and credentials.auth_mode == 'apikey'
        self._base_url = None if base_url is None else check_base_url(base_url)
        self.http_clients = HTTPClients(http_client)
        """The HTTP clients, one for each event loop."""
        self.policy = policy or TransportPolicy()
        """How patient it is."""
        self.is_simulated = False
        """Whether a simulator answers, so that no request can cost anything."""
        self._clock = clock or SystemClock()
        self._originator = originator
        self.tokens = TokenSource(
            store,
            # Where bare credentials come from is not known: most likely a file that would keep the spent token.
            refresh='never' if is_bare and refresh == 'auto' else refresh,
            http=AuthHTTP(self.http_clients.borrow, originator=originator, is_bound=self.http_clients.is_bound),
            clock=self._clock,
        )
        """Where the login comes from."""
        self.limits = LimitTracker(on_rate_limits, rate_limit_thresholds)
        """The limits of the plan, as they were seen last."""
        self._account = LazyAccount(
            self.http_clients.borrow, originator=originator, cache_dir=cache_dir, clock=self._clock
        )
        self._on_retry = checked_callback('on_retry', on_retry)
        self._advice = Advice(self.tokens, base_url=self._base_url, is_key=self._is_key)
        self._sender = Sender(
            SSETransport(self.http_clients, self.policy, self._clock),
            self._account,
            advice=self._advice,
            limits=self.limits,
            base_url=self._base_url,
            originator=originator,
            clock=self._clock,
        )
        self._cache_dir: CacheDir = cache_dir
        self._instructions: Instructions | None = None
        self._instructions_lock = threading.Lock()
        if cache_dir is not None:
            _ = self.instructions  # A folder that cannot be one is told now.

    @property
    def instructions(self) -> Instructions:
        """Where the instructions of the model families come from; loaded when they are first wanted."""
        # Threads share one: it has one of them ask, and the others wait.
        with self._instructions_lock:
            if self._instructions is None:
                from ._instructions import Instructions

                self._instructions = Instructions(
                    self.http_clients.borrow, cache_dir=self._cache_dir, originator=self._originator, clock=self._clock
                )
            return self._instructions

    @property
    def base_url(self) -> str:
        """What stands before `/responses`. A login file in API-key mode is only known once it is read."""
        return base_url_for(Credentials('', auth_mode='apikey' if self._is_key else 'chatgpt'), self._base_url)

    async def authenticate(self) -> Credentials:
        """The login as it is now.

        Raises:
            CredentialsError: If there is no usable login.
        """
        return await self.tokens.credentials()

    async def look_up(self, credentials: Credentials) -> ModelCatalog:
        """The models that the login may use, as far as that is known; asks the backend where it is due.

        The account's routing is found out along with it. No failure of these ends a turn: see `Account.look_up`.
        """
        return await self._account.get().look_up(credentials, base_url_for(credentials, self._base_url))

    async def models(self, *, refresh: bool = False) -> ModelCatalog:
        """The models of the login.

        Args:
            refresh: Whether to ask the backend now, and to raise what keeps it from telling.

        Raises:
            CredentialsError: If there is no usable login.
            BackendError: If the backend refuses to tell.
            TransportError: If it cannot be asked.
        """
        account = self._account.get()
        return await self._asked(lambda login, base_url: account.models(login, base_url, refresh=refresh))

    def check_model(self, slug: str, catalog: ModelCatalog, credentials: Credentials) -> None:
        """Refuse a model that no plan serves, where the backend could list it and does not.

        Raises:
            ModelNotServedError: If it is one.
        """
        if self._account.get().can_list(credentials, base_url_for(credentials, self._base_url)):
            from ._protocol.refusals import check_plan_model

            check_plan_model(slug, catalog)

    @property
    def rate_limits(self) -> RateLimits | None:
        """The limits of the plan as they were seen last, without windows that have begun anew since."""
        latest = self.limits.latest
        return None if latest is None else latest.at(self._clock.now())

    async def fetch_rate_limits(self) -> RateLimits:
        """The limits of the plan, asked for now; `limits` hears of them, too.

        Raises:
            CredentialsError: If there is no usable login.
            ConfigurationError: If the login is an API key.
            BackendError: If the backend refuses to tell.
            TransportError: If it cannot be asked.
        """
        tag: str | None = None

        async def ask(credentials: Credentials, base_url: str) -> RateLimits:
            nonlocal tag
            tag = credentials.account_tag
            return await self._account.get().fetch_rate_limits(credentials, base_url)

        limits = await self._asked(ask)
        self.limits.take(limits, account=tag)
        return limits

    async def _asked(self, ask: Callable[[Credentials, str], Awaitable[_T]]) -> _T:
        """What the backend tells of the account; a login that it refuses is replaced once, as for a request."""
        login = await self._login()
        while True:
            credentials = login.credentials
            try:
                return await ask(credentials, base_url_for(credentials, self._base_url))
            except CodexError as error:
                self._advice.complete(error, credentials)
                is_refused = isinstance(error, BackendError) and error.status_code == 401
                if not (is_refused and await login.renew(error)):
                    raise

    async def _login(self, credentials: Credentials | None = None) -> Renewal:
        return Renewal(credentials or await self.authenticate(), self.tokens, self._advice)

    async def stream(
        self,
        request: CodexRequest,
        *,
        credentials: Credentials | None = None,
        whole: bool = False,
        max_retries: int | None = None,
    ) -> CodexStream:
        """Send a request and wait until the backend begins to answer.

        What may go away by itself is tried again, as the policy says, until the first event that shows something of
        the answer: so nothing is said twice, and a failure before that is raised here. A 401 is answered with another
        token: one that another process has put there meanwhile, or else, once, one that is got by refreshing.

        Args:
            request: The request.
            credentials: The login, where the caller has asked for it already; see `authenticate`.
            whole: Whether to wait for the whole answer, which is then handed out as it came. Nobody sees anything of
                it before, so it is tried again for as long as it is not whole.
            max_retries: How often to try again, in place of the policy's number.

        Returns:
            The stream of events; the caller closes it.

        Raises:
            BackendError: If the backend refuses the request, or says that the answer failed.
            CredentialsError: If there is no usable login.
            TransportError: If the request or its answer does not get through.
            StreamError: If the answer is not the stream that it should be.
        """
        recovery = Recovery(
            request,
            await self._login(credentials),
            policy=self.policy if max_retries is None else replace(self.policy, max_retries=max_retries),
            clock=self._clock,
            on_retry=self._on_retry,
        )
        body = Body()
        while True:
            try:
                stream = await self._sender.attempt(recovery, body, whole=whole)
                end = stream.stopped_early
                delay = None if end is None else recovery.after_incomplete(end.reason)
                if delay is None:
                    return stream
                await stream.aclose()
            except CodexError as error:
                self._advice.complete(error, recovery.credentials)
                delay = await recovery.after_error(error)
                if delay is None:
                    self._raise(error, recovery)
                    raise
            # Outside of `except`, so that the next error does not drag this one along.
            if delay:
                await self._clock.sleep(delay)

    def _raise(self, error: CodexError, recovery: Recovery) -> None:
        """Say more of a refusal that is about the model: which ones there are.

        Raises:
            ModelNotServedError: If it is one.
        """
        if not isinstance(error, BackendError):
            return
        from ._protocol.refusals import refused_model

        base_url = base_url_for(recovery.credentials, self._base_url)
        catalog = self._account.get().known(recovery.credentials, base_url)
        if refused := refused_model(error, recovery.request.model, catalog):
            raise refused from None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and HEADER_WORD.fullmatch(value) is not None
