"""What came out of a stream, in few words that are the same for each release of pydantic-ai."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from pydantic_ai.messages import (
    CompactionPart,
    FilePart,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)

Row: TypeAlias = tuple[Any, ...]

_PLAIN_END: Row = ('end', 'stop', {'finish_reason': 'completed'})
_ACCOUNT = 'account'
"""In the details of what is encrypted; the same everywhere."""


def outline(outcome: ModelResponse | Exception) -> list[Row]:
    """An answer: a row for each part, its end where that is no plain one, and its tokens where there are any.

    An error: its type, and what our own error behind it says.
    """
    if isinstance(outcome, Exception):
        message = str(outcome.__cause__ or outcome).partition(' For support')[0]
        return [('error', type(outcome).__name__, message if len(message) <= 90 else f'{message[:90]}...')]
    return [*map(_row, outcome.parts), *_end(outcome)]


def _row(part: ModelResponsePart) -> Row:
    match part:
        case TextPart():
            row: Row = ('text', part.id, part.content)
        case ThinkingPart():
            row = ('thinking', part.id, part.content, part.signature)
        case NativeToolCallPart():
            row = ('native call', part.tool_call_id, part.tool_name, part.args)
        case NativeToolReturnPart():
            row = ('native return', part.tool_call_id, part.tool_name, part.content)
        case ToolCallPart():
            row = ('call', part.tool_call_id, part.tool_name, part.args)
        case FilePart():
            row = ('file', part.id, part.content.media_type, part.content.data)
        case CompactionPart():
            row = ('compaction', part.id)
        case _:
            row = (part.part_kind,)
    details = {name: value for name, value in (part.provider_details or {}).items() if name != _ACCOUNT}
    return (*row, details) if details else row


def _end(response: ModelResponse) -> Iterator[Row]:
    details = {name: value for name, value in (response.provider_details or {}).items() if name != 'rate_limits'}
    if (end := ('end', response.finish_reason, details)) != _PLAIN_END:
        yield end
    usage = response.usage
    tokens = (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens, usage.details.get('reasoning_tokens'))
    if any(tokens):
        yield ('tokens', *tokens)
