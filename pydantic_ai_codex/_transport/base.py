"""What every transport looks like from above: one data text per event, whatever carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Connection(Protocol):
    """One answer being received."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, with lower-case names."""
        ...

    async def receive(self) -> Sequence[bytes]:
        """The data of the next events, at least one; nothing at the end of the stream.

        Raises:
            TransportError: If the connection breaks, or brings no event for too long.
            MalformedStreamError: If what arrives is no event stream.
        """
        ...

    async def read(self) -> bytes:
        """The body of an error answer, or its beginning, instead of `receive`; what cannot be read is left out."""
        ...

    async def finish(self) -> None:
        """Let go of the connection after the last event that matters, so that it can be used again."""
        ...

    async def aclose(self) -> None:
        """Close the connection, also while another task waits in `receive`; more than once does no harm."""
        ...


class Transport(Protocol):
    """Sends requests."""

    async def send(self, url: str, *, headers: Mapping[str, str], content: bytes, timeouts: object) -> Connection:
        """Send one request and wait for the status of its answer.

        Args:
            url: Where to.
            headers: Every header of ours, with the login.
            content: The body.
            timeouts: The user's setting `timeout`, or `None` for the policy's.

        Raises:
            TransportError: If the request does not get through.
            ConfigurationError: If it cannot be sent, or not from this event loop.
        """
        ...
