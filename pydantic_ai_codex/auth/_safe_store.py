"""A store as the refresh sees it: whatever it raises, or is not, becomes an error of ours without a token in it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast

from ..errors import AccountChangedError, CodexError, ConfigurationError, CredentialsError, CredentialsSaveError
from ._abilities import NotingStore, how_to_force, how_to_log_in
from ._credentials import Credentials
from ._file.login_file import SupersededError
from ._file.notes import RefreshNote
from ._secrets import masked, quotable, secrets_of
from ._sources import EnvironmentStore
from ._store import AuthFile, CredentialStore, MemoryStore

_log: Final = logging.getLogger('pydantic_ai_codex')


class SafeStore:
    """Wraps a store of ours or of an application.

    Args:
        store: The store.
    """

    def __init__(self, store: CredentialStore) -> None:
        self._store = store
        self._notes = store if isinstance(store, NotingStore) else None
        self.is_file = isinstance(store, AuthFile | EnvironmentStore)
        """Whether it is a file, in which another account is nobody's intention."""
        self.is_bound = type(store) not in (AuthFile, EnvironmentStore, MemoryStore)
        """Whether it is an application's, or a class derived from ours: it may be bound to the caller's event loop, and take
        fewer arguments."""

    @property
    def last_path(self) -> Path | None:
        """The file that the login was read from, or `None` where it is in none. Costs nothing."""
        store = self._store
        return store.path if isinstance(store, AuthFile) else getattr(store, 'last_path', None)

    @property
    def next_step(self) -> str:
        """What to do where the login is no good any more."""
        return how_to_log_in(self._store)

    @property
    def try_again(self) -> str:
        """What to do where a token may be spent, or not."""
        return f'{how_to_force(self._store)} to try it all the same'

    @property
    def place(self) -> str:
        """Where it keeps its login, in words."""
        describe: object = getattr(self._store, 'describe', None)
        try:
            words: object = describe() if callable(describe) else None
        except Exception:  # noqa: BLE001 - words for a message are not worth an error
            words = None
        if inspect.iscoroutine(words):
            words.close()
        return words if isinstance(words, str) else f'the store {type(self._store).__name__}'

    @property
    def _place(self) -> str:
        """The same at the beginning of a sentence."""
        return self.place[:1].upper() + self.place[1:]

    async def load(self) -> Credentials:
        """The login as it is now.

        Raises:
            CredentialsError: If there is none that can be used.
            ConfigurationError: If the store is not what a store has to be.
        """
        credentials: object
        try:
            loading: object = self._store.load()
            if not isinstance(loading, Awaitable):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise self._wrong('`load`', 'has to be an `async def`')
            credentials = await cast('Awaitable[object]', loading)
        except CodexError:
            raise
        except Exception as error:
            raise CredentialsError(
                f'{self._place} could not be read ({type(error).__name__}: {quotable(str(error))}). Mend it, then try again.'
            ) from error
        if not isinstance(credentials, Credentials):
            raise self._wrong('`load`', f'returned a {type(credentials).__name__}, and has to return `Credentials`')
        return credentials

    async def save(self, credentials: Credentials, *, replacing: str | None) -> None:
        """Keep a login.

        Args:
            credentials: The login.
            replacing: The fingerprint of the login that is to make room for it.

        Raises:
            CredentialsSaveError: If it could not be kept.
            SupersededError: If a file holds another login than that by now.
        """
        try:
            saving: object = self._saving(credentials, replacing)
            if not isinstance(saving, Awaitable):
                raise self._wrong('`save`', 'has to be an `async def`')
            await cast('Awaitable[object]', saving)
        except (CredentialsSaveError, SupersededError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the tokens are spent
            # Databases quote what they were given.
            words = quotable(masked(str(error), secrets_of(credentials)))
            failure = CredentialsSaveError(
                f'The new tokens could not be kept in {self.place} ({type(error).__name__}: {words}). They are in the '
                'memory of this process, and saving is tried again at later requests; mend the store before it ends, or '
                'log in anew afterwards.'
            )
        else:
            return
        # Outside of `except`: the error of the store would be its context, and may hold the tokens.
        raise failure

    @asynccontextmanager
    async def lock(self, *, patience: float | None = None) -> AsyncGenerator[None]:
        """Keep others out, as far as the store can.

        Args:
            patience: Seconds to wait for others, where the store is a file; by default about a minute.

        Raises:
            CredentialsError: If the lock cannot be had.
        """
        try:
            lock = self._lock(patience)
            await lock.__aenter__()
        except CodexError:
            raise
        except Exception as error:
            raise CredentialsError(
                f'{self._place} could not be locked ({type(error).__name__}: {quotable(str(error))}). Mend its `lock`, '
                'then try again.'
            ) from error
        try:
            yield
        finally:
            try:
                await lock.__aexit__(None, None, None)
            except Exception as error:  # noqa: BLE001 - what was done under it is done
                _log.warning('%s could not be unlocked (%s).', self._place, type(error).__name__)

    async def check_writable(self) -> None:
        """See that new tokens could be kept, as far as the store can tell.

        Raises:
            CredentialsError: If they could not.
        """
        if self._notes is not None:
            with self._ours('checked'):
                await self._notes.check_writable()

    async def read_note(self) -> RefreshNote | None:
        """What is known about a refresh, where the store keeps notes; `None` for what cannot be read."""
        if self._notes is None:
            return None
        try:
            note: object = await self._notes.read_note()
        except Exception:  # noqa: BLE001 - it helps to explain, and never stands in the way
            return None
        return note if isinstance(note, RefreshNote) else None

    async def write_note(self, note: RefreshNote) -> None:
        """Keep a note, where the store keeps any.

        Raises:
            CredentialsError: If it could not be kept.
        """
        if self._notes is not None:
            with self._ours('given a note'):
                await self._notes.write_note(note)

    async def clear_note(self) -> None:
        """Forget the note, as far as that can be: it names a token that will not be used any more."""
        if self._notes is not None:
            with suppress(Exception):
                await self._notes.clear_note()

    async def finish_save(self) -> bool:
        """Put tokens in place that a process was killed before it could; whether there were any.

        Raises:
            CredentialsError: If they are there and cannot be put in place.
        """
        if self._notes is None:
            return False
        with self._ours('mended'):
            return bool(await self._notes.finish_save())

    @contextmanager
    def _ours(self, done: str) -> Generator[None]:
        try:
            yield
        except CodexError:
            raise
        except Exception as error:
            raise CredentialsError(
                f'{self._place} could not be {done} ({type(error).__name__}: {quotable(str(error))}). Mend it, then try '
                'again.'
            ) from error

    def check_account(self, now: Credentials, before: Credentials) -> None:
        """See that the login is still the same account's. One that named none before may be anybody's.

        Raises:
            AccountChangedError: If it is not.
        """
        is_same = now.auth_mode == before.auth_mode and before.account_id in (None, now.account_id)
        if not is_same:
            raise AccountChangedError(
                f'{self._place} holds the login of another account than before. Make a new `CodexProvider` (or restart '
                'the program) to go on with it, or log in with the first account again; for several accounts at once, '
                'give each its own file.'
            )

    def _saving(self, credentials: Credentials, replacing: str | None) -> object:
        if isinstance(self._store, AuthFile | EnvironmentStore) and not self.is_bound:
            return self._store.save(credentials, replacing=replacing)
        return self._store.save(credentials)

    def _lock(self, patience: float | None) -> AbstractAsyncContextManager[Any]:
        if patience is not None and isinstance(self._store, AuthFile | EnvironmentStore) and not self.is_bound:
            return self._store.lock(patience)
        make: Any = getattr(self._store, 'lock', None)
        if make is None:
            return _Nothing()
        lock = make()
        if not isinstance(lock, AbstractAsyncContextManager):
            if inspect.iscoroutine(lock):
                lock.close()
            raise self._wrong('`lock`', 'has to return an asynchronous context manager, and not be an `async def`')
        return cast('AbstractAsyncContextManager[Any]', lock)

    def _wrong(self, what: str, problem: str) -> ConfigurationError:
        return ConfigurationError(f'The {what} of the store {type(self._store).__name__} {problem}.')


class _Nothing:
    """The lock of a store without one."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None
