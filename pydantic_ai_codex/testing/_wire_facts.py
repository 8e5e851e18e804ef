"""What the frames of a response repeat of its request, and the ids that are derived from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFacts:
    """What a response repeats of its request.

    Attributes:
        seed: What every id is derived from; another for each response.
        model: The requested slug.
        account_id: Whose encrypted reasoning it is.
        now: When it was created.
        service_tier: The requested tier.
        encrypts: Whether the request includes `reasoning.encrypted_content`.
        request_bytes: The size of the request, from which the input tokens are derived.
        limits: The event that tells the limits of the plan, for turns that have it.
    """

    seed: str
    model: str
    account_id: str
    now: datetime
    service_tier: str = 'default'
    encrypts: bool = True
    request_bytes: int = 0
    limits: Mapping[str, Any] = field(default_factory=dict[str, Any])


def make_id(prefix: str, seed: str, index: int = 0) -> str:
    """An id that looks like the backend's."""
    return f'{prefix}_{hashlib.sha256(f"{prefix}/{seed}/{index}".encode()).hexdigest()[:40]}'
