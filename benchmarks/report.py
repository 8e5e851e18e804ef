"""`docs/performance.md`, and the same in short for a terminal: text out of results, and nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from .bars import Verdict, verdicts
from .figures import shown
from .notes import NOTES
from .results import Results
from .sections import SECTIONS, Section
from .tables import comparison, drawn, present, ratios, remarks, table

WIDTH = 120

HEADER = """\
# Performance

`make bench` writes this page. It tells how much of a machine this package takes, and how much others take for the same.
Trust the ratios; the times are those of one machine on one day.

It says how many agents a machine can serve, and how soon a program gets to its own work. Answers come no sooner for it,
since the model decides that, and a program with one agent will hardly notice. `aiohttp_client` is the client of
[reference.md](reference.md#the-connection) that has to be asked for.
"""

METHOD = """\
## How it is measured

- A server on the same machine sends answers that were prepared before, each event as an HTTP chunk, with the padding,
  log probabilities, numbers and long ids around each delta that public reports show. An answer is sent in one burst,
  so that no event has to wake anybody up, except in the section on slow answers. How fast the server is at least, the
  row of the bare socket says.
- Each subject is a process of its own, which keeps its connections. They are asked by turns, one sample each, another
  one first in every round; so all share what else the machine does. litellm has an environment of its own, with the
  newest version that there is: it pins an older `openai`.
- Before the first round of a task each subject does it once, untimed, with few or short answers: what is done once for
  a set of tools or a connection is not in the figures. What it costs, "The first request of a process" says.
- The figures are CPU time of the process (`time.process_time()`) unless a table says otherwise, with garbage collection
  as usual. No TLS: it would add the same to everybody, and so make every ratio smaller.
- Logins are in memory, for all; the section on a login in a file has what the default costs here. Stock `httpx2`
  clients have their limits on connections lifted, for all. Where litellm goes on working after its answer, that is not
  counted, in its favour.
- A figure is the median over the rounds, with the quartiles behind it; of fewer than four rounds, the smallest and the
  largest. A ratio is the median of the ratios of the rounds, as two that were measured side by side compare best.
- Before anything is timed, every subject is checked on every stream: each delta its own event, in the order of the
  wire, and parts and usage as they were sent. Whoever merges deltas, or loses something, stands in brackets, and is
  nobody's best. If this package does, there are no figures at all. A timed run that yields another number of events
  than the checked one is a failure, and who fails at a task has no figure there.
- The floors are programs that read the bytes and do nothing with them.
"""

BARS_TEXT = """\
## What we demand of ourselves

`make bench` fails where one of these is missed or cannot be measured, but for a stretch, which we reach for. Met or
missed: that is decided by the median alone.
"""

RUN = """\
## Run it yourself

```shell
make bench                                 # about 10 minutes; writes this page
make bench BENCH='--quick'                 # a look, in three minutes; writes nothing
make bench BENCH='--only streams --only requests --rounds 9'
make bench BENCH='--profile ours a'        # where its time goes on stream (a)
make bench BENCH='--profile ours 1000/10'  # and on requests with 1,000 messages and 10 tools
```

Let the machine rest meanwhile. It fails where a bar is missed.
"""


def page(results: Results, notes: Mapping[str, str] = NOTES) -> str:
    """The whole page."""
    parts = [
        HEADER,
        *(section(results, each) for each in SECTIONS if present(results, each)),
        METHOD,
        machine(results),
        bars_section(verdicts(results), notes),
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
        filled(f'- {each.bar.name}: {notes.get(each.bar.name, "not looked into yet.")}', '  ')
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
        filled(f'{each.text} {rounds}'),
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
    return any(each.is_failure for each in verdicts(results)) or bool(results.failures())


def gaps(results: Results) -> list[str]:
    """What keeps a whole run from being one: bars that were not measured, and failures of this package."""
    return [f'bar {each.bar.name} was not measured' for each in verdicts(results) if each.is_gap] + results.failures()
