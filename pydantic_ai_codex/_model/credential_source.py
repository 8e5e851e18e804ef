"""`CodexCredentialSource`: pydantic-ai's own provider for Codex on one of our stores."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Final

from pydantic_ai.exceptions import ModelAPIError, UserError

from ..auth import Credentials, CredentialStore, EnvironmentStore, TokenSource
from ..auth._abilities import lock_of
from ..errors import AccountChangedError, ConfigurationError, CredentialsError, CredentialsNotFoundError
from .errors import CodexLoginError, model_error

if TYPE_CHECKING:
    from openai import OpenAIError
    from pydantic_ai.providers.openai_codex import OpenAICodexCredentials
else:
    try:
        from openai import OpenAIError
    except ImportError:  # only pydantic-ai's provider needs it; `CodexCredentialSource` says so
        OpenAIError = CredentialsError


_NAME: Final = 'openai-codex'
"""What pydantic-ai's provider puts in place of a model's name where the login fails."""


class SharedLoginError(CodexLoginError, OpenAIError):
    """No usable login. The `openai` package passes its own errors on and would call any other a connection error."""


class LoginServiceError(ModelAPIError, OpenAIError):
    """The login service is down, and the access token too old; `FallbackModel` goes on to the next model."""


class CodexCredentialSource:
    """Lets pydantic-ai's `OpenAICodexProvider` use the login of a store of ours.

    ```python
    OpenAICodexProvider(credential_source=CodexCredentialSource())
    ```

    The login is refreshed here: ten minutes before it expires, under the store's lock, as for `CodexProvider`.
    pydantic-ai's provider would refresh it 30 seconds before, or after a 401, and knows no lock: it reads the store
    again, and asks for new tokens where it finds the login that it has. Here that second reading already refreshes, so
    the provider finds a newer login each time and never spends a refresh token itself.

    Make one for each provider, for the reason above: a login that is read twice counts as refused. Any number of them
    may share a store.

    Args:
        store: Where the login is kept, or a `TokenSource` that refreshes it in a way of its own; by default where the
            environment points to, as for `CodexProvider`.

    Raises:
        ImportError: If the package `openai`, which pydantic-ai's provider needs, is not installed.
        ConfigurationError: If the store is none.
    """

    def __init__(self, store: CredentialStore | TokenSource | None = None) -> None:
        try:
            import_module('pydantic_ai.providers.openai_codex')
        except ImportError as error:
            raise ImportError(
                "`CodexCredentialSource` is for pydantic-ai's `OpenAICodexProvider`, which needs the package `openai`: "
                'run `pip install "pydantic-ai-slim[openai]"`. `CodexProvider` needs neither.'
            ) from error

        self._tokens = store if isinstance(store, TokenSource) else TokenSource(store or EnvironmentStore())
        self._handed_out: str | None = None

    async def load(self) -> OpenAICodexCredentials:
        """A login that is usable now, and another one than at the last call.

        Raises:
            UserError: If there is none; it is our `CredentialsError` as well, with the details in `__cause__`.
            ModelAPIError: If it has expired, and the login service is down.
        """
        from pydantic_ai.providers.openai_codex import OpenAICodexCredentials

        try:
            credentials = await self._fresh()
            account_id, refresh_token = _needed(credentials)
        except (CredentialsError, ConfigurationError) as error:
            if isinstance(model_error(error, _NAME), UserError):
                raise SharedLoginError(error.message) from error
            raise LoginServiceError(_NAME, error.message) from error
        self._handed_out = credentials.access_token
        return OpenAICodexCredentials(
            access_token=credentials.access_token, refresh_token=refresh_token, account_id=account_id
        )

    async def save(self, credentials: OpenAICodexCredentials) -> None:
        """Keep a login that was got by pydantic-ai's means, such as its `OpenAICodexOAuthFlow`.

        What pydantic-ai does not know about, like the ID token, stays as it is.

        Raises:
            AccountChangedError: If the store holds another account's login.
            CredentialsError: If it could not be kept.
        """
        store = self._tokens.store
        async with lock_of(store):
            await store.save(_merged(await _old(store), credentials))
        self._handed_out = credentials.access_token

    def __repr__(self) -> str:
        return f'CodexCredentialSource({self._tokens.store!r})'

    async def _fresh(self) -> Credentials:
        credentials = await self._tokens.credentials()
        if credentials.access_token != self._handed_out:
            return credentials
        if recovered := await self._tokens.recover(credentials):
            return recovered.credentials
        raise CredentialsError(
            'The login was refused or is about to expire, and there is no newer one: it was refreshed just now, or '
            'cannot be. Run `pydantic-ai-codex login` (or `codex login`).'
        )


def _needed(credentials: Credentials) -> tuple[str, str]:
    """What pydantic-ai cannot do without: the account, and the refresh token."""
    if credentials.auth_mode == 'apikey':
        raise CredentialsError(
            "The login is a platform API key. Give that to pydantic-ai's `OpenAIProvider(api_key=...)`, or log in with "
            'ChatGPT: `pydantic-ai-codex login`.'
        )
    for what, value in (('account id', credentials.account_id), ('refresh token', credentials.refresh_token)):
        if value is None:
            raise CredentialsError(
                f"The login has no {what}, which pydantic-ai's `OpenAICodexProvider` needs. Run `pydantic-ai-codex "
                'login` (or `codex login`), or use `CodexProvider`.'
            )
    return str(credentials.account_id), str(credentials.refresh_token)


async def _old(store: CredentialStore) -> Credentials | None:
    try:
        credentials = await store.load()
    except CredentialsNotFoundError:
        return None
    return credentials if credentials.auth_mode == 'chatgpt' else None


def _merged(old: Credentials | None, new: OpenAICodexCredentials) -> Credentials:
    if old is None:
        return Credentials(new.access_token, refresh_token=new.refresh_token, account_id=new.account_id)
    if old.account_id not in (None, new.account_id):
        raise AccountChangedError(
            f'The store holds the login of the account {old.account_id}, and the new one is for {new.account_id}. '
            'Nothing was changed. Log out first, or keep the login in another place.'
        )
    return replace(
        old,
        access_token=new.access_token,
        refresh_token=new.refresh_token,
        account_id=new.account_id,
        # These are read anew from the tokens.
        expires_at=None,
        plan_type=None,
        is_fedramp=None,
        last_refresh=None,
        issuer=None,  # pydantic-ai knows one service only
    )
