"""From an authorization code to a login that may be kept; what both ways to log in have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus

from ..._clock import Clock
from ..._http_reply import Reply
from ..._protocol.values import text_or_none
from ...errors import LoginError, TransportError
from .._credentials import Credentials
from .._http import AuthHTTP
from .._oauth import Endpoints, failure_of
from .._secrets import secrets_of
from .requests import code_form, exchange_form, logged_in


@dataclass(frozen=True, slots=True)
class LoginService:
    """Where a login goes, and what it may become."""

    endpoints: Endpoints
    http: AuthHTTP
    clock: Clock
    workspaces: Sequence[str] = ()

    async def log_in(
        self, code: str, *, redirect_uri: str, verifier: str, warn: Callable[[str], object] | None = None
    ) -> Credentials:
        """Turn a code into a login.

        Args:
            code: What the user's consent is known by.
            redirect_uri: Where it came to.
            verifier: What proves that it was asked for here.
            warn: Gets what the login lacks, and can do without.

        Raises:
            LoginError: If the service gives none, or one that may not be used.
        """
        form = code_form(code, redirect_uri=redirect_uri, verifier=verifier)
        try:
            reply = await self.http.post_form(self.endpoints.token, form)
        except TransportError as error:
            raise unreached(error) from error
        if reply.status_code != 200:
            problem = problem_of(reply, secrets=(code, quote(code, safe=''), quote_plus(code), verifier))
            raise LoginError(f'The login was refused: {problem}. Log in again.', reason='refused')
        credentials = check_workspace(logged_in(reply, self.endpoints, now=self.clock.now()), self.workspaces)
        if credentials.id_token is None and warn is not None:
            # Captured: the CLI takes no file without one.
            warn('The login came without an ID token. It works here, but the Codex CLI refuses a file that has none.')
        return credentials

    async def with_api_key(self, credentials: Credentials, warn: Callable[[str], object]) -> Credentials:
        """The login with a platform API key beside it, where the service gives one; otherwise `warn` is told.

        The CLI goes on without one, too (from its source).
        """
        problem = 'the login has no ID token'
        if credentials.id_token is not None:
            try:
                reply = await self.http.post_form(self.endpoints.token, exchange_form(credentials.id_token))
            except TransportError as error:
                problem = error.message.rstrip('.')
            else:
                if (key := _api_key(reply)) is not None:
                    return replace(credentials, api_key=key)
                problem = (
                    failure_of(reply, secrets=secrets_of(credentials)).message
                    if reply.status_code != 200
                    else 'the answer holds no key'
                )
        warn(f'There is no platform API key for this login, which goes on without one: {problem}.')
        return credentials


async def check_environment() -> None:
    """See that the login service could be asked, before a user goes through the login for nothing.

    Raises:
        ConfigurationError: If the environment keeps an HTTP client from being made, as by a proxy that is none.
    """
    from ..._http_client import made, make_client

    await made(make_client).aclose()


def check_workspace(credentials: Credentials, workspaces: Sequence[str]) -> Credentials:
    """The login, if it is for one of the workspaces, or if there is no restriction.

    Raises:
        LoginError: If it is for another one.
    """
    if workspaces and credentials.account_id not in workspaces:
        raise LoginError(
            f'The login is for the workspace {credentials.account_id!r}, and only {" or ".join(map(repr, workspaces))} '
            'may be used here. Nothing was kept. Log in again, and choose that workspace on the login page.',
            reason='workspace',
        )
    return credentials


def problem_of(reply: Reply, *, secrets: Iterable[str]) -> str:
    """Why the service refused a code."""
    failure = failure_of(reply, secrets=secrets)
    if failure.code == 'invalid_grant':  # whose words elsewhere are about refresh tokens
        return 'the code is not known, was used already, or is too old'
    return failure.message


def unreached(error: TransportError) -> LoginError:
    """The end of a login whose service was not reached."""
    return LoginError(f'The login service was not reached: {error.message}', reason='network')


def _api_key(reply: Reply) -> str | None:
    return text_or_none(reply.json().get('access_token')) if reply.status_code == 200 else None
