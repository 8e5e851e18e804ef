"""The events of one answer, as typed values.

These are what `ResponseDecoder` hands out after it has put the wire's events in order: whoever reads them may rely on
what their docstrings promise, without knowing how the backend happened to send it. The events of one item come
together: those of the next item follow the last of this one. One exception: what only the final snapshot holds of an item
whose record was empty comes after all of them, and after its own `ItemDone`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from .rate_limit_types import RateLimits

Phase: TypeAlias = Literal['commentary', 'final_answer']
"""What a message is: said on the way, or the answer (captured)."""

CallKind: TypeAlias = Literal['function_call', 'custom_tool_call', 'local_shell_call']


class Usage(NamedTuple):
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


class ResponseStarted(NamedTuple):
    """The backend took the request: the first `response.created` or `response.in_progress`."""

    response_id: str | None
    model: str | None


@dataclass(slots=True)
class TextDelta:
    """A piece of a message. The pieces of one part, joined, are the whole text of that part.

    Attributes:
        item_id: The message.
        content_index: The part of the message.
        text: The piece.
        phase: The phase of the message, where the backend has said it by now.
        replaces: Whether it is the whole text, in place of all pieces before it: the finished part contradicts them, or
            the next part began between them.
    """

    item_id: str
    content_index: int
    text: str
    phase: Phase | None = None
    replaces: bool = False


class MessageDone(NamedTuple):
    """A message is whole, and has something beside its text.

    Attributes:
        item_id: The message.
        phase: Its phase.
        annotations: What its parts cite, by content index, as the backend sent it.
        logprobs: The log probabilities of its parts, by content index, as the backend sent them.
    """

    item_id: str
    phase: Phase | None
    annotations: Mapping[int, list[Any]]
    logprobs: Mapping[int, list[Any]]


@dataclass(slots=True)
class ReasoningDelta:
    """A piece of a reasoning summary. The pieces of one summary, joined, are the whole summary.

    Attributes:
        item_id: The reasoning item.
        summary_index: Which of its summaries.
        text: The piece.
        replaces: Whether it is the whole text, in place of all pieces before it: the finished summary contradicts them,
            or the next summary began between them.
    """

    item_id: str
    summary_index: int
    text: str
    replaces: bool = False


class ReasoningDone(NamedTuple):
    """A reasoning item is whole.

    Attributes:
        item_id: The item.
        encrypted_content: What to replay in later requests, or `None` where the backend sent none.
        raw_content: The reasoning itself, which few models show.
    """

    item_id: str
    encrypted_content: str | None
    raw_content: tuple[str, ...] = ()


class ToolCallStarted(NamedTuple):
    """A call begins; its name and `call_id` are known.

    Attributes:
        item_id: The item.
        call_id: What pairs the call with its output.
        name: The tool; of a local shell call it is `local_shell`.
        kind: The type of the item.
        namespace: The namespace of the tool, where it has one.
    """

    item_id: str
    call_id: str
    name: str
    kind: CallKind = 'function_call'
    namespace: str | None = None


@dataclass(slots=True)
class ToolCallDelta:
    """A piece of a call's arguments. The pieces, joined, are the whole argument JSON; of a custom call, its free text.

    Attributes:
        item_id: The item.
        arguments: The piece.
        replaces: Whether it stands in place of all pieces before it, which the finished call contradicts.
    """

    item_id: str
    arguments: str
    replaces: bool = False


class ToolCallDone(NamedTuple):
    """The arguments of a call are over. Each call that began has one.

    Attributes:
        item_id: The item.
        cut: Whether they may go on where nobody sees it: the backend stopped, or sent none of them, and no final frame
            of the call.
    """

    item_id: str
    cut: bool = False


class ItemStarted(NamedTuple):
    """An item begins that is neither a message, reasoning nor a call; all there is to it comes with its `ItemDone`.

    Attributes:
        item_id: The item.
        kind: Its type, for example `web_search_call`.
    """

    item_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class ImagePartial:
    """An image as far as it is drawn.

    Attributes:
        item_id: The item, an `image_generation_call`.
        image: The image in base64.
    """

    item_id: str
    image: str = field(repr=False)


class ItemDone(NamedTuple):
    """An output item is whole: the item of record, as the backend sent it.

    Attributes:
        item_id: What the events of this item call it; the item's own id, where it has one that did not change.
        item: The item.
    """

    item_id: str
    item: dict[str, Any]


class RateLimitsSeen(NamedTuple):
    """The limits of the plan, told in the middle of an answer; of no item, and at any place but after the end."""

    limits: RateLimits


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that is not read here, or that is no JSON object; kept, and harmless.

    Attributes:
        type: The event's type, or `''` where it has none.
        data: The event as it came.
    """

    type: str
    data: bytes = field(repr=False)


class ResponseEnded(NamedTuple):
    """The answer is over. Always the last event; nothing comes after it.

    Attributes:
        status: `completed`, or `incomplete` where the backend stopped early.
        reason: Why it is incomplete, for example `max_output_tokens` or `content_filter`.
        response_id: The id of the response.
        model: The model that served it, where the backend says so.
        usage: The tokens, or `None` where the backend sent none.
        refusal: The text of a refusal, if the model refused.
        service_tier: The tier that served it, where the backend says so.
    """

    status: Literal['completed', 'incomplete']
    reason: str | None
    response_id: str | None
    model: str | None
    usage: Usage | None
    refusal: str | None = None
    service_tier: str | None = None


Event: TypeAlias = (
    ResponseStarted
    | TextDelta
    | MessageDone
    | ReasoningDelta
    | ReasoningDone
    | ToolCallStarted
    | ToolCallDelta
    | ToolCallDone
    | ItemStarted
    | ImagePartial
    | ItemDone
    | RateLimitsSeen
    | UnknownEvent
    | ResponseEnded
)
