"""The simulated login service: the browser login, and its pages."""

from __future__ import annotations

import pydoc
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.testing import CodexSimulator, SimulatorError
from pydantic_ai_codex.testing._issuer import SimulatedIssuer
from pydantic_ai_codex.testing._issuer_options import IssuerOptions

from .issuer_client import (
    AUTHORIZE,
    CALLBACK,
    ISSUER,
    anonymous_client,
    authorize_url,
    code_form,
    exchange_form,
    field,
    get,
    log_in,
    post_form,
    post_json,
    query_of,
    refresh,
)

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def test_a_page_asks_and_leads_back() -> None:
    simulator = CodexSimulator()
    simulator.oauth.sign_in_as('acct-2', 'pro', 'ada@example.com')
    page = await get(simulator, authorize_url())
    answer = await post_form(
        simulator, '/oauth/authorize', {'request': field(page.text, 'request'), 'decision': 'allow'}
    )
    back = answer.headers['location']
    tokens = (await post_form(simulator, '/oauth/token', code_form(query_of(back)['code']))).json()

    assert (page.status_code, page.headers['content-type']) == (200, 'text/html; charset=utf-8')
    assert page.headers['content-security-policy'].startswith("default-src 'none'")
    assert 'codex_cli_rs' in page.text
    assert 'ada@example.com' in page.text
    assert (answer.status_code, back.partition('?')[0]) == (303, CALLBACK)
    assert query_of(back)['state'] == AUTHORIZE['state']
    assert Credentials(tokens['access_token']).account_id == 'acct-2'
    assert (await refresh(simulator, tokens['refresh_token'])).status_code == 200


async def test_a_page_can_be_denied_once() -> None:
    simulator = CodexSimulator()
    page = await get(simulator, authorize_url())
    decision = {'request': field(page.text, 'request'), 'decision': 'deny'}
    denied = await post_form(simulator, '/oauth/authorize', decision)
    again = await post_form(simulator, '/oauth/authorize', decision)

    assert query_of(denied.headers['location']) == {
        'error': 'access_denied',
        'error_description': 'The login was denied.',
        'state': AUTHORIZE['state'],
    }
    assert again.status_code == 400
    assert 'Begin again' in again.text


async def test_without_a_page() -> None:
    simulator = CodexSimulator()
    simulator.oauth.auto_approve = True
    allowed = await get(simulator, authorize_url())
    simulator.oauth.auto_deny = True
    denied = await get(simulator, authorize_url())

    assert (allowed.status_code, denied.status_code) == (302, 302)
    assert set(query_of(allowed.headers['location'])) == {'code', 'scope', 'state'}
    assert query_of(denied.headers['location'])['error'] == 'access_denied'


@pytest.mark.parametrize(
    ('name', 'value', 'problem'),
    [
        ('response_type', 'token', 'response_type cannot be'),
        ('client_id', 'mine', 'client_id cannot be'),
        ('client_id', None, 'client_id is missing.'),
        ('redirect_uri', 'http://127.0.0.1:1456/auth/callback', 'redirect_uri cannot be'),
        ('redirect_uri', 'http://localhost:1455/auth/callback', 'redirect_uri cannot be'),
        ('redirect_uri', 'https://example.com/auth/callback', 'redirect_uri cannot be'),
        ('code_challenge', 'short', 'code_challenge cannot be'),
        ('code_challenge_method', 'plain', 'code_challenge_method cannot be'),
        ('state', 'short', 'state cannot be'),
        ('scope', 'openid', 'scope cannot be'),
        ('id_token_add_organizations', 'false', 'id_token_add_organizations cannot be'),
        ('codex_cli_simplified_flow', None, 'codex_cli_simplified_flow is missing.'),
        ('originator', 'two words', 'originator cannot be'),
        ('allowed_workspace_id', 'a,,b', 'allowed_workspace_id cannot be'),
        ('prompt', 'login', 'prompt is unknown.'),
        ('prompt', '<script>', 'prompt is unknown.'),
    ],
)
async def test_wrong_queries_are_told(name: str, value: str | None, problem: str) -> None:
    simulator = CodexSimulator()
    url = authorize_url(**{name: value})
    page = await get(simulator, url)

    assert page.status_code == 400
    assert f'<li>{problem}' in page.text
    assert '<script>' not in page.text
    with pytest.raises(SimulatorError, match=problem):
        simulator.oauth.approve_login(url)


async def test_a_repeated_parameter_is_refused() -> None:
    simulator = CodexSimulator()
    url = f'{authorize_url()}&state=again'

    assert (await get(simulator, url)).status_code == 400
    with pytest.raises(SimulatorError, match='Repeated'):
        simulator.oauth.approve_login(url)


@pytest.mark.parametrize(
    'changes',
    [
        {'redirect_uri': 'http://127.0.0.1:1457/auth/callback'},
        {'allowed_workspace_id': 'acct-1,acct-2'},
        {'originator': 'pydantic_ai_codex'},
    ],
)
async def test_what_else_is_taken(changes: dict[str, str]) -> None:
    assert (await get(CodexSimulator(), authorize_url(**changes))).status_code == 200


