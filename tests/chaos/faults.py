"""What goes wrong in a storm. Each fault is over when its function returns."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cli.servers.process import Server
from tests.chaos.nursery import Child
from tests.chaos.proxy import Proxy
from tests.chaos.world import World
from tests.emulators.base import Effect, FaultScript


class Stage(Protocol):
    """What faults may touch."""

    world: World
    chance: random.Random
    workers: list[Child]
    submitters: list[Child]
    postgres: Proxy
    redis: Proxy
    stops_s: tuple[float, float]
    holes_s: tuple[float, float]

    async def watch_recovery(self, worker: Child) -> None: ...

    def restartable(self, name: str) -> Server | None: ...


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    weight: int
    strike: Callable[[Any], Awaitable[None]]
    needs: str | None = None
    """A server of our own, which can be stopped without harming others."""
    store: bool = False
    """It takes away Postgres or Redis, so that recoveries meanwhile are not ours to speed up."""


async def kill_worker(stage: Stage) -> None:
    worker = stage.chance.choice(stage.workers)
    await stage.watch_recovery(worker)
    worker.signal(signal.SIGKILL)


async def stop_worker(stage: Stage) -> None:
    """A pause beyond the lease: others take over, and then it wakes."""
    worker = stage.chance.choice(stage.workers)
    worker.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(stage.chance.uniform(*stage.stops_s))
    finally:
        worker.signal(signal.SIGCONT)


async def drain_worker(stage: Stage) -> None:
    stage.chance.choice(stage.workers).signal(signal.SIGTERM)


async def kill_submitter(stage: Stage) -> None:
    stage.chance.choice(stage.submitters).signal(signal.SIGKILL)


async def cancel_one(stage: Stage) -> None:
    ids = await stage.world.db.fetch("SELECT id FROM generations WHERE wake_at IS NOT NULL LIMIT 50")
    if ids:
        await stage.world.pipeline.cancel(stage.chance.choice(ids)["id"])


async def flush(stage: Stage) -> None:
    await stage.world.redis.flushdb()


async def cut_redis(stage: Stage) -> None:
    stage.redis.cut()


async def cut_postgres(stage: Stage) -> None:
    stage.postgres.cut()


async def swallow_redis(stage: Stage) -> None:
    await _swallow(stage, stage.redis)


async def swallow_postgres(stage: Stage) -> None:
    await _swallow(stage, stage.postgres)


async def _swallow(stage: Stage, proxy: Proxy) -> None:
    """Nothing passes for a while; then it arrives late, or the connections turn out to be gone."""
    proxy.swallow()
    try:
        await asyncio.sleep(stage.chance.uniform(*stage.holes_s))
        if stage.chance.random() < 0.5:
            proxy.cut()
    finally:
        proxy.resume()


async def restart_valkey(stage: Stage) -> None:
    await _restart(stage, "valkey")


async def restart_postgres(stage: Stage) -> None:
    await _restart(stage, "postgres")


async def _restart(stage: Stage, name: str) -> None:
    server = stage.restartable(name)
    assert server is not None
    assert server.process is not None
    server.process.send_signal(stage.chance.choice([server.stop_signal, signal.SIGQUIT]))
    while server.alive():
        await asyncio.sleep(0.02)
    server.stop()
    await asyncio.sleep(stage.chance.uniform(0, 3))
    server.launch()
    while not server.ready():
        assert server.alive(), f"{name} did not come back"
        await asyncio.sleep(0.02)


FAULTS = (
    Fault("kill a worker", 6, kill_worker),
    Fault("stop a worker beyond its lease", 3, stop_worker),
    Fault("terminate a worker", 4, drain_worker),
    Fault("kill a submitter", 2, kill_submitter),
    Fault("cancel one", 5, cancel_one),
    Fault("flush Redis", 2, flush, store=True),
    Fault("cut Redis", 2, cut_redis, store=True),
    Fault("cut Postgres", 2, cut_postgres, store=True),
    Fault("black hole before Redis", 2, swallow_redis, store=True),
    Fault("black hole before Postgres", 2, swallow_postgres, store=True),
    Fault("restart Redis", 1, restart_valkey, needs="valkey", store=True),
    Fault("restart Postgres", 2, restart_postgres, needs="postgres", store=True),
)


def trouble_the_provider(script: FaultScript) -> None:
    """What the provider does to us all the while."""
    script.add("create", Effect.LOST_AFTER, probability=0.03, seconds=3)
    script.add("create", Effect.RESET_AFTER, probability=0.02)
    script.add("create", Effect.MALFORMED_AFTER, probability=0.01)
    script.add("create", Effect.REFUSE, probability=0.03, status=503)
    script.add("create", Effect.REFUSE, probability=0.03, status=429, retry_after_s=0.5)
    script.add("create", Effect.RESET, probability=0.02)
    script.add("create", Effect.FAIL, probability=0.03, message="CUDA out of memory")
    script.add("create", Effect.RUN_SECONDS, probability=0.1, seconds=4)
    script.add("get", Effect.REFUSE, probability=0.02, status=502)
    script.add("get", Effect.SLOW, probability=0.02, seconds=1)
    script.add("list", Effect.REFUSE, probability=0.05, status=500)
    script.add("file", Effect.REFUSE, probability=0.02, status=503)
    script.add("file", Effect.OUTPUT_TRUNCATED, probability=0.02)
    script.add("cancel", Effect.REFUSE, probability=0.1, status=500)
