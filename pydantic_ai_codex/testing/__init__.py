"""`CodexSimulator`, a strict stand-in for the Codex backend, and the script it plays.

A script is made of turns: `reply`, `call_tool`, `turn`, `fail`, `fail_in_stream`, `usage_limit`, `raw_stream`,
`connect_error`, or functions that return one of these. The frames are reconstructed from streams that Codex CLI
0.169.0 accepted; the checks and their evidence are in `_checks.py`.
"""

from __future__ import annotations

from ._auto import auto_reply
from ._records import RecordedRequest, SimulatorError
from ._script import (
    Answer,
    Call,
    HttpFailure,
    Item,
    NoAnswer,
    RawStream,
    Say,
    ScriptEntry,
    Think,
    TokenUsage,
    Turn,
    UsageLimit,
    call,
    call_tool,
    connect_error,
    fail,
    fail_in_stream,
    raw_stream,
    reply,
    say,
    think,
    turn,
    usage_limit,
)
from ._server import SimulatorServer
from ._simulator import CodexSimulator
from ._tokens import fake_access_token
from ._wire import sse_frame

__all__ = (
    'Answer',
    'Call',
    'CodexSimulator',
    'HttpFailure',
    'Item',
    'NoAnswer',
    'RawStream',
    'RecordedRequest',
    'Say',
    'ScriptEntry',
    'SimulatorError',
    'SimulatorServer',
    'Think',
    'TokenUsage',
    'Turn',
    'UsageLimit',
    'auto_reply',
    'call',
    'call_tool',
    'connect_error',
    'fail',
    'fail_in_stream',
    'fake_access_token',
    'raw_stream',
    'reply',
    'say',
    'sse_frame',
    'think',
    'turn',
    'usage_limit',
)
