"""The functions of the Creative Studio (seed 002), done by the real adapters: as its page asks, as providers bill."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.cases import ELEVENLABS, REPLICATE
from tests.contract.scene import QUICK, Scene, open_scene
from tests.emulators.base import InvoiceLine
from tests.emulators.media import sound
from tests.gateway.api import Api, Response, open_gateway
from tests.pipeline import Pipeline

KINDS = ("image", "audio", "music", "upscale")
SAMPLE = base64.b64encode(sound("wav", 12.0)).decode()
ASKED: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "image",
        {"prompt": "a lighthouse in fog", "model": "flux-2", "style": "realistic", "quantity": 2},
        "replicate",
    ),
    ("image", {"prompt": "a heron", "model": "stable-diffusion", "steps": 20, "guidance": 7.5}, "replicate"),
    ("audio", {"text": "The fog lifts.", "engine": "coqui", "cloneFile": SAMPLE}, "replicate"),
    ("audio", {"text": "The tide turns.", "engine": "elevenlabs", "language": "en"}, "elevenlabs"),
    ("music", {"prompt": "waves", "genre": "lo-fi", "duration": 15, "mood": "calm"}, "replicate"),
)
"""What the observed page sends, and who is to do it (UCAS-013 to 018)."""


@dataclass(frozen=True, slots=True)
class Studio:
    api: Api
    scene: Scene

    async def ask(self, function: str, body: dict[str, Any]) -> Response:
        return await self.api.post(f"/api/creative-{function}", body)

    def billed(self) -> list[InvoiceLine]:
        return [line for emulator in self.scene.emulators.values() for line in emulator.invoice()]


@pytest.fixture
async def studio(pipeline: Pipeline) -> AsyncIterator[Studio]:
    """A gateway, and a worker whose providers are the real adapters."""
    async with (
        open_scene(pipeline, [REPLICATE, ELEVENLABS]) as scene,
        open_gateway(scene.settings.model_copy(update={"max_wait_s": 60})) as gateway,
        pipeline.engine(*scene.providers(), kinds=KINDS, **QUICK),
    ):
        gateway.deps.catalog.forget()
        yield Studio(await gateway.account(), scene)


async def test_every_function_is_done_by_a_real_adapter_and_paid_as_billed(studio: Studio) -> None:
    made = []
    for function, body, provider in ASKED:
        answer = await studio.ask(function, body)
        assert answer.status == 200, (function, answer.content)
        assert answer.json["metadata"]["provider"] == provider, answer.json["metadata"]
        made.append(answer.json)
    larger = await studio.ask("upscale", {"imageUrl": made[0]["url"], "scale": 2, "faceRestore": True})
    assert larger.status == 200, larger.content
    assert larger.json["newSize"]["width"] == 2 * larger.json["originalSize"]["width"]

    paid = await studio.api.gateway.worker.fetchval(
        "SELECT sum(cost_nanos) FROM generations WHERE account_id = $1", studio.api.account_id
    )
    assert 0 < paid == sum(line.amount_nanos for line in studio.billed())
    assert len(made[0]["images"]) == 2
