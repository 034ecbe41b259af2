"""Uploads over HTTP: what is accepted, what is refused, and what becomes of it."""

import io
import struct
import zlib
from typing import Any

import aiohttp
import pytest
from PIL import Image

from shared.storage import StorageError
from tests.emulators.media import sound, video
from tests.gateway.api import Api, Response, image, picture

DIRECT = "/api/v1/uploads:direct"
UPLOADS = "/api/v1/uploads"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


async def _send(
    api: Api, content: bytes, name: str = "a.png", field: str = "file", **options: Any
) -> Response:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field(field, io.BytesIO(content), filename=name, content_type="image/png")
    return await api.post(DIRECT, data=form, **options)


async def _stored(api: Api, upload_id: str) -> bytes:
    key = await api.gateway.worker.fetchval("SELECT key FROM uploads WHERE id = $1", upload_id)
    return await api.gateway.deps.store.get_bytes(key)


def _png_of(width: int, height: int) -> bytes:
    """A PNG that claims this size, its pixels a few compressed zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


async def test_a_picture_is_cleaned_and_can_be_an_input(api: Api) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET CAMERA"
    answer = await _send(api, picture(form="JPEG", exif=exif), "Holiday.PNG")
    upload = answer.json
    assert answer.status == 201
    assert (upload["status"], upload["mime"], upload["width"], upload["filename"]) == (
        "ready",
        "image/jpeg",
        32,
        "Holiday.PNG",
    )
    stored = await _stored(api, upload["id"])
    assert b"SECRET CAMERA" not in stored
    assert len(stored) == upload["bytes"]
    used = await api.post("/api/v1/generations", image(kind="upscale", input={"image": upload["id"]}))
    assert used.status == 202


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (SVG, "a.svg", 415, "UNSUPPORTED_MEDIA"),
        (SVG, "a.png", 415, "UNSUPPORTED_MEDIA"),
        (b"<!doctype html><script>alert(1)</script>", "a.png", 415, "UNSUPPORTED_MEDIA"),
        (b"%PDF-1.7 " + b"x" * 600, "a.png", 415, "UNSUPPORTED_MEDIA"),
        (b"PK\x03\x04" + b"x" * 600, "a.png", 415, "UNSUPPORTED_MEDIA"),
        (b"MZ\x90\x00" + b"x" * 600, "a.png", 415, "UNSUPPORTED_MEDIA"),
        (b"", "a.png", 422, "INVALID_INPUT"),
        (picture()[:60], "a.png", 422, "INVALID_INPUT"),
        (_png_of(30_000, 30_000), "bomb.png", 413, "PAYLOAD_TOO_LARGE"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * (1 << 20), "a.png", 413, "PAYLOAD_TOO_LARGE"),
        (b"RIFF\x24\0\0\0WAVEfmt " + b"\xff" * 400, "a.wav", 422, "INVALID_INPUT"),
    ],
)
async def test_a_file_that_is_not_accepted(
    api: Api, content: bytes, name: str, status: int, code: str
) -> None:
    assert (await _send(api, content, name)).problem == (status, code, "file")
    assert (
        await api.gateway.worker.fetchval(
            "SELECT count(*) FROM uploads WHERE account_id = $1", api.account_id
        )
        == 0
    )


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/abs/olute.png", "olute.png"),
        ("..", "upload"),
        (".htaccess", "htaccess"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
        ("ünïcode fox.png", "ünïcode fox.png"),
    ],
)
async def test_path_tricks_in_names_come_to_nothing(api: Api, name: str, kept: str) -> None:
    upload = (await _send(api, picture(), name)).json
    assert upload["filename"] == kept
    key = await api.gateway.worker.fetchval("SELECT key FROM uploads WHERE id = $1", upload["id"])
    assert key == f"users/{api.account_id}/uploads/{upload['id']}.png"


async def test_only_the_field_file_is_taken(api: Api) -> None:
    assert (await _send(api, picture(), field="image")).problem == (422, "INVALID_INPUT", "image")
    assert (await api.post(DIRECT, {"file": "x"})).problem[:2] == (415, "UNSUPPORTED_MEDIA")
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await api.post(DIRECT, data=b"not multipart at all", headers=broken)).problem[0] in {400, 422}
    nameless = {"Content-Type": "multipart/form-data"}
    assert (await api.post(DIRECT, data=b"--x", headers=nameless)).problem[:2] == (400, "INVALID_INPUT")


def _parts(*parts: bytes) -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts)


HEAD = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
OTHER = b'Content-Disposition: form-data; name="folder"\r\n\r\n../'


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (_parts(HEAD + picture(), OTHER) + b"--x--\r\n", 422, "folder"),
        (_parts(HEAD + picture(), HEAD + picture()) + b"--x--\r\n", 422, "file"),
        (b"--x\r\n" + HEAD + picture(), 400, None),
        (b"--x\r\ngarbage", 400, None),
        (b"--x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n--x--\r\n", 400, None),
        (_parts(HEAD.replace(b"a.png", b"a\0.png") + picture()) + b"--x--\r\n", 400, None),
    ],
)
async def test_a_form_of_anything_but_one_whole_file(
    api: Api, body: bytes, status: int, field: str | None
) -> None:
    sent = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await api.post(DIRECT, data=body, headers=sent)).problem == (status, "INVALID_INPUT", field)
    count = "SELECT count(*) FROM uploads WHERE account_id = $1"
    assert await api.gateway.worker.fetchval(count, api.account_id) == 0


async def _put(api: Api, url: str, content: bytes) -> None:
    async with api.gateway.http.put(url, data=io.BytesIO(content)) as answer:
        assert answer.status == 200


async def test_a_presigned_upload(api: Api) -> None:
    content = picture()
    begun = await api.post(UPLOADS, {"filename": "a.png", "mime": "image/png", "bytes": len(content)})
    upload, put = begun.json["upload"], begun.json["put"]
    path = f"{UPLOADS}/{upload['id']}"
    assert (begun.status, upload["status"], put["method"]) == (201, "pending", "PUT")
    assert begun.headers["Location"] == path
    assert (await api.post(f"{path}/complete")).problem[:2] == (409, "CONFLICT")
    await _put(api, put["url"], content)
    done = await api.post(f"{path}/complete")
    assert (done.status, done.json["status"], done.json["width"]) == (200, "ready", 32)
    assert (await api.post(f"{path}/complete")).content == done.content
    stored = await _stored(api, upload["id"])
    await _put(api, put["url"], SVG)
    assert await _stored(api, upload["id"]) == stored


async def test_completing_again_after_an_outage_finds_the_bytes(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> int:
        raise StorageError("no answer")

    begun = await api.post(UPLOADS, {"filename": "a.png", "mime": "image/png", "bytes": len(picture())})
    complete = f"{UPLOADS}/{begun.json['upload']['id']}/complete"
    await _put(api, begun.json["put"]["url"], picture())
    with monkeypatch.context() as outage:
        outage.setattr(api.gateway.deps.store, "put_stream", fail)
        assert (await api.post(complete)).problem[:2] == (503, "UNAVAILABLE")
    assert (await api.post(complete)).json["status"] == "ready"


async def test_a_presigned_upload_of_something_else_is_rejected(api: Api) -> None:
    begun = await api.post(UPLOADS, {"filename": "a.png", "mime": "image/png", "bytes": len(SVG)})
    path = f"{UPLOADS}/{begun.json['upload']['id']}"
    await _put(api, begun.json["put"]["url"], SVG)
    assert (await api.post(f"{path}/complete")).problem == (415, "UNSUPPORTED_MEDIA", "file")
    assert (await api.get(path)).json["status"] == "rejected"
    assert (await api.post(f"{path}/complete")).problem[:2] == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"mime": "image/svg+xml"}, 415, "UNSUPPORTED_MEDIA", "mime"),
        ({"mime": "application/zip"}, 415, "UNSUPPORTED_MEDIA", "mime"),
        ({"bytes": 2 << 20}, 413, "PAYLOAD_TOO_LARGE", "bytes"),
        ({"bytes": 0}, 422, "INVALID_INPUT", "bytes"),
        ({"bytes": "many"}, 422, "INVALID_INPUT", "bytes"),
        ({"filename": ""}, 422, "INVALID_INPUT", "filename"),
        ({"key": "users/other"}, 422, "INVALID_INPUT", "key"),
    ],
)
async def test_a_wrong_beginning_is_refused(
    api: Api, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = await api.post(UPLOADS, {"filename": "a.png", "mime": "image/png", "bytes": 10} | change)
    assert answer.problem == (status, code, field)


async def test_a_deleted_upload_is_gone(api: Api, other: Api) -> None:
    upload = (await _send(api, picture())).json
    path = f"{UPLOADS}/{upload['id']}"
    assert (await other.get(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await other.delete(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.delete(path)).status == 204
    assert (await api.get(path)).problem[:2] == (404, "NOT_FOUND")
    assert await api.gateway.deps.store.head(f"users/{api.account_id}/uploads/{upload['id']}.png") is None


async def test_an_upload_with_a_key_is_made_once(api: Api) -> None:
    sent = {"Idempotency-Key": "k"}
    first, again = [await _send(api, picture(), headers=sent) for _ in range(2)]
    assert first.json["id"] == again.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("content", "name", "there"),
    [
        (picture(), "a.png", {"thumbnail_url"}),
        (video(), "a.mp4", {"thumbnail_url", "poster_url"}),
        (sound("mp3"), "a.mp3", {"peaks_url"}),
    ],
)
async def test_an_upload_has_what_outputs_have_to_be_shown(
    api: Api, content: bytes, name: str, there: set[str]
) -> None:
    sent = (await _send(api, content, name)).json
    shown = {part: sent[part] for part in ("thumbnail_url", "poster_url", "peaks_url") if sent[part]}
    assert shown.keys() == there
    for url in shown.values():
        file = await api.get(url.removeprefix(api.gateway.deps.settings.base_url))
        assert (file.status, bool(file.content)) == (200, True)
    asset = (await api.post("/api/v1/assets", {"upload_id": sent["id"]})).json
    assert bool(asset["thumbnail_url"]) == ("thumbnail_url" in there)
    if asset["thumbnail_url"]:
        path = asset["thumbnail_url"].removeprefix(api.gateway.deps.settings.base_url)
        assert (await api.get(path)).headers["Content-Type"] == "image/webp"


async def test_what_was_made_of_an_upload_goes_with_it(api: Api) -> None:
    sent = (await _send(api, picture())).json
    key = await api.gateway.worker.fetchval("SELECT thumbnail_key FROM uploads WHERE id = $1", sent["id"])
    assert await api.gateway.deps.store.head(key) is not None
    assert (await api.delete(f"{UPLOADS}/{sent['id']}")).status == 204
    assert await api.gateway.deps.store.head(key) is None
