"""The tables of figures: who took how much, and how that compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .bars import first_token_added
from .figures import Figure, divided, figure, paired, shown
from .imports import IMPORTS
from .measures import ALL, LITELLM, MODELS, OURS, PEERS, SUBJECTS, TASKS, UPSTREAM, Task
from .results import FAILS, Results

LABELS = {**SUBJECTS, **{name: f'`{each.statement}`' for name, each in IMPORTS.items()}}


@dataclass(frozen=True)
class Column:
    """A column, or, where the subjects stand at the top, a row.

    Attributes:
        title: Its heading.
        task: What it is of.
        cell: The figure of a subject.
    """

    title: str
    task: Task
    cell: Callable[[Results, str], Figure | None]


@dataclass(frozen=True)
class Section:
    """What belongs together.

    Attributes:
        group: The group of tasks that it shows.
        title: Its heading.
        text: What the figures are.
        columns: What stands beside each other.
        subjects: Who is compared.
        compared: The figure of the tasks that ratios are made of, if any are.
        is_flipped: Whether the subjects stand at the top.
    """

    group: str
    title: str
    text: str
    columns: tuple[Column, ...]
    subjects: tuple[str, ...]
    compared: str | None = None
    is_flipped: bool = False

    @property
    def tasks(self) -> list[Task]:
        """Its tasks, each once."""
        return list(dict.fromkeys(column.task for column in self.columns))


def tasks_of(group: str) -> list[Task]:
    return [task for task in TASKS if task.group == group]


def column(task: Task, name: str, title: str = '') -> Column:
    """The figure of that name."""
    return Column(title or task.title, task, lambda results, subject: figure(results.of(f'{task.key}/{name}', subject)))


def added_column(task: Task) -> Column:
    return Column('beyond the bare socket', task, lambda results, name: figure(first_token_added(results, name)))


def columns(group: str, *names: tuple[str, str]) -> tuple[Column, ...]:
    """For each task of the group these figures, each with what is said of it after the task's title."""
    return tuple(column(task, name, task.title + said) for name, said in names for task in tasks_of(group))


(FIRST_TOKEN,) = tasks_of('first-token')
(IMPORT,) = tasks_of('imports')
(MEMORY,) = tasks_of('memory')
(BYTES,) = tasks_of('bytes')

SECTIONS = (
    Section('streams', 'Long answers', 'µs of CPU per event.', columns('streams', ('cpu', '')), ALL, 'cpu'),
    Section(
        'agent',
        'Long answers through `Agent`',
        'µs of CPU per event, `Agent.run_stream_events` included.',
        columns('agent', ('cpu', '')),
        MODELS,
        'cpu',
    ),
    Section(
        'paced',
        'Slow answers',
        'µs of CPU per event when an event comes every 1.5 ms, so that each wakes the program.',
        columns('paced', ('cpu', '')),
        ALL,
        'cpu',
    ),
    Section(
        'concurrent',
        'Many answers at once',
        'µs of CPU per event, and how many events came in a second; each answer has 300 text deltas.',
        columns('concurrent', ('cpu', ', µs'), ('rate', ', events per second')),
        ALL,
        'cpu',
    ),
    Section(
        'requests',
        'Requests',
        'ms of CPU of a whole turn with a short answer, by what the history and the tools are.',
        columns('requests', ('cpu', '')),
        PEERS,
        'cpu',
        is_flipped=True,
    ),
    Section(
        'requests',
        'How long a request keeps everything else waiting',
        'The longest time in ms for which the event loop did not run.',
        columns('requests', ('blocked', '')),
        PEERS,
        is_flipped=True,
    ),
    Section(
        'first-token',
        'The first word',
        'ms from the call to the first delta, the median of 20 answers in each round.',
        (column(FIRST_TOKEN, 'wall', 'to the first delta'), added_column(FIRST_TOKEN)),
        ALL,
    ),
    Section(
        'imports',
        'Imports',
        'ms, each in a fresh process; the compiled files were there.',
        (column(IMPORT, 'cpu', 'CPU'), column(IMPORT, 'wall', 'clock')),
        IMPORT.subjects,
    ),
    Section(
        'memory',
        'Memory',
        'The memory of a process (RSS) after 1,000 turns with 10 messages and 10 tools, and what the second 500 added.',
        (column(MEMORY, 'total', 'MB'), column(MEMORY, 'growth', 'added, KiB')),
        PEERS,
        'total',
    ),
    Section(
        'bytes',
        'Bytes of a conversation',
        'What goes out in a conversation of 50 turns through `Agent`, with 4 messages a turn and 10 tools.',
        (column(BYTES, 'total', 'all requests, MB'), column(BYTES, 'last', 'the last one, kB')),
        MODELS,
    ),
)


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
    return f'Where another takes less than that, this package on stock `httpx2` takes: {"; ".join(said)}.'


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
