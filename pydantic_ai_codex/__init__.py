"""Run pydantic-ai agents on a ChatGPT/Codex subscription.

The names below are imported when they are first used, so that `pydantic_ai_codex.auth` and the command line do not
pay for importing pydantic-ai.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._model.credential_source import CodexCredentialSource as CodexCredentialSource
    from ._model.model import CodexModel as CodexModel
    from ._model.provider import CodexProvider as CodexProvider
    from ._model.resolver import CodexModelIdResolver as CodexModelIdResolver
    from ._model.resolver import codex_model_id_resolver as codex_model_id_resolver
    from ._model.settings import CodexModelSettings as CodexModelSettings
    from ._policy import TransportPolicy as TransportPolicy
    from ._transport.aiohttp_client import aiohttp_client as aiohttp_client
    from .errors import CodexError as CodexError

    __version__: str

__all__ = (
    'CodexCredentialSource',
    'CodexError',
    'CodexModel',
    'CodexModelIdResolver',
    'CodexModelSettings',
    'CodexProvider',
    'TransportPolicy',
    'aiohttp_client',
    'codex_model_id_resolver',
)

_HOMES = {
    'CodexCredentialSource': '._model.credential_source',
    'CodexError': '.errors',
    'CodexModel': '._model.model',
    'CodexModelIdResolver': '._model.resolver',
    'CodexModelSettings': '._model.settings',
    'CodexProvider': '._model.provider',
    'TransportPolicy': '._policy',
    'aiohttp_client': '._transport.aiohttp_client',
    'codex_model_id_resolver': '._model.resolver',
}


if not TYPE_CHECKING:  # else every name would count as there

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            value = getattr(import_module(_HOMES[name], __name__), name)
            globals()[name] = value
            return value
        if name == '__version__':
            from importlib.metadata import version

            return version('pydantic-ai-codex')
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted((*__all__, '__version__'))
