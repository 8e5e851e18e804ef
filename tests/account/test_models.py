"""The list of models: how long it is good for, who asks, and what there is when nobody answers."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta

import anyio
import anyio.to_thread
import httpx2
import pytest

from pydantic_ai_codex._protocol.catalog import BUNDLED
from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.errors import BackendError, CodexError, CredentialsError, TransportError

from .backend import (
    BASE_URL,
    LOGIN,
    NOW,
    Answer,
    Backend,
    Program,
    Time,
    models,
    refuse_connection,
    status,
)

pytestmark = pytest.mark.anyio

RENEWED = Credentials('at-secret-renewed', account_id=LOGIN.account_id)
KEY = Credentials('sk-secret-0123456789', auth_mode='apikey')


def conditions(backend: Backend) -> list[str | None]:
    """Which version each request said that it had."""
    return [request.headers.get('if-none-match') for request in backend.requests]


# When it is asked for.


async def test_the_list(program: Program, backend: Backend) -> None:
    assert program.models.is_due(LOGIN, BASE_URL)
    assert program.models.known(LOGIN, BASE_URL) is BUNDLED

    catalog = await program.models.get(LOGIN, BASE_URL)

    assert [info.slug for info in catalog.models] == ['gpt-a']
    assert (catalog.source, catalog.fetched_at, catalog.etag) == ('backend', NOW, '"etag-1"')
    assert program.models.known(LOGIN, BASE_URL) is catalog
    assert not program.models.is_due(LOGIN, BASE_URL)
    assert [str(request.url) for request in backend.requests] == [f'{BASE_URL}/models?client_version=0.169.0']


async def test_it_is_good_for_five_minutes_and_then_asked_about(program: Program, backend: Backend, time: Time) -> None:
    await program.slugs()
    time.passed = 299.9
    assert not program.models.is_due(LOGIN, BASE_URL)
    await program.slugs()
    time.passed = 300
    assert program.models.is_due(LOGIN, BASE_URL)

    catalog = await program.models.get(LOGIN, BASE_URL)

    assert conditions(backend) == [None, '"etag-1"']
    assert [info.slug for info in catalog.models] == ['gpt-a']
    assert catalog.fetched_at == time.now()
    assert not program.models.is_due(LOGIN, BASE_URL)


async def test_a_new_version_takes_its_place(program: Program, backend: Backend, time: Time) -> None:
    await program.slugs()
    backend.models = models('gpt-b', etag='"etag-2"')
    time.passed = 300

    assert await program.slugs() == ['gpt-b']
    assert program.models.known(LOGIN, BASE_URL).etag == '"etag-2"'


async def test_a_list_without_a_version_is_asked_for_as_a_whole(program: Program, backend: Backend, time: Time) -> None:
    backend.models = models('gpt-a', etag=None)
    await program.slugs()
    program.models.heard('"etag-1"', LOGIN, BASE_URL)
    assert not program.models.is_due(LOGIN, BASE_URL)
    time.passed = 300
    await program.slugs()

    assert conditions(backend) == [None, None]


async def test_an_answer_with_the_same_version_makes_it_fresh(program: Program, backend: Backend, time: Time) -> None:
    await program.slugs()
    for time.passed in range(0, 3000, 250):
        program.models.heard('W/"etag-1"', LOGIN, BASE_URL)
        assert not program.models.is_due(LOGIN, BASE_URL)

    assert program.models.known(LOGIN, BASE_URL).fetched_at == NOW + timedelta(seconds=2750)
    assert len(backend.requests) == 1


async def test_an_answer_with_another_version_makes_it_due(program: Program, backend: Backend, time: Time) -> None:
    await program.slugs()
    backend.models = models('gpt-b', etag='"etag-2"')
    time.passed = 1
    program.models.heard('"etag-2"', LOGIN, BASE_URL)

    assert program.models.is_due(LOGIN, BASE_URL)
    assert await program.slugs() == ['gpt-b']
    assert conditions(backend) == [None, '"etag-1"']


async def test_two_servers_with_a_version_each_are_asked_every_half_minute(
    program: Program, backend: Backend, time: Time
) -> None:
    await program.slugs()
    for time.passed in range(100):
        program.models.heard('"etag-2"', LOGIN, BASE_URL)
        if program.models.is_due(LOGIN, BASE_URL):
            await program.slugs()

    assert len(backend.requests) == 1 + 4


@pytest.mark.parametrize('etag', [None, ''])
async def test_an_answer_without_a_version_changes_nothing(etag: str | None, program: Program, time: Time) -> None:
    await program.slugs()
    time.passed = 100
    program.models.heard(etag, LOGIN, BASE_URL)

    assert program.models.known(LOGIN, BASE_URL).fetched_at == NOW
    assert not program.models.is_due(LOGIN, BASE_URL)


async def test_a_version_of_a_list_that_is_not_there_changes_nothing(program: Program, backend: Backend) -> None:
    program.models.heard('"etag-1"', LOGIN, BASE_URL)

    assert program.models.known(LOGIN, BASE_URL) is BUNDLED
    assert await program.slugs() == ['gpt-a']


async def test_a_clock_that_was_put_back_keeps_no_list_fresh(program: Program, backend: Backend, time: Time) -> None:
    await program.slugs()
    time.put_back = timedelta(days=300)

    assert program.models.is_due(LOGIN, BASE_URL)
    await program.slugs()
    assert not program.models.is_due(LOGIN, BASE_URL)
    assert len(backend.requests) == 2


async def test_each_account_has_its_own(program: Program, backend: Backend) -> None:
    await program.slugs()
    backend.models = models('gpt-b')
    another = Credentials('at-secret-another', account_id='acct-another')

    assert await program.slugs(another) == ['gpt-b']
    assert await program.slugs() == ['gpt-a']


async def test_a_new_token_of_the_same_account_has_the_same(program: Program, backend: Backend) -> None:
    await program.slugs()

    assert await program.slugs(RENEWED) == ['gpt-a']
    assert len(backend.requests) == 1


async def test_the_last_accounts_are_remembered(program: Program, backend: Backend) -> None:
    logins = [Credentials('at-secret-renewed', account_id=f'acct-{number}') for number in range(17)]
    for login in logins:
        await program.slugs(login)

    assert not any(program.models.is_due(login, BASE_URL) for login in logins[1:])
    assert program.models.is_due(logins[0], BASE_URL)


@pytest.mark.parametrize(('login', 'base_url'), [(KEY, BASE_URL), (LOGIN, 'https://gateway.example/v1')])
@pytest.mark.parametrize('refresh', [False, True])
async def test_others_have_the_bundled_list(
    login: Credentials, base_url: str, refresh: bool, program: Program, backend: Backend
) -> None:
    assert not program.models.is_due(login, base_url)
    assert await program.models.get(login, base_url, refresh=refresh) is BUNDLED
    program.models.heard('"etag-1"', login, base_url)
    assert program.models.known(login, base_url) is BUNDLED
    assert backend.requests == []


async def test_what_an_answer_says_is_cheap(
    program: Program, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file, no thread, no request."""
    await program.slugs()

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError('it is not worth that')

    monkeypatch.setattr(anyio.to_thread, 'run_sync', forbidden)
    monkeypatch.setattr('builtins.open', forbidden)
    program.models.heard('"etag-1"', LOGIN, BASE_URL)
    program.models.heard('"etag-2"', LOGIN, BASE_URL)
    program.models.is_due(LOGIN, BASE_URL)
    program.models.known(LOGIN, BASE_URL)

    assert len(backend.requests) == 1


