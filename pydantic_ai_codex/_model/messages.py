"""pydantic-ai's message history to input items; pure, and complete for what it takes: anything else is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any, Final, TypeAlias, cast

from pydantic_ai.messages import (
    CachePoint,
    InstructionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters

from .._protocol.constants import DEFAULT_INSTRUCTIONS
from .._protocol.requests import JsonObject
from ..errors import ConfigurationError

REASONING_SYSTEMS: Final = frozenset({'codex', 'openai-codex', 'openai'})
"""Whose encrypted reasoning the backend reads: ours and that of pydantic-ai's models for the same service."""

_LONGEST_CALL_ID: Final = 64

AcceptsReasoning: TypeAlias = Callable[[ModelResponse, ModelResponsePart], bool]


def map_instructions(messages: Sequence[ModelMessage], params: ModelRequestParameters) -> str:
    """The `instructions` of a request; never empty.

    An agent passes them in the parameters. Whoever calls the model directly has them in the messages: those of the
    last request, or of the one before it where the last only returns tools.
    """
    if params.instruction_parts is not None:
        text = InstructionPart.join(params.instruction_parts) if params.instruction_parts else None
    else:
        text = None
        for request in [message for message in reversed(messages) if isinstance(message, ModelRequest)][:2]:
            text = request.instructions
            if text is not None or not all(isinstance(part, ToolReturnPart) for part in request.parts):
                break
    return text if text and text.strip() else DEFAULT_INSTRUCTIONS


def map_messages(messages: Sequence[ModelMessage], *, accepts_reasoning: AcceptsReasoning) -> list[JsonObject]:
    """The input items of a message history; never empty, as the backend refuses an empty input.

    Args:
        messages: The history, as `Model.prepare_messages` leaves it.
        accepts_reasoning: Whether the encrypted reasoning of a part may go back to the backend.

    Raises:
        ConfigurationError: If a part or content cannot be sent.
    """
    items: list[JsonObject] = []
    for message in messages:
        if isinstance(message, ModelRequest):
            for part in message.parts:
                items.append(_map_request_part(part))
        else:
            items.extend(_map_response(message, accepts_reasoning))
    return items or [_message('user', '')]


def _map_request_part(part: object) -> JsonObject:
    # In the order of how often they come.
    if isinstance(part, ToolReturnPart):
        return _map_tool_return(cast('ToolReturnPart[Any]', part))
    if isinstance(part, UserPromptPart):
        return {'type': 'message', 'role': 'user', 'content': list(_map_user_content(part.content))}
    if isinstance(part, SystemPromptPart):
        return _message('developer', part.content)
    raise ConfigurationError(
        f'A {type(part).__name__} cannot be sent as it is. An agent translates it; when you call the model directly, '
        'pass the messages through `model.prepare_messages(messages)` first.'
    )


def _map_tool_return(part: ToolReturnPart[Any]) -> JsonObject:
    if part.files:
        raise ConfigurationError(
            f'The tool {part.tool_name!r} returned a file, which this version cannot send; return text instead.'
        )
    return {
        'type': 'function_call_output',
        'call_id': _call_id(part.tool_call_id),
        'output': part.model_response_str(),
    }


def _map_user_content(content: str | Sequence[UserContent]) -> Iterator[JsonObject]:
    if isinstance(content, str):
        content = [content]
    empty = True
    for item in content:
        if isinstance(item, str):
            yield {'type': 'input_text', 'text': item}
        elif isinstance(item, TextContent):
            yield {'type': 'input_text', 'text': item.content}
        elif isinstance(item, CachePoint):
            continue  # The backend caches by itself and has no breakpoints.
        else:
            raise ConfigurationError(
                f"This version cannot send the {type(item).__name__} of a user prompt; send text, or use pydantic-ai's "
                '`OpenAICodexModel` for it.'
            )
        empty = False
    if empty:
        yield {'type': 'input_text', 'text': ''}


def _map_response(response: ModelResponse, accepts_reasoning: AcceptsReasoning) -> Iterator[JsonObject]:
    for (kind, _), group in groupby(response.parts, key=_together):
        parts: list[Any] = list(group)
        if kind is ThinkingPart:
            yield from _map_thinking(response, parts, accepts_reasoning)
        elif kind is TextPart:
            content = [{'type': 'output_text', 'text': part.content} for part in parts if part.content]
            if content:
                yield {'type': 'message', 'role': 'assistant', 'content': content}
        else:
            for part in parts:
                yield _map_tool_call(part)


def _together(part: ModelResponsePart) -> tuple[type, object]:
    """Parts with the same key make one item: the texts of one message, the summaries of one reasoning item."""
    if isinstance(part, ThinkingPart):
        return ThinkingPart, (part.id, part.provider_name) if part.id else id(part)
    if isinstance(part, TextPart):
        return TextPart, (part.id, part.provider_name) if part.id else id(part)
    if isinstance(part, ToolCallPart):
        return ToolCallPart, None
    raise ConfigurationError(
        f'The history holds a {type(part).__name__} of {part.provider_name or "another provider"}, which this version '
        'cannot send. Remove it with a history processor.'
    )


def _map_thinking(
    response: ModelResponse, parts: list[ThinkingPart], accepts_reasoning: AcceptsReasoning
) -> Iterator[JsonObject]:
    """A reasoning item, where the backend can read it; plain text, where the thinking is another service's."""
    signature = next((part.signature for part in parts if part.signature), None)
    if signature is not None and all(accepts_reasoning(response, part) for part in parts):
        item: JsonObject = {
            'type': 'reasoning',
            'summary': [{'type': 'summary_text', 'text': part.content} for part in parts if part.content],
            'encrypted_content': signature,
        }
        if parts[0].id:
            item['id'] = parts[0].id
        yield item
    else:
        text = '\n'.join(part.content for part in parts if part.content)
        if text:
            yield _message('assistant', f'<think>\n{text}\n</think>')


def _map_tool_call(part: ToolCallPart) -> JsonObject:
    return {
        'type': 'function_call',
        'call_id': _call_id(part.tool_call_id),
        'name': part.tool_name,
        'arguments': part.args_as_json_str(),
    }


def _call_id(tool_call_id: str) -> str:
    """The id that pairs a call with its output, in a form that the backend takes.

    Older histories of pydantic-ai carry the item's id behind a bar, and other services have ids beyond the 64
    characters that the Responses API allows.
    """
    call_id, bar, item_id = tool_call_id.partition('|')
    if bar and not item_id.startswith('fc_'):
        call_id = tool_call_id
    if len(call_id) <= _LONGEST_CALL_ID:
        return call_id
    return f'call_{sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:40]}'


def _message(role: str, text: str) -> JsonObject:
    kind = 'output_text' if role == 'assistant' else 'input_text'
    return {'type': 'message', 'role': role, 'content': [{'type': kind, 'text': text}]}
