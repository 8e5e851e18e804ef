from __future__ import annotations

import traceback
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.auth._login.device import device_login
from pydantic_ai_codex.auth._login.requests import DeviceCode
from pydantic_ai_codex.auth._oauth import Endpoints
from pydantic_ai_codex.errors import LoginError

from .login_service import ENDPOINTS, NOW, Clock, LoginService, tokens

pytestmark = pytest.mark.anyio

CODE = (200, {'device_auth_id': 'da-secret', 'user_code': 'ABCD-1234', 'interval': '5'})
PENDING = (403, {'error': 'pending'})
GRANT = (200, {'authorization_code': 'ac-secret', 'code_challenge': 'c', 'code_verifier': 'verifier-secret'})
TOKENS = (200, tokens())


def ignore(*args: object) -> None:
    pass


class Shown:
    """What the user sees."""

    def __init__(self) -> None:
        self.codes: list[DeviceCode] = []
        self.pages: list[str] = []

    def __call__(self, code: DeviceCode, page: str) -> None:
        self.codes.append(code)
        self.pages.append(page)


async def log_in(service: LoginService, clock: Clock | None = None, **options: Any) -> Credentials:
    options = {'show': ignore, 'endpoints': ENDPOINTS, 'http': service.http, 'clock': clock or Clock(), **options}
    return await device_login(**options)


async def test_a_login() -> None:
    service = LoginService(CODE, PENDING, (404, ''), GRANT, TOKENS)
    clock = Clock()
    shown = Shown()
    left: list[float] = []

    credentials = await log_in(service, clock, show=shown, wait=left.append)

    assert credentials.account_id == 'acct-1111'
    assert credentials.last_refresh == NOW
    assert [code.user_code for code in shown.codes] == ['ABCD-1234']
    assert shown.pages == ['https://login.example/codex/device']
    assert clock.waits == [5, 5]
    assert left == [900, 895]
    assert service.outline == snapshot(
        [
            ('/api/accounts/deviceauth/usercode', {'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann'}),
            ('/api/accounts/deviceauth/token', {'device_auth_id': 'da-secret', 'user_code': 'ABCD-1234'}),
            ('/api/accounts/deviceauth/token', {'device_auth_id': 'da-secret', 'user_code': 'ABCD-1234'}),
            ('/api/accounts/deviceauth/token', {'device_auth_id': 'da-secret', 'user_code': 'ABCD-1234'}),
        ]
    )
    assert service.forms == snapshot(
        [
            {
                'grant_type': 'authorization_code',
                'client_id': 'app_EMoamEEZ73f0CkXaXp7hrann',
                'code': 'ac-secret',
                'redirect_uri': 'https://login.example/deviceauth/callback',
                'code_verifier': 'verifier-secret',
            }
        ]
    )


async def test_a_login_without_an_id_token_is_told_of() -> None:
    warnings: list[str] = []

    await log_in(LoginService(CODE, GRANT, (200, tokens(id_token=None))), warn=warnings.append)

    (warning,) = warnings
    assert 'without an ID token' in warning


async def test_a_code_that_comes_back_encoded_is_not_shown() -> None:
    grant = (200, {'authorization_code': 'ac/secret+code', 'code_verifier': 'verifier-secret'})
    refused = (400, {'error': {'message': 'no code=ac%2Fsecret%2Bcode here'}})

    with pytest.raises(LoginError, match=r'no code=\*\*\* here'):
        await log_in(LoginService(CODE, grant, refused))


async def test_nothing_names_us() -> None:
    service = LoginService(CODE, GRANT, TOKENS)
    await log_in(service)

    assert [request.headers.get('originator') for request in service.requests] == [None, None, None]


async def test_switched_off() -> None:
    with pytest.raises(LoginError, match='This account has the login with a device code switched off') as raised:
        await log_in(LoginService((404, '')), endpoints=Endpoints.of())

    assert raised.value.reason == 'disabled'


