"""Files by bucket and key: who may read them, what browsers and caches are told, smaller pictures."""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from shared.buckets import Bucket
from shared.domains.variants import variant_key
from shared.links import file_path, signed_path
from shared.media import images
from tests.gateway.api import Api, Painter, picture

CDN = f"/cdn/{Bucket.ASSETS}"


async def _upload(api: Api, content: bytes | None = None, name: str = "fog.png") -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(picture() if content is None else content), filename=name)
    answer = await api.post("/api/v1/uploads:direct", data=form)
    assert answer.status == 201, answer.content
    return {**answer.json, "key": f"users/{api.account_id}/uploads/{answer.json['id']}.png"}


def _signed(api: Api, key: str, seconds: float = 60, bucket: Bucket = Bucket.ASSETS, **options: Any) -> str:
    server_key = api.gateway.deps.settings.secret_key.get_secret_value()
    return signed_path(
        server_key, bucket, key, expires_at=datetime.now(UTC) + timedelta(seconds=seconds), **options
    )


async def test_its_owner_reads_a_file(api: Api) -> None:
    upload = await _upload(api)
    answer = await api.get(f"{CDN}/{upload['key']}")
    assert answer.status == 200
    assert len(answer.content) == upload["bytes"]
    assert answer.headers["ETag"] == f'"{upload["sha256"]}"'
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    head = await api.call("HEAD", f"{CDN}/{upload['key']}")
    assert (head.content, head.headers["Content-Length"]) == (b"", str(upload["bytes"]))
    again = await api.get(f"{CDN}/{upload['key']}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "extra", "status", "first", "last"),
    [
        ("bytes=0-9", {}, 206, 0, 10),
        ("bytes=-7", {}, 206, -7, None),
        ("bytes=5-", {}, 206, 5, None),
        ("bytes=0-3", {"If-Range": '"other"'}, 200, 0, None),
    ],
)
async def test_ranges(
    api: Api, asked: str, extra: dict[str, str], status: int, first: int, last: int | None
) -> None:
    path = f"{CDN}/{(await _upload(api))['key']}"
    whole = (await api.get(path)).content
    answer = await api.get(path, headers={"Range": asked, **extra})
    assert (answer.status, answer.content) == (status, whole[first:last])
    outside = await api.get(path, headers={"Range": "bytes=999999-"})
    assert (outside.status, outside.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")


async def test_strangers_find_nothing(api: Api, other: Api, nobody: Api) -> None:
    path = f"{CDN}/{(await _upload(api))['key']}"
    assert (await nobody.get(path)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await other.get(path)).problem[:2] == (404, "NOT_FOUND")


async def test_a_signed_address_is_for_everybody_until_it_ends(api: Api, nobody: Api) -> None:
    key = (await _upload(api))["key"]
    answer = await nobody.get(_signed(api, key, name="Fóg.png"))
    assert answer.status == 200
    public, age, immutable = answer.headers["Cache-Control"].split(", ")
    assert (public, immutable) == ("public", "immutable")
    assert 0 < int(age.removeprefix("max-age=")) <= 60
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''F%C3%B3g.png")
    over = await nobody.get(_signed(api, key, -1))
    assert over.problem[:2] == (403, "FORBIDDEN")
    assert "expired" in over.json["message"]


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.update_query(exp=int(url.query["exp"]) + 1),
        lambda url: url.update_query(sig="x" * 22),
        lambda url: url.update_query(sig="ß"),
        lambda url: url.update_query(name="other.html"),
        lambda url: url.without_query_params("exp"),
        lambda url: url.with_path(url.path.replace(".png", ".png.w320.webp"), keep_query=True),
        lambda url: url.with_path(url.path.replace("penstock-assets", "r3al-user-media"), keep_query=True),
    ],
)
async def test_an_altered_address_is_refused_to_its_owner_too(api: Api, change: Any) -> None:
    url = URL(api.gateway.url + _signed(api, (await _upload(api))["key"]))
    assert (await api.get(str(change(url)))).problem[:2] == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "path",
    [
        "unknown/users/{me}/x.png",
        "penstock-assets/users/{me}/uploads/none.png",
        "penstock-assets/users/{me}/generations/{me}/0.png",
        "penstock-assets/users/{me}/..%2f..%2fr3al-tactical-secure%2fx",
        "penstock-assets/users/{me}//x.png",
        "penstock-assets/r3al-tactical-secure/departments/1/x.enc",
        "r3al-user-media/users/{me}/profile/none.jpg",
        "r3al-user-media/nfts/x.png",
    ],
)
async def test_there_is_nothing_else(api: Api, path: str) -> None:
    url = URL(f"{api.gateway.url}/cdn/{path.format(me=api.account_id)}", encoded=True)
    async with api.gateway.http.get(url, headers={"Authorization": f"Bearer {api.key}"}) as answer:
        assert answer.status == 404
        assert (await answer.json(content_type=None))["error"] == "NOT_FOUND"


