"""The events of one answer, as they come through its connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ._clock import Clock
from ._debug import debug, debugging, readable
from ._limits import LimitTracker
from ._protocol.decoder import ResponseDecoder
from ._protocol.events import Event, RateLimitsSeen, ResponseEnded, ResponseStarted, UnknownEvent
from ._transport.base import Connection
from ._transport.bearer import hidden
from .auth import Credentials
from .errors import BackendError, CodexError, TransportError

if TYPE_CHECKING:
    from ._protocol.rate_limits import RateLimits


class CodexStream:
    """The events of one answer.

    Args:
        connection: The answer, its status seen and its body not read yet.
        base_url: The base URL that answered.
        credentials: The login that the request carried.
        clock: Time, for errors that tell when to come back.
        complete: Makes an error fit to be seen, once it is to be raised.
        limits: Hears of the limits of the plan.
        turn_state: Where the requests of this turn are routed, as the backend named it.
        leaves_out_reasoning: Whether the request went without the reasoning of its history.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        base_url: str,
        credentials: Credentials,
        clock: Clock,
        complete: Callable[[CodexError], None],
        limits: LimitTracker,
        turn_state: str | None,
        leaves_out_reasoning: bool,
    ) -> None:
        self.base_url = base_url
        """The base URL that answered."""
        self.account_tag = credentials.account_tag
        """The tag of the account that served it, which alone can read what is encrypted in it."""
        self.turn_state = turn_state
        """Where the requests of this turn are routed, for its next request."""
        self.leaves_out_reasoning = leaves_out_reasoning
        """Whether the backend could not read the reasoning of the history, so that the model did without it."""
        self.rate_limits = _limits_in(connection.headers, clock)
        """The limits of the plan, as far as the answer says by now."""
        self._told: RateLimits | None = None
        """The limits of the last event about them."""
        self._limits = limits
        self._credentials = credentials
        self._complete = complete
        self._connection = connection
        self._decoder = ResponseDecoder(connection.headers, clock.now)
        self._ahead: list[Event] = []
        """Events that were read before anybody asked for them."""
        self._failure: BackendError | None = None
        """A failure that arrived in one piece with events before it, to be told at the next call."""
        self._closed = False
        self._debug = debugging()

    async def read_ahead(self, *, whole: bool) -> None:
        """Read until there is something of the answer to show, or all of it; `receive` hands it out.

        Args:
            whole: Whether to read on to the end of the answer.

        Raises:
            CodexError: As `receive` does. Then nothing is to be handed out.
        """
        self._limits.take(self.rate_limits, account=self.account_tag)
        ahead: list[Event] = []
        while self._failure is not None or not self._decoder.ended:
            events = await self.receive()
            # Those that nobody reads may be many and large; they are not worth the memory.
            ahead += [event for event in events if not isinstance(event, UnknownEvent)]
            if not whole and any(map(_shows_something, events)):
                break
        self._ahead = ahead

    @property
    def stopped_early(self) -> ResponseEnded | None:
        """The end of an answer that stopped early, where nothing of it was handed out yet."""
        last = self._ahead[-1] if self._ahead else None
        return last if isinstance(last, ResponseEnded) and last.status == 'incomplete' else None

    async def receive(self) -> Sequence[Event]:
        """The next events, at least one; nothing after the last, which is always `ResponseEnded`.

        Raises:
            BackendError: If the backend says that the answer failed.
            IncompleteStreamError: If the stream ends without saying how the answer ended.
            TransportError: If the connection breaks.
            MalformedStreamError: If what arrives is no event stream.
        """
        events: list[Event] = []
        if self._ahead:
            events, self._ahead = self._ahead, events
            return events
        decoder = self._decoder
        try:
            if self._failure is not None:
                raise self._failure
            while not events and not decoder.ended:
                batch = () if self._closed else await self._connection.receive()
                if not batch:
                    self._end()
                if self._debug:
                    self._log(batch)
                for data in batch:
                    events += decoder.receive(data)
                if decoder.rate_limits is not self._told:
                    self._take(decoder.rate_limits)
        except CodexError as error:
            self._see(error)
            if not events or not isinstance(error, BackendError):
                raise
            self._failure = error
        return events

    def _see(self, error: CodexError) -> None:
        """Take what an error tells of limits, and make it fit to be seen."""
        self._complete(error)
        if isinstance(error, BackendError):
            self._limits.take(error.rate_limits, account=self.account_tag)

    def _take(self, limits: RateLimits | None) -> None:
        """Take the limits that came between the events."""
        from ._protocol.rate_limit_types import merged

        self._told = limits
        if limits is not None:
            self.rate_limits = merged(limits, self.rate_limits)
            self._limits.take(limits, account=self.account_tag)

    def _end(self) -> None:
        """Take the end of what the connection brings."""
        if self._closed:
            raise TransportError('The stream was closed before the answer was complete.', phase='read', in_stream=True)
        self._decoder.close()

    def _log(self, batch: Sequence[bytes]) -> None:
        for data in batch:
            debug('event %s', hidden(readable(data), self._credentials))

    async def aclose(self) -> None:
        """Close the stream; more than once, and while another task waits for events, does no harm."""
        self._closed = True
        if self._decoder.ended:
            await self._connection.finish()
        else:
            self._ahead.clear()
            await self._connection.aclose()


def _shows_something(event: Event) -> bool:
    """Whether an event is something of the answer, after which another attempt would say it twice."""
    return not isinstance(event, ResponseStarted | RateLimitsSeen | UnknownEvent)


def _limits_in(headers: Mapping[str, str], clock: Clock) -> RateLimits | None:
    from ._protocol.rate_limits import limits_from_headers  # Not before there is an answer: it would slow the import.

    return limits_from_headers(headers, clock.now())
