"""HTTP clients: which one a request uses, and when ours are closed."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast
from weakref import WeakKeyDictionary

import anyio.lowlevel
import httpx2

from .._protocol.constants import CONNECT_TIMEOUT, IDLE_TIMEOUT
from ..errors import ConfigurationError

HTTPClient: TypeAlias = httpx2.AsyncClient | Callable[[], httpx2.AsyncClient]

DEFAULT_TIMEOUT: Final = httpx2.Timeout(IDLE_TIMEOUT, connect=CONNECT_TIMEOUT)
_LIMITS: Final = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60)


@dataclass(slots=True)
class _Held:
    client: httpx2.AsyncClient
    entered: int = 0


class HTTPClients:
    """Hands out an HTTP client for the event loop that asks.

    Connections belong to the loop that opened them, so a client of our own, or one that the user's factory makes, is
    made once for each loop. A client that was passed in is used as it is, and never closed.

    Args:
        http_client: A client, a factory of clients, or `None` for a client of our own.

    Raises:
        ConfigurationError: If it is anything else, such as a client of the legacy `httpx`.
    """

    def __init__(self, http_client: HTTPClient | None) -> None:
        _check(http_client)
        self._client = http_client if isinstance(http_client, httpx2.AsyncClient) else None
        self._factory = None if isinstance(http_client, httpx2.AsyncClient) else http_client or make_client
        self._held: WeakKeyDictionary[Any, _Held] = WeakKeyDictionary()
        self._lock = threading.Lock()

    @property
    def is_ours(self) -> bool:
        """Whether the clients, and so their timeouts, are of our own making."""
        return self._factory is make_client

    @property
    def is_shared(self) -> bool:
        """Whether one client, which was passed in, serves every event loop."""
        return self._client is not None

    def get(self) -> httpx2.AsyncClient:
        """The client for the running event loop."""
        return self._client or self._hold().client

    def enter(self) -> None:
        """Say that the clients of the running event loop are in use until `leave`."""
        if self._client is None:
            self._hold().entered += 1

    async def leave(self) -> None:
        """Take `enter` back; after the last time the loop's client is closed, if it is ours."""
        with self._lock:
            held = self._held.get(_running_loop())
            if held is None or held.entered == 0:
                return
            held.entered -= 1
            if held.entered:
                return
            del self._held[_running_loop()]
        await held.client.aclose()

    def _hold(self) -> _Held:
        loop = _running_loop()
        with self._lock:
            held = self._held.get(loop)
            if held is None or held.client.is_closed:
                assert self._factory is not None
                client = self._factory()
                if not isinstance(client, httpx2.AsyncClient):  # pyright: ignore[reportUnnecessaryIsInstance]
                    raise _wrong_client(client, 'The factory `http_client` made')
                held = self._held[loop] = _Held(client, held.entered if held else 0)
            return held


def request_timeout(timeout: object, *, ours: bool) -> httpx2.Timeout | Any:
    """The timeout for one request.

    Args:
        timeout: The setting: seconds, a timeout object of `httpx2` or of the legacy `httpx`, or `None`.
        ours: Whether the client is ours; the timeouts of a client that was passed in are its own business.

    Raises:
        ConfigurationError: If the setting is none of these.
    """
    if timeout is None:
        return DEFAULT_TIMEOUT if ours else httpx2.USE_CLIENT_DEFAULT
    if isinstance(timeout, httpx2.Timeout):
        return timeout
    if isinstance(timeout, int | float):
        return httpx2.Timeout(timeout)
    try:
        legacy = cast(Any, timeout)
        return httpx2.Timeout(connect=legacy.connect, read=legacy.read, write=legacy.write, pool=legacy.pool)
    except (AttributeError, TypeError) as error:
        raise ConfigurationError(
            f'The setting `timeout` takes seconds or an `httpx2.Timeout`, not {timeout!r}.'
        ) from error


def _running_loop() -> Any:
    """The running event loop, or what stands for it under Trio; weakly referenceable."""
    token: Any = anyio.lowlevel.current_token()
    return getattr(token, 'native_token', token)


def make_client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=DEFAULT_TIMEOUT, limits=_LIMITS)


def _check(http_client: object) -> None:
    kind: type = http_client if inspect.isclass(http_client) else type(http_client)
    is_class_of_clients = inspect.isclass(http_client) and issubclass(http_client, httpx2.AsyncClient)
    if kind.__module__.partition('.')[0] == 'httpx' or (inspect.isclass(http_client) and not is_class_of_clients):
        raise _wrong_client(http_client, '`http_client` is')
    if http_client is not None and not isinstance(http_client, httpx2.AsyncClient) and not callable(http_client):
        raise _wrong_client(http_client, '`http_client` is')


def _wrong_client(value: object, what: str) -> ConfigurationError:
    kind: type = value if inspect.isclass(value) else type(value)
    name = f'{kind.__module__.partition(".")[0]}.{kind.__name__}'
    legacy = (
        ' That is the legacy `httpx`; `httpx2` is its maintained continuation.' if name.startswith('httpx.') else ''
    )
    return ConfigurationError(
        f'{what} {name}, and has to be an `httpx2.AsyncClient` or a callable that makes one.{legacy}'
    )
