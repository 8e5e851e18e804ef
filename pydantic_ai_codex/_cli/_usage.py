"""`usage`: how much of the plan is used up, as the backend says now."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from .._protocol.waits import span
from ..errors import CodexError
from ._account import account_facts
from ._options import Commands, add_base_url, add_command, add_json, add_store, client_of
from ._output import BOLD, GREEN, OK, RED, YELLOW, Paint, can_show, columns, painted, print_json, printable
from ._times import local, relative

if TYPE_CHECKING:
    from .._protocol.rate_limits import RateLimits, RateLimitWindow
    from ..auth import Credentials

_BLOCKS: Final = ('█', '░')
_ASCII: Final = ('#', '.')
_FEWEST_CELLS: Final = 20
_MOST_CELLS: Final = 40
_NARROWEST: Final = 10

_COLOURS: Final = ((80.0, GREEN), (95.0, YELLOW), (math.inf, RED))
"""The colour of a bar below each percentage."""


def add_usage(commands: Commands) -> None:
    """Add `usage`."""
    usage = add_command(commands, 'usage', _usage, 'show how much of the plan is used up')
    add_base_url(usage)
    add_store(usage, 'whose login (default: the one in use)')
    add_json(usage)


def _usage(options: argparse.Namespace) -> int:
    import anyio

    limits, credentials = anyio.run(_ask, options)
    if options.json:
        print_json({**limits.as_dict(), 'account': account_facts(credentials)})
        return OK
    cells = _BLOCKS if can_show(''.join(_BLOCKS), sys.stdout) else _ASCII
    for line in usage_lines(limits, credentials, now=datetime.now(UTC), width=columns(), cells=cells, paint=painted):
        print(line)
    return OK


async def _ask(options: argparse.Namespace) -> tuple[RateLimits, Credentials]:
    async with client_of(options) as client:
        credentials = await client.authenticate()
        if credentials.auth_mode == 'apikey':
            raise CodexError(
                'Plan limits belong to ChatGPT logins, and this login is an API key. Name another login with --store; '
                'the limits of the key are on platform.openai.com.'
            )
        return await client.fetch_rate_limits(), credentials


def usage_lines(
    limits: RateLimits,
    credentials: Credentials,
    *,
    now: datetime,
    width: int,
    cells: tuple[str, str] = _BLOCKS,
    paint: Paint = lambda text, style: text,
) -> list[str]:
    """The limits of a plan as a person reads them.

    Args:
        limits: The limits.
        credentials: Whose they are.
        now: The time.
        width: How many columns there are.
        cells: What a bar is made of: what is used, and what is left.
        paint: Gives a text a style.
    """
    screen = _Screen(now, width, cells, paint)
    lines = [paint(_heading(limits, credentials), BOLD), *screen.limit(limits)]
    for other in limits.others:
        lines += [paint(_words(other.limit_name or other.limit_id), BOLD), *screen.limit(other)]
    return lines


class _Row(NamedTuple):
    """A window in words."""

    name: str
    percent: float
    figure: str
    reset: str


class _Screen:
    """Where the limits are shown."""

    def __init__(self, now: datetime, width: int, cells: tuple[str, str], paint: Paint) -> None:
        self._now = now
        self._width = width
        self._cells = cells
        self._paint = paint

    def limit(self, limits: RateLimits) -> Iterator[str]:
        """The lines of one limit: its windows, what may be spent beyond them, and what keeps requests from going."""
        windows = limits.windows
        yield from self._windows([self._row(window.name or key, window) for key, window in windows.items()])
        if not windows:
            yield '  The backend tells of no window.'
        if limits.credits is not None and (credits := str(limits.credits)):
            yield f'  credits: {_words(credits)}'
        if (blocked := self._blocked(limits)) is not None:
            yield self._paint(f'  {blocked}', RED)

    def _row(self, name: str, window: RateLimitWindow) -> _Row:
        reset = ''
        if window.resets_at is not None:
            seconds = (window.resets_at - self._now).total_seconds()
            when = f'resets in {span(seconds)}' if seconds > 0 else f'has reset {relative(window.resets_at, self._now)}'
            reset = f'{when} ({local(window.resets_at)})'
        return _Row(name, window.used_percent, window.percent, reset)

    def _windows(self, rows: Sequence[_Row]) -> Iterator[str]:
        """A line for each window; where that would be too long, another one for its end."""
        widths = [(len(row.name), len(row.figure), len(row.reset)) for row in rows]
        name, figure, reset = map(max, zip(*widths, strict=True)) if rows else (0, 0, 0)
        room = self._width - len(f'  {"":{name}}    {"":{figure}}')
        beside = room - len(f'  {"":{reset}}')
        is_wide = beside >= _FEWEST_CELLS
        cells = min(_MOST_CELLS, beside) if is_wide else min(_MOST_CELLS, max(_NARROWEST, room))
        for row in rows:
            line = f'  {row.name:{name}}  {self._bar(row.percent, cells)}  {row.figure:>{figure}}'
            if is_wide or not row.reset:
                yield f'{line}  {row.reset}'.rstrip()
            else:
                yield line
                yield f'  {"":{name}}  {row.reset}'

    def _bar(self, percent: float, cells: int) -> str:
        colour = next(colour for bound, colour in _COLOURS if percent < bound)
        return self._paint(bar(percent, cells, self._cells), colour)

    def _blocked(self, limits: RateLimits) -> str | None:
        """What keeps requests from going, in words."""
        key = limits.blocking
        if key is None:
            return 'The backend says that this limit is reached.' if limits.limit_reached else None
        window = limits.windows[key]
        text = f'The {window.adjective or key} window is used up'
        blocks, end = ', and blocks', '.'
        if limits.credits is not None and (limits.credits.unlimited or limits.credits.has_credits):
            blocks, end = '', '; credits may stand in.'
        if window.resets_at is not None and window.resets_at > self._now:
            text += f'{blocks} until {local(window.resets_at)}'
        return text + end


def bar(percent: float, cells: int, characters: tuple[str, str]) -> str:
    """A bar, which is full when everything is used up, and empty when nothing is."""
    used = min(cells, int(percent / 100 * cells))
    if percent > 0:
        used = max(1, used)
    return characters[0] * used + characters[1] * (cells - used)


def _heading(limits: RateLimits, credentials: Credentials) -> str:
    """Whose limits they are: `plus plan, ada@example.com, account acct-1`."""
    plan = limits.plan_type or credentials.plan_type
    parts = [f'{_words(plan)} plan' if plan else 'unknown plan']
    parts += [_words(credentials.email)] if credentials.email else []
    parts += [f'account {_words(credentials.account_id)}'] if credentials.account_id else []
    return ', '.join(parts)


def _words(text: str) -> str:
    from ..auth._secrets import quotable

    return printable(quotable(text))
