"""Live connections: complete and in order, whatever is lost on the way."""

import asyncio
import random
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, Self, cast
from uuid import UUID

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from cli.servers import EmbeddedServers
from gateway.auth import ApiKeys, Authenticator, Tickets
from gateway.deps import Deps
from gateway.errors import problem
from gateway.http import endpoint
from gateway.live import LiveHub
from gateway.live.connections import RESTARTING, RESUME, UNAUTHENTICATED
from gateway.resources import render_rows
from gateway.routes import events
from shared.db import Database, Role
from shared.domains.accounts import Scope, create_account, insert_key
from shared.errors import PenstockError
from shared.events import Publisher, delta_frame, event_frame, progress_frame
from shared.ids import new_id
from shared.settings import Settings

LIFE = ("submitting", "waiting", "storing", "completed")
SERVER_KEY = "a-secret-for-tests-that-is-long-enough"
HELD = 5.0
"""Seconds within which whatever was lost must have been repaired: the check runs every two."""


class Studio:
    """Writes generations as a worker does, and publishes what it is told to."""

    def __init__(self, db: Database, publisher: Publisher, account_id: UUID) -> None:
        self.db = db
        self.publisher = publisher
        self.account_id = account_id
        self.lose: Callable[[int], bool] = lambda seq: False

    async def start(self, project_id: UUID | None = None) -> UUID:
        id_ = new_id()
        async with self.db.transaction(self.account_id) as tx:
            await tx.execute(
                "INSERT INTO generations (id, account_id, kind, model, wake_at, deadline_at, project_id)"
                " VALUES ($1, $2, 'image', 'local', now(), now() + interval '1 hour', $3)",
                id_,
                self.account_id,
                project_id,
            )
            row = await tx.fetchrow(self._EVENT, id_, 1, self.account_id, "generation.queued", "queued")
        await self._publish(1, event_frame(cast(Any, row)))
        return id_

    async def advance(self, id_: UUID, state: str | None = None) -> int:
        """The next change; without a state, one that leaves it as it is."""
        ended = state in ("completed", "failed", "canceled", "expired")
        async with self.db.transaction(self.account_id) as tx:
            seq = await tx.fetchval(
                "UPDATE generations SET seq = seq + 1, state = coalesce($2, state), updated_at = now(),"
                " wake_at = CASE WHEN $3 THEN NULL ELSE wake_at END,"
                " completed_at = CASE WHEN $3 THEN now() ELSE completed_at END,"
                " cost_status = CASE WHEN $3 THEN 'final' ELSE cost_status END WHERE id = $1 RETURNING seq",
                id_,
                state,
                ended,
            )
            type_ = f"generation.{state or 'updated'}"
            row = await tx.fetchrow(self._EVENT, id_, seq, self.account_id, type_, state or "")
        await self._publish(seq, event_frame(cast(Any, row)))
        return int(seq)

    async def live(self, id_: UUID, states: Sequence[str] = LIFE) -> None:
        for state in states:
            await self.advance(id_, state)

    async def whole(self) -> UUID:
        id_ = await self.start()
        await self.live(id_)
        return id_

    async def say(self, *frames: bytes) -> None:
        """Publish ephemeral frames."""
        await self.publisher.publish(self.account_id, frames)

    async def _publish(self, seq: int, frame: bytes) -> None:
        if not self.lose(seq):
            await self.publisher.publish(self.account_id, [frame])

    _EVENT = (
        "INSERT INTO generation_events (generation_id, seq, account_id, type, data)"
        " VALUES ($1, $2, $3, $4, jsonb_build_object('status', $5::text)) RETURNING *"
    )


