"""Goal 4: generations a second through one worker process whose provider answers at once and costs money.

Beside it: the same life as four plain transactions of one row each (record, claim, submit, settle), by eight
connections that do nothing else.
"""

import asyncio
import time
from uuid import uuid4

import asyncpg

from shared.catalog import Catalog
from shared.db import Database, Role
from shared.domains.admission import Admitter, NewGeneration
from shared.events import Publisher
from shared.kinds import KINDS
from shared.queue import Bell
from tests.bench.figures import Figure, least, middle
from tests.bench.stand import PROVIDER, Stand

GENERATIONS = 6_000
QUICK_GENERATIONS = 1_500
WARM = 500
"""Ended before the clock starts: connections open and statements are prepared meanwhile."""
PLAIN_LIVES = 1_500
CONNECTIONS = 8
LIMIT_S = 60.0

_ENDED = "SELECT count(*) FROM generations WHERE state = 'completed'"


async def measure(stand: Stand) -> list[Figure]:
    found, plain, cpu = [], [], []
    for _ in range(stand.rounds):
        plain.append(await _plain_lives_per_s(stand))
        per_s, cpu_ms = await _round(stand, QUICK_GENERATIONS if stand.quick else GENERATIONS)
        found.append(per_s)
        cpu.append(cpu_ms)
        await stand.clear()
    return [
        Figure(4, "generations through one worker", middle(found), "/s", least(800), middle(plain),
               "four plain transactions, 8 connections"),
        Figure(4, "its processor per generation", middle(cpu), "ms"),
    ]  # fmt: skip


async def _round(stand: Stand, count: int) -> tuple[float, float]:
    """Generations a second, and milliseconds of the worker's processor for each."""
    await _admit(stand, count)
    async with stand.child("worker", "-m", "tests.bench.worker", "image") as worker:
        await worker.said("ready")
        start, done, used = await _when(stand, WARM), await stand.db.fetchval(_ENDED), worker.cpu_s()
        start = time.monotonic()
        end = await _when(stand, count)
        cpu_ms = (worker.cpu_s() - used) / (count - done) * 1000
    return (count - done) / (end - start), cpu_ms


async def _when(stand: Stand, count: int) -> float:
    """When so many have been completed. Raises TimeoutError."""
    async with asyncio.timeout(LIMIT_S):
        while await stand.db.fetchval(_ENDED) < count:
            await asyncio.sleep(0.02)
    return time.monotonic()


async def _admit(stand: Stand, count: int) -> None:
    """Records the generations as the gateway does, before there is a worker."""
    account_id, _ = await stand.account()
    db = await Database.open(stand.settings.database_url, Role.APP)
    bell, publisher = Bell.open(stand.settings), Publisher.open(stand.settings.redis_url)
    admitter = Admitter(db, Catalog(db), bell, publisher, stand.settings)
    parameters = KINDS["image"].parameters.model_validate({"prompt": "a lighthouse in fog"})
    new = NewGeneration("image", parameters, PROVIDER)
    for _ in range(0, count, 500):
        await asyncio.gather(*(admitter.admit(account_id, new) for _ in range(min(500, count))))
    await publisher.close()
    await bell.close()
    await db.close()


async def _plain_lives_per_s(stand: Stand) -> float:
    pool = await asyncpg.create_pool(stand.superuser_url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    async with pool:
        await pool.execute(
            "CREATE TABLE bench_job (id uuid PRIMARY KEY, state text NOT NULL, owner uuid, n int)"
        )
        start = time.monotonic()
        await asyncio.gather(*(_lives(pool, PLAIN_LIVES // CONNECTIONS) for _ in range(CONNECTIONS)))
        taken = time.monotonic() - start
        await pool.execute("DROP TABLE bench_job")
    return PLAIN_LIVES / taken


async def _lives(pool: asyncpg.Pool, count: int) -> None:
    async with pool.acquire() as connection:
        for _ in range(count):
            job = uuid4()
            await connection.execute("INSERT INTO bench_job VALUES ($1, 'queued', NULL, 0)", job)
            for state in ("claimed", "submitting", "completed"):
                await connection.execute(
                    "UPDATE bench_job SET state = $2, n = n + 1 WHERE id = $1", job, state
                )
