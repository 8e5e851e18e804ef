"""What the simulator was asked: one `RecordedRequest` each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, cast

from ..errors import CodexError

GitHubHost: TypeAlias = Literal['api', 'page', 'raw']
"""api.github.com, github.com and raw.githubusercontent.com."""


class SimulatorError(CodexError, AssertionError):
    """The script and the requests do not fit together: a test failure, not an answer of the backend."""


_SECRET_FIELDS: Final = frozenset(
    {
        'access_token',
        'authorization_code',
        'code',
        'code_verifier',
        'device_auth_id',
        'id_token',
        'refresh_token',
        'state',
        'subject_token',
        'token',
    }
)

_SECRET_HEADERS: Final = frozenset({'authorization', 'cookie', 'proxy-authorization'})

SimulatorError.__module__ = 'pydantic_ai_codex.testing'  # The public name, for tracebacks.


class RecordedHeaders(dict[str, str]):
    """Header values by lower-case name; the `repr` hides the authorization, as a test may use a real login."""

    def __repr__(self) -> str:
        return repr({name: '<hidden>' if name in _SECRET_HEADERS else value for name, value in self.items()})


class RecordedFields(dict[str, Any]):
    """The fields of a request to the login service; the `repr` hides the secrets among them."""

    def __repr__(self) -> str:
        return repr({name: '<hidden>' if name in _SECRET_FIELDS else value for name, value in self.items()})


@dataclass(repr=False)
class RecordedRequest:
    """A request as the simulator received it, and what became of it.

    Attributes:
        number: 1 for the first request of a simulator.
        method: The HTTP method.
        path: The path of the URL.
        headers: Header values by lower-case name.
        body: The decoded JSON object, or `{}` where the body was none.
        content: The bytes of the body, decompressed.
        status: The status that was answered; `None` before, and where no answer was given.
        closed: Whether the answer was finished, cut or abandoned by the client.
        frames_sent: How many frames of the stream were handed over.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    status: int | None = None
    closed: bool = False
    frames_sent: int = 0
    content: bytes = b''

    @property
    def outputs(self) -> list[Any]:
        """What the tools returned, in the order of the conversation: a text, or a list of parts with files."""
        return [item['output'] for item in self.input_items if 'output' in item]

    @property
    def input_items(self) -> list[dict[str, Any]]:
        """The items of the input, as far as there are any."""
        items: Any = self.body.get('input')
        found = cast('list[Any]', items) if isinstance(items, list) else []
        return [item for item in found if isinstance(item, dict)]

    def __repr__(self) -> str:
        return (
            f'<RecordedRequest {self.number}: {self.method} {self.path} -> {self.status}, '
            f'{self.frames_sent} frames sent, {"closed" if self.closed else "open"}>'
        )


@dataclass(repr=False)
class GitHubRequest(RecordedRequest):
    """A request to the simulated GitHub.

    Attributes:
        host: Which of its hosts was asked.
    """

    host: GitHubHost = 'api'

    def __repr__(self) -> str:
        return f'<GitHubRequest {self.number}: {self.method} {self.path} ({self.host}) -> {self.status}>'


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerEvent:
    """Something that happened to a login at the login service.

    Attributes:
        at: When.
        login: The number of the login, 1 for the first that the service knows. It stays the same over refreshes.
        account_id: The account of the login.
        headers: Of the request; header values by lower-case name.
        reason: The `refresh_reason` of a refresh.
    """

    at: datetime
    login: int
    account_id: str
    headers: Mapping[str, str]
    reason: str | None = None
