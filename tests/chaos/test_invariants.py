"""I1 to I9: everything comes to its end, is paid once, and survives deaths, deploys and a Redis that forgets.

Each invariant has its fault and its negative control: without its guard the same check must fail. That a crash
breaks none of them is in `test_crash_points`; I16 and I17, about subscribers, are in tests/gateway/live.
"""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from shared.crashpoints import CRASH_EXIT_CODE
from shared.domains import fleet
from shared.domains.changes import LeaseLost
from shared.domains.generations import Lifecycle
from tests.chaos.acts import Remove, a_round, a_worker_row, claimed, dies, guarded, is_steady, serving
from tests.chaos.world import World, eventually
from tests.emulators.base import Effect

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@guarded
async def test_i1_what_a_dead_worker_held_comes_to_an_end(
    world: World, without: Remove, guarded: bool
) -> None:
    worker_id = await a_worker_row(world)
    await claimed(world, worker_id)
    await dies(world, worker_id, 3600)
    if not guarded:
        without("reaper")
    async with serving(world):
        await a_round(world)
        if guarded:
            await world.at_rest()
        assert ("unfinished" in await world.rules_broken()) is not guarded


@guarded
async def test_i2_no_charge_without_an_intent_before_it(world: World, guarded: bool) -> None:
    await world.submit("a pear")
    worker = await world.worker(crash_point="after_submit_call", without=[] if guarded else ["intent"])
    assert await worker.wait() == CRASH_EXIT_CODE
    assert len(world.emulator.invoice()) == 1
    assert ("charge without an intent" in await world.rules_broken(finished=False)) is not guarded


@guarded
@pytest.mark.parametrize("fault", [Effect.RESET_AFTER, Effect.REFUSE_AFTER, Effect.MALFORMED_AFTER])
async def test_i3_i4_a_lost_answer_is_paid_once_and_booked_once(
    world: World, without: Remove, guarded: bool, fault: Effect
) -> None:
    world.emulator.faults.add("create", fault, times=1, status=503)
    if not guarded:
        without("reconciliation")
    async with serving(world):
        await world.submit("a pear")
        await world.at_rest()
    broken = await world.rules_broken()
    assert broken == (set() if guarded else {"charged twice", "bill"})


@guarded
async def test_i5_who_was_declared_dead_changes_nothing(world: World, without: Remove, guarded: bool) -> None:
    worker_id = await a_worker_row(world)
    lifecycle, stale = await claimed(world, worker_id)
    await dies(world, worker_id, 3600)
    async with serving(world):
        await world.at_rest()
    if guarded:
        with pytest.raises(LeaseLost):
            await lifecycle.completed(stale.lease, (), unpriced=True)
    else:
        without("fence")
        await lifecycle.completed(stale.lease, (), unpriced=True)
    assert ("terminal events" in await world.rules_broken()) is not guarded


@pytest.mark.parametrize("lease_ttl_s", [8.0, 60.0], ids=["guarded", "control"])
async def test_i6_what_was_held_goes_on_within_ten_seconds(world: World, lease_ttl_s: float) -> None:
    worker_id = await a_worker_row(world)
    _, work = await claimed(world, worker_id)
    # However slow the machine, it is the worker's death that is noticed, and not that the step outlived its time.
    await world.db.execute(
        "UPDATE generations SET wake_at = now() + interval '1 hour' WHERE id = $1", work.lease.id
    )
    await dies(world, worker_id, 10.5)
    async with serving(world, lease_ttl_s=lease_ttl_s) as engine:
        await eventually(partial(is_steady, engine))
        await a_round(world)
        await a_round(world)
        broken = await world.rules_broken(finished=False)
    assert ("owned by the dead" in broken) is (lease_ttl_s > 10)


@guarded
async def test_i7_what_redis_forgets_is_announced_again(world: World, without: Remove, guarded: bool) -> None:
    worker_id = await a_worker_row(world)
    generation_id = await world.submit("a pear")
    assert (await world.pipeline.row(generation_id))["rung"]
    await world.redis.flushdb()
    await fleet.leave(world.db, worker_id)
    await world.bury()
    if not guarded:
        without("second bell")
    async with serving(world):
        await a_round(world)
        if guarded:
            await world.at_rest()
        assert ("unfinished" in await world.rules_broken()) is not guarded


@guarded
async def test_i8_without_redis_generations_still_complete(
    world: World, without: Remove, guarded: bool
) -> None:
    if not guarded:
        without("running without Redis")
    generation_id = await world.submit("a pear")
    async with serving(world, redis_url=NOBODY_LISTENS):
        if guarded:
            await world.at_rest()
        for least in (1, 2):
            await eventually(partial(_announced, world, generation_id, least))
            await world.bury()
        assert ("unfinished" in await world.rules_broken()) is not guarded


async def _announced(world: World, generation_id: UUID, times: int) -> bool:
    return bool((await world.pipeline.row(generation_id))["dispatch_no"] >= times)


@guarded
async def test_i9_deploys_consume_no_attempts(world: World, without: Remove, guarded: bool) -> None:
    world.emulator.faults.add("file", Effect.SLOW, seconds=30, times=3)
    if not guarded:
        without("free claims")
    generation_id = await world.submit("a pear")
    for deploy in range(3):
        async with serving(world):
            await eventually(partial(_fetched, world, deploy + 1))
    async with serving(world):
        await world.at_rest()
    row = await world.pipeline.row(generation_id)
    assert (row["state"], row["crashes"]) == ("completed", 0)
    assert ("attempt without a submission" in await world.rules_broken()) is not guarded


async def _fetched(world: World, times: int) -> bool:
    return len(world.emulator.seen("file")) >= times


async def test_i9_what_the_network_lost_consumes_no_attempt(world: World) -> None:
    world.emulator.faults.add("create", Effect.RESET, times=2)
    async with serving(world):
        generation_id = await world.submit("a pear")
        await world.at_rest()
    assert (await world.pipeline.row(generation_id))["attempts"] == 1
    assert await world.violations() == []


async def test_i9_a_deploy_between_the_answer_and_its_commit_keeps_the_id(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, waiting = asyncio.Event(), Lifecycle.waiting

    async def slowly(*arguments: Any) -> None:
        answered.set()
        await asyncio.sleep(0.3)
        await waiting(*arguments)

    monkeypatch.setattr(Lifecycle, "waiting", slowly)
    generation_id = await world.submit("a pear")
    async with serving(world):
        await answered.wait()
    row = await world.pipeline.row(generation_id)
    assert (row["state"], row["owner"]) == ("waiting", None)
