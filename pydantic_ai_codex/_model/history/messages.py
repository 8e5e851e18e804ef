"""pydantic-ai's message history to input items, and the agent's instructions; pure.

Whatever cannot be sent is an error. The same history gives the same items, and a longer one begins with those of the
shorter one each time the model has answered, so that the backend's cache holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_ai.messages import (
    CompactionPart,
    InstructionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_core import PydanticSerializationError

from ..._protocol.requests import JsonObject
from ...errors import ConfigurationError
from .compactions import start_at_compaction
from .contents import input_text, map_content, map_prompt, user_text
from .ids import make_ids_distinct, wire_call_id
from .origins import AcceptsReasoning, Reader, refused_reasoning
from .pairs import Pairing
from .quotes import quote_summary
from .responses import map_response, unprepared


def agent_instructions(messages: Sequence[ModelMessage], params: ModelRequestParameters) -> str | None:
    """The instructions that the agent has of its own, or `None`.

    An agent passes them in the parameters. Whoever calls the model directly has them in the messages: those of the
    last request, and as long as one has none and only returns what tools made, those of the request before it.
    """
    if params.instruction_parts is not None:
        text = InstructionPart.join(params.instruction_parts) if params.instruction_parts else None
    else:
        text = None
        for request in (message for message in reversed(messages) if isinstance(message, ModelRequest)):
            text = request.instructions
            if text is not None or not all(isinstance(part, ToolReturnPart) for part in request.parts):
                break
    return text if text and text.strip() else None


def developer_message(text: str) -> JsonObject:
    """A message of the program's."""
    # The backend refuses the role `system` (public reports), and takes this one anywhere (captured).
    return {'type': 'message', 'role': 'developer', 'content': [input_text(text)]}


def map_messages(
    messages: Sequence[ModelMessage], *, accepts_reasoning: AcceptsReasoning, account: str | None = None
) -> list[JsonObject]:
    """The input items of a message history; never empty, as the backend refuses an empty input.

    Args:
        messages: The history, as `Model.prepare_messages` leaves it, and with its files downloaded.
        accepts_reasoning: Whether the service of a part has the keys of this one.
        account: The tag of the account, as it stands in the parts that were encrypted for it; nothing is left out for
            its sake where it is not known.

    Raises:
        ConfigurationError: If a part or content cannot be sent.
    """
    reader = Reader(accepts_reasoning, account, refused_reasoning(messages))
    try:
        items = make_ids_distinct(_map_turns(start_at_compaction(messages, reader.understands), reader))
    except PydanticSerializationError as error:
        raise ConfigurationError(
            f'The history has no JSON form: {error}. Look for a value that is no JSON, or half a character (a lone '
            'surrogate), in the arguments of a call and the return of a tool.'
        ) from error
    return items or [user_text('')]


def _map_turns(messages: Iterable[ModelMessage], reader: Reader) -> list[JsonObject]:
    pairing = Pairing()
    is_answered = False
    for message in messages:
        if isinstance(message, ModelResponse):
            if is_answered:
                pairing.close()
                is_answered = False
            pairing.add_response(map_response(message, reader))
        else:
            is_answered = True
            for part in message.parts:
                # A tool's return is what comes most often.
                if isinstance(part, ToolReturnPart):
                    pairing.add_output(part.tool_name, wire_call_id(part.tool_call_id), _map_return(part))
                else:
                    pairing.items.append(_map_request_part(part))
    pairing.close()
    return pairing.items


def _map_request_part(part: object) -> JsonObject:
    if isinstance(part, UserPromptPart):
        return map_prompt(part.content)
    if isinstance(part, SystemPromptPart):
        return developer_message(part.content)
    if isinstance(part, CompactionPart):
        return user_text(quote_summary(part.content or ''))
    raise unprepared(part)


def _map_return(part: ToolReturnPart[Any]) -> str | list[JsonObject]:
    """The output of a call: a text, or content parts."""
    if isinstance(part.content, str) and part.outcome == 'success':
        return part.content  # as nearly all of them, and as the last line says
    if part.files:
        return [map_content(item) for item in part.content_items(mode='str')]
    return part.model_response_str()
