"""Reaches inside for the parsers: through the front door, every unreadable token looks the same."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from pydantic_ai_codex.testing import fake_access_token
from pydantic_ai_codex.testing._tokens import TokenClaims, is_sealed_for, read_token, seal


def test_token() -> None:
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)
    token = fake_access_token(account_id='acct', expires_at=expires_at, plan_type='pro', is_fedramp=True)

    assert read_token(token) == TokenClaims('acct', 'pro', expires_at)
    payload = token.split('.')[1]
    assert json.loads(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)))['https://api.openai.com/auth'] == {
        'chatgpt_account_id': 'acct',
        'chatgpt_plan_type': 'pro',
        'chatgpt_user_id': 'user-simulated',
        'chatgpt_account_is_fedramp': True,
    }


DEEP = base64.urlsafe_b64encode(b'[' * 200_001).decode()
"""JSON that no parser follows to its end."""


@pytest.mark.parametrize(
    'token', ['', 'a.b', 'a.é.c', 'a.e30.c', 'a.W10.c', f'a.{DEEP}.c'], ids=lambda token: token[:10] or 'nothing'
)
def test_unreadable_token(token: str) -> None:
    assert read_token(token) is None


def test_sealed_reasoning_belongs_to_its_account() -> None:
    blob = seal('acct', 'rs_1')

    assert blob.startswith('gAAAAA')
    assert is_sealed_for('acct', blob)
    assert not is_sealed_for('other', blob)
    assert not any(
        is_sealed_for('acct', bad) for bad in ('', 'x', blob[:-4], 'gAAAAABW10', 'gAAAAABe30', f'gAAAAAB{DEEP}')
    )
