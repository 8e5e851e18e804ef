"""What turns make of it: the simulator answers them, and the list is asked for beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import UnsupportedSettingWarning

from pydantic_ai_codex.auth import AuthFile
from pydantic_ai_codex.testing import CodexSimulator, reply

pytestmark = pytest.mark.anyio


async def test_a_turn_that_renews_its_login_has_the_list(tmp_path: Path) -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    path = tmp_path / 'auth.json'
    path.write_text(json.dumps(simulator.auth_json()), encoding='utf-8')
    simulator.revoke()
    provider = simulator.provider(credentials=AuthFile(path))

    assert (await Agent(simulator.model('gpt-5.5', provider=provider), instructions='Be.').run('Hi')).output == 'Hi'

    assert (await provider.models()).source == 'backend'
    told = sorted((request.path.rpartition('/')[2], request.status) for request in simulator.lookups)
    assert told == [('check', 200), ('check', 401), ('models', 200), ('models', 401)]


async def test_the_first_answer_that_names_another_list_is_heeded_at_once() -> None:
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.catalog.add('gpt-7-sol', efforts=['low', 'high'])
    agent = Agent(simulator.model('gpt-7-sol'), instructions='Be.')
    await agent.run('Hi', model_settings={'thinking': 'high'})
    simulator.catalog.add('gpt-7-sol', efforts=['low'])
    await agent.run('Hi', model_settings={'thinking': 'low'})

    with pytest.warns(UnsupportedSettingWarning, match='high'):
        await agent.run('Hi', model_settings={'thinking': 'high'})

    assert [request.body['reasoning']['effort'] for request in simulator.requests] == ['high', 'low', 'low']
