"""Progress, text and slow readers."""

import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import aiohttp
import orjson
import pytest

from gateway.live.connections import (
    MAX_QUEUED,
    MAX_QUEUED_BYTES,
    RESUME,
    Connection,
    Follow,
    StreamConnection,
)
from gateway.live.frames import Frame, text_frame
from gateway.live.texts import Texts
from shared.events import delta_frame, event_frame, progress_frame
from shared.ids import new_id
from tests.gateway.live.scene import LIFE, Client, Gateway, Studio


async def test_progress_is_conflated_and_ends_with_the_generation(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    async with gateway.connect() as client:
        await client.subscribe("generations")
        await studio.live(id_, LIFE[:2])
        await client.until(lambda f: f["type"] == "generation.waiting")
        await studio.say(
            *(progress_frame(id_, 3, progress=n / 100, stage="provider_running") for n in range(100))
        )
        await client.until(lambda f: f["type"] == "generation.progress" and f["data"]["progress"] == 0.99)
        await studio.say(progress_frame(id_, 3, progress=0.995))
        await studio.live(id_, LIFE[2:])
        await studio.say(progress_frame(id_, 5, progress=1.0), progress_frame(id_, 3, progress=0.2))
        await client.until_end(id_)
        await client.until_end(await studio.whole())
    shown = [f["data"]["progress"] for f in client.frames if f["type"] == "generation.progress"]
    assert shown == [0.0, 0.99]
    assert client.types(id_)[-1] == "completed"


async def test_progress_that_runs_ahead_reveals_a_lost_event(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}")
        studio.lose = lambda seq: True
        await studio.advance(id_, "submitting")
        await studio.say(progress_frame(id_, 2, progress=0.5))
        await client.until(lambda f: f["type"] == "generation.submitting")
    assert client.seqs(id_) == [1, 2]


async def test_text_arrives_whole_and_in_order(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    words = [f"word{n} " for n in range(200)]
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}")
        offset = 0
        for word in words:
            await studio.say(delta_frame(id_, 1, offset=offset, text=word))
            offset += len(word)
        text = ""
        while len(text) < offset:
            frame = await client.next()
            assert frame["data"]["offset"] == len(text)
            text += frame["data"]["text"]
    assert text == "".join(words)


@pytest.mark.parametrize("since", [None, 1])
async def test_who_comes_in_the_middle_of_a_text_gets_its_beginning(
    gateway: Gateway, studio: Studio, since: int | None
) -> None:
    id_ = await studio.start()
    async with gateway.connect() as first, gateway.connect() as late:
        await first.subscribe("generations")
        for offset, text in ((0, "It was "), (7, "a dark ")):
            await studio.say(delta_frame(id_, 1, offset=offset, text=text))
            await first.until(lambda f: f["type"] == "generation.delta")
        await late.subscribe("generations", since={str(id_): since} if since else {})
        await studio.say(delta_frame(id_, 1, offset=14, text="night"))
        await late.until(lambda f: f["type"] == "generation.delta" and f["data"]["offset"] == 14)
    told = [(f["data"]["offset"], f["data"]["text"]) for f in late.frames if f["type"] == "generation.delta"]
    assert told == [(0, "It was a dark "), (14, "night")]


def test_a_text_with_a_hole_or_an_end_is_not_told() -> None:
    texts = Texts()
    for offset, text in ((0, "one"), (5, "two")):
        texts.hear(frame("generation.delta", offset=offset, text=text))
    assert texts.so_far(str(ID), 1) is None
    texts.hear(frame("generation.delta", offset=0, text="anew"))
    assert texts.so_far(str(ID), 2) is None
    assert (told := texts.so_far(str(ID), 1)) is not None
    assert told.data == {"offset": 0, "text": "anew"}
    texts.hear(frame("generation.storing", stage="storing"))
    assert texts.so_far(str(ID), 1) is None


async def test_without_the_bound_a_sleeper_would_be_kept(
    gateway: Gateway, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the next test."""
    monkeypatch.setattr("gateway.live.connections.MAX_QUEUED", 1 << 30)
    monkeypatch.setattr("gateway.live.connections.MAX_QUEUED_BYTES", 1 << 40)
    id_ = await studio.start()
    async with gateway.connect() as fast, _sleeper(gateway):
        await fast.subscribe("generations")
        for n in range(600):
            await studio.say(_heavy(id_, n + 2))
            await fast.until(lambda f: "seq" in f)
        assert max(len(connection._queue) for connection in _connections(gateway)) > 256


async def test_who_stops_reading_is_let_go_and_delays_nobody(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    async with gateway.connect() as fast, _sleeper(gateway) as sleeper:
        await fast.subscribe("generations")
        most = 0
        for n in range(600):
            await studio.say(_heavy(id_, n + 2))
            assert (await fast.until(lambda f: "seq" in f))["seq"] <= n + 2
            most = max(most, *(len(connection._queue) for connection in _connections(gateway)))
        assert most <= 256
        assert fast.seqs(id_) == list(range(1, 602))
        assert await sleeper.wake() == RESUME


def _heavy(id_: UUID, seq: int) -> bytes:
    """An event of 20 kB."""
    row = {
        "generation_id": id_,
        "seq": seq,
        "type": "generation.updated",
        "data": {"ballast": "x" * 20_000},
        "created_at": "2026-05-01T00:00:00Z",
    }
    return event_frame(row)


class _Sleeper:
    """A websocket client that subscribes and then reads nothing, on a small receive buffer."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def wake(self) -> int | None:
        transport = cast(Any, self.client.socket)._response.connection.transport
        transport.resume_reading()
        return await self.client.closed()


@asynccontextmanager
async def _sleeper(gateway: Gateway) -> AsyncIterator[_Sleeper]:
    def small(address: Any) -> sockets.socket:
        made = sockets.socket(address[0], address[1])
        made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        return made

    connector = aiohttp.TCPConnector(socket_factory=small)
    async with (
        aiohttp.ClientSession(gateway.server.make_url("/"), connector=connector) as session,
        session.ws_connect("/api/v1/ws", headers=gateway.headers(), max_msg_size=0) as socket,
    ):
        client = Client(socket)
        await client.subscribe("generations")
        cast(Any, socket)._response.connection.transport.pause_reading()
        yield _Sleeper(client)


def _connections(gateway: Gateway) -> list[Any]:
    return list(gateway.hub._channels[gateway.studio.account_id].connections)


# One connection by itself, without a network.


class Quiet:
    """A hub that only counts."""

    def __init__(self) -> None:
        self.held = 0
        self.reasons: list[str] = []

    def relieved(self, connection: Connection) -> None: ...

    def held_back(self, connection: Connection) -> None:
        self.held += 1

    def closing(self, connection: Connection, reason: str) -> None:
        self.reasons.append(reason)


def frame(type_: str, seq: int = 1, **data: Any) -> Frame:
    body = {"v": 1, "id": str(ID), "seq": seq, "ts": "2026-05-01T12:00:00Z", "type": type_, "data": data}
    return Frame.parse(orjson.dumps(body))


async def sent(connection: StreamConnection) -> list[dict[str, Any]]:
    chunk = await connection.chunk(0.01) or b""
    return [orjson.loads(line[6:]) for line in chunk.splitlines() if line.startswith(b"data: ")]


ID = new_id()


async def test_text_that_waits_is_joined_and_precedes_the_next_event() -> None:
    connection = StreamConnection(new_id(), Quiet())
    connection.event(frame("generation.waiting"))
    for offset, text in ((0, "It "), (3, "was "), (7, "a dark")):
        connection.delta(frame("generation.delta", offset=offset, text=text))
    connection.event(frame("generation.updated", 2))
    assert [(f["type"], f["data"].get("text")) for f in await sent(connection)] == [
        ("generation.waiting", None),
        ("generation.delta", "It was a dark"),
        ("generation.updated", None),
    ]


async def test_nothing_that_waits_survives_the_end() -> None:
    connection, follow = StreamConnection(new_id(), Quiet()), Follow(1)
    connection.event(frame("generation.storing"))
    connection.progress(frame("generation.progress", progress=0.9), follow)
    connection.delta(frame("generation.delta", offset=0, text="late"))
    connection.event(frame("generation.completed", 2))
    connection.flush()
    assert [f["type"] for f in await sent(connection)] == ["generation.storing", "generation.completed"]
    assert connection.flush()


async def test_a_queue_has_a_bound_in_number_and_in_bytes() -> None:
    for size, most in ((10, MAX_QUEUED), (MAX_QUEUED_BYTES // 4, 4)):
        hub = Quiet()
        connection = StreamConnection(new_id(), hub)
        for seq in range(MAX_QUEUED + 2):
            connection.event(frame("generation.updated", seq, ballast="x" * size))
            assert len(connection._queue) <= most
        assert connection.closed
        assert hub.reasons == ["resume"]
        assert await connection.chunk(0.01) is None


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_every_size_have_the_right_header(size: int) -> None:
    encoded = text_frame(b"x" * size)
    header = {0: 2, 125: 2, 126: 4, 65_535: 4, 65_536: 10}[size]
    assert encoded[0] == 0x81
    assert len(encoded) == header + size
    assert encoded[1] == {2: size, 4: 126, 10: 127}[header]
