"""The frames of each kind of item. Reaches inside, as `item_events` is pure and no frame shows better elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.testing import (
    Item,
    call,
    compaction,
    custom_call,
    image,
    output_item,
    refuse,
    say,
    shell_call,
    think,
    turn,
    web_search,
)
from pydantic_ai_codex.testing._wire import derived_usage, frames
from pydantic_ai_codex.testing._wire_facts import ResponseFacts
from pydantic_ai_codex.testing._wire_items import item_events

Json = dict[str, Any]
FACTS = ResponseFacts(seed='1', model='gpt-5.5', account_id='acct', now=datetime(2026, 1, 1, tzinfo=UTC))
CITATION = {'type': 'url_citation', 'url': 'https://host', 'title': 'Host', 'start_index': 0, 'end_index': 5}

EVERY_ITEM = (
    think('Hm.', raw='Hm, hm.'),
    say('Hello.', annotations=[CITATION]),
    refuse('No.'),
    call('f'),
    custom_call('exec', 'ls'),
    shell_call(['ls']),
    web_search('x'),
    image(b'img'),
    compaction(),
    output_item({'type': 'hologram_call', 'id': 'h_1'}),
)


def events(item: Item) -> list[Json]:
    """The events of an item, without what they all have."""
    return [
        {key: value for key, value in event.items() if key != 'output_index'} for event in item_events(item, 0, FACTS)
    ]


def test_annotations() -> None:
    assert events(say('Hello there.', annotations=[CITATION, {'type': 'file_path', 'file_id': 'f'}])) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {
                    'id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                    'type': 'message',
                    'role': 'assistant',
                    'status': 'in_progress',
                    'content': [],
                },
            },
            {
                'type': 'response.content_part.added',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'part': {'type': 'output_text', 'text': '', 'annotations': []},
            },
            {
                'type': 'response.output_text.delta',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'delta': 'Hello ',
            },
            {
                'type': 'response.output_text.delta',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'delta': 'there.',
            },
            {
                'type': 'response.output_text.annotation.added',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'annotation_index': 0,
                'annotation': {
                    'type': 'url_citation',
                    'url': 'https://host',
                    'title': 'Host',
                    'start_index': 0,
                    'end_index': 5,
                },
            },
            {
                'type': 'response.output_text.annotation.added',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'annotation_index': 1,
                'annotation': {'type': 'file_path', 'file_id': 'f'},
            },
            {
                'type': 'response.output_text.done',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'text': 'Hello there.',
            },
            {
                'type': 'response.content_part.done',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'part': {
                    'type': 'output_text',
                    'text': 'Hello there.',
                    'annotations': [
                        {
                            'type': 'url_citation',
                            'url': 'https://host',
                            'title': 'Host',
                            'start_index': 0,
                            'end_index': 5,
                        },
                        {'type': 'file_path', 'file_id': 'f'},
                    ],
                    'logprobs': [],
                },
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                    'type': 'message',
                    'role': 'assistant',
                    'status': 'completed',
                    'content': [
                        {
                            'type': 'output_text',
                            'text': 'Hello there.',
                            'annotations': [
                                {
                                    'type': 'url_citation',
                                    'url': 'https://host',
                                    'title': 'Host',
                                    'start_index': 0,
                                    'end_index': 5,
                                },
                                {'type': 'file_path', 'file_id': 'f'},
                            ],
                            'logprobs': [],
                        }
                    ],
                },
            },
        ]
    )


def test_refusal() -> None:
    assert events(refuse('I cannot.')) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {
                    'id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                    'type': 'message',
                    'role': 'assistant',
                    'status': 'in_progress',
                    'content': [],
                },
            },
            {
                'type': 'response.content_part.added',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'part': {'type': 'refusal', 'refusal': ''},
            },
            {
                'type': 'response.refusal.delta',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'delta': 'I ',
            },
            {
                'type': 'response.refusal.delta',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'delta': 'cannot.',
            },
            {
                'type': 'response.refusal.done',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'refusal': 'I cannot.',
            },
            {
                'type': 'response.content_part.done',
                'item_id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                'content_index': 0,
                'part': {'type': 'refusal', 'refusal': 'I cannot.'},
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'msg_b82606c3a744d658fb2bd4ba92608ea7267ba959',
                    'type': 'message',
                    'role': 'assistant',
                    'status': 'completed',
                    'content': [{'type': 'refusal', 'refusal': 'I cannot.'}],
                },
            },
        ]
    )


def test_raw_reasoning() -> None:
    assert events(think('Short.', raw=['First this.', 'Then that.'], encrypted=False)) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {'id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3', 'type': 'reasoning', 'summary': []},
            },
            {
                'type': 'response.reasoning_text.delta',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'content_index': 0,
                'delta': 'First ',
            },
            {
                'type': 'response.reasoning_text.delta',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'content_index': 0,
                'delta': 'this.',
            },
            {
                'type': 'response.reasoning_text.done',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'content_index': 0,
                'text': 'First this.',
            },
            {
                'type': 'response.reasoning_text.delta',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'content_index': 1,
                'delta': 'Then ',
            },
            {
                'type': 'response.reasoning_text.delta',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'content_index': 1,
                'delta': 'that.',
            },
            {
                'type': 'response.reasoning_text.done',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'content_index': 1,
                'text': 'Then that.',
            },
            {
                'type': 'response.reasoning_summary_part.added',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'summary_index': 0,
                'part': {'type': 'summary_text', 'text': ''},
            },
            {
                'type': 'response.reasoning_summary_text.delta',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'summary_index': 0,
                'delta': 'Short.',
            },
            {
                'type': 'response.reasoning_summary_text.done',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'summary_index': 0,
                'text': 'Short.',
            },
            {
                'type': 'response.reasoning_summary_part.done',
                'item_id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                'summary_index': 0,
                'part': {'type': 'summary_text', 'text': 'Short.'},
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'rs_759f7bf928e21c522fb72cf8486eeb66a09f54a3',
                    'type': 'reasoning',
                    'summary': [{'type': 'summary_text', 'text': 'Short.'}],
                    'content': [
                        {'type': 'reasoning_text', 'text': 'First this.'},
                        {'type': 'reasoning_text', 'text': 'Then that.'},
                    ],
                },
            },
        ]
    )


def test_namespace() -> None:
    assert events(call('f', x=1, call_id='call_1', namespace='n')) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {
                    'id': 'fc_ba2566f0fdf16852102b7fa337b3dabb654d7be8',
                    'type': 'function_call',
                    'name': 'f',
                    'call_id': 'call_1',
                    'namespace': 'n',
                    'status': 'in_progress',
                    'arguments': '',
                },
            },
            {
                'type': 'response.function_call_arguments.delta',
                'item_id': 'fc_ba2566f0fdf16852102b7fa337b3dabb654d7be8',
                'delta': '{"x": 1}',
            },
            {
                'type': 'response.function_call_arguments.done',
                'item_id': 'fc_ba2566f0fdf16852102b7fa337b3dabb654d7be8',
                'arguments': '{"x": 1}',
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'fc_ba2566f0fdf16852102b7fa337b3dabb654d7be8',
                    'type': 'function_call',
                    'name': 'f',
                    'call_id': 'call_1',
                    'namespace': 'n',
                    'status': 'completed',
                    'arguments': '{"x": 1}',
                },
            },
        ]
    )


def test_custom_call() -> None:
    assert events(custom_call('exec', 'console.log("Hello")', call_id='call_1')) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {
                    'id': 'ctc_0f401afae866da068e30f54b04010835a004433f',
                    'type': 'custom_tool_call',
                    'name': 'exec',
                    'call_id': 'call_1',
                    'status': 'in_progress',
                    'input': '',
                },
            },
            {
                'type': 'response.custom_tool_call_input.delta',
                'item_id': 'ctc_0f401afae866da068e30f54b04010835a004433f',
                'delta': 'console.log("Hel',
            },
            {
                'type': 'response.custom_tool_call_input.delta',
                'item_id': 'ctc_0f401afae866da068e30f54b04010835a004433f',
                'delta': 'lo")',
            },
            {
                'type': 'response.custom_tool_call_input.done',
                'item_id': 'ctc_0f401afae866da068e30f54b04010835a004433f',
                'input': 'console.log("Hello")',
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'ctc_0f401afae866da068e30f54b04010835a004433f',
                    'type': 'custom_tool_call',
                    'name': 'exec',
                    'call_id': 'call_1',
                    'status': 'completed',
                    'input': 'console.log("Hello")',
                },
            },
        ]
    )


def test_shell_call() -> None:
    assert events(shell_call(['ls', '-l'], call_id='call_1', timeout_ms=100, env={'A': 'b'})) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {
                    'id': 'lsh_941b2cf4f0ef47395be83a7c6cacd77bd1f63cf4',
                    'type': 'local_shell_call',
                    'call_id': 'call_1',
                    'action': {'type': 'exec', 'command': ['ls', '-l'], 'env': {'A': 'b'}, 'timeout_ms': 100},
                    'status': 'in_progress',
                },
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'lsh_941b2cf4f0ef47395be83a7c6cacd77bd1f63cf4',
                    'type': 'local_shell_call',
                    'call_id': 'call_1',
                    'action': {'type': 'exec', 'command': ['ls', '-l'], 'env': {'A': 'b'}, 'timeout_ms': 100},
                    'status': 'completed',
                },
            },
        ]
    )


def test_web_search() -> None:
    assert events(web_search('what is codex', sources=['https://host'])) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {
                    'id': 'ws_9262bec5def2f165139af5afa317b87d7a5abca0',
                    'type': 'web_search_call',
                    'status': 'in_progress',
                },
            },
            {'type': 'response.web_search_call.in_progress', 'item_id': 'ws_9262bec5def2f165139af5afa317b87d7a5abca0'},
            {'type': 'response.web_search_call.searching', 'item_id': 'ws_9262bec5def2f165139af5afa317b87d7a5abca0'},
            {'type': 'response.web_search_call.completed', 'item_id': 'ws_9262bec5def2f165139af5afa317b87d7a5abca0'},
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'ws_9262bec5def2f165139af5afa317b87d7a5abca0',
                    'type': 'web_search_call',
                    'status': 'completed',
                    'action': {
                        'type': 'search',
                        'query': 'what is codex',
                        'queries': ['what is codex'],
                        'sources': [{'type': 'url', 'url': 'https://host'}],
                    },
                },
            },
        ]
    )


def test_image() -> None:
    assert events(image(b'whole', partial=[b'half'], revised_prompt='A cat', output_format='webp')) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {
                    'id': 'ig_5fea734983b1f61dd80a816e8fa47047e3ff026b',
                    'type': 'image_generation_call',
                    'status': 'in_progress',
                },
            },
            {
                'type': 'response.image_generation_call.in_progress',
                'item_id': 'ig_5fea734983b1f61dd80a816e8fa47047e3ff026b',
            },
            {
                'type': 'response.image_generation_call.generating',
                'item_id': 'ig_5fea734983b1f61dd80a816e8fa47047e3ff026b',
            },
            {
                'type': 'response.image_generation_call.partial_image',
                'item_id': 'ig_5fea734983b1f61dd80a816e8fa47047e3ff026b',
                'partial_image_index': 0,
                'partial_image_b64': 'aGFsZg==',
                'output_format': 'webp',
                'size': '1024x1024',
                'quality': 'high',
                'background': 'opaque',
            },
            {
                'type': 'response.image_generation_call.completed',
                'item_id': 'ig_5fea734983b1f61dd80a816e8fa47047e3ff026b',
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'ig_5fea734983b1f61dd80a816e8fa47047e3ff026b',
                    'type': 'image_generation_call',
                    'status': 'completed',
                    'result': 'd2hvbGU=',
                    'revised_prompt': 'A cat',
                    'output_format': 'webp',
                    'size': '1024x1024',
                    'quality': 'high',
                    'background': 'opaque',
                },
            },
        ]
    )


def test_compaction() -> None:
    assert events(compaction()) == snapshot(
        [
            {
                'type': 'response.output_item.added',
                'item': {'id': 'cmp_7eec03d6b06a2e90233b6face3147d38d8533fd2', 'type': 'compaction'},
            },
            {
                'type': 'response.output_item.done',
                'item': {
                    'id': 'cmp_7eec03d6b06a2e90233b6face3147d38d8533fd2',
                    'type': 'compaction',
                    'encrypted_content': 'gAAAAABeyJhY2NvdW50IjogImFjY3QiLCAiaXRlbSI6ICJjbXBfN2VlYzAzZDZiMDZhMmU5MDIzM2I2ZmFjZTMxNDdkMzhkODUzM2ZkMiIsICJjaGVjayI6ICJmMDY4YzNmZDI5YzA1YWZhNGYzN2UxOGYifQ',
                },
            },
        ]
    )
    assert events(compaction(encrypted=False))[-1]['item'].keys() == {'id', 'type'}


def test_any_other_item() -> None:
    fields = {'type': 'hologram_call', 'id': 'h_1', 'beam': {'on': True}}

    assert events(output_item(fields)) == [
        {'type': 'response.output_item.added', 'item': fields},
        {'type': 'response.output_item.done', 'item': fields},
    ]


def test_made_up_ids_begin_as_those_of_the_backend() -> None:
    done = [
        event['item'] for index, item in enumerate(EVERY_ITEM) for event in list(item_events(item, index, FACTS))[-1:]
    ]

    assert [(item['type'], item['id'].partition('_')[0], item.get('call_id', '')[:5]) for item in done] == snapshot(
        [
            ('reasoning', 'rs', ''),
            ('message', 'msg', ''),
            ('message', 'msg', ''),
            ('function_call', 'fc', 'call_'),
            ('custom_tool_call', 'ctc', 'call_'),
            ('local_shell_call', 'lsh', 'call_'),
            ('web_search_call', 'ws', ''),
            ('image_generation_call', 'ig', ''),
            ('compaction', 'cmp', ''),
            ('hologram_call', 'h', ''),
        ]
    )
    assert len({item['id'] for item in done}) == len(done)


@pytest.mark.parametrize('item', EVERY_ITEM, ids=[type(item).__name__ for item in EVERY_ITEM])
def test_every_item_is_added_then_done_at_its_place(item: Item) -> None:
    made = [json.loads(frame.decode().split('\ndata: ')[1]) for frame in frames(turn(say('Hi'), item), FACTS)]
    ours = [event for event in made if event.get('output_index') == 1]

    assert ours[0]['type'] == 'response.output_item.added'
    assert ours[-1]['type'] == 'response.output_item.done'
    assert {event['item_id'] for event in ours[1:-1]} <= {ours[-1]['item']['id']}
    assert [event['sequence_number'] for event in made] == list(range(len(made)))


def test_every_item_costs_tokens() -> None:
    assert [derived_usage(turn(item), 0).output_tokens for item in EVERY_ITEM] == snapshot(
        [3, 2, 1, 1, 2, 1, 1, 1, 1, 10]
    )
    assert derived_usage(turn(think(raw='x' * 40)), 0).reasoning_tokens == 11
