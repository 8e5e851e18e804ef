"""The pages beside the responses: what they answer, and what a test orders in place of that."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import anyio
import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    HttpFailure,
    IssuerEntry,
    LookupPath,
    RecordedRequest,
    SimulatorError,
    answer_with,
    connect_error,
    fail,
    late_answer,
    lost_answer,
    reply,
    slow_answer,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
LookUp = Callable[..., Awaitable[httpx2.Response]]
Login = Callable[[CodexSimulator], dict[str, str]]
MODELS = 'https://chatgpt.com/backend-api/codex/models?client_version=0.169.0'
ACCOUNTS = 'https://chatgpt.com/backend-api/wham/accounts/check'
USAGE = 'https://chatgpt.com/backend-api/wham/usage'
URLS = [MODELS, ACCOUNTS, USAGE]
NO_ENTRY: Any = reply('Hi')
NO_PATH: Any = 'wham'


async def statuses(look_up: LookUp, simulator: CodexSimulator, *urls: str) -> list[int]:
    return [(await look_up(simulator, url)).status_code for url in urls]


async def test_they_are_recorded_apart_from_the_responses(look_up: LookUp) -> None:
    simulator = CodexSimulator()

    assert await statuses(look_up, simulator, *URLS) == [200, 200, 200]
    assert [(request.number, request.path, request.body) for request in simulator.lookups] == [
        (1, '/backend-api/codex/models', {'client_version': '0.169.0'}),
        (2, '/backend-api/wham/accounts/check', {}),
        (3, '/backend-api/wham/usage', {}),
    ]
    assert all(request.closed for request in simulator.lookups)
    assert simulator.requests == []
    simulator.assert_exhausted()


async def test_the_accounts_and_where_their_requests_have_to_go(look_up: LookUp) -> None:
    simulator = CodexSimulator(account_id='acct-1', plan_type='pro')
    first = (await look_up(simulator, ACCOUNTS)).json()
    simulator.routing = 'us_cr'
    second = (await look_up(simulator, ACCOUNTS)).json()

    assert first == snapshot(
        {
            'accounts': [
                {
                    'id': 'acct-1',
                    'account_user_id': 'user-simulated__acct-1',
                    'name': 'Simulated',
                    'profile_picture_url': None,
                    'structure': 'personal',
                    'plan_type': 'pro',
                    'is_deactivated': False,
                    'can_access_with_session': True,
                    'sso_connection_name': None,
                    'is_fedramp_compliant_workspace': False,
                    'workspace_backend_origin': 'https://chatgpt.com',
                    'account_routing_override': 'NO_CONSTRAINT',
                }
            ],
            'account_ordering': ['acct-1'],
            'default_account_id': 'acct-1',
        }
    )
    assert second['accounts'][0]['account_routing_override'] == 'us_cr'


@pytest.mark.parametrize('routing', ['us', 'us_cr', 'mars'])
async def test_no_request_is_refused_for_its_routing(
    body: Json, ask: Callable[..., Awaitable[httpx2.Response]], login: Login, routing: str
) -> None:
    """What the backend does without the header, or with a wrong one, is not known."""
    simulator = CodexSimulator(default=reply('Hi'))
    simulator.routing = routing
    override = {'x-openai-account-routing-override': 'us'}
    answers = [await ask(simulator, body), await ask(simulator, body, headers={**login(simulator), **override})]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert override.items() <= simulator.requests[1].headers.items()


async def test_the_list_of_models_has_an_entity_tag(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    first = await look_up(simulator, MODELS)
    etag = first.headers['etag']
    tags = [etag, f'W/{etag}', f'"other", {etag}', '*', '"other"', '']
    answers = [await look_up(simulator, MODELS, {'if-none-match': tag}) for tag in tags]

    assert (etag, len(first.json()['models'])) == (simulator.catalog.etag, 12)
    assert [answer.status_code for answer in answers] == [304, 304, 304, 304, 200, 200]
    assert all(answer.headers['etag'] == etag for answer in answers)
    assert [bool(answer.content) for answer in answers] == [False, False, False, False, True, True]


@pytest.mark.parametrize('query', ['', '?client_version=', '?version=0.169.0'])
async def test_the_version_of_the_client_is_asked_for(look_up: LookUp, query: str) -> None:
    answer = await look_up(CodexSimulator(), MODELS.partition('?')[0] + query)

    assert (answer.status_code, answer.json()) == (400, {'detail': 'Missing query parameter: client_version'})


@pytest.mark.parametrize('url', URLS)
async def test_a_login_is_needed(look_up: LookUp, url: str) -> None:
    simulator = CodexSimulator()
    token = simulator.access_token
    async with simulator.http_client() as client:
        without = await client.get(url)
        key = await client.get(url, headers={'authorization': 'Bearer sk-test'})
    other = await look_up(simulator, url, {'chatgpt-account-id': 'other'})
    simulator.revoke()
    revoked = await look_up(simulator, url, {'authorization': f'Bearer {token}'})

    assert [answer.status_code for answer in (without, key, other, revoked)] == [401] * 4
    assert token not in repr(simulator.lookups) + repr(simulator.lookups[-1].headers)
    assert await statuses(look_up, simulator, url) == [200]


@pytest.mark.parametrize('url', URLS)
async def test_other_methods(login: Login, url: str) -> None:
    simulator = CodexSimulator()
    async with simulator.http_client() as client:
        answer = await client.post(url, headers=login(simulator))

    assert (answer.status_code, answer.json()) == (405, {'detail': 'Method Not Allowed'})


@pytest.mark.parametrize(
    ('base_url', 'usage', 'status'),
    [
        ('https://proxy.example/a/backend-api/codex/', '/a/backend-api/wham/usage', 200),
        ('https://proxy.example/codex', '/api/codex/usage', 200),
        ('https://proxy.example/codex', '/wham/usage', 200),
        ('https://proxy.example/v1', '/wham/usage', 404),
    ],
)
async def test_a_further_base_url(look_up: LookUp, base_url: str, usage: str, status: int) -> None:
    simulator = CodexSimulator(base_url=base_url)
    models = f'{base_url.rstrip("/")}/models?client_version=1'

    assert await statuses(look_up, simulator, models, f'https://proxy.example{usage}') == [status, status]


async def test_over_a_port(login: Login) -> None:
    simulator = CodexSimulator()
    headers = login(simulator)
    async with simulator.serve() as server, httpx2.AsyncClient(headers=headers) as client:
        root = server.base_url.removesuffix('/codex')
        models = await client.get(f'{server.base_url}/models?client_version=1')
        same = await client.get(
            f'{server.base_url}/models?client_version=1', headers={'if-none-match': models.headers['etag']}
        )
        usage = await client.get(f'{root}/wham/usage')
        accounts = await client.get(f'{root}/wham/accounts/check')

    assert [answer.status_code for answer in (models, same, usage, accounts)] == [200, 304, 200, 200]
    assert (same.content, len(simulator.lookups)) == (b'', 4)


async def test_failures_last_until_they_are_taken_back(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    simulator.fail_lookups(fail(503, headers={'Retry-After': '1'}))
    failed = [await look_up(simulator, url) for url in (*URLS, MODELS)]
    simulator.fail_lookups(None, 'usage')

    assert [answer.status_code for answer in failed] == [503] * 4
    assert failed[0].headers['retry-after'] == '1'
    assert await statuses(look_up, simulator, *URLS) == [503, 503, 200]
    simulator.assert_exhausted()


async def test_failures_of_one_page_so_many_times(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    simulator.fail_lookups(connect_error(), 'models', times=1)
    simulator.fail_lookups(fail(404), 'accounts/check', times=2)
    with pytest.raises(httpx2.ConnectError):
        await look_up(simulator, MODELS)

    assert await statuses(look_up, simulator, MODELS, USAGE) == [200, 200]
    assert await statuses(look_up, simulator, *[ACCOUNTS] * 3) == [404, 404, 200]
    assert [request.status for request in simulator.lookups[:2]] == [None, 200]


async def test_a_refused_request_uses_no_failure(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    simulator.fail_lookups(fail(500), times=1)

    assert await statuses(look_up, simulator, MODELS.partition('?')[0], MODELS, MODELS) == [400, 500, 200]


async def test_other_bodies(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    simulator.fail_lookups(answer_with('<html>', headers={'Content-Type': 'application/json'}), 'models')
    simulator.fail_lookups(answer_with({'accounts': []}), 'accounts/check')
    simulator.fail_lookups(answer_with(b'\xff' * 100_000), 'usage')
    models, accounts, usage = [await look_up(simulator, url) for url in URLS]

    assert (models.status_code, models.text, models.headers['content-type']) == (200, '<html>', 'application/json')
    assert accounts.json() == {'accounts': []}
    assert len(usage.content) == 100_000


@pytest.mark.parametrize(
    ('entry', 'patience', 'error'),
    [
        (lost_answer(), None, httpx2.ReadError),
        (lost_answer(cut_after=10), None, httpx2.RemoteProtocolError),
        (late_answer(seconds=math.inf), 0.05, httpx2.ReadTimeout),
        (slow_answer(stall_after=10), 0.05, httpx2.ReadTimeout),
    ],
    ids=['lost', 'cut', 'late', 'stalled'],
)
async def test_answers_that_do_not_come(
    login: Login, entry: IssuerEntry, patience: float | None, error: type[Exception]
) -> None:
    simulator = CodexSimulator()
    simulator.fail_lookups(entry, 'models')
    async with simulator.http_client() as client:
        client.timeout = patience
        with pytest.raises(error):
            await client.get(MODELS, headers=login(simulator))

    assert simulator.lookups[0].closed


async def test_a_late_answer(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    called: list[int] = []
    simulator.fail_lookups(late_answer(before=lambda: called.append(1)), 'usage')

    assert await statuses(look_up, simulator, USAGE) == [200]
    assert called == [1]


async def test_a_function_answers(look_up: LookUp) -> None:
    simulator = CodexSimulator()

    def answer(request: RecordedRequest) -> HttpFailure | None:
        return fail(500) if request.number == 1 else None

    simulator.fail_lookups(answer)

    assert await statuses(look_up, simulator, *URLS) == [500, 200, 200]


def raising(*_: object) -> NoReturn:
    raise KeyError('x')


def saying_hi(_: RecordedRequest) -> str:
    return 'Hi'


@pytest.mark.parametrize(
    ('entry', 'problem'),
    [
        (raising, r"GET /backend-api/wham/usage raised KeyError: 'x'"),
        (saying_hi, "wham/usage returned 'Hi'"),
        (late_answer(before=raising), r"before the answer raised KeyError: 'x'"),
    ],
    ids=['function', 'result', 'hook'],
)
async def test_a_mistake_of_a_test_is_remembered(look_up: LookUp, entry: Any, problem: str) -> None:
    """A client goes on without these pages, and would not tell."""
    simulator = CodexSimulator()
    simulator.fail_lookups(entry, 'usage')
    with pytest.raises(SimulatorError, match=problem):
        await look_up(simulator, USAGE)

    with pytest.raises(SimulatorError, match=problem):
        simulator.assert_exhausted()
    assert simulator.lookups[0].closed


async def test_a_failed_test_is_no_answer(look_up: LookUp) -> None:
    simulator = CodexSimulator()
    simulator.fail_lookups(lambda _: pytest.fail('no'), 'usage')
    with pytest.raises(pytest.fail.Exception):
        await look_up(simulator, USAGE)

    assert simulator.lookups[0].closed


@pytest.mark.parametrize(
    ('entry', 'path', 'times', 'problem'),
    [
        (NO_ENTRY, None, None, 'is no answer to a lookup'),
        (fail(500), NO_PATH, None, "path='wham' is no page; use one of 'models', 'accounts/check', 'usage'"),
        (fail(500), None, -1, 'times=-1 is no number of requests'),
    ],
)
def test_what_cannot_be_ordered(entry: IssuerEntry, path: LookupPath | None, times: int | None, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        CodexSimulator().fail_lookups(entry, path, times=times)


def test_threads(look_up: LookUp) -> None:
    """Each thread has an event loop of its own."""
    simulator = CodexSimulator()
    simulator.fail_lookups(fail(500), 'usage', times=10)

    def work(_: int) -> int:
        return anyio.run(look_up, simulator, USAGE).status_code

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(40)))

    assert sorted(found) == [200] * 30 + [500] * 10
    assert [request.number for request in simulator.lookups] == list(range(1, 41))
