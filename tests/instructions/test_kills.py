"""`kill -9` of programs that fetch and keep texts: whoever comes next reads a whole one, and waits for nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pydantic_ai_codex._instructions import Instructions
from pydantic_ai_codex.testing import CodexSimulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='forks a process for each kill'),
]

PROGRAM = Path(__file__).with_name('killed_program.py')


def kill(*arguments: str | Path) -> list[dict[str, Any]]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def abandoned(folder: Path) -> list[Path]:
    return list(folder.rglob('*.tmp'))


async def test_kills_at_each_line_that_touches_files(simulator: CodexSimulator, cache_dir: Path) -> None:
    reports = kill('lines', cache_dir)

    assert len(reports) > 60
    assert all(report['was_killed'] and report['is_free'] for report in reports)
    assert {report['read'] for report in reports} == {'nothing', 'whole'}
    assert {report['read'] for report in reports if report['had_kept']} == {'whole'}

    # Some were killed while they wrote; an hour later that is tidied up.
    assert abandoned(cache_dir)
    for path in abandoned(cache_dir):
        os.utime(path, (0, 0))
        await Instructions(simulator.http_client, cache_dir=path.parents[2]).get('gpt-5.1-codex')
    assert not abandoned(cache_dir)


def test_kills_of_one_among_several(cache_dir: Path) -> None:
    reports = kill('crowd', cache_dir, '40')

    assert all(report['was_killed'] for report in reports)
    assert [report['read'] for report in reports] == ['whole'] * 40
    assert len(abandoned(cache_dir)) <= 40


async def test_what_somebody_is_writing_just_now_is_left_alone(simulator: CodexSimulator, cache_dir: Path) -> None:
    folder = cache_dir / 'pydantic-ai-codex' / 'instructions'
    folder.mkdir(mode=0o700, parents=True)
    (folder / 'young.tmp').touch()

    await Instructions(simulator.http_client, cache_dir=cache_dir).get('gpt-5.1-codex')

    assert abandoned(cache_dir) == [folder / 'young.tmp']
