"""A backend on a port, as a test sees it."""

from __future__ import annotations

import os
from typing import NamedTuple

from pydantic_ai_codex.testing import CodexSimulator


class Backend(NamedTuple):
    """A served simulator, whose login is in the environment."""

    simulator: CodexSimulator
    base_url: str

    @property
    def pages(self) -> list[str]:
        """What was asked for beside responses, by the ends of the paths."""
        return [request.path.rpartition('/')[2] for request in self.simulator.lookups]

    @property
    def environment(self) -> dict[str, str]:
        """What a command in a process of its own needs to come here, and to leave this machine alone."""
        return {name: os.environ[name] for name in ('CODEX_ACCESS_TOKEN', 'CODEX_CACHE_DIR', 'CODEX_MODE')}
