from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import (
    call,
    call_tool,
    fail,
    fail_in_stream,
    output_item,
    reply,
    say,
    shell_call,
    think,
    turn,
)


def test_calls() -> None:
    assert [
        call('f').arguments,
        call('f', x=1).arguments,
        call('f', {'é': 1}).arguments,
        call('f', '{oops').arguments,
    ] == [
        '{}',
        '{"x": 1}',
        '{"é": 1}',
        '{oops',
    ]
    assert call('f', call_id='call_x').call_id == 'call_x'


def test_shortcuts() -> None:
    assert reply('Hi', thinking='Hm', delay=1) == turn(think('Hm'), say('Hi'), delay=1)
    assert reply('Hi') == turn(say('Hi'))
    assert call_tool('f', x=1, thinking=['a', 'b']) == turn(think(['a', 'b']), call('f', x=1))
    assert fail_in_stream('slow_down', 'Wait.', delay=1) == turn(
        ending='failed', error_code='slow_down', error_message='Wait.', delay=1
    )


def test_one_text_or_several() -> None:
    assert think('a', raw='b') == think(['a'], raw=['b'])
    assert think() == think([], raw=[])


def test_failures() -> None:
    assert [
        failure.body
        for failure in (
            fail(404),
            fail(599),
            fail(400, detail='No.'),
            fail(503, code='server_is_overloaded', message='Later.'),
            fail(429, error_type='usage_not_included'),
            fail(502, body='bad gateway'),
        )
    ] == snapshot(
        [
            {'detail': 'Not Found'},
            {'detail': 'Status 599'},
            {'detail': 'No.'},
            {'error': {'message': 'Later.', 'code': 'server_is_overloaded'}},
            {'error': {'type': 'usage_not_included'}},
            'bad gateway',
        ]
    )


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: turn(cut_after=1, end_after=2), 'one way only, not by cut_after and end_after'),
        (lambda: turn(stall_after=-1), 'stall_after=-1'),
        (lambda: turn(chunk_bytes=0), 'chunk_bytes=0'),
        (lambda: turn(delay=-1), 'delay=-1'),
        (lambda: fail(200), 'status=200'),
        (lambda: call('f', {}, x=1), "'f' has both"),
        (lambda: shell_call('ls -l'), "'ls -l' is one string"),
        (lambda: output_item({'id': 'x'}), 'has no type'),
    ],
)
def test_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()
