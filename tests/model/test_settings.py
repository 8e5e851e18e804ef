"""Settings, profile and tool choice, as they show in what is sent.

The warnings, and what a catalog other than the bundled one decides, are asked of the functions themselves.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent, ToolOutput, UnsupportedSettingWarning
from pydantic_ai.exceptions import UserError
from pydantic_ai.settings import ModelSettings, ToolOrOutput

from pydantic_ai_codex import CodexModel, CodexModelSettings
from pydantic_ai_codex._model.settings import wire_effort, wire_tier
from pydantic_ai_codex._protocol.model_facts import ModelInfo
from pydantic_ai_codex._protocol.model_names import parse_model_name
from pydantic_ai_codex.testing import CodexSimulator, call_tool, reply

pytestmark = pytest.mark.anyio


async def sent(
    name: str = 'gpt-5.5', settings: ModelSettings | None = None, settings_of_model: ModelSettings | None = None
) -> dict[str, Any]:
    """The body that a run with these settings sends."""
    simulator = CodexSimulator(reply('ok'))
    await Agent(simulator.model(name, settings=settings_of_model)).run('Hi', model_settings=settings)
    return simulator.requests[0].body


async def effort(name: str, **settings: Any) -> str | None:
    made: Any = settings
    return (await sent(name, made))['reasoning'].get('effort')


async def test_the_defaults() -> None:
    body = await sent()

    assert {key: value for key, value in body.items() if key not in ('input', 'prompt_cache_key')} == snapshot(
        {
            'model': 'gpt-5.5',
            'instructions': 'You are a helpful assistant. Answer precisely, and call the tools you are given when they help.',
            'stream': True,
            'reasoning': {'effort': 'medium', 'summary': 'auto'},
            'store': False,
            'include': ['reasoning.encrypted_content'],
        }
    )


async def test_every_setting_of_ours() -> None:
    settings = CodexModelSettings(
        codex_reasoning_effort='low',
        codex_reasoning_summary='detailed',
        codex_text_verbosity='high',
        codex_prompt_cache_key='my-key',
        service_tier='priority',
    )

    body = await sent(settings=settings)

    assert {key: body.get(key) for key in ('reasoning', 'text', 'prompt_cache_key', 'service_tier')} == snapshot(
        {
            'reasoning': {'effort': 'low', 'summary': 'detailed'},
            'text': {'verbosity': 'high'},
            'prompt_cache_key': 'my-key',
            'service_tier': 'priority',
        }
    )


async def test_no_summary() -> None:
    assert 'summary' not in (await sent(settings=CodexModelSettings(codex_reasoning_summary='none')))['reasoning']


async def test_the_precedence_of_the_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_REASONING_EFFORT', 'xhigh')

    assert await effort('gpt-5.5-high', codex_reasoning_effort='low', thinking='medium') == 'low'
    assert await effort('gpt-5.5-high', thinking='medium') == 'medium'
    assert await effort('gpt-5.5-high') == 'high'
    assert await effort('gpt-5.5-high', thinking=True) == 'high'
    assert await effort('gpt-5.5') == 'xhigh'
    monkeypatch.delenv('CODEX_REASONING_EFFORT')
    assert await effort('gpt-5.5') == 'medium'
    assert await effort('gpt-99-unheard-of') is None


@pytest.mark.parametrize(
    ('name', 'wanted'),
    [
        ('gpt-5.1-codex-mini:none', 'medium'),
        ('gpt-5.1-codex-mini-xhigh', 'high'),
        ('gpt-5.1-codex-minimal', 'low'),
        ('gpt-5.1-codex-max-ultra', 'xhigh'),
        ('gpt-5.1-max', 'high'),
        ('gpt-6-luna-ultra', 'max'),
    ],
)
async def test_an_effort_that_the_model_lacks_is_clamped_and_told(name: str, wanted: str) -> None:
    with pytest.warns(UnsupportedSettingWarning, match=f"'{wanted}' is sent"):
        assert await effort(name) == wanted


@pytest.mark.parametrize(('name', 'wanted'), [('gpt-5.1-none', 'none'), ('gpt-6.1-sol-ultra', 'xhigh')])
async def test_an_effort_of_the_model_is_sent(name: str, wanted: str) -> None:
    assert await effort(name) == wanted


def warning_of(settings: Any, thinking: object = None, name: str = 'gpt-5.5', info: ModelInfo | None = None) -> str:
    """What `wire_effort` and `wire_tier` warn of; the only warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        wire_effort(settings, thinking, parse_model_name(name), info)
        wire_tier(settings, parse_model_name(name), info)
    [warning] = caught
    assert warning.category is UnsupportedSettingWarning
    return str(warning.message)


