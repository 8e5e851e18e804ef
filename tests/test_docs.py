"""README and docs/ say what is the case: their code runs, their commands exist, and their links have targets."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from pydantic_ai_codex._cli import _parser  # pyright: ignore[reportPrivateUsage]
from pydantic_ai_codex._transport import http
from pydantic_ai_codex.testing import CodexSimulator, auto_reply

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / 'pydantic_ai_codex'
README = ROOT / 'README.md'
DOCS = ROOT / 'docs'
EXAMPLES = ROOT / 'examples' / 'README.md'
PAGES = [README, EXAMPLES, *sorted(DOCS.glob('*.md'))]
LOGIN = DOCS / 'login.md'
TEXTS = {page: page.read_text(encoding='utf-8') for page in PAGES}


def page_id(page: object) -> str | None:
    return page.stem if isinstance(page, Path) else None


def fences(page: Path, language: str) -> list[str]:
    return re.findall(rf'^```{language}\n(.*?)^```', TEXTS[page], re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    return re.sub(r'^```.*?^```', '', TEXTS[page], flags=re.DOTALL | re.MULTILINE)


# The code.


def new_side(diff: str) -> str:
    """What a block with `-` and `+` leads to."""
    return '\n'.join(line[1:] for line in diff.splitlines() if not line.startswith('-'))


def is_test(block: str) -> bool:
    return 'def test_' in block


def is_configuration(block: str) -> bool:
    """Whether it is for a `conftest.py`."""
    return block.splitlines()[-1].startswith('models.')


def programs(page: Path) -> list[str]:
    """What a reader would run: each block, or, where they build on each other, all of a page."""
    blocks = [block for block in fences(page, 'python') if not is_test(block) and not is_configuration(block)]
    if page.stem == 'applications':
        blocks = ['\n'.join(blocks)]
    return [*blocks, *map(new_side, fences(page, 'diff'))]


PROGRAMS = [(page, program) for page in PAGES for program in programs(page)]
CONFIGURATIONS = [block for page in PAGES for block in fences(page, 'python') if is_configuration(block)]
TESTS = [(page, block) for page in PAGES for block in fences(page, 'python') if is_test(block)]


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodexSimulator]:
    """The login of the environment is a simulator's, and https leads there; http to this machine stays what it is."""
    simulator = CodexSimulator(default=auto_reply)
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', simulator.access_token)
    monkeypatch.setattr(http, 'make_client', lambda: httpx2.AsyncClient(mounts={'https://': simulator.transport}))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield simulator
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures('simulated')
@pytest.mark.parametrize(('page', 'program'), PROGRAMS, ids=page_id)
def test_a_program_runs(page: Path, program: str) -> None:
    names: dict[str, object] = {'__name__': '__main__'}

    exec(compile(program, str(page), 'exec'), names)

    for value in names.values():
        if isinstance(value, sqlite3.Connection):
            value.close()
    assert len(names) > 2, 'it defines nothing'


def test_the_tests_pass(tmp_path: Path) -> None:
    (tmp_path / 'conftest.py').write_text('\n'.join(CONFIGURATIONS), encoding='utf-8')
    for number, (page, block) in enumerate(TESTS):
        (tmp_path / f'test_{page.stem}_{number}.py'.lower()).write_text(block, encoding='utf-8')

    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)

    assert result.returncode == 0, result.stdout + result.stderr


def test_there_is_code_to_run() -> None:
    assert {page.stem for page, _ in PROGRAMS} >= {
        'README',
        'reference',
        'login',
        'applications',
        'testing',
        'migration',
    }
    assert {page.stem for page, _ in TESTS} >= {'README', 'testing'}
    assert CONFIGURATIONS


# The commands.

OURS = 'pydantic-ai-codex'


def commands(page: Path) -> Iterator[str]:
    """Every command line of ours: in blocks, behind the `$` of sessions, and in the middle of a sentence."""
    for block in (*fences(page, 'shell'), *fences(page, 'text')):
        for line in block.replace('\\\n', ' ').splitlines():
            command = line.removeprefix('$ ')
            if command.startswith(f'{OURS} '):
                yield command
    yield from re.findall(rf'`({OURS} [^`]+)`', prose(page))


def words(command: str) -> list[str]:
    """The arguments, up to where the shell takes over."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if set(word) <= set('|&;<>'):
            break
        found.append(word)
    return found[1:]


COMMANDS = sorted({command for page in PAGES for command in commands(page)})


@pytest.mark.parametrize('command', COMMANDS)
def test_a_command_can_be_given(command: str) -> None:
    try:
        _, unknown = _parser().parse_known_args(words(command))
    except SystemExit as end:  # `--help`
        unknown = [] if end.code == 0 else [command]

    assert not unknown


def test_there_are_commands_to_give() -> None:
    assert len(COMMANDS) > 10


# The links.


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r'^#+ (.+)$', prose(page), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


LINKS = [
    (page, link)
    for page in PAGES
    for link in re.findall(r'\]\(([^)\s]+)\)', prose(page))
    if not link.startswith(('http://', 'https://'))
]


@pytest.mark.parametrize(('page', 'link'), LINKS, ids=page_id)
def test_a_link_has_a_target(page: Path, link: str) -> None:
    path, _, anchor = link.partition('#')
    target = (page.parent / path).resolve() if path else page

    assert target.is_file()
    assert not anchor or anchor in anchors(target)


def test_the_readme_leads_to_every_page_and_every_example() -> None:
    linked = {link for page, link in LINKS if page == README}
    pages = {f'docs/{page.name}' for page in DOCS.glob('*.md')}
    examples = {f'examples/{path.name}' for path in ROOT.glob('examples/[!_]*.py')}

    assert pages <= linked
    assert examples == {link for link in linked if link.startswith('examples/') and link.endswith('.py')}


# The sessions and messages of login.md.


@pytest.mark.skipif(sys.platform != 'linux', reason='the sessions are those of a Linux terminal')
def test_the_sessions_are_what_a_person_sees() -> None:
    spec = importlib.util.spec_from_file_location('terminal_sessions', ROOT / 'scripts' / 'terminal_sessions.py')
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    held = script.sessions()
    for page in script.DOCUMENTS:
        now: str = script.updated(TEXTS[page], held)
        assert now.splitlines() == TEXTS[page].splitlines(), 'run `make sessions`'


def said(path: Path) -> str:
    """Every text in a module, with its holes left out."""
    texts: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.JoinedStr):
            texts.append(''.join(str(part.value) for part in node.values if isinstance(part, ast.Constant)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return '\n'.join(texts)


MESSAGES = re.findall(r'^\| `([^`]+)` \| [^`]', TEXTS[LOGIN].split('| message |')[1], re.MULTILINE)


@pytest.mark.parametrize('message', MESSAGES)
def test_a_message_of_the_table_is_one_that_is_shown(message: str) -> None:
    modules = (*(PACKAGE / 'auth').rglob('*.py'), *(PACKAGE / '_cli').glob('*.py'))

    assert any(message in said(path) for path in modules)


def test_there_are_messages_to_look_for() -> None:
    assert len(MESSAGES) > 10
