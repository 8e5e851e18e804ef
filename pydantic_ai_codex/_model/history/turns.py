"""What a history tells of the turn and the window that a request belongs to; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic_ai.messages import ModelMessage, ModelResponse, UserPromptPart

from ..._protocol.values import object_or_empty, text_or_none
from .origins import OURS

TURN_STATE_KEY: Final = 'turn_state'
"""Where a response keeps, in its `provider_details`, what its turn goes by: the `value` of the header, and the tag of
the `account` that it was said to."""


def turn_state_of(messages: Sequence[ModelMessage], account: str | None) -> str | None:
    """What the backend said first that ties the requests of this turn together, for the next of them (captured).

    A turn is what one run says, or, where the messages name no run, all since the last prompt of the user's.

    Args:
        messages: The history, the new request at its end. What stands in the details of its responses may be anything.
        account: The tag of the account that asks; nothing that another one was told goes on.
    """
    run_id = messages[-1].run_id if messages else None
    first: str | None = None
    for message in reversed(messages):
        if run_id and message.run_id and message.run_id != run_id:
            break
        if message.kind == 'response':
            # Requests that pydantic-ai merges, and those of a history processor, name no run.
            if not run_id or message.run_id == run_id:
                first = _state_in(message, account) or first
        elif not run_id and UserPromptPart in map(type, message.parts):
            break
    return first


def window_of(messages: Sequence[ModelMessage]) -> int:
    """How many compactions the history went through: its windows are counted from 0, and each begins another (captured).

    Args:
        messages: The history, with what compactions have hidden from the model.
    """
    # Without a call for each message, as there may be thousands.
    return len([part for message in messages for part in message.parts if part.part_kind == 'compaction'])


def _state_in(response: ModelResponse, account: str | None) -> str | None:
    details = response.provider_details
    if not details or text_or_none(response.provider_name) not in OURS:
        return None
    state = object_or_empty(object_or_empty(details).get(TURN_STATE_KEY))
    return text_or_none(state.get('value')) if state.get('account') == account else None
