"""Reaches inside: one table decides what every error of the backend means, for statuses and for events."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._protocol.failures import error_from_event, error_from_response
from pydantic_ai_codex._protocol.rate_limits import limits_from_event

USAGE_LIMIT = {
    'error': {
        'type': 'usage_limit_reached',
        'message': 'The usage limit has been reached',
        'plan_type': 'plus',
        'resets_at': 1795237957,
        'resets_in_seconds': 7200,
    }
}


NOW = datetime.fromtimestamp(1795230757, UTC)
"""Two hours before the reset of `USAGE_LIMIT`."""


def response_error(status: int, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The error that a JSON body stands for, as its text and those of its fields that are set."""
    error = error_from_response(status, headers or {}, json.dumps(body).encode(), now=NOW)
    fields = {name: value for name, value in vars(error).items() if value not in (None, {}, False)}
    if error.rate_limits:
        fields['rate_limits'] = error.rate_limits.as_dict()
    return {**fields, 'message': str(error)}


def test_detail() -> None:
    assert response_error(400, {'detail': 'Unsupported parameter: max_output_tokens'}) == snapshot(
        {
            'message': 'The backend answered 400: Unsupported parameter: max_output_tokens',
            'status_code': 400,
            'category': 'rejected',
            'body': {'detail': 'Unsupported parameter: max_output_tokens'},
        }
    )


def test_plan_limit() -> None:
    assert response_error(429, USAGE_LIMIT, {'x-request-id': 'req_1', 'x-codex-plan-type': 'plus'}) == snapshot(
        {
            'message': 'The backend answered 429: The usage limit has been reached. The limit of the plan is reached; it resets at 2026-11-21 05:12 UTC, in 2 h 0 min. For support: request id req_1.',
            'status_code': 429,
            'category': 'quota',
            'error_type': 'usage_limit_reached',
            'body': {
                'error': {
                    'type': 'usage_limit_reached',
                    'message': 'The usage limit has been reached',
                    'plan_type': 'plus',
                    'resets_at': 1795237957,
                    'resets_in_seconds': 7200,
                }
            },
            'headers': {'x-request-id': 'req_1', 'x-codex-plan-type': 'plus'},
            'retry_after': 7200.0,
            'resets_at': datetime(2026, 11, 21, 5, 12, 37, tzinfo=UTC),
            'rate_limits': {
                'limit_id': 'codex',
                'plan_type': 'plus',
                'limit_reached': True,
                'observed_at': '2026-11-21T03:12:37+00:00',
                'source': 'headers',
            },
            'request_id': 'req_1',
            'hint': 'The limit of the plan is reached; it resets at 2026-11-21 05:12 UTC, in 2 h 0 min.',
        }
    )


@pytest.mark.parametrize(
    ('body', 'message'),
    [
        ({'error': {'message': 'No luck.'}}, 'The backend answered 500: No luck.'),
        ({'error': 'No luck.'}, 'The backend answered 500: No luck.'),
        ({'error': 'invalid', 'error_description': 'No luck.'}, 'The backend answered 500: invalid'),
        ({'error_description': 'No luck.'}, 'The backend answered 500: No luck.'),
        ({'message': 'No luck.'}, 'The backend answered 500: No luck.'),
        ({'detail': 'No luck.'}, 'The backend answered 500: No luck.'),
        ({'detail': {'message': 'No luck.', 'code': 'x'}}, 'The backend answered 500: No luck.'),
        ('No luck.', 'The backend answered 500: No luck.'),
        ({}, 'The backend answered 500 without a message.'),
        ({'error': None}, 'The backend answered 500 without a message.'),
        ({'error': {'message': 5}}, 'The backend answered 500 without a message.'),
        ([], 'The backend answered 500 without a message.'),
        (None, 'The backend answered 500 without a message.'),
    ],
)
def test_message(body: object, message: str) -> None:
    error = error_from_response(500, {}, json.dumps(body).encode())

    assert str(error) == message
    assert error.body == body


def test_message_of_a_list_of_problems() -> None:
    problem = {'loc': ['body', 'input'], 'msg': 'Input should be a list', 'type': 'list_type'}

    assert 'Input should be a list' in str(error_from_response(422, {}, json.dumps({'detail': [problem]}).encode()))


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'The backend answered 502 without a message.'),
        (b' \n', 'The backend answered 502 without a message.'),
        (b'<html>Bad gateway</html>\n', 'The backend answered 502: <html>Bad gateway</html>'),
        (b'{"error": {"message": "cut he', 'The backend answered 502: {"error": {"message": "cut he'),
        (b'No l\xfcck', 'The backend answered 502: No l\ufffdck'),
    ],
)
def test_body_that_is_no_json(content: bytes, message: str) -> None:
    error = error_from_response(502, {}, content)

    assert str(error) == message
    assert error.body == content.decode('utf-8', 'replace')
    assert (error.status_code, error.category, error.code, error.in_stream) == (502, 'server', None, False)


