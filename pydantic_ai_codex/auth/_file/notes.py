"""The note about a refresh under way, for whoever finds that it was cut off."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from pydantic_core import from_json, to_json

from ..._protocol.values import text_or_none

RefreshState: TypeAlias = Literal['started', 'failed', 'lost']


class RefreshNote(NamedTuple):
    """What is known about the refresh of one refresh token.

    `started` is written before the token is spent, and goes away when the new ones are kept. Found later, it says that
    the process was killed in between, and that the token may be spent. `failed` keeps other processes from asking again
    for nothing. `lost` says that the request was sent and its answer never came: the token may be spent, too.

    Attributes:
        fingerprint: The `Credentials.fingerprint` of the login that is refreshed.
        state: How far it came.
        at: When, with a time zone.
        pid: The process.
        host: The name of its machine, as several can share a home folder.
        code: The login service's code, with `failed`.
    """

    fingerprint: str
    state: RefreshState
    at: datetime
    pid: int
    host: str
    code: str | None = None


def new_note(fingerprint: str, state: RefreshState, *, now: datetime, code: str | None = None) -> RefreshNote:
    """A note of this process."""
    return RefreshNote(fingerprint, state, now, os.getpid(), socket.gethostname(), code)


def note_to_json(note: RefreshNote) -> bytes:
    """The note as it is kept."""
    return to_json(note._asdict())


def note_from_json(content: bytes) -> RefreshNote | None:
    """The note that is kept, or `None` for what is none: it helps to explain, and never stands in the way."""
    try:
        document: Any = from_json(content)
        values = cast('dict[str, Any]', document if isinstance(document, dict) else {})
        at = datetime.fromisoformat(str(values.get('at')))
    except ValueError:
        return None
    fingerprint, host = text_or_none(values.get('fingerprint')), text_or_none(values.get('host'))
    state, pid = values.get('state'), values.get('pid')
    if fingerprint is None or host is None or state not in ('started', 'failed', 'lost') or at.tzinfo is None:
        return None
    if not isinstance(pid, int) or isinstance(pid, bool):
        return None
    return RefreshNote(fingerprint, state, at, pid, host, text_or_none(values.get('code')))
