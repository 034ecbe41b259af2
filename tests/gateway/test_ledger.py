"""The check of the ledger over HTTP."""

import pytest

from gateway.routes.ledger import VerificationResource
from tests.gateway.api import Api, Painter
from tests.gateway.people import Person

VERIFY = "/api/v1/ledger/verify"


async def test_what_was_made_is_in_order(api: Api, painter: Painter) -> None:
    generation_id = (await api.submit())["id"]
    await api.until_ended(generation_id)
    answer = await api.get(VERIFY)
    report = VerificationResource.model_validate_json(answer.content)
    assert report.generations == 1
    assert [one for one in report.differences if one.account_id == api.account_id] == []


async def test_a_difference_is_told_with_its_ids_and_money(api: Api) -> None:
    generation_id = (await api.submit())["id"]
    await api.gateway.worker.execute("UPDATE generations SET cost_nanos = 7 WHERE id = $1", generation_id)
    answer = await api.get(VERIFY)
    report = VerificationResource.model_validate_json(answer.content)
    (found,) = [one for one in report.differences if one.account_id == api.account_id]
    assert (report.ok, found.what, str(found.generation_id)) == (False, "cost", generation_id)
    assert found.expected is not None
    assert (found.expected.amount, found.found.nanos) == ("0.000000007", 0)
    assert (await api.get(f"{VERIFY}?since=2026-01-01")).json["since"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("since", ["yesterday", "9999-01-01", "0001-01-01"])
async def test_a_wrong_time_is_named(api: Api, since: str) -> None:
    assert (await api.get(f"{VERIFY}?since={since}")).problem == (422, "INVALID_INPUT", "since")


async def test_who_operates_nothing_sees_his_own_account(api: Api, other: Api) -> None:
    generation_id = (await api.submit())["id"]
    await api.gateway.worker.execute("UPDATE generations SET cost_nanos = 7 WHERE id = $1", generation_id)
    await api.gateway.worker.execute(
        "INSERT INTO users (id, email, role) VALUES ($1, $1::uuid || '@example.com', 'user')",
        other.account_id,
    )
    mine = VerificationResource.model_validate_json((await other.get(VERIFY)).content)
    assert (mine.ok, mine.extent, mine.generations, mine.total) == (True, "account", 0, 0)
    everyone = VerificationResource.model_validate_json((await api.get(VERIFY)).content)
    assert (everyone.extent, everyone.ok) == ("installation", False)


async def test_an_operator_puts_a_projects_sum_right_at_once(api: Api) -> None:
    project = (await api.post("/api/v1/projects", {"name": "Foxes"})).json["id"]
    await api.gateway.worker.execute("UPDATE projects SET spent_nanos = 7 WHERE id = $1", project)

    async def mine() -> list[tuple[int, int]]:
        repaired = (await api.post("/api/v1/ledger/reconcile")).json["projects"]
        return [
            (one["found"]["nanos"], one["expected"]["nanos"])
            for one in repaired
            if one["project_id"] == project
        ]

    assert (await mine(), await mine()) == ([(7, 0)], [])
    told = (await api.get("/api/v1/ops/audit?action=ledger.reconcile&limit=2")).json["data"]
    assert [project in entry["details"]["projects"] for entry in told] == [False, True]
    viewer = await (await Person.sign_up(api.gateway)).become("viewer")
    assert (await viewer.api.post("/api/v1/ledger/reconcile")).problem[0] == 403
