"""Usage and ledger over HTTP."""

from typing import Any

import pytest

from gateway.routes.usage import LedgerPage, UsageReport
from shared.ids import new_id
from tests.gateway.api import Api

ENTRY = (
    "INSERT INTO ledger (id, account_id, generation_id, kind, nanos, provider, model, media_kind, note)"
    " VALUES ($1, $2, $3, $4, $5, 'scripted', 'scripted-image', 'image', 'by test')"
)


async def _spend(api: Api, *nanos: int, kind: str = "adjust", generation_id: Any = None) -> None:
    for amount in nanos:
        await api.gateway.worker.execute(ENTRY, new_id(), api.account_id, generation_id, kind, amount)


async def test_usage_sums_what_was_settled(api: Api, other: Api) -> None:
    await api.submit()
    await _spend(api, 30_000_000, 12_000_000)
    await _spend(other, 5)
    answer = await api.get("/api/v1/usage")
    report = UsageReport.model_validate_json(answer.content)
    assert [(row.group, row.generations, row.nanos) for row in report.rows] == [("image", 1, 42_000_000)]
    assert (report.total.nanos, report.total.amount) == (42_000_000, "0.042000000")
    assert answer.json["group_by"] == "kind"


async def test_usage_of_another_time_is_empty(api: Api) -> None:
    await _spend(api, 7)
    assert (await api.get("/api/v1/usage?from=2020-01-01&to=2020-01-31&group_by=day")).json["rows"] == []


@pytest.mark.parametrize("group_by", ["kind", "model", "provider", "key", "project", "day"])
async def test_usage_by_every_group(api: Api, group_by: str) -> None:
    await api.submit()
    await _spend(api, 7)
    report = (await api.get(f"/api/v1/usage?group_by={group_by}")).json
    assert (report["total"]["generations"], report["total"]["nanos"]) == (1, 7)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-02-01&to=2026-01-01", "from"),
        ("from=2010-01-01&to=2026-01-01", "from"),
        ("to=9999-12-31", "to"),
        ("to=9999-12-31T23:59:59-14:00", "to"),
        ("to=2026-01-01T00:00:00", "to"),
        ("from=yesterday", "from"),
        ("group_by=weather", "group_by"),
        ("since=2026-01-01", "since"),
    ],
)
async def test_a_wrong_period_is_named(api: Api, query: str, field: str) -> None:
    assert (await api.get(f"/api/v1/usage?{query}")).problem == (422, "INVALID_INPUT", field)


async def test_the_ledger_comes_in_pages(api: Api) -> None:
    await _spend(api, 1, 2, 3)
    seen, path = [], "/api/v1/ledger?limit=2"
    while path:
        answer = await api.get(path)
        seen += LedgerPage.model_validate_json(answer.content).data
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert [entry.nanos for entry in seen] == [3, 2, 1]
    assert (seen[0].amount, seen[0].payer, seen[0].note) == ("0.000000003", "account", "by test")


async def test_the_ledger_of_one_generation(api: Api) -> None:
    generation_id = (await api.submit())["id"]
    await _spend(api, 1)
    await _spend(api, 9, kind="adjust", generation_id=generation_id)
    found = (await api.get(f"/api/v1/ledger?generation_id={generation_id}&kind=adjust")).json["data"]
    assert [(entry["nanos"], entry["generation_id"]) for entry in found] == [(9, generation_id)]
