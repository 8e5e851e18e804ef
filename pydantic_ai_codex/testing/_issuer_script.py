"""What becomes of single requests to the simulated login service, to GitHub, or of lookups, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

import httpx2

from ..errors import ConfigurationError
from ._exchange import Exchange, even_pieces
from ._records import RecordedRequest, SimulatorError
from ._script import HttpFailure, JsonBody, NoAnswer

RequestT = TypeVar('RequestT', bound=RecordedRequest)

_PIECE_BYTES: Final = 64 * 1024
"""The pieces of a body, about what a socket gives at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAnswer:
    """How one request is answered; see `answer_with`, `late_answer`, `lost_answer` and `slow_answer`.

    Attributes:
        is_done: Whether the service does what it is asked for, such as rotating the refresh token.
        status: The status in place of the real one, where there is a `body`.
        body: The body in place of the real one.
        headers: Further response headers.
        error: What the request raises in place of an answer; over a port the connection is dropped.
        message: The text of that error.
        cut_after: How many bytes of the body are sent before the connection drops.
        seconds: How long the answer takes.
        before: What is called, in a thread, before the answer is sent.
        stall_after: After how many bytes of the body nothing more is sent.
        piece_bytes: The size of the pieces that the body is sent in.
        pause: The seconds between two of them.
        before_each: What is called, in a thread, before each of them.
    """

    is_done: bool = True
    status: int = 200
    body: JsonBody | bytes | None = None
    headers: Mapping[str, str] | None = None
    error: type[httpx2.TransportError] | None = None
    message: str = ''
    cut_after: int | None = None
    seconds: float = 0.0
    before: Callable[[], object] | None = None
    stall_after: int | None = None
    piece_bytes: int = _PIECE_BYTES
    pause: float = 0.0
    before_each: Callable[[], object] | None = None


_Order: TypeAlias = IssuerAnswer | HttpFailure | NoAnswer
IssuerEntry: TypeAlias = _Order | Callable[[RecordedRequest], _Order | None] | None
"""An entry of a script for one endpoint; `None` answers as usual."""


def answer_with(
    body: JsonBody | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None, is_done: bool = True
) -> IssuerAnswer:
    """Another answer than the real one, for example `answer_with('<html>')` or `answer_with({'access_token': 1})`.

    Args:
        body: JSON, or a string or bytes that are sent as they are.
        status: The status.
        headers: Further response headers.
        is_done: Whether the service does what it is asked for all the same, so that a refresh token is spent.

    Raises:
        ConfigurationError: The status is none.
    """
    if not 200 <= status <= 599:
        raise ConfigurationError(f'status={status!r} cannot be answered; use 200 to 599.')
    return IssuerAnswer(body=body, status=status, headers=headers, is_done=is_done)


def late_answer(*, seconds: float = 0.0, before: Callable[[], object] | None = None) -> IssuerAnswer:
    """The real answer, later: what is asked for is done at once, and the refresh token is spent meanwhile.

    Args:
        seconds: How long it takes, in real time; `math.inf` is for ever.
        before: Called in a thread before the answer is sent, for example to end the process that waits for it; an
            `httpx2.TransportError` that it raises takes the place of the answer.

    Raises:
        ConfigurationError: The seconds are no duration.
    """
    if not seconds >= 0:
        raise ConfigurationError(f'seconds={seconds!r} is no duration; use 0 or more, or `math.inf`.')
    return IssuerAnswer(seconds=seconds, before=before)


def lost_answer(
    *,
    error: type[httpx2.TransportError] = httpx2.ReadError,
    cut_after: int | None = None,
    before: Callable[[], object] | None = None,
) -> IssuerAnswer:
    """No answer, though what is asked for is done: the refresh token is spent, and its successor never arrives.

    Args:
        error: What the request raises; over a port the connection is dropped.
        cut_after: Answer, and drop the connection after so many bytes of the body, in place of raising `error`.
        before: Called in a thread before the connection drops.

    Raises:
        ConfigurationError: `cut_after` is no number of bytes.
    """
    if cut_after is None:
        return IssuerAnswer(error=error, message='The connection was lost before the answer came', before=before)
    if cut_after < 0:
        raise ConfigurationError(f'cut_after={cut_after!r} is no number of bytes; use 0 or more.')
    return IssuerAnswer(cut_after=cut_after, before=before)


