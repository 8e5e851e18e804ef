"""Clones of an HTTP client that was passed in: connections belong to one event loop, settings do not.

This is the only place that looks inside `httpx2`, where the settings of a client are kept. A clone is a shallow copy in
which nothing but the known, listed state is made anew, so it cannot lack a setting; and where anything is not listed
here, because the transport is somebody's own, the client was instrumented or `httpx2` has changed, there is no clone.
The attributes are those of httpx2 2.7 to 2.16.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Final

import httpx2

_CLIENT_STATE: Final = frozenset({'_mounts', '_state', '_transport'})
_CLIENT: Final = _CLIENT_STATE | {
    '_auth',
    '_base_url',
    '_cookies',
    '_default_encoding',
    '_event_hooks',
    '_headers',
    '_params',
    '_timeout',
    '_trust_env',
    'follow_redirects',
    'max_redirects',
}
_POOL_STATE: Final[Mapping[str, str]] = {
    '_connections': 'builtins.list',
    '_network_backend': 'httpcore2._backends.auto.AutoBackend',
    '_optional_thread_lock': 'httpcore2._synchronization.AsyncThreadLock',
    '_requests': 'builtins.list',
}
"""What a pool keeps for one event loop, and its type, which makes an empty one when it is called."""
_POOL: Final = frozenset(_POOL_STATE) | {
    '_http1',
    '_http2',
    '_keepalive_expiry',
    '_local_address',
    '_max_connections',
    '_max_keepalive_connections',
    '_proxy',
    '_retries',
    '_socket_options',
    '_ssl_context',
    '_uds',
}
_POOLS: Final[Mapping[str, frozenset[str]]] = {
    'httpcore2.AsyncConnectionPool': _POOL,
    'httpcore2.AsyncHTTPProxy': _POOL | {'_proxy_headers', '_proxy_ssl_context', '_proxy_url'},
    'httpcore2.AsyncSOCKSProxy': _POOL | {'_proxy_auth', '_proxy_url'},
}


def can_clone(client: httpx2.AsyncClient) -> bool:
    """Whether everything inside the client is stock, and known here; where not, one client has to serve every loop.

    Args:
        client: The client that was passed in.
    """
    try:
        return type(client) is httpx2.AsyncClient and vars(client).keys() == _CLIENT and _has_stock_transports(client)
    except (AttributeError, TypeError):
        return False  # Another version, where things have another shape.


def clone(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client with the same settings and TLS context, without connections, for which `can_clone` holds.

    Args:
        client: The client that was passed in; it is not changed.
    """
    inside = vars(client)
    copies = {transport: _clone_transport(transport) for transport in _transports(client)}
    made = copy(client)
    vars(made).update(
        _transport=copies[inside['_transport']],
        _mounts={pattern: copies.get(transport) for pattern, transport in inside['_mounts'].items()},
    )
    return made


def follow(made: httpx2.AsyncClient, client: httpx2.AsyncClient) -> None:
    """Bring a clone up to date with what was set on its original since, such as headers.

    Args:
        made: The clone.
        client: Its original.
    """
    vars(made).update({name: value for name, value in vars(client).items() if name not in _CLIENT_STATE})


def _transports(client: httpx2.AsyncClient) -> set[Any]:
    inside = vars(client)
    return {inside['_transport'], *inside['_mounts'].values()} - {None}


def _has_stock_transports(client: httpx2.AsyncClient) -> bool:
    return all(
        type(transport) is httpx2.AsyncHTTPTransport
        and vars(transport).keys() == {'_pool'}
        and _is_stock_pool(vars(transport)['_pool'])
        for transport in _transports(client)
    )


def _is_stock_pool(pool: object) -> bool:
    inside = vars(pool)
    return inside.keys() == _POOLS.get(_kind(pool)) and all(
        _kind(inside[name]) == kind for name, kind in _POOL_STATE.items()
    )


def _clone_transport(transport: httpx2.AsyncHTTPTransport) -> httpx2.AsyncHTTPTransport:
    made = copy(transport)
    pool: object = copy(vars(transport)['_pool'])
    inside = vars(pool)
    inside.update({name: type(inside[name])() for name in _POOL_STATE})
    vars(made)['_pool'] = pool
    return made


def _kind(value: object) -> str:
    return f'{type(value).__module__}.{type(value).__qualname__}'
