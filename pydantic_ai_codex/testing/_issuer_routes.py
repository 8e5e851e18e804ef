"""What the simulated login service does for each of its URLs; no I/O, no lock (the issuer's)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlencode

from .._protocol.constants import (
    AUTHORIZE_PATH,
    DEVICE_CODE_PATH,
    DEVICE_PAGE_PATH,
    DEVICE_TOKEN_PATH,
    REVOKE_PATH,
    TOKEN_PATH,
)
from ._backend import IncomingRequest
from ._devices import Devices
from ._grants import Account, Grants, Login, oauth_error
from ._issuer_checks import (
    CODE_GRANT,
    EXCHANGE_GRANT,
    Encoding,
    Fields,
    authorize_problems,
    check_bare,
    check_device_request,
    check_revoke_request,
    check_token_request,
)
from ._issuer_options import IssuerOptions
from ._issuer_pages import PAGE_HEADERS, consent_page, device_page, done_page, problems_page
from ._records import IssuerEvent, RecordedRequest
from ._rejections import Rejection, detail

Endpoint: TypeAlias = Literal['authorize', 'consent', 'token', 'revoke', 'device_code', 'device_token', 'device_page']

ENDPOINTS: Final[Mapping[tuple[str, str], Endpoint]] = {
    ('GET', AUTHORIZE_PATH): 'authorize',
    ('POST', AUTHORIZE_PATH): 'consent',
    ('POST', TOKEN_PATH): 'token',
    ('POST', REVOKE_PATH): 'revoke',
    ('POST', DEVICE_CODE_PATH): 'device_code',
    ('POST', DEVICE_TOKEN_PATH): 'device_token',
    ('GET', DEVICE_PAGE_PATH): 'device_page',
    ('POST', DEVICE_PAGE_PATH): 'device_page',
}
_PAGES: Final[frozenset[Endpoint]] = frozenset({'authorize', 'consent', 'device_page'})
PATHS: Final = frozenset(path for _, path in ENDPOINTS)


@dataclass(frozen=True, slots=True)
class IssuerReply:
    """What is answered."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Authorization:
    """A login that a browser was sent for, and that nobody has decided about."""

    account: Account
    redirect_uri: str
    challenge: str
    state: str | None
    scope: str


