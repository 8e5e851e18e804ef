"""What the simulated GitHub answers to each request; no I/O, no lock (`SimulatedGitHub`'s).

Statuses, headers and bodies follow GitHub's public documentation, and answers that people published; the real service
was not asked. In one thing it is stricter: it answers nothing to a request that carries a login.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote

from .._protocol.constants import ACCOUNT_HEADER
from ..errors import ConfigurationError
from ._backend import IncomingRequest
from ._exchange import json_pieces
from ._github_files import Release, Repository
from ._records import GitHubHost

HOSTS: Final[Mapping[str, GitHubHost]] = {
    'https://api.github.com': 'api',
    'https://github.com': 'page',
    'https://raw.githubusercontent.com': 'raw',
}

USUAL_RATE_LIMIT: Final = 60
"""Requests an hour without a login (public documentation)."""

_NAME: Final = 'openai/codex'
_API_PATH: Final = f'/repos/{_NAME}/releases/latest'
_PAGE_PATH: Final = f'/{_NAME}/releases/latest'
_RAW_PATH: Final = re.compile(rf'/{_NAME}/([^/]+)/(.+)')
_FIRST_RELEASE: Final = datetime(2026, 1, 1, tzinfo=UTC)
_ENTITY_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_GZIP: Final = re.compile(r'gzip\s*(?!;\s*q=0(?:\.0*)?$)(?:;.*)?')
_LOGIN_HEADERS: Final = ('authorization', 'cookie', 'proxy-authorization', ACCOUNT_HEADER)
_DOCS: Final = 'https://docs.github.com/rest'
_JSON: Final = {'content-type': 'application/json; charset=utf-8', 'x-github-media-type': 'github.v3; format=json'}
_HTML: Final = {'content-type': 'text/html; charset=utf-8'}
_TEXT: Final = {'content-type': 'text/plain; charset=utf-8'}


@dataclass(frozen=True, slots=True)
class GitHubReply:
    """What is answered."""

    status: int
    content: bytes
    headers: Mapping[str, str]


@dataclass(eq=False, slots=True)
class Rate:
    """How many requests the API answers in an hour; without a login a 304 counts, too (public documentation)."""

    now: Callable[[], datetime]
    limit: int = USUAL_RATE_LIMIT
    _used: int = field(default=0, init=False)
    _ends: datetime | None = field(default=None, init=False)

    def take(self) -> tuple[bool, dict[str, str]]:
        """Count a request: whether it is within the limit, and the headers that tell."""
        now = self.now()
        if self._ends is None or now >= self._ends:
            self._used, self._ends = 0, now + timedelta(hours=1)
        is_within = self._used < self.limit
        if is_within:
            self._used += 1
        return is_within, rate_headers(self.limit, self._used, self._ends.timestamp())


def check_limit(limit: object) -> None:
    """Check a rate limit.

    Raises:
        ConfigurationError: It is no number of requests.
    """
    if not isinstance(limit, int) or limit < 0:
        raise ConfigurationError(f'rate_limit={limit!r} is no number of requests; use 0 or more.')


def rate_headers(limit: int, used: int, resets_at: float) -> dict[str, str]:
    """What tells of the rate limit; `resets_at` is a Unix time."""
    return {
        'x-ratelimit-limit': str(limit),
        'x-ratelimit-remaining': str(max(limit - used, 0)),
        'x-ratelimit-reset': str(math.ceil(resets_at)),
        'x-ratelimit-used': str(used),
        'x-ratelimit-resource': 'core',
    }


def host_of(request: IncomingRequest, others: Collection[str]) -> GitHubHost | None:
    """Which host of GitHub a request is for, by its path where one origin serves everything, such as a loopback port.

    Args:
        request: The request.
        others: The origins of other services.
    """
    if request.origin in HOSTS:
        return HOSTS[request.origin]
    if request.origin in others:
        return None
    if request.path == _API_PATH:
        return 'api'
    if request.path == _PAGE_PATH:
        return 'page'
    return 'raw' if _RAW_PATH.fullmatch(request.path) else None


def login_in(request: IncomingRequest, is_secret: Callable[[str], bool]) -> str | None:
    """Where a request carries something of a login, in words, and never what.

    Args:
        request: The request, with header names in lower case.
        is_secret: Whether a text holds something that was issued by the login service.
    """
    for name, value in request.headers.items():
        if name in _LOGIN_HEADERS or is_secret(value):
            return f'the header {name}'
    if is_secret(unquote(f'{request.path}?{request.query}')):
        return 'its URL'
    return 'its body' if is_secret(request.content.decode('latin-1')) else None


def refused(request: IncomingRequest, host: GitHubHost) -> GitHubReply | None:
    """What is wrong with the form of a request, or `None`. Only GET and HEAD are known here."""
    if host == 'api' and not request.headers.get('user-agent'):
        words = b'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.'
        return GitHubReply(403, words, {'content-type': 'text/html'})
    if request.method in ('GET', 'HEAD'):
        return None
    return GitHubReply(405, b'405: Method Not Allowed', _TEXT) if host == 'raw' else not_found(host)


def answer(request: IncomingRequest, host: GitHubHost, repository: Repository, rate: Rate) -> GitHubReply:
    """The usual answer."""
    if host == 'api':
        return _api(request, repository.latest, rate)
    if host == 'page':
        return _page(repository.latest) if request.path == _PAGE_PATH else not_found('page')
    match = _RAW_PATH.fullmatch(request.path)
    text = repository.content(match[1], match[2]) if match else None
    return not_found('raw') if text is None else _raw(request, text.encode())


def bad_credentials() -> GitHubReply:
    return _problem(401, 'Bad credentials')


def not_found(host: GitHubHost) -> GitHubReply:
    if host == 'api':
        return _problem(404, 'Not Found')
    return GitHubReply(404, b'404: Not Found', _TEXT) if host == 'raw' else GitHubReply(404, b'Not Found', _HTML)


def limited(host: GitHubHost, status: int, headers: Mapping[str, str]) -> GitHubReply:
    """The answer to a client that asks too often."""
    if host == 'api':
        return _problem(status, 'API rate limit exceeded for 192.0.2.1.', headers)
    kind = _TEXT if host == 'raw' else _HTML
    return GitHubReply(status, b'Too many requests. Please wait a while.', {**kind, **headers})


def _api(request: IncomingRequest, release: Release, rate: Rate) -> GitHubReply:
    is_within, headers = rate.take()
    if not is_within:
        return limited('api', 403, headers)
    if request.path != _API_PATH:
        return _problem(404, 'Not Found', headers)
    content = json.dumps(_release_fields(release)).encode()
    headers = {
        **_JSON,
        'cache-control': 'public, max-age=60, s-maxage=60',
        'vary': 'Accept,Accept-Encoding, Accept, X-Requested-With',
        'etag': f'W/{_entity_tag(content)}',
        **headers,
    }
    return _encoded(request, GitHubReply(200, content, headers))


def _page(release: Release) -> GitHubReply:
    headers = {
        **_HTML,
        'location': f'https://github.com/{_NAME}/releases/tag/{release.tag}',
        'cache-control': 'no-cache',
    }
    return GitHubReply(302, b'', headers)


def _raw(request: IncomingRequest, content: bytes) -> GitHubReply:
    headers = {**_TEXT, 'cache-control': 'max-age=300', 'vary': 'Authorization,Accept-Encoding'}
    return _encoded(request, GitHubReply(200, content, {**headers, 'etag': _entity_tag(content)}))


def _encoded(request: IncomingRequest, reply: GitHubReply) -> GitHubReply:
    """The answer as the client takes it: nothing where it has it already, compressed where it may be.

    What is compressed has a weak entity tag, also where it would be a strong one (raw.githubusercontent.com does that,
    public reports).
    """
    headers = dict(reply.headers)
    is_compressed = _takes_gzip(request.headers.get('accept-encoding', ''))
    if is_compressed and not headers['etag'].startswith('W/'):
        headers['etag'] = f'W/{headers["etag"]}'
    if _is_known(request.headers.get('if-none-match', ''), headers['etag']):
        del headers['content-type']
        return GitHubReply(304, b'', headers)
    if not is_compressed:
        return GitHubReply(reply.status, reply.content, headers)
    return GitHubReply(reply.status, gzip.compress(reply.content, mtime=0), {**headers, 'content-encoding': 'gzip'})


def _takes_gzip(accepted: str) -> bool:
    return any(_GZIP.fullmatch(each.strip()) for each in accepted.lower().split(','))


def _is_known(if_none_match: str, entity_tag: str) -> bool:
    """The weak comparison of RFC 9110."""
    return if_none_match.strip() == '*' or entity_tag.removeprefix('W/') in _ENTITY_TAG.findall(if_none_match)


def _entity_tag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()}"'


def _problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> GitHubReply:
    content, _ = json_pieces({'message': message, 'documentation_url': _DOCS, 'status': str(status)})
    return GitHubReply(status, content, {**_JSON, **(headers or {})})


def _release_fields(release: Release) -> dict[str, Any]:
    """A release as the API describes it (public documentation), but for its author and its assets."""
    url = f'https://api.github.com/repos/{_NAME}'
    published_at = (_FIRST_RELEASE + timedelta(days=release.number)).isoformat().replace('+00:00', 'Z')
    return {
        'url': f'{url}/releases/{release.number}',
        'assets_url': f'{url}/releases/{release.number}/assets',
        'html_url': f'https://github.com/{_NAME}/releases/tag/{release.tag}',
        'id': release.number,
        'tag_name': release.tag,
        'target_commitish': 'main',
        'name': release.tag.removeprefix('rust-v'),
        'draft': False,
        'immutable': False,
        'prerelease': False,
        'created_at': published_at,
        'updated_at': published_at,
        'published_at': published_at,
        'assets': [],
        'tarball_url': f'{url}/tarball/{release.tag}',
        'zipball_url': f'{url}/zipball/{release.tag}',
        'body': f'A simulated release, {release.tag}.',
    }
