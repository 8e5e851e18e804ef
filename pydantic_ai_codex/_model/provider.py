"""`CodexProvider`: the login and the connection that models share."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers import Provider

from .._client import CodexClient
from .._clock import Clock
from .._instructions.folder import CacheDir
from .._limits import THRESHOLDS, OnRateLimits
from .._policy import TransportPolicy
from .._protocol.constants import DEFAULT_ORIGINATOR
from .._protocol.model_names import parse_model_name
from .._recovery import OnRetry
from .._transport.http import HTTPClient
from ..auth import Credentials, CredentialStore, RefreshMode
from .errors import mapped_errors
from .history.origins import OUR_NAME
from .profile import codex_model_profile

if TYPE_CHECKING:
    from .._protocol.catalog import ModelCatalog
    from .._protocol.rate_limits import RateLimits

CANONICAL_SYSTEM: Final = 'openai'
"""The service whose keys verify the encrypted reasoning, whoever's name is on the provider."""


class CodexProvider(Provider[CodexClient]):
    """The login and the connection for `CodexModel`s.

    One provider serves any number of models, threads and event loops. Several accounts are several providers.

    Args:
        credentials: A login, or a store that it is read from at each request. By default `CODEX_ACCESS_TOKEN`, then
            the file in `CODEX_AUTH_FILE`, then `$CODEX_HOME/auth.json`, then our own file where
            `pydantic-ai-codex login --store own` has made one, then `~/.codex/auth.json`. A store without a `lock()`
            is for one provider alone.
        api_key: A platform API key; requests then go to `https://api.openai.com/v1` and are billed there. It is never
            read from the environment.
        base_url: What stands before `/responses`, by default `https://chatgpt.com/backend-api/codex`. Naming one is
            your consent to send the login there: https, or http on loopback.
        http_client: An `httpx2.AsyncClient`, or a callable that makes one, which is called once for each event loop.
            By default clients of our own. A client that you pass in is yours to close. The login is refreshed
            through it, too.
        originator: How the program names itself to the backend.
        policy: How patient it is: what is tried again and when, and the timeouts.
        refresh: `never` only reads the login and never spends a refresh token: somebody else has to refresh it, as
            the Codex CLI does with its own file. By default a login that a store keeps is refreshed when it is due, and
            bare `Credentials` are not.
        cache_dir: The folder in which the instructions of the model families are kept, for all programs of this user; by
            default `CODEX_CACHE_DIR`, else the platform's cache folder. `False` keeps them in memory.
        clock: Time and chance, for tests: an object with `now`, `monotonic`, `random` and `sleep`.
        on_retry: A function that is called with a `Retry` before each further attempt of a request, in the event loop of
            that request. It is not awaited; an error that it raises goes to the log.
        on_rate_limits: A function that is called with a `RateLimitAlert` when a window of the plan's limits passes a
            threshold, once for each period of that window. As `on_retry`.
        rate_limit_thresholds: The thresholds, in percent of a window.

    Raises:
        UserError: If an argument cannot work.
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
        with mapped_errors(self.name):
            self._client = CodexClient(
                credentials=credentials,
                api_key=api_key,
                base_url=base_url,
                http_client=http_client,
                originator=originator,
                policy=policy,
                refresh=refresh,
                cache_dir=cache_dir,
                clock=clock,
                on_retry=on_retry,
                on_rate_limits=on_rate_limits,
                rate_limit_thresholds=rate_limit_thresholds,
            )

    @property
    def name(self) -> str:
        """`codex`, the name on parts, responses and spans."""
        return OUR_NAME

    @property
    def canonical_system(self) -> str:
        """`openai`: its keys verify the encrypted reasoning."""
        return CANONICAL_SYSTEM

    @property
    def base_url(self) -> str:
        """What stands before `/responses`."""
        return self._client.base_url

    @property
    def client(self) -> CodexClient:
        """The client, which knows nothing of pydantic-ai."""
        return self._client

    @property
    def rate_limits(self) -> RateLimits | None:
        """The limits of the plan as the last answers told them, or `None` before the first.

        A window that has begun anew since is not known, so it blocks nothing.
        """
        return self._client.rate_limits

    async def fetch_rate_limits(self) -> RateLimits:
        """Ask for the limits of the plan now, without sending a request to a model.

        Returns:
            Both windows, the credits, and which window is used up.

        Raises:
            UserError: If there is no usable login, or it is an API key, which has no plan.
            ModelHTTPError: If the backend refuses to tell.
            ModelConnectionError: If it is not reached.
        """
        with mapped_errors(self.name):
            return await self._client.fetch_rate_limits()

    async def models(self, *, refresh: bool = False) -> ModelCatalog:
        """The models that the plan may use.

        The backend's list is kept for five minutes, for all programs of this user, and asked for again when an answer
        says that it has changed. Where it cannot be had, the list is an older one, or that of this package; its `source`
        says which.

        Args:
            refresh: Whether to ask now, whatever is kept, and to raise what keeps the backend from telling.

        Raises:
            UserError: If there is no usable login.
            ModelHTTPError: If the backend refuses to tell, with `refresh`.
            ModelConnectionError: If it is not reached, with `refresh`.
        """
        with mapped_errors(self.name):
            return await self._client.models(refresh=refresh)

    @staticmethod
    def model_profile(model_name: str) -> ModelProfile | None:
        """What the named model can do, as far as this package knows it; see `models` for what the backend says."""
        return codex_model_profile(parse_model_name(model_name))

    # The base class keeps one client and a lock that belongs to one event loop; ours keeps one client for each loop.

    async def __aenter__(self) -> Self:
        self._client.http_clients.enter()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
        await self._client.http_clients.leave()
        return None
