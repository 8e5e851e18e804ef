"""What the simulator answers: a script of turns, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias, Unpack, cast

import httpx2
from typing_extensions import TypedDict

from ..errors import ConfigurationError
from ._items import Item, Think, call, say, think
from ._limits import WindowName
from ._records import RecordedRequest, SimulatorError

Ending: TypeAlias = Literal['completed', 'incomplete', 'failed']
JsonBody: TypeAlias = Mapping[str, Any] | Sequence[Any] | str

_UNVERIFIED: Final[JsonBody] = {
    'error': {
        'message': 'The encrypted content gAAA...AA== could not be verified.',
        'type': 'invalid_request_error',
        'param': None,
        'code': 'invalid_encrypted_content',
    }
}
"""Public reports, such as openai/codex#8132."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """The token counts of one response."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One streamed response; see `turn`."""

    items: tuple[Item, ...]
    usage: TokenUsage | Literal[False] | None = None
    ending: Ending = 'completed'
    incomplete_reason: str = 'max_output_tokens'
    error_code: str = 'server_error'
    error_message: str = 'The simulated backend failed.'
    cut_after: int | None = None
    stall_after: int | None = None
    end_after: int | None = None
    delay: float = 0.0
    chunk_bytes: int | None = None
    headers: Mapping[str, str] | None = None
    limits_event: bool | Mapping[str, Any] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFailure:
    """An HTTP error in place of a stream; see `fail`."""

    status: int
    body: JsonBody
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLimit:
    """The plan's limit is used up; see `usage_limit`."""

    resets_in_seconds: int
    plan_type: str
    window: WindowName = 'primary'


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStream:
    """Bytes as given; see `raw_stream`."""

    chunks: tuple[bytes, ...]
    content_type: str
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """A request that gets no answer at all; see `connect_error`."""

    error: type[httpx2.TransportError]
    message: str


Answer: TypeAlias = Turn | HttpFailure | UsageLimit | RawStream | NoAnswer
ScriptEntry: TypeAlias = Answer | Callable[[RecordedRequest], Answer]


class TurnOptions(TypedDict, total=False):
    """The keyword arguments of `turn`."""

    usage: TokenUsage | Literal[False] | None
    ending: Ending
    incomplete_reason: str
    error_code: str
    error_message: str
    cut_after: int | None
    stall_after: int | None
    end_after: int | None
    delay: float
    chunk_bytes: int | None
    headers: Mapping[str, str] | None
    limits_event: bool | Mapping[str, Any]


def turn(*items: Item, **options: Unpack[TurnOptions]) -> Turn:
    """One streamed response.

    Frames are counted from `response.created`, which is the first unless there is a `limits_event`. At most one of `cut_after`, `stall_after` and
    `end_after` can be given.

    Args:
        *items: What it holds: `think(...)`, `say(...)`, `call(...)` and the other items.
        **options: `usage` replaces the derived token counts (`False` leaves them out). `ending` is `completed`,
            `incomplete` (with `incomplete_reason`) or `failed` (with `error_code` and `error_message`). `cut_after=n`
            drops the connection after n frames; `stall_after=n` sends nothing further, until the client goes away;
            `end_after=n` ends the stream cleanly without a terminal event. `delay` is the seconds between two pieces;
            `chunk_bytes` sends pieces of that size in place of frames, which may split characters. `headers` are
            added to the response. `limits_event` begins the stream with the limits of the plan (see
            `CodexSimulator.limits`); as an object, its fields replace those of the event.

    Raises:
        ConfigurationError: The options contradict each other or are out of range.
    """
    made = Turn(items=items, **options)
    limits = {name: getattr(made, name) for name in ('cut_after', 'stall_after', 'end_after')}
    given = [name for name, value in limits.items() if value is not None]
    if len(given) > 1:
        raise ConfigurationError(f'A turn stops early in one way only, not by {" and ".join(given)}.')
    if given and limits[given[0]] < 0:
        raise ConfigurationError(f'{given[0]}={limits[given[0]]!r} is no number of frames; use 0 or more.')
    if made.chunk_bytes is not None and made.chunk_bytes < 1:
        raise ConfigurationError(f'chunk_bytes={made.chunk_bytes!r} is no size; use 1 or more.')
    if made.delay < 0:
        raise ConfigurationError(f'delay={made.delay!r} is no duration; use 0 or more seconds.')
    return made


def reply(text: str, *, thinking: str | Sequence[str] | None = None, **options: Unpack[TurnOptions]) -> Turn:
    """A turn that answers with a text, after thinking where given; `options` are those of `turn`."""
    return turn(*_thoughts(thinking), say(text), **options)


def call_tool(
    name: str,
    args: Mapping[str, Any] | str | None = None,
    /,
    *,
    thinking: str | Sequence[str] | None = None,
    **kwargs: Any,
) -> Turn:
    """A turn that calls one function, after thinking where given; the arguments are those of `call`."""
    return turn(*_thoughts(thinking), call(name, args, **kwargs))


