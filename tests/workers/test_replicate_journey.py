"""Generations through the real Replicate adapter, against its emulator: what was asked, delivered and paid."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from shared.storage import ObjectStore
from tests.emulators.base import Effect
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline
from workers.providers.replicate.adapter import ReplicateProvider

QUICK = {"allow_private_urls": True, "find_window_s": 1.0, "heartbeat_interval_s": 0.1}


@pytest.fixture
async def emulator() -> AsyncIterator[ReplicateEmulator]:
    async with ReplicateEmulator(run_s=0.05) as running:
        yield running


@pytest.fixture
async def store(pipeline: Pipeline) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: ReplicateEmulator, **changes: Any) -> AsyncIterator[None]:
    provider = ReplicateProvider("r8_test", emulator.url)
    async with pipeline.engine(provider, **{**QUICK, **changes}):
        yield


async def flux(pipeline: Pipeline, model: str = "flux-1.1-pro", **options: Any) -> UUID:
    return await pipeline.submit(model=model, **options)


async def settled(pipeline: Pipeline, generation_id: UUID) -> Any:
    """The row once its money is final too."""
    while (row := await pipeline.until(generation_id))["cost_status"] == "reconciling":
        pass
    return row


def billed(emulator: ReplicateEmulator) -> int:
    return emulator.billed_nanos()


async def test_a_picture_is_stored_described_paid_and_announced(
    pipeline: Pipeline, emulator: ReplicateEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await flux(pipeline)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert row["cost_nanos"] == billed(emulator) == 40_000_000
    output = await pipeline.worker.fetchrow("SELECT * FROM outputs WHERE generation_id = $1", generation_id)
    assert output is not None
    info = await store.head(output["key"])
    assert info is not None
    assert info.bytes == output["bytes"]
    assert output["width"] > 0
    assert (await store.get_bytes(output["thumbnail_key"]))[8:12] == b"WEBP"
    stages = [event["data"].get("stage") for event in await pipeline.events(generation_id)]
    assert stages[0] == "routing"
    assert stages[-2:] == ["downloading", None]


async def test_four_pictures_are_four_outputs_in_order(
    pipeline: Pipeline, emulator: ReplicateEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await flux(pipeline, "flux-schnell", input={"prompt": "x", "count": 4})
        row = await pipeline.until(generation_id)
    assert row["cost_nanos"] == billed(emulator) == 4 * 3_000_000
    numbers = await pipeline.worker.fetch(
        "SELECT n FROM outputs WHERE generation_id = $1 ORDER BY n", generation_id
    )
    assert [number["n"] for number in numbers] == [0, 1, 2, 3]


@pytest.mark.parametrize("effect", [Effect.RESET_AFTER, Effect.MALFORMED_AFTER, Effect.REFUSE_AFTER])
async def test_an_answer_that_never_came_is_found_and_not_paid_twice(
    pipeline: Pipeline, emulator: ReplicateEmulator, store: ObjectStore, effect: Effect
) -> None:
    emulator.faults.add("create", effect, times=1)
    async with serving(pipeline, emulator, find_window_s=60.0):
        generation_id = await flux(pipeline, input={"prompt": "a pear", "seed": 7})
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert len(emulator.predictions) == 1
    assert row["cost_nanos"] == billed(emulator)
    assert row["attempts"] == 1


async def test_a_request_that_was_cut_before_it_arrived_is_sent_again(
    pipeline: Pipeline, emulator: ReplicateEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("create", Effect.RESET, times=1)
    async with serving(pipeline, emulator, find_window_s=0.5):
        generation_id = await flux(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["cost_nanos"]) == ("completed", billed(emulator))
    assert [submission["state"] for submission in await pipeline.submissions(generation_id)] == [
        "lost",
        "done",
    ]


async def test_a_limit_is_waited_for_without_spending_an_attempt(
    pipeline: Pipeline, emulator: ReplicateEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("create", Effect.REFUSE, times=1, status=429, retry_after_s=1)
    async with serving(pipeline, emulator):
        generation_id = await flux(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["attempts"]) == ("completed", 1)


async def test_a_cancel_while_it_runs_ends_at_once_and_is_settled_by_what_it_cost(
    pipeline: Pipeline, emulator: ReplicateEmulator
) -> None:
    emulator.faults.add("create", Effect.STUCK)
    async with serving(pipeline, emulator):
        generation_id = await flux(pipeline, "sdxl")
        await pipeline.until(generation_id, "waiting")
        await pipeline.cancel(generation_id)
        row = await pipeline.until(generation_id)
        assert row["state"] == "canceled"
        row = await settled(pipeline, generation_id)
    assert (row["cost_nanos"] or 0) == billed(emulator)
    assert sum((await pipeline.ledger(generation_id)).values()) == billed(emulator)
    types = [event["type"] for event in await pipeline.events(generation_id)]
    assert types[-2:] == ["generation.canceled", "generation.settled"]


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        (Effect.FAIL, "PROVIDER_FAILED"),
        (Effect.NSFW, "CONTENT_BLOCKED"),
        (Effect.ABORT, "PROVIDER_TIMEOUT"),
        (Effect.CANCEL, "PROVIDER_FAILED"),
    ],
)
async def test_the_providers_no_is_final_where_there_is_no_other_route(
    pipeline: Pipeline, emulator: ReplicateEmulator, effect: Effect, code: str
) -> None:
    emulator.faults.add("create", effect)
    async with serving(pipeline, emulator):
        generation_id = await flux(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", code)
    assert sum((await pipeline.ledger(generation_id)).values()) == billed(emulator)


@pytest.mark.parametrize(
    ("effect", "changes"),
    [
        (Effect.OUTPUT_404, {}),
        (Effect.OUTPUT_GARBAGE, {}),
        (Effect.OUTPUT_HUGE, {"max_output_bytes": 1 << 20}),
    ],
)
async def test_an_output_that_cannot_be_kept_fails_and_costs_what_was_billed(
    pipeline: Pipeline,
    emulator: ReplicateEmulator,
    store: ObjectStore,
    effect: Effect,
    changes: dict[str, Any],
) -> None:
    emulator.faults.add("create", effect)
    async with serving(pipeline, emulator, **changes):
        generation_id = await flux(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", "UPLOAD_FAILED")
    assert row["cost_nanos"] == billed(emulator) > 0
    assert await pipeline.worker.fetchval("SELECT count(*) FROM outputs") == 0


async def test_the_seed_that_was_drawn_is_kept_even_if_the_file_is_fetched_again(
    pipeline: Pipeline, emulator: ReplicateEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("file", Effect.RESET, times=1)
    async with serving(pipeline, emulator):
        generation_id = await flux(pipeline)
        await pipeline.until(generation_id, "completed")
    assert len(emulator.seen("file")) > 1
    (sent,) = emulator.seen("create")
    details = await pipeline.worker.fetchval("SELECT details FROM outputs")
    assert details == {"seed": sent.json["input"]["seed"]}


async def test_past_its_deadline_it_is_canceled_there_and_settled(
    pipeline: Pipeline, emulator: ReplicateEmulator
) -> None:
    emulator.faults.add("create", Effect.STUCK)
    async with serving(pipeline, emulator):
        generation_id = await flux(pipeline, start_deadline_s=1.0, deadline_s=1.0)
        row = await pipeline.until(generation_id)
        assert (row["state"], row["error"]["code"]) == ("failed", "DEADLINE")
        await settled(pipeline, generation_id)
    assert [line.status for line in emulator.invoice()] == ["canceled"]
    assert sum((await pipeline.ledger(generation_id)).values()) == billed(emulator)
