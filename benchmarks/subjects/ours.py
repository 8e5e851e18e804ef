"""This library: on the HTTP client that is passed in, and on the transport that has to be asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import httpx2
from pydantic_ai.models import Model

from pydantic_ai_codex import CodexModel, CodexModelSettings, CodexProvider
from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialStore

from ..logins import ACCOUNT_ID, access_token, login_file
from ..streams import MODEL
from .models import ModelSubject, stock_client


class Ours(ModelSubject):
    """`CodexModel` with a stock `httpx2.AsyncClient`."""

    provider_name: ClassVar[str] = 'codex'
    packages: ClassVar[tuple[str, ...]] = ('pydantic-ai-codex', 'httpx2')

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._client: httpx2.AsyncClient | None = None
        self._credentials = self.credentials()

    def credentials(self) -> Credentials | CredentialStore:
        """What all its providers get."""
        return Credentials(access_token(), account_id=ACCOUNT_ID)

    def http_client(self) -> httpx2.AsyncClient | Callable[[], httpx2.AsyncClient]:
        """What the providers get."""
        if self._client is None:
            self._client = stock_client()
        return self._client

    def make_model(self, base_url: str) -> Model:
        provider = CodexProvider(credentials=self._credentials, base_url=base_url, http_client=self.http_client())
        # pydantic-ai's own model sends the agent's instructions and no others.
        return CodexModel(MODEL, provider=provider, settings=CodexModelSettings(codex_instructions='agent'))

    async def aclose(self) -> None:
        """Close the client that was passed in; the connections made after its pattern end with the event loop."""
        if self._client is not None:
            await self._client.aclose()


class OursFile(Ours):
    """The same with the login in a file, which is looked at with each request; for an environment that is isolated."""

    def credentials(self) -> CredentialStore:
        return AuthFile(login_file())


class OursAiohttp(Ours):
    """`CodexModel` with `aiohttp_client`."""

    packages: ClassVar[tuple[str, ...]] = ('pydantic-ai-codex', 'httpx2', 'aiohttp')

    def http_client(self) -> Callable[[], httpx2.AsyncClient]:
        from pydantic_ai_codex import aiohttp_client

        return aiohttp_client
