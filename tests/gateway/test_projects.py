"""Projects: in the workbench's envelope and as resources, what is spent for them, and how they end."""

from typing import Any
from uuid import UUID

import pytest

from shared.domains.accounts import Scope
from shared.domains.ledger import Entry, record
from shared.ids import new_id
from shared.money import Nanos
from tests.gateway.api import Api, Painter, image

SEED = "/api/projects"
V1 = "/api/v1/projects"


async def _make(api: Api, **fields: Any) -> dict[str, Any]:
    answer = await api.post(SEED, {"name": "Lighthouses", **fields})
    assert answer.status == 201, answer.content
    project: dict[str, Any] = answer.json["data"]
    return project


async def test_a_list_counts_generations_when_asked_to(api: Api, other: Api) -> None:
    first, second = await _make(api), await _make(api)
    made = await api.submit(project_id=first["id"])
    await api.submit(project_id=first["id"])
    await api.submit()
    await api.gateway.worker.execute(
        "UPDATE generations SET created_at = now() - interval '9 years' WHERE id = $1", UUID(made["id"])
    )
    counted = (await api.get(f"{V1}?counted=true")).json["data"]
    assert {one["id"]: one["generations"] for one in counted} == {first["id"]: 2, second["id"]: 0}
    assert (await api.get(V1)).json["data"][0]["generations"] is None


async def test_a_project_in_the_envelope(api: Api) -> None:
    made = await api.post(
        f"{SEED}/", {"name": " Lighthouses ", "budget_cents": 1234, "settings": {"grid": 3}}
    )
    assert (made.json["success"], made.json["message"]) == (True, "Project created.")
    project = made.json["data"]
    assert (project["name"], project["user_id"]) == ("Lighthouses", str(api.account_id))
    assert (project["budget_cents"], project["budget"]["nanos"]) == (1234, 12_340_000_000)
    assert (project["spent_cents"], project["settings"], project["archived_at"]) == (0, {"grid": 3}, None)
    assert made.headers["Location"] == f"{SEED}/{project['id']}"
    for path in (f"{SEED}/{project['id']}", f"{SEED}/{project['id']}/"):
        assert (await api.get(path)).json == {"success": True, "data": project, "message": "OK"}
    assert (await api.get(f"{SEED}/")).json["data"] == [project]
    assert (await api.get(f"{V1}/{project['id']}")).json == project


async def test_columns_of_cents_follow_those_of_nanos(api: Api) -> None:
    project = await _make(api, budget_nanos=5_000_000)
    assert project["budget_cents"] == 1
    stored = "SELECT budget_nanos, budget_cents, spent_cents FROM projects WHERE user_id = $1"
    assert tuple(await api.gateway.worker.fetchrow(stored, api.account_id) or ()) == (5_000_000, 1, 0)


