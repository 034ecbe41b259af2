"""Goal 6: websocket fan-out. 5,000 sockets of 5,000 accounts, each message to one of them.

One gateway process is measured; this process publishes and receives. Beside it, in the same run, stands what
the libraries do by themselves: redis-py's PubSub and aiohttp's `send_str`.

    python -m tests.bench.fanout        (with DATABASE_URL, DATABASE_WORKER_URL and REDIS_URL of a scratch stack)
"""

import asyncio
import os
import resource
import struct
import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from statistics import quantiles
from types import SimpleNamespace
from typing import Any, Self, cast
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

import orjson
import uvloop
from aiohttp import web
from redis.asyncio import Redis

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.http import endpoint
from gateway.live import LiveHub
from gateway.resources import render_rows
from gateway.routes.events import websocket
from shared.db import Database, Role
from shared.domains.accounts import Scope
from shared.domains.ops.board import Board
from shared.events import channel
from shared.ids import new_id
from shared.settings import Settings

SOCKETS = 5_000
MESSAGES = 200_000
PIPELINE = 200
IN_FLIGHT = 10_000
HALF_LOAD_S = 4.0
CONNECTING = 50
WAIT_S = 60.0
STAMP = b'"at":'
STAMP_DIGITS = 16
STAMP_BASE = 10**15
"""Added to the microseconds, so that a stamp has all its digits and is a JSON number."""


# --- The process that is measured


class Trusting:
    """Takes the account from the query: signing in is not what is measured here."""

    async def authenticate(self, request: web.Request, *, ticket: bool = False) -> Principal:
        return Principal(UUID(request.query["ticket"]), frozenset(Scope))


class Plain:
    """The baseline: redis-py's PubSub, and `send_str` to the one socket that a channel has."""

    def __init__(self, redis: Redis) -> None:
        self._pubsub = redis.pubsub()
        self._sockets: dict[bytes, web.WebSocketResponse] = {}
        self._first = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False, heartbeat=20)
        await socket.prepare(request)
        name = channel(UUID(request.query["ticket"]))
        self._sockets[name.encode()] = socket
        async with self._one_at_a_time:
            await self._pubsub.subscribe(name)
        self._first.set()
        await socket.receive()
        await socket.send_str('{"type":"subscribed"}')
        async for _ in socket:
            pass
        return socket

    async def run(self) -> None:
        await self._first.wait()
        while True:
            message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=1)
            if message is not None:
                await self._sockets[message["channel"]].send_str(message["data"].decode())


