"""What the login service refuses in the form of a request; whether its tokens and codes are good is asked elsewhere.

Names, values, content types and headers are those that Codex CLI 0.169.0 sent (captured), unless said otherwise. The
real service was not asked; it may be more lenient.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from email.message import Message
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from .._protocol.constants import CALLBACK_PATH, CALLBACK_PORTS, CLIENT_ID, HEADER_WORD, ORIGINATOR_HEADER, SCOPE
from ._bodies import parse_body
from ._rejections import detail, invalid, missing, quoted, repeated, unknown, wrong_type, wrong_value

Fields: TypeAlias = dict[str, str]
Encoding: TypeAlias = Literal['form', 'json']

CODE_GRANT: Final = 'authorization_code'
REFRESH_GRANT: Final = 'refresh_token'
EXCHANGE_GRANT: Final = 'urn:ietf:params:oauth:grant-type:token-exchange'

_TYPES: Final[dict[str, Encoding]] = {'application/x-www-form-urlencoded': 'form', 'application/json': 'json'}
_GRANTS: Final[dict[str, tuple[Encoding, frozenset[str]]]] = {
    CODE_GRANT: ('form', frozenset({'code', 'redirect_uri', 'code_verifier'})),
    EXCHANGE_GRANT: ('form', frozenset({'requested_token', 'subject_token', 'subject_token_type'})),
    REFRESH_GRANT: ('json', frozenset({'refresh_reason', 'refresh_token'})),
}
_FIXED: Final = {
    'client_id': (CLIENT_ID,),
    'refresh_reason': ('proactive_expiry', 'scheduled', 'unauthorized_recovery', 'forced'),
    'requested_token': ('openai-api-key',),
    'subject_token_type': ('urn:ietf:params:oauth:token-type:id_token',),
    'token_type_hint': ('refresh_token',),
}
_REVOKED: Final = frozenset({'client_id', 'token', 'token_type_hint'})

_RANDOM: Final = re.compile(r'[A-Za-z0-9_-]{43}')
"""32 bytes, base64url without padding: the state, and a SHA-256."""

_VERIFIER: Final = re.compile(r'[A-Za-z0-9._~-]{43,128}')
"""RFC 7636; the CLI's has 86."""

_REGISTERED: Final = frozenset(f'http://127.0.0.1:{port}{CALLBACK_PATH}' for port in CALLBACK_PORTS)
_ANY_PORT: Final = re.compile(rf'http://127\.0\.0\.1:[1-9][0-9]{{0,4}}{re.escape(CALLBACK_PATH)}')
_OLDER: Final = re.compile(r'http://localhost:1455/auth/callback')
"""What CLIs before 0.169.0 sent (from their source), and other clients still do."""


def read_fields(headers: Mapping[str, str], content: bytes) -> tuple[Encoding, Fields]:
    """The fields of a form or a JSON object, by the content type.

    Raises:
        Rejection: It is neither, or a field is repeated or no text.
    """
    kind = _content_type(headers)[0]
    if kind not in _TYPES:
        raise detail(f'Unsupported content type {kind!r}: use {" or ".join(_TYPES)}', status=415)
    if _TYPES[kind] == 'form':
        return 'form', read_form(content.decode('utf-8', 'replace'))
    body = parse_body(content, unique=True)
    for name, value in body.items():
        if not isinstance(value, str):
            raise wrong_type(name, 'a string')
    return 'json', body


def read_form(text: str) -> Fields:
    """The fields of a query or a form.

    Raises:
        Rejection: A field is repeated.
    """
    fields: Fields = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in fields:
            raise repeated(name)
        fields[name] = value
    return fields


def check_bare(headers: Mapping[str, str], query: str) -> None:
    """Check a request of a program for what the CLI never sends along: a query, a charset, a login, cookies.

    Raises:
        Rejection: It has one of them.
    """
    if query:
        raise invalid('This URL takes no query.', None)
    for name in ('authorization', 'cookie'):
        _refuse_header(headers, name)
    charset = _content_type(headers)[1].get_param('charset', 'utf-8')
    if str(charset).lower() != 'utf-8':
        raise detail(f'Unsupported charset {charset!r}: use utf-8', status=415)


def check_token_request(headers: Mapping[str, str], encoding: Encoding, fields: Fields, *, strict: bool) -> None:
    """Check a request to the token endpoint.

    Raises:
        Rejection: The first check that failed.
    """
    _require(fields, 'grant_type')
    grant = fields['grant_type']
    if grant not in _GRANTS:
        raise wrong_value('grant_type', grant, quoted(tuple(_GRANTS)))
    expected, names = _GRANTS[grant]
    names = names | {'grant_type', 'client_id'}
    if not strict:
        # Other clients, pydantic-ai's own among them, refresh with a form and without a reason.
        _require(fields, *sorted(names - {'refresh_reason'}))
        return
    _check_encoding(encoding, expected)
    _check_names(fields, names)
    _check_fixed(fields)
    if grant == REFRESH_GRANT:
        check_identity(headers)
    else:
        check_anonymity(headers)
    if grant == CODE_GRANT and not _VERIFIER.fullmatch(fields['code_verifier']):
        raise invalid("'code_verifier' has to be 43 to 128 unreserved characters.", 'code_verifier')


