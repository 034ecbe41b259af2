"""Estimates of forms that are still being filled in."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.catalog import Price, publish
from tests.gateway.api import Api, image
from tests.pipeline import card

DRAFT = "/api/v1/generations:estimate?draft=true"


@pytest.fixture
async def costly(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """There is a model that costs 40 cents per image."""
    price = Price({"image": Decimal(400_000_000)}, date(2026, 1, 1), "test")
    await publish(api.gateway.worker, [card("costly", price=price)])
    monkeypatch.setattr(api.gateway.deps.catalog, "_read_at", float("-inf"))
    return api


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"count": 2}, [("input.prompt", True)]),
        ({"prompt": "", "count": 2}, [("input.prompt", True)]),
        ({"prompt": "  ", "count": 2}, [("input.prompt", True)]),
        ({"prompt": "a fox", "count": 2, "steps": 900}, [("input.steps", False)]),
        ({"prompt": "a fox", "count": 2, "colour": "red"}, [("input.colour", False)]),
        ({"count": 2, "mask": "x"}, [("input.prompt", True), ("input", False)]),
    ],
)
async def test_a_form_with_gaps_is_priced_and_told_of_them(
    costly: Api, given: dict[str, Any], problems: list[tuple[str, bool]]
) -> None:
    found = (await costly.post(DRAFT, image(model="costly", input=given))).json
    assert [(one["field"], one["missing"]) for one in found["problems"]] == problems
    assert found["estimated"]["nanos"] >= 400_000_000
    assert found["allowed"] is False
    assert (await costly.post(DRAFT.partition("?")[0], image(model="costly", input=given))).status == 422


async def test_a_whole_form_has_no_problems_and_says_what_is_left(costly: Api) -> None:
    await costly.post("/api/v1/budgets", {"name": "Ads", "period": "month", "limit_cents": 100})
    found = (await costly.post(DRAFT, image(model="costly"))).json
    assert (found["allowed"], found["problems"]) == (True, [])
    assert found["estimated"]["nanos"] == 400_000_000
    [budget] = found["left"]["budgets"]
    assert (budget["remaining"]["nanos"], budget["scope"]) == (1_000_000_000, "account")
    assert budget["name"] == 'the monthly budget "Ads" of the account'


async def test_a_plan_says_what_is_left_of_the_feature(costly: Api) -> None:
    await costly.gateway.worker.execute("UPDATE accounts SET plan = 'free' WHERE id = $1", costly.account_id)
    found = (await costly.post(DRAFT, image(model="costly"))).json
    quota = found["left"]["quota"]
    assert found["left"]["plan"] == "Free"
    assert quota is None or quota["remaining"] == quota["limit"] - quota["used"]


async def test_what_nobody_can_make_is_an_estimate_that_says_why(
    costly: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = card("gone", available=False, unavailable_reason="GONE_KEY is not set")
    await publish(costly.gateway.worker, [gone])
    monkeypatch.setattr(costly.gateway.deps.catalog, "_read_at", float("-inf"))
    answer = await costly.post(DRAFT, image(model="gone"))
    assert answer.status == 200
    assert (answer.json["allowed"], answer.json["refusal"]["error"]) == (False, "NO_PROVIDER")
