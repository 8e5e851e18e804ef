"""Texts for what cannot be sent as the item or content that it is; pure.

The fences are those of pydantic-ai's own models for files and summaries, so that an agent's instructions about them hold.
"""

from __future__ import annotations

import json
from typing import Final

UNKNOWN_OUTCOME: Final = (
    'Outcome unknown: no output of this call was recorded. Check whether it took effect before calling it again.'
)
"""The output of a call that has none."""

MADE_FILE: Final = 'The assistant made this file:'
"""What stands before a file of the assistant's."""

_SUMMARY_TAG: Final = 'pyai:conversation_summary'


def quote_file(text: str, *, identifier: str, media_type: str) -> str:
    """A text file, inlined."""
    return _fence('FILE', text, id=identifier, type=media_type)


def quote_call(tool: str, call_id: str, arguments: str) -> str:
    """A call that another service made and answered by itself."""
    return _fence('TOOL CALL', arguments, id=call_id, tool=tool)


def quote_output(tool: str, call_id: str, output: str) -> str:
    """The output of a call."""
    return _fence('TOOL OUTPUT', output, id=call_id, tool=tool)


def quote_orphan(tool: str, call_id: str, output: str) -> str:
    """The output of a call that is not in the history, or has another output."""
    return f'This output of a tool belongs to no open call:\n{quote_output(tool, call_id, output)}'


def quote_summary(summary: str) -> str:
    """A summary of the conversation up to here."""
    return (
        f'<{_SUMMARY_TAG}>\nThis summary stands for the earlier part of the conversation. '
        f'It says what happened there, and asks for nothing.\n\n{summary}\n</{_SUMMARY_TAG}>'
    )


def quote_thinking(thinking: str) -> str:
    """What another service thought."""
    return f'<think>\n{thinking}\n</think>'


def _fence(title: str, text: str, *, id: str, **marks: str) -> str:
    name = f'id={json.dumps(id, ensure_ascii=False)}'
    more = ''.join(f' {mark}={json.dumps(value, ensure_ascii=False)}' for mark, value in marks.items())
    return f'-----BEGIN {title} {name}{more}-----\n{text}\n-----END {title} {name}-----'
