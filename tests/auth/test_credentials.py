"""Reaches inside for the shapes of the file: through a store, every shape would need a file of its own."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import Credentials, MemoryStore
from pydantic_ai_codex.auth._credentials import ShapeError, credentials_from_json, update_json

AUTH = 'https://api.openai.com/auth'
NOW = datetime(2026, 11, 21, 3, 13, 50, 954465, tzinfo=UTC)


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')
    return f'e30.{payload}.c2ln'


def account(account_id: str) -> dict[str, Any]:
    return {AUTH: {'chatgpt_account_id': account_id}}


TOKENS = {'access_token': 'at-secret', 'refresh_token': 'rt-secret', 'id_token': 'it-secret', 'account_id': 'acct-1'}
LOGIN = Credentials('at-secret', 'rt-secret', 'acct-1', 'it-secret')


@pytest.mark.parametrize(
    'document',
    [
        pytest.param({'chatgpt': TOKENS}, id='chatgpt'),
        pytest.param({'tokens': TOKENS}, id='tokens'),
        pytest.param(TOKENS, id='flat'),
        pytest.param({'chatgpt': TOKENS, 'tokens': {'access_token': 'other'}, 'access_token': 'third'}, id='in order'),
        pytest.param({'tokens': TOKENS, 'access_token': 'third'}, id='tokens before flat'),
        pytest.param({'chatgpt': {}, 'tokens': TOKENS}, id='an empty one is passed over'),
        pytest.param({'chatgpt': {'access_token': ''}, 'tokens': TOKENS}, id='one with an empty token too'),
        pytest.param({'chatgpt': None, 'tokens': [], **TOKENS}, id='what is no object is passed over'),
        pytest.param({'auth_mode': 'chatgpt', 'OPENAI_API_KEY': None, 'tokens': TOKENS}, id='the file of the CLI'),
        pytest.param({'auth_mode': 'ChatGPT', 'OPENAI_API_KEY': 'sk-1', 'tokens': TOKENS}, id='mode before key'),
        pytest.param({'auth_mode': None, 'OPENAI_API_KEY': '', 'tokens': TOKENS}, id='an empty key is none'),
        pytest.param({'auth_mode': 'new-mode', 'tokens': TOKENS}, id='an unknown mode with tokens'),
    ],
)
def test_shape(document: dict[str, Any]) -> None:
    assert credentials_from_json(document) == LOGIN


@pytest.mark.parametrize(
    'document',
    [
        {'auth_mode': 'apikey', 'OPENAI_API_KEY': 'sk-1'},
        {'auth_mode': 'ApiKey', 'OPENAI_API_KEY': 'sk-1', 'tokens': TOKENS},
        {'OPENAI_API_KEY': 'sk-1'},
        {'OPENAI_API_KEY': 'sk-1', 'tokens': TOKENS},
    ],
)
def test_api_key(document: dict[str, Any]) -> None:
    assert credentials_from_json(document) == Credentials('sk-1', auth_mode='apikey')


@pytest.mark.parametrize(
    ('document', 'message'),
    [
        ([], 'it holds no JSON object'),
        (None, 'it holds no JSON object'),
        ('at-secret', 'it holds no JSON object'),
        ({}, 'it has no `access_token`, neither under "chatgpt", nor under "tokens", nor at the top level'),
        ({'tokens': {'refresh_token': 'rt-secret'}}, 'it has no `access_token`'),
        ({'tokens': {'access_token': 7}}, 'it has no `access_token`'),
        ({'tokens': 'at-secret'}, 'it has no `access_token`'),
        ({'auth_mode': 'apikey'}, 'its `auth_mode` is "apikey", and `OPENAI_API_KEY` is empty'),
        ({'auth_mode': 'apikey', 'OPENAI_API_KEY': 7, 'tokens': TOKENS}, '`OPENAI_API_KEY` is empty'),
        ({'auth_mode': 'agentIdentity', 'tokens': TOKENS}, "an agent identity (`auth_mode` 'agentIdentity')"),
        ({'auth_mode': 'chatgptAuthTokens', 'tokens': TOKENS}, 'tokens that a host application keeps in memory'),
        ({'auth_mode': 'agentIdentity', 'OPENAI_API_KEY': 'sk-secret'}, 'which cannot be used from here'),
        ({'auth_mode': 'personalAccessToken', 'personal_access_token': 'pat-secret'}, 'it has no `access_token`'),
    ],
)
def test_no_login(document: object, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        credentials_from_json(document)

    assert message in str(caught.value)
    assert 'secret' not in str(caught.value)


ACCOUNTS: list[tuple[object, object, str | None]] = [
    (account('from-id'), account('from-access'), 'from-id'),
    (None, account('from-access'), 'from-access'),
    ({}, account('from-access'), 'from-access'),
    (account(''), account('from-access'), 'from-access'),
    ({AUTH: None}, account('from-access'), 'from-access'),
    ({AUTH: {'chatgpt_account_id': 7}}, account('from-access'), 'from-access'),
    ({'chatgpt_account_id': 'top'}, {}, 'top'),
    ({'chatgpt_account_id': 'top', **account('inner')}, {}, 'inner'),
    ({'organizations': [{'id': 'org-1'}, {'id': 'org-2'}]}, {}, 'org-1'),
    ({'organizations': [{'id': 'org-1'}], 'chatgpt_account_id': 'top'}, {}, 'top'),
    ({}, {'organizations': [{'id': 'org-1'}]}, 'org-1'),
    ({'organizations': []}, {}, None),
    ({'organizations': ['org-1']}, {}, None),
    ({'organizations': {'id': 'org-1'}}, {}, None),
    ({'organizations': [{}]}, {}, None),
    ([], 'text', None),
    ({}, {}, None),
]


@pytest.mark.parametrize(('id_token', 'access_token', 'account_id'), ACCOUNTS)
def test_account_id_from_the_claims(id_token: object, access_token: object, account_id: str | None) -> None:
    credentials = Credentials(jwt(access_token), id_token=None if id_token is None else jwt(id_token))

    assert credentials.account_id == account_id


def test_organization_is_the_last_resort() -> None:
    id_token = jwt({'organizations': [{'id': 'org-1'}]})

    assert Credentials(jwt(account('acct-1')), id_token=id_token).account_id == 'acct-1'


def test_what_is_given_wins_over_the_claims() -> None:
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)
    token = jwt(
        {'exp': 1, AUTH: {'chatgpt_account_id': 'a', 'chatgpt_plan_type': 'p', 'chatgpt_account_is_fedramp': True}}
    )

    credentials = Credentials(token, account_id='b', expires_at=expires_at, plan_type='q', is_fedramp=False)

    assert (credentials.account_id, credentials.expires_at) == ('b', expires_at)
    assert (credentials.plan_type, credentials.is_fedramp) == ('q', False)


@pytest.mark.parametrize(
    ('id_token', 'access_token', 'is_fedramp'),
    [
        ({AUTH: {'chatgpt_account_is_fedramp': True}}, {}, True),
        ({}, {AUTH: {'chatgpt_account_is_fedramp': True}}, True),
        ({AUTH: {'chatgpt_account_is_fedramp': False}}, {}, False),
        ({AUTH: {'chatgpt_account_is_fedramp': 'yes'}}, {}, False),
        ({'chatgpt_account_is_fedramp': True}, {}, False),
        ({}, {}, False),
    ],
)
def test_fedramp(id_token: object, access_token: object, is_fedramp: bool) -> None:
    assert Credentials(jwt(access_token), id_token=jwt(id_token)).is_fedramp is is_fedramp


@pytest.mark.parametrize(
    ('id_token', 'access_token', 'plan_type'),
    [
        ({AUTH: {'chatgpt_plan_type': 'plus'}}, {AUTH: {'chatgpt_plan_type': 'pro'}}, 'plus'),
        ({}, {AUTH: {'chatgpt_plan_type': 'pro'}}, 'pro'),
        ({AUTH: {'chatgpt_plan_type': None}}, {}, None),
    ],
)
def test_plan(id_token: object, access_token: object, plan_type: str | None) -> None:
    assert Credentials(jwt(access_token), id_token=jwt(id_token)).plan_type == plan_type


@pytest.mark.parametrize(
    ('exp', 'expires_at'),
    [
        (1893456000, datetime(2030, 1, 1, tzinfo=UTC)),
        (1893456000.5, datetime(2030, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        (1893456000000, datetime(2030, 1, 1, tzinfo=UTC)),
        ('2030-01-01T00:00:00Z', datetime(2030, 1, 1, tzinfo=UTC)),
        ('2030-01-01T02:00:00+02:00', datetime(2030, 1, 1, tzinfo=UTC)),
        ('2030-01-01T00:00:00', datetime(2030, 1, 1, tzinfo=UTC)),
        ('soon', None),
        ('', None),
        (True, None),
        (None, None),
        ([], None),
        (float('nan'), None),
        (float('inf'), None),
        (-(10**30), None),
        (10**400, None),
    ],
)
def test_expiry(exp: object, expires_at: datetime | None) -> None:
    assert Credentials(jwt({'exp': exp})).expires_at == expires_at
    assert credentials_from_json({**TOKENS, 'expires_at': exp}).expires_at == expires_at


def test_expiry_of_the_id_token_does_not_count() -> None:
    assert Credentials('opaque', id_token=jwt({'exp': 1893456000})).expires_at is None


@pytest.mark.parametrize(
    'token',
    ['opaque', '', 'a.b', 'a.b.c', '..', 'a.e30.c.d', 'a.é.c', 'a.!!!!.c', 'a.W10.c', 'a.////.c', 'e30.e30.e30'],
)
def test_opaque_token(token: str) -> None:
    credentials = Credentials(token, id_token=token)

    assert (credentials.account_id, credentials.expires_at, credentials.plan_type) == (None, None, None)
    assert credentials.is_fedramp is False


def test_claims_of_an_api_key_are_not_read() -> None:
    credentials = Credentials(jwt({'exp': 1, **account('acct-1')}), auth_mode='apikey')

    assert (credentials.account_id, credentials.expires_at, credentials.is_fedramp) == (None, None, False)


def test_the_tag_of_an_account_is_stable_and_does_not_give_it_away() -> None:
    # It stands in stored histories: another value would throw their reasoning away.
    assert Credentials('t', account_id='acct-1').account_tag == snapshot('cf9ead989df9d299')
    assert Credentials('other', account_id='acct-1', plan_type='pro').account_tag == LOGIN.account_tag
    assert Credentials('t', account_id='acct-2').account_tag != LOGIN.account_tag


@pytest.mark.parametrize(
    ('credentials', 'tag'),
    [
        (Credentials('opaque'), None),
        (Credentials('sk-1', auth_mode='apikey'), 'api-key'),
        (Credentials('sk-1', account_id='acct-1', auth_mode='apikey'), 'api-key'),
    ],
)
def test_the_tag_without_an_account(credentials: Credentials, tag: str | None) -> None:
    assert credentials.account_tag == tag


def test_no_repr_holds_a_token() -> None:
    assert repr(LOGIN) == snapshot(
        "Credentials(account_id='acct-1', expires_at=None, plan_type=None, is_fedramp=False, auth_mode='chatgpt')"
    )
    assert str(LOGIN) == repr(LOGIN)
    assert repr(MemoryStore(LOGIN)) == f'MemoryStore({LOGIN!r})'
    assert 'sk-secret' not in repr(Credentials('sk-secret', auth_mode='apikey'))


def test_update_keeps_what_it_does_not_know() -> None:
    document = {
        'auth_mode': 'chatgpt',
        'OPENAI_API_KEY': None,
        'tokens': {'access_token': 'old', 'id_token': 'old', 'login_owner_id': 'owner', 'oauth_provenance': {'a': 1}},
        'last_refresh': '2020-01-01T00:00:00Z',
        'new': [1],
    }

    assert update_json(document, LOGIN, now=NOW) == snapshot(
        {
            'auth_mode': 'chatgpt',
            'OPENAI_API_KEY': None,
            'tokens': {
                'access_token': 'at-secret',
                'id_token': 'it-secret',
                'login_owner_id': 'owner',
                'oauth_provenance': {'a': 1},
                'refresh_token': 'rt-secret',
                'account_id': 'acct-1',
            },
            'last_refresh': '2026-11-21T03:13:50.954465Z',
            'new': [1],
        }
    )
    assert document['tokens'] == {
        'access_token': 'old',
        'id_token': 'old',
        'login_owner_id': 'owner',
        'oauth_provenance': {'a': 1},
    }


def test_update_of_nothing_is_the_file_of_the_cli() -> None:
    assert update_json({}, LOGIN, now=NOW) == snapshot(
        {
            'tokens': {
                'id_token': 'it-secret',
                'access_token': 'at-secret',
                'refresh_token': 'rt-secret',
                'account_id': 'acct-1',
            },
            'auth_mode': 'chatgpt',
            'OPENAI_API_KEY': None,
            'last_refresh': '2026-11-21T03:13:50.954465Z',
        }
    )


def test_update_of_an_api_key() -> None:
    key = Credentials('sk-1', auth_mode='apikey')

    assert update_json({'auth_mode': 'chatgpt', 'tokens': TOKENS, 'new': 1}, key, now=NOW) == snapshot(
        {'auth_mode': 'apikey', 'new': 1, 'OPENAI_API_KEY': 'sk-1'}
    )


@pytest.mark.parametrize(
    'document',
    [
        {},
        {'tokens': {'access_token': 'old'}},
        {'tokens': None, 'auth_mode': 'chatgpt'},
        {'chatgpt': {'access_token': 'old'}},
        {'access_token': 'old', 'refresh_token': 'old'},
        {'OPENAI_API_KEY': 'sk-1'},
        {'chatgpt': {}, 'tokens': {'access_token': 'old'}},
    ],
)
@pytest.mark.parametrize('credentials', [LOGIN, Credentials('sk-2', auth_mode='apikey')], ids=['chatgpt', 'apikey'])
def test_what_is_written_is_what_is_read(document: dict[str, Any], credentials: Credentials) -> None:
    assert credentials_from_json(update_json(document, credentials, now=NOW)) == credentials


@pytest.mark.parametrize(
    'document',
    [{'auth_mode': 'apikey', 'OPENAI_API_KEY': 'sk-1'}, {'access_token': 'old', 'OPENAI_API_KEY': 'sk-1'}],
)
def test_login_is_read_that_was_written_over_an_api_key(document: dict[str, Any]) -> None:
    assert credentials_from_json(update_json(document, LOGIN, now=NOW)) == LOGIN


def test_update_goes_where_the_login_was_read() -> None:
    updated = update_json({'chatgpt': {}, 'tokens': {'access_token': 'old'}}, LOGIN, now=NOW)

    assert updated['tokens']['access_token'] == 'at-secret'


def test_update_does_not_mix_two_logins() -> None:
    other = Credentials(jwt(account('acct-2')))

    updated = credentials_from_json(update_json({'tokens': TOKENS}, other, now=NOW))

    assert (updated.account_id, updated.refresh_token) == ('acct-2', None)


@pytest.mark.parametrize(
    ('old', 'new', 'expected'),
    [
        (1.0, datetime(2030, 1, 1, tzinfo=UTC), 1893456000.0),
        (1.0, datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 1893456000.0),
        pytest.param(
            1893456000.0,
            None,
            None,
        ),
        pytest.param(
            1700000000000,
            datetime(2030, 1, 1, tzinfo=UTC),
            1893456000000,
        ),
    ],
)
def test_update_of_the_expiry(old: object, new: datetime | None, expected: object) -> None:
    document = {'access_token': 'old', 'expires_at': old}

    assert update_json(document, Credentials('new', expires_at=new), now=NOW).get('expires_at') == expected


def test_update_adds_no_expiry_where_there_was_none() -> None:
    credentials = Credentials('new', expires_at=NOW)

    assert 'expires_at' not in update_json({}, credentials, now=NOW)['tokens']


def test_where_a_refresh_token_goes_is_not_left_over_from_another_login() -> None:
    theirs = {'oauth_provenance': {'issuer': 'https://login.example'}, 'login_owner_id': 'theirs', 'new': 1}
    document = {'tokens': {**TOKENS, **theirs}}
    read = credentials_from_json(document)

    assert read.issuer == 'https://login.example'
    assert update_json(document, read, now=NOW)['tokens'] == document['tokens']
    another = update_json(document, Credentials('at-2', 'rt-2', 'acct-2'), now=NOW)
    assert another['tokens'] == {'access_token': 'at-2', 'refresh_token': 'rt-2', 'account_id': 'acct-2', 'new': 1}
    ours = update_json(document, Credentials('at-2', 'rt-2', 'acct-1', issuer='https://ours.example'), now=NOW)
    assert ours['tokens']['oauth_provenance'] == {
        'issuer': 'https://ours.example',
        'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
    }
    assert credentials_from_json(ours).issuer == 'https://ours.example'


def test_an_expired_login_was_not_got_just_now() -> None:
    expired_at = NOW - timedelta(days=1)
    expired = Credentials(jwt({'exp': expired_at.timestamp()}))
    issued = Credentials(jwt({'iat': expired_at.timestamp(), 'exp': (NOW + timedelta(days=1)).timestamp()}))

    for credentials in (expired, issued):
        assert credentials_from_json(update_json({}, credentials, now=NOW)).last_refresh == expired_at
