from __future__ import annotations

from pathlib import Path

import pytest

from .backend import Backend, Program, Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def program(backend: Backend, time: Time) -> Program:
    return Program(backend, time)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'cache'
