"""A gateway with live connections, a worker that makes generations, and clients that watch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, Self, cast
from uuid import UUID

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from gateway.auth import ApiKeys, Authenticator, Tickets
from gateway.deps import Deps
from gateway.errors import problem
from gateway.http import endpoint
from gateway.live import LiveHub
from gateway.resources import render_rows
from gateway.routes import events
from shared.db import Database
from shared.domains.accounts import Scope, create_account, insert_key
from shared.domains.ops.board import Board
from shared.errors import PenstockError
from shared.events import Publisher, event_frame
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
        await self.until(lambda f: f.get("id") == str(id_) and status_of(f) == "completed")

    async def closed(self) -> int | None:
        """Reads on until the server closes; its code."""
        async with asyncio.timeout(90):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code

    def seqs(self, id_: UUID) -> list[int]:
        """The positions of the durable frames of a generation, in the order of arrival."""
        return [f["seq"] for f in self.frames if f.get("id") == str(id_) and f["type"] not in EPHEMERAL]

    def types(self, id_: UUID) -> list[str]:
        return [f["type"].removeprefix("generation.") for f in self.frames if f.get("id") == str(id_)]


EPHEMERAL = ("generation.progress", "generation.delta")


def status_of(frame: dict[str, Any]) -> Any:
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
            Board(db, settings.lease_ttl_s),
            registry=CollectorRegistry(),
        )
        self.publisher = Publisher.open(settings.redis_url)

    async def start(self) -> Self:
        tickets = Tickets(self.db, SERVER_KEY)
        authenticator = Authenticator([ApiKeys(self.db, SERVER_KEY)], tickets)
        deps = SimpleNamespace(
            settings=self.settings, db=self.db, hub=self.hub, authenticator=authenticator,
            rates=SimpleNamespace(active=False),
        )  # fmt: skip
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

    async def account(self, *scopes: Scope) -> tuple[Studio, str]:
        account_id = new_id()
        async with self.worker.transaction(account_id) as tx:
            await create_account(tx, account_id, "test")
            key = await insert_key(tx, account_id, SERVER_KEY, name="test", scopes=scopes or [Scope.WRITE])
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
