"""What comes back from the login page, by the browser or pasted, as data; no I/O."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from ...errors import LoginError
from .._secrets import quotable

_MOST_FIELDS: Final = 30

_NO_ENTITLEMENT: Final = 'missing_codex_entitlement'
"""What the description names where a workspace has Codex switched off (from the CLI's source)."""

_CODE: Final = re.compile(r'[\w.~-]+', re.ASCII)
"""What a code looks like: the characters that need no escape in an address."""

_PASTE_WHAT: Final = (
    'Paste the whole address of the page that the browser ended at: it begins with http://127.0.0.1: and holds both '
    '"code=" and "state=". The page itself may say that the connection failed.'
)


@dataclass(frozen=True, slots=True)
class Granted:
    """The user agreed: what the tokens are got with."""

    code: str = field(repr=False)


def read_answer(query: str, state: str) -> Granted | LoginError | None:
    """Read the query of a callback.

    Args:
        query: What stands behind the `?`.
        state: That of the login which waits.

    Returns:
        The code, or why there is none, or `None` where it does not belong to this login.
    """
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    values = dict(fields)
    # A name that comes twice means one thing to one reader and another to the next.
    if len(values) != len(fields) or not same(values.get('state', ''), state):
        return None
    if 'error' in values:
        return _denied(values['error'], values.get('error_description', ''))
    if not (code := values.get('code')):
        return LoginError('The login page came back without a code. Log in again.', reason='refused')
    return Granted(code)


def read_pasted(text: str, state: str) -> Granted | LoginError:
    """Read what the user copied: the whole address of the callback, its query, or `code#state`.

    Args:
        text: What was pasted.
        state: That of the login which waits.

    Returns:
        The code, or why there is none: with the reason `state` where another text may be pasted, and with another
        reason where the login is over.
    """
    pasted, text = text.strip(), ''.join(text.split())  # A terminal may have wrapped the address.
    if '=' in text:
        query = (text.partition('?')[2] if '?' in text else text).partition('#')[0]
        if 'code=' not in query and 'error=' not in query:
            return _elsewhere()
    else:
        code, _, given = text.partition('#')
        if not given:
            return _not_enough(pasted)
        if not same(given, state):
            return _foreign()
        return Granted(code) if code else LoginError(f'There is no code in it. {_PASTE_WHAT}', reason='state')
    return read_answer(query, state) or _foreign()


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how far they are."""
    return hmac.compare_digest(given.encode('utf-8', 'replace'), wanted.encode())


def _not_enough(text: str) -> LoginError:
    """About a text without a state. Without that, anybody could have the user paste a code of another account."""
    if not _CODE.fullmatch(text):
        return _elsewhere()
    return LoginError(f'A code alone cannot be checked to belong to this login. {_PASTE_WHAT}', reason='state')


def _elsewhere() -> LoginError:
    return LoginError(f'This is not where the login page ended. {_PASTE_WHAT}', reason='state')


def _foreign() -> LoginError:
    return LoginError(
        f'This belongs to another login: its "state" differs. Use the newest address that was shown. {_PASTE_WHAT}',
        reason='state',
    )


def _denied(code: str, description: str) -> LoginError:
    if _NO_ENTITLEMENT in description:
        return LoginError(
            'Codex is switched off for this workspace. Ask its administrator, or log in with another account.',
            reason='denied',
        )
    words = ': '.join(filter(None, map(quotable, (code, description)))) or 'without a reason'
    return LoginError(f'The login page said no ({words}). Log in again, and allow it there.', reason='denied')
