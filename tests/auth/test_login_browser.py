from __future__ import annotations

import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.auth._login import callback as _callback
from pydantic_ai_codex.auth._login.browser import browser_login
from pydantic_ai_codex.errors import ConfigurationError, LoginError
from pydantic_ai_codex.testing import fake_access_token

from .login_service import ENDPOINTS, Clock, LoginService, PatientClock, Tab, log_in, tokens

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def agree(tab: Tab) -> None:
    await tab.come_back(code='ac-secret')


async def test_a_login() -> None:
    service = LoginService((200, tokens()))
    tabs: list[Tab] = []

    async def user(tab: Tab) -> None:
        tabs.append(tab)
        await agree(tab)

    credentials = await log_in(service, user)

    (tab,) = tabs
    assert (credentials.account_id, credentials.refresh_token) == ('acct-1111', 'rt-secret')
    (form,) = service.forms
    assert form.pop('redirect_uri') == tab.query['redirect_uri']
    assert len(form.pop('code_verifier')) == 86
    assert form == snapshot(
        {'grant_type': 'authorization_code', 'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann', 'code': 'ac-secret'}
    )
    (page,) = tab.pages
    assert page.status_code == 200
    assert 'Logged in as user@example.com (plus)' in page.text


async def test_the_address_is_the_captured_one() -> None:
    tab = Tab()
    with pytest.raises(LoginError):
        await browser_login(show=tab.show, ports=(), paste=nothing, workspaces=['w-1', 'w-2'])

    query = dict(parse_qsl(urlsplit(tab.url).query))
    assert tab.url.startswith('https://auth.openai.com/oauth/authorize?response_type=code&client_id=')
    assert (len(query.pop('state')), len(query.pop('code_challenge'))) == (43, 43)
    assert query == snapshot(
        {
            'response_type': 'code',
            'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
            'redirect_uri': 'http://127.0.0.1:1455/auth/callback',
            'code_challenge_method': 'S256',
            'scope': 'openid profile email offline_access api.connectors.read api.connectors.invoke',
            'id_token_add_organizations': 'true',
            'codex_cli_simplified_flow': 'true',
            'originator': 'pydantic_ai_codex',
            'allowed_workspace_id': 'w-1,w-2',
        }
    )


async def test_a_login_is_told_where_it_came_from() -> None:
    credentials = await log_in(LoginService((200, tokens())), agree)

    assert credentials.extra['oauth_provenance'] == {
        'issuer': 'https://login.example',
        'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
    }
    assert len(credentials.extra['login_owner_id']) == 43


async def test_a_login_without_an_id_token_is_told_of() -> None:
    warnings: list[str] = []

    await log_in(LoginService((200, tokens(id_token=None))), agree, warn=warnings.append)

    assert warnings == snapshot(
        ['The login came without an ID token. It works here, but the Codex CLI refuses a file that has none.']
    )


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        ({'id_token': fake_access_token(account_id='acct-2')}, 'the tokens of two accounts'),
        ({'access_token': 'opaque secret'}, 'tokens that no request can carry'),
        ({'id_token': fake_access_token(account_id='acct 1'), 'access_token': 'opaque'}, 'that no request can carry'),
    ],
)
async def test_tokens_that_no_request_can_use_are_not_kept(fields: dict[str, str], message: str) -> None:
    with pytest.raises(LoginError, match=message) as raised:
        await log_in(LoginService((200, tokens(**fields))), agree)

    assert raised.value.reason == 'refused'
    assert 'opaque' not in str(raised.value)


async def test_words_of_a_token_stay_in_their_line() -> None:
    token = fake_access_token(claims={'email': 'ada@example.com\nLogged in as root\u202e\x1b[2J'})
    tabs: list[Tab] = []

    async def user(tab: Tab) -> None:
        tabs.append(tab)
        await agree(tab)

    await log_in(LoginService((200, tokens(id_token=token, access_token=token))), user)

    assert '<h1>Logged in as ada@example.com Logged in as root [2J (plus)</h1>' in tabs[0].pages[0].text


async def test_what_the_environment_breaks_is_told_before_the_address_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HTTPS_PROXY', 'ftp://proxy.example')
    shown: list[str] = []

    with pytest.raises(ConfigurationError, match='HTTPS_PROXY'):
        await browser_login(show=shown.append, ports=(0,))

    assert shown == []


