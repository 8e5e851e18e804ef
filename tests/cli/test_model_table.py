"""The table of models, as a person reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex import ModelCatalog, ModelInfo
from pydantic_ai_codex._cli._model_table import effort_ranges, model_table, token_count
from pydantic_ai_codex._cli._models import origin
from pydantic_ai_codex._protocol.catalog import BUNDLED

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

LOW_TO_ULTRA = ('low', 'medium', 'high', 'xhigh', 'max', 'ultra')


def model(slug: str, **fields: Any) -> ModelInfo:
    facts: dict[str, Any] = {
        'efforts': LOW_TO_ULTRA,
        'default_effort': 'low',
        'context_window': 272_000,
        'listed': True,
    }
    return ModelInfo(slug, **{**facts, **fields})


def catalog(*models: ModelInfo, **fields: Any) -> ModelCatalog:
    facts: dict[str, Any] = {'source': 'backend', **fields}
    return ModelCatalog(models=models, **facts)


SMALL = catalog(
    model('gpt-7-sol', max_context_window=872_000, service_tiers=('priority',), priority=1, description='Does it all.'),
    model('gpt-6-sol', efforts=('none', 'low', 'medium', 'steep'), successor='gpt-7-sol', priority=2),
    model('gpt-night', listed=False, efforts=(), default_effort=None, context_window=None),
)


def screen(models: ModelCatalog, width: int | None) -> str:
    return '\n'.join(model_table(models, width=width).lines)


def test_the_models_of_this_version_in_80_columns() -> None:
    table = model_table(BUNDLED, width=80)

    assert max(map(len, table.lines)) <= 80
    assert table.omitted == []
    assert '\n'.join(table.lines) == snapshot("""\
  model                     default  efforts    context    tiers     successor
* gpt-6.1-sol               low      low-ultra  272k/872k  priority
  gpt-6-astra               low      low-ultra  272k/872k  priority
  gpt-6-sol                 medium   low-ultra  272k/872k  priority
  gpt-6-luna                medium   low-max    272k/872k  priority
  gpt-5.6-sol               low      low-ultra  272k/872k  priority  gpt-6-sol
  gpt-6.1-terra             low      low-ultra  500k/872k  priority
  gpt-5.6-terra             medium   low-ultra  272k/872k  priority  gpt-6-sol
  gpt-5.6-luna              medium   low-max    272k/872k  priority  gpt-6-luna
  gpt-5.5                   medium   low-xhigh  272k       priority  gpt-6-sol
hidden
  gpt-daybreak-blue-latest  low      low-ultra  272k/872k
  gpt-daybreak-red-latest   medium   low-ultra  372k
  codex-auto-review         medium   low-max    272k/872k  priority
retired
  gpt-5.6-terra  instead of gpt-5.4, gpt-5.3-codex, gpt-5.2, gpt-5.1-codex-mini,
                            o4-mini
  gpt-5.6-luna   instead of gpt-5.4-mini
  gpt-6-luna     instead of gpt-5.3-codex-spark, codex-mini-latest
  gpt-5.6-sol    instead of gpt-5.2-codex, gpt-5.1-codex-max, gpt-5.1-codex,
                            gpt-5.1
  gpt-6.1-terra  instead of gpt-5-mini
  gpt-6.1-sol    instead of o3\
""")


def test_every_model_of_the_list_is_there_at_every_width() -> None:
    for width in (24, 40, 60, 80, 100, 200, None):
        lines = model_table(BUNDLED, width=width).lines
        for each in BUNDLED.models:
            assert any(each.slug[:20] in line for line in lines), (each, width)


def test_a_narrow_terminal_shows_less_and_the_table_says_what_is_missing() -> None:
    table = model_table(BUNDLED, width=60)

    assert max(map(len, table.lines)) <= 60
    assert table.omitted == ['tiers', 'successor']


def test_a_wide_terminal_shows_the_description() -> None:
    assert screen(SMALL, 120).partition('retired')[0] == snapshot("""\
  model      default  efforts                context    tiers     successor  description
* gpt-7-sol  low      low-ultra              272k/872k  priority             Does it all.
  gpt-6-sol  low      none low-medium steep  272k                 gpt-7-sol
hidden
  gpt-night
