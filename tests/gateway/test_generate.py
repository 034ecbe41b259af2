"""The workbench's way to submit, in its envelope and with its words."""

from typing import Any

import pytest

from shared.domains.accounts import Scope
from tests.gateway.api import Api, Painter

PATH = "/api/generate"
ASKED = {"generation_type": "image", "prompt": "a lighthouse in fog", "model": "scripted"}


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
async def test_it_admits_what_the_core_admits(api: Api, path: str) -> None:
    answer = await api.post(path, ASKED | {"parameters": {"seed": 7}})
    assert (answer.status, answer.json["success"], answer.json["message"]) == (202, True, "It is queued.")
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
    ],
)
async def test_a_wrong_field_is_named_as_it_was_sent(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(PATH, body)).problem == (422, "INVALID_INPUT", field)


async def test_who_may_do_it(api: Api, nobody: Api) -> None:
    assert (await nobody.post(PATH, ASKED)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await (await api.with_key(Scope.READ)).post(PATH, ASKED)).problem[:2] == (403, "FORBIDDEN")
