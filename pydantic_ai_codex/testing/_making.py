"""Providers whose requests lead to a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .. import CodexProvider, TransportPolicy


def make_provider(policy: TransportPolicy | None, made: Mapping[str, Any], given: Mapping[str, Any]) -> CodexProvider:
    """Make a provider; the façade is imported now, so that nothing of it is loaded with the simulator.

    Args:
        policy: How patient it is; by default nothing is tried again.
        made: What the simulator makes for it.
        given: What the caller has given, which wins.
    """
    from .. import CodexProvider, TransportPolicy

    usual: dict[str, Any] = {
        'policy': policy or TransportPolicy(max_retries=0),
        'cache_dir': False,  # A test writes nothing into its user's folder, and `github` has texts of its own.
    }
    provider = CodexProvider(**{**usual, **made, **given})
    # With a client or an address of the caller's, a request may go anywhere.
    provider.client.is_simulated = not {'http_client', 'base_url'} & given.keys()
    return provider
