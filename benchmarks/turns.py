"""What is said in a history, and what its tools are, as plain data: each subject puts it into messages of its own."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

from .texts import text

INSTRUCTIONS: Final = 'You are a helpful assistant. Answer in plain words, and look into the files before you answer.'

_SIGNATURE_BYTES: Final = 500
_TOKENS: Final = 60
"""Of each prompt, thought, result and answer: some hundred characters."""


@dataclass(frozen=True)
class Prompt:
    content: str


@dataclass(frozen=True)
class Thought:
    content: str
    id: str
    signature: str


@dataclass(frozen=True)
class Call:
    tool: str
    arguments: str
    call_id: str
    id: str


@dataclass(frozen=True)
class Result:
    tool: str
    content: str
    call_id: str


@dataclass(frozen=True)
class Answer:
    content: str
    id: str


Part: TypeAlias = Prompt | Thought | Call | Result | Answer


@dataclass(frozen=True)
class Tool:
    """A function and its arguments."""

    name: str
    description: str
    schema: dict[str, Any]


def messages(count: int) -> Iterator[tuple[Part, ...]]:
    """An even number of messages that have come and gone, each with its parts.

    By fours: a prompt, a thought with a call, its result, and an answer; where two are left over, they come first and
    are a prompt and an answer.
    """
    if count < 0 or count % 2:
        raise ValueError(f'A history has an even number of messages, not {count}.')
    if count % 4:
        yield (Prompt(text('prompt', _TOKENS)),)
        yield (Answer(text('answer', _TOKENS), made_id('msg', 'plain')),)
    for number in range(count // 4):
        yield from _turn(number)


def _turn(number: int) -> Iterator[tuple[Part, ...]]:
    sealed = base64.urlsafe_b64encode(random.Random(number).randbytes(_SIGNATURE_BYTES)).decode()
    signature = f'gAAAAAB{sealed}'[:_SIGNATURE_BYTES]
    tool, call_id = f'tool_{number % 10}', made_id('call', number)
    arguments = f'{{"path":"src/module_{number}.py","pattern":"{number:08}","mode":"lines","limit":20}}'
    yield (Prompt(text(f'prompt {number}', _TOKENS)),)
    yield (
        Thought(text(f'thought {number}', _TOKENS), made_id('rs', number), signature),
        Call(tool, arguments, call_id, made_id('fc', number)),
    )
    yield (Result(tool, text(f'result {number}', _TOKENS), call_id),)
    yield (Answer(text(f'answer {number}', _TOKENS), made_id('msg', number)),)


def made_id(prefix: str, of: object) -> str:
    """An id as long as those of the backend."""
    chance = random.Random(f'{prefix}/{of}')
    return f'{prefix}_{chance.randbytes(25).hex()}' if prefix != 'call' else f'call_{chance.randbytes(12).hex()}'


@cache
def tools(count: int) -> tuple[Tool, ...]:
    """So many tools, the same ones each time."""
    return tuple(Tool(f'tool_{number}', text(f'tool {number}', 30), _schema(number)) for number in range(count))


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
