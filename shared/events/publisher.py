"""The sending side of live frames."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Self
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.events.frames import channel
from shared.log import get_logger
from shared.wire import FastConnection

log = get_logger(__name__)

PUBLISH_TIMEOUT_S = 0.5
OUTAGE_PAUSE_S = 1.0
MAX_PENDING_FRAMES = 20_000

# Many frames in one command: a pipeline costs this process as much again for each of its commands.
_PUBLISH = "for i = 1, #KEYS do redis.call('PUBLISH', KEYS[i], ARGV[i]) end"


class _Batch:
    """Frames that go out in one command, and the future that says when they have, or never will."""

    __slots__ = ("done", "messages")

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Publisher:
    """Sends frames to Redis, best effort: it never raises, and a dead Redis costs nothing per call.

    What is published within one turn of the event loop goes out in one command. After a failure, frames are
    dropped for a second before the next try: watchers then learn of them from Postgres.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._pending: _Batch | None = None
        self._sender: asyncio.Task[None] | None = None
        self._silent_until = 0.0
        self._outage = False

    @classmethod
    def open(cls, redis_url: str) -> Self:
        """Connects when first used."""
        client: Redis = Redis.from_url(
            redis_url,
            connection_class=FastConnection,
            socket_timeout=PUBLISH_TIMEOUT_S,
            socket_connect_timeout=PUBLISH_TIMEOUT_S,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(client)

    async def publish(self, account_id: UUID, frames: Sequence[bytes]) -> None:
        """Returns when the frames are sent or given up, after about half a second at most."""
        batch = self._add(account_id, frames)
        if batch is not None:
            await asyncio.wait((batch.done,), timeout=PUBLISH_TIMEOUT_S)

    def publish_soon(self, account_id: UUID, frames: Sequence[bytes]) -> None:
        """Sends the frames in the background."""
        self._add(account_id, frames)

    def _add(self, account_id: UUID, frames: Sequence[bytes]) -> _Batch | None:
        if not frames or asyncio.get_running_loop().time() < self._silent_until:
            return None
        batch = self._pending = self._pending or _Batch()
        if len(batch.messages) + len(frames) > MAX_PENDING_FRAMES:
            return None
        name = channel(account_id)
        batch.messages += [(name, frame) for frame in frames]
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name="publish-frames")
        return batch

    async def _send(self) -> None:
        while (batch := self._pending) is not None:
            self._pending = None
            try:
                async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                    await self._send_batch(batch)
            except (RedisError, OSError, TimeoutError) as error:
                self._pause(error)
            else:
                self._recovered()
            finally:
                batch.done.set_result(None)

    async def _send_batch(self, batch: _Batch) -> None:
        if len(batch.messages) == 1:
            await self._client.publish(*batch.messages[0])
            return
        names = [name for name, _ in batch.messages]
        frames = [frame for _, frame in batch.messages]
        await self._client.execute_command("EVAL", _PUBLISH, len(names), *names, *frames)  # type: ignore[no-untyped-call]  # redis-py's core is untyped

    def _pause(self, error: BaseException) -> None:
        self._silent_until = asyncio.get_running_loop().time() + OUTAGE_PAUSE_S
        if self._pending is not None:
            self._pending.done.set_result(None)
            self._pending = None
        if not self._outage:
            self._outage = True
            log.warning("live_frames_not_published", error=repr(error))

    def _recovered(self) -> None:
        if self._outage:
            self._outage = False
            log.info("live_frames_published_again")

    async def close(self) -> None:
        if self._sender is not None:
            await asyncio.wait((self._sender,), timeout=PUBLISH_TIMEOUT_S)
        with suppress(RedisError, OSError):
            await self._client.aclose()
