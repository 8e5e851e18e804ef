"""Where the requests of an account have to be processed."""

from __future__ import annotations

import hashlib
import logging
from functools import partial
from typing import Any, Final, cast

from .._clock import Clock
from .._http_reply import Reply
from .._protocol.constants import (
    LOOKUP_PATIENCE,
    MAX_ACCOUNT_BYTES,
    NO_ROUTING_OVERRIDE,
    ROUTING_OVERRIDES,
)
from .._protocol.values import Wire, object_or_empty
from ..auth import Credentials
from ..auth._secrets import quotable
from ..errors import BackendError
from .lookup import Lookups, lookup_urls
from .question import Question

_log: Final = logging.getLogger('pydantic_ai_codex')

_KEPT: Final = 16
"""How many logins are remembered: a refresh makes another of each."""


class _Found:
    """What is known of one login."""

    def __init__(self, clock: Clock) -> None:
        self.is_known = False
        self.override: str | None = None
        self.question = Question('No routing of the account is known, so no header for it is sent', clock)


class Routing:
    """The override of an account's routing, found out once for each access token, as the CLI does (captured).

    Of what the backend answers, only the word for the header is used. It also names a `workspace_backend_origin`, which
    the CLI goes to; it is not followed here: a token goes to the host that it belongs to, or that the user has named, and
    to no other.

    Args:
        lookups: Asks the backend.
        clock: Time.
    """

    def __init__(self, lookups: Lookups, *, clock: Clock) -> None:
        self._lookups = lookups
        self._clock = clock
        self._logins: dict[tuple[str, bytes], _Found] = {}

    def known(self, credentials: Credentials, base_url: str) -> bool:
        """Whether there is nothing to find out now: it is known, or failed lately, or there is nothing to know."""
        found = self._find(credentials, base_url)
        return found is None or found.is_known or found.question.has_failed

    def override(self, credentials: Credentials, base_url: str) -> str | None:
        """What the header says, as far as that is known; `None` for no header."""
        found = self._find(credentials, base_url)
        return None if found is None else found.override

    async def discover(self, credentials: Credentials, base_url: str) -> None:
        """Find out. What keeps it from being found out is remembered, and raised by nothing."""
        found = self._find(credentials, base_url)
        if found is not None:
            await found.question.settle(
                partial(self._ask, found, credentials, base_url),
                patience=LOOKUP_PATIENCE,
                is_settled=lambda: found.is_known or found.question.has_failed,
            )

    def _find(self, credentials: Credentials, base_url: str) -> _Found | None:
        if credentials.auth_mode == 'apikey' or lookup_urls(base_url) is None:
            return None
        # A hash, as this outlives the login.
        key = base_url, hashlib.sha256(credentials.access_token.encode('utf-8', 'surrogatepass')).digest()
        found = self._logins.get(key)
        if found is None:
            found = self._logins.setdefault(key, _Found(self._clock))
            for old in list(self._logins)[:-_KEPT]:
                self._logins.pop(old, None)
        return found

    async def _ask(self, found: _Found, credentials: Credentials, base_url: str) -> None:
        urls = lookup_urls(base_url)
        if urls is not None:
            reply = await self._lookups.get(urls.accounts_check, credentials, most=MAX_ACCOUNT_BYTES)
            found.override = _override(_account(reply, credentials.account_id))
            found.is_known = True


def _account(reply: Reply, account_id: str | None) -> Wire:
    """The entry of the login's account, or an empty one where it has none.

    Raises:
        BackendError: If the answer lists no accounts.
    """
    accounts: Any = reply.json().get('accounts')
    if not isinstance(accounts, list):
        raise BackendError(
            'The answer to the question for the accounts of the login lists none.',
            status_code=reply.status_code,
            headers=reply.headers,
        )
    entries = map(object_or_empty, cast('list[Any]', accounts))
    return next((each for each in entries if each.get('id') == account_id), Wire())


def _override(account: Wire) -> str | None:
    value = account.get('account_routing_override')
    if value is None or value == NO_ROUTING_OVERRIDE:
        return None
    if isinstance(value, str) and value in ROUTING_OVERRIDES:
        return value
    _log.warning(
        'The account is to be routed as %r, which this version does not know, so no header for it is sent. If requests '
        'are refused because of that, look for a newer version.',
        quotable(str(value)),
    )
    return None
