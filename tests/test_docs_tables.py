"""The tables of docs/ are whole: every setting, argument, model, variable and name has its line."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic_ai import Agent

import pydantic_ai_codex
from pydantic_ai_codex import (
    CodexModelSettings,
    CodexProvider,
    ModelCatalog,
    RateLimits,
    TransportPolicy,
    auth,
    testing,
)
from pydantic_ai_codex._model import instructions as modes
from pydantic_ai_codex._policy import RULES, Rule
from pydantic_ai_codex._protocol.instruction_files import source_of
from pydantic_ai_codex._protocol.model_facts import EFFORTS, MODEL_FACTS
from pydantic_ai_codex.testing import CodexSimulator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / 'pydantic_ai_codex'
TEXTS = {page.stem: page.read_text(encoding='utf-8') for page in (ROOT / 'README.md', *(ROOT / 'docs').glob('*.md'))}


def table(page: str, first: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    body = TEXTS[page].split(f'\n| {first} |', 1)[1].split('\n\n', 1)[0]
    return [[cell.strip() for cell in line.strip('|').split(' | ')] for line in body.splitlines()[2:]]


def named(cells: list[str]) -> set[str]:
    """What stands in code in the cells."""
    return {name for cell in cells for name in re.findall(r'`([^`]+)`', cell)}


def test_every_setting_stands_in_the_table() -> None:
    settings = CodexModelSettings.__optional_keys__ | CodexModelSettings.__required_keys__

    assert settings <= named([row[0] for row in table('reference', 'setting')])


def test_every_argument_of_the_provider_stands_in_the_table() -> None:
    rows = table('reference', 'argument of `CodexProvider`')

    assert [row[0] for row in rows] == [f'`{name}`' for name in inspect.signature(CodexProvider).parameters]


def test_the_policy_is_that_of_the_table() -> None:
    rows = table('reference', 'field of `TransportPolicy`')

    assert [row[:2] for row in rows] == [[f'`{each.name}`', str(each.default)] for each in fields(TransportPolicy)]


def span(efforts: tuple[str, ...]) -> str:
    """Efforts as a person would name them: neighbours as a range."""
    runs: list[list[str]] = []
    for effort in efforts:
        if runs and EFFORTS.index(effort) == EFFORTS.index(runs[-1][-1]) + 1:
            runs[-1].append(effort)
        else:
            runs.append([effort])
    return ', '.join(f'{run[0]} to {run[-1]}' if len(run) > 2 else ', '.join(run) for run in runs)


def test_every_model_stands_in_the_table() -> None:
    rows = {row[0]: row[1:3] for row in table('reference', 'slug')}

    assert rows == {f'`{slug}`': [span(facts.efforts), facts.default_effort] for slug, facts in MODEL_FACTS.items()}


def test_every_file_of_instructions_stands_in_the_table() -> None:
    files = named([row[1] for row in table('instructions', 'slug')])

    assert {source_of(slug).files[0].path for slug in MODEL_FACTS} == files


def test_the_request_of_the_page_is_what_goes_out() -> None:
    shown = json.loads(TEXTS['instructions'].split('```json\n')[1].split('```')[0])
    simulator = CodexSimulator(default=testing.reply('Hello.'))
    agent = Agent(
        simulator.model('gpt-5.5', settings=CodexModelSettings(codex_instructions='official')),
        instructions='You sell fruit.',
        system_prompt='Prices are in euros.',
        tools=[price],
    )

    anyio.run(agent.run, 'Hello')

    body = simulator.requests[0].body
    assert is_like(shown, {name: body[name] for name in shown})


def price(fruit: str) -> int:
    """What a fruit costs."""
    return len(fruit)


def is_like(shown: Any, real: Any) -> bool:
    """Whether it is the same, but for what dots at the end of a text stand for."""
    pattern = re.escape(json.dumps(shown)).replace(r'\.\.\."', r'[^"]*"')
    return re.fullmatch(pattern, json.dumps(real)) is not None


THEN = {'fail': 'fail', 'retry': 'retry', 'new_login': 'new login', 'without_reasoning': 'without reasoning'}


def test_every_failure_stands_in_the_table() -> None:
    def then(rule: Rule) -> str:
        return 'handed out' if (rule.where, rule.action) == ('incomplete', 'fail') else THEN[rule.action]

    rows = [(*row[:3], named(row[3:])) for row in table('limits', 'what ends an attempt')]

    assert rows == [(rule.case, rule.where, then(rule), set(rule.codes)) for rule in RULES]


@pytest.mark.parametrize(
    ('page', 'header', 'described'),
    [
        ('models', 'field of `ModelCatalog`', ModelCatalog),
        ('limits', 'field of `RateLimits`', RateLimits),
    ],
)
def test_every_field_stands_in_the_table(page: str, header: str, described: type) -> None:
    fields = {name for name in dir(described) if not name.startswith('_')} - SAID_ELSEWHERE

    assert fields <= {name.partition('(')[0] for row in table(page, header) for name in named(row[:1])}


SAID_ELSEWHERE = {'as_dict', 'holds', 'windows', 'owner', 'find'}
"""What the docstrings tell."""


def test_every_variable_stands_in_the_table() -> None:
    sources = (path.read_text(encoding='utf-8') for path in PACKAGE.rglob('*.py'))
    variables = {name for source in sources for name in re.findall(r"'(CODEX_[A-Z_]+)'", source)}

    assert len(variables) > 5
    assert variables <= named([row[0] for row in table('reference', 'variable')])


def test_every_word_of_the_mode_stands_in_its_row() -> None:
    (row,) = (row for row in table('reference', 'variable') if row[0] == '`CODEX_MODE`')

    assert named(row) >= modes._OFF | modes._ON  # pyright: ignore[reportPrivateUsage]


def test_the_simulator_is_described_whole() -> None:
    makers = {name for name in testing.__all__ if name.islower()}
    rows = table('testing', 'argument of `CodexSimulator`')

    assert not {name for name in makers if not re.search(rf'\b{name}\b', TEXTS['testing'])}
    arguments = {name.removeprefix('*') for name in named([row[0] for row in rows])}
    assert arguments == set(inspect.signature(CodexSimulator).parameters)


def test_every_public_name_is_mentioned() -> None:
    everything = '\n'.join(TEXTS.values())
    names = {*pydantic_ai_codex.__all__, *auth.__all__}

    assert not {name for name in names if not re.search(rf'\b{name}\b', everything)}


MEASURED = {
    '`Agent`: a long answer': ('Long answers through `Agent`', '(a) 5,000 text deltas'),
    '`Agent`: a request with 1,000 messages and 10 tools': ('Requests', '1,000 messages, 10 tools, `Agent`'),
    'the model alone: a long answer, text': ('Long answers', '(a) 5,000 text deltas'),
    'the model alone: a long answer, arguments of tools': ('Long answers', '(b) 8 calls, 1,600 deltas'),
    'the model alone: a long answer, reasoning': ('Long answers', '(c) 2,000 reasoning deltas'),
    'the model alone: a slow answer, an event every 1.5 ms': ('Slow answers', 'an event every 1.5 ms'),
    'the model alone: a request with 10 messages': ('Requests', '10 messages, 0 tools'),
    'the model alone: a request with 10 messages and 100 tools': ('Requests', '10 messages, 100 tools'),
    'the model alone: a request with 1,000 messages and 10 tools': ('Requests', '1,000 messages, 10 tools'),
}
"""The rows of the README, and where the page has them: under which heading, and in which row."""


def test_the_ratios_of_the_readme_are_those_that_were_measured() -> None:
    rows = table('README', 'times less CPU time')
    assert [row[0] for row in rows] == list(MEASURED)
    for label, *ratios in rows:
        heading, name = MEASURED[label]
        section = TEXTS['performance'].split(f'\n## {heading}\n')[1].split('\n## ')[0]
        measured = section.split('| times less than `OpenAICodexModel` |')[1]
        row = ''.join(rf' \| {ratio}(?: \([^|]*\))?' for ratio in ratios)
        assert re.search(rf'^\| {re.escape(name)}{row} \|', measured, re.MULTILINE), label
