"""`instructions`: the official instructions of a model, as they are sent, and where they come from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from .._protocol.model_names import parse_model_name
from ..errors import CodexError
from ._account import iso
from ._errors import fail
from ._options import Commands, add_command, add_json
from ._output import DIM, FAILED, OK, print_json, say, tell, warn, write
from ._run import DEFAULT_MODEL
from ._times import relative

if TYPE_CHECKING:
    from .._instructions import ModelInstructions

_PATIENCE: Final = 0.5
"""Seconds for which nobody wonders."""

_GENERAL: Final = ('/prompt.md', '/default.md')
"""How the addresses of the texts end that fit all models."""

_NO_ANSWER: Final = ('was not reached', 'did not answer')
"""What the library says where the connection to GitHub is to blame."""


def add_instructions(commands: Commands) -> None:
    """Add `instructions`."""
    instructions = add_command(
        commands, 'instructions', _instructions, 'print the official instructions of a model, as they are sent'
    )
    instructions.add_argument(
        'model',
        nargs='?',
        default=DEFAULT_MODEL,
        metavar='MODEL',
        help='for example gpt-5.1-codex (default: %(default)s)',
    )
    instructions.add_argument('--refresh', action='store_true', help='ask GitHub now, whatever is cached')
    instructions.add_argument(
        '--ref',
        type=_ref,
        help='a tag or commit of openai/codex, or built-in for the short text of ours (default: the newest release)',
    )
    shown = instructions.add_mutually_exclusive_group()
    shown.add_argument('--path', action='store_true', help='print the path of the cached file and not the text')
    add_json(shown)


def _ref(text: str) -> str:
    from .._protocol.instruction_files import is_ref

    if not is_ref(text):
        # It is not repeated: somebody may have pasted a secret.
        raise argparse.ArgumentTypeError('it takes a tag such as rust-v0.169.0, a whole commit, or built-in')
    return text


def _instructions(options: argparse.Namespace) -> int:
    import anyio

    slug = parse_model_name(options.model).slug
    found = anyio.run(_get, slug, options)
    if options.json:
        print_json(_facts(slug, found))
    elif not options.path:
        write(sys.stdout, f'{found.text}\n')
        say(_origin(found, datetime.now(UTC)), style=DIM)
    elif found.path is None:
        return fail(CodexError(f'There is no cached file. {_why_uncached(found, options)}'), as_json=False)
    else:
        tell(str(found.path))
    return _judge(slug, found, options)


def _judge(slug: str, found: ModelInstructions, options: argparse.Namespace) -> int:
    """Say what a reader of the text should know, and what to do; the exit code."""
    if _is_missed(found, options):
        text = 'official text' if options.ref is None else f'text of {options.ref}'
        return fail(CodexError(f'This is not the {text}. {_next_step(found)}'), as_json=False)
    if found.url is not None and found.url.endswith(_GENERAL):
        warn(f'{slug!r} has no text of its own; this is the one for all models.')
    if found.problem is None:
        return OK
    warn(f'{found.problem} {_next_step(found)}')
    return FAILED if options.refresh else OK


def _is_missed(found: ModelInstructions, options: argparse.Namespace) -> bool:
    """Whether the text of our own stands in for another."""
    return found.state == 'built-in' and options.ref != found.ref


async def _get(slug: str, options: argparse.Namespace) -> ModelInstructions:
    from .._instructions import Instructions

    with _patience():
        return await Instructions().get(slug, ref=options.ref, refresh=options.refresh)


@contextmanager
def _patience() -> Generator[None]:
    """Say to a person what takes so long, when it does."""
    import asyncio

    waiting = asyncio.get_running_loop().call_later(_PATIENCE, _say_that_it_takes_long)
    try:
        yield
    finally:
        waiting.cancel()


def _say_that_it_takes_long() -> None:
    if sys.stderr.isatty():
        say('Asking GitHub ...', style=DIM)


def _facts(slug: str, found: ModelInstructions) -> dict[str, Any]:
    """What `--json` tells."""
    return {
        'model': slug,
        'name': found.name,
        'ref': found.ref,
        'url': found.url,
        'etag': found.etag,
        'checked_at': iso(found.checked_at),
        'state': found.state,
        'is_pinned': found.is_pinned,
        'problem': found.problem,
        'path': str(found.path) if found.path else None,
        'text': found.text,
    }


def _origin(found: ModelInstructions, now: datetime) -> str:
    """Where the text is from: `rust-v0.169.0, codex-rs/core/gpt_5_codex_prompt.md, checked 3 minutes ago`."""
    from .._protocol.instruction_files import GITHUB_RAW, REPOSITORY

    if found.url is None or found.checked_at is None:
        return f'{found.ref}, a short text of our own'
    commit, _, file = found.url.removeprefix(f'{GITHUB_RAW}/{REPOSITORY}/').partition('/')
    pinned = f' of the commit {commit[:7]}, as the release has it no more' if found.is_pinned else ''
    return f'{found.ref}, {file}{pinned}, checked {relative(found.checked_at, now)}'


def _why_uncached(found: ModelInstructions, options: argparse.Namespace) -> str:
    from .._instructions import cache_folder

    if found.state == 'built-in':
        next_step = f' {_next_step(found)}' if _is_missed(found, options) else ''
        return f'The text in use is the short one of our own.{next_step}'
    # The folder cannot be written, or the answer was not to be kept, as a proxy may say.
    return f'The text is not in {str(cache_folder())!r}; `pydantic-ai-codex doctor` tells whether that can be written.'


def _next_step(found: ModelInstructions) -> str:
    if any(words in (found.problem or '') for words in _NO_ANSWER):
        return 'Look at the connection to GitHub, for example at HTTPS_PROXY; then --refresh asks at once.'
    return 'Try again later.'
