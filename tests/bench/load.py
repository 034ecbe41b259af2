"""An HTTP load that costs less than any server: bytes made beforehand, and of the answers only what counts."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import cast

import orjson

from tests.bench.figures import quantile

LENGTH = b"Content-Length: "
HEAD_END = b"\r\n\r\n"
ANSWER_S = 30.0


def request(
    method: str,
    path: str,
    key: str | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    content = b"" if body is None else orjson.dumps(body)
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(slots=True)
class Pace:
    """What a load found. Times are milliseconds from sending a request to the last byte of its answer."""

    seconds: float
    times_ms: list[float]
    asked: int
    """Requests in all, with those before and after the time that counts."""

    @property
    def per_s(self) -> float:
        return len(self.times_ms) / self.seconds

    @property
    def p50_ms(self) -> float:
        return quantile(self.times_ms, 0.5)

    @property
    def p99_ms(self) -> float:
        return quantile(self.times_ms, 0.99)

    def cpu_us(self, seconds: float) -> float:
        """Microseconds of each request's share in these seconds of processor."""
        return seconds / self.asked * 1e6


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered, until it is told to stop."""

    def __init__(self, requests: Iterator[bytes], status: bytes, times: list[float]) -> None:
        self._requests = requests
        self._status = status
        self._times = times
        self._rest = b""
        self._sent_at = 0.0
        self.running = True
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.last = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def begin(self) -> None:
        self._sent_at = time.perf_counter()
        self.transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        end = data.find(HEAD_END)
        if end < 0:
            self._rest = data
            return
        at = data.find(LENGTH, 0, end)
        length = int(data[at + len(LENGTH) : data.index(b"\r", at)]) if at >= 0 else 0
        if len(data) < end + 4 + length:
            self._rest = data
            return
        self._rest = b""
        self._answered(data)

    def _answered(self, data: bytes) -> None:
        now = time.perf_counter()
        if data[9:12] != self._status:
            self._end(RuntimeError(f"unexpected answer: {data[:600].decode(errors='replace')}"))
            return
        self._times.append(now - self._sent_at)
        if self.running:
            self._sent_at = now
            self.transport.write(next(self._requests))
        else:
            self.last = data
            self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error or ConnectionError("the server closed the connection"))

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            if error is None:
                self.ended.set_result(None)
            else:
                self.ended.set_exception(error)


async def drive(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    status: int,
    warm_s: float = 0.3,
) -> Pace:
    """Keeps so many keep-alive connections busy. Raises RuntimeError for an answer with another status."""
    times: list[float] = []
    source = cycle(requests)
    made = await _connect(port, connections, partial(Connection, source, str(status).encode(), times))
    for connection in made:
        connection.begin()
    await asyncio.sleep(warm_s)
    start, first = time.perf_counter(), len(times)
    await asyncio.sleep(seconds)
    taken, counted = time.perf_counter() - start, len(times)
    for connection in made:
        connection.running = False
    try:
        async with asyncio.timeout(ANSWER_S):
            await asyncio.gather(*(connection.ended for connection in made))
    finally:
        for connection in made:
            connection.transport.abort()
    return Pace(taken, [value * 1000 for value in times[first:counted]], len(times))


class Caller:
    """One keep-alive connection for single requests, with the times at which they began and ended."""

    def __init__(self, connection: Connection, requests: list[bytes]) -> None:
        self._connection = connection
        self._requests = requests

    @classmethod
    async def open(cls, port: int, status: int) -> "Caller":
        requests: list[bytes] = []
        source = iter(requests.pop, None)
        made = partial(Connection, source, str(status).encode(), [])
        [connection] = await _connect(port, 1, made)
        connection.running = False
        return cls(connection, requests)

    async def ask(self, content: bytes) -> tuple[float, float, bytes]:
        """When it was sent and answered (seconds of the monotonic clock), and the answer's body."""
        self._connection.ended = asyncio.get_running_loop().create_future()
        self._requests.append(content)
        sent_at = time.monotonic()
        self._connection.begin()
        async with asyncio.timeout(ANSWER_S):
            await self._connection.ended
        return sent_at, time.monotonic(), self._connection.last.partition(HEAD_END)[2]

    def close(self) -> None:
        self._connection.transport.abort()


async def _connect(port: int, count: int, made: partial[Connection]) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(made, "127.0.0.1", port))[1] for _ in range(count)]
