"""Byte chunks of an event stream to the data of its events; pure, and indifferent to how the chunks are cut.

Follows the WHATWG definition of server-sent events, with two differences: the data comes out as bytes (JSON does not
need the decoded text), and only `data` counts, because the backend repeats the event's name in the JSON (captured).
"""

from __future__ import annotations

from typing import Final

from ..errors import MalformedStreamError
from .constants import MAX_EVENT_BYTES

_BOM: Final = b'\xef\xbb\xbf'
_FIELD: Final = b'data: '
"""Counted with each line, so that neither the cut of the bytes nor empty lines decide where the bound is."""


class SSEDecoder:
    """Cuts an event stream into the data of its events.

    Lines end in CR, LF or CRLF and in nothing else: U+2028, which JSON leaves unescaped, does not end one. The work is
    linear in the bytes received, however they are cut.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._pending: list[bytes] = []
        """Pieces of a line whose end has not come yet."""
        self._data: list[bytes] = []
        """The data lines of the event whose blank line has not come yet."""
        self._size = 0
        """Bytes held back in `_pending` and `_data`."""
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes; return the data of every event that they complete.

        Raises:
            MalformedStreamError: If an event grows beyond the bound.
        """
        self._check_size()
        if self._after_cr and chunk:
            # The LF of a CRLF that was cut in two.
            self._after_cr = False
            if chunk[0] == 0x0A:
                chunk = chunk[1:]
        if b'\n' not in chunk and b'\r' not in chunk:
            if chunk:
                self._hold(self._pending, chunk)
            return []
        if self._pending:
            self._size -= sum(map(len, self._pending))
            self._pending.append(chunk)
            chunk = b''.join(self._pending)
            self._pending.clear()
        if self._at_start:
            self._at_start = False
            chunk = chunk.removeprefix(_BOM)
        # `bytes.splitlines` splits at CR, LF and CRLF only, unlike `str.splitlines`.
        lines = chunk.splitlines()
        self._after_cr = chunk.endswith(b'\r')
        rest = b'' if chunk.endswith((b'\n', b'\r')) else lines.pop()
        events = self._take(lines)
        if rest:
            self._hold(self._pending, rest)
        return events

    def close(self) -> list[bytes]:
        """Take the end of the stream; return the event that it completes, if its blank line was still missing."""
        self._check_size()
        line = b''.join(self._pending)
        self._pending.clear()
        return self._take([line.removeprefix(_BOM) if self._at_start else line, b''])

    def _take(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if not line:
                if data:
                    event = data[0] if len(data) == 1 else b'\n'.join(data)
                    data.clear()
                    self._size = 0
                    if event:
                        events.append(event)
            elif line.startswith(b'data:'):
                self._hold(data, line[6:] if line.startswith(b'data: ') else line[5:], overhead=len(_FIELD))
            elif line == b'data':
                self._hold(data, b'', overhead=len(_FIELD))
        return events

    def _hold(self, where: list[bytes], piece: bytes, *, overhead: int = 0) -> None:
        where.append(piece)
        self._size += len(piece) + overhead
        self._check_size()

    def _check_size(self) -> None:
        if self._size > self._max_event_bytes + len(_FIELD):
            # There is no way back into the stream: whatever comes next is answered with the same error.
            raise MalformedStreamError(
                f'An event of the stream is larger than {self._max_event_bytes} bytes; what answers is not the '
                'backend, or it is out of order.'
            )
