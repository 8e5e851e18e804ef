"""What becomes of one request after each attempt that failed: the same again, with another login, without reasoning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from ._advice import Advice
from ._callbacks import tell
from ._clock import Clock
from ._debug import note
from ._policy import Retry, Rule, TransportPolicy, retry_delay, rule_for, rule_for_incomplete
from ._protocol.requests import CodexRequest, without_reasoning
from .auth import Credentials, TokenSource
from .errors import (
    AccountChangedError,
    BackendError,
    CodexError,
    CredentialsError,
    CredentialsSaveError,
)

OnRetry: TypeAlias = Callable[[Retry], object]


class Renewal:
    """A login, and the others that may take its place where it is refused.

    Args:
        credentials: The login.
        tokens: Where others come from.
        advice: What an error says of a refused login.
    """

    def __init__(self, credentials: Credentials, tokens: TokenSource, advice: Advice) -> None:
        self.credentials = credentials
        """The login to use next."""
        self._tokens = tokens
        self._advice = advice
        self._left = 2
        """How often it may still be replaced: by another program's new token, and by one of our own."""
        self._may_refresh = True

    async def renew(self, error: CodexError) -> bool:
        """Get another login in place of a refused one; never another account's, and never one refused before.

        Args:
            error: The refusal, which says why where there is no other.

        Returns:
            Whether there is one.

        Raises:
            CredentialsError: If the login is another account's now, or a new one could not be kept.
        """
        if self._left == 0:
            return False
        self._left -= 1
        try:
            recovered = await self._tokens.recover(self.credentials, may_refresh=self._may_refresh)
        except (AccountChangedError, CredentialsSaveError):
            raise
        except CredentialsError as failure:
            # The refusal stays what it is, and says why nothing could be done about it.
            if isinstance(error, BackendError):
                error.hint = f'{self._advice.refused(self.credentials)} {failure}'
            return False
        if recovered is None:
            return False
        self._may_refresh = self._may_refresh and not recovered.is_refreshed
        self.credentials = recovered.credentials
        return True


class Recovery:
    """One request, and what may still be done about its failures.

    Args:
        request: The request.
        login: Whose login it is, and its successors.
        policy: How patient to be.
        clock: Chance.
        on_retry: Is told before each wait.
    """

    def __init__(
        self,
        request: CodexRequest,
        login: Renewal,
        *,
        policy: TransportPolicy,
        clock: Clock,
        on_retry: OnRetry | None,
    ) -> None:
        self.request = request
        """What to send next."""
        self.leaves_out_reasoning = False
        """Whether it goes without the reasoning of its history, as the backend could not read that."""
        self._login = login
        self._policy = policy
        self._clock = clock
        self._on_retry = on_retry
        self._retries = 0

    @property
    def credentials(self) -> Credentials:
        """Whose login to send it with."""
        return self._login.credentials

    def keep(self, turn_state: str | None) -> None:
        """Keep the routing of this turn, as an answer named it first, for what is sent next."""
        if turn_state and self.request.turn_state is None:
            self.request = replace(self.request, turn_state=turn_state)

    async def after_error(self, error: CodexError) -> float | None:
        """Prepare another attempt.

        Args:
            error: What the last one ended with, before anything of its answer was handed out.

        Returns:
            The seconds to wait before it, or `None` where the error is to be raised.

        Raises:
            CredentialsError: If the login is another account's now, or a new one could not be kept.
        """
        rule = rule_for(error)
        if rule.action == 'new_login':
            return self._told(rule, error) if await self._login.renew(error) else None
        if rule.action == 'without_reasoning':
            stripped = without_reasoning(self.request)
            if stripped is None:
                return None
            self.request, self.leaves_out_reasoning = stripped, True
            return self._told(rule, error)
        return self._later(rule, error)

    def after_incomplete(self, reason: str | None) -> float | None:
        """Prepare another attempt where an answer that nobody has seen yet stopped early; see `after_error`."""
        return self._later(rule_for_incomplete(reason), None)

    def _later(self, rule: Rule, error: CodexError | None) -> float | None:
        delay = retry_delay(self._policy, rule, error, retries=self._retries, random=self._clock.random())
        if delay is None:
            self._tell_why(rule, error)
            return None
        self._retries += 1
        return self._told(rule, error, delay, attempt=self._retries)

    def _tell_why(self, rule: Rule, error: CodexError | None) -> None:
        """Have a failure that could have gone away say why it was raised."""
        if rule.action != 'retry' or not isinstance(error, BackendError):
            return
        asked, most = error.retry_after, self._policy.max_retry_after
        why = None
        if asked is not None and asked > most:
            why = (
                f'It asks to wait for {asked:g} seconds, and {most:g} are the most that is waited for; try again later.'
            )
        elif self._retries:
            why = f'It was tried {self._retries + 1} times; try again later.'
        error.hint = ' '.join(filter(None, (error.hint, why))) or None

    def _told(self, rule: Rule, error: CodexError | None, delay: float = 0.0, *, attempt: int = 0) -> float:
        """Tell the log and the user's function, once for each further attempt; what is no retry counts as 0."""
        retry = Retry(
            attempt=attempt,
            max_retries=self._policy.max_retries,
            delay=delay,
            case=rule.case,
            error=error,
            model=self.request.model,
            session_id=self.request.session_id,
        )
        note('%s', retry)
        tell('on_retry', self._on_retry, retry)
        return delay
