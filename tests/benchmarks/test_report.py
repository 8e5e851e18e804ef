"""The figures, the verdicts and the page, from results that are made up: nothing here is timed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import __main__ as main_module
from benchmarks.__main__ import finish, parser
from benchmarks.bars import BARS, Verdict, verdicts
from benchmarks.figures import Figure, figure, number, ratio, shown
from benchmarks.imports import IMPORTS
from benchmarks.machine import about, cpu_model
from benchmarks.measures import GROUPS, TASKS, chosen, conversation, memory
from benchmarks.peers import MODELS, OURS, SUBJECTS, UPSTREAM
from benchmarks.report import gaps, has_failed, page, summary
from benchmarks.results import Results
from benchmarks.sections import SECTIONS
from benchmarks.tables import best_peer, present, ratios, remarks, table

MADE_UP = {
    OURS: 10.0,
    'ours-aiohttp': 5.0,
    UPSTREAM: 100.0,
    'litellm': 20.0,
    'raw-aiohttp': 3.0,
    'raw-httpx2': 4.0,
    'raw-socket': 1.0,
    'import pydantic_ai': 90.0,
}


def made_up(only: tuple[str, ...] = ()) -> Results:
    """Three rounds of everything, of which the figures of a subject are 1, 2 and 3 times the one above."""
    results = Results(
        about={'date': '2020-02-02', 'processor': 'made up, 2 cores'}, versions={'pydantic-ai-slim': '2.68.0'}
    )
    for name in SUBJECTS:
        for stream in 'abcde':
            results.note_problems(name, f'{stream}/model', [])
    names = ('cpu', 'wall', 'rate', 'blocked', 'body', 'total', 'growth', 'last')
    for task, _ in chosen(only, quick=False, rounds=3):
        results.rounds[task.key] = 3
        for subject in task.subjects:
            for round_number in range(3):
                value = MADE_UP.get(subject, 10.0) * (round_number + 1)
                for name in names:
                    results.add(f'{task.key}/{name}', subject, round_number, value)
    results.loaded = {name: [] for name in IMPORTS}
    return results


def section(group: str):
    return next(each for each in SECTIONS if each.group == group)


def verdict(name: str, results: Results) -> Verdict:
    return next(each for each in verdicts(results) if each.bar.name == name)


# Figures.


def test_a_figure_is_the_median_with_its_quartiles() -> None:
    assert figure([5, 1, 4, 2, 3]) == Figure(3, 2, 4, 5)


def test_of_few_samples_the_spread_is_everything() -> None:
    assert figure([1, 9, 2]) == Figure(2, 1, 9, 3)


def test_rounds_without_a_sample_do_not_count() -> None:
    assert figure([None, 2, None]) == Figure(2, 2, 2, 1)
    assert figure([None]) is None


def test_a_ratio_is_made_of_what_was_measured_in_the_same_round() -> None:
    """A machine that is slow for a while is so for both; the ratio of the medians would be 10."""
    assert ratio([10, 100, 1000], [5, 10, 500]) == Figure(2, 2, 10, 3)
    assert ratio([10, None, 30], [5, 5, None]) == Figure(2, 2, 2, 1)


def test_what_took_no_time_is_endlessly_faster() -> None:
    assert ratio([1], [0]) == Figure(float('inf'), float('inf'), float('inf'), 1)


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (0.354, '0.35'),
        (8.237, '8.24'),
        (9.96, '10.0'),
        (0, '0'),
        (57, '57'),
        (57.26, '57.3'),
        (99.97, '100'),
        (2831.6, '2,832'),
        (-0.5, '-0.50'),
    ],
)
def test_a_number_has_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_figure_shows_its_spread_where_it_has_one() -> None:
    assert shown(figure([1, 2, 3])) == '2.00 (1.00 to 3.00)'
    assert shown(figure([2, 2.001, 2])) == '2.00'
    assert shown(None) == ''


# What is in an answer.


def test_memory_grows_over_the_second_half() -> None:
    assert memory({'rss': {'0': 1, '1000': 60_102_400, '500': 60_000_000}}) == {'total': 60.1024, 'growth': 100.0}


def test_a_conversation_is_counted_by_the_server() -> None:
    assert conversation({'body_bytes': 6_200_000, 'last_body_bytes': 232_000}) == {'total': 6.2, 'last': 232.0}


# What is measured.


def test_every_group_can_be_chosen_and_has_its_section() -> None:
    assert {task.group for task in TASKS} == set(GROUPS) == {each.group for each in SECTIONS}


def test_series_have_names_of_their_own() -> None:
    assert len({task.key for task in TASKS}) == len(TASKS)


def test_a_quick_run_leaves_out_what_is_slow_unless_it_is_asked_for() -> None:
    quick = {task.group for task, _ in chosen((), quick=True, rounds=None)}

    assert 'memory' not in quick
    assert [rounds for _, rounds in chosen(('memory',), quick=True, rounds=None)] == [1]


def test_the_number_of_rounds_can_be_given() -> None:
    assert {rounds for _, rounds in chosen(('streams',), quick=False, rounds=9)} == {9}


# Bars.


def test_without_samples_nothing_is_met() -> None:
    assert {each.outcome for each in verdicts(Results())} == {'not measured'}


def test_every_bar_is_measured_by_a_whole_run() -> None:
    results = made_up()
    for subject in (OURS, UPSTREAM):
        for number_of_round in range(3):
            results.add('request/10/10/model/body', subject, number_of_round, 30)

    assert [each.bar.name for each in verdicts(results) if each.outcome == 'not measured'] == []


def test_a_bar_is_met_where_it_is_reached() -> None:
    results = made_up(('streams',))

    assert verdict('1a', results).found == Figure(10, 10, 10, 3)
    assert verdict('1a', results).outcome == 'met'


def test_a_bar_that_is_missed_is_a_failure() -> None:
    results = made_up(('requests',))

    assert verdict('4: 1000/10', results).outcome == 'missed'
    assert has_failed(results)


def test_a_stretch_that_is_missed_is_none() -> None:
    results = Results()
    results.add('stream/a/model/cpu', UPSTREAM, 0, 100)
    results.add('stream/a/model/cpu', 'ours-aiohttp', 0, 50)

    assert verdict('2a', results).outcome == 'missed'
    assert not has_failed(results)


def test_what_of_ours_could_not_be_measured_is_a_failure() -> None:
    results = Results()
    results.absent['memory'] = {OURS: 'it fails: it ended'}

    assert has_failed(results)


@pytest.mark.parametrize('subject', ['ours-aiohttp', 'ours-file', 'import ours-auth'])
def test_so_is_any_failure_of_this_package(subject: str) -> None:
    results = Results()
    results.absent['somewhere'] = {subject: 'it fails: it ended'}

    assert has_failed(results)
    assert f'{subject}, somewhere: it fails: it ended' in gaps(results)


def test_others_may_fail() -> None:
    results = Results()
    results.absent['somewhere'] = {'litellm': 'it fails: it ended', 'import litellm': 'it fails: it ended'}

    assert not has_failed(results)


def test_a_bar_that_a_whole_run_could_not_measure_is_a_gap_but_no_stretch_is() -> None:
    results = made_up(('streams',))
    results.samples['stream/a/model/cpu'].pop(UPSTREAM)

    assert 'bar 1a was not measured' in gaps(results)
    assert 'bar 1b was not measured' not in gaps(results)
    assert 'bar 2a was not measured' not in gaps(results)


def test_the_slope_is_microseconds_for_a_message() -> None:
    results = Results()
    results.add('request/10/10/model/cpu', OURS, 0, 4.0)
    results.add('request/1000/10/model/cpu', OURS, 0, 4.0 + 0.99 * 7)

    assert verdict('5: slope', results).found == pytest.approx(Figure(7, 7, 7, 1))


def test_a_body_over_a_megabyte_may_keep_others_waiting() -> None:
    results = Results()
    for shape, body, longest in (('10/10', 50, 3.0), ('1000/10', 900, 9.0), ('1000/100', 1100, 90.0)):
        results.add(f'request/{shape}/model/body', OURS, 0, body)
        results.add(f'request/{shape}/model/blocked', OURS, 0, longest)

    assert verdict('5: blocked', results).found == Figure(9, 9, 9, 1)


def test_the_first_word_is_compared_without_what_a_bare_socket_needs() -> None:
    results = Results()
    for subject, wall in ((OURS, 3.0), (UPSTREAM, 11.0), ('raw-socket', 1.0)):
        results.add('first-token/wall', subject, 0, wall)

    assert verdict('7', results).found == Figure(0.2, 0.2, 0.2, 1)


def test_a_module_that_an_import_must_not_load_is_missed() -> None:
    results = Results()
    results.loaded = {'import ours': ['openai'], 'import upstream': ['openai']}

    assert verdict('8: modules', results).found == Figure(1, 1, 1, 1)
    assert verdict('8: modules', results).outcome == 'missed'


def test_a_changed_stream_of_ours_is_missed() -> None:
    results = made_up(('streams',))
    results.note_problems(OURS, 'a/model', ['merged'])

    assert verdict('0', results).outcome == 'missed'


def test_bars_have_names_of_their_own() -> None:
    assert len({bar.name for bar in BARS}) == len(BARS)


# Tables.


def test_the_figures_of_a_changed_stream_stand_in_brackets() -> None:
    results = made_up(('streams',))
    results.note_problems('litellm', 'a/model', ['5,000 text deltas are merged into 900.', 'more'])

    rows = [line for line in table(results, section('streams')).splitlines() if 'litellm' in line]

    assert rows == ["| litellm's `chatgpt/` | [40 (20 to 60)] | 40 (20 to 60) | 40 (20 to 60) | 40 (20 to 60) |"]
    assert '| [5.00] |' in ratios(results, section('streams'))
    assert remarks(results, section('streams')) == [
        "In brackets, as it changes what was sent: litellm's `chatgpt/` "
        '(a/model: 5,000 text deltas are merged into 900. and 1 more)'
    ]


def test_whoever_changes_what_was_sent_is_nobodys_best() -> None:
    results = made_up(('streams',))
    task = section('streams').tasks[0]
    assert best_peer(results, task, 'cpu') == 'litellm'

    results.note_problems('litellm', 'a/model', ['merged'])

    assert best_peer(results, task, 'cpu') == UPSTREAM


def test_a_subject_without_figures_has_no_row_but_a_reason() -> None:
    results = made_up(('bytes',))
    del results.samples['bytes/total']['ours-aiohttp']
    del results.samples['bytes/last']['ours-aiohttp']
    results.absent['bytes'] = {'ours-aiohttp': 'it fails: /somewhere/on/this/machine'}

    assert present(results, section('bytes')) == [name for name in MODELS if name != 'ours-aiohttp']
    assert remarks(results, section('bytes')) == ['Not measured: this package, `aiohttp_client` (it fails)']


# The page.


def test_the_page_says_what_was_measured_where_and_how_it_went() -> None:
    text = page(made_up(), {'4: 1000/10': 'The body has to be sent.'})

    assert text.startswith('# Performance\n\n`make bench` writes this page')
    assert '- processor: made up, 2 cores\n' in text
    assert '- versions: pydantic-ai-slim 2.68.0\n' in text
    assert (
        '| 1a | CPU of stream (a) on stock `httpx2`, against `OpenAICodexModel` | at least 7.5 times less | 10 | met |'
        in text
    )
    assert '- 4: 1000/10: The body has to be sent.\n' in text
    assert '- 4: 10/100: not looked into yet.\n' in text


def test_the_page_has_every_section_once_and_its_tables_are_even() -> None:
    text = page(made_up())

    headings = re.findall('^## (.+)$', text, re.MULTILINE)
    assert len(set(headings)) == len(headings)
    assert {each.title for each in SECTIONS} <= set(headings)
    for block in re.findall(r'(?:^\|.*\n)+', text, re.MULTILINE):
        assert len({line.count(' | ') for line in block.splitlines()}) == 1


def test_the_page_is_as_wide_as_the_others() -> None:
    results = made_up()
    results.note_problems('litellm', 'a/model', ['word ' * 60])

    lines = [line for line in page(results).splitlines() if not line.startswith('|')]

    assert [line for line in lines if len(line) > 120] == []
    assert '\n\n\n' not in page(results)


def test_a_part_of_a_run_shows_what_it_has() -> None:
    text = summary(made_up(('memory',)))

    assert '## Memory' in text
    assert '## Requests' not in text
    assert 'not measured 1a ' in text
    assert '\033' not in text


def test_colours_are_there_where_they_are_wanted() -> None:
    assert '\033[32mmet' in summary(made_up(), in_colour=True)


def test_results_can_be_kept() -> None:
    results = made_up()

    assert Results.from_json(results.to_json()) == results


def test_a_run_that_misses_a_bar_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    results = made_up(('requests',))

    assert finish(parser().parse_args(['--check']), results) == 1
    assert 'missed' in capsys.readouterr().out


def test_the_samples_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert finish(parser().parse_args(['--only', 'memory', '--json']), made_up(('memory',))) == 0
    assert Results.from_json(capsys.readouterr().out) == made_up(('memory',))


def test_a_whole_run_with_a_gap_fails_and_leaves_the_page_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(main_module, 'PAGE', tmp_path / 'performance.md')

    assert finish(parser().parse_args([]), made_up(('memory',))) == 1
    assert 'missing: bar 1a was not measured' in capsys.readouterr().err
    assert not (tmp_path / 'performance.md').exists()


def test_a_part_of_a_run_is_no_failure_for_what_it_leaves_out() -> None:
    assert finish(parser().parse_args(['--only', 'memory']), made_up(('memory',))) == 0


# The machine.


def test_the_processor_is_named() -> None:
    assert cpu_model('processor\t: 0\nmodel name\t: A Fine One\n') == 'A Fine One'
    assert cpu_model('') == ''


def test_the_machine_has_no_name() -> None:
    assert set(about()) == {'date', 'processor', 'system', 'Python'}
    assert all(about().values())
