"""What an import costs, and what it must not load; each is timed in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any

from .peers import NO_LITELLM, python_of

TIMEOUT = 120

ENVIRONMENT = {**os.environ, 'LITELLM_LOCAL_MODEL_COST_MAP': 'True'}
"""litellm downloads a list of prices when it is imported, unless it is told not to."""

PROGRAM = """
import json, sys, time
{first}
wall, cpu = time.perf_counter(), time.process_time()
{statement}
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
print(json.dumps({{'cpu': cpu, 'wall': wall, 'loaded': [name for name in {forbidden!r} if name in sys.modules]}}))
"""


@dataclass(frozen=True)
class Import:
    """A statement, the modules that it must not load, and what is imported before it, untimed."""

    statement: str
    forbidden: tuple[str, ...] = ()
    first: str = ''

    @property
    def title(self) -> str:
        """What a table calls it."""
        return f'`{self.statement}`' + (f', after `{self.first}`' if self.first else '')


IMPORTS = {
    'import pydantic_ai': Import('import pydantic_ai.models'),
    'import ours': Import('from pydantic_ai_codex import CodexModel', ('openai', 'aiohttp')),
    # Beside the two above, as their difference is lost in what else the machine does.
    'import ours-beyond': Import(
        'from pydantic_ai_codex import CodexModel', ('openai', 'aiohttp'), 'import pydantic_ai.models'
    ),
    'import ours-package': Import('import pydantic_ai_codex', ('openai', 'aiohttp', 'pydantic_ai')),
    'import ours-auth': Import('import pydantic_ai_codex.auth', ('openai', 'aiohttp', 'pydantic_ai')),
    'import upstream': Import('from pydantic_ai.models.openai_codex import OpenAICodexModel'),
    'import litellm': Import('import litellm'),
}


def timed(name: str) -> dict[str, Any]:
    """Import it in a fresh process; the seconds that the statement took, and what it loaded of the forbidden."""
    compile_all(name)
    return imported(name)


@cache
def compile_all(name: str) -> None:
    """Import it once before it is timed: whoever imports a module that was changed compiles it."""
    imported(name)


def imported(name: str) -> dict[str, Any]:
    """What a fresh process says of its import."""
    each, python = IMPORTS[name], python_of(name)
    if python is None:
        return {'unsupported': NO_LITELLM}
    program = PROGRAM.format(first=each.first, statement=each.statement, forbidden=each.forbidden)
    command = [python, '-c', program]
    try:
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return {'error': f'`{each.statement}` took more than {TIMEOUT} seconds'}
    if done.returncode != 0:
        return {'error': (done.stderr.strip().splitlines() or [f'it ended with {done.returncode}'])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
