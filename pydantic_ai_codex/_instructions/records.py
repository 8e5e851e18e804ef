"""What is kept of the instructions, and the shapes of the files that keep it; pure.

A text is a file of its own, so that whoever is curious can read it: one line, a comment with what belongs to it, and
then the text. All else is in one small JSON file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, cast

from .._protocol.instruction_files import is_ref

_VERSION: Final = 1
_FAILURES: Final = 32
"""How many failures are remembered; what a history names may fail as often as it likes."""

_ETAG: Final = re.compile(r'(?:W/)?"[!#-~]{0,256}"')
"""An entity tag (RFC 9110), as far as it is used: what cannot stand in a header would let every request fail."""

_OPEN, _CLOSE = '<!-- pydantic-ai-codex ', ' -->\n'


@dataclass(frozen=True, slots=True)
class Release:
    """The newest release, as far as it is known.

    Attributes:
        tag: Its tag.
        etag: What GitHub calls this answer.
        checked_at: When GitHub said so, in UTC.
    """

    tag: str
    etag: str | None
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be had, and is not asked for again for a while.

    Attributes:
        reason: Why, as the beginning of a sentence.
        at: When that was, in UTC.
        until: When to ask again, in UTC.
        is_impatience: Whether it only says that nobody waited for long, as there was a text at hand. Whoever has none
            does not heed it.
    """

    reason: str
    at: datetime
    until: datetime
    is_impatience: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What is known beside the texts.

    Attributes:
        release: The newest release.
        failures: What failed, by what was asked for.
    """

    release: Release | None = None
    failures: Mapping[str, Failure] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def tag(self) -> str | None:
        """The tag of the newest release."""
        return None if self.release is None else self.release.tag

    def with_release(self, release: Release) -> State:
        """The state after GitHub has named the release."""
        return replace(self, release=release)

    def with_failure(self, what: str, failure: Failure) -> State:
        """The state after something failed; failures that are over are forgotten, and the first of too many."""
        others = [(name, other) for name, other in self.failures.items() if other.until > failure.at and name != what]
        return replace(self, failures={**dict(others[-_FAILURES + 1 :]), what: failure})

    def without_failure(self, what: str) -> State:
        """The state after something worked."""
        if what not in self.failures:
            return self
        return replace(self, failures={name: other for name, other in self.failures.items() if name != what})


@dataclass(frozen=True, slots=True)
class Entry:
    """A text, as GitHub gave it.

    Attributes:
        ref: The tag or commit that it was asked for.
        url: Where it is from.
        etag: What GitHub calls this version of the file.
        checked_at: When GitHub was last asked whether it is still the same, in UTC.
        is_pinned: Whether it is from a pinned commit, as the release has it no more.
        text: The instructions.
    """

    ref: str
    url: str
    etag: str | None
    checked_at: datetime
    is_pinned: bool
    text: str


def usable_etag(value: object) -> str | None:
    """An entity tag that can be sent back, or `None`."""
    return value if isinstance(value, str) and _ETAG.fullmatch(value) else None


def dump_entry(entry: Entry) -> bytes:
    """The file that keeps a text."""
    about = {
        'version': _VERSION,
        'ref': entry.ref,
        'url': entry.url,
        'etag': entry.etag,
        'checked_at': entry.checked_at.isoformat(),
        'is_pinned': entry.is_pinned,
        # Tells a file that a crash of the machine has cut short.
        'characters': len(entry.text),
    }
    # No header may end the comment.
    head = json.dumps(about).replace('>', '\\u003e')
    return f'{_OPEN}{head}{_CLOSE}{entry.text}'.encode()


def load_entry(content: bytes) -> Entry | None:
    """The text in a file, or `None` where it is not what `dump_entry` writes."""
    try:
        head, _, text = content.decode('utf-8').partition(_CLOSE)
        if not head.startswith(_OPEN):
            return None
        about = _object(head[len(_OPEN) :])
        is_whole = about['version'] == _VERSION and about['characters'] == len(text) > 0
        if not is_whole or not is_ref(about['ref']) or not isinstance(about['url'], str):
            return None
        return Entry(
            about['ref'],
            about['url'],
            usable_etag(about['etag']),
            _moment(about['checked_at']),
            about['is_pinned'] is True,
            text,
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def dump_state(state: State) -> bytes:
    """The file that keeps all else."""
    release = state.release
    return json.dumps(
        {
            'version': _VERSION,
            'release': None
            if release is None
            else {'tag': release.tag, 'etag': release.etag, 'checked_at': release.checked_at.isoformat()},
            'failures': {
                what: {
                    'reason': failure.reason,
                    'at': failure.at.isoformat(),
                    'until': failure.until.isoformat(),
                    'is_impatience': failure.is_impatience,
                }
                for what, failure in state.failures.items()
            },
        },
        indent=2,
    ).encode()


def load_state(content: bytes) -> State:
    """The state in a file; an empty one where it is not what `dump_state` writes."""
    try:
        document = _object(content.decode('utf-8'))
        if document['version'] != _VERSION:
            return State()
        release = document['release']
        if release is not None:
            if not is_ref(release['tag']):
                return State()
            release = Release(release['tag'], usable_etag(release['etag']), _moment(release['checked_at']))
        failures = {
            str(what): Failure(
                str(failure['reason']),
                _moment(failure['at']),
                _moment(failure['until']),
                failure['is_impatience'] is True,
            )
            for what, failure in cast('dict[str, Any]', document['failures']).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return State()
    return State(release, failures)


def _object(text: str) -> dict[str, Any]:
    value: object = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError('no object')
    return cast('dict[str, Any]', value)


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(cast(str, value))
    if moment.tzinfo is None:
        raise ValueError('no time zone')
    return moment.astimezone(UTC)
