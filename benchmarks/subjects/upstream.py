"""pydantic-ai's own model for the same backend."""

from __future__ import annotations

from typing import ClassVar

from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openai_codex import OpenAICodexModel
from pydantic_ai.providers.openai_codex import OpenAICodexProvider

from ..logins import ACCOUNT_ID, access_token
from ..streams import MODEL
from .models import ModelSubject, stock_client


class Upstream(ModelSubject):
    """`OpenAICodexModel`.

    Its provider has one base URL and sends a login there alone, over https. Elsewhere it takes an SDK client as it is,
    which then carries the login itself. That leaves out the check, with each request, whether the login is due, so it
    is measured as a little faster than it is.
    """

    provider_name: ClassVar[str] = 'openai-codex'
    packages: ClassVar[tuple[str, ...]] = ('openai', 'httpx2')

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._client = AsyncOpenAI(
            api_key=access_token(),
            base_url=f'http://127.0.0.1:{port}',
            default_headers={'chatgpt-account-id': ACCOUNT_ID, 'originator': 'pydantic-ai'},
            http_client=stock_client(),
        )

    def make_model(self, base_url: str) -> Model:
        client = self._client.with_options(base_url=base_url)
        return OpenAICodexModel(MODEL, provider=OpenAICodexProvider(openai_client=client))

    async def aclose(self) -> None:
        await self._client.close()
