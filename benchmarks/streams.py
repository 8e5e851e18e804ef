"""The streams that every subject reads: answers as the backend writes them, and what has to come out of them.

The frames are spelled out here and not made by the library's simulator, so that no field name can agree with itself.
Their order, and that the items of record are those of `output_item.done` while the final `output` is empty: captured.
What the API adds to them (`sequence_number`, `obfuscation`, `logprobs`, long ids, and a response object that repeats
instructions and tools three times): public reports.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeAlias

from .texts import cut, prose, text

Json: TypeAlias = dict[str, Any]

CREATED_AT: Final = 1_700_000_000
MODEL: Final = 'gpt-5.5'
SIGNATURE_BYTES: Final = 8192


@dataclass(frozen=True)
class Expected:
    """What has to come out of a stream.

    Attributes:
        deltas: Each piece with what it is of (`text`, `thinking` or `args`), in the order of the wire. Each is an event.
        parts: The parts of the whole answer, by `kind`.
        usage: `input_tokens`, `output_tokens`, `cache_read_tokens` and `reasoning_tokens`.
    """

    deltas: tuple[tuple[str, str], ...]
    parts: tuple[Json, ...]
    usage: dict[str, int]


@dataclass(frozen=True)
class Stream:
    """One answer.

    Attributes:
        name: What it is called in a URL.
        title: What it is called in a report.
        frames: Its events, each as it stands on the wire, with the empty line that ends it.
        expected: What has to come out.
    """

    name: str
    title: str
    frames: tuple[bytes, ...] = field(repr=False)
    expected: Expected = field(repr=False)


def stamp_of(name: str) -> str:
    """What all ids of a stream's answer have in common. As long for each, so that another can take its place."""
    return '0' + hashlib.sha256(name.encode()).hexdigest()[:23]


