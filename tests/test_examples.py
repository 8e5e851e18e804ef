"""Every example runs as a program of its own: alone, offline and without a login, and says so where `--live` has none."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import shlex
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpx2
import pytest

from pydantic_ai_codex._transport import http
from pydantic_ai_codex.auth import own_auth_path
from pydantic_ai_codex.testing import CodexSimulator, auto_reply, fail, reply, usage_limit

from .auth.chromium import CHROMIUM, chromium

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

NO_LOGIN = r'error: There is no login: .* `pydantic-ai-codex login` .*\n'
TWO_LOGINS = r'error: This takes two accounts: give two LOGIN files\. `pydantic-ai-codex login --store PATH` .*\n'
WITHOUT_LOGIN = {
    'fallback_on_limit': TWO_LOGINS,
    'several_accounts': TWO_LOGINS,
    'web_chat': r'There was no answer: There is no login: .*\nerror: There is no answer just now\. .*\n',
}
"""What they say without one, where it is not `NO_LOGIN`."""

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
    assert done.stdout.startswith('Simulated: gpt-6-sol answers from a script')
    assert re.search('.*'.join(map(re.escape, TRANSCRIPTS[name])), done.stdout, re.DOTALL), done.stdout


@pytest.mark.parametrize('name', TRANSCRIPTS)
def test_live_without_a_login_is_clear(run: Run, name: str) -> None:
    done = run(name, '--live')

    assert done.returncode == 1
    assert done.stdout.startswith('Live: gpt-6-sol on your login.')
    assert re.fullmatch(WITHOUT_LOGIN.get(name, NO_LOGIN), done.stderr)


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


@pytest.mark.parametrize('name', ['chat', 'streaming_thinking', 'weather_agent', 'web_chat'])
def test_nobody_has_to_listen(name: str) -> None:
    assert (done := in_a_shell(name, '>&-')).returncode == 0, done.stderr
    assert done.stderr == ''


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='there is no device that is always full')
@pytest.mark.parametrize('unbuffered', ['', '1'])
@pytest.mark.parametrize('name', ['structured_output', 'weather_agent'])
def test_an_output_that_cannot_be_written_is_one_line(name: str, unbuffered: str) -> None:
    done = in_a_shell(name, '>/dev/full', PYTHONUNBUFFERED=unbuffered)

    assert done.returncode == 1
    assert re.fullmatch(r'error: .*No space left on device\n', done.stderr)


@pytest.mark.parametrize('unbuffered', ['', '1'])
@pytest.mark.parametrize('name', ['structured_output', 'weather_agent'])
def test_whoever_has_seen_enough_may_go(name: str, unbuffered: str) -> None:
    done = in_a_shell(name, '| true', PYTHONUNBUFFERED=unbuffered)

    assert (done.returncode, done.stderr) == (0, '')


@pytest.mark.parametrize('name', ['chat', 'weather_agent'])
def test_a_terminal_may_lack_characters(name: str) -> None:
    done = in_a_shell(name, '', PYTHONIOENCODING='ascii')

    assert (done.returncode, done.stderr) == (0, '')
    assert re.search(r'v\\xe6r s\\xe5 god|21 \\xb0C', done.stdout)


def in_a_shell(name: str, redirection: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = f'{shlex.join([sys.executable, str(FOLDER / f"{name}.py")])} {redirection}'
    return subprocess.run(
        command, shell=True, env=os.environ | environment, capture_output=True, encoding='utf-8', timeout=300
    )


def test_the_calls_of_one_turn_overlap(run: Run) -> None:
    lines = re.findall(r'  price\((\w+)\) (\w+)', run('parallel_tools').stdout)

    assert lines[:3] == [('Paris', 'begins'), ('Oslo', 'begins'), ('Rome', 'begins')]
    assert sorted(lines[3:]) == [('Oslo', 'ends'), ('Paris', 'ends'), ('Rome', 'ends')]


def test_the_tests_of_an_agent_pass() -> None:
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(TESTS)]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout


# The chat in the browser. ----------------------------------------------------------------------------------------------


@pytest.fixture
def web_chat(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr('sys.path', [str(FOLDER), *sys.path])
    return import_module('web_chat')


@asynccontextmanager
async def visitor(app: Any) -> AsyncGenerator[httpx2.AsyncClient]:
    """A browser that has loaded the page."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url='http://localhost') as browser:
        await browser.get('/')
        yield browser