# What can go wrong.

FAULTS: dict[str, Answer] = {
    'no connection': refuse_connection,
    'not found': status(404, {'detail': 'Not Found'}),
    'refused': status(401, {'detail': 'no'}),
    'broken': status(500, b'<html>'),
    'a redirect': status(302, b'', location='https://evil.example'),
    'a page': status(200, b'<html>Sign in</html>', **{'content-type': 'text/html'}),
    'no object': status(200, [1]),
    'nothing': status(200, b''),
    'cut off': status(200, b'{"models": [{"slug": "gpt-a"'),
    'no models': status(200, {'models': []}),
    'no usable model': status(200, b'{"models": [null, 7, {}]}'),
    'another shape': status(200, {'data': [{'id': 'gpt-a'}]}),
    'unchanged, of nothing': status(304),
    'too large': status(200, b'x' * (16 * 1024 * 1024 + 1)),
    'deep': status(200, b'[' * 1_000_000),
}


@pytest.mark.parametrize('fault', FAULTS)
async def test_a_failure_leaves_the_bundled_list_for_five_minutes(
    fault: str, program: Program, backend: Backend, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, 'pydantic_ai_codex')
    backend.models = FAULTS[fault]

    assert await program.models.get(LOGIN, BASE_URL) is BUNDLED
    time.passed = 299.9
    assert not program.models.is_due(LOGIN, BASE_URL)
    assert await program.models.get(LOGIN, BASE_URL) is BUNDLED
    [message] = caplog.messages
    assert message.startswith('The list of models cannot be had, so what is known of them is used: ')
    backend.models = models('gpt-a')
    time.passed = 300
    assert await program.slugs() == ['gpt-a']
    assert len(backend.requests) == 2


