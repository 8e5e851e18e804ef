"""Message histories and tools of every size for models of pydantic-ai, as an agent would have them after a while."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from .streams import MODEL
from .turns import INSTRUCTIONS, Answer, Call, Part, Prompt, Result, Thought, made_id, messages, tools

CONVERSATION_ID: Final = '01a1fc16-8bd9-7f10-9fe6-6546fb4a8b64'

_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def history(count: int, provider_name: str) -> tuple[ModelMessage, ...]:
    """The messages of `turns.messages`, the same objects each time, as an agent hands them over too.

    Args:
        count: How many messages.
        provider_name: Who made the responses. A model sends sealed reasoning back only where it can be opened, so each
            subject gets a history of its own.
    """
    return tuple(_message(number, parts, provider_name) for number, parts in enumerate(messages(count)))


def request(message: str) -> ModelRequest:
    """A prompt as an agent hands it to its model."""
    return _request([_part(Prompt(message), '')], _BEGAN)


def tool_definitions(count: int) -> list[ToolDefinition]:
    """So many tools, made anew: equal to those of the last time, and none of their objects the same.

    An agent makes new definitions for each request as well, though it keeps their schemas; new ones are the harder
    case, as they come from toolsets that ask somebody else each time.
    """
    return [
        ToolDefinition(name=each.name, description=each.description, parameters_json_schema=deepcopy(each.schema))
        for each in tools(count)
    ]


def _part(part: Part, provider_name: str) -> ModelRequestPart | ModelResponsePart:
    match part:
        case Prompt(content):
            return UserPromptPart(content, timestamp=_BEGAN)
        case Thought(content, id, signature):
            return ThinkingPart(content, id=id, signature=signature, provider_name=provider_name)
        case Call(tool, arguments, call_id, id):
            return ToolCallPart(tool, arguments, call_id, id=id, provider_name=provider_name)
        case Result(tool, content, call_id):
            return ToolReturnPart(tool, content, call_id, timestamp=_BEGAN)
        case Answer(content, id):
            return TextPart(content, id=id, provider_name=provider_name)


def _message(number: int, parts: Iterable[Part], provider_name: str) -> ModelMessage:
    at, made = _BEGAN + timedelta(seconds=number), [_part(part, provider_name) for part in parts]
    return _response(made, at, provider_name) if number % 2 else _request(made, at)


def _request(parts: Any, at: datetime) -> ModelRequest:
    return ModelRequest(
        parts,
        timestamp=at,
        instructions=INSTRUCTIONS,
        run_id='00000000-0000-4000-8000-0000000000aa',
        conversation_id=CONVERSATION_ID,
    )


def _response(parts: Any, at: datetime, provider_name: str) -> ModelResponse:
    return ModelResponse(
        parts,
        usage=RequestUsage(input_tokens=1200, output_tokens=80, details={'reasoning_tokens': 20}),
        model_name=MODEL,
        timestamp=at,
        provider_name=provider_name,
        provider_details={'finish_reason': 'completed'},
        provider_response_id=made_id('resp', at),
        finish_reason='stop',
        run_id='00000000-0000-4000-8000-0000000000aa',
        conversation_id=CONVERSATION_ID,
    )