@pytest.mark.anyio
async def test_the_web_chat_keeps_its_visitors_apart(web_chat: Any) -> None:
    app = web_chat.make_app(CodexSimulator(default=auto_reply).model('gpt-5.5'))

    async with app.router.lifespan_context(app), visitor(app) as ada, visitor(app) as bob, visitor(app) as eve:
        await ada.post('/messages', json={'text': '<i>Mine</i>'})
        page = await ada.get('/')
        assert page.text.count('&lt;i&gt;Mine&lt;/i&gt;') == 2
        assert page.headers['content-security-policy'].startswith("default-src 'none'")
        assert 'Mine' not in (await bob.get('/')).text
        eve.cookies.clear()
        eve.cookies.set('web_chat', 'made-up')
        assert (await eve.post('/messages', json={'text': 'Hello'})).status_code == 403
        assert (await ada.get('/', headers={'host': 'elsewhere.example'})).status_code == 400


@pytest.mark.anyio
async def test_the_web_chat_tells_its_log_what_it_does_not_tell_its_visitors(
    web_chat: Any, caplog: pytest.LogCaptureFixture
) -> None:
    refused = fail(400, detail='secret words')
    app = web_chat.make_app(CodexSimulator(usage_limit(), refused, reply('Hello')).model('gpt-5.5'))

    async with app.router.lifespan_context(app), visitor(app) as browser:
        answers = [(await browser.post('/messages', json={'text': 'Hi'})).text for _ in range(3)]
        page = (await browser.get('/')).text

    assert re.fullmatch(r'{"error": "The plan is used up until \w+, \d\d:\d\d."}\n', answers[0])
    assert answers[1:] == [
        '{"error": "There is no answer just now. Please try again later."}\n',
        '{"text": "Hello"}\n',
    ]
    assert 'usage_limit_reached' in caplog.text
    assert 'secret words' in caplog.text
    assert page.count('Hi</p>') == 1  # What was not answered is not kept.


