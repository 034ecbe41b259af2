"""Plans over HTTP: what an account has, what is used of it, and who may change it."""

from typing import Any
from uuid import uuid4

import pytest

from shared.domains.accounts import Scope
from tests.gateway.api import Api, image
from tests.gateway.people import Person


async def _give(api: Api, plan: str) -> None:
    operator = await api.gateway.account()
    answer = await operator.call("PUT", f"/api/v1/accounts/{api.account_id}/plan", {"plan": plan})
    assert (answer.status, answer.json) == (200, {"account_id": str(api.account_id), "plan": plan})


async def test_an_account_is_unlimited_unless_somebody_says_otherwise(api: Api) -> None:
    plan = (await api.get("/api/v1/plan")).json
    assert (plan["name"], plan["features"], plan["usage"], plan["resets_at"]) == ("unlimited", {}, [], None)


async def test_the_plan_shows_what_is_used_and_when_that_begins_anew(api: Api) -> None:
    await _give(api, "premium")
    await api.submit(input={"prompt": "x", "count": 2})
    plan = (await api.get("/api/v1/plan")).json
    usage = {one["feature"]: one for one in plan["usage"]}
    assert (usage["image"]["used"], usage["image"]["remaining"], usage["image"]["period"]) == (2, 18, "month")
    assert (usage["chat"]["used"], usage["chat"]["limit"]) == (0, 100)
    assert plan["resets_at"] == min(one["resets_at"] for one in plan["usage"])
    assert plan["features"]["music_projects"] == {"included": True, "limit": 5, "period": "live"}
    assert (plan["price"]["amount"], plan["max_running"]) == ("9.990000000", 4)


async def test_a_quota_that_is_used_up_is_429_until_it_begins_anew(api: Api) -> None:
    await _give(api, "free")
    await api.submit()
    refused = await api.post("/api/v1/generations", image())
    assert refused.problem[:2] == (429, "QUOTA_EXCEEDED")
    assert 0 < int(refused.headers["Retry-After"]) <= 7 * 86_400
    details = refused.json["details"]
    assert (details["feature"], details["used"], details["limit"]) == ("image", 1, 1)
    assert details["resets_at"] > ""


async def test_what_is_not_included_is_403(api: Api) -> None:
    await _give(api, "free")
    refused = await api.post("/api/v1/generations", image(kind="music"))
    assert refused.problem[:2] == (403, "TIER_REQUIRED")
    assert refused.json["details"]["feature"] == "music"


async def test_the_plans_are_listed(api: Api) -> None:
    listed = (await api.get("/api/v1/plans")).json["data"]
    assert [(one["name"], one["price"]["nanos"]) for one in listed] == [
        ("free", 0), ("premium", 9_990_000_000), ("unlimited", 29_990_000_000),
    ]  # fmt: skip


async def test_people_who_sign_up_get_the_plan_that_was_chosen(api: Api) -> None:
    default = "/api/v1/plans/for-new-users"
    try:
        assert (await api.call("PUT", default, {"plan": "free"})).json == {"plan": "free"}
        person = await Person.sign_up(api.gateway)
        assert (await person.api.get("/api/v1/plan")).json["name"] == "free"
        assert (await api.get("/api/v1/plan")).json["name"] == "unlimited"
    finally:
        await api.call("PUT", default, {"plan": "unlimited"})


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/api/v1/accounts/{other}/plan", {"plan": "gold"}, (422, "INVALID_INPUT", "plan")),
        (f"/api/v1/accounts/{uuid4()}/plan", {"plan": "free"}, (404, "NOT_FOUND", None)),
        ("/api/v1/plans/for-new-users", {"plan": "gold"}, (422, "INVALID_INPUT", "plan")),
    ],
    ids=["no such plan", "nobody", "no such plan for new users"],
)
async def test_a_plan_that_is_none(api: Api, other: Api, path: str, body: Any, expected: Any) -> None:
    assert (await api.call("PUT", path.format(other=other.account_id), body)).problem == expected


async def test_only_operators_change_plans(api: Api, nobody: Api) -> None:
    person = await Person.sign_up(api.gateway)
    own = f"/api/v1/accounts/{person.account_id}/plan"
    writer = await api.with_key(Scope.WRITE)
    for path in (own, "/api/v1/plans/for-new-users"):
        assert (await person.api.call("PUT", path, {"plan": "premium"})).problem[:2] == (403, "FORBIDDEN")
        assert (await writer.call("PUT", path, {"plan": "premium"})).status == 403
        assert (await nobody.call("PUT", path, {"plan": "premium"})).status == 401
    assert (await nobody.get("/api/v1/plan")).status == 401
