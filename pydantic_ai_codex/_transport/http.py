"""HTTP clients: which one a request uses, and when ours are closed."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel
import httpx2

from .._http_client import made, make_client
from ..errors import ConfigurationError
from .clone import can_clone, clone, follow

HTTPClient: TypeAlias = httpx2.AsyncClient | Callable[[], httpx2.AsyncClient]

CLOSE_SECONDS: Final = 2.0
"""How long closing a client or an answer may take, whatever else is being cancelled."""

_LINGER: Final = 0.5
"""Seconds between the end of a provider and that of its connections, where the event loop goes on."""


class Lease:
    """A client in use, until `release`."""

    def __init__(self, client: httpx2.AsyncClient, held: _Held | None) -> None:
        self.client = client
        self.is_shared = held is None
        """Whether it is the one that was passed in, which serves every event loop."""
        self._held = held

    async def release(self) -> None:
        """Say that the client is not in use any more; more than once does no harm."""
        held, self._held = self._held, None
        if held is not None:
            held.requests -= 1
            await held.close_if_unused()


class _Held:
    """A client of our own, for one event loop."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.requests = 0
        """Requests under way."""
        self.entered = 0
        """Blocks that were entered."""
        self.was_entered = False
        """Whether whoever leaves last closes the client; where nobody ever enters, the end of the loop does."""
        self._thread = threading.current_thread()
        self._keeper = _keep(client)
        _start(self._keeper, _running_loop())

    def is_left(self, loop: Any) -> bool:
        """Whether the event loop ended without a word: it is closed, or will not run again, as its thread is over."""
        # `run_sync` of pydantic-ai makes a loop for each thread and closes none.
        is_over = not self._thread.is_alive() and not getattr(loop, 'is_running', bool)()
        return is_over or getattr(loop, 'is_closed', bool)()

    async def close_if_unused(self) -> None:
        """Close the client after the last use, unless nobody entered it."""
        if self.was_entered and not self.entered and not self.requests:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                await self._keeper.aclose()


async def _keep(client: httpx2.AsyncClient) -> AsyncGenerator[None]:
    """Closes the client when it is closed itself.

    An event loop closes the asynchronous generators that were started on it when it shuts down, which is the only word
    it gives of its end; so the connections, which belong to the loop, end with it.
    """
    try:
        yield
    finally:
        with suppress(Exception):  # A client of the user's factory may raise anything, and nothing depends on it.
            await client.aclose()


def _start(keeper: AsyncGenerator[None], loop: Any) -> None:
    """Take the generator to its `yield`, which registers it with the running event loop."""
    finalizer = sys.get_asyncgen_hooks().finalizer
    if hasattr(loop, 'call_later'):
        # The finalizer of asyncio would start a task at once, which a loop that is about to stop never gets to, and
        # complains about: `asyncio.run` of a function that makes its provider itself.
        sys.set_asyncgen_hooks(finalizer=partial(_let_go, loop))
    try:
        with suppress(StopIteration):
            keeper.__anext__().send(None)
    finally:
        sys.set_asyncgen_hooks(finalizer=finalizer)


def _let_go(loop: asyncio.AbstractEventLoop, keeper: AsyncGenerator[None]) -> None:
    """Have the loop close a client whose provider is garbage; this may be any thread."""
    with suppress(RuntimeError):  # The loop is closed.
        loop.call_soon_threadsafe(_close_soon, loop, keeper)


def _close_soon(loop: asyncio.AbstractEventLoop, keeper: AsyncGenerator[None]) -> None:
    """Close the client in a moment, or when the loop ends, whichever comes first."""
    if (register := sys.get_asyncgen_hooks().firstiter) is not None:
        register(keeper)
    loop.call_later(_LINGER, lambda: loop.create_task(keeper.aclose()))