@pytest.mark.anyio
async def test_the_web_chat_outlives_a_mistake_of_its_own(
    web_chat: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = web_chat.make_app(CodexSimulator(reply('Hello')).model('gpt-5.5'))

    async with app.router.lifespan_context(app), visitor(app) as browser:
        with monkeypatch.context() as broken:
            broken.setattr(web_chat.agent, 'run_stream_events', None)
            answer = await browser.post('/messages', json={'text': 'Hi'})
        assert answer.text == '{"error": "There is no answer just now. Please try again later."}\n'
        assert 'TypeError' in caplog.text
        assert (await browser.post('/messages', json={'text': 'Hi'})).text == '{"text": "Hello"}\n'


@pytest.mark.anyio
async def test_an_answer_is_kept_for_a_visitor_who_is_gone(web_chat: Any) -> None:
    app = web_chat.make_app(CodexSimulator(reply('one two'), reply('again')).model('gpt-5.5'))

    async with app.router.lifespan_context(app), visitor(app) as browser:
        await leave_at_the_first_piece(app, browser.cookies['web_chat'])
        with anyio.fail_after(60):
            answer = await browser.post('/messages', json={'text': 'Still there?'})
        page = (await browser.get('/')).text

    assert answer.text == '{"text": "again"}\n'
    assert re.findall('<p class="agent">(.*)</p>', page) == ['one two', 'again']


async def leave_at_the_first_piece(app: Any, key: str) -> None:
    """Ask, and have a server that waits in `send` for a slow reader when the connection is lost."""
    gone = anyio.Event()
    received = iter([{'type': 'http.request', 'body': b'{"text": "Hi"}', 'more_body': False}])

    async def receive() -> dict[str, Any]:
        if request := next(received, None):
            return request
        await gone.wait()
        return {'type': 'http.disconnect'}

    async def send(message: dict[str, Any]) -> None:
        if message.get('body'):
            gone.set()
            await anyio.sleep_forever()

    headers = {'host': 'localhost', 'content-type': 'application/json', 'cookie': f'web_chat={key}'}
    scope: dict[str, Any] = {
        'type': 'http',
        'asgi': {'version': '3.0', 'spec_version': '2.3'},
        'method': 'POST',
        'path': '/messages',
        'query_string': b'',
        'headers': [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)


@pytest.mark.anyio
@pytest.mark.parametrize('text', ['""', '"   "', '"\\ud800"', '7', f'"{"x" * 4001}"'])
async def test_what_is_no_message_is_refused(web_chat: Any, text: str) -> None:
    app = web_chat.make_app(CodexSimulator().model('gpt-5.5'))

    async with app.router.lifespan_context(app), visitor(app) as browser:
        headers = {'content-type': 'application/json'}
        refused = await browser.post('/messages', content=f'{{"text": {text}}}', headers=headers)

    assert (refused.status_code, refused.text) == (422, 'That is no message.')


@pytest.mark.anyio
async def test_the_oldest_chats_end(web_chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_chat, 'MANY', 2)
    app = web_chat.make_app(CodexSimulator(default=auto_reply).model('gpt-5.5'))

    async with app.router.lifespan_context(app), visitor(app) as ada, visitor(app) as bob:
        await ada.get('/')  # She is not the oldest any more.
        async with visitor(app):
            statuses = [(await each.post('/messages', json={'text': 'Hi'})).status_code for each in (ada, bob)]

    assert statuses == [200, 403]


@pytest.mark.skipif(CHROMIUM is None, reason='there is no Chromium on the PATH')
@pytest.mark.anyio
async def test_the_page_in_a_browser(web_chat: Any, tmp_path: Path) -> None:
    simulator = CodexSimulator(reply('One.'), usage_limit(), reply('Two.'))

    def visit(url: str) -> None:
        with chromium(tmp_path / 'profile') as page:
            page.open(url)
            page.wait_for('form')
            page.evaluate("['first', 'second'].forEach(text => { form.text.value = text; form.requestSubmit(); })")
            page.wait_for('input:not([readonly])')
            assert page.evaluate('form.text.value') == 'second'  # It was not sent while the first was answered.
            page.evaluate('form.requestSubmit()')
            page.wait_for('.error')
            assert page.evaluate('form.text.value') == 'second'
            assert page.evaluate("[...document.querySelectorAll('main p')].length") == 3
            page.evaluate('form.requestSubmit()')
            page.wait_for('p:nth-child(4)')
            page.wait_for('input:not([readonly])')
            shown = page.evaluate("document.querySelector('main').innerText")
            page.open(f'data:text/html,<a href="{url}">From another site</a>')
            page.wait_for('a')
            page.click('a')
            page.wait_for('form')
            assert page.evaluate("document.querySelector('main').innerText") == shown

    async with served(web_chat.make_app(simulator.model('gpt-5.5'))) as url:
        await anyio.to_thread.run_sync(visit, url)

    simulator.assert_exhausted()


@asynccontextmanager
async def served(app: Any) -> AsyncGenerator[str]:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level='warning'))
    with socket.create_server(('127.0.0.1', 0)) as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            yield f'http://127.0.0.1:{listener.getsockname()[1]}/'
            server.should_exit = True


@pytest.mark.parametrize('port', ['-1', '65536', 'x'])
def test_a_port_that_is_none(run_here: RunHere, capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit, match='2'):
        run_here('web_chat', '--port', port)

    assert f"argument --port: invalid port value: '{port}'" in capsys.readouterr().err


def test_a_port_that_is_taken(run_here: RunHere) -> None:
    with (
        socket.create_server(('127.0.0.1', 0)) as taken,
        pytest.raises(SystemExit, match=r'(?i)^error: .*address already in use'),
    ):
        run_here('web_chat', '--port', str(taken.getsockname()[1]))