def test_the_warning_names_the_model_the_wish_and_what_is_sent() -> None:
    assert warning_of({'codex_reasoning_effort': 'max'}) == snapshot(
        "Model 'gpt-5.5' does not take the reasoning effort 'max', which the setting `codex_reasoning_effort` asks for; it takes low, medium, high, xhigh. 'xhigh' is sent."
    )
    assert warning_of({}, thinking=False) == snapshot(
        "Model 'gpt-5.5' does not take the reasoning effort 'none', which the setting `thinking` asks for, as it always thinks; it takes low, medium, high, xhigh. 'low' is sent."
    )
    assert warning_of({}, thinking=True, name='gpt-6-luna:minimal') == snapshot(
        "Model 'gpt-6-luna' does not take the reasoning effort 'minimal', which the model name asks for; it takes low, medium, high, xhigh, max. 'low' is sent."
    )


def test_the_warning_of_a_tier_names_the_model_and_its_tiers() -> None:
    info = ModelInfo('gpt-5.5', (), None, None, service_tiers=('slow', 'flex'))

    assert warning_of({'service_tier': 'priority'}, info=info) == snapshot(
        "Model 'gpt-5.5' has no service tier 'priority', which the setting `service_tier` asks for; it has slow, flex. The request goes out without one."
    )
    assert warning_of({}, name='gpt-daybreak-blue-latest-fast') == snapshot(
        "Model 'gpt-daybreak-blue-latest' has no service tier 'priority', which the model name asks for; it has none. The request goes out without one."
    )


async def test_the_policy_of_errors_sends_nothing() -> None:
    simulator = CodexSimulator(default=reply('ok'))
    settings = CodexModelSettings(codex_reasoning_effort='max', codex_effort_policy='error')

    with pytest.raises(UserError, match=r"'gpt-5\.5' does not take the reasoning effort 'max'.*Ask for one of these"):
        await Agent(simulator.model('gpt-5.5')).run('Hi', model_settings=settings)

    assert simulator.requests == []


async def test_the_policy_of_errors_takes_what_the_model_takes() -> None:
    assert await effort('gpt-6.1-sol', codex_reasoning_effort='ultra', codex_effort_policy='error') == 'xhigh'
    assert await effort('gpt-5.5', thinking=True, codex_effort_policy='error') == 'medium'


def test_the_catalog_decides_over_what_this_package_knows() -> None:
    info = ModelInfo('gpt-5.5', ('none', 'max'), 'max', None, service_tiers=('flex',))
    name = parse_model_name('gpt-5.5-fast')

    assert wire_effort({'codex_reasoning_effort': 'max'}, None, name, info) == 'max'
    assert wire_tier({'service_tier': 'flex'}, name, info) == 'flex'
    assert "no service tier 'priority'" in warning_of({}, name='gpt-5.5-fast', info=info)


@pytest.mark.parametrize('tiers', [None, (), ('priority',)])
def test_flex_goes_out_whatever_the_list_says(tiers: tuple[str, ...] | None) -> None:
    info = ModelInfo('gpt-5.5', (), None, None, service_tiers=tiers)

    assert wire_tier({'service_tier': 'flex'}, parse_model_name('gpt-5.5'), info) == 'flex'


@pytest.mark.parametrize('slug', ['gpt-5.5', 'gpt-5.1-codex', 'gpt-99-unheard-of'])
def test_a_list_that_says_nothing_of_tiers_forbids_none(slug: str) -> None:
    name = parse_model_name(f'{slug}-fast')

    assert wire_tier({}, name, ModelInfo(slug, (), None, None, service_tiers=None)) == 'priority'
    none = warning_of({}, name=f'{slug}-fast', info=ModelInfo(slug, (), None, None, service_tiers=()))
    assert 'it has none' in none


def test_an_effort_of_the_list_is_sent() -> None:
    name = parse_model_name('gpt-5.5')
    settings = {'codex_reasoning_effort': 'hyper', 'codex_effort_policy': 'error'}

    assert wire_effort(settings, None, name, ModelInfo('gpt-5.5', ('low', 'hyper'), 'low', None)) == 'hyper'