def fail_in_stream(code: str, message: str = 'The simulated backend failed.', **options: Unpack[TurnOptions]) -> Turn:
    """A turn that begins well and ends in `response.failed`, for example with `context_length_exceeded`."""
    return turn(**{**options, 'ending': 'failed', 'error_code': code, 'error_message': message})


def fail(
    status: int,
    *,
    code: str | None = None,
    error_type: str | None = None,
    message: str | None = None,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: JsonBody | None = None,
) -> HttpFailure:
    """An HTTP error before any stream.

    The body is `{"error": {...}}` where a code, type or message is given, else `{"detail": ...}`.

    Args:
        status: The status, 300 to 599.
        code: `error.code`.
        error_type: `error.type`.
        message: `error.message`.
        detail: The detail; the name of the status by default.
        headers: Response headers, for example `{'retry-after': '1'}`.
        body: The whole body in place of these: JSON, or a string that is sent as it is.

    Raises:
        ConfigurationError: The status is not that of a failure.
    """
    if not 300 <= status <= 599:
        raise ConfigurationError(f'status={status!r} is no failure; use 300 to 599, or script a `turn`.')
    if body is None:
        error = {'message': message, 'type': error_type, 'code': code}
        given = {name: value for name, value in error.items() if value is not None}
        body = {'error': given} if given else {'detail': detail or _phrase(status)}
    return HttpFailure(status=status, body=body, headers=headers)


def usage_limit(
    resets_in_seconds: int = 7200, plan_type: str = 'plus', *, window: WindowName = 'primary'
) -> UsageLimit:
    """The 429 `usage_limit_reached` of a used-up plan, with its `x-codex-*` headers.

    Args:
        resets_in_seconds: When the window begins anew.
        plan_type: The plan.
        window: Which window is used up; the rest is told as `CodexSimulator.limits` has it.
    """
    return UsageLimit(resets_in_seconds=resets_in_seconds, plan_type=plan_type, window=window)


def refuse_reasoning(then: ScriptEntry | None = None) -> Callable[[RecordedRequest], Answer]:
    """An entry of a script that refuses the encrypted reasoning of the history, as the backend sometimes does.

    `turn(think('Hm.'), say('Hi'))`, `refuse_reasoning()`, `reply('...')` is a conversation whose second turn is refused
    until it comes without reasoning. As a `default`, it refuses for as long as the reasoning comes.

    Args:
        then: The answer to a request without reasoning; by default such a request fails the test.
    """
    if then is not None:
        check_turns(then)

    def answer(request: RecordedRequest) -> Answer:
        if any(item.get('type') == 'reasoning' for item in request.input_items):
            return fail(400, body=_UNVERIFIED)
        if then is None:
            raise SimulatorError('there is no reasoning in the input that could be refused')
        return then(request) if callable(then) else then

    return answer


def raw_stream(*chunks: bytes, content_type: str = 'text/event-stream; charset=utf-8', cut: bool = False) -> RawStream:
    """Bytes as given, with status 200; each chunk counts as one frame. See `sse_frame` for frames of your own.

    Args:
        *chunks: The pieces, sent one by one.
        content_type: The content type of the response.
        cut: Drop the connection at the end, in place of a clean end.
    """
    return RawStream(chunks=chunks, content_type=content_type, cut=cut)


def connect_error(
    error: type[httpx2.TransportError] = httpx2.ConnectError, message: str = 'All connection attempts failed'
) -> NoAnswer:
    """No answer: the request raises `error`; over a port the connection is dropped."""
    return NoAnswer(error=error, message=message)


def check_turns(*entries: ScriptEntry) -> None:
    """Check what is to stand in a script.

    Raises:
        ConfigurationError: An entry is no turn.
    """
    for entry in entries:
        if not isinstance(entry, Answer) and not callable(entry):
            raise ConfigurationError(
                f'{entry!r} is no turn. A text or a call is part of one: write `reply("...")`, `call_tool("...")` or '
                '`turn(say("..."), call("..."))`.'
            )


def described(value: object) -> str:
    """A turn, or a part of one, in words: without the options that were left as they are."""
    if isinstance(value, tuple):
        return f'[{", ".join(map(described, cast("tuple[object, ...]", value)))}]'
    if not is_dataclass(value):
        return repr(value)
    given = ((each.name, getattr(value, each.name), each.default) for each in fields(value))
    told = (f'{name}={described(option)}' for name, option, default in given if option != default)
    return f'{type(value).__name__}({", ".join(told)})'


def _thoughts(thinking: str | Sequence[str] | None) -> tuple[Think, ...]:
    return () if thinking is None else (think(thinking),)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f'Status {status}'
