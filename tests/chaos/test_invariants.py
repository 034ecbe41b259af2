"""The invariants, each with its fault and its negative control: without its guard the same check must fail.

I16 and I17, which are about subscribers, are in tests/gateway/live; that a crash breaks none of them is in
`test_crash_points`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.catalog import Catalog
from shared.crashpoints import CRASH_EXIT_CODE
from shared.db import Role
from shared.domains import fleet
from shared.domains.admission import Admitter
from shared.domains.generations import LeaseLost, Lifecycle, Work
from shared.ids import new_id
from shared.storage import ObjectStore, StorageError
from tests.chaos.proxy import Proxy, through
from tests.chaos.sabotage import take_away
from tests.chaos.submitter import admit_once
from tests.chaos.world import TOKEN, World, eventually
from tests.emulators.base import Effect
from tests.pipeline import ScriptedProvider, card
from workers import steps
from workers.dispatch import Dispatcher
from workers.engine import Engine
from workers.providers.base import Finished, Request, Sink, Usage
from workers.providers.replicate.adapter import ReplicateProvider

NOBODY_LISTENS = "redis://127.0.0.1:1/0"

Remove = Callable[[str], None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Remove:
    """Takes a guard away from this process until the end of the test."""
    return lambda name: take_away(name, monkeypatch.setattr)


@pytest.fixture(autouse=True)
def _not_described(without: Remove) -> None:
    without("description")


guarded = pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])


@asynccontextmanager
async def serving(world: World, **changes: Any) -> AsyncIterator[Engine]:
    """The inside of a worker process, in this one."""
    async with world.pipeline.engine(ReplicateProvider(TOKEN, world.emulator.url), **changes) as engine:
        yield engine


async def a_round(world: World) -> None:
    """Another generation goes all the way: whatever was going to happen to earlier ones has happened."""
    await world.pipeline.until(await world.submit("another"), timeout_s=60)


async def a_worker_row(world: World) -> UUID:
    """A worker that lives by its row alone."""
    worker_id = new_id()
    await fleet.register(world.db, worker_id, kinds=["image"], slots=8, host="here", pid=0, version="0")
    return worker_id


async def announced(world: World, prompt: str, **options: Any) -> UUID:
    """A generation whose bell is number 7."""
    generation_id = await world.submit(prompt, **options)
    await world.db.execute(
        "UPDATE generations SET dispatch_no = 7, rung = true, wake_at = now() + interval '1 h' WHERE id = $1",
        generation_id,
    )
    return generation_id


async def claimed(world: World, worker_id: UUID, prompt: str = "a pear") -> tuple[Lifecycle, Work]:
    """A generation that this worker holds since now."""
    generation_id = await announced(world, prompt)
    lifecycle = Lifecycle(world.db, world.pipeline.publisher)
    work = await lifecycle.claim(worker_id, generation_id, 7)
    assert work is not None
    return lifecycle, work


async def dies(world: World, worker_id: UUID, seconds_ago: float) -> None:
    await world.db.execute(
        "UPDATE workers SET beat_at = now() - $2::float8 * interval '1 second' WHERE id = $1",
        worker_id,
        seconds_ago,
    )


async def lives(world: World, worker_id: UUID) -> None:
    """It will have beaten whenever somebody looks during this test."""
    await dies(world, worker_id, -600)


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
    await claimed(world, worker_id)
    await dies(world, worker_id, 10.5)
    async with serving(world, lease_ttl_s=lease_ttl_s) as engine:
        await eventually(partial(_steady, engine))
        await a_round(world)
        await a_round(world)
        broken = await world.rules_broken(finished=False)
    assert ("owned by the dead" in broken) is (lease_ttl_s > 10)


async def _steady(engine: Engine) -> bool:
    return engine._lease.steady


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


async def _fetched(world: World, times: int) -> bool:
    return len(world.emulator.seen("file")) >= times


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


@guarded
async def test_i10_events_have_no_gap_and_one_end(world: World, without: Remove, guarded: bool) -> None:
    if not guarded:
        without("events in the transaction")
    async with serving(world):
        await a_round(world)
    assert await world.rules_broken() == (set() if guarded else {"event gap"})


@guarded
async def test_i11_an_end_is_final(world: World, guarded: bool) -> None:
    async with serving(world):
        await a_round(world)
    late = "UPDATE generations SET state = 'queued', wake_at = now() + interval '1 day'"
    if guarded:
        with pytest.raises(asyncpg.CheckViolationError):
            await world.db.execute(late)
    else:
        owner = await asyncpg.connect(world.owner_url, server_settings={"role": Role.OWNER.value})
        await owner.execute("DROP TRIGGER generations_guard ON generations")
        await owner.close()
        await world.db.execute(late)
    assert ("terminal events" in await world.rules_broken()) is not guarded


async def test_i11_of_a_cancel_and_an_end_one_wins(world: World) -> None:
    worker_id = await a_worker_row(world)
    lifecycle = Lifecycle(world.db, world.pipeline.publisher)
    ids = await asyncio.gather(*(world.submit(f"pear {number}") for number in range(200)))
    await world.db.execute(
        "UPDATE generations SET rung = true, dispatch_no = 7, wake_at = now() + interval '1 h'"
    )

    async def end(generation_id: UUID) -> None:
        work = await lifecycle.claim(worker_id, generation_id, 7)
        if work is not None:
            await lifecycle.expired(work)

    await asyncio.gather(*(racer for id_ in ids for racer in (world.pipeline.cancel(id_), end(id_))))
    states = await world.db.fetch("SELECT state, count(*) FROM generations GROUP BY state ORDER BY state")
    assert {row["state"] for row in states} <= {"canceled", "expired"}
    assert await world.violations() == []


@guarded
async def test_i12_an_output_is_an_object_with_these_bytes(
    world: World, without: Remove, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if guarded:
        monkeypatch.setattr(ObjectStore, "put_stream", _fails(8, ObjectStore.put_stream))
        monkeypatch.setattr(steps, "backoff_s", lambda attempt: 0.0)
    else:
        without("bytes before rows")
    async with serving(world):
        await a_round(world)
    assert await world.rules_broken() == (set() if guarded else {"object missing"})


def _fails(times: int, put: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
    """An outage of the object store that outlasts the tries which a provider's own file gets."""
    failures = iter([StorageError("away")] * times)

    async def put_or_fail(*arguments: Any) -> int:
        for failure in failures:
            raise failure
        return await put(*arguments)

    return put_or_fail


