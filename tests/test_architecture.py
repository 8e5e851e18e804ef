"""The arrows of allowed imports, and the public names."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / 'pydantic_ai_codex'

HEAVY = {'pydantic_ai', 'openai', 'httpx', 'httpx2', 'uvicorn', 'filelock', 'platformdirs', 'pytest', 'logfire'}


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads in a new interpreter."""
    code = f'{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))'
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout))


def top_level(modules: set[str]) -> set[str]:
    return {module.partition('.')[0] for module in modules}


@pytest.mark.parametrize(
    ('statement', 'heavy'),
    [
        ('import pydantic_ai_codex', set[str]()),
        ('import pydantic_ai_codex.errors', set[str]()),
        ('import pydantic_ai_codex._cli', set[str]()),
        ('import pydantic_ai_codex.auth', set[str]()),
        ('import pydantic_ai_codex._client', {'httpx2'}),
        ('import pydantic_ai_codex.testing', {'httpx2'}),
        ('from pydantic_ai_codex import CodexModel', {'httpx2', 'pydantic_ai'}),
    ],
)
def test_what_an_import_costs(statement: str, heavy: set[str]) -> None:
    loaded = top_level(loaded_by(statement)) & HEAVY

    # pydantic-ai itself loads logfire's API and, where it is there, more.
    assert loaded - {'logfire'} == heavy


def test_the_model_loads_nothing_that_only_a_request_needs() -> None:
    loaded = loaded_by('from pydantic_ai_codex import CodexModel, CodexProvider')

    lazy = ('_account.', '_protocol.catalog', '_protocol.rate_limits', '_instructions.cache')
    assert {name for name in loaded if name.removeprefix('pydantic_ai_codex.').startswith(lazy)} == set()


def test_the_pytest_plugin_loads_nothing_of_ours() -> None:
    ours = {name for name in loaded_by('import pydantic_ai_codex.pytest_plugin') if name.startswith('pydantic_ai')}

    assert ours == {'pydantic_ai_codex', 'pydantic_ai_codex.pytest_plugin'}


LAYERS = [
    'pydantic_ai_codex.errors',
    'pydantic_ai_codex._environment',
    'pydantic_ai_codex._debug',
    'pydantic_ai_codex._clock',
    'pydantic_ai_codex._urls',
    'pydantic_ai_codex._user_agent',
    'pydantic_ai_codex._http_client',
    'pydantic_ai_codex._http_reply',
    'pydantic_ai_codex._lock',
    'pydantic_ai_codex._cache_files',
    'pydantic_ai_codex._callbacks',
    'pydantic_ai_codex._protocol',
    'pydantic_ai_codex._policy',
    'pydantic_ai_codex._limits',
    'pydantic_ai_codex.auth',
    'pydantic_ai_codex._instructions',
    'pydantic_ai_codex._transport',
    'pydantic_ai_codex._account',
    'pydantic_ai_codex._stream',
    'pydantic_ai_codex._advice',
    'pydantic_ai_codex._recovery',
    'pydantic_ai_codex._sending',
    'pydantic_ai_codex._client',
    'pydantic_ai_codex._model',
    'pydantic_ai_codex._cli',
]
"""Each may import what stands before it, and nothing behind it."""


def modules_of(layer: str) -> list[str]:
    path = PACKAGE.parent.joinpath(*layer.split('.'))
    if not path.is_dir():
        return [layer]
    return sorted(
        '.'.join(module.relative_to(PACKAGE.parent).with_suffix('').parts)
        for module in path.rglob('*.py')
        if module.stem != '__init__'
    )


def test_every_module_has_a_layer() -> None:
    tops = {path.stem for path in PACKAGE.iterdir() if path.suffix == '.py' or (path / '__init__.py').exists()}

    known = {layer.rpartition('.')[2] for layer in LAYERS}
    assert tops - known == {'__init__', '__main__', 'pytest_plugin', 'testing'}


@pytest.mark.parametrize('position', range(len(LAYERS)), ids=LAYERS)
def test_nothing_imports_to_its_right(position: int) -> None:
    statement = '\n'.join(f'import {module}' for module in modules_of(LAYERS[position]))

    forbidden = {*LAYERS[position + 1 :], 'pydantic_ai_codex.testing'}
    assert loaded_by(statement) & forbidden == set()


def test_the_protocol_has_no_io() -> None:
    statement = '\n'.join(f'import {module}' for module in modules_of('pydantic_ai_codex._protocol'))
    source = ''.join(path.read_text(encoding='utf-8') for path in (PACKAGE / '_protocol').rglob('*.py'))

    assert top_level(loaded_by(statement)) & {'anyio', 'httpx2', 'asyncio', 'logging', 'pydantic_ai', 'socket'} == set()
    for forbidden in ('import os', 'import time', 'import logging', 'Path(', 'datetime.now'):
        assert forbidden not in source


def test_the_simulator_does_not_share_the_decoder() -> None:
    ours = {name for name in loaded_by('import pydantic_ai_codex.testing') if name.startswith('pydantic_ai_codex.')}

    assert {name for name in ours if not name.startswith('pydantic_ai_codex.testing')} == {
        'pydantic_ai_codex._protocol',
        'pydantic_ai_codex._protocol.constants',
        'pydantic_ai_codex._protocol.model_facts',
        'pydantic_ai_codex._urls',
        'pydantic_ai_codex.errors',
    }


def test_only_the_model_imports_pydantic_ai() -> None:
    importers = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob('*.py')
        if any(
            line.startswith(('from pydantic_ai.', 'from pydantic_ai ', 'import pydantic_ai\n'))
            for line in path.read_text(encoding='utf-8').splitlines()
        )
    }

    assert importers == {'_model'}


@pytest.mark.parametrize('module', ['', '.auth', '.errors', '.testing'])
def test_public_names_are_there_and_sorted(module: str) -> None:
    public = importlib.import_module(f'pydantic_ai_codex{module}')

    assert list(public.__all__) == sorted(public.__all__)
    assert len(set(public.__all__)) == len(public.__all__)
    assert set(public.__all__) <= set(dir(public))
    for name in public.__all__:
        getattr(public, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    import pydantic_ai_codex

    with pytest.raises(AttributeError, match='CodexAgent'):
        pydantic_ai_codex.CodexAgent  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def test_the_version_is_that_of_the_distribution() -> None:
    import pydantic_ai_codex

    assert pydantic_ai_codex.__version__.count('.') == 2
