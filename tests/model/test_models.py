"""What the backend's list of models decides, and what becomes of a model that it does not serve."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UnsupportedSettingWarning, UserError
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.profiles import ModelProfile, merge_profile

from pydantic_ai_codex import CodexModel, CodexModelSettings, CodexProvider
from pydantic_ai_codex.auth import Credentials, MemoryStore
from pydantic_ai_codex.errors import ModelNotServedError
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, fail, fail_in_stream, reply

pytestmark = pytest.mark.anyio


def agent_of(simulator: CodexSimulator, name: str, **kwargs: Any) -> Agent[None, str]:
    return Agent(simulator.model(name, **kwargs), instructions='Be brief.')


def paths(requests: list[RecordedRequest]) -> list[str]:
    return sorted(request.path.rpartition('/')[2] for request in requests)


async def test_a_program_looks_up_once() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    agent = agent_of(simulator, 'gpt-5.5')

    for _ in range(3):
        await agent.run('Hello')

    assert paths(simulator.lookups) == ['check', 'models']
    assert len(simulator.requests) == 3


async def test_the_list_of_the_provider() -> None:
    simulator = CodexSimulator()
    simulator.catalog.add('gpt-7-sol', efforts=['low', 'vast'], context_window=2_000_000, priority=0)

    catalog = await simulator.provider().models()

    assert catalog.default is not None
    assert (catalog.source, catalog.default.slug, catalog.default.efforts) == ('backend', 'gpt-7-sol', ('low', 'vast'))
    assert catalog.get('gpt-5.1-codex') is not None
    assert 'gpt-5.1-codex' in [retired.slug for retired in catalog.retired]


async def test_an_answer_that_names_another_version_has_the_list_asked_for_again() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    provider = simulator.provider()
    agent = agent_of(simulator, 'gpt-5.5', provider=provider)
    await agent.run('Hello')
    simulator.catalog.add('gpt-5.5', efforts=['low', 'medium'])
    provider_clock: Any = provider.client._clock  # pyright: ignore[reportPrivateUsage] - the pause between two lists
    await provider_clock.sleep(60)

    await agent.run('This answer says that there is another list.')
    with pytest.warns(UnsupportedSettingWarning, match="'medium' is sent"):
        await agent.run('Hello', model_settings=CodexModelSettings(codex_reasoning_effort='high'))

    assert paths(simulator.lookups) == ['check', 'models', 'models']
    assert simulator.requests[-1].body['reasoning']['effort'] == 'medium'


async def test_the_list_decides_the_effort_of_the_first_request() -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.catalog.add('gpt-5.5', efforts=['low', 'medium'], default_reasoning_level='low')

    with pytest.warns(UnsupportedSettingWarning) as warned:
        await agent_of(simulator, 'gpt-5.5-xhigh').run('Hello')

    assert str(warned[0].message) == snapshot(
        "Model 'gpt-5.5' does not take the reasoning effort 'xhigh', which the model name asks for; it takes low, medium. 'medium' is sent."
    )
    assert simulator.requests[0].body['reasoning']['effort'] == 'medium'


async def test_an_effort_that_the_model_lacks_can_be_an_error() -> None:
    simulator = CodexSimulator(reply('Hi'))
    settings = CodexModelSettings(codex_effort_policy='error')

    with pytest.raises(UserError) as raised:
        await agent_of(simulator, 'gpt-5.5:max', settings=settings).run('Hello')

    assert str(raised.value) == snapshot(
        "Model 'gpt-5.5' does not take the reasoning effort 'max', which the model name asks for; it takes low, medium, high, xhigh. Ask for one of these, or set `codex_effort_policy` to \"clamp\"."
    )
    assert simulator.requests == []


async def test_the_fast_tier_is_for_models_that_have_it() -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    await agent_of(simulator, 'gpt-5.5-fast').run('Hello')
    with pytest.warns(UnsupportedSettingWarning, match='gpt-daybreak-red-latest'):
        await agent_of(simulator, 'gpt-daybreak-red-latest-fast').run('Hello')

    assert [request.body.get('service_tier') for request in simulator.requests] == ['priority', None]
    assert simulator.requests[0].headers['x-codex-routing-hint'] == 'model=gpt-5.5;tier=priority'


def of_the_user(profile: ModelProfile) -> ModelProfile:
    return merge_profile(profile, ModelProfile(context_window=99))


@pytest.mark.parametrize(
    ('profile', 'window'),
    [
        (None, 1_000_000),
        (ModelProfile(context_window=99), 99),
        (ModelProfile(supports_thinking=True), 1_000_000),
        (of_the_user, 99),
    ],
    ids=['no', 'with a window', 'with something else', 'a function'],
)
async def test_the_list_decides_the_context_window(profile: Any, window: int) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.catalog.add('gpt-5.5', context_window=1_000_000)
    model = simulator.model('gpt-5.5', profile=profile)
    before = model.profile.get('context_window')

    await Agent(model, instructions='Be brief.').run('Hello')

    assert before == (272_000 if window == 1_000_000 else 99)
    assert model.profile.get('context_window') == window


async def test_a_model_that_only_the_backend_knows() -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.catalog.add('gpt-9', efforts=['low', 'high'], context_window=5_000_000)
    model = simulator.model('gpt-9')

    with pytest.warns(UnsupportedSettingWarning, match="'high' is sent"):
        await Agent(model, instructions='Be brief.').run(
            'Hello', model_settings=CodexModelSettings(codex_reasoning_effort='max')
        )

    assert model.profile.get('context_window') == 5_000_000


LISTED = ('gpt-6.1-sol', 'gpt-6-astra', 'gpt-6-sol', 'gpt-6-luna', 'gpt-5.6-sol', 'gpt-6.1-terra')


@pytest.mark.parametrize('is_streamed', [False, True])
async def test_a_refused_model_names_what_there_is(is_streamed: bool) -> None:
    simulator = CodexSimulator(reply('Hi'), refuse_retired=True)
    agent = agent_of(simulator, 'gpt-5.1-codex-high')

    with pytest.raises(ModelHTTPError) as raised:
        if is_streamed:
            async with agent.run_stream('Hello'):
                pass
        else:
            await agent.run('Hello')

    cause = raised.value.__cause__
    assert isinstance(cause, ModelNotServedError)
    assert (cause.model, cause.successor, cause.listed[:6]) == ('gpt-5.1-codex', 'gpt-5.6-sol', LISTED)
    assert (raised.value.status_code, cause.category) == (400, 'not_found')
    assert str(cause).partition(' For support')[0] == snapshot(
        "The backend answered 400: The 'gpt-5.1-codex' model is not supported when using Codex with a ChatGPT account. 'gpt-5.1-codex' is retired. Use 'gpt-5.6-sol' instead. The catalog lists gpt-6.1-sol, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5."
    )
    copied = pickle.loads(pickle.dumps(cause))
    assert vars(copied) == vars(cause)


async def test_a_refused_model_is_never_swapped() -> None:
    simulator = CodexSimulator(reply('Hi'), refuse_retired=True)

    with pytest.raises(ModelHTTPError):
        await agent_of(simulator, 'gpt-5.1-codex').run('Hello')

    assert [request.body['model'] for request in simulator.requests] == ['gpt-5.1-codex']


async def test_a_fallback_goes_on_after_a_refused_model() -> None:
    simulator = CodexSimulator(reply('Hi'), refuse_retired=True)
    models = FallbackModel(simulator.model('gpt-5-pro'), simulator.model('gpt-5.1'), simulator.model('gpt-6-sol'))

    result = await Agent(models, instructions='Be brief.').run('Hello')

    assert result.response.model_name == 'gpt-6-sol'


async def test_a_refusal_in_the_stream_is_one_too() -> None:
    simulator = CodexSimulator(fail_in_stream('model_not_found', "The requested model 'gpt-5.5' does not exist."))

    with pytest.raises(ModelHTTPError) as raised:
        await agent_of(simulator, 'gpt-5.5').run('Hello')

    assert isinstance(raised.value.__cause__, ModelNotServedError)


@pytest.mark.parametrize('name', ['gpt-5-pro', 'gpt-5.5-pro', 'codex:gpt-6-pro:high'])
async def test_pro_models_are_refused_here(name: str) -> None:
    simulator = CodexSimulator(reply('Hi'))

    with pytest.raises(ModelAPIError) as raised:
        await agent_of(simulator, name).run('Hello')

    assert isinstance(raised.value.__cause__, ModelNotServedError)
    assert raised.value.__cause__.listed[:6] == LISTED
    assert simulator.requests == []


async def test_a_pro_model_that_the_list_has_is_asked_for() -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.catalog.add('gpt-7-pro')

    assert (await agent_of(simulator, 'gpt-7-pro').run('Hello')).output == 'Hi'


async def test_an_api_key_decides_for_itself() -> None:
    simulator = CodexSimulator(reply('Hi'), strict=False)
    provider = simulator.provider(api_key='sk-test')

    result = await agent_of(simulator, 'gpt-5-pro', provider=provider).run('Hello')

    assert (result.output, simulator.lookups) == ('Hi', [])
    assert (await provider.models()).source == 'bundled'
    assert not [name for name in simulator.requests[0].headers if name.startswith('x-codex')]


@pytest.mark.parametrize('entry', [fail(500), fail(404), fail(401), fail(403, body='<html>No</html>')])
async def test_a_turn_goes_on_without_the_list(entry: Any) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.fail_lookups(entry)
    provider = simulator.provider(credentials=MemoryStore(simulator.credentials))
    agent = agent_of(simulator, 'gpt-5.5', provider=provider)

    assert [(await agent.run('Hello')).output for _ in range(2)] == ['Hi', 'Hi']

    assert paths(simulator.lookups) == ['check', 'models']
    assert (await provider.models()).source == 'bundled'
    with pytest.raises(ModelHTTPError):
        await provider.models(refresh=True)


async def test_the_account_says_where_its_requests_go() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.routing = 'us_cr'

    await agent_of(simulator, 'gpt-5.5').run('Hello')

    assert simulator.requests[0].headers['x-openai-account-routing-override'] == 'us_cr'


async def test_a_new_token_has_its_routing_looked_up_anew() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    provider = simulator.provider(credentials=MemoryStore(simulator.credentials))
    agent = agent_of(simulator, 'gpt-5.5', provider=provider)
    await agent.run('Hello')
    simulator.routing = 'us'
    simulator.revoke()

    await agent.run('Hello')

    assert [request.headers.get('x-openai-account-routing-override') for request in simulator.requests] == [
        None,
        None,
        'us',
    ]


async def test_other_hosts_are_not_asked() -> None:
    simulator = CodexSimulator(reply('Hi'), base_url='https://relay.example/v2')
    credentials = Credentials(simulator.access_token, account_id=simulator.account_id)
    provider = CodexProvider(
        credentials=credentials,
        base_url='https://relay.example/v2',
        http_client=simulator.http_client,
        cache_dir=False,
    )

    assert (await Agent(CodexModel('gpt-5.5', provider=provider), instructions='Be.').run('Hello')).output == 'Hi'

    assert simulator.lookups == []


async def test_nothing_is_warned_of_that_nobody_asked_for() -> None:
    simulator = CodexSimulator(default=reply('Hi'))

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for name in ('gpt-5.5', 'gpt-6.1-sol:ultra', 'gpt-6-sol-fast', 'gpt-nobody-knows-high'):
            await simulator.model(name).request([], CodexModelSettings(thinking=True), ModelRequestParameters())

    efforts = [request.body['reasoning'].get('effort') for request in simulator.requests]
    assert efforts == ['medium', 'xhigh', 'medium', 'high']


@pytest.mark.parametrize('what', ['models', 'fetch_rate_limits'])
async def test_a_refused_login_is_renewed_for_a_question_too(what: str) -> None:
    simulator = CodexSimulator()
    provider = simulator.provider(credentials=MemoryStore(simulator.credentials))
    simulator.revoke()

    if what == 'models':
        assert (await provider.models(refresh=True)).source == 'backend'
    else:
        assert (await provider.fetch_rate_limits()).plan_type == 'plus'

    assert [request.status for request in simulator.lookups] == [401, 200]


async def test_a_question_that_stays_refused_says_what_to_do() -> None:
    simulator = CodexSimulator()
    simulator.fail_lookups(fail(401), 'usage')
    provider = simulator.provider(credentials=MemoryStore(simulator.credentials))

    with pytest.raises(ModelHTTPError, match='was refused'):
        await provider.fetch_rate_limits()


async def test_a_host_without_a_list_decides_itself_on_pro_models() -> None:
    simulator = CodexSimulator(reply('Hi'), base_url='https://relay.example/v2', strict=False)
    provider = simulator.provider()

    assert (await agent_of(simulator, 'my-own-pro', provider=provider).run('Hello')).output == 'Hi'


async def test_a_window_that_the_user_sets_to_the_known_one_stays() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.catalog.add('gpt-5.5', context_window=400_000)
    model = simulator.model('gpt-5.5', profile=ModelProfile(context_window=272_000))

    await Agent(model, instructions='Be brief.').run('Hello')

    assert model.profile.get('context_window') == 272_000


async def test_flex_goes_out_whatever_the_list_says() -> None:
    simulator = CodexSimulator(default=reply('Hi'), strict=False)

    for provider in (simulator.provider(), simulator.provider(api_key='sk-test')):
        agent = agent_of(simulator, 'gpt-6-sol', provider=provider)
        await agent.run('Hello', model_settings=CodexModelSettings(service_tier='flex'))

    assert [request.body['service_tier'] for request in simulator.requests] == ['flex', 'flex']


async def test_a_default_that_the_model_lacks_is_no_refusal() -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.catalog.add('gpt-7', efforts=['low', 'high'], default_reasoning_level='medium')

    await agent_of(simulator, 'gpt-7').run('Hello')

    assert simulator.requests[0].body['reasoning']['effort'] == 'high'


async def test_an_effort_that_only_the_list_knows() -> None:
    simulator = CodexSimulator(reply('Hi'), strict=False)
    simulator.catalog.add('gpt-7', efforts=['low', 'vast'])

    settings = {'codex_reasoning_effort': 'vast'}
    await agent_of(simulator, 'gpt-7', settings=settings).run('Hello')

    assert simulator.requests[0].body['reasoning']['effort'] == 'vast'


@pytest.mark.parametrize(
    ('name', 'slug', 'effort'),
    [
        ('gpt-7-codex-max', 'gpt-7-codex-max', 'medium'),
        ('gpt-7-codex-max-high', 'gpt-7-codex-max', 'high'),
        ('gpt-7-codex:max', 'gpt-7-codex', 'xhigh'),
    ],
)
@pytest.mark.filterwarnings('ignore::pydantic_ai.exceptions.UnsupportedSettingWarning')
async def test_a_listed_slug_is_that_model_and_no_effort(name: str, slug: str, effort: str) -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.catalog.add('gpt-7-codex', efforts=['low', 'medium', 'high', 'xhigh'])
    simulator.catalog.add('gpt-7-codex-max', efforts=['low', 'medium', 'high', 'xhigh'])
    model = simulator.model(name)

    await Agent(model, instructions='Be brief.').run('Hello')

    body = simulator.requests[0].body
    assert (body['model'], body['reasoning']['effort'], model.model_name) == (slug, effort, slug)
