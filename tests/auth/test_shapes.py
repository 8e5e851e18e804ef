"""Login files as nobody would write them: any JSON at any key, and bytes that are no JSON at all."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import pytest
from pydantic_core import from_json

from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialsError
from pydantic_ai_codex.auth._file.content import login_in
from pydantic_ai_codex.errors import CredentialsSaveError

pytestmark = pytest.mark.anyio

NEW: Final = Credentials('at-new', 'rt-new', 'acct-1', 'it-new')

KNOWN: Final = (
    'auth_mode',
    'OPENAI_API_KEY',
    'tokens',
    'chatgpt',
    'access_token',
    'refresh_token',
    'account_id',
    'id_token',
    'expires_at',
    'last_refresh',
    'login_owner_id',
    'oauth_provenance',
)
"""Keys that a login is made of; the last two survive a refresh, and belong to no other login."""

OURS: Final = frozenset(KNOWN[:10])

TEXTS: Final = ('', 'a', 'chatgpt', 'apikey', 'ApiKey', 'x.y.z', 'ä\u2028\x00"\\', '\U0001f511', 'e30.e30.e30', '1e999')
NUMBERS: Final = (0, -1, 1, 2**53 + 1, 10**40, -(10**400), 1.5, 1e308, -0.0, 253402300800, 1795000000000, 10**15)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for a file that is torn for good, nor for the disk."""

    def no_disk(_: int) -> None: ...

    monkeypatch.setattr('pydantic_ai_codex.auth._file.reading.TORN_PAUSE', 0)
    monkeypatch.setattr('pydantic_ai_codex.auth._store.TORN_PAUSE', 0)
    monkeypatch.setattr(os, 'fsync', no_disk)


def value(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: chance.choice((True, False)),
        lambda: chance.choice(NUMBERS),
        lambda: chance.choice(TEXTS),
    ]
    if depth < 4:
        kinds.append(lambda: [value(chance, depth + 1) for _ in range(chance.randrange(4))])
        kinds.append(lambda: anything(chance, depth + 1))
    return chance.choice(kinds)()


