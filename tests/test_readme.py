"""Every Python block of the README runs, against the simulator."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pydantic_ai_codex import CodexModelSettings
from pydantic_ai_codex._transport import http
from pydantic_ai_codex.testing import CodexSimulator, auto_reply

README = Path(__file__).parent.parent / 'README.md'
BLOCKS = re.findall(r'```python\n(.*?)```', README.read_text(encoding='utf-8'), re.DOTALL)


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodexSimulator]:
    """The login of the environment, and our own HTTP clients, lead to a simulator."""
    simulator = CodexSimulator(default=auto_reply)
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', simulator.access_token)
    monkeypatch.setattr(http, 'make_client', simulator.http_client)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield simulator
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures('simulated')
@pytest.mark.parametrize('block', [block for block in BLOCKS if 'def test_' not in block])
def test_a_block_runs(block: str) -> None:
    exec(compile(block, str(README), 'exec'), {'__name__': '__main__'})


@pytest.mark.parametrize('block', [block for block in BLOCKS if 'def test_' in block])
def test_a_test_passes(block: str, tmp_path: Path) -> None:
    (tmp_path / 'test_block.py').write_text(block, encoding='utf-8')

    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)

    assert result.returncode == 0, result.stdout


def test_there_are_blocks_to_run() -> None:
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize('name', sorted(CodexModelSettings.__optional_keys__ | CodexModelSettings.__required_keys__))
def test_every_setting_stands_in_the_table(name: str) -> None:
    rows = [line for line in README.read_text(encoding='utf-8').splitlines() if line.startswith('| `')]

    assert any(f'`{name}`' in row.split('|')[1] for row in rows)
