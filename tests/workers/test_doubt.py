"""A bill that nobody can ask about any more: the caller is not charged, and is told so."""

from typing import Any

from gateway.charges import explain
from tests.emulators.base import Effect
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline
from workers.providers.replicate.adapter import ReplicateProvider


async def test_a_canceled_job_that_its_provider_forgot_may_have_been_billed(pipeline: Pipeline) -> None:
    quick: dict[str, Any] = {"allow_private_urls": True, "heartbeat_interval_s": 0.1}
    async with ReplicateEmulator() as emulator:
        emulator.faults.add("create", Effect.STUCK)
        emulator.faults.add("get", Effect.REFUSE, status=404)
        async with pipeline.engine(ReplicateProvider("r8_test", emulator.url), **quick):
            generation_id = await pipeline.submit(model="flux-1.1-pro")
            await pipeline.until(generation_id, "waiting")
            await pipeline.cancel(generation_id)
            while (row := await pipeline.until(generation_id))["cost_status"] == "reconciling":
                pass
    assert (row["state"], row["cost_status"]) == ("canceled", "released")
    assert row["error"]["code"] == "CANCELED"
    assert row["error"]["details"] == {"possibly_billed": True}
    assert explain(row) == "No clear answer came: replicate may have billed for it; you were not charged."
    assert sum((await pipeline.ledger(generation_id)).values()) == 0
