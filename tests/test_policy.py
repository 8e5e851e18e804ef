"""Reaches inside: one table decides what becomes of each failure. Every error here is one that the parsing made."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx2
import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._policy import (
    RULES,
    Action,
    Retry,
    Rule,
    TransportPolicy,
    retry_delay,
    rule_for,
    rule_for_incomplete,
)
from pydantic_ai_codex._protocol import failures
from pydantic_ai_codex._protocol.decoder import ResponseDecoder
from pydantic_ai_codex._protocol.failures import error_from_event, error_from_response
from pydantic_ai_codex._transport.errors import library_error
from pydantic_ai_codex.errors import (
    CodexError,
    ConfigurationError,
    CredentialsNotFoundError,
    MalformedStreamError,
)

Failure: TypeAlias = Callable[[], CodexError]


def status(number: int, code: str | None = None, **details: object) -> Failure:
    body = json.dumps({'error': {'code': code, **details}} if code or details else {'detail': 'No.'}).encode()
    return lambda: error_from_response(number, {}, body)


def page(number: int) -> Failure:
    return lambda: error_from_response(number, {'content-type': 'text/html'}, b'<html>Sorry</html>')


def failed(code: str | None = None, **details: object) -> Failure:
    return lambda: error_from_event({'type': 'response.failed', 'response': {'error': {'code': code, **details}}})


def event(**fields: object) -> Failure:
    return lambda: error_from_event({'type': 'error', **fields})


def http(kind: type[Exception], *, in_stream: bool = False) -> Failure:
    def fail() -> CodexError:
        error = library_error(kind('broken'), in_stream=in_stream)
        if error is None:
            raise TypeError(kind)
        return error

    return fail


def ended() -> CodexError:
    with pytest.raises(CodexError) as caught:
        ResponseDecoder({}).close()
    return caught.value


STATUSES: list[tuple[str, Action, Failure]] = [
    ('invalid_encrypted_content', 'without_reasoning', status(400, 'invalid_encrypted_content')),
    ('invalid_encrypted_content', 'without_reasoning', status(404, 'invalid_encrypted_content')),
    ('invalid_encrypted_content', 'without_reasoning', status(400, type='invalid_encrypted_content')),
    ('a plan limit', 'fail', status(429, type='usage_limit_reached', resets_in_seconds=1)),
    ('a plan limit', 'fail', status(429, type='usage_not_included')),
    ('a plan limit', 'fail', status(429, 'insufficient_quota')),
    ('a plan limit', 'fail', status(500, 'insufficient_quota')),
    ('a plan limit', 'fail', status(404, 'new', type='usage_limit_reached')),
    ('401', 'new_login', status(401)),
    ('401', 'new_login', page(401)),
    ('401', 'new_login', status(401, 'token_expired')),
    ('401', 'new_login', status(401, 'invalid_api_key')),
    ('a code that is final', 'fail', status(403, 'invalid_api_key')),
    ('a code that is final', 'fail', status(404, 'model_not_found')),
    ('a code that is final', 'fail', status(400, 'model_not_supported')),
    ('a code that is final', 'fail', status(404, 'model_not_supported')),
    ('a code that is final', 'fail', status(404, 'unsupported_model')),
    ('a code that is final', 'fail', status(500, 'context_length_exceeded')),
    ('a code that is final', 'fail', status(500, 'invalid_prompt')),
    ('a code that is final', 'fail', status(400, 'cyber_policy')),
    ('a code that is final', 'fail', status(403, 'bio_policy')),
    ('503 server_is_overloaded', 'retry', status(503, 'server_is_overloaded')),
    ('5xx', 'retry', status(503)),
    ('5xx', 'retry', status(503, 'slow_down')),
    ('5xx', 'retry', status(529, 'server_is_overloaded')),
    ('5xx', 'retry', status(500, 'server_error')),
    ('5xx', 'retry', status(500, 'never_heard_of')),
    ('5xx', 'retry', page(502)),
    ('5xx', 'retry', status(599)),
    ('429', 'retry', status(429)),
    ('429', 'retry', status(429, 'rate_limit_exceeded')),
    ('a plan limit', 'fail', status(429, 'rate_limit_exceeded', type='usage_limit_reached')),
    ('403', 'retry', status(403)),
    ('403', 'retry', page(403)),
    ('403', 'retry', status(403, 'never_heard_of')),
    ('404', 'retry', status(404)),
    ('404', 'retry', page(404)),
    ('408', 'retry', status(408)),
    ('4xx with a code that passes', 'retry', status(400, 'server_error')),
    ('4xx with a code that passes', 'retry', status(400, 'rate_limit_exceeded')),
    ('4xx with a code that passes', 'retry', status(409, 'slow_down')),
    ('4xx with a code that passes', 'retry', status(400, 'server_is_overloaded')),
    ('3xx', 'fail', status(302)),
    ('3xx', 'fail', page(307)),
    ('400 and any other status', 'fail', status(400)),
    ('400 and any other status', 'fail', page(400)),
    ('400 and any other status', 'fail', status(402)),
    ('400 and any other status', 'fail', status(405)),
    ('400 and any other status', 'fail', status(422, 'never_heard_of')),
    ('400 and any other status', 'fail', status(204)),
]

STREAMS: list[tuple[str, Action, Failure]] = [
    ('invalid_encrypted_content in the stream', 'without_reasoning', failed('invalid_encrypted_content')),
    ('invalid_encrypted_content in the stream', 'without_reasoning', event(code='invalid_encrypted_content')),
    ('a plan limit in the stream', 'fail', failed('usage_limit_reached')),
    ('a plan limit in the stream', 'fail', failed('usage_not_included')),
    ('a plan limit in the stream', 'fail', failed('insufficient_quota')),
    ('a plan limit in the stream', 'fail', event(status=429, error={'type': 'usage_limit_reached'})),
    ('401 in the stream', 'new_login', failed('token_expired')),
    ('401 in the stream', 'new_login', failed('token_revoked')),
    ('401 in the stream', 'new_login', event(status=401, error={'message': 'No.'})),
    ('a code that is final in the stream', 'fail', failed('context_length_exceeded')),
    ('a code that is final in the stream', 'fail', failed('invalid_prompt')),
    ('a code that is final in the stream', 'fail', failed('cyber_policy')),
    ('a code that is final in the stream', 'fail', failed('bio_policy')),
    ('a code that is final in the stream', 'fail', failed('model_not_found')),
    ('a code that is final in the stream', 'fail', failed('model_not_supported')),
    ('a code that is final in the stream', 'fail', failed('unsupported_model')),
    ('a code that is final in the stream', 'fail', failed(type='model_not_supported')),
    ('server_is_overloaded in the stream', 'fail', failed('server_is_overloaded')),
    ('rate_limit_exceeded in the stream', 'retry', failed('rate_limit_exceeded')),
    ('slow_down in the stream', 'retry', failed('slow_down')),
    ('server_error in the stream', 'retry', failed('server_error')),
    ('a 4xx in the stream', 'fail', event(status=400, error={'message': 'No.'})),
    ('a 4xx in the stream', 'fail', event(status=402, error={'code': 'never_heard_of'})),
    ('another error in the stream', 'retry', failed('vector_store_timeout')),
    ('another error in the stream', 'retry', failed()),
    ('another error in the stream', 'retry', event(message='Oh.')),
    ('another error in the stream', 'retry', event(status=404)),
    ('another error in the stream', 'retry', event(status=503)),
    ('stream silent', 'retry', http(httpx2.ReadTimeout, in_stream=True)),
    ('stream cut', 'retry', http(httpx2.ReadError, in_stream=True)),
    ('stream cut', 'retry', http(httpx2.RemoteProtocolError, in_stream=True)),
    ('stream without an end', 'retry', ended),
    ('a stream that cannot be read', 'fail', http(httpx2.DecodingError, in_stream=True)),
]

NO_ANSWERS: list[tuple[str, Action, Failure]] = [
    ('no answer in time', 'retry', http(httpx2.ConnectTimeout)),
    ('no answer in time', 'retry', http(httpx2.WriteTimeout)),
    ('no answer in time', 'retry', http(httpx2.ReadTimeout)),
    ('no answer in time', 'retry', http(httpx2.PoolTimeout)),
    ('no connection, or a broken one', 'retry', http(httpx2.ConnectError)),
    ('no connection, or a broken one', 'retry', http(httpx2.WriteError)),
    ('no connection, or a broken one', 'retry', http(httpx2.ReadError)),
    ('no connection, or a broken one', 'retry', http(httpx2.RemoteProtocolError)),
    ('a page in place of a stream', 'fail', lambda: MalformedStreamError('It is text/html.', in_stream=False)),
    ('no usable login or setting', 'fail', lambda: CredentialsNotFoundError('There is no login.')),
    ('no usable login or setting', 'fail', lambda: ConfigurationError('The header cannot be sent.')),
    ('no usable login or setting', 'fail', lambda: CodexError('The script is used up.')),
]

REASONS: list[tuple[str, Action, str | None]] = [
    ('max_output_tokens', 'fail', 'max_output_tokens'),
    ('content_filter', 'retry', 'content_filter'),
    ('incomplete for any other reason', 'fail', 'never_heard_of'),
    ('incomplete for any other reason', 'fail', None),
]

ERRORS = [*STATUSES, *STREAMS, *NO_ANSWERS]


@pytest.mark.parametrize(('case', 'action', 'failure'), ERRORS, ids=[case for case, *_ in ERRORS])
def test_what_becomes_of_an_error(case: str, action: Action, failure: Failure) -> None:
    rule = rule_for(failure())

    assert (rule.case, rule.action) == (case, action)


@pytest.mark.parametrize(('case', 'action', 'reason'), REASONS)
def test_what_becomes_of_an_incomplete_answer(case: str, action: Action, reason: str | None) -> None:
    rule = rule_for_incomplete(reason)

    assert (rule.case, rule.action, rule.where) == (case, action, 'incomplete')


def test_every_rule_is_for_something() -> None:
    cases = [case for case, *_ in (*STATUSES, *STREAMS, *REASONS, *NO_ANSWERS)]

    assert [rule.case for rule in RULES] == list(dict.fromkeys(cases))


def test_every_code_with_a_meaning_has_a_rule() -> None:
    known = failures._CODES.keys()  # pyright: ignore[reportPrivateUsage]

    for where in ('status', 'stream'):
        named = {code for rule in RULES if rule.where == where for code in rule.codes}
        # Those of a refused login come with their status, in the stream as well.
        assert known - named == {'token_expired', 'token_revoked'}


@pytest.mark.parametrize('number', [0, 100, 204, 299, 300, 399, 400, 499, 500, 599, 600, 999])
def test_every_status_has_a_rule(number: int) -> None:
    answered = rule_for(error_from_response(number, {}, b''))
    streamed = rule_for(error_from_event({'type': 'error', 'status': number}))

    assert (answered.where, streamed.where) == ('status', 'stream')


def rule(action: Action) -> Rule:
    return next(each for each in RULES if each.action == action)


@pytest.mark.parametrize(
    ('random', 'jitter', 'delay'), [(0.0, 0.1, 0.36), (0.5, 0.1, 0.4), (1.0, 0.1, 0.44), (0.0, 0.0, 0.4), (0.0, 1.0, 0)]
)
def test_chance_moves_a_wait(random: float, jitter: float, delay: float) -> None:
    policy = TransportPolicy(jitter=jitter)

    assert retry_delay(policy, rule('retry'), None, retries=1, random=random) == pytest.approx(delay)


def test_a_wait_cannot_overflow() -> None:
    policy = TransportPolicy(max_retries=100, factor=10.0, first_delay=1e300, jitter=0.0)

    assert retry_delay(policy, rule('retry'), None, retries=99, random=0.5) == 10.0


@pytest.mark.parametrize('action', ['fail', 'new_login', 'without_reasoning'])
def test_only_the_same_request_waits(action: Action) -> None:
    assert retry_delay(TransportPolicy(), rule(action), status(500)(), retries=0, random=0.5) is None


@pytest.mark.parametrize(
    ('retries', 'max_retries', 'delay'),
    [(0, 4, 0.2), (1, 4, 0.4), (3, 4, 1.6), (4, 4, None), (0, 0, None), (5, 100, 6.4), (6, 100, 10.0)],
)
def test_each_wait_is_longer(retries: int, max_retries: int, delay: float | None) -> None:
    policy = TransportPolicy(max_retries=max_retries)

    assert retry_delay(policy, rule('retry'), None, retries=retries, random=0.5) == delay


@pytest.mark.parametrize(
    ('failure', 'delay'),
    [
        (status(429, 'rate_limit_exceeded', message='Please try again in 1.5s.'), 1.5),
        (failed('rate_limit_exceeded', message='Please try again in 20 ms.'), 0.2),
        (failed('rate_limit_exceeded', message='Please try again in 60 seconds.'), 60.0),
        (failed('rate_limit_exceeded', message='Please try again in 61 seconds.'), None),
        (status(503, 'server_is_overloaded'), 0.2),
        (http(httpx2.ConnectError), 0.2),
    ],
    ids=['1.5 s', '20 ms', '60 s', '61 s', 'it does not say', 'no answer'],
)
def test_the_backend_is_given_the_time_it_asks_for(failure: Failure, delay: float | None) -> None:
    error = failure()

    assert retry_delay(TransportPolicy(), rule_for(error), error, retries=0, random=0.5) == delay


def retry(error: CodexError | None, **fields: Any) -> Retry:
    case = rule_for(error).case if error else 'content_filter'
    given: dict[str, Any] = {'attempt': 2, 'max_retries': 4, 'delay': 0.4123, 'model': 'gpt-5.5', 'session_id': 's-1'}
    return Retry(case=case, error=error, **given | fields)


def test_a_retry_is_a_line() -> None:
    lines = [
        str(retry(status(503, 'server_is_overloaded', message='Try later.')())),
        str(retry(http(httpx2.ReadError, in_stream=True)(), delay=60.0)),
        str(retry(status(401)(), attempt=0, delay=0.0)),
        str(retry(None, attempt=1, delay=0.04)),
    ]

    assert lines == snapshot(
        [
            'Trying again in 0.4 s (2 of 4) after "503 server_is_overloaded": The backend answered 503: Try later.',
            'Trying again in 60 s (2 of 4) after "stream cut": The connection to the backend broke: broken',
            'Trying again at once after "401": The backend answered 401: No.',
            'Trying again at once (1 of 4) after "content_filter".',
        ]
    )


@pytest.mark.parametrize('words', ['one\r\ntwo', 'one\u2028two', 'one \x1b\ttwo', 'one\x00\x85\n\n two'])
def test_a_retry_is_one_line_whatever_the_backend_says(words: str) -> None:
    line = str(retry(status(500, message=words)()))

    assert line.endswith('The backend answered 500: one two')


def test_a_long_retry_is_cut() -> None:
    line = str(retry(status(500, message='x' * 1000)()))

    assert len(line) == 200
    assert line.endswith('xxx…')


def test_a_retry_is_data() -> None:
    made = retry(None)

    assert pickle.loads(pickle.dumps(made)) == made
    assert str(pickle.loads(pickle.dumps(retry(status(503)())))) == str(retry(status(503)()))


def test_a_rule_says_its_case_in_one_cell_of_a_table() -> None:
    cases = [rule.case for rule in RULES]

    assert len(set(cases)) == len(cases)
    assert not [case for case in cases if not case.isprintable() or '|' in case]
