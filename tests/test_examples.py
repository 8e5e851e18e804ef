"""Every example runs as a program of its own: alone, offline and without a login, and says so where `--live` has none."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import httpx2
import pytest

from pydantic_ai_codex._transport import http
from pydantic_ai_codex.testing import CodexSimulator, auto_reply, usage_limit

FOLDER = Path(__file__).parent.parent / 'examples'
TESTS = FOLDER / 'test_your_agent.py'

TRANSCRIPTS = {
    'chat': [
        'User: How do I say "thank you"?',
        'Agent: You say "takk".',
        'The next day:',
        '(4 messages in chat.json)',
        'Agent: Your first question was: How do I say "thank you"?',
    ],
    'fallback_on_limit': [
        'User: Why is the sky blue?',
        '  (the plan is used up until ',
        'Agent: Air scatters blue light more than red.',
    ],
    'image_input': [
        'Agent: blue above yellow',
        'Agent: A picture at https://',
        '  -> look()',
        'Agent: red above yellow',
    ],
    'parallel_tools': [
        '  book(Rome) begins',
        '  book(Rome) ends',
        '  book(Oslo) begins',
        '  book(Oslo) ends',
        'Agent: Done: Rome is booked, and Oslo is booked.',
    ],
    'several_accounts': [
        'home is asked: What is the capital of Chile?',
        'work is asked: Who wrote Emma?',
        'home answers: Santiago (on the plan of home-id)',
    ],
    'streaming_thinking': [
        '[thinking] **Setting it up**',
        '[thinking] **Solving**',
        '[answer] The ball costs 0.05, and the bat 1.05.',
        ' of them for thinking',
    ],
    'structured_output': [
        'By a tool:',
        '  (sent back: 21050 is not the sum of the lines)',
        '    225.50  to Carpenter Cole',
        'Native:',
        '    225.50  to Carpenter Cole',
    ],
    'tool_calling': [
        'User: Where is my order 1042?',
        "  -> track_order('1042')",
        "  -> track_order('A-1042')",
        'Agent: Your order A-1042 is on its way, due tomorrow.',
    ],
    'weather_agent': [
        'thinking',
        '-> get_weather({"city":"Paris"})',
        'answer',
        'Pack for two seasons',
    ],
    'web_chat': [
        'Agent: You |wrote |"Hello, ',
        '<p class="user">Hello, I am Ada.</p>',
        '<p class="user">What is &lt;b&gt;my&lt;/b&gt; name?</p>',
        'and before that: Hello, I am Ada.</p>',
    ],
}
"""What their output holds, in this order."""

NO_NETWORK = """
import ipaddress, socket

connect = socket.socket.connect

def guarded(self, address):
    if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
        raise SystemExit(f'an example tried to connect to {address!r}')
    return connect(self, address)

socket.socket.connect = guarded
"""

Run: TypeAlias = Callable[..., 'subprocess.CompletedProcess[str]']
RunHere: TypeAlias = Callable[..., None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs an example in a process that reaches nothing beyond this machine."""
    (tmp_path / 'sitecustomize.py').write_text(NO_NETWORK, encoding='utf-8')
    environment = {name: value for name, value in os.environ.items() if name != 'CODEX_MODE'}
    environment |= {'PYTHONPATH': str(tmp_path), 'PYTHONIOENCODING': 'utf-8'}

    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(FOLDER / f'{name}.py'), *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            input='Hello\n',
            capture_output=True,
            encoding='utf-8',
            timeout=300,
        )

    return run


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch) -> RunHere:
    """Runs an example in this process."""
    monkeypatch.setattr('sys.path', [str(FOLDER), *sys.path])

    def run(name: str, *arguments: str) -> None:
        monkeypatch.setattr('sys.argv', [f'{name}.py', *arguments])
        runpy.run_path(str(FOLDER / f'{name}.py'), run_name='__main__')

    return run


def test_none_is_forgotten() -> None:
    programs = {path.stem for path in FOLDER.glob('*.py') if not path.name.startswith('_')}

    assert programs == {*TRANSCRIPTS, TESTS.stem}
    assert set(re.findall(r'examples/(\w+)\.py', (FOLDER / 'README.md').read_text(encoding='utf-8'))) == programs


@pytest.mark.parametrize('name', TRANSCRIPTS)
def test_it_runs_alone(run: Run, name: str) -> None:
    done = run(name)

    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('Simulated: gpt-5.5 answers from a script')
    assert re.search('.*'.join(map(re.escape, TRANSCRIPTS[name])), done.stdout, re.DOTALL), done.stdout