async def test_a_change_leaves_the_rest(api: Api) -> None:
    project = await _make(api, description="Old", budget_cents=100)
    path = f"{SEED}/{project['id']}"
    changed = (await api.call("PUT", path, {"description": None, "settings": {"a": 1}})).json["data"]
    assert (changed["name"], changed["description"], changed["settings"]) == ("Lighthouses", None, {"a": 1})
    assert changed["budget_cents"] == 100
    renamed = await api.call("PATCH", f"{V1}/{project['id']}", {"name": "Towers", "archived": True})
    assert (renamed.json["name"], renamed.json["archived_at"] is not None) == ("Towers", True)
    back = await api.call("PUT", path, {"archived": False})
    assert back.json["data"]["archived_at"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x", "budget_cents": -1}, "budget_cents"),
        ({"name": "x", "budget_cents": 2**31}, "budget_cents"),
        ({"name": "x", "budget_cents": 1, "budget_nanos": 1}, "body"),
        ({"name": "x", "thumbnail_url": "javascript:alert(1)"}, "thumbnail_url"),
        ({"name": "x", "thumbnail_asset_id": str(new_id())}, "thumbnail_asset_id"),
        ({"name": "x", "user_id": str(new_id())}, "user_id"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(SEED, body)).problem == (422, "INVALID_INPUT", field)


async def test_lists_come_in_pages_without_what_is_archived(api: Api) -> None:
    ids = [(await _make(api, name=f"p{n}"))["id"] for n in range(3)]
    await api.delete(f"{SEED}/{ids[1]}")
    first = await api.get(f"{V1}?limit=1")
    assert [one["id"] for one in first.json["data"]] == [ids[2]]
    second = await api.get(f"{V1}?limit=1&after={first.json['next']}")
    assert ([one["id"] for one in second.json["data"]], second.json["next"]) == ([ids[0]], None)
    page = await api.get(f"{SEED}?limit=1")
    assert page.headers["Link"].endswith('rel="next"')
    assert [one["id"] for one in (await api.get(f"{V1}?archived=true")).json["data"]] == [ids[1]]
    assert len((await api.get(f"{V1}?archived=all")).json["data"]) == 3


async def test_work_goes_only_into_open_projects_of_ones_own(api: Api, other: Api) -> None:
    theirs, away, mine = await _make(other), await _make(api), await _make(api)
    await api.delete(f"{SEED}/{away['id']}")
    for project_id in (theirs["id"], away["id"], str(new_id())):
        answer = await api.post("/api/v1/generations", image(project_id=project_id))
        assert answer.problem == (422, "INVALID_INPUT", "project_id")
    assert (await api.submit(project_id=mine["id"]))["project_id"] == mine["id"]
    keyed = {"Idempotency-Key": "k"}
    refused = await api.post("/api/v1/generations", image(project_id=away["id"]), headers=keyed)
    assert refused.status == 422
    await api.call("PUT", f"{SEED}/{away['id']}", {"archived": False})
    again = await api.post("/api/v1/generations", image(project_id=away["id"]), headers=keyed)
    assert again.status == 202, "a refusal leaves the key free"


async def test_what_was_spent_is_what_the_ledger_says(api: Api) -> None:
    project, elsewhere = await _make(api), await _make(api)
    made = await api.submit(project_id=project["id"])
    entry = Entry(new_id(), api.account_id, UUID(made["id"]), new_id(), "settle", Nanos(44_999_999))
    own = entry._replace(id=new_id(), submission_id=new_id(), payer="byok")
    async with api.gateway.worker.transaction() as tx:
        await record(tx, [entry, own])
    found = (await api.get(f"{SEED}/{project['id']}")).json["data"]
    assert (found["spent"]["nanos"], found["spent_cents"]) == (44_999_999, 4)
    assert (await api.get(f"{SEED}/{elsewhere['id']}")).json["data"]["spent_cents"] == 0


async def test_deleting_archives_unless_it_is_meant(api: Api) -> None:
    project = await _make(api)
    path = f"{SEED}/{project['id']}"
    tried = (await api.delete(f"{path}?dry_run=true")).json["data"]
    assert (tried["outcome"], tried["goes"]["project"]) == ("none", False)
    done = await api.delete(path)
    assert (done.json["message"], done.json["data"]["outcome"]) == ("Project archived.", "archived")
    assert (await api.get(path)).json["data"]["archived_at"] is not None


async def test_a_deleted_project_leaves_its_work_and_trashes_its_assets(api: Api, painter: Painter) -> None:
    project = await _make(api, name="Towers")
    ended = await api.until_ended((await api.submit(project_id=project["id"]))["id"])
    asset = (await api.get(f"/api/v1/assets?project={project['id']}")).json["data"][0]
    path = f"{V1}/{project['id']}"
    tried = (await api.delete(f"{path}?hard=true&dry_run=true")).json
    assert tried["goes"] == {"project": True, "assets": 1, "bytes": asset["file_size_bytes"]}
    assert tried["stays"]["generations"] == 1
    assert (await api.get(path)).status == 200
    done = await api.delete(f"{path}?hard=true")
    assert done.json == tried | {"outcome": "deleted"}
    assert (await api.get(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.get(f"/api/v1/generations/{ended['id']}")).json["project_id"] is None
    kept = "SELECT project_name FROM generations WHERE id = $1"
    assert await api.gateway.worker.fetchval(kept, ended["id"]) == "Towers"
    trash = (await api.get("/api/v1/assets?deleted=true")).json["data"]
    assert [(one["id"], one["project_id"]) for one in trash] == [(asset["id"], None)]


async def test_a_project_with_unfinished_work_is_not_deleted(api: Api) -> None:
    project = await _make(api)
    await api.submit(project_id=project["id"])
    answer = await api.delete(f"{V1}/{project['id']}?hard=true")
    assert answer.problem[:2] == (409, "CONFLICT")
    assert answer.json["details"]["unfinished"] == 1
    assert (await api.get(f"{V1}/{project['id']}")).status == 200


async def test_who_may_do_what(api: Api, other: Api, nobody: Api) -> None:
    project = await _make(api)
    viewer = await api.with_key(Scope.READ)
    for root in (SEED, V1):
        path, write = f"{root}/{project['id']}", "PUT" if root == SEED else "PATCH"
        asked = [("GET", root, None), ("POST", root, {"name": "x"}), ("GET", path, None),
                 (write, path, {"name": "x"}), ("DELETE", path, None)]  # fmt: skip
        for method, where, body in asked:
            assert (await nobody.call(method, where, body)).problem[:2] == (401, "UNAUTHENTICATED")
            if method != "GET":
                assert (await viewer.call(method, where, body)).problem[:2] == (403, "FORBIDDEN")
            if where == path:
                assert (await other.call(method, where, body)).problem[:2] == (404, "NOT_FOUND")
        assert (await viewer.get(path)).status == 200
    assert (await other.get(SEED)).json["data"] == []
    assert (await api.get(f"{SEED}/{project['id']}")).json["data"] == project
