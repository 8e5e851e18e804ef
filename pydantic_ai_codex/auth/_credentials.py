"""Credentials, the claims of their tokens, and the JSON shapes they are kept in; pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias, cast

from pydantic_core import from_json

from .._protocol.constants import AUTH_CLAIM, CLIENT_ID, PROFILE_CLAIM
from .._protocol.values import text_or_none

AuthMode: TypeAlias = Literal['chatgpt', 'apikey']
"""How the bearer pays: a ChatGPT plan, or the API's platform. The words of `auth_mode` in `auth.json` (captured)."""

_SHAPES: Final = ('chatgpt', 'tokens')
"""The objects that may hold the tokens, in the order in which they are looked for; else the document itself."""

_TOKEN_KEYS: Final = ('id_token', 'access_token', 'refresh_token', 'account_id')

_MILLISECONDS: Final = 1e11
"""Epoch numbers beyond this (the year 5138 in seconds) are milliseconds."""

_ACCOUNT_TAG: Final = b'pydantic-ai-codex account tag:'
_REFRESH_TAG: Final = b'pydantic-ai-codex refresh tag:'
"""Keep the hashes of account ids and refresh tokens apart from each other and from everybody else's."""

_UNSUPPORTED_MODES: Final = {
    'chatgptauthtokens': 'tokens that a host application keeps in memory',
    'agentidentity': 'an agent identity',
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """One login.

    What is not given is read from the claims of the ID token, then of the access token; their signatures are not
    checked, as the CLI does not either (captured), because only the backend's answer counts.

    Attributes:
        access_token: The bearer token; with `auth_mode='apikey'` the API key.
        refresh_token: What a new access token is got with, or `None`.
        account_id: The ChatGPT account (workspace) to work for, or `None` where neither token names one.
        id_token: The ID token, or `None`.
        expires_at: When the access token expires; a hint, as clocks differ. `None` where it does not say.
        plan_type: The plan, for example `plus`, or `None` where no token says.
        is_fedramp: Whether the account lives in the FedRAMP environment.
        auth_mode: `chatgpt` or `apikey`.
        last_refresh: When the tokens were got, or `None` where nothing says.
        api_key: The platform key that a login may bring along. It is kept beside the tokens and used for nothing here.
        issuer: The login service that the tokens come from, or `None` where nothing says; no other gets the refresh
            token.
        extra: Further keys for the `tokens` of the file, as a new login has them; empty on what is read.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    account_id: str | None = None
    id_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    plan_type: str | None = None
    is_fedramp: bool | None = None
    auth_mode: AuthMode = 'chatgpt'
    last_refresh: datetime | None = field(default=None, repr=False, compare=False)
    api_key: str | None = field(default=None, repr=False, compare=False)
    issuer: str | None = field(default=None, repr=False, compare=False)
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        claims = [] if self.auth_mode == 'apikey' else [_claims(self.id_token), _claims(self.access_token)]
        if self.account_id is None:
            account_id = _first(map(_account_id, claims)) or _first(map(_organization_id, claims))
            object.__setattr__(self, 'account_id', account_id)
        if self.expires_at is None and claims:
            object.__setattr__(self, 'expires_at', _expiry(claims[1].get('exp')))
        if self.issuer is None:
            object.__setattr__(self, 'issuer', _issuer(self.extra))
        if self.plan_type is None:
            object.__setattr__(self, 'plan_type', _first(_auth_text(each, 'chatgpt_plan_type') for each in claims))
        if self.is_fedramp is None:
            fedramp = any(_auth_claim(each).get('chatgpt_account_is_fedramp') is True for each in claims)
            object.__setattr__(self, 'is_fedramp', fedramp)

    @property
    def account_tag(self) -> str | None:
        """A short name of the account that does not give the account away, or `None` where no account is known.

        It stands in message histories beside encrypted reasoning, which no other account can read. It stays the same
        over processes and versions. Every API key has one and the same tag, as keys do not name their organization.
        """
        if self.auth_mode == 'apikey':
            return 'api-key'
        if self.account_id is None:
            return None
        return _tag(_ACCOUNT_TAG, self.account_id)

    @property
    def fingerprint(self) -> str | None:
        """A short name of the refresh token that does not give the token away, or `None` where there is none."""
        return None if self.refresh_token is None else _tag(_REFRESH_TAG, self.refresh_token)

    @property
    def email(self) -> str | None:
        """The address of the user, or `None` where no token says; for people to read, and unchecked."""
        if self.auth_mode == 'apikey':
            return None
        claims = [_claims(self.id_token), _claims(self.access_token)]
        profiles = (_object(each.get(PROFILE_CLAIM)) for each in claims)
        return _first(text_or_none(each.get('email')) for each in (*claims, *profiles))

    @property
    def issued_at(self) -> datetime | None:
        """When the access token was made, or `None` where it does not say."""
        return None if self.auth_mode == 'apikey' else _expiry(_claims(self.access_token).get('iat'))


class ShapeError(ValueError):
    """The JSON holds no login in a shape that is known; the message says what is missing, without any value."""


def credentials_from_json(document: object) -> Credentials:
    """The login in the JSON of an auth file.

    Three shapes are taken, looked for in this order: an object `chatgpt`, an object `tokens` (what the CLI writes),
    and a flat object. A file in API-key mode holds `OPENAI_API_KEY` instead.

    Raises:
        ShapeError: If there is no login in it.
    """
    if not isinstance(document, dict):
        raise ShapeError('it holds no JSON object')
    document = cast('dict[str, Any]', document)
    mode = str(document.get('auth_mode') or '').lower()
    api_key = text_or_none(document.get('OPENAI_API_KEY'))
    if kind := _UNSUPPORTED_MODES.get(mode):
        raise ShapeError(f'it holds {kind} (`auth_mode` {document["auth_mode"]!r}), which cannot be used from here')
    # Without `auth_mode` a key decides, as in the CLI (read in its source).
    if mode == 'apikey' or (not mode and api_key):
        if api_key is None:
            raise ShapeError('its `auth_mode` is "apikey", and `OPENAI_API_KEY` is empty')
        return Credentials(api_key, auth_mode='apikey')
    tokens = _tokens(document)
    access_token = text_or_none(tokens.get('access_token'))
    if access_token is None:
        raise ShapeError('it has no `access_token`, neither under "chatgpt", nor under "tokens", nor at the top level')
    return Credentials(
        access_token,
        refresh_token=text_or_none(tokens.get('refresh_token')),
        account_id=text_or_none(tokens.get('account_id')),
        id_token=text_or_none(tokens.get('id_token')),
        expires_at=_expiry(tokens.get('expires_at')),
        last_refresh=_expiry(document.get('last_refresh')),
        api_key=api_key,
        issuer=_issuer(tokens),
    )


def update_json(document: Mapping[str, Any], credentials: Credentials, *, now: datetime) -> dict[str, Any]:
    """The document of an auth file with new credentials in it; every key that is not theirs stays.

    Args:
        document: What the file held, or an empty mapping.
        credentials: The login to keep, whole: what it lacks is not left over from the login before it.
        now: What `last_refresh` becomes where the credentials do not say.
    """
    if credentials.auth_mode == 'apikey':
        # Nothing is left of the login before it, whose refresh token `logout` and a new login revoke.
        kept = {name: each for name, each in document.items() if name not in (*_SHAPES, *_TOKEN_KEYS, 'last_refresh')}
        return {**kept, 'auth_mode': 'apikey', 'OPENAI_API_KEY': credentials.access_token}
    updated = dict(document)
    found = _tokens(document)
    key = next((key for key in _SHAPES if document.get(key) is found), None)
    if key is None and 'access_token' in document:
        tokens = updated
    else:
        key = key or 'tokens'
        tokens = updated[key] = dict(_object(document.get(key)))
    _forget_another_login(tokens, credentials)
    tokens.update(credentials.extra)
    kept = {name: getattr(credentials, name) for name in _TOKEN_KEYS}
    if 'expires_at' in tokens:
        kept['expires_at'] = _like(tokens['expires_at'], credentials.expires_at)
    if key == 'tokens' and credentials.refresh_token is None:
        kept['refresh_token'] = ''  # Without the key, the CLI refuses the whole file (captured).
    for name, value in kept.items():
        if value is None:
            tokens.pop(name, None)
        else:
            tokens[name] = value
    if tokens is not updated or 'auth_mode' in updated or updated.get('OPENAI_API_KEY'):
        # The mode decides which of a key and a login is read.
        updated['auth_mode'] = 'chatgpt'
        updated.setdefault('OPENAI_API_KEY', None)
        if credentials.api_key is not None:
            updated['OPENAI_API_KEY'] = credentials.api_key
    updated['last_refresh'] = _got_at(credentials, now).astimezone(UTC).isoformat().replace('+00:00', 'Z')
    return updated


def _forget_another_login(tokens: dict[str, Any], credentials: Credentials) -> None:
    """Take out what is true of the login before alone: whose it is, and above all where its refresh token goes."""
    if text_or_none(tokens.get('account_id')) not in (None, credentials.account_id):
        tokens.pop('login_owner_id', None)
    if _issuer(tokens) != credentials.issuer:
        tokens.pop('oauth_provenance', None)
        if credentials.issuer is not None:
            tokens['oauth_provenance'] = {'issuer': credentials.issuer, 'client_id': CLIENT_ID}


def _got_at(credentials: Credentials, now: datetime) -> datetime:
    """When a login was got, as nearly as that is known: at the latest now, and before it expired."""
    return credentials.last_refresh or credentials.issued_at or min(now, credentials.expires_at or now)


def _tokens(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that holds the tokens: the first with an access token, else the document itself."""
    objects = [cast('dict[str, Any]', document[key]) for key in _SHAPES if isinstance(document.get(key), dict)]
    return next((each for each in objects if each.get('access_token')), document)


def _claims(token: str | None) -> dict[str, Any]:
    """The payload of a JWT, or nothing for a token that is none."""
    if token is None or token.count('.') != 2:
        return {}
    payload = token.split('.')[1]
    try:
        claims: Any = from_json(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return cast('dict[str, Any]', claims) if isinstance(claims, dict) else {}


def _auth_claim(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(claims.get(AUTH_CLAIM))


def _object(value: object) -> Mapping[str, Any]:
    return cast('dict[str, Any]', value) if isinstance(value, dict) else {}


def _tag(salt: bytes, secret: str) -> str:
    return hashlib.sha256(salt + secret.encode('utf-8', 'surrogatepass')).hexdigest()[:16]


def _auth_text(claims: Mapping[str, Any], key: str) -> str | None:
    return text_or_none(_auth_claim(claims).get(key))


def _account_id(claims: Mapping[str, Any]) -> str | None:
    """The account that a token names."""
    return _auth_text(claims, 'chatgpt_account_id') or text_or_none(claims.get('chatgpt_account_id'))


def _issuer(tokens: Mapping[str, Any]) -> str | None:
    """The login service that the CLI, and we, note down beside the tokens (captured)."""
    return text_or_none(_object(tokens.get('oauth_provenance')).get('issuer'))


def _organization_id(claims: Mapping[str, Any]) -> str | None:
    """The first organization of a token, which stands for the account where no token names one."""
    organizations: Any = claims.get('organizations')
    first: Any = cast('list[Any]', organizations)[0] if isinstance(organizations, list) and organizations else None
    return text_or_none(cast('dict[str, Any]', first).get('id')) if isinstance(first, dict) else None


def _expiry(value: object) -> datetime | None:
    """A point in time from epoch seconds or milliseconds, or from ISO text; `None` for anything else."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            # In UTC, so that no other zone can overflow later.
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _like(old: object, moment: datetime | None) -> float | str | None:
    """A point in time in the unit in which the file had the old one."""
    if moment is None or isinstance(old, str):
        return moment and moment.isoformat()
    return moment.timestamp() * (1000 if isinstance(old, int | float) and old > _MILLISECONDS else 1)


def _first(values: Iterator[str | None]) -> str | None:
    return next((value for value in values if value), None)