class Routes:
    """The endpoints, and what they write down."""

    def __init__(
        self,
        options: IssuerOptions,
        grants: Grants,
        now: Callable[[], datetime],
        *,
        account: Account,
        strict: bool,
    ) -> None:
        self.account = account
        self.devices = Devices(options, grants, now)
        self.refreshes: list[IssuerEvent] = []
        self.reuses: list[IssuerEvent] = []
        self.revoked: list[IssuerEvent] = []
        self._options = options
        self._grants = grants
        self._now = now
        self._strict = strict
        self.problems: list[str] = []
        self._pending: dict[str, Authorization] = {}
        self._asked = 0

    def check(
        self, endpoint: Endpoint, headers: Mapping[str, str], encoding: Encoding, fields: Fields, *, query: str
    ) -> None:
        """Check the form of a request.

        Raises:
            Rejection: The first check that failed.
        """
        if endpoint in _PAGES:
            return  # Pages for people say themselves what is wrong.
        if self._strict:
            check_bare(headers, query)
        match endpoint:
            case 'token':
                check_token_request(headers, encoding, fields, strict=self._strict)
            case 'revoke':
                check_revoke_request(headers, encoding, fields, strict=self._strict)
            case 'device_code':
                check_device_request(headers, encoding, fields, ('client_id',), strict=self._strict)
            case _:
                names = ('device_auth_id', 'user_code')
                check_device_request(headers, encoding, fields, names, strict=self._strict)

    def act(self, endpoint: Endpoint, record: RecordedRequest, fields: Fields, origin: str) -> IssuerReply:
        """Do what is asked for.

        Raises:
            Rejection: The tokens or codes in it are not good for it.
        """
        match endpoint:
            case 'authorize':
                return self._authorize(fields)
            case 'consent':
                return self._consent(fields)
            case 'token':
                return IssuerReply(200, self._token(fields, record))
            case 'revoke':
                return IssuerReply(200, self._revoke(fields, record))
            case 'device_code':
                return IssuerReply(200, self.devices.begin(origin))
            case 'device_token':
                answer = self.devices.poll(fields['device_auth_id'], fields['user_code'], self.account)
                return IssuerReply(200, answer)
            case 'device_page':
                return self._device_page(fields, record.method)

    def authorization(self, fields: Fields) -> tuple[Authorization | None, list[str]]:
        """What an authorize URL asks for, or what is wrong with it."""
        problems = authorize_problems(fields, any_port=self._options.any_port, strict=self._strict)
        if problems:
            return None, problems
        asked = Authorization(
            account=self.account,
            redirect_uri=fields['redirect_uri'],
            challenge=fields['code_challenge'],
            state=fields.get('state'),
            scope=fields.get('scope', ''),
        )
        return asked, []

    def decide(self, asked: Authorization, *, allow: bool) -> str:
        """The URL that the browser is sent to."""
        if allow:
            code = self._grants.issue_code(asked.account, redirect_uri=asked.redirect_uri, challenge=asked.challenge)
            answer = {'code': code, 'scope': asked.scope}  # The scope comes back, too (public reports).
        else:
            answer = {'error': 'access_denied', 'error_description': 'The login was denied.'}
        if asked.state is not None:
            answer['state'] = asked.state
        return f'{asked.redirect_uri}?{urlencode(answer)}'

    def _authorize(self, fields: Fields) -> IssuerReply:
        asked, problems = self.authorization(fields)
        if asked is None:
            self.problems += problems
            return _page(problems_page(problems), status=400)
        if self._options.auto_approve or self._options.auto_deny:
            return _redirect(self.decide(asked, allow=not self._options.auto_deny), status=302)
        self._asked += 1
        request = f'request_{self._asked}'
        self._pending[request] = asked
        return _page(consent_page(asked.account, request, fields.get('originator', 'A program')))

    def _consent(self, fields: Fields) -> IssuerReply:
        asked = self._pending.pop(fields.get('request', ''), None)
        if asked is None:
            problem = 'This login is unknown, or it was decided about before. Begin again in the program.'
            return _page(problems_page([problem]), status=400)
        return _redirect(self.decide(asked, allow=fields.get('decision') == 'allow'), status=303)

    def _token(self, fields: Fields, record: RecordedRequest) -> dict[str, Any]:
        if fields['grant_type'] == CODE_GRANT:
            login = self._grants.redeem(
                fields['code'], redirect_uri=fields['redirect_uri'], verifier=fields['code_verifier']
            )
        elif fields['grant_type'] == EXCHANGE_GRANT:
            return self._exchange(fields)
        else:
            login = self._refresh(fields, record)
        answer = self._grants.tokens(login)
        return {name: value for name, value in answer.items() if name in self._options.answer_fields}

    def _refresh(self, fields: Fields, record: RecordedRequest) -> Login:
        token = fields['refresh_token']
        login = self._grants.owner(token)
        if login is None:
            raise oauth_error('invalid_grant', 'The refresh token is unknown.')
        event = self._event(login, record, fields.get('refresh_reason'))
        if self._grants.is_used(token):
            self.reuses.append(event)
        self._grants.refresh(token)
        self.refreshes.append(event)
        return login

    def _exchange(self, fields: Fields) -> dict[str, Any]:
        if not self._options.exchange_api_key:
            raise oauth_error('access_denied', 'This account has no organization to make an API key for.', status=403)
        return {'access_token': self._grants.api_key(fields['subject_token']), 'token_type': 'Bearer'}

    def _revoke(self, fields: Fields, record: RecordedRequest) -> dict[str, Any]:
        owner = self._grants.owner(fields['token'])
        if owner is not None:  # An unknown token is answered like any other (RFC 7009).
            self._grants.revoke(owner)
            self.revoked.append(self._event(owner, record))
        return {}

    def _device_page(self, fields: Fields, method: str) -> IssuerReply:
        if method == 'GET':
            return _page(device_page(self.account))
        allow = fields.get('decision') == 'allow'
        if not self.devices.decide(fields.get('user_code', ''), self.account if allow else None):
            problem = 'This code is unknown, used or expired. Type it as the program shows it.'
            return _page(device_page(self.account, problem), status=400)
        return _page(done_page('The program is logged in' if allow else 'The login was denied'))

    def _event(self, login: Login, record: RecordedRequest, reason: str | None = None) -> IssuerEvent:
        return IssuerEvent(
            at=self._now(),
            login=login.number,
            account_id=login.account.account_id,
            headers=record.headers,
            reason=reason,
        )


def is_for_issuer(request: IncomingRequest, issuer: str, backends: Iterable[str]) -> bool:
    """Whether a request goes to the login service: its own host, or one that serves both, such as a loopback port."""
    return request.origin == issuer or (request.path in PATHS and request.origin not in backends)


def endpoint_of(request: IncomingRequest) -> Endpoint:
    """The endpoint that is asked.

    Raises:
        Rejection: 404, or 405 for another method.
    """
    endpoint = ENDPOINTS.get((request.method, request.path))
    if endpoint is not None:
        return endpoint
    if request.path in PATHS:
        raise detail('Method Not Allowed', status=405)
    raise detail('Not Found', status=404)


def refused(rejection: Rejection) -> IssuerReply:
    return IssuerReply(rejection.status, rejection.body)


def _page(html: str, status: int = 200) -> IssuerReply:
    return IssuerReply(status, html, PAGE_HEADERS)


def _redirect(url: str, status: int) -> IssuerReply:
    return IssuerReply(status, '', {**PAGE_HEADERS, 'location': url})
