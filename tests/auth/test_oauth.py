"""Reaches inside for what is said to the login service: each form as a whole, as the CLI was seen to send it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._http_reply import Reply
from pydantic_ai_codex.auth import Endpoints, LoginError
from pydantic_ai_codex.auth._login.requests import (
    PKCE,
    authorize_url,
    code_form,
    device_code,
    device_code_body,
    device_token_body,
    exchange_form,
    logged_in,
    new_login_keys,
)
from pydantic_ai_codex.auth._oauth import endpoints_of, failure_of, refresh_body, refreshed, revoke_body
from pydantic_ai_codex.errors import ConfigurationError

from .service import NOW, jwt, login


def answer(status: int, body: object) -> Reply:
    return Reply(status, {}, json.dumps(body).encode())


def zeros(size: int) -> bytes:
    return bytes(size)


def test_endpoints() -> None:
    endpoints = Endpoints.of()

    assert vars_of(endpoints) == snapshot(
        {
            'issuer': 'https://auth.openai.com',
            'authorize': 'https://auth.openai.com/oauth/authorize',
            'token': 'https://auth.openai.com/oauth/token',
            'revoke': 'https://auth.openai.com/oauth/revoke',
            'device_code': 'https://auth.openai.com/api/accounts/deviceauth/usercode',
            'device_token': 'https://auth.openai.com/api/accounts/deviceauth/token',
            'device_page': 'https://auth.openai.com/codex/device',
            'device_redirect': 'https://auth.openai.com/deviceauth/callback',
        }
    )
    assert Endpoints.of('http://127.0.0.1:8321/').token == 'http://127.0.0.1:8321/oauth/token'


def vars_of(endpoints: Endpoints) -> dict[str, str]:
    return {name: getattr(endpoints, name) for name in Endpoints.__slots__}


@pytest.mark.parametrize(
    'url',
    ['http://auth.openai.com', 'ftp://x', 'auth.openai.com', 'https://user:pw@x', 'https://x?a=b', '', 'https://'],
)
def test_a_token_goes_nowhere_unsafe(url: str) -> None:
    for make in (lambda: Endpoints.of(url), lambda: Endpoints.of(token=url), lambda: Endpoints.of(revoke=url)):
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert 'pw' not in str(caught.value)


def test_the_variables_of_the_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CODEX_REFRESH_TOKEN_URL_OVERRIDE', 'http://127.0.0.1:1/token')
    monkeypatch.setenv('CODEX_REVOKE_TOKEN_URL_OVERRIDE', 'http://127.0.0.1:1/revoke')

    endpoints = endpoints_of(login('a'))

    assert (endpoints.token, endpoints.revoke) == ('http://127.0.0.1:1/token', 'http://127.0.0.1:1/revoke')
    assert endpoints.authorize == 'https://auth.openai.com/oauth/authorize'
    assert endpoints_of(login('a'), Endpoints.of('http://localhost:2')).token == 'http://localhost:2/oauth/token'


def test_tokens_go_to_the_service_that_they_come_from() -> None:
    theirs = replace(login('a'), issuer='http://127.0.0.1:3')

    assert endpoints_of(theirs).token == 'http://127.0.0.1:3/oauth/token'
    assert endpoints_of(theirs).revoke == 'http://127.0.0.1:3/oauth/revoke'
    assert endpoints_of(login('a')) == Endpoints.of()
    with pytest.raises(ConfigurationError, match='The issuer'):
        endpoints_of(replace(theirs, issuer='http://evil.example'))


def test_pkce() -> None:
    pkce = PKCE.make()
    other = PKCE.make()

    digest = hashlib.sha256(pkce.verifier.encode()).digest()
    assert pkce.challenge == base64.urlsafe_b64encode(digest).decode().rstrip('=')
    assert (len(pkce.verifier), len(pkce.challenge), len(pkce.state)) == (86, 43, 43)
    assert len({pkce.verifier, other.verifier, pkce.state, other.state}) == 4
    assert not any(secret in repr(pkce) for secret in (pkce.verifier, pkce.challenge, pkce.state))


def test_authorize_url() -> None:
    pkce = PKCE.make(zeros)
    url = authorize_url(
        Endpoints.of(), pkce, redirect_uri='http://127.0.0.1:1455/auth/callback', originator='pydantic_ai_codex'
    )

    assert url.startswith('https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_')
    assert '&scope=openid+profile+email+offline_access+api.connectors.read+api.connectors.invoke&' in url
    assert parse_qsl(urlsplit(url).query) == snapshot(
        [
            ('response_type', 'code'),
            ('client_id', 'app_EMoamEEZ73f0CkXaXp7hrann'),
            ('redirect_uri', 'http://127.0.0.1:1455/auth/callback'),
            ('code_challenge', '4WWa1UBjo3n3f-4Qijdqan1a49DEN7-EcgOWO9AHjfw'),
            ('code_challenge_method', 'S256'),
            ('state', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
            ('scope', 'openid profile email offline_access api.connectors.read api.connectors.invoke'),
            ('id_token_add_organizations', 'true'),
            ('codex_cli_simplified_flow', 'true'),
            ('originator', 'pydantic_ai_codex'),
        ]
    )
    restricted = authorize_url(Endpoints.of(), pkce, redirect_uri='http://x', originator='x', workspaces=('a', 'b'))
    assert parse_qsl(urlsplit(restricted).query)[-1] == ('allowed_workspace_id', 'a,b')


def test_forms_and_bodies() -> None:
    code = device_code(answer(200, {'device_auth_id': 'da_1', 'user_code': 'ABCD-1234', 'interval': '5'}), now=NOW)

    assert {
        'code': code_form('ac_1', redirect_uri='http://127.0.0.1:1455/auth/callback', verifier='v'),
        'exchange': exchange_form('it'),
        'refresh': refresh_body('rt', 'scheduled'),
        'revoke': revoke_body('rt'),
        'device': device_code_body(),
        'poll': device_token_body(code),
        'new': new_login_keys(Endpoints.of(), zeros),
    } == snapshot(
        {
            'code': {
                'grant_type': 'authorization_code',
                'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
                'code': 'ac_1',
                'redirect_uri': 'http://127.0.0.1:1455/auth/callback',
                'code_verifier': 'v',
            },
            'exchange': {
                'grant_type': 'urn:ietf:params:oauth:grant-type:token-exchange',
                'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
                'requested_token': 'openai-api-key',
                'subject_token': 'it',
                'subject_token_type': 'urn:ietf:params:oauth:token-type:id_token',
            },
            'refresh': {
                'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
                'grant_type': 'refresh_token',
                'refresh_reason': 'scheduled',
                'refresh_token': 'rt',
            },
            'revoke': {
                'token': 'rt',
                'token_type_hint': 'refresh_token',
                'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
            },
            'device': {'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann'},
            'poll': {'device_auth_id': 'da_1', 'user_code': 'ABCD-1234'},
            'new': {
                'oauth_provenance': {
                    'issuer': 'https://auth.openai.com',
                    'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
                },
                'login_owner_id': 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
            },
        }
    )
    assert 'da_1' not in repr(code)


@pytest.mark.parametrize(
    ('status', 'body', 'code', 'is_permanent'),
    [
        (401, {'error': {'code': 'refresh_token_reused', 'message': 'x'}}, 'refresh_token_reused', True),
        (400, {'error': 'invalid_grant', 'error_description': 'x'}, 'invalid_grant', True),
        (400, {'code': 'Refresh_Token_Expired'}, 'refresh_token_expired', True),
        (401, {'error': {'code': 'something_new'}}, 'something_new', True),
        (401, {'detail': 'Unauthorized'}, None, True),
        (401, '<html>a proxy', None, False),
        (400, {'error': 'invalid_request'}, 'invalid_request', False),
        (500, {'error': {'code': None, 'message': ['x']}}, None, False),
        (500, {'error': ['x'], 'code': 7}, None, False),
        (503, None, None, False),
    ],
)
def test_failures(status: int, body: object, code: str | None, is_permanent: bool) -> None:
    failure = failure_of(answer(status, body))

    assert (failure.code, failure.is_permanent) == (code, is_permanent)
    assert failure.message


def test_words_of_the_service_are_made_fit_to_be_shown() -> None:
    secret = 'rt-secret-which-is-long'
    words = f'No\x1b[31m {secret} and {secret[:16]}...\n\n' + 'x' * 1000
    failure = failure_of(answer(500, {'error': {'code': 'a\nb', 'message': words}}), secrets=[secret])

    assert 'rt-secret' not in failure.message
    assert failure.message.isprintable()
    assert len(failure.message) < 500
    assert failure.code == 'a b'


def test_refreshed() -> None:
    old = login('old')
    new = refreshed(old, answer(200, {'access_token': jwt('new')}), now=NOW)

    assert new is not None
    assert (new.access_token, new.refresh_token, new.account_id) == (jwt('new'), 'rt-secret-old', 'acct-1')
    assert new.last_refresh == NOW
    bodies: list[object] = [{}, [], {'access_token': ''}, {'access_token': 7, 'refresh_token': None}, None]
    for body in bodies:
        assert refreshed(old, answer(200, body), now=NOW) is None


def test_logged_in() -> None:
    body = {'id_token': jwt('id'), 'access_token': jwt('at'), 'refresh_token': 'rt', 'expires_in': 7200}
    credentials = logged_in(answer(200, body), Endpoints.of(), now=NOW)

    assert (credentials.access_token, credentials.refresh_token, credentials.account_id) == (jwt('at'), 'rt', 'acct-1')
    assert sorted(credentials.extra) == ['login_owner_id', 'oauth_provenance']


@pytest.mark.parametrize(
    ('status', 'body', 'message'),
    [
        (200, {'access_token': 'at'}, 'without the tokens that a login needs'),
        (200, '<html>', 'without the tokens that a login needs'),
        (200, {'access_token': 'opaque', 'refresh_token': 'rt'}, 'names no ChatGPT account'),
    ],
)
def test_not_logged_in(status: int, body: object, message: str) -> None:
    with pytest.raises(LoginError, match=message) as caught:
        logged_in(answer(status, body), Endpoints.of(), now=NOW)

    assert caught.value.reason == 'refused'


@pytest.mark.parametrize(
    ('interval', 'seconds'),
    [
        ('5', 5),
        ('1', 1),
        (3, 3),
        ('0', 1),
        ('-1', 1),
        ('9999', 60),
        ('x', 5),
        (None, 5),
        ('nan', 5),
        ('inf', 60),
        ([], 5),
    ],
)
def test_interval_of_a_device_code(interval: Any, seconds: float) -> None:
    body = {'device_auth_id': 'da_1', 'usercode': 'ABCD-1234', 'interval': interval}

    code = device_code(answer(200, body), now=NOW)
    assert (code.user_code, code.interval) == ('ABCD-1234', seconds)
    assert (code.expires_at - NOW).total_seconds() == 900


@pytest.mark.parametrize(
    ('status', 'body', 'reason', 'message'),
    [
        (404, {}, 'disabled', 'Switch it on in the security settings of ChatGPT'),
        (429, {}, 'refused', 'status 429'),
        (200, {}, 'refused', 'no device code that can be used'),
        (200, {'device_auth_id': 'x', 'user_code': 'a\x1b[2Jb'}, 'refused', 'no device code that can be used'),
    ],
)
def test_no_device_code(status: int, body: object, reason: str, message: str) -> None:
    with pytest.raises(LoginError, match=message) as caught:
        device_code(answer(status, body), now=NOW)

    assert caught.value.reason == reason
