"""Requests to GitHub: which release is the newest, and the files of one.

Nothing of the login is sent there, nor any header, cookie or parameter that a client of the user's may hold for others.
What is said of GitHub's answers is from its public documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

import anyio

from .._debug import debug, debugging
from .._http_reply import HTTPLease, Reply, own_lease, read_reply
from .._protocol.constants import DEFAULT_ORIGINATOR
from .._protocol.instruction_files import (
    GITHUB,
    LARGEST_FILE,
    RELEASE_PAGE_URL,
    RELEASE_URL,
    REPOSITORY,
    InstructionFile,
    is_release,
)
from .._protocol.waits import Said, find_wait
from .._user_agent import user_agent
from ..errors import ConfigurationError
from .records import Release, usable_etag

if TYPE_CHECKING:
    import httpx2

_TIMEOUT: Final = 20.0
"""Seconds for each step; in all, the budget of the caller counts."""

_CONNECT_TIMEOUT: Final = 10.0

_PLAIN: Final = 'text/plain'
"""How GitHub serves the files of a repository, whatever is in them."""

_LIMITED: Final = (403, 429)
"""What GitHub answers to those who ask too often."""

_GONE: Final = (404, 410)


class GitHubError(Exception):
    """Something is not to be had now; the message says why, as the beginning of a sentence.

    Attributes:
        wait: For how many seconds not to ask again, where GitHub says so.
        is_missing: Whether GitHub says that there is no such thing.
    """

    def __init__(self, reason: str, *, wait: float | None = None, is_missing: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.is_missing = is_missing


class Answer(Reply):
    """An answer of GitHub."""

    __slots__ = ()

    @property
    def is_unchanged(self) -> bool:
        """Whether what was had before is still the case."""
        return self.status_code == 304

    @property
    def etag(self) -> str | None:
        """What GitHub calls this version."""
        return usable_etag(self.headers.get('etag'))


class GitHub:
    """Asks GitHub.

    Args:
        http_client: Makes an HTTP client available for one request.
        originator: How the program names itself; GitHub demands that it does.
    """

    def __init__(self, http_client: HTTPLease | None = None, *, originator: str = DEFAULT_ORIGINATOR) -> None:
        self._lease = http_client or own_lease
        self._user_agent = user_agent(originator)
        self.is_private = False
        """Whether an answer asked not to be stored, as those of a simulated GitHub do."""

    async def release(self, known: Release | None, now: datetime, *, patience: float) -> Release:
        """The newest release.

        Where the API has been asked too often from this address, which whole offices share, or is out of reach, the
        redirect of the page names it as well.

        Args:
            known: What is known of it.
            now: The wall clock.
            patience: For how many seconds to wait for the API.

        Raises:
            GitHubError: If it is not to be had.
            ConfigurationError: If the environment keeps the client from being made.
        """
        try:
            with anyio.fail_after(patience):
                return await self._release_of_api(known, now)
        except GitHubError as error:
            refusal = error
        except TimeoutError:
            refusal = GitHubError(f'{RELEASE_URL.split("/")[2]} did not answer in time')
        with suppress(GitHubError):  # What counts is why the API refuses, and for how long.
            page = await self._get(RELEASE_PAGE_URL, {}, None)
            if 300 <= page.status_code < 400 and (tag := _tag_in(page.headers.get('location', ''))):
                # Without an ETag: it is one of the API.
                return Release(tag, None, now)
        raise refusal

    async def _release_of_api(self, known: Release | None, now: datetime) -> Release:
        headers = {'accept': 'application/vnd.github+json', 'x-github-api-version': '2022-11-28'}
        reply = await self._get(RELEASE_URL, headers, known.etag if known else None)
        if known is not None and reply.is_unchanged:
            return Release(known.tag, reply.etag or known.etag, now)
        if reply.status_code == 200:
            return Release(_tag(reply.json().get('tag_name')), reply.etag, now)
        raise _refusal(reply, RELEASE_URL, now)

    async def file(self, file: InstructionFile, ref: str, etag: str | None, now: datetime) -> Answer:
        """A file: 200 with it, or 304 where it has not changed.

        Args:
            file: Which one.
            ref: The tag or commit, where it is not pinned to one.
            etag: The version that is there.
            now: The wall clock.

        Raises:
            GitHubError: If it is not to be had.
            ConfigurationError: If the environment keeps the client from being made.
        """
        url = file.url(ref)
        reply = await self._get(url, {'accept': 'text/plain'}, etag)
        if etag is not None and reply.is_unchanged:
            return reply
        if reply.status_code == 200:
            if (kind := reply.headers.get('content-type', _PLAIN).partition(';')[0].strip()) != _PLAIN:
                raise GitHubError(f'{url} is of the type {kind!r}, so it is not from GitHub')
            return reply
        raise _refusal(reply, url, now)

    async def _get(self, url: str, headers: Mapping[str, str], etag: str | None) -> Answer:
        host = url.split('/')[2]
        condition = {'if-none-match': etag} if etag else {}
        try:
            async with self._lease() as client:
                reply = await _exchange(client, url, {'user-agent': self._user_agent, **headers, **condition})
        except (GitHubError, ConfigurationError):
            raise
        except _not_sendable() as error:
            raise GitHubError(f'{url} cannot be asked for ({type(error).__name__})', is_missing=True) from None
        except Exception as error:  # noqa: BLE001 - no failure of a transport, whoever's it is, may end the turn
            # Its words may quote a proxy with its password.
            raise GitHubError(f'{host} was not reached ({type(error).__name__})') from None
        self.is_private = self.is_private or 'no-store' in reply.headers.get('cache-control', '').lower()
        if debugging():
            debug('GET %s %d', url, reply.status_code)
        return reply


async def _exchange(client: httpx2.AsyncClient, url: str, headers: Mapping[str, str]) -> Answer:
    import httpx2

    from .._http_client import unobserved

    # Not by way of the client: one of the user's may have headers, cookies and parameters for other hosts.
    request = httpx2.Request(
        'GET',
        url,
        headers={'accept-encoding': 'gzip', **headers},
        extensions={'timeout': httpx2.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT).as_dict()},
    )
    response = await unobserved(client).send(request, stream=True, auth=None, follow_redirects=False)
    try:
        reply = await read_reply(response, LARGEST_FILE)
    finally:
        await response.aclose()
    if reply is None:
        raise GitHubError(f'The answer to {url} is far too large')
    return Answer(*reply)


def _not_sendable() -> tuple[type[Exception], ...]:
    """What is raised of a request that is none, which says nothing of the host."""
    import httpx2

    return httpx2.InvalidURL, httpx2.LocalProtocolError, UnicodeError


def _refusal(reply: Answer, url: str, now: datetime) -> GitHubError:
    host = url.split('/')[2]
    if reply.status_code in _LIMITED:
        reason = f'{host} takes no more requests from here for now'
    elif reply.status_code in _GONE:
        reason = f'{url} is not there'
    else:
        reason = f'{host} answered with the status {reply.status_code}'
    return GitHubError(
        reason,
        wait=_wait(reply, now) if reply.status_code in _LIMITED else None,
        is_missing=reply.status_code in _GONE,
    )


def _wait(reply: Answer, now: datetime) -> float | None:
    """The seconds after which to ask again."""
    headers = reply.headers
    is_used_up = headers.get('x-ratelimit-remaining') == '0' and 'retry-after' not in headers
    details = {'resets_at': headers.get('x-ratelimit-reset')} if is_used_up else {}
    return find_wait(Said(details, now=now), headers).seconds


def _tag(value: object) -> str:
    if not is_release(value):
        raise GitHubError('The answer of api.github.com names no release')
    return cast(str, value)


def _tag_in(location: str) -> str | None:
    prefix = f'{GITHUB}/{REPOSITORY}/releases/tag/'
    tag = location.removeprefix(prefix)
    return tag if location.startswith(prefix) and is_release(tag) else None
