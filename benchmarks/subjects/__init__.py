"""The subjects: what reads the streams. This module imports none of them, as each is measured with its own imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

Observer: TypeAlias = Callable[[str, str], None]
"""Called with the kind and the piece of each delta; for bytes that nobody has read, once, with `'bytes'` and `''`."""


class Subject(Protocol):
    """What every subject can do; a worker makes one with the server's port and keeps it.

    It keeps its connections, and opens more when more streams are read at once.
    """

    async def aclose(self) -> None:
        """Close the connections."""
        ...

    async def run(self, stream: str, mode: str, *, through: str, observer: Observer | None) -> int:
        """Read a stream to its end, and return how many events it has on the wire."""
        ...

    def versions(self) -> dict[str, str]:
        """The packages that it is made of."""
        ...
