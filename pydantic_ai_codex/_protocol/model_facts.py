"""What is known of each model; facts only, no rule.

Sources of the rows: *catalog*, the list that Codex CLI 0.169.0 ships (captured); *reports*, public lists of the
models that a ChatGPT plan served before, now no longer in the catalog.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Effort: TypeAlias = Literal['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra']
"""A reasoning effort as a user may write it, from least to most; `ultra` has no wire value of its own."""

EFFORTS: Final[tuple[Effort, ...]] = ('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra')


class ModelFacts(NamedTuple):
    """What is known of one model.

    Attributes:
        efforts: The efforts it takes, from least to most. Without `none` the model always thinks.
        default_effort: The effort when nobody chooses one.
        context_window: Tokens of context by default, or `None` where unknown.
        listed: Whether the catalog offers it to users; false for hidden and for retired models.
    """

    efforts: tuple[Effort, ...]
    default_effort: Effort
    context_window: int | None
    listed: bool = False


_LOW_TO_HIGH: Final[tuple[Effort, ...]] = ('low', 'medium', 'high')
_LOW_TO_XHIGH: Final[tuple[Effort, ...]] = ('low', 'medium', 'high', 'xhigh')
_LOW_TO_MAX: Final[tuple[Effort, ...]] = ('low', 'medium', 'high', 'xhigh', 'max')
_LOW_TO_ULTRA: Final[tuple[Effort, ...]] = ('low', 'medium', 'high', 'xhigh', 'max', 'ultra')
_NONE_TO_HIGH: Final[tuple[Effort, ...]] = ('none', 'minimal', 'low', 'medium', 'high')
_NONE_TO_XHIGH: Final[tuple[Effort, ...]] = ('none', 'low', 'medium', 'high', 'xhigh')

MODEL_FACTS: Final[dict[str, ModelFacts]] = {
    # The catalog.
    'gpt-6.1-sol': ModelFacts(_LOW_TO_ULTRA, 'low', 272_000, listed=True),
    'gpt-6-astra': ModelFacts(_LOW_TO_ULTRA, 'low', 272_000, listed=True),
    'gpt-6-sol': ModelFacts(_LOW_TO_ULTRA, 'medium', 272_000, listed=True),
    'gpt-6-luna': ModelFacts(_LOW_TO_MAX, 'medium', 272_000, listed=True),
    'gpt-5.6-sol': ModelFacts(_LOW_TO_ULTRA, 'low', 272_000, listed=True),
    'gpt-6.1-terra': ModelFacts(_LOW_TO_ULTRA, 'low', 500_000, listed=True),
    'gpt-5.6-terra': ModelFacts(_LOW_TO_ULTRA, 'medium', 272_000, listed=True),
    'gpt-5.6-luna': ModelFacts(_LOW_TO_MAX, 'medium', 272_000, listed=True),
    'gpt-daybreak-blue-latest': ModelFacts(_LOW_TO_ULTRA, 'low', 272_000),
    'gpt-daybreak-red-latest': ModelFacts(_LOW_TO_ULTRA, 'medium', 372_000),
    'gpt-5.5': ModelFacts(_LOW_TO_XHIGH, 'medium', 272_000, listed=True),
    'codex-auto-review': ModelFacts(_LOW_TO_MAX, 'medium', 272_000),
    # Reports. The clamps of the four 5.1 models are those of the LiteLLM provider that this package replaces;
    # the Codex ones always think, so `none` and `minimal` are their lowest.
    'gpt-5.4': ModelFacts(_NONE_TO_XHIGH, 'medium', 272_000),
    'gpt-5.3-codex': ModelFacts(_LOW_TO_XHIGH, 'medium', 400_000),
    'gpt-5.3-codex-spark': ModelFacts(_LOW_TO_XHIGH, 'medium', None),
    'gpt-5.2-codex': ModelFacts(_LOW_TO_XHIGH, 'medium', 400_000),
    'gpt-5.2': ModelFacts(_NONE_TO_XHIGH, 'medium', 400_000),
    'gpt-5.1-codex-max': ModelFacts(_LOW_TO_XHIGH, 'medium', 400_000),
    'gpt-5.1-codex-mini': ModelFacts(('medium', 'high'), 'medium', 400_000),
    'gpt-5.1-codex': ModelFacts(_LOW_TO_HIGH, 'medium', 400_000),
    'gpt-5.1': ModelFacts(_NONE_TO_HIGH, 'medium', 400_000),
    'gpt-5-mini': ModelFacts(('minimal', 'low', 'medium', 'high'), 'medium', 264_000),
    'codex-mini-latest': ModelFacts(_LOW_TO_HIGH, 'medium', 200_000),
    'o3': ModelFacts(_LOW_TO_HIGH, 'medium', 200_000),
    'o4-mini': ModelFacts(_LOW_TO_HIGH, 'medium', 200_000),
}
"""Every known slug."""

MODEL_ALIASES: Final[dict[str, str]] = {
    'gpt-5': 'gpt-5.1',
    'gpt-5-codex': 'gpt-5.1-codex',
    'gpt-5-codex-max': 'gpt-5.1-codex-max',
    'gpt-5-codex-mini': 'gpt-5.1-codex-mini',
}
"""Names that stand for another slug."""
