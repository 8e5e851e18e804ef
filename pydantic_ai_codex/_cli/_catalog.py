"""The list of models as the commands find it: what is kept of it, and what keeps the backend from telling it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .._account.lookup import Lookups
from .._account.models import Models
from .._clock import SystemClock
from .._protocol.catalog import ModelCatalog
from .._protocol.constants import CODEX_PATH, DEFAULT_ORIGINATOR
from .._transport.bearer import base_url_for, check_base_url
from .._transport.http import HTTPClients
from ..errors import CodexError, TransportError
from ._errors import worded

if TYPE_CHECKING:
    from .._client import CodexClient
    from .._http_reply import Reply
    from ..auth import Credentials

_NOWHERE: Final = (
    f'The backend tells its list to ChatGPT logins, where the base URL ends in {CODEX_PATH}. To ask for it, name another '
    'login with --store, or another --base-url.'
)


class Found(NamedTuple):
    """The models, and why they are not what the backend says now.

    Attributes:
        catalog: The models.
        problem: What went wrong and what to do, or `None`.
    """

    catalog: ModelCatalog
    problem: str | None = None


class Kept(NamedTuple):
    """The models as far as they are known without asking anybody.

    Attributes:
        catalog: Those that are cached, of whatever age, else those of this version.
        is_due: Whether the backend would be asked for them.
    """

    catalog: ModelCatalog
    is_due: bool


async def find_models(client: CodexClient, base_url: str | None, *, refresh: bool) -> Found:
    """The models of a login: kept ones that are fresh, else those of the backend, else what there is.

    Args:
        client: The client for the login.
        base_url: What `--base-url` says.
        refresh: Whether to ask the backend in any case, and to raise what keeps it from telling.

    Raises:
        CredentialsError: If there is no usable login.
        CodexError: With `refresh`, if the backend does not tell.
    """
    kept = await kept_models(await client.authenticate(), base_url)
    if not refresh and not kept.is_due and kept.catalog.source == 'cache':
        return Found(kept.catalog)
    try:
        catalog = await client.models(refresh=True)
        if catalog.source == 'bundled':
            raise CodexError(_NOWHERE)
    except CodexError as error:
        if refresh:
            raise
        return Found(kept.catalog, worded(error))
    return Found(catalog)


async def kept_models(credentials: Credentials, base_url: str | None = None) -> Kept:
    """The models of a login as far as they are known, without asking anybody.

    Args:
        credentials: The login.
        base_url: What `--base-url` says.
    """
    lookups = _NobodyAsked()
    models = Models(lookups, cache_dir=None, clock=SystemClock())
    catalog = await models.get(credentials, base_url_for(credentials, base_url and check_base_url(base_url)))
    return Kept(catalog, lookups.is_asked)


class _NobodyAsked(Lookups):
    """Stands where the backend is asked, and takes down that it would have been."""

    def __init__(self) -> None:
        super().__init__(HTTPClients(None).borrow, originator=DEFAULT_ORIGINATOR, clock=SystemClock())
        self.is_asked = False

    async def get(self, url: str, credentials: Credentials, *, etag: str | None = None, most: int) -> Reply:
        """No answer."""
        self.is_asked = True
        raise TransportError('Nobody is asked.')
