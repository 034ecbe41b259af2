"""Everybody's generations for operators: found, looked into, canceled, tried again, run now, and their failures."""

from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from shared.domains.ops.redaction import HIDDEN, redacted
from tests.gateway.api import Api, Painter
from tests.gateway.people import Person

OPS = "/api/v1/ops"
BULK = f"{OPS}/jobs:bulk"


async def _fail(api: Api, *ids: str, message: str = "no room for request 17") -> None:
    """These have failed, as a worker would write it."""
    await api.gateway.worker.execute(
        "UPDATE generations SET state = 'failed', wake_at = NULL, completed_at = now(), provider = 'scripted',"
        " cost_status = 'released', error = jsonb_build_object('code', 'PROVIDER_FAILED', 'message', $2::text,"
        " 'retryable', true) WHERE id = ANY ($1)",
        [UUID(id_) for id_ in ids],
        message,
    )


async def _listed(api: Api, query: str = "") -> list[str]:
    return [job["id"] for job in (await api.get(f"{OPS}/jobs?{query}")).json["data"]]


async def test_jobs_of_all_accounts_are_found(api: Api, other: Api) -> None:
    mine, theirs = await api.submit(), await other.submit(input={"prompt": "A 100% red_boat"})
    await _fail(api, mine["id"])
    assert await _listed(api) == [theirs["id"], mine["id"]]
    for query in (
        "status=queued", f"account={other.account_id}", "q=100%25+RED_", f"q={theirs['id']}",
        "status=queued&stage=routing", "kind=image,video&status=queued&model=scripted",
    ):  # fmt: skip
        assert await _listed(api, query) == [theirs["id"]], query
    for query in ("status=failed", "code=PROVIDER_FAILED", "provider=scripted", "q=no+room"):
        assert await _listed(api, query) == [mine["id"]], query
    for query in ("q=100_", "q=%25%25", "model=none", "created_before=2020-01-01T00:00:00Z"):
        assert await _listed(api, query) == [], query
    first = (await api.get(f"{OPS}/jobs?limit=1")).json
    assert await _listed(api, f"limit=1&after={first['next']}") == [mine["id"]]


async def test_jobs_are_found_by_whose_they_are(api: Api) -> None:
    called = uuid4().hex[:12]
    ada, twin, bert = [
        await Person.sign_up(api.gateway, name=name)
        for name in (f"Ada {called}", f"ada {called}", f"B {called}")
    ]
    first, second, berts = [(await one.api.submit())["id"] for one in (ada, twin, bert)]
    for account, found in (
        (ada.email.upper(), [first]), (f"ADA {called}", [second, first]), (f"b {called}", [berts]),
        (str(bert.account_id), [berts]), (called, [berts, second, first]), (ada.email[:20], [first]),
    ):  # fmt: skip
        assert await _listed(api, f"account={quote(account)}") == found, account
    for nobody in ("nobody%25", "_", called + "%00"):
        assert (await api.get(f"{OPS}/jobs?account={nobody}")).problem == (422, "INVALID_INPUT", "account")

    body: dict[str, Any] = {"action": "cancel", "filter": {"account": called}, "dry_run": True}
    assert (await api.post(BULK, body)).problem == (422, "INVALID_INPUT", "filter.account")
    body["filter"]["account"] = f"ada {called}"
    assert (await api.post(BULK, body)).json["matched"] == 2


async def test_jobs_are_found_by_the_tags_of_what_they_made(api: Api, other: Api, painter: Painter) -> None:
    theirs, untagged = [(await one.submit())["id"] for one in (other, api)]
    for one, id_ in ((other, theirs), (api, untagged)):
        await one.until_ended(id_)
    await other.call("PATCH", f"/api/v1/generations/{theirs}", {"tags": ["it's fog"]})
    assert await _listed(api, "tag=It%27s+Fog") == [theirs]
    assert await _listed(api, "tag=fog") == []
    body = {"action": "delete", "filter": {"tag": "it's fog"}, "confirm_count": 1}
    assert (await api.post(BULK, body)).json["done"] == 1