@pytest.mark.parametrize('name', ['gpt-99-unheard-of', 'gpt-5.1-codex-max'])
def test_a_tier_goes_out_where_nobody_knows_the_tiers(name: str) -> None:
    assert wire_tier({'service_tier': 'flex'}, parse_model_name(name)) == 'flex'
    assert wire_tier({}, parse_model_name(f'{name}-fast')) == 'priority'


@pytest.mark.parametrize('tier', ['auto', 'default'])
def test_the_usual_tier_wins_over_the_name_and_is_left_out(tier: str) -> None:
    assert wire_tier({'service_tier': tier}, parse_model_name('gpt-5.5-fast')) is None


async def test_not_thinking_on_a_model_that_always_thinks() -> None:
    with pytest.warns(UnsupportedSettingWarning, match="'low' is sent"):
        assert await effort('gpt-5.5', thinking=False) == 'low'


async def test_not_thinking_where_that_is_possible() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert await effort('gpt-5.1', thinking=False) == 'none'


@pytest.mark.parametrize(
    'settings',
    [
        {'codex_reasoning_effort': 'huge'},
        {'codex_reasoning_effort': []},
        {'codex_reasoning_summary': 'short'},
        {'codex_text_verbosity': 'loud'},
        {'codex_effort_policy': 'guess'},
        {'codex_resoning_effort': 'low'},
        {'codex_prompt_cache_key': ''},
        {'codex_commentary': 'both'},
        {'thinking': 5},
        {'thinking': []},
        {'thinking': {}},
        {'thinking': 'huge'},
        {'parallel_tool_calls': 'yes'},
        {'max_retries': -1},
        {'max_retries': 500},
        {'max_retries': True},
        {'timeout': -1},
        {'timeout': float('nan')},
        {'service_tier': 'gold'},
        {'tool_choice': 'sometimes'},
        {'extra_body': [1]},
        {'extra_headers': {'AUTHORIZATION': 'Bearer mine'}},
        {'extra_headers': {'ChatGPT-Account-Id': 'other'}},
    ],
    ids=lambda settings: next(iter(settings)),
)
async def test_bad_settings_are_user_errors_and_nothing_is_sent(settings: Any) -> None:
    simulator = CodexSimulator(default=reply('ok'))

    with pytest.raises(UserError, match=next(iter(settings))):
        await Agent(simulator.model()).run('Hi', model_settings=settings)

    assert simulator.requests == []


async def test_a_bad_effort_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_REASONING_EFFORT', 'huge')

    with pytest.raises(UserError, match='CODEX_REASONING_EFFORT'):
        await sent()


async def test_what_the_backend_refuses_is_left_out() -> None:
    settings = ModelSettings(temperature=0.5, top_p=0.5, max_tokens=5, seed=1, presence_penalty=0.5, top_k=3)

    body = await sent(settings=settings)

    assert set(body) & {'temperature', 'top_p', 'max_tokens', 'max_output_tokens', 'seed', 'top_k'} == set()


async def test_leaving_out_what_changes_a_guarantee_is_told() -> None:
    with pytest.warns(UnsupportedSettingWarning, match='stop_sequences'):
        await sent(settings=ModelSettings(stop_sequences=['.']))


async def test_extra_body_and_extra_headers() -> None:
    simulator = CodexSimulator(reply('ok'))
    settings = ModelSettings(extra_body={'client_metadata': {'a': 'b'}}, extra_headers={'X-Mine': 'yes'})

    await Agent(simulator.model()).run('Hi', model_settings=settings)

    assert simulator.requests[0].body['client_metadata'] == {'a': 'b'}
    assert simulator.requests[0].headers['x-mine'] == 'yes'


async def test_settings_of_the_model_stand_below_those_of_the_run() -> None:
    own = CodexModelSettings(codex_reasoning_effort='low', codex_text_verbosity='low')

    body = await sent('gpt-5.5', CodexModelSettings(codex_reasoning_effort='high'), settings_of_model=own)

    assert (body['reasoning']['effort'], body['text']['verbosity']) == ('high', 'low')


async def tool_choice(choice: Any, *, output: Any = str) -> Any:
    """What becomes of a `tool_choice`, for an agent with the tools `a` and `b`."""
    simulator = CodexSimulator(default=call_tool('final_result', x=1) if output is not str else reply('ok'))
    agent = Agent(simulator.model(), output_type=output, tools=[a, b])
    await agent.run('Hi', model_settings=ModelSettings(tool_choice=choice))
    return simulator.requests[0].body.get('tool_choice')


