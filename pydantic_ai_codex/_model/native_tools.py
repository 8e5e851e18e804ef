"""The tools that the backend runs by itself, by the names that pydantic-ai has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WEB_SEARCH: Final = 'web_search'
IMAGE_GENERATION: Final = 'image_generation'

NATIVE_CALLS: Final[Mapping[str, str]] = {
    'web_search_call': WEB_SEARCH,
    'image_generation_call': IMAGE_GENERATION,
}
"""The items that stand for a call and its return, and the tool of each."""
