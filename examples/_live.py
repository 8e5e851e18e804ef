"""What every example shares, and no agent needs: `--live` or the simulator, and errors in one line."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic_ai import AgentRunError
from pydantic_ai.exceptions import FallbackExceptionGroup

from pydantic_ai_codex import CodexError, CodexModel
from pydantic_ai_codex.auth import own_auth_path
from pydantic_ai_codex.errors import BackendError, ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, ScriptEntry

MODEL = 'gpt-6-sol'

LIVE_ONLY = {'model': '-m', 'login': 'LOGIN', 'file': 'FILE'}
"""Arguments that mean nothing to the simulator."""


def run_example(
    description: str | None, example: Callable[[CodexModel], Coroutine[Any, Any, None]], *script: ScriptEntry
) -> None:
    """Run an example with the model that the command line asks for, and end the program where that fails.

    Args:
        description: What `--help` says first.
        example: What to run.
        *script: What the simulated model answers.
    """
    with command_line(argument_parser(description)) as options, chosen_model(options, *script) as model:
        asyncio.run(example(model))


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments of every example."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument('--live', action='store_true', help='use your login and the real backend')
    parser.add_argument('-m', '--model', help=f'the model for --live (default: {MODEL})')
    return parser


@contextmanager
def command_line(parser: argparse.ArgumentParser) -> Generator[argparse.Namespace]:
    """The options; and where the user is the one to do something, the program ends with a line, not a traceback."""
    # pydantic-ai greets with a banner on terminals, which would stand in the middle of the transcript.
    os.environ.setdefault('PYDANTIC_AI_NO_BANNER', '1')
    open_streams()
    try:
        yield parse(parser)
        sys.stdout.flush()  # Here it can still be told that it cannot be written.
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit()  # Whoever read this has seen enough.
    except FallbackExceptionGroup as group:
        sys.exit('\n'.join(f'error: {readable(error)}' for error in group.exceptions))
    except (CodexError, AgentRunError, OSError) as error:
        sys.exit(f'error: {readable(error)}')
    finally:
        finish_output()


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line, and say which model answers."""
    options = parser.parse_args()
    for name, shown in LIVE_ONLY.items():
        if getattr(options, name, None) and not options.live:
            parser.error(f'{shown} goes with --live; the simulator answers from its script')
    options.model = options.model or MODEL
    if options.live:
        print(f'Live: {options.model} on your login.\n')
    else:
        print(f'Simulated: {options.model} answers from a script, without a login or a network (--live: for real).\n')
    return options


@contextmanager
def chosen_model(options: argparse.Namespace, *script: ScriptEntry) -> Generator[CodexModel]:
    """The real model with `--live`, else one that plays the script, which has to be used up in the end."""
    if options.live:
        yield CodexModel(options.model)
    else:
        simulator = CodexSimulator(*script)
        yield simulator.model(options.model)
        simulator.assert_exhausted()


def add_logins(parser: argparse.ArgumentParser) -> None:
    """The argument of the examples with two accounts."""
    parser.add_argument('login', nargs='*', help="login files, for --live (default: the Codex CLI's, and our own)")


def chosen_logins(options: argparse.Namespace) -> list[str]:
    """The files of two accounts or more."""
    usual = [Path('~/.codex/auth.json').expanduser(), own_auth_path()]
    logins = options.login or [str(file) for file in usual if file.exists()]
    if len(logins) < 2:
        raise ConfigurationError(
            'This takes two accounts: give two LOGIN files. `pydantic-ai-codex login --store PATH` makes one.'
        )
    return logins


def port(text: str) -> int:
    """A port from the command line; argparse names this function where there is none in the text."""
    if not 0 <= (number := int(text)) < 2**16:
        raise ValueError
    return number


def readable(error: Exception) -> str:
    """What the user has to know of an error.

    pydantic-ai's text of an HTTP error is the raw answer; that of ours, behind it, says what the answer means.
    """
    return str(error.__cause__ if isinstance(error.__cause__, BackendError) else error)


def open_streams() -> None:
    """See that whatever is printed has somewhere to go: a stream may be closed, or not know every character."""
    for name, mode in (('stdin', 'r'), ('stdout', 'w'), ('stderr', 'w')):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding='utf-8'))  # noqa: SIM115 - as long as the process lives
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def finish_output() -> None:
    """Write what is left, and see that Python does not try again at exit where that fails."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def heard(request: RecordedRequest) -> list[str]:
    """What a simulated model has been told, in order: the texts of the user, and what the tools returned."""
    texts: list[str] = []
    for item in request.body['input']:
        if item.get('role') == 'user':
            texts += [part['text'] for part in item['content'] if part['type'] == 'input_text']
        elif item['type'] == 'function_call_output':
            texts.append(str(item['output']))
    return texts
