"""Where the time of a subject goes: its worker does what is measured with a profiler on."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from pstats import Stats
from tempfile import TemporaryDirectory

from .peers import SUBJECTS
from .processes import Processes, ProcessFailed
from .streams import STREAMS

LINES = 25
REPEATS = 5
REQUESTS = 20
"""How many are looked at."""


def profile(subject: str, what: str) -> str:
    """The functions that take most of the time of a subject, themselves and with what they call.

    Args:
        subject: Whose time it is.
        what: The name of a stream, or `MESSAGES/TOOLS` for requests; what makes these is in the profile as well.

    Raises:
        ProcessFailed: It cannot be measured.
    """
    with TemporaryDirectory() as folder, Processes() as processes:
        path = str(Path(folder, 'profile'))
        said(processes, subject, {'do': 'check', 'stream': 'd'})  # the first request does more than others
        answer = said(processes, subject, {'do': 'profile', 'order': order_of(what), 'path': path})
        return f'{answer}\n\n{table(path, "tottime")}\n{table(path, "cumulative")}'


def mistake(subject: str, what: str) -> str | None:
    """What is wrong with what was asked for, if anything is."""
    if subject not in SUBJECTS:
        return f'there is no subject {subject!r}; there are {", ".join(SUBJECTS)}'
    messages, slash, tools = what.partition('/')
    is_shape = slash and messages.isdecimal() and tools.isdecimal()
    return None if is_shape or what in STREAMS else f'{what!r} is neither a stream, such as a, nor MESSAGES/TOOLS'


def order_of(what: str) -> dict[str, object]:
    """What the worker is told to do."""
    messages, slash, tools = what.partition('/')
    if not slash:
        return {'do': 'stream', 'stream': what, 'count': REPEATS}
    return {'do': 'request', 'messages': int(messages), 'tools': int(tools), 'count': REQUESTS}


def said(processes: Processes, subject: str, order: Mapping[str, object]) -> dict[str, object]:
    """What it answers, if that is no refusal."""
    answer = processes.ask(subject, order)
    if reason := answer.get('error') or answer.get('unsupported'):
        raise ProcessFailed(f'{subject}: {reason}')
    return answer


def table(path: str, order: str) -> str:
    """The first lines of the profile, in that order, without the folders of this machine."""
    text = StringIO()
    Stats(path, stream=text).strip_dirs().sort_stats(order).print_stats(LINES)
    return text.getvalue().split('\n\n', 1)[1]  # below the date and the path of the file