def check_revoke_request(headers: Mapping[str, str], encoding: Encoding, fields: Fields, *, strict: bool) -> None:
    """Check a request to the revocation endpoint.

    Raises:
        Rejection: The first check that failed.
    """
    if not strict:
        return _require(fields, 'token')
    _check_encoding(encoding, 'json')
    _check_names(fields, _REVOKED)
    _check_fixed(fields)
    return check_identity(headers)


def check_device_request(
    headers: Mapping[str, str], encoding: Encoding, fields: Fields, names: Collection[str], *, strict: bool
) -> None:
    """Check a request of the device login.

    Raises:
        Rejection: The first check that failed.
    """
    if not strict:
        return _require(fields, *names)
    check_anonymity(headers)
    _check_encoding(encoding, 'json')
    _check_names(fields, frozenset(names))
    return _check_fixed(fields)


def check_identity(headers: Mapping[str, str]) -> None:
    """The headers by which a client names itself.

    Raises:
        Rejection: One is missing, or they contradict each other.
    """
    originator = headers.get(ORIGINATOR_HEADER, '')
    if not HEADER_WORD.fullmatch(originator):
        raise invalid('The header originator has to name the program.', ORIGINATOR_HEADER)
    if not headers.get('user-agent', '').startswith(f'{originator}/'):
        raise invalid(f"The header user-agent has to begin with '{originator}/'.", 'user-agent')


def check_anonymity(headers: Mapping[str, str]) -> None:
    """The same headers where a client sends none: with codes, ID tokens and device logins.

    Raises:
        Rejection: There is one.
    """
    for name in (ORIGINATOR_HEADER, 'user-agent'):
        _refuse_header(headers, name)


def authorize_problems(fields: Fields, *, any_port: bool, strict: bool) -> list[str]:
    """What is wrong with the query of an authorize URL, each in a sentence."""
    checks: dict[str, Callable[[str], bool]] = {
        'response_type': 'code'.__eq__,
        'client_id': CLIENT_ID.__eq__,
        'redirect_uri': lambda uri: is_registered(uri, any_port=any_port, strict=strict),
        'code_challenge': lambda text: _RANDOM.fullmatch(text) is not None,
        'code_challenge_method': 'S256'.__eq__,
    }
    if strict:
        checks |= {
            'state': lambda text: _RANDOM.fullmatch(text) is not None,
            'scope': SCOPE.__eq__,
            'id_token_add_organizations': 'true'.__eq__,
            'codex_cli_simplified_flow': 'true'.__eq__,
            'originator': lambda text: HEADER_WORD.fullmatch(text) is not None,
        }
    problems = [f'{name} is missing.' for name in checks if name not in fields]
    problems += [
        _wrong(name, fields[name]) for name, fits in checks.items() if name in fields and not fits(fields[name])
    ]
    uri = fields.get('redirect_uri', '')
    if is_registered(uri, any_port=True) and not is_registered(uri, any_port=any_port, strict=strict):
        problems.append('Set `any_port` of the simulated login service to take the port of redirect_uri.')
    workspaces = fields.get('allowed_workspace_id')
    if workspaces is not None and not all(map(HEADER_WORD.fullmatch, workspaces.split(','))):
        problems.append(_wrong('allowed_workspace_id', workspaces))
    if strict:
        problems += [f'{name} is unknown.' for name in fields if name not in {*checks, 'allowed_workspace_id'}]
    return problems


def is_registered(uri: str, *, any_port: bool, strict: bool = True) -> bool:
    """Whether a redirect URI may be redirected to."""
    if uri in _REGISTERED or (not strict and _OLDER.fullmatch(uri)):
        return True
    return any_port and _ANY_PORT.fullmatch(uri) is not None and _has_port(uri)


def _has_port(uri: str) -> bool:
    try:
        return urlsplit(uri).port is not None
    except ValueError:
        return False


def _content_type(headers: Mapping[str, str]) -> tuple[str, Message]:
    """What kind a body is, and the header that says so."""
    message = Message()
    message['content-type'] = headers.get('content-type', '')
    return message['content-type'].partition(';')[0].strip().lower(), message


def _refuse_header(headers: Mapping[str, str], name: str) -> None:
    if name in headers:
        raise invalid(f'The header {name} is not sent with this request.', name)


def _wrong(name: str, value: str) -> str:
    return f'{name} cannot be {value!r}.'


def _check_encoding(encoding: Encoding, expected: Encoding) -> None:
    if encoding != expected:
        wanted = next(kind for kind, name in _TYPES.items() if name == expected)
        raise detail(f'Unsupported content type: this request takes {wanted}', status=415)


def _check_names(fields: Fields, names: frozenset[str]) -> None:
    _require(fields, *sorted(names))
    for name in fields:
        if name not in names:
            raise unknown(name)


def _require(fields: Fields, *names: str) -> None:
    for name in names:
        if not fields.get(name):
            raise missing(name)


def _check_fixed(fields: Fields) -> None:
    for name, values in _FIXED.items():
        if name in fields and fields[name] not in values:
            raise wrong_value(name, fields[name], quoted(values))
