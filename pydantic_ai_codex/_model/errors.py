"""Our errors to pydantic-ai's; the one place that decides which is which."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic_ai import exceptions
from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError, ModelTimeoutError, UserError

from ..errors import (
    AccountChangedError,
    BackendError,
    CodexError,
    ConfigurationError,
    CredentialsError,
    CredentialsFileError,
    CredentialsNotFoundError,
    CredentialsRefreshError,
    CredentialsSaveError,
    FailureCategory,
    IncompleteStreamError,
    StreamError,
    TransportError,
    TransportTimeoutError,
)

_E = TypeVar('_E', bound=Exception)

_CATEGORIES: dict[FailureCategory, str] = {
    'authentication': 'ModelAuthenticationError',
    'context_window': 'ModelContextWindowExceededError',
    'not_found': 'ModelNotFoundError',
    'overloaded': 'ModelOverloadedError',
    'quota': 'ModelQuotaExceededError',
    'rate_limit': 'ModelRateLimitError',
    'rejected': 'ModelRequestRejectedError',
    'server': 'ModelServerError',
    'unavailable': 'ModelUnavailableError',
}
"""By name: pydantic-ai 2.60 does not have them all."""


class CodexUserError(UserError, ConfigurationError):
    """An argument or setting that cannot work: both pydantic-ai's `UserError` and our `ConfigurationError`."""


class CodexLoginError(UserError, CredentialsError):
    """No usable login: both pydantic-ai's `UserError` and our `CredentialsError`.

    It is no `ModelAPIError`, so `FallbackModel` does not go on to a model that costs money: a login that is missing
    is mended by its user.
    """


class CodexLoginNotFoundError(CodexLoginError, CredentialsNotFoundError):
    """There is no login; also our `CredentialsNotFoundError`."""


class CodexLoginFileError(CodexLoginError, CredentialsFileError):
    """The login file is no good; also our `CredentialsFileError`."""


class CodexLoginRefreshError(CodexLoginError, CredentialsRefreshError):
    """The login will not be refreshed any more; also our `CredentialsRefreshError`."""


class CodexLoginSaveError(CodexLoginError, CredentialsSaveError):
    """New tokens could not be kept; also our `CredentialsSaveError`."""


class CodexAccountChangedError(CodexLoginError, AccountChangedError):
    """The login is another account's now; also our `AccountChangedError`."""


class CodexLoginServiceError(ModelAPIError, CredentialsRefreshError):
    """The login service is down, and the access token too old: both a `ModelAPIError` and `CredentialsRefreshError`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.model_name, self.message), vars(self)


_LOGIN_ERRORS: dict[type[CredentialsError], type[CodexLoginError]] = {
    CredentialsNotFoundError: CodexLoginNotFoundError,
    CredentialsFileError: CodexLoginFileError,
    CredentialsRefreshError: CodexLoginRefreshError,
    CredentialsSaveError: CodexLoginSaveError,
    AccountChangedError: CodexAccountChangedError,
}


@contextmanager
def mapped_errors(model_name: str, watch: Callable[[CodexError], object] | None = None) -> Generator[None]:
    """Raise pydantic-ai's errors in place of ours.

    Args:
        model_name: The model's name, for the errors' text.
        watch: Is told of ours before that.
    """
    try:
        yield
    except CodexError as error:
        if watch is not None:
            watch(error)
        mapped = model_error(error, model_name)
        if mapped is error:
            raise
        raise mapped from error


def model_error(error: CodexError, model_name: str) -> Exception:
    """pydantic-ai's error for one of ours.

    Args:
        error: The error.
        model_name: The model's name, for the error's text.
    """
    match error:
        case BackendError():
            return _backend_error(error, model_name)
        case TransportTimeoutError():
            return ModelTimeoutError(model_name, error.message, phase=error.phase, in_stream=error.in_stream)
        case TransportError():
            return ModelConnectionError(model_name, error.message, phase=error.phase, in_stream=error.in_stream)
        case IncompleteStreamError():
            return ModelConnectionError(model_name, error.message, phase='read', in_stream=error.in_stream)
        case ConfigurationError():
            return CodexUserError(error.message)
        case CredentialsRefreshError(is_permanent=False, is_interrupted=False):
            # Another model may well be of use meanwhile.
            return _with_fields(CodexLoginServiceError(model_name, error.message), error)
        case CredentialsError():
            return _login_error(error)
        case StreamError():
            return ModelAPIError(model_name, error.message, in_stream=error.in_stream)
        case _:
            # Not about the backend, such as a simulator whose script is used up: a fallback must not hide it.
            return error


def _login_error(error: CredentialsError) -> CodexLoginError:
    kind = next((_LOGIN_ERRORS[base] for base in type(error).__mro__ if base in _LOGIN_ERRORS), CodexLoginError)
    return _with_fields(kind(error.message), error)


def _with_fields(mapped: _E, error: CredentialsError) -> _E:
    vars(mapped).update(vars(error))
    return mapped


def _backend_error(error: BackendError, model_name: str) -> ModelAPIError:
    details: dict[str, Any] = {
        'body': error.body,
        'provider_error_code': error.code,
        'provider_error_type': error.error_type,
        'retry_after': error.retry_after,
        'in_stream': error.in_stream,
    }
    if error.status_code is None:
        return ModelAPIError(model_name, str(error), **details)
    category = getattr(exceptions, _CATEGORIES[error.category], None) if error.category else None
    return ModelHTTPError.for_category(
        category,
        status_code=error.status_code,
        model_name=model_name,
        headers=error.headers,
        # The place of pydantic-ai's text for what stands in neither status nor body.
        hint=error.footnote,
        **details,
    )