async def test_a_service_without_device_logins_may_be_the_wrong_one() -> None:
    with pytest.raises(
        LoginError, match=r"'https://login.example' has no login .* See that its address is right"
    ) as raised:
        await log_in(LoginService((404, '')))

    assert 'account' not in str(raised.value)
    assert raised.value.reason == 'disabled'


@pytest.mark.parametrize(
    ('interval', 'pause'),
    [('5', 5), (None, 5), ('soon', 5), ('0', 1), (-3, 1), ('1e9', 60), ('nan', 5), ([], 5), (7.5, 7.5)],
)
async def test_the_pause_is_what_the_service_asks_for_within_bounds(interval: Any, pause: float) -> None:
    clock = Clock()
    code = (200, {'device_auth_id': 'da-secret', 'usercode': 'ABCD-1234', 'interval': interval})

    await log_in(LoginService(code, PENDING, GRANT, TOKENS), clock)

    assert clock.waits == [pause]


async def test_trouble_while_polling_costs_no_login_and_is_met_slower() -> None:
    clock = Clock()
    trouble = [(429, ''), (500, '<html>'), httpx2.ConnectError('no route'), (400, {'error': 'slow_down'}), (502, '')]

    await log_in(LoginService(CODE, *trouble, PENDING, GRANT, TOKENS), clock)

    assert clock.waits == [10, 20, 40, 60, 60, 5]


@pytest.mark.parametrize(
    ('answer', 'reason', 'message'),
    [
        ((400, {'error': {'code': 'bad', 'message': 'No such thing'}}), 'refused', 'No such thing'),
        ((400, {'message': 'da-secret is over'}), 'refused', r'\*\*\* is over'),
        ((302, ''), 'refused', '302'),
        ((200, {'authorization_code': 'ac-secret'}), 'refused', 'without a code'),
        ((403, {'error': 'access_denied'}), 'denied', 'denied'),
        ((400, {'error': 'expired_token'}), 'expired', 'Nobody typed the code'),
    ],
)
async def test_what_ends_the_login(answer: Any, reason: str, message: str) -> None:
    with pytest.raises(LoginError, match=message) as raised:
        await log_in(LoginService(CODE, PENDING, answer))

    assert raised.value.reason == reason


async def test_the_standard_word_for_pending() -> None:
    await log_in(LoginService(CODE, (400, {'error': 'authorization_pending'}), GRANT, TOKENS))


async def test_nobody_types_the_code() -> None:
    clock = Clock()

    with pytest.raises(LoginError) as raised:
        await log_in(LoginService(CODE, *[PENDING] * 1000), clock)

    assert raised.value.reason == 'expired'
    assert str(raised.value) == snapshot('Nobody typed the code within 15 minutes. Log in again, with a new code.')
    assert sum(clock.waits) == 900


async def test_the_last_pause_is_not_beyond_the_end() -> None:
    clock = Clock()
    code = (200, {'device_auth_id': 'da-secret', 'user_code': 'ABCD-1234', 'interval': '59'})

    with pytest.raises(LoginError):
        await log_in(LoginService(code, *[PENDING] * 100), clock)

    assert clock.waits == [59] * 15 + [15]


async def test_another_workspace_is_refused() -> None:
    with pytest.raises(LoginError) as raised:
        await log_in(LoginService(CODE, GRANT, TOKENS), workspaces=['acct-2222'])

    assert raised.value.reason == 'workspace'


@pytest.mark.parametrize('answers', [[httpx2.ConnectError('x')], [CODE, GRANT, httpx2.ReadError('x')]])
async def test_no_network(answers: list[Any]) -> None:
    with pytest.raises(LoginError, match='was not reached') as raised:
        await log_in(LoginService(*answers))

    assert raised.value.reason == 'network'
    told = ''.join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert 'secret' not in told


async def test_the_secrets_of_a_code_are_in_no_repr() -> None:
    shown = Shown()
    await log_in(LoginService(CODE, GRANT, TOKENS), show=shown)

    assert 'secret' not in repr(shown.codes)
