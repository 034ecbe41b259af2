"""Generations through the real OpenAI adapter, against its emulator: what was asked, delivered and paid."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from shared.storage import ObjectStore
from tests.emulators.base import Effect
from tests.emulators.openai import OpenAIEmulator, groq
from tests.pipeline import Pipeline
from workers.providers.groq.adapter import GroqProvider
from workers.providers.groq.models import MODELS as GROQ_MODELS
from workers.providers.openai.adapter import OpenAIProvider

FLARE = "gpt-image-2.5-flare"
QUICK: dict[str, Any] = {"find_window_s": 1.0, "heartbeat_interval_s": 0.1}


@pytest.fixture
async def emulator() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator() as running:
        yield running


@pytest.fixture
async def store(pipeline: Pipeline) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: OpenAIEmulator, **changes: Any) -> AsyncIterator[None]:
    provider = OpenAIProvider("sk-test", emulator.base_url)
    async with pipeline.engine(provider, kinds=("image", "audio", "text"), **{**QUICK, **changes}):
        yield


async def ended(pipeline: Pipeline, kind: str, model: str, **options: Any) -> Any:
    return await pipeline.until(await pipeline.submit(kind, model=model, **options))


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("image", FLARE),
        ("audio", "tts-1"),
        ("audio", "gpt-4o-mini-tts"),
        ("text", "gpt-4o"),
        ("text", "gpt-6-luna"),
    ],
)
async def test_it_is_stored_and_paid_as_openai_bills_it(
    pipeline: Pipeline, emulator: OpenAIEmulator, store: ObjectStore, kind: str, model: str
) -> None:
    async with serving(pipeline, emulator):
        row = await ended(pipeline, kind, model)
    assert row["state"] == "completed", row["error"]
    assert (row["cost_nanos"], row["cost_status"]) == (emulator.billed_nanos(), "final")
    assert sum((await pipeline.ledger(row["id"])).values()) == emulator.billed_nanos() > 0
    output = await pipeline.worker.fetchrow("SELECT * FROM outputs WHERE generation_id = $1", row["id"])
    assert output is not None
    assert len(await store.get_bytes(output["key"])) == output["bytes"] > 0


@pytest.mark.parametrize(
    ("kind", "name", "runs", "day"),
    [("image", "dall-e-3", FLARE, "2026-05-12"), ("text", "gpt-4", "gpt-4o", "2026-10-23")],
)
async def test_a_retired_name_runs_its_successor_and_says_so(
    pipeline: Pipeline,
    emulator: OpenAIEmulator,
    store: ObjectStore,
    kind: str,
    name: str,
    runs: str,
    day: str,
) -> None:
    given = (
        {"prompt": "fog", "size": "1792x1024", "style": "natural"} if kind == "image" else {"prompt": "fog"}
    )
    async with serving(pipeline, emulator):
        row = await ended(pipeline, kind, name, input=given)
    assert (row["state"], row["provider_model"]) == ("completed", runs)
    said = {"code": "MODEL_REPLACED", "model": name, "date": day, "successor": f"openai/{runs}"}
    assert row["warnings"][0] == said
    if kind == "image":
        assert row["estimate_nanos"] == (439 * 30_000 + 60 * 5_000) * 1792 // 1024
    assert row["cost_nanos"] == emulator.billed_nanos()


async def test_an_edit_takes_pictures_that_were_made_before_at_the_quality_of_the_seed(
    pipeline: Pipeline, emulator: OpenAIEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        first = await ended(pipeline, "image", FLARE)
        made = str(first["id"])
        given = {"prompt": "fog", "image": made, "images": [made], "quality": "hd"}
        row = await ended(pipeline, "image", "dall-e-3", input=given)
    assert row["state"] == "completed", row["error"]
    edited = emulator.edited[0]
    assert (edited["files"], edited["quality"]) == (["image[]", "image[]"], "high")
    assert row["estimate_nanos"] == 1756 * 30_000 + 60 * 5_000
    assert first["cost_nanos"] + row["cost_nanos"] == emulator.billed_nanos()


async def test_a_refused_prompt_is_final_and_free(pipeline: Pipeline, emulator: OpenAIEmulator) -> None:
    emulator.faults.add("generate", Effect.NSFW)
    async with serving(pipeline, emulator):
        row = await ended(pipeline, "image", FLARE)
    assert (row["state"], row["error"]["code"]) == ("failed", "CONTENT_BLOCKED")
    assert sum((await pipeline.ledger(row["id"])).values()) == emulator.billed_nanos() == 0
    assert len(emulator.requests) == 1


async def test_a_refusal_inside_an_answer_is_final_and_paid(
    pipeline: Pipeline, emulator: OpenAIEmulator
) -> None:
    emulator.faults.add("chat", Effect.NSFW, message="I cannot help with that.")
    async with serving(pipeline, emulator):
        # Another model of this name is ready, but nobody else is asked.
        row = await ended(pipeline, "text", "gpt-4")
    assert (row["state"], row["error"]["code"]) == ("failed", "CONTENT_BLOCKED")
    assert (row["cost_nanos"], row["cost_status"]) == (emulator.billed_nanos(), "final")
    assert sum((await pipeline.ledger(row["id"])).values()) == emulator.billed_nanos() > 0
    assert [submission["state"] for submission in await pipeline.submissions(row["id"])] == ["done"]
    assert len(emulator.requests) == 1


async def test_json_that_was_cut_short_is_not_delivered_and_paid(
    pipeline: Pipeline, emulator: OpenAIEmulator
) -> None:
    schema = {"type": "object", "properties": {"text": {"enum": ["two words"]}}}
    given = {"prompt": "fog", "json_schema": schema, "max_tokens": 1}
    async with serving(pipeline, emulator):
        row = await ended(pipeline, "text", "gpt-4o", input=given)
    assert (row["state"], row["error"]["code"]) == ("failed", "PROVIDER_FAILED")
    assert sum((await pipeline.ledger(row["id"])).values()) == emulator.billed_nanos() > 0


async def test_a_limit_is_waited_for_without_spending_an_attempt(
    pipeline: Pipeline, emulator: OpenAIEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("generate", Effect.REFUSE, times=1, status=429, retry_after_s=1)
    async with serving(pipeline, emulator):
        row = await ended(pipeline, "image", FLARE)
    assert (row["state"], row["attempts"]) == ("completed", 1)
    assert row["cost_nanos"] == emulator.billed_nanos()


async def test_an_empty_account_is_cured_by_another_provider(
    pipeline: Pipeline, emulator: OpenAIEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("*", Effect.REFUSE, status=429, message="insufficient_quota")
    small = GROQ_MODELS["gpt-oss-20b"]
    named = replace(small, card=replace(small.card, aliases=("gpt-4",)))
    async with groq() as other:
        first = OpenAIProvider("sk-test", emulator.base_url)
        second = GroqProvider("gsk_test", other.base_url, {named.card.model: named})
        async with pipeline.engine(first, second, kinds=("text",), **QUICK):
            row = await ended(pipeline, "text", "gpt-4")
        assert (row["state"], row["provider_model"]) == ("completed", "gpt-oss-20b")
        assert row["decision"]["tried"] == ["openai/gpt-4o", "openai/gpt-6-luna"]
        assert row["cost_nanos"] == other.billed_nanos() > 0


@pytest.mark.parametrize("effect", [Effect.REFUSE_AFTER, Effect.RESET_AFTER, Effect.MALFORMED_AFTER])
async def test_a_picture_whose_answer_is_lost_is_not_made_again_and_not_charged(
    pipeline: Pipeline, emulator: OpenAIEmulator, effect: Effect
) -> None:
    emulator.faults.add("generate", effect)
    async with serving(pipeline, emulator):
        row = await ended(pipeline, "image", FLARE)
    assert (row["state"], row["error"]["code"]) == ("failed", "PROVIDER_TIMEOUT")
    assert row["error"]["details"] == {"possibly_billed": True}
    assert len(emulator.requests) == 1
    assert emulator.billed_nanos() > 0
    assert sum((await pipeline.ledger(row["id"])).values()) == 0
    assert (await pipeline.submissions(row["id"]))[-1]["state"] == "possibly_billed"


@pytest.mark.parametrize(("kind", "model"), [("audio", "gpt-4o-mini-tts"), ("text", "gpt-4o")])
async def test_what_is_cheap_is_asked_for_again(
    pipeline: Pipeline, emulator: OpenAIEmulator, store: ObjectStore, kind: str, model: str
) -> None:
    emulator.faults.add("*", Effect.RESET_AFTER, times=1)
    async with serving(pipeline, emulator):
        row = await ended(pipeline, kind, model)
    assert row["state"] == "completed", row["error"]
    states = [submission["state"] for submission in await pipeline.submissions(row["id"])]
    assert states[-2:] == ["possibly_billed", "done"]
    # The lost one is ours to bear: the caller pays for what was delivered.
    assert row["cost_nanos"] == emulator.billed_nanos() // 2


async def test_a_picture_too_large_to_keep_costs_what_was_billed(
    pipeline: Pipeline, emulator: OpenAIEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator, max_output_bytes=1000):
        row = await ended(pipeline, "image", FLARE)
    assert (row["state"], row["error"]["code"]) == ("failed", "UPLOAD_FAILED")
    assert row["cost_nanos"] == emulator.billed_nanos() > 0
