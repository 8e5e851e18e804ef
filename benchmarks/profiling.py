"""Where the time of a subject goes: a worker whose profiler is on while it does what is measured, and only then.

`python -m benchmarks.profiling SUBJECT PORT FILE` is that worker; `profile` is what starts it and shows the result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterable, Mapping
from cProfile import Profile
from io import StringIO
from pathlib import Path
from pstats import Stats
from tempfile import TemporaryDirectory
from typing import TextIO, cast

from .processes import ANSWER, LineProcess, Processes, ProcessFailed

LINES = 25
STREAMS = 5
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
        found = Path(folder, 'profile')
        command = (sys.executable, '-m', 'benchmarks.profiling', subject, str(processes.port), str(found))
        worker = LineProcess(subject, command)
        try:
            said(worker, {'do': 'check', 'stream': 'd', 'through': 'model'})  # the first request does more than others
            answer = said(worker, order_of(what))
            said(worker, {'do': 'quit'})
        finally:
            worker.close()
        return f'{answer}\n\n{table(found, "tottime")}\n{table(found, "cumulative")}'


def order_of(what: str) -> dict[str, object]:
    """What the worker is told."""
    messages, slash, tools = what.partition('/')
    if not slash:
        return {'do': 'stream', 'stream': what, 'mode': 'chunks', 'through': 'model', 'count': STREAMS}
    return {'do': 'request', 'messages': int(messages), 'tools': int(tools), 'through': 'model', 'count': REQUESTS}


def said(worker: LineProcess, order: Mapping[str, object]) -> dict[str, object]:
    """What it answers, if that is no refusal."""
    worker.say(order)
    answer = worker.hear(ANSWER)
    if reason := answer.get('error') or answer.get('unsupported'):
        raise ProcessFailed(f'{worker.name}: {reason}')
    return answer


def table(path: Path, order: str) -> str:
    """The first lines of the profile, in that order, without the folders of this machine."""
    text = StringIO()
    Stats(str(path), stream=text).strip_dirs().sort_stats(order).print_stats(LINES)
    return text.getvalue().split('\n\n', 1)[1]  # below the date and the path of the file


# The worker.


def orders(lines: Iterable[str], profiler: Profile) -> Generator[str]:
    """The lines, with the profiler on from one that is measured to the next."""
    for line in lines:
        if json.loads(line)['do'] not in ('stream', 'request'):
            yield line
            continue
        profiler.enable()
        yield line
        profiler.disable()


def work(subject: str, port: int, path: str) -> None:
    """Be the worker, and keep what the profiler saw."""
    from . import worker

    profiler = Profile()
    sys.stdin = cast(TextIO, orders(sys.stdin, profiler))  # what the worker goes through, line by line
    worker.main(subject, port)
    profiler.dump_stats(path)


if __name__ == '__main__':
    work(sys.argv[1], int(sys.argv[2]), sys.argv[3])
