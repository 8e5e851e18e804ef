"""Reaches inside, because these rules are pure: a token must not leave for any place that they refuse."""

from __future__ import annotations

from contextlib import suppress

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._transport.bearer import base_url_for, bearer_headers, check_base_url, hidden, redact
from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.errors import ConfigurationError, CredentialsError
from pydantic_ai_codex.testing import fake_access_token


def a_test() -> tuple[str, str]:
    return 'a test', 'Log in anew'


@pytest.mark.parametrize(
    ('base_url', 'plain'),
    [
        ('https://chatgpt.com/backend-api/codex', 'https://chatgpt.com/backend-api/codex'),
        ('https://chatgpt.com/backend-api/codex/', 'https://chatgpt.com/backend-api/codex'),
        ('https://chatgpt.com/backend-api/codex//', 'https://chatgpt.com/backend-api/codex'),
        ('https://chatgpt.com/backend-api/codex/responses', 'https://chatgpt.com/backend-api/codex'),
        ('https://chatgpt.com/backend-api/codex/responses/', 'https://chatgpt.com/backend-api/codex'),
        ('https://proxy.example:8443', 'https://proxy.example:8443'),
        ('HTTPS://proxy.example/v1', 'https://proxy.example/v1'),
        ('http://127.0.0.1:8321/v1', 'http://127.0.0.1:8321/v1'),
        ('http://127.255.0.9/v1', 'http://127.255.0.9/v1'),
        ('http://localhost:8321/v1/', 'http://localhost:8321/v1'),
        ('http://LOCALHOST/v1', 'http://LOCALHOST/v1'),
        ('http://[::1]:8321/v1', 'http://[::1]:8321/v1'),
        ('http://[::1]/responses', 'http://[::1]'),
    ],
)
def test_base_url(base_url: str, plain: str) -> None:
    assert check_base_url(base_url) == plain


