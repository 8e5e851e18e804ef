"""Login files, and what stands beside them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio

from pydantic_ai_codex.auth import AuthFile
from pydantic_ai_codex.auth._file.notes import RefreshNote


def write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding='utf-8')
    path.chmod(0o600)


def leave_note(path: Path, state: Any, code: str | None = None) -> None:
    """What a process leaves that was killed while it refreshed, or whose refresh was refused."""

    async def leave() -> None:
        file = AuthFile(path)
        fingerprint = (await file.load()).fingerprint
        assert fingerprint is not None
        await file.write_note(RefreshNote(fingerprint, state, datetime.now(UTC), 4711, 'laptop', code))

    anyio.run(leave)