def slow_answer(
    *,
    piece_bytes: int = 1,
    seconds: float = 0.0,
    before_each: Callable[[], object] | None = None,
    stall_after: int | None = None,
) -> IssuerAnswer:
    """The real answer, in small pieces.

    Args:
        piece_bytes: How many bytes are sent at once.
        seconds: How long it takes from one piece to the next, in real time; `math.inf` is for ever.
        before_each: Called in a thread before each piece, for example to let the clock of the test go on; with an
            `httpx2.TransportError` that it raises the connection drops.
        stall_after: After how many bytes of the body nothing more is sent, until the client goes away.

    Raises:
        ConfigurationError: The numbers are no size, duration or number of bytes.
    """
    if piece_bytes < 1:
        raise ConfigurationError(f'piece_bytes={piece_bytes!r} is no size; use 1 or more.')
    if not seconds >= 0:
        raise ConfigurationError(f'seconds={seconds!r} is no duration; use 0 or more.')
    if stall_after is not None and stall_after < 0:
        raise ConfigurationError(f'stall_after={stall_after!r} is no number of bytes; use 0 or more.')
    return IssuerAnswer(piece_bytes=piece_bytes, pause=seconds, before_each=before_each, stall_after=stall_after)


def unanswered(exchange: Exchange, plan: IssuerAnswer) -> Exchange:
    """Let a request fail."""
    exchange.failure = (plan.error or httpx2.ReadError)(plan.message)
    if not exchange.is_held:
        exchange.close()
    return exchange


def shaped(exchange: Exchange, plan: IssuerAnswer) -> Exchange:
    """Cut, stall or slow the body of an answer, where that is the plan."""
    content = b''.join(piece for piece, _ in exchange.pieces)
    if plan.cut_after is not None:
        content, exchange.stop = content[: plan.cut_after], 'cut'
    elif plan.stall_after is not None:
        content, exchange.stop = content[: plan.stall_after], 'stall'
    exchange.pieces = even_pieces(content, plan.piece_bytes)
    exchange.delay, exchange.before_each = plan.pause, plan.before_each
    return exchange


def as_issuer_answer(entry: object) -> IssuerAnswer | None:
    """The entry as an `IssuerAnswer`, or `None` where it is none; what fails does nothing of what it is asked for."""
    match entry:
        case None:
            return IssuerAnswer()
        case IssuerAnswer():
            return entry
        case HttpFailure():
            return IssuerAnswer(is_done=False, status=entry.status, body=entry.body, headers=entry.headers)
        case NoAnswer():
            return IssuerAnswer(is_done=False, error=entry.error, message=entry.message)
        case _:
            return None


def noted(
    hook: Callable[[], object] | None, note: Callable[[BaseException, str], SimulatorError]
) -> Callable[[], object] | None:
    """A function of the test that is called while the answer is on its way; `note` remembers its failure."""
    if hook is None:
        return None

    def call() -> None:
        try:
            hook()
        except httpx2.TransportError:
            raise  # It stands for a connection error.
        except Exception as error:
            raise note(error, 'What is called before the answer') from error

    return call


def called(entry: Callable[[RequestT], object], record: RequestT) -> Any:
    """Let a function of the test answer; without the lock of the service, which it may look at.

    Raises:
        SimulatorError: The function failed.
        TransportError: The function stands for a connection error.
    """
    try:
        return entry(record)
    except httpx2.TransportError:
        raise  # It stands for a connection error.
    except Exception as error:
        problem = f'The function that answers {record.method} {record.path} raised {type(error).__name__}: {error}'
        raise SimulatorError(problem) from error
