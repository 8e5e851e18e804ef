"""Any field of any event may be of any type: what comes of it is an answer, or an error that a `FallbackModel` knows."""

from __future__ import annotations

import copy
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, cast

import pytest
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex.testing import CodexSimulator, raw_stream

from .frames import (
    Frame,
    added,
    annotation,
    args,
    args_done,
    call,
    completed,
    created,
    custom,
    data,
    done,
    image,
    message,
    output_text,
    partial_image,
    raw,
    reasoning,
    refusal,
    refusal_part,
    search,
    shell,
    summary,
    summary_part_done,
    text,
    text_done,
    typed,
)

CITED = {'type': 'url_citation', 'url': 'https://example.org', 'title': 'x', 'start_index': 0, 'end_index': 2}
LOGPROBS: list[Frame] = [{'token': 'Hi', 'logprob': -0.5}]
DRAWN = b64encode(b'image').decode()
USAGE = {
    'input_tokens': 2,
    'input_tokens_details': {'cached_tokens': 1},
    'output_tokens': 2,
    'output_tokens_details': {'reasoning_tokens': 1},
}
FRAMES = [
    created(),
    added(reasoning(sealed=None), 0),
    summary('Hm.', index=0),
    summary_part_done('Hm.', index=0),
    raw('Why?', index=0),
    done(reasoning('Hm.', raw=['Why?']), 0),
    added(message(content=[], phase='commentary'), 1),
    text('Hi', index=1),
    annotation(CITED),
    text_done('Hi', index=1, logprobs=LOGPROBS),
    refusal('No.', index=1, part=1),
    done(message(content=[output_text('Hi', annotations=[CITED], logprobs=LOGPROBS), refusal_part('No.')]), 1),
    added(call(namespace='maps'), 2),
    args('{"a":', index=2),
    args_done('{"a":1}', index=2),
    done(call('{"a":1}', namespace='maps'), 2),
    added(custom(), 3),
    typed('free', index=3),
    done(custom('free text'), 3),
    done(shell({'type': 'exec', 'command': ['ls'], 'env': {}}), 4),
    added(search(status='in_progress'), 5),
    done(search({'type': 'search', 'query': 'x', 'sources': [{'type': 'url', 'url': 'y'}]}), 5),
    added(image(status='in_progress'), 6),
    partial_image(DRAWN, index=6),
    done(image(DRAWN, status='generating', output_format='png', size='1x1', revised_prompt='x'), 6),
    done({'type': 'compaction', 'id': 'cmp_1', 'encrypted_content': 'sealed'}, 7),
    done({'type': 'not_yet_invented', 'id': 'x_1', 'more': [1]}, 8),
    completed(usage=USAGE, service_tier='default', model='gpt-x', output=[message('Hi', item_id='msg_2')]),
]
WRONG: list[object] = [None, True, 7, 'x', [None, 1], {'id': {}}]


def places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a frame holds something, however deep."""
    if place:
        yield place
    if isinstance(value, dict):
        for key, inner in cast(Frame, value).items():
            yield from places(inner, (*place, key))
    elif isinstance(value, list):
        for key, inner in enumerate(cast('list[object]', value)):
            yield from places(inner, (*place, key))


def changed(frame: Frame, place: tuple[str | int, ...], value: object) -> Frame:
    copied: Any = copy.deepcopy(frame)
    holder = copied
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return copied


@pytest.mark.parametrize('number', range(len(FRAMES)), ids=lambda number: f'{number} {FRAMES[number]["type"]}')
@pytest.mark.anyio
async def test_a_wrong_type_is_at_most_an_error_of_the_model(number: int) -> None:
    before, after = b''.join(map(data, FRAMES[:number])), b''.join(map(data, FRAMES[number + 1 :]))
    streams = [
        before + data(changed(FRAMES[number], place, value)) + after
        for place in places(FRAMES[number])
        for value in WRONG
    ]
    model = CodexSimulator(*map(raw_stream, streams)).model()
    outcomes: set[str] = set()
    for _ in streams:
        try:
            response = await model.request([ModelRequest.user_text_prompt('Hello')], None, ModelRequestParameters())
            outcomes.add('an answer' if response.parts else 'nothing')
        except ModelAPIError:
            outcomes.add('an error')

    assert outcomes <= {'an answer', 'an error'}
