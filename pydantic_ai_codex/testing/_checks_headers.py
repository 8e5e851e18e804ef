"""What the headers of a request say of its body: nothing that is not in it.

Codex CLI 0.169.0 sends them so (captured). What the real backend does with others is not known; here they are refused,
as a client that sends them does not know what it says. None at all is fine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from ._rejections import detail

Json: TypeAlias = dict[str, Any]

_WINDOW: Final = re.compile(r'(.+):([0-9]+)')


def check_headers(headers: Mapping[str, str], body: Json) -> None:
    """Check the window id and the routing hint.

    Raises:
        Rejection: The first that is wrong.
    """
    _check_window(headers.get('x-codex-window-id'), headers.get('thread-id'))
    _check_hint(headers.get('x-codex-routing-hint'), body)


def _check_window(window: str | None, thread: str | None) -> None:
    if window is None:
        return
    parts = _WINDOW.fullmatch(window)
    if parts is None or parts[1] != (thread or parts[1]):
        raise detail(
            f"Invalid header 'x-codex-window-id': expected '{thread or '<thread-id>'}:<number>', got '{window}'"
        )


def _check_hint(hint: str | None, body: Json) -> None:
    tier = body.get('service_tier')
    expected = f'model={body["model"]}' if tier is None else f'model={body["model"]};tier={tier}'
    if hint not in (None, expected):
        raise detail(f"Invalid header 'x-codex-routing-hint': expected '{expected}', got '{hint}'")