class _Answer:
    """An answer while it is written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.random = random.Random(name)
        self.frames: list[bytes] = []
        self.deltas: list[tuple[str, str]] = []
        self.parts: list[Json] = []
        self.stamp = stamp_of(name)
        self._items = 0

    def write(self, kind: str, **fields: Any) -> None:
        event = {'type': kind, 'sequence_number': len(self.frames), **fields}
        data = json.dumps(event, ensure_ascii=False, separators=(',', ':'))
        self.frames.append(f'event: {kind}\ndata: {data}\n\n'.encode())

    def delta(self, kind: str, of: str, piece: str, **at: Any) -> None:
        """Write a piece, padded against guessing words from sizes."""
        self.deltas.append((of, piece))
        padding = base64.urlsafe_b64encode(self.random.randbytes(12)).decode()[: 16 - len(piece) % 16]
        logprobs: Json = {'logprobs': []} if of == 'text' else {}
        self.write(kind, **at, delta=piece, **logprobs, obfuscation=padding)

    def next_item(self, prefix: str) -> tuple[str, int]:
        """The id of the next item, and its index."""
        self._items += 1
        rest = hashlib.sha256(f'{prefix}/{self._items}'.encode()).hexdigest()[:26]
        return f'{prefix}_{self.stamp}{rest}', self._items - 1

    def begin(self) -> None:
        for kind in ('created', 'in_progress'):
            self.write(f'response.{kind}', response=self._response('in_progress', None))

    def end(self) -> dict[str, int]:
        """Write the end of the answer, and return what it says was used."""
        reasoning = sum(kind == 'thinking' for kind, _ in self.deltas)
        usage = {'input_tokens': 12_345, 'cache_read_tokens': 11_264}
        usage |= {'output_tokens': len(self.deltas) + 7, 'reasoning_tokens': reasoning}
        self.write('response.completed', response=self._response('completed', usage))
        return usage

    def _response(self, status: str, usage: dict[str, int] | None) -> Json:
        return {
            'id': f'resp_{self.stamp}{"0" * 26}',
            'object': 'response',
            'created_at': CREATED_AT,
            'status': status,
            'background': False,
            'completed_at': None if usage is None else CREATED_AT + 60,
            'error': None,
            'incomplete_details': None,
            'instructions': _instructions(),
            'max_output_tokens': None,
            'max_tool_calls': None,
            'model': MODEL,
            'output': [],
            'parallel_tool_calls': True,
            'previous_response_id': None,
            'prompt_cache_key': '00000000-0000-4000-8000-000000000001',
            'reasoning': {'effort': 'medium', 'summary': 'detailed'},
            'safety_identifier': 'user-benchmark',
            'service_tier': 'default',
            'store': False,
            'temperature': 1.0,
            'text': {'format': {'type': 'text'}, 'verbosity': 'medium'},
            'tool_choice': 'auto',
            'tools': _tools(),
            'top_logprobs': 0,
            'top_p': 1.0,
            'truncation': 'disabled',
            'usage': usage and _wire_usage(usage),
            'user': None,
            'metadata': {},
        }


def _wire_usage(usage: Mapping[str, int]) -> Json:
    return {
        'input_tokens': usage['input_tokens'],
        'input_tokens_details': {'cached_tokens': usage['cache_read_tokens']},
        'output_tokens': usage['output_tokens'],
        'output_tokens_details': {'reasoning_tokens': usage['reasoning_tokens']},
        'total_tokens': usage['input_tokens'] + usage['output_tokens'],
    }


@cache
def _instructions() -> str:
    return text('instructions', 800)


@cache
def _tools() -> list[Json]:
    return [_tool(number) for number in range(10)]


def _tool(number: int) -> Json:
    properties: Json = {
        'path': {'type': 'string', 'description': text(f'path {number}', 12)},
        'pattern': {'type': 'string', 'description': text(f'pattern {number}', 12)},
        'limit': {'type': 'integer', 'minimum': 1, 'maximum': 500, 'description': text(f'limit {number}', 8)},
        'mode': {'type': 'string', 'enum': ['lines', 'files', 'count']},
    }
    return {
        'type': 'function',
        'name': f'tool_{number}',
        'description': text(f'tool {number}', 30),
        'parameters': {
            'type': 'object',
            'properties': properties,
            'required': list(properties),
            'additionalProperties': False,
        },
        'strict': False,
    }


# What answers are made of.


def _message(answer: _Answer, pieces: Sequence[str]) -> None:
    item_id, index = answer.next_item('msg')
    at = {'item_id': item_id, 'output_index': index, 'content_index': 0}
    whole = ''.join(pieces)
    part: Json = {'type': 'output_text', 'annotations': [], 'logprobs': []}
    item = {'id': item_id, 'type': 'message', 'role': 'assistant'}
    started: Json = {**item, 'status': 'in_progress', 'content': []}
    answer.write('response.output_item.added', output_index=index, item=started)
    answer.write('response.content_part.added', **at, part={**part, 'text': ''})
    for piece in pieces:
        answer.delta('response.output_text.delta', 'text', piece, **at)
    answer.write('response.output_text.done', **at, text=whole, logprobs=[])
    answer.write('response.content_part.done', **at, part={**part, 'text': whole})
    finished = {**item, 'status': 'completed', 'content': [{**part, 'text': whole}]}
    answer.write('response.output_item.done', output_index=index, item=finished)
    answer.parts.append({'kind': 'text', 'content': whole})


def _reasoning(answer: _Answer, summaries: Sequence[Sequence[str]]) -> None:
    item_id, index = answer.next_item('rs')
    # Encrypted content begins like a Fernet token (public reports).
    sealed = base64.urlsafe_b64encode(answer.random.randbytes(SIGNATURE_BYTES)).decode()
    signature = f'gAAAAAB{sealed}'[:SIGNATURE_BYTES]
    item: Json = {'id': item_id, 'type': 'reasoning', 'encrypted_content': signature}
    answer.write('response.output_item.added', output_index=index, item={**item, 'summary': []})
    parts: list[Json] = []
    for number, pieces in enumerate(summaries):
        at = {'item_id': item_id, 'output_index': index, 'summary_index': number}
        whole = ''.join(pieces)
        answer.write('response.reasoning_summary_part.added', **at, part={'type': 'summary_text', 'text': ''})
        for piece in pieces:
            answer.delta('response.reasoning_summary_text.delta', 'thinking', piece, **at)
        parts.append({'type': 'summary_text', 'text': whole})
        answer.write('response.reasoning_summary_text.done', **at, text=whole)
        answer.write('response.reasoning_summary_part.done', **at, part=parts[-1])
        # The content belongs to the whole item; its first part carries it.
        answer.parts.append({'kind': 'thinking', 'content': whole, 'signature': None if number else signature})
    answer.write('response.output_item.done', output_index=index, item={**item, 'summary': parts})


def _call(answer: _Answer, name: str, pieces: Sequence[str]) -> None:
    item_id, index = answer.next_item('fc')
    at = {'item_id': item_id, 'output_index': index}
    whole = ''.join(pieces)
    call_id = f'call_{answer.stamp}{index:02}'
    item = {'id': item_id, 'type': 'function_call', 'call_id': call_id, 'name': name}
    started = {**item, 'status': 'in_progress', 'arguments': ''}
    answer.write('response.output_item.added', output_index=index, item=started)
    for piece in pieces:
        answer.delta('response.function_call_arguments.delta', 'args', piece, **at)
    answer.write('response.function_call_arguments.done', **at, arguments=whole)
    finished = {**item, 'status': 'completed', 'arguments': whole}
    answer.write('response.output_item.done', output_index=index, item=finished)
    answer.parts.append({'kind': 'tool-call', 'tool_name': name, 'tool_call_id': call_id, 'args': whole})


def _arguments(seed: str, tokens: int, pieces: int) -> list[str]:
    """The arguments of a call, as pieces of JSON."""
    arguments = {'path': 'src/päckage/main.py', 'limit': 20, 'pattern': text(seed, tokens)}
    return cut(json.dumps(arguments, ensure_ascii=False), pieces, seed)


# The answers.


def _text(answer: _Answer, count: int) -> None:
    _message(answer, prose(answer.name, count))


def _calls(answer: _Answer) -> None:
    for number in range(8):
        _call(answer, f'tool_{number}', _arguments(f'call {number}', 150, 200))


def _thoughts(answer: _Answer) -> None:
    _reasoning(answer, [[f'**Step {n}**\n\n', *prose(f'step {n}', 249)] for n in range(8)])
    _text(answer, 12)


_ANSWERS: Final[Mapping[str, tuple[str, Callable[[_Answer], None]]]] = {
    'a': ('5,000 text deltas', lambda answer: _text(answer, 5000)),
    'b': ('8 parallel calls x 200 argument deltas', _calls),
    'c': ('2,000 reasoning deltas, 8 KB encrypted', _thoughts),
    'd': ('10 events', lambda answer: _text(answer, 2)),
    'e': ('300 text deltas', lambda answer: _text(answer, 300)),
    'call': ('one short call', lambda answer: _call(answer, 'tool_0', _arguments('call', 4, 8))),
}


@cache
def _stream(name: str) -> Stream:
    title, write = _ANSWERS[name]
    answer = _Answer(name)
    answer.begin()
    write(answer)
    expected = Expected(tuple(answer.deltas), tuple(answer.parts), answer.end())
    return Stream(name, title, tuple(answer.frames), expected)


class _Streams(Mapping[str, Stream]):
    """Every stream, written when it is first asked for: one that is not read costs no memory."""

    def __getitem__(self, name: str) -> Stream:
        return _stream(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_ANSWERS)

    def __len__(self) -> int:
        return len(_ANSWERS)


STREAMS: Final[Mapping[str, Stream]] = _Streams()