def test_huge_text_is_cut_in_the_message_alone() -> None:
    error = error_from_response(500, {}, b'x' * 60_000)

    assert str(error) == f'The backend answered 500: {"x" * 500}… (60000 characters)'
    assert error.body == 'x' * 60_000


def test_huge_json_message_is_cut() -> None:
    content = json.dumps({'error': {'message': 'x' * 60_000}}).encode()

    assert len(str(error_from_response(500, {}, content))) < 1000


@pytest.mark.parametrize(
    ('status', 'details', 'category'),
    [
        # The code decides, then the type, then the status.
        (400, {'code': 'context_length_exceeded'}, 'context_window'),
        (400, {'code': 'invalid_encrypted_content'}, 'rejected'),
        (400, {'code': 'cyber_policy'}, 'rejected'),
        (400, {'code': 'model_not_found'}, 'not_found'),
        (400, {'code': 'model_not_supported'}, 'not_found'),
        (400, {'type': 'unsupported_model'}, 'not_found'),
        (401, {'code': 'token_expired'}, 'authentication'),
        (403, {'code': 'insufficient_quota'}, 'quota'),
        (404, {'type': 'usage_limit_reached'}, 'quota'),
        (429, {'type': 'usage_limit_reached'}, 'quota'),
        (429, {'type': 'usage_not_included'}, 'quota'),
        (429, {'code': 'rate_limit_exceeded'}, 'rate_limit'),
        (429, {'code': 'rate_limit_exceeded', 'type': 'usage_limit_reached'}, 'quota'),
        (429, {'code': 'new', 'type': 'usage_limit_reached'}, 'quota'),
        (503, {'code': 'server_is_overloaded'}, 'overloaded'),
        (503, {'code': 'slow_down'}, 'overloaded'),
        (500, {'code': 'server_error'}, 'server'),
        (400, {}, 'rejected'),
        (401, {}, 'authentication'),
        (402, {}, 'quota'),
        (403, {}, 'authentication'),
        (404, {}, 'not_found'),
        (422, {}, 'rejected'),
        (429, {}, 'rate_limit'),
        (500, {}, 'server'),
        (502, {}, 'server'),
        (503, {}, 'unavailable'),
        (599, {}, 'server'),
        (302, {}, None),
        (500, {'code': 7, 'type': []}, 'server'),
    ],
)
def test_category(status: int, details: dict[str, object], category: str | None) -> None:
    assert error_from_response(status, {}, json.dumps({'error': details}).encode()).category == category


@pytest.mark.parametrize(
    ('details', 'headers', 'seconds'),
    [
        ({'resets_in_seconds': 7200}, {}, 7200.0),
        ({'resets_in_seconds': 1.5}, {}, 1.5),
        ({'resets_in_seconds': '30'}, {}, 30.0),
        ({'resets_in_seconds': 0}, {'retry-after': '5'}, 0.0),
        ({'resets_in_seconds': 60}, {'retry-after': '5'}, 60.0),
        ({}, {'retry-after': '5'}, 5.0),
        ({}, {'retry-after': '0.25'}, 0.25),
        ({}, {'retry-after-ms': '1500'}, 1.5),
        ({}, {'retry-after-ms': '1500', 'retry-after': '2'}, 1.5),
        ({}, {'retry-after-ms': 'soon', 'retry-after': '2'}, 2.0),
        ({'resets_in_seconds': None}, {'retry-after': '2'}, 2.0),
        ({'resets_in_seconds': 'soon'}, {'retry-after': '2'}, 2.0),
        ({'resets_in_seconds': -1}, {'retry-after': '2'}, 2.0),
        ({'resets_in_seconds': []}, {}, None),
        ({}, {'retry-after': '-5'}, None),
        ({}, {'retry-after': 'nan'}, None),
        ({}, {'retry-after': 'inf'}, None),
        ({}, {'retry-after': ''}, None),
        ({}, {}, None),
    ],
)
def test_retry_after(details: dict[str, object], headers: dict[str, str], seconds: float | None) -> None:
    assert error_from_response(429, headers, json.dumps({'error': details}).encode()).retry_after == seconds


