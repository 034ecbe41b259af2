"""The hub of a gateway process: frames from Redis to the clients that follow them, repaired from Postgres.

Each follower of a generation has a position. The next event is sent, an older one dropped, and one further
on means that something was lost: the gap is read from Postgres. A last event that is lost leaves no gap, so
every two seconds one statement asks where all the watched generations are. Redis is therefore never needed,
only fast; and a client never sees a hole.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.auth import revive
from gateway.live.connections import RESTARTING, UNAUTHENTICATED, Connection, Follow
from gateway.live.frames import Frame, control, error
from gateway.live.ops import OpsTopic
from gateway.live.watches import ANYWHERE, PENDING, UNKNOWN, Channel, Watch
from shared.db import Database, Tx
from shared.domains import fleet, live
from shared.domains.accounts import Role
from shared.domains.ops.board import Board
from shared.events import ACCOUNT_TYPES, EventType, Subscriber, event_frame
from shared.log import get_logger

log = get_logger(__name__)

CHECK_INTERVAL_S = 2.0
TICK_S = 0.25
SWEEP_INTERVAL_S = 30.0
LINGER_S = 30.0
CLOSE_TIMEOUT_S = 3.0
WATCHES_PER_REPAIR = 200
CLOCK_SKEW_S = 10.0
OPS = "ops"
REMEMBERED_ENDED = 1024
REMEMBERED_S = 30.0
"""A connection forgets its position in an ended generation after both: so many others, and so long."""

type Render = Callable[[Tx, Sequence[Mapping[str, Any]]], Awaitable[Sequence[Mapping[str, Any]]]]
"""Makes the API's resources of rows of `generations`, within the account's transaction."""


class LiveHub:
    """`start` it once; `attach` connections, `follow` generations; `changed` serves long-polls."""

    def __init__(
        self,
        db: Database,
        redis_url: str,
        render: Render,
        board: Board,
        *,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.db = db
        self.render = render
        self.ops = OpsTopic(board)
        self._subscriber = Subscriber(redis_url, self._receive, self._check_soon)
        self._channels: dict[UUID, Channel] = {}
        self._strangers: dict[str, UUID] = {}
        self._dirty: dict[Watch, None] = {}
        self._work = asyncio.Event()
        self._round: asyncio.Future[None] | None = None
        self._check_now = asyncio.Event()
        self._checked_at = time.time()
        self._pauses: Mapping[str, datetime | None] | None = None
        self._held: set[Connection] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._closing = False
        self._empty = asyncio.Event()
        self._connections = Gauge("penstock_ws_connections", "Open live connections", registry=registry)
        self._dropped = Counter(
            "penstock_ws_dropped", "Live connections that the server closed", ["reason"], registry=registry
        )
        self._repairs = Counter(
            "penstock_ws_repairs", "Generations whose events were read from Postgres", registry=registry
        )

    async def start(self) -> None:
        self._subscriber.start()
        loops = {
            "live-repair": self._repair_forever,
            "live-check": self._check_forever,
            "live-tick": self._tick_forever,
            "live-sweep": self._sweep_forever,
        }
        self._tasks = [asyncio.create_task(loop(), name=name) for name, loop in loops.items()]

    async def close(self) -> None:
        """Sends every client away with "service restart"; they resume elsewhere. May be called again."""
        if self._closing:
            return
        self._closing = True
        for channel in self._channels.values():
            for connection in list(channel.connections):
                connection.close(RESTARTING, "restart")
            for watch in channel.watches.values():
                watch.release()
        await self.ops.close()
        if any(channel.connections for channel in self._channels.values()):
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._empty.wait()
        for task in (*self._tasks, *self._leaving):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for channel in self._channels.values():
            if channel.leaving is not None:
                channel.leaving.cancel()
        if self._round is not None:
            self._round.cancel()
        await self._subscriber.close()

    @property
    def is_closing(self) -> bool:
        """Whether every client is sent away, so that nothing is waited for any more."""
        return self._closing

    # --- Connections

    async def attach(self, connection: Connection) -> None:
        """From now on the account's frames come in; returns when Redis has agreed, or does not answer."""
        channel = self._channel(connection.account_id)
        channel.connections.add(connection)
        self._connections.inc()
        if self._closing:
            connection.close(RESTARTING, "restart")
        await self._subscriber.follow(connection.account_id)

    def detach(self, connection: Connection) -> None:
        """The client has left; does nothing for one that was never attached."""
        connection.gone()
        self.ops.leave(connection)
        channel = self._channels.get(connection.account_id)
        if channel is None or connection not in channel.connections:
            return
        channel.connections.discard(connection)
        channel.feeds.pop(connection, None)
        self._held.discard(connection)
        self._connections.dec()
        for id_ in list(connection.follows):
            self.unfollow(connection, id_)
        self._leave(channel)
        if self._closing and not any(channel.connections for channel in self._channels.values()):
            self._empty.set()

    def follow(self, connection: Connection, id_: str, seq: int = PENDING) -> Follow:
        """Follow a generation from the position `seq` on; pending means from a snapshot on.

        Whoever calls this says so before reading the generation's state, so that nothing falls between.
        """
        watch = self._watch(connection.account_id, id_)
        follow = watch.followers.get(connection)
        if follow is None:
            follow = watch.followers[connection] = connection.follows[id_] = Follow(seq)
            watch.settled = False
        return follow

    def unfollow(self, connection: Connection, id_: str) -> None:
        connection.follows.pop(id_, None)
        connection.behind -= {id_}
        channel = self._channels[connection.account_id]
        watch = channel.watches.get(id_)
        if watch is not None:
            watch.followers.pop(connection, None)
            self._forget_idle(watch)

    def feed(self, connection: Connection) -> None:
        """Take `connection.feed` and `.projects` into account: what appears from now on is followed."""
        channel = self._channels[connection.account_id]
        if connection.feed or connection.projects:
            connection.since_ms = connection.since_ms or int((time.time() - CLOCK_SKEW_S) * 1000)
            channel.feeds[connection] = None
        else:
            connection.since_ms = 0
            channel.feeds.pop(connection, None)

    def repair(self, connection: Connection, id_: str) -> None:
        """Read soon from Postgres what the follower lacks."""
        watch = self._channels[connection.account_id].watches.get(id_)
        if watch is not None:
            self._mark(watch)

    async def repaired(self) -> None:
        """Returns when everything that was marked before has been read, or reading it has failed."""
        if self._round is None:
            self._round = asyncio.get_running_loop().create_future()
        self._work.set()
        await asyncio.shield(self._round)

    def show(self, connection: Connection, resource: Mapping[str, Any], *, reset: bool = False) -> None:
        """Send a snapshot, and follow from there; what the connection already has is not sent."""
        id_, seq = str(resource["id"]), int(resource["seq"])
        follow = self.follow(connection, id_)
        if follow.seq == PENDING or reset:
            follow.seq = seq
            self._send(connection, follow, Frame.snapshot(resource, reset=reset or follow.reset))
            follow.reset = False
            self.tell_text(connection, id_)
        elif follow.seq < seq:
            self.repair(connection, id_)

    def tell_text(self, connection: Connection, id_: str) -> None:
        """Send what has been written so far, if it is known, to one who was not there."""
        follow = connection.follows[id_]
        text = self._channels[connection.account_id].texts.so_far(id_, follow.seq)
        if text is not None and not follow.ended:
            connection.delta(text)

    # --- Long-polls

    async def changed(self, account_id: UUID, generation_id: UUID, after_seq: int, timeout_s: float) -> bool:
        """True as soon as the generation has moved beyond `after_seq` or begins to wait for something, False after
        `timeout_s` or at the close."""
        if self._closing:
            return False
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        channel = self._channel(account_id)
        channel.guests += 1
        watch = self._watch(account_id, str(generation_id))
        watch.waiters[waiter] = after_seq
        watch.settled = False
        try:
            async with asyncio.timeout(timeout_s):
                await self._subscriber.follow(account_id)
                self._mark(watch)
                return await waiter
        except TimeoutError:
            return False
        finally:
            del watch.waiters[waiter]
            channel.guests -= 1
            self._forget_idle(watch)
            self._leave(channel)

    # --- What connections say (connections.Keeper)

    def relieved(self, connection: Connection) -> None:
        waiting, connection.behind = connection.behind, frozenset()
        for id_ in waiting:
            self.repair(connection, id_)

    def held_back(self, connection: Connection) -> None:
        self._held.add(connection)

    def closing(self, connection: Connection, reason: str) -> None:
        self._dropped.labels("slow" if reason == "resume" else reason).inc()

    # --- Frames from Redis

    def _receive(self, account_id: UUID, payload: bytes) -> None:
        channel = self._channels.get(account_id)
        if channel is None:
            return
        try:
            frame = Frame.parse(payload)
        except ValueError as broken:
            log.warning("frame_unreadable", account_id=str(account_id), error=str(broken))
            return
        if frame.type in ACCOUNT_TYPES:
            for connection in channel.feeds:
                if connection.feed:
                    connection.event(frame)
            return
        channel.texts.hear(frame)
        watch = channel.watches.get(frame.id)
        if frame.ephemeral:
            if watch is not None:
                self._pass_on(watch, frame)
                if "waiting_for" in frame.data:
                    watch.wake(ANYWHERE)
            return
        if channel.feeds:
            watch = self._adopt(channel, frame, watch)
        if watch is not None:
            if self._advance(watch, frame):
                self._mark(watch)
            if watch.waiters:
                watch.wake(frame.seq)

    def _advance(self, watch: Watch, frame: Frame) -> bool:
        """Send a durable frame to whom it is next; True if somebody lacks one before it."""
        seq, gap = frame.seq, False
        for connection, follow in watch.followers.items():
            if seq == follow.seq + 1:
                follow.seq = seq
                self._send(connection, follow, frame)
            elif seq > follow.seq:
                gap = True
        watch.settled = False
        return gap

    def _send(self, connection: Connection, follow: Follow, frame: Frame) -> None:
        connection.event(frame)
        if frame.terminal and not follow.ended:
            follow.ended = True
            self._remember_end(connection, frame.id)

    def _remember_end(self, connection: Connection, id_: str) -> None:
        """Late frames of an ended generation must still be known as old, but not for ever."""
        loop = asyncio.get_running_loop()
        if connection.ended is None:
            connection.ended = deque()
        ended = connection.ended
        ended.append((id_, loop.time()))
        while len(ended) > REMEMBERED_ENDED and ended[0][1] < loop.time() - REMEMBERED_S:
            loop.call_soon(self.unfollow, connection, ended.popleft()[0])

    def _pass_on(self, watch: Watch, frame: Frame) -> None:
        """Progress and text go to those who are exactly there, and never after the end."""
        for connection, follow in watch.followers.items():
            if follow.seq == frame.seq and not follow.ended:
                if frame.type == EventType.DELTA:
                    connection.delta(frame)
                else:
                    connection.progress(frame, follow)
            elif frame.seq > follow.seq:
                self._mark(watch)

    def _adopt(self, channel: Channel, frame: Frame, watch: Watch | None) -> Watch | None:
        """A generation that appears is followed by the feeds; which project it is in, Postgres knows."""
        for connection in channel.feeds:
            if frame.id in connection.follows:
                continue
            if connection.feed:
                self.follow(connection, frame.id, 0 if frame.seq == 1 else _start(connection, frame.id))
                watch = channel.watches[frame.id]
            else:
                self._strangers[frame.id] = channel.account_id
                self._check_soon()
        return watch

    # --- Repair

    def _mark(self, watch: Watch) -> None:
        self._dirty[watch] = None
        self._work.set()

    async def _repair_forever(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            done, self._round = self._round, None
            marked, self._dirty = list(self._dirty), {}
            try:
                for start in range(0, len(marked), WATCHES_PER_REPAIR):
                    await self._try_to_repair(marked[start : start + WATCHES_PER_REPAIR])
            finally:
                if done is not None:
                    done.set_result(None)

    async def _try_to_repair(self, watches: Sequence[Watch]) -> None:
        try:
            await self._repair(watches)
        except Exception as failure:
            # The next position check finds again what is missing.
            log.warning("live_repair_failed", error=repr(failure))
            await asyncio.sleep(TICK_S)

    async def _repair(self, watches: Sequence[Watch]) -> None:
        wanted = {w.id: (w, w.known) for w in watches if not w.idle}
        if not wanted:
            return
        self._repairs.inc(len(wanted))
        rows = await live.missed_events(self.db, [(w.account_id, w.id, seq) for w, seq in wanted.values()])
        found: dict[str, tuple[int, list[Frame]]] = {}
        for row in rows:
            _, frames = found.setdefault(str(row["generation_id"]), (row["head"], []))
            if row["seq"] is not None:
                frames.append(Frame.parse(event_frame(row)))
        for id_, (watch, known) in wanted.items():
            if id_ in found:
                self._catch_up(watch, known, *found[id_])
            else:
                self._vanished(watch)
        await self._show_pending(watch for watch, _ in wanted.values())

    def _catch_up(self, watch: Watch, known: int, head: int, frames: Sequence[Frame]) -> None:
        """Bring all followers from `known` to `head`; where the history does not reach back, by a snapshot."""
        watch.wake(head)
        more = len(frames) == live.MISSED_PER_GENERATION
        for connection, follow in list(watch.followers.items()):
            if follow.seq == PENDING or connection.closed:
                continue
            for frame in frames:
                if connection.crowded or frame.seq > follow.seq + 1:
                    break
                if frame.seq == follow.seq + 1:
                    follow.seq = frame.seq
                    self._send(connection, follow, frame)
            if follow.seq >= head:
                continue
            if connection.crowded:
                connection.behind |= {watch.id}
            elif follow.seq < known or (more and frames[-1].seq == follow.seq):
                # It came while this was being read, or there is more to read.
                self._mark(watch)
            else:
                follow.seq, follow.reset = PENDING, True

    async def _show_pending(self, watches: Iterable[Watch]) -> None:
        """Send snapshots to the followers that wait for one."""
        pending: dict[UUID, list[Watch]] = {}
        for watch in watches:
            if any(follow.seq == PENDING for follow in watch.followers.values()):
                pending.setdefault(watch.account_id, []).append(watch)
        for account_id, group in pending.items():
            async with self.db.transaction(account_id) as tx:
                rows = await live.current(tx, [watch.id for watch in group])
                resources = {str(r["id"]): r for r in await self.render(tx, rows)}
            for watch in group:
                if watch.id not in resources:
                    self._vanished(watch)
                    continue
                for connection, follow in list(watch.followers.items()):
                    if follow.seq == PENDING:
                        self.show(connection, resources[watch.id])

    def _vanished(self, watch: Watch) -> None:
        """The generation is no longer there, or never was this account's."""
        for connection in list(watch.followers):
            if watch.id in connection.explicit:
                connection.explicit -= {watch.id}
                connection.control(not_found(watch.id))
            self.unfollow(connection, watch.id)

    # --- The position check

    def _check_soon(self) -> None:
        self._check_now.set()

    async def _check_forever(self) -> None:
        failing = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_INTERVAL_S):
                    await self._check_now.wait()
            self._check_now.clear()
            try:
                await self._check()
                failing = False
            except Exception as failure:
                if not failing:
                    log.warning("live_check_failed", error=repr(failure))
                failing = True

    async def _check(self) -> None:
        """Ask Postgres where everything is that somebody follows, and what is new for the feeds."""
        started_at = time.time()
        watched = {
            watch.id: watch.behind
            for channel in self._channels.values()
            for watch in channel.watches.values()
            if not watch.settled and not watch.idle
        }
        strangers, self._strangers = self._strangers, {}
        feeds = [channel.account_id for channel in self._channels.values() if channel.feeds]
        if watched or feeds:
            watched |= dict.fromkeys(strangers.keys() - watched.keys(), UNKNOWN)
            floor = _floor_id(self._checked_at - CLOCK_SKEW_S)
            for row in await live.positions(self.db, watched, feeds, floor):
                self._place(row)
        self._checked_at = started_at
        await self._tell_of_queues()

    async def _tell_of_queues(self) -> None:
        """A pause is of a queue and in nobody's history: one frame for each client, however many generations wait."""
        clients = [
            connection
            for channel in self._channels.values()
            for connection in channel.connections
            if connection.feed or connection.projects or connection.explicit
        ]
        if not clients:
            self._pauses = None
            return
        before, now = self._pauses, await fleet.pauses(self.db)
        self._pauses = now
        if before is None or before == now:
            return
        for kind in before.keys() | now.keys():
            if (kind in before) != (kind in now) or before.get(kind) != now.get(kind):
                frame = queue_frame(kind, kind in now, now.get(kind))
                for connection in clients:
                    connection.control(frame)

    def _place(self, row: Mapping[str, Any]) -> None:
        channel = self._channels.get(row["account_id"])
        if channel is None:
            return
        id_, seq = str(row["id"]), row["seq"]
        for connection in channel.feeds:
            if id_ in connection.follows:
                continue
            if connection.feed or str(row["project_id"]) in connection.projects:
                self.follow(connection, id_, _start(connection, id_))
        watch = channel.watches.get(id_)
        if watch is None:
            return
        if seq > watch.behind:
            self._mark(watch)
        elif row["settled"]:
            watch.settled = True

    # --- Housekeeping

    async def _tick_forever(self) -> None:
        """Sends the progress that was held back."""
        while True:
            await asyncio.sleep(TICK_S)
            held, self._held = self._held, set()
            self._held |= {connection for connection in held if not connection.flush()}

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            try:
                await self.sweep()
            except Exception as failure:
                log.warning("live_sweep_failed", error=repr(failure))

    async def sweep(self) -> None:
        """End the connections whose key or session has expired or was revoked, and what a role no longer allows."""
        used: dict[str, list[Connection]] = {}
        for channel in self._channels.values():
            for connection in channel.connections:
                if connection.credential is not None:
                    used.setdefault(connection.credential, []).append(connection)
        for credential, connections in used.items():
            caller = await revive(self.db, credential)
            for connection in connections:
                if caller is None:
                    connection.close(UNAUTHENTICATED, "unauthenticated")
                elif not caller.role.covers(Role.VIEWER) and self.ops.leave(connection):
                    connection.control(not_for_users())

    def _channel(self, account_id: UUID) -> Channel:
        channel = self._channels.get(account_id)
        if channel is None:
            channel = self._channels[account_id] = Channel(account_id)
        if channel.leaving is not None:
            channel.leaving.cancel()
            channel.leaving = None
        return channel

    def _watch(self, account_id: UUID, id_: str) -> Watch:
        watches = self._channels[account_id].watches
        watch = watches.get(id_)
        if watch is None:
            watch = watches[id_] = Watch(id_, account_id)
        return watch

    def _forget_idle(self, watch: Watch) -> None:
        if watch.idle:
            self._channels[watch.account_id].watches.pop(watch.id, None)
            self._dirty.pop(watch, None)

    def _leave(self, channel: Channel) -> None:
        """Unsubscribes a while after the last one has left: long-polls come and go."""
        if channel.idle and channel.leaving is None and not self._closing:
            loop = asyncio.get_running_loop()
            channel.leaving = loop.call_later(LINGER_S, self._drop_channel, channel)

    def _drop_channel(self, channel: Channel) -> None:
        channel.leaving = None
        if channel.idle and self._channels.get(channel.account_id) is channel:
            del self._channels[channel.account_id]
            task = asyncio.ensure_future(self._subscriber.unfollow(channel.account_id))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


def not_found(id_: str) -> bytes:
    return error("NOT_FOUND", f"There is no generation {id_}.", topic=f"generation:{id_}")


def queue_frame(kind: str, paused: bool, until: datetime | None) -> bytes:
    """What all that queues there waits for, or waits for no longer."""
    if not paused:
        return control("queue.resumed", {"kind": kind})
    return control("queue.paused", {"kind": kind, "until": until})


def not_for_users() -> bytes:
    return error(
        "FORBIDDEN", "Only operators and viewers may follow the installation.", field="topics", topic=OPS
    )


def _start(connection: Connection, id_: str) -> int:
    """From where a feed follows a generation that it did not know: a fresh one from its first event on.

    An older one was known and forgotten, or has not been part of the feed, so a snapshot says how it is.
    """
    born_ms = int(id_[:8] + id_[9:13], 16)
    fresh = born_ms >= max(connection.since_ms, (time.time() - REMEMBERED_S) * 1000)
    return 0 if fresh else PENDING


def _floor_id(at: float) -> UUID:
    """The least UUIDv7 of a moment."""
    return UUID(int=(int(at * 1000) << 80) | (7 << 76) | (2 << 62))
