"""A login that is worth nothing, and an environment in which there is no other."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ACCOUNT_ID: Final = '00000000-0000-4000-8000-00000000beac'

_KEPT: Final = ('PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'PYTHONPATH', 'SYSTEMROOT', 'VIRTUAL_ENV')
"""What a worker keeps of its environment; whatever else there is may name logins, proxies or who wants to be told."""


def access_token() -> str:
    """An unsigned token with the claims that a ChatGPT login carries; it expires in ten days."""
    claims: dict[str, Any] = {
        'exp': int(time.time()) + 10 * 24 * 3600,
        'https://api.openai.com/auth': {'chatgpt_account_id': ACCOUNT_ID, 'chatgpt_plan_type': 'plus'},
    }
    return '.'.join(map(_encoded, ({'alg': 'none', 'typ': 'JWT'}, claims, 'unsigned')))


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip('=')


def login_file() -> Path:
    """A file with the login, as the Codex CLI writes it, in the isolated home."""
    tokens = {'id_token': access_token(), 'access_token': access_token(), 'refresh_token': '', 'account_id': ACCOUNT_ID}
    path = Path(os.environ['CODEX_HOME'], 'auth.json')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({'auth_mode': 'chatgpt', 'tokens': tokens}), encoding='utf-8')
    path.chmod(0o600)
    return path


def isolated(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment of a worker: nothing of the user's, nothing to be fetched, nobody to be told."""
    folders = {
        'HOME': home,
        'USERPROFILE': home,
        'CODEX_HOME': home / 'codex',
        'CODEX_CACHE_DIR': home / 'codex-cache',
        'XDG_CACHE_HOME': home / 'cache',
        'XDG_CONFIG_HOME': home / 'config',
        'XDG_DATA_HOME': home / 'data',
        'CHATGPT_TOKEN_DIR': home / 'litellm',
    }
    return {
        **{name: value for name, value in environment.items() if name.upper() in _KEPT},
        **{name: str(folder) for name, folder in folders.items()},
        'LITELLM_LOCAL_MODEL_COST_MAP': 'True',
        'HF_HUB_OFFLINE': '1',
        'NO_PROXY': '127.0.0.1,localhost',
    }


def isolate(home: Path) -> None:
    """Make it the environment of this process; call it before anything that reads its environment when imported."""
    environment = isolated(os.environ, home)
    os.environ.clear()
    os.environ.update(environment)