@guarded
async def test_i12_who_was_declared_dead_does_not_write_over_what_was_delivered(
    world: World, without: Remove, guarded: bool
) -> None:
    if not guarded:
        without("files of submissions")
    begun, may_write = asyncio.Event(), asyncio.Event()

    async def paused(request: Request, sink: Sink) -> Finished:
        begun.set()
        await may_write.wait()
        return await _drawn(sink, b"one picture")

    cards = [card(on_unknown="retry")]
    slow = ScriptedProvider(paused, cards)
    quick = ScriptedProvider(lambda request, sink: _drawn(sink, b"another picture"), cards)
    async with world.pipeline.engine(slow, arq=False, heartbeat_interval_s=3600) as engine:
        generation_id = await announced(world, "a pear", model="scripted")
        step = asyncio.create_task(engine.step(generation_id, 7))
        await begun.wait()
        await world.db.execute("UPDATE workers SET beat_at = now() - interval '1 hour'")
        async with world.pipeline.engine(quick):
            row = await world.pipeline.until(generation_id, timeout_s=60)
        may_write.set()
        await step
    assert row["state"] == "completed", row["error"]
    assert ("object differs" in await world.rules_broken()) is not guarded


async def _drawn(sink: Sink, picture: bytes) -> Finished:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"\x89PNG\r\n\x1a\n" + bytes(64) + picture

    return Finished([await sink.write(0, "image/png", chunks())], Usage({"run": Decimal(1)}))


@guarded
async def test_i13_who_knocks_during_a_step_is_heard_after_it(
    world: World, without: Remove, guarded: bool
) -> None:
    lifecycle, work = await claimed(world, await a_worker_row(world))
    await world.pipeline.cancel(work.id)
    if not guarded:
        without("pokes")
    await lifecycle.release(work.lease, 60)
    assert await world.rules_broken(finished=False) == (set() if guarded else {"poke forgotten"})


