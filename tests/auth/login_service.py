"""A stand-in for the login service, whose answers are given one by one, and one for the user's browser."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
import httpx2

from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.auth._http import AuthHTTP
from pydantic_ai_codex.auth._login.browser import browser_login
from pydantic_ai_codex.auth._oauth import Endpoints
from pydantic_ai_codex.errors import CodexError
from pydantic_ai_codex.testing import fake_access_token

ISSUER = 'https://login.example'
ENDPOINTS = Endpoints.of(ISSUER)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

Answer = tuple[int, Any] | Exception
"""A status with a body, or what goes wrong instead."""


def tokens(account_id: str = 'acct-1111', **fields: Any) -> dict[str, Any]:
    """The answer to a code."""
    token = fake_access_token(account_id=account_id)
    return {'access_token': token, 'id_token': token, 'refresh_token': 'rt-secret', 'expires_in': 7200, **fields}


class LoginService:
    """Answers requests with what it is given, in that order."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    @property
    def http(self) -> AuthHTTP:
        return AuthHTTP(lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer)))

    @property
    def forms(self) -> list[dict[str, str]]:
        """The forms that came."""
        return [
            {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
            for request in self.requests
            if request.headers['content-type'] == 'application/x-www-form-urlencoded'
        ]

    @property
    def outline(self) -> list[tuple[str, Any]]:
        """The paths, with the JSON that came."""
        return [
            (request.url.path, json.loads(request.content))
            for request in self.requests
            if request.headers['content-type'] == 'application/json'
        ]

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return httpx2.Response(status, text=body) if isinstance(body, str) else httpx2.Response(status, json=body)


class Tab:
    """The user's browser, which comes back to the address that the login page was given."""

    def __init__(self) -> None:
        self.url = ''
        self.pages: list[httpx2.Response] = []
        self.opened = anyio.Event()

    def show(self, url: str) -> None:
        self.url = url
        self.opened.set()

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def origin(self) -> str:
        parts = urlsplit(self.query['redirect_uri'])
        return f'{parts.scheme}://{parts.netloc}'

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Load a page of the callback server."""
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            page = await client.get(self.origin + path, headers={k.replace('_', '-'): v for k, v in headers.items()})
        self.pages.append(page)
        return page

    async def come_back(self, **fields: str) -> httpx2.Response:
        """Load the callback; the state is the right one where it is not given."""
        query = httpx2.QueryParams({'state': self.query['state'], **fields})
        return await self.get(f'/auth/callback?{query}')


User = Callable[[Tab], Awaitable[object]]


async def log_in(service: LoginService, user: User, **options: Any) -> Credentials:
    """Log in as a user does whose browser is on this machine; errors come out as they are."""
    tab = Tab()
    outcome: list[Credentials | CodexError] = []

    async def act() -> None:
        await tab.opened.wait()
        await user(tab)

    options = {'ports': (0,), 'endpoints': ENDPOINTS, 'http': service.http, **options}
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(act)
            try:
                outcome.append(await browser_login(show=tab.show, **options))
            except CodexError as error:
                outcome.append(error)
    (result,) = outcome
    if isinstance(result, CodexError):
        raise result
    return result


class Clock:
    """A clock whose waits are over at once; what it was asked for is kept."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return sum(self.waits)

    def random(self) -> float:
        return 0.5

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await anyio.lowlevel.checkpoint()


class PatientClock(Clock):
    """One on which the user never runs out of time."""

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep_forever()
