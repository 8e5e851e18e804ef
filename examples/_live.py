"""What every example shares, and no agent needs: `--live` or the simulator, and errors in one line."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

from pydantic_ai import AgentRunError
from pydantic_ai.exceptions import FallbackExceptionGroup

from pydantic_ai_codex import CodexError, CodexModel
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, ScriptEntry

MODEL = 'gpt-5.5'


def run_example(
    description: str | None, example: Callable[[CodexModel], Coroutine[Any, Any, None]], *script: ScriptEntry
) -> None:
    """Run an example with the model that the command line asks for, and end the program where that fails.

    Args:
        description: What `--help` says first.
        example: What to run.
        *script: What the simulated model answers.
    """
    options = parse(argument_parser(description))
    with errors_in_one_line(), chosen_model(options, *script) as model:
        asyncio.run(example(model))


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments of every example."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument('--live', action='store_true', help='use your login and the real backend')
    parser.add_argument('-m', '--model', help=f'the model for --live (default: {MODEL})')
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line, and say which model answers."""
    options = parser.parse_args()
    if options.model and not options.live:
        parser.error('-m goes with --live; the simulator answers for any model alike')
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


@contextmanager
def errors_in_one_line() -> Generator[None]:
    """End the program without a traceback where the user is the one to do something."""
    # pydantic-ai greets with a banner on terminals, which would stand in the middle of the transcript.
    os.environ.setdefault('PYDANTIC_AI_NO_BANNER', '1')
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Whoever read this has seen enough.
    except FallbackExceptionGroup as group:
        sys.exit('\n'.join(f'error: {error}' for error in group.exceptions))
    except (CodexError, AgentRunError) as error:
        sys.exit(f'error: {error}')


def heard(request: RecordedRequest) -> list[str]:
    """What a simulated model has been told, in order: the texts of the user, and what the tools returned."""
    texts: list[str] = []
    for item in request.body['input']:
        if item.get('role') == 'user':
            texts += [part['text'] for part in item['content'] if part['type'] == 'input_text']
        elif item['type'] == 'function_call_output':
            texts.append(str(item['output']))
    return texts