@guarded
async def test_i14_kinds_share_the_limit_of_an_account(world: World, without: Remove, guarded: bool) -> None:
    await a_worker_row(world)
    await world.db.execute("UPDATE workers SET kinds = '{image,upscale}'")
    await world.db.execute("UPDATE accounts SET max_running = 3")
    for number in range(10):
        await world.submit(f"pear {number}")
    await world.db.execute(
        "UPDATE generations SET kind = 'upscale' WHERE id IN (SELECT id FROM generations LIMIT 5)"
    )
    if not guarded:
        without("turns")
    dispatcher = Dispatcher(world.db, world.pipeline.bell, _nowhere)
    async with world.db.transaction() as tx:
        await dispatcher._pick(tx, "image", 10)
        others = [asyncio.create_task(dispatcher.dispatch(kind, 10)) for kind in ("image", "upscale") * 5]
        await asyncio.wait(others, timeout=0.5)
    await asyncio.gather(*others)
    running = await world.db.fetchval("SELECT count(*) FROM generations WHERE rung OR owner IS NOT NULL")
    assert (running <= 3) is guarded


async def _nowhere(kind: str, generation_id: UUID, dispatch_no: int) -> None:
    raise AssertionError("Redis is there")


async def test_i14_a_limited_account_is_not_served_past_dispatch(world: World) -> None:
    await a_worker_row(world)
    await world.db.execute("UPDATE accounts SET max_running = 1")
    await asyncio.gather(*(world.submit(f"pear {number}") for number in range(5)))
    dispatcher = Dispatcher(world.db, world.pipeline.bell, _nowhere)
    assert [await dispatcher.dispatch("image", 10) for _ in range(3)] == [1, 0, 0]


@guarded
async def test_i14_nobody_waits_behind_ten_thousand_of_another(
    world: World, without: Remove, guarded: bool
) -> None:
    await a_worker_row(world)
    many = await world.submit("a crowd")
    await world.db.execute("UPDATE generations SET rung = false, dispatch_no = 0, wake_at = now()")
    await world.db.execute(
        "INSERT INTO generations (id, account_id, kind, model, deadline_at, wake_at)"
        " SELECT gen_random_uuid(), account_id, kind, model, deadline_at, wake_at"
        " FROM generations, generate_series(1, 10000) WHERE id = $1", many
    )  # fmt: skip
    account_id = new_id()
    await world.db.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", account_id)
    mine = await world.submit("one", account_id=account_id)
    await world.db.execute(
        "UPDATE generations SET rung = false, dispatch_no = 0, wake_at = now() WHERE id = $1", mine
    )
    await world.db.execute("ANALYZE generations")
    if not guarded:
        without("fair order")
    dispatcher = Dispatcher(world.db, world.pipeline.bell, _nowhere)
    for _ in range(2):
        assert await dispatcher.dispatch("image", 1) == 1
    assert (await world.pipeline.row(mine))["rung"] is guarded


@guarded
async def test_gateways_that_admit_for_one_budget_do_not_wait_in_a_circle(
    world: World, without: Remove, guarded: bool
) -> None:
    if not guarded:
        without("lock order")
    gateways = [
        Admitter(world.pipeline.app, Catalog(world.pipeline.app), world.pipeline.bell, world.pipeline.publisher,
                 world.settings)
        for _ in range(6)
    ]  # fmt: skip

    async def serve(place: int, gateway: Admitter) -> None:
        for number in range(25):
            await admit_once(gateway, world.pipeline.account_id, f"{place}-{number}")

    served = await asyncio.gather(
        *(serve(place, gateway) for place, gateway in enumerate(gateways)), return_exceptions=True
    )
    circles = [error for error in served if isinstance(error, asyncpg.DeadlockDetectedError)]
    assert (served == [None] * len(gateways)) is guarded
    assert bool(circles) is not guarded


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
        await eventually(lambda: _buried(world, dead))
        monkeypatch.undo()
        assert engine is not None
    assert await _buried(world, living) is not guarded


async def _buried(world: World, worker_id: UUID) -> bool:
    return not await world.db.fetchval("SELECT EXISTS (SELECT FROM workers WHERE id = $1)", worker_id)


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
                await eventually(partial(_buried, world, living))
                return
            await eventually(partial(_beats, world))
            await lives(world, living)
            await eventually(partial(_steady, judge))
            await a_round(world)
    assert not await _buried(world, living)


async def _unsteady(engine: Engine) -> bool:
    return not engine._lease.steady


async def _beats(world: World) -> bool:
    return bool(
        await world.db.fetchval("SELECT EXISTS (SELECT FROM workers WHERE beat_at > now() - interval '8 s')")
    )
