"""`SimulatedGitHub`: the simulated releases of the Codex CLI, as a test sees them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import get_args

import httpx2

from ..errors import ConfigurationError
from ._backend import IncomingRequest, shortened
from ._exchange import Exchange, whole_piece
from ._github_answers import GitHubReply, Rate, answer, bad_credentials, check_limit, login_in, refused
from ._github_files import Repository
from ._github_script import GitHubEntry, as_plan, check_entries, replacement
from ._issuer_script import IssuerAnswer, called, noted, shaped, unanswered
from ._records import GitHubHost, GitHubRequest, RecordedHeaders, SimulatorError


class SimulatedGitHub:
    """The releases of the repository openai/codex, with the instructions in them: `CodexSimulator().github`.

    It answers where the newest release is asked for (api.github.com, and github.com with a redirect) and where files
    are (raw.githubusercontent.com), with entity tags, 304, 404 and a rate limit. There is one release to begin with,
    with short texts of our own at the paths of the real ones; its tag, `rust-v0.0.1`, is none of the real ones. It is
    reconstructed from GitHub's public documentation; the real service was not asked.

    Nothing of a login may ever get here. A request that carries some is answered with 401, stands in `violations`, and
    lets `assert_exhausted` fail. It can be used from several threads and event loops.

    Attributes:
        is_cacheable: Whether its answers have GitHub's `cache-control`, so that a provider with a cache folder keeps
            them there. By default they all say `no-store`, and nothing simulated gets into the cache of whoever runs a
            test, whatever client asks.
    """

    def __init__(self, *, now: Callable[[], datetime], is_secret: Callable[[str], bool]) -> None:
        self.is_cacheable = False
        self._lock = Lock()
        self._now = now
        self._is_secret = is_secret
        self._repository = Repository()
        self._rate = Rate(now)
        self._records: list[GitHubRequest] = []
        self._violations: list[str] = []
        self._failures: list[SimulatorError] = []
        self._script: deque[GitHubEntry] = deque()
        self._standing: dict[GitHubHost, GitHubEntry] = {}

    def __repr__(self) -> str:
        broken = ''.join(f'; {violation}' for violation in self.violations)
        return f'<SimulatedGitHub: {self.latest}, {len(self.requests)} requests{broken}>'

    @property
    def requests(self) -> list[GitHubRequest]:
        """Every request so far, refused ones included; none of them is in `simulator.requests`."""
        with self._lock:
            return list(self._records)

    @property
    def violations(self) -> list[str]:
        """The requests that carried something of a login, each in a sentence that does not repeat it."""
        with self._lock:
            return list(self._violations)

    @property
    def latest(self) -> str:
        """The tag of the newest release."""
        with self._lock:
            return self._repository.latest.tag

    @property
    def rate_limit(self) -> int:
        """How many requests the API answers in an hour, by the clock of the simulator; 60, as without a login.

        Raises:
            ConfigurationError: It is set to what is no number of requests.
        """
        with self._lock:
            return self._rate.limit

    @rate_limit.setter
    def rate_limit(self, limit: int) -> None:
        check_limit(limit)
        with self._lock:
            self._rate.limit = limit

    def files(self, ref: str | None = None) -> dict[str, str]:
        """The files at a tag or commit, by path; by default those of the newest release.

        Raises:
            ConfigurationError: There is no such tag or commit.
        """
        with self._lock:
            return dict(self._repository.tree(ref))

    def publish(self, tag: str, files: Mapping[str, str] | None = None, *, latest: bool = True) -> None:
        """Publish a release, in place of one of the same tag.

        Args:
            tag: Its tag.
            files: Its files, texts by path. By default it has the paths that the first release has, with texts that
                name the tag.
            latest: Whether it is the newest from now on; `False` is a prerelease.

        Raises:
            ConfigurationError: The tag is none of a release, or the files are no texts by path.
        """
        with self._lock:
            self._repository.publish(tag, files, latest=latest)

    def commit(self, sha: str, files: Mapping[str, str]) -> None:
        """Serve files at a commit that no release has.

        Args:
            sha: All 40 digits.
            files: Texts by path.

        Raises:
            ConfigurationError: The sha is not a whole one, or the files are no texts by path.
        """
        with self._lock:
            self._repository.commit(sha, files)

    def remove(self, path: str, ref: str | None = None) -> None:
        """Drop a file from a release or commit; by default from the newest release.

        Raises:
            ConfigurationError: There is no such file.
        """
        with self._lock:
            self._repository.remove(path, ref)

    def add(self, *entries: GitHubEntry) -> None:
        """Order the answers to the next requests, whatever they are for.

        Args:
            *entries: One for each request: `rate_limited(...)`, `fail(...)`, `connect_error(...)`, `answer_with(...)`,
                `late_answer(...)`, `slow_answer(...)`, `lost_answer(...)`; `None` for the usual answer; or a function
                that returns one of these from the request. A request that is refused for its form uses none.

        Raises:
            ConfigurationError: An entry is none of these.
        """
        check_entries(*entries)
        with self._lock:
            self._script.extend(entries)

    def fail_with(self, entry: GitHubEntry, *, host: GitHubHost | None = None) -> None:
        """Answer every request so, once what was added is used up, until `recover`.

        A client waits for GitHub in real time, whatever the clock of the simulator says: a `slow_answer(seconds=100)`
        costs a test the 20 seconds that ours waits (2 where it has an older text). For a GitHub that takes too long,
        `connect_error(httpx2.ReadTimeout)` is over at once.

        Args:
            entry: As in `add`.
            host: Only requests to `api` (api.github.com), `page` (github.com) or `raw` (raw.githubusercontent.com).

        Raises:
            ConfigurationError: The entry is no answer, or there is no such host.
        """
        check_entries(entry)
        hosts = _hosts(host)
        with self._lock:
            self._standing.update(dict.fromkeys(hosts, entry))

    def recover(self, *, host: GitHubHost | None = None) -> None:
        """End what `fail_with` began.

        Args:
            host: Only for this host.

        Raises:
            ConfigurationError: There is no such host.
        """
        hosts = _hosts(host)
        with self._lock:
            for each in hosts:
                self._standing.pop(each, None)

    def assert_exhausted(self) -> None:
        """Check that no login got here, that what was added was used up, and that nothing failed that a test has set.

        Raises:
            SimulatorError: It is an `AssertionError`, too.
        """
        with self._lock:
            violations, failures, left = self._violations[:], self._failures[:], list(self._script)
        if violations:
            raise SimulatorError(f'A login must never get to GitHub: {" ".join(violations)}')
        if failures:
            raise failures[0]
        if left:
            entries = ', '.join(shortened(repr(entry)) for entry in left)
            raise SimulatorError(f'Not used of the script of GitHub: {entries}. It was asked {self.requests}.')

    def answer(self, request: IncomingRequest, host: GitHubHost) -> Exchange:
        """Record a request and decide its answer; what fails is remembered, as a client may go on without GitHub."""
        headers = RecordedHeaders({name.lower(): value for name, value in request.headers.items()})
        with self._lock:
            number = len(self._records) + 1
            record = GitHubRequest(number, request.method, request.path, headers, content=request.content, host=host)
            self._records.append(record)
        exchange = Exchange(record, self._lock)
        try:
            return self._decide(exchange, replace(request, headers=headers), record)
        except httpx2.TransportError as error:
            exchange.failure = error
        except BaseException as error:
            exchange.failure = self._note(error, f'The answer to {record.method} {record.path}')
            if not isinstance(error, Exception):  # Such as `pytest.fail()` in a function of the test.
                exchange.close()
                raise
        exchange.close()
        return exchange

    def _decide(self, exchange: Exchange, request: IncomingRequest, record: GitHubRequest) -> Exchange:
        problem = self._violation(request, record) or refused(request, record.host)
        if problem is not None:
            return self._begin(exchange, problem)
        entry, plan = self._next(record)
        exchange.seconds, exchange.before = plan.seconds, plan.before
        if plan.error is not None:
            return unanswered(exchange, plan)
        reply = replacement(entry, plan, record.host, self._now())
        if reply is None:
            with self._lock:
                reply = answer(request, record.host, self._repository, self._rate)
        return shaped(self._begin(exchange, reply), plan)

    def _begin(self, exchange: Exchange, reply: GitHubReply) -> Exchange:
        headers = dict(reply.headers)
        if reply.status != 304:
            headers['content-length'] = str(len(reply.content))
        if not self.is_cacheable:
            headers['cache-control'] = 'no-store'
        exchange.pieces = whole_piece(b'' if exchange.record.method == 'HEAD' else reply.content)
        return exchange.begin(reply.status, headers)

    def _violation(self, request: IncomingRequest, record: GitHubRequest) -> GitHubReply | None:
        place = login_in(request, self._is_secret)
        if place is None:
            return None
        with self._lock:
            self._violations.append(f'Request {record.number} to {record.host} carried a login in {place}.')
        return bad_credentials()

    def _next(self, record: GitHubRequest) -> tuple[object, IssuerAnswer]:
        """What was ordered for this request, and how to send it."""
        with self._lock:
            entry = self._script.popleft() if self._script else self._standing.get(record.host)
        ordered: object = entry
        if callable(entry):
            ordered = called(entry, record)
        plan = as_plan(ordered)
        if plan is None:
            returned = shortened(repr(ordered))
            raise SimulatorError(f'The function that answers {record.method} {record.path} returned {returned}.')
        before, before_each = noted(plan.before, self._note), noted(plan.before_each, self._note)
        return ordered, replace(plan, before=before, before_each=before_each)

    def _note(self, error: BaseException, what: str) -> SimulatorError:
        if not isinstance(error, SimulatorError):
            cause, error = error, SimulatorError(f'{what} raised {type(error).__name__}: {error}')
            error.__cause__ = cause
        with self._lock:
            self._failures.append(error)
        return error


def _hosts(host: GitHubHost | None) -> tuple[GitHubHost, ...]:
    hosts: tuple[GitHubHost, ...] = get_args(GitHubHost)
    if host is not None and host not in hosts:
        raise ConfigurationError(f'host={host!r} is none of GitHub; use one of {", ".join(map(repr, hosts))}.')
    return hosts if host is None else (host,)
