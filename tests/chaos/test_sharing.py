"""I14: accounts, kinds and processes that share limits neither exceed them, starve, nor wait in a circle."""

import asyncio
import random

import asyncpg

from shared.catalog import Catalog
from shared.domains.admission import Admitter
from shared.domains.ledger import Entry, record
from shared.ids import new_id
from shared.money import Nanos
from tests.chaos.acts import (
    Remove,
    a_worker_row,
    guarded,
    nowhere,
)
from tests.chaos.submitter import admit_once
from tests.chaos.world import World
from workers.dispatch import Dispatcher


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
    dispatcher = Dispatcher(world.db, world.pipeline.bell, nowhere)
    async with world.db.transaction() as tx:
        await dispatcher._pick(tx, "image", 10)
        others = [asyncio.create_task(dispatcher.dispatch(kind, 10)) for kind in ("image", "upscale") * 5]
        await asyncio.wait(others, timeout=0.5)
    await asyncio.gather(*others)
    running = await world.db.fetchval("SELECT count(*) FROM generations WHERE rung OR owner IS NOT NULL")
    assert (running <= 3) is guarded


async def test_i14_a_limited_account_is_not_served_past_dispatch(world: World) -> None:
    await a_worker_row(world)
    await world.db.execute("UPDATE accounts SET max_running = 1")
    await asyncio.gather(*(world.submit(f"pear {number}") for number in range(5)))
    dispatcher = Dispatcher(world.db, world.pipeline.bell, nowhere)
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
    dispatcher = Dispatcher(world.db, world.pipeline.bell, nowhere)
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
async def test_settlements_and_dispatch_do_not_wait_in_a_circle(
    world: World, without: Remove, guarded: bool
) -> None:
    """Each changes several accounts in one transaction."""
    if not guarded:
        without("ordered locks")
    await a_worker_row(world)
    kinds = ("image", "upscale", "audio")
    await world.db.execute("UPDATE workers SET slots = 100, kinds = $1", kinds)
    first = await world.submit("a pear")
    await world.db.execute(
        "INSERT INTO accounts (id, name, budget_nanos) SELECT gen_random_uuid(), 'other', 1000000"
        " FROM generate_series(1, 30)"
    )
    await world.db.execute(
        "INSERT INTO generations (id, account_id, kind, model, deadline_at, wake_at)"
        " SELECT gen_random_uuid(), a.id, k, g.model, g.deadline_at, now()"
        " FROM generations g, accounts a, unnest($2::text[]) k, generate_series(1, 10) WHERE g.id = $1", first, kinds
    )  # fmt: skip
    accounts = [row["id"] for row in await world.db.fetch("SELECT id FROM accounts")]
    dispatcher, chance = Dispatcher(world.db, world.pipeline.bell, nowhere), random.Random(1)

    async def dispatch(kind: str) -> None:
        for _ in range(20):
            await dispatcher.dispatch(kind, 7)

    async def settle() -> None:
        for _ in range(60):
            entries = [Entry(new_id(), account_id, None, None, "adjust", Nanos(5))
                       for account_id in chance.sample(accounts, 8)]  # fmt: skip
            async with world.db.transaction() as tx:
                await record(tx, entries)

    work = [*(dispatch(kind) for kind in kinds), *(settle() for _ in range(4))]
    done = await asyncio.gather(*work, return_exceptions=True)
    assert any(isinstance(error, asyncpg.DeadlockDetectedError) for error in done) is not guarded
    assert (done == [None] * len(work)) is guarded
    assert "held sum" not in await world.rules_broken(finished=False)
