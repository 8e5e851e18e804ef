"""Items that the backend makes by itself, and those that nobody knows yet."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from inline_snapshot import snapshot

from .frames import (
    OMIT,
    added,
    completed,
    created,
    done,
    frame,
    image,
    message,
    partial_image,
    search,
    stream,
    text,
)

HELLO = message('Hello')
QUERY = {'type': 'search', 'query': 'weather', 'queries': ['weather']}
SOURCES = [{'type': 'url', 'url': 'https://example.org'}]

SEARCHES = [
    stream(
        'a web search with its sources',
        added(search(status='in_progress')),
        frame('response.web_search_call.in_progress', item_id='ws_1', output_index=0),
        frame('response.web_search_call.searching', item_id='ws_1', output_index=0),
        frame('response.web_search_call.completed', item_id='ws_1', output_index=0),
        done(search({**QUERY, 'sources': SOURCES})),
        done(HELLO, 1),
        completed(output=[search({**QUERY, 'sources': SOURCES}), HELLO]),
        comes_out=snapshot(
            [
                ('native call', 'ws_1', 'web_search', {'type': 'search', 'query': 'weather', 'queries': ['weather']}),
                (
                    'native return',
                    'ws_1',
                    'web_search',
                    {'status': 'completed', 'sources': [{'type': 'url', 'url': 'https://example.org'}]},
                ),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=['example.org', 'Hello'],
    ),
    stream(
        'a web search that failed',
        added(search(status='in_progress')),
        done(search(status='failed')),
        completed(),
        comes_out=snapshot(
            [('native call', 'ws_1', 'web_search', None), ('native return', 'ws_1', 'web_search', {'status': 'failed'})]
        ),
        once=['failed'],
    ),
    stream(
        'a web search only in the snapshot',
        completed(output=[search(QUERY)]),
        comes_out=snapshot(
            [
                ('native call', 'ws_1', 'web_search', {'type': 'search', 'query': 'weather', 'queries': ['weather']}),
                ('native return', 'ws_1', 'web_search', {'status': 'completed'}),
            ]
        ),
    ),
    stream(
        'a web search that is never finished, before a message',
        added(search(status='in_progress')),
        added(message(content=[]), 1),
        text('Hello', index=1),
        done(HELLO, 1),
        completed(),
        comes_out=snapshot([('native call', 'ws_1', 'web_search', None), ('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a web search that is added twice, and after it was finished',
        added(search(status='in_progress')),
        added(search(status='in_progress')),
        done(search(QUERY)),
        added(search(status='in_progress')),
        done(HELLO, 1),
        added(search(status='in_progress')),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ws_1', 'web_search', {'type': 'search', 'query': 'weather', 'queries': ['weather']}),
                ('native return', 'ws_1', 'web_search', {'status': 'completed'}),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=["'query': 'weather'", 'Hello'],
    ),
    stream(
        'two web searches without ids, interleaved',
        added(search(item_id=OMIT)),
        added(search(item_id=OMIT), 1),
        done(search({'type': 'open_page', 'url': 'https://two.example'}, item_id=OMIT), 1),
        done(search({'type': 'open_page', 'url': 'https://one.example'}, item_id=OMIT)),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'item/0', 'web_search', {'type': 'open_page', 'url': 'https://one.example'}),
                ('native return', 'item/0', 'web_search', {'status': 'completed'}),
                ('native call', 'item/1', 'web_search', {'type': 'open_page', 'url': 'https://two.example'}),
                ('native return', 'item/1', 'web_search', {'status': 'completed'}),
            ]
        ),
        once=['one.example', 'two.example'],
    ),
    stream(
        'two web searches at one position, without ids, each twice',
        *(done(search({'type': 'open_page', 'url': 'https://one.example'}, item_id=OMIT)) for _ in range(2)),
        *(done(search({'type': 'open_page', 'url': 'https://two.example'}, item_id=OMIT)) for _ in range(2)),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'item/0', 'web_search', {'type': 'open_page', 'url': 'https://one.example'}),
                ('native return', 'item/0', 'web_search', {'status': 'completed'}),
                ('native call', 'item/1', 'web_search', {'type': 'open_page', 'url': 'https://two.example'}),
                ('native return', 'item/1', 'web_search', {'status': 'completed'}),
            ]
        ),
        once=['one.example', 'two.example'],
    ),
    stream(
        'fields of a web search of the wrong type',
        done({'type': 'web_search_call', 'id': 'ws_1', 'status': 7, 'action': 'search'}),
        done({'type': 'web_search_call', 'id': 'ws_2', 'action': {'type': [], 'sources': 7}}, 1),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ws_1', 'web_search', None),
                ('native return', 'ws_1', 'web_search', {'status': 7}),
                ('native call', 'ws_2', 'web_search', {'type': []}),
                ('native return', 'ws_2', 'web_search', {'status': None, 'sources': 7}),
            ]
        ),
    ),
]

DRAFT, SKETCH, FINAL = (b64encode(each).decode() for each in (b'draft', b'sketch', b'final'))

IMAGES = [
    stream(
        'an image with partial ones before it',
        added(image(status='in_progress')),
        partial_image(DRAFT),
        partial_image(SKETCH),
        done(image(FINAL, status='generating', size='1024x1024', revised_prompt='A cat.')),
        done(HELLO, 1),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('file', 'ig_1', 'image/png', b'final'),
                (
                    'native return',
                    'ig_1',
                    'image_generation',
                    {'status': 'completed', 'size': '1024x1024', 'revised_prompt': 'A cat.'},
                ),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=['final', 'A cat.', 'Hello'],
    ),
    stream(
        'only the final image, in another format',
        done(image(FINAL, output_format='webp')),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('file', 'ig_1', 'image/webp', b'final'),
                ('native return', 'ig_1', 'image_generation', {'status': 'completed'}),
            ]
        ),
        once=['final', 'webp'],
    ),
    stream(
        'an image only in the snapshot',
        completed(output=[image(FINAL)]),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('file', 'ig_1', 'image/png', b'final'),
                ('native return', 'ig_1', 'image_generation', {'status': 'completed'}),
            ]
        ),
        once=['final'],
    ),
    stream(
        'an image that failed',
        added(image(status='in_progress')),
        done(image(None, status='failed')),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('native return', 'ig_1', 'image_generation', {'status': 'failed'}),
            ]
        ),
        once=['failed'],
    ),
    stream(
        'a partial image and no final one',
        partial_image(DRAFT),
        done(HELLO, 1),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('file', 'ig_1', 'image/png', b'draft'),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=['draft', 'Hello'],
    ),
    stream(
        'partial images of the wrong type, and one that is no base64',
        added(image()),
        *map(partial_image, [None, 7, '', ['x'], OMIT, 'no base64!', 'é']),
        done(image(FINAL)),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('file', 'ig_1', 'image/png', b'final'),
                ('native return', 'ig_1', 'image_generation', {'status': 'completed'}),
            ]
        ),
        once=['final'],
    ),
    stream(
        'partial images after the final one',
        done(image(FINAL)),
        partial_image(DRAFT),
        done(HELLO, 1),
        partial_image(DRAFT),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('file', 'ig_1', 'image/png', b'final'),
                ('native return', 'ig_1', 'image_generation', {'status': 'completed'}),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=['final', 'Hello'],
    ),
    stream(
        'an image that is no base64',
        done(image('no base64!')),
        completed(),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelAPIError',
                    "The image of the item 'ig_1' is no base64 (Only base64 data is allowed). Send the request ...",
                )
            ]
        ),
    ),
    stream(
        'fields of an image of the wrong type',
        done(image(7, output_format=7, size={}, revised_prompt=None)),
        done(image(FINAL, item_id='ig_2', output_format=[]), 1),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'ig_1', 'image_generation', None),
                ('native return', 'ig_1', 'image_generation', {'size': {}}),
                ('native call', 'ig_2', 'image_generation', None),
                ('file', 'ig_2', 'image/png', b'final'),
                ('native return', 'ig_2', 'image_generation', {'status': 'completed'}),
            ]
        ),
        once=['final'],
    ),
]

UNKNOWN = {'type': 'not_yet_invented_call', 'id': 'nyi_1', 'secret': 'kept', 'deep': [{'a': [1]}]}
MANGLED: list[Any] = [None, 7, 'x', [], [HELLO], {}]

OTHERS = [
    stream(
        'a compaction',
        done({'type': 'compaction', 'id': 'cmp_1', 'encrypted_content': 'sealed'}),
        completed(output=[{'type': 'compaction', 'id': 'cmp_1', 'encrypted_content': 'sealed'}]),
        comes_out=snapshot(
            [('compaction', 'cmp_1', {'type': 'compaction', 'id': 'cmp_1', 'encrypted_content': 'sealed'})]
        ),
        once=['sealed'],
    ),
    stream(
        'an item of an unknown type',
        added(UNKNOWN),
        frame('response.not_yet_invented_call.delta', item_id='nyi_1', output_index=0, delta='x'),
        done(UNKNOWN),
        done(HELLO, 1),
        completed(output=[UNKNOWN, HELLO]),
        comes_out=snapshot(
            [
                (
                    'native call',
                    'nyi_1',
                    'not_yet_invented',
                    None,
                    {'item': {'type': 'not_yet_invented_call', 'id': 'nyi_1', 'secret': 'kept', 'deep': [{'a': [1]}]}},
                ),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=['kept', 'Hello'],
    ),
    stream(
        'two items of an unknown type without ids',
        done({'type': 'not_yet_invented', 'n': 'first'}),
        done({'type': 'not_yet_invented', 'n': 'second'}, 1),
        completed(output=[{'type': 'not_yet_invented', 'n': 'first'}, {'type': 'not_yet_invented', 'n': 'second'}]),
        comes_out=snapshot(
            [
                (
                    'native call',
                    'item/0',
                    'not_yet_invented',
                    None,
                    {'item': {'type': 'not_yet_invented', 'n': 'first'}},
                ),
                (
                    'native call',
                    'item/1',
                    'not_yet_invented',
                    None,
                    {'item': {'type': 'not_yet_invented', 'n': 'second'}},
                ),
            ]
        ),
        once=['first', 'second'],
    ),
    stream(
        'items whose type is missing or none',
        done({'id': 'x_1', 'n': 'first'}),
        done({'id': 'x_2', 'type': 7, 'n': 'second'}, 1),
        done({'id': 'x_3', 'type': ['message'], 'n': 'third'}, 2),
        done({'id': 'x_4', 'type': '', 'n': 'fourth'}, 3),
        completed(),
        comes_out=snapshot(
            [
                ('native call', 'x_1', 'unknown', None, {'item': {'id': 'x_1', 'n': 'first'}}),
                ('native call', 'x_2', 'unknown', None, {'item': {'id': 'x_2', 'type': 7, 'n': 'second'}}),
                ('native call', 'x_3', 'unknown', None, {'item': {'id': 'x_3', 'type': ['message'], 'n': 'third'}}),
                ('native call', 'x_4', 'unknown', None, {'item': {'id': 'x_4', 'type': '', 'n': 'fourth'}}),
            ]
        ),
        once=['first', 'second', 'third', 'fourth'],
    ),
    stream(
        'items that are no objects',
        *map(added, MANGLED),
        *map(done, MANGLED[:-1]),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'events that nobody reads',
        created(),
        frame('response.queued', response={'id': 'resp_1'}),
        frame('keepalive', sequence_number=3),
        frame('codex.rate_limits', plan_type='plus', rate_limits={'primary': {'used_percent': 42}}),
        frame('response.metadata', headers={'openai-model': 'gpt-x'}, metadata={}),
        added(message(content=[])),
        frame('response.content_part.added', item_id='msg_1', output_index=0, content_index=0, part={}),
        text('Hello'),
        frame('response.not_yet_invented', text='x'),
        frame('response.content_part.done', item_id='msg_1', output_index=0, content_index=0, part={}),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
]

STREAMS = [*SEARCHES, *IMAGES, *OTHERS]
