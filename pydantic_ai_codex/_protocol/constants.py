"""Every URL, header and limit of the protocol; the one home of each.

Sources: *captured* means that Codex CLI 0.169.0 was seen to send or accept it; *public reports* means issue threads of
Codex clients; the real backend was not asked.
"""

from __future__ import annotations

import re
from typing import Final

CHATGPT_BASE_URL: Final = 'https://chatgpt.com/backend-api/codex'
"""What stands before `/responses` for a ChatGPT login (captured)."""

API_BASE_URL: Final = 'https://api.openai.com/v1'
"""What stands before `/responses` for an API key (the CLI's API-key mode)."""

RESPONSES_PATH: Final = '/responses'

BACKEND_PATH: Final = '/backend-api'
"""Where the pages about a ChatGPT account are, on its host; those of Codex are below it (captured)."""

CODEX_PATH: Final = f'{BACKEND_PATH}/codex'
"""How the path of a base URL ends that is known to have the pages below (captured); others need not have them."""

MODELS_PATH: Final = '/models'
"""The list of models, behind the base URL (captured)."""

CLIENT_VERSION: Final = '0.169.0'
"""The version of the CLI whose protocol is spoken here: the list of models demands one and leaves out what older ones
cannot use, and newer models are refused to those who name none (captured that it is sent; what for: public reports). Who
is speaking is said by `originator` and `user-agent`."""

VERSION_HEADER: Final = 'version'

CLIENT_VERSION_PARAMETER: Final = 'client_version'

ACCOUNTS_CHECK_PATH: Final = '/wham/accounts/check'
USAGE_PATH: Final = '/wham/usage'
"""The accounts of a login with their routing, and the limits of the plan, below `BACKEND_PATH` (captured)."""

OTHER_USAGE_PATH: Final = '/api/codex/usage'
"""The limits of the plan on a host without `BACKEND_PATH` (from the CLI's source)."""

MODELS_ETAG_HEADER: Final = 'x-models-etag'
"""Which version of the list of models an answer was made with (captured)."""

MODELS_LIFETIME: Final = 300.0
"""Seconds for which a list of models is not asked for again (the CLI's, from its source)."""

ROUTING_OVERRIDE_HEADER: Final = 'x-openai-account-routing-override'
"""Where the requests of an account have to be processed (captured)."""

ROUTING_OVERRIDES: Final = frozenset({'us', 'us_cr'})
NO_ROUTING_OVERRIDE: Final = 'NO_CONSTRAINT'
"""What an account's override may be; the second stands for no header (captured)."""

TURN_STATE_HEADER: Final = 'x-codex-turn-state'
"""What ties the requests of one turn together: the first value of a turn is sent with its later requests (captured)."""

DEFAULT_ORIGINATOR: Final = 'pydantic_ai_codex'
"""We name ourselves; the CLI sends `codex_cli_rs` or `codex_exec` (captured)."""

ACCOUNT_HEADER: Final = 'chatgpt-account-id'
FEDRAMP_HEADER: Final = 'x-openai-fedramp'
ORIGINATOR_HEADER: Final = 'originator'

HEADER_WORD: Final = re.compile(r'[!-~]+')
"""What ids, tokens and names may be made of to stand in a header: visible ASCII, no blanks."""

SESSION_HEADERS: Final = ('session-id', 'thread-id', 'x-client-request-id')
"""The prompt cache follows `session-id`, not the body's `prompt_cache_key` alone (captured; public reports)."""

PROTECTED_HEADERS: Final = frozenset(
    {
        'authorization',
        ACCOUNT_HEADER,
        'accept-encoding',
        'connection',
        'content-length',
        'content-type',
        'host',
        'transfer-encoding',
    }
)
"""Headers that no setting may replace: they decide whose login pays, where it goes, and how the bytes are framed."""

REQUEST_ID_HEADERS: Final = ('x-request-id', 'x-oai-request-id')
"""What the CLI reads as the id of a request, for support (captured)."""

