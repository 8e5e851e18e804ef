"""`kill -9` while a login is saved: the file is whole each time, and nothing piles up beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='forks a process for each kill')

SCRIPT = Path(__file__).with_name('killed_writer.py')


@pytest.mark.parametrize(('how', 'kills'), [('replace', 150), ('in_place', 50)])
def test_kills_at_random_points(how: str, kills: int, tmp_path: Path) -> None:
    folder = tmp_path / 'codex'
    command = [sys.executable, str(SCRIPT), str(folder / 'auth.json'), how, str(kills)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report['torn'] == []
    assert report['kills'] == kills
    assert report['generations'] == kills
    # Some came while a file was written, as what waits for its place shows.
    assert report['pending'] > 0
    assert {each.name for each in folder.iterdir()} <= {'auth.json', '.auth.json.new', '.auth.json.lock'}
