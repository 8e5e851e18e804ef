"""The command line. Heavy imports stand inside the commands, so that `--version` and `--help` are quick."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from ..errors import CodexError
from ._doctor import add_doctor
from ._login import add_login
from ._logout import add_logout
from ._options import EPILOG
from ._output import FAILED, INTERRUPTED, NO_LOGIN, OK, USAGE, fail, warnings_shown
from ._refresh import add_refresh
from ._run import add_demo, add_run
from ._simulate import add_simulate
from ._status import add_status

__all__ = ('FAILED', 'INTERRUPTED', 'NO_LOGIN', 'OK', 'USAGE', 'main')


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments, by default those of the process.

    Returns:
        The exit code.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    command: Callable[[argparse.Namespace], int] | None = getattr(options, 'command', None)
    if command is None:
        parser.print_help(sys.stderr)
        return USAGE
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets a substitute, and not an end in the middle of an answer.
            stream.reconfigure(errors='backslashreplace')
    try:
        with warnings_shown():
            return command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough. Nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except CodexError as error:
        return fail(error, as_json=getattr(options, 'json', False))
    except RuntimeError as error:
        # pydantic-ai's errors are RuntimeErrors; anything else of that kind is a bug, and is shown whole.
        from pydantic_ai.exceptions import AgentRunError, UserError

        if not isinstance(error, AgentRunError | UserError):
            raise
        return fail(error, as_json=getattr(options, 'json', False))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='pydantic-ai-codex', description='Run agents on a ChatGPT/Codex subscription.', epilog=EPILOG
    )
    parser.add_argument('--version', action=_Version, help='show the version and exit')
    commands = parser.add_subparsers(metavar='command')
    for add in (
        add_demo, add_run, add_login, add_logout, add_status, add_refresh, add_doctor, add_simulate,
    ):  # fmt: skip
        add(commands)
    return parser


class _Version(argparse.Action):
    """`--version`, which looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> None:
        from importlib.metadata import version

        print(f'pydantic-ai-codex {version("pydantic-ai-codex")}')
        parser.exit()
