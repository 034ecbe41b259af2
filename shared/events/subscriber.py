"""The receiving side of live frames: one pub/sub connection for a whole gateway process."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from shared.events.frames import channel
from shared.log import get_logger

log = get_logger(__name__)

CONNECT_TIMEOUT_S = 2.0
ACKNOWLEDGE_TIMEOUT_S = 1.0
PING_INTERVAL_S = 5.0
SILENCE_LIMIT_S = 12.0
MAX_RECONNECT_DELAY_S = 2.0
CHANNELS_PER_COMMAND = 500
MESSAGES_PER_TURN = 256

_SYNCED = b"synced"
_ALIVE = b"alive"


class Subscriber:
    """Hands every frame of the followed accounts to `on_message`, and reconnects by itself for ever.

    `on_gap` is called each time the connection is up again with all its channels: what was published before
    may have been missed. Both callbacks run on the event loop and must not block or raise.

    It speaks to redis-py's connection rather than to its PubSub, which costs four times as much a message.
    """

    def __init__(
        self, redis_url: str, on_message: Callable[[UUID, bytes], None], on_gap: Callable[[], None]
    ) -> None:
        self._pool: ConnectionPool = ConnectionPool.from_url(
            redis_url, socket_connect_timeout=CONNECT_TIMEOUT_S, socket_keepalive=True, protocol=2
        )
        self._on_message = on_message
        self._on_gap = on_gap
        self._accounts: dict[bytes, UUID] = {}
        self._asked: dict[bytes, asyncio.Future[None]] = {}
        self._connection: AbstractConnection | None = None
        self._outage = False
        self._heard_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="subscriber")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def follow(self, account_id: UUID) -> bool:
        """Ask for an account's frames; True once Redis has agreed, False when it does not answer.

        In either case the account stays wanted, and its frames come as soon as Redis is there.
        """
        name = channel(account_id).encode()
        if name not in self._accounts:
            self._accounts[name] = account_id
            self._asked[name] = asyncio.get_running_loop().create_future()
            if self._connection is not None:
                await self._command(self._connection, "SUBSCRIBE", (name,))
        asked = self._asked.get(name)
        if asked is not None and not self._outage:
            await asyncio.wait((asked,), timeout=ACKNOWLEDGE_TIMEOUT_S)
        return name in self._accounts and name not in self._asked and not self._outage

    async def unfollow(self, account_id: UUID) -> None:
        name = channel(account_id).encode()
        if self._accounts.pop(name, None) is None:
            return
        self._agreed(name)
        if self._connection is not None:
            await self._command(self._connection, "UNSUBSCRIBE", (name,))

    async def _run(self) -> None:
        delay_s = 0.05
        while True:
            try:
                await self._listen()
            except Exception as error:
                if self._connection is not None:
                    delay_s = 0.05
                self._lost(error)
            finally:
                self._connection = None
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads reconnects
            delay_s = min(delay_s * 2, MAX_RECONNECT_DELAY_S)

    async def _listen(self) -> None:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]  # untyped there
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.connect()  # type: ignore[no-untyped-call]  # untyped there
            self._connection = connection
            self._heard_at = asyncio.get_running_loop().time()
            wanted = list(self._accounts)
            for start in range(0, len(wanted), CHANNELS_PER_COMMAND):
                await self._command(connection, "SUBSCRIBE", wanted[start : start + CHANNELS_PER_COMMAND])
            await self._command(connection, "PING", (_SYNCED,))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_alive(connection))
                tasks.create_task(self._read(connection))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await connection.disconnect(nowait=True)

    async def _read(self, connection: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(MESSAGES_PER_TURN):
                self._receive(await connection.read_response())
            self._heard_at = loop.time()
            await asyncio.sleep(0)  # a reader that always finds more would starve everybody else

    def _receive(self, reply: Any) -> None:
        if not isinstance(reply, list):
            # Without any channel the connection is not in subscriber mode and echoes a ping's text.
            kind, name = b"pong", reply
        else:
            kind, name = reply[0], reply[1]
        if kind == b"message":
            account_id = self._accounts.get(name)
            if account_id is not None:
                self._on_message(account_id, reply[2])
        elif kind == b"subscribe":
            self._agreed(name)
        elif kind == b"pong":
            self._heard_at = asyncio.get_running_loop().time()
            if name == _SYNCED:
                self._restored()

    async def _keep_alive(self, connection: AbstractConnection) -> None:
        """Raises TimeoutError when Redis is silent: a black hole shows no other sign."""
        loop = asyncio.get_running_loop()
        while loop.time() - self._heard_at < SILENCE_LIMIT_S:
            await asyncio.sleep(PING_INTERVAL_S)
            await self._command(connection, "PING", (_ALIVE,))
        raise TimeoutError("Redis is silent")

    async def _command(self, connection: AbstractConnection, name: str, args: Sequence[bytes]) -> None:
        """A broken connection is noticed by the reader, so a failed write is not an error here."""
        with suppress(RedisError, OSError, TimeoutError):
            await connection.send_command(name, *args, check_health=False)

    def _restored(self) -> None:
        if self._outage:
            self._outage = False
            log.info("live_frames_received_again")
        self._on_gap()

    def _lost(self, error: BaseException) -> None:
        if not self._outage:
            self._outage = True
            log.warning("live_frames_not_received", error=repr(error))

    def _agreed(self, name: bytes) -> None:
        asked = self._asked.pop(name, None)
        if asked is not None and not asked.done():
            asked.set_result(None)
