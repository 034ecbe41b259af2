"""Room for files: what is counted, and what is refused when it is used up."""

import asyncio
import io

import aiohttp
import pytest

from tests.gateway.api import Api, Painter, Response, image, picture

UPLOADS = "/api/v1/uploads"


async def _limit(api: Api, limit: int | None) -> None:
    await api.gateway.worker.execute(
        "UPDATE accounts SET storage_limit_bytes = $2 WHERE id = $1", api.account_id, limit
    )


async def _send(api: Api, side: int = 32) -> Response:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(picture(side)), filename="a.png")
    return await api.post("/api/v1/uploads:direct", data=form)


async def test_what_is_kept_is_counted(api: Api, other: Api, nobody: Api, painter: Painter) -> None:
    ended = await api.until_ended((await api.submit())["id"])
    upload = (await _send(api)).json
    await api.post(UPLOADS, {"filename": "b.png", "mime": "image/png", "bytes": 1000})
    output, kept = ended["outputs"][0]["bytes"], upload["bytes"]
    assert (await api.get("/api/v1/storage")).json == {
        "used_bytes": output + kept + 1000,
        "limit_bytes": None,
        "left_bytes": None,
        "outputs": {"files": 1, "bytes": output},
        "uploads": {"files": 1, "bytes": kept},
        "pending_bytes": 1000,
    }
    await _limit(api, 10**9)
    assert (await api.get("/api/v1/storage")).json["left_bytes"] == 10**9 - output - kept - 1000
    await api.delete(f"{UPLOADS}/{upload['id']}")
    assert (await api.get("/api/v1/storage")).json["uploads"] == {"files": 0, "bytes": 0}
    assert (await other.get("/api/v1/storage")).json["used_bytes"] == 0
    assert (await nobody.get("/api/v1/storage")).problem[:2] == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("multipart", [False, True])
async def test_an_announced_upload_that_does_not_fit(api: Api, multipart: bool) -> None:
    await _limit(api, 5000)
    asked = {"filename": "a.png", "mime": "image/png", "bytes": 3000, "multipart": multipart}
    assert (await api.post(UPLOADS, asked)).status == 201
    refused = await api.post(UPLOADS, asked)
    assert refused.problem[:2] == (429, "QUOTA_EXCEEDED")
    assert refused.json["details"] == {
        "scope": "storage", "limit_bytes": 5000, "used_bytes": 3000, "left_bytes": 2000, "needed_bytes": 3000,
    }  # fmt: skip
    assert "2.0 kB of your 4.9 kB" in refused.json["message"]


async def test_many_at_once_never_take_more_than_there_is(api: Api) -> None:
    size = (await _send(api)).json["bytes"]
    await _limit(api, 4 * size)
    answers = await asyncio.gather(*(_send(api) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [429] * 5
    usage = (await api.get("/api/v1/storage")).json
    assert (usage["used_bytes"], usage["left_bytes"]) == (4 * size, 0)


async def test_a_presigned_upload_that_grew_is_refused_until_there_is_room(api: Api) -> None:
    size = (await _send(api, 500)).json["bytes"]
    await _limit(api, size + 100)
    begun = (await api.post(UPLOADS, {"filename": "a.png", "mime": "image/png", "bytes": 50})).json
    async with api.gateway.http.put(begun["put"]["url"], data=picture(500)) as put:
        assert put.status == 200
    path = f"{UPLOADS}/{begun['upload']['id']}"
    assert (await api.post(f"{path}/complete")).problem[:2] == (429, "QUOTA_EXCEEDED")
    assert (await api.get(path)).json["status"] == "pending"
    await _limit(api, None)
    assert (await api.post(f"{path}/complete")).json["status"] == "ready"


async def test_a_full_account_makes_nothing_more_until_it_deletes(api: Api) -> None:
    upload = (await _send(api)).json
    await _limit(api, upload["bytes"])
    refused = await api.post("/api/v1/generations", image())
    assert refused.problem[:2] == (429, "QUOTA_EXCEEDED")
    assert refused.json["details"]["left_bytes"] == 0
    assert (await api.post("/api/v1/generations:estimate", image())).json["refusal"][
        "error"
    ] == "QUOTA_EXCEEDED"
    await api.delete(f"{UPLOADS}/{upload['id']}")
    assert (await api.post("/api/v1/generations", image())).status == 202
