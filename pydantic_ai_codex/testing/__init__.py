"""`CodexSimulator`, a strict stand-in for the Codex backend, and the script it plays.

A script is made of turns: `reply`, `call_tool`, `turn`, `fail`, `fail_in_stream`, `usage_limit`, `raw_stream`,
`connect_error`, `refuse_reasoning`, or functions that return one of these. A `turn` is made of items: `think`, `say`, `refuse`, `call`,
`custom_call`, `shell_call`, `web_search`, `image`, `compaction`, `output_item`. The frames are reconstructed from
streams that Codex CLI 0.169.0 accepted; the checks and their evidence are in `_checks.py` and its neighbours.

`CodexSimulator().oauth` is the login service (`SimulatedIssuer`); its answers are scripted with `answer_with`,
`late_answer`, `slow_answer`, `lost_answer`, `fail` and `connect_error`. `CodexSimulator().github` is GitHub with the
releases of the Codex CLI (`SimulatedGitHub`); its answers are scripted with the same, and with `rate_limited`.

`CodexSimulator().catalog` is the list of models (`SimulatedCatalog`), `.limits` how much of the plan is used
(`SimulatedLimits`, with `LimitWindow`, `LimitCredits` and `OtherLimit`), and `.routing` where an account's requests have
to go. What is asked for them is in `.lookups`, and scripted with `.fail_lookups(...)`, with the words of the login
service.
"""

from __future__ import annotations

from ._auto import auto_reply
from ._catalog import SimulatedCatalog
from ._github import SimulatedGitHub
from ._github_script import GitHubEntry, RateLimit, rate_limited
from ._issuer import SimulatedIssuer
from ._issuer_script import IssuerAnswer, IssuerEntry, answer_with, late_answer, lost_answer, slow_answer
from ._items import (
    Call,
    Compaction,
    CustomCall,
    Image,
    Item,
    OutputItem,
    Refuse,
    Say,
    ShellCall,
    Think,
    WebSearch,
    call,
    compaction,
    custom_call,
    image,
    output_item,
    refuse,
    say,
    shell_call,
    think,
    web_search,
)
from ._limits import LimitCredits, LimitWindow, OtherLimit, SimulatedLimits
from ._lookups import LookupPath
from ._records import GitHubRequest, IssuerEvent, RecordedRequest, SimulatorError
from ._script import (
    Answer,
    HttpFailure,
    NoAnswer,
    RawStream,
    ScriptEntry,
    TokenUsage,
    Turn,
    UsageLimit,
    call_tool,
    connect_error,
    fail,
    fail_in_stream,
    raw_stream,
    refuse_reasoning,
    reply,
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
    'Compaction',
    'CustomCall',
    'GitHubEntry',
    'GitHubRequest',
    'HttpFailure',
    'Image',
    'IssuerAnswer',
    'IssuerEntry',
    'IssuerEvent',
    'Item',
    'LimitCredits',
    'LimitWindow',
    'LookupPath',
    'NoAnswer',
    'OtherLimit',
    'OutputItem',
    'RateLimit',
    'RawStream',
    'RecordedRequest',
    'Refuse',
    'Say',
    'ScriptEntry',
    'ShellCall',
    'SimulatedCatalog',
    'SimulatedGitHub',
    'SimulatedIssuer',
    'SimulatedLimits',
    'SimulatorError',
    'SimulatorServer',
    'Think',
    'TokenUsage',
    'Turn',
    'UsageLimit',
    'WebSearch',
    'answer_with',
    'auto_reply',
    'call',
    'call_tool',
    'compaction',
    'connect_error',
    'custom_call',
    'fail',
    'fail_in_stream',
    'fake_access_token',
    'image',
    'late_answer',
    'lost_answer',
    'output_item',
    'rate_limited',
    'raw_stream',
    'refuse',
    'refuse_reasoning',
    'reply',
    'say',
    'shell_call',
    'slow_answer',
    'sse_frame',
    'think',
    'turn',
    'usage_limit',
    'web_search',
)
