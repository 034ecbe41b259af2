"""The workbench's way to submit, in its envelope and with its words."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.routes.generate import estimate_of
from shared.catalog import Price, publish
from shared.domains.accounts import Scope
from tests.gateway.api import Api, Painter
from tests.pipeline import Pipeline, ScriptedProvider, card
from workers.providers.base import Finished, Request, Sink, Usage

PATH = "/api/generate"
ASKED = {"generation_type": "image", "prompt": "a lighthouse in fog", "model": "scripted"}


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
async def test_it_admits_what_the_core_admits(api: Api, path: str) -> None:
    answer = await api.post(path, ASKED | {"parameters": {"seed": 7}})
    assert (answer.status, answer.json["success"], answer.json["message"]) == (
        202,
        True,
        "It is queued. This is free.",
    )
    shown = answer.json["data"]
    assert (shown["status"], shown["generation_type"], shown["user_id"]) == (
        "pending",
        "image",
        str(api.account_id),
    )
    assert (shown["prompt"], shown["parameters"]["seed"]) == ("a lighthouse in fog", 7)
    assert (shown["result"], shown["estimated_cost_cents"], shown["cost_cents"]) == (None, 0, None)
    core = (await api.get(answer.headers["Location"])).json
    assert (core["id"], core["input"]["seed"], core["status"]) == (shown["id"], 7, "queued")


async def test_waiting_brings_the_result(api: Api, painter: Painter) -> None:
    project = (await api.post("/api/projects", {"name": "Towers"})).json["data"]["id"]
    asked = {"type": "image", "prompt": "x", "provider": "scripted", "project_id": project}
    answer = await api.post(PATH, asked, headers={"Prefer": "wait=20"})
    shown = answer.json["data"]
    assert (answer.status, shown["status"], shown["project_id"]) == (200, "completed", project)
    assert (shown["provider"], shown["model"], shown["cost_cents"]) == ("scripted", "scripted-image", 0)
    assert (shown["result"]["outputs"][0]["mime"], shown["duration_ms"] >= 0) == ("image/png", True)


async def test_audio_is_speech_or_music_as_its_model_says(api: Api) -> None:
    given: dict[str, Any] = {"generation_type": "audio", "prompt": "rain on a roof"}
    speech = (await api.post(PATH, given | {"model": "scripted"})).json["data"]
    music = (await api.post(PATH, given | {"model": "scripted/scripted-music"})).json["data"]
    assert (speech["generation_type"], music["generation_type"]) == ("audio", "audio")
    kinds = [(await api.get(f"/api/v1/generations/{one['id']}")).json["kind"] for one in (speech, music)]
    assert kinds == ["audio", "music"]


async def test_a_key_makes_it_once(api: Api) -> None:
    first, again = [await api.post(PATH, ASKED, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")


async def test_the_same_again_is_the_same_while_it_is_under_way(api: Api, other: Api) -> None:
    first = await api.post(PATH, ASKED)
    await _age_keys(api)
    again = await api.post(f"{PATH}/", ASKED)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert (again.json["data"]["id"], again.headers["Location"]) == (
        first.json["data"]["id"],
        first.headers["Location"],
    )
    assert (await other.post(PATH, ASKED)).json["data"]["id"] != first.json["data"]["id"]
    assert (await api.post(PATH, ASKED | {"prompt": "y"})).json["data"]["id"] != first.json["data"]["id"]
    await api.post(first.headers["Location"] + "/cancel")
    assert (await api.post(PATH, ASKED)).json["data"]["id"] != first.json["data"]["id"]


async def test_the_same_again_within_ten_seconds_gets_the_result(api: Api, painter: Painter) -> None:
    first = await api.post(PATH, ASKED, headers={"Prefer": "wait=20"})
    again = await api.post(PATH, ASKED)
    assert (first.json["data"]["status"], again.status, again.json["data"]) == (
        "completed",
        200,
        first.json["data"],
    )
    await _age_keys(api)
    assert (await api.post(PATH, ASKED)).json["data"]["id"] != first.json["data"]["id"]


async def test_many_at_once_are_one(api: Api) -> None:
    answers = await asyncio.gather(*(api.post(PATH, ASKED) for _ in range(12)))
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert len((await api.get("/api/v1/generations")).json["data"]) == 1


async def test_what_the_seed_calculates(api: Api, pipeline: Pipeline) -> None:
    """AIMW-064 and 065: about 15 tokens in and 50 out, then 18 and 47 of them, at gpt-4o's price."""
    price = Price(
        {"input_token": Decimal(2500), "output_token": Decimal(10_000)}, date(2026, 1, 1), "seed-003"
    )
    writer = ScriptedProvider(_write, [card(kind="text", price=price)])
    await publish(api.gateway.worker, writer.cards)
    api.gateway.deps.catalog.forget()
    asked = {"type": "text", "prompt": "x" * 60, "parameters": {"max_tokens": 50}}
    admitted = await api.post(PATH, asked)
    words = "This will cost approximately $0.0005"
    assert (admitted.json["message"], admitted.json["data"]["estimate"]) == (f"It is queued. {words}", words)
    async with pipeline.engine(writer, kinds=("text",)):
        await api.until_ended(admitted.json["data"]["id"])
    shown = (await api.post(PATH, asked)).json["data"]
    assert (shown["tokens_input"], shown["tokens_output"], shown["tokens_total"]) == (18, 47, 65)
    core = (await api.get(admitted.headers["Location"])).json
    assert (core["cost"]["actual"]["nanos"], shown["cost_cents"]) == (515_000, 0)
    row = await api.gateway.worker.fetchrow(
        "SELECT * FROM workbench_generations WHERE user_id = $1", api.account_id
    )
    assert row is not None
    same = ("prompt", "model", "generation_type", "status", "tokens_input", "tokens_output", "tokens_total",
            "cost_cents", "duration_ms", "error_message", "parameters")  # fmt: skip
    assert {name: row[name] for name in same} == {name: shown[name] for name in same}
    assert row["result"]["outputs"][0]["mime"] == "text/plain"