def test_retry_after_beyond_every_number() -> None:
    assert error_from_response(429, {}, json.dumps({'resets_in_seconds': 10**400}).encode()).retry_after is None


def test_retry_after_is_no_truth_value() -> None:
    assert error_from_response(429, {}, b'{"resets_in_seconds": true}').retry_after is None


@pytest.mark.parametrize(
    ('headers', 'request_id'),
    [
        ({'x-request-id': 'req_1', 'x-oai-request-id': 'oai_1'}, 'req_1'),
        ({'x-oai-request-id': 'oai_1'}, 'oai_1'),
        ({}, None),
    ],
)
def test_request_id(headers: dict[str, str], request_id: str | None) -> None:
    assert error_from_response(500, headers, b'').request_id == request_id
    assert error_from_event({'type': 'error'}, headers).request_id == request_id


@pytest.mark.parametrize(
    ('value', 'seconds'),
    [
        ('Sat, 21 Nov 2026 03:13:07 GMT', 30.0),
        ('Saturday, 21-Nov-26 03:13:07 GMT', 30.0),
        ('Sat Nov 21 03:13:07 2026', 30.0),
        ('Sat, 21 Nov 2026 00:00:00 GMT', 0.0),
        ('Sat, 99 Nov 2026 00:00:00 GMT', None),
        ('Sat, 21 Nov 99999 00:00:00 GMT', None),
        ('soon', None),
    ],
)
def test_retry_after_as_a_date(value: str, seconds: float | None) -> None:
    assert error_from_response(429, {'retry-after': value}, b'{}', now=NOW).retry_after == seconds


def test_a_date_counts_from_that_of_the_answer() -> None:
    headers = {'date': 'Sat, 21 Nov 2026 03:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 03:00:20 GMT'}

    assert error_from_response(429, headers, b'{}').retry_after == 20.0
    assert error_from_response(429, {**headers, 'date': 'today'}, b'{}').retry_after is None


@pytest.mark.parametrize(
    ('words', 'seconds'),
    [
        ('Rate limit reached. Please try again in 1.5s.', 1.5),
        ('Rate limit reached. Please try again in 20 ms. Visit', 0.02),
        ('Try again in 3 seconds!', 3.0),
        ('Please try again in 250milliseconds', 0.25),
        ('Please try again in 6m0s', 360.0),
        ('Please try again in 1h 2m 3.5s.', 3723.5),
        ('Please try again in 1 day', 86400.0),
        ('Please try again in 2 minutes.', 120.0),
        ('Please try again in 5', None),
        ('Please try again in 5 moons', None),
        ('Please try again in 5\u017f', None),
        ('Please try again in ' + '9' * 400 + 's', None),
        ('Please try again in -1s', None),
        ('Please try again later.', None),
    ],
)
def test_retry_after_in_words(words: str, seconds: float | None) -> None:
    details = {'code': 'rate_limit_exceeded', 'message': words}

    assert error_from_response(429, {}, json.dumps({'error': details}).encode()).retry_after == seconds
    event = {'type': 'response.failed', 'response': {'error': details}}
    assert error_from_event(event, {'retry-after': '7'}).retry_after == seconds


def test_fields_go_before_headers_and_these_before_words() -> None:
    details = {'message': 'Try again in 3s', 'resets_in_seconds': 1}

    def seconds(details: dict[str, Any], headers: dict[str, str]) -> float | None:
        return error_from_response(429, headers, json.dumps(details).encode()).retry_after

    assert seconds(details, {'retry-after': '2'}) == 1.0
    assert seconds({'message': 'Try again in 3s'}, {'retry-after': '2'}) == 2.0
    assert seconds({'message': 'Try again in 3s'}, {}) == 3.0


def windows(**values: str) -> dict[str, str]:
    return {f'x-codex-{name.replace("_", "-")}': value for name, value in values.items()}


