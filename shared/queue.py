"""The doorbell: one arq queue per kind, and a wake-up so that nobody has to poll fast.

A bell says only "look at this generation": (id, dispatch number). Losing one costs seconds, repeating one
costs nothing, and nothing in Redis is ever read to decide a fact.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self
from uuid import UUID

import orjson
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from redis.asyncio import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from shared.settings import Settings
from shared.wire import FastConnection

STEP = "step"
QUEUE_PREFIX = "arq:penstock:"
WAKE_PREFIX = "penstock:bell:"
BELL, POKE = b"bell", b"poke"
"""What is said on the wake-up channel: there are bells to take, or the clock is worth a look."""
BELL_TTL_MS = 60_000
# Every bell is due at once whatever the producer's clock says; equal scores are served in the order of the
# ids, which is the order of creation. arq skips a score of zero.
BELL_SCORE = 1

# Many bells in one command: a pipeline costs this process as much again for each of its commands.
_RING = """
for i = 5, #ARGV, 2 do
    redis.call('PSETEX', ARGV[1] .. ARGV[i], ARGV[2], ARGV[i + 1])
    redis.call('ZADD', KEYS[1], ARGV[3], ARGV[i])
end
return redis.call('PUBLISH', KEYS[2], ARGV[4])
"""


class BellUnavailable(Exception):
    """Redis did not take the bell; the clock in Postgres will ring again."""


def queue_name(kind: str) -> str:
    return f"{QUEUE_PREFIX}{kind}"


def wake_channel(kind: str) -> str:
    return f"{WAKE_PREFIX}{kind}"


def to_bytes(value: dict[str, Any]) -> bytes:
    """arq's serializer: JSON, because unpickling would run whatever somebody wrote to Redis."""
    return orjson.dumps(value, default=str)


def from_bytes(data: bytes) -> dict[str, Any]:
    return orjson.loads(data)  # type: ignore[no-any-return]  # JSON enters here


def redis_client(url: str, *, max_connections: int = 20, timeout_s: float = 3.0) -> Redis:
    """A client whose every call ends: a black-holed Redis is an error within `timeout_s`, not a hang."""
    pool = BlockingConnectionPool.from_url(
        url,
        connection_class=FastConnection,
        max_connections=max_connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)


class Bell:
    """Rings workers. After a failure it does not try again for `rest_s`, so a dead Redis costs no time."""

    def __init__(self, redis: Redis, *, rest_s: float = 0.5) -> None:
        self._redis = redis
        self._rest_s = rest_s
        self._rest_until = 0.0

    @classmethod
    def open(cls, settings: Settings) -> Self:
        return cls(redis_client(settings.redis_url, timeout_s=1.0))

    async def ring(self, kind: str, bells: Sequence[tuple[UUID, int]]) -> None:
        """Enqueues one step per (generation id, dispatch number). Raises BellUnavailable."""
        if not bells:
            return
        if time.monotonic() < self._rest_until:
            raise BellUnavailable("Redis failed a moment ago")
        now_ms = int(time.time() * 1000)
        jobs: list[str | bytes] = []
        for generation_id, dispatch_no in bells:
            arguments = (str(generation_id), dispatch_no)
            jobs += (f"{arguments[0]}:{dispatch_no}",
                     serialize_job(STEP, arguments, {}, None, now_ms, serializer=to_bytes))  # fmt: skip
        try:
            await self._redis.execute_command(  # type: ignore[no-untyped-call]  # redis-py's core is untyped
                "EVAL", _RING, 2, queue_name(kind), wake_channel(kind),
                job_key_prefix, BELL_TTL_MS, BELL_SCORE, BELL, *jobs,
            )  # fmt: skip
        except (RedisError, OSError, TimeoutError) as error:
            self._rest_until = time.monotonic() + self._rest_s
            raise BellUnavailable(str(error)) from error

    async def poke(self, kind: str) -> None:
        """Has the kind's workers look at the clock now. Best effort: they look by themselves soon after."""
        with suppress(RedisError, OSError, TimeoutError):
            if time.monotonic() >= self._rest_until:
                await self._redis.publish(wake_channel(kind), POKE)

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)
