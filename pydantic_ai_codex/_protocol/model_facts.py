"""What is known of each model; facts only, no rule.

Sources of the rows: *catalog*, the list that Codex CLI 0.169.0 ships (captured); *reports*, public lists of the
models that a ChatGPT plan served before, now no longer in the catalog. `RETIRED_MODELS` says for each of its rows where
its successor comes from.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Effort: TypeAlias = Literal['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra']
"""A reasoning effort as a user may write it, from least to most; `ultra` has no wire value of its own."""

EFFORTS: Final[tuple[Effort, ...]] = ('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra')


class ModelInfo(NamedTuple):
    """What is known of one model.

    Attributes:
        slug: Its name on the wire.
        efforts: The efforts it takes, from least to most; a newer list may hold words that this package does not know.
            Without `none` the model always thinks.
        default_effort: The effort when nobody chooses one, or `None` where unknown.
        context_window: Tokens of context by default, or `None` where unknown.
        max_context_window: Tokens of context at most, or `None` where unknown.
        service_tiers: The tiers that may be asked for, or `None` where unknown.
        listed: Whether the catalog offers it to users; false for hidden and for retired models.
        priority: Its place in the catalog; the lowest of the listed ones is the default model.
        successor: The model that the catalog recommends instead, or that follows a retired one.
        display_name: Its name for people.
        description: What it is for, in a few words.
        input_modalities: What it reads.
    """

    slug: str
    efforts: tuple[str, ...]
    default_effort: str | None
    context_window: int | None
    max_context_window: int | None = None
    service_tiers: tuple[str, ...] | None = None
    listed: bool = False
    priority: int | None = None
    successor: str | None = None
    display_name: str | None = None
    description: str | None = None
    input_modalities: tuple[str, ...] = ('text', 'image')


class RetiredModel(NamedTuple):
    """A model that a ChatGPT plan served before, and no longer.

    Attributes:
        slug: Its name on the wire.
        successor: What to use instead.
        evidence: Who says so.
    """

    slug: str
    successor: str
    evidence: str


_LOW_TO_HIGH: Final = ('low', 'medium', 'high')
_LOW_TO_XHIGH: Final = (*_LOW_TO_HIGH, 'xhigh')
_LOW_TO_MAX: Final = (*_LOW_TO_XHIGH, 'max')
_LOW_TO_ULTRA: Final = (*_LOW_TO_MAX, 'ultra')
_NONE_TO_HIGH: Final = ('none', 'minimal', *_LOW_TO_HIGH)
_NONE_TO_XHIGH: Final = ('none', *_LOW_TO_XHIGH)


def _bundled(
    priority: int,
    slug: str,
    name: str,
    efforts: tuple[str, ...],
    default_effort: str,
    description: str,
    *,
    window: int = 272_000,
    most: int = 872_000,
    tiers: tuple[str, ...] = ('priority',),
    listed: bool = True,
    successor: str | None = None,
) -> ModelInfo:
    """A row of the catalog; the defaults are what most rows say."""
    return ModelInfo(slug, efforts, default_effort, window, most, tiers, listed, priority, successor, name, description)


CATALOG_MODELS: Final = (
    _bundled(1, 'gpt-6.1-sol', 'GPT-6.1-Sol', _LOW_TO_ULTRA, 'low', 'for most work, newest'),
    _bundled(2, 'gpt-6-astra', 'GPT-6-Astra', _LOW_TO_ULTRA, 'low', 'for the hardest work'),
    _bundled(3, 'gpt-6-sol', 'GPT-6-Sol', _LOW_TO_ULTRA, 'medium', 'for most work'),
    _bundled(4, 'gpt-6-luna', 'GPT-6-Luna', _LOW_TO_MAX, 'medium', 'fast, for easier work'),
    _bundled(5, 'gpt-5.6-sol', 'GPT-5.6-Sol', _LOW_TO_ULTRA, 'low', 'for most work, older', successor='gpt-6-sol'),
    _bundled(7, 'gpt-6.1-terra', 'GPT-6.1 Terra', _LOW_TO_ULTRA, 'low', 'balanced', window=500_000),
    _bundled(8, 'gpt-5.6-terra', 'GPT-5.6-Terra', _LOW_TO_ULTRA, 'medium', 'balanced, older', successor='gpt-6-sol'),
    _bundled(9, 'gpt-5.6-luna', 'GPT-5.6-Luna', _LOW_TO_MAX, 'medium', 'fast, older', successor='gpt-6-luna'),
    _bundled(13, 'gpt-5.5', 'GPT-5.5', _LOW_TO_XHIGH, 'medium', 'legacy', most=272_000, successor='gpt-6-sol'),
    _bundled(
        11,
        'gpt-daybreak-blue-latest',
        'Daybreak Blue',
        _LOW_TO_ULTRA,
        'low',
        'defensive security',
        tiers=(),
        listed=False,
    ),
    _bundled(
        12,
        'gpt-daybreak-red-latest',
        'Daybreak Red',
        _LOW_TO_ULTRA,
        'medium',
        'authorized security research',
        window=372_000,
        most=372_000,
        tiers=(),
        listed=False,
    ),
    _bundled(43, 'codex-auto-review', 'Codex Auto Review', _LOW_TO_MAX, 'medium', 'reviews approvals', listed=False),
)
"""The catalog: listed models by priority, then hidden ones."""

_API_PAGE: Final = "OpenAI's page of API deprecations"
_PRESETS: Final = (
    'openai/codex, codex-rs/core/src/models_manager/model_presets.rs, and #8952 (January 2026); gone since 2026-04-14 '
    '(openai/codex, discussion 17038)'
)
_HELP: Final = "OpenAI's help article 11369540: gone since 2026-08-31 (quoted in anomalyco/opencode#48141)"
_TESTS: Final = 'openai/codex, codex-rs/tui/src/app/tests/model_catalog.rs at 91d4b257; gone since 2026-06-02 (#26053)'
_OURS: Final = 'nobody names one: our choice, the listed model for fast work'

RETIRED_MODELS: Final[dict[str, RetiredModel]] = {
    retired.slug: retired
    for retired in (
        RetiredModel(
            'gpt-5.5',
            'gpt-6-sol',
            'the catalog names it; refused since 2026-10-14, say public reports (Wei-Shaw/sub2api, '
            'docs/OPENAI_GPT55_RETIREMENT.md), though Codex CLI 0.169.0 still lists it',
        ),
        RetiredModel('gpt-5.4', 'gpt-5.6-terra', _HELP),
        RetiredModel('gpt-5.4-mini', 'gpt-5.6-luna', _HELP),
        RetiredModel('gpt-5.3-codex', 'gpt-5.4', _TESTS),
        RetiredModel('gpt-5.3-codex-spark', 'gpt-6-luna', f'{_OURS}; gone since September 2026 (proma-ai/Proma#2061)'),
        RetiredModel('gpt-5.2-codex', 'gpt-5.6-sol', f'{_API_PAGE}, quoted in anomalyco/models.dev#3707'),
        RetiredModel('gpt-5.2', 'gpt-5.4', _TESTS),
        RetiredModel('gpt-5.1-codex-max', 'gpt-5.2-codex', _PRESETS),
        RetiredModel('gpt-5.1-codex-mini', 'gpt-5.6-terra', f'{_API_PAGE}, quoted in openai/openai-python#3104'),
        RetiredModel('gpt-5.1-codex', 'gpt-5.2-codex', _PRESETS),
        RetiredModel('gpt-5.1', 'gpt-5.2-codex', _PRESETS),
        RetiredModel('gpt-5-mini', 'gpt-6.1-terra', _API_PAGE),
        RetiredModel('codex-mini-latest', 'gpt-6-luna', f'{_OURS}; gone, says anomalyco/models.dev#1479'),
        RetiredModel('o3', 'gpt-6.1-sol', f'{_API_PAGE}, quoted on dev.to'),
        RetiredModel('o4-mini', 'gpt-5.6-terra', f'{_API_PAGE}, quoted on dev.to'),
    )
}
"""The models that plans no longer serve. The stored copies of these sources may be older than what they say today."""


def _reported(
    slug: str, efforts: tuple[str, ...], window: int | None, *, modalities: tuple[str, ...] = ('text', 'image')
) -> ModelInfo:
    """A row of the reports."""
    return ModelInfo(
        slug, efforts, 'medium', window, successor=RETIRED_MODELS[slug].successor, input_modalities=modalities
    )


# The clamps of the four 5.1 models are those of the LiteLLM provider that this package replaces; the Codex ones always
# think, so `none` and `minimal` are their lowest.
_REPORTED: Final = (
    _reported('gpt-5.4', _NONE_TO_XHIGH, 272_000),
    _reported('gpt-5.3-codex', _LOW_TO_XHIGH, 400_000),
    _reported('gpt-5.3-codex-spark', _LOW_TO_XHIGH, None, modalities=('text',)),
    _reported('gpt-5.2-codex', _LOW_TO_XHIGH, 400_000),
    _reported('gpt-5.2', _NONE_TO_XHIGH, 400_000),
    _reported('gpt-5.1-codex-max', _LOW_TO_XHIGH, 400_000),
    _reported('gpt-5.1-codex-mini', ('medium', 'high'), 400_000),
    _reported('gpt-5.1-codex', _LOW_TO_HIGH, 400_000),
    _reported('gpt-5.1', _NONE_TO_HIGH, 400_000),
    _reported('gpt-5-mini', ('minimal', *_LOW_TO_HIGH), 264_000),
    _reported('codex-mini-latest', _LOW_TO_HIGH, 200_000),
    _reported('o3', _LOW_TO_HIGH, 200_000),
    _reported('o4-mini', _LOW_TO_HIGH, 200_000),
)

MODEL_FACTS: Final[dict[str, ModelInfo]] = {info.slug: info for info in (*CATALOG_MODELS, *_REPORTED)}
"""Every known slug."""

MODEL_ALIASES: Final[dict[str, str]] = {
    'gpt-5': 'gpt-5.1',
    'gpt-5-codex': 'gpt-5.1-codex',
    'gpt-5-codex-max': 'gpt-5.1-codex-max',
    'gpt-5-codex-mini': 'gpt-5.1-codex-mini',
}
"""Names that stand for another slug."""
