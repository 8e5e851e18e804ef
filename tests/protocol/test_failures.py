"""Reaches inside: one table decides what every error of the backend means, for statuses and for events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._protocol.failures import error_from_event, error_from_response

USAGE_LIMIT = {
    'error': {
        'type': 'usage_limit_reached',
        'message': 'The usage limit has been reached',
        'plan_type': 'plus',
        'resets_at': 1795237957,
        'resets_in_seconds': 7200,
    }
}


def response_error(status: int, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The error that a JSON body stands for, as its text and those of its fields that are set."""
    error = error_from_response(status, headers or {}, json.dumps(body).encode())
    fields = {name: value for name, value in vars(error).items() if value not in (None, {}, False)}
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
            'message': 'The backend answered 429: The usage limit has been reached. The limit of the plan is reached; it resets in 2 h 0 min.',
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
            'request_id': 'req_1',
            'hint': 'The limit of the plan is reached; it resets in 2 h 0 min.',
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
        (401, {'code': 'token_expired'}, 'authentication'),
        (403, {'code': 'insufficient_quota'}, 'quota'),
        (404, {'type': 'usage_limit_reached'}, 'quota'),
        (429, {'type': 'usage_limit_reached'}, 'quota'),
        (429, {'type': 'usage_not_included'}, 'quota'),
        (429, {'code': 'rate_limit_exceeded'}, 'rate_limit'),
        (429, {'code': 'rate_limit_exceeded', 'type': 'usage_limit_reached'}, 'rate_limit'),
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
        ({}, {'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT'}, None),
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


def test_headers_of_the_stream_do_not_say_when_to_retry() -> None:
    error = error_from_event({'type': 'error', 'code': 'slow_down'}, {'retry-after': '5'})

    assert error.retry_after is None
    assert error.headers == {'retry-after': '5'}


def test_status_of_an_event_that_has_two_fields_for_it() -> None:
    assert error_from_event({'type': 'error', 'status': None, 'status_code': 429}).status_code == 429