async def test_any_port_of_this_machine_where_a_test_asks_for_it() -> None:
    simulator = CodexSimulator()
    simulator.oauth.any_port = True

    def back(uri: str) -> str:
        return simulator.oauth.approve_login(authorize_url(redirect_uri=uri)).partition('?')[0]

    assert back('http://127.0.0.1:54321/auth/callback') == 'http://127.0.0.1:54321/auth/callback'
    for uri in ('http://127.0.0.1:99999/auth/callback', 'http://127.0.0.1:5432/', 'http://10.0.0.1:1455/auth/callback'):
        with pytest.raises(SimulatorError, match='redirect_uri'):
            back(uri)


async def test_a_lenient_simulator_takes_the_login_of_other_clients() -> None:
    simulator = CodexSimulator(strict=False)
    uri = 'http://localhost:1455/auth/callback'
    url = authorize_url(redirect_uri=uri, originator=None, scope='openid', state=None, extra='1')

    assert 'state' not in query_of(simulator.oauth.approve_login(url))


@pytest.mark.parametrize(
    ('changes', 'problem'),
    [
        ({'code': 'ac_unknown'}, 'code is unknown'),
        ({'redirect_uri': 'http://127.0.0.1:1457/auth/callback'}, 'redirect_uri is not'),
        ({'code_verifier': 'x' * 43}, 'code_verifier does not fit'),
    ],
)
async def test_a_code_belongs_to_its_login(changes: dict[str, str], problem: str) -> None:
    simulator = CodexSimulator()
    code = query_of(simulator.oauth.approve_login(authorize_url()))['code']
    refused = await post_form(simulator, '/oauth/token', code_form(code, **changes))

    assert (refused.status_code, refused.json()['error']) == (400, 'invalid_grant')
    assert problem in refused.json()['error_description']


async def test_a_code_is_good_once() -> None:
    simulator = CodexSimulator()
    code = query_of(simulator.oauth.approve_login(authorize_url()))['code']
    answers = [await post_form(simulator, '/oauth/token', code_form(code)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]


async def test_a_code_is_good_for_ten_minutes() -> None:
    now = [NOW]
    simulator = CodexSimulator(now=lambda: now[0])
    code = query_of(simulator.oauth.approve_login(authorize_url()))['code']
    now[0] += timedelta(minutes=11)
    answer = await post_form(simulator, '/oauth/token', code_form(code))

    assert 'has expired' in answer.json()['error_description']


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'code_verifier': 'short'}, "'code_verifier' has to be 43 to 128 unreserved characters."),
        ({'client_id': 'mine'}, "Invalid value: 'mine'"),
        ({'scope': 'openid'}, "Unknown parameter: 'scope'"),
        ({'code': ''}, "Missing required parameter: 'code'"),
    ],
)
async def test_codes_of_another_form_are_refused(changes: dict[str, str], message: str) -> None:
    answer = await post_form(CodexSimulator(), '/oauth/token', code_form('ac', **changes))

    assert answer.status_code == 400
    assert answer.json()['error']['message'].startswith(message)


@pytest.mark.parametrize('form', [code_form('ac'), exchange_form('it')], ids=['code', 'exchange'])
@pytest.mark.parametrize('name', ['originator', 'user-agent', 'authorization', 'cookie'])
async def test_a_form_comes_without_headers_of_the_client(form: dict[str, str], name: str) -> None:
    simulator = CodexSimulator()
    async with anonymous_client(simulator) as client:
        answer = await client.post(f'{ISSUER}/oauth/token', data=form, headers={name: 'codex_exec/1'})

    assert answer.status_code == 400
    assert answer.json()['error']['message'] == f'The header {name} is not sent with this request.'


async def test_a_code_is_no_json() -> None:
    assert (await post_json(CodexSimulator(), '/oauth/token', code_form('ac'))).status_code == 415


async def test_a_denied_login() -> None:
    assert query_of(CodexSimulator().oauth.deny_login(authorize_url()))['error'] == 'access_denied'


async def test_logins_are_independent() -> None:
    simulator = CodexSimulator()
    first, second = await log_in(simulator), await log_in(simulator)
    await refresh(simulator, first['refresh_token'])

    assert (await refresh(simulator, second['refresh_token'])).status_code == 200
    assert simulator.oauth.reuses == []


async def test_served_over_a_port() -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server, httpx2.AsyncClient() as client:
        page = await client.get(authorize_url(server.issuer))
        decision = {'request': field(page.text, 'request'), 'decision': 'allow'}
        answer = await client.post(f'{server.issuer}/oauth/authorize', data=decision)

    assert ISSUER not in page.text
    assert (answer.status_code, answer.headers['location'].partition('?')[0]) == (303, CALLBACK)


async def test_what_browsers_were_refused_is_told_to_the_test() -> None:
    simulator = CodexSimulator()
    await get(simulator, authorize_url(redirect_uri='http://127.0.0.1:4242/auth/callback'))

    assert simulator.oauth.problems == [
        "redirect_uri cannot be 'http://127.0.0.1:4242/auth/callback'.",
        'Set `any_port` of the simulated login service to take the port of redirect_uri.',
    ]
    assert 'refused a login: Set `any_port`' in repr(simulator.oauth)


def test_the_options_are_explained() -> None:
    text = pydoc.plain(pydoc.render_doc(SimulatedIssuer))

    assert all(f'{option.name}: ' in text for option in fields(IssuerOptions))
