"""Compactions and summaries: what of a history is still sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from inline_snapshot import snapshot
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    CompactionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex._model.history.messages import map_messages
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, compaction, reply, say, turn

pytestmark = pytest.mark.anyio

Send: TypeAlias = Callable[[Sequence[ModelMessage]], Awaitable[list[dict[str, Any]]]]

OPENING = ModelRequest([SystemPromptPart('Be kind.'), SystemPromptPart('Be brief.'), UserPromptPart('Hi')])
GO_ON = ModelRequest.user_text_prompt('Go on')


def sealed(account: str | None = None, provider_name: str = 'codex') -> CompactionPart:
    details = {'encrypted_content': 'gAAAA', **({'account': account} if account else {})}
    return CompactionPart(id='cmp_1', provider_name=provider_name, provider_details=details)


def shown(items: list[dict[str, Any]]) -> list[str]:
    """The items in short: messages by role and text, others by type."""
    return [
        f'{item["role"]}: {item["content"][0]["text"]}' if item['type'] == 'message' else item['type'] for item in items
    ]


def mapped(
    *parts: ModelResponsePart, before: Sequence[ModelMessage] = (OPENING,), account: str | None = None
) -> list[dict[str, Any]]:
    """The items of a response, with requests around it."""
    return map_messages(
        [*before, ModelResponse(list(parts)), GO_ON],
        accepts_reasoning=lambda _, part: part.provider_name == 'codex',
        account=account,
    )


async def test_a_compaction_of_the_backend_stands_for_what_was_before_it() -> None:
    simulator = CodexSimulator(turn(compaction(), say('Compacted.')), reply('ok'))
    model = simulator.model('gpt-5.5')
    history: list[ModelMessage] = [OPENING, ModelResponse([TextPart('Hello')]), GO_ON]
    response = await model.request(history, None, ModelRequestParameters())

    await model.request([*history, response, GO_ON], None, ModelRequestParameters())

    body = simulator.requests[1].body
    assert body is not None
    assert shown(body['input']) == snapshot(
        ['developer: Be kind.', 'developer: Be brief.', 'compaction', 'assistant: Compacted.', 'user: Go on']
    )


def test_the_item_of_a_compaction() -> None:
    assert mapped(sealed(), before=[]) == snapshot(
        [
            {'type': 'compaction', 'encrypted_content': 'gAAAA', 'id': 'cmp_1'},
            {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Go on'}]},
        ]
    )


@pytest.mark.parametrize('item_id', [None, 'summary-1', 'cmp_' + 'x' * 64])
def test_an_id_of_a_compaction_that_the_backend_would_refuse_is_left_out(item_id: str | None) -> None:
    part = replace(sealed(), id=item_id)

    assert mapped(part, before=[])[0] == {'type': 'compaction', 'encrypted_content': 'gAAAA'}


def test_what_was_said_before_it_in_the_same_response_is_dropped_too() -> None:
    assert shown(mapped(TextPart('Before'), sealed(), TextPart('After'))) == snapshot(
        ['developer: Be kind.', 'developer: Be brief.', 'compaction', 'assistant: After', 'user: Go on']
    )


def test_the_output_of_a_call_that_was_compacted_is_quoted() -> None:
    messages = [
        OPENING,
        ModelResponse([ToolCallPart('look', {}, 'call_1'), sealed()]),
        ModelRequest([ToolReturnPart('look', 'a cat', 'call_1')]),
    ]

    items = map_messages(messages, accepts_reasoning=lambda response, part: True)

    assert [item['type'] for item in items] == ['message', 'message', 'compaction', 'message']
    assert 'a cat' in items[-1]['content'][0]['text']


def test_the_last_of_several_compactions_counts() -> None:
    first = [OPENING, ModelResponse([sealed()]), ModelRequest.user_text_prompt('Between')]

    assert shown(mapped(sealed(), before=first)) == snapshot(
        ['developer: Be kind.', 'developer: Be brief.', 'compaction', 'user: Go on']
    )


@pytest.mark.parametrize(
    'part',
    [sealed(account='b'), sealed(provider_name='anthropic'), CompactionPart(provider_name='codex')],
    ids=['other-account', 'other-service', 'empty'],
)
def test_a_compaction_that_cannot_be_read_leaves_the_history_as_it_is(part: CompactionPart) -> None:
    items = mapped(part, TextPart('After'), account='a')

    assert shown(items) == [
        'developer: Be kind.',
        'developer: Be brief.',
        'user: Hi',
        'assistant: After',
        'user: Go on',
    ]


@pytest.mark.parametrize('before', [[], [ModelRequest([SystemPromptPart('Be kind.')])]], ids=['nothing', 'prompts'])
def test_a_compaction_that_cannot_be_read_and_has_no_history_is_an_error(before: list[ModelMessage]) -> None:
    with pytest.raises(ConfigurationError, match=r'compaction of codex that this account cannot read.*CompactionPart'):
        mapped(sealed(account='b'), before=before, account='a')


async def test_that_error_is_a_user_error(send: Send) -> None:
    with pytest.raises(UserError, match='compaction of anthropic'):
        await send([ModelResponse([sealed(provider_name='anthropic')]), GO_ON])


async def test_a_readable_summary_of_another_service_stands_for_the_history(send: Send) -> None:
    part = CompactionPart('They talked about cats.', provider_name='anthropic')

    assert shown(await send([OPENING, ModelResponse([part, TextPart('So.')]), GO_ON])) == snapshot(
        [
            'developer: Be kind.',
            'developer: Be brief.',
            """\
user: <pyai:conversation_summary>
This summary stands for the earlier part of the conversation. It says what happened there, and asks for nothing.

They talked about cats.
</pyai:conversation_summary>\
""",
            'assistant: So.',
            'user: Go on',
        ]
    )


async def test_a_summary_of_the_application_is_told_in_the_voice_of_the_user(send: Send) -> None:
    summary: Any = CompactionPart('They talked about cats.')

    assert shown(await send([ModelRequest([summary, UserPromptPart('Go on')])])) == snapshot(
        [
            """\
user: <pyai:conversation_summary>
This summary stands for the earlier part of the conversation. It says what happened there, and asks for nothing.

They talked about cats.
</pyai:conversation_summary>\
""",
            'user: Go on',
        ]
    )
