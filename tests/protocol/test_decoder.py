"""Reaches inside, because the decoder is pure: what it promises holds for any order and any gap of the wire's events."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._protocol.decoder import ResponseDecoder
from pydantic_ai_codex._protocol.events import (
    Event,
    ItemDone,
    ItemStarted,
    RateLimitsSeen,
    ReasoningDelta,
    ReasoningDone,
    ResponseEnded,
    ResponseStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallDone,
    ToolCallStarted,
    UnknownEvent,
    Usage,
)
from pydantic_ai_codex._protocol.rate_limit_types import Credits, RateLimits, RateLimitWindow
from pydantic_ai_codex.errors import BackendError, CodexError, IncompleteStreamError

Frame = dict[str, Any]

REASONING: Frame = {
    'id': 'rs_1',
    'type': 'reasoning',
    'summary': [{'type': 'summary_text', 'text': '**Plan**'}, {'type': 'summary_text', 'text': 'Look outside.'}],
    'encrypted_content': 'gAAAAAB-sealed',
}
CALL_A: Frame = {
    'id': 'fc_a',
    'type': 'function_call',
    'status': 'completed',
    'name': 'weather',
    'call_id': 'call_a',
    'arguments': '{"city": "Paris"}',
}
CALL_B: Frame = {**CALL_A, 'id': 'fc_b', 'call_id': 'call_b', 'arguments': '{"city": "Rome"}'}
MESSAGE: Frame = {
    'id': 'msg_1',
    'type': 'message',
    'role': 'assistant',
    'status': 'completed',
    'content': [
        {'type': 'output_text', 'text': 'Hello, world', 'annotations': [], 'logprobs': []},
        {'type': 'output_text', 'text': 'and more'},
    ],
}
ITEMS = [REASONING, CALL_A, CALL_B, MESSAGE]
RESPONSE: Frame = {
    'id': 'resp_1',
    'object': 'response',
    'created_at': 1700000000,
    'status': 'in_progress',
    'model': 'gpt-x',
    'output': [],
}
USAGE: Frame = {
    'input_tokens': 1200,
    'input_tokens_details': {'cached_tokens': 1024},
    'output_tokens': 34,
    'output_tokens_details': {'reasoning_tokens': 12},
    'total_tokens': 1234,
}


def frame(kind: str, **fields: Any) -> Frame:
    return {'type': kind, **fields}


def completed(**fields: Any) -> Frame:
    return frame('response.completed', response={**RESPONSE, 'status': 'completed', 'usage': USAGE, **fields})


def item_done(item: Frame, index: int) -> Frame:
    return frame('response.output_item.done', output_index=index, item=item)


def reasoning_frames() -> Iterator[Frame]:
    at = {'item_id': 'rs_1', 'output_index': 0}
    yield frame('response.output_item.added', output_index=0, item={**REASONING, 'summary': []})
    for index, pieces in enumerate((['**Pl', 'an**'], ['Look ', 'outside.'])):
        position = {**at, 'summary_index': index}
        part = {'type': 'summary_text', 'text': ''}
        yield frame('response.reasoning_summary_part.added', **position, part=part)
        for piece in pieces:
            yield frame('response.reasoning_summary_text.delta', **position, delta=piece)
        yield frame('response.reasoning_summary_text.done', **position, text=''.join(pieces))
        yield frame('response.reasoning_summary_part.done', **position, part={**part, 'text': ''.join(pieces)})
    yield item_done(REASONING, 0)


def call_frames(item: Frame, index: int) -> Iterator[Frame]:
    at = {'item_id': item['id'], 'output_index': index}
    started: Frame = {**item, 'status': 'in_progress', 'arguments': ''}
    yield frame('response.output_item.added', output_index=index, item=started)
    arguments: str = item['arguments']
    for piece in (arguments[:5], arguments[5:10], arguments[10:]):
        yield frame('response.function_call_arguments.delta', **at, delta=piece)
    yield frame('response.function_call_arguments.done', **at, arguments=arguments)
    yield item_done(item, index)


def message_frames(index: int = 3) -> Iterator[Frame]:
    at = {'item_id': 'msg_1', 'output_index': index}
    started: Frame = {**MESSAGE, 'status': 'in_progress', 'content': []}
    yield frame('response.output_item.added', output_index=index, item=started)
    for content_index, pieces in enumerate((['Hel', 'lo, ', 'world'], ['and ', 'more'])):
        position = {**at, 'content_index': content_index}
        part: Frame = {'type': 'output_text', 'text': '', 'annotations': []}
        yield frame('response.content_part.added', **position, part=part)
        for piece in pieces:
            yield frame('response.output_text.delta', **position, delta=piece)
        yield frame('response.output_text.done', **position, text=''.join(pieces))
        yield frame('response.content_part.done', **position, part={**part, 'text': ''.join(pieces)})
    yield item_done(MESSAGE, index)


def interleaved(*streams: Iterator[Frame]) -> Iterator[Frame]:
    for frames in zip(*streams, strict=True):
        yield from frames


STREAM: list[Frame] = [
    frame('response.created', response=RESPONSE),
    frame('response.in_progress', response=RESPONSE),
    *reasoning_frames(),
    *interleaved(call_frames(CALL_A, 1), call_frames(CALL_B, 2)),
    *message_frames(),
    completed(),
]


def decode(*frames: Frame) -> list[Event]:
    decoder = ResponseDecoder()
    events = [event for each in frames for event in decoder.receive(json.dumps(each).encode())]
    decoder.close()
    return events


def known(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, UnknownEvent)]


def whole(events: list[Event]) -> dict[str, str]:
    """Every part as its joined pieces, by item and position, each item under the name of what it is."""
    parts: dict[str, str] = {}
    for event in events:
        match event:
            case TextDelta():
                key, piece = f'text {event.content_index}', event.text
            case ReasoningDelta():
                key, piece = f'summary {event.summary_index}', event.text
            case ReasoningDone():
                key, piece = 'sealed', event.encrypted_content or ''
            case ToolCallStarted():
                key, piece = f'call {event.item_id}', f'{event.call_id}:{event.name}'
            case ToolCallDelta():
                key, piece = f'arguments {event.item_id}', event.arguments
            case _:
                continue
        replaces = getattr(event, 'replaces', False)
        parts[key] = piece if replaces else parts.get(key, '') + piece
    return parts


WHOLE = {
    'summary 0': '**Plan**',
    'summary 1': 'Look outside.',
    'sealed': 'gAAAAAB-sealed',
    'call fc_a': 'call_a:weather',
    'arguments fc_a': '{"city": "Paris"}',
    'call fc_b': 'call_b:weather',
    'arguments fc_b': '{"city": "Rome"}',
    'text 0': 'Hello, world',
    'text 1': 'and more',
}


def test_whole_stream() -> None:
    assert known(decode(*STREAM)) == snapshot(
        [
            ResponseStarted(response_id='resp_1', model='gpt-x'),
            ReasoningDelta(item_id='rs_1', summary_index=0, text='**Pl'),
            ReasoningDelta(item_id='rs_1', summary_index=0, text='an**'),
            ReasoningDelta(item_id='rs_1', summary_index=1, text='Look '),
            ReasoningDelta(item_id='rs_1', summary_index=1, text='outside.'),
            ReasoningDone(item_id='rs_1', encrypted_content='gAAAAAB-sealed'),
            ItemDone(
                item_id='rs_1',
                item={
                    'id': 'rs_1',
                    'type': 'reasoning',
                    'summary': [
                        {'type': 'summary_text', 'text': '**Plan**'},
                        {'type': 'summary_text', 'text': 'Look outside.'},
                    ],
                    'encrypted_content': 'gAAAAAB-sealed',
                },
            ),
            ToolCallStarted(item_id='fc_a', call_id='call_a', name='weather'),
            ToolCallDelta(item_id='fc_a', arguments='{"cit'),
            ToolCallDelta(item_id='fc_a', arguments='y": "'),
            ToolCallDelta(item_id='fc_a', arguments='Paris"}'),
            ToolCallDone(item_id='fc_a'),
            ItemDone(
                item_id='fc_a',
                item={
                    'id': 'fc_a',
                    'type': 'function_call',
                    'status': 'completed',
                    'name': 'weather',
                    'call_id': 'call_a',
                    'arguments': '{"city": "Paris"}',
                },
            ),
            ToolCallStarted(item_id='fc_b', call_id='call_b', name='weather'),
            ToolCallDelta(item_id='fc_b', arguments='{"cit'),
            ToolCallDelta(item_id='fc_b', arguments='y": "'),
            ToolCallDelta(item_id='fc_b', arguments='Rome"}'),
            ToolCallDone(item_id='fc_b'),
            ItemDone(
                item_id='fc_b',
                item={
                    'id': 'fc_b',
                    'type': 'function_call',
                    'status': 'completed',
                    'name': 'weather',
                    'call_id': 'call_b',
                    'arguments': '{"city": "Rome"}',
                },
            ),
            TextDelta(item_id='msg_1', content_index=0, text='Hel'),
            TextDelta(item_id='msg_1', content_index=0, text='lo, '),
            TextDelta(item_id='msg_1', content_index=0, text='world'),
            TextDelta(item_id='msg_1', content_index=1, text='and '),
            TextDelta(item_id='msg_1', content_index=1, text='more'),
            ItemDone(
                item_id='msg_1',
                item={
                    'id': 'msg_1',
                    'type': 'message',
                    'role': 'assistant',
                    'status': 'completed',
                    'content': [
                        {'type': 'output_text', 'text': 'Hello, world', 'annotations': [], 'logprobs': []},
                        {'type': 'output_text', 'text': 'and more'},
                    ],
                },
            ),
            ResponseEnded(
                status='completed',
                reason=None,
                response_id='resp_1',
                model='gpt-x',
                usage=Usage(input_tokens=1200, output_tokens=34, cached_tokens=1024, reasoning_tokens=12),
            ),
        ]
    )


def test_nothing_is_doubled_when_everything_is_there() -> None:
    events = decode(*STREAM[:-1], completed(output=ITEMS))

    assert events == decode(*STREAM)
    assert whole(events) == WHOLE
    assert [event.item for event in events if isinstance(event, ItemDone)] == ITEMS


def without(*kinds: str) -> list[Frame]:
    return [each for each in STREAM if not each['type'].startswith(kinds)]


DELTAS = (
    'response.output_text.delta',
    'response.reasoning_summary_text.delta',
    'response.function_call_arguments.delta',
)
DONES = (
    'response.output_text.done',
    'response.reasoning_summary_text.done',
    'response.function_call_arguments.done',
)
ITEM_ADDED, ITEM_DONE = 'response.output_item.added', 'response.output_item.done'
ENDED_WITH_OUTPUT = completed(output=ITEMS)


@pytest.mark.parametrize(
    'frames',
    [
        pytest.param(without(*DELTAS), id='no deltas'),
        pytest.param(without(*DONES), id='only deltas and items'),
        pytest.param(without(*DELTAS, *DONES), id='only items'),
        pytest.param(without(*DELTAS, *DONES, ITEM_ADDED), id='only finished items'),
        pytest.param(without(ITEM_ADDED), id='no item was added'),
        pytest.param([*without(ITEM_DONE)[:-1], ENDED_WITH_OUTPUT], id='no finished items'),
        pytest.param([*without(*DELTAS, *DONES, ITEM_DONE)[:-1], ENDED_WITH_OUTPUT], id='added, then the snapshot'),
        pytest.param([ENDED_WITH_OUTPUT], id='only the snapshot'),
        pytest.param([*STREAM[:20], ENDED_WITH_OUTPUT], id='a gap in the middle'),
        pytest.param([each for each in STREAM for _ in range(2) if each['type'] not in DELTAS], id='all dones twice'),
    ],
)
def test_parts_are_whole_whatever_is_missing(frames: list[Frame]) -> None:
    events = decode(*frames)

    assert whole(events) == WHOLE
    assert [event.item for event in events if isinstance(event, ItemDone)] == ITEMS
    assert isinstance(events[-1], ResponseEnded)


def mendable() -> Iterator[int]:
    """Every event but the pieces before another piece: those after it are out before the gap can be seen."""
    for number, (this, following) in enumerate(pairwise(STREAM)):
        if this['type'] not in DELTAS or this['type'] != following['type']:
            yield number


@pytest.mark.parametrize('dropped', list(mendable()))
def test_any_one_event_may_be_missing(dropped: int) -> None:
    events = decode(*STREAM[:dropped], *STREAM[dropped + 1 : -1], ENDED_WITH_OUTPUT)

    assert whole(events) == WHOLE


def test_rest_of_the_pieces_comes_with_the_finished_part() -> None:
    at = {'item_id': 'msg_1', 'output_index': 0, 'content_index': 0}

    assert decode(
        frame('response.output_text.delta', **at, delta='Hello'),
        frame('response.output_text.done', **at, text='Hello, '),
        item_done({**MESSAGE, 'content': [{'type': 'output_text', 'text': 'Hello, world'}]}, 0),
        completed(usage=None),
    ) == snapshot(
        [
            TextDelta(item_id='msg_1', content_index=0, text='Hello'),
            TextDelta(item_id='msg_1', content_index=0, text=', '),
            TextDelta(item_id='msg_1', content_index=0, text='world'),
            ItemDone(
                item_id='msg_1',
                item={
                    'id': 'msg_1',
                    'type': 'message',
                    'role': 'assistant',
                    'status': 'completed',
                    'content': [{'type': 'output_text', 'text': 'Hello, world'}],
                },
            ),
            ResponseEnded(status='completed', reason=None, response_id='resp_1', model='gpt-x', usage=None),
        ]
    )


def test_what_contradicts_the_pieces_replaces_them() -> None:
    at = {'item_id': 'msg_1', 'output_index': 0, 'content_index': 0}
    events = decode(
        frame('response.output_text.delta', **at, delta='Good day'),
        frame('response.output_text.done', **at, text='Hello'),
        item_done({**MESSAGE, 'content': [{'type': 'output_text', 'text': 'Hello, world'}]}, 0),
        completed(),
    )

    assert known(events)[:-2] == [
        TextDelta('msg_1', 0, 'Good day'),
        TextDelta('msg_1', 0, 'Hello', replaces=True),
        TextDelta('msg_1', 0, ', world'),
    ]
    assert whole(events) == {'text 0': 'Hello, world'}


def test_arguments_that_come_with_the_added_call() -> None:
    assert decode(
        frame(ITEM_ADDED, output_index=0, item={**CALL_A, 'arguments': '{"city"'}),
        frame('response.function_call_arguments.delta', item_id='fc_a', output_index=0, delta=': "Paris"'),
        frame('response.function_call_arguments.done', item_id='fc_a', output_index=0, arguments=CALL_A['arguments']),
        completed(usage=None),
    ) == snapshot(
        [
            ToolCallStarted(item_id='fc_a', call_id='call_a', name='weather'),
            ToolCallDelta(item_id='fc_a', arguments='{"city"'),
            ToolCallDelta(item_id='fc_a', arguments=': "Paris"'),
            ToolCallDelta(item_id='fc_a', arguments='}'),
            ToolCallDone(item_id='fc_a'),
            ResponseEnded(status='completed', reason=None, response_id='resp_1', model='gpt-x', usage=None),
        ]
    )


def test_a_part_waits_for_the_beginning_of_the_part_before_it() -> None:
    def delta(index: int, text: str) -> Frame:
        return frame('response.output_text.delta', item_id='msg_1', output_index=0, content_index=index, delta=text)

    events = decode(delta(1, 'b'), delta(0, ''), delta(0, 'a'), delta(1, 'B'), delta(0, 'A'), completed())

    assert events[:-1] == [
        TextDelta('msg_1', 0, 'a'),
        TextDelta('msg_1', 1, 'bB'),
        TextDelta('msg_1', 0, 'aA', replaces=True),
    ]


def test_a_part_does_not_wait_for_a_refusal() -> None:
    at = {'item_id': 'msg_1', 'output_index': 0}
    decoder = ResponseDecoder()
    decoder.receive(json.dumps(frame('response.refusal.delta', **at, content_index=0, delta='No.')).encode())

    text = frame('response.output_text.delta', **at, content_index=1, delta='But')
    assert decoder.receive(json.dumps(text).encode()) == (TextDelta('msg_1', 1, 'But'),)


def test_call_that_was_never_added_begins_when_it_is_finished() -> None:
    at = {'item_id': 'fc_a', 'output_index': 0}

    assert decode(
        frame('response.function_call_arguments.delta', **at, delta='{"city": '),
        frame('response.function_call_arguments.delta', **at, delta='"Paris"}'),
        frame('response.function_call_arguments.done', **at, arguments='{"city": "Paris"}'),
        item_done(CALL_A, 0),
        completed(usage=None),
    ) == snapshot(
        [
            ToolCallStarted(item_id='fc_a', call_id='call_a', name='weather'),
            ToolCallDelta(item_id='fc_a', arguments='{"city": "Paris"}'),
            ToolCallDone(item_id='fc_a'),
            ItemDone(
                item_id='fc_a',
                item={
                    'id': 'fc_a',
                    'type': 'function_call',
                    'status': 'completed',
                    'name': 'weather',
                    'call_id': 'call_a',
                    'arguments': '{"city": "Paris"}',
                },
            ),
            ResponseEnded(status='completed', reason=None, response_id='resp_1', model='gpt-x', usage=None),
        ]
    )


def test_call_added_without_its_name_begins_when_it_is_finished() -> None:
    frames = list(call_frames(CALL_A, 0))
    frames[0]['item'] = {'id': 'fc_a', 'type': 'function_call'}

    assert whole(decode(*frames, completed())) == {
        'call fc_a': 'call_a:weather',
        'arguments fc_a': '{"city": "Paris"}',
    }


def test_call_that_was_added_late_has_whole_arguments() -> None:
    added, first, *others = call_frames(CALL_A, 0)

    assert whole(decode(first, added, *others, completed()))['arguments fc_a'] == '{"city": "Paris"}'


def test_call_without_a_call_id_is_called_by_its_item() -> None:
    item = {**CALL_A, 'call_id': None}

    assert ToolCallStarted('fc_a', 'fc_a', 'weather') in decode(item_done(item, 0), completed())


CALL_BEGINS = frame(ITEM_ADDED, output_index=0, item={**CALL_A, 'arguments': ''})
CALL_AT: Frame = {'item_id': 'fc_a', 'output_index': 0}
INCOMPLETE = frame('response.incomplete', response={**RESPONSE, 'incomplete_details': {'reason': 'max_output_tokens'}})


@pytest.mark.parametrize(
    ('frames', 'cut'),
    [
        pytest.param([INCOMPLETE], True, id='before the first argument'),
        pytest.param([completed()], True, id='nothing of it came'),
        pytest.param(
            [frame('response.function_call_arguments.delta', **CALL_AT, delta='{'), INCOMPLETE], True, id='in it'
        ),
        pytest.param(
            [frame('response.function_call_arguments.delta', **CALL_AT, delta='{}'), completed()], False, id='no end'
        ),
        pytest.param(
            [frame('response.function_call_arguments.done', **CALL_AT), INCOMPLETE], True, id='an end without them'
        ),
        pytest.param(
            [frame('response.function_call_arguments.done', **CALL_AT, arguments=''), INCOMPLETE],
            False,
            id='none at all',
        ),
        pytest.param([item_done(CALL_A, 0), INCOMPLETE], False, id='the item'),
        pytest.param([completed(output=[CALL_A])], False, id='the snapshot'),
    ],
)
def test_a_call_that_was_cut_says_so(frames: list[Frame], cut: bool) -> None:
    events = decode(CALL_BEGINS, *frames)

    assert [event for event in events if isinstance(event, ToolCallDone)] == [ToolCallDone('fc_a', cut)]


def test_call_without_a_name_is_no_call_but_stays_an_item() -> None:
    item = {**CALL_A, 'name': ''}

    assert known(decode(item_done(item, 0), completed()))[:-1] == [ItemDone('fc_a', item)]


def with_ids(*ids: object) -> list[Frame]:
    """The stream with each mention of an item under another id, in turn; `None` leaves the id out."""
    frames = copy.deepcopy(STREAM)
    for number, each in enumerate(frames):
        new = ids[number % len(ids)]
        new = f'{new}_{number}' if new else new
        for holder, key in ((each, 'item_id'), (each.get('item', {}), 'id')):
            if key in holder:
                holder[key] = new
                if new is None:
                    del holder[key]
    return frames


@pytest.mark.parametrize('ids', [['changed'], [None], [''], ['changed', None], [None, 'changed', '']])
def test_items_are_known_by_their_position_where_ids_change_or_lack(ids: list[object]) -> None:
    frames = with_ids(*ids)
    output = [{key: value for key, value in item.items() if key != 'id'} for item in ITEMS]

    events = decode(*frames[:-1], completed(output=output))

    assert list(whole(events).values()) == list(whole(decode(*STREAM)).values())
    assert sum(isinstance(event, ItemDone) for event in events) == 4


def test_one_item_needs_neither_id_nor_position() -> None:
    events = decode(
        frame('response.output_text.delta', delta='Hello'),
        frame('response.output_text.delta', delta=', '),
        frame('response.output_text.done', text='Hello, world'),
        completed(),
    )

    assert whole(events) == {'text 0': 'Hello, world'}


def test_several_finished_items_need_neither_id_nor_position() -> None:
    frames = [frame(ITEM_DONE, item={**item, 'id': None}) for item in (REASONING, MESSAGE)]

    assert sum(isinstance(event, ItemDone) for event in decode(*frames, completed())) == 2


def test_snapshot_does_not_double_an_item_without_id_and_position() -> None:
    item = {**MESSAGE, 'id': None}

    assert whole(decode(frame(ITEM_DONE, item=item), completed(output=[item])))['text 0'] == 'Hello, world'


def test_character_cut_between_two_deltas() -> None:
    at = {'item_id': 'msg_1', 'output_index': 0, 'content_index': 0}
    events = decode(
        *(frame('response.output_text.delta', **at, delta=piece) for piece in ('a', '\ud83d', '\ude00', 'b')),
        frame('response.output_text.done', **at, text='a😀b'),
        completed(),
    )

    assert whole(events) == {'text 0': 'a😀b'}


def test_other_items_are_kept_as_they_are() -> None:
    search = {
        'id': 'ws_1',
        'type': 'web_search_call',
        'status': 'completed',
        'action': {'type': 'search', 'query': 'q'},
    }

    assert decode(
        frame(ITEM_ADDED, output_index=0, item=search), item_done(search, 0), completed(usage=None)
    ) == snapshot(
        [
            ItemStarted(item_id='ws_1', kind='web_search_call'),
            ItemDone(
                item_id='ws_1',
                item={
                    'id': 'ws_1',
                    'type': 'web_search_call',
                    'status': 'completed',
                    'action': {'type': 'search', 'query': 'q'},
                },
            ),
            ResponseEnded(status='completed', reason=None, response_id='resp_1', model='gpt-x', usage=None),
        ]
    )


def test_reasoning_without_sealed_content() -> None:
    assert ReasoningDone('rs_1', None) in decode(item_done({'id': 'rs_1', 'type': 'reasoning'}, 0), completed())


@pytest.mark.parametrize(
    'data',
    [
        pytest.param(b'{"type": "keepalive", "sequence_number": 3}', id='unknown type'),
        pytest.param(b'{"type": "codex.rate_limits", "plan_type": "plus"}', id='limits'),
        pytest.param(b'{"type": "response.done"}', id='no terminal event of this protocol'),
    ],
)
def test_unknown_event_is_kept(data: bytes) -> None:
    assert ResponseDecoder().receive(data) == (UnknownEvent(json.loads(data)['type'], data),)


LIMITS = frame('codex.rate_limits', plan_type='plus', rate_limits={'primary': {'used_percent': 43}})
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def test_limits_of_the_plan() -> None:
    decoder = ResponseDecoder({}, lambda: NOW)

    assert decoder.rate_limits is None
    assert decoder.receive(json.dumps(LIMITS).encode()) == (
        RateLimitsSeen(RateLimits(plan_type='plus', primary=RateLimitWindow(43.0), observed_at=NOW, source='event')),
    )
    decoder.receive(json.dumps(frame('codex.rate_limits', credits={'unlimited': True})).encode())
    assert decoder.rate_limits is not None
    assert (decoder.rate_limits.primary, decoder.rate_limits.credits) == (
        RateLimitWindow(43.0),
        Credits(unlimited=True),
    )


@pytest.mark.parametrize(
    ('headers', 'observed_at'),
    [({'date': 'Sat, 21 Nov 2026 12:30:00 GMT'}, NOW), ({'date': 'today'}, None), ({}, None)],
)
def test_limits_are_told_at_some_time(headers: dict[str, str], observed_at: datetime | None) -> None:
    decoder = ResponseDecoder(headers)
    decoder.receive(json.dumps(LIMITS).encode())

    assert (decoder.rate_limits and decoder.rate_limits.observed_at) == observed_at


def test_a_failure_holds_the_limits_that_were_told_before_it() -> None:
    decoder = ResponseDecoder({'x-codex-secondary-used-percent': '7', 'x-codex-primary-used-percent': '1'}, lambda: NOW)
    decoder.receive(json.dumps(LIMITS).encode())

    with pytest.raises(BackendError) as caught:
        decoder.receive(json.dumps(frame('error', code='server_error')).encode())

    assert caught.value.rate_limits is not None
    assert caught.value.rate_limits.windows == {'primary': (43.0, None, None), 'secondary': (7.0, None, None)}


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'{',
        b'nonsense',
        b'\xff\xfe',
        b'[]',
        b'[1]',
        b'"text"',
        b'1',
        b'null',
        b'{}',
        b'{"type": 1}',
        b'[' * 10_000,
    ],
)
def test_garbage_is_kept_as_unknown(data: bytes) -> None:
    decoder = ResponseDecoder()

    assert decoder.receive(data) == (UnknownEvent('', data),)
    assert decoder.receive(json.dumps(completed()).encode()) != ()


def test_done_mark_means_nothing() -> None:
    decoder = ResponseDecoder()

    assert decoder.receive(b'[DONE]') == ()
    assert not decoder.ended


def test_what_comes_after_the_terminal_event_is_ignored() -> None:
    decoder = ResponseDecoder()
    decoder.receive(json.dumps(completed()).encode())

    assert decoder.ended
    for each in (*STREAM, frame('error', code='server_error')):
        assert decoder.receive(json.dumps(each).encode()) == ()
    assert decoder.receive(b'garbage') == ()
    decoder.close()


def test_only_the_first_start_is_handed_out() -> None:
    events = decode(
        frame('response.in_progress', response={'id': 'resp_1', 'model': None, 'created_at': 1700000000.5}),
        frame('response.created', response=RESPONSE),
        completed(),
    )

    assert events[:-1] == [ResponseStarted('resp_1', None)]


def test_end_without_terminal_event() -> None:
    decoder = ResponseDecoder()
    for each in STREAM[:3]:
        decoder.receive(json.dumps(each).encode())
    decoder.receive(b'<html>')

    with pytest.raises(IncompleteStreamError) as caught:
        decoder.close()
    assert (
        "(4 events were received, the last 'response.output_item.added', 1 of them no JSON objects). Send the request"
    ) in str(caught.value)


def test_end_of_nothing() -> None:
    with pytest.raises(IncompleteStreamError, match=r'not the backend\.$') as caught:
        ResponseDecoder().close()

    assert '(0 events were received). Send the request again' in str(caught.value)


@pytest.mark.parametrize(
    ('code', 'category', 'status'),
    [
        ('context_length_exceeded', 'context_window', 400),
        ('insufficient_quota', 'quota', 429),
        ('usage_not_included', 'quota', 429),
        ('rate_limit_exceeded', 'rate_limit', 429),
        ('server_is_overloaded', 'overloaded', 503),
        ('slow_down', 'overloaded', 503),
        ('server_error', 'server', 500),
        ('invalid_prompt', 'rejected', 400),
        ('cyber_policy', 'rejected', 400),
        ('bio_policy', 'rejected', 400),
        ('vector_store_timeout', None, None),
    ],
)
def test_failed(code: str, category: str | None, status: int | None) -> None:
    failed = frame('response.failed', response={**RESPONSE, 'error': {'code': code, 'message': 'No luck.'}})
    decoder = ResponseDecoder({'x-request-id': 'req_1'})

    with pytest.raises(BackendError) as caught:
        decoder.receive(json.dumps(failed).encode())

    error = caught.value
    assert (error.code, error.category, error.status_code) == (code, category, status)
    assert (error.in_stream, error.request_id, error.body) == (True, 'req_1', failed)
    assert error.message == f'The backend failed in the stream ({code}): No luck.'
    assert decoder.ended
    decoder.close()


@pytest.mark.parametrize(
    ('event', 'expected'),
    [
        (
            {'type': 'error', 'code': 'server_error', 'message': 'boom', 'param': None},
            ('server_error', 'server', 500, None),
        ),
        (
            {'type': 'error', 'status': 429, 'error': {'type': 'usage_limit_reached', 'resets_in_seconds': 7200}},
            (None, 'quota', 429, 7200.0),
        ),
        (
            {'type': 'error', 'status_code': 400, 'error': {'type': 'invalid_request_error', 'message': 'no images'}},
            (None, 'rejected', 400, None),
        ),
        ({'type': 'error', 'status': 503, 'error': {'code': 'new_code'}}, ('new_code', 'unavailable', 503, None)),
        ({'type': 'error'}, (None, None, None, None)),
        ({'type': 'response.failed'}, (None, None, None, None)),
        ({'type': 'response.failed', 'response': {'error': None}}, (None, None, None, None)),
    ],
)
def test_error_event(event: Frame, expected: tuple[object, ...]) -> None:
    with pytest.raises(BackendError) as caught:
        ResponseDecoder().receive(json.dumps(event).encode())

    error = caught.value
    assert (error.code, error.category, error.status_code, error.retry_after) == expected
    assert error.in_stream


@pytest.mark.parametrize('event', [{'type': 'error', 'code': 'server_error'}, {'type': 'response.failed'}])
def test_type_of_the_event_is_not_the_type_of_the_error(event: Frame) -> None:
    with pytest.raises(BackendError) as caught:
        ResponseDecoder().receive(json.dumps(event).encode())

    assert caught.value.error_type is None


@pytest.mark.parametrize(
    ('details', 'reason'),
    [
        ({'reason': 'max_output_tokens'}, 'max_output_tokens'),
        ({'reason': 'content_filter'}, 'content_filter'),
        ({}, None),
        (None, None),
    ],
)
def test_incomplete(details: object, reason: str | None) -> None:
    *_, message, ended = decode(
        *message_frames(0), frame('response.incomplete', response={**RESPONSE, 'incomplete_details': details})
    )

    assert message == ItemDone('msg_1', MESSAGE)
    assert ended == ResponseEnded('incomplete', reason, 'resp_1', 'gpt-x', None)


@pytest.mark.parametrize('output', [None, [], {}, 'x', [None, 1, 'x', []]])
def test_end_with_an_output_that_says_nothing(output: object) -> None:
    assert decode(completed(output=output)) == [
        ResponseEnded('completed', None, 'resp_1', 'gpt-x', Usage(1200, 34, 1024, 12))
    ]


@pytest.mark.parametrize(
    ('usage', 'expected'),
    [
        (USAGE, Usage(1200, 34, 1024, 12)),
        (None, None),
        ('x', None),
        ({}, Usage()),
        ({'input_tokens': 3, 'output_tokens': 4}, Usage(3, 4)),
        ({'input_tokens': 3, 'input_tokens_details': None, 'output_tokens': None}, Usage(3)),
        ({'output_tokens': 4, 'output_tokens_details': {}}, Usage(0, 4)),
        ({'input_tokens': '3', 'input_tokens_details': {'cached_tokens': '2'}}, Usage()),
    ],
)
def test_usage(usage: object, expected: Usage | None) -> None:
    ended = decode(completed(usage=usage))[-1]

    assert isinstance(ended, ResponseEnded)
    assert ended.usage == expected


def test_end_without_response_or_usage() -> None:
    assert decode(frame('response.completed')) == [ResponseEnded('completed', None, None, None, None)]
    assert decode(frame('response.completed', response={'id': 'r'})) == [
        ResponseEnded('completed', None, 'r', None, None)
    ]


REFUSAL: Frame = {**MESSAGE, 'content': [{'type': 'refusal', 'refusal': 'I cannot do that.'}]}
REFUSAL_AT: Frame = {'item_id': 'msg_1', 'output_index': 0, 'content_index': 0}


@pytest.mark.parametrize(
    'frames',
    [
        pytest.param([item_done(REFUSAL, 0), completed()], id='only the item'),
        pytest.param([completed(output=[REFUSAL])], id='only the snapshot'),
        pytest.param(
            [
                frame('response.refusal.delta', **REFUSAL_AT, delta='I cannot '),
                frame('response.refusal.delta', **REFUSAL_AT, delta='do that.'),
                frame('response.refusal.done', **REFUSAL_AT, refusal='I cannot do that.'),
                item_done(REFUSAL, 0),
                completed(output=[REFUSAL]),
            ],
            id='everything',
        ),
    ],
)
def test_refusal(frames: list[Frame]) -> None:
    events = decode(*frames)

    ended = events[-1]
    assert isinstance(ended, ResponseEnded)
    assert ended.refusal == 'I cannot do that.'
    assert not any(isinstance(event, TextDelta) for event in events)


def test_refusal_with_a_missing_piece_is_not_doubled() -> None:
    ended = decode(
        frame('response.refusal.delta', **REFUSAL_AT, delta='I cannot '), item_done(REFUSAL, 0), completed()
    )[-1]

    assert isinstance(ended, ResponseEnded)
    assert ended.refusal == 'I cannot do that.'


def test_refusal_that_comes_in_one_piece() -> None:
    ended = decode(frame('response.refusal.done', **REFUSAL_AT, refusal='I cannot do that.'), completed())[-1]

    assert isinstance(ended, ResponseEnded)
    assert ended.refusal == 'I cannot do that.'


def test_empty_pieces_are_no_events() -> None:
    at = {'item_id': 'x', 'output_index': 0}

    assert (
        decode(
            frame('response.output_text.delta', **at, content_index=0, delta=''),
            frame('response.reasoning_summary_text.delta', **at, summary_index=0, delta=''),
            frame('response.function_call_arguments.delta', **at, delta=''),
            completed(),
        )[:-1]
        == []
    )


Path = tuple[str | int, ...]
HOSTILE: list[object] = [None, True, -1, 7, 1.5, '', 'x', [], [None, 1], {}, {'id': {}}]


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        entries = cast('dict[str | int, object]', value).items()
    elif isinstance(value, list):
        entries = enumerate(cast('list[object]', value))
    else:
        return
    for key, inner in entries:
        yield from paths(inner, (*path, key))


def replaced(value: Frame, path: Path, new: object) -> Frame:
    changed: Any = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return changed


FUZZED: list[Frame] = [
    *STREAM[:-1],
    frame('response.refusal.delta', **REFUSAL_AT, delta='I cannot '),
    item_done(REFUSAL, 4),
    ENDED_WITH_OUTPUT,
]
TERMINAL: list[Frame] = [
    frame('response.incomplete', response={**RESPONSE, 'incomplete_details': {'reason': 'content_filter'}}),
    frame('response.failed', response={**RESPONSE, 'error': {'code': 'server_error', 'message': 'x'}}),
    frame('error', status=429, error={'type': 'usage_limit_reached', 'resets_in_seconds': 5, 'message': 'x'}),
    frame('error', code='server_error', message='x', status_code=500),
]


@pytest.mark.parametrize('number', range(len(FUZZED)))
def test_wrong_type_in_any_field_is_at_most_an_error_of_ours(number: int) -> None:
    for path in paths(FUZZED[number]):
        for new in HOSTILE:
            changed = replaced(FUZZED[number], path, new)
            try:
                events = decode(*FUZZED[:number], changed, *FUZZED[number + 1 :])
            except CodexError:
                continue
            assert isinstance(events[-1], ResponseEnded), (path, new)


@pytest.mark.parametrize('terminal', TERMINAL, ids=lambda each: each['type'])
def test_wrong_type_in_any_field_of_a_terminal_event_is_at_most_an_error_of_ours(terminal: Frame) -> None:
    for path in paths(terminal):
        for new in HOSTILE:
            try:
                events = decode(replaced(terminal, path, new))
            except CodexError:
                continue
            assert isinstance(events[-1], ResponseEnded), (path, new)


def test_huge_number_that_is_not_read_does_no_harm() -> None:
    created = frame('response.created', response={**RESPONSE, 'created_at': 10**400})

    assert whole(decode(created, *STREAM[1:])) == WHOLE


@pytest.mark.parametrize('field', ['resets_in_seconds', 'resets_at'])
def test_huge_number_in_an_error_tells_no_time(field: str) -> None:
    with pytest.raises(BackendError, match='Used up') as caught:
        decode(frame('error', error={'type': 'usage_limit_reached', 'message': 'Used up.', field: 10**400}))

    assert (caught.value.category, caught.value.retry_after, caught.value.resets_at) == ('quota', None, None)


def test_huge_number_as_a_count_is_that_number() -> None:
    ended = decode(completed(usage={**USAGE, 'input_tokens': 10**400}))[-1]

    assert isinstance(ended, ResponseEnded)
    assert ended.usage == Usage(10**400, 34, 1024, 12)


def test_two_items_at_one_position_are_two() -> None:
    events = decode(
        frame('response.output_item.done', output_index=0, item=call_item('fc_a', 'call_1')),
        frame('response.output_item.done', output_index=0, item=call_item('fc_b', 'call_2')),
        frame('response.completed', response={}),
    )

    assert [event.call_id for event in events if isinstance(event, ToolCallStarted)] == ['call_1', 'call_2']


def test_a_snapshot_that_leaves_items_out_doubles_nothing() -> None:
    events = decode(
        frame('response.output_item.done', output_index=0, item={'type': 'reasoning', 'id': 'rs_1', 'summary': []}),
        frame('response.output_item.done', output_index=1, item=message_item('msg_1', 'hello')),
        frame('response.output_item.done', output_index=2, item=call_item('fc_a', 'call_1')),
        frame(
            'response.completed',
            response={'output': [message_item('msg_other', 'hello'), call_item('fc_other', 'call_1')]},
        ),
    )

    assert ''.join(event.text for event in events if isinstance(event, TextDelta)) == 'hello'
    assert [event.call_id for event in events if isinstance(event, ToolCallStarted)] == ['call_1']


def test_half_a_character_at_the_end_is_replaced() -> None:
    half = '\ud83d'
    events = decode(
        frame('response.output_text.delta', item_id='msg_1', output_index=0, delta=f'abc{half}'),
        frame('response.output_text.done', item_id='msg_1', output_index=0, text=f'abc{half}'),
        frame('response.incomplete', response={'id': f'resp_{half}'}),
    )

    assert ''.join(event.text for event in events if isinstance(event, TextDelta)) == 'abc\ufffd'
    assert events[-1] == ResponseEnded('incomplete', None, 'resp_\ufffd', None, None)


def test_a_character_of_a_refusal_that_is_cut_in_two_is_whole() -> None:
    events = decode(
        frame('response.refusal.delta', item_id='msg_1', output_index=0, delta='No \ud83d'),
        frame('response.refusal.delta', item_id='msg_1', output_index=0, delta='\ude00'),
        frame('response.completed', response={}),
    )

    assert events[-1] == ResponseEnded('completed', None, None, None, None, 'No \U0001f600')


def test_placeholder_arguments_at_the_start_are_no_arguments() -> None:
    item = {'type': 'function_call', 'id': 'fc_1', 'call_id': 'call_1', 'name': 'look', 'arguments': '{}'}
    events = decode(
        frame('response.output_item.added', output_index=0, item=item),
        frame('response.function_call_arguments.delta', item_id='fc_1', output_index=0, delta='{"x":1}'),
        frame('response.output_item.done', output_index=0, item=item | {'arguments': '{"x":1}'}),
        frame('response.completed', response={}),
    )

    assert ''.join(event.arguments for event in events if isinstance(event, ToolCallDelta)) == '{"x":1}'


def call_item(item_id: str, call_id: str) -> dict[str, Any]:
    return {'type': 'function_call', 'id': item_id, 'call_id': call_id, 'name': 'look', 'arguments': '{}'}


def message_item(item_id: str, text: str) -> dict[str, Any]:
    content = [{'type': 'output_text', 'text': text}]
    return {'type': 'message', 'id': item_id, 'role': 'assistant', 'content': content}
