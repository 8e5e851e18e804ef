"""The pages about an account, with answers that a test decides, and a clock that moves when it is told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import httpx2

from pydantic_ai_codex._account.lookup import Lookups
from pydantic_ai_codex._account.models import Models
from pydantic_ai_codex._account.routing import Routing
from pydantic_ai_codex._instructions.folder import CacheDir
from pydantic_ai_codex._protocol.constants import CHATGPT_BASE_URL
from pydantic_ai_codex._transport.http import HTTPClient, HTTPClients
from pydantic_ai_codex.auth import Credentials

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BASE_URL = CHATGPT_BASE_URL
ACCOUNT = 'acct-1111-2222'
LOGIN = Credentials('at-secret-0123456789abcdef', refresh_token='rt-secret-0123456789', account_id=ACCOUNT)

Answer = Callable[[httpx2.Request], httpx2.Response | Awaitable[httpx2.Response]]


def entry(slug: str, **fields: Any) -> dict[str, Any]:
    return {'slug': slug, 'visibility': 'list', 'priority': 1, **fields}


def models(*slugs: str, etag: str | None = '"etag-1"', **headers: str) -> Answer:
    """A list of models; 304 for whoever has it."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        named = headers if etag is None else {'etag': etag, **headers}
        if etag is not None and request.headers.get('if-none-match') == etag:
            return httpx2.Response(304, headers=named)
        return httpx2.Response(200, json={'models': [entry(slug) for slug in slugs]}, headers=named)

    return answer


def accounts(override: object, *, account: str = ACCOUNT, **fields: Any) -> Answer:
    """The accounts of a login, as captured."""
    each = {
        'id': account,
        'plan_type': 'plus',
        'workspace_backend_origin': 'https://elsewhere.example',
        'account_routing_override': override,
        **fields,
    }
    return status(200, {'accounts': [each], 'account_ordering': [account], 'default_account_id': account})


def status(code: int, body: object = None, **headers: str) -> Answer:
    def answer(_: httpx2.Request) -> httpx2.Response:
        if isinstance(body, bytes):
            return httpx2.Response(code, content=body, headers=headers)
        return httpx2.Response(code, json=body, headers=headers)

    return answer


async def hang(_: httpx2.Request) -> httpx2.Response:
    await anyio.sleep_forever()
    raise AssertionError('somebody has woken it up')


def refuse_connection(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError('connection refused', request=request)


class Time:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.put_back = timedelta(0)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed) - self.put_back

    def monotonic(self) -> float:
        return 1000 + self.passed

    def random(self) -> float:
        return 0.5

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


class Backend:
    """Answers, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self.models: Answer = models('gpt-a')
        self.accounts: Answer = accounts('NO_CONSTRAINT')
        self.usage: Answer = status(404, {'detail': 'Not Found'})

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        await anyio.lowlevel.checkpoint()  # As over a network, others have their turn meanwhile.
        path = request.url.path
        page = self.models if path.endswith('/models') else self.accounts if path.endswith('/check') else self.usage
        answer = page(request)
        return answer if isinstance(answer, httpx2.Response) else await answer

    def client(self, **arguments: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer), **arguments)


class Program:
    """One program that uses the backend."""

    def __init__(
        self,
        backend: Backend,
        time: Time,
        *,
        cache_dir: CacheDir = False,
        http_client: HTTPClient | None = None,
        originator: str = 'tests',
    ) -> None:
        clients = HTTPClients(http_client or backend.client)
        self.lookups = Lookups(clients.borrow, originator=originator, clock=time)
        self.models = Models(self.lookups, cache_dir=cache_dir, clock=time)
        self.routing = Routing(self.lookups, clock=time)

    async def slugs(self, credentials: Credentials = LOGIN, **arguments: Any) -> list[str]:
        catalog = await self.models.get(credentials, BASE_URL, **arguments)
        return [info.slug for info in catalog.models]
