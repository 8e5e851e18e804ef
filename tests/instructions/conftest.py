"""A simulated GitHub whose time a test decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from pydantic_ai_codex.testing import CodexSimulator

from .programs import Programs, Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def simulator(time: Time) -> CodexSimulator:
    simulator = CodexSimulator(now=time.now)
    simulator.github.is_cacheable = True
    return simulator


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    return tmp_path / 'cached'


@pytest.fixture
def programs(simulator: CodexSimulator, cache_dir: Path) -> Programs:
    return Programs(simulator, cache_dir)
