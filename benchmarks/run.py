"""A run: every subject is checked, then the tasks are done, the subjects by turns in each round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Protocol

from . import imports
from .measures import CHECKED, Task
from .peers import MODELS, SUBJECTS, is_ours
from .results import FAILS, Results

Progress = Callable[[str, float], None]
"""Told what runs now, and which part of the whole is done, from 0 to 1."""


class Asked(Protocol):
    """What a run needs of the processes."""

    def ask(self, subject: str, order: Mapping[str, Any]) -> dict[str, Any]: ...

    def ask_anew(self, subject: str, order: Mapping[str, Any]) -> dict[str, Any]: ...

    def is_running(self, subject: str) -> bool: ...

    def end(self, subject: str) -> None: ...

    def server_says(self, path: str) -> dict[str, Any]: ...


class OursIsWrong(Exception):
    """This package changes what was sent: then its speed is of no interest."""


# Who is there, and right.


def check(asked: Asked, results: Results, subjects: Iterable[str], progress: Progress) -> None:
    """Ask each subject what it is, and compare what it makes of every stream with what was sent.

    Raises:
        OursIsWrong: It is this package that is wrong, or that does not answer.
    """
    for subject in subjects:
        progress(f'checking {subject}', 0.0)
        about = asked.ask(subject, {'do': 'about'})
        if reason := refusal(about):
            results.leave_out('all', subject, reason)
            continue
        results.versions.update(about.get('versions', {}))
        check_streams(asked, results, subject)
    wrong = [f'{subject}, {each}' for subject in SUBJECTS if is_ours(subject) for each in results.problems_of(subject)]
    if 'ours' in results.absent.get('all', {}):
        wrong.append(f'ours does not run: {results.absent["all"]["ours"]}')
    if wrong:
        raise OursIsWrong('\n'.join(wrong))


def check_streams(asked: Asked, results: Results, subject: str) -> None:
    """Every stream, through the bare model and, where there is one, through an agent."""
    throughs = ('model', 'agent') if subject in MODELS else ('model',)
    for stream, through in product(CHECKED, throughs):
        answer = asked.ask(subject, {'do': 'check', 'stream': stream, 'through': through})
        if 'unsupported' in answer:
            continue
        error = answer.get('error')
        found: list[str] = [f'it fails: {error}'] if error else answer['problems']
        results.note_problems(subject, f'{stream}/{through}', found)


# What it takes.


def measure(asked: Asked, results: Results, tasks: Sequence[tuple[Task, int]], progress: Progress) -> None:
    """Do the tasks, one after the other."""
    total = sum(task.seconds * rounds for task, rounds in tasks)
    done = 0.0
    for task, rounds in tasks:
        results.rounds[task.key] = rounds
        progress(f'{task.key}, before it is timed', done / total)
        warm_up(asked, results, task)
        for number in range(rounds):
            progress(f'{task.key}, round {number + 1} of {rounds}', done / total)
            one_round(asked, results, task, number)
            done += task.seconds


def warm_up(asked: Asked, results: Results, task: Task) -> None:
    """Have each subject do it once; one whose worker has begun anew since its check is checked before."""
    if task.how in ('fresh', 'import'):
        return
    for subject in task.subjects:
        if results.is_absent(task.key, subject):
            continue
        if not asked.is_running(subject):
            check_streams(asked, results, subject)
        if task.how == 'worker' and (reason := refusal(asked.ask(subject, {**task.order, **task.warm_up}))):
            results.leave_out(task.key, subject, reason)


def one_round(asked: Asked, results: Results, task: Task, number: int) -> None:
    """A sample of each subject, another one first in each round; who cannot is not asked again."""
    for subject in turned(task.subjects, number):
        if results.is_absent(task.key, subject):
            continue
        answer = sample(asked, task, subject)
        if reason := refusal(answer):
            results.leave_out(task.key, subject, reason)
            continue
        if 'loaded' in answer:
            results.loaded[subject] = answer['loaded']
        for name, value in task.figures(answer).items():
            results.add(f'{task.key}/{name}', subject, number, value)


def turned(subjects: Sequence[str], number: int) -> list[str]:
    """The subjects, begun with another one each time."""
    start = number % len(subjects)
    return [*subjects[start:], *subjects[:start]]


def refusal(answer: Mapping[str, Any]) -> str | None:
    """Why there is no figure in an answer, or `None`."""
    if 'error' in answer:
        return f'{FAILS}: {answer["error"]}'
    reason: str | None = answer.get('unsupported')
    return reason


def sample(asked: Asked, task: Task, subject: str) -> dict[str, Any]:
    """One answer of one subject."""
    match task.how:
        case 'worker':
            return asked.ask(subject, task.order)
        case 'fresh':
            asked.end(subject)  # the memory that another one of it holds is not for this process to compete with
            return asked.ask_anew(subject, task.order)
        case 'import':
            return imports.timed(subject)
        case 'bytes':
            asked.server_says('/reset')
            answer = asked.ask(subject, task.order)
            return answer if refusal(answer) else asked.server_says('/stats')
