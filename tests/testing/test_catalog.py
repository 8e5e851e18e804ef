"""The simulated list of models, and what is served because of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._protocol.model_facts import MODEL_FACTS, ModelInfo
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, SimulatedCatalog, reply

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx2.Response]]
LookUp = Callable[..., Awaitable[httpx2.Response]]
MODELS = 'https://chatgpt.com/backend-api/codex/models?client_version=0.169.0'
KEY_URL = 'https://api.openai.com/v1/responses'
KEY = {'authorization': 'Bearer sk-test'}
NO_JSON: Any = {'slug': object()}


def entry_of(catalog: SimulatedCatalog, slug: str) -> Json:
    (entry,) = (entry for entry in catalog.models if entry['slug'] == slug)
    return entry


def efforts_of(entry: Json) -> list[str]:
    return [level['effort'] for level in entry['supported_reasoning_levels']]


def test_an_entry() -> None:
    assert entry_of(CodexSimulator().catalog, 'gpt-5.5') == snapshot(
        {
            'slug': 'gpt-5.5',
            'display_name': 'GPT-5.5',
            'description': 'The oldest.',
            'default_reasoning_level': 'medium',
            'supported_reasoning_levels': [
                {'effort': 'low', 'description': 'Simulated low reasoning'},
                {'effort': 'medium', 'description': 'Simulated medium reasoning'},
                {'effort': 'high', 'description': 'Simulated high reasoning'},
                {'effort': 'xhigh', 'description': 'Simulated xhigh reasoning'},
            ],
            'shell_type': 'unified_exec',
            'visibility': 'list',
            'supported_in_api': True,
            'priority': 13,
            'additional_speed_tiers': ['fast'],
            'service_tiers': [{'id': 'priority', 'name': 'Fast', 'description': 'Simulated speed'}],
            'availability_nux': None,
            'upgrade': {'model': 'gpt-6-sol', 'migration_markdown': 'There is gpt-6-sol.'},
            'model_messages': {'instructions_template': 'You are the simulated gpt-5.5.'},
            'include_skills_usage_instructions': False,
            'include_plugin_usage_instructions': False,
            'include_apps_usage_instructions': False,
            'default_reasoning_summary': 'none',
            'support_verbosity': True,
            'default_verbosity': 'low',
            'apply_patch_tool_type': 'freeform',
            'web_search_tool_type': 'text_and_image',
            'truncation_policy': {'mode': 'tokens', 'limit': 10000},
            'supports_image_detail_original': True,
            'context_window': 272000,
            'max_context_window': 272000,
            'comp_hash': '2911',
            'effective_context_window_percent': 95,
            'experimental_supported_tools': [],
            'input_modalities': ['text', 'image'],
            'supports_search_tool': True,
            'supports_experimental_context': False,
            'use_responses_lite': False,
            'supports_reasoning_effort_updates': False,
            'base_instructions': 'You are the simulated gpt-5.5.',
        }
    )


def test_the_list_agrees_with_the_facts() -> None:
    """Two tables, which were typed from the same capture and know nothing of each other."""
    for entry in CodexSimulator().catalog.models:
        told = ModelInfo(
            slug=entry['slug'],
            efforts=tuple(efforts_of(entry)),
            default_effort=entry['default_reasoning_level'],
            context_window=entry['context_window'],
            max_context_window=entry['max_context_window'],
            service_tiers=tuple(tier['id'] for tier in entry['service_tiers']),
            listed=entry['visibility'] == 'list',
            priority=entry['priority'],
            successor=entry['upgrade'] and entry['upgrade']['model'],
            display_name=entry['display_name'],
            input_modalities=tuple(entry['input_modalities']),
        )
        assert told == MODEL_FACTS[entry['slug']]._replace(description=None)


async def test_what_is_changed_is_answered(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    catalog = simulator.catalog
    etags = [catalog.etag]
    catalog.add('gpt-7', efforts=['low', 'high'], priority=0, visibility='hide')
    etags.append(catalog.etag)
    catalog.add('gpt-5.5', upgrade={'model': 'gpt-7'})
    etags.append(catalog.etag)
    catalog.remove('gpt-6-sol')
    etags.append(catalog.etag)
    answer = await look_up(simulator, MODELS)

    assert len(set(etags)) == 4
    assert (answer.headers['etag'], answer.json()['models']) == (etags[-1], catalog.models)
    added, changed = entry_of(catalog, 'gpt-7'), entry_of(catalog, 'gpt-5.5')
    assert (efforts_of(added), added['priority'], added['visibility']) == (['low', 'high'], 0, 'hide')
    assert (changed['upgrade'], efforts_of(changed)) == ({'model': 'gpt-7'}, ['low', 'medium', 'high', 'xhigh'])
    assert len(catalog.models) == 12
    assert repr(catalog).startswith('<SimulatedCatalog: gpt-6-astra, gpt-6.1-sol')


async def test_any_entries_can_be_answered(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    entries: list[Json] = [{'slug': 'gpt-7'}, {'slug': 7}, {}, {'slug': 'gpt-8', 'supported_reasoning_levels': [1, {}]}]
    simulator.catalog.replace(entries)

    assert (await look_up(simulator, MODELS)).json() == {'models': entries}


def test_the_models_are_a_copy() -> None:
    catalog = CodexSimulator().catalog
    etag = catalog.etag
    catalog.models[0]['slug'] = 'other'

    assert (catalog.models[0]['slug'], catalog.etag) == ('gpt-6-astra', etag)


def test_what_cannot_be_changed() -> None:
    catalog = CodexSimulator().catalog
    with pytest.raises(ConfigurationError, match="no model 'gpt-7'"):
        catalog.remove('gpt-7')
    with pytest.raises(ConfigurationError, match='a JSON object'):
        catalog.replace([NO_JSON])
    with pytest.raises(ConfigurationError, match='a JSON object'):
        catalog.add('gpt-7', priority=object())

    assert catalog.etag == CodexSimulator().catalog.etag


async def test_every_answer_names_the_list(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    first = await ask(simulator, body)
    simulator.catalog.add('gpt-5.1-codex')
    second = await ask(simulator, body)
    key = await ask(simulator, body, url=KEY_URL, headers=KEY)

    assert first.headers['x-models-etag'] == CodexSimulator().catalog.etag
    assert second.headers['x-models-etag'] == simulator.catalog.etag != first.headers['x-models-etag']
    assert 'x-models-etag' not in key.headers


async def test_a_list_that_was_changed_says_what_is_served(body: Json, ask: Ask) -> None:
    """Until then, retired models are served, as they are without a list."""
    simulator = CodexSimulator(default=reply('Hi'))
    before = await ask(simulator, body)
    simulator.catalog.remove('gpt-5.5')
    retired = await ask(simulator, body)
    removed = await ask(simulator, {**body, 'model': 'gpt-5.5'})
    hidden = await ask(simulator, {**body, 'model': 'codex-auto-review'})
    key = await ask(simulator, body, url=KEY_URL, headers=KEY)

    assert [answer.status_code for answer in (before, retired, removed, hidden, key)] == [200, 400, 400, 200, 200]
    assert removed.json() == {'detail': "The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account."}


@pytest.mark.parametrize(('effort', 'status'), [('low', 400), ('high', 200), ('hyper', 200), ('ultra', 400)], ids=str)
async def test_the_efforts_are_those_of_the_list(body: Json, ask: Ask, effort: str, status: int) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.catalog.add('gpt-7-max', efforts=['high', 'hyper', 'ultra'])
    answer = await ask(simulator, {**body, 'model': 'gpt-7-max', 'reasoning': {'effort': effort}})

    assert answer.status_code == status


async def test_a_model_without_efforts_takes_any(body: Json, ask: Ask) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.catalog.add('gpt-7', efforts=[])
    answers = [
        await ask(simulator, {**body, 'model': 'gpt-7', 'reasoning': {'effort': effort}}) for effort in ('none', 'x')
    ]

    assert [answer.status_code for answer in answers] == [200, 400]
