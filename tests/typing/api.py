"""The public API as users write it; never run, only checked by mypy and pyright in their strict modes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.capabilities import ResolveModelId
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.providers.openai_codex import OpenAICodexProvider

from pydantic_ai_codex import (
    CodexCredentialSource,
    CodexModel,
    CodexModelSettings,
    CodexProvider,
    TransportPolicy,
    codex_model_id_resolver,
)
from pydantic_ai_codex.auth import AuthFile, Credentials, CredentialStore, MemoryStore
from pydantic_ai_codex.testing import CodexSimulator, call, reply, say, think, turn


class City(BaseModel):
    name: str


class Vault:
    """A store of an application's own."""

    async def load(self) -> Credentials:
        return Credentials('token')

    async def save(self, credentials: Credentials) -> None: ...


stores: list[CredentialStore] = [AuthFile('auth.json'), MemoryStore(), Vault()]
providers = [
    CodexProvider(),
    CodexProvider(credentials=Credentials('token', account_id='account')),
    CodexProvider(credentials=Vault(), http_client=httpx2.AsyncClient, originator='my_app'),
    CodexProvider(policy=TransportPolicy(max_retries=0, idle_timeout=None)),
    CodexProvider(api_key='sk-...', base_url='https://relay.example.com/v1', http_client=httpx2.AsyncClient()),
]
upstream_provider = OpenAICodexProvider(credential_source=CodexCredentialSource(Vault()))
settings = CodexModelSettings(codex_reasoning_effort='xhigh', codex_text_verbosity='low', parallel_tool_calls=False)
model = CodexModel('gpt-5.1-codex-high', provider=providers[0], settings=settings, profile={'context_window': 1})
text_agent: Agent[None, str] = Agent(model)
city_agent: Agent[None, City] = Agent(FallbackModel(model, CodexModel('gpt-5.5')), output_type=City)
named_agent = Agent('codex:gpt-5.5-low', capabilities=[ResolveModelId(codex_model_id_resolver)])


async def stream() -> AsyncIterator[str]:
    async with text_agent.run_stream('Hi', model_settings=settings) as result:
        async for text in result.stream_text():
            yield text


def simulated() -> CodexModel:
    return CodexSimulator(turn(think('Hm.'), call('f', x=1), say('...')), reply('Hi')).model('gpt-5.5')
