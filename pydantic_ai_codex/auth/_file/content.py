"""What a login file holds, from its bytes; pure."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias, cast

from pydantic_core import from_json

from .._credentials import Credentials, credentials_from_json
from .notes import RefreshNote

Shape: TypeAlias = Literal['chatgpt', 'tokens', 'flat', 'apikey']
"""Where the login stands: under one of two keys, at the top level, or as an API key."""

LARGEST: Final = 1024 * 1024
"""Bytes; a login takes some thousands."""

_BYTE_ORDER_MARK = b'\xef\xbb\xbf'


class TornError(ValueError):
    """The content is empty or breaks off, as while another program writes it; the message says which of the two."""


def document_in(content: bytes) -> object:
    """The JSON of a login file.

    Raises:
        TornError: If it is not whole.
    """
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if not content.strip():
        raise TornError('is empty')
    try:
        return cast('object', from_json(content))
    except ValueError as error:
        raise TornError(f'is not whole JSON ({error})') from error


def login_in(content: bytes) -> Credentials:
    """The login in a file.

    Raises:
        TornError: If the file is not whole.
        ShapeError: If there is no login in it.
    """
    return credentials_from_json(document_in(content))


def check_size(size: int) -> None:
    """See that a content of that size could be loaded again.

    Raises:
        ValueError: If it could not.
    """
    if size > LARGEST:
        raise ValueError('it would be far too large for a login')


def shape_of(document: object, credentials: Credentials) -> Shape:
    """In which of the shapes a document holds its login."""
    if credentials.auth_mode == 'apikey':
        return 'apikey'
    known = cast('dict[str, Any]', document)
    shapes: tuple[Literal['chatgpt', 'tokens'], ...] = ('chatgpt', 'tokens')
    for shape in shapes:
        tokens: Any = known.get(shape)
        if isinstance(tokens, dict) and cast('dict[str, Any]', tokens).get('access_token') == credentials.access_token:
            return shape
    return 'flat'


def is_successor(content: bytes, old: bytes, note: RefreshNote | None) -> bool:
    """Whether a content that was found beside a login file is what a refresh that was cut off wanted to put into it.

    Args:
        content: What was found.
        old: What the file holds.
        note: What that refresh noted.
    """
    if note is None or note.state != 'started':
        return False
    try:
        new_login = login_in(content)
    except ValueError:
        return False
    if new_login.fingerprint is None or new_login.fingerprint == note.fingerprint:
        return False
    try:
        old_login = login_in(old)
    except TornError:
        # Killed while it wrote in place, perhaps: what was found is the only whole copy that there is.
        return True
    except ValueError:
        return False
    return old_login.fingerprint == note.fingerprint and old_login.account_id == new_login.account_id
