"""Usage, cost, providers side by side, and where spending leads, over HTTP."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from gateway.resources import Resource
from gateway.routes.analytics import (
    CostAnalyticsResource,
    ForecastResource,
    ProviderAnalyticsResource,
    UsageAnalyticsResource,
)
from shared.domains.analytics import forecast, rollup
from shared.domains.analytics.forecast import Period
from shared.ids import new_id
from shared.money import Nanos
from tests.gateway.api import Api, Response
from tests.gateway.people import Person
from tests.usage_history import make, pay, submit

DAY = datetime(2026, 3, 29, 12, tzinfo=UTC)
MARCH = "from=2026-03-23&to=2026-04-05"


SHAPES: dict[str, type[Resource]] = {
    "usage": UsageAnalyticsResource,
    "cost": CostAnalyticsResource,
    "provider": ProviderAnalyticsResource,
    "forecast": ForecastResource,
}


async def _read(api: Api, route: str, query: str = "") -> dict[str, Any]:
    """The data of an answer, its shape checked."""
    answer = await api.get(f"/api/analytics/{route}?{query}")
    assert answer.status == 200, answer.content
    assert (set(answer.json), answer.json["success"]) == ({"success", "data", "message"}, True)
    data: dict[str, Any] = answer.json["data"]
    SHAPES[route].model_validate_json(orjson.dumps(data))
    return data


def _table(answer: Response) -> list[dict[str, str]]:
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


async def _project(api: Api) -> str:
    return str((await api.post("/api/projects", {"name": "=Towers"})).json["data"]["id"])


async def _march(api: Api, project_id: str | None = None) -> None:
    """Three pieces of work of three days, of which one is for the project; 12.5 cents in all."""
    db, account = api.gateway.worker, api.account_id
    first = await make(db, account, DAY, seconds=2, tokens=9)
    second = await make(db, account, DAY + timedelta(days=1), seconds=4, kind="text", model="gpt-4", provider="openai",
                        project_id=None if project_id is None else UUID(project_id))  # fmt: skip
    await make(db, account, DAY + timedelta(days=3), state="failed", provider="openai")
    await pay(db, account, first, 100_000_000, DAY)
    await pay(db, account, second, 25_000_000, DAY + timedelta(days=1))
    await pay(db, account, second, 3, DAY + timedelta(days=1), payer="byok")


@pytest.mark.parametrize("rolled", [False, True])
async def test_usage_by_day_has_every_day(api: Api, rolled: bool) -> None:
    await _march(api)
    if rolled:
        await rollup.roll_up(api.gateway.worker, api.account_id)
    told = await _read(api, "usage", MARCH)
    rows = {row["group"]: row for row in told["rows"]}
    assert list(rows) == [(date(2026, 3, 23) + timedelta(days=n)).isoformat() for n in range(14)]
    worked = {day for day, row in rows.items() if row["request_count"]}
    assert worked == {"2026-03-29", "2026-03-30", "2026-04-01"}
    assert (rows["2026-03-29"]["total_tokens"], rows["2026-03-29"]["avg_duration_ms"]) == (9, 2000)
    assert (rows["2026-03-30"]["total_cost_cents"], rows["2026-03-30"]["cost"]["nanos"]) == (3, 25_000_000)
    total = told["total"]
    assert (total["request_count"], total["success_count"], total["failure_count"]) == (3, 2, 1)
    assert (total["total_cost_cents"], total["cost"]["amount"]) == (13, "0.125000000")
    assert (told["from"], told["to"], told["timezone"]) == ("2026-03-23", "2026-04-05", "UTC")


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("week", {"2026-03-23": 1, "2026-03-30": 2}),
        ("month", {"2026-03": 2, "2026-04": 1}),
        ("provider", {"scripted": 1, "openai": 2}),
        ("model", {"flux-2": 2, "gpt-4": 1}),
        ("kind", {"image": 2, "text": 1}),
    ],
)
@pytest.mark.parametrize("route", ["usage", "cost"])
async def test_every_group(api: Api, route: str, group_by: str, expected: dict[str, int]) -> None:
    await _march(api)
    rows = (await _read(api, route, f"{MARCH}&group_by={group_by}"))["rows"]
    assert {row["group"]: row["request_count"] for row in rows} == expected


async def test_cost_by_project_names_it(api: Api) -> None:
    project_id = await _project(api)
    await _march(api, project_id)
    told = await _read(api, "cost", f"{MARCH}&group_by=project")
    without, with_one = told["rows"]
    assert (without["group"], without["label"], without["share"]) == (None, None, 0.8)
    assert (with_one["group"], with_one["label"], with_one["own_keys"]["nanos"]) == (project_id, "=Towers", 3)
    assert with_one["per_success"]["nanos"] == with_one["cost"]["nanos"] == 25_000_000
    only = await _read(api, "cost", f"{MARCH}&group_by=month&project={project_id}")
    assert only["total"]["cost"]["nanos"] == 25_000_000
    for narrower, requests in (("kind=text", 1), ("provider=openai", 2), ("model=flux-2", 2)):
        assert (await _read(api, "usage", f"{MARCH}&{narrower}"))["total"]["request_count"] == requests


async def test_days_are_those_of_the_account(api: Api) -> None:
    await api.gateway.worker.execute(
        "UPDATE accounts SET timezone = 'Pacific/Kiritimati' WHERE id = $1", api.account_id
    )
    await _march(api)
    told = await _read(api, "usage", MARCH)
    assert [row["group"] for row in told["rows"] if row["request_count"]] == [
        "2026-03-30",
        "2026-03-31",
        "2026-04-02",
    ]
    assert told["timezone"] == "Pacific/Kiritimati"


@pytest.mark.parametrize("route", SHAPES)
async def test_nothing_is_zero(api: Api, route: str) -> None:
    told = await _read(api, route)
    for row in told.get("rows", []):
        assert (row["request_count"], row["cost"]["nanos"]) == (0, 0)
    if route == "provider":
        assert told["rows"] == []
    elif route == "forecast":
        assert (told["spent"]["nanos"], told["linear"]["cost"]["nanos"], told["trend"]["cost"]["nanos"]) == (
            0,
            0,
            0,
        )
    else:
        assert (len(told["rows"]), told["total"]["request_count"]) == (30, 0)


async def test_what_was_just_done_is_there(api: Api) -> None:
    await rollup.roll_up(api.gateway.worker, api.account_id)
    await api.submit()
    told = await _read(api, "usage")
    assert (told["rows"][-1]["request_count"], told["rows"][-1]["open_count"]) == (1, 1)


@pytest.mark.parametrize("asked", [{"headers": {"Accept": "text/csv"}}, {}])
async def test_as_a_spreadsheet(api: Api, asked: dict[str, Any]) -> None:
    project_id = await _project(api)
    await _march(api, project_id)
    query = f"{MARCH}&group_by=project" + ("" if asked else "&format=csv")
    answer = await api.get(f"/api/analytics/cost?{query}", **asked)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cost-2026-03-23-2026-04-05.csv"'
    rows = _table(answer)
    assert [(row["label"], row["cost_nanos"], row["cost_usd"]) for row in rows] == [
        ("", "100000000", "0.100000000"),
        ("'=Towers", "25000000", "0.025000000"),
    ]
    usage = _table(await api.get(f"/api/analytics/usage?{query}", **asked))
    assert [row["request_count"] for row in usage] == ["2", "1"]
    side = _table(await api.get(f"/api/analytics/provider?{MARCH}&format=csv"))
    assert {(row["provider"], row["p50_ms"]) for row in side} == {("scripted", "2000"), ("openai", "4000")}


async def test_providers_side_by_side(api: Api) -> None:
    db, account = api.gateway.worker, api.account_id
    for n in range(20):
        one = await make(db, account, DAY, provider=None)
        end = DAY + timedelta(seconds=n + 1)
        if n < 5:
            error = "PROVIDER_TIMEOUT" if n < 3 else "CONTENT_BLOCKED"
            await submit(db, account, one, provider="slow", ended=end, error=error, cost_nanos=10)
        else:
            await submit(db, account, one, provider="slow", ended=end, cost_nanos=100, outputs=2)
    fast = await make(db, account, DAY, provider=None)
    await submit(db, account, fast, provider="fast", state="rejected", ended=DAY)
    await submit(db, account, fast, n=2, provider="fast", state="possibly_billed", ended=DAY)
    await submit(db, account, fast, n=3, provider="fast")
    slow, other = (await _read(api, "provider", MARCH))["rows"]
    assert (slow["provider"], slow["call_count"], slow["success_rate"]) == ("slow", 20, 0.75)
    assert slow["run_time"] == {"p50_ms": 13_000, "p95_ms": 19_300}
    assert (slow["output_count"], slow["cost"]["nanos"], slow["cost_per_output"]["nanos"]) == (30, 1550, 52)
    assert slow["failures"] == {"PROVIDER_TIMEOUT": 3, "CONTENT_BLOCKED": 2}
    assert (other["call_count"], other["failures"], other["open_count"]) == (2, {"POSSIBLY_BILLED": 1}, 1)
    assert (other["success_rate"], other["cost_per_output"], other["run_time"]["p50_ms"]) == (0.0, None, None)
    models = (await _read(api, "provider", f"{MARCH}&group_by=model&provider=slow"))["rows"]
    assert [(row["provider"], row["model"]) for row in models] == [("slow", "its-name")]


async def test_a_forecast_beside_its_budget(api: Api) -> None:
    one = await make(api.gateway.worker, api.account_id, datetime.now(UTC))
    await pay(api.gateway.worker, api.account_id, one, 30_000_000)
    await api.gateway.worker.execute(
        "INSERT INTO budgets (id, account_id, scope, period, mode, limit_nanos)"
        " VALUES ($1, $2, 'account', 'month', 'soft', 20000000)", new_id(), api.account_id,
    )  # fmt: skip
    told = await _read(api, "forecast")
    assert (told["spent_cents"], told["spent"]["nanos"]) == (3, 30_000_000)
    assert told["linear"]["cost"]["nanos"] >= told["trend"]["cost"]["nanos"] >= 30_000_000
    assert (told["budget"]["limit_cents"], told["budget"]["mode"]) == (2, "soft")
    assert told["linear"]["exceeded_on"] == told["trend"]["exceeded_on"] == told["today"]
    week = await _read(api, "forecast", "period=week")
    assert (week["budget"], week["spent"]["nanos"]) == (None, 30_000_000)
    assert date.fromisoformat(week["from"]).weekday() == 0


def test_what_a_forecast_expects() -> None:
    first, today = date(2026, 11, 1), date(2026, 11, 11)
    costs = {first + timedelta(days=n): Nanos(100) for n in range(10)} | {today: Nanos(0)}
    ahead = [today + timedelta(days=n) for n in range(20)]
    spent, limit = Nanos(1000), Nanos(1500)
    steady = forecast.linear(costs, first, spent, ahead, 1 / 3, limit)
    assert (steady.total, steady.exceeded_on) == (3000, date(2026, 11, 16))
    same = forecast.trend(costs, first, spent, ahead, [100] * 14, limit)
    assert (same.total, same.exceeded_on) == (3000, date(2026, 11, 16))
    rising = forecast.trend(costs, first, spent, ahead, [10 * n for n in range(14)], None)
    assert rising == forecast.Estimate(Nanos(1000 + sum(10 * n for n in range(14, 34))), None)
    falling = forecast.trend(costs, first, spent, ahead, [130 - 10 * n for n in range(14)], limit)
    assert falling == forecast.Estimate(spent, None)
    assert forecast.bounds(date(2026, 12, 31), Period.MONTH) == (date(2026, 12, 1), date(2026, 12, 31))
    assert forecast.bounds(date(2026, 11, 22), Period.WEEK) == (date(2026, 11, 16), date(2026, 11, 22))


@pytest.mark.parametrize("route", SHAPES)
async def test_others_see_nothing_of_it(api: Api, other: Api, nobody: Api, route: str) -> None:
    project_id = await _project(api)
    await _march(api, project_id)
    await rollup.roll_up(api.gateway.worker, api.account_id)
    period = "" if route == "forecast" else f"&{MARCH}"
    told = await _read(other, route, period)
    assert sum(row["cost"]["nanos"] for row in told.get("rows", [])) == 0
    assert (await other.get(f"/api/analytics/{route}?project={project_id}")).problem[:2] == (404, "NOT_FOUND")
    assert (await nobody.get(f"/api/analytics/{route}")).problem[0] == 401


async def test_a_viewer_may_read(api: Api) -> None:
    viewer = await (await Person.sign_up(api.gateway)).become("viewer")
    for route in SHAPES:
        await _read(viewer.api, route)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-02-02&to=2026-02-01", "from"),
        ("from=1999-12-31&to=2000-01-01", "from"),
        ("from=2020-01-01&to=2026-01-01", "from"),
        ("from=yesterday", "from"),
        ("to=2026-02-01T00:00:00Z", "to"),
        ("to=2026-02-30", "to"),
        ("to=0001-01-01", "to"),
        ("kind=image&kind=text", "kind"),
        ("group_by=weather", "group_by"),
        ("kind=smell", "kind"),
        ("project=mine", "project"),
        ("format=xml", "format"),
        ("since=2026-01-01", "since"),
    ],
)
@pytest.mark.parametrize("route", ["usage", "cost", "provider"])
async def test_a_wrong_question_is_named(api: Api, route: str, query: str, field: str) -> None:
    assert (await api.get(f"/api/analytics/{route}?{query}")).problem == (422, "INVALID_INPUT", field)