@pytest.mark.parametrize(
    ('details', 'headers', 'hint'),
    [
        ({'resets_at': 1795237957}, {}, 'it resets at 2026-11-21 05:12 UTC, in 2 h 0 min.'),
        ({'resets_at': '1795237957'}, {}, 'it resets at 2026-11-21 05:12 UTC, in 2 h 0 min.'),
        ({'resets_in_seconds': 61}, {}, 'it resets at 2026-11-21 03:13 UTC, in 2 min.'),
        ({'resets_in_seconds': 200_000}, {}, 'it resets at 2026-11-23 10:45 UTC, in 2 d 7 h.'),
        ({'resets_at': 1795237957, 'resets_in_seconds': 60}, {}, 'it resets at 2026-11-21 05:12 UTC, in 1 min.'),
        ({'resets_at': 1700000000}, {}, 'it resets at 2023-11-14 22:13 UTC, in 0 min.'),
        ({}, {'retry-after': '60'}, 'it resets in 1 min.'),
        ({}, windows(primary_reset_at='1795234357'), None),
    ],
)
def test_when_a_plan_limit_resets(details: dict[str, object], headers: dict[str, str], hint: str | None) -> None:
    content = json.dumps({'error': {'type': 'usage_limit_reached', **details}}).encode()

    error = error_from_response(429, headers, content, now=NOW)

    assert error.hint == f'The limit of the plan is reached; {hint or "the backend does not say when it resets."}'
    assert (error.resets_at is not None) is ('resets at' in str(error))
    assert (error.retry_after is not None) is (hint is not None)


def test_a_reset_that_no_calendar_has_is_unknown() -> None:
    content = json.dumps({'error': {'type': 'usage_limit_reached', 'resets_in_seconds': 99_999_999_999}}).encode()

    error = error_from_response(429, {'date': 'Wed, 21 Oct 9999 23:59:59 -2359'}, content)

    assert (error.resets_at, error.retry_after) == (None, 99_999_999_999.0)


FIVE_HOURS = windows(primary_used_percent='100', primary_window_minutes='300', primary_reset_at='1795234357')
A_WEEK = windows(secondary_used_percent='100.0', secondary_window_minutes='10080', secondary_reset_at='1795835557')
OTHER = {'x-codex-active-limit': 'Codex-Spark', 'x-codex-spark-primary-used-percent': '100'}


@pytest.mark.parametrize(
    ('details', 'headers', 'hint'),
    [
        (
            {},
            FIVE_HOURS,
            'The 5-hour window of the plan is used up (100 %); it resets at 2026-11-21 04:12 UTC, in 1 h 0 min.',
        ),
        (
            {'resets_at': 'soon'},
            FIVE_HOURS | windows(secondary_used_percent='7', credits_has_credits='true', credits_balance='12.5'),
            'The 5-hour window of the plan is used up (100 %); it resets at 2026-11-21 04:12 UTC, in 1 h 0 min. '
            'The secondary window of the plan stands at 7 %. Credits: 12.5.',
        ),
        # Of two that are used up, the later one counts.
        (
            {},
            FIVE_HOURS | A_WEEK,
            'The weekly window of the plan is used up (100 %); it resets at 2026-11-28 03:12 UTC, in 7 d 0 h. '
            'The 5-hour window of the plan is used up (100 %).',
        ),
        # What the error itself says goes before the headers, also where these are rounded ...
        (
            {'resets_at': 1795234300, 'resets_in_seconds': 3543},
            FIVE_HOURS,
            'The 5-hour window of the plan is used up (100 %); it resets at 2026-11-21 04:11 UTC, in 1 h 0 min.',
        ),
        # ... and then another window is meant than theirs.
        (
            {'resets_in_seconds': 60},
            FIVE_HOURS,
            'The limit of the plan is reached; it resets at 2026-11-21 03:13 UTC, in 1 min. '
            'The 5-hour window of the plan is used up (100 %).',
        ),
        (
            {},
            windows(primary_used_percent='101', primary_reset_after_seconds='3600'),
            'The primary window of the plan is used up (101 %); it resets at 2026-11-21 04:12 UTC, in 1 h 0 min.',
        ),
        (
            {},
            OTHER | {'x-codex-spark-limit-name': 'Spark', 'x-codex-spark-primary-reset-at': '1795234357'},
            "The primary window of the limit 'Spark' is used up (100 %); it resets at 2026-11-21 04:12 UTC, in 1 h 0 min.",
        ),
        (
            {},
            OTHER,
            "The primary window of the limit 'codex_spark' is used up (100 %); the backend does not say when it resets.",
        ),
        (
            {},
            windows(primary_used_percent='99.96', primary_reset_at='1795234357', credits_unlimited='1'),
            'The limit of the plan is reached; the backend does not say when it resets. '
            'The primary window of the plan stands at 99.9 %. Credits: unlimited.',
        ),
        (
            {'resets_at': 1795237957},
            windows(primary_used_percent='100', primary_reset_at='soon', credits_has_credits='false'),
            'The primary window of the plan is used up (100 %); it resets at 2026-11-21 05:12 UTC, in 2 h 0 min. '
            'Credits: none.',
        ),
        (
            {'code': 'insufficient_quota', 'type': None},
            windows(primary_used_percent='5'),
            'The quota is used up; look at the plan and at the billing of the account. '
            'The primary window of the plan stands at 5 %.',
        ),
        ({'code': 'usage_not_included'}, FIVE_HOURS, 'The plan does not cover it.'),
    ],
)
def test_which_window_is_used_up(details: dict[str, object], headers: dict[str, str], hint: str) -> None:
    content = json.dumps({'error': {'type': 'usage_limit_reached', **details}}).encode()

    assert error_from_response(429, headers, content, now=NOW).hint == hint