class Client:
    """A websocket client that keeps all it gets."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def subscribe(self, *topics: str, **more: Any) -> None:
        """Returns when the server has sent everything that was missing."""
        await self.say(op="subscribe", topics=topics, **more)
        await self.until(lambda f: f["type"] == "subscribed")

    async def say(self, **message: Any) -> None:
        await self.socket.send_str(orjson.dumps(message).decode())

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(HELD):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        frame: dict[str, Any] = orjson.loads(message.data)
        self.frames.append(frame)
        return frame

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(frame := await self.next()):
            pass
        return frame

    async def until_end(self, id_: UUID) -> None:
        await self.until(lambda f: f.get("id") == str(id_) and _status(f) == "completed")

    async def closed(self) -> int | None:
        """Reads on until the server closes; its code."""
        async with asyncio.timeout(30):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code

    def seqs(self, id_: UUID) -> list[int]:
        """The positions of the durable frames of a generation, in the order of arrival."""
        return [f["seq"] for f in self.frames if f.get("id") == str(id_) and f["type"] not in EPHEMERAL]

    def types(self, id_: UUID) -> list[str]:
        return [f["type"].removeprefix("generation.") for f in self.frames if f.get("id") == str(id_)]


EPHEMERAL = ("generation.progress", "generation.delta")


def _status(frame: dict[str, Any]) -> Any:
    return frame.get("data", {}).get("status")


class Gateway:
    """A hub with its routes on a real port, and an account with a key."""

    def __init__(self, settings: Settings, db: Database, worker: Database) -> None:
        self.settings = settings
        self.db = db
        self.worker = worker
        self.hub = LiveHub(
            db,
            settings.redis_url,
            partial(render_rows, base_url=settings.base_url),
            registry=CollectorRegistry(),
        )
        self.publisher = Publisher.open(settings.redis_url)

    async def start(self) -> Self:
        tickets = Tickets(self.db, SERVER_KEY)
        authenticator = Authenticator([ApiKeys(self.db, SERVER_KEY)], tickets)
        deps = SimpleNamespace(settings=self.settings, db=self.db, hub=self.hub, authenticator=authenticator)
        app = web.Application(middlewares=[_errors])
        for op in events.operations:
            app.router.add_route(op.method, op.path, endpoint(op, cast(Deps, deps)))
        self.tickets = tickets
        self.server = TestServer(app)
        await self.hub.start()
        await self.server.start_server()
        self.client = aiohttp.ClientSession(self.server.make_url("/"))
        self.studio, self.key = await self.account()
        return self

    async def stop(self) -> None:
        await self.hub.close()
        await self.client.close()
        await self.server.close()
        await self.publisher.close()

    async def account(self) -> tuple[Studio, str]:
        account_id = new_id()
        async with self.worker.transaction(account_id) as tx:
            await create_account(tx, account_id, "test")
            key = await insert_key(tx, account_id, SERVER_KEY, name="test", scopes=[Scope.WRITE])
        return Studio(self.worker, self.publisher, account_id), key

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", **more}

    @asynccontextmanager
    async def connect(self, **headers: str) -> AsyncIterator[Client]:
        async with self.client.ws_connect("/api/v1/ws", headers=self.headers(**headers)) as socket:
            yield Client(socket)

    async def stream(self, path: str, **headers: str) -> tuple[int, list[dict[str, Any]], list[str]]:
        """Reads an SSE stream to its end: status, frames, and the ids of the events."""
        async with self.client.get(path, headers=self.headers(**headers)) as response, asyncio.timeout(HELD):
            lines = (await response.text()).splitlines()
        frames = [orjson.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        return (
            response.status,
            frames,
            [line.removeprefix("id: ") for line in lines if line.startswith("id: ")],
        )


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except PenstockError as error:
        return problem(error, request, "req_test")


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.open(settings.worker_url, Role.WORKER, max_size=4)
    yield db
    await db.close()


@pytest.fixture
async def app_db(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.open(settings.database_url, Role.APP, max_size=4)
    yield db
    await db.close()


@pytest.fixture
async def gateway(settings: Settings, app_db: Database, worker: Database) -> AsyncIterator[Gateway]:
    made = await Gateway(settings, app_db, worker).start()
    yield made
    await made.stop()


@pytest.fixture
def studio(gateway: Gateway) -> Studio:
    return gateway.studio


# --- Following


async def test_a_new_generation_is_followed_from_its_first_event(gateway: Gateway, studio: Studio) -> None:
    async with gateway.connect() as client:
        await client.subscribe("generations")
        id_ = await studio.whole()
        await client.until_end(id_)
    assert client.types(id_) == ["queued", *LIFE]
    assert client.seqs(id_) == [1, 2, 3, 4, 5]


async def test_subscribing_to_one_begins_with_a_snapshot(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    await studio.advance(id_, "submitting")
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}")
        await studio.live(id_, LIFE[1:])
        await client.until_end(id_)
    snapshot = client.frames[0]
    assert (snapshot["type"], snapshot["seq"], snapshot["data"]["status"]) == ("snapshot", 2, "running")
    assert "reset" not in snapshot
    assert client.seqs(id_) == [2, 3, 4, 5]


async def test_the_feed_begins_with_the_unfinished_and_the_changed(gateway: Gateway, studio: Studio) -> None:
    ended, running = await studio.whole(), await studio.start()
    async with gateway.connect() as client:
        await client.subscribe("generations")
    assert [f["id"] for f in client.frames if f["type"] == "snapshot"] == [str(running)]
    async with gateway.connect() as client:
        await client.subscribe("generations", changed_after="2026-01-01T00:00:00Z")
    assert [f["id"] for f in client.frames if f["type"] == "snapshot"] == [str(ended), str(running)]


async def test_a_long_feed_comes_whole(gateway: Gateway, studio: Studio) -> None:
    ids = [str(await studio.start()) for _ in range(120)]
    async with gateway.connect() as client:
        await client.subscribe("generations")
    assert [f["id"] for f in client.frames if f["type"] == "snapshot"] == ids


async def test_a_project_is_followed_alone(gateway: Gateway, studio: Studio) -> None:
    project = new_id()
    old = await studio.start(project)
    async with gateway.connect() as client:
        await client.subscribe(f"project:{project}")
        other = await studio.start()
        fresh = await studio.start(project)
        await studio.live(fresh)
        await client.until_end(fresh)
    assert client.types(old) == ["snapshot"]
    assert client.seqs(fresh) == [1, 2, 3, 4, 5]
    assert client.types(other) == []


async def test_unsubscribing_ends_it(gateway: Gateway, studio: Studio) -> None:
    id_, kept = await studio.start(), await studio.start()
    async with gateway.connect() as client:
        await client.subscribe("generations", f"generation:{kept}")
        await client.say(op="unsubscribe", topics=["generations"])
        await client.until(lambda f: f["type"] == "unsubscribed")
        await studio.live(id_)
        await studio.live(kept)
        await client.until_end(kept)
    assert client.types(id_) == ["snapshot"]


async def test_several_gateways_and_clients_see_the_same(
    gateway: Gateway, settings: Settings, studio: Studio
) -> None:
    async with gateway.connect() as one, gateway.connect() as two:
        await one.subscribe("generations")
        await two.subscribe("generations")
        id_ = await studio.whole()
        await one.until_end(id_)
        await two.until_end(id_)
    assert one.seqs(id_) == two.seqs(id_) == [1, 2, 3, 4, 5]


# --- Resuming


async def test_a_dropped_connection_resumes_by_position(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    async with gateway.connect() as first:
        await first.subscribe(f"generation:{id_}", since={str(id_): 0})
        await studio.advance(id_, "submitting")
        await first.until(lambda f: f.get("seq") == 2)
        cast(Any, first.socket)._response.connection.transport.abort()
    await studio.live(id_, LIFE[1:3])
    async with gateway.connect() as second:
        await second.subscribe(f"generation:{id_}", since={str(id_): 2})
        await studio.advance(id_, "completed")
        await second.until_end(id_)
    assert first.seqs(id_) + second.seqs(id_) == [1, 2, 3, 4, 5]


async def test_the_feed_resumes_by_positions_too(gateway: Gateway, studio: Studio) -> None:
    known, ended, fresh = await studio.start(), await studio.whole(), await studio.start()
    await studio.advance(known, "submitting")
    async with gateway.connect() as client:
        await client.subscribe("generations", since={str(known): 1, str(ended): 3})
    assert client.types(known) == ["submitting"]
    assert client.seqs(ended) == [4, 5]
    assert client.types(fresh) == ["snapshot"]


async def test_pruned_events_become_a_reset(gateway: Gateway, studio: Studio, worker: Database) -> None:
    id_ = await studio.start()
    await studio.live(id_, LIFE[:3])
    await worker.execute("DELETE FROM generation_events WHERE generation_id = $1 AND seq <= 3", id_)
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}", since={str(id_): 1})
        await studio.advance(id_, "completed")
        await client.until_end(id_)
    snapshot = client.frames[0]
    assert (snapshot["type"], snapshot["reset"], snapshot["seq"]) == ("snapshot", True, 4)
    assert client.seqs(id_) == [4, 5]


async def test_a_history_that_is_gone_becomes_a_reset(
    gateway: Gateway, studio: Studio, worker: Database
) -> None:
    id_ = await studio.whole()
    await worker.execute("DELETE FROM generation_events WHERE generation_id = $1", id_)
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}", since={str(id_): 2})
    assert [(f["type"], f.get("reset")) for f in client.frames[:-1]] == [("snapshot", True)]


async def test_a_position_ahead_of_the_record_becomes_a_reset(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}", since={str(id_): 40})
        await studio.advance(id_, "submitting")
        await client.until(lambda f: f["type"] == "generation.submitting")
    assert [(f["type"], f.get("reset")) for f in client.frames if f.get("id")][0] == ("snapshot", True)
    assert client.seqs(id_) == [1, 2]


@pytest.mark.parametrize("seed", range(4))
async def test_subscribing_while_events_fly_misses_none(gateway: Gateway, studio: Studio, seed: int) -> None:
    """Subscriptions at every moment of a generation's life, with and without a position."""
    dice = random.Random(seed)

    async def watch(id_: UUID, since: dict[str, int]) -> list[int]:
        await asyncio.sleep(dice.random() * 0.02)
        async with gateway.connect() as client:
            await client.say(op="subscribe", topics=[f"generation:{id_}"], since=since)
            await client.until_end(id_)
        return client.seqs(id_)

    for _ in range(10):
        id_ = await studio.start()
        whole, partly = watch(id_, {str(id_): 0}), watch(id_, {})
        _, all_of_it, rest = await asyncio.gather(studio.live(id_), whole, partly)
        assert all_of_it == [1, 2, 3, 4, 5]
        assert rest == [1, 2, 3, 4, 5][-len(rest) :]