async def test_the_browser_is_opened_with_the_address_that_is_shown(until: Until) -> None:
    opened: list[str] = []
    shown: list[str] = []

    async def user(tab: Tab) -> None:
        shown.append(tab.url)
        await until(lambda: bool(opened))
        await agree(tab)

    await log_in(LoginService((200, tokens())), user, open_browser=opened.append)

    assert opened == shown


def no_display(url: str) -> object:
    raise OSError('there is no display')


def no_browser(url: str) -> object:
    return False


@pytest.mark.parametrize('open_browser', [no_display, no_browser])
async def test_a_browser_that_cannot_be_opened_ends_nothing(
    open_browser: Callable[[str], object], until: Until
) -> None:
    warnings: list[str] = []

    async def user(tab: Tab) -> None:
        await until(lambda: bool(warnings))
        await agree(tab)

    await log_in(LoginService((200, tokens())), user, open_browser=open_browser, warn=warnings.append)

    assert warnings == ['The browser cannot be opened. Open the address yourself.']


async def test_a_browser_that_takes_its_time_holds_nothing_up() -> None:
    closed = threading.Event()

    def slow(url: str) -> bool:
        return closed.wait(60)

    try:
        credentials = await log_in(LoginService((200, tokens())), agree, open_browser=slow)
    finally:
        closed.set()

    assert credentials.account_id == 'acct-1111'


async def test_a_wrong_state_does_not_end_the_wait() -> None:
    pages: list[httpx2.Response] = []

    async def user(tab: Tab) -> None:
        pages.append(await tab.come_back(code='ac-foreign', state='A' * 43))
        pages.append(await tab.come_back(code='ac-foreign', state='é'))
        pages.append(await tab.get('/auth/callback'))
        pages.append(await tab.get('/auth/callback?' + 'a=1&' * 100 + f'code=1&state={tab.query["state"]}'))
        pages.append(await tab.get(f'/auth/callback?code=1&code=2&state={tab.query["state"]}'))
        await agree(tab)

    service = LoginService((200, tokens()))
    await log_in(service, user)

    assert [page.status_code for page in pages] == [400, 400, 400, 400, 400]
    assert [form['code'] for form in service.forms] == ['ac-secret']


async def test_a_callback_counts_once() -> None:
    answered: list[int] = []

    async def user(tab: Tab) -> None:
        async def twice() -> None:
            answered.append((await tab.come_back(code='ac-2')).status_code)
            answered.append((await tab.get('/cancel')).status_code)
            release.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(agree, tab)
            await kept.wait()
            tasks.start_soon(twice)

    kept, release = anyio.Event(), anyio.Event()

    async def keep(credentials: Credentials) -> None:
        kept.set()
        await release.wait()

    service = LoginService((200, tokens()))
    await log_in(service, user, keep=keep)

    assert answered == [400, 200]
    assert [form['code'] for form in service.forms] == ['ac-secret']


async def test_the_page_says_no() -> None:
    pages: list[httpx2.Response] = []

    async def user(tab: Tab) -> None:
        pages.append(await tab.come_back(error='access_denied', error_description='The user\x1b[31m <b>said</b> no'))

    with pytest.raises(LoginError) as raised:
        await log_in(LoginService(), user)

    assert raised.value.reason == 'denied'
    assert str(raised.value) == snapshot(
        'The login page said no (access_denied: The user [31m <b>said</b> no). Log in again, and allow it there.'
    )
    assert pages[0].status_code == 400
    assert '&lt;b&gt;said' in pages[0].text
    assert '<b>' not in pages[0].text


async def test_a_workspace_without_codex() -> None:
    async def user(tab: Tab) -> None:
        await tab.come_back(error='access_denied', error_description='missing_codex_entitlement')

    with pytest.raises(LoginError, match='administrator') as raised:
        await log_in(LoginService(), user)

    assert raised.value.reason == 'denied'


async def test_a_callback_without_a_code() -> None:
    async def user(tab: Tab) -> None:
        await tab.come_back()

    with pytest.raises(LoginError, match='without a code') as raised:
        await log_in(LoginService(), user)

    assert raised.value.reason == 'refused'


