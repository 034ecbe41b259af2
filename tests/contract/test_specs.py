"""What our adapters send, and what the emulators answer, is what the providers' OpenAPI files describe."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.contract.cases import CASES, Case
from tests.contract.exchanges import SPECS, Exchange, Spec, listen
from tests.contract.scene import Asked, Scene, each, fault
from tests.emulators.base import Effect

FILES = {
    "replicate": ("replicate-openapi.json", "/v1"),
    "openai": ("openai-openapi.json", "/v1"),
    "elevenlabs": ("elevenlabs-openapi.json", ""),
    "mubert": ("mubert-openapi.yaml", ""),
}
LONG_S = 600.0


async def test_what_is_sent_and_answered_is_described(scene: Scene) -> None:
    """What goes well, what is looked for, what is canceled."""
    here = {name: place for name, place in FILES.items() if (SPECS / place[0]).exists()}
    if not here:
        pytest.skip("the providers' OpenAPI files are not here")
    heard = {name: listen(scene.emulators[name]) for name in here}
    canceled: defaultdict[str, list[Asked]] = defaultdict(list)

    async def tell(case: Case) -> None:
        await scene.run(case)
        await scene.run(case, fault(Effect.RESET_AFTER, times=1))
        if case.polled:
            running = await scene.ask(case, fault(Effect.RUN_SECONDS, seconds=LONG_S))
            await scene.until(running, "provider_running")
            await scene.pipeline.cancel(running.id)
            await scene.pipeline.until(running.id)
            canceled[case.outside.entry].append(running)

    async with scene.working():
        await each([case for case in CASES if case.outside.entry in here], tell)
        # Not sooner: what another case has running there would end with it.
        for name, ran in canceled.items():
            await scene.emulators[name].advance(LONG_S)
            for running in ran:
                await scene.told(running)
    for name, place in here.items():
        spec = Spec.read(*place)
        if name == "replicate":
            _as_recorded(spec)
        said = [
            exchange for exchange in heard[name] if not exchange.path.startswith(("/delivery/", "/files/"))
        ]
        assert sorted({wrong for exchange in said for wrong in spec.complaints(exchange)}) == []
        _notices(spec, said)


def _notices(spec: Spec, said: Sequence[Exchange]) -> None:
    """What is not described does not pass."""
    paid = next(exchange for exchange in said if exchange.sent is not None)
    for wrong in (
        replace(paid, sent=["a list"]), replace(paid, status=299), replace(paid, path="/v1/nowhere"),
        replace(paid, query={"nobody": "knows"}),
    ):  # fmt: skip
        assert spec.complaints(wrong), wrong


def _as_recorded(spec: Spec) -> None:
    """Recorded answers have no output before their end, and an official model's version is any string."""
    prediction = spec.component("schemas_prediction_response")
    prediction["required"].remove("output")
    prediction["properties"]["version"] = {"type": "string"}
