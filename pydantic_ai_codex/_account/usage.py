"""The limits of the plan, asked for."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from .._protocol.constants import MAX_ACCOUNT_BYTES
from .._protocol.rate_limits import RateLimits, limits_from_usage
from ..auth import Credentials
from ..errors import BackendError, ConfigurationError
from .lookup import NOT_THE_BACKEND, Lookups, usage_url


async def fetch_rate_limits(lookups: Lookups, credentials: Credentials, base_url: str, now: datetime) -> RateLimits:
    """The limits of the plan as they are now. It costs nothing of them.

    Args:
        lookups: Asks the backend.
        credentials: The login.
        base_url: What stands before `/responses`.
        now: The wall clock.

    Raises:
        ConfigurationError: If the login is an API key.
        BackendError: If the backend refuses to tell, or tells something else.
        TransportError: If it cannot be asked.
        CredentialsError: If the login cannot be sent.
    """
    if credentials.auth_mode == 'apikey':
        raise ConfigurationError(
            'Plan limits belong to ChatGPT logins, and this is an API key, whose limits are shown on '
            'platform.openai.com. Log in with `pydantic-ai-codex login` to use a plan.'
        )
    url = usage_url(base_url)
    reply = await lookups.get(url, credentials, most=MAX_ACCOUNT_BYTES)
    limits = limits_from_usage(reply.json(), now)
    if limits is None:
        # Never zeros: somebody would rely on a plan that is used up.
        raise BackendError(
            f'The answer of {urlsplit(url).netloc} tells no limits of the plan.',
            status_code=reply.status_code,
            headers=reply.headers,
            hint=NOT_THE_BACKEND,
        )
    return limits
