"""The limits of the plan, asked for."""

from __future__ import annotations

import pytest

from pydantic_ai_codex._account.usage import fetch_rate_limits
from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.errors import BackendError, ConfigurationError

from .backend import BASE_URL, LOGIN, NOW, Answer, Backend, Program, status

pytestmark = pytest.mark.anyio

PAGE = {
    'plan_type': 'plus',
    'rate_limit': {
        'allowed': True,
        'limit_reached': False,
        'primary_window': {
            'used_percent': 42,
            'limit_window_seconds': 18000,
            'reset_after_seconds': 120,
            'reset_at': 1900000000,
        },
        'secondary_window': None,
    },
    'credits': {'has_credits': True, 'unlimited': False, 'balance': '12.5'},
}


async def test_the_limits(program: Program, backend: Backend) -> None:
    backend.usage = status(200, PAGE)

    limits = await fetch_rate_limits(program.lookups, LOGIN, BASE_URL, NOW)

    assert limits.primary is not None
    assert (limits.primary.used_percent, limits.plan_type, limits.source) == (42, 'plus', 'usage')
    assert limits.observed_at == NOW
    assert backend.paths == ['/backend-api/wham/usage']


async def test_a_host_of_another_kind_is_asked_where_it_would_have_them(program: Program, backend: Backend) -> None:
    backend.usage = status(200, PAGE)

    await fetch_rate_limits(program.lookups, LOGIN, 'https://gateway.example/v1', NOW)

    assert [str(request.url) for request in backend.requests] == ['https://gateway.example/api/codex/usage']


@pytest.mark.parametrize(
    'answer',
    [
        status(200, b'<html>Sign in</html>'),
        status(200, b'{"plan_ty'),
        status(200, b''),
        status(200, []),
        status(200, {}),
        status(200, {'rate_limit': {'primary_window': {'used_percent': 'much'}}}),
    ],
)
async def test_what_tells_no_limits_is_an_error_and_not_zeros(
    answer: Answer, program: Program, backend: Backend
) -> None:
    backend.usage = answer

    with pytest.raises(BackendError, match='tells no limits of the plan') as caught:
        await fetch_rate_limits(program.lookups, LOGIN, BASE_URL, NOW)

    assert caught.value.status_code == 200


async def test_a_refusal_is_raised(program: Program) -> None:
    with pytest.raises(BackendError, match='404: Not Found'):
        await fetch_rate_limits(program.lookups, LOGIN, BASE_URL, NOW)


async def test_an_api_key_has_no_plan(program: Program, backend: Backend) -> None:
    key = Credentials('sk-secret-0123456789', auth_mode='apikey')

    with pytest.raises(ConfigurationError, match='Plan limits belong to ChatGPT logins'):
        await fetch_rate_limits(program.lookups, key, 'https://api.openai.com/v1', NOW)

    assert backend.requests == []
