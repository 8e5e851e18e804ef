"""The errors themselves: what they hold has to survive a process pool or a queue."""

from __future__ import annotations

import copy
import inspect
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pydantic_ai_codex import errors
from pydantic_ai_codex._protocol.rate_limit_types import Credits, RateLimits, RateLimitWindow
from pydantic_ai_codex.errors import (
    AccountChangedError,
    BackendError,
    CodexError,
    ConfigurationError,
    CredentialsError,
    CredentialsFileError,
    CredentialsNotFoundError,
    CredentialsRefreshError,
    CredentialsSaveError,
    IncompleteStreamError,
    LoginError,
    MalformedStreamError,
    ModelNameError,
    ModelNotServedError,
    StreamError,
    TransportError,
    TransportTimeoutError,
)
from pydantic_ai_codex.testing import SimulatorError

OBSERVED = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def backend_error() -> BackendError:
    error = BackendError(
        'The backend answered 429: slow down',
        status_code=429,
        category='rate_limit',
        code='rate_limit_exceeded',
        error_type='tokens',
        body={'error': {'code': 'rate_limit_exceeded'}},
        headers={'retry-after': '5'},
        retry_after=5.0,
        resets_at=datetime(2026, 11, 21, 14, 30, tzinfo=UTC),
        rate_limits=RateLimits(
            primary=RateLimitWindow(100.0, 300, datetime(2026, 11, 21, 14, 30, tzinfo=UTC)),
            credits=Credits(True, False, '12.5'),
            others=(RateLimits(limit_id='code_review', observed_at=OBSERVED, source='headers'),),
            observed_at=OBSERVED,
            source='headers',
        ),
        request_id='req_1',
        in_stream=True,
    )
    error.hint = 'Wait a little.'
    return error


ERRORS: list[CodexError] = [
    CodexError('text'),
    ConfigurationError('text'),
    ModelNameError('text'),
    CredentialsError('text'),
    CredentialsNotFoundError('text'),
    CredentialsNotFoundError('text', path=Path('/somewhere/auth.json')),
    CredentialsFileError('text', path=Path('/somewhere/auth.json')),
    CredentialsRefreshError('text', code='refresh_token_reused', status_code=401, is_permanent=True),
    CredentialsRefreshError('text', is_interrupted=True),
    CredentialsSaveError('text', path=Path('/somewhere/auth.json')),
    AccountChangedError('text'),
    LoginError('text', reason='denied'),
    BackendError('text'),
    backend_error(),
    ModelNotServedError('text', model='gpt-5.1', successor='gpt-5.5', listed=('gpt-5.5',), hint='Use another.'),
    TransportError('text'),
    TransportError('text', phase='connect'),
    TransportError('text', phase='read', in_stream=True),
    TransportTimeoutError('text', phase='read'),
    StreamError('text'),
    MalformedStreamError('text'),
    MalformedStreamError('text', in_stream=False),
    IncompleteStreamError('text'),
    SimulatorError('text'),
]


def test_table_holds_every_error() -> None:
    classes = {each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, CodexError)}

    assert {type(error) for error in ERRORS} == classes | {SimulatorError}


@pytest.mark.parametrize('error', ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(error: CodexError, protocol: int) -> None:
    copied = pickle.loads(pickle.dumps(error, protocol))

    assert type(copied) is type(error)
    assert (str(copied), repr(copied), copied.args, vars(copied)) == (str(error), repr(error), error.args, vars(error))


@pytest.mark.parametrize('error', ERRORS, ids=lambda error: type(error).__name__)
def test_copy(error: CodexError) -> None:
    error.add_note('seen')

    assert vars(copy.copy(error)) == vars(error)


def test_hint_and_request_are_part_of_the_text_and_not_of_the_message() -> None:
    error = backend_error()

    assert str(error) == 'The backend answered 429: slow down. Wait a little. For support: request id req_1.'
    assert error.message == 'The backend answered 429: slow down'


def test_text_without_a_hint() -> None:
    assert str(BackendError('Oh no.', request_id='req_1')) == 'Oh no. For support: request id req_1.'
    assert str(BackendError('Oh no.')) == 'Oh no.'


def test_configuration_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r'^text$'):
        raise ModelNameError('text')
