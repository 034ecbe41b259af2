"""What generations are marked with: their assets' marks, seen and set from both sides."""

import asyncio
import io
import zipfile
from typing import Any

import orjson
import pytest
from PIL import Image
from yarl import URL

from tests.gateway.api import Api, Painter

GENERATIONS = "/api/v1/generations"


@pytest.fixture
async def painted(api: Api, painter: Painter) -> dict[str, Any]:
    """A completed picture."""
    return await api.until_ended((await api.submit())["id"])


async def test_a_generation_and_its_asset_are_marked_alike(api: Api, painted: dict[str, Any]) -> None:
    path = f"{GENERATIONS}/{painted['id']}"
    marked = await api.call("PATCH", path, {"favorite": True, "rating": 4, "tags": ["Hero  Shot"]})
    [output] = marked.json["outputs"]
    assert (output["favorite"], output["rating"], output["tags"]) == (True, 4, ["hero shot"])
    asset = (await api.get(f"/api/v1/assets/{output['asset_id']}")).json
    assert (asset["favorite"], asset["rating"], asset["tags"]) == (True, 4, ["hero shot"])
    await api.call("PATCH", f"/api/v1/assets/{asset['id']}", {"rating": None})
    assert (await api.get(path)).json["outputs"][0]["rating"] is None


async def test_history_is_found_by_its_marks_and_seeds(api: Api, painted: dict[str, Any]) -> None:
    await api.call(
        "PATCH", f"{GENERATIONS}/{painted['id']}", {"favorite": True, "tags": ["fog"], "rating": 3}
    )

    async def found(query: str) -> list[str]:
        return [one["id"] for one in (await api.get(f"{GENERATIONS}?{query}")).json["data"]]

    mine = [painted["id"]]
    # Before the other one is asked for, whose picture may be there at once, and as large.
    assert await found("size={width}x{height}".format(**painted["outputs"][0])) == mine
    other = (await api.submit(input={"prompt": "x", "seed": 77, "size": "640x384"}))["id"]
    assert [await found(q) for q in ("favorite=true", "tag=Fog", "rating=3", f"id={mine[0]}")] == [mine] * 4
    assert [await found(q) for q in ("rating=4", "tag=rain")] == [[], []]
    assert await found("seed=77") == await found("favorite=false") == [other]
    assert await found("size=640x384") == [other]
    assert (await api.get(f"{GENERATIONS}?size=large")).status == 422


async def test_a_mark_changes_the_etag(api: Api, painted: dict[str, Any]) -> None:
    path = f"{GENERATIONS}/{painted['id']}"
    etag = (await api.get(path)).headers["ETag"]
    assert (await api.get(path, headers={"If-None-Match": etag})).status == 304
    await api.call("PATCH", path, {"favorite": True})
    assert (await api.get(path, headers={"If-None-Match": etag})).json["outputs"][0]["favorite"] is True


async def test_what_has_made_nothing_cannot_be_marked(api: Api) -> None:
    waiting = (await api.submit())["id"]
    assert (await api.call("PATCH", f"{GENERATIONS}/{waiting}", {"favorite": True})).problem[:2] == (
        409,
        "CONFLICT",
    )


async def test_other_windows_are_told(api: Api, painted: dict[str, Any]) -> None:
    socket = await api.gateway.http.ws_connect(
        f"{api.gateway.url}/api/v1/ws?topics=generations", headers={"Authorization": f"Bearer {api.key}"}
    )
    async with socket, asyncio.timeout(10):
        while orjson.loads(await socket.receive_str())["type"] != "subscribed":
            pass
        await api.call("PATCH", f"{GENERATIONS}/{painted['id']}", {"favorite": True})
        while (frame := orjson.loads(await socket.receive_str()))["type"] != "assets.changed":
            pass
    assert (frame["data"]["change"], frame["data"]["ids"]) == ("changed", [painted["outputs"][0]["asset_id"]])


async def test_an_asset_is_an_input_by_its_id_and_by_our_own_addresses(
    api: Api, other: Api, painted: dict[str, Any]
) -> None:
    [output] = painted["outputs"]
    link = (await api.post("/api/v1/links", {"generation_id": painted["id"]})).json["url"]
    asset = f"/api/v1/assets/{output['asset_id']}/file"
    for reference in (
        output["asset_id"],
        output["url"],
        URL(output["url"]).path,
        asset,
        URL(link).path,
        link,
    ):
        asked = {"kind": "upscale", "model": "scripted", "input": {"image": reference}}
        assert (await api.post("/api/v1/generations:validate", asked)).status == 200, reference
        refused = await other.post("/api/v1/generations:validate", asked)
        assert refused.problem == (422, "INVALID_INPUT", "input.image"), reference


async def test_a_recipe_makes_it_again(api: Api, painted: dict[str, Any]) -> None:
    answer = await api.get(f"{GENERATIONS}/{painted['id']}/recipe?download=true")
    assert answer.headers["Content-Disposition"].startswith(
        'attachment; filename="a-lighthouse-in-fog.penstock.json"'
    )
    assert (await api.post(GENERATIONS, answer.json["request"])).status == 202


async def test_a_png_carries_its_recipe_only_when_its_owner_asks(api: Api, painted: dict[str, Any]) -> None:
    output = f"{GENERATIONS}/{painted['id']}/outputs/0"
    plain = (await api.get(f"{output}/download")).content
    told = await api.get(f"{output}/download?recipe=true")
    with Image.open(io.BytesIO(plain)) as before, Image.open(io.BytesIO(told.content)) as after:
        assert (before.format, "penstock" in before.info) == ("PNG", False)
        assert after.tobytes() == before.tobytes()
        recipe = orjson.loads(str(after.info["penstock"]))
    assert recipe == (await api.get(f"{GENERATIONS}/{painted['id']}/recipe")).json
    part = await api.get(f"{output}/download?recipe=true", headers={"Range": "bytes=0-99"})
    assert (part.status, part.content) == (200, told.content)
    assert (await api.get(output)).content == plain
    link = (await api.post("/api/v1/links", {"generation_id": painted["id"]})).json["url"]
    shared = await api.get(f"{URL(link).path_qs}&recipe=true")
    assert shared.content == plain


async def test_in_an_archive_each_file_has_its_recipe_beside_it(api: Api, painted: dict[str, Any]) -> None:
    answer = await api.post("/api/v1/assets/zip", {"ids": [painted["outputs"][0]["asset_id"]]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        picture, beside, _ = archive.namelist()
        recipe = orjson.loads(archive.read(beside))
    assert beside == picture.replace(".png", ".penstock.json")
    assert recipe == (await api.get(f"{GENERATIONS}/{painted['id']}/recipe")).json


async def test_a_deleted_generation_comes_back_with_what_went_with_it(
    api: Api, painted: dict[str, Any]
) -> None:
    path = f"{GENERATIONS}/{painted['id']}"
    await api.delete(path)
    assert (await api.get(path)).status == 404
    back = await api.post(f"{path}/restore")
    assert (back.status, back.json["outputs"][0]["asset_id"]) == (200, painted["outputs"][0]["asset_id"])
    await api.delete(f"/api/v1/assets/{painted['outputs'][0]['asset_id']}")
    await api.delete(path)
    assert (await api.post(f"{path}/restore")).json["outputs"][0]["asset_id"] is None
    assert (await api.post(f"{GENERATIONS}/{api.account_id}/restore")).problem[0] == 404
