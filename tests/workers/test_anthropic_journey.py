"""Generations through the real Anthropic adapter, against its emulator: what was asked, delivered and paid."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.storage import ObjectStore
from tests.emulators.anthropic import AnthropicEmulator
from tests.emulators.base import Effect
from tests.pipeline import Pipeline
from workers.providers.anthropic.adapter import AnthropicProvider
from workers.providers.anthropic.models import MODELS

SONNET = "claude-sonnet-5-5"
QUICK: dict[str, Any] = {"find_window_s": 1.0, "heartbeat_interval_s": 0.1}


@pytest.fixture
async def emulator() -> AsyncIterator[AnthropicEmulator]:
    async with AnthropicEmulator() as running:
        yield running


@pytest.fixture
async def store(pipeline: Pipeline) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: AnthropicEmulator) -> AsyncIterator[None]:
    provider = AnthropicProvider("sk-ant-test", emulator.url)
    async with pipeline.engine(provider, kinds=("text",), **QUICK):
        yield


async def ended(pipeline: Pipeline, model: str, **given: Any) -> Any:
    return await pipeline.until(
        await pipeline.submit("text", model=model, input={"prompt": "The harbour.", **given})
    )


@pytest.mark.parametrize("model", list(MODELS))
async def test_it_is_stored_and_paid_as_anthropic_bills_it(
    pipeline: Pipeline, emulator: AnthropicEmulator, store: ObjectStore, model: str
) -> None:
    async with serving(pipeline, emulator):
        row = await ended(pipeline, model)
    assert row["state"] == "completed", row["error"]
    assert (row["cost_nanos"], row["cost_status"]) == (emulator.billed_nanos(), "final")
    assert sum((await pipeline.ledger(row["id"])).values()) == emulator.billed_nanos() > 0
    output = await pipeline.worker.fetchrow("SELECT * FROM outputs WHERE generation_id = $1", row["id"])
    assert output is not None
    assert (await store.get_bytes(output["key"])).decode() == output["text"]


async def test_a_retired_name_runs_its_successor_and_says_so(
    pipeline: Pipeline, emulator: AnthropicEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        row = await ended(pipeline, "claude-3-5-sonnet")
    assert (row["state"], row["provider_model"]) == ("completed", SONNET)
    said = {
        "code": "MODEL_REPLACED",
        "model": "claude-3-5-sonnet",
        "date": "2025-10-28",
        "successor": f"anthropic/{SONNET}",
    }
    assert row["warnings"][0] == said


async def test_a_refusal_is_final_and_paid(pipeline: Pipeline, emulator: AnthropicEmulator) -> None:
    emulator.faults.add("create", Effect.NSFW, message="This could do harm.")
    async with serving(pipeline, emulator):
        row = await ended(pipeline, "claude")
    assert (row["state"], row["error"]["code"]) == ("failed", "CONTENT_BLOCKED")
    assert (row["cost_nanos"], row["cost_status"]) == (emulator.billed_nanos(), "final")
    assert sum((await pipeline.ledger(row["id"])).values()) == emulator.billed_nanos() > 0
    assert len(emulator.requests) == 1


async def test_a_limit_is_waited_for_without_spending_an_attempt(
    pipeline: Pipeline, emulator: AnthropicEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("create", Effect.REFUSE, times=1, status=429, retry_after_s=1)
    async with serving(pipeline, emulator):
        row = await ended(pipeline, SONNET)
    assert (row["state"], row["attempts"]) == ("completed", 1)
    assert row["cost_nanos"] == emulator.billed_nanos()


async def test_an_overload_is_tried_again(
    pipeline: Pipeline, emulator: AnthropicEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("create", Effect.REFUSE, times=1, status=529, message="Overloaded")
    async with serving(pipeline, emulator):
        row = await ended(pipeline, SONNET)
    assert row["state"] == "completed", row["error"]
    assert row["cost_nanos"] == emulator.billed_nanos()
    states = [submission["state"] for submission in await pipeline.submissions(row["id"])]
    # It was turned away, so nothing about it is unknown.
    assert states == ["rejected", "done"]


@pytest.mark.parametrize(("model", "again"), [(SONNET, True), ("claude-opus-5-5", False)])
async def test_a_text_whose_answer_is_lost_is_written_again_only_where_that_is_cheap(
    pipeline: Pipeline, emulator: AnthropicEmulator, store: ObjectStore, model: str, again: bool
) -> None:
    emulator.faults.add("create", Effect.RESET_AFTER, times=1)
    async with serving(pipeline, emulator):
        row = await ended(pipeline, model)
    states = [submission["state"] for submission in await pipeline.submissions(row["id"])]
    # The lost one is ours to bear: the caller pays for what was delivered.
    if again:
        assert (row["state"], states[-2:]) == ("completed", ["possibly_billed", "done"])
        assert row["cost_nanos"] == emulator.billed_nanos() // 2
    else:
        assert (row["state"], states) == ("failed", ["possibly_billed"])
        assert row["error"]["details"] == {"possibly_billed": True}
        assert sum((await pipeline.ledger(row["id"])).values()) == 0
    assert len(emulator.seen("create")) == (2 if again else 1)
