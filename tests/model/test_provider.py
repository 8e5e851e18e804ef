"""The model's identity, its profile, and the ways to name it."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.capabilities import ResolveModelId
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart

from pydantic_ai_codex import CodexModel, CodexModelIdResolver, CodexProvider, codex_model_id_resolver
from pydantic_ai_codex._model.errors import CodexLoginError
from pydantic_ai_codex.auth import CredentialsError
from pydantic_ai_codex.testing import CodexSimulator, reply

pytestmark = pytest.mark.anyio


def test_identity() -> None:
    model = CodexModel('codex:gpt-5.1-codex-high')

    assert (model.model_name, model.system, model.canonical_system, model.base_url) == snapshot(
        ('gpt-5.1-codex', 'codex', 'openai', 'https://chatgpt.com/backend-api/codex')
    )
    assert repr(model) == snapshot("CodexModel(model_name='gpt-5.1-codex')")


def test_equality_is_by_name_provider_settings_and_profile() -> None:
    provider = CodexProvider()

    assert CodexModel('gpt-5.5', provider=provider) == CodexModel('codex/gpt-5.5', provider=provider)
    assert CodexModel('gpt-5.5', provider=provider) != CodexModel('gpt-5.5-high', provider=provider)
    assert CodexModel('gpt-5.5', provider=provider) != CodexModel('gpt-5.5')


async def test_nothing_is_read_before_the_first_request() -> None:
    # There is no login in the isolated home.
    agent = Agent(CodexModel('gpt-5.5'))

    with pytest.raises(CodexLoginError):
        await agent.run('Hello')


def test_what_the_profile_says() -> None:
    profile = CodexModel('gpt-5.5').profile

    chosen = (
        'context_window',
        'supports_tools',
        'supports_json_schema_output',
        'supports_json_object_output',
        'supports_inline_system_prompts',
        'supports_thinking',
        'thinking_always_enabled',
        'supports_image_output',
    )
    assert {key: profile.get(key) for key in chosen} == snapshot(
        {
            'context_window': 272000,
            'supports_tools': True,
            'supports_json_schema_output': True,
            'supports_json_object_output': False,
            'supports_inline_system_prompts': True,
            'supports_thinking': True,
            'thinking_always_enabled': True,
            'supports_image_output': False,
        }
    )
    assert profile.get('supported_native_tools') == frozenset()


def test_the_profile_can_be_set() -> None:
    assert CodexModel('gpt-5.5', profile={'context_window': 7}).context_window == 7


def test_models_with_a_suffix_have_the_context_window_of_the_model() -> None:
    assert CodexModel('gpt-5.1-codex-high').context_window == 400_000


@pytest.mark.parametrize('name', ['codex:gpt-5.5-low', 'codex/gpt-5.5-low', 'CODEX-OAUTH/gpt-5.5:low'])
async def test_a_model_id_is_resolved(name: str, codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('Hi'))
    resolver = CodexModelIdResolver(codex_simulator.provider())
    agent = Agent(name, capabilities=[ResolveModelId(resolver)])

    assert (await agent.run('Hello')).output == 'Hi'

    body = codex_simulator.requests[0].body
    assert (body['model'], body['reasoning']['effort']) == ('gpt-5.5', 'low')


async def test_the_ready_resolver_uses_the_login_of_the_environment() -> None:
    agent = Agent('codex:gpt-5.5', capabilities=[ResolveModelId(codex_model_id_resolver)])

    with pytest.raises(UserError) as caught:
        await agent.run('Hello')

    assert isinstance(caught.value, CredentialsError)


async def test_other_ids_are_left_to_others() -> None:
    agent = Agent('test', capabilities=[ResolveModelId(codex_model_id_resolver)])

    assert (await agent.run('Hello')).output == 'success (no tool calls)'


@pytest.mark.parametrize(
    ('provider_name', 'canonical_system', 'accepted'),
    [
        ('codex', None, True),
        ('openai', None, True),
        ('openai-codex', None, True),
        ('anthropic', None, False),
        (None, None, False),
    ],
)
def test_whose_encrypted_reasoning_is_taken(
    provider_name: str | None, canonical_system: str | None, accepted: bool
) -> None:
    part = ThinkingPart('', signature='s', provider_name=provider_name)
    response = ModelResponse([part, TextPart('Hi')], provider_name=provider_name)

    assert CodexModel('gpt-5.5').accepts_stateless_artifacts(response, part) is accepted
