"""Every error that this package raises by itself.

```
CodexError
├── ConfigurationError (ValueError)     an argument or setting cannot work; nothing was sent
│   └── ModelNameError                  the model name cannot be read
├── CredentialsError                    there is no usable login
│   ├── CredentialsNotFoundError        nothing to read where we looked
│   ├── CredentialsFileError            a file is there, and unreadable, torn, of another shape or not to be written
│   ├── CredentialsRefreshError         the login service gave no new tokens
│   ├── CredentialsSaveError            new tokens could not be kept
│   └── AccountChangedError             the login is another account's now
├── LoginError                          logging in ended without a login
├── BackendError                        the backend answered with an error (a status, or an event in the stream)
│   └── ModelNotServedError             ... that this login is not served the model
├── TransportError                      the request or its answer did not get through
│   └── TransportTimeoutError           ... in time
└── StreamError                         the answer is not the stream it should be
    ├── MalformedStreamError            not an event stream, or an event beyond every bound
    └── IncompleteStreamError           it ended without a terminal event
```

`CodexModel` raises pydantic-ai's own classes where these have an equivalent (`ModelHTTPError`, `ModelConnectionError`,
`UserError` and so on), with the error from here as `__cause__`; see `pydantic_ai_codex._model.errors`.

All of them pickle. None of our own words holds a token, and where the backend echoes the login, it is masked in every
field, so in the text and the `repr` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from ._protocol.rate_limit_types import RateLimits

__all__ = (
    'AccountChangedError',
    'BackendError',
    'CodexError',
    'ConfigurationError',
    'CredentialsError',
    'CredentialsFileError',
    'CredentialsNotFoundError',
    'CredentialsRefreshError',
    'CredentialsSaveError',
    'FailureCategory',
    'IncompleteStreamError',
    'LoginError',
    'LoginFailure',
    'MalformedStreamError',
    'ModelNameError',
    'ModelNotServedError',
    'StreamError',
    'TransportError',
    'TransportPhase',
    'TransportTimeoutError',
)

FailureCategory: TypeAlias = Literal[
    'authentication',
    'context_window',
    'not_found',
    'overloaded',
    'quota',
    'rate_limit',
    'rejected',
    'server',
    'unavailable',
]
"""What a `BackendError` is about, read from its code and status by `pydantic_ai_codex._protocol.failures`."""

LoginFailure: TypeAlias = Literal[
    'cancelled', 'denied', 'disabled', 'expired', 'network', 'port', 'refused', 'state', 'workspace'
]
"""Why a `LoginError`: the user stopped it; the user or the service said no; the account has this kind of login switched
off; it took too long; the service was not reached; no port for the callback; the service's answer is not what it should
be; the callback belongs to another login; the login is for another workspace."""

TransportPhase: TypeAlias = Literal['pool', 'connect', 'write', 'read']
"""The stage at which a request failed to get through; the same words as pydantic-ai's `ModelConnectionError.phase`."""


class CodexError(Exception):
    """The base of every error of this package."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take keyword-only fields, which the default `cls(*args)` would lose.
        return _rebuild, (type(self), self.message), self.__dict__


def _rebuild(cls: type[CodexError], message: str) -> CodexError:
    error = cls.__new__(cls, message)
    Exception.__init__(error, message)
    return error


class ConfigurationError(CodexError, ValueError):
    """An argument, setting or environment variable that cannot work; the message says what to do instead."""


class ModelNameError(ConfigurationError):
    """A model name that cannot be read: empty, or with an unknown word behind a colon."""


class CredentialsError(CodexError):
    """There is no usable login; the message names where it was looked for and what to run."""


class CredentialsNotFoundError(CredentialsError):
    """There is nothing to read at the place where the login should be."""

    path: Path | None = None
    """The file that does not exist, or `None` where the source is not a file."""

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class CredentialsFileError(CredentialsError):
    """The login file is there, but it cannot be read or written, is not whole, or has a shape that is not known."""

    path: Path
    """The file."""

    is_torn: bool
    """Whether it is empty or breaks off, as while another program writes it."""

    def __init__(self, message: str, *, path: Path, is_torn: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.is_torn = is_torn


class CredentialsRefreshError(CredentialsError):
    """The login service gave no new tokens.

    Attributes:
        code: The service's code, for example `refresh_token_reused`, or `None` where it gave none.
        status_code: The HTTP status, or `None` where no answer came.
        is_permanent: Whether this refresh token will never work again, so that only logging in anew helps.
        is_interrupted: Whether it was not asked at all, because an earlier refresh with the same token was cut off
            before its answer was kept: the token may be spent.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status_code: int | None = None,
        is_permanent: bool = False,
        is_interrupted: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status_code = status_code
        self.is_permanent = is_permanent
        self.is_interrupted = is_interrupted


