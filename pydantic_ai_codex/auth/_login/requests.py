"""What is said to the login service to get a login, and what it answers, as data; no I/O, and chance is an argument.

Source: Codex CLI 0.169.0 was seen to send all of it (captured) where nothing else is said.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from ..._http_reply import Reply
from ..._protocol.constants import CLIENT_ID, DEVICE_LIFETIME, HEADER_WORD, ISSUER, SCOPE
from ..._protocol.values import text_or_none
from ...errors import LoginError
from .._credentials import Credentials
from .._oauth import Endpoints, failure_of

_TOKEN_EXCHANGE: Final = 'urn:ietf:params:oauth:grant-type:token-exchange'
_ID_TOKEN_TYPE: Final = 'urn:ietf:params:oauth:token-type:id_token'

_POLL_INTERVALS: Final = (1.0, 5.0, 60.0)
"""Seconds between two polls for a device login: the least, where nothing is said, and the most that we take."""


@dataclass(frozen=True, slots=True)
class PKCE:
    """The secrets of one login in the browser.

    Attributes:
        verifier: What proves, at the exchange, that the code was asked for here: 86 characters.
        challenge: Its SHA-256, which is all that the browser sees.
        state: What the callback has to bring back.
    """

    verifier: str = field(repr=False)
    challenge: str = field(repr=False)
    state: str = field(repr=False)

    @classmethod
    def make(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> PKCE:
        """New secrets.

        Args:
            random: Makes that many random bytes.
        """
        verifier = _base64url(random(64))
        return cls(verifier, _base64url(hashlib.sha256(verifier.encode()).digest()), _base64url(random(32)))


def authorize_url(
    endpoints: Endpoints, pkce: PKCE, *, redirect_uri: str, originator: str, workspaces: Sequence[str] = ()
) -> str:
    """The page to log in at.

    Args:
        endpoints: The login service.
        pkce: The secrets of this login.
        redirect_uri: Where the browser is sent afterwards.
        originator: How the program names itself.
        workspaces: The accounts that the user may choose from; empty for any (from the CLI's source).
    """
    query = {
        'response_type': 'code',
        'client_id': CLIENT_ID,
        'redirect_uri': redirect_uri,
        'code_challenge': pkce.challenge,
        'code_challenge_method': 'S256',
        'state': pkce.state,
        'scope': SCOPE,
        'id_token_add_organizations': 'true',
        'codex_cli_simplified_flow': 'true',
        'originator': originator,
    }
    if workspaces:
        query['allowed_workspace_id'] = ','.join(workspaces)
    return f'{endpoints.authorize}?{urlencode(query)}'


def code_form(code: str, *, redirect_uri: str, verifier: str) -> dict[str, str]:
    """The form that turns an authorization code into tokens."""
    return {
        'grant_type': 'authorization_code',
        'client_id': CLIENT_ID,
        'code': code,
        'redirect_uri': redirect_uri,
        'code_verifier': verifier,
    }


def exchange_form(id_token: str) -> dict[str, str]:
    """The form that gets a platform API key for a login."""
    return {
        'grant_type': _TOKEN_EXCHANGE,
        'client_id': CLIENT_ID,
        'requested_token': 'openai-api-key',
        'subject_token': id_token,
        'subject_token_type': _ID_TOKEN_TYPE,
    }


def new_login_keys(endpoints: Endpoints, random: Callable[[int], bytes] = secrets.token_bytes) -> dict[str, Any]:
    """What a new login has in the file beside its tokens."""
    return {
        'oauth_provenance': {'issuer': endpoints.issuer, 'client_id': CLIENT_ID},
        'login_owner_id': _base64url(random(32)),
    }


def logged_in(reply: Reply, endpoints: Endpoints, *, now: datetime) -> Credentials:
    """The login of an authorization code.

    Args:
        reply: The answer to the form of `code_form`, with status 200.
        endpoints: The login service.
        now: The time.

    Raises:
        LoginError: If the tokens are not what a login needs.
    """
    body = reply.json()
    access_token = text_or_none(body.get('access_token'))
    refresh_token = text_or_none(body.get('refresh_token'))
    if access_token is None or refresh_token is None:
        raise LoginError(
            'The login service answered without the tokens that a login needs. Log in again; should it go on, the '
            'service has changed.',
            reason='refused',
        )
    credentials = Credentials(
        access_token,
        refresh_token=refresh_token,
        id_token=text_or_none(body.get('id_token')),
        last_refresh=now,
        extra=new_login_keys(endpoints),
    )
    if credentials.account_id is None:
        raise LoginError(
            'The login names no ChatGPT account, which every request needs. Log in with an account that has a ChatGPT '
            'plan.',
            reason='refused',
        )
    return _usable(credentials)


def _usable(credentials: Credentials) -> Credentials:
    """The login, if it can stand in the headers of a request, and belongs to one account."""
    words = (credentials.access_token, credentials.account_id or '')
    if not all(HEADER_WORD.fullmatch(each) for each in words):
        raise LoginError(
            'The login service gave tokens that no request can carry. Log in again; should it go on, the service has '
            'changed.',
            reason='refused',
        )
    named = {_account_of(each) for each in (credentials.access_token, credentials.id_token) if each} - {None}
    if len(named) > 1:
        raise LoginError('The login service gave the tokens of two accounts. Log in again.', reason='refused')
    return credentials


def _account_of(token: str) -> str | None:
    """The account that a token alone names; an organization only stands for one where nothing names it."""
    account_id = Credentials(token).account_id
    return None if account_id is None or account_id.startswith('org-') else account_id


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A device login that waits for the user.

    Attributes:
        user_code: What the user types at the page.
        device_auth_id: What the service knows it by.
        interval: Seconds between two polls.
        expires_at: When the code ends.
    """

    user_code: str
    device_auth_id: str = field(repr=False)
    interval: float
    expires_at: datetime


def device_code_body() -> dict[str, str]:
    """The JSON that asks for a device code."""
    return {'client_id': CLIENT_ID}


def device_code(reply: Reply, *, now: datetime, issuer: str = ISSUER) -> DeviceCode:
    """Read a device code.

    Args:
        reply: The answer to `device_code_body`.
        now: The time.
        issuer: The login service.

    Raises:
        LoginError: If the service gave none.
    """
    if reply.status_code == 404 and issuer != ISSUER:
        raise LoginError(
            f'The login service at {issuer!r} has no login with a device code (status 404). See that its address is right, '
            'or log in with the browser: without `--device`, or with `--paste` where the browser is on another machine.',
            reason='disabled',
        )
    if reply.status_code == 404:
        raise LoginError(
            'This account has the login with a device code switched off. Switch it on in the security settings of '
            'ChatGPT (in a workspace, its administrator does), or log in with the browser: without `--device`, or with '
            '`--paste` where the browser is on another machine.',
            reason='disabled',
        )
    if reply.status_code != 200:
        raise LoginError(f'There is no device code: {failure_of(reply).message}. Try again later.', reason='refused')
    body = reply.json()
    # `usercode` is an alias that the CLI takes (from its source).
    user_code = text_or_none(body.get('user_code')) or text_or_none(body.get('usercode'))
    device_auth_id = text_or_none(body.get('device_auth_id'))
    if user_code is None or device_auth_id is None or not user_code.isprintable():
        raise LoginError('The login service gave no device code that can be used. Try again later.', reason='refused')
    return DeviceCode(
        user_code, device_auth_id, _interval(body.get('interval')), now + timedelta(seconds=DEVICE_LIFETIME)
    )


def device_token_body(code: DeviceCode) -> dict[str, str]:
    """The JSON that asks whether the user has typed the code."""
    return {'device_auth_id': code.device_auth_id, 'user_code': code.user_code}


def _interval(value: object) -> float:
    """Seconds between two polls; the service says it in a text (captured)."""
    least, default, most = _POLL_INTERVALS
    try:
        seconds = float(value) if isinstance(value, str | int | float) else default
    except (ValueError, OverflowError):
        return default
    return min(max(seconds, least), most) if seconds == seconds else default


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip('=')
