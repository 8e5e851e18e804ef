"""A login service and a clock for tests of the credentials: what is asked is kept, what is answered is said."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from pydantic_ai_codex.auth import AuthHTTP, Credentials

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def jwt(
    name: str,
    *,
    account: str = 'acct-1',
    expires_in: timedelta | None = 10 * DAY,
    lives: timedelta | None = 10 * DAY,
) -> str:
    """An access token by the name of `name`."""
    claims: dict[str, Any] = {'jti': name, 'https://api.openai.com/auth': {'chatgpt_account_id': account}}
    if expires_in is not None:
        claims['exp'] = (NOW + expires_in).timestamp()
        if lives is not None:
            claims['iat'] = (NOW + expires_in - lives).timestamp()
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')
    return f'e30.{payload}.c2ln'


def login(name: str, *, account: str = 'acct-1', expires_in: timedelta | None = 10 * DAY) -> Credentials:
    """A login whose tokens have `name` in them."""
    token = jwt(name, account=account, expires_in=expires_in)
    return Credentials(token, refresh_token=f'rt-secret-{name}', account_id=account, last_refresh=NOW - DAY)


class Clock:
    """A clock that only moves when somebody waits, or is told to."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.waits: list[float] = []
        self.chance = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return 1000 + self.passed

    def random(self) -> float:
        return self.chance

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds


class Service:
    """Answers refreshes: by default with a login that is named after how many there were."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[httpx2.Headers] = []
        self.urls: list[str] = []
        self.answers: list[httpx2.Response | Exception] = []
        self.on_request: Callable[[], object] = lambda: None

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(json.loads(request.content))
        self.headers.append(request.headers)
        self.urls.append(str(request.url))
        self.on_request()
        answer = self.answers.pop(0) if self.answers else tokens(f'new-{len(self.requests)}')
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextlib.asynccontextmanager
    async def lease(self) -> AsyncGenerator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer)) as client:
            yield client

    @property
    def http(self) -> AuthHTTP:
        return AuthHTTP(self.lease)

    @property
    def reasons(self) -> list[str]:
        return [request['refresh_reason'] for request in self.requests]


def tokens(name: str, *, without: tuple[str, ...] = (), expires_in: timedelta | None = 20 * DAY) -> httpx2.Response:
    """An answer with new tokens."""
    token = jwt(name, expires_in=expires_in)
    fields = {'id_token': token, 'access_token': token, 'refresh_token': f'rt-secret-{name}', 'token_type': 'Bearer'}
    return httpx2.Response(200, json={key: value for key, value in fields.items() if key not in without})


def refusal(code: str, *, status: int = 401) -> httpx2.Response:
    return httpx2.Response(status, json={'error': {'code': code, 'message': 'It said so.'}})
