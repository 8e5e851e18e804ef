"""The worker's protocol: what a driver asks for, and what it is told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dirty_equals import IsFloat, IsInt, IsPartialDict, IsStr

from benchmarks import watch as watch_module
from benchmarks.logins import isolated
from benchmarks.profiling import table

ROOT = Path(__file__).parent.parent.parent
POSITIVE = IsFloat(gt=0)


@pytest.fixture
def port() -> Generator[int]:
    """The server, as a process of its own."""
    command = [sys.executable, '-m', 'benchmarks.server']
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())['port']
        server.stdin.close()


def answers(port: int, *orders: dict[str, Any], subject: str = 'ours') -> list[dict[str, Any]]:
    """What a worker for our model answers before it ends at the end of its input."""
    lines = ''.join(json.dumps(order) + '\n' for order in orders)
    command = [sys.executable, '-m', 'benchmarks.worker', subject, str(port)]
    done = subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_verb(port: int) -> None:
    about, check, stream, many, request, tokens, talk = answers(
        port,
        {'do': 'about'},
        {'do': 'check', 'stream': 'd', 'through': 'agent'},
        {'do': 'stream', 'stream': 'd', 'mode': 'chunks', 'through': 'model', 'count': 2},
        {'do': 'concurrent', 'stream': 'd', 'streams': 3, 'through': 'model'},
        {'do': 'request', 'messages': 10, 'tools': 10, 'count': 2, 'through': 'agent'},
        {'do': 'first_token', 'count': 2},
        {'do': 'conversation', 'turns': 2},
    )

    assert about == {'subject': 'ours', 'versions': IsPartialDict({'pydantic-ai-slim': IsStr})}
    assert check == {'problems': []}
    assert stream == {'cpu': POSITIVE, 'wall': POSITIVE, 'events': 20}
    assert many == {'cpu': POSITIVE, 'wall': POSITIVE, 'events': 30}
    assert request == {'cpu': POSITIVE, 'wall': POSITIVE, 'blocked': POSITIVE, 'body_bytes': IsInt(gt=10_000)}
    assert tokens == {'walls': [POSITIVE, POSITIVE]}
    assert talk == {'messages': 8}


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='only Linux says how much memory is in use')
def test_memory(port: int) -> None:
    assert answers(port, {'do': 'memory', 'requests': 2}) == [
        {'rss': {'0': IsInt(gt=0), '1': IsInt(gt=0), '2': IsInt(gt=0)}}
    ]


def test_a_login_can_be_in_a_file(port: int) -> None:
    assert answers(port, {'do': 'check', 'stream': 'd'}, subject='ours-file') == [{'problems': []}]


def test_a_profile_is_of_what_is_measured(port: int, tmp_path: Path) -> None:
    path = tmp_path / 'profile'
    (done,) = answers(port, {'do': 'profile', 'order': {'do': 'stream', 'stream': 'd'}, 'path': str(path)})

    assert done['events'] == 10
    assert 'operations.py' in table(str(path), 'cumulative')


def test_what_cannot_be_done_does_not_end_a_worker(port: int) -> None:
    said = answers(
        port,
        {'do': 'dance'},
        {'do': 'check', 'stream': 'z'},
        {'do': 'stream', 'stream': 'd', 'tempo': 2},
        {'do': 'quit'},
    )

    assert said == [
        {'error': IsStr(regex="There is no verb 'dance'; there are about, check, .*")},
        {'error': IsStr(regex='ModelNotFoundError: .*')},
        {'error': IsStr(regex='TypeError: .*tempo.*')},
        {},
    ]


def test_an_unknown_subject() -> None:
    command = [sys.executable, '-m', 'benchmarks.worker', 'theirs', '1']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "There is no subject 'theirs'; there are ours, " in done.stderr


def test_nothing_of_the_user_reaches_a_subject(tmp_path: Path) -> None:
    mine = {
        'PATH': os.defpath,
        'HOME': '/home/user',
        'OPENAI_API_KEY': 'sk-mine',
        'CODEX_ACCESS_TOKEN': 'mine',
        'https_proxy': 'http://proxy',
        'LOGFIRE_TOKEN': 'mine',
    }

    environment = isolated(mine, tmp_path)

    assert environment['PATH'] == os.defpath
    assert environment['HOME'] == str(tmp_path)
    assert environment.keys() & mine.keys() == {'PATH', 'HOME'}


def test_a_watch_sees_what_keeps_the_loop_from_running(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(watch_module, 'time', SimpleNamespace(perf_counter=lambda: now))
    watch = watch_module.Watch()

    async def turns() -> list[float]:
        nonlocal now
        found: list[float] = []
        now += 50  # before anybody watches
        watch.begin()
        for seconds in (3, 1, 5):  # the last of which has not ended yet
            await asyncio.sleep(0)
            now += seconds
            found.append(watch.longest())
        return found

    with asyncio.Runner(loop_factory=watch.loop) as runner:
        assert runner.run(turns()) == [3, 3, 5]


def test_what_litellm_is_measured_with_leaves_pydantic_ai_out() -> None:
    names = ('worker', 'operations', 'subjects.litellm')
    program = (
        f'import sys; {"; ".join(f"import benchmarks.{name}" for name in names)}; print("pydantic_ai" in sys.modules)'
    )

    done = subprocess.run([sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == 'False\n'
