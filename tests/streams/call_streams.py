"""Calls: of functions, of custom tools with a free text, and of the shell."""

from __future__ import annotations

from inline_snapshot import snapshot

from .frames import (
    OMIT,
    added,
    args,
    args_done,
    call,
    completed,
    custom,
    done,
    message,
    shell,
    stream,
    text,
    typed,
    typed_done,
)

PARIS = '{"city":"Paris"}'
ROME = '{"city":"Rome"}'
A, B = call(PARIS), call(ROME, item_id='fc_2', call_id='call_2')
A_BEGINS, B_BEGINS = call(), call(item_id='fc_2', call_id='call_2')
PATCH = 'say "hi"\n\tto \\ all: é 漢 😀'

FUNCTIONS = [
    stream(
        'arguments in deltas, in their done event, in the item and in the snapshot',
        added(A_BEGINS),
        args('{"city":'),
        args('"Paris"}'),
        args_done(PARIS),
        done(A),
        completed(output=[A]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'arguments only in their done event',
        added(A_BEGINS),
        args_done(PARIS),
        done(A_BEGINS),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'arguments only in the finished item',
        added(A_BEGINS),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'arguments only in the snapshot',
        added(A_BEGINS),
        completed(output=[A]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a call only in the snapshot',
        completed(output=[A]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a call twice in the snapshot, and nowhere else',
        completed(output=[A, A]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a call only in its done frame',
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a call of which all pieces came and no end',
        added(A_BEGINS),
        args('{"city":'),
        args('"Paris"}'),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a placeholder for the arguments at the start',
        added(call('{}')),
        args('{"city":'),
        args('"Paris"}'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'what looks like the placeholder is the arguments',
        added(call('{}')),
        args_done('{}'),
        done(call('{}')),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{}')]),
    ),
    stream(
        'no arguments at all',
        added(call()),
        args(''),
        args_done(''),
        done(call('')),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', None)]),
    ),
    stream(
        'all arguments stand there at the start',
        added(A),
        args_done(PARIS),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'all arguments stand there at the start and come in deltas once more',
        added(A),
        args('{"city":'),
        args('"Paris"}'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'each delta of the arguments twice',
        added(A_BEGINS),
        args('{"city":'),
        args('{"city":'),
        args('"Paris"}'),
        args('"Paris"}'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a delta of the arguments is missing',
        added(A_BEGINS),
        args('{"city":'),
        args('"}'),
        args_done(PARIS),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'the last delta of the arguments is missing',
        added(A_BEGINS),
        args('{"city":"Pa'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'the done event contradicts the deltas of the arguments',
        added(A_BEGINS),
        args(ROME),
        args_done(PARIS),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'the item contradicts the done event of its arguments',
        added(A_BEGINS),
        args(ROME),
        args_done(ROME),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'the snapshot contradicts the finished call',
        done(A),
        completed(output=[call(ROME)]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'two done frames of one call contradict each other',
        done(A),
        done(call(ROME)),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'everything twice',
        *(frame for frame in (added(A_BEGINS), args_done(PARIS), done(A)) for _ in range(2)),
        completed(output=[A, A]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a finished call twice, without an id',
        *(done(call(PARIS, item_id=OMIT)) for _ in range(2)),
        completed(output=[call(PARIS, item_id=OMIT)]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a finished call twice, under two ids and at two positions',
        done(A),
        done(call(PARIS, item_id='fc_x'), 1),
        args_done(PARIS, 'fc_x', 1),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a call that is added twice, without an id and then under another',
        *(added(call(item_id=OMIT)) for _ in range(2)),
        added(call(item_id='fc_x'), 1),
        args('{"city":', OMIT),
        args('"Paris"}', OMIT),
        done(call(PARIS, item_id=OMIT)),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'pieces after their call was finished, without an id',
        done(call(PARIS, item_id=OMIT)),
        args(PARIS, OMIT),
        args_done(PARIS, OMIT),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'two calls at one position, with the same arguments and no ids',
        done(call(PARIS, item_id=OMIT)),
        done(call(PARIS, item_id=OMIT, call_id='call_2')),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Paris"}')]
        ),
        once=["'call_1'", "'call_2'"],
    ),
    stream(
        'arguments only in the snapshot, after an empty record and another call',
        added(A_BEGINS),
        done(A_BEGINS),
        done(B, 1),
        completed(output=[A, A, B]),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'the rest of the arguments only in the snapshot, after an empty record and another call',
        added(A_BEGINS),
        args('{"city":'),
        done(A_BEGINS),
        done(B, 1),
        completed(output=[A, B]),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'calls in the snapshot that are others, and one that has no call id',
        added(call(item_id='fc_x', call_id=OMIT)),
        done(B, 1),
        completed(output=[call(PARIS, 'fc_y', call_id=OMIT), call(ROME, 'fc_z', 'call_3')]),
        comes_out=snapshot(
            [
                ('call', 'fc_x', 'look', '{"city":"Paris"}'),
                ('call', 'call_2', 'look', '{"city":"Rome"}'),
                ('call', 'call_3', 'look', '{"city":"Rome"}'),
            ]
        ),
        once=['Paris', "'call_2'", "'call_3'"],
    ),
    stream(
        'a call without a call id in the snapshot, which is one that has one',
        added(A_BEGINS),
        completed(output=[call(PARIS, 'fc_x', call_id=OMIT)]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'the name comes late',
        added(call(name=OMIT)),
        args('{"city":'),
        args('"Paris"}'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'the name never comes',
        added(call(name=OMIT)),
        args(PARIS),
        done(call(PARIS, name=None)),
        completed(),
        comes_out=snapshot(
            [
                (
                    'native call',
                    'fc_1',
                    'function',
                    None,
                    {
                        'item': {
                            'type': 'function_call',
                            'id': 'fc_1',
                            'call_id': 'call_1',
                            'name': None,
                            'arguments': '{"city":"Paris"}',
                        }
                    },
                )
            ]
        ),
        once=['Paris'],
    ),
    stream(
        'the call id comes late',
        added(call(call_id=OMIT)),
        args('{"city":'),
        args('"Paris"}'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris', "'call_1'"],
    ),
    stream(
        'the call id never comes',
        added(call(call_id='')),
        args(PARIS),
        done(call(PARIS, call_id=None)),
        completed(),
        comes_out=snapshot([('call', 'fc_1', 'look', '{"city":"Paris"}')]),
        once=['Paris', "'fc_1'"],
    ),
    stream(
        'a call in a namespace',
        added(call(namespace='maps')),
        done(call(PARIS, namespace='maps')),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}', {'namespace': 'maps'})]),
        once=['Paris', 'maps'],
    ),
    stream(
        'arguments that are no JSON stay as they are',
        added(A_BEGINS),
        args('{"city": Par'),
        done(call('{"city": Paris')),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city": Paris')]),
        once=['Paris'],
    ),
    stream(
        'pieces of arguments of the wrong type',
        added(A_BEGINS),
        *map(args, [None, 1, {'delta': 'Rome'}, ['Rome'], OMIT]),
        args_done({'city': 'Rome'}),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'a character of the arguments that is cut in two deltas',
        added(A_BEGINS),
        args('{"city":"Paris \ud83d'),
        args('\ude00"}'),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris 😀"}')]),
        once=['Paris 😀'],
    ),
]

NAMELESS = [
    stream(
        'the id of the item changes with each event',
        added(call(item_id='fc_a')),
        args('{"city":', item_id='fc_b'),
        args('"Paris"}', item_id='fc_c'),
        args_done(PARIS, item_id='fc_d'),
        done(call(PARIS, item_id='fc_e')),
        completed(output=[call(PARIS, item_id='fc_f')]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'the id of the item changes, and there is no position',
        added(call(item_id='fc_a'), OMIT),
        done(call(PARIS, item_id='fc_b'), OMIT),
        completed(output=[call(PARIS, item_id='fc_c')]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'no ids of items',
        added(call(item_id=OMIT)),
        args('{"city":', item_id=OMIT),
        args('"Paris"}', item_id=None),
        done(call(PARIS, item_id='')),
        completed(output=[call(PARIS, item_id=OMIT)]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'no positions',
        added(A_BEGINS, OMIT),
        added(B_BEGINS, OMIT),
        args(ROME, 'fc_2', OMIT),
        args(PARIS, 'fc_1', OMIT),
        done(B, None),
        done(A, 'first'),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'neither ids nor positions',
        added(call(item_id=OMIT), OMIT),
        args('{"city":', OMIT, OMIT),
        args('"Paris"}', OMIT, OMIT),
        done(call(PARIS, item_id=OMIT), OMIT),
        added(call(item_id=OMIT, call_id='call_2'), OMIT),
        args(ROME, OMIT, OMIT),
        done(call(ROME, item_id=OMIT, call_id='call_2'), OMIT),
        completed(output=[call(PARIS, item_id=OMIT), call(ROME, item_id=OMIT, call_id='call_2')]),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'numbers as ids',
        added(call(item_id=7, call_id=8)),
        args('{"city":', 7),
        args('"Paris"}', 7),
        done(call(PARIS, item_id=7, call_id=8)),
        completed(),
        comes_out=snapshot([('call', 'item/0', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'numbers as ids, and no positions',
        added(call(item_id=7), OMIT),
        args('{"city":', 7, OMIT),
        args('"Paris"}', 7, OMIT),
        done(call(PARIS, item_id=7), OMIT),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'positions below zero',
        added(A_BEGINS, -1),
        added(B_BEGINS, -2),
        args(PARIS, OMIT, -1),
        args(ROME, OMIT, -2),
        done(A, -1),
        done(B, -2),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'a position that is a number with a fraction, and one that is far beyond',
        added(A_BEGINS, 1.5),
        added(B_BEGINS, 10**30),
        args(PARIS, 'fc_1', 1.5),
        args(ROME, OMIT, 10**30),
        done(A, 1.5),
        done(B, 10**30),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'two calls at one position',
        added(A_BEGINS),
        added(B_BEGINS),
        args(PARIS),
        args(ROME, 'fc_2'),
        done(A),
        done(B),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'two items of different types with the same id',
        added(call(item_id='x')),
        added(message(content=[], item_id='x'), 1),
        args(PARIS, 'x'),
        text('Hel', 'x', 1),
        text('lo', 'x', 1),
        done(call(PARIS, item_id='x')),
        done(message('Hello', item_id='x'), 1),
        completed(output=[call(PARIS, item_id='x'), message('Hello', item_id='x')]),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}'), ('text', 'item/1', 'Hello')]),
        once=['Paris', 'Hello'],
    ),
    stream(
        'two items of different types with the same id and no positions',
        added(call(item_id='x'), OMIT),
        added(message(content=[], item_id='x'), OMIT),
        text('Hel', 'x', OMIT),
        args('{"city":', 'x', OMIT),
        text('lo', 'x', OMIT),
        args('"Paris"}', 'x', OMIT),
        done(call(PARIS, item_id='x'), OMIT),
        done(message('Hello', item_id='x'), OMIT),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}'), ('text', 'item/1', 'Hello')]),
        once=['Paris', 'Hello'],
    ),
    stream(
        'a snapshot in another order, with other ids',
        done(A),
        done(B, 1),
        completed(output=[call(ROME, 'fc_x', 'call_2'), call(PARIS, 'fc_y')]),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'a snapshot that holds only a call that nothing said before',
        done(A),
        completed(output=[B]),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
]

ORDER = [
    stream(
        'parallel calls interleaved piece by piece, each a byte',
        added(A_BEGINS),
        added(B_BEGINS, 1),
        *(frame for a, b in zip(PARIS, f'{ROME} ', strict=True) for frame in (args(a), args(b, 'fc_2', 1))),
        args_done(PARIS),
        args_done(f'{ROME} ', 'fc_2', 1),
        done(A),
        done(call(f'{ROME} ', 'fc_2', 'call_2'), 1),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"} ')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'parallel calls interleaved without ids',
        added(call(item_id=OMIT)),
        added(call(item_id=OMIT, call_id='call_2'), 1),
        args('{"city":', OMIT),
        args('{"city":', OMIT, 1),
        args('"Paris"}', OMIT),
        args('"Rome"}', OMIT, 1),
        done(call(PARIS, item_id=OMIT)),
        done(call(ROME, item_id=OMIT, call_id='call_2'), 1),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'three items interleaved',
        added(A_BEGINS),
        added(message(content=[]), 1),
        added(B_BEGINS, 2),
        args('{"city":', 'fc_2', 2),
        text('Hel', index=1),
        args('{"city":'),
        text('lo', index=1),
        args('"Paris"}'),
        args('"Rome"}', 'fc_2', 2),
        done(B, 2),
        done(message('Hello'), 1),
        done(A),
        completed(),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'look', '{"city":"Paris"}'),
                ('text', 'msg_1', 'Hello'),
                ('call', 'call_2', 'look', '{"city":"Rome"}'),
            ]
        ),
        once=['Paris', 'Hello', 'Rome'],
    ),
    stream(
        'a later item is finished before an earlier one',
        added(A_BEGINS),
        added(B_BEGINS, 1),
        done(B, 1),
        args('{"city":'),
        args('"Paris"}'),
        done(A),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"}'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'an item that is never finished, before one that is',
        added(A_BEGINS),
        args('{"city":"Paris"'),
        added(B_BEGINS, 1),
        done(B, 1),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Paris"'), ('call', 'call_2', 'look', '{"city":"Rome"}')]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'pieces before their item was added',
        args('{"city":'),
        args('"Par'),
        added(A_BEGINS),
        args('is"}'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'pieces before their item was added, under another id',
        args('{"city":', 'fc_a'),
        added(A_BEGINS),
        args('"Paris"}', 'fc_b'),
        done(A),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
    stream(
        'pieces after their item was finished',
        added(A_BEGINS),
        done(A),
        args('{"city":'),
        args('"Paris"}'),
        args_done(PARIS),
        done(B, 1),
        args(PARIS),
        completed(),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'look', '{"city":"Paris"}'),
                ('call', 'call_2', 'look', '{"city":"Rome"}'),
            ]
        ),
        once=['Paris', 'Rome'],
    ),
    stream(
        'an item that is added after it was finished',
        done(A),
        added(A_BEGINS),
        args(PARIS),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{"city":"Paris"}')]),
        once=['Paris'],
    ),
]

CUSTOM = [
    stream(
        'a free text with quotes, line ends and characters of several bytes, in deltas',
        added(custom()),
        *(typed(PATCH[at : at + 3]) for at in range(0, len(PATCH), 3)),
        typed_done(PATCH),
        done(custom(PATCH)),
        completed(),
        comes_out=snapshot(
            [
                (
                    'call',
                    'call_1',
                    'patch',
                    '{"input":"say \\"hi\\"\\n\\tto \\\\ all: é 漢 😀"}',
                    {'type': 'custom_tool_call'},
                )
            ]
        ),
        once=['漢 😀'],
    ),
    stream(
        'a free text only in its done event',
        added(custom()),
        typed_done(PATCH),
        done(custom()),
        completed(),
        comes_out=snapshot(
            [
                (
                    'call',
                    'call_1',
                    'patch',
                    '{"input":"say \\"hi\\"\\n\\tto \\\\ all: é 漢 😀"}',
                    {'type': 'custom_tool_call'},
                )
            ]
        ),
        once=['漢 😀'],
    ),
    stream(
        'a free text only in the finished item',
        done(custom(PATCH)),
        completed(),
        comes_out=snapshot(
            [
                (
                    'call',
                    'call_1',
                    'patch',
                    '{"input":"say \\"hi\\"\\n\\tto \\\\ all: é 漢 😀"}',
                    {'type': 'custom_tool_call'},
                )
            ]
        ),
        once=['漢 😀'],
    ),
    stream(
        'a free text only in the snapshot',
        completed(output=[custom(PATCH)]),
        comes_out=snapshot(
            [
                (
                    'call',
                    'call_1',
                    'patch',
                    '{"input":"say \\"hi\\"\\n\\tto \\\\ all: é 漢 😀"}',
                    {'type': 'custom_tool_call'},
                )
            ]
        ),
        once=['漢 😀'],
    ),
    stream(
        'a character of a free text that is cut in two deltas',
        added(custom()),
        typed('a \ud83d'),
        typed(''),
        typed('\ude00 "b'),
        typed('"'),
        done(custom('a 😀 "b"')),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'patch', '{"input":"a 😀 \\"b\\""}', {'type': 'custom_tool_call'})]),
        once=['a 😀'],
    ),
    stream(
        'a free text that the item contradicts',
        added(custom()),
        typed('"wrong"'),
        done(custom('"right"')),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'patch', '{"input":"\\"right\\""}', {'type': 'custom_tool_call'})]),
        once=['right'],
    ),
    stream(
        'an empty free text',
        added(custom()),
        done(custom()),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'patch', '{"input":""}', {'type': 'custom_tool_call'})]),
    ),
    stream(
        'a free text only in the snapshot, after an empty record and a message',
        added(custom()),
        done(custom()),
        done(message('Hello'), 1),
        completed(output=[custom('say "hi"'), message('Hello')]),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'patch', '{"input":"say \\"hi\\""}', {'type': 'custom_tool_call'}),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=['say', 'Hello'],
    ),
    stream(
        'a free text that looks like JSON is a text all the same',
        done(custom('{"input":"x"}')),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'patch', '{"input":"{\\"input\\":\\"x\\"}"}', {'type': 'custom_tool_call'})]
        ),
    ),
    stream(
        'a custom call that is never finished, before a message',
        added(custom()),
        typed('all of it'),
        added(message(content=[]), 1),
        text('Hello', index=1),
        done(message('Hello'), 1),
        completed(),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'patch', '{"input":"all of it"}', {'type': 'custom_tool_call'}),
                ('text', 'msg_1', 'Hello'),
            ]
        ),
        once=['all of it', 'Hello'],
    ),
    stream(
        'events of other kinds in the middle of a free text',
        added(custom()),
        typed('one '),
        b': comment\n\n',
        {'type': 'keepalive'},
        {'type': 'response.created', 'response': {'id': 'resp_1'}},
        typed('two'),
        done(custom('one two')),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'patch', '{"input":"one two"}', {'type': 'custom_tool_call'})]),
        once=['one two'],
    ),
    stream(
        'a custom and a function call with one id',
        added(custom(item_id='x')),
        added(call(item_id='x', call_id='call_2'), 1),
        args(ROME, 'x', 1),
        typed('Paris', 'x'),
        done(call(ROME, 'x', 'call_2'), 1),
        done(custom('Paris', 'x')),
        completed(),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'patch', '{"input":"Paris"}', {'type': 'custom_tool_call'}),
                ('call', 'call_2', 'look', '{"city":"Rome"}'),
            ]
        ),
        once=['Paris', 'Rome'],
    ),
]

