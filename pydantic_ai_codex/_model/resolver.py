"""Names of models for agents: `Agent('codex:...')`."""

from __future__ import annotations

from typing import Any, Final

from pydantic_ai.models import Model, ModelResolutionContext

from .._protocol.model_names import MODEL_PREFIXES
from .model import CodexModel
from .provider import CodexProvider


class CodexModelIdResolver:
    """Makes `Agent('codex:gpt-5.5-high', capabilities=[ResolveModelId(resolver)])` work.

    The models it makes share one provider, and with it the connections.

    Args:
        provider: The login and the connection; by default one for the login that the environment points to.
    """

    def __init__(self, provider: CodexProvider | None = None) -> None:
        self._provider = provider

    def __call__(self, ctx: ModelResolutionContext[Any], model_id: str) -> Model | None:
        """The model for an id with one of the prefixes `codex:`, `codex/`, `codex-oauth/` and `codex_oauth/`.

        Args:
            ctx: The run that asks; not used.
            model_id: The id.

        Returns:
            The model, or `None` to leave other ids to others.

        Raises:
            UserError: If the name behind the prefix cannot be read.
        """
        if not model_id.lower().startswith(MODEL_PREFIXES):
            return None
        if self._provider is None:
            self._provider = CodexProvider()
        return CodexModel(model_id, provider=self._provider)


codex_model_id_resolver: Final = CodexModelIdResolver()
"""A resolver for the login that the environment points to."""
