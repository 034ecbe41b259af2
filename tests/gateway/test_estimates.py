"""What a generation would cost, and whether it would be admitted."""

from datetime import date
from decimal import Decimal

import pytest

from shared.catalog import Price, publish
from tests.gateway.api import Api, image
from tests.pipeline import card

ESTIMATE = "/api/v1/generations:estimate"
VALIDATE = "/api/v1/generations:validate"


async def _price(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that costs 40 cents per image, known at once."""
    price = Price({"image": Decimal(400_000_000)}, date(2026, 1, 1), "test")
    await publish(api.gateway.worker, [card("costly", price=price)])
    monkeypatch.setattr(api.gateway.deps.catalog, "_read_at", float("-inf"))


async def test_an_estimate_prices_every_candidate_and_writes_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _price(api, monkeypatch)
    body = image(model="costly", input={"prompt": "a fox", "count": 2})
    found = (await api.post(ESTIMATE, body)).json
    assert found["estimated"] == found["reserved"] == {"nanos": 800_000_000, "amount": "0.800000000"}
    assert [(one["provider"], one["card"]) for one in found["candidates"]] == [
        ("costly", "costly/costly-image")
    ]
    assert (found["allowed"], found["refusal"]) == (True, None)
    assert (await api.get("/api/v1/generations")).json["data"] == []


async def test_an_estimate_says_what_would_refuse_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await _price(api, monkeypatch)
    await api.gateway.worker.execute(
        "UPDATE accounts SET budget_nanos = 100000000 WHERE id = $1", api.account_id
    )
    found = (await api.post(ESTIMATE, image(model="costly"))).json
    assert found["allowed"] is False
    assert (found["refusal"]["status"], found["refusal"]["error"]) == (402, "BUDGET_EXCEEDED")
    assert found["refusal"]["details"]["remaining_nanos"] == 100_000_000
    refused = await api.post("/api/v1/generations", image(model="costly"))
    assert refused.problem[:2] == (402, "BUDGET_EXCEEDED")


async def test_validate_is_a_dry_run(api: Api) -> None:
    assert (await api.post(VALIDATE, image())).json == {"valid": True, "model": "scripted", "warnings": []}
    assert (await api.post(VALIDATE, image(input={}))).problem == (422, "INVALID_INPUT", "input.prompt")
    missing = image(kind="upscale", input={"image": "01960000-0000-7000-8000-000000000000"})
    assert (await api.post(VALIDATE, missing)).problem == (422, "INVALID_INPUT", "input.image")
    assert (await api.get("/api/v1/generations")).json["data"] == []
