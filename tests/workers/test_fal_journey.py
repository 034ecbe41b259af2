"""Generations through the real fal adapter, against its emulator: what was asked, delivered and paid."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.catalog import ModelCard
from shared.storage import ObjectStore
from tests.emulators.base import Effect
from tests.emulators.fal import FalEmulator
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline
from workers.providers.fal.adapter import FalProvider
from workers.providers.replicate.adapter import ReplicateProvider

QUICK: dict[str, Any] = {"allow_private_urls": True, "find_window_s": 60.0, "heartbeat_interval_s": 0.1}
KINDS = ("image", "video", "music")


class Hasty(FalProvider):
    """Expects everything at once, as it comes here, and so is looked at early."""

    @property
    def cards(self) -> Sequence[ModelCard]:
        return [replace(card, expected_s=0.2) for card in super().cards]


@pytest.fixture
async def emulator() -> AsyncIterator[FalEmulator]:
    async with FalEmulator(run_s=0.05) as running:
        yield running


@pytest.fixture
async def store(pipeline: Pipeline) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: FalEmulator, **changes: Any) -> AsyncIterator[None]:
    provider = Hasty("ours:secret", emulator.url)
    async with pipeline.engine(provider, kinds=KINDS, **{**QUICK, **changes}):
        yield


async def settled(pipeline: Pipeline, generation_id: UUID) -> Any:
    """The row once its money is final too."""
    while (row := await pipeline.until(generation_id))["cost_status"] == "reconciling":
        pass
    return row


@pytest.mark.parametrize(
    ("kind", "model", "family"),
    [("image", "flux-dev", "image"), ("video", "kling", "video"), ("music", "ace-step", "audio")],
)
async def test_each_kind_is_stored_and_paid(
    pipeline: Pipeline, emulator: FalEmulator, store: ObjectStore, kind: str, model: str, family: str
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await pipeline.submit(kind, model=model)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert row["cost_nanos"] == emulator.billed_nanos() > 0
    output = await pipeline.worker.fetchrow("SELECT * FROM outputs WHERE generation_id = $1", generation_id)
    assert output is not None
    assert output["mime"].startswith(f"{family}/")
    info = await store.head(output["key"])
    assert info is not None
    assert info.bytes == output["bytes"]


async def test_an_upscale_takes_a_generations_picture(
    pipeline: Pipeline, emulator: FalEmulator, store: ObjectStore
) -> None:
    provider = Hasty("ours:secret", emulator.url)
    async with pipeline.engine(provider, kinds=("image", "upscale"), **QUICK):
        first = await pipeline.submit(model="flux-schnell", input={"prompt": "x", "size": "256x256"})
        await pipeline.until(first)
        second = await pipeline.submit("upscale", model="clarity", input={"image": str(first), "scale": 2})
        row = await pipeline.until(second)
    assert row["state"] == "completed", row["error"]
    assert row["cost_nanos"] == 30_000_000
    made = await pipeline.worker.fetchrow(
        "SELECT width, height FROM outputs WHERE generation_id = $1", second
    )
    assert made is not None
    assert (made["width"], made["height"]) == (512, 512)


@pytest.mark.parametrize("effect", [Effect.RESET_AFTER, Effect.MALFORMED_AFTER, Effect.REFUSE_AFTER])
async def test_an_answer_that_never_came_is_found_and_not_paid_twice(
    pipeline: Pipeline, emulator: FalEmulator, store: ObjectStore, effect: Effect
) -> None:
    emulator.faults.add("create", effect, times=1)
    async with serving(pipeline, emulator):
        generation_id = await pipeline.submit(model="flux-dev", input={"prompt": "a pear", "seed": 7})
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert len(emulator.queue) == 1
    assert row["cost_nanos"] == emulator.billed_nanos()
    assert row["attempts"] == 1


async def test_a_limit_is_waited_for_without_spending_an_attempt(
    pipeline: Pipeline, emulator: FalEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("create", Effect.REFUSE, times=1, status=429, retry_after_s=1)
    async with serving(pipeline, emulator):
        row = await pipeline.until(await pipeline.submit(model="flux-dev"))
    assert (row["state"], row["attempts"]) == ("completed", 1)


async def test_a_cancel_while_it_runs_ends_at_once_and_costs_nothing(
    pipeline: Pipeline, emulator: FalEmulator
) -> None:
    emulator.faults.add("create", Effect.STUCK)
    async with serving(pipeline, emulator):
        generation_id = await pipeline.submit(model="flux-dev")
        await pipeline.until(generation_id, "waiting")
        await pipeline.cancel(generation_id)
        assert (await pipeline.until(generation_id))["state"] == "canceled"
        await settled(pipeline, generation_id)
    assert [line.status for line in emulator.invoice()] == ["client_cancelled"]
    assert sum((await pipeline.ledger(generation_id)).values()) == emulator.billed_nanos() == 0


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        (Effect.FAIL, "PROVIDER_FAILED"),
        (Effect.NSFW, "CONTENT_BLOCKED"),
        (Effect.ABORT, "PROVIDER_TIMEOUT"),
    ],
)
async def test_the_providers_no_is_final_where_there_is_no_other_route(
    pipeline: Pipeline, emulator: FalEmulator, effect: Effect, code: str
) -> None:
    emulator.faults.add("create", effect)
    async with serving(pipeline, emulator):
        generation_id = await pipeline.submit(model="flux-dev")
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", code)
    assert sum((await pipeline.ledger(generation_id)).values()) == emulator.billed_nanos()


@pytest.mark.parametrize(
    ("effect", "changes"),
    [
        (Effect.OUTPUT_404, {}),
        (Effect.OUTPUT_GARBAGE, {}),
        (Effect.OUTPUT_HUGE, {"max_output_bytes": 1 << 20}),
    ],
)
async def test_an_output_that_cannot_be_kept_fails_and_costs_what_was_billed(
    pipeline: Pipeline, emulator: FalEmulator, store: ObjectStore, effect: Effect, changes: dict[str, Any]
) -> None:
    emulator.faults.add("create", effect)
    async with serving(pipeline, emulator, **changes):
        row = await pipeline.until(await pipeline.submit(model="flux-dev"))
    assert (row["state"], row["error"]["code"]) == ("failed", "UPLOAD_FAILED")
    assert row["cost_nanos"] == emulator.billed_nanos() > 0


async def test_fal_takes_over_what_replicate_could_not_do(
    pipeline: Pipeline, emulator: FalEmulator, store: ObjectStore
) -> None:
    async with ReplicateEmulator(run_s=0.05) as replicate:
        replicate.faults.add("create", Effect.FAIL)
        both = (ReplicateProvider("r8_test", replicate.url), Hasty("ours:secret", emulator.url))
        async with pipeline.engine(*both, **QUICK):
            generation_id = await pipeline.submit(model="flux-schnell")
            row = await pipeline.until(generation_id)
        assert row["state"] == "completed", row["error"]
        assert row["cost_nanos"] == replicate.billed_nanos() + emulator.billed_nanos() == 3_000_000
    used = [submission["provider"] for submission in await pipeline.submissions(generation_id)]
    assert used == ["replicate", "fal"]
