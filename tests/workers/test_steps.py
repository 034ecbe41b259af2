"""The steps of a generation's life, with a provider that does what the test says."""

from datetime import date
from decimal import Decimal

from shared.catalog import Price
from tests.pipeline import Pipeline, ScriptedProvider, card
from workers.providers.base import Finished, Usage

PRICED = Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "test")


async def test_a_generation_runs_from_request_to_completed(pipeline: Pipeline) -> None:
    async with pipeline.engine(ScriptedProvider()):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    assert (row["state"], row["provider"], row["cost_status"]) == ("completed", "scripted", "final")
    events = await pipeline.events(generation_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"].removeprefix("generation.") for event in events] == [
        "queued",
        "submitting",
        "completed",
    ]


async def test_the_reserve_is_settled_by_what_it_cost(pipeline: Pipeline) -> None:
    provider = ScriptedProvider(
        lambda request, sink: Finished((), Usage({"image": Decimal(1)})), [card(price=PRICED)]
    )
    async with pipeline.engine(provider):
        generation_id = await pipeline.submit(input={"prompt": "two", "count": 2})
        row = await pipeline.until(generation_id)
    assert row["cost_nanos"] == 40_000_000
    assert await pipeline.ledger(generation_id) == {
        "reserve": 80_000_000, "settle": 40_000_000, "release": -80_000_000
    }  # fmt: skip
