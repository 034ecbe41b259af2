"""Budgets and alerts over HTTP: what can be set, what a refusal says, and who is told."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
import pytest

from shared.catalog import Price, publish
from shared.domains.accounts import Scope
from tests.gateway.api import Api
from tests.pipeline import Pipeline, ScriptedProvider, card
from workers.providers.base import Finished, Usage

BUDGETS = "/api/v1/budgets"
ALERTS = f"{BUDGETS}/alerts"
PRICED = card(price=Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "test"))
PROVIDER = ScriptedProvider(lambda *_: Finished((), Usage({"image": Decimal(1)})), [PRICED])


@pytest.fixture
async def priced(api: Api) -> Api:
    """The scripted model costs four cents an image."""
    await publish(api.gateway.worker, [PRICED])
    api.gateway.deps.catalog._read_at = float("-inf")  # what another test published is believed no longer
    return api


async def _set(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.post(BUDGETS, {"period": "total", "limit_cents": 10} | body)
    assert answer.status == 201, answer.content
    resource: dict[str, Any] = answer.json
    assert answer.headers["Location"] == f"{BUDGETS}/{resource['id']}"
    return resource


async def test_from_setting_one_to_deleting_it(priced: Api) -> None:
    made = await _set(priced, name="Marketing", period="month", mode="soft", thresholds=[90, 10, 90])
    assert (made["name"], made["scope"], made["period"], made["mode"]) == (
        "Marketing", "account", "month", "soft",
    )  # fmt: skip
    assert (made["limit_cents"], made["thresholds"], made["origin"]) == (10, [10, 90], None)
    assert made["starts_at"] < made["resets_at"]
    await priced.submit()
    path = f"{BUDGETS}/{made['id']}"
    now = (await priced.get(path)).json
    assert [now[part]["nanos"] for part in ("limit", "spent", "reserved", "remaining")] == [
        100_000_000, 0, 40_000_000, 60_000_000,
    ]  # fmt: skip
    changed = await priced.call("PATCH", path, {"limit_nanos": 7, "mode": "hard", "name": None})
    assert (changed.json["limit"]["nanos"], changed.json["mode"], changed.json["name"]) == (7, "hard", None)
    assert [one["id"] for one in (await priced.get(BUDGETS)).json["data"]] == [made["id"]]
    assert (await priced.delete(path)).status == 204
    assert (await priced.get(path)).problem[:2] == (404, "NOT_FOUND")
    await priced.submit()


async def test_a_refusal_is_402_and_names_the_budget(priced: Api) -> None:
    made = await _set(priced, name="Small", period="day", limit_cents=5)
    first, second = [
        await priced.post(
            "/api/v1/generations", {"kind": "image", "model": "scripted", "input": {"prompt": "x"}}
        )
        for _ in range(2)
    ]
    assert (first.status, second.problem[:2]) == (202, (402, "BUDGET_EXCEEDED"))
    details = second.json["details"]
    assert (details["budget_id"], details["remaining_nanos"], details["resets_at"][:19]) == (
        made["id"], 10_000_000, made["resets_at"][:19],
    )  # fmt: skip
    estimate = await priced.post(
        "/api/v1/generations:estimate", {"kind": "image", "model": "scripted", "input": {"prompt": "x"}}
    )
    assert estimate.json["allowed"] is False
    assert estimate.json["refusal"]["details"]["budget_id"] == made["id"]


async def test_a_project_s_budget_is_shown_and_set_on_the_project(priced: Api) -> None:
    project = (await priced.post("/api/v1/projects", {"name": "p", "budget_cents": 3})).json
    (budget,) = (await priced.get(BUDGETS)).json["data"]
    assert (budget["origin"], budget["project_id"], budget["limit_cents"]) == ("project", project["id"], 3)
    path = f"{BUDGETS}/{budget['id']}"
    assert (await priced.call("PATCH", path, {"limit_cents": 9})).problem[:2] == (409, "CONFLICT")
    assert (await priced.delete(path)).problem[:2] == (409, "CONFLICT")
    assert (await priced.call("PATCH", path, {"thresholds": [99]})).json["thresholds"] == [99]
    refused = await priced.post(
        "/api/v1/generations",
        {"kind": "image", "model": "scripted", "project_id": project["id"], "input": {"prompt": "x"}},
    )
    assert refused.problem[:2] == (402, "BUDGET_EXCEEDED")


async def test_a_key_s_budget(priced: Api) -> None:
    made = await priced.post("/api/v1/keys", {"name": "k", "budget_nanos": 50_000_000})
    with_key = Api(priced.gateway, priced.account_id, made.json["key"])
    await with_key.submit()
    body = {"kind": "image", "model": "scripted", "input": {"prompt": "x"}}
    refused = await with_key.post("/api/v1/generations", body)
    assert refused.json["details"]["api_key_id"] == made.json["id"]
    await priced.submit()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "project", "limit_cents": 1}, "body"),
        ({"scope": "account", "provider": "x", "limit_cents": 1}, "body"),
        ({"scope": "project", "project_id": str(uuid4()), "limit_cents": 1}, "project_id"),
        ({"scope": "key", "api_key_id": str(uuid4()), "limit_cents": 1}, "api_key_id"),
        ({"scope": "provider", "provider": "nobody", "limit_cents": 1}, "provider"),
        ({"limit_cents": 1, "limit_nanos": 1}, "body"),
        ({}, "body"),
        ({"limit_cents": -1}, "limit_cents"),
        ({"limit_cents": 1, "period": "year"}, "period"),
        ({"limit_cents": 1, "thresholds": [0]}, "thresholds.0"),
    ],
)
async def test_what_makes_no_sense_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(BUDGETS, body)).problem == (422, "INVALID_INPUT", field)


async def test_alerts_are_listed_acknowledged_and_told_live(priced: Api, pipeline: Pipeline) -> None:
    made = await _set(priced, limit_cents=4, thresholds=[50, 100])
    frames: list[dict[str, Any]] = []
    headers = {"Authorization": f"Bearer {priced.key}", "Accept": "text/event-stream"}
    gateway = priced.gateway
    async with (
        gateway.http.get(f"{gateway.url}/api/v1/events", headers=headers) as stream,
        pipeline.engine(PROVIDER),
        asyncio.timeout(90),
    ):
        await priced.until_ended((await priced.submit())["id"])
        while len(frames) < 2:
            line = await stream.content.readline()
            if line.startswith(b"data:") and (frame := orjson.loads(line[5:]))["type"] == "budget.alert":
                frames.append(frame)
    first = (await priced.get(f"{ALERTS}?limit=1&budget={made['id']}")).json
    second = (await priced.get(f"{ALERTS}?limit=1&budget={made['id']}&after={first['next']}")).json
    alerts = first["data"] + second["data"]
    assert {(one["alert_type"], one["threshold_percent"], one["threshold_cents"]) for one in alerts} == {
        ("threshold_reached", 50, 2), ("budget_exceeded", 100, 4),
    }  # fmt: skip
    assert all(one["current_spend_cents"] == 4 for one in alerts)
    assert {frame["id"] for frame in frames} == {one["id"] for one in alerts}
    path = f"{ALERTS}/{alerts[0]['id']}/acknowledge"
    seen = (await priced.post(path)).json
    assert seen["acknowledged_at"] is not None
    assert (await priced.post(path)).json["acknowledged_at"] == seen["acknowledged_at"]
    still = (await priced.get(f"{ALERTS}?acknowledged=false")).json["data"]
    assert [one["id"] for one in still] == [alerts[1]["id"]]


async def test_others_find_nothing_and_viewers_change_nothing(api: Api, other: Api, nobody: Api) -> None:
    made = await _set(api)
    path = f"{BUDGETS}/{made['id']}"
    viewer, writer = await api.with_key(Scope.READ), await api.with_key(Scope.WRITE)
    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"limit_cents": 1}),
        ("DELETE", path, None),
        ("POST", f"{ALERTS}/{uuid4()}/acknowledge", None),
    ):
        assert (await other.call(method, where, body)).status == 404
        assert (await nobody.call(method, where, body)).status == 401
        assert (await viewer.call(method, where, body)).status == (200 if method == "GET" else 403)
    # Whoever may only have things made must not lift what limits them.
    assert (await writer.call("PATCH", path, {"limit_cents": 1})).status == 403
    assert (await nobody.get(BUDGETS)).status == 401
    assert (await other.get(BUDGETS)).json["data"] == []
