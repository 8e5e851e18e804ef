"""The tables of figures: who took how much, and how that compares."""

from __future__ import annotations

from collections.abc import Sequence

from .figures import Figure, divided, figure, paired, shown
from .imports import IMPORTS
from .measures import Task
from .peers import LITELLM, OURS, PEERS, SUBJECTS, UPSTREAM
from .results import FAILS, Results
from .sections import Column, Section

LABELS = {**SUBJECTS, **{name: each.title for name, each in IMPORTS.items()}}


# The cells.


def is_wrong(results: Results, task: Task, subject: str) -> bool:
    """Whether the figures are of an answer that was changed."""
    return bool(task.streams) and any(results.problems_of(subject, task.streams))


def cell(results: Results, column: Column, subject: str) -> str:
    """A figure, in brackets if it does not count, or a dash."""
    text = shown(column.cell(results, subject)) or '–'
    return f'[{text}]' if text != '–' and is_wrong(results, column.task, subject) else text


def drawn(heading: Sequence[str], rows: Sequence[Sequence[str]], *, rest: str = '--:') -> str:
    """A table in Markdown, with numbers in all columns but the first, unless the rest is said to be something else."""
    lines = [heading, ['---'] + [rest] * (len(heading) - 1), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def present(results: Results, section: Section) -> list[str]:
    """The subjects of which there is any figure."""
    return [name for name in section.subjects if any(each.cell(results, name) for each in section.columns)]


def table(results: Results, section: Section) -> str:
    """The figures of a section."""
    subjects = present(results, section)
    measured = [each for each in section.columns if any(each.cell(results, name) for name in subjects)]
    if section.is_flipped:
        rows = [[each.title, *(cell(results, each, name) for name in subjects)] for each in measured]
        return drawn(['', *(LABELS[name] for name in subjects)], rows)
    rows = [[LABELS[name], *(cell(results, each, name) for each in measured)] for name in subjects]
    return drawn(['', *(each.title for each in measured)], rows)


# The comparisons.


def against(results: Results, task: Task, name: str, other: str, subject: str) -> Figure | None:
    """How many times less the subject takes than the other: the median of the ratios of the rounds."""
    series = f'{task.key}/{name}'
    return figure(paired(divided, results.of(series, other), results.of(series, subject)))


def ratios(results: Results, section: Section) -> str:
    """How many times less than pydantic-ai's model the others take; empty where there is nothing to compare."""
    if section.compared is None:
        return ''
    found = {
        (task, name): against(results, task, section.compared, UPSTREAM, name)
        for task in section.tasks
        for name in PEERS
        if name != UPSTREAM
    }
    names = [name for name in PEERS if any(found.get((task, name)) for task in section.tasks)]
    rows = [
        [task.title, *(marked(results, task, name, found[task, name]) for name in names)]
        for task in section.tasks
        if any(found[task, name] for name in names)
    ]
    return drawn(['times less than `OpenAICodexModel`', *(LABELS[name] for name in names)], rows) if rows else ''


def marked(results: Results, task: Task, subject: str, found: Figure | None) -> str:
    """A ratio, in brackets if it does not count, or a dash."""
    text = shown(found) or '–'
    return f'[{text}]' if found and is_wrong(results, task, subject) else text


def best_peer(results: Results, task: Task, name: str) -> str | None:
    """Who of the others takes least, of those that leave the answer as it is."""
    found = {
        peer: middle.median
        for peer in (UPSTREAM, LITELLM)
        if not is_wrong(results, task, peer) and (middle := figure(results.of(f'{task.key}/{name}', peer)))
    }
    return min(found, key=lambda peer: found[peer], default=None)


def comparison(results: Results, section: Section) -> str:
    """How this package stands where another one is better than pydantic-ai's model, in a sentence."""
    said: list[str] = []
    for task in section.tasks if section.compared else ():
        peer = best_peer(results, task, section.compared or '')
        found = against(results, task, section.compared or '', peer, OURS) if peer and peer != UPSTREAM else None
        if peer and found:
            said.append(f'{task.title}, {shown(found)} times less than {LABELS[peer]}')
    if not said:
        return ''
    return f'Where another takes less than `OpenAICodexModel`, this package on stock `httpx2` takes: {"; ".join(said)}.'


def remarks(results: Results, section: Section) -> list[str]:
    """Why a figure stands in brackets, and why there is none."""
    found: list[str] = []
    for subject in section.subjects:
        streams = tuple(dict.fromkeys(stream for task in section.tasks for stream in task.streams))
        problems = list(results.problems_of(subject, streams)) if streams else []
        if problems:
            more = f' and {len(problems) - 1} more' if len(problems) > 1 else ''
            found.append(f'In brackets, as it changes what was sent: {LABELS[subject]} ({problems[0]}{more})')
        reasons = {
            why
            for key in ('all', *(task.key for task in section.tasks))
            if (why := results.absent.get(key, {}).get(subject))
        }
        found.extend(
            f'Not measured: {LABELS[subject]} ({FAILS if why.startswith(FAILS) else why})' for why in sorted(reasons)
        )
    return found
