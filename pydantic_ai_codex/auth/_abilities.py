"""What a store can do beyond loading and saving, which not every store can."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ._file.notes import RefreshNote
from ._paths import is_of_the_cli, login_command, store_option
from ._sources import EnvironmentStore
from ._store import AuthFile, CredentialStore


@runtime_checkable
class NotingStore(Protocol):
    """A store that outlives the process and keeps notes of refreshes; see `AuthFile`."""

    async def check_writable(self) -> None: ...
    async def read_note(self) -> RefreshNote | None: ...
    async def write_note(self, note: RefreshNote) -> None: ...
    async def clear_note(self) -> None: ...
    async def finish_save(self) -> bool: ...


def lock_of(store: CredentialStore) -> AbstractAsyncContextManager[Any]:
    """The store's lock, or none where it has none."""
    lock: Any = getattr(store, 'lock', None)
    return nullcontext() if lock is None else lock()


async def check_store(store: CredentialStore) -> None:
    """Refuse a store that cannot be written, before a user goes through a login for nothing.

    Raises:
        CredentialsError: If it cannot be written.
    """
    await call_if_there(store, 'check_writable')


async def call_if_there(store: CredentialStore, name: str) -> None:
    """Call a method without arguments that the store may have, and `AuthFile` has."""
    method: Any = getattr(store, name, None)
    if method is not None:
        await method()


def how_to_log_in(store: CredentialStore) -> str:
    """What to do where a login is no good any more, which depends on where it is kept; without a full stop."""
    if isinstance(store, EnvironmentStore) and not store.is_file:
        return 'Replace the value of CODEX_ACCESS_TOKEN, or unset it to use the login file'
    if (path := _path(store)) is not None:
        return f'Run {login_command(path)} to log in anew'
    return f'Put a new login into the store ({type(store).__name__})'


def how_to_refresh(store: CredentialStore) -> str:
    """Who else refreshes a login that is only read here; without a full stop."""
    path = _path(store)
    if path is None:
        return 'Let the program that refreshes it do so'
    return 'Run any `codex` command, which refreshes it' if is_of_the_cli(path) else how_to_force(store)


def how_to_force(store: CredentialStore) -> str:
    """How to refresh at once, whatever speaks against it; without a full stop."""
    path = _path(store)
    return 'Call `TokenSource.refresh()`' if path is None else f'Run `pydantic-ai-codex refresh{store_option(path)}`'


def _path(store: CredentialStore) -> Path | None:
    """The file, where the login is in one."""
    if isinstance(store, EnvironmentStore):
        return store.file.path if store.is_file else None
    return store.path if isinstance(store, AuthFile) else None
