"""Moderation before the submit and after the output, asked of OpenAI's emulator or of one's own terms."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from shared.catalog import Price
from shared.settings import Settings
from shared.storage import ObjectStore
from tests.emulators.base import Effect
from tests.emulators.media import picture
from tests.emulators.openai import OpenAIEmulator
from tests.pipeline import Pipeline, ScriptedProvider, card
from workers.providers.base import Finished, Request, Sink, Usage

PRICED = Price({"run": Decimal(1_000)}, date(2026, 1, 1), "test")
FORBIDDEN = {"prompt": "something forbidden"}


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator() as running:
        yield running


@pytest.fixture
async def store(pipeline: Pipeline) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


def asking(openai: OpenAIEmulator, **modes: str) -> dict[str, Any]:
    checked = Settings.model_validate({"openai_api_key": "sk-test", **modes})
    return {
        "openai_api_key": SecretStr("sk-test"), "openai_base_url": openai.base_url,
        "moderation_input": checked.moderation_input, "moderation_output": checked.moderation_output,
    }  # fmt: skip


def saying(text: str) -> ScriptedProvider:
    """A text provider that answers with `text` and shows it while it writes."""

    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    async def behaviour(request: Request, sink: Sink) -> Finished:
        await sink.delta(0, text)
        return Finished([await sink.write(0, "text/plain", chunks(), text=text)], Usage({"run": Decimal(1)}))

    return ScriptedProvider(behaviour, [card(kind="text", price=PRICED)])


def asked(openai: OpenAIEmulator) -> int:
    return sum(request.operation == "moderate" for request in openai.requests)


async def test_a_blocked_request_is_never_sent_and_costs_nothing(
    pipeline: Pipeline, openai: OpenAIEmulator
) -> None:
    provider = ScriptedProvider(cards=[card(price=PRICED)])
    async with pipeline.engine(provider, **asking(openai, moderation_input="block")):
        row = await pipeline.until(await pipeline.submit(input=FORBIDDEN))
    assert (row["state"], row["error"]["code"], row["cost_status"]) == (
        "failed", "CONTENT_BLOCKED", "released",
    )  # fmt: skip
    assert row["error"]["details"] == {"stage": "input", "categories": ["violence"]}
    assert row["moderation"]["input"]["verdict"] == "flagged"
    assert provider.requests == []
    assert await pipeline.submissions(row["id"]) == []


@pytest.mark.parametrize(("prompt", "verdict"), [("a lighthouse", "passed"), ("forbidden", "flagged")])
async def test_a_warning_stands_on_what_was_made_all_the_same(
    pipeline: Pipeline, openai: OpenAIEmulator, prompt: str, verdict: str
) -> None:
    async with pipeline.engine(ScriptedProvider(), **asking(openai, moderation_input="warn")):
        row = await pipeline.until(await pipeline.submit(input={"prompt": prompt}))
    assert row["state"] == "completed"
    found = row["moderation"]["input"]
    assert (found["mode"], found["verdict"], found["by"]) == (
        "warn",
        verdict,
        "openai/omni-moderation-latest",
    )
    warned = [warning["code"] for warning in row["warnings"]]
    assert warned == (["CONTENT_FLAGGED"] if verdict == "flagged" else [])


async def test_a_blocked_output_is_paid_but_neither_kept_nor_shown(
    pipeline: Pipeline, openai: OpenAIEmulator, store: ObjectStore
) -> None:
    provider = saying("a forbidden tale")
    async with pipeline.engine(provider, kinds=("text",), **asking(openai, moderation_output="block")):
        row = await pipeline.until(await pipeline.submit("text"))
    assert (row["state"], row["error"]["code"]) == ("failed", "CONTENT_BLOCKED")
    assert (row["cost_nanos"], row["cost_status"]) == (1_000, "final")
    assert sum((await pipeline.ledger(row["id"])).values()) == 1_000
    kept = (await pipeline.submissions(row["id"]))[0]["result"]["outputs"][0]["key"]
    assert await store.head(kept) is None
    assert await pipeline.worker.fetch("SELECT * FROM outputs WHERE generation_id = $1", row["id"]) == []


async def test_an_output_that_passes_is_delivered_with_its_verdict(
    pipeline: Pipeline, openai: OpenAIEmulator, store: ObjectStore
) -> None:
    async with pipeline.engine(
        saying("a gentle tale"), kinds=("text",), **asking(openai, moderation_output="block")
    ):
        row = await pipeline.until(await pipeline.submit("text"))
    assert row["state"] == "completed"
    assert row["moderation"] == {
        "output": {"mode": "block", "verdict": "passed", "by": "openai/omni-moderation-latest"}
    }


async def test_pictures_are_looked_at(pipeline: Pipeline, openai: OpenAIEmulator, store: ObjectStore) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield picture("png", 64, 64)

    async def behaviour(request: Request, sink: Sink) -> Finished:
        return Finished([await sink.write(0, "image/png", chunks())], Usage({"run": Decimal(1)}))

    async with pipeline.engine(ScriptedProvider(behaviour), **asking(openai, moderation_output="warn")):
        row = await pipeline.until(await pipeline.submit())
    assert row["moderation"]["output"]["verdict"] == "passed", row["error"]
    question = next(request for request in openai.requests if request.operation == "moderate")
    url = question.json["input"][0]["image_url"]["url"]
    assert base64.b64decode(url.removeprefix("data:image/webp;base64,"))[8:12] == b"WEBP"


@pytest.mark.parametrize(("mode", "calls"), [("warn", 1), ("block", 0)])
async def test_where_it_cannot_be_asked_warnings_go_on_and_blocks_wait(
    pipeline: Pipeline, openai: OpenAIEmulator, mode: str, calls: int
) -> None:
    openai.faults.add("moderate", Effect.REFUSE, status=400)
    provider = ScriptedProvider()
    async with pipeline.engine(provider, **asking(openai, moderation_input=mode)):
        generation_id = await pipeline.submit()
        if mode == "warn":
            row = await pipeline.until(generation_id)
            assert row["moderation"]["input"]["verdict"] == "unchecked"
        else:
            async with asyncio.timeout(90):
                while asked(openai) < 1:
                    await asyncio.sleep(0.01)
            row = await pipeline.row(generation_id)
            assert (row["state"], row["attempts"]) == ("queued", 0)
    assert len(provider.requests) == calls


async def test_own_terms_need_no_provider(pipeline: Pipeline) -> None:
    modes = Settings.model_validate({"moderation_input": "block", "moderation_terms": ["fog"]})
    async with pipeline.engine(
        ScriptedProvider(), moderation_input=modes.moderation_input, moderation_terms=("fog",)
    ):
        blocked = await pipeline.until(await pipeline.submit(input={"prompt": "Fog over the sea"}))
        passed = await pipeline.until(await pipeline.submit(input={"prompt": "foghorns"}))
    assert (blocked["state"], blocked["error"]["code"]) == ("failed", "CONTENT_BLOCKED")
    assert (passed["state"], passed["moderation"]["input"]["by"]) == ("completed", "terms")


def test_it_cannot_be_turned_on_without_anybody_to_look() -> None:
    with pytest.raises(ValidationError, match="MODERATION_TERMS"):
        Settings.model_validate({"moderation_input": "warn", "openai_api_key": None})
