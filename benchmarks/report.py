"""`docs/performance.md`, and the same in short for a terminal: text out of results, and nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from .bars import Verdict, verdicts
from .figures import shown
from .notes import NOTES
from .results import Results
from .tables import SECTIONS, Section, comparison, drawn, present, ratios, remarks, table

WIDTH = 120

HEADER = """\
# Performance

`make bench` writes this page; a change by hand is lost with the next run. It tells how much of a machine this package
uses, and how much others use for the same. Trust the ratios. The times are those of one machine on one day.
"""

METHOD = """\
## How it is measured

- A server on the same machine sends answers that were prepared before, each event as an HTTP chunk, with the padding,
  log probabilities, numbers and long ids around each delta that public reports show. Except for slow answers it does
  nothing for a single event. How fast it is at least, the row of the bare socket says.
- Each subject is a process of its own, which keeps its connections. They are asked by turns, one sample each, another
  one first in every round; so all share what else the machine does.
- The figures are CPU time of the process (`time.process_time()`) unless a table says otherwise, with garbage collection
  as usual. No TLS: it costs everybody the same.
- A figure is the median over the rounds, with the quartiles behind it; of fewer than four rounds, the smallest and the
  largest. A ratio is the median of the ratios of the rounds, as two that were measured side by side compare best.
- Before anything is timed, every subject is checked on every stream: each delta its own event, in the order of the
  wire, and parts and usage as they were sent. Whoever merges deltas, or loses something, stands in brackets, and is
  nobody's best. If this package does, there are no figures at all.
- The limits are programs that read the bytes and do nothing with them.
"""

BARS_TEXT = """\
## What we demand of ourselves

`make bench` fails where one of these is missed, but for those that are marked as a stretch.
"""

RUN = """\
## Run it yourself

```shell
make bench                                 # 6 to 10 minutes; writes this page
make bench BENCH='--quick'                 # a look, in two minutes; writes nothing
make bench BENCH='--only streams --only requests --rounds 9'
make bench BENCH='--profile ours a'        # where its time goes on stream (a)
make bench BENCH='--profile ours 1000/10'  # and on requests with 1,000 messages and 10 tools
```

Let the machine rest meanwhile. It ends with 1 where a bar is missed.
"""


def page(results: Results, notes: Mapping[str, str] = NOTES) -> str:
    """The whole page."""
    parts = [
        HEADER,
        bars_section(verdicts(results), notes),
        METHOD,
        machine(results),
        *(section(results, each) for each in SECTIONS if present(results, each)),
        RUN,
    ]
    return '\n'.join(parts)


def filled(text: str, indent: str = '') -> str:
    """A paragraph, or a point of a list, as wide as the other pages."""
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


# The bars.


def limit(verdict: Verdict) -> str:
    """The bar as a person says it: `at least 7.5 times less`."""
    bar = verdict.bar
    if not bar.at_least and bar.limit == 0:
        return 'none'
    return f'{"at least" if bar.at_least else "at most"} {bar.limit:g} {bar.unit}'


def outcome(verdict: Verdict) -> str:
    """The word for the last column."""
    word = 'stretch, ' if verdict.bar.is_stretch else ''
    return word + (f'**{verdict.outcome}**' if verdict.outcome == 'missed' else verdict.outcome)


def bars_section(found: Sequence[Verdict], notes: Mapping[str, str]) -> str:
    rows = [[each.bar.name, each.bar.claim, limit(each), shown(each.found) or '–', outcome(each)] for each in found]
    reasons = [
        filled(f'- {each.bar.name}: {notes.get(each.bar.name, "nobody has looked into it yet.")}', '  ')
        for each in found
        if each.outcome == 'missed'
    ]
    text = f'{BARS_TEXT}\n{drawn(["bar", "what", "limit", "measured", ""], rows, rest="---")}\n'
    if reasons:
        text += '\nWhy some are missed:\n\n' + '\n'.join(reasons) + '\n'
    return text


# The machine, and the tables.


def machine(results: Results) -> str:
    """What it was measured on, and what was."""
    facts = [f'- {name}: {value}' for name, value in results.about.items()]
    versions = ', '.join(f'{name} {version}' for name, version in sorted(results.versions.items()) if name != 'python')
    return '## The machine and the versions\n\n' + '\n'.join([*facts, filled(f'- versions: {versions}', '  ')]) + '\n'


def section(results: Results, each: Section) -> str:
    """A section with its tables, and what is to be said about them."""
    counts = sorted({results.rounds.get(task.key, 0) for task in each.tasks} - {0})
    rounds = ' or '.join(map(str, counts)) + (' round.' if counts == [1] else ' rounds.')
    blocks = [
        f'## {each.title}',
        f'{each.text} {rounds}',
        table(results, each),
        ratios(results, each),
        filled(comparison(results, each)),
        '\n'.join(filled(f'- {remark}', '  ') for remark in remarks(results, each)),
    ]
    return '\n\n'.join(filter(None, blocks)) + '\n'


# For a terminal.

COLOURS = {'met': '\033[32m', 'missed': '\033[31m', 'not measured': '\033[2m'}
PLAIN = '\033[0m'


def verdict_line(verdict: Verdict, *, in_colour: bool) -> str:
    """A bar in a line."""
    word = f'{verdict.outcome:12}'
    if in_colour:
        word = f'{COLOURS[verdict.outcome]}{word}{PLAIN}'
    stretch = ' (stretch)' if verdict.bar.is_stretch else ''
    claim = verdict.bar.claim.replace('`', '')
    return f'{word} {verdict.bar.name:12} {shown(verdict.found) or "–"}; {limit(verdict)}{stretch}: {claim}'


def summary(results: Results, *, in_colour: bool = False) -> str:
    """The tables, and below them the bars, which are what a person looks for."""
    sections = [section(results, each) for each in SECTIONS if present(results, each)]
    lines = [verdict_line(each, in_colour=in_colour) for each in verdicts(results)]
    return '\n'.join([*sections, *lines])


def has_failed(results: Results) -> bool:
    """Whether a bar of this package is missed, or something of it could not be measured."""
    return any(each.is_failure for each in verdicts(results)) or bool(results.failures('ours'))