""")


@pytest.mark.parametrize('tiers', [None, ()])
def test_a_list_without_tiers_has_no_column_for_them(tiers: tuple[str, ...] | None) -> None:
    assert 'tiers' not in screen(catalog(model('gpt-7-sol', service_tiers=tiers)), 120)


def test_the_description_is_what_is_cut_off() -> None:
    table = screen(catalog(model('gpt-7-sol', description='Says a lot of itself. ' * 9)), 80)

    assert table.splitlines()[1] == snapshot(
        '* gpt-7-sol  low      low-ultra  272k     Says a lot of itself. Says a lot of i~'
    )


def test_a_pipe_has_everything_that_can_be_searched_for_in_a_line() -> None:
    slug = 'gpt-' + 'long-' * 24

    assert f'  {slug}  low  ' in screen(catalog(model('gpt-7-sol'), model(slug)), None).replace('      ', '  ')
    assert any(line.split()[-1] == BUNDLED.retired[-1].slug for line in screen(BUNDLED, None).splitlines())


def test_a_name_that_fits_nowhere_is_cut_off() -> None:
    table = model_table(catalog(model('gpt-' + 'long-' * 24)), width=40)

    assert table.lines[1] == snapshot('* gpt-long-long-long-long-long-long-lon~')


def test_what_is_default_hidden_and_retired_has_a_style() -> None:
    lines = model_table(SMALL, width=80, paint=lambda text, style: f'<{style}>{text}').lines

    assert [line[:14] for line in lines[:6]] == snapshot(
        ['<1>  model    ', '* gpt-7-sol  l', '  gpt-6-sol  l', '<1>hidden', '<2>  gpt-night', '<1>retired']
    )
    assert all(line.startswith('<2>') for line in lines[6:])


def test_a_retired_name_stands_beside_a_listed_one() -> None:
    lines = screen(BUNDLED, None).splitlines()
    listed = {each.slug for each in BUNDLED.listed}

    retired = lines[lines.index('retired') + 1 :]
    named = {name for line in retired for name in line.partition(' instead of ')[2].split(', ')}
    assert {line.split()[0] for line in retired} <= listed
    assert named == {each.slug for each in BUNDLED.retired}


def test_a_list_of_the_backend_cannot_steer_the_terminal() -> None:
    table = screen(catalog(model('gpt-7-sol', efforts=('lo\x1b[31mw\nx',), description='\u202eolleh')), 120)

    assert '\x1b' not in table
    assert '\u202e' not in table
    assert len(table.partition('retired')[0].splitlines()) == 2


def test_a_list_without_a_default_has_none_marked() -> None:
    assert '*' not in screen(catalog(model('gpt-night', listed=False)), 80)


@pytest.mark.parametrize(
    ('efforts', 'words'),
    [
        (LOW_TO_ULTRA, 'low-ultra'),
        (('none', 'low', 'medium', 'high', 'xhigh'), 'none low-xhigh'),
        (('medium', 'high'), 'medium-high'),
        (('high',), 'high'),
        (('low', 'steep', 'steeper'), 'low steep steeper'),
        ((), ''),
    ],
)
def test_neighbours_are_a_range(efforts: tuple[str, ...], words: str) -> None:
    assert effort_ranges(efforts) == words


@pytest.mark.parametrize(
    ('count', 'words'), [(0, '0'), (999, '999'), (272_000, '272k'), (1_000_000, '1M'), (1_048_576, '1.05M')]
)
def test_tokens_are_counted_in_thousands(count: int, words: str) -> None:
    assert token_count(count) == words


@pytest.mark.parametrize(
    ('found', 'words'),
    [
        (catalog(fetched_at=NOW), 'The list of the backend, asked just now.'),
        (
            catalog(source='cache', fetched_at=NOW - timedelta(minutes=3)),
            'The list of the backend, from the cache, asked 3 minutes ago.',
        ),
        (catalog(source='bundled'), 'The list that comes with this version.'),
        (
            catalog(fetched_at=NOW, ignored=2),
            'The list of the backend, asked just now. 2 of its entries could not be read.',
        ),
    ],
)
def test_where_the_list_is_from(found: ModelCatalog, words: str) -> None:
    assert origin(found, NOW) == words
