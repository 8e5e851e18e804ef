"""What becomes of single requests to the simulated GitHub, as data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from ..errors import ConfigurationError
from ._backend import lower_names
from ._exchange import json_pieces
from ._github_answers import USUAL_RATE_LIMIT, GitHubReply, limited, rate_headers
from ._issuer_options import Duration
from ._issuer_script import IssuerAnswer, as_issuer_answer
from ._records import GitHubHost, GitHubRequest
from ._script import HttpFailure, NoAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """The client has asked too often; see `rate_limited`."""

    seconds: float
    status: int


_Order: TypeAlias = IssuerAnswer | HttpFailure | NoAnswer | RateLimit
GitHubEntry: TypeAlias = _Order | Callable[[GitHubRequest], _Order | None] | None
"""An entry of a script for GitHub; `None` answers as usual."""


def rate_limited(seconds: Duration = 3600, *, status: int = 403) -> RateLimit:
    """The answer to a client that asks too often.

    Args:
        seconds: For how long it should wait; a number is seconds.
        status: 403, which tells it with `x-ratelimit-reset`, by the clock of the simulator; or 429, which tells it with
            `retry-after`. Both are whole seconds, rounded up.

    Raises:
        ConfigurationError: The status is another, or the seconds are no duration.
    """
    if status not in (403, 429):
        raise ConfigurationError(f'status={status!r} is not that of a rate limit; use 403 or 429.')
    return RateLimit(seconds=_as_seconds(seconds), status=status)


def check_entries(*entries: object) -> None:
    """Check what is to stand in a script; what a function returns is seen when it is called.

    Raises:
        ConfigurationError: An entry is no answer.
    """
    for entry in entries:
        if not callable(entry) and as_plan(entry) is None:
            raise ConfigurationError(
                f'{entry!r} is no answer of GitHub. Use `rate_limited(...)`, `fail(...)`, `connect_error(...)`, '
                '`answer_with(...)`, `late_answer(...)`, `slow_answer(...)`, `lost_answer(...)`, None, or a function.'
            )


def as_plan(entry: object) -> IssuerAnswer | None:
    """How to send the answer, or `None` where the entry is none."""
    return IssuerAnswer() if isinstance(entry, RateLimit) else as_issuer_answer(entry)


def replacement(entry: object, plan: IssuerAnswer, host: GitHubHost, now: datetime) -> GitHubReply | None:
    """The answer that an entry gives in place of the usual one, if it does."""
    if isinstance(entry, RateLimit):
        if entry.status == 429:
            return limited(host, 429, {'retry-after': str(math.ceil(entry.seconds))})
        resets_at = now.timestamp() + entry.seconds
        return limited(host, 403, rate_headers(USUAL_RATE_LIMIT, USUAL_RATE_LIMIT, resets_at))
    if plan.body is None:
        return None
    content, content_type = json_pieces(plan.body)
    return GitHubReply(plan.status, content, {'content-type': content_type, **lower_names(plan.headers)})


def _as_seconds(duration: object) -> float:
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ConfigurationError(f'seconds={duration!r} is no duration; use 0 or more, or a `timedelta`.')
    return seconds