LS = {'type': 'exec', 'command': ['ls', '-l', 'dir "é"']}

SHELL = [
    stream(
        'a call of the shell',
        added(shell({'type': 'exec', 'command': []})),
        done(shell(LS)),
        completed(),
        comes_out=snapshot(
            [('call', 'call_1', 'local_shell', '{"command":["ls","-l","dir \\"é\\""]}', {'type': 'local_shell_call'})]
        ),
        once=['"ls"'],
    ),
    stream(
        'a call of the shell without a call id',
        done(shell(LS, call_id=None)),
        completed(output=[shell(LS, call_id=None)]),
        comes_out=snapshot(
            [('call', 'lsh_1', 'local_shell', '{"command":["ls","-l","dir \\"é\\""]}', {'type': 'local_shell_call'})]
        ),
        once=['"ls"'],
    ),
    stream(
        'a call of the shell without an action',
        added(shell(OMIT)),
        done(shell('ls')),
        completed(),
        comes_out=snapshot(
            [
                (
                    'native call',
                    'lsh_1',
                    'local_shell',
                    None,
                    {'item': {'type': 'local_shell_call', 'id': 'lsh_1', 'call_id': 'call_1', 'action': 'ls'}},
                )
            ]
        ),
    ),
    stream(
        'a call of the shell only in the snapshot',
        completed(output=[shell(LS)]),
        comes_out=snapshot(
            [('call', 'call_1', 'local_shell', '{"command":["ls","-l","dir \\"é\\""]}', {'type': 'local_shell_call'})]
        ),
    ),
]

STREAMS = [*FUNCTIONS, *NAMELESS, *ORDER, *CUSTOM, *SHELL]
