"""The pytest fixture `codex_simulator`; pytest imports this module in every run, so it imports nothing of ours."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .testing import CodexSimulator

_passed = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Remember whether the test itself passed: after a failure, unused turns are no news."""
    outcome = yield
    if call.when == 'call':
        item.stash[_passed] = outcome.get_result().passed


@pytest.fixture
def codex_simulator(request: pytest.FixtureRequest) -> Iterator[CodexSimulator]:
    """A `CodexSimulator` without a script; the test fails when it leaves scripted turns unused."""
    from .testing import CodexSimulator

    simulator = CodexSimulator()
    yield simulator
    if request.node.stash.get(_passed, False):
        simulator.assert_exhausted()
