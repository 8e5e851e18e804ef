"""The limits of the plan on the span of whoever traces the request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._protocol.rate_limit_types import RateLimits


def note_limits(limits: RateLimits) -> None:
    """Set the attributes `codex.rate_limits.*` and `codex.plan_type` on the current OpenTelemetry span, if it records.

    Args:
        limits: The limits.
    """
    # Whoever has a span has loaded it.
    trace: Any = sys.modules.get('opentelemetry.trace')
    if trace is not None and (span := trace.get_current_span()).is_recording():
        span.set_attributes(limit_attributes(limits))


def limit_attributes(limits: RateLimits) -> dict[str, str | float | bool]:
    """The attributes of a span: what is known of the limit that counts, and times in ISO 8601."""
    known = limits.as_dict()
    found: dict[str, Any] = {name: known.get(name) for name in ('limit_id', 'blocking', 'limit_reached')}
    for part in ('primary', 'secondary', 'credits'):
        found |= {f'{part}.{name}': value for name, value in known.get(part, {}).items()}
    attributes = {f'codex.rate_limits.{name}': value for name, value in found.items()}
    return {
        name: value for name, value in {'codex.plan_type': limits.plan_type, **attributes}.items() if value is not None
    }