@pytest.mark.parametrize('name', TRANSCRIPTS)
def test_live_without_a_login_is_one_clear_line(run: Run, name: str) -> None:
    done = run(name, '--live')

    assert done.returncode == 1
    assert done.stdout.startswith('Live: gpt-5.5 on your login.')
    assert re.fullmatch(r'error: There is no login: .* `pydantic-ai-codex login` .*\n', done.stderr)


@pytest.mark.parametrize('name', TRANSCRIPTS)
def test_help_and_a_model_without_live(run_here: RunHere, capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as helped:
        run_here(name, '--help')
    with pytest.raises(SystemExit) as refused:
        run_here(name, '-m', 'gpt-5.5-high')

    assert (helped.value.code, refused.value.code) == (0, 2)
    captured = capsys.readouterr()
    assert '--live' in captured.out
    assert '-m goes with --live' in captured.err


def test_the_calls_of_one_turn_overlap(run: Run) -> None:
    lines = re.findall(r'  price\((\w+)\) (\w+)', run('parallel_tools').stdout)

    assert lines[:3] == [('Paris', 'begins'), ('Oslo', 'begins'), ('Rome', 'begins')]
    assert sorted(lines[3:]) == [('Oslo', 'ends'), ('Paris', 'ends'), ('Rome', 'ends')]


def test_the_tests_of_an_agent_pass() -> None:
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(TESTS)]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout


@pytest.mark.anyio
async def test_the_web_chat_keeps_its_visitors_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('sys.path', [str(FOLDER), *sys.path])
    app = import_module('web_chat').make_app(CodexSimulator(default=auto_reply).model('gpt-5.5'))

    def visitor() -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url='http://localhost')

    async with visitor() as ada, visitor() as bob, visitor() as eve:
        await ada.get('/')
        await ada.post('/messages', json={'text': '<i>Mine</i>'})
        page = await ada.get('/')
        assert page.text.count('&lt;i&gt;Mine&lt;/i&gt;') == 2
        assert page.headers['content-security-policy'].startswith("default-src 'none'")
        assert 'Mine' not in (await bob.get('/')).text
        eve.cookies.set('web_chat', 'made-up')
        assert (await eve.post('/messages', json={'text': 'Hello'})).status_code == 403
        assert (await ada.get('/', headers={'host': 'elsewhere.example'})).status_code == 400


# What `--live` does, with a simulator in the place of the backend. ---------------------------------------------------


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> CodexSimulator:
    """Where the connections of the library lead."""
    simulator = CodexSimulator(default=auto_reply)
    monkeypatch.setattr(http, 'make_client', simulator.http_client)
    return simulator


def test_live_chat_goes_on_where_it_ended(
    run_here: RunHere,
    backend: CodexSimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', backend.access_token)

    for typed in ('one\n\ntwo\n', 'three\n'):
        monkeypatch.setattr('sys.stdin', io.StringIO(typed))
        run_here('chat', '--live', str(tmp_path / 'chat.json'), '-m', 'gpt-5.4-low')

    assert '(4 messages in chat.json)' in capsys.readouterr().out
    heard = [[item['role'] for item in request.body['input'] if 'role' in item] for request in backend.requests]
    assert [roles.count('user') for roles in heard] == [1, 2, 3]
    assert {request.body['model'] for request in backend.requests} == {'gpt-5.4'}


@pytest.fixture
def logins(backend: CodexSimulator, tmp_path: Path) -> list[str]:
    """The login files of two accounts."""
    files: list[str] = []
    for account in ('first-id', 'second-id'):
        backend.oauth.sign_in_as(account)
        file = tmp_path / f'{account}.json'
        file.write_text(json.dumps(backend.auth_json(new_login=True)), encoding='utf-8')
        file.chmod(0o600)
        files.append(str(file))
    return files


def test_live_accounts_share_the_work(run_here: RunHere, backend: CodexSimulator, logins: list[str]) -> None:
    run_here('several_accounts', '--live', *logins)

    assert sorted(asked_accounts(backend)) == ['first-id', 'first-id', 'second-id', 'second-id']


def test_live_the_second_account_answers(
    run_here: RunHere, backend: CodexSimulator, logins: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    backend.add(usage_limit())

    run_here('fallback_on_limit', '--live', *logins)

    assert asked_accounts(backend) == ['first-id', 'second-id']
    assert 'Agent: Simulated answer to: Why is the sky blue?' in capsys.readouterr().out


def test_live_no_account_is_left(run_here: RunHere, backend: CodexSimulator, logins: list[str]) -> None:
    backend.add(usage_limit(), usage_limit())

    with pytest.raises(SystemExit, match=r'error: .*429[\s\S]*error: .*429'):
        run_here('fallback_on_limit', '--live', *logins)


def asked_accounts(backend: CodexSimulator) -> list[str]:
    return [request.headers['chatgpt-account-id'] for request in backend.requests]
