"""Live events: a websocket, and server-sent events of an account or of one generation."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from aiohttp import WSMessage, WSMsgType, web
from pydantic import BeforeValidator, Field

from gateway.auth import WS_BEARER
from gateway.http import Answer, Query, Reply, Request, operation
from gateway.instants import Instant, in_utc
from gateway.live import Connection, LiveHub, Session, SocketConnection, StreamConnection
from gateway.live.connections import CLOSE_GRACE_S, INTERNAL, SEND_TIMEOUT_S
from gateway.live.session import ALL, MAX_MESSAGE_BYTES, MAX_TOPICS, Topic
from shared.domains import live
from shared.domains.accounts import Scope
from shared.errors import Forbidden, InvalidInput, NotFound
from shared.log import get_logger
from shared.settings import Settings

log = get_logger(__name__)

PING_INTERVAL_S = 20.0
COMMENT_INTERVAL_S = 15.0
RETRY_MS = 3000

EVENT_STREAM = "text/event-stream"
STREAM_HEADERS = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


def _comma_separated(value: object) -> list[str]:
    """`a,b` or a repeated parameter as a list."""
    parts = value if isinstance(value, list) else [value]
    return [topic for part in parts for topic in str(part).split(",") if topic]


class SocketQuery(Query):
    topics: Annotated[list[Topic], BeforeValidator(_comma_separated)] = Field(
        [], max_length=MAX_TOPICS, description="Subscribe to these at once, for clients that only listen."
    )


@operation(
    "GET",
    "/api/v1/ws",
    tag="Events",
    summary="Follow generations over a websocket",
    scope=Scope.READ,
    answers=(Answer(101, "Switching protocols; the messages are described in /api/asyncapi.json"),),
    errors=(InvalidInput, Forbidden),
    ticket=True,
)
async def websocket(request: Request[None, SocketQuery]) -> web.WebSocketResponse:
    """Send `{"op":"subscribe","topics":["generations","generation:<id>","project:<id>"]}` to begin, or name the
    topics in the query. Operators and viewers may also follow `ops`: which parts of the installation have changed.

    `since` gives the last `seq` that was seen of each generation, and what is missing comes first. A client
    that does not read what it is sent is closed with 4008, and resumes by `since`.
    """
    check_origin(request.raw, request.deps.settings)
    socket = web.WebSocketResponse(
        heartbeat=PING_INTERVAL_S,
        timeout=CLOSE_GRACE_S,
        compress=False,
        max_msg_size=MAX_MESSAGE_BYTES,
        protocols=(WS_BEARER,),
    )
    if not socket.can_prepare(request.raw):
        raise InvalidInput("This path speaks the websocket protocol.", status=426)
    writer = await socket.prepare(request.raw)
    transport = request.raw.transport
    if transport is None:
        return socket
    hub = request.deps.hub
    caller = request.principal
    connection = SocketConnection(caller.account_id, hub, caller.credential, socket, transport, writer)
    try:
        await hub.attach(connection)
        session = Session(hub, connection, caller.role)
        if request.query.topics:
            await session.subscribe(request.query.topics, {}, None)
        async for message in socket:
            await _hear(session, message)
            # While it is silent it keeps nothing of what it has said.
            del message
    except Exception:
        # The response has begun, so no middleware could answer; the client resumes by itself.
        log.exception("websocket_failed", account_id=str(caller.account_id))
        connection.close(INTERNAL, "internal")
    finally:
        hub.detach(connection)
        await connection.finished()
    return socket


async def _hear(session: Session, message: WSMessage) -> None:
    if message.type is WSMsgType.TEXT:
        await session.handle(message.data)
    elif message.type is WSMsgType.BINARY:
        session.refuse("Messages are JSON in text frames.")


class FeedQuery(Query):
    """`changed_after`: show what changed since then, beside everything that is unfinished."""

    changed_after: Instant | None = None


@operation(
    "GET",
    "/api/v1/events",
    tag="Events",
    summary="Follow all your generations (SSE)",
    scope=Scope.READ,
    answers=(Answer(200, "Events without end", media=EVENT_STREAM),),
    errors=(InvalidInput,),
    parameters=("Last-Event-ID",),
    ticket=True,
)
async def account_events(request: Request[None, FeedQuery]) -> web.StreamResponse:
    """Everything unfinished as snapshots, then every event. An event's id is its time: a client that comes
    back gets what is unfinished and what changed since, and drops what it has by `id` and `seq`.
    """
    hub, caller = request.deps.hub, request.principal
    since = _last_time(request.headers.get("Last-Event-ID")) or request.query.changed_after
    connection = StreamConnection(caller.account_id, hub, caller.credential)
    replay = asyncio.create_task(_replay(Session(hub, connection), since, connection), name="live-replay")
    try:
        return await _stream(request.raw, connection)
    finally:
        replay.cancel()
        with suppress(asyncio.CancelledError):
            await replay
        hub.detach(connection)


async def _replay(session: Session, since: datetime | None, connection: StreamConnection) -> None:
    """Runs beside the writing, for it goes no faster than the client reads."""
    try:
        await session.hub.attach(connection)
        await session.subscribe([ALL], {}, since)
    except Exception:
        log.exception("event_stream_failed", account_id=str(connection.account_id))
        connection.gone()


@operation(
    "GET",
    "/api/v1/generations/{id}/events",
    tag="Events",
    summary="Follow one generation (SSE)",
    scope=Scope.READ,
    answers=(
        Answer(200, "Its events so far and to come; ends with the generation", media=EVENT_STREAM),
        Answer(204, "It has ended and the client has seen everything; EventSource stops here"),
    ),
    errors=(NotFound,),
    parameters=("Last-Event-ID",),
    ticket=True,
)
async def generation_events(request: Request[None, None]) -> web.StreamResponse | Reply:
    """All events of the generation, or those after `Last-Event-ID`. An event's id is its `seq`."""
    hub, caller, id_ = request.deps.hub, request.principal, str(request.id())
    seen = _last_seq(request.headers.get("Last-Event-ID"))
    connection = StreamConnection(caller.account_id, hub, caller.credential, only=id_)
    try:
        await hub.attach(connection)
        if not await _begin(hub, connection, id_, seen):
            return Reply(None, status=204)
        return await _stream(request.raw, connection)
    finally:
        hub.detach(connection)


