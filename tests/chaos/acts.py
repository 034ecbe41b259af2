"""What scenes are made of: workers that live by their row alone, claims, deaths, bells."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from shared.domains import fleet
from shared.domains.generations import Lifecycle, Work
from shared.ids import new_id
from tests.chaos.world import TOKEN, World
from workers.engine import Engine
from workers.providers.replicate.adapter import ReplicateProvider

Remove = Callable[[str], None]
"""Takes a guard away from this process until the end of the test."""


guarded = pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])


@asynccontextmanager
async def serving(world: World, **changes: Any) -> AsyncIterator[Engine]:
    """The inside of a worker process, in this one."""
    async with world.pipeline.engine(ReplicateProvider(TOKEN, world.emulator.url), **changes) as engine:
        yield engine


async def a_round(world: World) -> None:
    """Another generation goes all the way: whatever was going to happen to earlier ones has happened."""
    await world.pipeline.until(await world.submit("another"))


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


async def is_steady(engine: Engine) -> bool:
    return engine._lease.steady


async def is_buried(world: World, worker_id: UUID) -> bool:
    return not await world.db.fetchval("SELECT EXISTS (SELECT FROM workers WHERE id = $1)", worker_id)


async def nowhere(kind: str, generation_id: UUID, dispatch_no: int) -> None:
    raise AssertionError("Redis is there")
