"""What a turn holds: the output items of a script, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..errors import ConfigurationError

Phase: TypeAlias = Literal['commentary', 'final_answer']


@dataclass(frozen=True, slots=True)
class Think:
    """A reasoning item."""

    summaries: tuple[str, ...]
    encrypted: bool = True
    raw: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Say:
    """A message of the assistant."""

    text: str
    phase: Phase | None = None
    annotations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """A message in which the assistant refuses."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `arguments` is the JSON text as it is sent."""

    name: str
    arguments: str
    call_id: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class CustomCall:
    """A call of a custom tool, whose input is a text."""

    name: str
    input: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ShellCall:
    """A call of the local shell; `options` are the further fields of its action."""

    command: tuple[str, ...]
    call_id: str | None
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WebSearch:
    """A web search that the backend made."""

    query: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that the backend made."""

    data: bytes
    partial: tuple[bytes, ...] = ()
    revised_prompt: str | None = None
    output_format: str = 'png'


@dataclass(frozen=True, slots=True)
class Compaction:
    """The history in a compact form."""

    encrypted: bool = True


@dataclass(frozen=True, slots=True)
class OutputItem:
    """Any other item, as it is given."""

    fields: Mapping[str, Any]


Item: TypeAlias = Think | Say | Refuse | Call | CustomCall | ShellCall | WebSearch | Image | Compaction | OutputItem


def think(text: str | Sequence[str] = (), *, encrypted: bool = True, raw: str | Sequence[str] = ()) -> Think:
    """A reasoning item.

    Args:
        text: The summary, or several; none by default, which is what a request gets that asks for no summary.
        encrypted: Whether the item carries `encrypted_content`, given that the request includes it.
        raw: The reasoning itself, in one text or several; open-weight models show it.
    """
    return Think(_texts(text), encrypted, _texts(raw))


def say(text: str, *, phase: Phase | None = None, annotations: Sequence[Mapping[str, Any]] = ()) -> Say:
    """A message of the assistant, streamed word by word.

    Args:
        text: What it says.
        phase: Whether it is commentary or the final answer; models that do not tell leave it out.
        annotations: The annotations of the text as they are sent, for example
            `{'type': 'url_citation', 'url': ..., 'title': ..., 'start_index': 0, 'end_index': 5}`.
    """
    return Say(text, phase, tuple(annotations))


def refuse(text: str) -> Refuse:
    """A message in which the assistant refuses, streamed word by word."""
    return Refuse(text)


def call(
    name: str,
    args: Mapping[str, Any] | str | None = None,
    /,
    *,
    call_id: str | None = None,
    namespace: str | None = None,
    **kwargs: Any,
) -> Call:
    """A function call.

    Args:
        name: The function.
        args: Its arguments; a string is sent verbatim, also where it is not JSON.
        call_id: The id that pairs the call with its output; made up by default.
        namespace: The namespace of the function; none by default.
        **kwargs: The arguments, where `args` is not given.

    Raises:
        ConfigurationError: Both `args` and keyword arguments are given.
    """
    if args is not None and kwargs:
        raise ConfigurationError(f'The call of {name!r} has both `args` and keyword arguments; give one of them.')
    if not isinstance(args, str):
        args = json.dumps(kwargs if args is None else args, ensure_ascii=False)
    return Call(name, args, call_id, namespace)


def custom_call(name: str, input: str, *, call_id: str | None = None) -> CustomCall:
    """A call of a custom tool.

    Args:
        name: The tool.
        input: Its input, sent verbatim.
        call_id: The id that pairs the call with its output; made up by default.
    """
    return CustomCall(name, input, call_id)


def shell_call(command: Sequence[str], *, call_id: str | None = None, **action_fields: Any) -> ShellCall:
    """A call of the local shell.

    Args:
        command: The program and its arguments.
        call_id: The id that pairs the call with its output; made up by default.
        **action_fields: Further fields of the action, such as `working_directory`, `timeout_ms` or `env`.

    Raises:
        ConfigurationError: The command is one string.
    """
    if isinstance(command, str):
        raise ConfigurationError(f'The command {command!r} is one string; give a list, such as ["ls", "-l"].')
    return ShellCall(tuple(command), call_id, action_fields)


def web_search(query: str, *, sources: Sequence[str] = ()) -> WebSearch:
    """A web search that the backend makes by itself.

    Args:
        query: What it searches for.
        sources: The URLs that it names; none by default, which is what a request gets that does not include them.
    """
    return WebSearch(query, _texts(sources))


def image(
    data: bytes, *, partial: Sequence[bytes] = (), revised_prompt: str | None = None, output_format: str = 'png'
) -> Image:
    """An image that the backend makes by itself.

    Args:
        data: The image; any bytes will do.
        partial: The previews that are streamed before it.
        revised_prompt: The prompt as the backend put it.
        output_format: `png`, `webp` or `jpeg`.
    """
    return Image(data=data, partial=tuple(partial), revised_prompt=revised_prompt, output_format=output_format)


def compaction(*, encrypted: bool = True) -> Compaction:
    """The history in a compact form, which stands for it in later requests.

    Args:
        encrypted: Whether the item carries `encrypted_content`; without it, it is worth nothing.
    """
    return Compaction(encrypted)


def output_item(fields: Mapping[str, Any]) -> OutputItem:
    """An item of any other kind, sent as it is given, when it is added and when it is done.

    Args:
        fields: All fields of the item.

    Raises:
        ConfigurationError: It has no type.
    """
    if not isinstance(fields.get('type'), str):
        raise ConfigurationError(
            f'The item with the fields {list(fields)} has no type; give it one, such as "my_call".'
        )
    return OutputItem(fields)


def _texts(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
