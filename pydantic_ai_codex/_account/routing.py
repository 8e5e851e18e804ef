"""Where the requests of an account have to be processed."""

from __future__ import annotations

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
from .lookup import Lookups, account_urls
from .question import Question, forget_oldest, login_tag

_log: Final = logging.getLogger('pydantic_ai_codex')


class _Found:
    """What is known of one account."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self.overrides: dict[str, str | None] = {}
        """What was found out, for each access token."""
        # One for all tokens: a page that hangs does so for the next of them, too, and a turn waits for it once.
        self.question = Question('No routing of the account is known, so no header for it is sent', clock)

    def is_known(self, credentials: Credentials) -> bool:
        return login_tag(credentials) in self.overrides or self.question.has_failed(credentials)


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
        self._accounts: dict[tuple[str, str], _Found] = {}

    def known(self, credentials: Credentials, base_url: str) -> bool:
        """Whether there is nothing to find out now: it is known, or failed lately, or there is nothing to know."""
        found = self._find(credentials, base_url)
        return found is None or found.is_known(credentials)

    def override(self, credentials: Credentials, base_url: str) -> str | None:
        """What the header says, as far as that is known; `None` for no header."""
        found = self._find(credentials, base_url)
        return None if found is None else found.overrides.get(login_tag(credentials))

    async def discover(self, credentials: Credentials, base_url: str) -> None:
        """Find out. What keeps it from being found out is remembered, and raised by nothing."""
        found = self._find(credentials, base_url)
        if found is not None:
            await found.question.settle(
                partial(self._ask, found, credentials),
                credentials,
                is_settled=lambda: found.is_known(credentials),
                patience=LOOKUP_PATIENCE,
            )

    def _find(self, credentials: Credentials, base_url: str) -> _Found | None:
        """What is known of the account, or `None` where there is nothing to know."""
        urls = account_urls(credentials, base_url)
        if urls is None:
            return None
        key = base_url, credentials.account_tag or ''
        found = self._accounts.get(key)
        if found is None:
            found = self._accounts.setdefault(key, _Found(urls.accounts_check, self._clock))
            forget_oldest(self._accounts)
        return found

    async def _ask(self, found: _Found, credentials: Credentials) -> None:
        reply = await self._lookups.get(found.url, credentials, most=MAX_ACCOUNT_BYTES)
        found.overrides[login_tag(credentials)] = _override(_account(reply, credentials.account_id))
        forget_oldest(found.overrides)


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