# --- Losing messages


@pytest.mark.parametrize("seed", range(3))
async def test_lost_messages_are_repaired_even_the_last(gateway: Gateway, studio: Studio, seed: int) -> None:
    dice = random.Random(seed)
    studio.lose = lambda seq: seq == 5 or dice.random() < 0.4
    async with gateway.connect() as client:
        await client.subscribe("generations")
        ids = await asyncio.gather(*(studio.whole() for _ in range(10)))
        waiting = {str(id_) for id_ in ids}
        while waiting:
            frame = await client.next()
            if _status(frame) == "completed":
                waiting.discard(frame["id"])
    assert [client.seqs(id_) for id_ in ids] == [[1, 2, 3, 4, 5]] * 10


async def test_a_lost_connection_to_redis_leaves_no_hole(
    gateway: Gateway, studio: Studio, settings: Settings
) -> None:
    redis: Redis = Redis.from_url(settings.redis_url)
    async with gateway.connect() as client:
        await client.subscribe("generations")
        for _ in range(3):
            id_ = await studio.start()
            await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await studio.live(id_)
            await client.until_end(id_)
            assert client.seqs(id_) == [1, 2, 3, 4, 5]
    await redis.aclose()


async def test_repeated_and_reordered_messages_are_dropped(gateway: Gateway, studio: Studio) -> None:
    said: list[bytes] = []
    publish = studio.publisher.publish

    async def shuffled(account_id: UUID, frames: Sequence[bytes]) -> None:
        said.extend(frames)
        await publish(account_id, random.Random(len(said)).sample(said, k=len(said)))

    studio.publisher = cast(Publisher, SimpleNamespace(publish=shuffled))
    async with gateway.connect() as client:
        await client.subscribe("generations")
        id_ = await studio.whole()
        await client.until_end(id_)
    assert client.seqs(id_) == [1, 2, 3, 4, 5]


