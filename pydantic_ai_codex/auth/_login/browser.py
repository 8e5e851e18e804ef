"""Logging in with a browser: on this machine, or on another one, from which the user pastes where it ended."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import anyio

from ..._clock import Clock, SystemClock
from ..._protocol.constants import CALLBACK_PATH, CALLBACK_PORTS, DEFAULT_ORIGINATOR
from ...errors import CodexError, ConfigurationError, LoginError
from .._credentials import Credentials
from .._http import AuthHTTP
from .._oauth import Endpoints
from .answers import read_pasted
from .callback import CallbackServer, open_callback_server
from .page import failed_page, logged_in_page
from .requests import PKCE, authorize_url
from .service import LoginService, check_environment
from .waiting import FirstAnswer, awaited, beside, duration
from .who import who

_MOST_PASTES: Final = 10
"""How often one that cannot be used is asked for again, so that an input which never ends is not read for ever."""

_NOT_PASTED: Final = (
    'Nothing was pasted, so there is no login. Log in again and paste the address, or log in with a device code '
    '(`--device`).'
)

_POLL: Final = 0.05
"""Seconds between two looks at whether the browser is open."""


async def browser_login(
    *,
    show: Callable[[str], object],
    open_browser: Callable[[str], object] | None = None,
    paste: Callable[[], Awaitable[str]] | None = None,
    keep: Callable[[Credentials], Awaitable[object]] | None = None,
    warn: Callable[[str], object] | None = None,
    workspaces: Sequence[str] = (),
    exchange_api_key: bool = False,
    timeout: float = 900,  # noqa: ASYNC109 - how long a person may take, on the clock that is passed in
    endpoints: Endpoints | None = None,
    http: AuthHTTP | None = None,
    originator: str = DEFAULT_ORIGINATOR,
    ports: Sequence[int] = CALLBACK_PORTS,
    clock: Clock | None = None,
) -> Credentials:
    """Log in with a browser (OAuth with PKCE).

    The browser comes back to a port of this machine. Where it runs on another machine, that page fails to load, and the
    user copies its address for `paste`. With `paste` and `ports=()` no port is used at all; with both, whichever comes
    first counts.

    Args:
        show: Gets the address to open, always.
        open_browser: Opens the address, in a thread of its own. That it fails, or returns `False`, does not end the login;
            it is told to `warn`, and without that to nobody.
        paste: Asks, as an `async def`, for what the user copied, and returns the line as it was typed, with its end. An
            empty text, or `EOFError`, says that nothing more will come.
        keep: What is done with the login, such as `save_login`, before the browser is told that it worked.
        warn: Gets what went wrong without ending the login. With it, a paste that cannot be used is asked for again;
            without it, such a paste ends the login, and nobody hears of the rest.
        workspaces: The accounts that may log in; empty for any.
        exchange_api_key: Whether to ask for a platform API key, too, which becomes `Credentials.api_key`. Not every
            account gets one; that is told to `warn`.
        timeout: Seconds to wait for the user.
        endpoints: The login service.
        http: Sends the requests to it.
        originator: How the program names itself to the login page.
        ports: The ports to come back to. The login service knows no others; a simulated one may take 0, a free one.
        clock: Time, for tests.

    Returns:
        The login, which nobody but `keep` has kept.

    Raises:
        LoginError: If there is none; its `reason` says why.
        ConfigurationError: If there is neither a port nor `paste`, a function is not what it has to be, or the
            environment keeps the login service from being asked.
    """
    if not ports and paste is None:
        raise ConfigurationError('A login with a browser needs `ports` to come back to, or `paste`.')
    clock = clock or SystemClock()
    if http is None:
        await check_environment()
    service = LoginService(
        endpoints or Endpoints.of(), http or AuthHTTP(originator=originator), clock, tuple(workspaces)
    )
    pkce = PKCE.make()
    server = await _server(ports, pkce.state, clock, warn, is_needed=paste is None)
    async with server or nullcontext():
        redirect_uri = server.redirect_uri if server else f'http://127.0.0.1:{CALLBACK_PORTS[0]}{CALLBACK_PATH}'
        url = authorize_url(
            service.endpoints, pkce, redirect_uri=redirect_uri, originator=originator, workspaces=workspaces
        )
        show(url)

        async def finish(code: str) -> Credentials:
            credentials = await service.log_in(
                code, redirect_uri=redirect_uri, verifier=pkce.verifier, warn=warn or _ignore
            )
            if exchange_api_key:
                credentials = await service.with_api_key(credentials, warn or _ignore)
            if keep is not None:
                await awaited(keep(credentials), 'keep')
            return credentials

        first = FirstAnswer()
        sources: list[Callable[[], Coroutine[Any, Any, object]]] = [lambda: _expire(first, clock, timeout)]
        if open_browser is not None:
            sources.append(lambda: _open(open_browser, url, warn or _ignore))
        if server is not None:
            sources.append(lambda: server.serve(first.put))
        if paste is not None:
            sources.append(_Pastes(first, paste, pkce.state, warn, is_alone=server is None).read)
        async with beside(*sources):
            return await _finish_and_show(first, finish, server)


async def _finish_and_show(
    first: FirstAnswer, finish: Callable[[str], Awaitable[Credentials]], server: CallbackServer | None
) -> Credentials:
    """Wait for the code and finish the login; the browser is told how that ended, and not how it began."""
    try:
        credentials = await finish(await first.code())
    except Exception as error:
        if server is not None:
            # What others raise may hold anything.
            reason = str(error) if isinstance(error, CodexError) else 'An unexpected error ended the login.'
            await server.show(HTTPStatus.BAD_REQUEST, failed_page(reason))
        raise
    if server is not None:
        await server.show(HTTPStatus.OK, logged_in_page(who(credentials)))
    return credentials


async def _server(
    ports: Sequence[int], state: str, clock: Clock, warn: Callable[[str], object] | None, *, is_needed: bool
) -> CallbackServer | None:
    try:
        return await open_callback_server(ports, state, clock) if ports else None
    except LoginError:
        if is_needed:
            raise
        (warn or _ignore)(
            'The browser cannot come back by itself, as another program holds the port. Paste the address that it ends '
            'at, even if the page looks like an error.'
        )
        return None


async def _open(open_browser: Callable[[str], object], url: str, warn: Callable[[str], object]) -> None:
    """Open the address, beside everything else: some browsers take until they are closed."""
    outcome: Future[object] = Future()

    def run() -> None:
        try:
            outcome.set_result(open_browser(url))
        except BaseException as error:  # noqa: BLE001 - the address was shown, and the user can open it
            outcome.set_exception(error)

    # Nothing can interrupt it, so the thread is one that does not keep the process alive.
    threading.Thread(target=run, name='codex-login-browser', daemon=True).start()
    while not outcome.done():  # noqa: ASYNC110 - no event crosses from the other thread
        await anyio.sleep(_POLL)
    if outcome.exception() is not None or outcome.result() is False:  # which is what `webbrowser.open` says
        warn('The browser cannot be opened. Open the address yourself.')


async def _expire(first: FirstAnswer, clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)
    first.put(
        LoginError(
            f'Nobody finished the login page within {duration(seconds)}. Log in again, with the new address.',
            reason='expired',
        )
    )


def _ignore(text: str) -> None:
    """Tell nobody."""


@dataclass
class _Pastes:
    """Asks for pastes until one can be used."""

    first: FirstAnswer
    paste: Callable[[], Awaitable[str]]
    state: str
    warn: Callable[[str], object] | None
    is_alone: bool
    """Whether no browser can come back by itself."""

    async def read(self) -> None:
        try:
            await self._read()
        except Exception as error:  # noqa: BLE001 - the caller's own; raised where the login waits
            self.first.put(error)

    async def _read(self) -> None:
        for left in reversed(range(_MOST_PASTES)):
            try:
                text = await awaited(self.paste(), 'paste')
            except EOFError:
                text = ''
            if not text:
                break
            if not text.strip():
                continue  # An empty line; people press Enter while they wait.
            answer = read_pasted(text, self.state)
            if not isinstance(answer, LoginError) or answer.reason != 'state' or not (self.warn and left):
                self.first.put(answer)
                return
            self.warn(answer.message)
        if self.is_alone:
            self.first.put(LoginError(_NOT_PASTED, reason='cancelled'))
