"""A request as a value, and its JSON body."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias, cast

from pydantic_core import PydanticSerializationError, to_json

from ..errors import ConfigurationError
from .constants import INCLUDE, PROTECTED_HEADERS
from .model_names import WireEffort

ReasoningSummary: TypeAlias = Literal['auto', 'concise', 'detailed', 'none']
Verbosity: TypeAlias = Literal['low', 'medium', 'high']
JsonObject: TypeAlias = dict[str, Any]

_ONLY_TEXTS: Final = frozenset(
    {'message', 'reasoning', 'function_call', 'function_call_output', 'custom_tool_call', 'custom_tool_call_output'}
)
"""The input items that hold texts and no numbers."""

_ITEMS_AT_ONCE: Final = 16
"""How many input items make a piece: one by one would cost a third more, and each may hold a file."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class EncodedJSON:
    """A value that is JSON already.

    Attributes:
        content: The JSON.
    """

    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexRequest:
    """One request for a response.

    Attributes:
        model: The slug, without effort or tier.
        instructions: Never empty; the backend refuses a request without any (public reports).
        input: Input items, in the wire's shape.
        tools: Tool definitions, in the wire's shape, or what `encode` made of these.
        tool_choice: `auto`, `none`, `required` or an object; not sent without tools.
        parallel_tool_calls: Not sent when `None`, nor without tools.
        effort: The reasoning effort, or `None` for the model's own.
        summary: The reasoning summary; `none` asks for none.
        verbosity: How long the answers are, or `None` for the model's own.
        text_format: The format of the answer (`text.format`), or `None` for text.
        service_tier: The service tier, or `None` for the plan's own.
        session_id: What the prompt cache goes by, in headers and body.
        cache_key: The `prompt_cache_key`, where it is not the session.
        turn_state: What the backend said in the first answer of this turn that ties its requests together.
        window: How many compactions the conversation went through.
        timeout: Seconds for each step of the transport, a timeout object of the HTTP library, or `None` for our own.
        extra_headers: Headers of the user's; they win, except over those that carry the login.
        extra_body: Body fields of the user's; they win.
    """

    model: str
    instructions: str
    input: list[JsonObject]
    tools: Sequence[JsonObject] | EncodedJSON | None = None
    tool_choice: str | JsonObject | None = None
    parallel_tool_calls: bool | None = None
    effort: WireEffort | None = None
    summary: ReasoningSummary = 'auto'
    verbosity: Verbosity | None = None
    text_format: JsonObject | None = None
    service_tier: str | None = None
    session_id: str
    cache_key: str | None = None
    turn_state: str | None = None
    window: int = 0
    timeout: object = None
    extra_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        headers: object = self.extra_headers
        if not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f'The setting `extra_headers` takes a mapping, not {type(headers).__name__}.')
        for name, value in cast('Mapping[object, object]', headers).items():
            _check_header(name, value)


def _check_header(name: object, value: object) -> None:
    """Refuse a header that cannot be sent, or that is not the user's to decide."""
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise ConfigurationError(f'The setting `extra_headers` holds {name!r}, which is no name of a header.')
    if name.lower() in PROTECTED_HEADERS:
        raise ConfigurationError(
            f'The setting `extra_headers` may not hold {name!r}: the login and the connection decide it. For another '
            'login pass other credentials to `CodexProvider`.'
        )
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value != value.strip():
        # Not shown: it may be a secret.
        raise ConfigurationError(
            f'The value of {name!r} in the setting `extra_headers` has to be a text of printable ASCII characters, '
            'without blanks around it.'
        )


def encode_body(request: CodexRequest) -> Iterator[bytes]:
    """The JSON body of a request in pieces, its fields in the order in which the CLI sends them (captured).

    Whoever joins the pieces may let others have their turn in between: the input may be large, and comes in as many as
    it takes to hold nobody up for long.

    Raises:
        ConfigurationError: If a value has no JSON form, such as a lone surrogate in a text.
    """
    before = b'{'
    plain: JsonObject = {}
    for name, value in _fields(request).items():
        is_input = name == 'input' and value is request.input
        if not is_input and not isinstance(value, EncodedJSON):
            plain[name] = value
            continue
        if plain:
            yield before + encode(plain).content[1:-1]
            before, plain = b',', {}
        yield b'%b%b:' % (before, to_json(name))
        if isinstance(value, EncodedJSON):
            yield value.content
        else:
            yield from _encode_input(request.input)
        before = b','
    if plain:
        yield before + encode(plain).content[1:-1]
    yield b'}'


def _fields(request: CodexRequest) -> JsonObject:
    """The fields of the body, those of the user's last."""
    body: JsonObject = {'model': request.model, 'instructions': request.instructions, 'stream': True}
    if request.service_tier is not None:
        body['service_tier'] = request.service_tier
    body['input'] = request.input
    if request.tools:
        body['tools'] = request.tools
        body['tool_choice'] = request.tool_choice or 'auto'
        if request.parallel_tool_calls is not None:
            body['parallel_tool_calls'] = request.parallel_tool_calls
    summary = None if request.summary == 'none' else request.summary
    if reasoning := _given(effort=request.effort, summary=summary):
        body['reasoning'] = reasoning
    body['store'] = False
    body['include'] = list(INCLUDE)
    body['prompt_cache_key'] = request.cache_key or request.session_id
    if text := _given(verbosity=request.verbosity, format=request.text_format):
        body['text'] = text
    body.update(request.extra_body)
    return body


def encode(value: object) -> EncodedJSON:
    """A value as JSON.

    Args:
        value: The value.

    Raises:
        ConfigurationError: If it has no JSON form.
    """
    content = _to_json(value)
    # The encoder writes numbers that JSON does not have; a text may hold their names.
    if b'NaN' in content or b'Infinity' in content:
        _check_numbers(value)
    return EncodedJSON(content)


def _encode_input(items: Sequence[JsonObject]) -> Iterator[bytes]:
    """The input, in whose many texts no names of numbers are looked for, as that costs as much as encoding them."""
    _check_numbers([item for item in items if item.get('type') not in _ONLY_TEXTS])
    before = b'['
    for start in range(0, len(items), _ITEMS_AT_ONCE):
        yield before
        yield _to_json(items[start : start + _ITEMS_AT_ONCE])[1:-1]
        before = b','
    yield b']' if items else b'[]'


def _to_json(value: object) -> bytes:
    try:
        return to_json(value)
    except (PydanticSerializationError, UnicodeError, ValueError) as error:
        raise ConfigurationError(
            f'The request has no JSON form: {error}. Look for a value that is no JSON in `extra_body` or a schema, '
            'and for half a character (a lone surrogate) in a text.'
        ) from error


def _check_numbers(value: object) -> None:
    if _has_no_json_number(value):
        raise ConfigurationError(
            'The request has no JSON form: `extra_body`, a schema or the history holds a number that is not finite '
            '(NaN, Infinity).'
        )


def without_reasoning(request: CodexRequest) -> CodexRequest | None:
    """The request without the reasoning of its history, for a backend that cannot decrypt it.

    Args:
        request: The request.

    Returns:
        Another request, or `None` where there is no reasoning in it, nothing else, or an input of the user's own in
        `extra_body`.
    """
    kept = [item for item in request.input if item.get('type') != 'reasoning']
    if not kept or len(kept) == len(request.input) or 'input' in request.extra_body:
        return None
    return replace(request, input=kept)


def _has_no_json_number(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_no_json_number, cast('dict[Any, Any]', value).values()))
    return isinstance(value, list | tuple) and any(map(_has_no_json_number, cast('list[Any]', value)))


def _given(**fields: object) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}