@pytest.mark.parametrize(
    ('answer', 'reason', 'message'),
    [
        ((400, {'error': {'code': 'invalid_grant', 'message': 'code used'}}), 'refused', 'was used already'),
        ((500, '<html>'), 'refused', '500'),
        ((200, '<html>'), 'refused', 'without the tokens'),
        ((200, {'access_token': 'opaque', 'refresh_token': 'rt-secret'}), 'refused', 'no ChatGPT account'),
        ((400, {'error_description': 'ac-secret was used'}), 'refused', r'400 \(\*\*\* was used\)'),
        (httpx2.ConnectError('refused'), 'network', 'login.example'),
    ],
)
async def test_the_page_never_says_logged_in_when_it_failed(answer: Any, reason: str, message: str) -> None:
    pages: list[httpx2.Response] = []

    async def user(tab: Tab) -> None:
        pages.append(await tab.come_back(code='ac-secret'))

    with pytest.raises(LoginError, match=message) as raised:
        await log_in(LoginService(answer), user)

    assert raised.value.reason == reason
    (page,) = pages
    assert 'Not logged in' in page.text
    assert 'Logged in' not in page.text


async def test_the_page_waits_until_the_login_is_kept() -> None:
    pages: list[httpx2.Response] = []

    async def user(tab: Tab) -> None:
        pages.append(await tab.come_back(code='ac-secret'))

    async def keep(credentials: Credentials) -> None:
        raise LoginError('The disk is full.', reason='refused')

    with pytest.raises(LoginError, match='disk is full'):
        await log_in(LoginService((200, tokens())), user, keep=keep)

    assert 'The disk is full.' in pages[0].text


async def test_what_others_raise_comes_out_and_is_not_shown() -> None:
    class Surprise(Exception):
        pass

    async def keep(credentials: Credentials) -> None:
        raise Surprise(credentials.access_token)

    tab = Tab()
    pages: list[httpx2.Response] = []
    raised: list[Exception] = []
    async with anyio.create_task_group() as tasks:

        async def user() -> None:
            await tab.opened.wait()
            pages.append(await tab.come_back(code='ac-secret'))

        tasks.start_soon(user)
        service = LoginService((200, tokens()))
        try:
            await browser_login(show=tab.show, ports=(0,), endpoints=ENDPOINTS, http=service.http, keep=keep)
        except Surprise as error:
            raised.append(error)

    assert len(raised) == 1
    assert 'An unexpected error' in pages[0].text
    assert str(raised[0]) not in pages[0].text


async def test_another_workspace_is_refused() -> None:
    kept: list[Credentials] = []

    async def keep(credentials: Credentials) -> None:
        kept.append(credentials)

    with pytest.raises(LoginError) as raised:
        await log_in(LoginService((200, tokens('acct-other'))), agree, workspaces=['acct-1', 'acct-2'], keep=keep)

    assert raised.value.reason == 'workspace'
    assert str(raised.value) == snapshot(
        "The login is for the workspace 'acct-other', and only 'acct-1' or 'acct-2' may be used here. Nothing was kept. Log in again, and choose that workspace on the login page."
    )
    assert kept == []


async def test_one_of_several_workspaces() -> None:
    credentials = await log_in(LoginService((200, tokens('acct-2'))), agree, workspaces=['acct-1', 'acct-2'])

    assert credentials.account_id == 'acct-2'


async def test_an_api_key_comes_along() -> None:
    service = LoginService((200, tokens()), (200, {'access_token': 'sk-secret'}))

    credentials = await log_in(service, agree, exchange_api_key=True)

    assert credentials.api_key == 'sk-secret'
    assert 'subject_token' in service.forms[1]
    assert {name: value for name, value in service.forms[1].items() if name != 'subject_token'} == snapshot(
        {
            'grant_type': 'urn:ietf:params:oauth:grant-type:token-exchange',
            'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
            'requested_token': 'openai-api-key',
            'subject_token_type': 'urn:ietf:params:oauth:token-type:id_token',
        }
    )


@pytest.mark.parametrize(
    ('answers', 'problem'),
    [
        (
            [(200, tokens()), (401, {'error': {'message': f'no organization in {fake_access_token()}'}})],
            'no organization in ***',
        ),
        ([(200, tokens()), (200, '{}')], 'holds no key'),
        ([(200, tokens()), httpx2.ConnectError('refused')], 'was not reached'),
        ([(200, tokens(id_token=None))], 'no ID token'),
    ],
)
async def test_a_login_goes_on_without_an_api_key(answers: list[Any], problem: str) -> None:
    warnings: list[str] = []

    credentials = await log_in(LoginService(*answers), agree, exchange_api_key=True, warn=warnings.append)

    assert credentials.api_key is None
    warning = warnings[-1]
    assert warning.startswith('There is no platform API key for this login, which goes on without one: ')
    assert problem in warning


