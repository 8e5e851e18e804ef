"""How patient to be, and what becomes of each failure, as data; pure functions look it up."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from ._protocol.constants import CONNECT_TIMEOUT, IDLE_TIMEOUT
from ._protocol.failures import MODEL_CODES
from .errors import (
    BackendError,
    CodexError,
    ConfigurationError,
    IncompleteStreamError,
    StreamError,
    TransportError,
    TransportTimeoutError,
)

_MOST_RETRIES: Final = 100
"""The CLI's own cap (from its source)."""

_LONGEST_LINE: Final = 200
"""Of a log line, in characters."""

Action: TypeAlias = Literal['fail', 'retry', 'new_login', 'without_reasoning']
Where: TypeAlias = Literal['status', 'stream', 'incomplete', 'transport']


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportPolicy:
    """How patient a provider is. The numbers of the backoff are those of the Codex CLI (captured).

    What may go away by itself is tried again: broken connections, timeouts, streams that break off, 403, 404, 408, 5xx,
    and 429 that is no plan limit; as long as nothing of the answer was handed out. Plan limits and refusals are raised
    at once.

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


class Rule(NamedTuple):
    """What becomes of one kind of failure.

    Attributes:
        case: The failure in plain words, as a log line has it.
        action: `fail` raises the error, and hands out an answer that is incomplete. `retry` sends the same again, after
            a wait. `new_login` sends it with another token, and `without_reasoning` without the reasoning of its
            history; both at once, and where there is none of it, they fail.
        where: Where it shows: in the `status` of an answer that is no stream, in a `stream` that had begun well, in an
            answer that is `incomplete`, or, as there is no answer, in the `transport`.
        codes: The codes, types and reasons that it is for; none for any.
        statuses: The statuses that it is for; none for any.
        errors: The errors that it is for.
    """

    case: str
    action: Action
    where: Where
    codes: tuple[str, ...] = ()
    statuses: Collection[int] = ()
    errors: tuple[type[CodexError], ...] = (BackendError,)


_REASONING: Final = ('invalid_encrypted_content',)
_PLAN_LIMITS: Final = ('usage_limit_reached', 'usage_not_included', 'insufficient_quota')
_FINAL: Final = (
    *('context_length_exceeded', 'invalid_prompt', 'cyber_policy', 'bio_policy'),
    *(*MODEL_CODES, 'invalid_api_key'),
)
_PASSING: Final = ('rate_limit_exceeded', 'slow_down', 'server_error', 'server_is_overloaded')
_REFUSALS: Final = frozenset(range(400, 500)) - {401, 403, 404, 408, 429}

RULES: Final[tuple[Rule, ...]] = (
    # What the CLI does (captured), but for what is marked *ours*. It tries again in two layers, which multiply to 30
    # requests; ours is one, with the numbers of the inner one.
    #
    # A status, before any stream. *Ours*: the CLI fails with this 400; an agent can do without old reasoning.
    Rule('invalid_encrypted_content', 'without_reasoning', 'status', _REASONING),
    Rule('a plan limit', 'fail', 'status', _PLAN_LIMITS),
    # Before the final codes, one of which is about keys: the file of a key may hold another one by now.
    Rule('401', 'new_login', 'status', statuses=(401,)),
    # *Ours*: what such a code says is so the next time, too, whatever the status.
    Rule('a code that is final', 'fail', 'status', _FINAL),
    Rule('503 server_is_overloaded', 'retry', 'status', ('server_is_overloaded',), (503,)),
    Rule('5xx', 'retry', 'status', statuses=range(500, 600)),
    Rule('429', 'retry', 'status', statuses=(429,)),
    Rule('403', 'retry', 'status', statuses=(403,)),
    Rule('404', 'retry', 'status', statuses=(404,)),
    # *Ours*: it says that the request came too slowly, and nothing against it.
    Rule('408', 'retry', 'status', statuses=(408,)),
    # *Ours*: here as well, the code says more than the status.
    Rule('4xx with a code that passes', 'retry', 'status', _PASSING, _REFUSALS),
    # *Ours*: the login does not follow a redirect.
    Rule('3xx', 'fail', 'status', statuses=range(300, 400)),
    Rule('400 and any other status', 'fail', 'status'),
    #
    # An event of a stream that had begun well. Where it says no status, it has that of its code.
    Rule('invalid_encrypted_content in the stream', 'without_reasoning', 'stream', _REASONING),
    Rule('a plan limit in the stream', 'fail', 'stream', _PLAN_LIMITS),
    # *Ours*, as for a status.
    Rule('401 in the stream', 'new_login', 'stream', statuses=(401,)),
    Rule('a code that is final in the stream', 'fail', 'stream', _FINAL),
    # Not as before a stream, where the CLI tries again.
    Rule('server_is_overloaded in the stream', 'fail', 'stream', ('server_is_overloaded',)),
    Rule('rate_limit_exceeded in the stream', 'retry', 'stream', ('rate_limit_exceeded',)),
    # Older versions of the CLI took it for overloaded, and failed (from its source).
    Rule('slow_down in the stream', 'retry', 'stream', ('slow_down',)),
    Rule('server_error in the stream', 'retry', 'stream', ('server_error',)),
    # *Ours*: the CLI does not read the event `error`, and waits for the end; over a WebSocket it heeds the status.
    Rule('a 4xx in the stream', 'fail', 'stream', statuses=_REFUSALS),
    Rule('another error in the stream', 'retry', 'stream'),
    Rule('stream silent', 'retry', 'stream', errors=(TransportTimeoutError,)),
    Rule('stream cut', 'retry', 'stream', errors=(TransportError,)),
    Rule('stream without an end', 'retry', 'stream', errors=(IncompleteStreamError,)),
    Rule('a stream that cannot be read', 'fail', 'stream', errors=(StreamError,)),
    #
    # An answer that the backend stopped early. *Ours*: the CLI takes the first for an error; here it is an answer, whose
    # `finish_reason` says that it is cut.
    Rule('max_output_tokens', 'fail', 'incomplete', ('max_output_tokens',)),
    # *Ours*: when the retries are used up, it is an answer as well.
    Rule('content_filter', 'retry', 'incomplete', ('content_filter',)),
    Rule('incomplete for any other reason', 'fail', 'incomplete'),
    #
    # No answer of the backend's.
    Rule('no answer in time', 'retry', 'transport', errors=(TransportTimeoutError,)),
    Rule('no connection, or a broken one', 'retry', 'transport', errors=(TransportError, IncompleteStreamError)),
    # *Ours*: the page of a proxy, or of a `base_url` that is not the backend, stays one.
    Rule('a page in place of a stream', 'fail', 'transport', errors=(StreamError,)),
    Rule('no usable login or setting', 'fail', 'transport', errors=(CodexError,)),
)
"""What becomes of each failure; the first rule that fits decides, and there is one for every failure."""

_NAMED: Final = {
    where: {code for rule in RULES if rule.where == where for code in rule.codes} for where in ('status', 'stream')
}


def rule_for(error: CodexError) -> Rule:
    """What becomes of a request whose last attempt ended with an error, before anything of its answer was handed out.

    Args:
        error: The error.
    """
    where = _where(error)
    code = status = None
    if isinstance(error, BackendError):
        status = error.status_code
        # A plan limit goes first, then the code, then the type, as for the category of an error.
        words = [word for word in (error.code, error.error_type) if word in _NAMED[where]]
        code = next((word for word in words if word in _PLAN_LIMITS), words[0] if words else None)
    return next(rule for rule in RULES if rule.where == where and _fits(rule, error, code, status))


def rule_for_incomplete(reason: str | None) -> Rule:
    """What becomes of an answer that the backend stopped early, before anything of it was handed out.

    Args:
        reason: Why it did.
    """
    return next(rule for rule in RULES if rule.where == 'incomplete' and (not rule.codes or reason in rule.codes))


def _where(error: CodexError) -> Where:
    if isinstance(error, BackendError | TransportError | StreamError) and error.in_stream:
        return 'stream'
    return 'status' if isinstance(error, BackendError) else 'transport'


def _fits(rule: Rule, error: CodexError, code: str | None, status: int | None) -> bool:
    return (
        isinstance(error, rule.errors)
        and (not rule.codes or code in rule.codes)
        and (not rule.statuses or status in rule.statuses)
    )


def retry_delay(
    policy: TransportPolicy, rule: Rule, error: CodexError | None, *, retries: int, random: float
) -> float | None:
    """How long to wait before the same request is sent again.

    Args:
        policy: How patient to be.
        rule: The rule for what the last attempt ended with.
        error: The error that it ended with, or `None` where its answer was incomplete.
        retries: How often the request was sent again so far.
        random: A number from 0 to 1, which decides the jitter.

    Returns:
        The seconds, or `None` where the request is not to be sent again as it is.
    """
    if rule.action != 'retry' or retries >= policy.max_retries:
        return None
    asked = error.retry_after if isinstance(error, BackendError) else None
    if asked is not None and asked > policy.max_retry_after:
        return None
    backoff = min(policy.first_delay * policy.factor**retries, policy.max_delay)
    return max(backoff * (1 + policy.jitter * (2 * random - 1)), asked or 0.0)


class Retry(NamedTuple):
    """One more attempt of a request, told before the wait; as a text, the line for a log.

    Attributes:
        attempt: Which retry of the request it is, 1 for the first. 0 for one that does not count, as it goes out with
            another login, or without the reasoning of its history.
        max_retries: How many there may be.
        delay: The seconds until then.
        case: What the last attempt ended with, in plain words.
        error: The error that it ended with, or `None` where its answer was incomplete.
        model: The model that is asked.
        session_id: The session of the request, as its headers name it.
    """

    attempt: int
    max_retries: int
    delay: float
    case: str
    error: CodexError | None
    model: str
    session_id: str

    def __str__(self) -> str:
        """Such as `Trying again in 0.4 s (2 of 4) after "503 server_is_overloaded": The backend answered 503: ...`."""
        wait = f'{self.delay:.1f}'.removesuffix('.0')
        line = 'Trying again ' + ('at once' if wait == '0' else f'in {wait} s')
        if self.attempt:
            line += f' ({self.attempt} of {self.max_retries})'
        # The first sentence: what follows is advice for those who get the error.
        line += f' after "{self.case}"' + (f': {self.error.message.partition(". ")[0]}' if self.error else '.')
        # One line, whatever the backend says: no break, and nothing that a terminal obeys.
        line = ' '.join(''.join(letter if letter.isprintable() else ' ' for letter in line).split())
        return line if len(line) <= _LONGEST_LINE else f'{line[: _LONGEST_LINE - 1]}…'


def _is_within(value: object, least: float, most: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return least <= value <= min(most, sys.float_info.max)
