"""The login: credentials, and the stores they are read from. Usable without pydantic-ai and without a model."""

from __future__ import annotations

from ..errors import CredentialsError, CredentialsFileError, CredentialsNotFoundError
from ._credentials import AuthMode, Credentials
from ._sources import EnvironmentStore, default_auth_path
from ._store import AuthFile, CredentialStore, MemoryStore

__all__ = (
    'AuthFile',
    'AuthMode',
    'CredentialStore',
    'Credentials',
    'CredentialsError',
    'CredentialsFileError',
    'CredentialsNotFoundError',
    'EnvironmentStore',
    'MemoryStore',
    'default_auth_path',
)
