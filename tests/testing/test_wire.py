"""The frames of a turn. Reaches inside, as `frames` is pure and no frame shows better elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.testing import TokenUsage, Turn, call, fail_in_stream, reply, say, sse_frame, think, turn
from pydantic_ai_codex.testing._wire import ResponseFacts, frames

FACTS = ResponseFacts(
    seed='1', model='gpt-5.5', account_id='acct', now=datetime(2026, 1, 1, tzinfo=UTC), request_bytes=400
)


def events(answer: Turn, facts: ResponseFacts = FACTS) -> list[dict[str, Any]]:
    texts = [frame.decode() for frame in frames(answer, facts)]
    made = [json.loads(text.split('\ndata: ')[1]) for text in texts]
    assert [text.split('\n')[0] for text in texts] == [f'event: {event["type"]}' for event in made]
    assert all(text.endswith('\n\n') for text in texts)
    assert [event['sequence_number'] for event in made] == list(range(len(made)))
    return made


def outline(answer: Turn) -> list[tuple[str, Any]]:
    """Each event, with what it says."""
    keys = ('delta', 'text', 'arguments', 'item', 'part', 'response')
    rows: list[tuple[str, Any]] = []
    for event in events(answer):
        value: Any = next(event[key] for key in keys if key in event)
        if not isinstance(value, str):
            value = value.get('status') or value.get('text') or value.get('type')
        rows.append((event['type'].removeprefix('response.'), value))
    return rows


def test_message() -> None:
    assert outline(reply('Hello from  Paris.\n')) == snapshot(
        [
            ('created', 'in_progress'),
            ('in_progress', 'in_progress'),
            ('output_item.added', 'in_progress'),
            ('content_part.added', 'output_text'),
            ('output_text.delta', 'Hello '),
            ('output_text.delta', 'from  '),
            ('output_text.delta', 'Paris.\n'),
            ('output_text.done', 'Hello from  Paris.\n'),
            ('content_part.done', 'Hello from  Paris.\n'),
            ('output_item.done', 'completed'),
            ('completed', 'completed'),
        ]
    )


def test_reasoning_and_call() -> None:
    assert outline(turn(think(['Look.', 'Then say.']), call('weather', city='Île-de-France'))) == snapshot(
        [
            ('created', 'in_progress'),
            ('in_progress', 'in_progress'),
            ('output_item.added', 'reasoning'),
            ('reasoning_summary_part.added', 'summary_text'),
            ('reasoning_summary_text.delta', 'Look.'),
            ('reasoning_summary_text.done', 'Look.'),
            ('reasoning_summary_part.done', 'Look.'),
            ('reasoning_summary_part.added', 'summary_text'),
            ('reasoning_summary_text.delta', 'Then '),
            ('reasoning_summary_text.delta', 'say.'),
            ('reasoning_summary_text.done', 'Then say.'),
            ('reasoning_summary_part.done', 'Then say.'),
            ('output_item.done', 'reasoning'),
            ('output_item.added', 'in_progress'),
            ('function_call_arguments.delta', '{"city": "Île-de'),
            ('function_call_arguments.delta', '-France"}'),
            ('function_call_arguments.done', '{"city": "Île-de-France"}'),
            ('output_item.done', 'completed'),
            ('completed', 'completed'),
        ]
    )


def test_items_of_record() -> None:
    done = [
        event['item']
        for event in events(turn(think('Look.'), say('Hm.', phase='commentary'), call('f', 'not JSON')))
        if event['type'] == 'response.output_item.done'
    ]
    assert done == snapshot(
        [
            {
                'id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'type': 'reasoning',
                'summary': [{'type': 'summary_text', 'text': 'Look.'}],
                'encrypted_content': 'gAAAAABeyJhY2NvdW50IjogImFjY3QiLCAiaXRlbSI6ICJyc183NTlmN2JmOTI4ZTIxYzUyMmZiNzJjZjg0ODZlZWI2NmEwOWY1NGEzIiwgImNoZWNrIjogIjU1ZDUyMzJhNWZjODI4NGQ3NTA0NWVmMCJ9',
            },
            {
                'id': 'msg_ae8ea06951c173935eb844e3a921ac0424bd2590',
                'type': 'message',
                'role': 'assistant',
                'phase': 'commentary',
                'status': 'completed',
                'content': [{'type': 'output_text', 'text': 'Hm.', 'annotations': [], 'logprobs': []}],
            },
            {
                'id': 'fc_751797dcbd3b71259a419ce115989e854585fe94',
                'type': 'function_call',
                'name': 'f',
                'call_id': 'call_07f4f697830553f9846c4e9c',
                'status': 'completed',
                'arguments': 'not JSON',
            },
        ]
    )


def test_deltas_name_their_place() -> None:
    deltas = [
        {key: value for key, value in event.items() if key != 'item_id'}
        for event in events(turn(think('Look.'), say('Hi'), call('f', '{}')))
        if 'delta' in event
    ]
    assert deltas == snapshot(
        [
            {
                'type': 'response.reasoning_summary_text.delta',
                'sequence_number': 4,
                'output_index': 0,
                'summary_index': 0,
                'delta': 'Look.',
                'obfuscation': '4b227777d4d',
            },
            {
                'type': 'response.output_text.delta',
                'sequence_number': 10,
                'output_index': 1,
                'content_index': 0,
                'delta': 'Hi',
                'obfuscation': '4a44dc15364204',
            },
            {
                'type': 'response.function_call_arguments.delta',
                'sequence_number': 15,
                'output_index': 2,
                'delta': '{}',
                'obfuscation': 'e629fa6598d732',
            },
        ]
    )


def test_terminal_responses() -> None:
    assert [
        events(answer)[-1]
        for answer in (
            turn(),
            turn(say('Hi'), ending='incomplete'),
            turn(usage=False),
            turn(usage=TokenUsage(input_tokens=1200, output_tokens=34, cached_tokens=1024, reasoning_tokens=12)),
            fail_in_stream('context_length_exceeded', 'Too long.'),
        )
    ] == snapshot(
        [
            {
                'type': 'response.completed',
                'sequence_number': 2,
                'response': {
                    'id': 'resp_58c1030475a056f02bcc5dcd6de01a6dad209e3e',
                    'object': 'response',
                    'created_at': 1767225600,
                    'status': 'completed',
                    'model': 'gpt-5.5',
                    'output': [],
                    'service_tier': 'default',
                    'usage': {
                        'input_tokens': 101,
                        'input_tokens_details': {'cached_tokens': 0},
                        'output_tokens': 0,
                        'output_tokens_details': {'reasoning_tokens': 0},
                        'total_tokens': 101,
                    },
                },
            },
            {
                'type': 'response.incomplete',
                'sequence_number': 8,
                'response': {
                    'id': 'resp_58c1030475a056f02bcc5dcd6de01a6dad209e3e',
                    'object': 'response',
                    'created_at': 1767225600,
                    'status': 'incomplete',
                    'model': 'gpt-5.5',
                    'output': [],
                    'service_tier': 'default',
                    'incomplete_details': {'reason': 'max_output_tokens'},
                    'usage': {
                        'input_tokens': 101,
                        'input_tokens_details': {'cached_tokens': 0},
                        'output_tokens': 1,
                        'output_tokens_details': {'reasoning_tokens': 0},
                        'total_tokens': 102,
                    },
                },
            },
            {
                'type': 'response.completed',
                'sequence_number': 2,
                'response': {
                    'id': 'resp_58c1030475a056f02bcc5dcd6de01a6dad209e3e',
                    'object': 'response',
                    'created_at': 1767225600,
                    'status': 'completed',
                    'model': 'gpt-5.5',
                    'output': [],
                    'service_tier': 'default',
                },
            },
            {
                'type': 'response.completed',
                'sequence_number': 2,
                'response': {
                    'id': 'resp_58c1030475a056f02bcc5dcd6de01a6dad209e3e',
                    'object': 'response',
                    'created_at': 1767225600,
                    'status': 'completed',
                    'model': 'gpt-5.5',
                    'output': [],
                    'service_tier': 'default',
                    'usage': {
                        'input_tokens': 1200,
                        'input_tokens_details': {'cached_tokens': 1024},
                        'output_tokens': 34,
                        'output_tokens_details': {'reasoning_tokens': 12},
                        'total_tokens': 1234,
                    },
                },
            },
            {
                'type': 'response.failed',
                'sequence_number': 2,
                'response': {
                    'id': 'resp_58c1030475a056f02bcc5dcd6de01a6dad209e3e',
                    'object': 'response',
                    'created_at': 1767225600,
                    'status': 'failed',
                    'model': 'gpt-5.5',
                    'output': [],
                    'service_tier': 'default',
                    'error': {'code': 'context_length_exceeded', 'message': 'Too long.'},
                },
            },
        ]
    )


def test_ids_are_unique_and_the_same_in_every_run() -> None:
    answer = turn(think('a'), call('f'), call('f'))
    ids = [
        value
        for number in (1, 2)
        for event in events(answer, ResponseFacts(seed=str(number), model='m', account_id='a', now=FACTS.now))
        if event['type'] == 'response.output_item.done'
        for value in (event['item']['id'], event['item'].get('call_id'))
        if value
    ]
    assert len(set(ids)) == 2 * 5
    assert events(answer) == events(answer)


@pytest.mark.parametrize('text', ['', ' ', 'a', ' a', 'a \n b ', 'Ünïcode 🙂 text'])
def test_deltas_make_the_text(text: str) -> None:
    deltas = [event['delta'] for event in events(reply(text)) if event['type'] == 'response.output_text.delta']
    assert ''.join(deltas) == text


def test_reasoning_is_sealed_only_when_included() -> None:
    facts = ResponseFacts(seed='1', model='m', account_id='a', now=FACTS.now, encrypts=False)
    items = [event['item'] for event in events(turn(think()), facts) if 'item' in event]
    items += [event['item'] for event in events(turn(think(encrypted=False))) if 'item' in event]
    assert [set(item) for item in items] == [{'id', 'type', 'summary'}] * 4


def test_sse_frame() -> None:
    assert (
        sse_frame({'type': 'response.new', 'x': 'é'})
        == 'event: response.new\ndata: {"type":"response.new","x":"é"}\n\n'.encode()
    )


def test_half_a_surrogate_pair_is_sent_as_a_question_mark() -> None:
    assert sse_frame({'type': 'response.new', 'x': 'a\ud800'}).endswith(b'"x":"a?"}\n\n')