def test_the_limits_behind_a_refusal() -> None:
    error = error_from_response(429, FIVE_HOURS, json.dumps(USAGE_LIMIT).encode(), now=NOW)

    assert error.rate_limits is not None
    assert error.rate_limits.as_dict() == snapshot(
        {
            'limit_id': 'codex',
            'plan_type': 'plus',
            'primary': {'used_percent': 100.0, 'window_minutes': 300, 'resets_at': '2026-11-21T04:12:37+00:00'},
            'blocking': 'primary',
            'limit_reached': True,
            'observed_at': '2026-11-21T03:12:37+00:00',
            'source': 'headers',
        }
    )


def test_what_a_refusal_without_limits_in_its_headers_tells() -> None:
    error = error_from_response(429, {}, json.dumps(USAGE_LIMIT).encode(), now=NOW)

    assert error.rate_limits is not None
    assert error.rate_limits.as_dict() == snapshot(
        {
            'limit_id': 'codex',
            'plan_type': 'plus',
            'limit_reached': True,
            'observed_at': '2026-11-21T03:12:37+00:00',
            'source': 'headers',
        }
    )


def test_a_reset_that_only_the_refusal_tells() -> None:
    content = json.dumps(USAGE_LIMIT).encode()

    for window in ('primary', 'secondary'):
        headers = {f'x-codex-{window}-used-percent': '100'}
        limits = error_from_response(429, headers, content, now=NOW).rate_limits
        assert limits is not None
        assert limits.windows[window] == (100.0, None, datetime(2026, 11, 21, 5, 12, 37, tzinfo=UTC))


def test_every_refusal_tells_the_limits() -> None:
    error = error_from_response(500, FIVE_HOURS, b'', now=NOW)

    assert error.rate_limits is not None
    assert (error.rate_limits.blocking, error.rate_limits.limit_reached, error.hint) == ('primary', None, None)
    assert error_from_response(500, {}, b'', now=NOW).rate_limits is None


def test_limits_without_a_clock_are_not_known() -> None:
    assert error_from_response(500, FIVE_HOURS, b'').rate_limits is None
    assert (
        error_from_response(500, {**FIVE_HOURS, 'date': 'Sat, 21 Nov 2026 03:12:37 GMT'}, b'').rate_limits is not None
    )


def test_an_event_of_the_stream_is_newer_than_its_headers() -> None:
    event = {'rate_limits': {'primary': {'used_percent': 100, 'window_minutes': 300, 'reset_at': 1795234357}}}
    told = limits_from_event(event, NOW)

    error = error_from_event(
        {'type': 'response.failed', 'response': {'error': {'code': 'usage_limit_reached'}}},
        windows(primary_used_percent='42', secondary_used_percent='7', plan_type='plus'),
        now=NOW,
        limits=told,
    )

    assert error.rate_limits is not None
    assert error.rate_limits.as_dict() == snapshot(
        {
            'limit_id': 'codex',
            'plan_type': 'plus',
            'primary': {'used_percent': 100.0, 'window_minutes': 300, 'resets_at': '2026-11-21T04:12:37+00:00'},
            'secondary': {'used_percent': 7.0},
            'blocking': 'primary',
            'limit_reached': True,
            'observed_at': '2026-11-21T03:12:37+00:00',
            'source': 'event',
        }
    )
    assert error.resets_at == datetime(2026, 11, 21, 4, 12, 37, tzinfo=UTC)


def test_a_plan_limit_inside_a_stream() -> None:
    event = {'type': 'response.failed', 'response': USAGE_LIMIT}

    error = error_from_event(event, {'date': 'Sat, 21 Nov 2026 03:12:37 GMT'})

    assert (error.status_code, error.category, error.in_stream, error.retry_after) == (429, 'quota', True, 7200.0)
    assert error.resets_at == datetime(2026, 11, 21, 5, 12, 37, tzinfo=UTC)