@pytest.mark.parametrize(
    'base_url',
    [
        'http://chatgpt.com/backend-api/codex',
        'http://10.0.0.1/v1',
        'http://0.0.0.0/v1',
        'http://[::]/v1',
        'http://[fe80::1]/v1',
        'http://localhost.evil.example/v1',
        'http://127.0.0.1.evil.example/v1',
        'http://notlocalhost/v1',
        'http://127.1/v1',
        'http://localhost\\.evil.example/v1',
        'ftp://127.0.0.1/v1',
        'ws://127.0.0.1/v1',
        'file:///etc/passwd',
        '//chatgpt.com/v1',
        'chatgpt.com/backend-api/codex',
        'https:chatgpt.com',
        'https://',
        'https:///v1',
        'https://:443/v1',
        'nonsense',
        '',
    ],
)
def test_token_is_not_sent_there(base_url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(base_url)

    assert str(caught.value).startswith(f'The `base_url` {base_url!r} is refused: the login is sent there')


@pytest.mark.parametrize(
    'base_url',
    ['https://host:port/v1', 'https://host:99999/v1', 'https://[::1/v1', 'https://[x]/v1', 'https://\u2603.net/v1'],
)
def test_base_url_that_is_no_url(base_url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(base_url)

    assert str(caught.value).startswith(f'The `base_url` {base_url!r} is no URL: ')


@pytest.mark.parametrize(
    'base_url',
    [
        'https://user:secret@chatgpt.com/v1',
        'https://secret@chatgpt.com/v1',
        'https://:secret@chatgpt.com/v1',
        'https://chatgpt.com\\@evil.example/v1',
        'http://127.0.0.1@evil.example/v1',
        'http://127.0.0.1#@evil.example/v1',
        'http://127.0.0.1?@evil.example/v1',
        'https://chatgpt.com/v1?key=secret',
        'https://chatgpt.com/v1#secret',
    ],
)
def test_base_url_holds_no_user_and_no_query(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match='no user, password, query or fragment') as caught:
        check_base_url(base_url)

    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize('base_url', ['https://user:secret@host:99999', 'https://host:port/v1?key=secret'])
def test_password_in_a_broken_base_url_is_not_shown(base_url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(base_url)

    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize('base_url', ['https://chatgpt.com/v1?', 'https://chatgpt.com/v1#'])
def test_empty_query_or_fragment_does_not_stay(base_url: str) -> None:
    with suppress(ConfigurationError):
        assert check_base_url(base_url) == 'https://chatgpt.com/v1'


def test_host_of_the_name_responses() -> None:
    assert check_base_url('https://responses') == 'https://responses'


@pytest.mark.parametrize(
    'base_url',
    [
        ' https://chatgpt.com',
        'https://chatgpt.com/\n',
        'http://local\nhost/v1',
        'https://chat gpt.com',
        'http://[::1]evil.example',
    ],
)
def test_base_url_with_characters_that_no_url_has(base_url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_base_url(base_url)


@pytest.mark.parametrize(
    ('credentials', 'base_url', 'expected'),
    [
        (Credentials('t'), None, 'https://chatgpt.com/backend-api/codex'),
        (Credentials('t'), '', 'https://chatgpt.com/backend-api/codex'),
        (Credentials('t', auth_mode='apikey'), None, 'https://api.openai.com/v1'),
        (Credentials('t', auth_mode='apikey'), 'https://proxy.example', 'https://proxy.example'),
    ],
)
def test_base_url_for(credentials: Credentials, base_url: str | None, expected: str) -> None:
    assert base_url_for(credentials, base_url) == expected


@pytest.mark.parametrize(
    ('credentials', 'headers'),
    [
        (
            Credentials('at-1', account_id='acct-1'),
            {'authorization': 'Bearer at-1', 'chatgpt-account-id': 'acct-1'},
        ),
        (
            Credentials('at-1', account_id='acct-1', is_fedramp=True),
            {'authorization': 'Bearer at-1', 'chatgpt-account-id': 'acct-1', 'x-openai-fedramp': 'true'},
        ),
        (Credentials('sk-1', auth_mode='apikey'), {'authorization': 'Bearer sk-1'}),
        (
            Credentials('sk-1', account_id='acct-1', is_fedramp=True, auth_mode='apikey'),
            {'authorization': 'Bearer sk-1'},
        ),
    ],
)
def test_headers(credentials: Credentials, headers: dict[str, str]) -> None:
    assert bearer_headers(credentials, a_test) == headers


def test_headers_from_the_claims() -> None:
    token = fake_access_token(account_id='acct-1', is_fedramp=True)

    assert bearer_headers(Credentials(token), a_test) == {
        'authorization': f'Bearer {token}',
        'chatgpt-account-id': 'acct-1',
        'x-openai-fedramp': 'true',
    }


@pytest.mark.parametrize('auth_mode', ['chatgpt', 'apikey'])
@pytest.mark.parametrize(
    'token',
    [
        'at secret',
        'at-secret\n',
        'at-secret\r\nx-injected: 1',
        '\tat-secret',
        'at-sécret',
        'at-secret\x00',
        'at-secret\x7f',
    ],
)
def test_token_that_fits_in_no_header(token: str, auth_mode: str) -> None:
    mode = 'apikey' if auth_mode == 'apikey' else 'chatgpt'
    credentials = Credentials(token, account_id='acct-1', auth_mode=mode)

    with pytest.raises(CredentialsError) as caught:
        bearer_headers(credentials, lambda: ("'auth.json'", 'Log in anew'))

    assert str(caught.value) == (
        "The token from 'auth.json' is no token: it holds characters that none has. Log in anew."
    )


def test_empty_token() -> None:
    with pytest.raises(CredentialsError, match=r"^The token from 'auth.json' is empty. Replace it"):
        bearer_headers(Credentials('', account_id='acct-1'), lambda: ("'auth.json'", 'Replace it'))


@pytest.mark.parametrize('account_id', [None, '', 'acct\r\nx-injected: 1', 'äcct'])
def test_no_account(account_id: str | None) -> None:
    with pytest.raises(CredentialsError) as caught:
        bearer_headers(Credentials('at-secret', 'rt-secret', account_id, 'it-secret'), a_test)

    assert str(caught.value) == (
        'The login from a test names no ChatGPT account: it has no account id, and its tokens are no JWTs with a claim '
        'that holds one. Log in anew; in code, pass `Credentials(..., account_id=...)`, or an API key as '
        '`CodexProvider(api_key=...)`.'
    )


@pytest.mark.parametrize('account_id', [' ', ' acct-1', 'acct-1 '])
def test_account_of_spaces(account_id: str) -> None:
    with pytest.raises(CredentialsError):
        bearer_headers(Credentials('at-1', account_id=account_id), a_test)


def test_redacted_headers() -> None:
    assert redact(
        {
            'authorization': 'Bearer secret',
            'ChatGPT-Account-Id': 'secret',
            'cookie': 'secret',
            'set-cookie': 'secret',
            'x-api-key': 'secret',
            'x-some-token': 'secret',
            'client-secret': 'secret',
            'session-id': 's-1',
            'accept': '*/*',
        }
    ) == snapshot(
        {
            'authorization': '***',
            'ChatGPT-Account-Id': '***',
            'cookie': '***',
            'set-cookie': '***',
            'x-api-key': '***',
            'x-some-token': '***',
            'client-secret': '***',
            'session-id': 's-1',
            'accept': '*/*',
        }
    )


LOGIN = Credentials('at-0123456789-abcdef.x_y', account_id='acct-0123')


@pytest.mark.parametrize(
    ('value', 'shown'),
    [
        ('Bearer at-0123456789-abcdef.x_y, or so', 'Bearer ***, or so'),
        ('cut: at-0123456789-abcde', 'cut: ***'),
        ('for acct-0123.', 'for ***'),
        ('at-01234', 'at-01234'),
        ('Nothing.', 'Nothing.'),
        ({'acct-0123': ['acct-0123', {'x': 'at-0123456789-abcdef.x_y'}]}, {'***': ['***', {'x': '***'}]}),
        ([None, True, 1, 1.5], [None, True, 1, 1.5]),
    ],
)
def test_what_is_shown_of_a_login(value: object, shown: object) -> None:
    assert hidden(value, LOGIN) == shown


@pytest.mark.parametrize('credentials', [Credentials('at', account_id='a'), Credentials('', account_id=None)])
def test_a_login_that_is_hardly_a_word_garbles_nothing(credentials: Credentials) -> None:
    assert hidden('at a time', credentials) == 'at a time'
