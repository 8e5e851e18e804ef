"""The simulated GitHub: the newest release, the files at each tag, entity tags, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic_ai import Agent

from pydantic_ai_codex import CodexModel, CodexModelSettings, CodexProvider
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import (
    CodexSimulator,
    GitHubEntry,
    SimulatorError,
    answer_with,
    fail,
    fake_access_token,
    rate_limited,
    reply,
)

pytestmark = pytest.mark.anyio

API = 'https://api.github.com/repos/openai/codex/releases/latest'
PAGE = 'https://github.com/openai/codex/releases/latest'
RAW = 'https://raw.githubusercontent.com/openai/codex'
PROMPT = 'codex-rs/core/gpt_5_1_prompt.md'
CATALOG = 'codex-rs/models-manager/models.json'
SHA = '0123456789abcdef0123456789abcdef01234567'
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def wrong(value: object) -> Any:
    """A value of a type that a type checker would not let through."""
    return value


async def get(simulator: CodexSimulator, url: str, **headers: str) -> httpx2.Response:
    async with simulator.http_client() as client:
        return await client.get(url, headers={name.replace('_', '-'): value for name, value in headers.items()})


async def test_the_newest_release() -> None:
    answer = await get(CodexSimulator(now=lambda: NOW), API)

    release = answer.json()
    assert (answer.status_code, release['tag_name'], release['name']) == (200, 'rust-v0.0.1', '0.0.1')
    assert (release['draft'], release['prerelease']) == (False, False)
    assert release['html_url'] == 'https://github.com/openai/codex/releases/tag/rust-v0.0.1'
    assert release['published_at'].endswith('Z')
    assert answer.headers['content-type'] == 'application/json; charset=utf-8'
    assert re.fullmatch(r'W/"[0-9a-f]{64}"', answer.headers['etag'])
    assert {name: value for name, value in answer.headers.items() if name.startswith('x-ratelimit')} == {
        'x-ratelimit-limit': '60',
        'x-ratelimit-remaining': '59',
        'x-ratelimit-reset': str(int((NOW + timedelta(hours=1)).timestamp())),
        'x-ratelimit-used': '1',
        'x-ratelimit-resource': 'core',
    }


async def test_the_page_redirects_to_its_tag() -> None:
    answer = await get(CodexSimulator(), PAGE)

    assert (answer.status_code, answer.content) == (302, b'')
    assert answer.headers['location'] == 'https://github.com/openai/codex/releases/tag/rust-v0.0.1'


async def test_a_file_of_a_release() -> None:
    simulator = CodexSimulator()
    simulator.github.is_cacheable = True
    answer = await get(simulator, f'{RAW}/rust-v0.0.1/{PROMPT}', accept_encoding='identity')

    text = simulator.github.files()[PROMPT]
    assert (answer.status_code, answer.text) == (200, text)
    assert ('gpt-5.1' in text, 'rust-v0.0.1' in text) == (True, True)
    assert answer.headers['content-type'] == 'text/plain; charset=utf-8'
    assert answer.headers['cache-control'] == 'max-age=300'
    assert answer.headers['etag'] == f'"{sha256(text.encode()).hexdigest()}"'
    assert int(answer.headers['content-length']) == len(text)


def test_each_family_has_a_text_of_its_own() -> None:
    files = CodexSimulator().github.files()

    assert sorted(files) == [
        'codex-rs/core/gpt-5.1-codex-max_prompt.md',
        'codex-rs/core/gpt-5.2-codex_prompt.md',
        'codex-rs/core/gpt_5_1_prompt.md',
        'codex-rs/core/gpt_5_2_prompt.md',
        'codex-rs/core/gpt_5_codex_prompt.md',
        'codex-rs/core/prompt.md',
        'codex-rs/models-manager/models.json',
    ]
    assert len(set(files.values())) == len(files)


def test_the_catalog_has_the_listed_models() -> None:
    models = json.loads(CodexSimulator().github.files()[CATALOG])['models']

    slugs = [model['slug'] for model in models]
    assert ('gpt-6-astra' in slugs, 'gpt-5.5' in slugs, 'codex-auto-review' in slugs) == (True, True, False)
    for model in models:
        assert model['slug'] in model['base_instructions']
        assert model['slug'] in model['model_messages']['instructions_template']


async def test_what_may_be_compressed_is_and_has_a_weak_entity_tag() -> None:
    simulator = CodexSimulator()
    url = f'{RAW}/rust-v0.0.1/{CATALOG}'
    plain = await get(simulator, url, accept_encoding='identity')
    packed = await get(simulator, url, accept_encoding='br;q=1.0, gzip;q=0.8')

    assert (packed.headers['content-encoding'], packed.text) == ('gzip', plain.text)
    assert packed.headers['etag'] == f'W/{plain.headers["etag"]}'
    assert int(packed.headers['content-length']) < int(plain.headers['content-length'])


@pytest.mark.parametrize(
    ('accepted', 'encoding'),
    [
        ('gzip', 'gzip'),
        ('GZIP ; q=0.001', 'gzip'),
        ('gzip;q=0', None),
        ('br, gzip; q=0.000', None),
        ('x-gzip', None),
        ('', None),
    ],
)
async def test_what_may_not_be_compressed_is_not(accepted: str, encoding: str | None) -> None:
    answer = await get(CodexSimulator(), f'{RAW}/rust-v0.0.1/{CATALOG}', accept_encoding=accepted)

    assert answer.headers.get('content-encoding') == encoding


@pytest.mark.parametrize('url', [API, f'{RAW}/rust-v0.0.1/{PROMPT}'])
@pytest.mark.parametrize('accept_encoding', ['gzip', 'identity'])
async def test_what_the_client_has_is_not_sent_again(url: str, accept_encoding: str) -> None:
    simulator = CodexSimulator()
    first = await get(simulator, url, accept_encoding=accept_encoding)
    entity_tag = first.headers['etag']
    for known in (entity_tag, entity_tag.removeprefix('W/'), f'"other", {entity_tag}', '*'):
        answer = await get(simulator, url, accept_encoding=accept_encoding, if_none_match=known)

        assert (answer.status_code, answer.content, answer.headers['etag']) == (304, b'', entity_tag)
        assert not {'content-length', 'content-type', 'content-encoding'} & set(answer.headers)
    for unknown in ('"other"', entity_tag.removeprefix('W/').strip('"')):
        assert (await get(simulator, url, if_none_match=unknown)).status_code == 200


@pytest.mark.parametrize(
    ('url', 'body'),
    [
        (f'{RAW}/rust-v0.1.0/{PROMPT}', '404: Not Found'),
        (f'{RAW}/rust-v0.0.1/codex-rs/core/other.md', '404: Not Found'),
        (f'{RAW}/{SHA}/{PROMPT}', '404: Not Found'),
        ('https://raw.githubusercontent.com/openai/other/main/README.md', '404: Not Found'),
        ('https://github.com/openai/codex/releases/tag/rust-v0.0.1', 'Not Found'),
        ('https://github.com/openai/other/releases/latest', 'Not Found'),
    ],
)
async def test_what_is_not_there(url: str, body: str) -> None:
    answer = await get(CodexSimulator(), url)

    assert (answer.status_code, answer.text) == (404, body)


async def test_what_the_api_does_not_have() -> None:
    answer = await get(CodexSimulator(), 'https://api.github.com/repos/openai/other/releases/latest')

    assert (answer.status_code, answer.json()['message'], answer.headers['x-ratelimit-used']) == (404, 'Not Found', '1')


@pytest.mark.parametrize(('url', 'status'), [(API, 404), (PAGE, 404), (f'{RAW}/rust-v0.0.1/{PROMPT}', 405)])
async def test_other_methods(url: str, status: int) -> None:
    async with CodexSimulator().http_client() as client:
        answers = [await client.post(url, json={}), await client.delete(url)]

    assert [answer.status_code for answer in answers] == [status] * 2


@pytest.mark.parametrize('url', [API, PAGE, f'{RAW}/rust-v0.0.1/{PROMPT}', f'{RAW}/rust-v0.0.1/other.md'])
async def test_head_is_answered_as_get_without_the_content(url: str) -> None:
    simulator = CodexSimulator(now=lambda: NOW)
    async with simulator.http_client() as client:
        head = await client.head(url)
    whole = await get(CodexSimulator(now=lambda: NOW), url)

    assert (head.status_code, head.content, head.headers) == (whole.status_code, b'', whole.headers)


async def test_head_over_a_port() -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server, httpx2.AsyncClient(base_url=server.issuer) as client:
        head = await client.head(f'/openai/codex/rust-v0.0.1/{PROMPT}')
        again = await client.get(f'/openai/codex/rust-v0.0.1/{PROMPT}')

    assert (head.status_code, head.content, int(head.headers['content-length']) > 0) == (200, b'', True)
    assert again.status_code == 200


async def test_nothing_may_be_stored_unless_a_test_wants_it() -> None:
    simulator = CodexSimulator()
    urls = [API, PAGE, f'{RAW}/rust-v0.0.1/{PROMPT}', f'{RAW}/rust-v0.0.1/other.md']
    simulator.github.add(
        *[None] * 4, fail(503), rate_limited(), answer_with('', headers={'cache-control': 'max-age=1'})
    )
    answers = [await get(simulator, url) for url in (*urls, API, API, API)]
    known = await get(simulator, API, if_none_match=answers[0].headers['etag'])
    simulator.github.is_cacheable = True
    cacheable = [(await get(simulator, url)).headers.get('cache-control') for url in urls]

    assert [answer.headers['cache-control'] for answer in (*answers, known)] == ['no-store'] * 8
    assert cacheable == ['public, max-age=60, s-maxage=60', 'no-cache', 'max-age=300', None]


async def test_the_api_wants_to_know_who_asks() -> None:
    simulator = CodexSimulator()
    async with simulator.http_client() as client:
        del client.headers['user-agent']
        answers = [await client.get(url) for url in (API, PAGE, f'{RAW}/rust-v0.0.1/{PROMPT}')]

    assert [answer.status_code for answer in answers] == [403, 302, 200]
    assert 'User-Agent' in answers[0].text
    simulator.assert_exhausted()  # It is no violation.


async def test_the_requests_are_recorded_apart() -> None:
    simulator = CodexSimulator()
    await get(simulator, API, x_note='hello')
    await get(simulator, f'{RAW}/rust-v0.1.0/{PROMPT}')
    await get(simulator, PAGE)

    requests = simulator.github.requests
    assert [(request.number, request.host, request.method, request.status) for request in requests] == [
        (1, 'api', 'GET', 200),
        (2, 'raw', 'GET', 404),
        (3, 'page', 'GET', 302),
    ]
    assert requests[0].headers['x-note'] == 'hello'
    assert requests[1].path == f'/openai/codex/rust-v0.1.0/{PROMPT}'
    assert all(request.closed for request in requests)
    assert repr(requests[2]) == '<GitHubRequest 3: GET /openai/codex/releases/latest (page) -> 302>'
    assert repr(simulator.github) == '<SimulatedGitHub: rust-v0.0.1, 3 requests>'
    assert (simulator.requests, simulator.oauth.requests) == ([], [])


async def test_over_a_port_the_path_tells_the_hosts_apart() -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server, httpx2.AsyncClient(base_url=server.issuer) as client:
        release = await client.get('/repos/openai/codex/releases/latest')
        page = await client.get('/openai/codex/releases/latest')
        text = await client.get(f'/openai/codex/rust-v0.0.1/{PROMPT}')
        same = await client.get(text.url, headers={'if-none-match': text.headers['etag']})
        missing = await client.get(f'/openai/codex/rust-v0.1.0/{PROMPT}')
        other = await client.get('/openai/codex/responses')

    assert release.json()['tag_name'] == 'rust-v0.0.1'
    assert page.headers['location'] == 'https://github.com/openai/codex/releases/tag/rust-v0.0.1'
    assert (text.text, text.headers['content-encoding']) == (simulator.github.files()[PROMPT], 'gzip')
    assert [answer.status_code for answer in (same, missing, other)] == [304, 404, 404]
    assert [request.host for request in simulator.github.requests] == ['api', 'page', 'raw', 'raw', 'raw']
    assert [request.path for request in simulator.requests] == ['/openai/codex/responses']


async def test_the_paths_of_github_mean_nothing_to_the_other_services() -> None:
    simulator = CodexSimulator()
    for origin in ('https://chatgpt.com', 'https://auth.openai.com'):
        assert (await get(simulator, f'{origin}/openai/codex/releases/latest')).status_code == 404

    assert simulator.github.requests == []


async def test_a_further_release() -> None:
    simulator = CodexSimulator()
    old = await get(simulator, API)
    simulator.github.publish('rust-v0.170.0')
    new = await get(simulator, API, if_none_match=old.headers['etag'])
    texts = [(await get(simulator, f'{RAW}/{tag}/{PROMPT}')).text for tag in ('rust-v0.0.1', 'rust-v0.170.0')]

    assert (new.status_code, new.json()['tag_name'], simulator.github.latest) == (200, *['rust-v0.170.0'] * 2)
    assert new.json()['published_at'] > old.json()['published_at']
    assert (await get(simulator, PAGE)).headers['location'].endswith('/rust-v0.170.0')
    assert ['rust-v0.0.1' in texts[0], 'rust-v0.170.0' in texts[1]] == [True, True]


async def test_a_prerelease_is_not_the_newest() -> None:
    simulator = CodexSimulator()
    simulator.github.publish('rust-v0.170.0-alpha.1', {PROMPT: 'Be bold.'}, latest=False)

    assert (await get(simulator, API)).json()['tag_name'] == 'rust-v0.0.1'
    assert (await get(simulator, f'{RAW}/rust-v0.170.0-alpha.1/{PROMPT}')).text == 'Be bold.'
    assert (await get(simulator, f'{RAW}/rust-v0.170.0-alpha.1/{CATALOG}')).status_code == 404


async def test_a_release_that_is_published_again_has_other_entity_tags() -> None:
    simulator = CodexSimulator()
    url = f'{RAW}/rust-v0.0.1/{PROMPT}'
    old = await get(simulator, url)
    simulator.github.publish('rust-v0.0.1', {PROMPT: 'Grüß dich.'})
    new = await get(simulator, url, if_none_match=old.headers['etag'])

    assert (new.status_code, new.text) == (200, 'Grüß dich.')


async def test_a_file_that_was_dropped() -> None:
    simulator = CodexSimulator()
    simulator.github.publish('rust-v0.170.0')
    simulator.github.remove(PROMPT)
    simulator.github.remove(CATALOG, 'rust-v0.0.1')
    urls = [f'{RAW}/{tag}/{path}' for tag in ('rust-v0.0.1', 'rust-v0.170.0') for path in (PROMPT, CATALOG)]

    assert [(await get(simulator, url)).status_code for url in urls] == [200, 404, 404, 200]


async def test_a_commit() -> None:
    simulator = CodexSimulator()
    simulator.github.commit(SHA, {PROMPT: 'Be old.'})

    assert (await get(simulator, f'{RAW}/{SHA}/{PROMPT}')).text == 'Be old.'
    assert simulator.github.files(SHA) == {PROMPT: 'Be old.'}
    assert simulator.github.latest == 'rust-v0.0.1'


@pytest.mark.parametrize(
    ('use', 'match'),
    [
        (lambda: CodexSimulator().github.publish('a/b'), "'a/b' is no tag"),
        (lambda: CodexSimulator().github.publish('@next'), "'@next' is no tag"),
        (lambda: CodexSimulator().github.publish(wrong(5)), '5 is no tag'),
        (lambda: CodexSimulator().github.publish('v1.0', wrong('text')), "texts by path, .* not 'text'"),
        (lambda: CodexSimulator().github.publish('v1.0', {PROMPT: wrong(b'x')}), f"'{PROMPT}' is of the type bytes"),
        (lambda: CodexSimulator().github.publish('v1.0', {PROMPT: wrong(None)}), 'is of the type NoneType'),
        (lambda: CodexSimulator().github.publish('v1.0', {f'/{PROMPT}': 'x'}), f"'/{PROMPT}' is no path"),
        (lambda: CodexSimulator().github.publish('v1.0', {'a/../b': 'x'}), "'a/../b' is no path"),
        (lambda: CodexSimulator().github.publish('v1.0', {wrong(5): 'x'}), '5 is no path'),
        (lambda: CodexSimulator().github.commit('abc', {}), "'abc' is no commit"),
        (lambda: CodexSimulator().github.commit(wrong(5), {}), '5 is no commit'),
        (lambda: CodexSimulator().github.commit(SHA, {'': 'x'}), "'' is no path"),
        (lambda: CodexSimulator().github.files('v1'), "There is no 'v1', only rust-v0.0.1"),
        (lambda: CodexSimulator().github.remove('a.md'), "There is no 'a.md', only codex-rs"),
    ],
)
def test_what_cannot_be(use: Callable[[], object], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        use()


def test_a_release_that_cannot_be_changes_nothing() -> None:
    simulator = CodexSimulator()
    with pytest.raises(ConfigurationError):
        simulator.github.publish('rust-v0.170.0', {PROMPT: wrong(7)})

    assert simulator.github.latest == 'rust-v0.0.1'


@pytest.mark.parametrize('url', [API, PAGE, f'{RAW}/rust-v0.0.1/{PROMPT}'])
@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('authorization', 'Bearer any'),
        ('cookie', 'session=any'),
        ('proxy-authorization', 'Basic any'),
        ('chatgpt-account-id', 'any'),
    ],
)
async def test_a_login_must_never_get_here(url: str, name: str, value: str) -> None:
    simulator = CodexSimulator()
    answer = await get(simulator, url, **{name: value})

    assert (answer.status_code, answer.json()['message']) == (401, 'Bad credentials')
    (violation,) = simulator.github.violations
    assert f'carried a login in the header {name}.' in violation
    with pytest.raises(SimulatorError, match=f'must never get to GitHub: .* the header {name}') as raised:
        simulator.assert_exhausted()
    assert value not in str(raised.value)
    assert name in repr(simulator.github)


def secrets_of(simulator: CodexSimulator) -> list[str]:
    """Everything that its login service hands out, with what is no longer the newest."""
    old, new = simulator.auth_json(expires_in=60)['tokens'], simulator.oauth.log_in()
    names = ('access_token', 'refresh_token', 'id_token')
    return [simulator.access_token, *(tokens[name] for tokens in (old, new) for name in names)]


async def test_a_token_is_known_wherever_it_hides() -> None:
    simulator = CodexSimulator()
    for number, secret in enumerate(secrets := secrets_of(simulator)):
        in_header = await get(simulator, API, x_debug=f'token={secret}')
        in_query = await get(simulator, f'{RAW}/rust-v0.0.1/{PROMPT}?token={secret}')

        assert (in_header.status_code, in_query.status_code, number) == (401, 401, number)
    async with simulator.http_client() as client:
        in_body = await client.post(API, json={'token': simulator.access_token})

    violations = simulator.github.violations
    assert (in_body.status_code, len(violations)) == (401, 2 * len(secrets) + 1)
    assert violations[:2] == [
        'Request 1 to api carried a login in the header x-debug.',
        'Request 2 to raw carried a login in its URL.',
    ]
    assert violations[-1].endswith('carried a login in its body.')
    assert not any(secret in text for secret in secrets for text in [*violations, repr(simulator.github.requests)])


async def test_a_violation_is_one_over_a_port_too() -> None:
    simulator = CodexSimulator()
    async with simulator.serve() as server, httpx2.AsyncClient() as client:
        url = f'{server.issuer}/repos/openai/codex/releases/latest'
        answer = await client.get(url, headers={'authorization': f'Bearer {fake_access_token()}'})

    assert (answer.status_code, len(simulator.github.violations)) == (401, 1)


async def test_headers_of_a_login_are_not_shown() -> None:
    simulator = CodexSimulator()
    await get(simulator, API, authorization='Bearer hush', cookie='session=hush')

    assert 'hush' not in repr(simulator.github.requests[0].headers)


OFFICIAL = CodexModelSettings(codex_instructions='official')


async def test_a_model_of_the_simulator_reads_it_and_writes_nothing(tmp_path: Path) -> None:
    """A test never writes into its user's folder, and knows no text of another simulator."""
    texts: list[str] = []
    for tag in ('rust-v0.0.1', 'rust-v0.170.0'):
        simulator = CodexSimulator(reply('Hi'))
        simulator.github.publish(tag)
        await Agent(simulator.model('gpt-5.1-codex'), model_settings=OFFICIAL).run('Hello')
        texts.append(simulator.requests[0].body['instructions'])
        simulator.assert_exhausted()

    assert ['rust-v0.0.1' in texts[0], 'rust-v0.170.0' in texts[1]] == [True, True]
    assert not (tmp_path / 'cache').exists()  # where `CODEX_CACHE_DIR` points to


