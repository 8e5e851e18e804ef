"""The limits of the plan on the span of whoever traces the request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..errors import BackendError, CodexError

if TYPE_CHECKING:
    from .._protocol.rate_limit_types import RateLimits


class RequestSpan:
    """The OpenTelemetry span of a request: the one that is current when this is made, if it records.

    Kept from then on, as whoever reads the answer may have a span of their own around that.
    """

    def __init__(self) -> None:
        # Whoever has a span has loaded it.
        trace: Any = sys.modules.get('opentelemetry.trace')
        span: Any = None if trace is None else trace.get_current_span()
        self._span = span if span is not None and span.is_recording() else None

    def note(self, limits: RateLimits | None) -> None:
        """Set the attributes `codex.rate_limits.*` and `codex.plan_type`."""
        if limits is not None and self._span is not None and self._span.is_recording():
            self._span.set_attributes(limit_attributes(limits))

    def note_failure(self, error: CodexError) -> None:
        """Note what a failure tells of limits."""
        if isinstance(error, BackendError):
            self.note(error.rate_limits)


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
