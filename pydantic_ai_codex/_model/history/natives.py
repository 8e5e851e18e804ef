"""What a service did by itself while it answered, back to input items: searches, images and the rest; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic_ai.messages import ModelResponse, NativeToolCallPart, NativeToolReturnPart
from pydantic_core import to_json

from ..._protocol.requests import JsonObject
from ..native_tools import IMAGE_GENERATION, WEB_SEARCH, sendable_action
from .arguments import arguments_of, arguments_text
from .contents import assistant_text, input_text, map_content, user_message
from .ids import is_item_id, needed_item_id
from .origins import OURS, Reader
from .quotes import MADE_FILE, quote_call, quote_output

_KEPT: Final = frozenset(
    {
        'agent_message',
        'apply_patch_call',
        'apply_patch_call_output',
        'code_interpreter_call',
        'computer_call',
        'context_compaction',
        'file_search_call',
        'mcp_approval_request',
        'mcp_call',
        'mcp_list_tools',
        'shell_call',
        'shell_call_output',
        'tool_search_call',
        'tool_search_output',
    }
)
"""Items that can go back as they came: the CLI's binary and the Responses API name them as input."""

_SEARCH_STATUSES: Final = ('in_progress', 'searching', 'completed', 'failed', 'incomplete')
_SEARCH_ACTIONS: Final = ('search', 'open_page', 'find_in_page')
# Both: the published types of the Responses API.


@dataclass(frozen=True, slots=True)
class Searches:
    """The web searches that the backend made in a response.

    Attributes:
        called: The ids of their calls.
        statuses: How they ended, by id, as far as their returns say.
    """

    called: Set[str]
    statuses: Mapping[str, object]


def find_searches(response: ModelResponse) -> Searches:
    """The web searches that the backend made in a response.

    Args:
        response: The response.
    """
    called: set[str] = set()
    statuses: dict[str, object] = {}
    for part in response.parts:
        if isinstance(part, NativeToolCallPart) and _is_search(part):
            called.add(part.tool_call_id)
        elif isinstance(part, NativeToolReturnPart) and _is_search(returned := cast('NativeToolReturnPart[Any]', part)):
            statuses.setdefault(returned.tool_call_id, _status(returned))
    return Searches(called, statuses)


def map_native_call(part: NativeToolCallPart, searches: Searches, reader: Reader) -> Iterable[JsonObject]:
    """The item of a call that the backend made, or a text about the call of another service.

    Args:
        part: The call.
        searches: Those of its response.
        reader: The one who gets it.

    Raises:
        ConfigurationError: If its arguments have no JSON form.
    """
    if part.provider_name in OURS:
        item: object = (part.provider_details or {}).get('item')
        if isinstance(item, Mapping):
            return _map_kept_item(part, dict(cast('Mapping[str, Any]', item)), reader)
        if part.tool_name == WEB_SEARCH:
            return _map_search(part, searches)
        if part.tool_name == IMAGE_GENERATION:
            # The API looks it up by its id, and nothing is stored (public reports). The image goes out as a file.
            return ()
    return [_quote(part, arguments_text(part))]


def map_native_return(part: NativeToolReturnPart[Any], searches: Searches) -> Iterator[JsonObject]:
    """A text about what a call returned, and the files of it; nothing where the item of the call says it.

    Args:
        part: The return.
        searches: Those of its response.
    """
    if _is_search(part) and part.tool_call_id in searches.called:
        return
    if part.provider_name in OURS and part.tool_name == IMAGE_GENERATION:
        return  # The file says it.
    yield assistant_text(quote_output(part.tool_name, part.tool_call_id, part.model_response_str()))
    for file in part.files:
        yield map_made_file(file)


def map_made_file(content: object) -> JsonObject:
    """A file of the assistant's, whose own messages cannot hold one.

    Args:
        content: The file.

    Raises:
        ConfigurationError: If it cannot be sent.
    """
    return user_message([input_text(MADE_FILE), map_content(content)])


def _map_kept_item(part: NativeToolCallPart, item: JsonObject, reader: Reader) -> Iterator[JsonObject]:
    if item.get('encrypted_content') and not reader.is_account_of(part):
        return  # It would be refused, in this request and all that follow.
    yield item if _can_go_back(item) else _quote(part, to_json(item).decode())


def _can_go_back(item: JsonObject) -> bool:
    """Whether an item is of a kind that is known to be input, and whole enough to be one.

    Any other could break the conversation for good, such as a call that is too broken to be answered.
    """
    kind, item_id = item.get('type'), item.get('id')
    return isinstance(kind, str) and kind in _KEPT and (item_id is None or is_item_id(item_id))


def _map_search(part: NativeToolCallPart, searches: Searches) -> Iterator[JsonObject]:
    arguments = arguments_of(part)
    if arguments.get('type') in _SEARCH_ACTIONS:
        status = searches.statuses.get(part.tool_call_id)
        yield {
            'type': 'web_search_call',
            'id': needed_item_id(part.id or part.tool_call_id, 'ws'),
            'status': status if status in _SEARCH_STATUSES else 'failed',
            'action': sendable_action(arguments),
        }
    elif arguments:
        yield _quote(part, arguments_text(part))
    # Of one that was cut off before anything was known of it there is nothing to tell.


def _quote(part: NativeToolCallPart, arguments: str) -> JsonObject:
    return assistant_text(quote_call(part.tool_name, part.tool_call_id, arguments))


def _is_search(part: NativeToolCallPart | NativeToolReturnPart[Any]) -> bool:
    return part.provider_name in OURS and part.tool_name == WEB_SEARCH


def _status(part: NativeToolReturnPart[Any]) -> object:
    content: object = part.content
    return cast('Mapping[str, Any]', content).get('status') if isinstance(content, Mapping) else None
