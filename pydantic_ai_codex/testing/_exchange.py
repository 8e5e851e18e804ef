"""One request being answered: what is sent, piece by piece, however it travels."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Literal, TypeAlias

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx2

from ._records import RecordedRequest, SimulatorError
from ._script import RawStream, Turn

Stop: TypeAlias = Literal['end', 'cut', 'stall']
Piece: TypeAlias = tuple[bytes, int]
"""Bytes, and how many frames are complete once they are sent."""


class ConnectionCut(Exception):
    """The script drops the connection here."""


@dataclass
class Exchange:
    """One request and its answer.

    Attributes:
        record: What the test sees of it.
        lock: Guards the record.
        status: The status that is answered.
        headers: The response headers.
        pieces: The body.
        stop: What happens after the last piece.
        delay: Seconds between two pieces.
        failure: What is raised in place of an answer.
        seconds: How long it takes until the answer begins.
        before: What is called, in a thread, before the answer begins.
        before_each: What is called, in a thread, before each piece.
    """

    record: RecordedRequest
    lock: Lock
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    pieces: Iterator[Piece] = field(default_factory=lambda: whole_piece(b''))
    stop: Stop = 'end'
    delay: float = 0.0
    failure: Exception | None = None
    begun: bool = False
    seconds: float = 0.0
    before: Callable[[], object] | None = None
    before_each: Callable[[], object] | None = None

    @property
    def is_held(self) -> bool:
        """Whether the answer takes its time; then `ready` comes before everything else."""
        return bool(self.seconds) or self.before is not None

    async def ready(self) -> None:
        """Wait until the answer may begin; `failure` and `status` are final only after that."""
        if self.seconds:
            await (anyio.sleep_forever() if self.seconds == math.inf else anyio.sleep(self.seconds))
        if self.before is None:
            return
        try:
            await _run(self.before)
        except (httpx2.TransportError, SimulatorError) as error:
            self.failure = error
            self.close()

    async def next_chunk(self) -> bytes | None:
        """The next bytes, or `None` at a clean end.

        Raises:
            ConnectionCut: The connection drops.
        """
        piece = next(self.pieces, None)
        if piece is None:
            if self.stop == 'stall':
                await anyio.sleep_forever()
            self.close()
            if self.stop == 'cut':
                raise ConnectionCut
            return None
        if self.begun and self.delay:
            await anyio.sleep(self.delay)
        else:
            # A stream gives way to others even where nothing waits, as one from a socket does.
            await anyio.lowlevel.checkpoint()
        if self.before_each is not None:
            try:
                await _run(self.before_each)
            except httpx2.TransportError as error:
                raise ConnectionCut from error
        self.begun = True
        chunk, complete = piece
        with self.lock:
            self.record.frames_sent = complete
        return chunk

    def close(self) -> None:
        """Note that nothing more is sent; twice does no harm."""
        with self.lock:
            self.record.closed = True

    def begin(self, status: int, headers: Mapping[str, str]) -> Exchange:
        """Answer with this status."""
        self.status = self.record.status = status
        self.headers = headers
        return self

    def begin_whole(self, status: int, body: object, headers: Mapping[str, str]) -> Exchange:
        """Answer with this body and nothing else."""
        content, content_type = json_pieces(body)
        self.pieces = whole_piece(content)
        return self.begin(status, {'content-type': content_type, 'content-length': str(len(content)), **headers})


async def _run(hook: Callable[[], object]) -> None:
    """Call something of the test's in a thread, as it may block, and others are answered meanwhile.

    Raises:
        TransportError: It stands for a connection error.
        SimulatorError: The function failed.
    """
    try:
        await anyio.to_thread.run_sync(hook, abandon_on_cancel=True)
    except (httpx2.TransportError, SimulatorError):
        raise
    except Exception as error:
        problem = f'What is called before the answer raised {type(error).__name__}: {error}'
        raise SimulatorError(problem) from error


def json_pieces(body: object) -> tuple[bytes, str]:
    """A body of a whole answer, with its content type."""
    if isinstance(body, bytes):
        return body, 'application/octet-stream'
    if isinstance(body, str):
        kind = 'text/html' if body.lstrip().startswith('<') else 'text/plain'
        return body.encode(), f'{kind}; charset=utf-8'
    return json.dumps(body).encode(), 'application/json'


def turn_pieces(turn: Turn, frames: Iterable[bytes]) -> tuple[Iterator[Piece], Stop]:
    """The pieces of a turn, up to where its script stops."""
    limits: tuple[tuple[int | None, Stop], ...] = (
        (turn.cut_after, 'cut'),
        (turn.stall_after, 'stall'),
        (turn.end_after, 'end'),
    )
    limit, stop = next((pair for pair in limits if pair[0] is not None), (None, 'end'))
    sent = islice(frames, limit)
    if turn.chunk_bytes is None:
        return _counted(sent), stop
    return _rechunked(sent, turn.chunk_bytes), stop


def raw_pieces(stream: RawStream) -> tuple[Iterator[Piece], Stop]:
    return _counted(stream.chunks), 'cut' if stream.cut else 'end'


def whole_piece(content: bytes) -> Iterator[Piece]:
    return iter([(content, 0)])


def even_pieces(content: bytes, size: int) -> Iterator[Piece]:
    """A body in pieces of one size, as it comes from a socket."""
    return ((content[start : start + size], 0) for start in range(0, len(content), size))


def _counted(frames: Iterable[bytes]) -> Iterator[Piece]:
    return ((frame, number) for number, frame in enumerate(frames, start=1))


def _rechunked(frames: Iterable[bytes], size: int) -> Iterator[Piece]:
    buffer = b''
    complete = 0
    for frame in frames:
        buffer += frame
        while len(buffer) >= size:
            chunk, buffer = buffer[:size], buffer[size:]
            # Unless the frame ends with this piece, its end is still in the buffer.
            yield chunk, complete + (not buffer)
        complete += 1
    if buffer:
        yield buffer, complete
