"""Ending a login: at the service, and where it is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError, CredentialsError, CredentialsNotFoundError, LoginError, TransportError
from .._abilities import lock_of
from .._credentials import Credentials
from .._http import AuthHTTP
from .._oauth import Endpoints, endpoints_of, failure_of, revoke_body
from .._secrets import secrets_of
from .._store import CredentialStore


@dataclass(frozen=True, slots=True)
class LogoutResult:
    """What a logout did.

    Attributes:
        revoked: Whether the service ended the login. Always false for an API key, which nothing but the platform's
            pages can end.
        removed: Whether there was a login in the store, which is gone now.
        problem: Why the service did not end the login, or `None` where it did, or had nothing to end.
    """

    revoked: bool
    removed: bool
    problem: str | None = None


class NotRemovedError(CredentialsError):
    """The login could not be removed from where it is kept.

    Attributes:
        result: What was done all the same: the service may have ended the login before.
    """

    result: LogoutResult

    def __init__(self, message: str, *, result: LogoutResult) -> None:
        super().__init__(message)
        self.result = result


async def logout(
    store: CredentialStore, *, endpoints: Endpoints | None = None, http: AuthHTTP | None = None
) -> LogoutResult:
    """End the login: revoke it at the service, then remove it, also where the service did not answer.

    Args:
        store: Where the login is. It has to have `remove()`, as `AuthFile` has.
        endpoints: The login service; by default the one that the login comes from, or what the CLI's variables name.
        http: Sends the request to it.

    Returns:
        What was done; nothing where there is no login.

    Raises:
        LoginError: If the store cannot remove a login.
        CredentialsError: If what is there is no login, so that it is not removed; or if it cannot be removed, with the
            `result` that says whether it was revoked.
    """
    remove: Callable[[], Awaitable[Any]] | None = getattr(store, 'remove', None)
    if remove is None:
        raise LoginError(
            f'A login cannot be removed from {type(store).__name__}, which has no `remove()`. Add an `async def remove()` '
            'to the store that says whether there was a login, or remove it where it is kept.',
            reason='refused',
        )
    async with lock_of(store):
        try:
            credentials = await store.load()
        except CredentialsNotFoundError:
            return LogoutResult(revoked=False, removed=False)
        problem = await revoke(credentials, endpoints=endpoints, http=http)
        revoked = credentials.refresh_token is not None and problem is None
        try:
            removed = bool(await remove())
        except CredentialsError as error:
            result = LogoutResult(revoked=revoked, removed=False, problem=problem)
            raise NotRemovedError(f'{error.message} {_what_is_left(result)}', result=result) from error
    return LogoutResult(revoked=revoked, removed=removed, problem=problem)


def _what_is_left(result: LogoutResult) -> str:
    """What the tokens are good for that could not be removed."""
    if result.revoked:
        return 'The login is revoked, so the tokens that are left are of no use any more.'
    why = f', as it could not be revoked: {result.problem}' if result.problem else '.'
    return f'The login in it still works{why}'


async def revoke(
    credentials: Credentials, *, endpoints: Endpoints | None = None, http: AuthHTTP | None = None
) -> str | None:
    """End a login at the service.

    Returns:
        Why it did not, or `None` where it did, or where there is nothing to end: an API key, or no refresh token.
    """
    if credentials.auth_mode == 'apikey' or credentials.refresh_token is None:
        return None
    try:
        url = endpoints_of(credentials, endpoints).revoke
        reply = await (http or AuthHTTP()).post_json(url, revoke_body(credentials.refresh_token), identify=True)
    except (TransportError, ConfigurationError) as error:
        return error.message
    return None if 200 <= reply.status_code < 300 else f'{failure_of(reply, secrets=secrets_of(credentials)).message}.'
