"""Messages: texts, refusals, phases, and what they cite."""

from __future__ import annotations

from inline_snapshot import snapshot

from .frames import (
    OMIT,
    Frame,
    added,
    annotation,
    completed,
    created,
    done,
    message,
    output_text,
    refusal,
    refusal_done,
    refusal_part,
    stream,
    text,
    text_done,
)

EMPTY = message(content=[])
HELLO = message('Hello, world')
NAMELESS = message('Hello, world', item_id=OMIT)

TEXTS = [
    stream(
        'text in deltas, in its done event, in the item and in the snapshot',
        created(),
        added(EMPTY),
        text('Hello, '),
        text('world'),
        text_done('Hello, world'),
        done(HELLO),
        completed(output=[HELLO]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'text only in its done event',
        added(EMPTY),
        text_done('Hello, world'),
        done(EMPTY),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'text only in the finished item',
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'text only in the snapshot',
        completed(output=[HELLO]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'text only in deltas',
        text('Hello, '),
        text('world'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'an output that is null',
        done(HELLO),
        completed(output=None),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello'],
    ),
    stream(
        'an output that is empty',
        done(HELLO),
        completed(output=[]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello'],
    ),
    stream(
        'an output of the wrong type',
        done(HELLO),
        completed(output={'0': message('other')}),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello'],
    ),
    stream(
        'an output with junk in it',
        done(HELLO),
        completed(output=[None, 1, 'x', [HELLO], HELLO]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello'],
    ),
    stream(
        'a snapshot with one message more, before the one that was there',
        done(HELLO),
        completed(output=[message('Wait.', item_id='msg_0'), HELLO]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_0', 'Wait.')]),
        once=['Wait.', 'Hello'],
    ),
    stream(
        'a snapshot with one message more, after the one that was there',
        done(HELLO),
        completed(output=[HELLO, message('Bye.', item_id='msg_2')]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_2', 'Bye.')]),
        once=['Hello', 'Bye.'],
    ),
    stream(
        'a snapshot with other ids',
        done(HELLO),
        done(message('Bye.', item_id='msg_2'), 1),
        completed(output=[message('Hello, world', item_id='msg_x'), message('Bye.', item_id='msg_y')]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_2', 'Bye.')]),
        once=['Hello', 'Bye.'],
    ),
    stream(
        'the rest of a text only in the snapshot, under another id',
        added(EMPTY),
        text('Hello, '),
        completed(output=[message('Hello, world', item_id='msg_x')]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'each delta twice',
        added(EMPTY),
        *(text(piece) for piece in ('Hello', ', ', 'world') for _ in range(2)),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'a delta is missing',
        added(EMPTY),
        text('Hello'),
        text('world'),
        text_done('Hello, world'),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'the done event contradicts the deltas, and the item contradicts both',
        added(EMPTY),
        text('one'),
        text_done('two'),
        done(HELLO),
        completed(output=[message('four')]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'a later part is replaced by the item, and the earlier one grows',
        added(EMPTY),
        text('one '),
        text('TWO', part=1),
        done(message('one and', 'two')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'one and'), ('text', 'msg_1', 'two')]),
        once=['one and', 'two'],
    ),
    stream(
        'two parts of one message',
        added(EMPTY),
        text('one'),
        text_done('one'),
        text('two', part=1),
        text_done('two', part=1),
        done(message('one', 'two')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'one'), ('text', 'msg_1', 'two')]),
        once=['one', 'two'],
    ),
    stream(
        'two parts of one message interleaved',
        added(EMPTY),
        text('on'),
        text('tw', part=1),
        text('e'),
        text('o', part=1),
        done(message('one', 'two')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'one'), ('text', 'msg_1', 'two')]),
        once=['one', 'two'],
    ),
    stream(
        'a part index that is left out, and one of the wrong type',
        added(EMPTY),
        text('Hello', part=OMIT),
        text(', ', part='0'),
        text('world', part=None),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'part indices below zero',
        added(EMPTY),
        text('Hello, ', part=-1),
        text('world', part=-1),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'two messages interleaved',
        added(EMPTY),
        added(message(content=[], item_id='msg_2'), 1),
        text('By', 'msg_2', 1),
        text('Hello, '),
        text('e.', 'msg_2', 1),
        text('world'),
        done(message('Bye.', item_id='msg_2'), 1),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_2', 'Bye.')]),
        once=['Hello, world', 'Bye.'],
    ),
    stream(
        'the id of the message changes with each event',
        added(EMPTY),
        text('Hello, ', 'msg_a'),
        text('world', 'msg_b'),
        text_done('Hello, world', 'msg_c'),
        done(message('Hello, world', item_id='msg_d')),
        completed(output=[message('Hello, world', item_id='msg_e')]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'neither ids nor positions of messages',
        text('Hello, ', OMIT, OMIT),
        added(message(content=[], item_id=OMIT), OMIT),
        text('world', OMIT, OMIT),
        done(message('Hello, world', item_id=OMIT), OMIT),
        completed(output=[message('Hello, world', item_id=OMIT)]),
        comes_out=snapshot([('text', 'item/0', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'pieces after their message was finished',
        done(HELLO),
        text('Hello, '),
        text('world'),
        text_done('Hello, world'),
        done(message('Bye.', item_id='msg_2'), 1),
        text('Hello, world'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_2', 'Bye.')]),
        once=['Hello, world', 'Bye.'],
    ),
    stream(
        'a message without content',
        added(EMPTY),
        done(EMPTY),
        completed(),
        comes_out=snapshot([]),
    ),
    stream(
        'content of the wrong type',
        text('Hello, world'),
        done(message(content='Hello')),
        done(message(content=None, item_id='msg_2'), 1),
        done(message(content=[None, 1, [], output_text(1), output_text('Bye.')], item_id='msg_3'), 2),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_3', 'Bye.')]),
        once=['Hello, world', 'Bye.'],
    ),
    stream(
        'pieces of text of the wrong type',
        added(EMPTY),
        *map(text, [None, 1, ['x'], {'text': 'x'}, OMIT, '']),
        text_done(7),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
]

WAITING = [
    stream(
        'an empty piece of the first part, and the rest of it after the second part began',
        added(EMPTY),
        text(''),
        text('two', part=1),
        text('one'),
        done(message('one', 'two')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'one'), ('text', 'msg_1', 'two')]),
        once=['one', 'two'],
    ),
    stream(
        'half a character of the first part, and the rest of it after the second part began',
        added(EMPTY),
        text('\ud83d'),
        text('two', part=1),
        text('\ude00 one'),
        done(message('😀 one', 'two')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', '😀 one'), ('text', 'msg_1', 'two')]),
        once=['😀 one', 'two'],
    ),
    stream(
        'the second part first, and no pieces of the first part',
        added(EMPTY),
        text('tw', part=1),
        text('o', part=1),
        text_done('two', part=1),
        done(message('one', 'two')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'one'), ('text', 'msg_1', 'two')]),
        once=['one', 'two'],
    ),
    stream(
        'the second part first, and then pieces of both parts',
        added(EMPTY),
        text('tw', part=1),
        text('on'),
        text('e'),
        text('o', part=1),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'one'), ('text', 'msg_1', 'two')]),
        once=['one', 'two'],
    ),
    stream(
        'only the third part, and no final text',
        added(EMPTY),
        text('thr', part=2),
        text('ee', part=2),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'three')]),
        once=['three'],
    ),
    stream(
        'a first part that is empty',
        added(EMPTY),
        text('two', part=1),
        done(message('', 'two')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'two')]),
        once=['two'],
    ),
]

