"""Programs that share a cache folder, and a time that a test decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic_ai_codex._instructions import Instructions
from pydantic_ai_codex.testing import CodexSimulator


class Time:
    """The clock of the simulator, of its provider, and of whoever else is given it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def passes(self, **span: float) -> None:
        self.moment += timedelta(**span)


class Programs:
    """Starts programs that share a cache folder."""

    def __init__(self, simulator: CodexSimulator, cache_dir: Path) -> None:
        self._simulator = simulator
        self._cache_dir = cache_dir
        self._seen = 0

    def start(self) -> Instructions:
        """The instructions, as a program that has just started has them: with nothing in memory."""
        return self._simulator.provider(cache_dir=self._cache_dir).client.instructions

    def asked(self) -> list[tuple[str, int | None]]:
        """What was asked of GitHub since the last look: the host, and the status of the answer."""
        requests = self._simulator.github.requests
        seen, self._seen = self._seen, len(requests)
        return [(request.host, request.status) for request in requests[seen:]]
