"""I10 to I13: what is written has no gap, ends once, is where it says, and hears who knocks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.db import Role
from shared.domains.generations import Lifecycle
from shared.storage import ObjectStore, StorageError
from tests.chaos.acts import Remove, a_round, a_worker_row, announced, claimed, guarded, serving
from tests.chaos.world import World
from tests.pipeline import ScriptedProvider, card
from workers.providers.base import Finished, Request, Sink, Usage
from workers.steps import backoff


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
        monkeypatch.setattr(backoff, "delay_s", lambda attempt: 0.0)
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
            row = await world.pipeline.until(generation_id)
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
