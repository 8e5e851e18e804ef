"""What the backend tells of an account beside its answers: its models, its routing and its limits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .._clock import Clock
from .._http_reply import HTTPLease
from .._instructions.folder import CacheDir

if TYPE_CHECKING:
    from .account import Account


class LazyAccount:
    """An `Account` that is loaded and made when it is first wanted: a program that only imports us does not pay for it.

    Args:
        http_client: As of `Account`, all of them.
        originator: How the program names itself.
        cache_dir: Where the catalog is kept.
        clock: Time.
    """

    def __init__(self, http_client: HTTPLease, *, originator: str, cache_dir: CacheDir, clock: Clock) -> None:
        self._http_client = http_client
        self._originator = originator
        self._cache_dir: CacheDir = cache_dir
        self._clock = clock
        self._account: Account | None = None
        self._lock = threading.Lock()

    def get(self) -> Account:
        """The account, the same for all threads."""
        if self._account is None:
            with self._lock:
                if self._account is None:
                    from .account import Account

                    self._account = Account(
                        self._http_client, originator=self._originator, cache_dir=self._cache_dir, clock=self._clock
                    )
        return self._account
