"""`Account`: everything that the backend tells of an account beside its answers."""

from __future__ import annotations

import anyio

from .._clock import Clock
from .._http_reply import HTTPLease
from .._instructions.folder import CacheDir
from .._protocol.catalog import ModelCatalog
from .._protocol.rate_limits import RateLimits
from ..auth import Credentials
from .lookup import Lookups, account_urls
from .models import Models
from .routing import Routing
from .usage import fetch_rate_limits


class Account:
    """Models, routing and limits, for whichever login asks. One instance serves any number of threads and event loops.

    Args:
        http_client: Makes an HTTP client available for one request.
        originator: How the program names itself.
        cache_dir: Where the catalog is kept; `False` keeps it in memory.
        clock: Time.
    """

    def __init__(self, http_client: HTTPLease, *, originator: str, cache_dir: CacheDir, clock: Clock) -> None:
        self._clock = clock
        self._lookups = Lookups(http_client, originator=originator, clock=clock)
        self._models = Models(self._lookups, cache_dir=cache_dir, clock=clock)
        self._routing = Routing(self._lookups, clock=clock)

    async def look_up(self, credentials: Credentials, base_url: str) -> ModelCatalog:
        """Find out what is due, both at once; what cannot be found out now keeps no turn from going on."""
        is_due = self._models.is_due(credentials, base_url)
        is_routed = self._routing.known(credentials, base_url)
        if is_due or not is_routed:
            async with anyio.create_task_group() as tasks:
                if is_due:
                    tasks.start_soon(self._models.get, credentials, base_url)
                if not is_routed:
                    tasks.start_soon(self._routing.discover, credentials, base_url)
        return self.known(credentials, base_url)

    async def models(self, credentials: Credentials, base_url: str, *, refresh: bool) -> ModelCatalog:
        """The models of the login; see `CodexProvider.models`."""
        return await self._models.get(credentials, base_url, refresh=refresh)

    def known(self, credentials: Credentials, base_url: str) -> ModelCatalog:
        """The models of the login, as far as they are known."""
        return self._models.known(credentials, base_url)

    def can_list(self, credentials: Credentials, base_url: str) -> bool:
        """Whether there is a list of models for the login: a platform key has none, and other hosts need not."""
        return account_urls(credentials, base_url) is not None

    def heard(self, etag: str | None, credentials: Credentials, base_url: str) -> None:
        """Take what an answer says of the version of the catalog."""
        self._models.heard(etag, credentials, base_url)

    def is_routed(self, credentials: Credentials, base_url: str) -> bool:
        """Whether `override` is known, or not to be found out now."""
        return self._routing.known(credentials, base_url)

    def override(self, credentials: Credentials, base_url: str) -> str | None:
        """Where the requests of the login have to be processed, if anywhere."""
        return self._routing.override(credentials, base_url)

    async def fetch_rate_limits(self, credentials: Credentials, base_url: str) -> RateLimits:
        """The limits of the plan, asked for now.

        Raises:
            ConfigurationError: If the login is an API key.
            BackendError: If the backend refuses to tell.
            TransportError: If it cannot be asked.
        """
        return await fetch_rate_limits(self._lookups, credentials, base_url, self._clock.now())
