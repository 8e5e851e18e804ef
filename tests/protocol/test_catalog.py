"""Reaches inside: the catalog has to be read alike, whether it comes from the backend or from the disk."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._protocol.catalog import (
    BUNDLED,
    CatalogError,
    ModelCatalog,
    catalog_from_wire,
    dump_catalog,
    load_catalog,
)
from pydantic_ai_codex._protocol.model_facts import MODEL_ALIASES, MODEL_FACTS, RETIRED_MODELS, ModelInfo

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    'slug': 'gpt-7',
    'display_name': 'GPT-7',
    'description': 'does things',
    'default_reasoning_level': 'low',
    'supported_reasoning_levels': [{'effort': 'low', 'description': 'x'}, {'effort': 'hyper', 'description': 'y'}],
    'visibility': 'list',
    'priority': 1,
    'service_tiers': [{'id': 'priority', 'name': 'Fast', 'description': 'z'}],
    'upgrade': {'model': 'gpt-8', 'migration_markdown': '...'},
    'context_window': 100_000,
    'max_context_window': 200_000,
    'input_modalities': ['text'],
    'a_field_of_tomorrow': {'any': 'thing'},
}


def entry(**fields: Any) -> dict[str, Any]:
    return {**ENTRY, **fields}


def parsed(*entries: Any, etag: str | None = '"1"') -> ModelCatalog:
    return catalog_from_wire({'models': [*entries]}, fetched_at=NOW, etag=etag)


def only(**fields: Any) -> ModelInfo:
    """The model of one entry with these fields."""
    [info] = parsed(entry(**fields)).models
    return info


def test_an_answer() -> None:
    assert parsed(ENTRY) == snapshot(
        ModelCatalog(
            models=(
                ModelInfo(
                    slug='gpt-7',
                    efforts=('low', 'hyper'),
                    default_effort='low',
                    context_window=100000,
                    max_context_window=200000,
                    service_tiers=('priority',),
                    listed=True,
                    priority=1,
                    successor='gpt-8',
                    display_name='GPT-7',
                    description='does things',
                    input_modalities=('text',),
                ),
            ),
            source='backend',
            fetched_at=NOW,
            etag='"1"',
        )
    )


def test_what_is_missing_is_unknown() -> None:
    assert parsed({'slug': 'gpt-7'}).models == snapshot(
        (ModelInfo(slug='gpt-7', efforts=(), default_effort=None, context_window=None),)
    )


@pytest.mark.parametrize('value', [None, True, 'many', -5, 10**12, 1e300, float('nan'), float('inf'), [1], {}, 0])
def test_an_absurd_window_is_unknown(value: Any) -> None:
    info = only(context_window=value, max_context_window=value)

    assert (info.context_window, info.max_context_window) == (None, None)


@pytest.mark.parametrize('value', [None, True, 'first', -1, 1e300, float('nan'), []])
def test_an_absurd_priority_is_unknown_and_comes_last(value: Any) -> None:
    catalog = parsed(entry(slug='odd', priority=value), entry(slug='usual', priority=99))

    assert [(info.slug, info.priority) for info in catalog.models] == [('usual', 99), ('odd', None)]


@pytest.mark.parametrize(
    ('field', 'value', 'attribute', 'expected'),
    [
        ('supported_reasoning_levels', 'low', 'efforts', ()),
        ('supported_reasoning_levels', ['low', {'effort': 'max'}, {'effort': 'max'}], 'efforts', ('low', 'max')),
        ('supported_reasoning_levels', [5, None, {'effort': 7}, {'effort': 'a b'}, {'effort': ''}], 'efforts', ()),
        ('default_reasoning_level', 5, 'default_effort', None),
        ('default_reasoning_level', 'hyper', 'default_effort', 'hyper'),
        ('service_tiers', [{'id': 'flex'}, {}, 'priority'], 'service_tiers', ('flex', 'priority')),
        ('service_tiers', [], 'service_tiers', ()),
        ('service_tiers', [{'id': 5}], 'service_tiers', ()),
        ('service_tiers', {'id': 'flex'}, 'service_tiers', None),
        ('service_tiers', None, 'service_tiers', None),
        ('visibility', 'hide', 'listed', False),
        ('visibility', 'none', 'listed', False),
        ('visibility', ['list'], 'listed', False),
        ('upgrade', 'gpt-8', 'successor', None),
        ('upgrade', {'model': 5}, 'successor', None),
        ('upgrade', {'model': 'gpt-7'}, 'successor', None),
        ('upgrade', {'model': 'no slug'}, 'successor', None),
        ('display_name', ['GPT'], 'display_name', None),
        ('display_name', ' GPT\x1b[31m\n 7 ', 'display_name', 'GPT[31m 7'),
        ('description', 'x' * 5000, 'description', 'x' * 300),
        ('input_modalities', None, 'input_modalities', ('text', 'image')),
        ('input_modalities', ['audio', 3], 'input_modalities', ('audio',)),
        ('context_window', 272_000.0, 'context_window', 272_000),
    ],
    ids=str,
)
def test_a_field(field: str, value: Any, attribute: str, expected: Any) -> None:
    assert getattr(only(**{field: value}), attribute) == expected


@pytest.mark.parametrize(
    ('older', 'tiers'),
    [
        ({'additional_speed_tiers': ['fast']}, ('priority',)),
        ({'additional_speed_tiers': []}, ()),
        ({'additional_speed_tiers': None}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_tiers_of_an_older_list(older: dict[str, Any], tiers: tuple[str, ...] | None) -> None:
    [info] = parsed({name: value for name, value in ENTRY.items() if name != 'service_tiers'} | older).models

    assert info.service_tiers == tiers


@pytest.mark.parametrize('tiers', [None, (), ('priority',)])
def test_a_record_keeps_apart_no_tiers_and_unknown_ones(tiers: tuple[str, ...] | None) -> None:
    catalog = replace(parsed(ENTRY), models=(only()._replace(service_tiers=tiers),))

    loaded = load_catalog(dump_catalog(catalog))

    assert loaded is not None
    assert loaded.models[0].service_tiers == tiers


def test_which_tiers_the_retired_ones_had_is_not_known() -> None:
    unknown = {slug for slug, info in MODEL_FACTS.items() if info.service_tiers is None}

    assert unknown == set(RETIRED_MODELS) & set(MODEL_FACTS) - {info.slug for info in BUNDLED.models}


@pytest.mark.parametrize(
    'bad', [None, 5, 'gpt-7', [], {}, entry(slug=None), entry(slug=''), entry(slug='a b'), entry(slug='ü'),
            entry(slug='x\r\ny'), entry(slug='x' * 129)], ids=str
)  # fmt: skip
def test_an_entry_that_names_no_model_is_left_out_and_counted(bad: Any) -> None:
    catalog = parsed(bad, entry(slug='x' * 128))

    assert ([info.slug for info in catalog.models], catalog.ignored) == (['x' * 128], 1)


def test_of_two_entries_of_one_model_the_first_counts() -> None:
    assert parsed(entry(context_window=1), entry(context_window=2)).models[0].context_window == 1


def test_a_list_without_end_is_cut() -> None:
    catalog = parsed(*(entry(slug=f'gpt-{number}') for number in range(1500)))

    assert (len(catalog.models), catalog.ignored) == (1000, 500)


NO_CATALOGS: list[Any] = [
    *(None, 5, 'models', [], [ENTRY], {}),
    *({'models': None}, {'models': 'gpt-7'}, {'models': {}}, {'models': []}, {'models': [{}, None]}),
]


@pytest.mark.parametrize('body', NO_CATALOGS, ids=str)
def test_no_catalog(body: Any) -> None:
    with pytest.raises(CatalogError, match=r'no object with a list|names a model'):
        catalog_from_wire(body, fetched_at=NOW, etag=None)


@pytest.mark.parametrize('etag', [None, '', 'a\r\nx-evil: 1', 'a b', 'ü', 'x' * 257])
def test_an_etag_that_fits_in_no_header_is_none(etag: str | None) -> None:
    assert parsed(ENTRY, etag=etag).etag is None


def test_models_stand_by_priority_and_listed_ones_first() -> None:
    catalog = parsed(
        entry(slug='hidden', visibility='hide', priority=0),
        entry(slug='third'),
        entry(slug='second', priority=0),
        entry(slug='last', priority=None),
        entry(slug='fourth', priority=2),
    )

    assert [info.slug for info in catalog.models] == ['second', 'third', 'fourth', 'last', 'hidden']
    assert [info.slug for info in catalog.listed] == ['second', 'third', 'fourth', 'last']
    assert catalog.default is not None
    assert catalog.default.slug == 'second'


def test_nothing_is_the_default_where_nothing_is_listed() -> None:
    catalog = parsed(entry(visibility='hide'))

    assert (catalog.listed, catalog.default) == ((), None)
    assert catalog.as_dict()['default'] is None


def test_get_knows_what_the_list_says_then_what_this_package_knows() -> None:
    catalog = parsed(entry(slug='gpt-5.5', context_window=1))

    known = [catalog.get(slug) for slug in ('gpt-5.5', 'gpt-5.4', 'gpt-6-sol', 'never-heard')]

    assert [info and info.context_window for info in known] == [1, 272_000, 272_000, None]


def test_the_retired_are_those_that_the_list_does_not_hold() -> None:
    fresh = parsed(entry(slug='o3'))

    assert {retired.slug for retired in BUNDLED.retired} == set(RETIRED_MODELS) - {'gpt-5.5'}
    assert {retired.slug for retired in fresh.retired} == set(RETIRED_MODELS) - {'o3'}


@pytest.mark.parametrize('slug', sorted({*RETIRED_MODELS, *MODEL_ALIASES}))
def test_what_is_retired_has_a_listed_successor(slug: str) -> None:
    assert BUNDLED.successor_of(slug) in {info.slug for info in BUNDLED.listed}


def test_every_bundled_model_is_in_the_catalog_or_retired_and_each_retirement_has_evidence() -> None:
    assert {info.slug for info in BUNDLED.models} | set(RETIRED_MODELS) >= set(MODEL_FACTS)
    assert all(retired.evidence for retired in RETIRED_MODELS.values())


@pytest.mark.parametrize(
    ('slug', 'successor'),
    [
        ('gpt-5.1', 'gpt-5.6-sol'),  # by way of gpt-5.2-codex
        ('gpt-5', 'gpt-5.6-sol'),  # which is another name of gpt-5.1
        ('gpt-5.6-sol', 'gpt-6-sol'),
        ('gpt-6.1-sol', None),
        ('never-heard', None),
    ],
)
def test_successors(slug: str, successor: str | None) -> None:
    assert BUNDLED.successor_of(slug) == successor


def test_the_successor_is_one_that_this_list_offers() -> None:
    catalog = parsed(entry(slug='gpt-6-sol'), entry(slug='gpt-5.6-sol', visibility='hide', upgrade=None))

    assert catalog.successor_of('gpt-5.6-terra') == 'gpt-6-sol'
    assert catalog.successor_of('gpt-5.4') == 'gpt-6-sol'
    assert catalog.successor_of('gpt-5.2-codex') is None  # gpt-5.6-sol is not offered any more
    assert catalog.successor_of('gpt-5-mini') is None


def test_upgrades_that_go_in_a_circle_end() -> None:
    catalog = parsed(
        entry(slug='a', visibility='hide', upgrade={'model': 'b'}),
        entry(slug='b', visibility='hide', upgrade={'model': 'c'}),
        entry(slug='c', visibility='hide', upgrade={'model': 'b'}),
    )

    assert catalog.successor_of('a') is None


def test_a_model_does_not_follow_itself() -> None:
    catalog = parsed(
        entry(slug='a', upgrade={'model': 'b'}),
        entry(slug='b', visibility='hide', upgrade={'model': 'a'}),
    )

    assert (catalog.successor_of('a'), catalog.successor_of('b')) == (None, 'a')


def test_the_retired_name_the_listed_one_with_the_evidence_of_each_step() -> None:
    retired = {each.slug: each for each in BUNDLED.retired}

    assert all(retired[slug].successor == BUNDLED.successor_of(slug) for slug in retired)
    assert retired['gpt-5.4-mini'] == RETIRED_MODELS['gpt-5.4-mini']
    assert retired['gpt-5.3-codex'].successor == 'gpt-5.6-terra'
    assert retired['gpt-5.3-codex'].evidence == '; '.join(
        (
            f'gpt-5.3-codex -> gpt-5.4: {RETIRED_MODELS["gpt-5.3-codex"].evidence}',
            f'gpt-5.4 -> gpt-5.6-terra: {RETIRED_MODELS["gpt-5.4"].evidence}',
        )
    )


def test_the_step_that_the_list_tells_is_the_lists() -> None:
    catalog = parsed(entry(slug='gpt-9'), entry(slug='gpt-5.4', visibility='hide', upgrade={'model': 'gpt-9'}))

    [retired] = [each for each in catalog.retired if each.slug == 'gpt-5.2']

    assert retired.successor == 'gpt-9'
    assert retired.evidence.endswith('; gpt-5.4 -> gpt-9: the list says so')


def test_what_leads_to_nothing_that_is_listed_keeps_its_own_successor() -> None:
    retired = {each.slug: each.successor for each in parsed(ENTRY).retired}

    assert retired == {slug: each.successor for slug, each in RETIRED_MODELS.items()}


def test_as_dict() -> None:
    catalog = parsed(ENTRY)

    shown = catalog.as_dict()

    assert json.loads(json.dumps(shown)) == shown
    assert {**shown, 'retired': shown['retired'][:1]} == snapshot(
        {
            'source': 'backend',
            'fetched_at': '2026-11-21T12:00:00+00:00',
            'etag': '"1"',
            'ignored': 0,
            'default': 'gpt-7',
            'models': [
                {
                    'slug': 'gpt-7',
                    'efforts': ['low', 'hyper'],
                    'default_effort': 'low',
                    'context_window': 100000,
                    'max_context_window': 200000,
                    'service_tiers': ['priority'],
                    'listed': True,
                    'priority': 1,
                    'successor': 'gpt-8',
                    'display_name': 'GPT-7',
                    'description': 'does things',
                    'input_modalities': ['text'],
                }
            ],
            'retired': [
                {
                    'slug': 'gpt-5.5',
                    'successor': 'gpt-6-sol',
                    'evidence': 'the catalog names it; refused since 2026-10-14, say public reports (Wei-Shaw/sub2api, docs/OPENAI_GPT55_RETIREMENT.md), though Codex CLI 0.169.0 still lists it',
                }
            ],
        }
    )


def test_a_record_gives_the_catalog_back() -> None:
    catalog = replace(parsed(ENTRY, {'slug': 'bare'}, None), etag='W/"abc"')

    assert load_catalog(dump_catalog(catalog)) == replace(catalog, source='cache')


@pytest.mark.parametrize('slug', sorted(MODEL_FACTS))
def test_a_record_keeps_all_that_is_known_of_a_model(slug: str) -> None:
    catalog = replace(BUNDLED, models=(MODEL_FACTS[slug],), fetched_at=NOW)

    loaded = load_catalog(dump_catalog(catalog))

    assert loaded is not None
    assert loaded.models == catalog.models


def test_a_record_of_another_time_zone_is_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=9)))

    loaded = load_catalog(dump_catalog(replace(parsed(ENTRY), fetched_at=there)))

    assert loaded is not None
    assert (loaded.fetched_at, loaded.fetched_at and loaded.fetched_at.tzinfo) == (NOW, UTC)


GOOD: dict[str, Any] = json.loads(dump_catalog(parsed(ENTRY)))
CHANGES: list[dict[str, Any]] = [
    {'format': 2},
    {'format': None},
    {'fetched_at': None},
    {'fetched_at': 5},
    {'fetched_at': 'yesterday'},
    {'fetched_at': '2026-11-21T12:00:00'},
    {'fetched_at': '0001-01-01T00:00:00+14:00'},
    {'models': []},
    {'models': None},
]


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{',
        b'[]',
        b'null',
        b'\xff\xfe',
        b'{"format": 1}',
        *(json.dumps({**GOOD, **change}).encode() for change in CHANGES),
        dump_catalog(BUNDLED),
    ],
    ids=lambda content: content[:60],
)
def test_a_record_that_is_broken_is_none(content: bytes) -> None:
    assert load_catalog(content) is None


def test_a_record_cut_anywhere_is_none() -> None:
    content = dump_catalog(parsed(ENTRY))

    assert {load_catalog(content[:length]) for length in range(len(content))} == {None}