async def serve(settings: Settings) -> None:
    """Prints its port, then serves until its standard input ends."""
    db = await Database.open(settings.database_url, Role.APP)
    hub = LiveHub(db, settings.redis_url, partial(render_rows, base_url=""), Board(db, settings.lease_ttl_s))
    await hub.start()
    plain = Plain(Redis.from_url(settings.redis_url))
    running = asyncio.create_task(plain.run())
    deps = SimpleNamespace(
        settings=settings, db=db, hub=hub, authenticator=Trusting(), rates=SimpleNamespace(active=False)
    )
    app = web.Application()
    app.router.add_get(websocket.path, endpoint(websocket, cast(Deps, deps)))
    app.router.add_get("/plain", plain.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201  # the parent reads it
    await asyncio.to_thread(sys.stdin.read)
    running.cancel()
    os._exit(0)


# --- The load


class Tally:
    """What all the sockets have received."""

    def __init__(self) -> None:
        self.received = 0
        self._goal = 0
        self._reached = asyncio.Event()
        self.delays_ms: list[float] = []
        self.sampling = False

    def count(self) -> None:
        self.received += 1
        if self.received == self._goal:
            self._reached.set()

    async def reach(self, goal: int) -> None:
        """Returns when so many have been received. Raises TimeoutError."""
        if self.received < goal:
            self._goal = goal
            self._reached.clear()
            async with asyncio.timeout(WAIT_S):
                await self._reached.wait()


class Socket(asyncio.Protocol):
    """A websocket client that counts frames and now and then reads a time stamp."""

    def __init__(self, tally: Tally, first: bytes) -> None:
        self._tally = tally
        self._first = first
        self._rest = b""
        self._ready = False
        self.subscribed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._first)

    def data_received(self, data: bytes) -> None:
        if not self._ready:
            self._rest += data
            self._ready = b'"type":"subscribed"' in self._rest
            if self._ready:
                self.subscribed.set_result(None)
                self._rest = b""
            return
        self._count(self._rest + data if self._rest else data)

    def _count(self, data: bytes) -> None:
        at, size, tally = 0, len(data), self._tally
        while size - at >= 4:
            length = data[at + 1]
            head = 2
            if length == 126:
                head, length = 4, int.from_bytes(data[at + 2 : at + 4])
            if size - at < head + length:
                break
            tally.count()
            if tally.sampling:
                stamp = data.index(STAMP, at) + len(STAMP)
                sent_at = int(data[stamp : stamp + STAMP_DIGITS]) - STAMP_BASE
                tally.delays_ms.append((time.monotonic_ns() // 1000 - sent_at) / 1000)
            at += head + length
        self._rest = data[at:]


def _first_bytes(path: str, account_id: UUID, generation_id: UUID) -> bytes:
    """The handshake, and behind it at once the subscription."""
    message = orjson.dumps(
        {"op": "subscribe", "topics": [f"generation:{generation_id}"], "since": {str(generation_id): 1}}
    )
    head = (
        f"GET {path}?ticket={quote(str(account_id))} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    return head.encode() + struct.pack(">BBH4x", 0x81, 0xFE, len(message)) + message


class Loudspeaker:
    """Publishes without a client library, which would take more of the processor than what is measured."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    @classmethod
    async def open(cls, redis_url: str) -> Self:
        url = urlsplit(redis_url)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        if url.password:
            writer.write(_command(b"AUTH", unquote(url.password).encode()))
            assert await reader.readline() == b"+OK\r\n"
        writer.write(_command(b"CLIENT", b"REPLY", b"OFF"))
        return cls(writer)

    async def publish(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        self._writer.writelines([_command(b"PUBLISH", name, message) for name, message in messages])
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


def _command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


class Load:
    """Sockets to one server, and frames to them through Redis."""

    def __init__(
        self, speaker: Loudspeaker, port: int, pid: int, watched: Sequence[tuple[UUID, UUID]]
    ) -> None:
        self._speaker = speaker
        self._port = port
        self._pid = pid
        self._watched = watched
        self._names = [channel(account_id).encode() for account_id, _ in watched]
        self._seqs = [1] * len(watched)
        self._next = 0
        self._tally = Tally()
        self._sockets: list[Socket] = []

    async def connect(self, path: str) -> float:
        """Opens all sockets; how many kilobytes each costs the server."""
        before = _resident_kb(self._pid)
        gate = asyncio.Semaphore(CONNECTING)

        async def open_one(pair: tuple[UUID, UUID]) -> None:
            async with gate:
                made = partial(Socket, self._tally, _first_bytes(path, *pair))
                _, socket = await asyncio.get_running_loop().create_connection(made, "127.0.0.1", self._port)
                await socket.subscribed
                self._sockets.append(socket)

        await asyncio.gather(*(open_one(pair) for pair in self._watched))
        await asyncio.sleep(0.5)
        return (_resident_kb(self._pid) - before) / len(self._watched)

    async def flood(self, messages: int) -> dict[str, float]:
        """As fast as it goes: deliveries a second, and a second of the server's processor."""
        start, cpu = time.monotonic(), _cpu_s(self._pid)
        target = self._tally.received + messages
        for sent in range(0, messages, PIPELINE):
            await self._publish(PIPELINE)
            # What waits in the server's sockets is bounded, as it is with clients that keep up.
            await self._tally.reach(target - messages + sent - IN_FLIGHT)
        await self._tally.reach(target)
        return {
            "deliveries_per_s": round(messages / (time.monotonic() - start)),
            "deliveries_per_cpu_s": round(messages / (_cpu_s(self._pid) - cpu)),
        }

    async def pace(self, per_s: float, seconds: float) -> dict[str, float]:
        """A steady load: how long a message takes from publish to the client, in milliseconds."""
        self._tally.delays_ms, self._tally.sampling = [], True
        start, sent = time.monotonic(), 0
        target = self._tally.received
        while (elapsed := time.monotonic() - start) < seconds:
            due = int(elapsed * per_s) - sent
            if due > 0:
                await self._publish(min(due, PIPELINE))
                sent += min(due, PIPELINE)
            else:
                await asyncio.sleep(0.001)
        await self._tally.reach(target + sent)
        self._tally.sampling = False
        cuts = quantiles(self._tally.delays_ms, n=100)
        return {
            "offered_per_s": round(sent / seconds),
            "p50_ms": round(cuts[49], 2),
            "p99_ms": round(cuts[98], 2),
        }

    async def close(self) -> None:
        for socket in self._sockets:
            socket.transport.abort()
        await asyncio.sleep(1)

    async def _publish(self, count: int) -> None:
        await self._speaker.publish([self._next_message() for _ in range(count)])
        await asyncio.sleep(0)

    def _next_message(self) -> tuple[bytes, bytes]:
        n = self._next % len(self._names)
        self._next += 1
        self._seqs[n] += 1
        return self._names[n], self._frame(n)

    def _frame(self, n: int) -> bytes:
        now = time.monotonic_ns() // 1000
        return (
            b'{"v":1,"id":"%b","seq":%d,"ts":"2026-05-01T12:00:00.000000Z","type":"generation.updated",'
            b'"data":{"status":"running","stage":"provider_running","progress":0.5,"at":%016d}}'
            % (str(self._watched[n][1]).encode(), self._seqs[n], now + STAMP_BASE)
        )


async def measure(settings: Settings, *, sockets: int = SOCKETS, messages: int = MESSAGES) -> dict[str, Any]:
    """Deliveries a second, delays at half of the goal's load, and memory per idle socket; ours and plain."""
    _allow_files(sockets * 2 + 500)
    cpus = os.sched_getaffinity(0)
    speaker = await Loudspeaker.open(settings.redis_url)
    watched = await _generations(settings, sockets)
    found: dict[str, Any] = {"sockets": sockets}
    for name, path in (("penstock", websocket.path), ("plain", "/plain")):
        server, port = await _start(settings, cpus)
        load = Load(speaker, port, server.pid, watched)
        idle_kb = await load.connect(path)
        await load.flood(messages // 10)
        found[name] = {
            "idle_kb_per_socket": round(idle_kb, 1),
            **await load.flood(messages),
            **await load.pace(30_000, HALF_LOAD_S),
        }
        await load.close()
        server.terminate()
        await server.wait()
    os.sched_setaffinity(0, cpus)
    speaker.close()
    return found


async def _start(settings: Settings, cpus: set[int]) -> tuple[asyncio.subprocess.Process, int]:
    given = orjson.dumps({"database_url": settings.database_url, "redis_url": settings.redis_url}).decode()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.fanout", given,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None
    _divide(server.pid, cpus)
    return server, int(await server.stdout.readline())


async def _generations(settings: Settings, count: int) -> list[tuple[UUID, UUID]]:
    """That many accounts with a generation each."""
    pairs = [(new_id(), new_id()) for _ in range(count)]
    db = await Database.open(settings.worker_url, Role.WORKER, max_size=1)
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO accounts (id, name) SELECT id, 'bench' FROM unnest($1::uuid[]) AS id",
            [a for a, _ in pairs],
        )
        await tx.execute(
            "INSERT INTO generations (id, account_id, kind, model, wake_at, deadline_at)"
            " SELECT g, a, 'image', 'local', now() + interval '1 hour', now() + interval '1 hour'"
            " FROM unnest($1::uuid[], $2::uuid[]) AS p (a, g)",
            [a for a, _ in pairs],
            [g for _, g in pairs],
        )
    await db.close()
    return pairs


def _divide(pid: int, cpus: set[int]) -> None:
    """The server on one processor, the load on the others, where there are several."""
    if len(cpus) > 1:
        os.sched_setaffinity(pid, {min(cpus)})
        os.sched_setaffinity(0, cpus - {min(cpus)})


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count)), hard))


def _resident_kb(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _allow_files(SOCKETS * 2 + 500)
        uvloop.run(serve(Settings(**orjson.loads(sys.argv[1]))))
    else:
        print(orjson.dumps(uvloop.run(measure(Settings())), option=orjson.OPT_INDENT_2).decode())  # noqa: T201
