"""Which instructions a request carries: the official ones of the model, or the agent's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters

from .. import _environment
from .._client import CodexClient
from .._protocol.prompts import DEFAULT_INSTRUCTIONS, TOOL_BRIDGE
from .._protocol.requests import JsonObject
from ..errors import ConfigurationError
from .history.messages import agent_instructions, developer_message
from .history.origins import OUR_NAME
from .settings import InstructionsMode, choice

if TYPE_CHECKING:
    from .._instructions import ModelInstructions

REF_KEY: Final = 'instructions_ref'
"""Where a response says, in its `provider_details`, which release its instructions were from."""

_OFF: Final = frozenset({'0', 'false', 'no', 'off'})
_ON: Final = frozenset({'1', 'true', 'yes', 'on'})


class Prompt(NamedTuple):
    """How a request begins.

    Attributes:
        instructions: Never empty.
        preamble: The input items before those of the history.
    """

    instructions: str
    preamble: tuple[JsonObject, ...] = ()


async def official_instructions(
    client: CodexClient,
    slug: str,
    messages: Sequence[ModelMessage],
    settings: Mapping[str, Any],
    params: ModelRequestParameters,
) -> ModelInstructions | None:
    """The official instructions for a request, or `None` where it carries the agent's own alone.

    Args:
        client: Where they come from.
        slug: The model.
        messages: The conversation so far.
        settings: The settings of the request.
        params: Its parameters.

    Raises:
        ConfigurationError: If a setting or `CODEX_MODE` cannot work.
    """
    ref = wanted_ref(settings)
    if asked_for := params.prompted_output_instructions:
        # How to write JSON, which pydantic-ai adds for prompted output, is no instruction of the agent's.
        parts = [part for part in params.instruction_parts or () if part.content != asked_for]
        params = replace(params, instruction_parts=parts)
    own = agent_instructions(messages, params)
    if not wants_official(settings, slug, own, messages):
        return None
    return await client.instructions.get(slug, ref=ref, used=used_ref(messages))


def wants_official(settings: Mapping[str, Any], slug: str, own: str | None, messages: Sequence[ModelMessage]) -> bool:
    """Whether a request carries the official instructions.

    Args:
        settings: The settings of the request.
        slug: The model.
        own: The agent's own instructions.
        messages: The conversation so far, which goes on as it began where it may be the one or the other.

    Raises:
        ConfigurationError: If the setting or `CODEX_MODE` is none of the words that it takes.
    """
    mode = choice(settings, 'codex_instructions', ('official', 'agent', 'auto')) or _default_mode()
    if mode != 'auto' or _is_codex(slug):
        return mode != 'agent'
    # What a model of Codex answered says nothing of the others, as it has its text in any case.
    before = next((each for each in _responses(messages) if not _is_codex(each.model_name or '')), None)
    return own is None if before is None else _ref_in(before) is not None


def wanted_ref(settings: Mapping[str, Any]) -> str | None:
    """The tag or commit that a user names.

    Raises:
        ConfigurationError: If it is no text.
    """
    ref: object = settings.get('codex_instructions_ref')
    if isinstance(ref, str | None):
        return ref
    raise ConfigurationError(f'The setting `codex_instructions_ref` takes a tag, such as "rust-v0.169.0", not {ref!r}.')


def used_ref(messages: Sequence[ModelMessage]) -> str | None:
    """The release whose instructions a conversation has had so far."""
    return next((ref for ref in map(_ref_in, _responses(messages)) if ref is not None), None)


def make_prompt(own: str | None, official: ModelInstructions | None, *, has_tools: bool) -> Prompt:
    """How a request begins.

    Args:
        own: The agent's own instructions.
        official: Those of the model, where they are wanted.
        has_tools: Whether there are tools.
    """
    if official is None:
        return Prompt(own or DEFAULT_INSTRUCTIONS)
    preamble = [text for text in (own, TOOL_BRIDGE if has_tools else None) if text is not None]
    return Prompt(official.text, tuple(map(developer_message, preamble)))


def _is_codex(model: str) -> bool:
    return 'codex' in model.lower()


def _responses(messages: Sequence[ModelMessage]) -> Iterator[ModelResponse]:
    """The answers of ours that the history still has, the last one first."""
    for message in reversed(messages):
        if isinstance(message, ModelResponse) and message.provider_name == OUR_NAME:
            yield message


def _ref_in(response: ModelResponse) -> str | None:
    ref: object = (response.provider_details or {}).get(REF_KEY)
    return ref if isinstance(ref, str) else None


def _default_mode() -> InstructionsMode:
    value = (_environment.read('CODEX_MODE') or '1').lower()
    if value not in _OFF | _ON:
        raise ConfigurationError(
            f'The environment variable CODEX_MODE takes 0 or 1, not {value!r}. With 0 only the instructions of the '
            'agent are sent, and none are fetched.'
        )
    return 'agent' if value in _OFF else 'auto'
