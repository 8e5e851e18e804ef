"""The events of one answer, as they come through its connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._clock import Clock
from ._debug import debug, debugging, readable
from ._protocol.decoder import ResponseDecoder
from ._protocol.events import Event, ResponseStarted, UnknownEvent
from ._transport.base import Connection
from ._transport.bearer import hidden
from .auth import Credentials
from .errors import BackendError, CodexError, TransportError


class CodexStream:
    """The events of one answer.

    Args:
        connection: The answer, its status seen and its body not read yet.
        base_url: The base URL that answered.
        credentials: The login that the request carried.
        clock: Time, for errors that tell when to come back.
        complete: Makes an error fit to be seen, once it is to be raised.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        base_url: str,
        credentials: Credentials,
        clock: Clock,
        complete: Callable[[CodexError], None],
    ) -> None:
        self.base_url = base_url
        """The base URL that answered."""
        self.account_tag = credentials.account_tag
        """The tag of the account that served it, which alone can read what is encrypted in it."""
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
            CodexError: As `receive` does, and not complete yet. Then nothing is to be handed out.
        """
        while self._failure is not None or not self._decoder.ended:
            events = await self._read()
            # Those that nobody reads may be many and large; they are not worth the memory.
            self._ahead += [event for event in events if not isinstance(event, UnknownEvent)]
            if not whole and any(map(_shows_something, events)):
                return

    async def receive(self) -> Sequence[Event]:
        """The next events, at least one; nothing after the last, which is always `ResponseEnded`.

        Raises:
            BackendError: If the backend says that the answer failed.
            IncompleteStreamError: If the stream ends without saying how the answer ended.
            TransportError: If the connection breaks.
            MalformedStreamError: If what arrives is no event stream.
        """
        if self._ahead:
            events, self._ahead = self._ahead, []
            return events
        try:
            return await self._read()
        except CodexError as error:
            self._complete(error)
            raise

    async def _read(self) -> list[Event]:
        if self._failure is not None:
            raise self._failure
        events: list[Event] = []
        while not events and not self._decoder.ended:
            batch = () if self._closed else await self._connection.receive()
            if not batch and self._closed:
                raise TransportError(
                    'The stream was closed before the answer was complete.', phase='read', in_stream=True
                )
            if not batch:
                self._decoder.close()
            for data in batch:
                if self._debug:
                    debug('event %s', hidden(readable(data), self._credentials))
                try:
                    events += self._decoder.receive(data)
                except BackendError as failure:
                    if not events:
                        raise
                    self._failure = failure
        return events

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
    return not isinstance(event, ResponseStarted | UnknownEvent)
