"""The list of models as the backend answers it: one entry for each, without the texts that real ones hold.

Slugs and figures are those of the list that Codex CLI 0.169.0 ships (captured), retyped and not taken from
`model_facts`: the two would agree with each other. The descriptions are short ones of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]

_TO_XHIGH: Final = ('low', 'medium', 'high', 'xhigh')
_TO_MAX: Final = (*_TO_XHIGH, 'max')
_TO_ULTRA: Final = (*_TO_MAX, 'ultra')


class _Row(NamedTuple):
    slug: str
    name: str
    description: str
    priority: int
    default: str
    efforts: tuple[str, ...]
    context: int = 272_000
    most: int = 872_000
    visibility: str = 'list'
    tiers: tuple[str, ...] = ('priority',)
    default_tier: str | None = None
    successor: str | None = None


_ROWS: Final = (  # In the order of the list, which is not that of the priorities.
    _Row('gpt-6-astra', 'GPT-6-Astra', 'The hardest work.', 2, 'low', _TO_ULTRA),
    _Row('gpt-6.1-sol', 'GPT-6.1-Sol', 'Most work, the newest.', 1, 'low', _TO_ULTRA),
    _Row('gpt-6.1-terra', 'GPT-6.1 Terra', 'Long contexts.', 7, 'low', _TO_ULTRA, context=500_000),
    _Row('gpt-6-sol', 'GPT-6-Sol', 'Most work.', 3, 'medium', _TO_ULTRA, default_tier='priority'),
    _Row('gpt-6-luna', 'GPT-6-Luna', 'Easier work, fast.', 4, 'medium', _TO_MAX, default_tier='priority'),
    _Row('gpt-5.6-sol', 'GPT-5.6-Sol', 'Most work, older.', 5, 'low', _TO_ULTRA, successor='gpt-6-sol'),
    _Row('gpt-5.6-terra', 'GPT-5.6-Terra', 'Balanced, older.', 8, 'medium', _TO_ULTRA, successor='gpt-6-sol'),
    _Row('gpt-5.6-luna', 'GPT-5.6-Luna', 'Easier work, older.', 9, 'medium', _TO_MAX, successor='gpt-6-luna'),
    _Row(
        'gpt-daybreak-blue-latest',
        'Daybreak Blue',
        'Security, in defence.',
        11,
        'low',
        _TO_ULTRA,
        visibility='hide',
        tiers=(),
    ),
    _Row(
        'gpt-daybreak-red-latest',
        'Daybreak Red',
        'Security research.',
        12,
        'medium',
        _TO_ULTRA,
        context=372_000,
        most=372_000,
        visibility='hide',
        tiers=(),
    ),
    _Row('gpt-5.5', 'GPT-5.5', 'The oldest.', 13, 'medium', _TO_XHIGH, most=272_000, successor='gpt-6-sol'),
    _Row('codex-auto-review', 'Codex Auto Review', 'Reviews approvals.', 43, 'medium', _TO_MAX, visibility='hide'),
)

SLUGS: Final = frozenset(row.slug for row in _ROWS)


def usual_entries() -> list[Json]:
    """The whole list."""
    return [_entry(row) for row in _ROWS]


def new_entry(slug: str) -> Json:
    """An entry for a model that nobody knows, at the end of those that are offered."""
    return _entry(_Row(slug, slug, 'Simulated.', 50, 'medium', _TO_XHIGH, most=272_000))


def effort_levels(efforts: Sequence[str]) -> list[Json]:
    """The field `supported_reasoning_levels`."""
    return [{'effort': effort, 'description': f'Simulated {effort} reasoning'} for effort in efforts]


def _entry(row: _Row) -> Json:
    is_lite = row.slug != 'gpt-5.5'
    text = f'You are the simulated {row.slug}.'
    upgrade = {'model': row.successor, 'migration_markdown': f'There is {row.successor}.'} if row.successor else None
    return {
        'slug': row.slug,
        'display_name': row.name,
        'description': row.description,
        'default_reasoning_level': row.default,
        'supported_reasoning_levels': effort_levels(row.efforts),
        'shell_type': 'unified_exec',
        'visibility': row.visibility,
        'supported_in_api': True,
        'priority': row.priority,
        'additional_speed_tiers': ['fast'] if row.tiers else [],
        'service_tiers': [{'id': tier, 'name': 'Fast', 'description': 'Simulated speed'} for tier in row.tiers],
        **({'default_service_tier': row.default_tier} if row.default_tier else {}),
        'availability_nux': None,
        'upgrade': upgrade,
        'model_messages': {'instructions_template': text},
        'include_skills_usage_instructions': False,
        'include_plugin_usage_instructions': False,
        'include_apps_usage_instructions': False,
        'default_reasoning_summary': 'none',
        'support_verbosity': True,
        'default_verbosity': 'low',
        'apply_patch_tool_type': 'freeform',
        'web_search_tool_type': 'text_and_image',
        'truncation_policy': {'mode': 'tokens', 'limit': 10_000},
        'supports_image_detail_original': True,
        'context_window': row.context,
        'max_context_window': row.most,
        'comp_hash': '3000' if is_lite else '2911',
        'effective_context_window_percent': 95,
        'experimental_supported_tools': [],
        'input_modalities': ['text', 'image'],
        'supports_search_tool': True,
        'supports_experimental_context': False,
        'use_responses_lite': is_lite,
        'supports_reasoning_effort_updates': is_lite,
        'base_instructions': text,
    }
