"""Callbacks end to end: the real gateway takes what the emulated Replicate sends, and the worker looks at once."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import SecretStr

from shared.domains.generations import Lifecycle
from shared.storage import ObjectStore
from tests.emulators.base import Effect
from tests.emulators.replicate import ReplicateEmulator
from tests.gateway.api import open_gateway
from tests.pipeline import Pipeline
from workers.maintenance import Maintenance
from workers.providers.replicate.adapter import ReplicateProvider

SECRET = "whsec_" + base64.b64encode(b"between Replicate and us").decode()
CHANGES = {
    "callback_base_url": "https://penstock.example",
    "replicate_webhook_secret": SecretStr(SECRET),
    "allow_private_urls": True,
    "find_window_s": 5.0,
}


@pytest.fixture
async def emulator(pipeline: Pipeline) -> AsyncIterator[ReplicateEmulator]:
    """A Replicate whose predictions take ten minutes of its own clock, and whose webhooks reach our gateway."""
    store = ObjectStore.open(pipeline.settings)
    await store.ensure_bucket()
    await store.close()
    async with (
        open_gateway(pipeline.settings.model_copy(update=CHANGES)) as gateway,
        ReplicateEmulator(run_s=600, webhooks_to=gateway.url, webhook_secret=SECRET) as running,
    ):
        yield running


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: ReplicateEmulator, **changes: Any) -> AsyncIterator[None]:
    async with pipeline.engine(ReplicateProvider("r8_test", emulator.url), **{**CHANGES, **changes}):
        yield


async def running(pipeline: Pipeline, **options: Any) -> UUID:
    """A generation that runs at Replicate, and that nobody would look at by himself for an hour."""
    generation_id = await pipeline.submit(model="flux-1.1-pro", **options)
    asleep = (
        "UPDATE generations SET wake_at = now() + interval '1 hour' WHERE id = $1 AND state = 'waiting'"
        " AND stage = 'provider_running' AND owner IS NULL AND pokes = 1 AND pokes_seen = 1 RETURNING id"
    )
    async with asyncio.timeout(90):
        # Until the callback of its start has been seen to.
        while await pipeline.worker.fetchval(asleep, generation_id) is None:
            await asyncio.sleep(0.01)
    return generation_id


async def kept(pipeline: Pipeline, generation_id: UUID) -> list[Any]:
    return await pipeline.worker.fetch(
        "SELECT c.* FROM provider_callbacks c JOIN submissions s ON s.id = c.submission_id"
        " WHERE s.generation_id = $1 ORDER BY c.received_at",
        generation_id,
    )


async def delivered(emulator: ReplicateEmulator, count: int) -> list[int | None]:
    async with asyncio.timeout(90):
        while len(emulator.webhooks.deliveries) < count:
            await asyncio.sleep(0.01)
    return [delivery.status for delivery in emulator.webhooks.deliveries]


async def test_the_end_is_known_by_callback_long_before_the_next_look(
    pipeline: Pipeline, emulator: ReplicateEmulator
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await running(pipeline)
        await emulator.advance(601)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["cost_nanos"]) == ("completed", emulator.billed_nanos())
    assert await delivered(emulator, 2) == [200, 200]
    callbacks = await kept(pipeline, generation_id)
    statuses = [orjson.loads(callback["body"])["status"] for callback in callbacks]
    assert statuses == ["processing", "succeeded"]
    assert all(callback["verified"] for callback in callbacks)


async def test_without_callbacks_it_ends_all_the_same(
    pipeline: Pipeline, emulator: ReplicateEmulator
) -> None:
    emulator.run_s = 0.05
    emulator.faults.add("create", Effect.WEBHOOK_LOST)
    async with serving(pipeline, emulator):
        generation_id = await pipeline.submit(model="flux-1.1-pro")
        row = await pipeline.until(generation_id)
    assert (row["state"], row["cost_nanos"], row["pokes"]) == ("completed", emulator.billed_nanos(), 0)
    assert (emulator.webhooks.deliveries, await kept(pipeline, generation_id)) == ([], [])


async def test_callbacks_that_come_twice_are_taken_once(
    pipeline: Pipeline, emulator: ReplicateEmulator
) -> None:
    emulator.faults.add("create", Effect.WEBHOOK_TWICE)
    async with serving(pipeline, emulator):
        generation_id = await running(pipeline)
        await emulator.advance(601)
        await pipeline.until(generation_id)
        assert await delivered(emulator, 4) == [200] * 4
    assert len(await kept(pipeline, generation_id)) == 2
    assert (await pipeline.row(generation_id))["pokes"] == 2
    assert await pipeline.ledger(generation_id) == {
        "reserve": 40_000_000, "settle": 40_000_000, "release": -40_000_000,
    }  # fmt: skip


async def test_a_forged_end_ends_nothing(pipeline: Pipeline, emulator: ReplicateEmulator) -> None:
    async with serving(pipeline, emulator):
        generation_id = await running(pipeline)
        emulator.webhooks.secret = "whsec_" + base64.b64encode(b"somebody else's").decode()
        await emulator.advance(601)
        assert (await delivered(emulator, 2))[1] == 401
        row = await pipeline.row(generation_id)
        assert (row["state"], row["pokes"]) == ("waiting", 1)
    assert len(await kept(pipeline, generation_id)) == 1


async def test_a_lost_submission_is_known_by_the_mark_in_its_callback_url(
    pipeline: Pipeline, emulator: ReplicateEmulator
) -> None:
    """Its seed is the user's, and an equal prediction of somebody else's is there too."""
    emulator.run_s = 0.05
    emulator.faults.add("create", Effect.RESET_AFTER, nth=2)
    async with serving(pipeline, emulator):
        given: dict[str, Any] = {"input": {"prompt": "a pear", "seed": 7}}
        first = await pipeline.submit(model="flux-1.1-pro", **given)
        await pipeline.until(first)
        second = await pipeline.submit(model="flux-1.1-pro", **given)
        row = await pipeline.until(second)
    assert (row["state"], row["attempts"], len(emulator.predictions)) == ("completed", 1, 2)
    (submission,) = await pipeline.submissions(second)
    found = emulator.predictions[submission["remote_id"]]
    assert str(submission["id"]) in str(found.webhook)


async def test_the_mark_is_known_after_the_address_has_changed(
    pipeline: Pipeline, emulator: ReplicateEmulator
) -> None:
    """So it is found for a generation that has ended, whose care knows no callback URL, too."""
    emulator.faults.add("create", Effect.WEBHOOK_LOST)
    emulator.faults.add("create", Effect.RESET_AFTER, times=1)
    async with serving(pipeline, emulator, find_window_s=60.0, callback_base_url="https://old.example"):
        generation_id = await pipeline.submit(model="flux-1.1-pro", input={"prompt": "a pear", "seed": 7})
        async with asyncio.timeout(90):
            while not emulator.predictions:
                await asyncio.sleep(0.01)
    async with serving(pipeline, emulator, find_window_s=60.0, callback_base_url=None):
        await pipeline.until(generation_id, "waiting")
    (submission,) = await pipeline.submissions(generation_id)
    assert [submission["remote_id"]] == list(emulator.predictions)


async def test_old_callbacks_are_dropped(pipeline: Pipeline, emulator: ReplicateEmulator) -> None:
    async with serving(pipeline, emulator):
        generation_id = await running(pipeline)
    await pipeline.worker.execute("UPDATE provider_callbacks SET received_at = now() - interval '29 days'")
    store = ObjectStore.open(pipeline.settings)
    duties = Maintenance(pipeline.worker, Lifecycle(pipeline.worker, pipeline.publisher), store)
    await duties.clean()
    assert len(await kept(pipeline, generation_id)) == 1
    await pipeline.worker.execute("UPDATE provider_callbacks SET received_at = now() - interval '31 days'")
    await duties.clean()
    assert await kept(pipeline, generation_id) == []
    await store.close()