def anything(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """An object with some of the keys that matter, and with others."""
    keys = chance.sample(KNOWN, chance.randrange(len(KNOWN))) + chance.sample(TEXTS, chance.randrange(3))
    chance.shuffle(keys)
    return {key: value(chance, depth + 1) for key in keys}


def nearly_right(chance: random.Random) -> dict[str, Any]:
    """A login as the CLI writes it, with one or two things changed, so that most of it works."""
    tokens: dict[str, Any] = {'access_token': 'at', 'refresh_token': 'rt', 'account_id': 'acct', 'id_token': 'it'}
    document: dict[str, Any] = {
        'auth_mode': 'chatgpt',
        'OPENAI_API_KEY': None,
        'tokens': tokens,
        'new': anything(chance),
    }
    for _ in range(chance.randrange(3)):
        chance.choice((document, tokens))[chance.choice((*KNOWN, *TEXTS))] = value(chance)
    return document


def unknown(document: dict[str, Any], ours: frozenset[str]) -> dict[str, Any]:
    """What of a document is not the login's, in the object itself and in those that may hold the tokens."""
    kept = {key: each for key, each in document.items() if key not in ours}
    for key in ('tokens', 'chatgpt'):
        if isinstance(document.get(key), dict):
            inner = cast('dict[str, Any]', document[key])
            kept[key] = {name: each for name, each in inner.items() if name not in ours}
    return kept


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from true and 1.0, and takes NaN for itself."""
    return repr(left) == repr(right)


@pytest.mark.parametrize('make', [anything, nearly_right])
@pytest.mark.parametrize('seed', range(8))
async def test_any_document(make: Callable[[random.Random], dict[str, Any]], seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    path = tmp_path / 'auth.json'
    for number in range(60):
        document = make(chance)
        path.write_bytes(json.dumps(document, ensure_ascii=chance.random() < 0.5).encode())
        path.chmod(0o600)
        try:
            old = await AuthFile(path).load()
        except CredentialsError:
            old = NEW
        assert old.access_token

        for credentials in (old, NEW) if old.auth_mode == 'chatgpt' else (NEW,):
            await AuthFile(path).save(credentials)
            saved = json.loads(path.read_bytes())
            assert await AuthFile(path).load() == credentials, (seed, number, document)
            ours = OURS if credentials is old and old is not NEW else frozenset(KNOWN)
            assert kept_in(saved, document, ours), (seed, number, document, saved)


def kept_in(saved: dict[str, Any], document: dict[str, Any], ours: frozenset[str]) -> bool:
    after = unknown(saved, ours)
    for key, each in unknown(document, ours).items():
        if key in ('tokens', 'chatgpt'):
            inner = {name: after.get(key, {}).get(name) for name in each}
            if not same(inner, each):
                return False
        elif not same(after.get(key), each):
            return False
    return True


@pytest.mark.parametrize('seed', range(4))
async def test_any_bytes(seed: int, tmp_path: Path) -> None:
    """What is cut or flipped is a login or an error of ours, and is never overwritten where it is no JSON object."""
    chance = random.Random(seed)
    path = tmp_path / 'auth.json'
    outcomes: set[str] = set()
    for _ in range(100):
        content = bytearray(json.dumps(nearly_right(chance)).encode())
        if chance.random() < 0.4:
            del content[chance.randrange(len(content)) :]
        for _ in range(chance.randrange(4) if content else 0):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        path.chmod(0o600)
        outcomes.add(await outcome(path, bytes(content)))

    assert outcomes >= {'loaded', 'not saved'}


async def outcome(path: Path, content: bytes) -> str:
    try:
        credentials = login_in(content)
    except ValueError:
        loads = False
    else:
        loads = True
        assert await AuthFile(path).load() == credentials
    try:
        await AuthFile(path).save(NEW)
    except CredentialsSaveError:
        assert path.read_bytes() == content  # noqa: ASYNC240
        assert not loads
        return 'not saved'
    assert await AuthFile(path).load() == NEW
    return 'loaded' if loads else 'not loaded'


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(b'{"tokens": {"access_token": "a\\ud800"}}', id='half a surrogate pair'),
        pytest.param(b'{"n": ' + b'9' * 5000 + b', "tokens": {"access_token": "a"}}', id='a number of 5000 digits'),
        pytest.param(b'[' * 100_000, id='100,000 lists deep'),
        pytest.param(b'{"a":' * 100_000, id='100,000 objects deep'),
        pytest.param(b'{"tokens": {"access_token": "a"}} {"tokens": {}}', id='two documents'),
        pytest.param(b'\x00' * 4096, id='zeros, as after a power cut'),
        pytest.param(b'\xff\xfe{\x00}\x00', id='UTF-16'),
    ],
)
async def test_what_json_does_not_hold(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / 'auth.json'
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(CredentialsError, match='is not whole JSON'):
        await AuthFile(path).load()
    with pytest.raises(CredentialsSaveError, match='is not whole JSON'):
        await AuthFile(path).save(NEW)
    assert path.read_bytes() == content


async def test_of_a_key_that_is_there_twice_the_last_one_counts(tmp_path: Path) -> None:
    path = tmp_path / 'auth.json'
    path.write_bytes(b'{"tokens": {"access_token": "a"}, "n": 1, "tokens": {"access_token": "b"}, "n": 2}')
    path.chmod(0o600)

    assert (await AuthFile(path).load()).access_token == 'b'
    await AuthFile(path).save(NEW)
    assert json.loads(path.read_bytes())['n'] == 2


async def test_numbers_beyond_json_survive(tmp_path: Path) -> None:
    path = tmp_path / 'auth.json'
    path.write_bytes(
        b'{"tokens": {"access_token": "a"}, "numbers": [NaN, Infinity, -Infinity, 1e400, ' + b'7' * 4000 + b']}'
    )
    path.chmod(0o600)
    await AuthFile(path).save(NEW)

    numbers = from_json(path.read_bytes())['numbers']
    assert math.isnan(numbers[0])
    assert numbers[1:4] == [math.inf, -math.inf, math.inf]
    assert str(numbers[4]) == '7' * 4000
