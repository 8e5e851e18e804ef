"""A process that measures one subject: `python -m benchmarks.worker SUBJECT PORT`.

It reads a line of JSON, `{"do": VERB, ...}`, does it, and answers with a line of JSON, until `quit` or the end of its
input. The verbs are in `operations`. What a subject cannot do is answered with `{"unsupported": WHY}`, and what fails
with `{"error": WHAT}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

from .logins import isolate
from .watch import Watch

SUBJECTS: Final[Mapping[str, tuple[str, str]]] = {
    'ours': ('ours', 'Ours'),
    'ours-aiohttp': ('ours', 'OursAiohttp'),
    'ours-file': ('ours', 'OursFile'),
    'upstream': ('upstream', 'Upstream'),
    'litellm': ('litellm', 'Litellm'),
    'raw-socket': ('raw', 'RawSocket'),
    'raw-httpx2': ('raw', 'RawHttpx2'),
    'raw-aiohttp': ('raw', 'RawAiohttp'),
}
"""Each subject's module and class."""


def main(name: str, port: int) -> None:
    """Answer line after line."""
    if name not in SUBJECTS:
        raise SystemExit(f'There is no subject {name!r}; there are {", ".join(SUBJECTS)}.')
    answers = _own_stdout()
    with TemporaryDirectory(prefix='benchmark-', ignore_cleanup_errors=True) as home:
        isolate(Path(home))
        watch = Watch()
        with asyncio.Runner(loop_factory=watch.loop) as runner:
            serve(runner, watch, name, port, sys.stdin, answers)


def serve(runner: asyncio.Runner, watch: Watch, name: str, port: int, lines: Iterable[str], answers: TextIO) -> None:
    """Make the subject and do what the lines say, all on one event loop, which rests between them."""
    # Imported in an environment without anything of the user's: some libraries read theirs when they are imported.
    from .operations import Operations

    module, kind = SUBJECTS[name]

    async def make() -> Any:
        return getattr(import_module(f'.subjects.{module}', __package__), kind)(port)

    subject = runner.run(make())
    verbs = Operations(name, subject, port, watch).verbs()
    for line in lines:
        order: dict[str, Any] = json.loads(line)
        verb = order.pop('do', None)
        answer = {} if verb == 'quit' else runner.run(_answer(verbs, verb, order))
        print(json.dumps(answer), file=answers, flush=True)
        if verb == 'quit':
            break
    runner.run(subject.aclose())


async def _answer(
    verbs: Mapping[str, Callable[..., Awaitable[dict[str, Any]]]], verb: object, arguments: dict[str, Any]
) -> dict[str, Any]:
    if not isinstance(verb, str) or verb not in verbs:
        return {'error': f'There is no verb {verb!r}; there are {", ".join(verbs)}.'}
    try:
        return await verbs[verb](**arguments)
    except NotImplementedError as error:
        return {'unsupported': str(error)}
    except Exception as error:  # noqa: BLE001 - the driver decides what a failure means
        traceback.print_exc()
        return {'error': f'{type(error).__name__}: {error}'}


def _own_stdout() -> TextIO:
    """Standard output for the answers alone: what a subject prints goes to standard error."""
    answers = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    return answers


if __name__ == '__main__':
    match sys.argv[1:]:
        case [subject_name, port_number]:
            main(subject_name, int(port_number))
        case _:
            raise SystemExit('Say which subject, and the port of the server: python -m benchmarks.worker SUBJECT PORT')
