"""What is measured, as data: what each subject is asked, how often, and which figures are in the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from .imports import IMPORTS
from .peers import ALL, MODELS, OURS_FILE, PEERS

Answer = Mapping[str, Any]
Through = Literal['model', 'agent']

CHECKED = ('a', 'b', 'c', 'd', 'e', 'call')
"""The streams that every subject is checked on."""

GROUPS = {
    'streams': 'long answers',
    'agent': 'long answers through `Agent`',
    'paced': 'slow answers',
    'concurrent': 'many answers at once',
    'requests': 'requests',
    'first-request': 'the first request of a process',
    'first-token': 'the first word',
    'imports': 'imports',
    'memory': 'memory',
    'bytes': 'bytes of a conversation',
}


@dataclass(frozen=True, eq=False)  # each is itself
class Task:
    """One question to several subjects.

    Attributes:
        group: The group it belongs to, which can be measured alone.
        key: What its series are named after.
        title: What a table calls it.
        order: What the worker is told.
        figures: What becomes of the answer: named values, each one a sample of the series `key/name`.
        subjects: Who is asked, by turns.
        rounds: How often.
        quick: How often in a quick run.
        seconds: What a round takes, about; how long is to go is guessed from it.
        warm_up: What of the order is another for the run before the first round, which nobody times.
        how: Whether it is a worker that is asked, one that has just begun, one whose bytes the server counts, or an
            import of a process of its own.
        streams: Whose correctness the figures depend on.
    """

    group: str
    key: str
    title: str
    order: Mapping[str, Any]
    figures: Callable[[Answer], dict[str, float]]
    subjects: tuple[str, ...]
    rounds: int
    quick: int
    seconds: float
    warm_up: Mapping[str, Any] = field(default_factory=dict[str, Any])
    how: Literal['worker', 'fresh', 'bytes', 'import'] = 'worker'
    streams: tuple[str, ...] = ()


# What is in an answer.


def per_event(answer: Answer) -> dict[str, float]:
    """Microseconds for each event of the wire, and how many events came in a second."""
    times = {name: 1e6 * answer[name] / answer['events'] for name in ('cpu', 'wall')}
    return {**times, 'rate': answer['events'] / answer['wall']}


def per_request(answer: Answer) -> dict[str, float]:
    """Milliseconds for each request, and the kilobytes of the body."""
    times = {name: 1e3 * answer[name] for name in ('cpu', 'wall', 'blocked')}
    return {**times, 'body': answer['body_bytes'] / 1e3}


def first_tokens(answer: Answer) -> dict[str, float]:
    """Milliseconds to the first delta."""
    return {'wall': 1e3 * median(answer['walls'])}


def memory(answer: Answer) -> dict[str, float]:
    """Megabytes after the last request, and the kilobytes by which it grew over the second half."""
    rss = {int(requests): size for requests, size in answer['rss'].items()}
    _, half, end = sorted(rss)
    return {'total': rss[end] / 1e6, 'growth': (rss[end] - rss[half]) / 1024}


def conversation(answer: Answer) -> dict[str, float]:
    """Megabytes of all requests, and the kilobytes of the last."""
    return {'total': answer['body_bytes'] / 1e6, 'last': answer['last_body_bytes'] / 1e3}


def imported(answer: Answer) -> dict[str, float]:
    """Milliseconds of an import."""
    return {name: 1e3 * answer[name] for name in ('cpu', 'wall')}


# The tasks.

STREAM_TITLES = {
    'a': '(a) 5,000 text deltas',
    'b': '(b) 8 calls, 1,600 deltas',
    'c': '(c) 2,000 reasoning deltas',
    'd': '(d) 10 events',
}
SECONDS = {'a': 4.0, 'b': 2.0, 'c': 2.0, 'd': 1.5}
COUNTS = {'d': 20}
"""How many short answers make a sample."""

SHAPES = [(messages, tools) for tools in (0, 10, 100) for messages in (10, 1000)]
"""Messages and tools of a request."""
FILE_SHAPES = ((10, 0), (10, 10))
"""Those that are measured with a login in a file, too."""


def stream(name: str, through: Through, subjects: tuple[str, ...], *, rounds: int, quick: int, seconds: float) -> Task:
    order = {'do': 'stream', 'stream': name, 'mode': 'chunks', 'through': through, 'count': COUNTS.get(name, 1)}
    return Task(
        'streams' if through == 'model' else 'agent',
        f'stream/{name}/{through}',
        STREAM_TITLES[name],
        order,
        per_event,
        subjects,
        rounds,
        quick,
        seconds,
        warm_up={'count': 1},
        streams=(f'{name}/{through}',),
    )


def request(messages: int, tools: int, through: Through, *, seconds: float) -> Task:
    subjects = MODELS if through == 'agent' else (*PEERS, OURS_FILE) if (messages, tools) in FILE_SHAPES else PEERS
    order = {
        'do': 'request',
        'messages': messages,
        'tools': tools,
        'count': 20 if messages == 10 else 3,
        'through': through,
    }
    return Task(
        'requests',
        f'request/{messages}/{tools}/{through}',
        f'{messages:,} messages, {tools} tools' + (', `Agent`' if through == 'agent' else ''),
        order,
        per_request,
        subjects,
        rounds=5,
        quick=1,
        seconds=seconds,
        warm_up={'count': 1},
        streams=(f'd/{through}',),
    )


def first_request(messages: int, tools: int) -> Task:
    return Task(
        'first-request',
        f'first-request/{messages}/{tools}',
        f'{messages:,} messages, {tools} tools',
        {'do': 'request', 'messages': messages, 'tools': tools},
        per_request,
        PEERS,
        rounds=3,
        quick=1,
        seconds=10.0,
        how='fresh',
        streams=('d/model',),
    )


def concurrent(streams: int, *, rounds: int, quick: int, seconds: float) -> Task:
    order = {'do': 'concurrent', 'stream': 'e', 'streams': streams, 'through': 'model'}
    return Task(
        'concurrent',
        f'concurrent/{streams}',
        f'{streams} at once',
        order,
        per_event,
        ALL,
        rounds,
        quick,
        seconds,
        warm_up={'stream': 'd'},  # as many connections
        streams=('e/model',),
    )


TASKS = (
    *(stream(name, 'model', ALL, rounds=7, quick=2, seconds=SECONDS[name]) for name in STREAM_TITLES),
    *(stream(name, 'agent', MODELS, rounds=3, quick=1, seconds=SECONDS[name]) for name in STREAM_TITLES),
    Task(
        'paced',
        'paced',
        'an event every 1.5 ms',
        {'do': 'stream', 'stream': 'e', 'mode': 'paced', 'through': 'model', 'count': 2},
        per_event,
        ALL,
        rounds=3,
        quick=1,
        seconds=8.0,
        warm_up={'count': 1},
        streams=('e/model',),
    ),
    concurrent(64, rounds=3, quick=1, seconds=20.0),
    concurrent(256, rounds=1, quick=0, seconds=75.0),
    *(request(*shape, 'model', seconds=5.0) for shape in SHAPES),
    request(10, 10, 'agent', seconds=4.0),
    request(1000, 10, 'agent', seconds=7.0),
    Task(
        'first-token',
        'first-token',
        'the first word',
        {'do': 'first_token', 'count': 20},
        first_tokens,
        ALL,
        rounds=7,
        quick=2,
        seconds=2.0,
        warm_up={'count': 1},
        streams=('d/model',),
    ),
    Task(
        'imports',
        'import',
        'an import',
        {},
        imported,
        tuple(IMPORTS),
        rounds=7,
        quick=2,
        seconds=8.0,
        how='import',
    ),
    Task(
        'memory',
        'memory',
        'memory after 1,000 requests',
        {'do': 'memory', 'requests': 1000},
        memory,
        PEERS,
        rounds=2,
        quick=0,
        seconds=60.0,
        how='fresh',
        streams=('d/model',),
    ),
    first_request(10, 10),
    first_request(10, 100),
    Task(
        'bytes',
        'bytes',
        '50 turns',
        {'do': 'conversation', 'turns': 50},
        conversation,
        MODELS,
        rounds=1,
        quick=0,
        seconds=15.0,
        how='bytes',
        streams=('call/agent', 'd/agent'),
    ),
)


def chosen(only: tuple[str, ...], *, quick: bool, rounds: int | None) -> list[tuple[Task, int]]:
    """The tasks of a run and how many rounds each has; what a quick run leaves out is done where it is asked for."""
    found: list[tuple[Task, int]] = []
    for task in TASKS:
        if only and task.group not in only:
            continue
        usual = max(task.quick, 1 if only else 0) if quick else task.rounds
        if usual:
            found.append((task, rounds or usual))
    return found
