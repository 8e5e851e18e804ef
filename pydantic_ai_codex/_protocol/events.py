"""The events of one answer, as typed values.

These are what `ResponseDecoder` hands out after it has put the wire's events in order: whoever reads them may rely on
what their docstrings promise, without knowing how the backend happened to send it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer.

    Attributes:
        input_tokens: Tokens of the input, the cached ones included.
        output_tokens: Tokens of the output, the reasoning ones included.
        cached_tokens: Tokens of the input that came from the prompt cache.
        reasoning_tokens: Tokens of the output that were reasoning.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """The backend took the request: the first `response.created` or `response.in_progress`."""

    response_id: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of a message. The pieces of one part, joined, are the whole text of that part."""

    item_id: str
    content_index: int
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of a reasoning summary. The pieces of one summary, joined, are the whole summary."""

    item_id: str
    summary_index: int
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDone:
    """A reasoning item is whole.

    Attributes:
        item_id: The item.
        encrypted_content: What to replay in later requests, or `None` where the backend sent none.
    """

    item_id: str
    encrypted_content: str | None


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """A function call begins; its name and `call_id` are known."""

    item_id: str
    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call's arguments. The pieces, joined, are the whole argument JSON."""

    item_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ItemDone:
    """An output item is whole: the item of record, as the backend sent it."""

    item: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that is not read here, or that is no JSON object; kept, and harmless.

    Attributes:
        type: The event's type, or `''` where it has none.
        data: The event as it came.
    """

    type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """The answer is over. Always the last event; nothing comes after it.

    Attributes:
        status: `completed`, or `incomplete` where the backend stopped early.
        reason: Why it is incomplete, for example `max_output_tokens` or `content_filter`.
        response_id: The id of the response.
        model: The model that served it, where the backend says so.
        usage: The tokens, or `None` where the backend sent none.
        refusal: The text of a refusal, if the model refused.
    """

    status: Literal['completed', 'incomplete']
    reason: str | None
    response_id: str | None
    model: str | None
    usage: Usage | None
    refusal: str | None = None


Event: TypeAlias = (
    ResponseStarted
    | TextDelta
    | ReasoningDelta
    | ReasoningDone
    | ToolCallStarted
    | ToolCallDelta
    | ItemDone
    | UnknownEvent
    | ResponseEnded
)
