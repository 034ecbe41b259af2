"""Goal 4: generations a second through one worker process whose provider answers at once and costs money.

Beside it: the same life as four plain transactions of one row each (record, claim, submit, settle), by eight
connections that do nothing else.
"""

import asyncio
import time
from contextlib import suppress
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
QUICK_GENERATIONS = 1_000
WARM = 500
"""Ended before the clock starts: connections open and statements are prepared meanwhile."""
PLAIN_LIVES = 800
CONNECTIONS = 8
WARM_LIMIT_S = 15.0
WATCH_S = 4.0
SLOTS = 64
"""For providers that answer at once. More slots than the default only help where steps are short."""

_ENDED = "SELECT count(*) FROM generations WHERE state = 'completed'"


async def measure(stand: Stand) -> list[Figure]:
    found, default, plain, cpu = [], [], [], []
    for _ in range(stand.rounds):
        plain.append(await _plain_lives_per_s(stand))
        per_s, cpu_ms = await _round(stand, SLOTS)
        found.append(per_s)
        cpu.append(cpu_ms)
        default.append((await _round(stand, stand.settings.worker_slots))[0])
    beside = "four plain transactions, 8 connections"
    return [
        Figure(4, f"generations through one worker, {SLOTS} slots", middle(found), "/s", least(800), middle(plain),
               beside),
        Figure(4, "its processor per generation", middle(cpu), "ms"),
        Figure(4, f"with the default {stand.settings.worker_slots} slots", middle(default), "/s", None, middle(plain),
               beside),
    ]  # fmt: skip


async def _round(stand: Stand, slots: int) -> tuple[float, float]:
    """Generations a second, and milliseconds of the worker's processor for each."""
    await _admit(stand, QUICK_GENERATIONS if stand.quick else GENERATIONS)
    env = {"WORKER_SLOTS": str(slots)}
    async with stand.child("worker", "-m", "tests.bench.worker", "image", env=env) as worker:
        await worker.said("ready")
        await _until(stand, WARM, WARM_LIMIT_S)
        done, used, start = await stand.db.fetchval(_ENDED), worker.cpu_s(), time.monotonic()
        await _until(stand, QUICK_GENERATIONS if stand.quick else GENERATIONS, WATCH_S)
        ended, taken = await stand.db.fetchval(_ENDED) - done, time.monotonic() - start
        cpu_ms = (worker.cpu_s() - used) / ended * 1000
    await stand.clear()
    return ended / taken, cpu_ms


async def _until(stand: Stand, count: int, limit_s: float) -> None:
    """Returns when so many have been completed, or the time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while await stand.db.fetchval(_ENDED) < count:
                await asyncio.sleep(0.05)


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
    await admitter.close()
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
