"""A turn as the backend writes it: server-sent events and headers.

The frames are reconstructed from streams that Codex CLI 0.169.0 accepted (captured). They are spelled out as literals
on purpose: made from the decoder's classes, a wrong field name would agree with itself. Those of the items are in
`_wire_items.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from ._items import Think
from ._script import TokenUsage, Turn, UsageLimit
from ._wire_facts import ResponseFacts, make_id
from ._wire_items import item_events, item_size

Json: TypeAlias = dict[str, Any]

EVENT_STREAM: Final = 'text/event-stream; charset=utf-8'


def sse_frame(event: Mapping[str, Any]) -> bytes:
    """Write one event as a frame, for a `raw_stream` of your own.

    Args:
        event: The event; its `type` names it.
    """
    data = json.dumps(event, ensure_ascii=False, separators=(',', ':'))
    # Half of a surrogate pair, which JSON can name in a request that is repeated, has no place in UTF-8.
    return f'event: {event["type"]}\ndata: {data}\n\n'.encode(errors='replace')


def frames(turn: Turn, facts: ResponseFacts) -> Iterator[bytes]:
    """Every frame of a turn, up to its terminal event."""
    if turn.limits_event is not False:
        yield sse_frame({**facts.limits, **({} if turn.limits_event is True else turn.limits_event)})
    for number, event in enumerate(_events(turn, facts)):
        yield sse_frame({'type': event.pop('type'), 'sequence_number': number, **_padded(event, number)})


def derived_usage(turn: Turn, request_bytes: int) -> TokenUsage:
    """Token counts from sizes: a token is four bytes or characters, and every item costs one more."""
    spent = [(item, 1 + item_size(item) // 4) for item in turn.items]
    return TokenUsage(
        input_tokens=1 + request_bytes // 4,
        output_tokens=sum(tokens for _, tokens in spent),
        reasoning_tokens=sum(tokens for item, tokens in spent if isinstance(item, Think)),
    )


def usage_limit_body(limit: UsageLimit, now: datetime) -> Json:
    """The body of a 429 for a used-up plan (captured)."""
    return {
        'error': {
            'type': 'usage_limit_reached',
            'message': 'The usage limit has been reached',
            'plan_type': limit.plan_type,
            'resets_at': int(now.timestamp()) + limit.resets_in_seconds,
            'resets_in_seconds': limit.resets_in_seconds,
        }
    }


def _events(turn: Turn, facts: ResponseFacts) -> Iterator[Json]:
    yield {'type': 'response.created', 'response': _response(facts, 'in_progress')}
    yield {'type': 'response.in_progress', 'response': _response(facts, 'in_progress')}
    for index, item in enumerate(turn.items):
        yield from item_events(item, index, facts)
    response = _response(facts, turn.ending)
    if turn.ending == 'failed':
        response['error'] = {'code': turn.error_code, 'message': turn.error_message}
    else:
        if turn.ending == 'incomplete':
            response['incomplete_details'] = {'reason': turn.incomplete_reason}
        if turn.usage is not False:
            response['usage'] = _usage(turn.usage or derived_usage(turn, facts.request_bytes))
    yield {'type': f'response.{turn.ending}', 'response': response}


def _response(facts: ResponseFacts, status: str) -> Json:
    return {
        'id': make_id('resp', facts.seed),
        'object': 'response',
        'created_at': int(facts.now.timestamp()),
        'status': status,
        'model': facts.model,
        'output': [],  # Empty at the end, too (captured): the items of record are those of `output_item.done`.
        'service_tier': facts.service_tier,
    }


def _usage(usage: TokenUsage) -> Json:
    return {
        'input_tokens': usage.input_tokens,
        'input_tokens_details': {'cached_tokens': usage.cached_tokens},
        'output_tokens': usage.output_tokens,
        'output_tokens_details': {'reasoning_tokens': usage.reasoning_tokens},
        'total_tokens': usage.input_tokens + usage.output_tokens,
    }


def _padded(event: Json, number: int) -> Json:
    """Deltas carry random padding, against guessing words from sizes (public reports); here it is not random."""
    if 'delta' not in event:
        return event
    padding = hashlib.sha256(str(number).encode()).hexdigest()[: 16 - len(event['delta']) % 16]
    return {**event, 'obfuscation': padding}
