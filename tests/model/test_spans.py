"""The limits of the plan on the span of whoever traces: nothing where nobody does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from pydantic_ai_codex._model.spans import note_limits
from pydantic_ai_codex._protocol.rate_limit_types import Credits, RateLimits, RateLimitWindow

RESET = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
OBSERVED = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
LIMITS = RateLimits(
    plan_type='plus',
    primary=RateLimitWindow(100.0, 300, RESET),
    secondary=RateLimitWindow(7.0),
    credits=Credits(True, False, '12.5'),
    limit_reached=False,
    observed_at=OBSERVED,
    source='headers',
)


class Span(NonRecordingSpan):
    """A span that keeps its attributes; the SDK is no dependency of ours."""

    def __init__(self, *, is_recording: bool = True) -> None:
        super().__init__(SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(1)))
        self.attributes: dict[str, Any] = {}
        self._is_recording = is_recording

    def is_recording(self) -> bool:
        return self._is_recording

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self.attributes |= attributes


def test_the_limits_are_attributes_of_the_current_span() -> None:
    span = Span()
    with use_span(span):
        note_limits(LIMITS)

    assert span.attributes == snapshot(
        {
            'codex.plan_type': 'plus',
            'codex.rate_limits.limit_id': 'codex',
            'codex.rate_limits.blocking': 'primary',
            'codex.rate_limits.limit_reached': False,
            'codex.rate_limits.primary.used_percent': 100.0,
            'codex.rate_limits.primary.window_minutes': 300,
            'codex.rate_limits.primary.resets_at': '2026-11-21T14:30:00+00:00',
            'codex.rate_limits.secondary.used_percent': 7.0,
            'codex.rate_limits.credits.has_credits': True,
            'codex.rate_limits.credits.unlimited': False,
            'codex.rate_limits.credits.balance': '12.5',
        }
    )


def test_only_what_is_known_is_told() -> None:
    span = Span()
    with use_span(span):
        note_limits(RateLimits(observed_at=OBSERVED, source='event'))

    assert span.attributes == {'codex.rate_limits.limit_id': 'codex'}


def test_a_span_that_does_not_record_is_left_alone() -> None:
    span = Span(is_recording=False)
    with use_span(span):
        note_limits(LIMITS)

    assert span.attributes == {}


def test_without_a_span_nothing_happens() -> None:
    note_limits(LIMITS)


def test_without_opentelemetry_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    span = Span()
    with use_span(span):
        monkeypatch.delitem(sys.modules, 'opentelemetry.trace')
        note_limits(LIMITS)

    assert span.attributes == {}