async def test_without_redis_events_still_arrive(
    settings: Settings,
    app_db: Database,
    worker: Database,
    make_servers: Callable[..., EmbeddedServers],
) -> None:
    servers = make_servers(stores=("valkey",))
    servers.start()
    lonely = settings.model_copy(update={"redis_url": servers.environment()["REDIS_URL"]})
    gateway = await Gateway(lonely, app_db, worker).start()
    async with gateway.connect() as client:
        known = await gateway.studio.start()
        await client.subscribe("generations")
        servers.stop()
        unknown = await gateway.studio.whole()
        await gateway.studio.live(known)
        ends = 0
        while ends < 2:
            ends += _status(await client.next()) == "completed"
        assert client.seqs(known) == client.seqs(unknown) == [1, 2, 3, 4, 5]
        servers.start()
        await client.until_end(await gateway.studio.whole())
    await gateway.stop()


# --- Progress and text


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


# --- Mistakes


async def test_mistakes_are_answered_and_not_punished(gateway: Gateway) -> None:
    mistakes = [
        "{", "[]", "7", '{"op":"dance"}', '{"op":"subscribe"}', '{"op":"subscribe","topics":["nonsense"]}',
        '{"op":"subscribe","topics":["generations"],"more":1}', '{"op":"subscribe","topics":[1]}',
        '{"op":"subscribe","topics":["generations"],"since":{"x":-1}}',
    ]  # fmt: skip
    async with gateway.connect() as client:
        for mistake in mistakes:
            await client.socket.send_str(mistake)
            frame = await client.until(lambda f: f["type"] != "subscribed")
            assert (frame["type"], frame["data"]["code"]) == ("error", "INVALID_INPUT"), mistake
        await client.socket.send_bytes(b"binary")
        await client.until(lambda f: f["type"] == "error")
        await client.say(op="ping")
        await client.until(lambda f: f["type"] == "pong")


