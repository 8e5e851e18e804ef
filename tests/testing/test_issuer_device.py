"""The simulated login service: the device login."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.testing import CodexSimulator, SimulatorError

from .issuer_client import CLIENT_ID, ISSUER, code_form, get, post_form, post_json

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def begin(simulator: CodexSimulator) -> Json:
    answer = await post_json(simulator, '/api/accounts/deviceauth/usercode', {'client_id': CLIENT_ID}, {})
    assert answer.status_code == 200
    return answer.json()


async def poll(simulator: CodexSimulator, device: Json, **changes: str) -> httpx2.Response:
    body = {'device_auth_id': device['device_auth_id'], 'user_code': device['user_code'], **changes}
    return await post_json(simulator, '/api/accounts/deviceauth/token', body, {})


async def test_a_login() -> None:
    simulator = CodexSimulator(now=lambda: NOW)
    simulator.oauth.sign_in_as('acct-2')
    device = await begin(simulator)
    pending = await poll(simulator, device)
    assert simulator.oauth.user_codes == [device['user_code']]
    simulator.oauth.approve_device(device['user_code'])
    approved = (await poll(simulator, device)).json()
    form = code_form(
        approved['authorization_code'],
        code_verifier=approved['code_verifier'],
        redirect_uri=f'{ISSUER}/deviceauth/callback',
    )
    tokens = (await post_form(simulator, '/oauth/token', form)).json()

    assert re.fullmatch('[A-Z]{4}-[0-9]{4}', device['user_code'])
    assert (device['interval'], device['expires_at']) == ('5', '2026-05-01T00:15:00+00:00')
    assert (pending.status_code, sorted(approved)) == (403, ['authorization_code', 'code_challenge', 'code_verifier'])
    assert Credentials(tokens['access_token']).account_id == 'acct-2'
    assert simulator.oauth.user_codes == []


async def test_it_can_approve_itself() -> None:
    simulator = CodexSimulator()
    simulator.oauth.device_polls = 2
    simulator.oauth.device_interval = 1
    device = await begin(simulator)

    assert device['interval'] == '1'
    assert [(await poll(simulator, device)).status_code for _ in range(4)] == [403, 403, 200, 400]


async def test_the_page() -> None:
    simulator = CodexSimulator()
    devices = [await begin(simulator) for _ in range(2)]
    page = await get(simulator, f'{ISSUER}/codex/device')

    async def type_in(code: str, decision: str) -> httpx2.Response:
        return await post_form(simulator, '/codex/device', {'user_code': code, 'decision': decision})

    wrong = await type_in('ABCD-0000', 'allow')
    allowed = await type_in(f' {devices[0]["user_code"].lower()} ', 'allow')
    denied = await type_in(devices[1]['user_code'], 'deny')
    again = await type_in(devices[1]['user_code'], 'allow')

    assert '<label for="user_code">' in page.text
    assert [answer.status_code for answer in (page, wrong, allowed, denied, again)] == [200, 400, 200, 200, 400]
    assert 'role="alert"' in wrong.text
    assert [(await poll(simulator, device)).status_code for device in devices] == [200, 400]


async def test_a_denied_login() -> None:
    simulator = CodexSimulator()
    device = await begin(simulator)
    simulator.oauth.deny_device()
    answer = await poll(simulator, device)

    assert (answer.status_code, answer.json()['error']) == (400, 'access_denied')


async def test_switched_off() -> None:
    simulator = CodexSimulator()
    simulator.oauth.device_login = False
    answer = await post_json(simulator, '/api/accounts/deviceauth/usercode', {'client_id': CLIENT_ID}, {})

    assert answer.status_code == 404


async def test_a_code_is_good_for_fifteen_minutes() -> None:
    now = [NOW]
    simulator = CodexSimulator(now=lambda: now[0])
    device = await begin(simulator)
    now[0] += timedelta(minutes=15)

    assert (await poll(simulator, device)).json()['error'] == 'expired_token'
    with pytest.raises(SimulatorError, match='No device login waits'):
        simulator.oauth.approve_device()


@pytest.mark.parametrize('name', ['device_auth_id', 'user_code'])
async def test_an_unknown_code(name: str) -> None:
    simulator = CodexSimulator()
    device = await begin(simulator)
    simulator.oauth.approve_device()

    assert (await poll(simulator, device, **{name: 'other'})).json()['error'] == 'invalid_grant'


async def test_the_redirect_uri_names_the_issuer_that_was_asked() -> None:
    simulator = CodexSimulator()
    simulator.oauth.device_polls = 0
    device = await begin(simulator)
    approved = (await poll(simulator, device)).json()
    form = code_form(
        approved['authorization_code'],
        code_verifier=approved['code_verifier'],
        redirect_uri='http://127.0.0.1:1/deviceauth/callback',
    )

    assert (await post_form(simulator, '/oauth/token', form)).status_code == 400


@pytest.mark.parametrize(
    ('path', 'body'),
    [
        ('usercode', {}),
        ('usercode', {'client_id': 'mine'}),
        ('usercode', {'client_id': CLIENT_ID, 'scope': 'openid'}),
        ('token', {'device_auth_id': 'x'}),
    ],
)
async def test_other_forms_are_refused(path: str, body: Json) -> None:
    assert (await post_json(CodexSimulator(), f'/api/accounts/deviceauth/{path}', body, {})).status_code == 400


async def test_a_form_is_refused() -> None:
    answer = await post_form(CodexSimulator(), '/api/accounts/deviceauth/usercode', {'client_id': CLIENT_ID})

    assert answer.status_code == 415


@pytest.mark.parametrize('name', ['originator', 'user-agent', 'authorization', 'cookie'])
@pytest.mark.parametrize(
    ('path', 'body'),
    [('usercode', {'client_id': CLIENT_ID}), ('token', {'device_auth_id': 'x', 'user_code': 'y'})],
)
async def test_headers_of_the_client_are_refused(path: str, body: Json, name: str) -> None:
    answer = await post_json(CodexSimulator(), f'/api/accounts/deviceauth/{path}', body, {name: 'codex_exec/1'})

    assert answer.json()['error']['message'] == f'The header {name} is not sent with this request.'


async def test_a_lenient_simulator_takes_other_clients() -> None:
    simulator = CodexSimulator(strict=False)
    path = '/api/accounts/deviceauth'
    begun = await post_json(
        simulator, f'{path}/usercode', {'client_id': 'mine', 'scope': 'openid'}, {'originator': 'me'}
    )
    polled = await post_form(simulator, f'{path}/token', {**begun.json(), 'more': '1'})
    missing = await post_json(simulator, f'{path}/token', {'user_code': 'x'}, {})

    assert (begun.status_code, polled.status_code, missing.status_code) == (200, 403, 400)