class CredentialsSaveError(CredentialsError):
    """New tokens could not be kept where the old ones are; the process goes on with them in memory.

    Attributes:
        path: The file, or `None` where the store is none.
    """

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class AccountChangedError(CredentialsError):
    """The place of the login holds another account than before: nothing goes on silently under another account."""


class LoginError(CodexError):
    """Logging in ended without a login; what was there before is unchanged.

    Attributes:
        reason: Why.
    """

    def __init__(self, message: str, *, reason: LoginFailure) -> None:
        super().__init__(message)
        self.reason: LoginFailure = reason


class BackendError(CodexError):
    """The backend answered with an error: an HTTP status, or an error event inside the stream.

    Attributes:
        status_code: The HTTP status; for an error inside a stream, the one the same error has before a stream, or
            `None` where that is not known.
        category: What it is about, or `None` where neither code nor status say.
        code: The backend's `error.code`, for example `context_length_exceeded`.
        error_type: The backend's `error.type`, for example `usage_limit_reached`.
        body: The decoded body or event, or its text where it was not JSON.
        headers: The response headers with lower-case names.
        retry_after: Seconds to wait, where the backend said so.
        resets_at: When the limit that is used up begins anew, in UTC, where the backend said so.
        rate_limits: The limits of the plan, where the answer told of them.
        request_id: The `x-request-id` of the response, which the support of the backend asks for; part of the text.
        in_stream: Whether it came inside a stream that had begun well.
        hint: What to do about it, where that is known; part of the error's text.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        category: FailureCategory | None = None,
        code: str | None = None,
        error_type: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        resets_at: datetime | None = None,
        rate_limits: RateLimits | None = None,
        request_id: str | None = None,
        in_stream: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.category: FailureCategory | None = category
        self.code = code
        self.error_type = error_type
        self.body = body
        self.headers = dict(headers or {})
        self.retry_after = retry_after
        self.resets_at = resets_at
        self.rate_limits = rate_limits
        self.request_id = request_id
        self.in_stream = in_stream
        self.hint = hint

    def __str__(self) -> str:
        return f'{self.message.rstrip(".")}. {self.footnote}' if self.footnote else self.message

    @property
    def footnote(self) -> str | None:
        """What the text says behind the message: the hint, and the id of the request."""
        request = f'For support: request id {self.request_id}.' if self.request_id else None
        return ' '.join(filter(None, (self.hint, request))) or None


class ModelNotServedError(BackendError):
    """The backend does not serve the model to this login: it is retired, unknown, or not part of the plan.

    Attributes:
        model: The model that was asked for.
        successor: The model to use instead, where one is known; nothing goes on with it by itself.
        listed: The models that the catalog offers, by priority.
        status_code: The HTTP status, or `None` where it was refused here and nothing was sent.
    """

    def __init__(
        self,
        message: str,
        *,
        model: str,
        successor: str | None = None,
        listed: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, category='not_found', hint=hint)
        self.model = model
        self.successor = successor
        self.listed = listed


class TransportError(CodexError):
    """The request did not reach the backend, or its answer could not be read.

    Attributes:
        phase: The stage at which it failed, or `None` where that is not known.
        in_stream: Whether a stream had begun well by then.
    """

    def __init__(self, message: str, *, phase: TransportPhase | None = None, in_stream: bool = False) -> None:
        super().__init__(message)
        self.phase: TransportPhase | None = phase
        self.in_stream = in_stream


class TransportTimeoutError(TransportError):
    """The backend did not answer, or went silent, for longer than the timeout allows."""


class StreamError(CodexError):
    """The answer is not the stream of events that it should be.

    Attributes:
        in_stream: Whether a stream had begun well by then.
    """

    def __init__(self, message: str, *, in_stream: bool = True) -> None:
        super().__init__(message)
        self.in_stream = in_stream


class MalformedStreamError(StreamError):
    """What came back is no event stream, or it holds an event beyond every bound."""


class IncompleteStreamError(StreamError):
    """The stream ended without `response.completed`, `response.incomplete` or `response.failed`.

    What had arrived by then is half an answer, so it is never returned as one.
    """
