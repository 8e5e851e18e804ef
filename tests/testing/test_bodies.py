"""The body of a request: how it is encoded, and what is none."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from pydantic_ai_codex.testing import CodexSimulator, reply

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Login = Callable[[CodexSimulator], dict[str, str]]
URL = 'https://chatgpt.com/backend-api/codex/responses'
NO_OBJECT = 'Request body must be a JSON object'
TOO_DEEP = 'Request body is nested too deeply'
ZSTD_MODULES = ('compression.zstd', 'backports.zstd', 'zstandard')


async def post(simulator: CodexSimulator, headers: dict[str, str], content: bytes) -> httpx2.Response:
    async with simulator.http_client() as client:
        return await client.post(URL, content=content, headers={'content-type': 'application/json', **headers})


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b'1' + b'}' * levels


@pytest.fixture
def no_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ZSTD_MODULES:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(
    ('headers', 'content', 'status', 'detail'),
    [
        pytest.param({}, b'{', 400, NO_OBJECT, id='no JSON'),
        pytest.param({}, b'[]', 400, NO_OBJECT, id='no object'),
        pytest.param({}, b'\xff', 400, NO_OBJECT, id='no text'),
        pytest.param({}, b'{"a": NaN}', 400, NO_OBJECT, id='NaN'),
        pytest.param({}, b'{"a": [-Infinity]}', 400, NO_OBJECT, id='Infinity'),
        pytest.param({}, b'[' * 200_000, 400, TOO_DEEP, id='deep array'),
        pytest.param({}, b'{"a":' * 200_000, 400, TOO_DEEP, id='deep object'),
        pytest.param({}, nested(300), 400, TOO_DEEP, id='deep, but whole'),
        pytest.param({'content-type': 'text/plain'}, b'{}', 415, 'Unsupported content type', id='content type'),
        pytest.param({'content-encoding': 'br'}, b'{}', 415, 'Unsupported content encoding: br', id='encoding'),
        pytest.param({'content-encoding': 'gzip'}, b'{}', 400, NO_OBJECT, id='no gzip'),
    ],
)
async def test_unreadable_body(headers: dict[str, str], content: bytes, status: int, detail: str, login: Login) -> None:
    simulator = CodexSimulator()
    response = await post(simulator, {**headers, **login(simulator)}, content)

    assert (response.status_code, response.json()) == (status, {'detail': detail})
    assert (simulator.requests[0].body, simulator.requests[0].content) == ({}, content)


async def test_a_schema_may_be_deep(login: Login) -> None:
    simulator = CodexSimulator(reply('Hi'), strict=False)

    assert (await post(simulator, login(simulator), nested(150))).status_code == 200


async def test_gzip(body: Json, login: Login) -> None:
    simulator = CodexSimulator(reply('Hi'))
    content = json.dumps(body).encode()
    response = await post(simulator, {**login(simulator), 'content-encoding': 'gzip'}, gzip.compress(content))

    assert response.status_code == 200
    assert (simulator.requests[0].body, simulator.requests[0].content) == (body, content)


@pytest.mark.usefixtures('no_zstd')
@pytest.mark.parametrize('module', ZSTD_MODULES)
async def test_zstd(body: Json, login: Login, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever library is there; zlib plays it here, behind the names of each."""
    decompressor = zlib.decompressobj
    if module == 'zstandard':
        decompressor = lambda: SimpleNamespace(decompressobj=zlib.decompressobj)  # noqa: E731
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(ZstdDecompressor=decompressor, ZstdError=zlib.error))
    simulator = CodexSimulator(reply('Hi'))
    headers = {**login(simulator), 'content-encoding': 'zstd'}

    damaged = await post(simulator, headers, b'{}')
    whole = await post(simulator, headers, zlib.compress(json.dumps(body).encode()))

    assert (damaged.status_code, damaged.json()) == (400, {'detail': NO_OBJECT})
    assert (whole.status_code, simulator.requests[1].body) == (200, body)


@pytest.mark.usefixtures('no_zstd')
async def test_zstd_without_a_library(login: Login) -> None:
    simulator = CodexSimulator()
    response = await post(simulator, {**login(simulator), 'content-encoding': 'zstd'}, b'')

    assert response.status_code == 415
    assert 'pip install zstandard' in response.json()['detail']


@pytest.mark.parametrize('model', ['gpt-é', 'gpt\n', 'gpt\ud800'])
async def test_a_model_that_no_header_can_hold(login: Login, model: str) -> None:
    simulator = CodexSimulator(reply('Hi'), strict=False)
    response = await post(simulator, login(simulator), json.dumps({'model': model}).encode())

    assert response.status_code == 200
    assert 'openai-model' not in response.headers
