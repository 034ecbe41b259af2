"""A generation of each kind through the real Replicate adapter: what is delivered is what it says it is, and the
account pays what Replicate bills."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.catalog import ModelCard
from shared.errors import InvalidInput
from shared.storage import ObjectStore
from tests.emulators.base import Effect
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline, publish
from workers.providers.replicate.adapter import ReplicateProvider

KINDS = ("image", "audio", "music", "video", "upscale")
QUICK: dict[str, Any] = {"allow_private_urls": True, "find_window_s": 1.0, "heartbeat_interval_s": 0.1}


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


class Brisk(ReplicateProvider):
    """Its models are expected to be as quick as the emulator is, so that they are looked at soon."""

    @property
    def cards(self) -> Sequence[ModelCard]:
        return [replace(card, expected_s=0.1) for card in super().cards]


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: ReplicateEmulator) -> AsyncIterator[None]:
    provider = Brisk("r8_test", emulator.url)
    async with pipeline.engine(provider, kinds=KINDS, **QUICK):
        yield


async def made(pipeline: Pipeline, kind: str, model: str, **given: Any) -> UUID:
    """The id of a completed generation."""
    generation_id = await pipeline.submit(kind, model=model, input=given)
    row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    return generation_id


async def output(pipeline: Pipeline, generation_id: UUID) -> Any:
    return await pipeline.worker.fetchrow(
        "SELECT * FROM outputs WHERE generation_id = $1 AND n = 0", generation_id
    )


async def paid(pipeline: Pipeline) -> int:
    paid_nanos: int = await pipeline.worker.fetchval(
        "SELECT coalesce(sum(nanos), 0)::bigint FROM ledger WHERE account_id = $1", pipeline.account_id
    )
    return paid_nanos


@pytest.mark.parametrize(
    ("kind", "model", "given", "mime", "lasts_s"),
    [
        ("audio", "coqui", {"text": "The light turns once in ten seconds."}, "audio/wav", 2.4),
        ("music", "musicgen", {"prompt": "calm", "mood": "happy", "duration_s": 4}, "audio/mpeg", 4.0),
        ("music", "musicgen", {"prompt": "calm", "duration_s": 3, "format": "wav"}, "audio/wav", 3.0),
        ("video", "minimax", {"prompt": "fog"}, "video/mp4", 6.0),
        ("video", "wan", {"prompt": "fog", "resolution": "720p", "aspect_ratio": "9:16"}, "video/mp4", 5.0),
        ("video", "kling", {"prompt": "fog", "duration_s": 10}, "video/mp4", 10.0),
        ("video", "veo", {"prompt": "fog"}, "video/mp4", 8.0),
        ("video", "seedance", {"prompt": "fog", "duration_s": 3, "resolution": "1080p"}, "video/mp4", 3.0),
    ],
)
async def test_sound_and_film_are_stored_and_paid(
    pipeline: Pipeline,
    emulator: ReplicateEmulator,
    store: ObjectStore,
    kind: str,
    model: str,
    given: dict[str, Any],
    mime: str,
    lasts_s: float,
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await made(pipeline, kind, model, **given)
    file = await output(pipeline, generation_id)
    info = await store.head(file["key"])
    assert info is not None
    assert (file["mime"], info.bytes) == (mime, file["bytes"])
    assert file["duration_s"] == pytest.approx(lasts_s, abs=0.15)
    assert await paid(pipeline) == emulator.billed_nanos() > 0


async def test_a_picture_is_edited_enlarged_and_filmed(
    pipeline: Pipeline, emulator: ReplicateEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        start = await made(pipeline, "image", "flux-schnell", prompt="a fox", size="512x512")
        edited = await made(
            pipeline, "image", "flux-2", prompt="at night", size="256x256", image=f"{start}/0"
        )
        larger = await made(pipeline, "upscale", "real-esrgan", image=str(edited), scale=2)
        faces = await made(pipeline, "upscale", "gfpgan", image={"generation": str(larger)}, scale=2)
        filmed = await made(pipeline, "video", "wan", prompt="it blinks", image=str(edited))
    sizes = [
        (file["width"], file["height"]) for file in [await output(pipeline, id_) for id_ in (larger, faces)]
    ]
    assert sizes == [(512, 512), (1024, 1024)]
    assert (await output(pipeline, filmed))["mime"] == "video/mp4"
    assert [line.model for line in emulator.invoice()][-1] == "wan-video/wan-2.5-i2v"
    assert await paid(pipeline) == emulator.billed_nanos()


@pytest.mark.parametrize(
    ("kind", "model"), [("video", "seedance"), ("music", "musicgen"), ("audio", "coqui")]
)
@pytest.mark.parametrize("effect", [Effect.FAIL, Effect.NSFW, Effect.RESET_AFTER])
async def test_whatever_happens_the_account_pays_what_is_billed(
    pipeline: Pipeline,
    emulator: ReplicateEmulator,
    store: ObjectStore,
    kind: str,
    model: str,
    effect: Effect,
) -> None:
    emulator.faults.add("create", effect, times=1)
    given = {"text": "hello"} if kind == "audio" else {"prompt": "fog", "duration_s": 3}
    async with serving(pipeline, emulator):
        generation_id = await pipeline.submit(kind, model=model, input=given)
        row = await pipeline.until(generation_id)
    assert row["state"] == ("completed" if effect is Effect.RESET_AFTER else "failed")
    assert len(emulator.predictions) == 1
    assert await paid(pipeline) == emulator.billed_nanos()


async def test_a_length_beyond_the_model_is_refused_with_its_limit(pipeline: Pipeline) -> None:
    provider = ReplicateProvider("r8_test", "http://127.0.0.1:9")
    await publish(pipeline, provider)
    with pytest.raises(InvalidInput, match="up to 30") as caught:
        await pipeline.submit("music", model="musicgen", input={"prompt": "calm", "duration_s": 60})
    assert caught.value.field == "input.duration_s"
