"""Error bodies and error events to `BackendError`; what each code means is data, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import from_json, to_json

from ..errors import BackendError, FailureCategory
from .constants import REQUEST_ID_HEADERS
from .quota import limits_of_error, quota_hint, reset_of
from .values import text_or_none
from .waits import Said, find_wait

if TYPE_CHECKING:
    from .rate_limit_types import RateLimits

MODEL_CODES: Final = ('model_not_found', 'model_not_supported', 'unsupported_model')
"""Codes that refuse the model: the first is the API's (public reports), the others are what its relays say."""

_CODES: Final[dict[str, tuple[FailureCategory, int]]] = {
    # Codes of `response.failed` (captured), and the status that the same error has before a stream.
    'context_length_exceeded': ('context_window', 400),
    'insufficient_quota': ('quota', 429),
    'usage_not_included': ('quota', 429),
    'usage_limit_reached': ('quota', 429),
    'rate_limit_exceeded': ('rate_limit', 429),
    'server_is_overloaded': ('overloaded', 503),
    'slow_down': ('overloaded', 503),
    'server_error': ('server', 500),
    'invalid_prompt': ('rejected', 400),
    'cyber_policy': ('rejected', 400),
    'bio_policy': ('rejected', 400),
    # From public reports.
    'invalid_encrypted_content': ('rejected', 400),
    **dict.fromkeys(MODEL_CODES, ('not_found', 404)),
    'invalid_api_key': ('authentication', 401),
    'token_expired': ('authentication', 401),
    'token_revoked': ('authentication', 401),
}

_STATUSES: Final[dict[int, FailureCategory]] = {
    401: 'authentication',
    402: 'quota',
    403: 'authentication',
    404: 'not_found',
    429: 'rate_limit',
    503: 'unavailable',
}

_EXCERPT: Final = 500


def error_from_response(
    status_code: int, headers: Mapping[str, str], content: bytes, *, now: datetime | None = None
) -> BackendError:
    """The error that an HTTP answer with an error status stands for.

    Args:
        status_code: The status.
        headers: The headers, with lower-case names.
        content: The body, or its beginning.
        now: The wall clock, for what is told as a point in time; by default the `date` of the answer.
    """
    body = _decode(content)
    details = _details(body)
    message = _message(details, body)
    return _error(
        f'The backend answered {status_code}' + (f': {message}' if message else ' without a message.'),
        status_code,
        Said(details, message, now),
        code=text_or_none(details.get('code')),
        error_type=text_or_none(details.get('type')),
        body=body,
        headers=headers,
    )


def error_from_event(
    event: dict[str, Any],
    headers: Mapping[str, str] | None = None,
    *,
    now: datetime | None = None,
    limits: RateLimits | None = None,
) -> BackendError:
    """The error that an event `response.failed` or `error` stands for.

    Args:
        event: The event.
        headers: The headers of the stream, with lower-case names.
        now: The wall clock, for what is told as a point in time; by default the `date` of the stream.
        limits: The limits of the plan that an earlier event of the stream told.
    """
    response = event.get('response')
    details = _details(cast('dict[str, Any]', response) if isinstance(response, dict) else event)
    code = text_or_none(details.get('code'))
    # Where the event itself holds the details, its type is the event's own.
    error_type = None if details is event else text_or_none(details.get('type'))
    status = next(filter(_is_error_status, (event.get('status'), event.get('status_code'))), None)
    if status is None and (known := _known(code, error_type)):
        status = _CODES[known][1]
    message = _message(details, None)
    return _error(
        f'The backend failed in the stream ({code or error_type or "no code"})' + (f': {message}' if message else '.'),
        status,
        Said(details, message, now),
        code=code,
        error_type=error_type,
        body=event,
        headers=headers or {},
        in_stream=True,
        limits=limits,
    )


def _error(
    message: str,
    status: int | None,
    said: Said,
    *,
    code: str | None,
    error_type: str | None,
    body: object,
    headers: Mapping[str, str],
    in_stream: bool = False,
    limits: RateLimits | None = None,
) -> BackendError:
    """The error, with what follows from the rest: its category, when to try again, what to do, and the request's id."""
    known, category = _known(code, error_type), _category(code, error_type, status)
    told = limits_of_error(said, headers, limits, is_reached=known == 'usage_limit_reached')
    wait = find_wait(
        said, headers, window_resets_at=reset_of(told) if category == 'quota' else None, in_stream=in_stream
    )
    return BackendError(
        message,
        status_code=status,
        category=category,
        code=code,
        error_type=error_type,
        body=body,
        headers={name: value for name, value in headers.items() if name != 'set-cookie'},
        retry_after=wait.seconds,
        resets_at=wait.until,
        rate_limits=told,
        request_id=next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), None),
        in_stream=in_stream,
        hint=quota_hint(known, wait, told) if category == 'quota' else None,
    )


def _known(*codes: str | None) -> str | None:
    """The first code that the table holds; one about the plan goes first, as asking again would not help."""
    known = [code for code in codes if code in _CODES]
    return next((code for code in known if _CODES[code][0] == 'quota'), known[0] if known else None)


def _is_error_status(value: object) -> bool:
    return isinstance(value, int) and 400 <= value <= 599


def _category(code: str | None, error_type: str | None, status: int | None) -> FailureCategory | None:
    if known := _known(code, error_type):
        return _CODES[known][0]
    if status is None:
        return None
    if status >= 500:
        return _STATUSES.get(status, 'server')
    return _STATUSES.get(status, 'rejected') if status >= 400 else None


def _decode(content: bytes) -> object:
    try:
        return from_json(content)
    except ValueError:
        return content.decode('utf-8', 'replace')


def _details(body: object) -> dict[str, Any]:
    """The innermost object that describes the error: `{"error": {...}}`, `{"detail": {...}}` or the body itself."""
    if not isinstance(body, dict):
        return {}
    body = cast('dict[str, Any]', body)
    for key in ('error', 'detail'):
        if isinstance(body.get(key), dict):
            return body[key]
    return body


def _message(details: dict[str, Any], body: object) -> str:
    text = next(
        filter(None, (text_or_none(details.get(key)) for key in ('message', 'detail', 'error', 'error_description'))),
        None,
    )
    if text is None and isinstance(body, str):
        text = body.strip()
    elif text is None and isinstance(details.get('detail'), list):
        # A list of validation errors.
        text = to_json(details['detail']).decode()
    text = text or ''
    return text if len(text) <= _EXCERPT else f'{text[:_EXCERPT]}… ({len(text)} characters)'
