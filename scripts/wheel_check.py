"""What is tested of the wheel, outside the checkout and with the core dependencies only; run by `scripts/test-wheel`."""

import importlib.util
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

from pydantic_ai import Agent

import pydantic_ai_codex
from pydantic_ai_codex.testing import CodexSimulator, call_tool, reply


def test_it_is_the_wheel() -> None:
    assert 'site-packages' in Path(pydantic_ai_codex.__file__).parts
    assert (resources.files(pydantic_ai_codex) / 'py.typed').is_file()


def test_the_openai_sdk_is_not_needed() -> None:
    assert importlib.util.find_spec('openai') is None
    assert not any('openai' in requirement for requirement in metadata.requires('pydantic-ai-codex') or ())


def test_an_agent_with_tools(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(call_tool('add', a=1, b=2), reply('3'))
    agent = Agent(codex_simulator.model('gpt-5.1-codex-high'))

    @agent.tool_plain
    def add(a: int, b: int) -> int:
        return a + b

    assert agent.run_sync('1 + 2?').output == '3'


def test_a_missing_login_and_a_missing_server_say_what_to_do() -> None:
    run = subprocess.run([sys.executable, '-m', 'pydantic_ai_codex', 'run', 'Hi'], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (3, '')
    assert 'codex login' in run.stderr
    serve = subprocess.run([sys.executable, '-m', 'pydantic_ai_codex', 'simulate'], capture_output=True, text=True)
    assert serve.returncode == 2
    assert 'pip install uvicorn' in serve.stderr
