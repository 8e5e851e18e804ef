"""What to do about an error of the backend, which depends on where the login comes from."""

from __future__ import annotations

from datetime import UTC

from ._protocol.constants import RESPONSES_PATH
from ._transport.bearer import hide_in
from .auth import Credentials, MemoryStore, TokenSource
from .auth._abilities import how_to_log_in, how_to_refresh
from .errors import BackendError, CodexError


class Advice:
    """Makes errors fit to be seen.

    Args:
        tokens: Where the login comes from.
        base_url: The base URL that the user chose, if any.
        is_key: Whether the login is an API key that was passed in.
    """

    def __init__(self, tokens: TokenSource, *, base_url: str | None, is_key: bool) -> None:
        self._tokens = tokens
        self._base_url = base_url
        self._is_key = is_key

    @property
    def source(self) -> str:
        """Where the login comes from, in words."""
        if isinstance(self._tokens.store, MemoryStore):
            return '`api_key`' if self._is_key else '`credentials`'
        return self._tokens.place

    def next_step(self, credentials: Credentials) -> str:
        """What to do about a login that is refused, without a full stop."""
        store = self._tokens.store
        if isinstance(store, MemoryStore):
            return 'Pass new ones, or a store, such as `AuthFile(path)`, whose login is refreshed when it is due'
        if self._tokens.mode == 'never' and credentials.refresh_token is not None:
            return f"{how_to_refresh(store)}, which this provider does not (it has `refresh='never'`)"
        return how_to_log_in(store)

    def refused(self, credentials: Credentials) -> str:
        """That a login was refused."""
        expires_at = credentials.expires_at
        expiry = (
            f', which says that it expires at {expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC,' if expires_at else ''
        )
        return f'The login from {self.source}{expiry} was refused.'

    def complete(self, error: CodexError, credentials: Credentials) -> None:
        """Make an error fit to be seen: with what to do about it, and without the login. Twice does no harm."""
        if isinstance(error, BackendError):
            error.hint = self._hint(error, credentials) or error.hint
        hide_in(error, credentials)

    def _hint(self, error: BackendError, credentials: Credentials) -> str | None:
        """What to do about it, where that is known here."""
        status = error.status_code or 0
        if status == 401 and credentials.auth_mode == 'apikey':
            return f'The API key from {self.source} was refused; check it.'
        if status == 401:
            return f'{self.refused(credentials)} {self.next_step(credentials)}, then try again.'
        if status in (404, 405) and self._base_url is not None and not error.in_stream:
            return f'Check the `base_url` {self._base_url!r}: it is what stands before {RESPONSES_PATH!r}.'
        if 300 <= status < 400 and (location := error.headers.get('location')):
            return f'It redirects to {location!r}, where the login is not sent. Name the right `base_url`.'
        return None
