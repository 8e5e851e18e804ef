"""The pages in docs/ say what is the case: the sessions and messages of login.md, and the code of all."""

from __future__ import annotations

import ast
import importlib.util
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / 'docs' / 'login.md'
TEXT = DOCUMENT.read_text(encoding='utf-8')
ROWS = re.findall(r'^\| `([^`]+)` \| [^`]', TEXT.split('| message |')[1], re.MULTILINE)


@pytest.mark.skipif(sys.platform != 'linux', reason='the sessions are those of a Linux terminal')
def test_the_sessions_are_what_a_person_sees() -> None:
    spec = importlib.util.spec_from_file_location('terminal_sessions', ROOT / 'scripts' / 'terminal_sessions.py')
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    now: str = script.updated(TEXT, script.sessions())

    assert now.splitlines() == TEXT.splitlines(), 'run `make sessions`'


def said(path: Path) -> str:
    """Every text in a module, with its holes left out."""
    texts: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.JoinedStr):
            texts.append(''.join(str(part.value) for part in node.values if isinstance(part, ast.Constant)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return '\n'.join(texts)


@pytest.mark.parametrize('message', ROWS)
def test_a_message_of_the_table_is_one_that_is_shown(message: str) -> None:
    package = ROOT / 'pydantic_ai_codex'
    modules = (*(package / 'auth').rglob('*.py'), *(package / '_cli').glob('*.py'))

    assert any(message in said(path) for path in modules)


def test_the_table_is_read() -> None:
    assert len(ROWS) > 10


def blocks(page: Path) -> list[str]:
    return re.findall(r'```python\n(.*?)```', page.read_text(encoding='utf-8'), re.DOTALL)


PAGES = sorted(DOCUMENT.parent.glob('*.md'))
TESTS = [block for page in PAGES for block in blocks(page) if 'def test_' in block]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run_one_after_the_other(page: Path) -> None:
    names: dict[str, object] = {'__name__': '__main__'}

    for block in blocks(page):
        if block not in TESTS:
            exec(compile(block, str(page), 'exec'), names)
    for value in names.values():
        if isinstance(value, sqlite3.Connection):
            value.close()

    assert len(names) > 2, f'{page.name} defines nothing'


@pytest.mark.parametrize('block', TESTS)
def test_a_test_passes(block: str, tmp_path: Path) -> None:
    (tmp_path / 'test_block.py').write_text(block, encoding='utf-8')

    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)

    assert result.returncode == 0, result.stdout
