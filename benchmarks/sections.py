"""The sections of the page, as data: whose figures stand beside each other, and what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bars import first_token_added
from .figures import Figure, figure
from .measures import TASKS, Task
from .peers import ALL, MODELS, OURS, OURS_FILE, PEERS
from .results import Results


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


REQUESTS = tasks_of('requests')
(FIRST_TOKEN,) = tasks_of('first-token')
(IMPORT,) = tasks_of('imports')
(MEMORY,) = tasks_of('memory')
(BYTES,) = tasks_of('bytes')

SECTIONS = (
    Section(
        'streams',
        'Long answers',
        'µs of CPU per event of the wire, by what the model streams: (a) a text, (b) the arguments of tool calls, (c) the '
        'summaries of its reasoning; (d) is a short answer, which is mostly the request for it.',
        columns('streams', ('cpu', '')),
        ALL,
        'cpu',
    ),
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
        'µs of CPU per event, and how many events came in a second by the clock; each answer has 300 text deltas.',
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
        'The longest turn of the event loop in a request, in ms: so long nothing else in it runs. A sample is the median '
        'of 20 requests with 10 messages, or of 3 with 1,000.',
        columns('requests', ('blocked', '')),
        PEERS,
        is_flipped=True,
    ),
    Section(
        'requests',
        'A login in a file',
        'ms of CPU of the same turns. Everywhere else on this page the login is in the memory of the program, for all.',
        tuple(column(task, 'cpu') for task in REQUESTS if OURS_FILE in task.subjects),
        (OURS, OURS_FILE),
    ),
    Section(
        'requests',
        'The size of a request',
        "kB of the body. litellm's is another one: it puts the Codex CLI's instructions before ours, and a chat completion "
        'has no place for the sealed reasoning of a history.',
        tuple(column(task, 'body') for task in REQUESTS if task.key in ('request/10/0/model', 'request/1000/10/model')),
        PEERS,
    ),
    Section(
        'first-request',
        'The first request of a process',
        'ms of CPU, and the longest turn of the event loop: what caches, connections and late imports cost once.',
        columns('first-request', ('cpu', ', CPU'), ('blocked', ', longest turn')),
        PEERS,
        'cpu',
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
