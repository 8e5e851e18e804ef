"""The limits of the plan on the span of whoever traces: nothing where nobody does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelQuotaExceededError

from pydantic_ai_codex import CodexModel
from pydantic_ai_codex._model.spans import RequestSpan
from pydantic_ai_codex._protocol.rate_limit_types import Credits, RateLimits, RateLimitWindow
from pydantic_ai_codex.testing import CodexSimulator, reply, usage_limit

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
        RequestSpan().note(LIMITS)

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
        RequestSpan().note(RateLimits(observed_at=OBSERVED, source='event'))

    assert span.attributes == {'codex.rate_limits.limit_id': 'codex'}


def test_a_span_that_does_not_record_is_left_alone() -> None:
    span = Span(is_recording=False)
    with use_span(span):
        RequestSpan().note(LIMITS)

    assert span.attributes == {}


def test_without_a_span_nothing_happens() -> None:
    RequestSpan().note(LIMITS)


def test_without_opentelemetry_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    span = Span()
    with use_span(span):
        monkeypatch.delitem(sys.modules, 'opentelemetry.trace')
        RequestSpan().note(LIMITS)

    assert span.attributes == {}


def agent_of(simulator: CodexSimulator) -> Agent[None, str]:
    return Agent(CodexModel('gpt-5.5', provider=simulator.provider()), instructions='Be brief.')


@pytest.mark.anyio
async def test_an_answer_tells_the_span_of_its_request_and_no_other() -> None:
    of_request, of_reader = Span(), Span()
    event = {'rate_limits': {'primary': {'used_percent': 97}}}

    with use_span(of_request):
        async with agent_of(CodexSimulator(reply('Hi', limits_event=event))).run_stream('Hello') as stream:
            with use_span(of_reader):
                await stream.get_output()

    assert of_request.attributes['codex.rate_limits.primary.used_percent'] == 97
    assert of_reader.attributes == {}


@pytest.mark.anyio
async def test_a_used_up_plan_is_on_the_span() -> None:
    span = Span()

    with use_span(span), pytest.raises(ModelQuotaExceededError):
        await agent_of(CodexSimulator(usage_limit())).run('Hello')

    assert span.attributes['codex.rate_limits.blocking'] == 'primary'
    assert span.attributes['codex.rate_limits.limit_reached'] is True