async def test_nobody_comes() -> None:
    with pytest.raises(LoginError) as raised:
        await browser_login(show=lambda url: None, ports=(0,), clock=Clock())

    assert raised.value.reason == 'expired'
    assert str(raised.value) == snapshot(
        'Nobody finished the login page within 15 minutes. Log in again, with the new address.'
    )


@pytest.mark.parametrize(
    ('seconds', 'words'),
    [(0.5, '0.5 seconds'), (1, '1 second'), (60, '1 minute'), (90, '90 seconds'), (120, '2 minutes')],
)
async def test_how_long_nobody_came_is_told_in_words(seconds: float, words: str) -> None:
    with pytest.raises(LoginError, match=f'within {words}\\.'):
        await browser_login(show=lambda url: None, ports=(0,), clock=Clock(), timeout=seconds)


async def test_another_login_wants_the_port() -> None:
    async def user(tab: Tab) -> None:
        assert (await tab.get('/cancel')).status_code == 200

    with pytest.raises(LoginError, match=r'cancelled by another login .* Finish that one, or log in again\.') as raised:
        await log_in(LoginService(), user)

    assert raised.value.reason == 'cancelled'


async def test_the_port_is_free_afterwards() -> None:
    ports: list[int] = []

    async def user(tab: Tab) -> None:
        ports.append(urlsplit(tab.query['redirect_uri']).port or 0)
        await agree(tab)

    await log_in(LoginService((200, tokens())), user)
    await log_in(LoginService((200, tokens())), user, ports=(ports[0],))

    assert ports[0] == ports[1]


async def nothing() -> str:
    return ''


class Pastes:
    """A user who pastes lines, each made from the address that was shown."""

    def __init__(self, tab: Tab, *lines: str) -> None:
        self.tab = tab
        self.lines = list(lines)

    async def __call__(self) -> str:
        if not self.lines:
            return ''
        return self.lines.pop(0).format(**self.tab.query)


async def log_in_by_pasting(service: LoginService, *lines: str, **options: Any) -> Credentials:
    tab = Tab()
    options = {'ports': (), 'endpoints': ENDPOINTS, 'http': service.http, **options}
    return await browser_login(show=tab.show, paste=Pastes(tab, *lines), **options)


@pytest.mark.parametrize(
    'line',
    [
        'http://127.0.0.1:1455/auth/callback?code=ac-secret&scope=openid&state={state}\n',
        '  http://localhost:1455/auth/callback?state={state}&code=ac-secret#  \r\n',
        'http://127.0.0.1:1455/auth/callback?code=ac-se\ncret&state={state}\n',
        '?code=ac-secret&state={state}\n',
        'http://127.0.0.1:1455/auth/callback?code=ac-secret&state={state}&from=a?b\n',
        'code=ac-secret&state={state}\n',
        'ac-secret#{state}\n',
    ],
)
async def test_what_can_be_pasted(line: str) -> None:
    service = LoginService((200, tokens()))

    credentials = await log_in_by_pasting(service, line)

    assert credentials.account_id == 'acct-1111'
    (form,) = service.forms
    assert (form['code'], form['redirect_uri']) == ('ac-secret', 'http://127.0.0.1:1455/auth/callback')


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('ac-secret\n', 'A code alone cannot be checked'),
        ('ls -la; ac-secret\n', 'not where the login page ended'),
        ('ac-secret and more\n', 'not where the login page ended'),
        ('#{state}\n', 'There is no code in it'),
        ('ac-secret#wrong\n', 'another login'),
        ('http://127.0.0.1:1455/auth/callback?code=ac-secret\n', 'another login'),
        ('http://127.0.0.1:1455/auth/callback?code=ac-secret&state=wrong\n', 'another login'),
        ('https://auth.openai.com/oauth/authorize?client_id=a&state={state}\n', 'not where the login page ended'),
        ('http://[::1?code=1\n', 'another login'),
    ],
)
async def test_what_cannot_be_pasted(line: str, message: str) -> None:
    with pytest.raises(LoginError, match=message) as raised:
        await log_in_by_pasting(LoginService(), line)

    assert raised.value.reason == 'state'
    assert 'ac-secret' not in str(raised.value)