async def test_a_job_is_shown_with_all_that_is_known_and_no_secret(api: Api, other: Api) -> None:
    prompt = "see https://me:pw@example.com/a.png?sig=abc and sk-12345678"
    theirs = await other.submit(input={"prompt": prompt})
    found = (await api.get(f"{OPS}/jobs/{theirs['id']}")).json
    assert found["account"] == {"id": str(other.account_id), "name": "test"}
    assert found["input"]["prompt"] == f"see https://example.com/a.png?{HIDDEN} and {HIDDEN}"
    assert found["generation"]["input"] == found["input"]
    assert [event["type"] for event in found["events"]] == ["generation.queued"]
    assert (await api.get(f"{OPS}/jobs/{api.account_id}")).problem[:2] == (404, "NOT_FOUND")


def test_values_with_telling_names_are_hidden() -> None:
    given = {
        "headers": [{"Authorization": "x", "page": 1}],
        "api_key": None,
        "pass_token": 7,
        "max_tokens": 7,
    }
    assert redacted(given) == {
        "headers": [{"Authorization": HIDDEN, "page": 1}], "api_key": None, "pass_token": HIDDEN, "max_tokens": 7,
    }  # fmt: skip


async def test_a_filter_acts_only_on_the_number_that_was_confirmed(api: Api, other: Api) -> None:
    ids = [(await one.submit())["id"] for one in (api, other, other)]
    body: dict[str, Any] = {"action": "cancel", "filter": {"status": ["queued"], "kind": ["image"]}}
    empty: list[dict[str, Any]] = [{}, {"kind": []}, {"status": None}]
    for nothing in empty:
        assert (await api.post(BULK, body | {"filter": nothing, "confirm_count": 3})).problem[0] == 422
    assert (await api.post(BULK, body)).problem == (422, "INVALID_INPUT", "confirm_count")
    assert (await api.post(BULK, body | {"dry_run": True})).json["matched"] == 3
    refused = await api.post(BULK, body | {"confirm_count": 2})
    assert (refused.problem[0], refused.json["details"]["count"]) == (409, 3)
    done = (await api.post(BULK, body | {"confirm_count": 3})).json
    assert (done["done"], done["asked"], done["more"]) == (3, 0, False)
    assert set(await _listed(api, "status=canceled")) == set(ids)
    theirs = (await other.get(f"/api/v1/generations/{ids[1]}")).json
    assert (theirs["status"], theirs["cost"]["status"]) == ("canceled", "released")
    entry = (await api.get(f"{OPS}/audit?action=jobs.cancel&limit=1")).json["data"][0]
    assert (entry["details"]["count"], set(entry["details"]["ids"])) == (3, set(ids))


async def test_failures_of_one_cause_are_one(api: Api, other: Api) -> None:
    ids = [(await one.submit())["id"] for one in (api, other, api)]
    await _fail(api, *ids[:1])
    await _fail(api, ids[1], message="No room for request 4711")
    await _fail(api, ids[2], message="out of paint")
    causes = {one["count"]: one for one in (await api.get(f"{OPS}/dead?group=fingerprint")).json["data"]}
    room = causes[2]
    assert (room["accounts"], room["kinds"], room["providers"]) == (2, ["image"], ["scripted"])
    assert await _listed(api, f"fingerprint={room['fingerprint']}") == [ids[1], ids[0]]
    path = f"{OPS}/dead/{room['fingerprint']}"
    assert (await api.post(f"{path}/retry", {"confirm_count": 1})).json["details"] == {"count": 2}
    tried = (await api.post(f"{path}/retry", {"confirm_count": 2})).json
    assert {made["parent_id"] for made in tried["made"]} == set(ids[:2])
    again = await other.get(f"/api/v1/generations/{tried['made'][1]['id']}")
    assert again.json["parent_id"] == ids[1], "it belongs to whose it was"
    assert (await api.post(f"{path}/retry", {"confirm_count": 2})).status == 404, "nobody tries it twice"


async def test_a_cause_is_set_aside_until_it_shows_again(api: Api) -> None:
    await _fail(api, (await api.submit())["id"])
    (cause,) = (await api.get(f"{OPS}/dead")).json["data"]
    path = f"{OPS}/dead/{cause['fingerprint']}/discard"
    assert (await api.post(path, {"confirm_count": 7})).status == 409
    assert (await api.post(path, {"confirm_count": 1})).json["discarded"] == 1
    assert (await api.get(f"{OPS}/dead")).json["data"] == []
    await _fail(api, (await api.submit())["id"])
    assert [one["count"] for one in (await api.get(f"{OPS}/dead")).json["data"]] == [1]