def kept_in(folder: Path) -> list[str]:
    """The texts there; not the empty file that is locked before anybody is asked, and no list of models."""
    files = [path for path in folder.rglob('*') if path.is_file() and path.name != 'lock']
    return [path.name for path in files if path.parent.name != 'models']


@pytest.mark.parametrize('entry', [None, fail(503), rate_limited()])
async def test_a_provider_of_ones_own_writes_nothing_of_it_either(tmp_path: Path, entry: GitHubEntry) -> None:
    simulator = CodexSimulator(reply('Hi'))
    simulator.github.fail_with(entry)
    provider = CodexProvider(http_client=simulator.http_client(), credentials=simulator.credentials)
    await Agent(CodexModel('gpt-5.1-codex', provider=provider), model_settings=OFFICIAL).run('Hello')

    assert (len(simulator.github.requests), kept_in(tmp_path)) == (2, [])


async def test_a_folder_that_the_test_names_is_used(tmp_path: Path) -> None:
    asked: list[int] = []
    for _ in range(2):
        simulator = CodexSimulator(reply('Hi'))
        simulator.github.is_cacheable = True
        provider = simulator.provider(cache_dir=tmp_path / 'mine')
        await Agent(simulator.model('gpt-5.1-codex', provider=provider), model_settings=OFFICIAL).run('Hello')
        asked.append(len(simulator.github.requests))

    assert (asked, (tmp_path / 'mine').is_dir()) == ([2, 0], True)
