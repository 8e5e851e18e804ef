"""Reaches inside: which refusals are about the model has to be known without a backend."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex._protocol.catalog import BUNDLED, ModelCatalog
from pydantic_ai_codex._protocol.failures import error_from_event, error_from_response
from pydantic_ai_codex._protocol.model_facts import MODEL_FACTS, ModelInfo
from pydantic_ai_codex._protocol.refusals import check_plan_model, refused_model
from pydantic_ai_codex.errors import BackendError, ModelNotServedError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNSUPPORTED = "The '{}' model is not supported when using Codex with a ChatGPT account."


def answered(status: int, body: Any) -> BackendError:
    return error_from_response(status, {'x-request-id': 'req-1'}, json.dumps(body).encode(), now=NOW)


def refused(slug: str, message: str = UNSUPPORTED, catalog: ModelCatalog = BUNDLED) -> ModelNotServedError:
    error = refused_model(answered(400, {'detail': message.format(slug)}), slug, catalog)
    assert error is not None
    return error


@pytest.mark.parametrize(
    'error',
    [
        answered(400, {'detail': UNSUPPORTED.format('gpt-5.4')}),
        answered(400, {'error': {'type': 'invalid_request_error', 'message': UNSUPPORTED.format('GPT-5.4')}}),
        answered(400, {'detail': "The 'gpt-5.4' model requires a newer version of Codex. Please upgrade."}),
        answered(400, {'error': {'message': "The requested model 'gpt-5.4' does not exist."}}),
        answered(404, {'error': {'message': 'The model `gpt-5.4` does not exist or you do not have access to it.'}}),
        answered(404, {'error': {'message': 'The model `gpt-5.4` has been deprecated', 'code': 'model_not_found'}}),
        answered(404, {'error': {'message': "model 'gpt-5.4' not found", 'type': 'api_error'}}),
        answered(404, {'detail': 'Model not found gpt-5.4'}),
        answered(404, {'detail': 'Model not found gpt-5.4-1p-exp-text-1-treatment'}),
        answered(404, 'Model not found gpt-5.4'),
        answered(400, {'error': {'message': 'No.', 'code': 'model_not_found'}}),
        answered(400, {'error': {'message': 'No.', 'code': 'model_not_supported'}}),
        answered(400, {'error': {'message': 'No.', 'code': 'unsupported_model'}}),
        answered(422, {'detail': UNSUPPORTED.format('gpt-5.4')}),
        answered(400, {'detail': "The 'gpt-5.4' model is not supported."}),
        answered(400, {'detail': "The 'gpt-5.4' model is not supported. Choose another one."}),
        answered(400, {'detail': "The model 'gpt-5.4' is not supported when using Codex with a ChatGPT account."}),
        answered(400, {'detail': 'Unsupported model: gpt-5.4'}),
        answered(400, {'detail': "Unsupported model: 'gpt-5.4'."}),
        answered(400, {'detail': 'Invalid model: gpt-5.4'}),
        answered(404, {'detail': 'Model not found: gpt-5.4.'}),
        answered(404, {'error': {'message': 'The model `gpt-5.4` has been retired'}}),
        answered(403, {'detail': "The 'gpt-5.4' model is not available on your plan"}),
        answered(400, {'error': {'message': 'No.', 'type': 'model_not_found'}}),
        error_from_event({'type': 'error', 'status': 400, 'error': {'message': UNSUPPORTED.format('gpt-5.4')}}),
        error_from_event({'type': 'response.failed', 'response': {'error': {'code': 'model_not_found'}}}),
        error_from_event(
            {'type': 'response.failed', 'response': {'error': {'code': 'x', 'message': UNSUPPORTED.format('gpt-5.4')}}}
        ),
    ],
    ids=lambda error: f'{error.status_code} {error.message[-60:]}',
)
def test_refusals_of_the_model(error: BackendError) -> None:
    told = refused_model(error, 'gpt-5.4', BUNDLED)

    assert told is not None
    assert (told.model, told.successor, told.category) == ('gpt-5.4', 'gpt-5.6-terra', 'not_found')
    assert told.message == error.message


@pytest.mark.parametrize(
    'error',
    [
        answered(400, {'error': {'message': "Unsupported value: 'max' is not supported with the 'gpt-5.4' model."}}),
        answered(400, {'error': {'message': "Using tools with the 'gpt-5.4' model is not supported."}}),
        answered(400, {'detail': 'Unsupported parameter: max_output_tokens'}),
        answered(400, {'detail': UNSUPPORTED.format('gpt-image-1')}),
        answered(400, {'detail': UNSUPPORTED.format('gpt-5')}),
        answered(400, {'detail': "The 'gpt-5.4' model is not supported with the tool web_search."}),
        answered(400, {'detail': "The 'gpt-5.4' model is not supported in v1/chat/completions"}),
        answered(400, {'detail': "The model 'gpt-5.4' is not supported for service_tier 'flex'"}),
        answered(400, {'detail': "Invalid input: user said: The 'gpt-5.4' model is not supported yet"}),
        answered(400, {'detail': "Invalid input: user said: The 'gpt-5.4' model is not supported"}),
        answered(400, {'detail': 'Image model gpt-image-9 not found for tool of gpt-5.4'}),
        answered(400, {'detail': 'Unsupported model: gpt-image-9 for the tool of gpt-5.4'}),
        answered(404, {'detail': 'Model not found gpt-image-9, which gpt-5.4 asked for'}),
        answered(403, {'detail': "The 'gpt-5.4' model is not available at the moment"}),
        answered(404, {'detail': 'Not Found'}),
        answered(404, '<html>Not found</html>'),
        answered(403, {'detail': 'Forbidden'}),
        answered(429, {'error': {'message': UNSUPPORTED.format('gpt-5.4'), 'type': 'usage_limit_reached'}}),
        answered(500, {'detail': 'Model not found gpt-5.4'}),
        answered(503, {'error': {'code': 'server_is_overloaded', 'message': 'The model gpt-5.4 is at capacity.'}}),
        error_from_event({'type': 'response.failed', 'response': {'error': {'code': 'server_error', 'message': 'x'}}}),
    ],
    ids=lambda error: f'{error.status_code} {error.message[-60:]}',
)
def test_refusals_of_something_else(error: BackendError) -> None:
    assert refused_model(error, 'gpt-5.4', BUNDLED) is None


def test_the_text_of_a_retired_model() -> None:
    assert str(refused('gpt-5.3-codex')) == snapshot(
        "The backend answered 400: The 'gpt-5.3-codex' model is not supported when using Codex with a ChatGPT account. 'gpt-5.3-codex' is retired. Use 'gpt-5.6-terra' instead. The catalog of this package lists gpt-6.1-sol, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5. For support: request id req-1."
    )


def test_the_text_of_a_listed_model_guesses_nothing() -> None:
    assert str(refused('gpt-6.1-sol')) == snapshot(
        "The backend answered 400: The 'gpt-6.1-sol' model is not supported when using Codex with a ChatGPT account. The catalog of this package lists this one, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5. For support: request id req-1."
    )


def test_the_text_of_an_effort_that_is_none() -> None:
    assert str(refused('gpt-5.5-hihg')) == snapshot(
        "The backend answered 400: The 'gpt-5.5-hihg' model is not supported when using Codex with a ChatGPT account. 'gpt-5.5-hihg' is no model that is known, but 'gpt-5.5' is; if 'hihg' is meant as a reasoning effort, there are low, medium, high, xhigh. The catalog of this package lists gpt-6.1-sol, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5. For support: request id req-1."
    )
    assert refused('gpt-5.5/medium').hint == snapshot(
        '\'gpt-5.5/medium\' is no model that is known; write "gpt-5.5:medium" for a reasoning effort. The catalog of this package lists gpt-6.1-sol, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5.'
    )


@pytest.mark.parametrize('tier', ['flex', 'priority'])
def test_the_text_of_a_tier_that_is_no_suffix(tier: str) -> None:
    hint = refused(f'gpt-5.5-{tier}').hint

    assert str(hint).startswith(
        f"'gpt-5.5-{tier}' is no model that is known, but 'gpt-5.5' is; '{tier}' is a service tier, which is asked for "
        'with the setting `service_tier`. The catalog'
    )


def test_the_text_of_a_name_that_nobody_knows() -> None:
    assert refused('never-heard').hint == snapshot(
        "'never-heard' is no model that is known. The catalog of this package lists gpt-6.1-sol, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5."
    )


def test_the_text_of_a_model_for_newer_clients() -> None:
    assert str(refused('gpt-7', "The '{}' model requires a newer version of Codex.")) == snapshot(
        "The backend answered 400: The 'gpt-7' model requires a newer version of Codex. The backend serves 'gpt-7' to newer clients only; look for a newer version of this package. The catalog of this package lists gpt-6.1-sol, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5. For support: request id req-1."
    )


def test_a_plan_that_lists_little_is_told_what_it_lists() -> None:
    free = ModelCatalog(models=(MODEL_FACTS['gpt-6-luna'],), source='backend')

    error = refused('gpt-5.5', catalog=free)

    assert (error.successor, error.listed) == (None, ('gpt-6-luna',))
    assert error.hint == snapshot("'gpt-5.5' is retired. The catalog lists gpt-6-luna.")


def test_a_catalog_that_lists_nothing_leaves_no_hint() -> None:
    hidden = ModelCatalog(models=(MODEL_FACTS['gpt-6.1-sol']._replace(listed=False),), source='backend')

    assert refused('gpt-6.1-sol', catalog=hidden).hint is None


def test_a_long_list_is_cut() -> None:
    many = tuple(ModelInfo(f'm{number}', (), None, None, listed=True) for number in range(25))

    error = refused('m3', catalog=ModelCatalog(models=many, source='backend'))

    assert len(error.listed) == 25
    assert str(error.hint).endswith('m19, m20, 4 more.')


def test_every_field_of_the_answer_is_kept() -> None:
    error = answered(400, {'error': {'message': UNSUPPORTED.format('o3'), 'type': 'invalid_request_error'}})
    error.retry_after = 3.5

    told = refused_model(error, 'o3', BUNDLED)

    assert told is not None
    kept = {name: value for name, value in vars(error).items() if name not in ('category', 'hint')}
    assert {name: vars(told)[name] for name in kept} == kept
    assert (kept['status_code'], kept['request_id'], kept['retry_after']) == (400, 'req-1', 3.5)
    assert refused_model(told, 'o3', BUNDLED) is told


def test_the_error_pickles() -> None:
    error = refused('gpt-5.4')

    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), vars(again)) == (ModelNotServedError, str(error), vars(error))


@pytest.mark.parametrize(
    ('slug', 'successor'),
    [
        # gpt-5.5 is still listed, and retired.
        ('gpt-5.5-pro', 'gpt-6-sol'),
        ('gpt-5.5-pro-2026-04-23', 'gpt-6-sol'),
        # The list names a newer one, yet this one is served.
        ('gpt-5.6-sol-pro', 'gpt-5.6-sol'),
        ('gpt-6.1-sol-pro', 'gpt-6.1-sol'),
        ('GPT-5.4-PRO', None),
        ('gpt-5.4-pro', 'gpt-5.6-terra'),
        ('gpt-5-pro', 'gpt-5.6-sol'),
        ('o3-pro', 'gpt-6.1-sol'),
        ('never-heard-pro', None),
    ],
)
def test_pro_models_are_refused_here(slug: str, successor: str | None) -> None:
    with pytest.raises(ModelNotServedError) as caught:
        check_plan_model(slug, BUNDLED)

    assert (caught.value.model, caught.value.successor, caught.value.status_code) == (slug, successor, None)
    assert caught.value.category == 'not_found'


def test_a_pro_model_is_replaced_by_what_the_list_has() -> None:
    catalog = ModelCatalog(models=(MODEL_FACTS['gpt-5.5'],), source='backend')

    with pytest.raises(ModelNotServedError) as retired:
        check_plan_model('gpt-5.5-pro', catalog)
    with pytest.raises(ModelNotServedError) as unlisted:
        check_plan_model('gpt-6-sol-pro', catalog)

    assert (retired.value.successor, unlisted.value.successor) == ('gpt-5.5', None)


def test_the_text_of_a_pro_model() -> None:
    with pytest.raises(ModelNotServedError) as caught:
        check_plan_model('gpt-5.5-pro', BUNDLED)

    assert str(caught.value) == snapshot(
        "The model 'gpt-5.5-pro' was not asked for, as the backend serves no \"pro\" model to a ChatGPT login. An API key can use it, where the model exists. Use 'gpt-6-sol' instead. The catalog of this package lists gpt-6.1-sol, gpt-6-astra, gpt-6-sol, gpt-6-luna, gpt-5.6-sol, gpt-6.1-terra, gpt-5.6-terra, gpt-5.6-luna, gpt-5.5."
    )


def test_a_pro_model_that_the_catalog_holds_is_asked_for() -> None:
    catalog = ModelCatalog(models=(ModelInfo('gpt-7-pro', (), None, None),), source='backend')

    check_plan_model('gpt-7-pro', catalog)

    with pytest.raises(ModelNotServedError):
        check_plan_model('gpt-7-pro', BUNDLED)


@pytest.mark.parametrize('slug', [*MODEL_FACTS, 'gpt-pro-7', 'gpt-7-professional', 'pro', '-pro'])
def test_other_models_are_not_refused_here(slug: str) -> None:
    check_plan_model(slug, BUNDLED)

    assert refused_model(answered(500, {'detail': slug}), slug, BUNDLED) is None
