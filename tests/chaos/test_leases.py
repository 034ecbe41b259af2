"""I15 and I18, and what else a lease must not get wrong: poison, clocks, outages, lost answers, old bells."""

import time
from functools import partial

import pytest

from shared.crashpoints import CRASH_EXIT_CODE
from tests.chaos.acts import (
    Remove,
    a_round,
    a_worker_row,
    claimed,
    dies,
    guarded,
    is_buried,
    is_steady,
    lives,
    serving,
)
from tests.chaos.proxy import Proxy, through
from tests.chaos.world import World, eventually
from workers.engine import Engine


@guarded
async def test_i15_what_kills_its_worker_three_times_is_stopped(world: World, guarded: bool) -> None:
    generation_id = await world.submit("poison")
    missing = [] if guarded else ["counted crashes"]
    for _ in range(3):
        worker = await world.worker(crash_point="before_submit_call", without=missing, FIND_WINDOW_S="0.01")
        assert await worker.wait() == CRASH_EXIT_CODE
        await world.bury(worker)
    fourth = await world.worker(crash_point="before_submit_call", without=missing, FIND_WINDOW_S="0.01")
    if guarded:
        row = await world.pipeline.until(generation_id)
        await world.at_rest()
        assert row["error"]["code"] == "POISON"
        assert await fourth.stop() == 0
    else:
        assert await fourth.wait() == CRASH_EXIT_CODE
    assert ("unfinished" in await world.rules_broken()) is not guarded


@guarded
async def test_i18_a_wrong_clock_is_harmless(
    world: World, without: Remove, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = await a_worker_row(world)
    await lives(world, living)
    dead = await a_worker_row(world)
    await dies(world, dead, 60)
    if not guarded:
        without("one clock")
    real = time.time
    async with serving(world) as engine:
        monkeypatch.setattr(time, "time", lambda: real() + 3600)
        await eventually(lambda: is_buried(world, dead))
        monkeypatch.undo()
        assert engine is not None
    assert await is_buried(world, living) is not guarded


@guarded
async def test_after_an_outage_of_postgres_the_living_are_not_buried(
    world: World, without: Remove, guarded: bool
) -> None:
    if not guarded:
        without("steady judges")
    living = await a_worker_row(world)
    async with Proxy.before(world.environment["DATABASE_WORKER_URL"]) as proxy:
        url = through(world.environment, "DATABASE_WORKER_URL", proxy)
        async with serving(world, database_worker_url=url, heartbeat_interval_s=1.0) as judge:
            proxy.swallow()
            proxy.cut()
            await eventually(partial(_unsteady, judge))
            await world.db.execute("UPDATE workers SET beat_at = now() - interval '1 hour'")
            proxy.resume()
            if not guarded:
                await eventually(partial(is_buried, world, living))
                return
            await eventually(partial(_beats, world))
            await lives(world, living)
            await eventually(partial(is_steady, judge))
            await a_round(world)
    assert not await is_buried(world, living)


async def _unsteady(engine: Engine) -> bool:
    return not engine._lease.steady


async def _beats(world: World) -> bool:
    return bool(
        await world.db.fetchval("SELECT EXISTS (SELECT FROM workers WHERE beat_at > now() - interval '8 s')")
    )


@guarded
async def test_a_claim_whose_answer_was_lost_is_given_back_and_is_no_crash(
    world: World, without: Remove, guarded: bool
) -> None:
    if not guarded:
        without("forgotten claims")
    generation_id = await world.submit("a pear")
    async with serving(world) as engine:
        await world.db.execute(
            "UPDATE generations SET owner = $2, wake_at = now() + interval '12 s' WHERE id = $1",
            generation_id, engine._lease.worker_id,
        )  # fmt: skip
        await a_round(world)
        await a_round(world)
        row = await world.pipeline.row(generation_id)
        assert (row["owner"] is None) is guarded
        if guarded:
            assert (await world.pipeline.until(generation_id))["crashes"] == 0


@guarded
async def test_a_bell_is_answered_once(world: World, without: Remove, guarded: bool) -> None:
    if not guarded:
        without("numbered bells")
    worker_id = await a_worker_row(world)
    lifecycle, work = await claimed(world, worker_id)
    await lifecycle.release(work.lease, 60)
    again = await lifecycle.claim(worker_id, work.id, 7)
    assert (again is None) is guarded
