"""A user, for people to read; pure."""

from __future__ import annotations

from .._credentials import Credentials
from .._secrets import quotable


def who(credentials: Credentials) -> str:
    """The user and the plan in one line, whatever the tokens say: `ada@example.com (plus)`."""
    name = quotable(credentials.email or f'account {credentials.account_id}')
    return f'{name} ({quotable(credentials.plan_type)})' if credentials.plan_type else name
