"""Delivered files: bytes, ranges, entity tags, names."""

import hashlib

import pytest

from tests.gateway.api import Api, Painter, picture


@pytest.fixture
async def path(api: Api, painter: Painter) -> str:
    """The path of the one output of a completed generation."""
    ended = await api.until_ended((await api.submit(input={"prompt": "A Lighthouse, in/../fóg! Ø"}))["id"])
    assert ended["status"] == "completed"
    return f"/api/v1/generations/{ended['id']}/outputs/0"


async def test_the_bytes_are_what_the_provider_made(api: Api, path: str) -> None:
    answer = await api.get(path)
    digest = hashlib.sha256(picture()).hexdigest()
    assert (answer.status, answer.content) == (200, picture())
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["ETag"] == f'"{digest}"'
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Disposition"].startswith('inline; filename="a-lighthouse-in-fog-0.png"')


async def test_download_asks_the_browser_to_save(api: Api, path: str) -> None:
    for asked in (f"{path}?download=1", f"{path}/download"):
        answer = await api.get(asked)
        assert answer.content == picture()
        assert answer.headers["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=10-", 206, 10, None),
        ("bytes=-5", 206, -5, None),
        ("bytes=0-999999", 200, 0, None),
        ("bytes=5-2", 200, 0, None),
        ("bytes=0-1,4-5", 200, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
async def test_ranges(api: Api, path: str, asked: str, status: int, first: int, last: int | None) -> None:
    answer = await api.get(path, headers={"Range": asked})
    wanted = picture()[first : None if last is None else last + 1]
    assert (answer.status, answer.content) == (status, wanted)
    assert answer.headers["Content-Length"] == str(len(wanted))
    assert ("Content-Range" in answer.headers) == (status == 206)


async def test_a_range_outside_is_416(api: Api, path: str) -> None:
    answer = await api.get(path, headers={"Range": "bytes=999999-"})
    assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{len(picture())}")


async def test_a_range_of_another_version_gets_the_whole(api: Api, path: str) -> None:
    answer = await api.get(path, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert answer.status == 200


async def test_what_is_known_is_not_sent_again(api: Api, path: str) -> None:
    etag = (await api.call("HEAD", path)).headers["ETag"]
    answer = await api.get(path, headers={"If-None-Match": f'"x", {etag}'})
    assert (answer.status, answer.content) == (304, b"")


async def test_head_tells_the_length(api: Api, path: str) -> None:
    answer = await api.call("HEAD", path)
    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(picture()))


async def test_thumbnails_are_webp_and_images_have_no_peaks(api: Api, path: str) -> None:
    thumbnail = await api.get(f"{path}/thumbnail")
    assert thumbnail.headers["Content-Type"] == "image/webp"
    assert thumbnail.content[8:12] == b"WEBP"
    part = await api.get(f"{path}/thumbnail", headers={"Range": "bytes=8-11"})
    length = len(thumbnail.content)
    assert (part.status, part.content, part.headers["Content-Range"]) == (
        206,
        b"WEBP",
        f"bytes 8-11/{length}",
    )
    head = await api.call("HEAD", f"{path}/thumbnail")
    assert (head.content, head.headers["Content-Length"]) == (b"", str(length))
    assert (await api.get(f"{path}/peaks")).problem[:2] == (404, "NOT_FOUND")
    assert (await api.get(f"{path}/poster")).problem[:2] == (404, "NOT_FOUND")


async def test_there_is_no_other_output(api: Api, other: Api, path: str) -> None:
    for n in ("1", "-1", "x", "99999999999"):
        assert (await api.get(f"{path[:-1]}{n}")).problem[:2] == (404, "NOT_FOUND")
    assert (await other.get(path)).problem[:2] == (404, "NOT_FOUND")


async def test_a_lost_object_is_404(api: Api, path: str) -> None:
    key = await api.gateway.worker.fetchval("SELECT key FROM outputs WHERE account_id = $1", api.account_id)
    await api.gateway.deps.store.delete([key, f"{key.rpartition('/')[0]}/0.thumb.webp"])
    assert (await api.get(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.get(f"{path}/thumbnail")).problem[:2] == (404, "NOT_FOUND")
