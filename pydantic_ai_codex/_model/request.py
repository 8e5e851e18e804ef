"""A history, settings and parameters to a `CodexRequest`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import ModelRequestParameters

from .._protocol.model_facts import ModelInfo
from .._protocol.model_names import ModelName
from .._protocol.request_headers import session_id_for
from .._protocol.requests import CodexRequest, EncodedJSON, ReasoningSummary, Verbosity
from ..errors import ConfigurationError
from .history.messages import map_messages
from .history.turns import turn_state_of, window_of
from .settings import choice, parallel_tool_calls, wire_effort, wire_tier
from .tools import map_text_format, map_tool_choice

if TYPE_CHECKING:
    from .instructions import Prompt


def build_request(
    messages: Sequence[ModelMessage],
    settings: Mapping[str, Any],
    params: ModelRequestParameters,
    *,
    name: ModelName,
    info: ModelInfo | None,
    tools: EncodedJSON | None,
    prompt: Prompt,
    accepts_reasoning: Callable[..., bool],
    account: str | None,
) -> CodexRequest:
    """The request that goes out.

    Args:
        messages: The history, its files downloaded.
        settings: The settings of the request.
        params: Its parameters, prepared.
        name: The model as it was named.
        info: What is known of the model.
        tools: Its tools as JSON.
        prompt: Its instructions.
        accepts_reasoning: Whether encrypted reasoning of a response can go back to this backend.
        account: The tag of the account that asks.

    Raises:
        ConfigurationError: If a setting, or a part of the history, cannot work.
    """
    conversation_id = next((m.conversation_id for m in reversed(messages) if m.conversation_id), None)
    cache_key: object = settings.get('codex_prompt_cache_key')
    if not isinstance(cache_key, str | None) or cache_key == '':
        raise ConfigurationError(f'The setting `codex_prompt_cache_key` takes a text, not {cache_key!r}.')
    extra_body: object = settings.get('extra_body') or {}
    if not isinstance(extra_body, Mapping):
        raise ConfigurationError(f'The setting `extra_body` takes a mapping, not {type(extra_body).__name__}.')
    items = map_messages(messages, accepts_reasoning=accepts_reasoning, account=account)
    return CodexRequest(
        model=name.slug,
        instructions=prompt.instructions,
        input=[*prompt.preamble, *items],
        tools=tools,
        tool_choice=map_tool_choice(settings, params),
        parallel_tool_calls=parallel_tool_calls(settings),
        effort=wire_effort(settings, params.thinking, name, info),
        summary=cast(
            ReasoningSummary,
            choice(settings, 'codex_reasoning_summary', ('auto', 'concise', 'detailed', 'none')) or 'auto',
        ),
        verbosity=cast('Verbosity | None', choice(settings, 'codex_text_verbosity', ('low', 'medium', 'high'))),
        text_format=map_text_format(params),
        service_tier=wire_tier(settings, name, info),
        session_id=session_id_for(conversation_id or str(uuid4())),
        turn_state=turn_state_of(messages, account),
        window=window_of(messages),
        cache_key=cache_key,
        timeout=settings.get('timeout'),
        extra_headers=settings.get('extra_headers') or {},
        extra_body=cast('Mapping[str, Any]', extra_body),
    )
