"""What a store can do beyond loading and saving, which not every store can."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Protocol, runtime_checkable

from ._file.notes import RefreshNote
from ._store import CredentialStore


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