def test_a_point_in_time_without_a_clock() -> None:
    event = {'type': 'response.failed', 'response': {'error': {'type': 'usage_limit_reached', 'resets_at': 1795237957}}}

    assert error_from_event(event).retry_after is None
    assert error_from_event(event).hint == 'The limit of the plan is reached; it resets at 2026-11-21 05:12 UTC.'
    assert error_from_event(event, now=NOW).retry_after == 7200.0


@pytest.mark.parametrize(
    'value',
    [-1, 1e30, 10**400, math.nan, math.inf, '1e999', 'nan', '253402300800', 253402300800, True, [], {}, '', 'x', None],
    ids=repr,
)
def test_absurd_points_in_time_count_as_none(value: object) -> None:
    details = {'type': 'usage_limit_reached', 'resets_at': value, 'resets_in_seconds': value}
    headers = windows(
        primary_used_percent='100', primary_reset_at=str(value)[:99], primary_reset_after_seconds=str(value)[:99]
    )

    error = error_from_response(429, headers, json.dumps({'error': details}).encode(), now=NOW)

    assert (error.category, error.retry_after, error.resets_at) == ('quota', None, None)


def test_the_last_moment_that_counts() -> None:
    latest = {'type': 'usage_limit_reached', 'resets_in_seconds': 1e11}

    error = error_from_response(429, {}, json.dumps({'error': latest}).encode(), now=NOW)

    assert error.resets_at == datetime(5195, 10, 6, 12, 59, 17, tzinfo=UTC)


def test_headers_of_the_stream_do_not_say_when_to_retry() -> None:
    error = error_from_event({'type': 'error', 'code': 'slow_down'}, {'retry-after': '5'})

    assert error.retry_after is None
    assert error.headers == {'retry-after': '5'}


def test_status_of_an_event_that_has_two_fields_for_it() -> None:
    assert error_from_event({'type': 'error', 'status': None, 'status_code': 429}).status_code == 429


@pytest.mark.parametrize(
    'status', [True, False, 0, -1, 200, 399, 600, 999, 10**30, 429.0, '429', None, [], {}], ids=repr
)
def test_what_is_no_error_status_is_not_taken_for_one(status: object) -> None:
    unknown = error_from_event({'type': 'error', 'status': status, 'error': {'code': 'new'}})
    known = error_from_event({'type': 'error', 'status': status, 'error': {'code': 'slow_down'}})

    assert (unknown.status_code, unknown.category) == (None, None)
    assert (known.status_code, known.category) == (503, 'overloaded')


@pytest.mark.parametrize('value', ['1_000', '\u0663', '\uff15', '1e3_0'])
def test_what_only_python_takes_for_a_number_is_none(value: str) -> None:
    assert error_from_response(429, {'retry-after': value}, b'{}').retry_after is None


@pytest.mark.parametrize(
    ('status', 'code', 'hint'),
    [
        (429, 'usage_limit_reached', 'The limit of the plan is reached; the backend does not say when it resets.'),
        (429, 'usage_not_included', 'The plan does not cover it.'),
        (429, 'insufficient_quota', 'The quota is used up; look at the plan and at the billing of the account.'),
        (402, 'new', 'The plan does not cover it, or its limit is reached.'),
        (429, 'rate_limit_exceeded', None),
    ],
)
def test_what_to_do_where_no_time_is_told(status: int, code: str, hint: str | None) -> None:
    assert error_from_response(status, {}, json.dumps({'error': {'code': code}}).encode()).hint == hint


def test_a_plan_without_the_model_does_not_reset() -> None:
    content = json.dumps({'error': {'code': 'usage_not_included'}}).encode()

    assert error_from_response(429, {'retry-after': '60'}, content).hint == 'The plan does not cover it.'


@pytest.mark.parametrize('code', ['model_not_found', 'model_not_supported', 'unsupported_model'])
def test_a_refused_model_in_the_stream_has_the_status_that_it_has_before(code: str) -> None:
    error = error_from_event({'type': 'response.failed', 'response': {'error': {'code': code, 'message': 'No.'}}})

    assert (error.status_code, error.category, error.in_stream) == (404, 'not_found', True)


def test_cookies_are_left_out() -> None:
    headers = {'set-cookie': 'sid=secret', 'x-request-id': 'req_1'}

    assert error_from_response(500, headers, b'').headers == {'x-request-id': 'req_1'}
    assert error_from_event({'type': 'error'}, headers).headers == {'x-request-id': 'req_1'}