async def test_with_warnings_a_paste_is_asked_for_again() -> None:
    warnings: list[str] = []
    service = LoginService((200, tokens()))

    credentials = await log_in_by_pasting(
        service, '\n', 'ac-secret\n', 'code=ac-secret&state={state}\n', warn=warnings.append
    )

    assert credentials.account_id == 'acct-1111'
    assert warnings == snapshot(
        [
            'A code alone cannot be checked to belong to this login. Paste the whole address of the page that the browser ended at: it begins with http://127.0.0.1: and holds both "code=" and "state=". The page itself may say that the connection failed.'
        ]
    )


async def test_an_input_that_never_ends_is_not_read_for_ever() -> None:
    warnings: list[str] = []

    with pytest.raises(LoginError, match='A code alone'):
        await log_in_by_pasting(LoginService(), *['yes\n'] * 100, warn=warnings.append)

    assert len(warnings) == 9


async def test_a_pasted_denial_ends_the_login() -> None:
    with pytest.raises(LoginError, match='access_denied') as raised:
        await log_in_by_pasting(LoginService(), 'error=access_denied&state={state}\n', warn=print)

    assert raised.value.reason == 'denied'


@pytest.mark.parametrize('error', [EOFError, None])
async def test_nothing_is_pasted(error: type[Exception] | None) -> None:
    async def paste() -> str:
        if error:
            raise error
        return ''

    with pytest.raises(LoginError, match=r'Nothing was pasted.*`--device`') as raised:
        await browser_login(show=lambda url: None, paste=paste, ports=(), clock=PatientClock())

    assert raised.value.reason == 'cancelled'


async def test_a_paste_has_to_be_asynchronous() -> None:
    wrong: Any = lambda: 'a line'  # noqa: E731 - as a user would write it

    with pytest.raises(ConfigurationError, match='`paste` has to be an `async def`; it returned a str'):
        await browser_login(show=lambda url: None, paste=wrong, ports=(), clock=PatientClock())


async def test_what_keeps_the_login_has_to_be_asynchronous() -> None:
    def keep(credentials: Credentials) -> None:
        pass

    with pytest.raises(ConfigurationError, match='`keep` has to be an `async def`'):
        await log_in(LoginService((200, tokens())), agree, keep=keep)


async def test_what_paste_raises_comes_out() -> None:
    async def paste() -> str:
        raise OSError('the terminal is gone')

    with pytest.raises(OSError, match='the terminal is gone'):
        await browser_login(show=lambda url: None, paste=paste, ports=(), clock=PatientClock())


async def test_the_browser_comes_first_while_a_paste_is_awaited() -> None:
    async def paste() -> str:
        await anyio.sleep_forever()
        raise AssertionError

    credentials = await log_in(LoginService((200, tokens())), agree, paste=paste)

    assert credentials.account_id == 'acct-1111'


async def test_nothing_more_to_paste_leaves_the_browser() -> None:
    credentials = await log_in(LoginService((200, tokens())), agree, paste=nothing)

    assert credentials.account_id == 'acct-1111'


def reserved(port: int) -> None:
    raise PermissionError(13, 'reserved')


async def test_with_a_paste_no_port_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_callback, 'check_free', reserved)
    service = LoginService((200, tokens()))
    warnings: list[str] = []

    credentials = await log_in_by_pasting(
        service, 'code=ac-secret&state={state}\n', ports=(1455, 1457), warn=warnings.append
    )

    assert credentials.account_id == 'acct-1111'
    assert [form['redirect_uri'] for form in service.forms] == ['http://127.0.0.1:1455/auth/callback']
    assert warnings == snapshot(
        [
            'The browser cannot come back by itself, as another program holds the port. Paste the address that it ends at, even if the page looks like an error.'
        ]
    )


async def test_a_port_is_needed_without_a_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_callback, 'check_free', reserved)

    with pytest.raises(LoginError, match='port 1455 and 1457') as raised:
        await browser_login(show=print)

    assert raised.value.reason == 'port'


async def test_an_input_of_empty_lines_is_not_read_for_ever() -> None:
    with pytest.raises(LoginError, match='Nothing was pasted'):
        await log_in_by_pasting(LoginService(), *['\n'] * 100)


async def test_neither_port_nor_paste() -> None:
    with pytest.raises(ConfigurationError, match='`paste`'):
        await browser_login(show=lambda url: None, ports=())


async def test_no_secret_is_told() -> None:
    with pytest.raises(LoginError) as raised:
        await log_in(LoginService(httpx2.ReadError('cut')), agree)

    told = ''.join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert 'ac-secret' not in told
    assert fake_access_token() not in told