async def _write(request: Request, sink: Sink) -> Finished:
    stored = await sink.write(0, "text/plain", _chunks(b"words"))
    return Finished((stored,), Usage({"input_token": Decimal(18), "output_token": Decimal(47)}))


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _age_keys(api: Api) -> None:
    sql = "UPDATE idempotency_keys SET created_at = now() - interval '11 seconds' WHERE account_id = $1"
    await api.gateway.worker.execute(sql, api.account_id)


@pytest.mark.parametrize(
    ("nanos", "words"),
    [
        (None, "What this will cost is not known yet."),
        (0, "This is free."),
        (537_500, "This will cost approximately $0.0005"),
        (1, "This will cost approximately $0.000000001"),
        (40_000_000, "This will cost approximately $0.04"),
        (37_550_000, "This will cost approximately $0.0376"),
        (2_000_000_000, "This will cost approximately $2.00"),
    ],
)
def test_an_estimate_in_words(nanos: int | None, words: str) -> None:
    assert estimate_of(nanos) == words


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": "x"}, "generation_type"),
        ({"generation_type": "hologram", "prompt": "x"}, "generation_type"),
        ({"generation_type": "image"}, "prompt"),
        (ASKED | {"parameters": {"seed": -1}}, "parameters.seed"),
        (ASKED | {"model": "nothing"}, "model"),
        (ASKED | {"project_id": "seven"}, "project_id"),
        (ASKED | {"budget": 1}, "budget"),
        ({"type": "ebook", "prompt": "x"}, "type"),
        ({"type": "upscale", "prompt": "x"}, "prompt"),
        ({"type": "upscale"}, "parameters.image"),
    ],
)
async def test_a_wrong_field_is_named_as_it_was_sent(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(PATH, body)).problem == (422, "INVALID_INPUT", field)


async def test_who_may_do_it(api: Api, nobody: Api) -> None:
    assert (await nobody.post(PATH, ASKED)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await (await api.with_key(Scope.READ)).post(PATH, ASKED)).problem[:2] == (403, "FORBIDDEN")
