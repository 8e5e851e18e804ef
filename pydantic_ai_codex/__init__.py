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
    from ._policy import Retry as Retry
    from ._policy import TransportPolicy as TransportPolicy
    from ._protocol.catalog import ModelCatalog as ModelCatalog
    from ._protocol.model_facts import ModelInfo as ModelInfo
    from ._protocol.model_facts import RetiredModel as RetiredModel
    from ._protocol.rate_limits import Credits as Credits
    from ._protocol.rate_limits import RateLimitAlert as RateLimitAlert
    from ._protocol.rate_limits import RateLimits as RateLimits
    from ._protocol.rate_limits import RateLimitWindow as RateLimitWindow
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
    'Credits',
    'ModelCatalog',
    'ModelInfo',
    'RateLimitAlert',
    'RateLimitWindow',
    'RateLimits',
    'RetiredModel',
    'Retry',
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
    'Credits': '._protocol.rate_limits',
    'ModelCatalog': '._protocol.catalog',
    'ModelInfo': '._protocol.model_facts',
    'RateLimitAlert': '._protocol.rate_limits',
    'RateLimitWindow': '._protocol.rate_limits',
    'RateLimits': '._protocol.rate_limits',
    'RetiredModel': '._protocol.model_facts',
    'Retry': '._policy',
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
