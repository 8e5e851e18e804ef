"""The tools that the backend runs by itself, by the names that pydantic-ai has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

WEB_SEARCH: Final = 'web_search'
IMAGE_GENERATION: Final = 'image_generation'

NATIVE_CALLS: Final[Mapping[str, str]] = {
    'web_search_call': WEB_SEARCH,
    'image_generation_call': IMAGE_GENERATION,
}
"""The items that stand for a call and its return, and the tool of each."""


def sendable_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """What a web search did, as it can be sent back: sources and nulls are refused (public reports).

    Args:
        action: What the backend said of it, or what a history keeps.
    """
    return {name: value for name, value in action.items() if name != 'sources' and value is not None}