async def test_what_nobody_has_checked_is_not_read(api: Api) -> None:
    begun = await api.post(
        "/api/v1/uploads", {"filename": "a.png", "mime": "image/png", "bytes": len(picture())}
    )
    async with api.gateway.http.put(begun.json["put"]["url"], data=picture()) as put:
        assert put.status == 200
    key = f"users/{api.account_id}/uploads/{begun.json['upload']['id']}.staged"
    assert await api.gateway.deps.store.head(key) is not None
    assert (await api.get(f"{CDN}/{key}")).problem[:2] == (404, "NOT_FOUND")


async def test_tactical_files_have_no_addresses(api: Api) -> None:
    key = f"users/{api.account_id}/message.enc"
    await api.gateway.deps.store.within(Bucket.TACTICAL).put_bytes(key, b"sealed", "application/octet-stream")
    assert (await api.get(f"/cdn/{Bucket.TACTICAL}/{key}")).problem[:2] == (404, "NOT_FOUND")
    with pytest.raises(ValueError, match="no addresses"):
        file_path(Bucket.TACTICAL, key)


@pytest.mark.parametrize(
    ("name", "mime", "shown"),
    [
        ("avatar.jpg", "image/jpeg", True),
        ("notes.txt", "text/plain; charset=utf-8", True),
        ("page.html", "application/octet-stream", False),
        ("drawing.svg", "application/octet-stream", False),
        ("script.js", "application/octet-stream", False),
        ("book.epub", "application/epub+zip", False),
    ],
)
async def test_other_buckets_and_what_browsers_may_show(api: Api, name: str, mime: str, shown: bool) -> None:
    key = f"users/{api.account_id}/profile/{name}"
    await api.gateway.deps.store.within(Bucket.MEDIA).put_bytes(key, b"content", "text/html")
    answer = await api.get(f"/cdn/{Bucket.MEDIA}/{key}?v=2")
    assert (answer.status, answer.content) == (200, b"content")
    assert answer.headers["Content-Type"] == mime
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
    # What may be replaced under its key is asked for again every time.
    assert answer.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": answer.headers["ETag"]}
    assert (await api.get(f"/cdn/{Bucket.MEDIA}/{key}", headers=known)).status == 304


async def test_a_link_to_an_output_and_its_thumbnail(
    api: Api, nobody: Api, other: Api, painter: Painter
) -> None:
    ended = await api.until_ended((await api.submit())["id"])
    asked = {"generation_id": ended["id"], "expires_in_s": 3600}
    made = await api.post("/api/v1/links", asked)
    assert made.status == 201
    path = made.json["url"].removeprefix(api.gateway.deps.settings.base_url)
    shared = await nobody.get(path)
    assert shared.content == picture()
    assert 'filename="a-lighthouse-in-fog-0.png"' in shared.headers["Content-Disposition"]
    thumbnail = f"{CDN}/users/{api.account_id}/generations/{ended['id']}/0.thumb.webp"
    assert (await api.get(thumbnail)).headers["Content-Type"] == "image/webp"
    assert (await other.post("/api/v1/links", asked)).problem[:2] == (404, "NOT_FOUND")
    assert (await nobody.post("/api/v1/links", asked)).problem[:2] == (401, "UNAUTHENTICATED")


