"""The journey of each kind, as a caller sees it: submit over HTTP, wait, and hold real media in one's hands."""

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
import pytest
from PIL import Image

from shared.executor import Executor
from tests.gateway.api import Api
from tests.pipeline import Pipeline
from workers.providers.local.adapter import LocalProvider

KINDS = ("text", "image", "audio", "music", "video", "upscale")


@pytest.fixture
async def local(api: Api, pipeline: Pipeline) -> AsyncIterator[None]:
    """A worker of every kind with the local provider."""
    async with Executor() as executor:
        provider = LocalProvider(pipeline.settings, executor)
        async with pipeline.engine(provider, kinds=KINDS):
            yield


async def make(api: Api, kind: str, **given: Any) -> dict[str, Any]:
    """The finished generation."""
    answer = await api.post("/api/v1/generations", {"kind": kind, "model": "local", "input": given})
    assert answer.status == 202, answer.content
    generation = answer.json
    while generation["status"] in {"queued", "running"}:
        generation = (await api.get(f"/api/v1/generations/{generation['id']}?wait=20")).json
    assert generation["status"] == "completed", generation["error"]
    assert generation["cost"]["status"] == "final"
    return dict(generation)


async def fetch(api: Api, generation: dict[str, Any], part: str = "") -> bytes:
    answer = await api.get(f"/api/v1/generations/{generation['id']}/outputs/0{part}")
    assert answer.status == 200, answer.content
    return answer.content


def _seconds(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as container:
        assert container.duration is not None
        return container.duration / av.time_base


async def test_image(api: Api, local: None) -> None:
    generation = await make(api, "image", prompt="a lighthouse in fog", size="512x384", seed=7)
    picture = Image.open(io.BytesIO(await fetch(api, generation)))
    assert picture.size == (512, 384)
    assert (generation["outputs"][0]["width"], generation["outputs"][0]["mime"]) == (512, "image/png")
    thumbnail = Image.open(io.BytesIO(await fetch(api, generation, "/thumbnail")))
    assert (thumbnail.format, max(thumbnail.size)) == ("WEBP", 512)


async def test_the_same_seed_is_the_same_picture(api: Api, local: None) -> None:
    given = {"prompt": "a harbour at dusk", "size": "256x256", "seed": 3}
    first, second = await make(api, "image", **given), await make(api, "image", **given)
    assert first["outputs"][0]["sha256"] == second["outputs"][0]["sha256"]


async def test_a_rerun_with_the_same_seed_takes_the_one_that_was_drawn(api: Api, local: None) -> None:
    first = await make(api, "image", prompt="a harbour at dusk", size="256x256", count=2)
    drawn = [output["metadata"]["seed"] for output in first["outputs"]]
    assert drawn[1] == (drawn[0] + 1) % 2**32
    again = (await api.post(f"/api/v1/generations/{first['id']}/rerun", {"seed": "same"})).json
    assert ("seed" in first["input"], again["input"]["seed"]) == (False, drawn[0])
    second = await api.until_ended(again["id"])
    assert [output["sha256"] for output in second["outputs"]] == [
        output["sha256"] for output in first["outputs"]
    ]


@pytest.mark.parametrize(
    ("kind", "given", "longest"),
    [
        ("audio", {"text": "The tide is turning.", "format": "wav"}, 6),
        ("music", {"prompt": "calm piano", "duration_s": 4}, 4.2),
    ],
)
async def test_sound(api: Api, local: None, kind: str, given: dict[str, Any], longest: float) -> None:
    generation = await make(api, kind, **given)
    told = {
        "audio": {"voice", "language", "words_per_minute"},
        "music": {"seed", "tempo", "key", "genre", "mood"},
    }
    assert set(generation["outputs"][0]["metadata"]) == told[kind]
    assert 0.5 < _seconds(await fetch(api, generation)) <= longest
    assert generation["outputs"][0]["duration_s"] == pytest.approx(
        _seconds(await fetch(api, generation)), abs=0.2
    )
    assert b'"data"' in await fetch(api, generation, "/peaks")


async def test_video(api: Api, local: None) -> None:
    generation = await make(
        api, "video", prompt="clouds over a harbour", duration_s=1, resolution="360p", fps=12
    )
    data = await fetch(api, generation)
    with av.open(io.BytesIO(data), "r") as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert _seconds(data) == pytest.approx(1, abs=0.2)
    assert Image.open(io.BytesIO(await fetch(api, generation, "/poster"))).format == "WEBP"


async def test_upscale_of_a_generation(api: Api, local: None) -> None:
    small = await make(api, "image", prompt="a pear", size="128x96")
    large = await make(api, "upscale", image=small["id"], scale=2)
    assert Image.open(io.BytesIO(await fetch(api, large))).size == (256, 192)


async def test_text(api: Api, local: None) -> None:
    generation = await make(api, "text", prompt="a letter to the sea", seed=1)
    text = (await fetch(api, generation)).decode()
    assert len(text) > 40
    assert generation["outputs"][0]["text"] == text


@pytest.mark.parametrize(
    ("simulate", "check"),
    [
        ({"seconds": 0.3}, lambda generation: generation["status"] == "completed"),
        ({"fail": "the lamp is out"}, lambda generation: generation["error"]["message"] == "the lamp is out"),
    ],
)
async def test_it_can_be_told_to_be_slow_or_to_fail(
    api: Api, local: None, simulate: dict[str, Any], check: Callable[[dict[str, Any]], bool]
) -> None:
    given = {"prompt": "x", "size": "64x64", "simulate": simulate}
    answer = await api.post(
        "/api/v1/generations",
        {"kind": "image", "model": "local", "input": given},
        headers={"Prefer": "wait=20"},
    )
    assert check(answer.json)
