"""What makes texts that come from elsewhere fit to be shown: without a login in them, in one line; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar, cast

from ._credentials import Credentials

_T = TypeVar('_T')

_SHORTEST: Final = 8
"""Characters of a secret; hiding a shorter one would only garble the words around it."""

_PREFIX: Final = 16
"""Characters by which a secret is known again, also where the rest of it was cut off."""

_LONGEST_WORDS: Final = 300
"""Characters of somebody else's words that a message shows."""


def secrets_of(credentials: Credentials) -> tuple[str, ...]:
    """What of a login nobody may read."""
    held = (
        credentials.access_token,
        credentials.refresh_token,
        credentials.id_token,
        credentials.api_key,
        credentials.account_id,
    )
    return tuple(each for each in held if each)


def masked(value: _T, secrets: Iterable[str]) -> _T:
    """A text, or JSON, with `***` in place of the secrets.

    A service or a proxy may echo the request, as a whole or cut off somewhere.

    Args:
        value: What is to be shown.
        secrets: What is not.
    """
    known = [re.escape(each[:_PREFIX]) for each in secrets if len(each) >= _SHORTEST]
    if not known:
        return value
    return _replaced(value, re.compile('|'.join(rf'{each}[\w.~+/=-]*' for each in known)))


def quotable(words: str) -> str:
    """Words from elsewhere, fit for a message: in one line, not too long, and without a full stop at the end."""
    line = ' '.join(''.join(each if each.isprintable() else ' ' for each in words).split()).rstrip('.')
    return line if len(line) <= _LONGEST_WORDS else f'{line[:_LONGEST_WORDS]}…'


def _replaced(value: Any, secrets: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return secrets.sub('***', value)
    if isinstance(value, dict):
        items = cast('dict[Any, Any]', value).items()
        return {_replaced(key, secrets): _replaced(each, secrets) for key, each in items}
    if isinstance(value, list):
        return [_replaced(each, secrets) for each in cast('list[Any]', value)]
    return value