class HTTPClients:
    """Hands out an HTTP client for the event loop that asks. Any number of threads may ask at once.

    Connections belong to the loop that opened them, so each loop has a client: one of our own, one that the user's
    factory makes, or a clone of the one that was passed in. Those are closed when the loop shuts down. A loop that never
    does, because it is left as it is at the end of its thread, is forgotten, and its connections with it.

    A client that was passed in is only the template of its clones. They have its settings as they are at each request,
    and its limits hold for each loop. The client itself is not used and never closed, so it may serve other code on any
    loop meanwhile; once its owner closes it, no further request goes out. Where it cannot be cloned (`can_clone`), such
    as with a transport of the user's own, the client itself serves every loop, as far as its transport can.

    Args:
        http_client: A client, a factory of clients, or `None` for a client of our own.

    Raises:
        ConfigurationError: If it is anything else, such as a client of the legacy `httpx`.
    """

    def __init__(self, http_client: HTTPClient | None) -> None:
        _check(http_client)
        self._is_own = http_client is None
        self._client: httpx2.AsyncClient | None = None
        self._factory: Callable[[], httpx2.AsyncClient]
        if isinstance(http_client, httpx2.AsyncClient):
            self._client = http_client
            self._factory = partial(clone, http_client)
        else:
            self._factory = http_client or make_client
        self._held: WeakKeyDictionary[Any, _Held] = WeakKeyDictionary()
        # Guards the dictionary alone. What is in it is touched by the thread of its event loop and by no other.
        self._lock = threading.Lock()

    @property
    def is_shared(self) -> bool:
        """Whether one client, which was passed in, serves every event loop."""
        return self._client is not None and not can_clone(self._client)

    @property
    def is_bound(self) -> bool:
        """Whether a client may work on the event loop of the caller only: it is shared, or of the user's own making."""
        return self.is_shared or not (self._is_own or self._client is not None)

    def lease(self) -> Lease:
        """The client for the running event loop, in use until it is released.

        Raises:
            ConfigurationError: If the client cannot be made, or was passed in and is closed.
        """
        self._check_open()
        if self._client is not None and self.is_shared:
            return Lease(self._client, None)
        held = self._hold()
        held.requests += 1
        return Lease(held.client, held)

    @asynccontextmanager
    async def borrow(self) -> AsyncGenerator[httpx2.AsyncClient]:
        """The client for the running event loop, in use until the block ends.

        Raises:
            ConfigurationError: As `lease` does.
        """
        lease = self.lease()
        try:
            yield lease.client
        finally:
            await lease.release()

    def enter(self) -> None:
        """Say that the client of the running event loop is in use until `leave`.

        Raises:
            ConfigurationError: If the client cannot be made, or was passed in and is closed.
        """
        self._check_open()
        if not self.is_shared:
            held = self._hold()
            held.entered += 1
            held.was_entered = True

    async def leave(self) -> None:
        """Take `enter` back; once nothing uses the client any more it is closed, if it is ours."""
        with self._lock:
            held = self._held.get(_running_loop())
        if held is not None and held.entered:
            held.entered -= 1
            await held.close_if_unused()

    def _check_open(self) -> None:
        if self._client is not None and self._client.is_closed:
            raise ConfigurationError(
                'The `http_client` that was passed in is closed. Keep it open for as long as requests are made, or '
                'pass a callable, such as `http_client=httpx2.AsyncClient`, whose clients are opened and closed here.'
            )

    def _hold(self) -> _Held:
        loop = _running_loop()
        with self._lock:
            held = self._held.get(loop)
        if held is None or held.client.is_closed:
            # Not under the lock: a factory may be slow, and only this thread makes the client of this loop.
            held = _Held(self._make())
            with self._lock:
                self._forget_left_loops()
                self._held[loop] = held
        if self._client is not None:
            follow(held.client, self._client)
        return held

    def _forget_left_loops(self) -> None:
        """Let go of loops that ended without a word: their connections refer to them, so they never go alone."""
        # A list of references, as iterating over the dictionary itself breaks when a loop dies in another thread.
        for loop in [reference() for reference in self._held.keyrefs()]:
            if loop is not None and self._held[loop].is_left(loop):
                del self._held[loop]

    def _make(self) -> httpx2.AsyncClient:
        client = made(self._factory)
        if not isinstance(client, httpx2.AsyncClient):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _wrong_client(client, 'The factory `http_client` made')
        if client.is_closed:
            raise ConfigurationError(
                'The factory `http_client` made a client that is closed. It has to make a new one each time, as each '
                'is closed at the end of its event loop.'
            )
        return client


def _running_loop() -> Any:
    """The running event loop, or what stands for it under Trio; weakly referenceable."""
    token: Any = anyio.lowlevel.current_token()
    return getattr(token, 'native_token', token)


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