ACTIVE_LIMIT_HEADER: Final = 'x-codex-active-limit'
"""The name of the limit that a request counted against; its headers begin with `x-<name>-` (captured)."""

AUTH_CLAIM: Final = 'https://api.openai.com/auth'
"""The JWT claim that holds `chatgpt_account_id`, `chatgpt_plan_type` and `chatgpt_account_is_fedramp` (captured)."""

PROFILE_CLAIM: Final = 'https://api.openai.com/profile'
"""The JWT claim that may hold the e-mail address (from the CLI's source)."""

INCLUDE: Final = ('reasoning.encrypted_content',)
"""Nothing is stored, so reasoning comes back encrypted, to be replayed (captured)."""

MAX_EVENT_BYTES: Final = 256 * 1024 * 1024
"""The bound of one event, ours: far beyond an answer, and well within a machine's memory."""

MAX_ERROR_BODY_BYTES: Final = 64 * 1024
"""How much of an error page is read."""

MAX_MODELS_BYTES: Final = 16 * 1024 * 1024
"""The bound of a list of models, ours: it holds the instructions of each, some twenty thousand characters (captured)."""

MAX_ACCOUNT_BYTES: Final = 1024 * 1024
"""The bound of the other pages about an account, ours."""

CONNECT_TIMEOUT: Final = 15.0
"""Seconds to connect (the CLI's WebSocket limit, from its source)."""

IDLE_TIMEOUT: Final = 300.0
"""Seconds between two pieces of a stream (the CLI's `stream_idle_timeout_ms`, captured)."""

LOOKUP_PATIENCE: Final = 5.0
"""Seconds that a turn waits for what is looked up beside it, ours: it is of use, and the turn goes on without it."""

LOOKUP_FAILURE_LIFETIME: Final = 300.0
"""Seconds for which a turn does not look up again what could not be looked up, ours."""

ISSUER: Final = 'https://auth.openai.com'
"""The login service (captured)."""

CLIENT_ID: Final = 'app_EMoamEEZ73f0CkXaXp7hrann'
"""The public client of the Codex CLI; there is no other that a plan's login can be used with (captured)."""

SCOPE: Final = 'openid profile email offline_access api.connectors.read api.connectors.invoke'
"""What the CLI asks for (captured)."""

AUTHORIZE_PATH: Final = '/oauth/authorize'
TOKEN_PATH: Final = '/oauth/token'
REVOKE_PATH: Final = '/oauth/revoke'
"""The paths of the login service (captured)."""

CALLBACK_PORTS: Final = (1455, 1457)
"""The ports of the redirect URIs that the login service knows, the second for when the first is in use (the first
captured, the second from the CLI's source)."""

CALLBACK_PATH: Final = '/auth/callback'

DEVICE_CODE_PATH: Final = '/api/accounts/deviceauth/usercode'
DEVICE_TOKEN_PATH: Final = '/api/accounts/deviceauth/token'
DEVICE_PAGE_PATH: Final = '/codex/device'
DEVICE_REDIRECT_PATH: Final = '/deviceauth/callback'
"""The device login: where a code is got and asked about, where the user types it, and the redirect URI of its exchange
(captured)."""

DEVICE_LIFETIME: Final = 900.0
"""Seconds for which a device code can be used (captured)."""

TOKEN_URL_VARIABLE: Final = 'CODEX_REFRESH_TOKEN_URL_OVERRIDE'
REVOKE_URL_VARIABLE: Final = 'CODEX_REVOKE_TOKEN_URL_OVERRIDE'
"""The CLI's variables that name other URLs, whole, to refresh and to revoke at (captured)."""

UNREADABLE_EXPIRY_LIFETIME: Final = 8 * 24 * 3600.0
"""Seconds after `last_refresh` when a token that does not say when it expires is refreshed (captured)."""

REFRESH_MARGIN: Final = 600.0
"""Seconds before its expiry when a token is refreshed. Ours: the CLI does it at about 300 (captured), and asks without a
lock that would keep two from spending the same token (captured), so we are there first."""
