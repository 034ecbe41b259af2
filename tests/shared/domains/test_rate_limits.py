"""Token buckets: exactly as many as there are tokens, in Redis and without it, and the same figures in both."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.domains.rate_limits import MINUTE_S, MONTH_S, Bucket, LocalBuckets, RateLimiter, refusal
from shared.ids import new_id
from shared.settings import Settings


@pytest.fixture
async def limiters(settings: Settings) -> AsyncIterator[list[RateLimiter]]:
    """Those of four processes."""
    opened = [RateLimiter.open(settings.redis_url) for _ in range(4)]
    yield opened
    for limiter in opened:
        await limiter.close()


async def test_two_hundred_at_once_in_four_processes_get_the_fifty_that_there_are(
    limiters: list[RateLimiter],
) -> None:
    # A limit so slow to fill that no token comes back meanwhile, beside one that is never short.
    subject = str(new_id())
    buckets = [Bucket("key", subject, 50), Bucket("account", subject, 100_000)]
    answers = await asyncio.gather(*(limiters[n % 4].take(buckets) for n in range(200)))
    granted = sum(refusal(levels) is None for levels in answers)
    # Fifty tokens fill at one in 1.2 seconds; a slow machine may see a few come back.
    assert 50 <= granted <= 55
    (key, account) = await limiters[0].take(buckets)
    assert key.left == 0
    assert account.left >= 100_000 - granted - 1


async def test_what_is_refused_names_the_longest_wait(limiters: list[RateLimiter]) -> None:
    subject = str(new_id())
    buckets = [Bucket("address", subject, 1), Bucket("key", subject, 1_000_000)]
    await limiters[0].take(buckets)
    error = refusal(await limiters[1].take(buckets))
    assert error is not None
    assert (error.context["scope"], error.context["limit"]) == ("address", 1)
    assert 50 < (error.retry_after_s or 0) <= 60


@pytest.mark.parametrize(("limit", "window_s"), [(1, MINUTE_S), (7, MINUTE_S), (60, MINUTE_S), (9, MONTH_S)])
async def test_redis_and_this_process_count_alike(
    limiters: list[RateLimiter], limit: int, window_s: int
) -> None:
    local, bucket = LocalBuckets(), Bucket("key", str(new_id()), limit, window_s)
    for _ in range(limit + 2):
        (shared,), (own,) = await limiters[0].take([bucket]), local.take([bucket])
        assert abs(shared.left - own.left) <= 1
        assert abs(shared.full_in_s - own.full_in_s) < 2
        assert abs(shared.wait_s - own.wait_s) < 2
