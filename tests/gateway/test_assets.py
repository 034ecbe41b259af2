"""The library: what comes into it, how it is found, what is done with it, how it leaves."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import orjson
import pytest
from yarl import URL

from shared.domains import retention
from shared.domains.accounts import Scope
from shared.ids import new_id
from tests.gateway.api import Api, Painter, picture

SEED = "/api/assets"
V1 = "/api/v1/assets"

_INSERT = """
INSERT INTO assets (id, user_id, type, kind, name, file_url, file_size_bytes, mime, prompt, model, seed, width,
    height, tags, favorite, rating, project_id, created_at)
VALUES ($1, $2, $3::text, $3::text, $4, $5, 10, 'image/png', $6, $7, $8, $9, 576, $10, $11, $12, $13,
    coalesce($14, now()))
"""


async def _put(api: Api, name: str = "x", **given: Any) -> str:
    """An asset straight into the table, with an object if it is `stored`; returns its id."""
    asset_id, key = new_id(), f"users/{api.account_id}/{new_id()}.png"
    if given.get("stored"):
        await api.gateway.deps.store.put_bytes(key, b"picture of " + name.encode(), "image/png")
    await api.gateway.worker.execute(
        _INSERT, asset_id, api.account_id, given.get("type", "image"), name, key, given.get("prompt"),
        given.get("model"), given.get("seed"), given.get("width", 1024), given.get("tags", []),
        given.get("favorite", False), given.get("rating", 0), given.get("project_id"), given.get("created_at"),
    )  # fmt: skip
    return str(asset_id)


def _path(url: str) -> str:
    """The path of a link of ours: tests reach the gateway at another port."""
    return URL(url).path


async def _upload(api: Api) -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(picture()), filename="cat.png", content_type="image/png")
    upload: dict[str, Any] = (await api.post("/api/v1/uploads:direct", data=form)).json
    return upload


async def _ids(api: Api, query: str = "") -> list[str]:
    answer = await api.get(f"{V1}?{query}")
    assert answer.status == 200, answer.content
    return [asset["id"] for asset in answer.json["data"]]


@pytest.fixture
async def made(api: Api, painter: Painter) -> dict[str, Any]:
    """The asset of a completed generation."""
    asked = {"prompt": "a lighthouse in fog", "seed": 4711}
    ended = await api.until_ended((await api.submit(input=asked))["id"])
    (asset,) = (await api.get(f"{V1}?generation={ended['id']}")).json["data"]
    return dict(asset)


async def test_every_output_is_an_asset(api: Api, made: dict[str, Any]) -> None:
    output = (await api.get(f"/api/v1/generations/{made['generation_id']}")).json["outputs"][0]
    for name, column in (
        ("sha256", "sha256"),
        ("bytes", "file_size_bytes"),
        ("width", "width"),
        ("n", "output"),
    ):
        assert made[column] == output[name]
    assert (made["type"], made["kind"], made["file_format"], made["seed"]) == ("image", "image", "png", 4711)
    assert (made["name"], made["prompt"], made["model"]) == (
        "a lighthouse in fog",
        "a lighthouse in fog",
        "scripted",
    )
    assert (made["provider"], made["provider_model"]) == ("scripted", "scripted-image")
    file = await api.get(_path(made["file_url"]))
    assert (file.content, file.headers["Content-Type"]) == (picture(), "image/png")
    assert (await api.get(_path(made["thumbnail_url"]))).headers["Content-Type"] == "image/webp"


async def test_an_asset_in_the_envelope(api: Api) -> None:
    asset_id = await _put(api, "Tower")
    listed = (await api.get(f"{SEED}/")).json
    assert (listed["success"], listed["message"]) == (True, "Assets found: 1.")
    (asset,) = listed["data"]
    for path in (f"{SEED}/{asset_id}", f"{SEED}/{asset_id}/"):
        assert (await api.get(path)).json["data"] == asset
    assert (await api.get(f"{V1}/{asset_id}")).json == asset
    changes = {"name": "Beacon", "favorite": True, "tags": ["Hero  Shot", "fog", "hero shot"], "rating": 4}
    changed = (await api.call("PUT", f"{SEED}/{asset_id}", changes)).json["data"]
    assert changed["tags"] == ["fog", "hero shot"]
    assert (changed["name"], changed["favorite"], changed["rating"]) == ("Beacon", True, 4)
    unrated = await api.call("PATCH", f"{V1}/{asset_id}", {"rating": None, "metadata": {"a": 1}})
    assert (unrated.json["rating"], unrated.json["metadata"], unrated.json["name"]) == (
        None,
        {"a": 1},
        "Beacon",
    )
    gone = (await api.delete(f"{SEED}/{asset_id}")).json["data"]
    assert gone["restorable_until"] > gone["deleted_at"]
    assert (await api.get(f"{SEED}/{asset_id}")).problem[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=lighthouse", "ab"),
        ("q=light", "ab"),
        ("q=lighthouse fog", "a"),
        ('q="red lighthouse"', "b"),
        ("q=lighthouse -fog", "b"),
        ("q=hero", "a"),
        ("q=flux-2", "b"),
        ("q=4711", "c"),
        ("q=800x576", "c"),
        ("q=2026-11-20", "b"),
        ("q=!!! ' \\ %26 | : (", ""),
        ("q=foo.com/a'b' it's \"open x@y.z :*", ""),
        ("q=nothing", ""),
        ("type=video", "c"),
        ("type=video,image&favorite=true", "b"),
        ("favorite=false", "ac"),
        ("tag=hero", "a"),
        ("tag=hero,fog", "a"),
        ("tag=hero&tag=none", ""),
        ("model=flux-2", "b"),
        ("seed=4711", "c"),
        ("seed=47", ""),
        ("model=LUX", "b"),
        ("model=--", ""),
        ("rating=3", "b"),
        ("created_before=2026-12-01T00:00:00Z", "b"),
        ("created_after=2026-12-01T00:00:00Z", "ac"),
        ("project=none", "abc"),
        ("archived=true", ""),
        ("deleted=true", ""),
    ],
)
async def test_what_a_search_finds(api: Api, query: str, found: str) -> None:
    now = datetime(2026, 12, 24, tzinfo=UTC)
    ids = {
        "a": await _put(api, "a", prompt="A Lighthouse in fog", tags=["fog", "hero"], created_at=now),
        "b": await _put(api, "b", prompt="the red lighthouse <b", model="flux-2", favorite=True, rating=4,
                        created_at=datetime(2026, 11, 20, 23, 59, tzinfo=UTC)),
        "c": await _put(api, "c", type="video", seed=4711, width=800, created_at=now),
    }  # fmt: skip
    assert sorted(await _ids(api, query)) == sorted(ids[name] for name in found)


async def test_pages_in_each_order(api: Api) -> None:
    ids = [await _put(api, f"n{n}", rating=rating) for n, rating in enumerate((0, 5, 3, 5))]
    wanted = {"newest": ids[::-1], "oldest": ids, "rating": [ids[3], ids[1], ids[2], ids[0]]}
    for sort, order in wanted.items():
        seen, path = [], f"{V1}?sort={sort}&limit=3"
        first = (await api.get(path)).json
        seen = first["data"] + (await api.get(f"{path}&after={first['next']}")).json["data"]
        assert [asset["id"] for asset in seen] == order, sort
    moved = await api.get(f"{V1}?sort=oldest&after={first['next']}")
    assert moved.problem == (422, "INVALID_INPUT", "after")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rating": 6}, "rating"),
        ({"rating": 0}, "rating"),
        ({"tags": ["x" * 61]}, "tags.0"),
        ({"tags": [f"t{n}" for n in range(51)]}, "tags"),
        ({"name": ""}, "name"),
        ({"project_id": str(new_id())}, "project_id"),
        ({"file_url": "users/other"}, "file_url"),
    ],
)
async def test_a_wrong_change_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    asset_id = await _put(api)
    assert (await api.call("PUT", f"{SEED}/{asset_id}", body)).problem == (422, "INVALID_INPUT", field)


async def test_many_at_once(api: Api, other: Api) -> None:
    ids = [await _put(api, f"n{n}", tags=["old"]) for n in range(2)]
    project = (await api.post("/api/projects", {"name": "Towers"})).json["data"]["id"]
    theirs, unknown = await _put(other), str(new_id())

    async def act(action: str, **given: Any) -> tuple[int, list[str]]:
        answer = await api.post(f"{V1}/bulk", {"ids": [*ids, theirs, unknown], "action": action, **given})
        assert answer.status == 200, answer.content
        return answer.json["changed"], answer.json["missing"]

    for action, given, query in (
        ("tag", {"tags": ["New"]}, "tag=old,new"),
        ("untag", {"tags": ["old"]}, "tag=new"),
        ("favorite", {}, "favorite=true"),
        ("unfavorite", {}, "favorite=false"),
        ("move", {"project_id": project}, f"project={project}"),
        ("move", {"project_id": None}, "project=none"),
        ("archive", {}, "archived=true"),
        ("unarchive", {}, ""),
        ("delete", {}, "deleted=true"),
        ("restore", {}, ""),
    ):
        assert await act(action, **given) == (2, [theirs, unknown]), action
        assert sorted(await _ids(api, query)) == sorted(ids), action
    assert await _ids(api, "tag=old") == []
    (untouched,) = (await other.get(V1)).json["data"]
    assert (untouched["tags"], untouched["favorite"], untouched["deleted_at"]) == ([], False, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ids": [], "action": "favorite"}, "ids"),
        ({"ids": [str(new_id())], "action": "burn"}, "action"),
        ({"ids": [str(new_id())], "action": "tag"}, "body"),
        ({"ids": [str(new_id())], "action": "favorite", "tags": ["x"]}, "body"),
        ({"ids": [str(new_id())], "action": "move"}, "body"),
        ({"ids": [str(new_id())], "action": "move", "project_id": str(new_id())}, "project_id"),
    ],
)
async def test_a_wrong_bulk_action_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(f"{V1}/bulk", body)).problem == (422, "INVALID_INPUT", field)


async def test_nobody_moves_into_the_project_of_another(api: Api, other: Api) -> None:
    theirs = (await other.post("/api/projects", {"name": "Theirs"})).json["data"]["id"]
    asset_id = await _put(api)
    moved = await api.post(f"{V1}/bulk", {"ids": [asset_id], "action": "move", "project_id": theirs})
    assert moved.problem == (422, "INVALID_INPUT", "project_id")


async def test_an_upload_becomes_an_asset_once(api: Api, other: Api) -> None:
    upload = await _upload(api)
    asked = {"upload_id": upload["id"], "tags": ["Reference"]}
    assert (await other.post(V1, asked)).problem == (422, "INVALID_INPUT", "upload_id")
    first, again = await api.post(V1, asked), await api.post(V1, asked)
    assert (first.status, again.status, first.json) == (201, 200, again.json)
    asset = first.json
    assert (asset["type"], asset["name"], asset["tags"]) == ("image", "cat.png", ["reference"])
    assert len((await api.get(_path(asset["file_url"]))).content) == upload["bytes"]
    assert (await api.delete(f"/api/v1/uploads/{upload['id']}")).problem[:2] == (409, "CONFLICT")
    await api.delete(f"{V1}/{asset['id']}")
    assert (await api.post(V1, asked)).problem[:2] == (409, "CONFLICT")


async def test_a_zip_holds_the_files_and_what_is_known_of_them(api: Api, other: Api) -> None:
    ids = [await _put(api, name, stored=name != "lost") for name in ("Red fóx / 1", "blue", "lost")]
    theirs = await _put(other)
    answer = await api.post(f"{V1}/zip", {"ids": [*ids, theirs]})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        described = orjson.loads(archive.read("metadata.json"))
        files = [asset["file"] for asset in described["assets"]]
        assert archive.namelist() == [*files[:2], "metadata.json"]
        assert archive.read(files[0]) == "picture of Red fóx / 1".encode()
    assert files == [f"red-f-x-1-{ids[0][-8:]}.bin", f"blue-{ids[1][-8:]}.bin", None]
    assert ([asset["id"] for asset in described["assets"]], described["missing"]) == (ids, [theirs])
    assert (await api.post(f"{V1}/zip", {"ids": [theirs]})).problem[:2] == (404, "NOT_FOUND")


async def test_a_deleted_generation_takes_its_assets_along(api: Api, made: dict[str, Any]) -> None:
    assert (await api.delete(f"/api/v1/generations/{made['generation_id']}")).status == 204
    assert (await api.get(f"{V1}/{made['id']}")).status == 404
    restored = await api.post(f"{V1}/{made['id']}/restore")
    assert (restored.status, restored.json["deleted_at"]) == (200, None)
    assert (await api.get(_path(made["file_url"]))).content == picture()


async def test_the_trash_is_emptied_after_thirty_days(api: Api, made: dict[str, Any]) -> None:
    db, store = api.gateway.worker, api.gateway.deps.store
    young = await _put(api)
    keys = await db.fetchrow("SELECT file_url, thumbnail_url FROM assets WHERE id = $1", UUID(made["id"]))
    assert keys is not None
    await api.post(f"{V1}/bulk", {"ids": [made["id"], young], "action": "delete"})
    await db.execute(
        "UPDATE assets SET deleted_at = now() - interval '30 days 1 minute' WHERE id = $1", UUID(made["id"])
    )
    assert (await api.post(f"{V1}/{made['id']}/restore")).problem[:2] == (404, "NOT_FOUND")
    assert await retention.purge(db, store) == 1
    assert [await store.head(key) for key in keys] == [None, None]
    assert await _ids(api, "deleted=true") == [young]
    assert (await api.get(f"/api/v1/generations/{made['generation_id']}")).json["outputs"] == []
    assert (await api.post(f"{V1}/{young}/restore")).status == 200


async def test_retention_spares_what_is_dear(api: Api, other: Api) -> None:
    async def old(client: Api, name: str, **given: Any) -> str:
        asset_id = await _put(client, name, **given)
        # The id says when it was made, as does the column.
        aged = f"{1_700_000_000_000:012x}"
        old_id = UUID(aged + UUID(asset_id).hex[12:])
        await client.gateway.worker.execute(
            "UPDATE assets SET id = $2, created_at = now() - interval '40 days' WHERE id = $1",
            UUID(asset_id),
            old_id,
        )
        return str(old_id)

    old_one, old_film = await old(api, "old"), await old(api, "film", type="video")
    kept = [await old(api, "dear", favorite=True), await old(api, "shown"), await _put(api, "young")]
    await api.call("PATCH", f"{V1}/{kept[1]}", {"published": True})
    theirs = await old(other, "theirs")
    tried = {
        "rules": [{"older_than_days": 30, "type": "video"}, {"older_than_days": 30}, {"older_than_days": 50}]
    }
    report = (await api.post("/api/v1/retention/report", tried)).json
    assert [rule["assets"] for rule in report["rules"]] == [1, 2, 0]
    assert report["total"] == {"assets": 2, "bytes": 20}
    assert sorted(report["sample"]) == sorted([old_one, old_film])
    assert (await api.get("/api/v1/retention")).json == {"rules": []}
    assert (await api.post("/api/v1/retention/report")).json["total"]["assets"] == 0
    in_force = {"rules": [{"older_than_days": 30, "type": None}]}
    assert (await api.call("PUT", "/api/v1/retention", in_force)).json == in_force
    assert (await api.get("/api/v1/retention")).json == in_force
    await retention.retire(api.gateway.worker)
    assert sorted(await _ids(api, "deleted=true")) == sorted([old_one, old_film])
    assert sorted(await _ids(api)) == sorted(kept)
    assert await _ids(other) == [theirs]
    await api.post(f"{V1}/{old_one}/restore")
    await retention.retire(api.gateway.worker)
    assert await _ids(api, "deleted=true") == [old_film], "what was taken back is young again"


async def test_who_may_do_what(api: Api, other: Api, nobody: Api) -> None:
    asset_id = await _put(api)
    viewer = await api.with_key(Scope.READ)
    mine = {"ids": [asset_id]}
    asked: list[tuple[str, str, Any, bool]] = [
        ("GET", SEED, None, False), ("GET", f"{SEED}/{asset_id}", None, False),
        ("PUT", f"{SEED}/{asset_id}", {"name": "x"}, True), ("DELETE", f"{SEED}/{asset_id}", None, True),
        ("GET", V1, None, False), ("GET", f"{V1}/{asset_id}", None, False),
        ("GET", f"{V1}/{asset_id}/file", None, False), ("GET", f"{V1}/{asset_id}/thumbnail", None, False),
        ("PATCH", f"{V1}/{asset_id}", {"name": "x"}, True), ("DELETE", f"{V1}/{asset_id}", None, True),
        ("POST", f"{V1}/{asset_id}/restore", None, True), ("POST", f"{V1}/zip", mine, False),
        ("POST", f"{V1}/bulk", mine | {"action": "delete"}, True),
        ("PUT", "/api/v1/retention", {"rules": []}, True), ("GET", "/api/v1/retention", None, False),
        ("POST", V1, {"upload_id": asset_id}, True), ("POST", "/api/v1/retention/report", None, False),
    ]  # fmt: skip
    for method, path, body, writes in asked:
        assert (await nobody.call(method, path, body)).problem[:2] == (401, "UNAUTHENTICATED"), path
        if writes:
            assert (await viewer.call(method, path, body)).problem[:2] == (403, "FORBIDDEN"), path
        if asset_id in path or path.endswith("/zip"):
            assert (await other.call(method, path, body)).problem[:2] == (404, "NOT_FOUND"), path
    assert await _ids(other) == []
    assert await _ids(api) == [asset_id]
