"""How long to wait and what to try again, as data; one pure function decides."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Final

from ._protocol.constants import CONNECT_TIMEOUT, IDLE_TIMEOUT
from .errors import BackendError, CodexError, ConfigurationError, IncompleteStreamError, TransportError

_MOST_RETRIES: Final = 100
"""The CLI's own cap (from its source)."""

_REQUEST_TIMEOUT: Final = 408
_TRANSIENT: Final = frozenset({'overloaded', 'rate_limit', 'server', 'unavailable'})


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportPolicy:
    """How patient a provider is. The numbers of the backoff are those of the Codex CLI (captured).

    What may go away by itself is tried again: broken connections, timeouts, streams that break off, 408, 5xx, and 429
    that is no plan limit; as long as nothing of the answer was handed out. Plan limits and refusals are raised at once.

    Attributes:
        max_retries: How often a request is sent again, 0 to 100.
        first_delay: Seconds before the first retry.
        factor: How much longer each wait is than the one before, 1 to 10.
        jitter: By which part of itself a wait is longer or shorter by chance, 0 to 1.
        max_delay: The longest wait in seconds that the backend did not ask for.
        max_retry_after: The longest wait in seconds that the backend may ask for. Where it asks for more, the error is
            raised at once and tells the wait.
        idle_timeout: Seconds of silence after which a stream counts as dead, and seconds during which all that comes
            makes no event; `None` for no end. The setting `timeout` of a request goes before it; so does, for silence,
            a timeout that the HTTP client was given. That of `httpx2` itself, 5 seconds, counts as not given: an
            answer is often silent for longer, while the model thinks.
        connect_timeout: Seconds to connect; `None` for no end. The same timeouts go before it.

    Raises:
        ConfigurationError: If a number is out of range.
    """

    max_retries: int = 4
    first_delay: float = 0.2
    factor: float = 2.0
    jitter: float = 0.1
    max_delay: float = 10.0
    max_retry_after: float = 60.0
    idle_timeout: float | None = IDLE_TIMEOUT
    connect_timeout: float | None = CONNECT_TIMEOUT

    def __post_init__(self) -> None:
        if not isinstance(self.max_retries, int) or not _is_within(self.max_retries, 0, _MOST_RETRIES):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f'`max_retries` takes a whole number from 0 to {_MOST_RETRIES}, not {self.max_retries!r}.'
            )
        for name, least, most in (
            ('first_delay', 0, math.inf),
            ('factor', 1, 10),
            ('jitter', 0, 1),
            ('max_delay', 0, math.inf),
            ('max_retry_after', 0, math.inf),
        ):
            if not _is_within(value := getattr(self, name), least, most):
                bounds = f'{least} or more' if most == math.inf else f'{least} to {most}'
                raise ConfigurationError(f'`{name}` takes a number, {bounds}, not {value!r}.')
        for name in ('idle_timeout', 'connect_timeout'):
            value = getattr(self, name)
            if value is not None and (not _is_within(value, 0, math.inf) or value == 0):
                raise ConfigurationError(f'`{name}` takes seconds, more than 0, or `None` for no end, not {value!r}.')


def retry_delay(policy: TransportPolicy, error: CodexError, *, retries: int, random: float) -> float | None:
    """How long to wait before the request is sent again.

    Args:
        policy: How patient to be.
        error: What the last attempt ended with, before anything of its answer was handed out.
        retries: How often the request was sent again so far.
        random: A number from 0 to 1, which decides the jitter.

    Returns:
        The seconds, or `None` where the error is to be raised.
    """
    if retries >= policy.max_retries or not is_transient(error):
        return None
    asked = error.retry_after if isinstance(error, BackendError) else None
    if asked is not None and asked > policy.max_retry_after:
        return None
    backoff = min(policy.first_delay * policy.factor**retries, policy.max_delay)
    return max(backoff * (1 + policy.jitter * (2 * random - 1)), asked or 0.0)


def is_transient(error: CodexError) -> bool:
    """Whether the same request may succeed a little later."""
    if not isinstance(error, BackendError):
        return isinstance(error, TransportError | IncompleteStreamError)
    if error.category is None:
        # A code that is not known yet, inside a stream: the CLI tries again (captured). A redirect stays one.
        return error.in_stream
    # The category and not the status: a code that is known says more, such as of a prompt that a 500 refuses.
    return error.category in _TRANSIENT or error.status_code == _REQUEST_TIMEOUT


def _is_within(value: object, least: float, most: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return least <= value <= min(most, sys.float_info.max)
