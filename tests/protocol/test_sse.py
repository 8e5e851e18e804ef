"""Reaches inside, because the decoder is pure: no transport can be made to cut its bytes at every place."""

from __future__ import annotations

import re
from random import Random

import pytest

from pydantic_ai_codex._protocol.sse import SSEDecoder
from pydantic_ai_codex.errors import MalformedStreamError

STREAMS: dict[str, tuple[str, list[str]]] = {
    'two events': ('data: {"a":1}\n\ndata: {"b":2}\n\n', ['{"a":1}', '{"b":2}']),
    'names and ids are not read': ('event: x\nid: 7\nretry: 5\ndata: 1\n\n', ['1']),
    'a name alone is no event': ('event: ping\n\ndata: 1\n\n', ['1']),
    'comments': (': hello\n\n:\ndata: 1\n: in between\ndata: 2\n\n', ['1\n2']),
    'several data lines': ('data: {\ndata: "a": 1\ndata: }\n\n', ['{\n"a": 1\n}']),
    'one space after the colon goes, the rest stays': ('data:1\n\ndata:  2 \n\n', ['1', ' 2 ']),
    'data without content is no event': ('data:\n\ndata: \n\ndata\n\ndata: 1\n\n', ['1']),
    'data without a colon is an empty line': ('data: 1\ndata\ndata: 2\n\n', ['1\n\n2']),
    'other fields that begin alike': ('datas: 1\nda: 2\nDATA: 3\ndata : 4\n data: 5\n\ndata: 6\n\n', ['6']),
    'colons in the data': ('data: a:b: c\n\n', ['a:b: c']),
    'many blank lines': ('\n\n\ndata: 1\n\n\n\ndata: 2\n\n\n', ['1', '2']),
    'no blank line at the end': ('data: 1\n\ndata: 2\n', ['1', '2']),
    'no line end at the end': ('data: 1\n\ndata: 2', ['1', '2']),
    'nothing': ('', []),
    'a byte order mark': ('\ufeffdata: 1\n\n', ['1']),
    'a byte order mark and nothing else': ('\ufeff', []),
    'a byte order mark before an unended line': ('\ufeffdata: 1', ['1']),
    'a byte order mark further on is no mark': ('data: 1\n\n\ufeffdata: 2\n\ndata: 3\n\n', ['1', '3']),
    'line ends of str.splitlines that end no line': (
        'data: a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei\n\n',
        ['a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei'],
    ),
    'characters of several bytes': ('data: é€😀\n\ndata: 漢\n\n', ['é€😀', '漢']),
}

LINE_ENDS = {'LF': '\n', 'CR': '\r', 'CRLF': '\r\n'}


def decode(*chunks: bytes) -> list[bytes]:
    decoder = SSEDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events + decoder.close()


@pytest.mark.parametrize('line_end', LINE_ENDS)
@pytest.mark.parametrize('name', STREAMS)
def test_any_cut_gives_the_same_events(name: str, line_end: str) -> None:
    text, expected = STREAMS[name]
    content = text.replace('\n', LINE_ENDS[line_end]).encode()
    events = [event.encode() for event in expected]

    assert decode(content) == events
    assert decode(*(content[at : at + 1] for at in range(len(content)))) == events
    for at in range(len(content) + 1):
        assert decode(content[:at], content[at:]) == events
        assert decode(content[:at], b'', content[at:], b'') == events


def test_any_cut_of_mixed_line_ends_gives_the_same_events() -> None:
    content = b'data: 1\r\r\ndata: 2\n\rdata: 3\r\n\ndata: 4\rdata: 5\ndata: 6\r\n\r\ndata: 7\r\n\r'
    events = [b'1', b'2', b'3', b'4\n5\n6', b'7']

    assert decode(content) == events
    for first in range(len(content) + 1):
        for second in range(first, len(content) + 1):
            assert decode(content[:first], content[first:second], content[second:]) == events


def test_event_comes_as_soon_as_its_blank_line_is_there() -> None:
    decoder = SSEDecoder()

    assert decoder.feed(b'data: 1\r') == []
    assert decoder.feed(b'\n\r') == [b'1']
    assert decoder.feed(b'\ndata: 2\n') == []
    assert decoder.feed(b'\n') == [b'2']
    assert decoder.close() == []


def test_data_that_is_no_text_comes_as_it_is() -> None:
    assert decode(b'data: \xff\xfe\x00\n\n') == [b'\xff\xfe\x00']


def test_event_of_50_megabytes_in_small_chunks() -> None:
    size = 64 * 1024
    payload = b'x' * 50_000_000
    content = b'data: ' + payload + b'\n\ndata: next\n\n'

    events = decode(*(content[at : at + size] for at in range(0, len(content), size)))

    assert [len(event) for event in events] == [50_000_000, 4]
    assert events[0] == payload


