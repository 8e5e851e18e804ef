"""The worker's protocol: what a driver asks for, and what it is told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from dirty_equals import IsFloat, IsInt, IsPartialDict, IsStr

from benchmarks.logins import isolated
from benchmarks.watch import Watch

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


def answers(port: int, *orders: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker for our model answers before it ends at the end of its input."""
    lines = ''.join(json.dumps(order) + '\n' for order in orders)
    command = [sys.executable, '-m', 'benchmarks.worker', 'ours', str(port)]
    done = subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_verb(port: int) -> None:
    about, check, stream, many, request, tokens, talk = answers(
        port,
        {'do': 'about'},
        {'do': 'check', 'stream': 'd', 'through': 'agent'},
        {'do': 'stream', 'stream': 'd', 'mode': 'block', 'through': 'model', 'count': 2},
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


def test_a_watch_sees_what_keeps_the_loop_from_running() -> None:
    async def block() -> tuple[float, float]:
        async with Watch() as watch:
            await asyncio.sleep(0)
            began = time.perf_counter()
            sum(range(300_000))
            blocked = time.perf_counter() - began
        return watch.longest, blocked

    longest, blocked = asyncio.run(block())

    assert longest >= blocked
