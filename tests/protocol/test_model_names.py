"""Reaches inside: every name has to be read alike, whether it comes from the model, a setting or the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pydantic_ai_codex._protocol.catalog import BUNDLED, ModelCatalog
from pydantic_ai_codex._protocol.model_facts import EFFORTS, MODEL_ALIASES, MODEL_FACTS, Effort, ModelInfo
from pydantic_ai_codex._protocol.model_names import ModelName, WireEffort, as_listed, choose_effort, parse_model_name
from pydantic_ai_codex.errors import ConfigurationError, ModelNameError


@pytest.mark.parametrize(
    ('name', 'slug'),
    [
        ('codex:gpt-5.5', 'gpt-5.5'),
        ('codex/gpt-5.5', 'gpt-5.5'),
        ('codex-oauth/gpt-5.5', 'gpt-5.5'),
        ('codex_oauth/gpt-5.5', 'gpt-5.5'),
        ('codex-gpt-5.5', 'gpt-5.5'),
        ('codex-gpt-not-known', 'gpt-not-known'),
        ('codex-o3', 'o3'),
        ('codex-o4-mini', 'o4-mini'),
        ('codex/codex-gpt-5.5', 'gpt-5.5'),
        ('CODEX:GPT-5.5', 'gpt-5.5'),
        ('Codex-OAuth/gpt-5.5', 'gpt-5.5'),
        ('  codex:gpt-5.5\n', 'gpt-5.5'),
    ],
)
def test_prefix(name: str, slug: str) -> None:
    assert parse_model_name(name) == ModelName(slug)


@pytest.mark.parametrize('name', ['codex-auto-review', 'codex-mini-latest', 'codex-other', 'codex-only-this'])
def test_codex_dash_is_a_prefix_only_before_a_models_own_name(name: str) -> None:
    assert parse_model_name(name) == ModelName(name)
    assert parse_model_name(f'codex:{name}') == ModelName(name)


@pytest.mark.parametrize('slug', sorted(MODEL_FACTS))
def test_every_known_slug_is_itself(slug: str) -> None:
    assert parse_model_name(slug) == ModelName(slug)
    assert parse_model_name(slug.upper()) == ModelName(slug)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('gpt-5.1-codex-max', ModelName('gpt-5.1-codex-max')),
        ('gpt-5.1-codex-max-max', ModelName('gpt-5.1-codex-max', 'max')),
        ('gpt-5.1-codex-max:xhigh', ModelName('gpt-5.1-codex-max', 'xhigh')),
        ('gpt-5.1-codex-mini', ModelName('gpt-5.1-codex-mini')),
        ('gpt-5.1-max', ModelName('gpt-5.1', 'max')),
    ],
)
def test_known_slug_before_suffix(name: str, expected: ModelName) -> None:
    assert parse_model_name(name) == expected


@pytest.mark.parametrize('mark', ['-', ':'])
@pytest.mark.parametrize('effort', EFFORTS)
@pytest.mark.parametrize('slug', ['gpt-5.5', 'not-known-here'])
def test_effort_suffix(slug: str, effort: Effort, mark: str) -> None:
    assert parse_model_name(f'{slug}{mark}{effort}') == ModelName(slug, effort)
    assert parse_model_name(f'{slug}{mark}{effort.upper()}') == ModelName(slug, effort)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('gpt-5.5-fast', ModelName('gpt-5.5', fast=True)),
        ('gpt-5.5:fast', ModelName('gpt-5.5', fast=True)),
        ('gpt-5.5-FAST', ModelName('gpt-5.5', fast=True)),
        ('gpt-5.5-high-fast', ModelName('gpt-5.5', 'high', fast=True)),
        ('gpt-5.5-fast-high', ModelName('gpt-5.5', 'high', fast=True)),
        ('gpt-5.5:high:fast', ModelName('gpt-5.5', 'high', fast=True)),
        ('gpt-5.5-fast:high', ModelName('gpt-5.5', 'high', fast=True)),
        ('unknown-fast-low', ModelName('unknown', 'low', fast=True)),
        ('codex-gpt-5-codex-fast:low', ModelName('gpt-5.1-codex', 'low', fast=True)),
    ],
)
def test_fast_suffix_in_either_order(name: str, expected: ModelName) -> None:
    assert parse_model_name(name) == expected


@pytest.mark.parametrize(('alias', 'slug'), sorted(MODEL_ALIASES.items()))
def test_alias(alias: str, slug: str) -> None:
    assert parse_model_name(alias) == ModelName(slug)
    assert parse_model_name(alias.upper()) == ModelName(slug)
    assert parse_model_name(f'codex/{alias}-low') == ModelName(slug, 'low')
    assert parse_model_name(f'{alias}:high-fast') == ModelName(slug, 'high', fast=True)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('GPT-9-Turbo', ModelName('GPT-9-Turbo')),
        ('GPT-9-Turbo-High', ModelName('GPT-9-Turbo', 'high')),
        ('gpt-5.5-preview', ModelName('gpt-5.5-preview')),
        ('gpt-5.4-mini:low', ModelName('gpt-5.4-mini', 'low')),
        ('gpt-5.5-2026-01-01', ModelName('gpt-5.5-2026-01-01')),
        ('someone/gpt-5.5x', ModelName('someone/gpt-5.5x')),
    ],
)
def test_unknown_slug_stays_as_typed(name: str, expected: ModelName) -> None:
    parsed = parse_model_name(name)

    assert parsed == expected
    assert parsed.facts is None


@pytest.mark.parametrize('name', ['gpt-5.5:quick', 'unknown:quick', 'gpt-5.5:quick-high', 'gpt-5.5:'])
def test_unknown_word_behind_a_colon_is_refused(name: str) -> None:
    with pytest.raises(ModelNameError, match='is no reasoning effort; behind the colon'):
        parse_model_name(name)


@pytest.mark.parametrize(
    'name',
    [
        'gpt-5.1-high-low',
        'gpt-5.1:high:low',
        'gpt-5.1-low:high',
        'gpt-5.1-low-low',
        'gpt-5.1-low-fast-high',
        'gpt-5-codex-high-low',
        'gpt-5.1-fast-fast',
        'gpt-5.1-fast-low-fast',
        'unknown:high:low',
    ],
)
def test_two_suffixes_of_one_kind_are_refused(name: str) -> None:
    with pytest.raises(ModelNameError, match='has two suffixes of one kind'):
        parse_model_name(name)


@pytest.mark.parametrize(
    'name', ['gpt-5.1-high-high-low', 'gpt-5.1-low-high-fast-fast', 'gpt-5.5-low-fast-high-low', 'unknown-high-low']
)
def test_more_suffixes_of_one_kind_are_refused(name: str) -> None:
    with pytest.raises(ModelNameError):
        parse_model_name(name)


@pytest.mark.parametrize('name', ['codex: gpt-5.5', 'gpt-5.5 :low', 'codex/ gpt-5.5-low'])
def test_space_inside_a_name_is_no_part_of_the_slug(name: str) -> None:
    assert parse_model_name(name).slug == 'gpt-5.5'


@pytest.mark.parametrize(
    'name', ['', ' ', 'codex:', 'codex/', 'codex-oauth/', '-high', ':high', 'codex:-fast', 'codex/:low-fast']
)
def test_empty_name_is_refused(name: str) -> None:
    with pytest.raises(ModelNameError, match='names no model; write a slug such as'):
        parse_model_name(name)


@pytest.mark.parametrize(
    ('name', 'setting', 'thinking', 'default', 'expected'),
    [
        ('gpt-5.5-low', 'high', 'medium', 'xhigh', 'high'),
        ('gpt-5.5-low', None, 'medium', 'xhigh', 'medium'),
        ('gpt-5.5-low', None, None, 'xhigh', 'low'),
        ('gpt-5.5', None, None, 'xhigh', 'xhigh'),
        ('gpt-5.5', None, None, None, 'medium'),
        ('gpt-5.6-sol', None, None, None, 'low'),
        ('unknown', None, None, None, None),
        ('unknown', None, None, '', None),
        ('gpt-5.5', 'HIGH', None, None, 'high'),
        # `thinking=True` says that, and not how much.
        ('gpt-5.5-low', None, True, 'xhigh', 'low'),
        ('gpt-5.5', None, True, 'xhigh', 'xhigh'),
        ('gpt-5.5', None, True, None, 'medium'),
        ('unknown', None, True, None, 'medium'),
        ('gpt-5.4-none', None, True, None, 'medium'),
        ('gpt-5.4', None, True, 'none', 'medium'),
        ('gpt-5.4', 'none', True, None, 'none'),
        ('unknown:none', None, True, None, 'medium'),
        # `thinking=False` asks for none, as far as the model can do that.
        ('gpt-5.4-high', None, False, 'high', 'none'),
        ('gpt-5.5-high', None, False, None, 'low'),
        ('unknown-high', None, False, None, 'none'),
        ('gpt-5.4-high', 'low', False, None, 'low'),
    ],
)
def test_the_first_effort_that_is_given_wins(
    name: str, setting: str | None, thinking: bool | str | None, default: str | None, expected: WireEffort | None
) -> None:
    chosen = choose_effort(parse_model_name(name), setting=setting, thinking=thinking, default=default)

    assert chosen.effort == expected


@pytest.mark.parametrize(
    ('slug', 'efforts'),
    [
        # In the order of `EFFORTS`: none, minimal, low, medium, high, xhigh, max, ultra.
        ('gpt-5.1-codex-mini', ['medium', 'medium', 'medium', 'medium', 'high', 'high', 'high', 'high']),
        ('gpt-5.1-codex', ['low', 'low', 'low', 'medium', 'high', 'high', 'high', 'high']),
        ('gpt-5.1', ['none', 'minimal', 'low', 'medium', 'high', 'high', 'high', 'high']),
        ('gpt-5.1-codex-max', ['low', 'low', 'low', 'medium', 'high', 'xhigh', 'xhigh', 'xhigh']),
        ('gpt-5.4', ['none', 'low', 'low', 'medium', 'high', 'xhigh', 'xhigh', 'xhigh']),
        ('gpt-5-mini', ['minimal', 'minimal', 'low', 'medium', 'high', 'high', 'high', 'high']),
        ('gpt-5.5', ['low', 'low', 'low', 'medium', 'high', 'xhigh', 'xhigh', 'xhigh']),
        ('gpt-6-luna', ['low', 'low', 'low', 'medium', 'high', 'xhigh', 'max', 'max']),
        ('gpt-6.1-sol', ['low', 'low', 'low', 'medium', 'high', 'xhigh', 'max', 'xhigh']),
        ('unknown', ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'xhigh']),
    ],
)
def test_clamps(slug: str, efforts: list[WireEffort]) -> None:
    chosen = [choose_effort(ModelName(slug), setting=effort) for effort in EFFORTS]

    assert [each.effort for each in chosen] == efforts


@pytest.mark.parametrize(
    ('slug', 'clamped'),
    [
        ('gpt-5.5', ['none', 'minimal', 'max', 'ultra']),
        ('gpt-6-luna', ['none', 'minimal', 'ultra']),
        # The wire has no word for `ultra`, so that sending `xhigh` for it is no clamp.
        ('gpt-6.1-sol', ['none', 'minimal']),
        ('gpt-5.1-codex-mini', ['none', 'minimal', 'low', 'xhigh', 'max', 'ultra']),
        ('unknown', []),
    ],
)
def test_a_clamp_is_told(slug: str, clamped: list[Effort]) -> None:
    chosen = {effort: choose_effort(ModelName(slug), setting=effort) for effort in EFFORTS}

    assert [effort for effort, each in chosen.items() if each.is_clamped] == clamped
    assert {effort: each.asked for effort, each in chosen.items()} == {effort: effort for effort in EFFORTS}


@pytest.mark.parametrize(
    ('asked', 'expected'),
    [
        ({'setting': 'max'}, ('max', 'the setting `codex_reasoning_effort`')),
        ({'thinking': 'max'}, ('max', 'the setting `thinking`')),
        ({'thinking': False}, ('none', 'the setting `thinking`')),
        ({'default': 'max'}, ('max', 'the environment variable `CODEX_REASONING_EFFORT`')),
        ({'thinking': True, 'default': 'none'}, (None, None)),
        ({}, (None, None)),
    ],
    ids=str,
)
def test_the_place_of_a_wish_is_known(asked: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    chosen = choose_effort(ModelName('gpt-5.5'), **asked)

    assert (chosen.asked, chosen.where) == expected
    assert choose_effort(ModelName('gpt-5.5', 'max')).where == 'the model name'


@pytest.mark.parametrize(
    ('efforts', 'default', 'expected'),
    [
        # The list of the backend wins over what this package knows of gpt-5.5.
        (('low',), 'low', ('low', 'low', True)),
        (('max', 'none'), 'none', ('none', 'max', True)),
        # Words of a newer list have no place in the order; a list of nothing else says nothing.
        (('low', 'hyper', 'max'), 'hyper', (None, 'max', True)),
        (('hyper',), 'hyper', (None, 'xhigh', False)),
        ((), None, (None, 'xhigh', False)),
        (('ultra',), 'ultra', ('xhigh', 'xhigh', True)),
        # A default that is not among the efforts.
        (('low', 'medium'), 'high', ('medium', 'medium', True)),
        (('hyper',), 'high', ('high', 'xhigh', False)),
    ],
    ids=str,
)
def test_the_catalog_decides(
    efforts: tuple[str, ...], default: str | None, expected: tuple[str | None, str | None, bool]
) -> None:
    info = ModelInfo('gpt-5.5', efforts, default, None)

    chosen = choose_effort(ModelName('gpt-5.5'), info=info, setting='xhigh')

    own = choose_effort(ModelName('gpt-5.5'), info=info)
    assert (own.effort, chosen.effort, chosen.is_clamped) == expected
    assert (own.asked, own.is_clamped) == (None, False)


def test_an_effort_that_only_the_list_knows_may_be_asked_for() -> None:
    info = ModelInfo('gpt-5.5', ('low', 'hyper'), 'low', None)

    chosen = choose_effort(ModelName('gpt-5.5', 'low'), info=info, setting='hyper', thinking='high')

    assert (chosen.effort, chosen.where, chosen.is_clamped) == ('hyper', 'the setting `codex_reasoning_effort`', False)
    with pytest.raises(ConfigurationError, match="'hyper' in the setting"):
        choose_effort(ModelName('gpt-5.5'), setting='hyper')


@pytest.mark.parametrize('setting', [[], {}, 5])
def test_an_effort_that_is_no_text_is_refused(setting: Any) -> None:
    with pytest.raises(ConfigurationError, match='is no reasoning effort'):
        choose_effort(ModelName('gpt-5.5'), setting=setting)


@pytest.mark.parametrize(
    ('setting', 'thinking', 'default', 'where'),
    [
        ('hihg', None, None, 'the setting `codex_reasoning_effort`'),
        ('', None, None, 'the setting `codex_reasoning_effort`'),
        (None, 'hihg', None, 'the setting `thinking`'),
        (None, None, 'hihg', 'the environment variable `CODEX_REASONING_EFFORT`'),
    ],
)
def test_bad_effort_is_refused_by_the_name_of_its_place(
    setting: str | None, thinking: str | None, default: str | None, where: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_effort(ModelName('gpt-5.5'), setting=setting, thinking=thinking, default=default)

    assert where in str(caught.value)
    assert repr(setting if setting is not None else thinking or default) in str(caught.value)
    assert 'none, minimal, low, medium, high, xhigh, max, ultra' in str(caught.value)


def names(slug: str, effort: Effort) -> Iterator[tuple[str, bool]]:
    for mark in '-:':
        if f'{slug}{mark}{effort}' in MODEL_FACTS:
            continue  # `gpt-5.1-codex-max` is a model of its own.
        yield f'{slug}{mark}{effort}', False
        for fast in '-:':
            yield f'{slug}{mark}{effort}{fast}fast', True
            yield f'{slug}{fast}fast{mark}{effort}', True


@pytest.mark.parametrize('slug', sorted(MODEL_FACTS))
def test_any_suffix_leaves_the_slug_and_ends_in_an_effort_that_the_model_takes(slug: str) -> None:
    for effort in EFFORTS:
        for text, fast in names(slug, effort):
            parsed = parse_model_name(text)
            assert (text, parsed) == (text, ModelName(slug, effort, fast))
            chosen = choose_effort(parsed).effort
            assert chosen in MODEL_FACTS[slug].efforts
            assert chosen != 'ultra'


@pytest.mark.parametrize('slug', sorted(MODEL_FACTS))
def test_facts_are_in_order_and_hold_the_default(slug: str) -> None:
    facts = MODEL_FACTS[slug]

    assert list(facts.efforts) == sorted(facts.efforts, key=EFFORTS.index)
    assert facts.default_effort in facts.efforts
    assert facts.slug == slug


@pytest.mark.parametrize(
    ('name', 'readings'),
    [
        ('gpt-7', []),
        ('gpt-5.1-codex-max', []),
        ('codex:gpt-7:max', []),
        ('gpt-7-max', [ModelName('gpt-7-max')]),
        ('codex:gpt-7-max', [ModelName('gpt-7-max')]),
        ('gpt-6-sol-max', [ModelName('gpt-6-sol-max')]),
        ('gpt-7-max:fast', [ModelName('gpt-7-max', fast=True)]),
        ('gpt-7-fast:max', [ModelName('gpt-7-fast', 'max')]),
        ('gpt-7:max-fast', []),
        ('gpt-7-max-fast', [ModelName('gpt-7-max-fast'), ModelName('gpt-7-max', fast=True)]),
        ('gpt-7-fast-low', [ModelName('gpt-7-fast-low'), ModelName('gpt-7-fast', 'low')]),
    ],
)
def test_a_suffix_may_be_a_part_of_a_slug(name: str, readings: list[ModelName]) -> None:
    assert list(parse_model_name(name).readings) == readings


def listing(*slugs: str) -> ModelCatalog:
    return ModelCatalog(models=tuple(ModelInfo(slug, (), None, None, listed=True) for slug in slugs), source='backend')


@pytest.mark.parametrize(
    ('name', 'slugs', 'expected'),
    [
        ('gpt-7-codex-max', ['gpt-7-codex', 'gpt-7-codex-max'], ModelName('gpt-7-codex-max')),
        ('gpt-7-codex-max', ['gpt-7-codex'], ModelName('gpt-7-codex', 'max')),
        ('gpt-7-codex:max', ['gpt-7-codex', 'gpt-7-codex-max'], ModelName('gpt-7-codex', 'max')),
        ('gpt-7-codex-max:high', ['gpt-7-codex', 'gpt-7-codex-max'], ModelName('gpt-7-codex-max', 'high')),
        ('gpt-7-codex-max-high-fast', ['gpt-7-codex-max'], ModelName('gpt-7-codex-max', 'high', fast=True)),
        ('gpt-7-fast', ['gpt-7', 'gpt-7-fast'], ModelName('gpt-7-fast')),
        ('gpt-7-fast-low', ['gpt-7', 'gpt-7-fast'], ModelName('gpt-7-fast', 'low')),
        ('gpt-7-low-fast', ['gpt-7', 'gpt-7-low', 'gpt-7-low-fast'], ModelName('gpt-7-low-fast')),
        ('gpt-7-low-fast', ['gpt-7', 'gpt-7-low'], ModelName('gpt-7-low', fast=True)),
        # Of a model that is known here, there may be a new one as well.
        ('gpt-6-sol-max', ['gpt-6-sol', 'gpt-6-sol-max'], ModelName('gpt-6-sol-max')),
        ('GPT-7-Max', ['gpt-7', 'gpt-7-max'], ModelName('gpt-7-max')),
        ('gpt-8-max', ['gpt-7'], ModelName('gpt-8', 'max')),
        # Gone from the list: a slug nevertheless.
        ('gpt-5.1-codex-max', ['gpt-5.1-codex'], ModelName('gpt-5.1-codex-max')),
    ],
)
def test_the_list_decides_what_is_a_slug(name: str, slugs: list[str], expected: ModelName) -> None:
    assert as_listed(parse_model_name(name), listing(*slugs)) == expected


@pytest.mark.parametrize('slug', sorted(MODEL_FACTS))
def test_the_bundled_list_changes_no_name(slug: str) -> None:
    for effort in EFFORTS:
        for text, _ in names(slug, effort):
            parsed = parse_model_name(text)
            assert as_listed(parsed, BUNDLED) is parsed


def test_another_prefix_is_named() -> None:
    with pytest.raises(ModelNameError, match=r"'openai-codex' .* is no prefix of ours; write \"codex:gpt-5\.5\""):
        parse_model_name('openai-codex:gpt-5.5')