@pytest.mark.parametrize('fault', FAULTS)
async def test_a_failure_leaves_an_older_list(fault: str, program: Program, backend: Backend, time: Time) -> None:
    await program.slugs()
    backend.models = FAULTS[fault]
    time.passed = 300

    if fault == 'unchanged, of nothing':
        assert (await program.models.get(LOGIN, BASE_URL)).fetched_at == time.now()
    else:
        catalog = await program.models.get(LOGIN, BASE_URL)
        assert ([info.slug for info in catalog.models], catalog.fetched_at) == (['gpt-a'], NOW)
        assert not program.models.is_due(LOGIN, BASE_URL)


@pytest.mark.parametrize('fault', FAULTS)
async def test_who_asks_for_it_now_hears_of_the_failure(fault: str, program: Program, backend: Backend) -> None:
    backend.models = FAULTS[fault]

    with pytest.raises(CodexError) as caught:
        await program.models.get(LOGIN, BASE_URL, refresh=True)

    assert isinstance(caught.value, BackendError | TransportError)
    assert 'at-secret' not in ''.join(traceback.format_exception(caught.value))


async def test_a_page_with_json_in_it_is_taken_whatever_it_calls_itself(program: Program, backend: Backend) -> None:
    backend.models = models('gpt-a', **{'content-type': 'text/html'})

    assert await program.slugs() == ['gpt-a']


async def test_who_asks_for_it_now_is_not_told_of_earlier_failures(program: Program, backend: Backend) -> None:
    backend.models = status(500)
    await program.slugs()
    backend.models = models('gpt-a')

    assert await program.slugs(refresh=True) == ['gpt-a']
    assert not program.models.is_due(LOGIN, BASE_URL)


@pytest.mark.parametrize('code', [401, 403])
async def test_a_refused_token_says_nothing_of_the_next(code: int, program: Program, backend: Backend) -> None:
    backend.models = status(code, {'detail': 'no'})
    await program.slugs()
    backend.models = models('gpt-a')

    assert not program.models.is_due(LOGIN, BASE_URL)
    assert program.models.is_due(RENEWED, BASE_URL)
    assert await program.slugs(RENEWED) == ['gpt-a']


async def test_a_login_that_cannot_be_sent_says_nothing_of_the_next(program: Program, backend: Backend) -> None:
    await program.slugs(Credentials('at-secret\n', account_id=LOGIN.account_id))

    assert await program.slugs() == ['gpt-a']
    assert len(backend.requests) == 1


async def test_a_backend_that_fails_does_so_for_the_next_token_too(program: Program, backend: Backend) -> None:
    backend.models = status(500)
    await program.slugs()

    assert not program.models.is_due(RENEWED, BASE_URL)


@pytest.mark.parametrize('has_failed', [False, True])
async def test_who_asks_for_it_now_is_not_told_of_a_token_that_was_refused_meanwhile(
    has_failed: bool, program: Program, backend: Backend, time: Time
) -> None:
    if has_failed:
        backend.models = status(500)
        await program.slugs()
        time.passed = 300
        backend.requests.clear()

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.headers['authorization'] == f'Bearer {LOGIN.access_token}':
            return httpx2.Response(401)
        return httpx2.Response(200, json={'models': [{'slug': 'gpt-a'}]})

    backend.models = answer
    slugs: list[list[str]] = []

    async def refresh() -> None:
        slugs.append(await program.slugs(RENEWED, refresh=True))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(program.slugs)
        tasks.start_soon(refresh)

    assert (slugs, len(backend.requests)) == ([['gpt-a']], 2)


async def test_the_words_of_others_are_one_short_line_of_the_log(
    program: Program, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, 'pydantic_ai_codex')
    backend.models = status(500, {'detail': 'no\r\nINFO all is well\x1b[2J\u202e' + 'x' * 10_000})

    await program.slugs()

    [message] = caplog.messages
    assert message.isprintable()
    assert 'no INFO all is well [2J xxx' in message
    assert len(message) < 400


async def test_who_asks_for_it_now_gets_it_though_it_is_fresh(program: Program, backend: Backend) -> None:
    await program.slugs()
    backend.models = models('gpt-b', etag='"etag-2"')

    assert await program.slugs(refresh=True) == ['gpt-b']


async def test_a_failure_is_told_again_after_a_success(
    program: Program, backend: Backend, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, 'pydantic_ai_codex')
    for answer in (status(500), status(500), models('gpt-a'), status(500)):
        backend.models = answer
        await program.slugs()
        time.passed += 300

    assert (len(backend.requests), len(caplog.records)) == (4, 2)


async def test_a_login_that_cannot_be_sent_is_left_to_the_turn(program: Program, backend: Backend) -> None:
    nobody = Credentials('at-secret')

    assert await program.models.get(nobody, BASE_URL) is BUNDLED
    with pytest.raises(CredentialsError, match='names no ChatGPT account'):
        await program.models.get(nobody, BASE_URL, refresh=True)
    assert backend.requests == []
