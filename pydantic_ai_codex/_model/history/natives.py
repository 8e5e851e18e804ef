"""What a service did by itself while it answered, back to input items: searches, images and the rest; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from pydantic_ai.messages import ModelResponse, ModelResponsePart, NativeToolCallPart, NativeToolReturnPart
from pydantic_core import to_json

from ..._protocol.requests import JsonObject
from ..output_parts import IMAGE_GENERATION, WEB_SEARCH
from .contents import assistant_message, input_text, map_content, user_message
from .ids import needed_item_id
from .origins import OURS
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

_SEARCH_STATUSES: Final = ('in_progress', 'searching', 'completed', 'failed')


def map_native_call(response: ModelResponse, part: NativeToolCallPart) -> Iterable[JsonObject]:
    """The item of a call that the backend made, or a text about the call of another service.

    Args:
        response: The response that the call is in, and its return.
        part: The call.
    """
    if part.provider_name in OURS:
        item: object = (part.provider_details or {}).get('item')
        if isinstance(item, Mapping):
            return [_map_kept_item(part, dict(cast('Mapping[str, Any]', item)))]
        if part.tool_name == WEB_SEARCH:
            return _map_search(response, part)
        if part.tool_name == IMAGE_GENERATION:
            # The API looks it up by its id, and nothing is stored (public reports). The image goes out as a file.
            return ()
    return [assistant_message(quote_call(part.tool_name, part.tool_call_id, part.args_as_json_str()))]


def map_native_return(part: NativeToolReturnPart[Any]) -> Iterator[JsonObject]:
    """A text about what a call of another service returned, and the files of it; nothing for our own.

    Args:
        part: The return.
    """
    if part.provider_name in OURS and part.tool_name in (WEB_SEARCH, IMAGE_GENERATION):
        return  # The item of the call, or the file, says all of it.
    yield assistant_message(quote_output(part.tool_name, part.tool_call_id, part.model_response_str()))
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


def _map_kept_item(part: NativeToolCallPart, item: JsonObject) -> JsonObject:
    if item.get('type') in _KEPT:
        return item
    # A kind that may be no input, which would break the conversation for good, or a call too broken to be answered.
    return assistant_message(quote_call(part.tool_name, part.tool_call_id, to_json(item).decode()))


def _map_search(response: ModelResponse, part: NativeToolCallPart) -> Iterator[JsonObject]:
    # The sources cannot be sent back, and nulls are refused (public reports).
    action = {name: value for name, value in part.args_as_dict().items() if name != 'sources' and value is not None}
    if 'type' not in action:
        return  # It was cut off before anything was known of it.
    status = next((_status(each) for each in response.parts if _answers(each, part)), None)
    yield {
        'type': 'web_search_call',
        'id': needed_item_id(part.id or part.tool_call_id, 'ws'),
        'status': status if status in _SEARCH_STATUSES else 'failed',
        'action': action,
    }


def _answers(part: ModelResponsePart, call: NativeToolCallPart) -> bool:
    return isinstance(part, NativeToolReturnPart) and part.tool_call_id == call.tool_call_id


def _status(part: ModelResponsePart) -> object:
    content: object = getattr(part, 'content', None)
    return cast('Mapping[str, Any]', content).get('status') if isinstance(content, Mapping) else None
