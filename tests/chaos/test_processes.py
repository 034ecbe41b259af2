"""Worker processes as operators meet them: stopped, redeployed, without Redis, paused."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL

import pytest

from tests.chaos.proxy import Proxy, through
from tests.chaos.world import World, eventually
from tests.emulators.base import Effect

AS_A_MODULE = (sys.executable, "-m", "workers", "image")
BY_ARQ = (sys.executable, "-m", "arq", "workers.image.WorkerSettings")
NEVER_S = 3600
"""Who waits for what takes so long has not ended when the test gives up."""


async def test_sigterm_lets_a_paid_call_finish_and_leaves_nothing_behind(world: World) -> None:
    world.emulator.faults.add("create", Effect.SLOW, seconds=1)
    generation_id = await world.submit("a pear")
    worker = await world.worker()
    await eventually(lambda: _asked(world, "create"))
    assert await worker.stop() == 0
    row = await world.pipeline.row(generation_id)
    assert (row["state"], row["owner"], row["crashes"]) == ("waiting", None, 0)
    assert await world.db.fetchval("SELECT count(*) FROM workers") == 0
    assert await world.violations(finished=False) == []


@pytest.mark.parametrize(("operation", "state"), [("file", "storing"), ("get", "waiting")])
async def test_sigterm_gives_everything_else_back_at_once(world: World, operation: str, state: str) -> None:
    world.emulator.faults.add(operation, Effect.SLOW, seconds=NEVER_S, times=1)
    generation_id = await world.submit("a pear")
    worker = await world.worker(DRAIN_TIMEOUT_S=str(NEVER_S))
    await eventually(lambda: _asked(world, operation))
    assert await worker.stop() == 0
    row = await world.pipeline.row(generation_id)
    assert (row["state"], row["owner"], row["crashes"]) == (state, None, 0)
    await world.worker()
    await world.at_rest()
    assert await world.violations() == []


@pytest.mark.parametrize(
    ("command", "by_signal"),
    [(AS_A_MODULE, True), (AS_A_MODULE, False), (BY_ARQ, False)],
    ids=["module-signal", "module-operator", "arq-operator"],
)
async def test_a_worker_started_as_users_do_serves_and_ends(
    world: World, command: tuple[str, ...], by_signal: bool
) -> None:
    worker = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **world.environment}, stdout=DEVNULL, stderr=DEVNULL
    )
    generation_id = await world.submit("a pear")
    await world.at_rest()
    if by_signal:
        worker.terminate()
    else:
        # What an operator's stop leaves in the record; the worker reads it as it beats.
        assert (
            await world.db.execute("UPDATE workers SET draining = true WHERE pid = $1", worker.pid)
            == "UPDATE 1"
        )
    assert await asyncio.wait_for(worker.wait(), 60) == 0
    assert (await world.pipeline.row(generation_id))["state"] == "completed"
    assert await world.db.fetchval("SELECT count(*) FROM workers") == 0


async def test_without_redis_processes_still_serve(world: World) -> None:
    worker = await world.worker(REDIS_URL="redis://127.0.0.1:1/0")
    await world.ready(worker)
    for number in range(5):
        await world.submit(f"pear {number}")
    await world.at_rest()
    assert await world.violations() == []


async def test_a_paused_worker_that_wakes_up_changes_nothing(world: World) -> None:
    """It was stopped in the middle of a paid call: the answer is there when it wakes, its lease is not."""
    world.emulator.faults.add("create", Effect.LOST_AFTER, seconds=1, times=1)
    await world.submit("a pear")
    paused = await world.worker(FIND_WINDOW_S="30")
    await eventually(lambda: _charged(world))
    paused.signal(signal.SIGSTOP)
    await world.bury(paused)
    other = await world.worker(FIND_WINDOW_S="30")
    await eventually(lambda: _completed(world))
    paused.signal(signal.SIGCONT)
    await eventually(lambda: _registered_again(world, paused.pid))
    await world.submit("another pear")
    await world.at_rest()
    assert await paused.stop() == await other.stop() == 0
    assert await world.violations() == []


async def test_a_worker_that_was_paused_before_the_call_does_not_make_it(world: World) -> None:
    """Its intent was given up meanwhile, and the request was sent by another.

    The control is in tests/workers/test_steps.py: how far a stopped process' own time limits ran cannot be
    arranged from outside.
    """
    world.emulator.faults.add("version", Effect.SLOW, seconds=0.5, times=1)
    await world.submit("a pear", model="replicate/sdxl")
    paused = await world.worker()
    await eventually(lambda: _asked(world, "version"))
    paused.signal(signal.SIGSTOP)
    await world.bury(paused)
    other = await world.worker()
    await eventually(lambda: _completed(world))
    paused.signal(signal.SIGCONT)
    await eventually(lambda: _registered_again(world, paused.pid))
    assert await paused.stop() == await other.stop() == 0
    assert "charged twice" not in await world.rules_broken(finished=False)


@pytest.mark.parametrize("cut", [False, True], ids=["late", "gone"])
async def test_black_holes_before_both_stores_lose_nothing(world: World, cut: bool) -> None:
    environment = world.environment
    async with (
        Proxy.before(environment["DATABASE_WORKER_URL"]) as postgres,
        Proxy.before(environment["REDIS_URL"]) as redis,
    ):
        worker = await world.worker(
            DATABASE_WORKER_URL=through(environment, "DATABASE_WORKER_URL", postgres),
            REDIS_URL=through(environment, "REDIS_URL", redis),
            LEASE_TTL_S="60",
        )
        await world.ready(worker)
        world.emulator.faults.add("create", Effect.SLOW, seconds=0.5)
        for number in range(5):
            await world.submit(f"pear {number}")
        await eventually(lambda: _asked(world, "create"))
        for proxy in (postgres, redis):
            proxy.swallow()
        await asyncio.sleep(1.5)
        for proxy in (postgres, redis):
            if cut:
                proxy.cut()
            proxy.resume()
        await world.at_rest()
        rows = await world.db.fetch("SELECT state, crashes FROM generations")
        assert await worker.stop() == 0
    assert {(row["state"], row["crashes"]) for row in rows} == {("completed", 0)}
    assert await world.violations() == []


async def _asked(world: World, operation: str) -> bool:
    return bool(world.emulator.seen(operation))


async def _charged(world: World) -> bool:
    return bool(world.emulator.invoice())


async def _completed(world: World) -> bool:
    return bool(await world.db.fetchval("SELECT bool_and(state = 'completed') FROM generations"))


async def _registered_again(world: World, pid: int) -> bool:
    return bool(await world.db.fetchval(
        "SELECT EXISTS (SELECT FROM workers WHERE pid = $1 AND beat_at > now() - interval '5 s')", pid
    ))  # fmt: skip
