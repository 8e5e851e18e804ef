"""The texts of our own that a model reads, and which texts of a host program it does not."""

from __future__ import annotations

from typing import Final

DEFAULT_INSTRUCTIONS: Final = (
    'You are a helpful assistant. Answer precisely, and call the tools you are given when they help.'
)
"""The instructions where there are no others. The backend answers 400 "Instructions are required" without any (public
reports), so there is always some."""

TOOL_BRIDGE: Final = (
    'You run inside an application, not in the Codex CLI. The tools that come with this request are the only ones: call '
    'them by the names and with the arguments that they declare, prefer them to guessing, and wait for their results '
    'rather than making them up. Where other instructions mention tools that are not among them, such as `shell`, '
    '`apply_patch` or `update_plan`, or a terminal, a sandbox and approvals, do without.'
)
"""Goes with the official instructions where there are tools, as those speak of the tools of the CLI. It names none of the
application's, so it stays the same, and with it the cached beginning of the prompt, whichever these are."""

_TOOLCHAIN: Final = ('toolchain system prompt', 'toolchain::system', 'legacy toolchain')


def is_toolchain_prompt(text: str) -> bool:
    """Whether a system message is one by which a host program explains its own toolchain.

    For a gateway that serves coding programs, whose words about tools would contradict the instructions of the model; an
    agent's own system prompts are never judged. The marks are those that the LiteLLM provider for Codex looks for.

    Args:
        text: The text of a system or developer message.
    """
    folded = text.casefold()
    return any(mark in folded for mark in _TOOLCHAIN)
