"""What the benchmark says of a subject that does not yield what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.checks import Outcome, SameEvents, problems
from benchmarks.streams import Expected

EXPECTED = Expected(
    deltas=(('thinking', 'Hm'), ('thinking', '.'), ('text', 'Yes'), ('text', ', sir'), ('args', '{'), ('args', '}')),
    parts=(
        {'kind': 'thinking', 'content': 'Hm.', 'signature': 'sealed'},
        {'kind': 'text', 'content': 'Yes, sir'},
        {'kind': 'tool-call', 'tool_name': 'look', 'tool_call_id': 'call_1', 'args': '{}'},
    ),
    usage={'input_tokens': 10, 'output_tokens': 6},
)
EXACT = Outcome(EXPECTED.deltas, EXPECTED.parts, EXPECTED.usage)


def of_kinds(*kinds: str) -> list[tuple[str, str]]:
    """The deltas of these kinds, as they were sent."""
    return [delta for delta in EXPECTED.deltas if delta[0] in kinds]


def test_what_was_sent_is_no_problem() -> None:
    assert problems(EXPECTED, EXACT) == []


@pytest.mark.parametrize(
    ('deltas', 'problem'),
    [
        (
            [*of_kinds('thinking'), ('text', 'Yes, sir'), *of_kinds('args')],
            '2 text deltas are merged into 1.',
        ),
        (
            [*of_kinds('thinking', 'text'), *(('args', piece) for piece in ('{', '', '}'))],
            '2 argument deltas are cut into 3.',
        ),
        (
            [*of_kinds('thinking'), ('text', 'Yes,'), ('text', ' sir'), *of_kinds('args')],
            'The 2 text deltas are cut in other places.',
        ),
        (of_kinds('text', 'args'), 'All 2 reasoning deltas are missing.'),
        (
            [*of_kinds('thinking'), ('text', 'Yes'), ('text', ', madam'), *of_kinds('args')],
            "Of 2 text deltas 2 came, and their text differs from number 1 on (', madam' instead of ', sir').",
        ),
        (
            [*of_kinds('thinking'), ('text', 'Yes'), *of_kinds('args')],
            'Of 2 text deltas 1 came, and their text differs at the end.',
        ),
        (
            [*of_kinds('text', 'thinking', 'args'), ('sound', 'beep')],
            'There are deltas of an unknown kind: sound.',
        ),
        (
            [*of_kinds('text'), *of_kinds('thinking'), *of_kinds('args')],
            'The deltas are all there, and not in the order of the wire.',
        ),
    ],
)
def test_deltas_that_differ(deltas: Sequence[tuple[str, str]], problem: str) -> None:
    assert problems(EXPECTED, replace(EXACT, deltas=deltas)) == [problem]


def test_deltas_that_nobody_sent() -> None:
    silent = replace(EXPECTED, deltas=())

    assert problems(silent, replace(EXACT, deltas=[('text', 'Yes')])) == [
        'There are 1 text deltas, and none was sent.',
    ]


@pytest.mark.parametrize(
    ('number', 'change', 'problem'),
    [
        (0, {'signature': None}, 'Part 0 (thinking) has no signature.'),
        (1, {'content': 'No'}, 'Part 1 (text) has another content.'),
        (2, {'tool_name': 'see', 'args': None}, 'Part 2 (tool-call) has no args, another tool_name.'),
    ],
)
def test_parts_that_differ(number: int, change: dict[str, Any], problem: str) -> None:
    parts = [{**part, **change} if index == number else part for index, part in enumerate(EXPECTED.parts)]

    assert problems(EXPECTED, replace(EXACT, parts=parts)) == [problem]


def test_other_parts() -> None:
    assert problems(EXPECTED, replace(EXACT, parts=[EXPECTED.parts[1], EXPECTED.parts[1]])) == [
        'The parts are 2 x text instead of 1 x thinking, 1 x text, 1 x tool-call.',
    ]


def test_usage_that_differs() -> None:
    assert problems(EXPECTED, replace(EXACT, usage={'input_tokens': 9})) == [
        'The usage says input_tokens = 9 instead of 10.',
        'The usage says output_tokens = None instead of 6.',
    ]


def test_a_timed_run_has_as_many_events_as_the_checked_one() -> None:
    events = SameEvents()
    for stream, through, count in (('a', 'model', 7), ('a', 'agent', 9), ('a', 'model', 7)):
        events.see(stream, through, count)

    with pytest.raises(RuntimeError, match='Stream a had 6 events through the model, and 7 when checked'):
        events.see('a', 'model', 6)