def a() -> str:
    return 'a'


def b() -> str:
    return 'b'


def final(x: int) -> int:
    return x


@pytest.mark.parametrize(
    ('choice', 'wire'),
    [
        (None, 'auto'),
        ('auto', 'auto'),
        ('none', 'none'),
        (ToolOrOutput(function_tools=[]), 'none'),
        (
            ToolOrOutput(function_tools=['a']),
            {'type': 'allowed_tools', 'mode': 'auto', 'tools': [{'type': 'function', 'name': 'a'}]},
        ),
    ],
    ids=str,
)
async def test_tool_choice(choice: Any, wire: Any) -> None:
    assert await tool_choice(choice) == wire


@pytest.mark.parametrize(
    ('choice', 'wire'),
    [
        (None, 'required'),
        ('none', {'type': 'function', 'name': 'final_result'}),
        (
            ToolOrOutput(function_tools=['a']),
            {
                'type': 'allowed_tools',
                'mode': 'required',
                'tools': [{'type': 'function', 'name': 'a'}, {'type': 'function', 'name': 'final_result'}],
            },
        ),
    ],
    ids=str,
)
async def test_tool_choice_with_an_output_tool(choice: Any, wire: Any) -> None:
    assert await tool_choice(choice, output=ToolOutput(final, name='final_result')) == wire


@pytest.mark.parametrize(
    ('choice', 'wire'),
    [
        ('required', 'required'),
        (['a'], {'type': 'function', 'name': 'a'}),
        (['a', 'b'], 'required'),
        ([], 'none'),
    ],
    ids=str,
)
async def test_forced_tool_choice_of_a_direct_request(choice: Any, wire: Any) -> None:
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.tools import ToolDefinition

    simulator = CodexSimulator(reply('ok'))
    params = ModelRequestParameters(function_tools=[ToolDefinition(name='a'), ToolDefinition(name='b')])

    await model_request(
        simulator.model(),
        [ModelRequest.user_text_prompt('Hi')],
        model_settings=ModelSettings(tool_choice=choice, parallel_tool_calls=False),
        model_request_parameters=params,
    )

    assert (simulator.requests[0].body['tool_choice'], simulator.requests[0].body['parallel_tool_calls']) == (
        wire,
        False,
    )


async def test_a_tool_that_there_is_not_is_a_user_error() -> None:
    with pytest.raises(UserError, match='tool_choice'):
        await tool_choice(['c'])


async def test_a_loose_schema_is_not_strict(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(reply('ok'))
    agent = Agent(codex_simulator.model())

    @agent.tool_plain
    def look(where: dict[str, int], how: str = 'well') -> str:
        return f'{how} in {where}'

    await agent.run('Hi')

    assert codex_simulator.requests[0].body['tools'] == snapshot(
        [
            {
                'type': 'function',
                'name': 'look',
                'description': '',
                'parameters': {
                    'additionalProperties': False,
                    'properties': {
                        'where': {'additionalProperties': {'type': 'integer'}, 'type': 'object', 'properties': {}},
                        'how': {'default': 'well', 'type': 'string'},
                    },
                    'required': ['where'],
                    'type': 'object',
                },
                'strict': False,
            }
        ]
    )


async def test_a_tool_that_there_is_not_among_others_is_left_out_and_told() -> None:
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.tools import ToolDefinition

    simulator = CodexSimulator(call_tool('a'))
    params = ModelRequestParameters(function_tools=[ToolDefinition(name='a'), ToolDefinition(name='b')])
    messages = [ModelRequest.user_text_prompt('Hi')]

    with pytest.warns(UserWarning, match="left out: \\['c'\\]"):
        await model_request(
            simulator.model(),
            [*messages],
            model_settings=ModelSettings(tool_choice=['a', 'c']),
            model_request_parameters=params,
        )

    assert simulator.requests[0].body['tool_choice'] == {'type': 'function', 'name': 'a'}


@pytest.mark.parametrize('arguments', [{'model_name': 5}, {'model_name': None}, {'provider': 'codex'}], ids=str)
def test_a_model_of_the_wrong_things_is_a_user_error(arguments: Any) -> None:
    with pytest.raises(UserError):
        CodexModel(**({'model_name': 'gpt-5.5'} | arguments))