async def test_what_belongs_to_others_is_not_found(gateway: Gateway) -> None:
    other, _ = await gateway.account()
    theirs, nobodys = await other.start(), new_id()
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{theirs}", f"generation:{nobodys}", since={str(theirs): 0})
        await other.live(theirs)
        await client.say(op="ping")
        await client.until(lambda f: f["type"] == "pong")
    refused = [f["data"] for f in client.frames if f["type"] == "error"]
    assert [(e["code"], e["topic"]) for e in refused] == [
        ("NOT_FOUND", f"generation:{theirs}"),
        ("NOT_FOUND", f"generation:{nobodys}"),
    ]
    assert client.types(theirs) == []


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 403), ("https://studio.example", 101), (None, 101)],
)
async def test_pages_of_other_sites_may_not_connect(
    settings: Settings, app_db: Database, worker: Database, origin: str | None, status: int
) -> None:
    allowing = settings.model_copy(update={"allowed_origins": ("https://studio.example",)})
    gateway = await Gateway(allowing, app_db, worker).start()
    headers = {"Origin": origin} if origin else {}
    try:
        async with gateway.connect(**headers) as client:
            assert status == 101, client
    except aiohttp.WSServerHandshakeError as refused:
        assert refused.status == status
    await gateway.stop()


async def test_credentials_come_by_header_by_protocol_or_by_ticket(gateway: Gateway) -> None:
    key = gateway.key
    async with gateway.client.ws_connect("/api/v1/ws", protocols=("bearer", key)) as socket:
        assert socket.protocol == "bearer"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await gateway.client.ws_connect("/api/v1/ws")
    assert refused.value.status == 401
    async with gateway.client.get("/api/v1/ws", headers=gateway.headers()) as plain:
        assert plain.status == 426


async def test_a_revoked_key_ends_its_connections(gateway: Gateway, worker: Database) -> None:
    async with gateway.connect() as client:
        await client.subscribe("generations")
        await gateway.hub.sweep()
        await client.say(op="ping")
        await client.until(lambda f: f["type"] == "pong")
        await worker.execute(
            "UPDATE api_keys SET revoked_at = now() WHERE account_id = $1", gateway.studio.account_id
        )
        await gateway.hub.sweep()
        assert await client.closed() == UNAUTHENTICATED


async def test_a_restart_says_so(gateway: Gateway) -> None:
    async with gateway.connect() as client:
        await client.subscribe("generations")
        closing = asyncio.create_task(gateway.hub.close())
        assert await client.closed() == RESTARTING
        await closing


# --- Slow readers


