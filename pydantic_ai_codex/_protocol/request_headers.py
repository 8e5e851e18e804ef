"""The headers of a request that say what it is, to which conversation it belongs, and where it goes."""

from __future__ import annotations

import re
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from .constants import (
    CLIENT_VERSION,
    HEADER_WORD,
    ROUTING_OVERRIDE_HEADER,
    SESSION_HEADERS,
    TURN_STATE_HEADER,
    VERSION_HEADER,
)
from .requests import CodexRequest

_WINDOW_HEADER: Final = 'x-codex-window-id'
_HINT: Final = re.compile(r'model=[!-:<-~]+(;tier=[!-:<-~]+)?')
"""What can stand in a header, without the mark between the two."""

_HINT_HEADER: Final = 'x-codex-routing-hint'

_LONGEST_VALUE: Final = 4096
"""Of a header whose value comes from elsewhere, ours: servers refuse requests whose headers have more than 8 kB or so."""


def session_headers(request: CodexRequest) -> dict[str, str]:
    """The headers that say what is sent and to which conversation it belongs; names in lower case."""
    headers = {
        'accept': 'text/event-stream',
        # The frames are small and wanted at once; a compressing proxy would hold them back.
        'accept-encoding': 'identity',
        'content-type': 'application/json',
    }
    headers.update(dict.fromkeys(SESSION_HEADERS, request.session_id))
    headers.update((name.lower(), value) for name, value in request.extra_headers.items())
    return headers


def codex_headers(request: CodexRequest, *, override: str | None) -> dict[str, str]:
    """The headers of a ChatGPT login that say where the request goes, in the order of the CLI (captured).

    What fits in no header is left out: they only say how to serve the request best. So are those that the user sets.

    Args:
        request: The request.
        override: Where the requests of the account have to be processed, if that is told.
    """
    headers = {VERSION_HEADER: CLIENT_VERSION}
    if override and _fits_in_header(override):
        headers[ROUTING_OVERRIDE_HEADER] = override
    if request.turn_state and _fits_in_header(request.turn_state):
        headers[TURN_STATE_HEADER] = request.turn_state
    headers[_WINDOW_HEADER] = f'{request.session_id}:{request.window}'
    if hint := _routing_hint(request):
        headers[_HINT_HEADER] = hint
    for name in request.extra_headers:
        headers.pop(name.lower(), None)
    return headers


def _routing_hint(request: CodexRequest) -> str | None:
    """The model and the tier that the body names."""
    model = request.extra_body.get('model', request.model)
    tier = request.extra_body.get('service_tier', request.service_tier)
    if not isinstance(model, str) or ';' in model or not isinstance(tier, str | None):
        return None
    hint = f'model={model}' if tier is None else f'model={model};tier={tier}'
    return hint if len(hint) <= _LONGEST_VALUE and _HINT.fullmatch(hint) else None


def _fits_in_header(value: str) -> bool:
    return len(value) <= _LONGEST_VALUE and HEADER_WORD.fullmatch(value) is not None


def session_id_for(conversation_id: str) -> str:
    """The session id of a conversation: its own id where a header can carry it, else one derived from it.

    Args:
        conversation_id: The id of the conversation.
    """
    if len(conversation_id) <= 64 and HEADER_WORD.fullmatch(conversation_id):
        return conversation_id
    return str(uuid5(NAMESPACE_OID, conversation_id.encode('utf-8', 'surrogatepass').hex()))
