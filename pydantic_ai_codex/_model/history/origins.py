"""Who made a part of a response, and what of it the backend can read; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias, get_args

from pydantic_ai.messages import (
    CompactionPart,
    ModelMessage,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ThinkingPart,
)

from ..._protocol.events import Phase

OUR_NAME: Final = 'codex'
"""Our name for the backend."""

OURS: Final = frozenset({OUR_NAME, 'openai-codex'})
"""The names of the backend: ours and that of pydantic-ai's own model."""

READABLE: Final = OURS | {'openai'}
"""Whose encrypted parts the backend reads: its own and those of the platform API, which has the same keys."""

_PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})

LEFT_OUT_KEY: Final = 'reasoning_left_out'
"""Where a response says, in its `provider_details`, that the backend could not read the reasoning before it, which was
left out then; so later requests need not be refused once more."""

AcceptsReasoning: TypeAlias = Callable[[ModelResponse, ModelResponsePart], bool]


@dataclass(frozen=True, slots=True)
class Reader:
    """The one who gets the history.

    Attributes:
        accepts: Whether the service of a part has the same keys.
        account: The tag of the account, or `None` where it is not known; nothing is checked then.
        unreadable: The responses (by `id`) whose reasoning was refused.
    """

    accepts: AcceptsReasoning
    account: str | None
    unreadable: frozenset[int] = frozenset()

    def is_account_of(self, part: ModelResponsePart) -> bool:
        """Whether a part was encrypted for this account, or does not tell."""
        tag = (part.provider_details or {}).get('account')
        return tag is None or self.account is None or tag == self.account

    def opens(self, response: ModelResponse, part: CompactionPart) -> bool:
        """Whether a compaction can go back as it is."""
        return bool(encrypted_content(part)) and self.accepts(response, part) and self.is_account_of(part)

    def understands(self, response: ModelResponse, part: CompactionPart) -> bool:
        """Whether a compaction can stand for the history before it."""
        return part.has_content() or self.opens(response, part)


_NOBODY: Final[frozenset[int]] = frozenset()


def refused_reasoning(messages: Sequence[ModelMessage]) -> frozenset[int]:
    """The responses (by `id`) whose reasoning the backend could not read."""
    # Without a call for each message, as there may be thousands.
    told = [
        index
        for index, message in enumerate(messages)
        if message.kind == 'response' and message.provider_details and LEFT_OUT_KEY in message.provider_details
    ]
    return frozenset(map(id, messages[: told[-1]])) if told else _NOBODY


def encrypted_content(part: CompactionPart) -> str | None:
    """The encrypted history of a compaction, if it has one."""
    value = (part.provider_details or {}).get('encrypted_content')
    return value if isinstance(value, str) else None


def readable_details(part: ModelResponsePart) -> Mapping[str, Any]:
    """The details of a part, where they mean to the backend what they say."""
    details = part.provider_details
    return details if details and part.provider_name in READABLE else _NONE


def phase_of(part: TextPart | ThinkingPart) -> Phase | None:
    """Whether a text was said on the way or is the answer; `None` where that is not known."""
    details = readable_details(part)
    phase = details.get('phase') if details else None
    return phase if phase in _PHASES else None
