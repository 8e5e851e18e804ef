"""The login: getting one, keeping it, and keeping it usable. Works without pydantic-ai and without a model.

```
store = AuthFile(path)                      # or a store of your own, see CredentialStore
credentials = await device_login(show=...)  # or browser_login
await save_login(store, credentials)
source = TokenSource(store)
login = await source.credentials()          # usable now; refreshed, and kept, when that is due
recovered = await source.recover(login)     # after a 401: what replaces it, or None
await logout(store)
```

`docs/applications.md` has all of it, as code that runs.

The names below are imported when they are first used: reading a login does not pay for the ways to get one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..errors import AccountChangedError as AccountChangedError
    from ..errors import CredentialsError as CredentialsError
    from ..errors import CredentialsFileError as CredentialsFileError
    from ..errors import CredentialsNotFoundError as CredentialsNotFoundError
    from ..errors import CredentialsRefreshError as CredentialsRefreshError
    from ..errors import CredentialsSaveError as CredentialsSaveError
    from ..errors import LoginError as LoginError
    from ._credentials import AuthMode as AuthMode
    from ._credentials import Credentials as Credentials
    from ._http import AuthHTTP as AuthHTTP
    from ._login.browser import browser_login as browser_login
    from ._login.device import device_login as device_login
    from ._login.logout import LogoutResult as LogoutResult
    from ._login.logout import NotRemovedError as NotRemovedError
    from ._login.logout import logout as logout
    from ._login.requests import DeviceCode as DeviceCode
    from ._login.saving import login_with_api_key as login_with_api_key
    from ._login.saving import login_with_token as login_with_token
    from ._login.saving import save_login as save_login
    from ._oauth import Endpoints as Endpoints
    from ._paths import default_auth_path as default_auth_path
    from ._paths import own_auth_path as own_auth_path
    from ._sources import EnvironmentStore as EnvironmentStore
    from ._store import AuthFile as AuthFile
    from ._store import CredentialStore as CredentialStore
    from ._store import MemoryStore as MemoryStore
    from ._tokens import RefreshMode as RefreshMode
    from ._tokens import TokenSource as TokenSource

_HOMES = {
    '..errors': (
        'AccountChangedError',
        'CredentialsError',
        'CredentialsFileError',
        'CredentialsNotFoundError',
        'CredentialsRefreshError',
        'CredentialsSaveError',
        'LoginError',
    ),
    '._credentials': ('AuthMode', 'Credentials'),
    '._http': ('AuthHTTP',),
    '._login.saving': ('login_with_api_key', 'login_with_token', 'save_login'),
    '._login.browser': ('browser_login',),
    '._login.device': ('device_login',),
    '._login.logout': ('LogoutResult', 'NotRemovedError', 'logout'),
    '._login.requests': ('DeviceCode',),
    '._oauth': ('Endpoints',),
    '._paths': ('default_auth_path', 'own_auth_path'),
    '._sources': ('EnvironmentStore',),
    '._store': ('AuthFile', 'CredentialStore', 'MemoryStore'),
    '._tokens': ('RefreshMode', 'TokenSource'),
}

__all__ = (
    'AccountChangedError',
    'AuthFile',
    'AuthHTTP',
    'AuthMode',
    'CredentialStore',
    'Credentials',
    'CredentialsError',
    'CredentialsFileError',
    'CredentialsNotFoundError',
    'CredentialsRefreshError',
    'CredentialsSaveError',
    'DeviceCode',
    'Endpoints',
    'EnvironmentStore',
    'LoginError',
    'LogoutResult',
    'MemoryStore',
    'NotRemovedError',
    'RefreshMode',
    'TokenSource',
    'browser_login',
    'default_auth_path',
    'device_login',
    'login_with_api_key',
    'login_with_token',
    'logout',
    'own_auth_path',
    'save_login',
)


if not TYPE_CHECKING:  # else every name would count as there

    def __getattr__(name: str) -> Any:
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(import_module(home, __name__), name)
                globals()[name] = value
                return value
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted(__all__)
