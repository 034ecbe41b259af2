"""Generations through the real Runware adapter against its emulator: whatever is lost, the ledger is the invoice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from shared.domains.history import outputs
from shared.storage import ObjectStore
from tests.emulators.base import Effect
from tests.emulators.runware import RunwareEmulator
from tests.pipeline import Pipeline
from workers.providers.runware import wire as wire_module
from workers.providers.runware.adapter import RunwareProvider

QUICK = {"allow_private_urls": True, "find_window_s": 1.0, "heartbeat_interval_s": 0.1}


@pytest.fixture
async def emulator() -> AsyncIterator[RunwareEmulator]:
    async with RunwareEmulator() as running:
        yield running


@pytest.fixture
async def store(pipeline: Pipeline) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: RunwareEmulator, **changes: Any) -> AsyncIterator[None]:
    provider = RunwareProvider("rw_test", emulator.socket_url)
    async with pipeline.engine(provider, **{**QUICK, **changes}):
        yield


async def draw(pipeline: Pipeline, model: str = "runware/flux-dev", **given: Any) -> UUID:
    return await pipeline.submit(model=model, input={"prompt": "a fox", **given})


async def paid(pipeline: Pipeline, generation_id: UUID) -> int:
    """What the ledger says once nothing is reserved any more."""
    return sum((await pipeline.ledger(generation_id)).values())


async def states(pipeline: Pipeline, generation_id: UUID) -> list[str]:
    return [submission["state"] for submission in await pipeline.submissions(generation_id)]


async def until_settled(pipeline: Pipeline, generation_id: UUID) -> None:
    async with asyncio.timeout(90):
        while (await pipeline.row(generation_id))["cost_status"] == "reconciling":
            await asyncio.sleep(0.01)


async def test_pictures_are_stored_and_cost_what_runware_says(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await draw(pipeline, count=2, format="png", size="1024x512")
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert row["cost_nanos"] == await paid(pipeline, generation_id) == emulator.billed_nanos() == 3_800_000
    async with pipeline.worker.transaction() as tx:
        made = (await outputs(tx, [generation_id]))[generation_id]
    assert [output["mime"] for output in made] == ["image/png"] * 2


async def test_a_model_without_a_price_is_paid_by_what_runware_says(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await draw(pipeline, "runware/sdxl")
        row = await pipeline.until(generation_id)
    assert (row["state"], row["cost_status"]) == ("completed", "final")
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() == 2_600_000


@pytest.mark.parametrize("effect", [Effect.RESET_AFTER, Effect.REFUSE_AFTER, Effect.LOST_AFTER])
async def test_a_task_whose_answer_was_lost_is_delivered_and_paid_once(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore, effect: Effect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(wire_module, "SUBMIT_TIMEOUT_S", 0.5)
    emulator.faults.add("imageInference", effect, times=1)
    async with serving(pipeline, emulator, find_window_s=60.0):
        generation_id = await draw(pipeline)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert (await states(pipeline, generation_id), row["attempts"]) == (["done"], 1)
    assert (len(emulator.seen("imageInference")), len(emulator.tasks)) == (1, 1)
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0


async def test_a_task_that_shows_up_late_is_waited_for(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("imageInference", Effect.RESET_AFTER, times=1)
    emulator.faults.add("imageInference", Effect.LIST_LAG, times=1, seconds=1.0)
    async with serving(pipeline, emulator, find_window_s=60.0):
        generation_id = await draw(pipeline)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert (await paid(pipeline, generation_id), len(emulator.tasks)) == (emulator.billed_nanos(), 1)


async def test_what_never_arrived_is_sent_again_once_its_window_has_passed(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("imageInference", Effect.RESET, times=1)
    async with serving(pipeline, emulator, find_window_s=0.5):
        generation_id = await draw(pipeline)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert await states(pipeline, generation_id) == ["lost", "done"]
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0


async def test_a_worker_that_dies_in_the_call_leaves_a_task_that_another_finds(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore
) -> None:
    """Its answer never comes, so the first worker is in the middle of the paid call until it ends."""
    emulator.faults.add("imageInference", Effect.LOST_AFTER, times=1)
    async with serving(pipeline, emulator, drain_timeout_s=0.1, find_window_s=60.0):
        generation_id = await draw(pipeline)
        async with asyncio.timeout(90):
            while not emulator.tasks:
                await asyncio.sleep(0.01)
    async with serving(pipeline, emulator, find_window_s=60.0):
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert (await paid(pipeline, generation_id), len(emulator.tasks)) == (emulator.billed_nanos(), 1)


async def test_a_cancel_costs_what_is_made_all_the_same(
    pipeline: Pipeline, emulator: RunwareEmulator
) -> None:
    emulator.run_s = 60
    async with serving(pipeline, emulator):
        generation_id = await draw(pipeline)
        await pipeline.until(generation_id, "waiting")
        await pipeline.cancel(generation_id)
        row = await pipeline.until(generation_id)
        assert (row["state"], row["cost_status"]) == ("canceled", "reconciling")
        await emulator.advance(61)
        await until_settled(pipeline, generation_id)
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0


async def test_a_refused_prompt_fails_uncharged_and_goes_nowhere_else(
    pipeline: Pipeline, emulator: RunwareEmulator
) -> None:
    emulator.faults.add("imageInference", Effect.NSFW)
    async with serving(pipeline, emulator):
        generation_id = await draw(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", "CONTENT_BLOCKED")
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() == 0


async def test_a_pace_that_is_too_fast_waits_and_spends_no_attempt(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.providers.runware.answers.COOL_DOWN_S", 0.2)
    emulator.faults.add("imageInference", Effect.REFUSE, times=2, message="rateLimitExceeded: Slow down")
    async with serving(pipeline, emulator):
        generation_id = await draw(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["attempts"]) == ("completed", 1)
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0


async def test_what_cannot_be_kept_fails_and_costs_what_was_billed(
    pipeline: Pipeline, emulator: RunwareEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("imageInference", Effect.OUTPUT_GARBAGE)
    async with serving(pipeline, emulator):
        generation_id = await draw(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", "UPLOAD_FAILED")
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0
