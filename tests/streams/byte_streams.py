"""What is nasty about the bytes: how frames are written, cut and mixed with junk."""

from __future__ import annotations

import json
from typing import Any

from inline_snapshot import snapshot

from .frames import Frame, added, args, call, completed, custom, data, done, frame, message, shell, stream, text, typed

HELLO = message('Hello')
END = data(completed())
BODY = [text('Hel'), text('lo'), done(HELLO), completed()]
HUGE = 'word ' * 200_000
PIECES = [f'{number} ' for number in range(10_000)]


def framed(end: str) -> bytes:
    return b''.join(data(each, end=end) for each in BODY)


def indented(event: Frame) -> bytes:
    """A frame whose JSON stands in several data lines."""
    lines = json.dumps(event, indent=1).splitlines()
    return ''.join(f'data: {line}\n' for line in lines).encode() + b'\n'


def nested(item: Frame, depth: int) -> bytes:
    """A finished item with lists as deep as that in place of a text."""
    return data(done(item)).replace(b'"HERE"', b'[' * depth + b']' * depth)


LINES = [
    stream('lines that end in CR LF', framed('\r\n'), comes_out=snapshot([('text', 'msg_1', 'Hello')]), once=['Hello']),
    stream('lines that end in CR', framed('\r'), comes_out=snapshot([('text', 'msg_1', 'Hello')]), once=['Hello']),
    stream(
        'every end of a line in turn',
        data(BODY[0], end='\r'),
        data(BODY[1], end='\r\n'),
        data(BODY[2], end='\n'),
        data(BODY[3]).removesuffix(b'\n\n') + b'\n\r',
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a byte order mark', b'\xef\xbb\xbf', *BODY, comes_out=snapshot([('text', 'msg_1', 'Hello')]), once=['Hello']
    ),
    stream(
        'a byte order mark further on makes a line that nobody knows',
        text('Hel'),
        b'\xef\xbb\xbf',
        text('lo'),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'blank lines and comments everywhere',
        b'\n\n\n: begin\n',
        text('Hel'),
        b':\n:\n\n: keep-alive\n\n',
        data(text('lo')).replace(b'\n\n', b'\n: in between\n\n'),
        b'\n\n\n\n',
        done(HELLO),
        completed(),
        b': end',
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'names, ids and times without data',
        b'event: response.completed\n\nid: 7\n\nretry: 1000\n\nevent\n\nevent: error\nid: 8\nretry: x\n\n',
        *BODY,
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'names of events that contradict their data',
        b'event: error\n' + data(done(HELLO)),
        b'event: response.output_text.delta\nid: 9\n' + END,
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'JSON over several data lines',
        *map(indented, BODY),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'JSON over several data lines that end in CR LF',
        *(indented(each).replace(b'\n', b'\r\n') for each in BODY),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'no space after the colon, and more than one',
        *(data(each).replace(b'data: ', b'data:') for each in BODY[:2]),
        *(data(each).replace(b'data: ', b'data:   ') for each in BODY[2:]),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'fields with names that are almost `data`',
        b'datas: x\nDATA: x\n data: x\nda: x\ndata : x\n\n',
        *BODY,
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'data without content',
        b'data\n\ndata:\n\ndata: \n\ndata\ndata\n\n',
        *BODY,
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a terminal event without the blank line',
        done(HELLO),
        END.removesuffix(b'\n'),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a terminal event without the end of its line',
        done(HELLO),
        END.removesuffix(b'\n\n'),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'JSON with blanks around it',
        b'data: \t {"type" : "response.output_item.done",\t"item":' + json.dumps(HELLO).encode() + b' } \t\n\n',
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
]

EMOJI = message('é€😀漢')

CHARACTERS = [
    stream(
        'characters of two, three and four bytes',
        text('é€'),
        text('😀漢'),
        done(EMOJI),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'é€😀漢')]),
        once=['é€😀漢'],
    ),
    stream(
        'characters as escapes',
        data(text('é€'), ascii_only=True),
        data(text('😀漢'), ascii_only=True),
        data(done(EMOJI), ascii_only=True),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'é€😀漢')]),
        once=['é€😀漢'],
    ),
    stream(
        'a delta with bytes that are no text',
        data(text('Hel')),
        data(text('lX')).replace(b'X', b'\xff\xfe'),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a delta that ends in the middle of a character',
        data(text('é€X')).replace(b'X', '😀'.encode()[:2]),
        data(text('X漢')).replace(b'X', '😀'.encode()[2:]),
        done(EMOJI),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'é€😀漢')]),
        once=['é€😀漢'],
    ),
    stream(
        'a finished item with bytes that are no text, after its deltas',
        text('Hel'),
        text('lo'),
        data(done(message('HelloX'))).replace(b'X', b'\xff'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello�')]),
        once=['Hello'],
    ),
    stream(
        'a finished item with bytes that are no text, and nothing else',
        data(done(message('HelloX'))).replace(b'X', b'\xff'),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello�')]),
        once=['Hello'],
    ),
    stream(
        'a terminal event with bytes that are no text',
        done(HELLO),
        data(completed(model='X')).replace(b'X', b'\xc3'),
        comes_out=snapshot(
            [
                (
                    'text',
                    'msg_1',
                    'Hello',
                )
            ]
        ),
        once=['Hello'],
    ),
    stream(
        'NUL between and in frames',
        b'\x00\n\x00\n\n',
        data(text('HelX')).replace(b'X', b'\x00'),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
]

JUNK: list[Any] = [[], [1], 1, -0.5, 'text', None, True, {}, {'type': None}, {'type': 7}, {'type': ''}, {'type': []}]
NUMBERS = b'{"type":"response.output_item.done","output_index":1e400,"item":'

MIXED = [
    stream(
        'the mark of the end before the end',
        b'data: [DONE]\n\n',
        *BODY,
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'the mark of the end after the end',
        *BODY,
        b'data: [DONE]\n\n',
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'data that is no JSON',
        b'data: {\n\ndata: nonsense\n\ndata: {"type": "response.completed"\n\ndata: <html>\n\n',
        *BODY,
        b'data: {',
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'data that is JSON and no event',
        *(f'data: {json.dumps(each)}\n\n'.encode() for each in JUNK),
        *BODY,
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'two events in one frame are none',
        data(text('x')).removesuffix(b'\n') + data(text('y')),
        *BODY,
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a key twice: the last one counts',
        b'data: {"type":"error","type":"response.output_text.delta","delta":"x","delta":"Hello"}\n\n',
        completed(),
        comes_out=snapshot([('text', 'item/0', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'numbers that are none, and that are too large',
        b'data: ' + NUMBERS + json.dumps(HELLO).encode() + b',"a":NaN,"b":-Infinity,"c":' + b'9' * 4000 + b'}\n\n',
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'garbage after the end',
        *BODY,
        b'data: {"type":"error"}\n\n\xff\xfe\x00<html>data: {\n\n',
        text('more'),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'lists nested a hundred deep',
        nested(message('Hello') | {'deep': 'HERE'}, 100),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    *(
        stream(
            f'lists nested {depth} deep',
            text('Hello'),
            nested(message('Hello') | {'deep': 'HERE'}, depth),
            nested(shell({'command': 'HERE'}), depth),
            nested({'type': 'not_yet_invented', 'deep': ['\ud83d', 'HERE']}, depth),
            completed(),
            comes_out=[('text', 'msg_1', 'Hello')],
            once=['Hello'],
            huge=True,
        )
        for depth in (300, 900, 100_000)
    ),
]

LARGE = [
    stream(
        'a delta of a megabyte',
        text(HUGE),
        done(message(HUGE)),
        completed(),
        comes_out=[('text', 'msg_1', HUGE)],
        huge=True,
    ),
    stream(
        'ten thousand deltas of a text',
        *map(text, PIECES),
        done(message(''.join(PIECES))),
        completed(),
        comes_out=[('text', 'msg_1', ''.join(PIECES))],
        huge=True,
    ),
    stream(
        'ten thousand deltas of a call, while another one is not finished',
        added(call()),
        added(call(item_id='fc_2', call_id='call_2'), 1),
        *(args(piece, 'fc_2', 1) for piece in PIECES),
        done(call(''.join(PIECES), 'fc_2', 'call_2'), 1),
        done(call('{}')),
        completed(),
        comes_out=[('call', 'call_1', 'look', '{}'), ('call', 'call_2', 'look', ''.join(PIECES))],
        huge=True,
    ),
    stream(
        'ten thousand deltas of a free text',
        added(custom()),
        *map(typed, PIECES),
        completed(),
        comes_out=[
            (
                'call',
                'call_1',
                'patch',
                f'{{"input":"{"".join(PIECES)}"}}',
                {'type': 'custom_tool_call'},
            )
        ],
        huge=True,
    ),
    stream(
        'ten thousand events that nobody reads',
        *(frame('keepalive', sequence_number=number) for number in range(10_000)),
        done(HELLO),
        completed(),
        comes_out=[('text', 'msg_1', 'Hello')],
        huge=True,
    ),
]

STREAMS = [*LINES, *CHARACTERS, *MIXED, *LARGE]
