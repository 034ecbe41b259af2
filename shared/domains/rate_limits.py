"""How often somebody may ask, as token buckets in Redis that all processes share.

A bucket holds as many tokens as its limit and fills evenly in its window, a minute mostly; a request takes one from
each of its buckets or from none. Requests that come together are asked about in one round trip, by one script. When
Redis is away, each process counts by itself with the same limits, and says so once per outage.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.batch import Batcher
from shared.errors import RateLimited
from shared.log import get_logger
from shared.queue import redis_client

log = get_logger(__name__)

MINUTE_S: Final = 60
DAY_S: Final = 24 * 3600
MONTH_S: Final = 30 * DAY_S
PREFIX: Final = "penstock:rate:"
TIMEOUT_S: Final = 0.25
REST_S: Final = 1.0
"""How long Redis is left alone after it failed."""
MOST_LOCAL: Final = 20_000
_US: Final = 1_000_000

# What is kept of a bucket is the time at which it will be full (GCRA's "theoretical arrival time", in microseconds of
# the server's clock). ARGV: for each request how many buckets it has, and the limit and the window of each. The answer
# has for each bucket what is left, when it is full, and how long to wait for a token, all in microseconds.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answer, key, arg = {}, 0, 1
while arg <= #ARGV do
    local count = tonumber(ARGV[arg])
    local full, granted = {}, true
    for n = 1, count do
        local window = tonumber(ARGV[arg + 2 * n])
        local step = window / tonumber(ARGV[arg + 2 * n - 1])
        local at = math.max(tonumber(redis.call('GET', KEYS[key + n]) or '0'), now)
        full[n] = {at, at + step, step, window}
        granted = granted and at + step - now <= window
    end
    for n = 1, count do
        local at, step, window = full[n][1], full[n][3], full[n][4]
        local wait = full[n][2] - now - window
        if granted then
            at = full[n][2]
            redis.call('SET', KEYS[key + n], string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1)
        end
        local left = math.max(0, math.floor((window - (at - now)) / step + 0.000001))
        answer[#answer + 1] = left
        answer[#answer + 1] = math.ceil(at - now)
        answer[#answer + 1] = granted and 0 or math.max(0, math.ceil(wait))
    end
    key, arg = key + count, arg + 2 * count + 1
end
return answer
"""


class Bucket(NamedTuple):
    """`name` is what it limits (address, account, key, plan, month), `subject` whose it is, `limit` how many tokens
    it holds, and gets in `window_s`."""

    name: str
    subject: str
    limit: int
    window_s: int = MINUTE_S

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.name}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Level:
    """How a bucket stands after a request: what is left, when it is full again, and the wait for a token if none
    was there."""

    bucket: Bucket
    left: int
    full_in_s: float
    wait_s: float = 0.0


def refusal(levels: Sequence[Level]) -> RateLimited | None:
    """The error of a request that found a bucket empty; it names the one with the longest wait."""
    longest = max(levels, key=lambda level: level.wait_s, default=None)
    if longest is None or longest.wait_s <= 0:
        return None
    bucket = longest.bucket
    return RateLimited(
        f"More than {bucket.limit} requests in {_span(bucket)}; wait {_wait(longest.wait_s)}.",
        retry_after_s=longest.wait_s,
        scope=bucket.name,
        limit=bucket.limit,
        window_s=bucket.window_s,
    )


def _span(bucket: Bucket) -> str:
    if bucket.window_s == MINUTE_S:
        return f"a minute for this {bucket.name}"
    return f"{bucket.window_s // DAY_S} days"


def _wait(seconds: float) -> str:
    return f"{seconds:.1f} seconds" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"


@dataclass(slots=True)
class RateLimiter:
    """Takes tokens."""

    redis: Redis
    local: "LocalBuckets" = field(default_factory=lambda: LocalBuckets())
    _batches: Batcher[str, Sequence[Bucket], Sequence[Level]] = field(init=False, repr=False)
    _script: str | None = field(default=None, repr=False)
    _rest_until: float = 0.0
    _outage: bool = False

    def __post_init__(self) -> None:
        self._batches = Batcher(self._take_all)

    @classmethod
    def open(cls, redis_url: str) -> "RateLimiter":
        """Connects when first used."""
        return cls(redis_client(redis_url, max_connections=4, timeout_s=TIMEOUT_S))

    async def close(self) -> None:
        await self.redis.aclose(close_connection_pool=True)

    async def take(self, buckets: Sequence[Bucket]) -> Sequence[Level]:
        """One token of each, or none of any; see `refusal`. Never raises for want of Redis."""
        return await self._batches("", buckets)

    async def _take_all(
        self, _: str, requests: list[Sequence[Bucket]]
    ) -> list[Sequence[Level] | BaseException]:
        if time.monotonic() >= self._rest_until:
            try:
                levels = await self._ask(requests)
            except (RedisError, OSError, TimeoutError) as error:
                self._rest_until = time.monotonic() + REST_S
                if not self._outage:
                    self._outage = True
                    log.warning("rate_limits_are_local", error=f"{type(error).__name__}: {error}")
            else:
                if self._outage:
                    self._outage = False
                    log.info("rate_limits_are_shared_again")
                return levels
        return [self.local.take(buckets) for buckets in requests]

    async def _ask(self, requests: Sequence[Sequence[Bucket]]) -> list[Sequence[Level] | BaseException]:
        keys = [bucket.key for buckets in requests for bucket in buckets]
        arguments: list[int] = []
        for buckets in requests:
            arguments.append(len(buckets))
            for bucket in buckets:
                arguments += (bucket.limit, bucket.window_s * _US)
        flat = await self.redis.execute_command("EVAL", _SCRIPT, len(keys), *keys, *arguments)  # type: ignore[no-untyped-call]  # redis-py's core is untyped
        figures = iter(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
        return [
            [Level(bucket, left, full / _US, wait / _US)
             for bucket, (left, full, wait) in zip(buckets, figures, strict=False)]
            for buckets in requests
        ]  # fmt: skip


class LocalBuckets:
    """The same buckets in this process' memory."""

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}

    def take(self, buckets: Sequence[Bucket]) -> Sequence[Level]:
        now = time.monotonic()
        if len(self._full_at) > MOST_LOCAL:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
            if len(self._full_at) > MOST_LOCAL:
                self._full_at.clear()
        before = [max(self._full_at.get(bucket.key, 0.0), now) for bucket in buckets]
        after = [at + bucket.window_s / bucket.limit for bucket, at in zip(buckets, before, strict=True)]
        granted = all(at - now <= bucket.window_s + 1e-9 for bucket, at in zip(buckets, after, strict=True))
        if granted:
            self._full_at.update((bucket.key, at) for bucket, at in zip(buckets, after, strict=True))
        levels = []
        for bucket, old, new in zip(buckets, before, after, strict=True):
            at = new if granted else old
            window_s = bucket.window_s
            left = max(0, int((window_s - (at - now)) * bucket.limit / window_s + 1e-6))
            levels.append(Level(bucket, left, at - now, 0.0 if granted else max(0.0, new - now - window_s)))
        return levels
