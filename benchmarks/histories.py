"""Message histories and tools of every size, as an agent would have them after a while."""

from __future__ import annotations

import base64
import random
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
from .texts import text

INSTRUCTIONS: Final = 'You are a helpful assistant. Answer in plain words, and look into the files before you answer.'
CONVERSATION_ID: Final = '01a1fc16-8bd9-7f10-9fe6-6546fb4a8b64'

_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SIGNATURE_BYTES: Final = 500
_TOKENS: Final = 60
"""Of each prompt, thought, result and answer: some hundred characters."""


@cache
def history(count: int, provider_name: str) -> tuple[ModelMessage, ...]:
    """An even number of messages that have come and gone.

    By fours: a prompt, a thought with a call, its result, and an answer; where two are left over, they come first and
    are a prompt and an answer. The same objects each time, as an agent hands them over too.

    Args:
        count: How many messages.
        provider_name: Who made the responses. A model sends sealed reasoning back only where it can be opened, so each
            subject gets a history of its own.
    """
    if count < 0 or count % 2:
        raise ValueError(f'A history has an even number of messages, not {count}.')
    turns = [_plain_turn()] if count % 4 else []
    turns += [_turn_with_call(number) for number in range(count // 4)]
    parts = [part for turn in turns for part in turn]
    return tuple(_message(number, each, provider_name) for number, each in enumerate(parts))


def request(message: str) -> ModelRequest:
    """A prompt as an agent hands it to its model."""
    return _request([UserPromptPart(message, timestamp=_BEGAN)], _BEGAN)


@cache
def _definitions(count: int) -> tuple[ToolDefinition, ...]:
    return tuple(
        ToolDefinition(name=f'tool_{number}', description=text(f'tool {number}', 30), parameters_json_schema=schema)
        for number, schema in enumerate(map(_schema, range(count)))
    )


def tool_definitions(count: int) -> list[ToolDefinition]:
    """So many tools, made anew: equal to those of the last time, and none of their objects the same.

    An agent makes new definitions for each request as well, though it keeps their schemas; new ones are the harder
    case, as they come from toolsets that ask somebody else each time.
    """
    return deepcopy(list(_definitions(count)))


def _schema(number: int) -> dict[str, Any]:
    """Five to eight properties, one of them an object."""

    def described(name: str, **schema: Any) -> dict[str, Any]:
        return {**schema, 'description': text(f'{name} {number}', 12)}

    properties: dict[str, Any] = {
        'path': described('path', type='string'),
        'pattern': described('pattern', type='string'),
        'limit': described('limit', type='integer', minimum=1, maximum=500, default=50),
        'mode': described('mode', type='string', enum=['lines', 'files', 'count']),
        'options': described(
            'options',
            type='object',
            properties={
                'case_sensitive': described('case', type='boolean', default=False),
                'encoding': described('encoding', type='string', enum=['utf-8', 'latin-1']),
                'exclude': described('exclude', type='array', items={'type': 'string'}),
            },
            required=['encoding'],
            additionalProperties=False,
        ),
    }
    more: dict[str, Any] = {
        'since': described('since', anyOf=[{'type': 'string', 'format': 'date-time'}, {'type': 'null'}]),
        'tags': described('tags', type='array', items={'type': 'string'}),
        'weight': described('weight', type='number'),
    }
    properties.update(list(more.items())[: number % 4])
    return {
        'type': 'object',
        'properties': properties,
        'required': ['path', 'pattern', 'mode'],
        'additionalProperties': False,
    }


_Turn = list[tuple[ModelRequestPart | ModelResponsePart, ...]]


def _plain_turn() -> _Turn:
    return [
        (UserPromptPart(text('prompt', _TOKENS), timestamp=_BEGAN),),
        (TextPart(text('answer', _TOKENS), id=_id('msg', 'plain')),),
    ]


def _turn_with_call(number: int) -> _Turn:
    chance = random.Random(number)
    sealed = base64.urlsafe_b64encode(chance.randbytes(_SIGNATURE_BYTES)).decode()
    tool, call_id = f'tool_{number % 10}', _id('call', number)
    thought = ThinkingPart(
        text(f'thought {number}', _TOKENS), id=_id('rs', number), signature=f'gAAAAAB{sealed}'[:_SIGNATURE_BYTES]
    )
    arguments = f'{{"path":"src/module_{number}.py","pattern":"{number:08}","mode":"lines","limit":20}}'
    return [
        (UserPromptPart(text(f'prompt {number}', _TOKENS), timestamp=_BEGAN),),
        (thought, ToolCallPart(tool, arguments, call_id, id=_id('fc', number))),
        (ToolReturnPart(tool, text(f'result {number}', _TOKENS), call_id, timestamp=_BEGAN),),
        (TextPart(text(f'answer {number}', _TOKENS), id=_id('msg', number)),),
    ]


def _id(prefix: str, of: object) -> str:
    """An id as long as those of the backend."""
    chance = random.Random(f'{prefix}/{of}')
    return f'{prefix}_{chance.randbytes(25).hex()}' if prefix != 'call' else f'call_{chance.randbytes(12).hex()}'


def _message(number: int, parts: tuple[Any, ...], provider_name: str) -> ModelMessage:
    at = _BEGAN + timedelta(seconds=number)
    return _response(parts, at, provider_name) if number % 2 else _request(parts, at)


def _request(parts: Any, at: datetime) -> ModelRequest:
    return ModelRequest(
        list(parts),
        timestamp=at,
        instructions=INSTRUCTIONS,
        run_id='00000000-0000-4000-8000-0000000000aa',
        conversation_id=CONVERSATION_ID,
    )


def _response(parts: tuple[Any, ...], at: datetime, provider_name: str) -> ModelResponse:
    for part in parts:
        part.provider_name = provider_name
    return ModelResponse(
        list(parts),
        usage=RequestUsage(input_tokens=1200, output_tokens=80, details={'reasoning_tokens': 20}),
        model_name=MODEL,
        timestamp=at,
        provider_name=provider_name,
        provider_details={'finish_reason': 'completed'},
        provider_response_id=_id('resp', at),
        finish_reason='stop',
        run_id='00000000-0000-4000-8000-0000000000aa',
        conversation_id=CONVERSATION_ID,
    )
