"""The settings of a `CodexModel`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from pydantic_ai.exceptions import UnsupportedSettingWarning
from pydantic_ai.settings import ModelSettings

from .. import _environment
from .._protocol.model_facts import Effort, ModelInfo
from .._protocol.model_names import ChosenEffort, ModelName, WireEffort, choose_effort
from .._protocol.requests import ReasoningSummary, Verbosity
from ..errors import ConfigurationError

EffortPolicy: TypeAlias = Literal['clamp', 'error']
Commentary: TypeAlias = Literal['text', 'thinking']
InstructionsMode: TypeAlias = Literal['official', 'agent', 'auto']


class CodexModelSettings(ModelSettings, total=False):
    """Settings for a request to a `CodexModel`, beside pydantic-ai's own.

    Of pydantic-ai's settings `thinking`, `tool_choice`, `parallel_tool_calls`, `service_tier`, `timeout`,
    `extra_headers` and `extra_body` are sent. `extra_headers` and `extra_body` win over everything but the login.
    The backend refuses `max_tokens`, `temperature`, `top_p` and their like, so these are left out.
    """

    codex_reasoning_effort: Effort
    """How much the model thinks. Wins over `thinking`, the model name's suffix and `CODEX_REASONING_EFFORT`; clamped to
    what the model takes. On the wire `reasoning.effort`."""

    codex_effort_policy: EffortPolicy
    """What becomes of an effort that the model does not take: `clamp`, the next higher one that it takes, or else its
    highest, is sent, with an `UnsupportedSettingWarning`; `error`, a `UserError`, and nothing is sent. Default `clamp`.
    Not on the wire."""

    codex_reasoning_summary: ReasoningSummary
    """The summary of the thinking that is streamed; default `auto`, `none` asks for none. On the wire
    `reasoning.summary`."""

    codex_text_verbosity: Verbosity
    """How long the answers are; default the model's own. On the wire `text.verbosity`."""

    codex_prompt_cache_key: str
    """What the prompt cache goes by, beside the session headers; default the conversation's id. On the wire
    `prompt_cache_key`."""

    codex_commentary: Commentary
    """What becomes of the messages that the model marks as `commentary`, said on the way to its answer: `text`, a part of
    the output, or `thinking`. Default `thinking` where the output is read as JSON (native and prompted output), which
    it would break, else `text`. Not on the wire."""

    codex_instructions: InstructionsMode
    """Which instructions are sent: `official`, those of the model family, which are fetched from the releases of the Codex
    CLI, with the agent's own as the first developer message; `agent`, only the agent's own. Default `auto`: official for
    slugs that hold `codex` and for an agent without instructions, else the agent's own; with `CODEX_MODE=0` it is
    `agent`."""

    codex_instructions_ref: str
    """The release of the Codex CLI whose instructions are taken, such as `rust-v0.169.0`, or a commit; default the newest,
    or the one that the conversation began with. Not on the wire."""


_PREFIX: Final = 'codex_'
_OURS: Final = sorted(name for name in CodexModelSettings.__annotations__ if name.startswith(_PREFIX))


def check_names(settings: Mapping[str, Any]) -> None:
    """Refuse a setting that has our prefix and is none of ours: it is a slip of the pen.

    Raises:
        ConfigurationError: If there is one.
    """
    if unknown := sorted(name for name in settings if name.startswith(_PREFIX) and name not in _OURS):
        raise ConfigurationError(f'There is no setting {unknown[0]!r}; there are {", ".join(_OURS)}.')


def choice(settings: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str | None:
    """A setting that takes one of a few words.

    Raises:
        ConfigurationError: If it is none of them.
    """
    value = settings.get(name)
    if value is None or value in choices:
        return value
    raise ConfigurationError(f'The setting `{name}` takes one of {", ".join(choices)}, not {value!r}.')


def parallel_tool_calls(settings: Mapping[str, Any]) -> bool | None:
    """The setting `parallel_tool_calls`, or `None` for the backend's own way.

    Raises:
        ConfigurationError: If it is neither true nor false.
    """
    value: object = settings.get('parallel_tool_calls')
    if isinstance(value, bool | None):
        return value
    raise ConfigurationError(f'The setting `parallel_tool_calls` takes true or false, not {value!r}.')


def wire_effort(
    settings: Mapping[str, Any], thinking: object, name: ModelName, info: ModelInfo | None = None
) -> WireEffort | None:
    """The effort of a request, or `None` for the model's own.

    Args:
        settings: The settings of the request.
        thinking: pydantic-ai's `thinking`, as it stands in the request's parameters.
        name: The model.
        info: What the catalog says of the model; by default what this package knows.

    Raises:
        ConfigurationError: If a setting or the environment names no effort, or one that the model does not take and
            `codex_effort_policy` is `error`.
    """
    if not isinstance(thinking, bool | str | None):
        raise ConfigurationError(
            f'The setting `thinking` takes true, false or an effort such as "high", not {thinking!r}.'
        )
    policy = choice(settings, 'codex_effort_policy', ('clamp', 'error'))
    info = info or name.facts
    chosen = choose_effort(
        name,
        info=info,
        setting=settings.get('codex_reasoning_effort'),
        thinking=thinking,
        default=_environment.read('CODEX_REASONING_EFFORT'),
    )
    if chosen.is_clamped and info is not None:
        problem = _effort_problem(chosen, info)
        if policy == 'error':
            raise ConfigurationError(f'{problem} Ask for one of these, or set `codex_effort_policy` to "clamp".')
        _warn(f'{problem} {chosen.effort!r} is sent.')
    return chosen.effort


def wire_tier(settings: Mapping[str, Any], name: ModelName, info: ModelInfo | None = None) -> str | None:
    """The service tier of a request, or `None` for the plan's own.

    Args:
        settings: The settings of the request.
        name: The model.
        info: What the catalog says of the model; by default what this package knows.

    Raises:
        ConfigurationError: If the setting `service_tier` names none.
    """
    tier = choice(settings, 'service_tier', ('auto', 'default', 'flex', 'priority'))
    where = 'the setting `service_tier`'
    if tier is None and name.fast:
        tier, where = 'priority', 'the model name'
    # Captured: the CLI leaves the field out for the plan's own tier.
    if tier not in ('flex', 'priority'):
        return None
    info = info or name.facts
    # The list knows of the fast tier only; `flex` goes out whatever it says (captured).
    tiers = None if info is None else info.service_tiers
    if tier == 'flex' or tiers is None or tier in tiers:
        return tier
    _warn(
        f'Model {name.slug!r} has no service tier {tier!r}, which {where} asks for; it has '
        f'{", ".join(tiers) or "none"}. The request goes out without one.'
    )
    return None


def _effort_problem(chosen: ChosenEffort, info: ModelInfo) -> str:
    always = ', as it always thinks' if chosen.asked == 'none' else ''
    return (
        f'Model {info.slug!r} does not take the reasoning effort {chosen.asked!r}, which {chosen.where} asks for'
        f'{always}; it takes {", ".join(info.efforts)}.'
    )


def _warn(message: str) -> None:
    # Between here and whoever asked stand frames of pydantic-ai, of which no number can be told.
    warnings.warn(message, UnsupportedSettingWarning)  # noqa: B028
