"""The streams of the benchmark, and the server that they are read from: what a subject is held to is what was sent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot

from benchmarks.server import RequestReader, serving
from benchmarks.streams import STREAMS, Expected
from benchmarks.subjects.ours import Ours
from benchmarks.subjects.raw import RawSocket

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.anyio


@pytest.fixture
async def port() -> AsyncGenerator[int]:
    async with serving() as port:
        yield port


def events(name: str) -> list[dict[str, Any]]:
    """The data of the events of a stream."""
    return [json.loads(frame.partition(b'\ndata: ')[2]) for frame in STREAMS[name].frames]


# The streams.


def test_what_the_streams_hold() -> None:
    held = {
        stream.title: (len(stream.frames), dict(Counter(kind for kind, _ in stream.expected.deltas)))
        for stream in STREAMS.values()
    }

    assert held == snapshot(
        {
            '5,000 text deltas': (5008, {'text': 5000}),
            '8 parallel calls x 200 argument deltas': (1627, {'args': 1600}),
            '2,000 reasoning deltas, 8 KB encrypted': (2046, {'thinking': 2000, 'text': 12}),
            '10 events': (10, {'text': 2}),
            '300 text deltas': (308, {'text': 300}),
            'one short call': (14, {'args': 8}),
        }
    )


@pytest.mark.parametrize('name', STREAMS)
def test_every_delta_of_the_wire_is_expected_in_its_order(name: str) -> None:
    sent = [event['delta'] for event in events(name) if event['type'].endswith('.delta')]

    assert sent == [piece for _, piece in STREAMS[name].expected.deltas]
    assert '' not in sent


@pytest.mark.parametrize('name', STREAMS)
def test_an_answer_is_framed_as_the_backend_does(name: str) -> None:
    types = [event['type'] for event in events(name)]

    assert types[:2] == ['response.created', 'response.in_progress']
    assert types[-1] == 'response.completed'
    assert [event['sequence_number'] for event in events(name)] == list(range(len(types)))
    heads = [frame.partition(b'\n')[0].decode() for frame in STREAMS[name].frames]
    assert heads == [f'event: {kind}' for kind in types]


def test_the_arguments_of_calls_are_json() -> None:
    calls = STREAMS['b'].expected.parts

    assert [list(json.loads(call['args'])) for call in calls] == [['path', 'limit', 'pattern']] * 8
    assert len({call['tool_call_id'] for call in calls}) == 8


# Through the model, and through a socket.


@pytest.mark.parametrize('name', STREAMS)
async def test_the_model_yields_exactly_what_was_sent(name: str, port: int) -> None:
    subject = Ours(port)
    outcome = await subject.result(name, through='model')
    await subject.aclose()

    got = Expected(tuple(outcome.deltas), tuple(dict(part) for part in outcome.parts), dict(outcome.usage))
    assert got == STREAMS[name].expected


@pytest.mark.parametrize(('name', 'mode'), [('a', 'chunks'), ('c', 'chunks'), ('d', 'paced')])
async def test_a_socket_gets_every_byte_and_counts_every_event(name: str, mode: str, port: int) -> None:
    seen: list[tuple[str, str]] = []
    subject = RawSocket(port)
    body = await subject.body(name, mode)
    count = await subject.run(name, mode, through='model', observer=lambda kind, piece: seen.append((kind, piece)))
    await subject.aclose()

    assert body == b''.join(STREAMS[name].frames)
    assert count == len(STREAMS[name].frames)
    assert seen == [('bytes', '')]


# The server.


async def test_a_conversation_goes_on_with_a_call_and_then_a_text(port: int) -> None:
    user = {'type': 'message', 'role': 'user'}
    output = {'type': 'function_call_output', 'call_id': 'call_1', 'output': 'found'}

    async with httpx2.AsyncClient(base_url=f'http://127.0.0.1:{port}') as client:
        url = '/talk/chunks/responses'
        answers = [await client.post(url, json={'input': items}) for items in ([user], [user, output], [user])]
        stats = (await client.get('/stats')).json()
        after = (await client.get('/reset')).json()

    first, text, again = (answer.content for answer in answers)
    assert b'"type":"function_call"' in first
    assert b'"type":"function_call"' not in text
    # Another call has other ids, and is as long.
    assert (again != first, len(again)) == (True, len(first))
    sizes = [len(answer.request.content) for answer in answers]
    assert stats['turns'] == sizes
    assert (stats['requests'], stats['body_bytes'], stats['last_body_bytes']) == (3, sum(sizes), sizes[-1])
    assert after['turns'] == []


@pytest.mark.parametrize(
    ('path', 'body', 'status'),
    [
        ('/nowhere/chunks/responses', '{}', 404),
        ('/a/slowly/responses', '{}', 404),
        ('/talk/chunks/responses', '{"input": [{"type": "reasoning"}]}', 400),
        ('/talk/chunks/responses', '{}', 400),
        ('/talk/chunks/responses', 'no JSON', 400),
    ],
)
async def test_a_mistake_is_told(path: str, body: str, status: int, port: int) -> None:
    async with httpx2.AsyncClient(base_url=f'http://127.0.0.1:{port}') as client:
        answer = await client.post(path, content=body)

    assert answer.status_code == status
    assert answer.json()['detail']


@pytest.mark.parametrize(
    'body',
    [
        pytest.param(b'content-length: 11\r\n\r\nhello world', id='length'),
        pytest.param(b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\n\r\n', id='chunked'),
        pytest.param(b'Expect: 100-Continue\r\nContent-Length: 11\r\n\r\nhello world', id='expect'),
    ],
)
@pytest.mark.parametrize('size', [1, 7, 1000])
def test_requests_are_read_wherever_they_are_cut(body: bytes, size: int) -> None:
    told: list[str] = []
    reader = RequestReader(lambda: told.append('go on'))
    sent = 2 * (b'POST /a/chunks HTTP/1.1\r\nhost: x\r\n' + body)

    pieces = (sent[start : start + size] for start in range(0, len(sent), size))
    requests = [request for piece in pieces for request in reader.receive(piece)]

    assert [(each.method, each.path, each.body) for each in requests] == 2 * [('POST', '/a/chunks', b'hello world')]
    assert len(told) == (2 if b'Expect' in body else 0)


def test_the_command_serves_until_its_input_ends() -> None:
    command = [sys.executable, '-m', 'benchmarks.server']
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError('the pipes were asked for')
        port = json.loads(process.stdout.readline())['port']
        with httpx2.Client() as client:
            answer = client.post(f'http://127.0.0.1:{port}/d/chunks/responses', json={})
            process.stdin.close()  # while the client keeps its connection
            code = process.wait(timeout=60)

    assert answer.content == b''.join(STREAMS['d'].frames)
    assert code == 0