async def test_who_stops_reading_is_let_go_and_delays_nobody(gateway: Gateway, studio: Studio) -> None:
    ballast = "x" * 20_000
    id_ = await studio.start()
    async with gateway.connect() as fast, _sleeper(gateway) as sleeper:
        await fast.subscribe("generations")
        queued = lambda: [len(c._queue) for c in _connections(gateway)]  # noqa: E731
        most = 0
        for n in range(600):
            row = {
                "generation_id": id_, "seq": n + 2, "type": "generation.updated", "data": {"x": ballast},
                "created_at": "2026-05-01T00:00:00Z",
            }  # fmt: skip
            await studio.say(event_frame(row))
            assert (await fast.until(lambda f: "seq" in f))["seq"] <= n + 2
            most = max(most, *queued())
        assert most <= 256
        assert fast.seqs(id_) == list(range(1, 602))
        assert await sleeper.wake() == RESUME


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
    async with aiohttp.ClientSession(gateway.server.make_url("/"), connector=connector) as session:
        async with session.ws_connect("/api/v1/ws", headers=gateway.headers(), max_msg_size=0) as socket:
            client = Client(socket)
            await client.subscribe("generations")
            cast(Any, socket)._response.connection.transport.pause_reading()
            yield _Sleeper(client)


def _connections(gateway: Gateway) -> list[Any]:
    return list(gateway.hub._channels[gateway.studio.account_id].connections)


# --- Server-sent events


async def test_a_generations_stream_tells_all_and_ends(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    reading = asyncio.create_task(gateway.stream(f"/api/v1/generations/{id_}/events"))
    await studio.live(id_)
    status, frames, ids = await reading
    assert status == 200
    assert [f["seq"] for f in frames] == [1, 2, 3, 4, 5]
    assert ids == ["1", "2", "3", "4", "5"]


async def test_a_stream_resumes_after_the_last_event(gateway: Gateway, studio: Studio) -> None:
    path = f"/api/v1/generations/{await studio.whole()}/events"
    _, frames, _ = await gateway.stream(path, **{"Last-Event-ID": "3"})
    assert [f["seq"] for f in frames] == [4, 5]
    status, frames, _ = await gateway.stream(path, **{"Last-Event-ID": "5"})
    assert (status, frames) == (204, [])


async def test_a_stream_of_another_account_is_not_found(gateway: Gateway) -> None:
    other, _ = await gateway.account()
    status, _, _ = await gateway.stream(f"/api/v1/generations/{await other.start()}/events")
    assert status == 404


async def test_a_stream_says_how_to_treat_it(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.whole()
    path = f"/api/v1/generations/{id_}/events"
    async with gateway.client.get(path, headers=gateway.headers()) as response:
        text = await response.text()
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert text.startswith("retry: 3000\n\n")


async def test_the_accounts_stream_resumes_by_time(gateway: Gateway, studio: Studio) -> None:
    running = await studio.start()
    async with gateway.client.get("/api/v1/events", headers=gateway.headers()) as response:
        frames = _sse(response)
        first_id, first = await anext(frames)
        assert (first["type"], first["id"]) == ("snapshot", str(running))
        ended = await studio.whole()
        async for last_id, frame in frames:
            if frame.get("id") == str(ended) and _status(frame) == "completed":
                break
    assert last_id > first_id
    late = await studio.whole()
    resume = gateway.headers(**{"Last-Event-ID": last_id})
    async with gateway.client.get("/api/v1/events", headers=resume) as response:
        shown = [f["id"] async for _, f in _until_subscribed(_sse(response))]
    assert str(running) in shown
    assert str(late) in shown


async def _sse(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    id_ = ""
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            id_ = value
        elif name == "data":
            yield id_, orjson.loads(value)


async def _until_subscribed(
    frames: AsyncIterator[tuple[str, dict[str, Any]]],
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async for id_, frame in frames:
        if frame["type"] == "subscribed":
            return
        yield id_, frame


# --- Long-polls


async def test_a_long_poll_wakes_on_a_change(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    waiting = asyncio.create_task(gateway.hub.changed(studio.account_id, id_, 1, 30))
    await studio.advance(id_, "submitting")
    assert await waiting is True


async def test_a_long_poll_sees_what_has_already_changed(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.whole()
    assert await gateway.hub.changed(studio.account_id, id_, 3, 30) is True


async def test_a_long_poll_wakes_though_the_message_is_lost(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    studio.lose = lambda seq: True
    waiting = asyncio.create_task(gateway.hub.changed(studio.account_id, id_, 1, 30))
    await asyncio.sleep(0.1)
    await studio.advance(id_, "submitting")
    assert await waiting is True


async def test_a_long_poll_gives_up_in_time(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    assert await gateway.hub.changed(studio.account_id, id_, 1, 0.1) is False
    assert gateway.hub._channels[studio.account_id].watches == {}
