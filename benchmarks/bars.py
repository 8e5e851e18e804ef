"""The bars of speed, as data, and whether a run has met them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .figures import Figure, Samples, divided, figure, paired, ratio
from .measures import SHAPES
from .peers import OURS, OURS_AIOHTTP, OURS_FILE, RAW_SOCKET, UPSTREAM
from .results import Results

Outcome = Literal['met', 'missed', 'not measured']

MEGABYTE = 1000.0
"""In kilobytes, which bodies are measured in."""


@dataclass(frozen=True)
class Bar:
    """A bar.

    Attributes:
        name: Its number and, where a number has several, what it is about.
        claim: What is claimed, for a table.
        limit: The bar itself.
        unit: What the limit counts.
        at_least: Whether the figure has to reach it, else to stay below or at it.
        found: The figure in the results of a run, `None` if it was not measured.
        is_stretch: Whether missing it is no failure.
    """

    name: str
    claim: str
    limit: float
    unit: str
    at_least: bool
    found: Callable[[Results], Figure | None]
    is_stretch: bool = False


@dataclass(frozen=True)
class Verdict:
    """A bar after a run."""

    bar: Bar
    found: Figure | None

    @property
    def outcome(self) -> Outcome:
        """Whether the median is on the right side."""
        if self.found is None:
            return 'not measured'
        if self.bar.at_least:
            return 'met' if self.found.median >= self.bar.limit else 'missed'
        return 'met' if self.found.median <= self.bar.limit else 'missed'

    @property
    def is_failure(self) -> bool:
        """Whether a run with it ends as a failure."""
        return self.outcome == 'missed' and not self.bar.is_stretch

    @property
    def is_gap(self) -> bool:
        """Whether a whole run with it is none."""
        return self.outcome == 'not measured' and not self.bar.is_stretch


# The figures.


def wrong_streams(results: Results) -> Figure | None:
    """How many streams came out of this package changed."""
    checked = [
        found for subject in (OURS, OURS_AIOHTTP, OURS_FILE) for found in results.problems.get(subject, {}).values()
    ]
    if not checked:
        return None
    wrong = float(sum(map(bool, checked)))
    return Figure(wrong, wrong, wrong, len(checked))


def advantage(series: str, subject: str = OURS) -> Callable[[Results], Figure | None]:
    """How many times less than pydantic-ai's model it takes."""
    return lambda results: ratio(results.of(series, UPSTREAM), results.of(series, subject))


def growth(results: Results) -> Figure | None:
    """How many times more a long history takes than a short one."""
    return ratio(results.of('request/1000/10/model/cpu', OURS), results.of('request/10/10/model/cpu', OURS))


def slope(results: Results) -> Figure | None:
    """Microseconds for each message that was there before."""
    whole = paired(
        lambda long, short: 1e3 * (long - short) / 990,
        results.of('request/1000/10/model/cpu', OURS),
        results.of('request/10/10/model/cpu', OURS),
    )
    return figure(whole)


def blocked(results: Results) -> Figure | None:
    """The longest time that a body under 1 MB kept everything else waiting, of the worst shape."""
    found = [
        longest
        for messages, tools in SHAPES
        if (body := figure(results.of(f'request/{messages}/{tools}/model/body', OURS))) and body.median < MEGABYTE
        if (longest := figure(results.of(f'request/{messages}/{tools}/model/blocked', OURS)))
    ]
    return max(found, key=lambda each: each.median, default=None)


def first_token_added(results: Results, subject: str) -> Samples:
    """Milliseconds that it adds to what a bare socket needs."""
    return paired(
        lambda whole, bare: whole - bare,
        results.of('first-token/wall', subject),
        results.of('first-token/wall', RAW_SOCKET),
    )


def first_token(results: Results) -> Figure | None:
    """What it adds, as a part of what pydantic-ai's model adds."""
    return figure(paired(divided, first_token_added(results, OURS), first_token_added(results, UPSTREAM)))


def import_added(results: Results) -> Figure | None:
    """Milliseconds beyond what every program with pydantic-ai pays."""
    return figure(results.of('import/cpu', 'import ours-beyond'))


def loaded(results: Results) -> Figure | None:
    """How many modules were loaded that must not be."""
    ours = [found for name, found in results.loaded.items() if name.startswith('import ours')]
    count = float(sum(map(len, ours)))
    return Figure(count, count, count, len(ours)) if ours else None


def memory_share(results: Results) -> Figure | None:
    """Its memory, as a part of that of pydantic-ai's model."""
    return ratio(results.of('memory/total', OURS), results.of('memory/total', UPSTREAM))


def memory_growth(results: Results) -> Figure | None:
    """Kilobytes that came between the requests 500 and 1,000."""
    return figure(results.of('memory/growth', OURS))


# The bars.

PAIRS = 'this pairs the rounds of two tasks, one done after the other'


def stream_bars(number: int, subject: str, limits: dict[str, float], *, is_stretch: bool) -> tuple[Bar, ...]:
    transport = '`aiohttp`' if is_stretch else 'stock `httpx2`'
    return tuple(
        Bar(
            f'{number}{stream}',
            f'CPU of stream ({stream}) on {transport}, against `OpenAICodexModel`',
            limit,
            'times less',
            True,
            advantage(f'stream/{stream}/model/cpu', subject),
            is_stretch,
        )
        for stream, limit in limits.items()
    )


def request_bar(messages: int, tools: int, limit: float) -> Bar:
    return Bar(
        f'4: {messages}/{tools}',
        f'CPU of a request with {messages:,} messages and {tools} tools, against `OpenAICodexModel`',
        limit,
        'times less',
        True,
        advantage(f'request/{messages}/{tools}/model/cpu'),
    )


BARS = (
    Bar('0', 'streams whose deltas, parts or usage are not what was sent', 0, 'streams', False, wrong_streams),
    *stream_bars(1, OURS, {'a': 7.5, 'b': 6.0, 'c': 6.5}, is_stretch=False),
    *stream_bars(2, OURS_AIOHTTP, {'a': 18.0, 'b': 14.0, 'c': 15.0}, is_stretch=True),
    request_bar(10, 0, 10.0),
    request_bar(10, 100, 25.0),
    request_bar(1000, 10, 150.0),
    Bar('5: growth', f'CPU with 1,000 messages against 10, with 10 tools; {PAIRS}', 5.0, 'times more', False, growth),
    Bar('5: slope', f'CPU for each message that was there before; {PAIRS}', 15.0, 'µs', False, slope),
    Bar(
        '5: blocked',
        'the longest turn of the event loop in a request, the median of the requests of a round; bodies under 1 MB',
        25.0,
        'ms',
        False,
        blocked,
    ),
    Bar(
        '6',
        'CPU of 64 answers at once, against `OpenAICodexModel`',
        7.0,
        'times less',
        True,
        advantage('concurrent/64/cpu'),
    ),
    Bar('7', 'time added to the first word, against `OpenAICodexModel`', 0.35, 'of it', False, first_token),
    Bar('8: time', '`from pydantic_ai_codex import CodexModel` beyond pydantic-ai', 40.0, 'ms', False, import_added),
    Bar('8: modules', 'modules that an import loads and must not', 0, 'modules', False, loaded),
    Bar('9: size', 'memory after 1,000 requests, against `OpenAICodexModel`', 0.60, 'of it', False, memory_share),
    Bar('9: growth', 'memory that the requests 501 to 1,000 added', 64.0, 'KiB', False, memory_growth),
)


def verdicts(results: Results) -> list[Verdict]:
    """Every bar, with what the run says of it."""
    return [Verdict(bar, bar.found(results)) for bar in BARS]
