"""Voices to be cloned: what a request must say and bring before anybody is asked or paid."""

import base64
from typing import Any

import aiohttp
import pytest

from tests.emulators.media import sound
from tests.gateway.api import Api, Response

FIELD = "input.voice_sample"


async def speak(api: Api, **given: Any) -> Response:
    body = {"kind": "audio", "model": "scripted", "input": {"text": "hello", "consent": True, **given}}
    return await api.post("/api/v1/generations", body)


async def uploaded(api: Api, content: bytes) -> str:
    form = aiohttp.FormData()
    form.add_field("file", content, filename="voice.mp3", content_type="audio/mpeg")
    upload_id: str = (await api.post("/api/v1/uploads:direct", data=form)).json["id"]
    return upload_id


def inline(content: bytes) -> str:
    return f"data:audio/mpeg;base64,{base64.b64encode(content).decode()}"


async def samples_of(api: Api) -> list[tuple[str, int]]:
    rows = await api.gateway.worker.fetch(
        "SELECT mime, bytes FROM uploads WHERE account_id = $1", api.account_id
    )
    return [(row["mime"], row["bytes"]) for row in rows]


@pytest.mark.parametrize("given", [{"consent": False}, {"consent": None}, {"consent": "yes"}])
async def test_without_consent_no_voice_is_copied(api: Api, given: dict[str, Any]) -> None:
    answer = await speak(api, voice_sample="https://example.com/a.mp3", **given)
    assert answer.problem == (422, "INVALID_INPUT", "input.consent")


@pytest.mark.parametrize(("seconds", "status"), [(9, 422), (10, 202), (30, 202), (31, 422)])
async def test_an_uploaded_sample_plays_for_10_to_30_seconds(api: Api, seconds: float, status: int) -> None:
    answer = await speak(api, voice_sample=await uploaded(api, sound("mp3", seconds)))
    assert answer.status == status, answer.content
    if status == 422:
        assert answer.problem == (422, "INVALID_INPUT", FIELD)


async def test_a_sample_inside_the_request_is_kept_once(api: Api) -> None:
    content = sound("mp3", 12.0)
    first, second = [await speak(api, voice_sample=inline(content)) for _ in range(2)]
    assert (first.status, second.status) == (202, 202)
    assert first.json["input"]["voice_sample"] == second.json["input"]["voice_sample"]
    assert await samples_of(api) == [("audio/mpeg", len(content))]


@pytest.mark.parametrize("bare", [True, False])
async def test_the_studios_clone_file_is_a_voice_sample(api: Api, bare: bool) -> None:
    content = sound("mp3", 12.0)
    sample = inline(content)
    answer = await speak(api, cloneFile=sample.partition(",")[2] if bare else sample)
    assert answer.status == 202, answer.content
    assert "cloneFile" not in answer.json["input"]
    assert await samples_of(api) == [("audio/mpeg", len(content))]


@pytest.mark.parametrize(
    "given", [{"cloneFile": ""}, {"cloneFile": 7}, {"voice_sample": "x", "cloneFile": "eA=="}]
)
async def test_a_clone_file_that_cannot_be_taken_is_named(api: Api, given: dict[str, Any]) -> None:
    assert (await speak(api, **given)).problem == (422, "INVALID_INPUT", "input.cloneFile")


@pytest.mark.parametrize(
    "sample",
    [
        inline(sound("mp3", 4.0)),
        inline(b"no sound at all"),
        "data:audio/mpeg;base64,###",
        "data:audio/mpeg,plain",
        "bm8gc291bmQ=",
    ],
)
async def test_an_unfit_sample_inside_the_request_names_its_field(api: Api, sample: str) -> None:
    assert (await speak(api, voice_sample=sample)).problem == (422, "INVALID_INPUT", FIELD)


async def test_a_batch_takes_samples_too(api: Api) -> None:
    item = {
        "kind": "audio",
        "model": "scripted",
        "input": {"text": "hello", "consent": True, "voice_sample": inline(sound("mp3", 12.0))},
    }
    answer = await api.post("/api/v1/generations:batch", {"items": [item]})
    assert answer.json["accepted"] == 1, answer.content
