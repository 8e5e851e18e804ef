"""The checks of single input items, by type.

The fields are those of the published types of the Responses API, and those that Codex CLI 0.169.0 adds (captured). What
is refused is known from public reports, each named where it is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from ._checks_fields import (
    check_array,
    check_choice,
    check_id_length,
    check_known,
    check_object,
    check_string,
    check_strings,
)
from ._checks_parts import INPUT_PARTS, OUTPUT_PARTS, SUMMARY_PARTS, check_parts
from ._checks_tools import NAME
from ._rejections import detail, invalid, missing, not_persisted, quoted, unknown, wrong_type, wrong_value
from ._tokens import is_sealed_for

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ItemRule:
    """What is known of one type of items.

    Attributes:
        check: The check of its fields.
        id_prefix: How its id begins.
        fields: Its fields, besides `COMMON`; `None` where they are not known.
    """

    check: Callable[[Json, str], None]
    id_prefix: str = ''
    fields: tuple[str, ...] | None = None


COMMON: Final = ('type', 'id', 'internal_chat_message_metadata_passthrough', 'content_item_metadata')
"""Fields of every item; the last two are decoration of the CLI (captured)."""

_PHASES: Final = ('commentary', 'final_answer')
_STATUSES: Final = ('in_progress', 'completed', 'incomplete')
_SEARCH_STATUSES: Final = ('in_progress', 'searching', 'completed', 'failed', 'incomplete')
_EXECUTIONS: Final = ('server', 'client')
_SEARCH_ACTIONS: Final = {
    'search': ('type', 'query', 'queries', 'sources'),
    'open_page': ('type', 'url'),
    'find_in_page': ('type', 'url', 'pattern'),
}
_SHELL_ACTION: Final = ('type', 'command', 'env', 'timeout_ms', 'user', 'working_directory')


def check_item(item: Json, at: str, account_id: str) -> None:
    """Check one item.

    Raises:
        Rejection: The first thing that is wrong with it.
    """
    kind = item.get('type', 'message' if 'role' in item else None)
    if kind is None:
        raise missing(f'{at}.type')
    rule = RULES.get(kind) if isinstance(kind, str) else None
    if rule is None:
        raise wrong_value(f'{at}.type', kind, quoted(tuple(RULES)))
    if rule.fields is not None:
        check_known(item, (*COMMON, *rule.fields), at)
    _check_id(item.get('id'), f'{at}.id', rule.id_prefix)
    rule.check(item, at)
    if kind in ('reasoning', 'compaction'):
        _check_sealed(item, at, account_id)


def _check_id(item_id: object, param: str, prefix: str) -> None:
    if item_id is None:
        return
    if not isinstance(item_id, str):
        raise wrong_type(param, 'a string')
    check_id_length(item_id, param)
    if not item_id.startswith(prefix):
        raise invalid(
            f"Invalid '{param}': '{item_id}'. Expected an ID that begins with '{prefix}'.", param, code='invalid_value'
        )


def _check_message(item: Json, at: str) -> None:
    role = item.get('role')
    if role == 'system':
        raise detail('System messages are not allowed')
    if role not in ('user', 'developer', 'assistant'):
        raise wrong_value(f'{at}.role', role, quoted(('assistant', 'developer', 'user')))
    if 'phase' in item and role != 'assistant':
        raise unknown(f'{at}.phase')
    check_choice(item, 'phase', at, _PHASES)
    check_choice(item, 'status', at, _STATUSES)
    if 'content' not in item:
        raise missing(f'{at}.content')
    if not isinstance(item['content'], str):
        check_parts(item['content'], f'{at}.content', OUTPUT_PARTS if role == 'assistant' else INPUT_PARTS)


def _check_reasoning(item: Json, at: str) -> None:
    check_array(item, 'summary', at)
    check_parts(item['summary'], f'{at}.summary', SUMMARY_PARTS)
    content = item.get('content')
    if content is None:
        return
    check_array(item, 'content', at)
    if content:
        # Codex' own, as many of its clients report: raw reasoning cannot be sent back.
        raise invalid(
            f"Invalid '{at}.content': array too long. Expected an array with maximum length 0, but got an array with "
            f'length {len(content)} instead.',
            f'{at}.content',
            code='array_above_max_length',
        )


def _check_sealed(item: Json, at: str, account_id: str) -> None:
    item_id = item.get('id')
    if item.get('encrypted_content') is None and item['type'] == 'reasoning' and item_id is not None:
        raise not_persisted(item_id)
    if not is_sealed_for(account_id, check_string(item, 'encrypted_content', at)):
        raise invalid(
            f'The encrypted content for item {item_id} could not be verified. Reason: Encrypted content could not be '
            'decrypted or parsed.',
            'input',
            code='invalid_encrypted_content',
        )


def _check_function_call(item: Json, at: str) -> None:
    _check_named_call(item, at)
    check_string(item, 'arguments', at)


def _check_custom_call(item: Json, at: str) -> None:
    _check_named_call(item, at)
    check_string(item, 'input', at)


def _check_named_call(item: Json, at: str) -> None:
    _check_call_id(item, at)
    name = check_string(item, 'name', at)
    if not NAME.fullmatch(name):
        raise invalid(
            f"Invalid '{at}.name': string does not match pattern. Expected a string that matches the pattern "
            f"'{NAME.pattern}'.",
            f'{at}.name',
            code='invalid_value',
        )
    if item.get('namespace') is not None:
        check_string(item, 'namespace', at)
    check_choice(item, 'status', at, _STATUSES)


def _check_call_id(item: Json, at: str) -> None:
    check_id_length(check_string(item, 'call_id', at), f'{at}.call_id')


def _check_output(item: Json, at: str) -> None:
    _check_call_id(item, at)
    check_choice(item, 'status', at, _STATUSES)
    if 'output' not in item:
        raise missing(f'{at}.output')
    if not isinstance(item['output'], str):
        check_parts(item['output'], f'{at}.output', INPUT_PARTS)


def _check_shell_call(item: Json, at: str) -> None:
    _check_call_id(item, at)
    check_choice(item, 'status', at, _STATUSES)
    action = check_object(item, 'action', at)
    if action.get('type') != 'exec':
        raise wrong_value(f'{at}.action.type', action.get('type'), quoted(('exec',)))
    check_known(action, _SHELL_ACTION, f'{at}.action')
    check_strings(action, 'command', f'{at}.action')


def _check_shell_output(item: Json, at: str) -> None:
    _check_call_id(item, at)
    check_choice(item, 'status', at, _STATUSES)
    check_string(item, 'output', at)


def _check_search(item: Json, at: str) -> None:
    # That the id is needed, the names of the actions, and that none takes the fields of another: reports of the CLI.
    check_string(item, 'id', at)
    check_choice(item, 'status', at, _SEARCH_STATUSES)
    action = check_object(item, 'action', at)
    kind = action.get('type')
    if not isinstance(kind, str) or kind not in _SEARCH_ACTIONS:
        raise wrong_value(f'{at}.action.type', kind, quoted(tuple(_SEARCH_ACTIONS)))
    check_known(action, _SEARCH_ACTIONS[kind], f'{at}.action')


def _check_stored(item: Json, at: str) -> None:
    """An item that the API looks up by its id, even where its content stands beside it (public reports)."""
    raise not_persisted(check_string(item, 'id', at))


def _check_tool_search(item: Json, at: str) -> None:
    if item.get('call_id') is not None:
        _check_call_id(item, at)
    check_choice(item, 'execution', at, _EXECUTIONS)
    check_choice(item, 'status', at, _STATUSES)
    if item['type'] == 'tool_search_output':
        check_array(item, 'tools', at)
    elif 'arguments' not in item:
        raise missing(f'{at}.arguments')


def _check_additional_tools(item: Json, at: str) -> None:
    if item.get('role') != 'developer':
        raise wrong_value(f'{at}.role', item.get('role'), quoted(('developer',)))
    check_array(item, 'tools', at)


def _check_loosely(item: Json, at: str) -> None:
    """An item of which only the name is known, from the CLI's source or from the published types."""
    if not isinstance(cast(object, item.get('call_id', '')), str):
        raise wrong_type(f'{at}.call_id', 'a string')