async def test_single_jobs_are_run_canceled_and_tried_again(api: Api, other: Api) -> None:
    theirs = (await other.submit())["id"]
    assert (await api.post(f"{OPS}/jobs/{theirs}/run-now")).json["run_now"] is True
    assert (await api.post(f"{OPS}/jobs/{theirs}/retry")).problem[0] == 409
    assert (await api.post(f"{OPS}/jobs/{theirs}/cancel")).json["status"] == "canceled"
    assert (await api.post(f"{OPS}/jobs/{theirs}/run-now")).problem[0] == 409
    made = await api.post(f"{OPS}/jobs/{theirs}/retry")
    assert (made.status, made.json["parent_id"]) == (202, theirs)
    assert made.json["account"]["id"] == str(other.account_id)


async def test_what_has_ended_is_deleted_into_its_accounts_trash(api: Api, other: Api) -> None:
    first, second, third, kept = [(await one.submit())["id"] for one in (other, other, api, other)]
    assert (await api.delete(f"{OPS}/jobs/{first}")).problem[0] == 409, "it has not ended"
    await _fail(api, first, second, third)
    assert (await api.delete(f"{OPS}/jobs/{first}")).status == 204
    assert (await api.delete(f"{OPS}/jobs/{first}")).status == 404
    body: dict[str, Any] = {"action": "delete", "filter": {"kind": ["image"]}}
    assert (await api.post(BULK, body | {"filter": {}})).problem[0] == 422
    assert (await api.post(BULK, body | {"dry_run": True})).json["matched"] == 2
    assert (await api.post(BULK, body | {"confirm_count": 2})).json["done"] == 2
    assert await _listed(api) == [kept]
    assert (await other.get(f"/api/v1/generations/{second}")).status == 404
    assert (await other.post(f"/api/v1/generations/{second}/restore")).status == 200
    assert await _listed(api) == [kept, second]
    audited = (await api.get(f"{OPS}/audit?action=jobs.delete")).json["data"]
    assert [entry["details"]["count"] for entry in audited[:2]] == [2, 1]


async def test_nobody_reaches_others_through_the_database_alone(api: Api, other: Api) -> None:
    ada = await (await Person.sign_up(api.gateway)).become("user")
    await other.submit()
    async with api.gateway.deps.db.transaction(ada.account_id) as tx:
        for sql in (
            "SELECT * FROM auth.ops_jobs('{}', NULL, 10)", "SELECT * FROM auth.ops_queues('{image}', 8)",
            "SELECT * FROM auth.ops_failures('2000-01-01', 10)", "SELECT * FROM auth.ops_providers()",
            "SELECT * FROM auth.ops_people('test', 10)",
            "SELECT * FROM auth.read_audit(NULL, NULL, NULL, NULL, NULL, NULL, 10)",
        ):  # fmt: skip
            assert await tx.fetch(sql) == [], sql
        assert await tx.fetchval("SELECT auth.ops_count('{}')") == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM auth.ops_lock('{}', 10)", "SELECT auth.ops_run_now(ARRAY[gen_random_uuid()])",
        "SELECT auth.ops_set_queue('image', true, 'pause', NULL, NULL)", "SELECT auth.ops_discard('x')",
        "SELECT auth.ops_quiet(gen_random_uuid(), true)", "SELECT auth.ops_stop(gen_random_uuid())",
        "SELECT auth.ops_cool_down('local', now(), NULL)",
        "SELECT auth.ops_ask_check(gen_random_uuid(), 'local')",
        "SELECT auth.ops_keep_purge(gen_random_uuid(), 'image', '{}', '1 hour')",
        "SELECT auth.ops_next_purged(gen_random_uuid(), 10, '1 hour')", "SELECT * FROM purges",
        "SELECT auth.ops_purged_is_back(gen_random_uuid(), '{}')",
        "SELECT auth.audit(gen_random_uuid(), 'a', 't', '{}', 'c', NULL)",
        "SELECT * FROM audit_log", "INSERT INTO audit_log (id) VALUES (gen_random_uuid())",
    ],
)  # fmt: skip
async def test_a_viewer_changes_nothing_through_the_database_alone(api: Api, sql: str) -> None:
    viewer = await (await Person.sign_up(api.gateway)).become("viewer")
    with pytest.raises(Exception, match=r"operators|permission denied"):
        async with api.gateway.deps.db.transaction(viewer.account_id) as tx:
            await tx.execute(sql)
