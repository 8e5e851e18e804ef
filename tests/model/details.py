"""What a response says beside its parts."""

from __future__ import annotations

from typing import Any

from pydantic_ai.messages import ModelResponse


def details_of(response: ModelResponse) -> dict[str, Any]:
    """Its details but for the limits of the plan, which are those of the moment."""
    return {name: value for name, value in (response.provider_details or {}).items() if name != 'rate_limits'}