def _check_nothing(item: Json, at: str) -> None:
    """Its fields are all there is to check."""


RULES: Final[dict[str, ItemRule]] = {
    'message': ItemRule(_check_message, 'msg', ('role', 'content', 'phase', 'status')),
    # No `status`: Codex answers "Unknown parameter" for it (public reports).
    'reasoning': ItemRule(_check_reasoning, 'rs', ('summary', 'content', 'encrypted_content')),
    'function_call': ItemRule(
        _check_function_call, 'fc', ('call_id', 'name', 'namespace', 'arguments', 'status', 'caller', 'async')
    ),
    # Outputs have no id of the backend; the CLI makes `fco_` and `ctco_` ones (captured).
    'function_call_output': ItemRule(
        _check_output, 'fc', ('call_id', 'output', 'status', 'name', 'namespace', 'caller')
    ),
    'custom_tool_call': ItemRule(
        _check_custom_call, 'ctc', ('call_id', 'name', 'namespace', 'input', 'status', 'caller', 'async')
    ),
    'custom_tool_call_output': ItemRule(_check_output, 'ctc', ('call_id', 'output', 'status', 'name', 'caller')),
    'local_shell_call': ItemRule(_check_shell_call, 'lsh', ('call_id', 'action', 'status')),
    'local_shell_call_output': ItemRule(_check_shell_output, '', ('call_id', 'output', 'status')),
    'tool_search_call': ItemRule(_check_tool_search, 'tsc', ('call_id', 'arguments', 'execution', 'status')),
    'tool_search_output': ItemRule(_check_tool_search, 'tso', ('call_id', 'tools', 'execution', 'status')),
    'web_search_call': ItemRule(_check_search, 'ws', ('action', 'status')),
    'image_generation_call': ItemRule(_check_stored, 'ig'),
    'item_reference': ItemRule(_check_stored),
    'additional_tools': ItemRule(_check_additional_tools, 'at', ('role', 'tools')),
    'compaction': ItemRule(_check_nothing, 'cmp', ('encrypted_content',)),
    'compaction_trigger': ItemRule(_check_nothing, '', ()),
    'configuration_update': ItemRule(_check_nothing, '', ('reasoning', 'text')),
    'agent_message': ItemRule(_check_loosely),
    'context_compaction': ItemRule(_check_loosely),
    'code_interpreter_call': ItemRule(_check_loosely),
    'computer_call': ItemRule(_check_loosely),
    'computer_call_output': ItemRule(_check_loosely),
    'file_search_call': ItemRule(_check_loosely),
    'mcp_approval_request': ItemRule(_check_loosely),
    'mcp_approval_response': ItemRule(_check_loosely),
    'mcp_call': ItemRule(_check_loosely),
    'mcp_list_tools': ItemRule(_check_loosely),
    'shell_call': ItemRule(_check_loosely),
    'shell_call_output': ItemRule(_check_loosely),
    'apply_patch_call': ItemRule(_check_loosely),
    'apply_patch_call_output': ItemRule(_check_loosely),
}
