"""The list of models: in memory, in a file that all processes share, or asked for."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import anyio
from pydantic_core import from_json

from .._clock import Clock
from .._http_reply import Reply
from .._instructions.folder import CacheDir
from .._protocol.catalog import BUNDLED, CatalogError, ModelCatalog, catalog_from_wire
from .._protocol.constants import LOOKUP_PATIENCE, MAX_MODELS_BYTES, MODELS_LIFETIME
from ..auth import Credentials
from ..errors import BackendError
from .lookup import LOOKUP_TIMEOUT, NOT_THE_BACKEND, Lookups, account_urls
from .model_files import ModelFiles, file_name
from .question import Question, forget_oldest

_LIFETIME: Final = timedelta(seconds=MODELS_LIFETIME)

_LEAST_PAUSE: Final = 30.0
"""Seconds between two requests because of another version: of several servers, each may have its own. The first is sent
at once, as requests may be refused that are right by the older list."""

_RENEWAL: Final = timedelta(minutes=1)
"""How much older than what is known the file may be before it is written once more."""


class _Known:
    """What is known of the models of one account."""

    def __init__(self, url: str, name: str, clock: Clock) -> None:
        self.url = url
        self.name = name
        """Of the file."""
        self.question = Question('The list of models cannot be had, so what is known of them is used', clock)
        self.heeded_at = -math.inf
        """When it was asked for last because of another version."""
        self.answers = 0
        """How often the backend has told."""
        self.other_etag: str | None = None
        """Another version that an answer has named."""
        self.kept: ModelCatalog | None = None
        """The list in the file, as far as we know."""
        self._catalog: ModelCatalog | None = None
        self._confirmed: tuple[ModelCatalog, ModelCatalog] | None = None
        """A list, and the same as it was confirmed later. Two fields, without a lock: whoever confirms a list does not
        undo what comes at the same time from somebody who asks."""

    @property
    def catalog(self) -> ModelCatalog | None:
        """The list."""
        catalog, confirmed = self._catalog, self._confirmed
        return confirmed[1] if confirmed is not None and confirmed[0] is catalog else catalog

    def take(self, catalog: ModelCatalog) -> None:
        """Another list, or the same as it was asked for."""
        self._catalog = catalog
        self.other_etag = None

    def confirm(self, now: datetime) -> None:
        """The list is the one that the backend has now."""
        if (catalog := self._catalog) is not None:
            self._confirmed = catalog, _confirmed(catalog, now)
            self.other_etag = None

    def is_ahead(self, catalog: ModelCatalog) -> bool:
        """Whether other processes should hear of a list that is known here."""
        kept = self.kept
        if kept is None or not kept.fetched_at or not catalog.fetched_at:
            return True
        is_other = (kept.etag, kept.models) != (catalog.etag, catalog.models)
        return is_other or abs(catalog.fetched_at - kept.fetched_at) >= _RENEWAL


class Models:
    """The models of each account, as the backend lists them. One instance serves any number of threads and event loops.

    A list is good for five minutes, and for as long as answers name its version. Then one task of this process asks
    whether it is still the same, and the others wait; what it gets goes to a file, so that other processes need not ask.
    Whatever fails, there is a list: an older one, or the bundled one.

    Args:
        lookups: Asks the backend.
        cache_dir: The cache folder, as in `cache_folder`; `False` keeps everything in memory.
        clock: Time.
    """

    def __init__(self, lookups: Lookups, *, cache_dir: CacheDir, clock: Clock) -> None:
        self._lookups = lookups
        self._files = ModelFiles(cache_dir)
        self._clock = clock
        self._accounts: dict[tuple[str, str], _Known] = {}

    def known(self, credentials: Credentials, base_url: str) -> ModelCatalog:
        """The list that is in memory, of whatever age, else the bundled one."""
        known = self._find(credentials, base_url)
        return (None if known is None else known.catalog) or BUNDLED

    def is_due(self, credentials: Credentials, base_url: str) -> bool:
        """Whether `get` would look for another; cheap. Not soon after a failure, nor where there is nothing to ask."""
        known = self._find(credentials, base_url)
        return known is not None and self._is_due(known, credentials)

    async def get(self, credentials: Credentials, base_url: str, *, refresh: bool = False) -> ModelCatalog:
        """The list, asked for where it is due.

        Args:
            credentials: The login.
            base_url: What stands before `/responses`.
            refresh: Whether to ask in any case, and to raise what keeps it from being got. An API key, and a host that
                is not the Codex backend, have the bundled list all the same.

        Raises:
            BackendError: If the backend refuses to tell, or tells something else; as all of these with `refresh` alone.
            TransportError: If it cannot be asked.
            CredentialsError: If the login cannot be sent.
            ConfigurationError: If no HTTP client can be had.
        """
        known = self._find(credentials, base_url)
        if known is None:
            return BUNDLED
        patience = LOOKUP_TIMEOUT if refresh else LOOKUP_PATIENCE
        deadline = anyio.current_time() + patience
        if refresh:
            await self._refresh(known, credentials, patience)
        elif self._is_due(known, credentials):
            await known.question.settle(
                partial(self._ask, known, credentials),
                credentials,
                is_settled=lambda: not self._is_due(known, credentials),
                patience=patience,
            )
        with anyio.CancelScope(deadline=deadline):
            await self._keep(known)
        return known.catalog or BUNDLED

    def heard(self, etag: str | None, credentials: Credentials, base_url: str) -> None:
        """Take what an answer says of the version of the list: the same makes it fresh again, another makes it due.

        Args:
            etag: The value of `x-models-etag`; without one nothing changes.
            credentials: The login of the request.
            base_url: Where it went.
        """
        known = self._find(credentials, base_url) if etag else None
        if known is None or (catalog := known.catalog) is None or not catalog.etag or not etag:
            return
        if _is_same(etag, catalog.etag):
            known.confirm(self._clock.now())
        else:
            known.other_etag = etag

    def _find(self, credentials: Credentials, base_url: str) -> _Known | None:
        """What is known, or `None` where there is nothing to know."""
        urls = account_urls(credentials, base_url)
        if urls is None:
            return None
        key = base_url, credentials.account_tag or ''
        known = self._accounts.get(key)
        if known is None:
            known = self._accounts.setdefault(key, _Known(urls.models, file_name(*key), self._clock))
            forget_oldest(self._accounts)
        return known

    def _is_due(self, known: _Known, credentials: Credentials) -> bool:
        if known.question.has_failed(credentials):
            return False
        catalog = known.catalog
        if catalog is None or catalog.fetched_at is None:
            return True
        # One of the future is not fresh: the clock was put back, and nobody knows how old it is.
        if not timedelta(0) <= self._clock.now() - catalog.fetched_at < _LIFETIME:
            return True
        return known.other_etag is not None and self._clock.monotonic() >= known.heeded_at + _LEAST_PAUSE

    async def _refresh(self, known: _Known, credentials: Credentials, patience: float) -> None:
        """Ask in any case, or wait for another task that asks.

        Raises:
            CodexError: As `get` does.
        """
        question = known.question
        answers, before = known.answers, question.failure(credentials)
        failure = await question.settle(
            partial(self._ask, known, credentials, is_forced=True),
            credentials,
            is_settled=lambda: known.answers != answers or question.failure(credentials) not in (None, before),
            patience=patience,
        )
        if failure is not None:
            raise failure

    async def _ask(self, known: _Known, credentials: Credentials, *, is_forced: bool = False) -> None:
        """Get the list from the file, or from the backend.

        Raises:
            CodexError: As `get` does.
        """
        await self._recall(known)
        if not is_forced and not self._is_due(known, credentials):
            return  # Another process has asked meanwhile.
        if known.other_etag is not None:
            known.heeded_at = self._clock.monotonic()
        catalog = known.catalog
        etag = None if catalog is None else catalog.etag
        reply = await self._lookups.get(known.url, credentials, etag=etag, most=MAX_MODELS_BYTES)
        now = self._clock.now()
        if catalog is not None and reply.status_code == 304:
            known.take(_confirmed(catalog, now))
        else:
            known.take(_catalog(reply, now))
        known.answers += 1

    async def _recall(self, known: _Known) -> None:
        """Take over what another process, or this program at another time, has kept, if that is newer."""
        kept = await self._files.load(known.name)
        if kept is None or kept.fetched_at is None:
            return
        known.kept = kept
        catalog = known.catalog
        if catalog is None or catalog.fetched_at is None or catalog.fetched_at < kept.fetched_at <= self._clock.now():
            other = known.other_etag
            known.take(kept)
            if other and kept.etag and not _is_same(other, kept.etag):
                known.other_etag = other

    async def _keep(self, known: _Known) -> None:
        """Let other processes know what is known here, if that is worth it."""
        catalog = known.catalog
        if catalog is not None and known.is_ahead(catalog):
            known.kept = catalog  # Where nothing can be kept, that is not tried all the time.
            await self._files.save(known.name, catalog)


def _catalog(reply: Reply, now: datetime) -> ModelCatalog:
    """The list in an answer.

    Raises:
        BackendError: If there is none.
    """
    try:
        return catalog_from_wire(from_json(reply.content), fetched_at=now, etag=reply.headers.get('etag'))
    except CatalogError as error:
        reason = str(error).rstrip('.')
    except ValueError:
        reason = 'it is no JSON'
    raise BackendError(
        f'The answer to the question for the list of models is of no use: {reason}.',
        status_code=reply.status_code,
        headers=reply.headers,
        hint=NOT_THE_BACKEND,
    )


def _confirmed(catalog: ModelCatalog, now: datetime) -> ModelCatalog:
    return replace(catalog, fetched_at=now, source='backend')


def _is_same(etag: str, other: str) -> bool:
    """Whether two names are of one version, also where a proxy that compresses has made one of them a weak one."""
    return _opaque(etag) == _opaque(other)


def _opaque(etag: str) -> str:
    return etag.strip().removeprefix('W/').strip('"')
