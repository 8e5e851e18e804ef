"""What the backend refuses: the checks of one request, in the order in which they are made.

`{"detail": ...}` bodies are those that Codex CLI 0.169.0 was seen to accept (captured) or that clients report; the
`{"error": ...}` ones come from public reports of the Responses API. The real backend was not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from .._protocol.model_facts import EFFORTS, MODEL_ALIASES, MODEL_FACTS
from ._catalog import Served
from ._checks_auth import Caller
from ._checks_headers import check_headers
from ._checks_input import check_input, input_texts
from ._checks_tools import NAME, check_strict_schema, check_tool_choice, check_tools
from ._rejections import detail, invalid, missing, quoted, unknown, wrong_type, wrong_value

Json: TypeAlias = dict[str, Any]

FIELDS: Final = frozenset(
    {
        'client_metadata',
        'include',
        'input',
        'instructions',
        'model',
        'parallel_tool_calls',
        'prompt_cache_key',
        'reasoning',
        'service_tier',
        'store',
        'stream',
        'text',
        'tool_choice',
        'tools',
    }
)
"""Every field that the CLI sends (captured), and `instructions`, which it sent before."""

_WIRE_EFFORTS: Final = tuple(effort for effort in EFFORTS if effort != 'ultra')
_TIERS: Final = ('auto', 'default', 'flex', 'priority')
_SUFFIXES: Final = tuple(f'-{word}' for word in (*EFFORTS, *_TIERS, 'fast'))
_SUMMARIES: Final = ('auto', 'concise', 'detailed')
_VERBOSITIES: Final = ('low', 'medium', 'high')
_FORMATS: Final = ('text', 'json_object', 'json_schema')
_INCLUDES: Final = (
    'code_interpreter_call.outputs',
    'computer_call_output.output.image_url',
    'file_search_call.results',
    'message.input_image.image_url',
    'message.output_text.logprobs',
    'reasoning.encrypted_content',
    'web_search_call.action.sources',
    'web_search_call.results',
)


def check_request(
    headers: Mapping[str, str], body: Json, caller: Caller, *, refuse_retired: bool, served: Served
) -> None:
    """Check everything but the authorization.

    Raises:
        Rejection: The first check that failed.
    """
    if headers.get('content-type', '').partition(';')[0].strip().lower() != 'application/json':
        raise detail('Unsupported content type', status=415)
    _check_fields(body)
    _check_model(body, served)
    for check in _CHECKS:
        check(body)
    _check_reasoning(body, served)
    if _is_gone(body['model'], caller, served) or (refuse_retired and body['model'] not in served.efforts):
        raise _unsupported_model(body['model'])
    check_headers(headers, body)
    check_input(body.get('input'), caller.account_id)


def _check_fields(body: Json) -> None:
    # As the CLI was answered for `max_output_tokens` (captured).
    for name in body:
        if name not in FIELDS:
            raise detail(f'Unsupported parameter: {name}')


def _check_model(body: Json, served: Served) -> None:
    model = body.get('model')
    if not isinstance(model, str) or not model:
        raise missing('model')
    if model not in served.efforts and not _is_bare_slug(model):
        raise _unsupported_model(model)


def _is_bare_slug(model: str) -> bool:
    """Whether a client resolved the name: no alias, no `provider:` before it, no effort or tier behind it."""
    if model in MODEL_FACTS:
        return True
    if model in MODEL_ALIASES or any(mark in model for mark in ':/ ') or model != model.lower():
        return False
    if not (model.isascii() and model.isprintable()):
        return False
    stem = model
    while suffix := next((suffix for suffix in _SUFFIXES if stem.endswith(suffix)), None):
        stem = stem.removesuffix(suffix)
        if stem in MODEL_FACTS or stem in MODEL_ALIASES:
            return False
    return True


def _is_gone(model: str, caller: Caller, served: Served) -> bool:
    """Whether a test has said which models there are for a ChatGPT login, and this is none of them."""
    return served.is_complete and caller.plan_type is not None and model not in served.efforts


def _unsupported_model(model: str) -> Exception:
    # Public reports, of names that a plan does not serve.
    return detail(f"The '{model}' model is not supported when using Codex with a ChatGPT account.")


def _check_stream_and_store(body: Json) -> None:
    # Public reports.
    if body.get('stream') is not True:
        raise detail('Stream must be set to true')
    if body.get('store') is not False:
        raise detail('Store must be set to false')


def _check_instructions(body: Json) -> None:
    # Public reports. The CLI sends none, but begins with a developer message (captured).
    instructions = body.get('instructions')
    if instructions is None:
        items = [item for item in _list(body.get('input')) if _dict(item).get('type') != 'additional_tools']
        if items and _dict(items[0]).get('role') == 'developer':
            return
    elif isinstance(instructions, str) and instructions:
        return
    raise detail('Instructions are required')


def _check_reasoning(body: Json, served: Served) -> None:
    reasoning = body.get('reasoning')
    if reasoning is None:
        return
    if not isinstance(reasoning, dict):
        raise wrong_type('reasoning', 'an object')
    fields = cast(Json, reasoning)
    for name in fields:
        if name not in ('effort', 'summary', 'context'):
            raise unknown(f'reasoning.{name}')
    _check_effort(fields.get('effort'), body['model'], served)
    _check_choice('reasoning.summary', fields.get('summary'), _SUMMARIES)


def _check_effort(effort: object, model: str, served: Served) -> None:
    facts = MODEL_FACTS.get(model)
    known = served.efforts.get(model) or (_WIRE_EFFORTS if facts is None else facts.efforts)
    efforts = tuple(each for each in known if each != 'ultra')  # A choice of the client's, which sends another.
    if effort is not None and effort not in efforts:
        raise invalid(
            f"Unsupported value: '{effort}' is not supported with the '{model}' model. "
            f'Supported values are: {quoted(efforts)}.',
            'reasoning.effort',
            code='unsupported_value',
        )


def _check_text(body: Json) -> None:
    text = body.get('text')
    if text is None:
        return
    if not isinstance(text, dict):
        raise wrong_type('text', 'an object')
    fields = cast(Json, text)
    _check_choice('text.verbosity', fields.get('verbosity'), _VERBOSITIES)
    if fields.get('format') is not None:
        _check_format(_dict(fields['format']), body)


def _check_format(output: Json, body: Json) -> None:
    kind = output.get('type')
    if kind is None:
        raise missing('text.format.type')
    _check_choice('text.format.type', kind, _FORMATS)
    if kind == 'json_object' and 'json' not in ' '.join(input_texts(body.get('input'))).lower():
        raise invalid(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'.",
            'input',
        )
    if kind == 'json_schema':
        _check_json_schema(output)


def _check_json_schema(output: Json) -> None:
    name, schema = output.get('name'), output.get('schema')
    if name is None:
        raise missing('text.format.name')
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise invalid(
            f"Invalid 'text.format.name': string does not match pattern. Expected '{NAME.pattern}'.",
            'text.format.name',
            code='invalid_value',
        )
    if schema is None:
        raise missing('text.format.schema')
    if not isinstance(schema, dict):
        raise wrong_type('text.format.schema', 'an object')
    if output.get('strict') is True and (problem := check_strict_schema(cast(Json, schema))):
        raise invalid(
            f"Invalid schema for response_format '{name}': {problem}",
            'text.format.schema',
            code='invalid_json_schema',
        )


def _check_options(body: Json) -> None:
    _check_choice('service_tier', body.get('service_tier'), _TIERS)
    include: object = body.get('include')
    if include is not None and not isinstance(include, list):
        raise wrong_type('include', 'an array')
    for index, name in enumerate(_list(body.get('include'))):
        if name not in _INCLUDES:
            raise wrong_value(f'include[{index}]', name, quoted(_INCLUDES))
    if not isinstance(body.get('prompt_cache_key', ''), str):
        raise wrong_type('prompt_cache_key', 'a string')
    if not isinstance(body.get('parallel_tool_calls', True), bool):
        raise wrong_type('parallel_tool_calls', 'a boolean')
    metadata = body.get('client_metadata', {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in cast(Json, metadata).values()):
        raise wrong_type('client_metadata', 'an object of strings')


def _check_choice(param: str, value: object, supported: tuple[str, ...]) -> None:
    if value is not None and value not in supported:
        raise wrong_value(param, value, quoted(supported))


def _list(value: object) -> list[Any]:
    return cast('list[Any]', value) if isinstance(value, list) else []


def _dict(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


_CHECKS: Final[tuple[Callable[[Json], None], ...]] = (
    _check_stream_and_store,
    _check_instructions,
    _check_options,
    check_tools,
    check_tool_choice,
    _check_text,
)
