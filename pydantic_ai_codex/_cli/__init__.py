"""The command line. Heavy imports stand inside the commands, so that `--version` and `--help` are quick."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NoReturn

from ..errors import CodexError
from ._doctor import add_doctor
from ._errors import UsageError, fail, warnings_shown
from ._instructions import add_instructions
from ._login import add_login
from ._logout import add_logout
from ._models import add_models
from ._options import EPILOG
from ._output import FAILED, INTERRUPTED, NO_LOGIN, OK, USAGE, is_about_output
from ._refresh import add_refresh
from ._run import add_demo, add_run
from ._simulate import add_simulate
from ._status import add_status
from ._usage import add_usage

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

__all__ = ('FAILED', 'INTERRUPTED', 'NO_LOGIN', 'OK', 'USAGE', 'main')

_MAY_BE_CUT: Final = ('run', 'demo', 'models', 'usage', 'instructions')
"""The commands whose reader, such as `head`, may have seen enough. The others have done nothing if nobody was told."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments, by default those of the process.

    Returns:
        The exit code.
    """
    _open_streams()
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = argparse.Namespace(name=None)
    try:
        return _run(arguments, options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return OK if options.name in _MAY_BE_CUT else FAILED
    except OSError as error:
        if not is_about_output(error):
            raise
        with contextlib.suppress(OSError):
            print(f'error: The output cannot be written: {error.strerror}.', file=sys.stderr, flush=True)
        _silence()
        return FAILED


def _run(arguments: Sequence[str], options: argparse.Namespace) -> int:
    """Read the arguments into the options and run their command, with its errors as messages."""
    parser = _parser()
    try:
        _, unknown = parser.parse_known_args(arguments, options)
        if unknown:
            getattr(options, 'parser', parser).error(_unrecognized(unknown))
    except UsageError as error:
        return fail(error, as_json=_asks_for_json(arguments))
    command: Callable[[argparse.Namespace], int] | None = getattr(options, 'command', None)
    if command is None:
        parser.print_help(sys.stderr)
        return USAGE
    try:
        with warnings_shown():
            code = command(options)
        sys.stdout.flush()  # Here it can still be told that it cannot be written.
        return code
    except CodexError as error:
        return fail(error, as_json=getattr(options, 'json', False))
    except RuntimeError as error:
        # pydantic-ai's errors are RuntimeErrors; anything else of that kind is a bug, and is shown whole.
        from pydantic_ai.exceptions import AgentRunError, UserError

        if not isinstance(error, AgentRunError | UserError):
            raise
        return fail(error, as_json=getattr(options, 'json', False))


def _unrecognized(arguments: Sequence[str]) -> str:
    """Says which arguments are unknown. What is no option is not repeated: somebody may have typed a secret."""
    names = [each.partition('=')[0] for each in arguments if each.startswith('-')]
    count = len(arguments) - len(names)
    words = [f'{count} word{"s" if count > 1 else ""} that no option takes'] if count else []
    return f'unrecognized: {", ".join([*names, *words])}'


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is among arguments that cannot be read; the beginning of an option is as good as all of it."""
    return any(len(each) > 2 and '--json'.startswith(each) for each in takewhile(lambda each: each != '--', arguments))


def _open_streams() -> None:
    """See that there are three streams: whoever starts a program may have closed some of them."""
    for name, mode in (('stdin', 'r'), ('stdout', 'w'), ('stderr', 'w')):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding='utf-8'))  # noqa: SIM115 - as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets a substitute, and not an end in the middle of an answer.
            stream.reconfigure(errors='backslashreplace')


def _silence() -> None:
    """See that nothing more is written at exit to where nothing can be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            os.dup2(nowhere, stream.fileno())


def _parser() -> argparse.ArgumentParser:
    description = 'Run agents on a ChatGPT/Codex subscription.'
    return _with_commands(_Parser(prog='pydantic-ai-codex', description=description, epilog=EPILOG))


def _with_commands(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument('--version', action=_Version, help='show the version and exit')
    commands = parser.add_subparsers(metavar='command')
    for add in (
        add_demo, add_run, add_models, add_usage, add_login, add_logout, add_status, add_refresh, add_doctor,
        add_instructions, add_simulate,
    ):  # fmt: skip
        add(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are ours, and whose help is an output like all others.

    Of help that cannot be written, argparse tells nobody.
    """

    def error(self, message: str) -> NoReturn:
        text = f'{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.'
        raise UsageError(text, usage=self.format_usage())

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        if file is not None:
            super().print_help(file)
            return
        sys.stdout.write(self.format_help())
        sys.stdout.flush()


class _Version(argparse.Action):
    """`--version`, which looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> None:
        from importlib.metadata import version

        print(f'pydantic-ai-codex {version("pydantic-ai-codex")}', flush=True)
        parser.exit()
