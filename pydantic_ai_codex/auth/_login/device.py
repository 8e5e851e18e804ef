"""Logging in with a code that the user types on another device: for machines without a browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from ..._clock import Clock, SystemClock
from ..._http_reply import Reply
from ..._protocol.constants import DEFAULT_ORIGINATOR, DEVICE_LIFETIME
from ..._protocol.values import text_or_none
from ...errors import LoginError, TransportError
from .._credentials import Credentials
from .._http import AuthHTTP
from .._oauth import Endpoints, failure_of
from .requests import DeviceCode, device_code, device_code_body, device_token_body
from .service import LoginService, problem_of, unreached
from .waiting import duration

_LONGEST_PAUSE: Final = 60.0
"""Seconds between two polls, at most."""


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """The user agreed: what the tokens are got with. The verifier is the service's own (captured)."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)


Poll: TypeAlias = DeviceGrant | Literal['pending', 'trouble']
"""What a poll says: the user agreed, has not yet, or the service could not be asked just now."""


async def device_login(
    *,
    show: Callable[[DeviceCode, str], object],
    wait: Callable[[float], object] | None = None,
    warn: Callable[[str], object] | None = None,
    workspaces: Sequence[str] = (),
    endpoints: Endpoints | None = None,
    http: AuthHTTP | None = None,
    originator: str = DEFAULT_ORIGINATOR,
    clock: Clock | None = None,
) -> Credentials:
    """Log in with a code that the user types at a page, on any device.

    Args:
        show: Gets the code, and the address of the page where it is typed.
        wait: Gets the seconds that are left, before each pause between two polls.
        warn: Gets what went wrong without ending the login.
        workspaces: The accounts that may log in; empty for any.
        endpoints: The login service.
        http: Sends the requests to it.
        originator: How the program names itself, where `http` is not given.
        clock: Time, for tests.

    Returns:
        The login, which nobody has kept yet.

    Raises:
        LoginError: If there is none; its `reason` says why.
    """
    clock = clock or SystemClock()
    service = LoginService(
        endpoints or Endpoints.of(), http or AuthHTTP(originator=originator), clock, tuple(workspaces)
    )
    try:
        reply = await service.http.post_json(service.endpoints.device_code, device_code_body(), identify=False)
    except TransportError as error:
        raise unreached(error) from error
    code = device_code(reply, now=clock.now(), issuer=service.endpoints.issuer)
    show(code, service.endpoints.device_page)
    grant = await _poll_until_granted(service, code, wait)
    return await service.log_in(
        grant.code, redirect_uri=service.endpoints.device_redirect, verifier=grant.verifier, warn=warn
    )


def read_poll(reply: Reply, code: DeviceCode) -> Poll:
    """Read the answer to a poll.

    Args:
        reply: The answer.
        code: What was asked about.

    Raises:
        LoginError: If the login is over.
    """
    if reply.status_code == 200:
        return _grant(reply)
    failure = failure_of(reply)
    # The codes are those of RFC 8628. This service was not seen to send them, and none can mean anything else.
    if failure.code == 'access_denied':
        raise LoginError('The login was denied on the page. Log in again, and allow it there.', reason='denied')
    if failure.code == 'expired_token':
        raise expired()
    if failure.code == 'slow_down' or reply.status_code == 429 or reply.status_code >= 500:
        return 'trouble'
    # Both statuses mean that the user has not typed the code yet (captured).
    if failure.code == 'authorization_pending' or reply.status_code in (403, 404):
        return 'pending'
    problem = problem_of(reply, secrets=(code.device_auth_id,))
    raise LoginError(f'The login ended: {problem}. Log in again.', reason='refused')


def _grant(reply: Reply) -> DeviceGrant:
    body = reply.json()
    code, verifier = text_or_none(body.get('authorization_code')), text_or_none(body.get('code_verifier'))
    if code is None or verifier is None:
        raise LoginError('The login service agreed without a code. Log in again.', reason='refused')
    return DeviceGrant(code, verifier)


def next_pause(poll: Poll, pause: float, interval: float) -> float:
    """Seconds to the next poll: what the service asked for, and twice as long after each trouble in a row."""
    return min(pause * 2, _LONGEST_PAUSE) if poll == 'trouble' else interval


def expired() -> LoginError:
    """The end of a login that took too long."""
    return LoginError(
        f'Nobody typed the code within {duration(DEVICE_LIFETIME)}. Log in again, with a new code.',
        reason='expired',
    )


async def _poll_until_granted(
    service: LoginService, code: DeviceCode, wait: Callable[[float], object] | None
) -> DeviceGrant:
    clock, pause = service.clock, code.interval
    end = clock.monotonic() + DEVICE_LIFETIME
    while (left := end - clock.monotonic()) > 0:
        try:
            reply = await service.http.post_json(
                service.endpoints.device_token, device_token_body(code), identify=False
            )
            poll = read_poll(reply, code)
        except TransportError:
            poll = 'trouble'  # A network that is away for a moment costs no login.
        if isinstance(poll, DeviceGrant):
            return poll
        pause = next_pause(poll, pause, code.interval)
        if wait is not None:
            wait(left)
        await clock.sleep(min(pause, left))
    raise expired()