def test_what_the_web_chat_needs(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'uvicorn', None)

    with pytest.raises(SystemExit, match=r'^error: .*uvicorn.* Run `pip install fastapi uvicorn`\.$'):
        run_here('web_chat')


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
def typed(
    run_here: RunHere, backend: CodexSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Types into the chat of a file."""
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', backend.access_token)

    def type_in(text: str, file: Path = tmp_path / 'chat.json') -> None:
        monkeypatch.setattr('sys.stdin', io.StringIO(text))
        run_here('chat', '--live', str(file))

    return type_in


@pytest.mark.skipif(os.name == 'nt', reason='files have no modes there')
def test_a_chat_is_for_nobody_elses_eyes(typed: Callable[..., None], tmp_path: Path) -> None:
    file, link = tmp_path / 'chat.json', tmp_path / 'link.json'
    link.symlink_to(file)

    typed('one\n', link)

    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob('*.json*')) == ['chat.json', 'link.json']


def test_a_chat_goes_on_after_an_error(
    typed: Callable[..., None], backend: CodexSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.add(reply('half an answer', ending='failed', error_code='invalid_prompt'), usage_limit())

    typed('one\ntwo\nthree\n')

    out, err = capsys.readouterr()
    assert re.search(r'User: Agent: .*\nUser: User: Agent: Simulated answer to: three\nUser: \n$', out)
    broken_off, used_up = err.splitlines()
    assert broken_off.startswith('error: ')
    assert used_up.startswith('error: The backend answered 429: The usage limit')
    assert [item['role'] for item in backend.requests[-1].body['input']] == ['user']  # What failed is not in it.


@pytest.mark.parametrize('content', ['', '{"torn":', '[1]'])
def test_a_file_that_is_no_chat_stays(typed: Callable[..., None], tmp_path: Path, content: str) -> None:
    (tmp_path / 'chat.json').write_text(content, encoding='utf-8')

    with pytest.raises(SystemExit, match=r'^error: .*chat\.json holds no chat\. Choose another file\.$'):
        typed('one\n')

    assert (tmp_path / 'chat.json').read_text(encoding='utf-8') == content


@pytest.mark.parametrize('name', ['', 'nowhere/chat.json'])
def test_a_chat_that_could_not_be_kept_is_not_begun(
    typed: Callable[..., None], backend: CodexSimulator, tmp_path: Path, name: str
) -> None:
    with pytest.raises(SystemExit, match=r'^error: .*'):
        typed('one\n', tmp_path / name)

    assert not backend.requests


@pytest.mark.parametrize(
    ('name', 'shown'), [('chat', 'FILE'), ('several_accounts', 'LOGIN'), ('fallback_on_limit', 'LOGIN')]
)
def test_files_go_with_live(run_here: RunHere, capsys: pytest.CaptureFixture[str], name: str, shown: str) -> None:
    with pytest.raises(SystemExit, match='2'):
        run_here(name, 'some.json')

    assert f'{shown} goes with --live' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['tool_calling', 'weather_agent'])
def test_live_the_readable_part_of_an_error_is_shown(
    run_here: RunHere, backend: CodexSimulator, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv('CODEX_ACCESS_TOKEN', backend.access_token)
    backend.add(usage_limit())

    with pytest.raises(SystemExit, match=r'^error: The backend answered 429: The usage limit') as failed:
        run_here(name, '--live')

    assert 'status_code' not in str(failed.value)


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


def test_live_accounts_are_those_that_there_are(
    run_here: RunHere, backend: CodexSimulator, logins: list[str], isolated: Path
) -> None:
    places = [isolated / '.codex' / 'auth.json', own_auth_path()]

    for login, place in zip(logins, places, strict=True):
        with pytest.raises(SystemExit, match='give two LOGIN files'):
            run_here('several_accounts', '--live')
        place.parent.mkdir(parents=True)
        Path(login).rename(place)
    run_here('several_accounts', '--live')

    assert set(asked_accounts(backend)) == {'first-id', 'second-id'}


def test_live_the_second_account_answers(
    run_here: RunHere, backend: CodexSimulator, logins: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    backend.add(usage_limit())

    run_here('fallback_on_limit', '--live', *logins)

    assert asked_accounts(backend) == ['first-id', 'second-id']
    assert 'Agent: Simulated answer to: Why is the sky blue?' in capsys.readouterr().out


def test_live_no_account_is_left(run_here: RunHere, backend: CodexSimulator, logins: list[str]) -> None:
    backend.add(usage_limit(), usage_limit())

    with pytest.raises(SystemExit, match=r'^error: The backend .*\nerror: The backend .*$'):
        run_here('fallback_on_limit', '--live', *logins)


def asked_accounts(backend: CodexSimulator) -> list[str]:
    return [request.headers['chatgpt-account-id'] for request in backend.requests]
