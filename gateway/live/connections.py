"""The sending side of one client: it takes what the hub gives, never makes the hub wait, and is bounded.

Events are durable: past the bound the connection is closed with 4008, and its client resumes by position.
Progress is conflated (the latest wins), text deltas are joined; both are dropped rather than queued for long.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from typing import Protocol
from uuid import UUID

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from gateway.live.frames import Frame, text_frame
from shared.events import delta_frame

MAX_QUEUED = 256
MAX_QUEUED_BYTES = 1 << 20
CROWDED = MAX_QUEUED // 2
MAX_DELTA_BYTES = 64 << 10
WRITE_BUFFER = 64 << 10
SEND_TIMEOUT_S = 10.0
CLOSE_GRACE_S = 5.0
PROGRESS_INTERVAL_S = 0.25

NONE: frozenset[str] = frozenset()
EMPTY: deque[bytes] = deque(maxlen=0)
"""Stands for a queue that has not been needed yet."""

RESUME = 4008
UNAUTHENTICATED = 4401
RESTARTING = 1012
INTERNAL = 1011


class Follow:
    """How far one connection has come with one generation."""

    __slots__ = ("ended", "progress_at", "reset", "seq")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.ended = False
        self.reset = False
        self.progress_at = 0.0


class _Delta:
    """Text that waits to be sent, joined."""

    __slots__ = ("offset", "seq", "size", "text")

    def __init__(self, frame: Frame) -> None:
        self.seq = frame.seq
        self.offset: int = frame.data["offset"]
        self.text: list[str] = [frame.data["text"]]
        self.size = len(self.text[0])

    def joins(self, frame: Frame) -> bool:
        return bool(frame.data["offset"] == self.offset + self.size) and self.size < MAX_DELTA_BYTES

    def join(self, frame: Frame) -> None:
        self.seq = frame.seq
        self.text.append(frame.data["text"])
        self.size += len(self.text[-1])

    def frame(self, id_: str) -> Frame:
        return Frame.parse(delta_frame(UUID(id_), self.seq, offset=self.offset, text="".join(self.text)))


class Keeper(Protocol):
    """What a connection tells the hub."""

    def relieved(self, connection: "Connection") -> None:
        """There is room again for events that were held back."""

    def held_back(self, connection: "Connection") -> None:
        """Progress waits for its turn."""

    def closing(self, connection: "Connection", reason: str) -> None:
        """The server gave the connection up."""


class Connection(ABC):
    """A client that follows generations of one account.

    `explicit` are the generations it named; `feed` says that it follows all of its account's, `projects`
    those of some projects, made after `since_ms` (milliseconds of the epoch). `behind` are generations whose
    events wait in Postgres until the client has read what it was sent; `ended` are those that it saw end,
    each with the time.

    There are thousands of these, mostly idle: what is seldom needed is made when it is.
    """

    __slots__ = (
        "_deltas",
        "_keeper",
        "_progress",
        "_queue",
        "_queued_bytes",
        "_relief",
        "account_id",
        "behind",
        "closed",
        "credential",
        "ended",
        "explicit",
        "feed",
        "follows",
        "projects",
        "since_ms",
    )

    def __init__(self, account_id: UUID, keeper: Keeper, credential: str | None = None) -> None:
        self.account_id = account_id
        self.credential = credential
        self.follows: dict[str, Follow] = {}
        self.explicit: frozenset[str] = NONE
        self.projects: frozenset[str] = NONE
        self.feed = False
        self.since_ms = 0
        self.behind: frozenset[str] = NONE
        self.ended: deque[tuple[str, float]] | None = None
        self.closed = False
        self._keeper = keeper
        self._queue: deque[bytes] = EMPTY
        self._queued_bytes = 0
        self._progress: dict[str, tuple[Frame, Follow]] = {}
        self._deltas: dict[str, _Delta] = {}
        self._relief: asyncio.Event | None = None

    @property
    def crowded(self) -> bool:
        """Whether replayed events should wait, so that there is room for live ones."""
        return len(self._queue) > CROWDED or self._queued_bytes > MAX_QUEUED_BYTES // 2

    def event(self, frame: Frame) -> None:
        """Send a durable frame. Progress that it outdates is dropped, text before it goes first."""
        if self._progress:
            self._progress.pop(frame.id, None)
        if self._deltas and (delta := self._deltas.pop(frame.id, None)) is not None and not frame.terminal:
            self._put(self._encode(delta.frame(frame.id)))
        self._put(self._encode(frame))

    def progress(self, frame: Frame, follow: Follow) -> None:
        """Send how far a generation is, now or later, at most four times a second."""
        now = asyncio.get_running_loop().time()
        if self._ready() and now - follow.progress_at >= PROGRESS_INTERVAL_S:
            follow.progress_at = now
            self._progress.pop(frame.id, None)
            self._write(self._encode(frame))
        else:
            self._progress[frame.id] = (frame, follow)
            self._keeper.held_back(self)

    def delta(self, frame: Frame) -> None:
        """Send more text, joined with what still waits; past a bound the client gets it at the end."""
        waiting = self._deltas.get(frame.id)
        if waiting is None and self._ready():
            self._write(self._encode(frame))
        elif waiting is not None and waiting.joins(frame):
            waiting.join(frame)
        elif not self.closed:
            self._deltas[frame.id] = _Delta(frame)
            self._keeper.held_back(self)

    def control(self, payload: bytes) -> None:
        """Send a frame about the connection itself, in order with the events."""
        self._put(self._wrap(payload))

    def flush(self) -> bool:
        """Send the progress and text that waited, as far as there is room; True when none is left."""
        if self.closed:
            return True
        now = asyncio.get_running_loop().time()
        while self._deltas and self._ready():
            id_ = next(iter(self._deltas))
            self._write(self._encode(self._deltas.pop(id_).frame(id_)))
        for id_, (frame, follow) in list(self._progress.items()):
            if not self._ready():
                break
            if now - follow.progress_at >= PROGRESS_INTERVAL_S * 0.9:
                del self._progress[id_]
                follow.progress_at = now
                self._write(self._encode(frame))
        return not self._progress and not self._deltas

    async def room(self) -> None:
        """Returns when replayed events have room, or the connection is closed."""
        while self.crowded and not self.closed:
            self._relief = self._relief or asyncio.Event()
            await self._relief.wait()

    def close(self, code: int, reason: str) -> None:
        """Give the client up: what waits is dropped, and it is told why as far as it still reads."""
        if self.closed:
            return
        self._discard()
        self._keeper.closing(self, reason)
        self._hang_up(code, reason)

    def gone(self) -> None:
        """The client has left."""
        self._discard()

    def _discard(self) -> None:
        self.closed = True
        self._queue = EMPTY
        self._queued_bytes = 0
        self._progress.clear()
        self._deltas.clear()
        self._wake_relief()

    def _put(self, data: bytes) -> None:
        if self.closed:
            return
        if self._ready():
            self._write(data)
        elif len(self._queue) >= MAX_QUEUED or self._queued_bytes + len(data) > MAX_QUEUED_BYTES:
            self.close(RESUME, "resume")
        else:
            self._enqueue(data)
            self._pump()

    def _enqueue(self, data: bytes) -> None:
        if self._queue is EMPTY:
            self._queue = deque()
        self._queue.append(data)
        self._queued_bytes += len(data)

    def _take(self) -> bytes:
        data = self._queue.popleft()
        self._queued_bytes -= len(data)
        return data

    def _eased(self) -> None:
        """Called after the queue became shorter."""
        if not self.crowded:
            self._wake_relief()
            if self.behind:
                self._keeper.relieved(self)

    def _wake_relief(self) -> None:
        if self._relief is not None:
            self._relief.set()
            self._relief = None

    @abstractmethod
    def _encode(self, frame: Frame) -> bytes: ...

    @abstractmethod
    def _wrap(self, payload: bytes) -> bytes: ...

    @abstractmethod
    def _ready(self) -> bool:
        """Whether `_write` would go out at once."""

    @abstractmethod
    def _write(self, data: bytes) -> None: ...

    @abstractmethod
    def _pump(self) -> None:
        """See to it that the queue is sent when the client reads again."""

    @abstractmethod
    def _hang_up(self, code: int, reason: str) -> None: ...


class SocketConnection(Connection):
    """A websocket. Frames are written raw to the transport: they are encoded once for all sockets."""

    __slots__ = ("_hanging_up", "_pumping", "_socket", "_transport", "_writer")

    def __init__(
        self,
        account_id: UUID,
        keeper: Keeper,
        credential: str | None,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        writer: AbstractStreamWriter,
    ) -> None:
        super().__init__(account_id, keeper, credential)
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._socket = socket
        self._transport = transport
        self._writer = writer
        self._pumping: asyncio.Task[None] | None = None
        self._hanging_up: asyncio.Task[None] | None = None

    async def finished(self) -> None:
        """Returns when nothing of this connection runs any more."""
        self.gone()
        if self._pumping is not None:
            self._pumping.cancel()
            with suppress(asyncio.CancelledError):
                await self._pumping
        if self._hanging_up is not None:
            await self._hanging_up

    def _encode(self, frame: Frame) -> bytes:
        return frame.socket

    def _wrap(self, payload: bytes) -> bytes:
        return text_frame(payload)

    def _ready(self) -> bool:
        return not self._queue and not self.closed and self._transport.get_write_buffer_size() <= WRITE_BUFFER

    def _write(self, data: bytes) -> None:
        self._transport.write(data)

    def _pump(self) -> None:
        if self._pumping is None or self._pumping.done():
            self._pumping = asyncio.create_task(self._send_queue(), name="live-send")

    async def _send_queue(self) -> None:
        while self._queue:
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await self._writer.drain()
            except TimeoutError:
                self.close(RESUME, "resume")
                return
            except OSError:
                self.gone()
                return
            while self._queue and self._transport.get_write_buffer_size() <= WRITE_BUFFER:
                self._transport.write(self._take())
            self._eased()
            await asyncio.sleep(0)
        self.flush()

    def _hang_up(self, code: int, reason: str) -> None:
        self._hanging_up = asyncio.create_task(self._close_socket(code, reason), name="live-close")

    async def _close_socket(self, code: int, reason: str) -> None:
        """Who no longer reads does not read the close frame either: after a grace the line is cut."""
        try:
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(CLOSE_GRACE_S):
                    await self._socket.close(code=code, message=reason.encode())
        finally:
            if self._transport.get_write_buffer_size():
                self._transport.abort()


class StreamConnection(Connection):
    """A server-sent event stream. Its handler takes the bytes from `chunks` and writes them.

    With `only`, it is the stream of that generation and ends with it.
    """

    __slots__ = ("_complete", "_news", "_only")

    def __init__(
        self, account_id: UUID, keeper: Keeper, credential: str | None = None, *, only: str | None = None
    ) -> None:
        super().__init__(account_id, keeper, credential)
        self._only = only
        self._complete = False
        self._news = asyncio.Event()

    def event(self, frame: Frame) -> None:
        super().event(frame)
        if self._only is not None and frame.terminal:
            self._complete = True

    async def chunk(self, timeout_s: float) -> bytes | None:
        """What there is to send; empty when nothing came in time, None at the end of the stream."""
        if not self._queue and not self.closed and not self._complete:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
        if self.closed or (self._complete and not self._queue):
            return None
        data = b"".join(self._queue)
        self._queue = EMPTY
        self._queued_bytes = 0
        self._eased()
        return data

    def gone(self) -> None:
        super().gone()
        self._news.set()

    def _encode(self, frame: Frame) -> bytes:
        return frame.timed_stream if self._only is None else frame.stream

    def _wrap(self, payload: bytes) -> bytes:
        return b"data: " + payload + b"\n\n"

    def _ready(self) -> bool:
        return not self._queue and not self.closed

    def _write(self, data: bytes) -> None:
        self._enqueue(data)
        self._news.set()

    def _pump(self) -> None:
        self._news.set()

    def _hang_up(self, code: int, reason: str) -> None:
        self._news.set()