async def _begin(hub: LiveHub, connection: Connection, id_: str, seen: int) -> bool:
    """Follow the generation from `seen` on; False when nothing more will come. Raises NotFound."""
    hub.follow(connection, id_, seen)
    async with hub.db.transaction(connection.account_id) as tx:
        rows = await live.current(tx, [id_])
        if not rows:
            raise NotFound(f"There is no generation {id_}.")
        ahead = seen > rows[0]["seq"]
        resources = await hub.render(tx, rows) if ahead else []
    for resource in resources:
        hub.show(connection, resource, reset=True)
    hub.repair(connection, id_)
    return ahead or rows[0]["wake_at"] is not None or seen < rows[0]["seq"]


async def _stream(raw: web.Request, connection: StreamConnection) -> web.StreamResponse:
    """Write what the connection holds until it ends; a client that blocks for ten seconds is let go."""
    response = web.StreamResponse(headers=STREAM_HEADERS)
    response.enable_compression(web.ContentCoding.identity)
    await response.prepare(raw)
    await response.write(b"retry: %d\n\n" % RETRY_MS)
    while (data := await connection.chunk(COMMENT_INTERVAL_S)) is not None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await response.write(data or b": still here\n\n")
        except TimeoutError:
            if raw.transport is not None:
                raw.transport.abort()
            break
        except ConnectionError:
            break
    return response


def check_origin(raw: web.Request, settings: Settings) -> None:
    """Raises Forbidden when a page of another site opens the connection; programs send no Origin."""
    origin = raw.headers.get("Origin")
    if origin is None or origin in settings.allowed_origins or "*" in settings.allowed_origins:
        return
    own = urlsplit(settings.base_url)
    if origin == f"{own.scheme}://{own.netloc}" or urlsplit(origin).netloc == raw.host:
        return
    raise Forbidden("Pages of this origin may not connect.", origin=origin[:200])


def _last_seq(text: str | None) -> int:
    """The position in Last-Event-ID; what is not one counts as none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else 0


def _last_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:
        return None


operations = (websocket, account_events, generation_events)
