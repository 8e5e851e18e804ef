"""What a client sends to the login service, as Codex CLI 0.169.0 sends it (captured); retyped, not shared with ours."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from pydantic_ai_codex.testing import CodexSimulator

Json = dict[str, Any]

ISSUER = 'https://auth.openai.com'
CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann'
IDENTITY = {'originator': 'codex_exec', 'user-agent': 'codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm'}
VERIFIER = 'v' * 86
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip('=')
CALLBACK = 'http://127.0.0.1:1455/auth/callback'
AUTHORIZE = {
    'response_type': 'code',
    'client_id': CLIENT_ID,
    'redirect_uri': CALLBACK,
    'code_challenge': CHALLENGE,
    'code_challenge_method': 'S256',
    'state': 's' * 43,
    'scope': 'openid profile email offline_access api.connectors.read api.connectors.invoke',
    'id_token_add_organizations': 'true',
    'codex_cli_simplified_flow': 'true',
    'originator': 'codex_cli_rs',
}


def authorize_url(issuer: str = ISSUER, /, **changes: str | None) -> str:
    fields = {**AUTHORIZE, **changes}
    return f'{issuer}/oauth/authorize?{urlencode({name: value for name, value in fields.items() if value is not None})}'


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def refresh_body(refresh_token: str, /, **changes: str) -> Json:
    return {
        'client_id': CLIENT_ID,
        'grant_type': 'refresh_token',
        'refresh_reason': 'proactive_expiry',
        'refresh_token': refresh_token,
        **changes,
    }


def revoke_body(token: str, /, **changes: str) -> Json:
    return {'token': token, 'token_type_hint': 'refresh_token', 'client_id': CLIENT_ID, **changes}


def code_form(code: str, /, **changes: str) -> dict[str, str]:
    return {
        'grant_type': 'authorization_code',
        'client_id': CLIENT_ID,
        'code': code,
        'redirect_uri': CALLBACK,
        'code_verifier': VERIFIER,
        **changes,
    }


def exchange_form(id_token: str, /, **changes: str) -> dict[str, str]:
    return {
        'grant_type': 'urn:ietf:params:oauth:grant-type:token-exchange',
        'client_id': CLIENT_ID,
        'requested_token': 'openai-api-key',
        'subject_token': id_token,
        'subject_token_type': 'urn:ietf:params:oauth:token-type:id_token',
        **changes,
    }


def anonymous_client(simulator: CodexSimulator) -> httpx2.AsyncClient:
    """A client that does not name its library."""
    client = simulator.http_client()
    del client.headers['user-agent']
    return client


async def get(simulator: CodexSimulator, url: str) -> httpx2.Response:
    async with simulator.http_client() as client:
        return await client.get(url)


async def post_json(
    simulator: CodexSimulator, path: str, body: object, headers: dict[str, str] | None = None
) -> httpx2.Response:
    async with anonymous_client(simulator) as client:
        return await client.post(ISSUER + path, json=body, headers=IDENTITY if headers is None else headers)


async def post_form(simulator: CodexSimulator, path: str, form: dict[str, str]) -> httpx2.Response:
    async with anonymous_client(simulator) as client:
        return await client.post(ISSUER + path, data=form)


async def refresh(simulator: CodexSimulator, refresh_token: str | None, **changes: str) -> httpx2.Response:
    return await post_json(simulator, '/oauth/token', refresh_body(refresh_token or '', **changes))


async def log_in(simulator: CodexSimulator) -> Json:
    """The tokens of a browser login."""
    code = query_of(simulator.oauth.approve_login(authorize_url()))['code']
    answer = await post_form(simulator, '/oauth/token', code_form(code))
    return answer.json()


def field(html: str, name: str) -> str:
    """The value of an input of a page."""
    return html.split(f'name="{name}" value="', 1)[1].partition('"')[0]
