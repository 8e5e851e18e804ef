from __future__ import annotations

import pytest

from pydantic_ai_codex.testing import CodexSimulator

pytest_plugins = ['pytester']


def test_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from pydantic_ai_codex.testing import reply

        def test_unused(codex_simulator):
            codex_simulator.add(reply('Hi'))

        def test_failed(codex_simulator):
            codex_simulator.add(reply('Hi'))
            assert False

        def test_skipped(codex_simulator):
            codex_simulator.add(reply('Hi'))
            pytest.skip('No.')

        def test_empty(codex_simulator):
            assert codex_simulator.remaining == 0
        """
    )
    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=2, failed=1, errors=1, skipped=1)
    result.stdout.fnmatch_lines(['*SimulatorError: Not used of the script: Turn(*Hi*'])


def test_fixture_tells_of_a_function_that_failed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import contextlib
        from pydantic_ai import Agent

        def test_hidden(codex_simulator):
            codex_simulator.add(lambda request: request.body['nothing'])
            with contextlib.suppress(Exception):
                Agent(codex_simulator.model()).run_sync('Hi')
        """
    )
    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*SimulatorError: The function that answers request 1 raised KeyError: 'nothing'"])


def test_the_plugin_costs_other_tests_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            assert 'pydantic_ai_codex.pytest_plugin' in sys.modules
            assert not {'pydantic_ai_codex.testing', 'pydantic_ai', 'httpx2'} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_fixture_of_this_run(codex_simulator: CodexSimulator) -> None:
    assert (codex_simulator.requests, codex_simulator.remaining) == ([], 0)