@pytest.mark.parametrize(
    'chunks',
    [
        pytest.param([b'data: ' + b'x' * 200 + b'\n'], id='one line'),
        pytest.param([b'data: ' + b'x' * 200 + b'\n\n'], id='a whole event'),
        pytest.param([b'data: ', *[b'x'] * 200], id='a line that does not end'),
        pytest.param([b'data: x\n'] * 200, id='many small lines'),
        pytest.param([b'data: x\n' * 200], id='many small lines in one chunk'),
        pytest.param([b'data: ' + b'x' * 90 + b'\n', b'data: ' + b'x' * 90], id='lines and the beginning of another'),
        pytest.param([b'<html>' + b'x' * 200], id='no event stream at all'),
    ],
)
def test_event_beyond_the_bound(chunks: list[bytes]) -> None:
    decoder = SSEDecoder(max_event_bytes=100)

    with pytest.raises(MalformedStreamError, match='larger than 100 bytes'):
        list(map(decoder.feed, chunks))


def test_bound_is_for_each_event() -> None:
    decoder = SSEDecoder(max_event_bytes=100)
    event = b'data: ' + b'x' * 40 + b'\ndata: ' + b'y' * 40 + b'\n\n'

    received = [each for _ in range(20) for at in range(0, len(event), 7) for each in decoder.feed(event[at : at + 7])]

    assert received == [b'x' * 40 + b'\n' + b'y' * 40] * 20
    assert decoder.feed(event * 20) == received


def test_comments_do_not_add_up() -> None:
    decoder = SSEDecoder(max_event_bytes=100)

    for _ in range(50):
        assert decoder.feed(b': keep-') == []
        assert decoder.feed(b'alive\n\n') == []
    assert decoder.feed(b'data: 1\n\n') == [b'1']


@pytest.mark.parametrize('line', [b'data\n', b'data:\n'])
def test_empty_data_lines_count(line: bytes) -> None:
    decoder = SSEDecoder(max_event_bytes=100)

    with pytest.raises(MalformedStreamError):
        decoder.feed(line * 1000)


def test_bound_does_not_depend_on_the_cut() -> None:
    content = b'data: ' + b'x' * 100 + b'\n\n'

    assert SSEDecoder(max_event_bytes=100).feed(content) == [b'x' * 100]
    decoder = SSEDecoder(max_event_bytes=100)
    assert [event for at in range(len(content)) for event in decoder.feed(content[at : at + 1])] == [b'x' * 100]


def test_event_beyond_the_bound_is_never_handed_out() -> None:
    decoder = SSEDecoder(max_event_bytes=100)
    with pytest.raises(MalformedStreamError):
        decoder.feed(b'data: ' + b'x' * 200 + b'\n')

    with pytest.raises(MalformedStreamError):
        decoder.feed(b'\n')


def test_nothing_comes_after_an_event_beyond_the_bound() -> None:
    decoder = SSEDecoder(max_event_bytes=50)
    assert decoder.feed(b'event: a\ndata: 1\n\n') == [b'1']
    for chunk in (b'y' * 100, b'event: a\ndata: 2\n\n'):
        with pytest.raises(MalformedStreamError):
            decoder.feed(chunk)


# The ways of writing an event that are read faster.

LINES = ['event: a', 'event:', 'data: 1', 'data: data: 2', 'data:', 'data', 'event: data: 3', ': x', 'id: 4', '', '']


def by_the_standard(stream: str) -> list[bytes]:
    """The data of the events, line by line as the standard says it."""
    events: list[bytes] = []
    data: list[str] = []
    for line in stream.replace('\r\n', '\n').replace('\r', '\n').split('\n')[:-1]:
        field, _, value = line.partition(':')
        if not line:
            events += ['\n'.join(data).encode()] if any(data) or len(data) > 1 else []
            data = []
        elif field == 'data':
            data.append(value.removeprefix(' '))
    return events


@pytest.mark.parametrize('seed', range(40))
def test_streams_of_random_lines(seed: int) -> None:
    random = Random(seed)
    pieces = [
        random.choice(LINES) + random.choice(['\n', '\n', '\n', '\r\n', '\r'] if seed % 2 else ['\n'])
        for _ in range(random.randint(1, 200))
    ]
    stream = ''.join(pieces) + '\n\n'
    expected = by_the_standard(stream)

    assert decode(stream.encode()) == expected
    assert decode(*[piece.encode() for piece in re.split(r'(?<=\n\n)', stream)]) == expected
    assert decode(*[piece.encode() for piece in pieces], b'\n', b'\n') == expected