async def test_a_link_ends_with_its_file(api: Api, nobody: Api) -> None:
    upload = await _upload(api)
    path = URL((await api.post("/api/v1/links", {"upload_id": upload["id"]})).json["url"]).raw_path_qs
    assert (await nobody.get(path)).status == 200
    await api.delete(f"/api/v1/uploads/{upload['id']}")
    assert (await nobody.get(path)).problem[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"generation_id": str(UUID(int=1)), "upload_id": str(UUID(int=1))}, "body"),
        ({"upload_id": str(UUID(int=1)), "expires_in_s": 31 * 86_400}, "expires_in_s"),
    ],
)
async def test_a_link_that_cannot_be(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post("/api/v1/links", body)).problem == (422, "INVALID_INPUT", field)


async def test_a_smaller_picture_is_made_once_and_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = await _upload(api, picture(1000))
    executor, calls = api.gateway.deps.executor, 0
    call = type(executor).call

    async def counted(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return await call(*args, **options)

    monkeypatch.setattr(type(executor), "call", counted)
    path = f"{CDN}/{upload['key']}?w=320"
    answers = await asyncio.gather(*(api.get(path) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert calls == 1
    assert {answer.headers["Content-Type"] for answer in answers} == {"image/webp"}
    made = Image.open(io.BytesIO(answers[0].content))
    assert (made.format, made.size) == ("WEBP", (320, 320))
    assert (await api.get(path)).content == answers[0].content
    assert calls == 1
    assert answers[0].headers["ETag"] == f'"{upload["sha256"]}-w320"'
    part = await api.get(path, headers={"Range": "bytes=0-3"})
    assert (part.status, part.content) == (206, b"RIFF")
    await api.delete(f"/api/v1/uploads/{upload['id']}")
    assert await api.gateway.deps.store.head(variant_key(upload["key"], 320)) is None


async def test_a_picture_is_never_made_larger(api: Api) -> None:
    upload = await _upload(api)
    answer = await api.get(f"{CDN}/{upload['key']}?w=640")
    assert (answer.headers["Content-Type"], len(answer.content)) == ("image/png", upload["bytes"])
    turned = Image.Exif()
    turned[images.ORIENTATION_TAG] = 6
    lying = io.BytesIO()
    Image.new("RGB", (400, 800)).save(lying, "JPEG", exif=turned)
    assert Image.open(io.BytesIO(images.narrowed(lying.getvalue(), 640))).size == (640, 320)
    assert Image.open(io.BytesIO(images.narrowed(lying.getvalue(), 1280))).size == (800, 400)


async def test_widths_that_are_not_offered(api: Api) -> None:
    upload = await _upload(api)
    for path in (f"{CDN}/{upload['key']}?w=100", f"{CDN}/{upload['key']}?w=wide"):
        assert (await api.get(path)).problem == (422, "INVALID_INPUT", "w")
    key = f"users/{api.account_id}/notes.txt"
    await api.gateway.deps.store.within(Bucket.WRITING).put_bytes(key, b"text", "text/plain")
    assert (await api.get(f"/cdn/{Bucket.WRITING}/{key}?w=320")).problem == (422, "INVALID_INPUT", "w")
    broken = f"users/{api.account_id}/broken.png"
    await api.gateway.deps.store.within(Bucket.MEDIA).put_bytes(broken, b"no picture", "image/png")
    answer = await api.get(f"/cdn/{Bucket.MEDIA}/{broken}?w=320")
    assert answer.problem == (415, "UNSUPPORTED_MEDIA", "w")
