"""Measure the speed of this package and of others in one run: `make bench`, or `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from . import machine, profiling
from .measures import GROUPS, chosen
from .peers import SUBJECTS
from .processes import Processes, ProcessFailed
from .report import gaps, has_failed, page, summary
from .results import Results
from .run import OursIsWrong, check, measure

PAGE = Path(__file__).parent.parent / 'docs' / 'performance.md'


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog='python -m benchmarks',
        description='Measure, and end with 1 where a bar is missed. A whole run writes docs/performance.md, if it could '
        'measure every bar.',
    )
    made.add_argument('--quick', action='store_true', help='few rounds, and nothing that takes a minute')
    made.add_argument('--only', action='append', default=[], choices=GROUPS, metavar='GROUP', help=', '.join(GROUPS))
    made.add_argument('--rounds', type=positive, metavar='N', help='rounds of everything that is measured')
    made.add_argument('--json', action='store_true', help='print the samples as JSON in the place of tables')
    made.add_argument(
        '--from', dest='kept', type=kept, metavar='FILE', help='measure nothing; take what --json printed'
    )
    writing = made.add_mutually_exclusive_group()
    writing.add_argument('--write', action='store_true', help='write the page, even of a part of the measurements')
    writing.add_argument('--check', action='store_true', help='leave the page as it is')
    made.add_argument(
        '--profile',
        nargs=2,
        metavar=('SUBJECT', 'WHAT'),
        help='show where its time goes, on a stream or on requests: ours a, ours 1000/10',
    )
    return made


def positive(text: str) -> int:
    """A number of rounds."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('at least 1')
    return value


def kept(path: str) -> Results:
    """The results in a file that `--json` was led to."""
    try:
        return Results.from_json(Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError, TypeError) as error:
        raise argparse.ArgumentTypeError(f'no results of a run: {error}') from error


class Shown:
    """The progress of a run, on a line of stderr."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._began = self._tasks_began = time.monotonic()

    def __call__(self, what: str, done: float) -> None:
        now = time.monotonic()
        passed = now - self._began
        if done == 0:  # what comes before the tasks says nothing about how long they take
            self._tasks_began = now
        left = f', about {clock((now - self._tasks_began) * (1 / done - 1))} to go' if done > 0.02 else ''
        line = f'{done:4.0%} {clock(passed)} {what}{left}'
        # A terminal shows the last line only, a log all of them.
        self._stream.write(f'\r\033[K{line}' if self._is_terminal else f'{line}\n')
        self._stream.flush()

    def close(self) -> None:
        """Leave the terminal with an empty line."""
        if self._is_terminal:
            self._stream.write('\r\033[K')
            self._stream.flush()


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02}'


def measured(options: argparse.Namespace) -> Results:
    """A run as the options say."""
    tasks = chosen(tuple(options.only), quick=options.quick, rounds=options.rounds)
    results = Results(about=machine.about())
    progress = Shown(sys.stderr)
    try:
        with Processes() as processes:
            subjects = [name for name in SUBJECTS if any(name in task.subjects for task, _ in tasks)]
            check(processes, results, subjects, progress)
            measure(processes, results, tasks, progress)
    finally:
        progress.close()
    return results


def is_whole(options: argparse.Namespace) -> bool:
    """Whether everything is measured as often as the page wants it."""
    return not (options.quick or options.only or options.rounds or options.kept)


def finish(options: argparse.Namespace, results: Results) -> int:
    """Print, write, and judge."""
    in_colour = sys.stdout.isatty() and not os.environ.get('NO_COLOR')
    print(results.to_json() if options.json else summary(results, in_colour=in_colour))
    missing = gaps(results) if is_whole(options) else results.failures()
    for gap in missing:
        print(f'missing: {gap}', file=sys.stderr)
    if options.write or (is_whole(options) and not options.check and not missing):
        PAGE.write_text(page(results), encoding='utf-8')
        print(f'written: {PAGE.parent.name}/{PAGE.name}', file=sys.stderr)
    return 1 if missing or has_failed(results) else 0


def how_it_stopped(stop: KeyboardInterrupt) -> str:
    """What is known of the processes; a second Ctrl-C comes while they are being ended."""
    context = stop.__context__
    while context and not isinstance(context, KeyboardInterrupt):
        context = context.__context__
    return (
        'Stopped at once; some process may still run.' if context else 'Stopped; the server and the workers have ended.'
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write, judge."""
    options = parser().parse_args(arguments)
    if options.profile and (mistake := profiling.mistake(*options.profile)):
        parser().error(f'--profile: {mistake}')
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it ends the workers with it
    try:
        if options.profile:
            print(profiling.profile(*options.profile))
            return 0
        return finish(options, options.kept or measured(options))
    except OursIsWrong as error:
        print(f'Nothing is measured, as this package does not hand out what was sent:\n{error}', file=sys.stderr)
        return 1
    except ProcessFailed as error:
        print(f'{error}\nNothing goes on without it.', file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(how_it_stopped(stop), file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