TWICE = [
    stream(
        'a finished message twice, without an id',
        done(NAMELESS),
        done(NAMELESS),
        completed(),
        comes_out=snapshot([('text', 'item/0', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'a finished message twice, with neither id nor position',
        done(NAMELESS, OMIT),
        done(NAMELESS, OMIT),
        completed(output=[NAMELESS]),
        comes_out=snapshot([('text', 'item/0', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'a finished message twice, under two ids',
        done(HELLO),
        done(message('Hello, world', item_id='msg_x')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'a message that is added twice, without an id',
        added(message(content=[], item_id=OMIT)),
        added(message(content=[], item_id=OMIT)),
        text('Hello, ', OMIT),
        added(message(content=[], item_id=OMIT)),
        text('world', OMIT),
        done(NAMELESS),
        completed(),
        comes_out=snapshot([('text', 'item/0', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'pieces after their message was finished, without an id',
        added(message(content=[], item_id=OMIT)),
        text('Hello, world', OMIT),
        done(NAMELESS),
        text('Hello, world', OMIT),
        text_done('Hello, world', OMIT),
        completed(),
        comes_out=snapshot([('text', 'item/0', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'pieces after their message was finished, with neither id nor position',
        text('Hello, world', OMIT, OMIT),
        done(NAMELESS, OMIT),
        text('Hello, world', OMIT, OMIT),
        text_done('Hello, world', OMIT, OMIT),
        completed(),
        comes_out=snapshot([('text', 'item/0', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'pieces after their message was finished, under the id that it had at last',
        added(EMPTY),
        text('Hello, ', 'msg_x'),
        done(message('Hello, world', item_id='msg_y')),
        text_done('Hello, world', 'msg_y'),
        text('Hello, world', 'msg_x'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'two messages at one position, without ids',
        added(message(content=[], item_id=OMIT)),
        text('Hello, ', OMIT),
        text('world', OMIT),
        done(NAMELESS),
        added(message(content=[], item_id=OMIT)),
        text('By', OMIT),
        text('e.', OMIT),
        done(message('Bye.', item_id=OMIT)),
        completed(),
        comes_out=snapshot([('text', 'item/0', 'Hello, world'), ('text', 'item/1', 'Bye.')]),
        once=['Hello, world', 'Bye.'],
    ),
    stream(
        'two messages at one position, only in done frames without ids',
        done(NAMELESS),
        done(message('Bye.', item_id=OMIT)),
        completed(),
        comes_out=snapshot([('text', 'item/0', 'Hello, world'), ('text', 'item/1', 'Bye.')]),
        once=['Hello, world', 'Bye.'],
    ),
    stream(
        'two messages at one position, with ids',
        *(text('Hello, world'), done(HELLO)),
        *(text('Bye.', 'msg_2'), done(message('Bye.', item_id='msg_2'))),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_2', 'Bye.')]),
        once=['Hello, world', 'Bye.'],
    ),
]

EMPTY_RECORDS = [
    stream(
        'a text only in the snapshot, after an empty record and another message',
        added(EMPTY),
        done(EMPTY),
        done(message('Bye.', item_id='msg_2'), 1),
        completed(output=[HELLO, message('Bye.', item_id='msg_2')]),
        comes_out=snapshot([('text', 'msg_2', 'Bye.'), ('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world', 'Bye.'],
    ),
    stream(
        'the rest of a text only in the snapshot, after an empty record and another message',
        added(EMPTY),
        text('Hello, '),
        done(EMPTY),
        done(message('Bye.', item_id='msg_2'), 1),
        completed(output=[HELLO, HELLO, message('Bye.', item_id='msg_2')]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world'), ('text', 'msg_2', 'Bye.')]),
        once=['Hello, world', 'Bye.'],
    ),
    stream(
        'an empty record and a full one',
        done(message('', item_id='msg_1')),
        done(HELLO),
        done(message('Hello, moon')),
        completed(output=[message('Hello, sun')]),
        comes_out=snapshot([('text', 'msg_1', 'Hello, world')]),
        once=['Hello, world'],
    ),
    stream(
        'a refusal only in the snapshot, after an empty record',
        done(EMPTY),
        completed(output=[message(content=[refusal_part('I will not.')])]),
        comes_out=snapshot([('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'I will not.'})]),
        once=['I will not.'],
    ),
]

CHARACTERS = [
    stream(
        'a character that is cut in two deltas',
        added(EMPTY),
        text('a \ud83d'),
        text(''),
        text('\ude00 b'),
        done(message('a 😀 b')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'a 😀 b')]),
        once=['a 😀 b'],
    ),
    stream(
        'a character that is cut in two deltas, and no final text',
        text('a \ud83d'),
        text('\ude00 b'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'a 😀 b')]),
        once=['a 😀 b'],
    ),
    stream(
        'first halves of characters without their second',
        text('a \ud83d'),
        text('b \ud83d'),
        text_done('a \ud83db \ud83d'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'a �b �')]),
    ),
    stream(
        'second halves of characters without their first',
        text('\ude00a'),
        text('b\ude00'),
        done(message('\ude00ab\ude00')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', '�ab�')]),
    ),
    stream(
        'half characters in every other field',
        created(model='\ud83d'),
        text('Hello', 'msg_\ud83d'),
        done(message('Hello', item_id='msg_\ud83d')),
        completed(id='\ude00', **{'\ud83d': 1}),
        comes_out=snapshot([('text', 'msg_�', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'line ends that end no line, and NUL as an escape',
        text('a\u2028b\u2029c\u0085d'),
        text('\x00e\x0bf\x1c'),
        text_done('a\u2028b\u2029c\u0085d\x00e\x0bf\x1c\x7f\r\n'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'a\u2028b\u2029c\x85d\x00e\x0bf\x1c\x7f\r\n')]),
    ),
]

REFUSALS = [
    stream(
        'a refusal in deltas',
        added(EMPTY),
        refusal('I will '),
        refusal('not.'),
        completed(),
        comes_out=snapshot([('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'I will not.'})]),
        once=['I will not.'],
    ),
    stream(
        'a refusal only in its done event',
        added(EMPTY),
        refusal_done('I will not.'),
        completed(),
        comes_out=snapshot([('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'I will not.'})]),
        once=['I will not.'],
    ),
    stream(
        'a refusal only in the item',
        done(message(content=[refusal_part('I will not.')])),
        completed(),
        comes_out=snapshot([('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'I will not.'})]),
        once=['I will not.'],
    ),
    stream(
        'a refusal everywhere',
        added(EMPTY),
        refusal('I will '),
        refusal('not.'),
        refusal_done('I will not.'),
        done(message(content=[refusal_part('I will not.')])),
        completed(output=[message(content=[refusal_part('I will not.')])]),
        comes_out=snapshot([('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'I will not.'})]),
        once=['I will not.'],
    ),
    stream(
        'a text and a refusal in one message',
        added(EMPTY),
        text('Well: '),
        refusal('I will ', part=1),
        refusal('not.', part=1),
        done(message(content=[output_text('Well: '), refusal_part('I will not.')])),
        completed(),
        comes_out=snapshot(
            [
                ('text', 'msg_1', 'Well: '),
                ('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'I will not.'}),
            ]
        ),
        once=['Well: ', 'I will not.'],
    ),
    stream(
        'a refusal and a text in one message',
        added(EMPTY),
        refusal('I will not.'),
        text('But: ', part=1),
        refusal_done('I will not.'),
        text('see', part=1),
        done(message(content=[refusal_part('I will not.'), output_text('But: see')])),
        completed(),
        comes_out=snapshot(
            [
                ('text', 'msg_1', 'But: see'),
                ('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'I will not.'}),
            ]
        ),
        once=['I will not.', 'But: see'],
    ),
    stream(
        'refusals of two messages',
        done(message(content=[refusal_part('No. ')])),
        done(message(content=[refusal_part('Never.')], item_id='msg_2'), 1),
        completed(),
        comes_out=snapshot([('end', 'content_filter', {'finish_reason': 'completed', 'refusal': 'No. Never.'})]),
        once=['No. ', 'Never.'],
    ),
]

URL = {'type': 'url_citation', 'url': 'https://example.org', 'title': 'Example', 'start_index': 0, 'end_index': 5}
FILE = {'type': 'file_citation', 'file_id': 'file_1', 'filename': 'a.txt', 'index': 3}
LOGPROBS: list[Frame] = [{'token': 'Hello', 'logprob': -0.5, 'top_logprobs': []}]

CITED = [
    stream(
        'annotations in events',
        added(EMPTY),
        text('Hello'),
        annotation(URL),
        annotation(FILE),
        completed(),
        comes_out=snapshot(
            [
                (
                    'text',
                    'msg_1',
                    'Hello',
                    {
                        'annotations': [
                            {
                                'type': 'url_citation',
                                'url': 'https://example.org',
                                'title': 'Example',
                                'start_index': 0,
                                'end_index': 5,
                            },
                            {'type': 'file_citation', 'file_id': 'file_1', 'filename': 'a.txt', 'index': 3},
                        ]
                    },
                )
            ]
        ),
        once=['example.org', 'file_1'],
    ),
    stream(
        'annotations in the item',
        done(message(content=[output_text('Hello', annotations=[URL, FILE])])),
        completed(),
        comes_out=snapshot(
            [
                (
                    'text',
                    'msg_1',
                    'Hello',
                    {
                        'annotations': [
                            {
                                'type': 'url_citation',
                                'url': 'https://example.org',
                                'title': 'Example',
                                'start_index': 0,
                                'end_index': 5,
                            },
                            {'type': 'file_citation', 'file_id': 'file_1', 'filename': 'a.txt', 'index': 3},
                        ]
                    },
                )
            ]
        ),
        once=['example.org', 'file_1'],
    ),
    stream(
        'annotations in events and in the item',
        added(EMPTY),
        text('Hello'),
        annotation(URL),
        annotation(FILE),
        done(message(content=[output_text('Hello', annotations=[URL, FILE])])),
        completed(),
        comes_out=snapshot(
            [
                (
                    'text',
                    'msg_1',
                    'Hello',
                    {
                        'annotations': [
                            {
                                'type': 'url_citation',
                                'url': 'https://example.org',
                                'title': 'Example',
                                'start_index': 0,
                                'end_index': 5,
                            },
                            {'type': 'file_citation', 'file_id': 'file_1', 'filename': 'a.txt', 'index': 3},
                        ]
                    },
                )
            ]
        ),
        once=['example.org', 'file_1'],
    ),
    stream(
        'annotations of the first of two parts',
        added(EMPTY),
        text('Hello'),
        annotation(URL),
        text('Bye.', part=1),
        done(message('Hello', 'Bye.')),
        completed(),
        comes_out=snapshot(
            [
                (
                    'text',
                    'msg_1',
                    'Hello',
                    {
                        'annotations': [
                            {
                                'type': 'url_citation',
                                'url': 'https://example.org',
                                'title': 'Example',
                                'start_index': 0,
                                'end_index': 5,
                            }
                        ]
                    },
                ),
                ('text', 'msg_1', 'Bye.'),
            ]
        ),
        once=['example.org', 'Bye.'],
    ),
    stream(
        'annotations of the wrong type',
        text('Hello'),
        annotation(None),
        annotation(7),
        annotation(OMIT),
        annotation({'type': 'url_citation', 'url': 7, 'start_index': 'x'}),
        done(message(content=[output_text('Hello', annotations='x', logprobs={})])),
        completed(),
        comes_out=snapshot(
            [
                (
                    'text',
                    'msg_1',
                    'Hello',
                    {'annotations': [None, 7, {'type': 'url_citation', 'url': 7, 'start_index': 'x'}]},
                )
            ]
        ),
        once=['Hello'],
    ),
    stream(
        'log probabilities in the done event',
        text('Hello'),
        text_done('Hello', logprobs=LOGPROBS),
        done(message('Hello')),
        completed(),
        comes_out=snapshot(
            [('text', 'msg_1', 'Hello', {'logprobs': [{'token': 'Hello', 'logprob': -0.5, 'top_logprobs': []}]})]
        ),
        once=['-0.5'],
    ),
    stream(
        'log probabilities in the item',
        text('Hello'),
        text_done('Hello', logprobs=[]),
        done(message(content=[output_text('Hello', logprobs=LOGPROBS)])),
        completed(),
        comes_out=snapshot(
            [('text', 'msg_1', 'Hello', {'logprobs': [{'token': 'Hello', 'logprob': -0.5, 'top_logprobs': []}]})]
        ),
        once=['-0.5'],
    ),
]

ASIDE = message('Let me look.', phase='commentary')
ANSWER = message('{"x":1}', item_id='msg_2', phase='final_answer')
PHASED = [
    added(message(content=[], phase='commentary')),
    text('Let me '),
    added(message(content=[], item_id='msg_2', phase='final_answer'), 1),
    text('{"x":', 'msg_2', 1),
    text('look.'),
    done(ASIDE),
    text('1}', 'msg_2', 1),
    done(ANSWER, 1),
    completed(),
]

PHASES = [
    stream(
        'a commentary and the final answer',
        *PHASED,
        comes_out=snapshot(
            [
                ('text', 'msg_1', 'Let me look.', {'phase': 'commentary'}),
                ('text', 'msg_2', '{"x":1}', {'phase': 'final_answer'}),
            ]
        ),
        once=['Let me look.', '{"x":1}'],
    ),
    stream(
        'a commentary beside an answer that is read as JSON',
        *PHASED,
        comes_out=snapshot(
            [
                ('thinking', 'msg_1', 'Let me look.', None, {'phase': 'commentary'}),
                ('text', 'msg_2', '{"x":1}', {'phase': 'final_answer'}),
            ]
        ),
        once=['Let me look.', '{"x":1}'],
        reads_json=True,
    ),
    stream(
        'a commentary that contradicts itself, beside an answer that is read as JSON',
        added(message(content=[], phase='commentary')),
        text('Let us look.'),
        done(ASIDE),
        done(ANSWER, 1),
        completed(),
        comes_out=snapshot(
            [
                ('thinking', 'msg_1', 'Let me look.', None, {'phase': 'commentary'}),
                ('text', 'msg_2', '{"x":1}', {'phase': 'final_answer'}),
            ]
        ),
        once=['Let me look.', '{"x":1}'],
        reads_json=True,
    ),
    stream(
        'a phase only in the finished item',
        added(EMPTY),
        text('Let me look.'),
        done(ASIDE),
        done(ANSWER, 1),
        completed(),
        comes_out=snapshot(
            [
                ('text', 'msg_1', 'Let me look.', {'phase': 'commentary'}),
                ('text', 'msg_2', '{"x":1}', {'phase': 'final_answer'}),
            ]
        ),
        once=['commentary', 'final_answer'],
    ),
    stream(
        'a commentary that is told only at its end, beside an answer that is read as JSON',
        added(EMPTY),
        text('Let me '),
        text('look.'),
        text('Wait.', part=1),
        done(message('Let me look.', 'Wait.', phase='commentary')),
        done(ANSWER, 1),
        completed(output=[message('Let me look.', 'Wait.', phase='commentary'), ANSWER]),
        comes_out=snapshot(
            [
                ('text', 'msg_1', ''),
                ('text', 'msg_1', ''),
                ('thinking', 'msg_1', 'Let me look.', None, {'phase': 'commentary'}),
                ('thinking', 'msg_1', 'Wait.', None, {'phase': 'commentary'}),
                ('text', 'msg_2', '{"x":1}', {'phase': 'final_answer'}),
            ]
        ),
        once=['Let me look.', 'Wait.', '{"x":1}'],
        reads_json=True,
    ),
    stream(
        'an answer that was called a commentary at first, and is read as JSON',
        added(message(content=[], phase='commentary')),
        text('{"x":'),
        done(message(content=[output_text('{"x":1}', annotations=[URL], logprobs=LOGPROBS)], phase='final_answer')),
        completed(),
        comes_out=snapshot(
            [
                ('thinking', 'msg_1', '', None),
                (
                    'text',
                    'msg_1',
                    '{"x":1}',
                    {
                        'phase': 'final_answer',
                        'annotations': [
                            {
                                'type': 'url_citation',
                                'url': 'https://example.org',
                                'title': 'Example',
                                'start_index': 0,
                                'end_index': 5,
                            }
                        ],
                        'logprobs': [{'token': 'Hello', 'logprob': -0.5, 'top_logprobs': []}],
                    },
                ),
            ]
        ),
        once=['{"x":1}', 'example.org'],
        reads_json=True,
    ),
    stream(
        'a commentary that is told after its first part began',
        text('Let me '),
        added(message(content=[], phase='commentary')),
        text('look.'),
        text('Wait.', part=1),
        completed(),
        comes_out=snapshot(
            [
                ('text', 'msg_1', 'Let me look.', {'phase': 'commentary'}),
                ('text', 'msg_1', 'Wait.', {'phase': 'commentary'}),
            ]
        ),
        once=['Let me look.', 'Wait.'],
    ),
    stream(
        'phases that are none',
        added(message(content=[], phase=7)),
        text('Hello'),
        done(message('Hello', phase='not_yet_invented')),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
]

STREAMS = [*TEXTS, *WAITING, *TWICE, *EMPTY_RECORDS, *CHARACTERS, *REFUSALS, *CITED, *PHASES]
