"""What `login` shows to a person and takes from one."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TextIO

from ..errors import ConfigurationError, LoginError
from ._output import BOLD, DIM, say
from ._times import countdown

_MINUTE: Final = 60

_USUAL_WIDTH: Final = 80
_LEAST_WIDTH: Final = 24
"""Columns of a terminal that does not say how many it has, and those that a line needs to say how much time is left."""

_LARGEST: Final = 64 * 1024
"""Characters of a secret, or bytes of a line, beyond which it is neither a token nor an address."""


def show_url(url: str, *, opens: bool, pastes: bool, listens: bool) -> None:
    """Tell where to log in.

    Args:
        url: The address.
        opens: Whether a browser is about to open it.
        pastes: Whether an address may be pasted.
        listens: Whether a browser on this machine leads back here by itself.
    """
    say('Your browser opens this address; if it does not, open it yourself:' if opens else 'Open this address:')
    say(f'\n{url}\n')
    if listens:
        say('Waiting for you to log in. Ctrl-C stops.')
    if pastes:
        lead = 'A browser on another machine' if listens else 'The browser'
        say(f'{lead} ends on a page of 127.0.0.1 that it cannot show. Copy the address of that page,')
        say('paste it here, and press Enter:')


def show_code(code: str, page: str) -> None:
    """Tell which code to type where."""
    say('Open this page on any device, log in, and type the code:')
    say(f'\n    {page}\n')
    say(f'    {code}\n', style=BOLD)
    say('Type it only on that page, and give it to nobody.', style=DIM)


class Countdown:
    """How much time is left: a line that is rewritten on a terminal that is wide enough, else a line each minute."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._minutes: int | None = None
        self._width = 0

    def __call__(self, seconds: float) -> None:
        """Show the time that is left."""
        width = _width_of(self._stream)
        if width >= _LEAST_WIDTH:
            # Where it reached the last column, a terminal would begin a new line.
            self._rewrite(f'Waiting for you, {countdown(seconds)} left. Ctrl-C stops.'[: width - 1])
            return
        minutes = int(seconds / _MINUTE + 0.5)
        if minutes != self._minutes:
            self._minutes = minutes
            print(f'Waiting for you, about {minutes} min left.', file=self._stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._width:
            self._rewrite('')

    def _rewrite(self, line: str) -> None:
        # Blanks and not an escape sequence, so that every terminal can do it.
        self._stream.write('\r' + line.ljust(self._width) + ('' if line else '\r'))
        self._stream.flush()
        self._width = len(line)


def _width_of(stream: TextIO) -> int:
    """The columns of a terminal on which a line can be rewritten, or 0."""
    if not stream.isatty() or os.environ.get('TERM') == 'dumb':
        return 0
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    except (OSError, ValueError):
        return _USUAL_WIDTH


def browser_of() -> Callable[[str], object] | None:
    """What opens a browser that the user sees, or `None` where there is none.

    In an SSH session the browser would open on the far machine, and without a display in the terminal itself. Whoever
    sets `BROWSER` means it.
    """
    if not os.environ.get('BROWSER'):
        if os.environ.get('SSH_CONNECTION') or os.environ.get('SSH_TTY'):
            return None
        has_display = os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
        if sys.platform not in ('win32', 'darwin') and not has_display:
            return None
    return _open


def _open(url: str) -> bool:
    import webbrowser

    return webbrowser.open(url)


def read_secret(what: str) -> str:
    """A secret from standard input: typed without an echo on a terminal, else all of it.

    Not for an event loop, which keeps the first Ctrl-C for itself while this waits.

    Args:
        what: What it is, in words.

    Raises:
        LoginError: If nobody types anything.
        ConfigurationError: If it is no text, or far too long.
    """
    try:
        if sys.stdin.isatty():
            import getpass

            secret = getpass.getpass(f'The {what}: ')
        else:
            secret = sys.stdin.read(_LARGEST + 1)
    except EOFError:
        say()  # The prompt is still on its line.
        raise LoginError(
            f'Nothing was typed, so there is no login. Try again, with the {what}.', reason='cancelled'
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f'Standard input is no text; it should hold the {what}.') from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f'Standard input cannot be read ({reason}); it should hold the {what}.') from None
    if len(secret) > _LARGEST:
        raise ConfigurationError(f'Standard input is far too long; it should hold the {what} and nothing else.')
    return secret


async def paste_line() -> str:
    """The next line of standard input with its end; nothing where standard input has ended."""
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()

    def resolve(line: str) -> None:
        if not future.done():
            future.set_result(line)

    def read() -> None:
        try:
            line = _read_line()
        except (OSError, ValueError):
            line = ''  # Nothing can be read from it, now or later.
        with contextlib.suppress(RuntimeError):  # the login has ended another way, and the loop with it
            loop.call_soon_threadsafe(resolve, line)

    # Nothing can interrupt the reading, so the thread is one that does not keep the process alive.
    threading.Thread(target=read, name='codex-login-paste', daemon=True).start()
    return await future


def _read_line() -> str:
    """A line, read around the buffer of `sys.stdin`, which a waiting daemon thread would hold at the process's end."""
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, io.UnsupportedOperation):
        return sys.stdin.readline(_LARGEST)
    line = bytearray()
    while not line.endswith(b'\n') and len(line) < _LARGEST and (byte := os.read(descriptor, 1)):
        line += byte
    return line.decode('utf-8', 'replace')
